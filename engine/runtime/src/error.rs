//! Why the runtime could not do what was asked.

use std::io;
use trueup_journal::JournalError;

/// Why the runtime could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The system gave no thread.
    #[error("could not start the {what} thread")]
    Thread {
        /// What the thread is for.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A setting is outside of what is allowed.
    #[error("setting `{key}` is {value}, allowed is {allowed}")]
    Setting {
        /// Which setting.
        key: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        allowed: &'static str,
    },
    /// The journal failed; nothing that was not acknowledged may be taken for kept.
    #[error("the journal failed; stop, look at the disk, and start again")]
    Journal(#[from] JournalError),
    /// A record of the journal is whole and makes no sense.
    #[error("record {number} of the journal is not what this version writes: {problem}")]
    Record {
        /// Its place in the journal.
        number: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// Reading the journal back gave something else than was acknowledged.
    #[error(
        "epoch {epoch} of the journal was closed with other facts than it holds (epoch {expected} is \
         expected); restore it from a copy"
    )]
    ReplayDiffers {
        /// The epoch that the journal closes.
        epoch: u64,
        /// The epoch that was open.
        expected: u64,
    },
    /// The processes of the cluster did not come together.
    #[error("the cluster did not come together: {problem}")]
    Mesh {
        /// What is wrong.
        problem: String,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Chance(String),
    /// Facts that came over no conversation cannot be kept.
    #[error("this engine keeps a journal; send facts through a conversation")]
    NotJournaled,
    /// The engine was stopped.
    #[error("the engine has stopped")]
    Stopped,
}
