//! The journal as the sequencer sees it: what was said to the engine, in the order of its epochs.
//!
//! An epoch's records come first, then what was published by then, where it moves the horizon, and its close with a hash of its
//! facts, which is given to the disk at once; several epochs may be on their way there, and
//! [`Log::tick`] says how far they have come. Without a journal nothing is kept, and everything counts
//! as durable as soon as its epoch is closed. A full disk refuses a record and changes nothing.

use crate::chain::Link;
use std::fmt::Debug;
use trueup_journal::writer::{NewRecord, Progress};
use trueup_journal::{EpochClose, JournalError, Storage, Writer};
use trueup_model::fact::FactId;
use trueup_model::hash::Hash128;
use trueup_model::time::Timestamp;
use trueup_operators::Epoch;
use trueup_wire::record::{self, ConversationId, SourceRecord};

/// Where the engine's input is kept.
#[derive(Debug)]
pub(crate) enum Log {
    /// Nowhere.
    Memory {
        /// How many records there were.
        number: u64,
    },
    /// In a journal.
    Journal {
        /// Writes it.
        writer: Box<dyn Journal>,
        /// The bytes of the records since the engine started.
        bytes: u64,
    },
}

/// A writer of a journal, on whatever storage.
pub(crate) trait Journal: Debug + Send {
    /// As [`Writer::append_of`].
    fn append(&mut self, party: &str, record: NewRecord<'_>) -> Result<u64, JournalError>;
    /// As [`Writer::close_epoch`].
    fn close_epoch(&mut self, close: EpochClose) -> Result<u64, JournalError>;
    /// As [`Writer::submit`].
    fn submit(&mut self) -> Result<Progress, JournalError>;
    /// As [`Writer::tick`].
    fn tick(&mut self, now_us: u64) -> Result<Progress, JournalError>;
    /// As [`Writer::sync`].
    fn sync(&mut self) -> Result<Progress, JournalError>;
    /// As [`Writer::seal`].
    fn seal(&mut self) -> Result<Progress, JournalError>;
    /// How many records the open epoch has.
    fn open_records(&self) -> u64;
    /// As [`Writer::release`].
    fn release(&mut self, before: u64);
}

impl<S: Storage + Debug> Journal for Writer<S>
where
    Self: Send,
{
    fn append(&mut self, party: &str, record: NewRecord<'_>) -> Result<u64, JournalError> {
        self.append_of(party, record)
    }

    fn close_epoch(&mut self, close: EpochClose) -> Result<u64, JournalError> {
        Self::close_epoch(self, close)
    }

    fn submit(&mut self) -> Result<Progress, JournalError> {
        Self::submit(self)
    }

    fn tick(&mut self, now_us: u64) -> Result<Progress, JournalError> {
        Self::tick(self, now_us)
    }

    fn sync(&mut self) -> Result<Progress, JournalError> {
        Self::sync(self)
    }

    fn seal(&mut self) -> Result<Progress, JournalError> {
        Self::seal(self)
    }

    fn open_records(&self) -> u64 {
        self.open_epoch().map_or(0, |(_, records)| records)
    }

    fn release(&mut self, before: u64) {
        Self::release(self, before);
    }
}

/// A hash of an epoch's facts that does not depend on their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EpochHash(pub(crate) u128);

impl EpochHash {
    /// Adds other facts.
    #[inline]
    pub(crate) fn add(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

/// Hashes facts one by one.
#[derive(Debug)]
pub(crate) struct EpochHasher(Hash128);

impl Default for EpochHasher {
    fn default() -> Self {
        Self(Hash128::beginning(&[]))
    }
}

impl EpochHasher {
    /// The hash of a fact, by its identity and revision.
    #[inline]
    pub(crate) fn of(&mut self, id: FactId, revision: u32) -> EpochHash {
        EpochHash(self.0.of(&[&id.0.to_le_bytes(), &revision.to_le_bytes()]))
    }
}

impl Log {
    /// Notes that a connector is welcomed.
    pub(crate) fn source(
        &mut self,
        epoch: Epoch,
        source: &SourceRecord<'_>,
    ) -> Result<(), JournalError> {
        self.append(source.tenant, epoch, record::SOURCE, &[&source.encode()])
    }

    /// Notes names of a conversation of a tenant.
    pub(crate) fn names(
        &mut self,
        tenant: &str,
        epoch: Epoch,
        conversation: ConversationId,
        frame: &[u8],
    ) -> Result<(), JournalError> {
        self.append(tenant, epoch, record::NAMES, &[&conversation.to_le_bytes(), frame])
    }

    /// Notes a batch of a conversation of a tenant.
    pub(crate) fn batch(
        &mut self,
        tenant: &str,
        epoch: Epoch,
        conversation: ConversationId,
        frame: &[u8],
    ) -> Result<(), JournalError> {
        self.append(tenant, epoch, record::BATCH, &[&conversation.to_le_bytes(), frame])
    }

    /// Notes where the open epoch moves the horizon.
    pub(crate) fn horizon(&mut self, epoch: Epoch, at: Timestamp) -> Result<(), JournalError> {
        self.append("", epoch, record::HORIZON, &[&at.0.to_le_bytes()])
    }

    /// Notes what was published up to an epoch, all of which is durable.
    pub(crate) fn published(&mut self, epoch: Epoch, link: &Link) -> Result<(), JournalError> {
        self.append("", epoch, record::PUBLISHED, &[&link.encode()])
    }

    /// Closes an epoch and gives it to the disk; gives the number of its last record.
    pub(crate) fn close(&mut self, epoch: Epoch, hash: EpochHash) -> Result<u64, JournalError> {
        match self {
            Self::Memory { number } => {
                *number += 1;
                Ok(*number)
            }
            Self::Journal { writer, .. } => {
                let records = writer.open_records();
                let number = writer.close_epoch(EpochClose { epoch, records, hash: hash.0 })?;
                writer.submit()?;
                Ok(number)
            }
        }
    }

    /// Lets go of the records before this one.
    pub(crate) fn release(&mut self, before: u64) {
        match self {
            Self::Memory { .. } => {}
            Self::Journal { writer, .. } => writer.release(before),
        }
    }

    /// How many bytes of records were written since the engine started.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Memory { .. } => 0,
            Self::Journal { bytes, .. } => *bytes,
        }
    }

