//! A map in the order of its keys that takes little room while it holds little: a sorted list first, a tree
//! once there are many entries.
//!
//! Most identities, holders and groups have one or two rows, and there are millions of them. A tree's
//! smallest node has room for eleven.

use crate::Diff;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::{Bound, RangeBounds};

/// The most entries of a list.
const FEW: usize = 16;
/// Up to how many entries a list takes no more room than it needs.
const EXACT: usize = 4;

/// A map in the order of its keys.
#[derive(Clone, Debug)]
pub(crate) enum FewMap<K, V> {
    /// A sorted list.
    Few(Vec<(K, V)>),
    /// A tree.
    Many(BTreeMap<K, V>),
}

impl<K, V> Default for FewMap<K, V> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<K: Ord, V> FewMap<K, V> {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Few(rows) => rows.is_empty(),
            Self::Many(rows) => rows.is_empty(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(rows) => rows.len(),
            Self::Many(rows) => rows.len(),
        }
    }

    /// Looks at where entries stand, as far as that is one step from here.
    pub(crate) fn look(&self) -> usize
    where
        K: Copy,
    {
        match self {
            Self::Few(rows) => rows.first().map_or(0, |row| {
                std::hint::black_box(row.0);
                1
            }),
            Self::Many(rows) => rows.len(),
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match self {
            Self::Few(rows) => {
                let place = rows.binary_search_by(|(one, _)| one.cmp(key)).ok()?;
                rows.get(place).map(|(_, value)| value)
            }
            Self::Many(rows) => rows.get(key),
        }
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match self {
            Self::Few(rows) => {
                let place = rows.binary_search_by(|(one, _)| one.cmp(key)).ok()?;
                rows.get_mut(place).map(|(_, value)| value)
            }
            Self::Many(rows) => rows.get_mut(key),
        }
    }

    /// The value of a key, which is made if there is none.
    pub(crate) fn or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        if let Self::Few(rows) = self
            && rows.len() >= FEW
            && rows.binary_search_by(|(one, _)| one.cmp(&key)).is_err()
        {
            *self = Self::Many(std::mem::take(rows).into_iter().collect());
        }
        match self {
            Self::Few(rows) => {
                let found = rows.binary_search_by(|(one, _)| one.cmp(&key));
                let place = found.unwrap_or_else(|place| {
                    if rows.len() < EXACT {
                        rows.reserve_exact(1);
                    }
                    rows.insert(place, (key, make()));
                    place
                });
                &mut rows[place].1
            }
            Self::Many(rows) => rows.entry(key).or_insert_with(make),
        }
    }

    /// Sets the value of a key; gives the one before.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self {
            Self::Few(rows) => match rows.binary_search_by(|(one, _)| one.cmp(&key)) {
                Ok(place) => Some(std::mem::replace(&mut rows[place].1, value)),
                Err(place) => {
                    self.put(place, key, value);
                    None
                }
            },
            Self::Many(rows) => rows.insert(key, value),
        }
    }

    /// Puts what is not there at its place in a list, which becomes a tree if it is full.
    fn put(&mut self, place: usize, key: K, value: V) {
        let Self::Few(rows) = self else { return };
        if rows.len() >= FEW {
            let mut tree: BTreeMap<K, V> = std::mem::take(rows).into_iter().collect();
            tree.insert(key, value);
            *self = Self::Many(tree);
            return;
        }
        if rows.len() < EXACT {
            rows.reserve_exact(1);
        }
        rows.insert(place, (key, value));
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        match self {
            Self::Few(rows) => {
                let place = rows.binary_search_by(|(one, _)| one.cmp(key)).ok()?;
                Some(rows.remove(place).1)
            }
            Self::Many(rows) => rows.remove(key),
        }
    }

    /// The entries within bounds, in order.
    pub(crate) fn range(&self, bounds: impl RangeBounds<K>) -> Entries<'_, K, V> {
        match self {
            Self::Few(rows) => {
                let first = match bounds.start_bound() {
                    Bound::Unbounded => 0,
                    Bound::Included(key) => rows.partition_point(|(one, _)| one < key),
                    Bound::Excluded(key) => rows.partition_point(|(one, _)| one <= key),
                };
                let end = match bounds.end_bound() {
                    Bound::Unbounded => rows.len(),
                    Bound::Included(key) => rows.partition_point(|(one, _)| one <= key),
                    Bound::Excluded(key) => rows.partition_point(|(one, _)| one < key),
                };
                Entries::Few(rows.get(first..end).unwrap_or_default().iter())
            }
            Self::Many(rows) => Entries::Many(rows.range(bounds)),
        }
    }

    /// The entries in order.
    pub(crate) fn iter(&self) -> Entries<'_, K, V> {
        self.range(..)
    }

    /// The keys in order.
    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    pub(crate) fn first_key_value(&self) -> Option<(&K, &V)> {
        match self {
            Self::Few(rows) => rows.first().map(|(key, value)| (key, value)),
            Self::Many(rows) => rows.first_key_value(),
        }
    }

    pub(crate) fn last_key_value(&self) -> Option<(&K, &V)> {
        match self {
            Self::Few(rows) => rows.last().map(|(key, value)| (key, value)),
            Self::Many(rows) => rows.last_key_value(),
        }
    }
}

