//! The rows of one key, with how often each is there: a sorted list while they are few, a tree when
//! they are many.

use crate::Diff;
use crate::rows::add;
use std::collections::BTreeMap;

/// The most rows that a list holds.
const FEW: usize = 16;

/// Rows with how often each is there, in order.
pub(super) enum Group<V> {
    /// A sorted list.
    Few(Vec<(V, Diff)>),
    /// A tree.
    Many(BTreeMap<V, Diff>),
}

impl<V> Default for Group<V> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<V: Ord> Group<V> {
    /// Adds to how often a row is there.
    pub(super) fn add(&mut self, row: V, diff: Diff) {
        let rows = match self {
            Self::Few(rows) => rows,
            Self::Many(rows) => return add(rows, row, diff),
        };
        match rows.binary_search_by(|(one, _)| one.cmp(&row)) {
            Ok(place) => {
                rows[place].1 += diff;
                if rows[place].1 == 0 {
                    rows.remove(place);
                }
            }
            Err(_) if diff == 0 => {}
            Err(place) if rows.len() < FEW => {
                // A list of one takes the room of one: most keys have one row.
                if rows.is_empty() {
                    rows.reserve_exact(1);
                }
                rows.insert(place, (row, diff));
            }
            Err(_) => {
                let mut many: BTreeMap<V, Diff> = std::mem::take(rows).into_iter().collect();
                many.insert(row, diff);
                *self = Self::Many(many);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Few(rows) => rows.is_empty(),
            Self::Many(rows) => rows.is_empty(),
        }
    }

    /// The rows in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&V, Diff)> {
        let (few, many) = match self {
            Self::Few(rows) => (Some(rows.iter().map(|(row, times)| (row, *times))), None),
            Self::Many(rows) => (None, Some(rows.iter().map(|(row, times)| (row, *times)))),
        };
        few.into_iter().flatten().chain(many.into_iter().flatten())
    }
}
