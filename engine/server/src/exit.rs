//! Exit codes by kind, so that a script can tell what happened without reading.

use std::process::ExitCode;

/// Why the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well: nothing to look at.
    Clean,
    /// Something of severity 1 was found: over-use, use without a line.
    Severe,
    /// Something of severity 2 or 3 was found, nothing of severity 1.
    Notable,
    /// Something of severity 4 or 5 was found, nothing more urgent.
    Minor,
    /// The command line was not understood.
    Usage,
    /// Input could not be understood, in part or whole.
    BadData,
    /// An input file does not exist or cannot be read.
    NoInput,
    /// A running engine was asked and did not answer.
    Unavailable,
    /// Something broke that should not.
    Internal,
    /// A file could not be written.
    CannotWrite,
    /// Another process of the cluster is gone.
    Lost,
    /// The engine stopped by itself, because its journal failed.
    Stopped,
    /// A journal is damaged.
    Damaged,
    /// A snapshot is damaged, and its journal is good.
    SnapshotDamaged,
    /// The configuration, policy or mapping is wrong.
    Config,
    /// An epoch that was published is something else when it is computed again.
    Differs,
}

impl Exit {
    /// The number.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Usage => 2,
            Self::Severe => 10,
            Self::Notable => 11,
            Self::Minor => 12,
            Self::BadData => 65,
            Self::NoInput => 66,
            Self::Unavailable => 69,
            Self::Internal => 70,
            Self::Stopped => 71,
            Self::CannotWrite => 74,
            Self::Lost => 75,
            Self::Damaged => 76,
            Self::SnapshotDamaged => 77,
            Self::Config => 78,
            Self::Differs => 79,
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
pub(crate) struct Failure {
    /// The code.
    pub(crate) exit: Exit,
    /// What happened.
    pub(crate) message: String,
    /// What can be done about it.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// A failure with a hint.
    pub(crate) fn new(exit: Exit, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: Some(hint.into()) }
    }
}
