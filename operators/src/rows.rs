//! Counted rows: how often each is there, and none of those that are not.

use crate::Diff;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Adds to how often a row is there.
pub(crate) fn add<K: Ord>(rows: &mut BTreeMap<K, Diff>, row: K, diff: Diff) {
    match rows.entry(row) {
        Entry::Vacant(place) if diff != 0 => {
            place.insert(diff);
        }
        Entry::Vacant(_) => {}
        Entry::Occupied(mut place) => {
            *place.get_mut() += diff;
            if *place.get() == 0 {
                place.remove();
            }
        }
    }
}
