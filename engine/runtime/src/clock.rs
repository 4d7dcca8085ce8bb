//! The one place that reads real time; everything else is told.

use std::sync::atomic::{AtomicI64, Ordering};
use trueup_model::time::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// Microseconds since some beginning; never goes back.
    fn monotonic_us(&self) -> u64;
}

/// The clock of the machine.
#[derive(Debug)]
#[expect(clippy::disallowed_types, reason = "this is the clock that others are told by")]
pub struct SystemClock {
    begin: std::time::Instant,
}

#[expect(clippy::disallowed_types, reason = "this is the clock that others are told by")]
impl Default for SystemClock {
    fn default() -> Self {
        Self { begin: std::time::Instant::now() }
    }
}

#[expect(clippy::disallowed_types, reason = "this is the clock that others are told by")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let us = since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        Timestamp(us.min(Timestamp::LATEST.0))
    }

    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// A clock that stands until it is moved: for replays and tests.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at an instant.
    pub fn at(now: Timestamp) -> Self {
        Self { now: AtomicI64::new(now.0) }
    }

    /// Moves the clock.
    pub fn set(&self, now: Timestamp) {
        self.now.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.now.load(Ordering::SeqCst)).unwrap_or(0)
    }
}
