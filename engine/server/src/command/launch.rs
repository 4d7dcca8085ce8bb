//! Runs an engine over several processes of this machine, and watches over them.
//!
//! Processes share one fate: when one ends, the others cannot go on, so all of them are ended and started
//! anew, and the first reads its journal back. What no new start would mend (a wrong configuration) ends
//! the launch with that code; so do failures in a row, so that a fault that comes back with the journal does
//! not go round for ever.

use crate::args::LaunchArguments;
use crate::command::mend::mend;
use crate::command::serve::{configuration, log_to_stderr};
use crate::exit::{Exit, Failure};
use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::TERM_SIGNALS;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use trueup_runtime::clock::{Clock as _, SystemClock};
use trueup_runtime::mesh::secret;

/// How often the processes are looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long processes may take to stop in order.
const STOP_MAX_US: u64 = 120_000_000;
/// How long nothing runs after a failure; longer, the more came in a row.
const REST: Duration = Duration::from_millis(200);
/// How long it is at most.
const REST_MAX: Duration = Duration::from_secs(2);
/// After how long a run counts as one that went well.
const WELL_US: u64 = 60_000_000;

/// Runs the processes until told to stop.
pub(crate) fn run(arguments: &LaunchArguments) -> anyhow::Result<Exit> {
    log_to_stderr();
    configuration(&arguments.serve)?;
    let told = Arc::new(AtomicBool::new(false));
    for signal in TERM_SIGNALS {
        signal_hook::flag::register(*signal, Arc::clone(&told)).context("no signals")?;
    }
    let clock = SystemClock::default();
    let secret = SecretFile::write()?;
    let mut failures = 0;
    loop {
        let began_us = clock.monotonic_us();
        mend(&arguments.serve)?;
        let mut fleet = Fleet::start(arguments, &secret.0)?;
        let ended = fleet.watch(&told, &clock);
        drop(fleet);
        let (process, status) = match ended {
            Ended::InOrder => return Ok(Exit::Clean),
            Ended::Failed(process, status) => (process, status),
        };
        let said = status.map_or_else(|| "is not known".to_owned(), |status| status.to_string());
        if let Some(exit) = status.and_then(beyond_help) {
            let hint = "its last lines above say what is wrong";
            let message = format!("process {process} cannot run: {said}");
            return Err(Failure::new(exit, message, hint).into());
        }
        if told.load(Ordering::SeqCst) {
            let hint = "what was acknowledged is in the journal; look at the log above";
            let message = format!("process {process} did not stop in order: {said}");
            return Err(Failure::new(Exit::Lost, message, hint).into());
        }
        let ran_us = clock.monotonic_us().saturating_sub(began_us);
        failures = if ran_us >= WELL_US { 1 } else { failures + 1 };
        if failures >= arguments.failures {
            let hint = "look at the log above; `--failures` says how often to try";
            let message = format!("process {process} ended: {said}; {failures} times in a row");
            return Err(Failure::new(Exit::Lost, message, hint).into());
        }
        tracing::warn!(process, status = said, failures, "a process ended; all start anew");
        std::thread::park_timeout((REST * failures).min(REST_MAX));
    }
}

/// The code of an end that a new start would only repeat.
fn beyond_help(status: ExitStatus) -> Option<Exit> {
    let lasting = [Exit::Config, Exit::Usage, Exit::NoInput, Exit::Damaged, Exit::Differs];
    let code = status.code()?;
    lasting.into_iter().find(|exit| i32::from(exit.number()) == code)
}

/// How a run of all processes ended.
enum Ended {
    /// All of them, as they were told.
    InOrder,
    /// This one before it was told.
    Failed(usize, Option<ExitStatus>),
}

/// The running processes; those that still run are killed at the end.
struct Fleet(Vec<Child>);

impl Fleet {
    fn start(arguments: &LaunchArguments, secret: &Path) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("no own program")?;
        let doors: Vec<TcpListener> = (0..arguments.processes)
            .map(|_| TcpListener::bind("127.0.0.1:0"))
            .collect::<Result<_, _>>()
            .context("no free port for the processes to meet")?;
        let addresses: Result<Vec<String>, _> =
            doors.iter().map(|door| door.local_addr().map(|at| at.to_string())).collect();
        let hosts = addresses.context("no free port for the processes to meet")?.join(", ");
        drop(doors);
        let mut fleet = Self(Vec::new());
        for process in 0..arguments.processes {
            let mut command = Command::new(&program);
            command.args(["serve", "--with-parent"]).stdin(Stdio::null());
            if let Some(config) = &arguments.serve.config {
                command.arg("--config").arg(config);
            }
            if let Some(workers) = arguments.serve.workers {
                command.arg("--workers").arg(workers.to_string());
            }
            if let Some(api) = arguments.serve.api {
                command.arg("--api").arg(api.to_string());
            }
            for (switch, _, file) in arguments.serve.api_files() {
                if let Some(file) = file {
                    command.arg(switch).arg(file);
                }
            }
            if arguments.serve.accept_differences && process == 0 {
                command.arg("--accept-differences");
            }
            if let Some(connectors) = arguments.serve.connectors {
                command.arg("--connectors").arg(connectors.to_string());
            }
            if arguments.processes > 1 {
                command
                    .env("TRUEUP__CLUSTER__HOSTS", &hosts)
                    .env("TRUEUP__CLUSTER__PROCESS", process.to_string())
                    .env("TRUEUP__CLUSTER__SECRET_FILE", secret);
            }
            let child = command.spawn().with_context(|| format!("process {process}"))?;
            tracing::info!(process, pid = child.id(), "started");
            fleet.0.push(child);
        }
        Ok(fleet)
    }

    /// Waits until they end; passes on that they are to.
    fn watch(&mut self, told: &AtomicBool, clock: &SystemClock) -> Ended {
        let mut until_us: Option<u64> = None;
        loop {
            let mut running = 0;
            for (process, child) in self.0.iter_mut().enumerate() {
                match child.try_wait() {
                    Ok(None) => running += 1,
                    Ok(Some(status)) if status.success() => {}
                    Ok(Some(status)) => return Ended::Failed(process, Some(status)),
                    Err(_) => return Ended::Failed(process, None),
                }
            }
            if running == 0 {
                return Ended::InOrder;
            }
            match until_us {
                None if told.load(Ordering::SeqCst) => {
                    self.tell();
                    until_us = Some(clock.monotonic_us().saturating_add(STOP_MAX_US));
                }
                Some(until_us) if clock.monotonic_us() > until_us => {
                    return Ended::Failed(0, None);
                }
                None | Some(_) => {}
            }
            std::thread::park_timeout(LOOK);
        }
    }

    /// Tells the first process to stop; the others end with it.
    fn tell(&self) {
        let pid = self.0.first().and_then(|first| i32::try_from(first.id()).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw)
            && let Err(error) = kill_process(pid, Signal::TERM)
        {
            tracing::warn!(%error, "the first process could not be told to stop");
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // One that has ended cannot be killed, and needs not be.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A new secret in a file that only this user can read, and that goes when it is not needed any more.
struct SecretFile(PathBuf);

impl SecretFile {
    fn write() -> anyhow::Result<Self> {
        let hex = |bytes: [u8; 32]| {
            bytes.iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
        };
        let name = hex(secret()?);
        let path = std::env::temp_dir().join(format!("trueup-cluster-{}", &name[..16]));
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut file = file.with_context(|| format!("could not write {}", path.display()))?;
        let written = Self(path);
        file.write_all(hex(secret()?).as_bytes()).context("could not write the secret")?;
        Ok(written)
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
