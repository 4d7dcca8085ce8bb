//! Rows up to the horizon: what lies beyond it waits.
//!
//! due = { row : row's instant ≤ horizon }
//!
//! The horizon never goes back, so a row that is due stays due. Connectors deliver events after they
//! happened; the few whose clocks run ahead wait here until the horizon has passed them, as deadlines do,
//! so that no figure contains what lies beyond its own `as_of`.
//!
//! Work per change: the row; when the horizon moves, the rows that it passed. Until there is a horizon, as when an
//! engine begins with a snapshot, everything that has a beginning waits as it came, in no order.

use crate::comings::Comings;
use crate::epochs::{Sent, Updates, each_epoch_of, everywhere, operator};
use crate::{Diff, Facts};
use differential_dataflow::consolidation::consolidate;
use differential_dataflow::{AsCollection as _, ExchangeData};
use std::collections::BTreeMap;
use trueup_model::time::Timestamp;

/// Lets through what is due; each row comes with its instant.
pub fn due<'s, D: ExchangeData + Copy>(
    rows: Facts<'s, (Timestamp, D)>,
    horizon: Facts<'s, Timestamp>,
) -> Facts<'s, D> {
    let heard = (rows.inner, everywhere(horizon));
    let mut waiting = Waiting::default();
    let builder = operator("Due", &heard.0);
    each_epoch_of(builder, heard, move |(came, moved), told: &mut Sent<D>| {
        waiting.step(came, moved, told);
    })
    .as_collection()
}

/// Rows that lie beyond a horizon.
#[derive(Debug)]
pub(crate) struct Beyond<D> {
    rows: BTreeMap<(Timestamp, D), Diff>,
}

impl<D> Default for Beyond<D> {
    fn default() -> Self {
        Self { rows: BTreeMap::new() }
    }
}

impl<D: Ord + Copy> Beyond<D> {
    /// Takes in that a row came or went.
    pub(crate) fn add(&mut self, at: Timestamp, row: D, diff: Diff) {
        let count = self.rows.entry((at, row)).or_default();
        *count += diff;
        if *count == 0 {
            self.rows.remove(&(at, row));
        }
    }

    /// Takes out the first row that a horizon has passed.
    pub(crate) fn first(&mut self, horizon: Timestamp) -> Option<(D, Diff)> {
        let first = self.rows.first_entry().filter(|first| first.key().0 <= horizon)?;
        let ((_, row), count) = first.remove_entry();
        Some((row, count))
    }
}

/// What is not due yet.
struct Waiting<D> {
    horizon: Timestamp,
    /// What came before there was a horizon.
    early: Comings<(Timestamp, D)>,
    beyond: Beyond<D>,
}

impl<D: Ord> Default for Waiting<D> {
    fn default() -> Self {
        let horizon = Timestamp::MIN;
        Self { horizon, early: Comings::default(), beyond: Beyond::default() }
    }
}

impl<D: Ord + Copy> Waiting<D> {
    /// Lets through what is due: what came, and what the horizon has passed.
    fn step(
        &mut self,
        came: impl IntoIterator<Item = ((Timestamp, D), Diff)>,
        moved: impl IntoIterator<Item = (Timestamp, Diff)>,
        told: &mut impl Extend<(D, Diff)>,
    ) {
        let before = self.horizon;
        for (at, _) in moved.into_iter().filter(|(_, diff)| *diff > 0) {
            self.horizon = self.horizon.max(at);
        }
        if self.horizon == Timestamp::MIN {
            for ((at, row), diff) in came {
                match at == Timestamp::MIN {
                    // What has no beginning is due whenever that is.
                    true => told.extend([(row, diff)]),
                    false => self.early.add((at, row), diff),
                }
            }
            return;
        }
        let mut passed: Updates<D> = Vec::new();
        let mut waited = false;
        if before == Timestamp::MIN {
            let early = std::mem::take(&mut self.early);
            waited = early.any_went();
            for ((at, row), diff) in early.into_rows() {
                match waited {
                    true => self.hear(at, row, diff, &mut passed),
                    // There may be very many.
                    false => self.hear(at, row, diff, told),
                }
            }
        }
        for ((at, row), diff) in came {
            if at <= before {
                told.extend([(row, diff)]);
            } else {
                self.hear(at, row, diff, &mut passed);
            }
        }
        while let Some(row) = self.beyond.first(self.horizon) {
            passed.push(row);
            waited = true;
        }
        // What was replaced while it waited comes and goes at once.
        if waited {
            consolidate(&mut passed);
        }
        told.extend(passed);
    }

    /// Lets a row through, or has it wait.
    fn hear(&mut self, at: Timestamp, row: D, diff: Diff, passed: &mut impl Extend<(D, Diff)>) {
        if at <= self.horizon {
            passed.extend([(row, diff)]);
            return;
        }
        self.beyond.add(at, row, diff);
    }
}

#[cfg(test)]
mod tests {
    use super::Waiting;
    use crate::Diff;
    use crate::epochs::Updates;
    use crate::rows::add;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use trueup_model::time::Timestamp;

    proptest! {
        /// Whenever the horizon begins and however it moves on, what was let through is what is due.
        #[test]
        fn what_is_due_is_let_through(
            steps in prop::collection::vec(
                (prop::collection::vec((0..9_i64, 0..5_u8, any::<bool>()), 0..8), prop::option::of(0..4_i64)),
                1..20,
            ),
        ) {
            let mut waiting: Waiting<u8> = Waiting::default();
            let mut horizon: Option<i64> = None;
            let mut there: BTreeMap<(i64, u8), Diff> = BTreeMap::new();
            let mut told: BTreeMap<u8, Diff> = BTreeMap::new();
            for (rows, passes) in steps {
                let mut came = Vec::new();
                for (at, row, comes) in rows {
                    // What has no beginning is due without a horizon.
                    let at = if at == 0 { i64::MIN } else { at };
                    let diff = if comes { 1 } else { -1 };
                    if comes || there.contains_key(&(at, row)) {
                        add(&mut there, (at, row), diff);
                        came.push(((Timestamp(at), row), diff));
                    }
                }
                let moved = passes.map(|by| {
                    horizon = Some(horizon.unwrap_or(0) + by);
                    (Timestamp(horizon.unwrap_or(0)), 1)
                });
                let mut changes: Updates<u8> = Vec::new();
                waiting.step(came, moved, &mut changes);
                changes.into_iter().for_each(|(row, diff)| add(&mut told, row, diff));
                let mut due: BTreeMap<u8, Diff> = BTreeMap::new();
                for ((at, row), count) in &there {
                    if *at == i64::MIN || horizon.is_some_and(|horizon| *at <= horizon) {
                        add(&mut due, *row, *count);
                    }
                }
                prop_assert_eq!(&told, &due);
            }
        }
    }
}
