//! Time for the client: how long ago something was, and how to wait.
//!
//! The one place of the connectors that reads a real clock. A client knows durations only; when
//! something happened is said by the sources, and when it was received by [`wall_now`].

#![expect(clippy::disallowed_types, reason = "the connectors' one clock")]

use std::time::Duration;
use trueup_model::time::Timestamp;

/// The instant of the calendar, as this machine has it.
pub fn wall_now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    let since_us = since.map_or(0, |since| since.as_micros());
    Timestamp(i64::try_from(since_us).unwrap_or(i64::MAX))
}

/// A clock that only moves forward.
pub trait Clock {
    /// How long the clock has run.
    fn now(&self) -> Duration;

    /// Lets time pass.
    fn pause(&self, duration: Duration);
}

/// The clock of the system.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock(std::time::Instant);

impl SystemClock {
    /// A clock that begins now.
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "a pause is the purpose")]
    fn pause(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}
