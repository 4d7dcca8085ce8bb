//! One time for engine and connectors, which passes when the simulation says so.

use crate::clock::Clock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use trueup_model::time::{SECOND_US, Timestamp};

/// The wall clock at the beginning.
const BEGIN: Timestamp = Timestamp(Timestamp::RECORDED.0 + 10_000_000 * SECOND_US);

/// A monotonic clock, and a wall clock that someone sets now and then.
#[derive(Debug)]
pub(crate) struct Time {
    us: AtomicU64,
    wall: AtomicI64,
}

impl Default for Time {
    fn default() -> Self {
        Self { us: AtomicU64::new(0), wall: AtomicI64::new(BEGIN.0) }
    }
}

impl Time {
    /// How long the simulation has run, in microseconds.
    pub(crate) fn us(&self) -> u64 {
        self.us.load(Ordering::Relaxed)
    }

    /// Lets time pass up to an instant that is not over.
    pub(crate) fn pass_to(&self, us: u64) {
        let passed = us.saturating_sub(self.us());
        self.us.fetch_add(passed, Ordering::Relaxed);
        self.set_wall(i64::try_from(passed).unwrap_or(0));
    }

    /// Sets the wall clock forward, or back.
    pub(crate) fn set_wall(&self, by_us: i64) {
        self.wall.fetch_add(by_us, Ordering::Relaxed);
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp(self.wall.load(Ordering::Relaxed))
    }

    fn monotonic_us(&self) -> u64 {
        self.us()
    }
}
