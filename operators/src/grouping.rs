//! Duplicate grouping: which checkouts share licenses, and what the group costs at each instant.
//!
//! units(g, t) = max { count(s) : s ∈ g, s open at t }
//!
//! The largest is the one that costs most: units times what one of them weighs, exactly. A group also
//! says *where* it counts: at the holder of the largest, then of the earliest start, then the smallest
//! holder. So each unit counts for one holder, whatever came first.

use crate::few::FewMap;
use crate::span_index::SpanIndex;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use trueup_model::hash::IdMap;
use trueup_model::processors::Weight;
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};

/// Up to this many rows a group is computed anew as a whole; above, around the change only.
const WHOLE_ROWS_MAX: usize = 48;

/// For whom units count.
pub(crate) trait Holds: Ord + Copy {
    /// What a unit of them weighs.
    fn weight(&self) -> Weight {
        Weight::ONE
    }
}

impl Holds for () {}

/// What a group costs in an interval, and where it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Charge<H> {
    /// When.
    pub(crate) span: Span,
    /// How many licenses.
    pub(crate) units: Quantity,
    /// For whom.
    pub(crate) holder: H,
}

/// The open rows of one group and what they cost.
#[derive(Clone, Debug)]
struct Group<H> {
    /// How many times each (interval, count, holder) is there.
    rows: FewMap<(Span, Quantity, H), i64>,
    /// The rows by day, once there are many.
    index: Option<SpanIndex<(Quantity, H)>>,
    /// What it costs: intervals that do not overlap, by start.
    charges: FewMap<Span, (Quantity, H)>,
}

impl<H> Default for Group<H> {
    fn default() -> Self {
        Self { rows: FewMap::default(), index: None, charges: FewMap::default() }
    }
}

/// Groups by a key, each with what it costs.
#[derive(Clone, Debug)]
pub(crate) struct Grouping<H> {
    groups: IdMap<u64, Group<H>>,
}

impl<H> Default for Grouping<H> {
    fn default() -> Self {
        Self { groups: IdMap::default() }
    }
}

impl<H: Holds> Grouping<H> {
    /// Applies changes to one group and calls `changed` for each charge that goes (-1) or comes (+1).
    ///
    /// Work: the rows that overlap the changed intervals and the charges that these touch; a group of
    /// few rows as a whole.
    pub(crate) fn change(
        &mut self,
        key: u64,
        changes: &[(Span, Quantity, H, i64)],
        mut changed: impl FnMut(Charge<H>, i64),
    ) {
        let group = self.groups.entry(key).or_default();
        let mut window: Option<Span> = None;
        for (span, count, holder, diff) in changes {
            if span.is_empty() {
                continue;
            }
            group.put(*span, *count, *holder, *diff);
            let hull = window.map_or(*span, |old: Span| {
                Span::new(old.start.min(span.start), old.end.max(span.end))
            });
            window = Some(hull);
        }
        let Some(window) = window else { return };
        group.settle(window, &mut changed);
        if group.rows.is_empty() {
            self.groups.remove(&key);
        }
    }
}

impl<H: Holds> Group<H> {
    fn put(&mut self, span: Span, count: Quantity, holder: H, diff: i64) {
        let times = self.rows.or_insert_with((span, count, holder), || 0);
        let before = *times;
        *times += diff;
        let after = *times;
        if after == 0 {
            self.rows.remove(&(span, count, holder));
        }
        if let Some(index) = &mut self.index {
            if after == 0 {
                index.remove(span, (count, holder));
            } else if before == 0 {
                index.insert(span, (count, holder));
            }
        } else if self.rows.len() > WHOLE_ROWS_MAX {
            let mut index = SpanIndex::default();
            for (at, units, whose) in self.rows.keys() {
                index.insert(*at, (*units, *whose));
            }
            self.index = Some(index);
        }
    }

    /// Computes the charges anew wherever the window can have changed them.
    fn settle(&mut self, window: Span, changed: &mut impl FnMut(Charge<H>, i64)) {
        let window = if self.index.is_some() { self.widened(window) } else { Span::ALWAYS };
        let rows: Vec<(Span, Quantity, H)> = match &self.index {
            Some(index) => {
                index.overlapping(window).into_iter().map(|(span, (n, h))| (span, n, h)).collect()
            }
            None => self.rows.keys().copied().collect(),
        };
        let new = sweep(&rows, window);
        let old: BTreeMap<Span, (Quantity, H)> = self
            .charges
            .range(Span::new(window.start, window.start)..)
            .take_while(|(span, _)| span.start < window.end)
            .map(|(span, charge)| (*span, *charge))
            .collect();
        for (span, (units, holder)) in &old {
            if new.get(span) != Some(&(*units, *holder)) {
                self.charges.remove(span);
                changed(Charge { span: *span, units: *units, holder: *holder }, -1);
            }
        }
        for (span, (units, holder)) in new {
            if old.get(&span) != Some(&(units, holder)) {
                self.charges.insert(span, (units, holder));
                changed(Charge { span, units, holder }, 1);
            }
        }
    }

    /// The window with every charge that overlaps or touches it.
    fn widened(&self, window: Span) -> Span {
        let mut wide = window;
        let first = self.charges.range(..Span::new(window.start, window.start)).next_back();
        if let Some((span, _)) = first
            && span.end >= window.start
        {
            wide.start = span.start;
        }
        let last = self.charges.range(..=Span::from(window.end)).next_back();
        if let Some((span, _)) = last {
            wide.end = wide.end.max(span.end);
        }
        wide
    }
}

/// A row's place among those of its group: the first decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rank<H> {
    units: Quantity,
    start: Timestamp,
    holder: H,
}