    /// How far the log is safe by now.
    pub(crate) fn tick(&mut self, now_us: u64) -> Result<Progress, JournalError> {
        match self {
            Self::Memory { number } => Ok(all(*number)),
            Self::Journal { writer, .. } => writer.tick(now_us),
        }
    }

    /// Makes everything so far durable.
    pub(crate) fn sync(&mut self) -> Result<Progress, JournalError> {
        match self {
            Self::Memory { number } => Ok(all(*number)),
            Self::Journal { writer, .. } => writer.sync(),
        }
    }

    /// Vouches for everything so far, which becomes durable.
    pub(crate) fn seal(&mut self) -> Result<Progress, JournalError> {
        match self {
            Self::Memory { number } => Ok(all(*number)),
            Self::Journal { writer, .. } => writer.seal(),
        }
    }

    /// Notes what is of a tenant, or of nobody.
    fn append(
        &mut self,
        tenant: &str,
        epoch: Epoch,
        kind: u8,
        parts: &[&[u8]],
    ) -> Result<(), JournalError> {
        match self {
            Self::Memory { number } => *number += 1,
            Self::Journal { writer, bytes } => {
                writer.append(tenant, NewRecord { kind, epoch, parts })?;
                *bytes += parts.iter().map(|part| part.len() as u64).sum::<u64>();
            }
        }
        Ok(())
    }
}

/// What is kept nowhere is as safe as it will ever be.
fn all(number: u64) -> Progress {
    Progress { durable: number, sealed: number }
}
