//! What came in an epoch, in the lists in which it travelled: it is read once, and never gathered into one
//! list that would be as large as the epoch.

use super::{Batch, Updates};
use crate::{Diff, Epoch};

/// Looks at what rows will need, one after the other without waiting for what was looked at: where it stands far away in
/// memory, much of it comes at the same time.
pub fn fetch(looks: impl Iterator<Item = usize>) {
    std::hint::black_box(looks.fold(0, usize::wrapping_add));
}

/// The updates of an epoch.
#[derive(Debug)]
pub(crate) struct Came<D, R = Diff> {
    batches: Vec<Batch<D, R>>,
}

impl<D, R> Came<D, R> {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.batches.iter().map(Vec::len).sum()
    }

    /// Each of them, to be read more than once.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&D, R)>
    where
        R: Copy,
    {
        self.batches.iter().flatten().map(|(row, _, diff)| (row, *diff))
    }

    /// The lists themselves: what the rows of one need can be fetched before the first of them is taken in.
    pub(crate) fn lists(self) -> impl Iterator<Item = Vec<(D, Epoch, R)>> {
        self.batches.into_iter()
    }

    /// All in one list.
    pub(crate) fn gathered(self) -> Updates<D, R> {
        let mut updates = Vec::with_capacity(self.len());
        updates.extend(self);
        updates
    }
}

impl<D, R> From<Vec<Batch<D, R>>> for Came<D, R> {
    fn from(batches: Vec<Batch<D, R>>) -> Self {
        Self { batches }
    }
}

impl<D, R> IntoIterator for Came<D, R> {
    type Item = (D, R);
    type IntoIter = Rows<D, R>;

    fn into_iter(self) -> Rows<D, R> {
        Rows { batches: self.batches.into_iter(), rows: Vec::new().into_iter() }
    }
}

/// The updates of an epoch, list after list.
pub(crate) struct Rows<D, R = Diff> {
    batches: std::vec::IntoIter<Batch<D, R>>,
    rows: std::vec::IntoIter<(D, Epoch, R)>,
}

impl<D, R> Iterator for Rows<D, R> {
    type Item = (D, R);

    #[inline]
    fn next(&mut self) -> Option<(D, R)> {
        loop {
            if let Some((row, _, diff)) = self.rows.next() {
                return Some((row, diff));
            }
            self.rows = self.batches.next()?.into_iter();
        }
    }
}
