//! How much memory there is, and when input has to wait for it.
//!
//! State grows with what is known, and an engine that is killed for its memory answers nothing. From
//! [`HIGH_PERCENT`] of what it may have, one epoch is computed at a time, so that nothing piles up on the
//! way. From [`FULL_PERCENT`] no more input is taken until less than [`RESUME_PERCENT`] is used again;
//! questions are answered as ever. What it may have is what it is told, else [`GIVEN_PERCENT`] of what the
//! system gives to it or to its group of processes.

#[cfg(feature = "mimalloc")]
pub mod allocator;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// From how much of what the engine may have epochs are computed one at a time.
pub const HIGH_PERCENT: u64 = 80;
/// From how much of it no more input is taken.
pub const FULL_PERCENT: u64 = 90;
/// Below how much of it input is taken again.
pub const RESUME_PERCENT: u64 = 85;
/// How much of what the system gives the engine may have if nothing else is said.
pub const GIVEN_PERCENT: u64 = 90;

/// Where groups of processes have their limits, by the two generations of them.
const GROUP_LIMITS: [&str; 2] =
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// How memory stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Pressure {
    /// There is enough.
    #[default]
    Low,
    /// There is little left.
    High,
    /// There is too little left to take more input.
    Full,
}

/// What is used and what may be, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Reading {
    /// What is used; 0 where the system does not say it.
    pub used: u64,
    /// What may be used; `None` where nothing says it.
    pub most: Option<u64>,
}

impl Reading {
    /// How memory stands, if it stood like `before`: what is full stays so until enough is free.
    pub fn pressure(&self, before: Pressure) -> Pressure {
        let Some(most) = self.most else { return Pressure::Low };
        let share = self.used.saturating_mul(100) / most.max(1);
        if share >= FULL_PERCENT || before == Pressure::Full && share >= RESUME_PERCENT {
            Pressure::Full
        } else if share >= HIGH_PERCENT {
            Pressure::High
        } else {
            Pressure::Low
        }
    }
}

/// Looks at memory.
///
/// One that nothing was said to has no limit.
#[derive(Clone, Debug, Default)]
pub struct Gauge {
    most: Option<u64>,
    /// What is used, where someone else says it.
    planted: Option<Arc<AtomicU64>>,
}

impl Gauge {
    /// A gauge of a process that may have so many bytes; a share of what the system gives, if that is
    /// not said.
    pub fn new(told: Option<u64>) -> Self {
        let share = |bytes: u64| bytes / 100 * GIVEN_PERCENT;
        Self { most: told.or_else(|| given().map(share)), planted: None }
    }

    /// A gauge that shows what it is told is used.
    pub fn planted(most: u64, used: Arc<AtomicU64>) -> Self {
        Self { most: Some(most), planted: Some(used) }
    }

    /// What is used now, and what may be.
    pub fn read(&self) -> Reading {
        let used = match &self.planted {
            Some(planted) => planted.load(Ordering::SeqCst),
            None => resident().unwrap_or(0),
        };
        Reading { used, most: self.most }
    }
}

/// What the process has in memory, in bytes.
fn resident() -> Option<u64> {
    field(&std::fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// What the machine has, or the process's group, whichever is less, in bytes.
fn given() -> Option<u64> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.and_then(|text| field(&text, "MemTotal:"));
    let group = |path: &str| std::fs::read_to_string(Path::new(path)).ok()?.trim().parse().ok();
    GROUP_LIMITS.into_iter().filter_map(group).chain(machine).min()
}

/// A field of a list of kibibytes, in bytes.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    number.checked_mul(1024)
}

#[cfg(test)]
mod tests;
