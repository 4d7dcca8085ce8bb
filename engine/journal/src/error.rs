//! Why the journal could not do what was asked, one variant for each thing a caller can tell apart.

use crate::keys::KeyId;
use std::fmt;
use std::io;

/// What was asked of the storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// To list the directory.
    List,
    /// To create a file.
    Create,
    /// To open a file.
    Open,
    /// To read a file.
    Read,
    /// To write to a file.
    Write,
    /// To make room in a file.
    Reserve,
    /// To make a file durable.
    Sync,
    /// To rename a file.
    Rename,
    /// To remove a file.
    Remove,
    /// To make the directory durable.
    SyncDirectory,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "list",
            Self::Create => "create",
            Self::Open => "open",
            Self::Read => "read",
            Self::Write => "write to",
            Self::Reserve => "make room in",
            Self::Sync => "sync",
            Self::Rename => "rename",
            Self::Remove => "remove",
            Self::SyncDirectory => "sync the directory of",
        })
    }
}

/// Why the journal could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file system refused.
    #[error("could not {operation} journal file `{file}`")]
    Storage {
        /// What was asked.
        operation: Operation,
        /// Of which file; empty for the directory itself.
        file: String,
        /// What the file system said.
        source: io::Error,
    },
    /// The disk has no room for more. What was taken before is safe; the journal takes more when there
    /// is room again.
    #[error("the disk has no room for more of journal file `{file}`; make some, and go on")]
    Full {
        /// The file that could not grow.
        file: String,
    },
    /// Another process has the journal open.
    #[error("the journal in {directory} is in use by another process; stop it first")]
    InUse {
        /// The directory.
        directory: String,
    },
    /// A file is damaged before its end. No retry helps; the message says what does.
    #[error("journal file `{file}` is damaged at byte {offset}{}: {reason}; {}",
        lost(*record), remedy(*offset))]
    Damaged {
        /// The file.
        file: String,
        /// Where the first frame begins that is not good.
        offset: u64,
        /// The first record that cannot be read; 0 if that is not known.
        record: u64,
        /// What is wrong there.
        reason: Damage,
    },
    /// A file of the sequence is not there.
    #[error("journal file `{file}` is missing, and later ones are there; restore it from a copy")]
    Missing {
        /// The file.
        file: String,
    },
    /// A file is of a version that this build does not know.
    #[error(
        "journal file `{file}` is of version {found}, and this build reads {}; read it with the build \
        that wrote it", versions(*oldest, *supported)
    )]
    Version {
        /// The file.
        file: String,
        /// Its version.
        found: u32,
        /// The oldest version that this build reads.
        oldest: u32,
        /// The newest one.
        supported: u32,
    },
    /// Content is sealed with a key that is not there.
    #[error(
        "journal file `{file}` is encrypted at byte {offset}{} with key {key}, and {}; name the key \
         file that has it", of_record(*record), given(keys)
    )]
    Locked {
        /// The file.
        file: String,
        /// Where the frame begins, or the record of a snapshot.
        offset: u64,
        /// The record; 0 if that is not known.
        record: u64,
        /// The key.
        key: KeyId,
        /// The keys that are there.
        keys: String,
    },
    /// Content does not open with its key, and its checksum holds.
    #[error(
        "journal file `{file}` at byte {offset}{} is not what key {key} sealed there, and its checksum \
         holds: someone changed it, or moved it there; no key helps: restore it from a copy",
        of_record(*record)
    )]
    Forged {
        /// The file.
        file: String,
        /// Where the frame begins, or the record of a snapshot.
        offset: u64,
        /// The record; 0 if that is not known.
        record: u64,
        /// The key.
        key: KeyId,
    },
    /// The system gives no numbers of chance.
    #[error(
        "the system gives no chance, without which nothing can be encrypted; look at the system"
    )]
    NoChance,
    /// An earlier write or sync failed, so nothing is known of the file's end any more.
    #[error(
        "the journal takes nothing after a failure ({cause}); restart to recover from the disk"
    )]
    Poisoned {
        /// The first failure.
        cause: String,
        /// Of what kind that was, if the file system said so.
        kind: io::ErrorKind,
    },
    /// A record is longer than is allowed.
    #[error("a record has {found} bytes, and {limit} are allowed")]
    TooLarge {
        /// Its length.
        found: usize,
        /// The greatest length.
        limit: usize,
    },
    /// A record or close of an epoch that is closed.
    #[error("epoch {epoch} was given after epoch {closed} was closed")]
    EpochClosed {
        /// The epoch of the record.
        epoch: u64,
        /// The last epoch that was closed.
        closed: u64,
    },
    /// A record or close of an epoch while another one is open.
    #[error("epoch {epoch} was given while epoch {open} is open; close that first")]
    EpochOpen {
        /// The epoch of the record.
        epoch: u64,
        /// The epoch that is open.
        open: u64,
    },
    /// An epoch is closed with another number of records than it has.
    #[error("epoch {epoch} is closed with {stated} records, and it has {counted}")]
    EpochCount {
        /// The epoch.
        epoch: u64,
        /// The number in the close.
        stated: u64,
        /// The number that is there.
        counted: u64,
    },
    /// A file of a backup is not what was copied.
    #[error(
        "file `{file}` of the backup is damaged at byte {offset} or soon after: {problem}; use another backup"
    )]
    BadCopy {
        /// The file.
        file: String,
        /// Where the part begins that is not what was copied, or where the file ends.
        offset: u64,
        /// What is wrong.
        problem: &'static str,
    },
}