impl<K: Ord> FewMap<K, Diff> {
    /// Adds to how often a row is there; one that is there no times is not kept. Whether the row came or went.
    pub(crate) fn add(&mut self, row: K, diff: Diff) -> bool {
        match self {
            Self::Few(rows) => match rows.binary_search_by(|(one, _)| one.cmp(&row)) {
                Ok(place) => {
                    rows[place].1 += diff;
                    let went = rows[place].1 == 0;
                    if went {
                        rows.remove(place);
                    }
                    went
                }
                Err(place) => {
                    if diff != 0 {
                        self.put(place, row, diff);
                    }
                    diff != 0
                }
            },
            Self::Many(rows) => match rows.entry(row) {
                Entry::Occupied(mut times) => {
                    *times.get_mut() += diff;
                    let went = *times.get() == 0;
                    if went {
                        times.remove();
                    }
                    went
                }
                Entry::Vacant(place) => {
                    if diff != 0 {
                        place.insert(diff);
                    }
                    diff != 0
                }
            },
        }
    }
}

/// Entries of a map, in order.
pub(crate) enum Entries<'m, K, V> {
    /// Of a list.
    Few(std::slice::Iter<'m, (K, V)>),
    /// Of a tree.
    Many(std::collections::btree_map::Range<'m, K, V>),
}

impl<'m, K, V> Iterator for Entries<'m, K, V> {
    type Item = (&'m K, &'m V);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Few(rows) => rows.next().map(|(key, value)| (key, value)),
            Self::Many(rows) => rows.next(),
        }
    }
}

impl<K, V> DoubleEndedIterator for Entries<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        match self {
            Self::Few(rows) => rows.next_back().map(|(key, value)| (key, value)),
            Self::Many(rows) => rows.next_back(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FewMap;
    use crate::Diff;
    use crate::rows::add;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::ops::Bound::{Excluded, Included, Unbounded};

    proptest! {
        /// Whatever is done to it, it holds what a tree holds.
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((0..6_u8, 0..40_u8, any::<u8>()), 1..200)) {
            let mut few: FewMap<u8, u8> = FewMap::default();
            let mut tree: BTreeMap<u8, u8> = BTreeMap::new();
            for (what, key, value) in steps {
                match what {
                    0 | 1 => prop_assert_eq!(few.insert(key, value), tree.insert(key, value)),
                    2 => prop_assert_eq!(few.remove(&key), tree.remove(&key)),
                    3 => {
                        let one = *few.or_insert_with(key, || value);
                        prop_assert_eq!(one, *tree.entry(key).or_insert(value));
                    }
                    4 => prop_assert_eq!(few.get_mut(&key), tree.get_mut(&key)),
                    _ => prop_assert_eq!(few.get(&key), tree.get(&key)),
                }
                prop_assert!(few.iter().eq(tree.iter()));
                prop_assert!(few.keys().rev().eq(tree.keys().rev()));
                prop_assert_eq!((few.len(), few.is_empty()), (tree.len(), tree.is_empty()));
                prop_assert_eq!(few.first_key_value(), tree.first_key_value());
                prop_assert_eq!(few.last_key_value(), tree.last_key_value());
                prop_assert!(few.range(..=key).rev().eq(tree.range(..=key).rev()));
                prop_assert!(few.range(key..).eq(tree.range(key..)));
                let open = (Excluded(key), Unbounded);
                prop_assert!(few.range(open).eq(tree.range(open)));
                let within = (Included(key), Excluded(key.saturating_add(value % 9)));
                prop_assert!(few.range(within).eq(tree.range(within)));
            }
        }

        /// Rows that are counted are those of a tree that is.
        #[test]
        fn it_counts(steps in prop::collection::vec((0..40_u8, -2..3_isize), 1..200)) {
            let mut few: FewMap<u8, Diff> = FewMap::default();
            let mut tree: BTreeMap<u8, Diff> = BTreeMap::new();
            for (row, diff) in steps {
                let was_there = tree.contains_key(&row);
                let turned = few.add(row, diff);
                add(&mut tree, row, diff);
                prop_assert_eq!(turned, tree.contains_key(&row) != was_there);
                prop_assert!(few.iter().eq(tree.iter()));
            }
        }
    }
}
