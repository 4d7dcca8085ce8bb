//! Where an epoch is, and how long each stage of its way took.
//!
//! ```text
//! received ─queue→ taken ─gather→ closed ─journal→ durable ─enter→ at all workers ─compute→ found by all
//! ─publish→ published, and from the first to the last: whole
//! ```
//!
//! Received and taken is the first fact of the epoch; one without facts has neither, and no `queue`, `gather`
//! and `whole`. Epochs that are read back when the engine starts are not measured. A few numbers per epoch,
//! under a lock that is never held for longer than it takes to note one.

use super::times::{Kept, Times};
use crate::clock::Clock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use trueup_operators::Epoch;

/// A stage of an epoch's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The first fact waits for the sequencer.
    Queue,
    /// The epoch is open.
    Gather,
    /// It is on its way to the disk.
    Journal,
    /// It is durable and waits for the workers.
    Enter,
    /// The workers compute it.
    Compute,
    /// It waits for the publisher, and the views move to it.
    Publish,
    /// All of that together.
    Whole,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 7] = [
        Self::Queue,
        Self::Gather,
        Self::Journal,
        Self::Enter,
        Self::Compute,
        Self::Publish,
        Self::Whole,
    ];

    /// How it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Gather => "gather",
            Self::Journal => "journal",
            Self::Enter => "enter",
            Self::Compute => "compute",
            Self::Publish => "publish",
            Self::Whole => "whole",
        }
    }
}

/// When the first fact of an epoch came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// When it was received, in microseconds of the engine's clock.
    pub(crate) received_us: u64,
    /// When the sequencer took it.
    pub(crate) taken_us: u64,
}

/// How many epochs are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depths {
    /// On their way to the disk.
    pub to_disk: u64,
    /// Durable, and not taken by all workers.
    pub to_workers: u64,
    /// At the workers.
    pub at_workers: u64,
    /// Found by all workers, and not published.
    pub to_publisher: u64,
}

/// How long a stage took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageTimes {
    /// The stage.
    pub stage: Stage,
    /// Of the epochs that were published in the last minutes.
    pub recent: Times,
    /// Of all epochs since the engine started.
    pub all: Times,
}

/// How far an epoch has come.
#[derive(Debug)]
struct Way {
    arrival: Option<Arrival>,
    closed_us: u64,
    durable_us: Option<u64>,
    /// How many workers have it, and when the last one took it.
    entered: (usize, u64),
    /// How many workers said what they found, and when the last one did.
    found: (usize, u64),
}

#[derive(Default)]
struct State {
    open: BTreeMap<Epoch, Way>,
    kept: BTreeMap<Stage, Kept>,
}

/// Notes where epochs are; shared by the engine's threads.
pub struct Stages {
    clock: Arc<dyn Clock>,
    workers: usize,
    state: Mutex<State>,
}

impl Stages {
    pub(super) fn new(clock: Arc<dyn Clock>, workers: usize) -> Self {
        Self { clock, workers, state: Mutex::default() }
    }

    /// How many workers the process has.
    pub(crate) fn workers(&self) -> usize {
        self.workers
    }

    /// How long each stage took, in order.
    pub fn times(&self) -> Vec<StageTimes> {
        let now_us = self.clock.monotonic_us();
        let state = self.lock();
        let times = Stage::ALL.map(|stage| {
            let kept = state.kept.get(&stage).cloned().unwrap_or_default();
            StageTimes { stage, recent: kept.recent(now_us), all: kept.all }
        });
        times.into()
    }

    /// How many epochs are where.
    pub fn depths(&self) -> Depths {
        let mut depths = Depths::default();
        for way in self.lock().open.values() {
            let place = if way.durable_us.is_none() {
                &mut depths.to_disk
            } else if way.entered.0 < self.workers {
                &mut depths.to_workers
            } else if way.found.0 < self.workers {
                &mut depths.at_workers
            } else {
                &mut depths.to_publisher
            };
            *place += 1;
        }
        depths
    }

    /// An epoch was closed.
    pub(crate) fn closed(&self, epoch: Epoch, arrival: Option<Arrival>) {
        let closed_us = self.clock.monotonic_us();
        let way = Way { arrival, closed_us, durable_us: None, entered: (0, 0), found: (0, 0) };
        self.lock().open.insert(epoch, way);
    }

    /// It is durable.
    pub(crate) fn durable(&self, epoch: Epoch) {
        self.note(epoch, |way, now_us| way.durable_us = Some(now_us));
    }

    /// One more worker has it.
    pub(crate) fn entered(&self, epoch: Epoch) {
        self.note(epoch, |way, now_us| way.entered = (way.entered.0 + 1, now_us));
    }

    /// One more worker says what it found.
    pub(crate) fn found(&self, epoch: Epoch) {
        self.note(epoch, |way, now_us| way.found = (way.found.0 + 1, now_us));
    }

    /// It is published.
    pub(crate) fn published(&self, epoch: Epoch) {
        let now_us = self.clock.monotonic_us();
        let mut state = self.lock();
        let Some(way) = state.open.remove(&epoch) else { return };
        let durable_us = way.durable_us.unwrap_or(way.closed_us);
        let mut record = |stage: Stage, from_us: u64, until_us: u64| {
            let kept = state.kept.entry(stage).or_default();
            kept.record(now_us, until_us.saturating_sub(from_us));
        };
        if let Some(Arrival { received_us, taken_us }) = way.arrival {
            record(Stage::Queue, received_us, taken_us);
            record(Stage::Gather, taken_us, way.closed_us);
            record(Stage::Whole, received_us, now_us);
        }
        record(Stage::Journal, way.closed_us, durable_us);
        record(Stage::Enter, durable_us, way.entered.1);
        record(Stage::Compute, way.entered.1, way.found.1);
        record(Stage::Publish, way.found.1, now_us);
    }

    fn note(&self, epoch: Epoch, change: impl FnOnce(&mut Way, u64)) {
        let now_us = self.clock.monotonic_us();
        if let Some(way) = self.lock().open.get_mut(&epoch) {
            change(way, now_us);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
