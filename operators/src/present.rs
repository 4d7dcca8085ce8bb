//! Each row once, however often it is there.
//!
//! present = { row : Σ diffs of row ≠ 0 }
//!
//! Work per change: the row. What is kept: one count for each row that is there.

use crate::epochs::{Updates, by_key, each_epoch};
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
    let mut counts: IdMap<D, Diff> = IdMap::default();
    each_epoch(by_key(rows, key), name, move |updates, changes| {
        step(&mut counts, updates, changes);
    })
    .as_collection()
}

fn step<D: Hash + Eq + Clone>(
    counts: &mut IdMap<D, Diff>,
    updates: Updates<D>,
    changes: &mut Updates<D>,
) {
    let mut sums: IdMap<D, Diff> = IdMap::default();
    for (row, diff) in updates {
        *sums.entry(row).or_default() += diff;
    }
    for (row, diff) in sums.into_iter().filter(|(_, diff)| *diff != 0) {
        let count = counts.entry(row.clone()).or_default();
        let before = *count;
        *count += diff;
        let now = *count;
        if now == 0 {
            counts.remove(&row);
        }
        match (before == 0, now == 0) {
            (true, false) => changes.push((row, 1)),
            (false, true) => changes.push((row, -1)),
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
