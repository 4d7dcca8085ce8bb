//! What is read back: a snapshot, then the epochs of the journal as they were.
//!
//! A snapshot enters by pieces, so that what waits between operators is that of a piece and not all that was
//! ever said. They are epochs of their own, before that of the snapshot, while the horizon is not there yet:
//! nothing is due, so nothing is evaluated or closed before all is there, and what is found in the end is what
//! it would be if all came at once.

use super::{Replay, Sequencer};
use crate::error::RuntimeError;
use crate::intake::Intake;
use crate::publisher::Planned;
use trueup_model::time::Timestamp;
use trueup_operators::Epoch;

impl Sequencer {
    pub(super) fn replay(&mut self, replay: Replay) -> Result<(), RuntimeError> {
        match replay {
            Replay::Source { conversation, tenant, source, generation } => {
                self.sources.begin(conversation, &tenant, &source, generation);
            }
            Replay::Facts(facts, count, until) => {
                let latest = facts.iter().filter_map(Intake::evidence_of).max();
                self.evidence = self.evidence.max(latest.unwrap_or(Timestamp::MIN));
                self.open.restored.extend(facts.into_iter().map(|fact| (fact, count)));
                let is_full = self.open.restored.len() >= self.around.settings.piece_facts_max;
                if is_full && self.epoch < until {
                    self.enter_piece()?;
                }
            }
            Replay::Restored { epoch, horizon, sources, issued, reply } => {
                (self.epoch, self.sources, self.open.issued) = (epoch, sources, issued);
                let _ = reply.send(self.enter_again(horizon));
            }
            Replay::Close { epoch, hash, horizon, reply } => {
                let same = epoch == self.epoch && hash == self.hash;
                let result =
                    if same { self.enter_again(horizon) } else { Err(self.differs(epoch)) };
                let _ = reply.send(result);
            }
            Replay::End { log, reply } => {
                self.log = Some(log);
                self.synced_us = self.around.clock.monotonic_us();
                self.ticked_us = self.synced_us;
                // What is left was sent and never acknowledged; it is closed as soon as may be.
                self.opened_us = (!self.open.facts.is_empty()).then_some(self.synced_us);
                let _ = reply.send(self.epoch - 1);
            }
        }
        Ok(())
    }

    /// Gives an epoch that is read back to the workers.
    fn enter_again(&mut self, moved: Option<Timestamp>) -> Result<(), RuntimeError> {
        let input = self.begin_next(moved);
        // Every epoch has its totals: which had them is not written down.
        self.totals.ask(input.epoch);
        self.enter(input, self.horizon.unwrap_or(Timestamp::MIN))
    }

    /// Gives what is read back of a snapshot to the workers, as an epoch before that of the snapshot.
    fn enter_piece(&mut self) -> Result<(), RuntimeError> {
        let input = self.begin_next(None);
        let planned = Planned { epoch: input.epoch, horizon: Timestamp::MIN, totals: false };
        self.around.planned.send(planned).map_err(|_| RuntimeError::Stopped)?;
        let cluster = &self.around.cluster;
        cluster.enter(input.shares(cluster.workers()))
    }

    fn differs(&self, epoch: Epoch) -> RuntimeError {
        RuntimeError::ReplayDiffers { epoch, expected: self.epoch }
    }
}
