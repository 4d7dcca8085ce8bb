//! Reads files once, and prints what they come to.

use crate::answer::Words;
use crate::answer::explanation::explanation;
use crate::args::ReconcileArguments;
use crate::command::report::{Report, exit_of};
use crate::exit::{Exit, Failure};
use crate::export::export;
use crate::files;
use crate::filter::Filter;
use crate::local;
use crate::render::{self, Format, Page};
use trueup_connectors::connector::progress::Progress;
use trueup_connectors::load::{Options, load};
use trueup_model::time::Timestamp;
use trueup_runtime::clock::{Clock as _, SystemClock};
use trueup_runtime::settings::{Horizon, Settings};

/// The name that the engine keeps the files' facts under.
const SOURCE: &str = "files";

/// Reads the files and prints positions and discrepancies.
pub(crate) fn run(arguments: &ReconcileArguments) -> anyhow::Result<Exit> {
    let mut progress = Progress::on_standard_error();
    progress.say("reading files");
    let inputs = files::read(&arguments.files, &arguments.mapping, &arguments.time_zone)?;
    let settings = settings(arguments)?;
    let zone = settings.policy.zone.clone();
    let options = Options {
        tenant: arguments.tenant.clone(),
        source: SOURCE.to_owned(),
        zone: zone.clone(),
        host: arguments.server.clone(),
        received_at: SystemClock::default().now(),
    };
    let (engine, loaded) = local::run(settings, &arguments.tenant, SOURCE, |sink| {
        load(&inputs, &options, sink, &mut |words| progress.say(words))
    })?;
    progress.clear();
    let views = engine.views();
    let names = engine.names();
    let words = Words::new(&views, &names, &zone);
    let filter = Filter { period: arguments.period.clone(), ..Filter::default() };
    let report = Report::new(&words, loaded, &filter)?;
    let mut out = std::io::stdout().lock();
    let mut page = Page::stdout(&mut out);
    report.write(&mut page, arguments.output.format())?;
    for id in &arguments.explain {
        let row = explanation(&words, id, None).map_err(|error| {
            let hint = "the tables above name what can be explained";
            Failure::new(Exit::Usage, error.to_string(), hint)
        })?;
        if arguments.output.format() == Format::Table {
            render::explanation(&mut page, &row)?;
        } else {
            page.line(&serde_json::to_string_pretty(&row)?)?;
        }
    }
    if let Some(folder) = &arguments.out {
        let written = export(&words, folder)?;
        if arguments.output.format() == Format::Table {
            page.line(&format!("\nwrote {} to {}", written.join(", "), folder.display()))?;
        }
    }
    Ok(if arguments.exit_zero { Exit::Clean } else { exit_of(&words) })
}

/// The settings that the arguments ask for.
fn settings(arguments: &ReconcileArguments) -> Result<Settings, Failure> {
    let mut policy = files::policy(arguments.policy.as_deref())?;
    if let Some(zone) = files::zone_of_all(&arguments.time_zone)? {
        policy.zone = zone;
    }
    let horizon = match &arguments.as_of {
        None => Horizon::Evidence,
        Some(at) => Horizon::Fixed(at.parse::<Timestamp>().map_err(|error| {
            let hint = "write it as 2026-03-01T00:00:00Z";
            Failure::new(Exit::Usage, format!("--as-of {at}: {error}"), hint)
        })?),
    };
    Ok(Settings { workers: arguments.workers, policy, horizon, ..Settings::default() })
}
