//! What a run of the engine is told: checked values, passed down explicitly.

use crate::chain::fingerprint;
use crate::error::RuntimeError;
use crate::memory::Gauge;
use std::path::PathBuf;
use std::sync::Arc;
use trueup_model::time::{SECOND_US, Timestamp};
use trueup_policy::Policy;

pub use trueup_journal::keys::Keys;

/// How the horizon moves: the instant up to which figures are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizon {
    /// With the clock: figures grow as time passes, and bounds fire by themselves.
    Clock,
    /// With the evidence: to the latest instant that telemetry speaks of.
    Evidence,
    /// Not at all: to this instant.
    Fixed(Timestamp),
}

/// When snapshots are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotPace {
    /// When so many bytes of records were written since the last one.
    pub journal_bytes: u64,
    /// When something was written and the last one is so old, in microseconds.
    pub interval_us: u64,
}

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Worker threads.
    pub workers: usize,
    /// The rules.
    pub policy: Policy,
    /// How the horizon moves.
    pub horizon: Horizon,
    /// How often the horizon follows the clock, in microseconds.
    pub horizon_step_us: u64,
    /// How often totals over the trees are brought up to date at most, in microseconds.
    pub totals_step_us: u64,
    /// An epoch closes when it holds this many facts.
    pub epoch_facts_max: usize,
    /// An epoch closes this long after its first fact, in microseconds.
    pub epoch_us_max: u64,
    /// The most names that the dictionary holds.
    pub names_max: usize,
    /// The most products that are counted; each costs state at every node above it.
    pub products_max: usize,
    /// The directory of the journal; without one, nothing outlives the process.
    pub journal: Option<PathBuf>,
    /// The keys with which the journal and its snapshots are sealed; without them nothing is.
    pub journal_keys: Option<Arc<Keys>>,
    /// When snapshots are taken; `None` for only when asked.
    pub snapshots: Option<SnapshotPace>,
    /// Whether none are, even if someone asks: taking one brings this engine down.
    pub holds_snapshots: bool,
    /// Whether the snapshots that are there, and the journal after them, stay: they are evidence of something
    /// that nobody has looked into.
    pub holds_evidence: bool,
    /// How many facts of a snapshot enter at a time when the engine begins with it, or a few more.
    pub piece_facts_max: usize,
    /// How long a file of the journal is at most, in bytes.
    pub journal_segment_bytes: u64,
    /// Marks the records of a new journal: a number that those who send facts cannot guess.
    pub journal_mark: u64,
    /// Whether what each operator costs is measured; what that itself costs is said in `benches/README.md`.
    pub measure_operators: bool,
    /// How much memory there is, and how it is looked at; by default there is no limit.
    pub memory: Gauge,
    /// How far ahead of its arrival an event may lie, in microseconds.
    pub future_tolerance_us: i64,
    /// The program's build: what one published must be the same when the same one computes it again.
    pub build: u128,
    /// Whether what is computed again may differ from what had been published; the journal says so then.
    pub accepts_differences: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 1,
            policy: Policy::default(),
            horizon: Horizon::Clock,
            horizon_step_us: 60_000_000,
            totals_step_us: 100_000,
            epoch_facts_max: 100_000,
            epoch_us_max: 10_000,
            names_max: 4_000_000,
            products_max: 100_000,
            journal: None,
            journal_keys: None,
            snapshots: None,
            holds_snapshots: false,
            holds_evidence: false,
            piece_facts_max: 500_000,
            journal_segment_bytes: 256 * 1024 * 1024,
            journal_mark: 0,
            measure_operators: true,
            memory: Gauge::default(),
            future_tolerance_us: 300 * SECOND_US,
            build: 0,
            accepts_differences: false,
        }
    }
}

/// The most workers of one process.
pub const WORKERS_MAX: usize = 256;

impl Settings {
    /// What computes: a number for the build, and for everything of the settings that answers depend on.
    pub fn fingerprint(&self) -> u128 {
        fingerprint(self)
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting that is outside of what is allowed.
    pub fn check(&self) -> Result<(), RuntimeError> {
        let refuse = |key, value: usize, allowed| {
            Err(RuntimeError::Setting { key, value: value.to_string(), allowed })
        };
        if !(1..=WORKERS_MAX).contains(&self.workers) {
            return refuse("workers", self.workers, "1 to 256");
        }
        if self.epoch_facts_max == 0 {
            return refuse("epoch_facts_max", 0, "at least 1");
        }
        if self.names_max == 0 {
            return refuse("names_max", 0, "at least 1");
        }
        Ok(())
    }
}
