//! Rows up to the horizon: what lies beyond it waits.
//!
//! due = { row : row's instant ≤ horizon }
//!
//! The horizon never goes back, so a row that is due stays due. Connectors deliver events after they
//! happened; the few whose clocks run ahead wait here until the horizon has passed them, as deadlines do,
//! so that no figure contains what lies beyond its own `as_of`.
//!
//! Work per change: the row; when the horizon moves, the rows that it passed.

use crate::epochs::{Updates, each_epoch_of, everywhere, operator};
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
    each_epoch_of(builder, heard, move |(came, moved), changes| {
        waiting.step(came, moved, changes);
    })
    .as_collection()
}

/// What is not due yet.
pub(crate) struct Waiting<D> {
    horizon: Timestamp,
    rows: BTreeMap<(Timestamp, D), Diff>,
}

impl<D: Ord> Default for Waiting<D> {
    fn default() -> Self {
        Self { horizon: Timestamp::MIN, rows: BTreeMap::new() }
    }
}

impl<D: Ord + Copy> Waiting<D> {
    /// Lets through what is due: what came, and what the horizon has passed.
    pub(crate) fn step(
        &mut self,
        came: impl IntoIterator<Item = ((Timestamp, D), Diff)>,
        moved: impl IntoIterator<Item = (Timestamp, Diff)>,
        changes: &mut Updates<D>,
    ) {
        let before = self.horizon;
        for (at, _) in moved.into_iter().filter(|(_, diff)| *diff > 0) {
            self.horizon = self.horizon.max(at);
        }
        let mut passed: Updates<D> = Vec::new();
        for ((at, row), diff) in came {
            if at <= before {
                changes.push((row, diff));
            } else if at <= self.horizon {
                passed.push((row, diff));
            } else {
                let count = self.rows.entry((at, row)).or_default();
                *count += diff;
                if *count == 0 {
                    self.rows.remove(&(at, row));
                }
            }
        }
        let waited = self.rows.first_key_value().is_some_and(|((at, _), _)| *at <= self.horizon);
        while let Some(first) = self.rows.first_entry() {
            if first.key().0 > self.horizon {
                break;
            }
            let ((_, row), count) = first.remove_entry();
            passed.push((row, count));
        }
        // What was replaced while it waited comes and goes at once.
        if waited {
            consolidate(&mut passed);
        }
        changes.append(&mut passed);
    }
}
