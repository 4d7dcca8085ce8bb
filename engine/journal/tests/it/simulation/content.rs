//! A file's bytes: as programs see them, and as the disk has them for certain.

use super::noise::Noise;
use std::collections::BTreeSet;

/// The part of a file that reaches the disk as a whole or not at all.
pub(crate) const SECTOR_BYTES: usize = 512;

/// A file of the simulated disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    /// What is read as long as the power stays on.
    pub(crate) seen: Vec<u8>,
    /// What was synced.
    durable: Vec<u8>,
    /// Sectors that were written since the last sync.
    dirty: BTreeSet<usize>,
    /// How many syncs have failed: each handle is told of each failure once.
    pub(crate) failures: u64,
}

fn sectors(start: usize, end: usize) -> std::ops::Range<usize> {
    start / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES)
}

fn span(sector: usize, length: usize) -> std::ops::Range<usize> {
    (sector * SECTOR_BYTES).min(length)..((sector + 1) * SECTOR_BYTES).min(length)
}

impl Content {
    /// A file with these bytes, durably.
    pub(crate) fn durable(bytes: Vec<u8>) -> Self {
        Self { seen: bytes.clone(), durable: bytes, ..Self::default() }
    }

    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.seen.len() < end {
            self.resize(end);
        }
        self.seen[offset..end].copy_from_slice(bytes);
        self.dirty.extend(sectors(offset, end));
    }

    pub(crate) fn resize(&mut self, length: usize) {
        let before = self.seen.len();
        self.seen.resize(length, 0);
        self.dirty.extend(sectors(before.min(length), before.max(length)));
    }

    /// What was written is on the disk now; what an earlier failure lost is not.
    pub(crate) fn sync(&mut self) {
        self.durable.resize(self.seen.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            let span = span(sector, self.seen.len());
            self.durable[span.clone()].copy_from_slice(&self.seen[span]);
        }
    }

    /// A sync fails: some of the sectors are lost, and all are taken for written from now on.
    pub(crate) fn fail_sync(&mut self, noise: &mut Noise) {
        self.failures += 1;
        self.durable.resize(self.seen.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            let span = span(sector, self.seen.len());
            if noise.once_in(2) {
                self.durable[span.clone()].copy_from_slice(&self.seen[span]);
            }
        }
    }

    /// What the disk has after the power went: of what was not synced, any sectors and any length.
    pub(crate) fn after_power_loss(&self, noise: &mut Noise) -> Self {
        let (synced, seen) = (self.durable.len(), self.seen.len());
        let (least, span_of_length) = (synced.min(seen), synced.abs_diff(seen));
        let length = least + if span_of_length == 0 { 0 } else { noise.below(span_of_length + 1) };
        let mut bytes = self.durable.clone();
        bytes.resize(length, 0);
        let all = noise.once_in(4);
        for sector in &self.dirty {
            let span = span(*sector, length.min(seen));
            if all || noise.once_in(2) {
                bytes[span.clone()].copy_from_slice(&self.seen[span]);
            }
        }
        Self::durable(bytes)
    }
}