fn lost(record: u64) -> String {
    if record == 0 { String::new() } else { format!(", from record {record} on") }
}

fn of_record(record: u64) -> String {
    if record == 0 { String::new() } else { format!(" (record {record})") }
}

fn given(keys: &str) -> String {
    if keys.is_empty() {
        "no key was given".to_owned()
    } else {
        format!("the keys given are {keys}")
    }
}

fn versions(oldest: u32, newest: u32) -> String {
    if oldest == newest {
        format!("version {newest} only")
    } else {
        format!("versions {oldest} to {newest}")
    }
}

/// What helps against damage: the beginning of a file cannot be given up without the file.
fn remedy(offset: u64) -> String {
    if offset == 0 {
        return "restore it from a copy, or give up its records by removing it and the later files"
            .to_owned();
    }
    format!(
        "restore it from a copy, or give up the records from there on by cutting it to {offset} \
         bytes and removing the later files"
    )
}

/// What is wrong with the bytes at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The file's header is not one.
    Header,
    /// The header does not continue the file before it: records are missing at that file's end.
    Continuation,
    /// No frame begins where one must.
    Mark,
    /// The frame goes on after the end of the file, or is longer than any frame may be.
    Length,
    /// The checksum does not hold.
    Checksum,
    /// The frame is whole, and was left by an earlier process or an earlier use of the file.
    Stale,
    /// The frame is whole, but is not the one that follows.
    Order,
    /// The frame or one of its records is of no kind that this build knows.
    Content,
    /// The frame is in the open, and frames before it are sealed.
    Plain,
}

impl Damage {
    /// Whether a write that was never synced can leave this behind.
    pub(crate) fn may_be_torn(self) -> bool {
        match self {
            Self::Mark | Self::Length | Self::Checksum | Self::Stale => true,
            Self::Header | Self::Continuation | Self::Order | Self::Content | Self::Plain => false,
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "its header is not one",
            Self::Continuation => "it does not continue the file before it",
            Self::Mark => "no frame begins there",
            Self::Length => "the frame there does not end in the file",
            Self::Checksum => "the checksum of the frame there does not hold",
            Self::Stale => "the frame there is older than the one before it",
            Self::Order => "the frame there does not follow the one before it",
            Self::Content => "the frame there holds what this build does not know",
            Self::Plain => "the frame there is not encrypted, and those before it are",
        })
    }
}

impl JournalError {
    pub(crate) fn storage(operation: Operation, file: &str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Storage { operation, file: file.to_owned(), source }
    }

    /// What kind of failure the file system told.
    pub(crate) fn storage_kind(&self) -> Option<io::ErrorKind> {
        if let Self::Storage { source, .. } = self { Some(source.kind()) } else { None }
    }

    /// Whether the files are not what was written: what another attempt does not change.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. }
            | Self::Missing { .. }
            | Self::Version { .. }
            | Self::EpochClosed { .. }
            | Self::EpochOpen { .. }
            | Self::EpochCount { .. }
            | Self::Forged { .. }
            | Self::BadCopy { .. } => true,
            Self::Storage { .. }
            | Self::Full { .. }
            | Self::InUse { .. }
            | Self::Locked { .. }
            | Self::NoChance
            | Self::Poisoned { .. }
            | Self::TooLarge { .. } => false,
        }
    }

    /// The same, unless the disk is full and nothing but room was asked for.
    pub(crate) fn or_full(self) -> Self {
        if let Self::Storage {
            operation: Operation::Create | Operation::Reserve | Operation::Write,
            file,
            source,
        } = &self
            && is_full(source)
        {
            return Self::Full { file: file.clone() };
        }
        self
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
