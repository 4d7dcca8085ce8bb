//! What came in an epoch, in the lists in which it travelled: it is read once, and never gathered into one
//! list that would be as large as the epoch.

use super::{Batch, Updates};
use crate::{Diff, Epoch};

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

/// An update without its epoch.
type Bare<D, R> = fn((D, Epoch, R)) -> (D, R);

impl<D, R> IntoIterator for Came<D, R> {
    type Item = (D, R);
    type IntoIter = std::iter::Map<std::iter::Flatten<std::vec::IntoIter<Batch<D, R>>>, Bare<D, R>>;

    fn into_iter(self) -> Self::IntoIter {
        let bare: Bare<D, R> = |(row, _, diff)| (row, diff);
        self.batches.into_iter().flatten().map(bare)
    }
}
