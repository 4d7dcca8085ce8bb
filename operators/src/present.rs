//! Each row once, however often it is there.
//!
//! present = { row : Σ diffs of row ≠ 0 }
//!
//! Work per change: the row. What is kept: one count for each row that is there.

use crate::epochs::{Came, Updates, by_key, each_epoch};
use crate::{Diff, Facts};
use differential_dataflow::{AsCollection as _, ExchangeData};
use std::hash::Hash;
use trueup_model::hash::IdMap;

/// Gives each row once, on the worker of its key.
pub fn present<'s, D: ExchangeData + Hash>(
    name: &'static str,
    rows: Facts<'s, D>,
    key: impl Fn(&D) -> u64 + 'static,
) -> Facts<'s, D> {
    let mut counts: IdMap<D, Count> = IdMap::default();
    each_epoch(by_key(rows, key), name, move |updates, changes| {
        step(&mut counts, updates, changes);
    })
    .as_collection()
}

/// How often a row is there.
#[derive(Clone, Copy, Default)]
struct Count {
    times: Diff,
    /// Whether it was given.
    given: bool,
    /// Whether it may have come or gone in this epoch.
    turned: bool,
}

fn step<D: Hash + Eq + Clone>(
    counts: &mut IdMap<D, Count>,
    updates: Came<D>,
    changes: &mut Updates<D>,
) {
    // Most rows of a hot stream are there already and stay: they cost one look-up.
    let mut turned: Vec<D> = Vec::new();
    for (row, diff) in updates.into_iter().filter(|(_, diff)| *diff != 0) {
        let count = match counts.get_mut(&row) {
            Some(count) => count,
            None => counts.entry(row.clone()).or_default(),
        };
        count.times += diff;
        if count.given != (count.times != 0) && !count.turned {
            count.turned = true;
            turned.push(row);
        }
    }
    for row in turned {
        let Some(count) = counts.get_mut(&row) else { continue };
        count.turned = false;
        let (is_there, was_given) = (count.times != 0, count.given);
        count.given = is_there;
        if !is_there {
            counts.remove(&row);
        }
        match (was_given, is_there) {
            (false, true) => changes.push((row, 1)),
            (true, false) => changes.push((row, -1)),
            (true, true) | (false, false) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::present;
    use crate::testing::run;

    #[test]
    fn a_row_is_there_once_until_it_is_there_no_times() {
        let script = vec![
            vec![(7_u64, 1), (7, 1), (8, 1)],
            vec![(7, -1), (8, -1), (9, 1), (9, -1)],
            vec![(7, -1)],
        ];
        let given = run(2, script, |rows| present("Present", rows, |row| *row));
        assert_eq!(given, vec![vec![(7, 1), (8, 1)], vec![(8, -1)], vec![(7, -1)]]);
    }
}
