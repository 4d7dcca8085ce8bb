//! Runs an engine until it is told to stop: connectors deliver, people ask.

use crate::api::Api;
use crate::args::ServeArguments;
use crate::command::mend::mend;
use crate::config::{Config, Values, environment};
use crate::exit::{Exit, Failure};
use crate::incident::{Failures, Incident};
use crate::listener::{Listener, TokenGate};
use crate::shutdown::{Ended, wait};
use anyhow::Context as _;
use signal_hook::consts::TERM_SIGNALS;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use trueup_model::hash::hash128;
use trueup_model::time::Timestamp;
use trueup_policy::Policy;
use trueup_runtime::clock::{Clock as _, SystemClock};
use trueup_runtime::cluster::{Failing, PartFailure, observe_failures, work};
use trueup_runtime::conversation::{Allowance, Gate, OpenGate};
use trueup_runtime::engine::Engine;
use trueup_runtime::error::RuntimeError;
use trueup_runtime::mesh::{Member, Mesh, Pulse};

/// What to do where what was published is something else now.
pub(super) const DIFFERS: &str = "nothing was changed: keep a backup of the folder and report it; \
    `trueup serve --accept-differences` goes on with what is computed now";

/// How much of the program is hashed at a time.
const PIECE_BYTES: u64 = 1024 * 1024;
/// What to do where the journal failed.
const LOOK_AT_DISK: &str = "look at the disk and at the log above, then start again";

/// Runs the engine.
pub(crate) fn run(arguments: &ServeArguments) -> anyhow::Result<Exit> {
    log_to_stderr();
    #[cfg(target_os = "linux")]
    if arguments.with_parent {
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
            .context("could not bind this process to the one that started it")?;
    }
    let mut config = configuration(arguments)?;
    config.settings.build = build()?;
    config.settings.accepts_differences = arguments.accept_differences;
    let is_first = config.member.as_ref().is_none_or(|member| member.process == 0);
    if is_first && !arguments.with_parent {
        mend(arguments)?;
    }
    if let Some(journal) = config.settings.journal.clone() {
        let fingerprint = config.settings.fingerprint();
        config.settings.holds_snapshots = holds_snapshots(&journal, fingerprint);
        config.settings.holds_evidence = holds_evidence(&journal);
        observe_failures(move |failure| write_down_failure(failure, &journal, fingerprint));
    }
    let joined =
        config.member.as_ref().map(|member| join(member, config.settings.build)).transpose()?;
    let (mesh, pulse) = joined.unzip();
    if config.member.as_ref().is_some_and(|member| member.process > 0) {
        return match mesh {
            Some(mesh) => assist(&config.settings.policy, mesh, pulse),
            None => Ok(Exit::Clean),
        };
    }
    let processes = mesh.as_ref().map_or(1, Mesh::processes);
    let zone = config.settings.policy.zone.clone();
    let journal = config.settings.journal.clone();
    let clock = Arc::new(SystemClock::default());
    let engine = Engine::start_in(mesh, config.settings, clock)
        .map_err(|error| not_started(&error, journal.as_deref()))?;
    let engine = Arc::new(engine);
    let gate: Arc<dyn Gate> = match config.token {
        Some(token) => Arc::new(TokenGate(token)),
        None => Arc::new(OpenGate),
    };
    let reception = engine.reception(gate, Allowance::default()).context("no reception")?;
    let listener =
        Listener::start(config.connectors, reception, config.certificates, config.connections_max)?;
    let api = Api::start(config.api, config.api_host, Arc::clone(&engine), zone)?;
    let horizon = engine.views().as_of.horizon;
    tracing::info!(
        questions = %api.address,
        connectors = %listener.address,
        journal = %journal.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string()),
        processes,
        horizon = %if horizon.is_calendar() { horizon } else { Timestamp(0) },
        "ready"
    );
    let ended = wait(&engine)?;
    tracing::info!("stopping");
    listener.stop();
    drop(api);
    let safe = (engine.health().durable_record(), engine.health().sealed_record());
    drop(engine);
    drop(pulse);
    match ended {
        Ended::Told => Ok(Exit::Clean),
        Ended::Failed(message) => {
            write_down_stop(&message, journal.as_deref(), safe);
            Err(Failure::new(Exit::Stopped, message, LOOK_AT_DISK).into())
        }
    }
}

/// The configuration with what the switches say.
pub(super) fn configuration(arguments: &ServeArguments) -> Result<Config, Failure> {
    let mut values = Values::read(arguments.config.as_deref(), environment)?;
    if let Some(api) = arguments.api {
        values.switch("api", "listen", format!("\"{api}\""));
    }
    for (_, key, file) in arguments.api_files() {
        if let Some(file) = file {
            // The configuration's own files are looked for beside it.
            let path = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            values.switch("api", key, format!("\"{}\"", path.display()));
        }
    }
    if let Some(connectors) = arguments.connectors {
        values.switch("connectors", "listen", format!("\"{connectors}\""));
    }
    if let Some(workers) = arguments.workers {
        values.switch("engine", "workers", workers.to_string());
    }
    values.check()
}

/// A hash of this program: what one build published, the same one must compute again.
pub(super) fn build() -> anyhow::Result<u128> {
    let path = std::env::current_exe().context("no own program")?;
    let mut file = File::open(path).context("could not read the own program")?;
    let (mut hash, mut piece) = (0_u128, Vec::new());
    loop {
        piece.clear();
        let next = (&mut file).take(PIECE_BYTES).read_to_end(&mut piece);
        if next.context("could not read the own program")? == 0 {
            return Ok(hash);
        }
        hash = hash128(&[&hash.to_le_bytes(), &piece]);
    }
}

