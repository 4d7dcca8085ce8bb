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
    /// What was published is not what is computed again.
    #[error(transparent)]
    PublishedDiffers(#[from] PublishedDiffers),
    /// The processes of the cluster did not come together.
    #[error("the cluster did not come together: {problem}")]
    Mesh {
        /// What is wrong.
        problem: String,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Chance(String),
    /// A record of a snapshot is whole and makes no sense.
    #[error(
        "part {part} of snapshot {snapshot} is not what this version writes: {problem}; remove its \
         manifest, and the snapshot before it is used"
    )]
    Snapshot {
        /// The snapshot.
        snapshot: u64,
        /// The part.
        part: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// What was let go of is in no snapshot that is good.
    #[error(
        "the journal begins with record {first}, and no snapshot that can be used reaches it; restore \
         the snapshots from a copy"
    )]
    Unreachable {
        /// The first record that is kept.
        first: u64,
        /// What is wrong with the newest snapshot, if there is one.
        source: Option<JournalError>,
    },
    /// An epoch was asked for that the journal does not close.
    #[error("epoch {epoch} is not closed yet; the last that is closed is {last}")]
    NotClosed {
        /// What was asked for.
        epoch: u64,
        /// The last epoch.
        last: u64,
    },
    /// An epoch was asked for whose records were let go of.
    #[error(
        "what came up to epoch {epoch} is kept only as it was put together later: the oldest snapshot is \
         of epoch {oldest}, and the journal before it was let go of; a backup of then has it"
    )]
    LetGo {
        /// What was asked for.
        epoch: u64,
        /// The epoch of the oldest snapshot.
        oldest: u64,
    },
    /// A snapshot was asked for and could not be taken.
    #[error("no snapshot was taken: {0}")]
    NoSnapshot(String),
    /// A folder is not as it must be.
    #[error("folder {folder} {problem}")]
    Folder {
        /// The folder.
        folder: String,
        /// What it is instead.
        problem: &'static str,
    },
    /// Facts that came over no conversation cannot be kept.
    #[error("this engine keeps a journal; send facts through a conversation")]
    NotJournaled,
    /// The engine was stopped.
    #[error("the engine has stopped")]
    Stopped,
}

/// An epoch that is not what was published of it, and must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "epoch {epoch} differs from what was published: other {what} are computed now, of the same facts, by the \
     same program and rules"
)]
pub struct PublishedDiffers {
    /// The epoch.
    pub epoch: u64,
    /// What of it.
    pub what: &'static str,
}

impl RuntimeError {
    /// Whether the disk refused something, so that starting again may help.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Journal(
                JournalError::Storage { .. }
                    | JournalError::Full { .. }
                    | JournalError::Poisoned { .. }
            )
        )
    }

    /// Whether what is kept is encrypted with a key that is not there.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Journal(JournalError::Locked { .. }))
    }

    /// Whether what is kept is not what was written, so that starting again does not help.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Journal(error) => error.is_damage(),
            Self::Record { .. }
            | Self::ReplayDiffers { .. }
            | Self::Snapshot { .. }
            | Self::Unreachable { .. } => true,
            Self::Thread { .. }
            | Self::Setting { .. }
            | Self::NoSnapshot(_)
            | Self::Folder { .. }
            | Self::NotClosed { .. }
            | Self::LetGo { .. }
            | Self::Mesh { .. }
            | Self::PublishedDiffers(_)
            | Self::Chance(_)
            | Self::NotJournaled
            | Self::Stopped => false,
        }
    }
}
