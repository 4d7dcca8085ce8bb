//! Exit codes by kind, the same as the engine's, so that a script can tell what happened.

use crate::client::ClientError;
use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

/// What help texts say of exit codes.
pub const EXIT_CODES: &str = "\
Exit codes: 0 done; 65 input was set aside (see `trueup quarantine`); 66 a file cannot be read; 69 no
engine answers; 70 a bug; 74 input or output failed on the way; 78 the token, a mapping or the
configuration of sources is wrong; 2 the command line was not understood.";

/// Why the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Clean,
    /// The command line was not understood.
    Usage,
    /// Input could not be understood, in part or whole.
    BadData,
    /// An input file does not exist or cannot be read.
    NoInput,
    /// No engine answers.
    Unavailable,
    /// Something broke that should not.
    Internal,
    /// Reading or writing failed on the way.
    Io,
    /// The token, a mapping or the configuration of sources is wrong.
    Config,
}

impl Exit {
    /// The number.
    pub fn number(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Usage => 2,
            Self::BadData => 65,
            Self::NoInput => 66,
            Self::Unavailable => 69,
            Self::Internal => 70,
            Self::Io => 74,
            Self::Config => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

/// An error that knows with which code the program ends.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The code.
    pub exit: Exit,
    /// What happened, and why.
    pub message: String,
    /// What can be done about it.
    pub hint: String,
}

impl Failure {
    /// A failure with a hint.
    pub fn new(exit: Exit, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: hint.into() }
    }

    /// A failure with the reasons of an error, one a line.
    pub fn of(exit: Exit, error: &dyn Error, hint: impl Into<String>) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(known) = cause {
            let _ = write!(message, "\n  because {known}");
            cause = known.source();
        }
        Self::new(exit, message, hint)
    }

    /// A file that cannot be read.
    pub fn unreadable(error: &dyn Error) -> Self {
        Self::of(Exit::NoInput, error, "look at the name and at who may read it")
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let away = "start one with `trueup serve`, or name another with --engine";
        let (exit, hint) = match &error {
            ClientError::Connect { .. }
            | ClientError::Broken { .. }
            | ClientError::Ended { .. }
            | ClientError::Silent { .. }
            | ClientError::Refused { .. }
            | ClientError::GaveUp { .. } => (Exit::Unavailable, away),
            ClientError::Stopped { .. } => {
                (Exit::Unavailable, "nothing is lost: the next start sends it again")
            }
            ClientError::EngineForgot { .. } => {
                (Exit::Unavailable, "start this program again: it then sends what the engine lacks")
            }
            ClientError::Untrusted { .. } => (
                Exit::Config,
                "both sides need a certificate of an authority that the other one believes: \
                 --authority, --certificate, --key",
            ),
            ClientError::Unauthorized { .. } => (
                Exit::Config,
                "--token-file names the secret of the engine's connectors.token_file",
            ),
            ClientError::Fenced { .. } | ClientError::ForeignBatches { .. } => {
                (Exit::Config, "--source tells connectors apart, --generation one's processes")
            }
            ClientError::Version { .. } => (Exit::Config, "both sides print it with --version"),
            ClientError::Session(_)
            | ClientError::PositionTooLong { .. }
            | ClientError::DictionaryTooSmall
            | ClientError::Encode(_) => (
                Exit::Internal,
                "this should not happen; the message and the input help to find out",
            ),
        };
        Self::of(exit, &error, hint)
    }
}

/// Prints what went wrong, if something did; gives the code to end with.
pub fn ended(result: Result<Exit, Failure>) -> ExitCode {
    let failure = match result {
        Ok(exit) => return exit.into(),
        Err(failure) => failure,
    };
    let text = format!("error: {}\nhint: {}\n", failure.message, failure.hint);
    // Nobody may be there to read it.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
    failure.exit.into()
}
