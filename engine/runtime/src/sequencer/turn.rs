//! The sequencer's turns: what it waits for, and what it does then.
//!
//! A turn is told what came and waits for nothing; [`Sequencer::awaits`] says what the next one waits
//! for. [`Sequencer::run`] does the waiting.

use super::{LOOK_US, SEAL_US, Sequencer, Work};
use crate::error::RuntimeError;
use crate::settings::Horizon;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// What a turn waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaits {
    /// Work, but not longer than this.
    Work(Duration),
    /// That this much time passes, and no work; or that the engine ends.
    Time(Duration),
}

impl Sequencer {
    /// Works until nobody can send work any more, or the journal fails.
    pub(crate) fn run(mut self, work: &Receiver<Work>) {
        if let Err(error) = self.work(work) {
            tracing::error!(error = &error as &dyn std::error::Error, "the engine stops");
            self.around.progress.fail(error);
        }
        self.around.cluster.stop();
    }

    fn work(&mut self, work: &Receiver<Work>) -> Result<(), RuntimeError> {
        loop {
            let next = match self.awaits() {
                Awaits::Work(patience) => work.recv_timeout(patience),
                Awaits::Time(pause) => match self.around.life.recv_timeout(pause) {
                    Err(RecvTimeoutError::Timeout) => Err(RecvTimeoutError::Timeout),
                    Err(RecvTimeoutError::Disconnected) => {
                        if self.held.is_full() || self.weight.is_starving() {
                            return self.finish();
                        }
                        self.weight.end();
                        Err(RecvTimeoutError::Timeout)
                    }
                    Ok(never) => match never {},
                },
            };
            match next {
                Ok(one) => self.turn(Some(one))?,
                Err(RecvTimeoutError::Timeout) => self.turn(None)?,
                Err(RecvTimeoutError::Disconnected) => return self.end(),
            }
        }
    }

    /// What the next turn waits for.
    pub(crate) fn awaits(&self) -> Awaits {
        match self.held.look().or(self.weight.look()) {
            Some(pause) => Awaits::Time(pause),
            None if self.is_slowed() => Awaits::Time(super::starved::SLOW_LOOK),
            None => Awaits::Work(self.patience()),
        }
    }

    /// Takes a piece of work, if one came, and does what is due.
    pub(crate) fn turn(&mut self, work: Option<Work>) -> Result<(), RuntimeError> {
        if self.held.is_full() {
            if !self.go_on()? {
                return self.hold_back();
            }
        } else if self.weight.is_starving() {
            if !self.weigh_again() {
                return Ok(());
            }
        } else {
            let slowed = self.is_slowed();
            if let Some(one) = work {
                self.take(one)?;
            }
            if self.log.is_none() {
                return Ok(());
            }
            self.look()?;
            if !slowed && !self.held.is_full() && self.is_due() {
                self.close(None)?;
            }
        }
        if self.held.is_full() {
            return self.hold_back();
        }
        if self.is_starved() {
            return self.starve();
        }
        self.seal_if_old()
    }

    /// Closes what is open, and makes it durable: nobody can send work any more.
    fn end(&mut self) -> Result<(), RuntimeError> {
        if self.log.is_some() {
            self.close(None)?;
            self.finish()?;
        }
        Ok(())
    }

    /// Whether the open epoch is to be closed.
    fn is_due(&mut self) -> bool {
        let now = self.around.clock.monotonic_us();
        let settings = &self.around.settings;
        let old = self.opened_us.is_some_and(|at| now >= at + settings.epoch_us_max);
        let full = self.open.facts.len() >= settings.epoch_facts_max;
        let tick =
            settings.horizon == Horizon::Clock && now >= self.ticked_us + settings.horizon_step_us;
        let reached = self.around.progress.reached();
        old || full || tick || self.totals.lags() && self.totals.is_due(now, self.epoch, reached)
    }

    /// How long to wait for work before the epoch, the horizon or the journal wants something.
    fn patience(&self) -> Duration {
        let now = self.around.clock.monotonic_us();
        let settings = &self.around.settings;
        let epoch = self.opened_us.map(|at| at + settings.epoch_us_max);
        let tick = (settings.horizon == Horizon::Clock)
            .then_some(self.ticked_us + settings.horizon_step_us);
        let look = self.flight.is_under_way().then_some(now + LOOK_US);
        let seal = self.flight.is_unsealed().then_some(self.synced_us + SEAL_US);
        let totals = self.totals.next_us(now);
        let next = epoch.into_iter().chain(tick).chain(look).chain(seal).chain(totals).min();
        let wait = next.map_or(1_000_000, |at| at.saturating_sub(now));
        Duration::from_micros(wait.clamp(100, 1_000_000))
    }
}
