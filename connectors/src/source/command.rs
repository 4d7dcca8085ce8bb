//! A command that is asked again and again, and answers on its standard output.
//!
//! License servers that are down make their tools wait for minutes, so a command runs beside the rest
//! and is ended when its time is up. Its answer counts whatever its exit code is: that a server is down
//! is an answer. What it says on its standard error is told if it answers nothing.

use crate::client::clock::{Clock as _, SystemClock};
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The longest answer that is read, in bytes.
pub const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How much is kept of what a command complains of, in bytes.
const COMPLAINT_BYTES_MAX: u64 = 1024;
/// How often a command that runs is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Why a command gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// It could not be run.
    #[error("could not run `{command}`")]
    Run {
        /// The command.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// It ended without an answer.
    #[error("`{command}` answered nothing and ended with {code}: {complaint}")]
    Nothing {
        /// The command.
        command: String,
        /// The code that it ended with.
        code: String,
        /// The beginning of what it complained of.
        complaint: String,
    },
    /// It did not end in time.
    #[error("`{command}` was ended after {} seconds without an answer", patience.as_secs())]
    TooLong {
        /// The command.
        command: String,
        /// How long it had.
        patience: Duration,
    },
}

type Answer = Result<Vec<u8>, CommandError>;

/// Asks one command again and again.
#[derive(Debug)]
pub struct Asking {
    command: String,
    interval: Duration,
    patience: Duration,
    /// When it is asked next.
    due: Duration,
    running: Option<Receiver<Answer>>,
}

impl Asking {
    /// Asks a command of the system's shell each time the interval is over, beginning at once.
    pub fn new(command: &str, interval: Duration, patience: Duration) -> Self {
        let command = command.to_owned();
        Self { command, interval, patience, due: Duration::ZERO, running: None }
    }

    /// Takes the answer if there is one, and asks if it is time; never waits.
    pub fn poll(&mut self, now: Duration) -> Option<Answer> {
        if let Some(running) = &self.running {
            let answer = match running.try_recv() {
                Ok(answer) => Some(answer),
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => None,
            };
            self.running = None;
            return answer;
        }
        if now < self.due {
            return None;
        }
        self.due = now + self.interval;
        let (send, receive) = bounded(1);
        let (command, patience) = (self.command.clone(), self.patience);
        let spawned =
            std::thread::Builder::new().name("trueup-command".to_owned()).spawn(move || {
                // Whoever asked may have left.
                let _ = send.send(ask(&command, patience));
            });
        match spawned {
            Ok(_) => {
                self.running = Some(receive);
                None
            }
            Err(source) => Some(Err(CommandError::Run { command: self.command.clone(), source })),
        }
    }
}

/// Asks a command of the system's shell once, and waits for its answer.
///
/// # Errors
/// If it cannot be run, answers nothing, or takes longer than it may.
pub fn ask(command: &str, patience: Duration) -> Answer {
    let failed = |source| CommandError::Run { command: command.to_owned(), source };
    let mut child = shell(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let answer = reader(child.stdout.take(), ANSWER_BYTES_MAX).map_err(failed)?;
    let complained = reader(child.stderr.take(), COMPLAINT_BYTES_MAX).map_err(failed)?;
    let Some(code) = wait(&mut child, patience).map_err(failed)? else {
        let command = command.to_owned();
        return Err(CommandError::TooLong { command, patience });
    };
    // A child that it left running may hold its output open.
    let bytes = answer.recv_timeout(patience).unwrap_or_default();
    if !bytes.trim_ascii().is_empty() {
        return Ok(bytes);
    }
    let said = complained.recv_timeout(LOOK).unwrap_or_default();
    let complaint = String::from_utf8_lossy(said.trim_ascii()).into_owned();
    Err(CommandError::Nothing { command: command.to_owned(), code, complaint })
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}

/// Reads up to so many bytes in a thread of its own, and lets the rest pass.
fn reader(from: Option<impl Read + Send + 'static>, limit: u64) -> io::Result<Receiver<Vec<u8>>> {
    let (send, receive) = bounded(1);
    std::thread::Builder::new().name("trueup-answer".to_owned()).spawn(move || {
        let Some(mut from) = from else { return };
        let mut bytes = Vec::new();
        // What came before an error is what there is.
        let _ = from.by_ref().take(limit).read_to_end(&mut bytes);
        let _ = io::copy(&mut from, &mut io::sink());
        let _ = send.send(bytes);
    })?;
    Ok(receive)
}

/// The code that the child ends with; `None` if its time was up first.
fn wait(child: &mut Child, patience: Duration) -> io::Result<Option<String>> {
    let clock = SystemClock::start();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(
                status.code().map_or_else(|| status.to_string(), |code| code.to_string()),
            ));
        }
        if clock.now() >= patience {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        clock.pause(LOOK);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Asking, CommandError, ask};
    use crate::client::clock::{Clock as _, SystemClock};
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn an_answer_counts_whatever_the_exit_code_is() {
        assert_eq!(ask("echo down; exit 3", PATIENCE).unwrap(), b"down\n");
        let silent = ask("echo no such server >&2; exit 7", PATIENCE).unwrap_err();
        let words =
            "`echo no such server >&2; exit 7` answered nothing and ended with 7: no such server";
        assert_eq!(silent.to_string(), words);
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended() {
        let error = ask("exec sleep 60", Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, CommandError::TooLong { .. }), "{error}");
    }

    #[test]
    fn a_command_is_asked_again_when_the_interval_is_over() {
        let mut asking = Asking::new("echo up", Duration::from_secs(300), PATIENCE);
        let clock = SystemClock::start();
        let mut answer = |now: u64| loop {
            if let Some(answer) = asking.poll(Duration::from_secs(now)) {
                return answer.unwrap();
            }
            assert!(clock.now() < PATIENCE);
            clock.pause(Duration::from_millis(5));
        };
        assert_eq!(answer(0), b"up\n");
        assert_eq!(answer(300), b"up\n");
        assert!(asking.poll(Duration::from_secs(599)).is_none());
    }
}
