//! What is held back while there is little memory.
//!
//! Where memory is high, an epoch begins when the one before it is published, and totals if it has some, so that there is
//! never more than one on its way. Where it is full, what was taken is computed and answered, and nothing
//! more is taken until enough is free again: as with a full disk, senders keep what they have.

use super::Sequencer;
use crate::error::RuntimeError;
use crate::memory::Pressure;
use std::time::Duration;

/// How often memory is looked at, in microseconds.
const WEIGH_US: u64 = 100_000;
/// How often it is looked at while input is held back for it.
const FREE_LOOK: Duration = Duration::from_millis(100);
/// How often it is looked whether the epoch before is published.
pub(super) const SLOW_LOOK: Duration = Duration::from_millis(1);

/// How memory stood when it was looked at last.
#[derive(Debug, Default)]
pub(super) struct Weight {
    pressure: Pressure,
    weighed_us: Option<u64>,
    /// The engine ends, and nothing is waited for any more.
    ends: bool,
    /// Whether input is held back.
    starves: bool,
}

impl Weight {
    pub(super) fn is_starving(&self) -> bool {
        self.starves
    }

    /// How long to wait before it is looked whether memory is free.
    pub(super) fn look(&self) -> Option<Duration> {
        self.starves.then_some(FREE_LOOK)
    }

    /// The engine ends, and nothing is waited for any more.
    pub(super) fn end(&mut self) {
        self.ends = true;
    }
}

impl Sequencer {
    /// Whether the next epoch waits until the one before it is published.
    pub(super) fn is_slowed(&self) -> bool {
        let reached = self.around.progress.reached();
        let behind = reached.published + 1 < self.epoch || self.totals.is_under_way(reached);
        behind && self.log.is_some() && self.weight.pressure > Pressure::Low && !self.weight.ends
    }

    /// Looks at memory if that was not done for a while; whether input is to be held back for it.
    pub(super) fn is_starved(&mut self) -> bool {
        let now = self.around.clock.monotonic_us();
        if self.weight.weighed_us.is_none_or(|at| now >= at + WEIGH_US) {
            self.weight.weighed_us = Some(now);
            self.weigh();
        }
        self.weight.pressure == Pressure::Full && !self.weight.ends
    }

    fn weigh(&mut self) {
        let reading = self.around.settings.memory.read();
        let before = self.weight.pressure;
        let pressure = reading.pressure(before);
        self.weight.pressure = pressure;
        self.around.health.weigh(reading, pressure);
        let (used, most) = (reading.used, reading.most.unwrap_or(0));
        match (before, pressure) {
            (Pressure::Low, Pressure::High) => {
                tracing::warn!(used, most, "memory is high: epochs are computed one at a time");
            }
            (Pressure::High, Pressure::Low) => {
                tracing::info!(used, most, "memory is low again, and epochs overlap");
            }
            (Pressure::Low | Pressure::High, Pressure::Full) => tracing::warn!(
                used,
                most,
                "memory is full: input is held back until some is free; give the engine more \
                 (engine.memory_mebibytes, or the limit of its group of processes)"
            ),
            (Pressure::Full, Pressure::Low | Pressure::High) => {
                tracing::info!(used, most, "memory is free again, and input goes on");
            }
            (Pressure::Low, Pressure::Low)
            | (Pressure::High, Pressure::High)
            | (Pressure::Full, Pressure::Full) => {}
        }
    }

    /// Computes and answers what was taken, and begins to wait until memory is free.
    pub(super) fn starve(&mut self) -> Result<(), RuntimeError> {
        self.weight.starves = true;
        self.around.health.starve(Some(self.around.clock.now()));
        if self.opened_us.is_some() {
            self.close(None)?;
        }
        self.seal()
    }

    /// Looks at memory again; true if enough is free to go on.
    pub(super) fn weigh_again(&mut self) -> bool {
        self.weigh();
        if self.weight.pressure == Pressure::Full {
            return false;
        }
        self.weight.starves = false;
        self.around.health.starve(None);
        true
    }
}
