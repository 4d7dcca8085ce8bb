//! Looks back: what an engine would have answered as of an epoch, from its folder or a backup.

use crate::answer::Words;
use crate::answer::health::ChainAnswer;
use crate::args::ReplayArguments;
use crate::command::backup::refused;
use crate::command::serve::build;
use crate::config::{Values, environment};
use crate::exit::{Exit, Failure};
use crate::question::{self, Rows, View};
use crate::render::{Format, Page};
use std::collections::BTreeMap;
use std::sync::Arc;
use trueup_connectors::connector::progress::Progress;
use trueup_runtime::backup::look_back;
use trueup_runtime::clock::SystemClock;
use trueup_runtime::error::RuntimeError;
use trueup_runtime::memory::Gauge;
use trueup_runtime::recovery::Replayed;
use trueup_runtime::settings::Settings;

/// Reads a folder up to an epoch into an engine of its own, and prints what that answers.
pub(crate) fn run(arguments: &ReplayArguments) -> anyhow::Result<Exit> {
    let views: Vec<View> =
        arguments.views.iter().map(|name| view(name)).collect::<Result<_, _>>()?;
    let config = Values::read(arguments.config.as_deref(), environment)?.check()?;
    let journal_keys = arguments.keys.read()?.or_else(|| config.settings.journal_keys.clone());
    let workers = arguments.workers.unwrap_or(config.settings.workers);
    let settings = Settings {
        workers,
        journal: None,
        journal_keys,
        snapshots: None,
        // Nothing comes in that could be held back.
        memory: Gauge::default(),
        build: build()?,
        ..config.settings
    };
    let zone = settings.policy.zone.clone();
    let wanted =
        Replayed { from: arguments.from, through: arguments.through, ..Replayed::default() };
    let mut progress = Progress::on_standard_error();
    progress.say("reading the journal");
    let clock = Arc::new(SystemClock::default());
    let engine = look_back(settings, clock, &arguments.folder, wanted);
    let engine = engine.map_err(|error| not_replayed(&error))?;
    progress.clear();
    let (all, names) = (engine.views(), engine.names());
    let words = Words::new(&all, &names, &zone);
    let filter = arguments.which.filter();
    let chain = ChainAnswer::new(&all.link);
    let mut found: BTreeMap<&str, Rows> = BTreeMap::new();
    for view in views {
        let rows = question::ask(&words, view, &filter).map_err(|error| {
            Failure::new(Exit::Usage, error.to_string(), "`trueup replay --help` lists the filters")
        })?;
        found.insert(view.name(), rows);
    }
    let mut out = std::io::stdout().lock();
    let mut page = Page::stdout(&mut out);
    let format = arguments.output.format();
    if format == Format::Json {
        let mut answer = serde_json::to_value(&found)?;
        answer["chain"] = serde_json::to_value(&chain)?;
        page.line(&serde_json::to_string_pretty(&answer)?)?;
        return Ok(Exit::Clean);
    }
    for (name, rows) in &found {
        page.heading(name)?;
        question::write(&mut page, format, rows)?;
    }
    if format == Format::Table {
        page.line(&format!("\nchain {} of epoch {}", chain.hash, chain.epoch))?;
    }
    Ok(Exit::Clean)
}

fn view(name: &str) -> Result<View, Failure> {
    View::named(name).ok_or_else(|| {
        let names: Vec<&str> = View::ALL.iter().map(|view| view.name()).collect();
        let message = format!("no view is called `{name}`");
        Failure::new(Exit::Usage, message, format!("views are {}", names.join(", ")))
    })
}

/// Why there is nothing to look at.
fn not_replayed(error: &RuntimeError) -> Failure {
    if matches!(error, RuntimeError::NotClosed { .. } | RuntimeError::LetGo { .. }) {
        let hint = "`trueup verify` on the folder says what it holds";
        return Failure::new(Exit::Usage, error.to_string(), hint);
    }
    refused("the folder could not be read", error)
}
