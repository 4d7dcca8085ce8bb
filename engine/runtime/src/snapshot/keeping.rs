//! Which snapshots stay, and how far the journal is let go of.
//!
//! The two newest stay. Where something happened that nobody has looked into, those that were there when the engine
//! began stay too, and all of the journal: what it was then can be read back, until it was looked into and the engine begins again.

use trueup_journal::snapshot::Manifest;

/// How many snapshots are kept.
const KEPT: usize = 2;

/// The snapshots that stay.
#[derive(Debug)]
pub(crate) struct Keeping {
    /// The good ones, newest first.
    kept: Vec<Manifest>,
    /// The numbers of those that are evidence, if anything is.
    evidence: Option<Vec<u64>>,
}

impl Keeping {
    /// Those that are there when an engine begins, newest first.
    pub(crate) fn new(kept: Vec<Manifest>, holds_evidence: bool) -> Self {
        let numbers = || kept.iter().map(|one| one.number).collect();
        let evidence = holds_evidence.then(numbers);
        Self { kept, evidence }
    }

    /// The newest.
    pub(super) fn newest(&self) -> Option<&Manifest> {
        self.kept.first()
    }

    /// A newer one is there. Gives the record before which the journal is let go of, if it is.
    pub(super) fn add(&mut self, newest: Manifest) -> Option<u64> {
        self.kept.insert(0, newest);
        self.kept.truncate(KEPT);
        let older = self.kept.get(KEPT - 1).filter(|_| self.evidence.is_none())?;
        Some(older.through.saturating_add(1))
    }

    /// Whether the snapshot with this number stays.
    pub(super) fn keeps(&self, number: u64) -> bool {
        let is_evidence = self.evidence.iter().flatten().any(|one| *one == number);
        is_evidence || self.kept.iter().any(|one| one.number == number)
    }
}
