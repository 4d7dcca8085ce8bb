//! Faults of the protocol and of the way to the disk that are planted, each of which must be found.
//!
//! They are planted between the parts of the product, which has no switch for them: in what the journal
//! says (`FlawedLog`), in what the disk is asked (`FlawedDisk`), and in what goes between conversations
//! and the sequencer (`machine.rs`).

use super::storage::{Disk, DiskFile, SteppedLanes};
use crate::log::{Journal, Log};
use crate::sequencer::{Batch, Greet, Greeted, Replay, Work};
use std::io;
use std::sync::Arc;
use trueup_journal::writer::{NewRecord, Progress};
use trueup_journal::{EpochClose, File, JournalError, Keys, Storage};
use trueup_wire::record::{self, ConversationId};

/// What is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// What was given to the disk counts as durable.
    AcknowledgedEarly,
    /// What is durable counts as sealed.
    SealedEarly,
    /// A new generation is welcomed before it is durable.
    FenceUnsynced,
    /// A new generation is welcomed before anything vouches for it.
    FenceUnsealed,
    /// A process of an older generation is welcomed.
    FenceForgotten,
    /// Batches of a conversation count after a newer one has begun.
    SupersededTaken,
    /// A connector is asked for the last batch again.
    ResumesEarly,
    /// A connector is told of one batch more than there is.
    ResumesLate,
    /// A connector is told the position before the last.
    PositionStale,
    /// What is read back does not move the horizon.
    HorizonForgotten,
    /// Batches that are read back are not counted for their sources.
    SequenceForgotten,
    /// The journal is let go of up to a snapshot that is only begun.
    ReleasedEarly,
    /// The parts of snapshots are never synced.
    PartsUnsynced,
    /// Names are never synced.
    NamesUnsynced,
    /// A manifest gets its name before it is synced.
    ManifestUnsynced,
    /// Files are synced for the eye only.
    FilesUnsynced,
}

/// The disk, as it is used by an engine with the fault.
#[derive(Clone, Debug)]
pub(crate) struct FlawedDisk {
    pub(crate) disk: Disk,
    pub(crate) flaw: Flaw,
    /// The keys of what is kept there.
    pub(crate) keys: Option<Arc<Keys>>,
}

/// The keys of every other seed: two of everyone's, and one of a tenant. Nothing is left to chance.
pub(crate) fn keys_of(seed: u64) -> Option<Arc<Keys>> {
    let [one, two, own] = ["11", "22", "33"].map(|byte| byte.repeat(32));
    let text = format!("trueup keys 1\nkey {one}\nkey {two}\nkey-of {own} campus\n");
    let keys = Keys::parse(&text).ok().filter(|_| seed % 2 == 1)?;
    Some(Arc::new(keys.with_salt([7; 16])))
}

impl FlawedDisk {
    fn file(&self, name: &str, file: DiskFile) -> FlawedFile {
        let is_part = name.contains(".part-");
        let is_manifest = name.starts_with("snapshot") && name.ends_with(".new");
        let skips = self.flaw == Flaw::FilesUnsynced
            || self.flaw == Flaw::PartsUnsynced && is_part
            || self.flaw == Flaw::ManifestUnsynced && is_manifest;
        FlawedFile { file, skips }
    }
}

impl Storage for FlawedDisk {
    type File = FlawedFile;
    type Lanes = SteppedLanes<FlawedFile>;

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn create(&self, name: &str) -> io::Result<FlawedFile> {
        Ok(self.file(name, self.disk.create(name)?))
    }

    fn open(&self, name: &str) -> io::Result<FlawedFile> {
        Ok(self.file(name, self.disk.open(name)?))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn sync_directory(&self) -> io::Result<()> {
        if self.flaw == Flaw::NamesUnsynced { Ok(()) } else { self.disk.sync_directory() }
    }

    fn keys(&self) -> Option<Arc<Keys>> {
        self.keys.clone()
    }

    fn lanes(&self) -> SteppedLanes<FlawedFile> {
        SteppedLanes::new(super::storage::Noise(self.disk.draw()))
    }
}

/// A file, as it is used by an engine with the fault.
#[derive(Debug)]
pub(crate) struct FlawedFile {
    file: DiskFile,
    skips: bool,
}

impl File for FlawedFile {
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(offset, bytes)
    }

    fn reserve(&mut self, length: u64) -> io::Result<()> {
        self.file.reserve(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.skips { Ok(()) } else { self.file.sync() }
    }

    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(offset, buffer)
    }

    fn length(&mut self) -> io::Result<u64> {
        self.file.length()
    }
}

