//! Rows that come and go, as a list of their comings and goings.
//!
//! A row that goes says what it was, so nothing is looked for: it is added to the list, and takes back what came when
//! the list is read. Once a quarter of the list has gone, what cancels is taken out. What is full stays where it is:
//! a long list is not copied each time that it has grown.

use crate::Diff;
use differential_dataflow::consolidation::consolidate;

/// Up to how many rows a list takes no more room than it needs.
const EXACT: usize = 4;
/// The fewest rows that went for which a list is put in order.
const GONE_MIN: usize = 8;
/// How many rows stand in one piece.
const PIECE: usize = if cfg!(test) { 16 } else { 256 };

/// Rows that came and went, in no order.
#[derive(Clone, Debug)]
pub(crate) struct Comings<K> {
    /// Full pieces.
    full: Vec<Vec<(K, Diff)>>,
    /// What came last.
    rows: Vec<(K, Diff)>,
    /// How many rows went since what cancels was taken out.
    gone: usize,
}

impl<K> Default for Comings<K> {
    fn default() -> Self {
        Self { full: Vec::new(), rows: Vec::new(), gone: 0 }
    }
}

impl<K: Ord + Copy> Comings<K> {
    /// How many rows the list takes.
    pub(crate) fn len(&self) -> usize {
        self.full.len() * PIECE + self.rows.len()
    }

    /// Looks at where the next row will stand, or near it.
    pub(crate) fn look(&self) -> usize {
        self.rows.last().map_or(0, |(_, diff)| diff.unsigned_abs())
    }

    /// Takes in that a row came or went so many times.
    pub(crate) fn add(&mut self, row: K, diff: Diff) {
        let rows = &mut self.rows;
        if rows.len() >= PIECE {
            self.full.push(std::mem::take(rows));
        }
        if rows.len() == rows.capacity() {
            let more = match (self.full.is_empty(), rows.len()) {
                (false, _) => PIECE / 4,
                (true, ..EXACT) => 1,
                (true, len) => len / 2,
            };
            rows.reserve_exact(more.min(PIECE - rows.len()));
        }
        rows.push((row, diff));
        if diff < 0 {
            self.gone += 1;
            if self.gone >= GONE_MIN && self.gone * 4 >= self.len() {
                self.settle();
            }
        }
    }

    /// Whether something went that may still be in the list.
    pub(crate) fn any_went(&self) -> bool {
        self.gone > 0
    }

    /// The list itself.
    pub(crate) fn into_rows(self) -> impl Iterator<Item = (K, Diff)> {
        self.full.into_iter().flatten().chain(self.rows)
    }

    /// Takes out the rows of which something is so, which must not be many.
    pub(crate) fn take(&mut self, is_so: impl Fn(&K) -> bool) -> Vec<(K, Diff)> {
        if !self.iter().any(|(row, _)| is_so(row)) {
            return Vec::new();
        }
        let all = std::mem::take(self);
        let (taken, left): (Vec<_>, Vec<_>) = all.into_rows().partition(|(row, _)| is_so(row));
        left.into_iter().for_each(|(row, diff)| self.add(row, diff));
        taken
    }

    /// Takes out what cancels.
    pub(crate) fn settle(&mut self) {
        self.gone = 0;
        let mut all = std::mem::take(&mut self.rows);
        if self.full.is_empty() {
            consolidate(&mut all);
            all.shrink_to(all.len() + all.len() / 2);
            self.rows = all;
            return;
        }
        all.extend(std::mem::take(&mut self.full).into_iter().flatten());
        consolidate(&mut all);
        let pieces = all.chunks(PIECE).map(<[_]>::to_vec);
        self.full = pieces.collect();
        self.rows = self.full.pop_if(|last| last.len() < PIECE).unwrap_or_default();
    }

    /// What came and went, with how often: together, each row as often as it is there.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, Diff)> {
        self.full.iter().flatten().chain(&self.rows).map(|(row, diff)| (row, *diff))
    }
}

#[cfg(test)]
mod tests {
    use super::{Comings, GONE_MIN};
    use crate::Diff;
    use crate::rows::add;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Of each identity the content that came last is there, whatever goes in between, and what went takes
        /// no room for long.
        #[test]
        fn the_last_content_of_each_identity_is_kept(
            steps in prop::collection::vec((0..40_u8, prop::option::of(0..9_u8), any::<bool>()), 0..300),
        ) {
            let mut comings: Comings<(u8, u8)> = Comings::default();
            let mut there: BTreeMap<u8, u8> = BTreeMap::new();
            for (name, now, goes_first) in steps {
                let before = match now {
                    Some(now) => there.insert(name, now),
                    None => there.remove(&name),
                };
                let gone = before.map(|one| ((name, one), -1));
                let come = now.map(|one| ((name, one), 1));
                let both = if goes_first { [gone, come] } else { [come, gone] };
                for (row, diff) in both.into_iter().flatten() {
                    comings.add(row, diff);
                }
                let mut all: BTreeMap<(u8, u8), Diff> = BTreeMap::new();
                for (row, diff) in comings.iter() {
                    add(&mut all, *row, diff);
                }
                let expected: BTreeMap<(u8, u8), Diff> =
                    there.iter().map(|(who, one)| ((*who, *one), 1)).collect();
                prop_assert_eq!(all, expected);
                prop_assert!(comings.len() <= there.len() * 2 + 2 * GONE_MIN);
            }
        }

        /// Many rows are all there.
        #[test]
        fn a_long_list_keeps_all(many in 1..2000_u32, gone in 0..1000_u32) {
            let mut comings: Comings<u32> = Comings::default();
            (0..many).for_each(|row| comings.add(row, 1));
            let gone = gone.min(many);
            (0..gone).for_each(|row| comings.add(row, -1));
            let mut all: BTreeMap<u32, Diff> = BTreeMap::new();
            comings.iter().for_each(|(row, diff)| add(&mut all, *row, diff));
            prop_assert_eq!(all, (gone..many).map(|row| (row, 1)).collect::<BTreeMap<_, _>>());
        }
    }
}
