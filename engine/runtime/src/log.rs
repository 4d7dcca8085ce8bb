//! The journal as the sequencer sees it: what was said to the engine, in the order of its epochs.
//!
//! An epoch's records come first, then where it moves the horizon, then its close with a hash of its
//! facts; one sync makes all of it durable. Without a directory nothing is kept, and everything counts
//! as durable as soon as its epoch is closed.

use crate::record::{self, ConversationId, SourceRecord};
use trueup_journal::storage::Directory;
use trueup_journal::writer::{NewRecord, Progress};
use trueup_journal::{EpochClose, JournalError, Writer};
use trueup_model::fact::FactId;
use trueup_model::hash::hash128;
use trueup_model::time::Timestamp;
use trueup_operators::Epoch;

/// Where the engine's input is kept.
#[derive(Debug)]
pub(crate) enum Log {
    /// Nowhere.
    Memory {
        /// How many records there were.
        number: u64,
    },
    /// In a journal.
    Journal(Box<Writer<Directory>>),
}

/// A hash of an epoch's facts that does not depend on their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EpochHash(pub(crate) u128);

impl EpochHash {
    /// Adds a fact by its identity and revision.
    pub(crate) fn add(&mut self, id: FactId, revision: u32) {
        let hash = hash128(&[&id.0.to_le_bytes(), &revision.to_le_bytes()]);
        self.0 = self.0.wrapping_add(hash);
    }
}

impl Log {
    /// Notes that a connector is welcomed.
    pub(crate) fn source(
        &mut self,
        epoch: Epoch,
        source: &SourceRecord<'_>,
    ) -> Result<(), JournalError> {
        self.append(epoch, record::SOURCE, &[&source.encode()])
    }

    /// Notes names of a conversation.
    pub(crate) fn names(
        &mut self,
        epoch: Epoch,
        conversation: ConversationId,
        frame: &[u8],
    ) -> Result<(), JournalError> {
        self.append(epoch, record::NAMES, &[&conversation.to_le_bytes(), frame])
    }

    /// Notes a batch of a conversation.
    pub(crate) fn batch(
        &mut self,
        epoch: Epoch,
        conversation: ConversationId,
        frame: &[u8],
    ) -> Result<(), JournalError> {
        self.append(epoch, record::BATCH, &[&conversation.to_le_bytes(), frame])
    }

    /// Closes an epoch and makes everything so far durable.
    pub(crate) fn close(
        &mut self,
        epoch: Epoch,
        horizon: Option<Timestamp>,
        hash: EpochHash,
    ) -> Result<Progress, JournalError> {
        if let Some(horizon) = horizon {
            self.append(epoch, record::HORIZON, &[&horizon.0.to_le_bytes()])?;
        }
        match self {
            Self::Memory { .. } => Ok(self.progress()),
            Self::Journal(writer) => {
                let records = writer.open_epoch().map_or(0, |(_, records)| records);
                writer.close_epoch(EpochClose { epoch, records, hash: hash.0 })?;
                writer.sync()
            }
        }
    }

    /// Makes everything so far durable.
    pub(crate) fn sync(&mut self) -> Result<Progress, JournalError> {
        match self {
            Self::Memory { .. } => Ok(self.progress()),
            Self::Journal(writer) => writer.sync(),
        }
    }

    /// Vouches for everything that is durable.
    pub(crate) fn seal(&mut self) -> Result<Progress, JournalError> {
        match self {
            Self::Memory { .. } => Ok(self.progress()),
            Self::Journal(writer) => writer.seal(),
        }
    }

    /// How far the log is safe.
    pub(crate) fn progress(&self) -> Progress {
        match self {
            Self::Memory { number } => Progress { durable: *number, sealed: *number },
            Self::Journal(writer) => writer.progress(),
        }
    }

    fn append(&mut self, epoch: Epoch, kind: u8, parts: &[&[u8]]) -> Result<(), JournalError> {
        match self {
            Self::Memory { number } => *number += 1,
            Self::Journal(writer) => {
                writer.append(NewRecord { kind, epoch, parts })?;
            }
        }
        Ok(())
    }
}