/// A journal that says something else than it knows.
#[derive(Debug)]
struct FlawedLog {
    journal: Box<dyn Journal>,
    flaw: Flaw,
    /// The last record that was taken.
    taken: u64,
    /// Whether it says that a connector is welcomed.
    is_fence: bool,
}

impl FlawedLog {
    fn say(&self, known: Progress) -> Progress {
        let Progress { mut durable, mut sealed } = known;
        if self.flaw == Flaw::AcknowledgedEarly {
            durable = durable.max(self.taken);
        }
        if self.flaw == Flaw::SealedEarly {
            sealed = durable;
        }
        Progress { durable, sealed }
    }
}

impl Journal for FlawedLog {
    fn append(&mut self, party: &str, record: NewRecord<'_>) -> Result<u64, JournalError> {
        self.taken = self.journal.append(party, record)?;
        self.is_fence = record.kind == record::SOURCE;
        Ok(self.taken)
    }

    fn close_epoch(&mut self, close: EpochClose) -> Result<u64, JournalError> {
        self.taken = self.journal.close_epoch(close)?;
        self.is_fence = false;
        Ok(self.taken)
    }

    fn submit(&mut self) -> Result<Progress, JournalError> {
        self.journal.submit().map(|known| self.say(known))
    }

    fn tick(&mut self, now_us: u64) -> Result<Progress, JournalError> {
        self.journal.tick(now_us).map(|known| self.say(known))
    }

    fn sync(&mut self) -> Result<Progress, JournalError> {
        if self.flaw == Flaw::FenceUnsynced {
            let known = self.journal.submit()?;
            return Ok(Progress { durable: self.taken.max(known.durable), ..known });
        }
        self.journal.sync().map(|known| self.say(known))
    }

    fn seal(&mut self) -> Result<Progress, JournalError> {
        if self.is_fence && matches!(self.flaw, Flaw::FenceUnsynced | Flaw::FenceUnsealed) {
            return self.sync();
        }
        self.journal.seal().map(|known| self.say(known))
    }

    fn open_records(&self) -> u64 {
        self.journal.open_records()
    }

    fn release(&mut self, before: u64) {
        self.journal.release(before);
    }
}

impl Flaw {
    /// Work as an engine with the fault would bring it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a fault is of one kind of work")]
    pub(crate) fn change(self, work: Work) -> Work {
        match work {
            Work::Replay(Replay::End { log: Log::Journal { writer, bytes }, reply }) => {
                let writer =
                    Box::new(FlawedLog { journal: writer, flaw: self, taken: 0, is_fence: false });
                Work::Replay(Replay::End { log: Log::Journal { writer, bytes }, reply })
            }
            Work::Replay(Replay::Close { epoch, hash, reply, .. })
                if self == Self::HorizonForgotten =>
            {
                Work::Replay(Replay::Close { epoch, hash, horizon: None, reply })
            }
            Work::Batch(batch) if self == Self::SequenceForgotten && batch.notes.is_none() => {
                Work::Batch(Batch { sequence: batch.sequence.saturating_sub(1), ..batch })
            }
            other => other,
        }
    }

    /// Work of a conversation as it would come to the sequencer; the newest conversation is this one.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a fault is of one kind of work")]
    pub(crate) fn bring(self, work: Work, newest: ConversationId) -> Work {
        match work {
            Work::Greet(greet) if self == Self::FenceForgotten => {
                Work::Greet(Greet { generation: u64::MAX, ..greet })
            }
            Work::Batch(batch) if self == Self::SupersededTaken => {
                Work::Batch(Batch { conversation: newest, ..batch })
            }
            other => other,
        }
    }

    /// The answer of the sequencer as it would come to a connector.
    pub(crate) fn greeted(self, greeted: Greeted) -> Greeted {
        let Greeted::Welcome(mut greeting) = greeted else { return greeted };
        match self {
            Self::FenceForgotten => greeting.last_generation = None,
            Self::ResumesEarly => greeting.resume = greeting.resume.saturating_sub(1),
            Self::ResumesLate => greeting.resume += 1,
            Self::PositionStale => {
                let count = super::truth::count(&greeting.position);
                greeting.position = super::truth::position(count.saturating_sub(1));
            }
            Self::None
            | Self::AcknowledgedEarly
            | Self::SealedEarly
            | Self::FenceUnsynced
            | Self::FenceUnsealed
            | Self::SupersededTaken
            | Self::HorizonForgotten
            | Self::SequenceForgotten
            | Self::ReleasedEarly
            | Self::PartsUnsynced
            | Self::NamesUnsynced
            | Self::ManifestUnsynced
            | Self::FilesUnsynced => {}
        }
        Greeted::Welcome(greeting)
    }
}
