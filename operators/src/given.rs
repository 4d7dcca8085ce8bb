//! Rows that an operator has given, and those that changed since it gave them.

use crate::epochs::Updates;
use std::collections::BTreeMap;
use std::ops::RangeBounds;

/// Given rows by key.
#[derive(Debug)]
pub(crate) struct Given<K, R> {
    rows: BTreeMap<K, R>,
    /// What was given of each key that was touched.
    before: BTreeMap<K, Option<R>>,
}

impl<K, R> Default for Given<K, R> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), before: BTreeMap::new() }
    }
}

impl<K: Ord + Copy, R: Copy + PartialEq> Given<K, R> {
    /// Replaces the row of a key.
    pub(crate) fn set(&mut self, key: K, row: Option<R>) {
        let old = match row {
            Some(row) => self.rows.insert(key, row),
            None => self.rows.remove(&key),
        };
        self.before.entry(key).or_insert(old);
    }

    /// Notes that the row of a key will have to be made anew.
    pub(crate) fn touch(&mut self, key: K) {
        let row = self.rows.get(&key).copied();
        self.before.entry(key).or_insert(row);
    }

    /// The keys that were touched since rows were last given.
    pub(crate) fn touched(&self) -> Vec<K> {
        self.before.keys().copied().collect()
    }

    /// The keys of a range that have rows.
    pub(crate) fn keys(&self, range: impl RangeBounds<K>) -> Vec<K> {
        self.rows.range(range).map(|(key, _)| *key).collect()
    }

    /// Gives what changed.
    pub(crate) fn flush<O>(&mut self, changes: &mut Updates<O>, found: impl Fn(R) -> O) {
        for (key, old) in std::mem::take(&mut self.before) {
            let now = self.rows.get(&key).copied();
            if old != now {
                changes.extend(old.map(|row| (found(row), -1)));
                changes.extend(now.map(|row| (found(row), 1)));
            }
        }
    }
}