/// Finds the other processes of the cluster, and ends this one when one of them is gone.
fn join(member: &Member, program: u128) -> anyhow::Result<(Mesh, Pulse)> {
    let mut build = [0; 32];
    for (place, byte) in build.iter_mut().zip(program.to_le_bytes()) {
        *place = byte;
    }
    let member = Member { build, ..member.clone() };
    let joined = member.join(&SystemClock::default()).map_err(|error| {
        let hint = "start all processes with the same program, policy, hosts, secret and authority";
        Failure::new(Exit::Lost, error.to_string(), hint)
    });
    let mut mesh = joined?;
    tracing::info!(
        process = member.process,
        processes = mesh.processes(),
        generation = mesh.generation(),
        "the cluster is complete"
    );
    let pulse = mesh.watch(|lost| {
        tracing::error!(process = lost.process, "lost a process of the cluster: {}", lost.reason);
        // What a process alone would say could be half of the truth.
        std::process::exit(i32::from(Exit::Lost.number()));
    })?;
    Ok((mesh, pulse))
}

/// Works for the first process until that ends: it alone is told to.
fn assist(policy: &Policy, mesh: Mesh, pulse: Option<Pulse>) -> anyhow::Result<Exit> {
    let told = Arc::new(AtomicBool::new(false));
    for signal in TERM_SIGNALS {
        signal_hook::flag::register(*signal, Arc::clone(&told)).context("no signals")?;
    }
    work(policy, mesh)?;
    drop(pulse);
    tracing::info!("stopped with the first process");
    Ok(Exit::Clean)
}

/// Why an engine did not start; what the journal or its disk has to do with it is written down, and so is an
/// epoch that differs.
fn not_started(error: &RuntimeError, journal: Option<&Path>) -> Failure {
    let cause = std::error::Error::source(error);
    let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
    let message = format!("the engine did not start: {error}{cause}");
    if matches!(error, RuntimeError::PublishedDiffers(_)) {
        write_down(journal, |now, journal| {
            Incident::of_difference(now, &message, journal).write(now)
        });
        return Failure::new(Exit::Differs, message, DIFFERS);
    }
    if error.is_refusal() {
        write_down_stop(&message, journal, (0, 0));
        return Failure::new(Exit::Stopped, message, LOOK_AT_DISK);
    }
    if error.is_locked() {
        let hint = "`journal.key_file` names the file with the keys; nothing was changed";
        return Failure::new(Exit::Config, message, hint);
    }
    if !error.is_damage() {
        return Failure::new(Exit::Internal, message, "the message says what can be done");
    }
    write_down_stop(&message, journal, (0, 0));
    let hint = "`trueup verify` on the journal's folder says more; nothing was changed";
    Failure::new(Exit::Damaged, message, hint)
}

/// Writes down why the engine stopped.
fn write_down_stop(message: &str, journal: Option<&Path>, safe: (u64, u64)) {
    write_down(journal, |now, journal| Incident::new(now, message, journal, safe).write(now));
}

/// Writes down what happened, where there is a journal to write it next to.
fn write_down(
    journal: Option<&Path>,
    write: impl FnOnce(Timestamp, &Path) -> std::io::Result<PathBuf>,
) {
    let Some(journal) = journal else { return };
    match write(SystemClock::default().now(), journal) {
        Ok(path) => tracing::error!(file = %path.display(), "what happened was written down"),
        Err(error) => tracing::error!(%error, "what happened could not be written down"),
    }
}

/// Writes down which part failed, and on which epochs; a process without the journal has nowhere to.
fn write_down_failure(failure: &PartFailure, journal: &Path, fingerprint: u128) {
    if !journal.is_dir() {
        return;
    }
    let now = SystemClock::default().now();
    let what = match failure.part {
        Failing::Worker => "a worker failed",
        Failing::Snapshots => "taking a snapshot failed",
    };
    match Incident::of_part(now, failure, journal, fingerprint).write(now) {
        Ok(path) => tracing::error!(file = %path.display(), "{what}"),
        Err(error) => tracing::error!(%error, "{what}, and it could not be written down"),
    }
}

/// Whether taking a snapshot of a journal ended an engine with this fingerprint, which then takes no more: it serves
/// without, and what is not tried again does not end it again.
fn holds_snapshots(journal: &Path, fingerprint: u128) -> bool {
    let failures = Failures::of(journal);
    let Some(file) = failures.of_snapshots(fingerprint) else { return false };
    tracing::error!(
        file = %file.display(),
        "taking a snapshot ended this build before: none is taken, and the journal grows; the file says more"
    );
    true
}

/// Whether something happened to a journal that nobody has looked into: what is there stays until then.
fn holds_evidence(journal: &Path) -> bool {
    let failures = Failures::of(journal);
    for file in failures.open() {
        tracing::warn!(
            file = %file.display(),
            "an incident is open: the snapshots that are there and the journal after them are kept until its file is \
             taken away and the engine starts again"
        );
    }
    !failures.open().is_empty()
}

/// Writes what happens to the standard error, a line each.
pub(super) fn log_to_stderr() {
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::INFO)
        .with_target(false)
        // Whoever read the log may be gone; that ends nothing here.
        .log_internal_errors(false);
    // A second call would mean that a test set one before.
    let _ = subscriber.try_init();
}
