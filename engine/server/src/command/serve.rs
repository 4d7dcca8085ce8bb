//! Runs an engine until it is told to stop: connectors deliver, people ask.

use crate::api::Api;
use crate::args::ServeArguments;
use crate::config::{Values, environment};
use crate::exit::{Exit, Failure};
use crate::incident::Incident;
use crate::listener::{Listener, TokenGate};
use crate::shutdown::{Ended, wait};
use anyhow::Context as _;
use std::path::Path;
use std::sync::Arc;
use trueup_model::time::Timestamp;
use trueup_runtime::clock::{Clock as _, SystemClock};
use trueup_runtime::conversation::{Allowance, Gate, OpenGate};
use trueup_runtime::engine::Engine;
use trueup_runtime::error::RuntimeError;

/// Runs the engine.
pub(crate) fn run(arguments: &ServeArguments) -> anyhow::Result<Exit> {
    log_to_stderr();
    let mut values = Values::read(arguments.config.as_deref(), environment)?;
    if let Some(api) = arguments.api {
        values.switch("api", "listen", format!("\"{api}\""));
    }
    if let Some(connectors) = arguments.connectors {
        values.switch("connectors", "listen", format!("\"{connectors}\""));
    }
    if let Some(workers) = arguments.workers {
        values.switch("engine", "workers", workers.to_string());
    }
    let config = values.check()?;
    let zone = config.settings.policy.zone.clone();
    let journal = config.settings.journal.clone();
    let clock = Arc::new(SystemClock::default());
    let engine = Engine::start(config.settings, clock)
        .map_err(|error| not_started(&error, journal.as_deref()))?;
    let engine = Arc::new(engine);
    let gate: Arc<dyn Gate> = match config.token {
        Some(token) => Arc::new(TokenGate(token)),
        None => Arc::new(OpenGate),
    };
    let reception = engine.reception(gate, Allowance::default()).context("no reception")?;
    let listener = Listener::start(config.connectors, reception, config.connections_max)?;
    let api = Api::start(config.api, Arc::clone(&engine), zone)?;
    let horizon = engine.views().as_of.horizon;
    tracing::info!(
        questions = %api.address,
        connectors = %listener.address,
        journal = %journal.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string()),
        horizon = %if horizon.is_calendar() { horizon } else { Timestamp(0) },
        "ready"
    );
    let ended = wait(&engine)?;
    tracing::info!("stopping");
    listener.stop();
    drop(api);
    let safe = (engine.health().durable_record(), engine.health().sealed_record());
    drop(engine);
    match ended {
        Ended::Told => Ok(Exit::Clean),
        Ended::Failed(message) => {
            write_down(&message, journal.as_deref(), safe);
            let hint = "look at the disk and at the log above, then start again";
            Err(Failure::new(Exit::Stopped, message, hint).into())
        }
    }
}

/// Why an engine did not start; damage of the journal is written down.
fn not_started(error: &RuntimeError, journal: Option<&Path>) -> Failure {
    let cause = std::error::Error::source(error);
    let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
    let message = format!("the engine did not start: {error}{cause}");
    if !error.is_damage() {
        return Failure::new(Exit::Internal, message, "the message says what can be done");
    }
    write_down(&message, journal, (0, 0));
    let hint = "`trueup verify` on the journal's folder says more; nothing was changed";
    Failure::new(Exit::Damaged, message, hint)
}

/// Writes down why the engine stopped.
fn write_down(message: &str, journal: Option<&Path>, safe: (u64, u64)) {
    let Some(journal) = journal else { return };
    let now = SystemClock::default().now();
    match Incident::new(now, message, journal, safe).write(now) {
        Ok(path) => tracing::error!(file = %path.display(), "what happened was written down"),
        Err(error) => tracing::error!(%error, "what happened could not be written down"),
    }
}

/// Writes what happens to the standard error, a line each.
fn log_to_stderr() {
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::INFO)
        .with_target(false);
    // A second call would mean that a test set one before.
    let _ = subscriber.try_init();
}
