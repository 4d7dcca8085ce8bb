//! Shows what Trueup does, on the files of a small invented group that are in the program.

use crate::answer::Words;
use crate::api::Api;
use crate::args::DemoArguments;
use crate::command::report::Report;
use crate::exit::{Exit, Failure};
use crate::filter::Filter;
use crate::local;
use crate::render::{Format, Page};
use crate::shutdown;
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;
use trueup_connectors::load::{File, Options, load};
use trueup_datasets::{DEMO_EXPECTED, DEMO_README, demo};
use trueup_model::calendar::Zone;
use trueup_model::time::Timestamp;
use trueup_policy::Policy;
use trueup_runtime::settings::{Horizon, Settings};

/// Whose files they are.
const TENANT: &str = "helios";
/// The name that the engine keeps the files' facts under.
const SOURCE: &str = "demo";

/// Runs the demonstration.
pub(crate) fn run(arguments: &DemoArguments) -> anyhow::Result<Exit> {
    if let Some(folder) = &arguments.extract {
        extract(folder)?;
        return Ok(Exit::Clean);
    }
    let given = Given::read()?;
    let zone = Zone::named(&given.table_zone)?;
    let horizon: Timestamp = given.horizon.parse()?;
    let policy = Policy { zone: zone.clone(), ..Policy::default() };
    let settings = Settings {
        workers: arguments.workers,
        policy,
        horizon: Horizon::Fixed(horizon),
        ..Settings::default()
    };
    let options = Options {
        tenant: TENANT.to_owned(),
        source: SOURCE.to_owned(),
        zone: zone.clone(),
        host: None,
        received_at: horizon,
    };
    let files = given.files()?;
    let (engine, loaded) =
        local::run(settings, TENANT, SOURCE, |sink| load(&files, &options, sink, &mut |_| {}))?;
    {
        let views = engine.views();
        let names = engine.names();
        let words = Words::new(&views, &names, &zone);
        let report = Report::new(&words, loaded, &Filter::default())?;
        let mut out = std::io::stdout().lock();
        let mut page = Page::stdout(&mut out);
        if arguments.output.format() == Format::Table {
            page.line(INTRODUCTION)?;
        }
        report.write(&mut page, arguments.output.format())?;
        if arguments.output.format() == Format::Table {
            page.line(if arguments.serve { "" } else { NEXT })?;
        }
    }
    if arguments.serve {
        answer(arguments, engine, zone)?;
    }
    Ok(Exit::Clean)
}

/// What must be known to read the files.
#[derive(Debug, Deserialize)]
struct Given {
    table_zone: String,
    horizon: String,
    files: Vec<GivenFile>,
}

/// What must be known to read a file.
#[derive(Debug, Deserialize)]
struct GivenFile {
    name: String,
    zone: String,
    effective_from: Option<String>,
}

/// The part of the right answers that is no answer.
#[derive(Debug, Deserialize)]
struct Expected {
    given: Given,
}

impl Given {
    fn read() -> anyhow::Result<Self> {
        let expected: Expected = serde_json::from_slice(DEMO_EXPECTED)?;
        Ok(expected.given)
    }

    /// The files with what is known of each.
    fn files(&self) -> anyhow::Result<Vec<File<'static>>> {
        let mut files = Vec::new();
        for (name, bytes) in demo() {
            let mut file = File::new(*name, *bytes);
            if let Some(given) = self.files.iter().find(|given| given.name == *name) {
                file.zone = Some(Zone::named(&given.zone)?);
                file.holds_from = given.effective_from.as_ref().map(|at| at.parse()).transpose()?;
            }
            files.push(file);
        }
        Ok(files)
    }
}

/// What is said before the tables.
const INTRODUCTION: &str = "\
Helios Engineering, an invented group with three affiliates: three weeks of two license servers' logs,
license files, what the servers answered, purchase list, seats, metered calls, people and machines.";

/// What can be done after the tables.
const NEXT: &str = "
Next: `trueup demo --serve` stays up; then, in another terminal, `trueup explain ID` says why a figure
is what it is, and `trueup positions --period every` shows every month. `trueup demo --extract DIR`
writes the files and a page that tells the story, to read and to try `trueup reconcile` on.";

/// Answers questions until it is told to stop.
fn answer(
    arguments: &DemoArguments,
    engine: Arc<trueup_runtime::engine::Engine>,
    zone: Zone,
) -> anyhow::Result<()> {
    let api = Api::start(arguments.listen, None, Arc::clone(&engine), zone)?;
    eprint_line(&format!(
        "answering at http://{}/v1/positions and to `trueup explain ID`; stop with Ctrl-C",
        api.address
    ));
    shutdown::wait(&engine)?;
    Ok(())
}

fn eprint_line(text: &str) {
    // Nobody may be there to read it.
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{text}\n"));
}

/// Writes the files of the demonstration to a folder.
fn extract(folder: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let message = format!("could not write to {}: {error}", folder.display());
        Failure::new(Exit::CannotWrite, message, "look at the folder, its rights and its room")
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let more = [("README.md", DEMO_README.as_bytes()), ("expected.json", DEMO_EXPECTED)];
    for (name, bytes) in demo().iter().chain(&more) {
        std::fs::write(folder.join(name), bytes).map_err(failed)?;
    }
    Ok(())
}
