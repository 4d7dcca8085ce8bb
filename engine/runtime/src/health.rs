//! How the engine is: what someone who watches it is told, at any time and without waiting.

use crate::memory::{Pressure, Reading};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use trueup_journal::writer::Progress;
use trueup_model::time::Timestamp;

/// How the engine is; written by its threads, read by whoever asks.
#[derive(Debug, Default)]
pub struct Health {
    durable: AtomicU64,
    sealed: AtomicU64,
    epochs_under_way: AtomicU64,
    journal_bytes: AtomicU64,
    same_epochs: AtomicU64,
    other_epochs: AtomicU64,
    full: Mutex<Option<Full>>,
    memory: Mutex<Memory>,
}

/// How memory stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What is used and what may be.
    pub reading: Reading,
    /// How that is judged.
    pub pressure: Pressure,
    /// Since when input is held back for it, if it is.
    pub held_since: Option<Timestamp>,
}

/// A disk without room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Full {
    /// The file that could not grow.
    pub file: String,
    /// Since when input is held back.
    pub since: Timestamp,
}

impl Health {
    /// The last record of the journal that survives a loss of power.
    pub fn durable_record(&self) -> u64 {
        self.durable.load(Ordering::Relaxed)
    }

    /// The last record of the journal that something vouches for.
    pub fn sealed_record(&self) -> u64 {
        self.sealed.load(Ordering::Relaxed)
    }

    /// How many epochs are on their way to the disk.
    pub fn epochs_under_way(&self) -> u64 {
        self.epochs_under_way.load(Ordering::Relaxed)
    }

    /// The disk that input is held back for, if it is.
    pub fn full(&self) -> Option<Full> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How memory stood when it was looked at last.
    pub fn memory(&self) -> Memory {
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes of records were written since the engine started.
    pub fn journal_bytes(&self) -> u64 {
        self.journal_bytes.load(Ordering::Relaxed)
    }

    /// How many epochs had been published before the engine began, and were computed again the same.
    pub fn same_epochs(&self) -> u64 {
        self.same_epochs.load(Ordering::Relaxed)
    }

    /// How many of them are something else now, and may be.
    pub fn other_epochs(&self) -> u64 {
        self.other_epochs.load(Ordering::Relaxed)
    }

    /// Counts an epoch that had been published before.
    pub(crate) fn compare(&self, is_same: bool) {
        let count = if is_same { &self.same_epochs } else { &self.other_epochs };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn advance(&self, progress: Progress, under_way: usize, journal_bytes: u64) {
        self.journal_bytes.store(journal_bytes, Ordering::Relaxed);
        self.durable.store(progress.durable, Ordering::Relaxed);
        self.sealed.store(progress.sealed, Ordering::Relaxed);
        self.epochs_under_way.store(under_way as u64, Ordering::Relaxed);
    }

    pub(crate) fn weigh(&self, reading: Reading, pressure: Pressure) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        (memory.reading, memory.pressure) = (reading, pressure);
    }

    /// Says since when input is held back for memory, or that it is not.
    pub(crate) fn starve(&self, since: Option<Timestamp>) {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).held_since = since;
    }

    pub(crate) fn fill(&self, full: Option<(String, Timestamp)>) {
        let full = full.map(|(file, since)| Full { file, since });
        *self.full.lock().unwrap_or_else(PoisonError::into_inner) = full;
    }
}
