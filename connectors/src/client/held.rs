//! The batches that a connector holds: made, and not sealed.
//!
//! They stand in the order of their sequences, without gaps. On each connection a part at the front has
//! passed: it was sent on it, or was durable when it began. A new connection begins again after what
//! the engine has.

use super::error::ClientError;
use std::collections::VecDeque;
use trueup_wire::Columns;
use trueup_wire::message::BatchFrame;

/// A batch that is not sealed.
#[derive(Debug)]
pub(super) struct HeldBatch {
    pub(super) frame: BatchFrame,
    /// How many codes of the dictionary it needs.
    pub(super) codes: u32,
    /// Whether it was ever sent.
    pub(super) sent: bool,
}

/// The batches that are not sealed.
#[derive(Debug, Default)]
pub(super) struct Held {
    batches: VecDeque<HeldBatch>,
    bytes: usize,
    /// How many of them have passed on this connection.
    passed: usize,
    /// The last batch that was made.
    last_sequence: u64,
}

impl Held {
    /// Begins after the last batch of earlier processes.
    pub(super) fn begin_after(&mut self, sequence: u64) {
        self.last_sequence = sequence;
    }

    /// Makes the next batch, and holds it.
    pub(super) fn make(
        &mut self,
        position: &[u8],
        columns: &Columns,
        codes: u32,
    ) -> Result<(), ClientError> {
        let frame = BatchFrame::encode(self.last_sequence + 1, position, columns)
            .map_err(trueup_wire::SessionError::from)?;
        self.last_sequence = frame.sequence();
        self.bytes += frame.bytes().len();
        self.batches.push_back(HeldBatch { frame, codes, sent: false });
        Ok(())
    }

    /// The next batch to send on this connection.
    pub(super) fn next(&mut self) -> Option<&mut HeldBatch> {
        self.batches.get_mut(self.passed)
    }

    /// Notes that the next batch was sent.
    pub(super) fn pass(&mut self) {
        self.passed += 1;
    }

    /// Forgets the batches that are sealed.
    pub(super) fn forget_up_to(&mut self, sealed: u64) {
        while let Some(held) = self.batches.pop_front_if(|held| held.frame.sequence() <= sealed) {
            self.bytes -= held.frame.bytes().len();
            self.passed = self.passed.saturating_sub(1);
        }
    }

    /// Begins a connection on which the engine has everything up to a sequence.
    ///
    /// # Errors
    /// If it lacks what was sealed, or has what was never made.
    pub(super) fn resume_after(&mut self, resume: u64) -> Result<(), ClientError> {
        let made = self.last_sequence;
        let sealed = made - self.batches.len() as u64;
        if resume < sealed {
            return Err(ClientError::EngineForgot { resume, sealed });
        }
        if resume > made {
            return Err(ClientError::ForeignBatches { resume, made });
        }
        let durable = self.batches.iter().take_while(|held| held.frame.sequence() <= resume);
        self.passed = durable.count();
        Ok(())
    }

    /// Whether every batch has passed.
    pub(super) fn all_passed(&self) -> bool {
        self.passed == self.batches.len()
    }

    /// How many batches are held.
    pub(super) fn len(&self) -> usize {
        self.batches.len()
    }

    /// How many bytes they have.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The last batch that was made.
    pub(super) fn last_sequence(&self) -> u64 {
        self.last_sequence
    }
}
