//! What is read back: a snapshot as one epoch, then the epochs of the journal as they were.

use super::{Replay, Sequencer};
use crate::error::RuntimeError;
use crate::intake::Intake;
use trueup_model::time::Timestamp;
use trueup_operators::Epoch;

impl Sequencer {
    pub(super) fn replay(&mut self, replay: Replay) -> Result<(), RuntimeError> {
        match replay {
            Replay::Source { conversation, tenant, source, generation } => {
                self.sources.begin(conversation, &tenant, &source, generation);
            }
            Replay::Facts(facts, count) => {
                let latest = facts.iter().filter_map(Intake::evidence_of).max();
                self.evidence = self.evidence.max(latest.unwrap_or(Timestamp::MIN));
                self.open.restored.extend(facts.into_iter().map(|fact| (fact, count)));
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
        self.totals.ask();
        self.enter(input, self.horizon.unwrap_or(Timestamp::MIN))
    }

    fn differs(&self, epoch: Epoch) -> RuntimeError {
        RuntimeError::ReplayDiffers { epoch, expected: self.epoch }
    }
}
