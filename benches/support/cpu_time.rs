//! A measure of what a core does: processor time, where the system tells it, instead of wall time.
//!
//! Wall time on a machine that others use counts what they do. Processor time still moves with caches and
//! clock rates, but not with who else waits for the core. Linux only; elsewhere it is wall time.

#![expect(clippy::disallowed_types, reason = "a bench measures time")]

use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use std::time::{Duration, Instant};

/// Where the kernel says how long the calling thread ran, in nanoseconds.
const RAN: &str = "/proc/thread-self/schedstat";

/// Processor time of the thread that measures.
#[derive(Clone, Copy, Debug)]
pub struct CpuTime;

/// An instant on the clock that is used.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// How long the thread had run.
    Ran(Duration),
    /// When that is not told.
    Wall(Instant),
}

impl Moment {
    fn now() -> Self {
        // The kernel brings its count up to date when a thread offers to make way.
        std::thread::yield_now();
        let told = std::fs::read_to_string(RAN).ok();
        let ran = told.and_then(|text| text.split(' ').next()?.parse().ok());
        ran.map_or_else(|| Self::Wall(Instant::now()), |ran| Self::Ran(Duration::from_nanos(ran)))
    }
}

impl Measurement for CpuTime {
    type Intermediate = Moment;
    type Value = Duration;

    fn start(&self) -> Moment {
        Moment::now()
    }

    fn end(&self, start: Moment) -> Duration {
        match (start, Moment::now()) {
            (Moment::Ran(start), Moment::Ran(end)) => end.saturating_sub(start),
            (Moment::Wall(start), Moment::Wall(end)) => end.duration_since(start),
            (Moment::Ran(_), Moment::Wall(_)) | (Moment::Wall(_), Moment::Ran(_)) => Duration::ZERO,
        }
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Formatter
    }
}

/// Writes figures as criterion does, so that they look alike everywhere.
struct Formatter;

impl ValueFormatter for Formatter {
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_values(typical, values)
    }

    fn scale_throughputs(
        &self,
        typical: f64,
        throughput: &Throughput,
        values: &mut [f64],
    ) -> &'static str {
        WallTime.formatter().scale_throughputs(typical, throughput, values)
    }

    fn scale_for_machines(&self, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_for_machines(values)
    }
}