impl<H: Holds> Ord for Rank<H> {
    fn cmp(&self, other: &Self) -> Ordering {
        let [weight, others] = [self.holder.weight(), other.holder.weight()];
        let costs = others.compare_weighed(other.units, &weight, self.units);
        let rest = (self.start, self.holder).cmp(&(other.start, other.holder));
        costs.then(rest).then(other.units.cmp(&self.units))
    }
}

impl<H: Holds> PartialOrd for Rank<H> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What rows cost inside a window: the winner of each instant, in the longest intervals.
fn sweep<H: Holds>(rows: &[(Span, Quantity, H)], window: Span) -> BTreeMap<Span, (Quantity, H)> {
    let mut turns = Vec::with_capacity(rows.len() * 2);
    for (span, count, holder) in rows {
        if let Some(inside) = span.overlap(window) {
            let rank = Rank { units: *count, start: span.start, holder: *holder };
            turns.push((inside.start, rank, 1_i64));
            turns.push((inside.end, rank, -1));
        }
    }
    turns.sort_unstable();
    let mut charges: BTreeMap<Span, (Quantity, H)> = BTreeMap::new();
    let mut open: BTreeMap<Rank<H>, i64> = BTreeMap::new();
    let mut since = window.start;
    let mut last: Option<(Span, (Quantity, H))> = None;
    for (at, rank, change) in turns {
        if at > since {
            if let Some(first) = open.keys().next() {
                let now = (first.units, first.holder);
                last = match last {
                    Some((span, before)) if before == now && span.end == since => {
                        Some((Span::new(span.start, at), now))
                    }
                    other => {
                        charges.extend(other);
                        Some((Span::new(since, at), now))
                    }
                };
            }
            since = at;
        }
        let times = open.entry(rank).or_default();
        *times += change;
        if *times == 0 {
            open.remove(&rank);
        }
    }
    charges.extend(last);
    charges
}

#[cfg(test)]
mod tests {
    //! Against the definition, instant by instant, through any sequence of changes.

    use super::{Grouping, Holds};
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use trueup_model::processors::Weight;
    use trueup_model::quantity::Quantity;
    use trueup_model::time::{Span, Timestamp};

    /// Holder 2 weighs two thirds.
    impl Holds for u8 {
        fn weight(&self) -> Weight {
            let value = if *self == 2 { 2 } else { 3 };
            Weight { value: Quantity(value), per: Quantity(3) }
        }
    }

    type Row = (Span, Quantity, u8);
    /// Start, length, count, holder, and whether it has no end.
    type Change = (i64, i64, u32, u8, bool);

    /// What the definition says at an instant.
    fn expected(rows: &[Row], at: Timestamp) -> Option<(Quantity, u8)> {
        rows.iter()
            .filter(|(span, ..)| span.contains(at))
            .min_by_key(|(span, count, holder)| {
                let thirds = count.0 * if *holder == 2 { 2 } else { 3 };
                (std::cmp::Reverse(thirds), span.start, *holder)
            })
            .map(|(_, count, holder)| (*count, *holder))
    }

    fn check(steps: &[Vec<Change>], scale: i64) -> Result<(), TestCaseError> {
        let mut grouping = Grouping::default();
        let mut rows: Vec<Row> = Vec::new();
        let mut charges: BTreeMap<(Span, Quantity, u8), i64> = BTreeMap::new();
        for step in steps {
            let mut changes = Vec::new();
            for (start, length, count, holder, open) in step {
                let start = Timestamp(start * scale);
                let end = if *open { Timestamp::MAX } else { Timestamp(start.0 + length * scale) };
                let row = (Span::new(start, end), Quantity(i64::from(*count)), *holder);
                // An existing row goes, a new one comes.
                match rows.iter().position(|old| *old == row) {
                    Some(place) => {
                        rows.remove(place);
                        changes.push((row.0, row.1, row.2, -1));
                    }
                    None => {
                        rows.push(row);
                        changes.push((row.0, row.1, row.2, 1));
                    }
                }
            }
            grouping.change(7, &changes, |charge, diff| {
                *charges.entry((charge.span, charge.units, charge.holder)).or_default() += diff;
            });
            charges.retain(|_, times| *times != 0);
            prop_assert!(charges.values().all(|times| *times == 1), "{charges:?}");
            let mut ordered: Vec<_> = charges.keys().copied().collect();
            ordered.sort_unstable();
            for pair in ordered.windows(2) {
                prop_assert!(pair[0].0.end <= pair[1].0.start, "overlap");
                let touch = pair[0].0.end == pair[1].0.start;
                prop_assert!(!touch || pair[0].1 != pair[1].1 || pair[0].2 != pair[1].2, "split");
            }
            for instant in 0..40 {
                let at = Timestamp(instant * scale);
                let found = charges.keys().find(|(span, ..)| span.contains(at)).map(|c| (c.1, c.2));
                prop_assert_eq!(found, expected(&rows, at), "at {}", instant);
            }
        }
        Ok(())
    }

    fn steps(rows: usize, steps: usize) -> impl Strategy<Value = Vec<Vec<Change>>> {
        let row = (0_i64..30, 0_i64..9, 1_u32..4, 0_u8..3, prop::bool::weighted(0.1));
        prop::collection::vec(prop::collection::vec(row, 1..rows), 1..steps)
    }

    proptest! {
        #[test]
        fn a_small_group_costs_its_largest_open_count(steps in steps(4, 12)) {
            check(&steps, 1)?;
        }

        #[test]
        fn a_large_group_costs_its_largest_open_count(steps in steps(40, 12)) {
            check(&steps, 3_600_000_000 * 7)?;
        }
    }
}
