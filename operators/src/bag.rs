//! Rows with how often each is there, in no order: a list while there are few, a hash table once there are
//! many.
//!
//! One side of a join by product has every use of the product; an ordered table of such rows costs a path
//! of comparisons of wide rows for each, and no join needs their order.

use crate::Diff;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use trueup_model::hash::IdMap;

/// The most rows of a list.
const FEW: usize = 16;
/// Up to how many rows a list takes no more room than it needs.
const EXACT: usize = 4;

/// Rows with how often each is there.
#[derive(Clone, Debug)]
pub(crate) enum Bag<V> {
    /// A list.
    Few(Vec<(V, Diff)>),
    /// A hash table.
    Many(IdMap<V, Diff>),
}

impl<V> Default for Bag<V> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<V: Eq + Hash> Bag<V> {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Few(rows) => rows.is_empty(),
            Self::Many(rows) => rows.is_empty(),
        }
    }

    /// Adds to how often a row is there; one that is there no times is not kept. Gives how often it is there.
    pub(crate) fn add(&mut self, row: V, diff: Diff) -> Diff {
        match self {
            Self::Few(rows) => match rows.iter().position(|(one, _)| *one == row) {
                Some(place) => {
                    rows[place].1 += diff;
                    let times = rows[place].1;
                    if times == 0 {
                        rows.swap_remove(place);
                    }
                    times
                }
                None if diff == 0 => 0,
                None if rows.len() < FEW => {
                    if rows.len() < EXACT {
                        rows.reserve_exact(1);
                    }
                    rows.push((row, diff));
                    diff
                }
                None => {
                    let mut many: IdMap<V, Diff> = std::mem::take(rows).into_iter().collect();
                    many.insert(row, diff);
                    *self = Self::Many(many);
                    diff
                }
            },
            // Looked up once: most rows are new, and those that go are there.
            Self::Many(rows) => match rows.entry(row) {
                Entry::Vacant(_) if diff == 0 => 0,
                Entry::Vacant(place) => *place.insert(diff),
                Entry::Occupied(mut place) => {
                    *place.get_mut() += diff;
                    let times = *place.get();
                    if times == 0 {
                        place.remove();
                    }
                    times
                }
            },
        }
    }

    /// The rows, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&V, Diff)> {
        let (few, many) = match self {
            Self::Few(rows) => (Some(rows), None),
            Self::Many(rows) => (None, Some(rows)),
        };
        let few = few.into_iter().flatten().map(|(row, times)| (row, *times));
        few.chain(many.into_iter().flatten().map(|(row, times)| (row, *times)))
    }
}

#[cfg(test)]
mod tests {
    use super::Bag;
    use crate::Diff;
    use crate::rows::add;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Rows that are counted are those of a tree that is.
        #[test]
        fn it_counts(steps in prop::collection::vec((0..40_u8, -2..3_isize), 1..200)) {
            let mut bag: Bag<u8> = Bag::default();
            let mut tree: BTreeMap<u8, Diff> = BTreeMap::new();
            for (row, diff) in steps {
                let times = bag.add(row, diff);
                add(&mut tree, row, diff);
                prop_assert_eq!(times, tree.get(&row).copied().unwrap_or(0));
                let mut rows: Vec<(u8, Diff)> = bag.iter().map(|(one, n)| (*one, n)).collect();
                rows.sort_unstable();
                prop_assert!(rows.into_iter().eq(tree.iter().map(|(one, n)| (*one, *n))));
                prop_assert_eq!(bag.is_empty(), tree.is_empty());
            }
        }
    }
}
