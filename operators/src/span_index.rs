//! Finds the intervals that overlap a window, without looking at the others.
//!
//! Each interval is listed under every day that it touches; the few that are longer than
//! [`DAYS_MAX`] days, or have no end, are listed apart and looked at always.

use std::collections::{BTreeMap, BTreeSet};
use trueup_model::time::{DAY_US, Span, Timestamp};

/// The most days under which an interval is listed.
const DAYS_MAX: i64 = 40;

/// Intervals with what they carry, by the days that they touch.
#[derive(Clone, Debug)]
pub(crate) struct SpanIndex<T> {
    days: BTreeMap<i64, BTreeSet<(Span, T)>>,
    long: BTreeSet<(Span, T)>,
}

impl<T> Default for SpanIndex<T> {
    fn default() -> Self {
        Self { days: BTreeMap::new(), long: BTreeSet::new() }
    }
}

impl<T: Ord + Copy> SpanIndex<T> {
    /// Adds an interval; adding it twice is adding it once.
    pub(crate) fn insert(&mut self, span: Span, value: T) {
        match listed(span) {
            Some(days) => {
                for day in days {
                    self.days.entry(day).or_default().insert((span, value));
                }
            }
            None => {
                self.long.insert((span, value));
            }
        }
    }

    /// Takes an interval out.
    pub(crate) fn remove(&mut self, span: Span, value: T) {
        let Some(days) = listed(span) else {
            self.long.remove(&(span, value));
            return;
        };
        for day in days {
            if let Some(rows) = self.days.get_mut(&day) {
                rows.remove(&(span, value));
                if rows.is_empty() {
                    self.days.remove(&day);
                }
            }
        }
    }

    /// The intervals that share an instant with the window, each once, in order.
    pub(crate) fn overlapping(&self, window: Span) -> BTreeSet<(Span, T)> {
        let mut found: BTreeSet<(Span, T)> =
            self.long.iter().filter(|(span, _)| span.overlaps(window)).copied().collect();
        if window.is_empty() {
            return found;
        }
        for (_, rows) in self.days.range(day(window.start)..=day(window.end)) {
            found.extend(rows.iter().filter(|(span, _)| span.overlaps(window)));
        }
        found
    }
}

fn day(at: Timestamp) -> i64 {
    at.0.div_euclid(DAY_US)
}

/// The days under which an interval is listed; `None` if it is long.
fn listed(span: Span) -> Option<std::ops::RangeInclusive<i64>> {
    let (first, last) = (day(span.start), day(span.end));
    (last.saturating_sub(first) < DAYS_MAX).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    //! Against a plain list.

    use super::SpanIndex;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use trueup_model::time::{DAY_US, Span, Timestamp};

    fn spans() -> impl Strategy<Value = Span> {
        (0_i64..100, prop_oneof![Just(None), (0_i64..60).prop_map(Some)]).prop_map(
            |(start, length)| {
                let start = Timestamp(start * DAY_US / 2);
                match length {
                    Some(length) => Span::new(start, Timestamp(start.0 + length * DAY_US)),
                    None => Span::from(start),
                }
            },
        )
    }

    proptest! {
        #[test]
        fn the_overlapping_intervals_are_found(
            rows in prop::collection::vec((spans(), 0_u8..4, any::<bool>()), 0..30),
            window in spans(),
        ) {
            let mut index = SpanIndex::default();
            let mut list = BTreeSet::new();
            for (span, value, keep) in rows {
                index.insert(span, value);
                list.insert((span, value));
                if !keep {
                    index.remove(span, value);
                    list.remove(&(span, value));
                }
            }
            let expected: BTreeSet<_> =
                list.into_iter().filter(|(span, _)| span.overlaps(window)).collect();
            prop_assert_eq!(index.overlapping(window), expected);
        }
    }
}
