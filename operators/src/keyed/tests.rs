//! Joins and groups against plain loops over random histories.

use super::{Keyed as _, Rows as _};
use crate::Diff;
use crate::testing::{Given, run};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Which side a row enters, its key and its value.
type Row = (bool, u8, u8);
type Script = Vec<Vec<(Row, Diff)>>;

fn script() -> impl Strategy<Value = Script> {
    let row = (any::<bool>(), 0..4_u8, 0..40_u8);
    let update = (row, prop_oneof![Just(1), Just(1), Just(-1), Just(2)]);
    prop::collection::vec(prop::collection::vec(update, 0..24), 1..8)
}

/// What holds after each epoch by plain loops, as the differences between them.
fn expected<O: Ord + Clone>(
    script: &Script,
    evaluate: impl Fn(&BTreeMap<Row, Diff>) -> BTreeMap<O, Diff>,
) -> Vec<Given<O>> {
    let mut rows: BTreeMap<Row, Diff> = BTreeMap::new();
    let mut before: BTreeMap<O, Diff> = BTreeMap::new();
    let epochs = script.iter().map(|updates| {
        for (row, diff) in updates {
            *rows.entry(*row).or_default() += diff;
        }
        rows.retain(|_, times| *times != 0);
        let now = evaluate(&rows);
        let mut changed = now.clone();
        for (row, times) in std::mem::replace(&mut before, now) {
            *changed.entry(row).or_default() -= times;
        }
        changed.into_iter().filter(|(_, diff)| *diff != 0).collect()
    });
    epochs.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_join_is_every_pair(script in script(), workers in 1..3_usize) {
        let must = expected(&script, |rows| {
            let mut found: BTreeMap<(u8, u8, u8), Diff> = BTreeMap::new();
            for ((_, key, one), n) in rows.iter().filter(|((left, ..), _)| *left) {
                for ((_, other, two), m) in rows.iter().filter(|((left, ..), _)| !*left) {
                    if key == other {
                        *found.entry((*key, *one, *two)).or_default() += n * m;
                    }
                }
            }
            found.retain(|_, times| *times != 0);
            found
        });
        let is = run(workers, script, |rows| {
            let side = |wanted: bool| {
                rows.clone().flat_map(move |(left, key, value)| {
                    (left == wanted).then_some((key, value))
                })
            };
            side(true).joined(side(false), |key, one, two| (*key, *one, *two))
        });
        prop_assert_eq!(is, must);
    }

    #[test]
    fn a_group_is_what_its_rows_give(script in script(), workers in 1..3_usize) {
        let must = expected(&script, |rows| {
            let mut sums: BTreeMap<u8, Diff> = BTreeMap::new();
            for ((_, key, value), times) in rows {
                *sums.entry(*key).or_default() += times * Diff::from(*value);
            }
            let present = sums.into_iter().map(|(key, sum)| ((key, sum), 1));
            present.collect()
        });
        let is = run(workers, script, |rows| {
            rows.map(|(left, key, value)| (key, (left, value))).grouped("Sum", |_, rows, found| {
                let sum: Diff = rows.iter().map(|((_, value), n)| n * Diff::from(*value)).sum();
                found.push((sum, 1));
            })
        });
        prop_assert_eq!(is, must);
    }

    #[test]
    fn keys_keep_and_drop_rows(script in script(), workers in 1..3_usize) {
        let must = expected(&script, |rows| {
            let keyed = |key: &u8| rows.iter().any(|((left, one, _), _)| !*left && one == key);
            let mut found: BTreeMap<(bool, u8, u8), Diff> = BTreeMap::new();
            for ((_, key, value), times) in rows.iter().filter(|((left, ..), _)| *left) {
                found.insert((keyed(key), *key, *value), *times);
            }
            found
        });
        let is = run(workers, script, |rows| {
            let named = rows.clone().filter(|(left, ..)| !*left).once();
            let keys = named.map(|(_, key, _)| key).once();
            let rows = rows.filter(|(left, ..)| *left).map(|(_, key, value)| (key, value));
            let kept = rows.clone().kept_by(keys.clone()).map(|(key, value)| (true, key, value));
            kept.concat(rows.dropped_by(keys).map(|(key, value)| (false, key, value)))
        });
        prop_assert_eq!(is, must);
    }

    #[test]
    fn rows_are_counted(script in script(), workers in 1..3_usize) {
        let must = expected(&script, |rows| {
            rows.iter().map(|(row, times)| ((*row, *times), 1)).collect()
        });
        let is = run(workers, script, |rows| rows.counts());
        prop_assert_eq!(is, must);
    }
}
