//! Epochs on their way to the disk, and who is told when they are there.
//!
//! Epochs become durable in their order, several at a time. A durable one goes to the workers, and
//! those who sent it hear that it is had; they hear that it is sealed when a later frame of the journal
//! vouches for it, and keep it until then.

use super::{Note, SEAL_US, Sequencer};
use crate::dataflow::EpochInput;
use crate::error::RuntimeError;
use crate::log::Log;
use crossbeam_channel::{Sender, TrySendError};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use trueup_journal::JournalError;
use trueup_journal::writer::Progress;
use trueup_model::time::Timestamp;
use trueup_operators::Epoch;
use trueup_wire::Credit;
use trueup_wire::record::ConversationId;

/// What an epoch holds of a conversation.
pub(super) struct Delivered {
    pub(super) sequence: u64,
    pub(super) freed: Credit,
    pub(super) notes: Sender<Note>,
}

/// An epoch that was closed and is not durable yet.
pub(super) struct Closed {
    /// Its last record.
    pub(super) record: u64,
    pub(super) input: EpochInput,
    /// The horizon at its end.
    pub(super) horizon: Timestamp,
    pub(super) delivered: BTreeMap<ConversationId, Delivered>,
    pub(super) waiting: Vec<Sender<Epoch>>,
}

/// What is durable and not yet vouched for.
struct Unsealed {
    record: u64,
    sequence: u64,
    notes: Sender<Note>,
}

/// Epochs on their way, in order.
#[derive(Default)]
pub(super) struct Flight {
    closed: VecDeque<Closed>,
    unsealed: VecDeque<Unsealed>,
}

impl Flight {
    pub(super) fn push(&mut self, closed: Closed) {
        self.closed.push_back(closed);
    }

    /// Whether epochs are not durable yet.
    pub(super) fn is_under_way(&self) -> bool {
        !self.closed.is_empty()
    }

    /// Whether someone waits to hear that what was sent is vouched for.
    pub(super) fn is_unsealed(&self) -> bool {
        !self.unsealed.is_empty()
    }

    /// Has a conversation told, once a later frame vouches for it, that everything up to a batch may be
    /// forgotten; it is in the records up to this one, which are durable.
    pub(super) fn vouch_for(&mut self, record: u64, sequence: u64, notes: &Sender<Note>) {
        if sequence > 0 {
            self.unsealed.push_back(Unsealed { record, sequence, notes: notes.clone() });
        }
    }

    /// Tells those whose batches are vouched for by now.
    fn tell_sealed(&mut self, sealed: u64) {
        let mut busy = Vec::new();
        while let Some(first) = self.unsealed.pop_front_if(|first| first.record <= sealed) {
            let told = first.notes.try_send(Note::Sealed { sequence: first.sequence });
            if let Err(TrySendError::Full(_)) = told {
                busy.push(first);
            }
        }
        for one in busy.into_iter().rev() {
            self.unsealed.push_front(one);
        }
    }
}

impl Sequencer {
    /// The facts that were taken and have not entered: those on their way, and those of the open epoch.
    #[cfg(test)]
    pub(crate) fn taken(&self) -> impl Iterator<Item = &trueup_operators::entered::Entered> {
        let closed = self.flight.closed.iter().flat_map(|closed| &closed.input.facts);
        closed.chain(&self.open.facts)
    }

    /// Looks at how far the disk has come.
    pub(super) fn look(&mut self) -> Result<(), RuntimeError> {
        let now = self.around.clock.monotonic_us();
        let Some(log) = &mut self.log else { return Ok(()) };
        let progress = log.tick(now)?;
        self.arrive(progress)
    }

    /// Enters what is durable by now, and tells those who sent it.
    pub(super) fn arrive(&mut self, progress: Progress) -> Result<(), RuntimeError> {
        let Progress { durable, sealed } = progress;
        while let Some(closed) = self.flight.closed.pop_front_if(|first| first.record <= durable) {
            let Closed { record, input, horizon, delivered, waiting } = closed;
            let epoch = input.epoch;
            self.around.measures.stages().durable(epoch);
            self.enter(input, horizon)?;
            for (conversation, one) in delivered {
                self.tell_durable(conversation, one, epoch, record);
            }
            for one in waiting {
                // Whoever went away does not wait any more.
                let _ = one.try_send(epoch);
            }
            self.synced_us = self.around.clock.monotonic_us();
        }
        self.flight.tell_sealed(sealed);
        let bytes = self.log.as_ref().map_or(0, Log::bytes);
        self.around.health.advance(progress, self.flight.closed.len(), bytes);
        Ok(())
    }

    fn tell_durable(&mut self, of: ConversationId, one: Delivered, epoch: Epoch, record: u64) {
        let Delivered { sequence, freed, ref notes } = one;
        match notes.try_send(Note::Durable { sequence, epoch, freed }) {
            // Who is busy hears it with what is delivered next.
            Err(TrySendError::Full(_)) => match self.delivered.entry(of) {
                Entry::Vacant(place) => {
                    place.insert(one);
                }
                Entry::Occupied(mut place) => {
                    let next = place.get_mut();
                    next.freed = next.freed.plus(freed);
                }
            },
            // Whoever went away asks again when it comes back.
            Ok(()) | Err(TrySendError::Disconnected(_)) => {
                self.flight.unsealed.push_back(Unsealed { record, sequence, notes: one.notes });
            }
        }
    }

    /// Vouches for what is durable, with a record of its own, if nothing else has for a while.
    pub(super) fn seal_if_old(&mut self) -> Result<(), RuntimeError> {
        let now = self.around.clock.monotonic_us();
        let waits = self.flight.is_unsealed() && !self.flight.is_under_way();
        if waits && now >= self.synced_us + SEAL_US { self.seal() } else { Ok(()) }
    }

    /// Vouches for everything that is durable; on a full disk, for as much as is possible.
    pub(super) fn seal(&mut self) -> Result<(), RuntimeError> {
        let Some(log) = &mut self.log else { return Ok(()) };
        let progress = match log.seal() {
            Err(JournalError::Full { .. }) => log.sync()?,
            sealed => sealed?,
        };
        self.synced_us = self.around.clock.monotonic_us();
        self.arrive(progress)
    }

    /// Vouches for everything that is durable, for someone who waits for it.
    pub(super) fn seal_for(&mut self, reply: &Sender<u64>) -> Result<(), RuntimeError> {
        if self.log.is_some() {
            self.seal()?;
        }
        // Whoever went away does not wait any more.
        let _ = reply.send(self.around.health.sealed_record());
        Ok(())
    }

    /// Makes everything durable and vouches for it, before the end.
    pub(super) fn finish(&mut self) -> Result<(), RuntimeError> {
        if self.held.is_full() {
            tracing::warn!(
                "stopped on a full disk; what was not written was acknowledged to nobody"
            );
        }
        self.seal()
    }
}
