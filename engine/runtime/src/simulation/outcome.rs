//! What runs came to, and what happened in them.

use super::storage::Noise;
use std::collections::VecDeque;

/// How many of the last events a story tells.
const EVENTS_TOLD: usize = 60;

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// How often the engine ended by a fault.
    pub(crate) crashes: usize,
    /// How often it started again, and was compared with the truth.
    pub(crate) recoveries: usize,
    /// How many facts it had then, added up.
    pub(crate) facts: u64,
    /// How often it refused a damaged disk.
    pub(crate) refused: usize,
    /// How often it did not start for want of room.
    pub(crate) full: usize,
    /// How many snapshots were taken.
    pub(crate) snapshots: usize,
    /// How many epochs were published once more, and were the same.
    pub(crate) same: usize,
    /// How many processes of connectors there were.
    pub(crate) processes: usize,
    /// How many of them were fenced.
    pub(crate) fenced: usize,
    /// How many batches were sent again.
    pub(crate) resent: u64,
    /// How often a dictionary began anew.
    pub(crate) dictionaries: u64,
    /// A digest of everything that happened.
    pub(crate) trace: u64,
}

impl Outcome {
    /// Adds up.
    pub(crate) fn add(&mut self, other: Self) {
        self.crashes += other.crashes;
        self.recoveries += other.recoveries;
        self.facts += other.facts;
        self.refused += other.refused;
        self.full += other.full;
        self.snapshots += other.snapshots;
        self.same += other.same;
        self.processes += other.processes;
        self.fenced += other.fenced;
        self.resent += other.resent;
        self.dictionaries += other.dictionaries;
        self.trace ^= other.trace;
    }
}

/// Everything that happened: a digest, and the last of it in words if someone wants to read them.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) digest: u64,
    told: Option<VecDeque<String>>,
}

impl Trace {
    pub(crate) fn new(is_told: bool) -> Self {
        Self { digest: 0, told: is_told.then(VecDeque::new) }
    }

    /// Notes an event with two numbers that say which.
    pub(crate) fn note(&mut self, what: &str, one: u64, other: u64) {
        let mut mixed = Noise(self.digest ^ one.rotate_left(32) ^ other);
        self.digest = mixed.word() ^ what.len() as u64;
        if let Some(told) = &mut self.told {
            if told.len() == EVENTS_TOLD {
                told.pop_front();
            }
            told.push_back(format!("{what} {one} {other}"));
        }
    }

    /// The last events.
    pub(crate) fn story(&self) -> String {
        let told = self.told.iter().flatten();
        told.cloned().collect::<Vec<_>>().join(", ")
    }
}
