//! Joins and reductions by key, over hash tables.
//!
//! grouped(k)   = logic(k, { (v, times) : (k, v) ∈ rows }), for keys with rows
//! joined       = { f(k, v, w) : (k, v) ∈ rows, (k, w) ∈ others }, times multiplied
//! kept_by      = { (k, v) ∈ rows : k ∈ keys },  dropped_by = those whose key is not
//! once         = { row : times ≠ 0 },  counts = { (row, times) : times ≠ 0 }
//!
//! Epochs are totally ordered, so a table of what holds now is all that must be kept, and a key is looked
//! up once for each change of it. What is given is what changed and no more, but a join gives what comes
//! and goes within one epoch too.
//!
//! Work per change: joins, the rows of the other side; groups, the rows of the key. What is kept: the
//! rows, and what was given for each group.

use crate::bag::Bag;
use crate::epochs::{Updates, by_key, each_epoch, each_epoch_of, operator};
use crate::few::FewMap;
use crate::present::present;
use crate::{Diff, Facts};
use differential_dataflow::consolidation::consolidate;
use differential_dataflow::{AsCollection as _, ExchangeData};
use std::hash::{BuildHasher as _, BuildHasherDefault, Hash};
use trueup_model::hash::{IdMap, WordHasher};

/// What a key must be.
pub(crate) trait KeyData: ExchangeData + Hash {}
impl<K: ExchangeData + Hash> KeyData for K {}

/// The worker's share of a key.
fn share<K: Hash>(key: &K) -> u64 {
    let hash = BuildHasherDefault::<WordHasher>::default().hash_one(key);
    // Its upper half depends on every word of the key.
    hash ^ (hash >> 32)
}

/// Rows by key.
pub(crate) trait Keyed<'s, K: KeyData, V: KeyData> {
    /// Gives for each key what `logic` makes of its rows, in order, with how often each is there.
    fn grouped<O: ExchangeData>(
        self,
        name: &str,
        logic: impl FnMut(&K, &[(&V, Diff)], &mut Vec<(O, Diff)>) + 'static,
    ) -> Facts<'s, (K, O)>;

    /// Brings together rows of one key.
    fn joined<W: KeyData, O: Clone + 'static>(
        self,
        others: Facts<'s, (K, W)>,
        f: impl FnMut(&K, &V, &W) -> O + 'static,
    ) -> Facts<'s, O>;

    /// The rows of some keys.
    fn kept_by(self, keys: Facts<'s, K>) -> Facts<'s, (K, V)>;

    /// The rows of all keys but some, each of which is there once.
    fn dropped_by(self, keys: Facts<'s, K>) -> Facts<'s, (K, V)>;
}

/// The rows of both sides that have one key.
type Sides<V, W> = (Bag<V>, Bag<W>);

impl<'s, K: KeyData, V: KeyData> Keyed<'s, K, V> for Facts<'s, (K, V)> {
    fn grouped<O: ExchangeData>(
        self,
        name: &str,
        mut logic: impl FnMut(&K, &[(&V, Diff)], &mut Vec<(O, Diff)>) + 'static,
    ) -> Facts<'s, (K, O)> {
        let mut groups: IdMap<K, Grouped<V, O>> = IdMap::default();
        let rows = by_key(self, |(key, _)| share(key));
        each_epoch(rows, name, move |updates, changes| {
            let mut touched: Vec<K> = Vec::new();
            for ((key, row), diff) in updates {
                let grouped = groups.entry(key.clone()).or_default();
                grouped.rows.add(row, diff);
                if !std::mem::replace(&mut grouped.touched, true) {
                    touched.push(key);
                }
            }
            for key in touched {
                let Some(grouped) = groups.get_mut(&key) else { continue };
                grouped.settle(&key, &mut logic, changes);
                if grouped.rows.is_empty() && grouped.given.is_empty() {
                    groups.remove(&key);
                }
            }
        })
        .as_collection()
    }

    fn joined<W: KeyData, O: Clone + 'static>(
        self,
        others: Facts<'s, (K, W)>,
        mut f: impl FnMut(&K, &V, &W) -> O + 'static,
    ) -> Facts<'s, O> {
        let heard = (by_key(self, |(key, _)| share(key)), by_key(others, |(key, _)| share(key)));
        let mut keys: IdMap<K, Sides<V, W>> = IdMap::default();
        let builder = operator("Join", &heard.0);
        each_epoch_of(builder, heard, move |(lefts, rights), changes: &mut Updates<O>| {
            for ((key, row), diff) in lefts {
                let (left, right) = keys.entry(key.clone()).or_default();
                changes.extend(right.iter().map(|(one, n)| (f(&key, &row, one), n * diff)));
                left.add(row, diff);
                if left.is_empty() && right.is_empty() {
                    keys.remove(&key);
                }
            }
            for ((key, row), diff) in rights {
                let (left, right) = keys.entry(key.clone()).or_default();
                changes.extend(left.iter().map(|(one, n)| (f(&key, one, &row), n * diff)));
                right.add(row, diff);
                if left.is_empty() && right.is_empty() {
                    keys.remove(&key);
                }
            }
        })
        .as_collection()
    }

    fn kept_by(self, keys: Facts<'s, K>) -> Facts<'s, (K, V)> {
        chosen("Kept", self, keys, |times| times)
    }

    fn dropped_by(self, keys: Facts<'s, K>) -> Facts<'s, (K, V)> {
        chosen("Dropped", self, keys, |times| 1 - times)
    }
}

/// Gives each row as often as `weight` says of how often its key is there.
fn chosen<'s, K: KeyData, V: KeyData>(
    name: &str,
    rows: Facts<'s, (K, V)>,
    keys: Facts<'s, K>,
    weight: impl Fn(Diff) -> Diff + 'static,
) -> Facts<'s, (K, V)> {
    let heard = (by_key(rows, |(key, _)| share(key)), by_key(keys, share));
    let mut known: IdMap<K, (Bag<V>, Diff)> = IdMap::default();
    let builder = operator(name, &heard.0);
    each_epoch_of(builder, heard, move |(came, turned), changes: &mut Updates<(K, V)>| {
        for ((key, row), diff) in came {
            let (bag, times) = known.entry(key.clone()).or_default();
            let weighed = diff * weight(*times);
            if weighed != 0 {
                changes.push(((key.clone(), row.clone()), weighed));
            }
            bag.add(row, diff);
            if bag.is_empty() && *times == 0 {
                known.remove(&key);
            }
        }
        for (key, diff) in turned {
            let (bag, times) = known.entry(key.clone()).or_default();
            let more = weight(*times + diff) - weight(*times);
            let all = bag.iter().filter(|_| more != 0);
            changes.extend(all.map(|(row, n)| ((key.clone(), row.clone()), n * more)));
            *times += diff;
            if bag.is_empty() && *times == 0 {
                known.remove(&key);
            }
        }
    })
    .as_collection()
}

/// The rows of a key, and what was given for them.
struct Grouped<V, O> {
    rows: FewMap<V, Diff>,
    given: Vec<(O, Diff)>,
    /// Whether the rows changed in this epoch.
    touched: bool,
}

impl<V, O> Default for Grouped<V, O> {
    fn default() -> Self {
        Self { rows: FewMap::default(), given: Vec::new(), touched: false }
    }
}

impl<V: Ord, O: Ord + Clone> Grouped<V, O> {
    fn settle<K: Clone>(
        &mut self,
        key: &K,
        logic: &mut impl FnMut(&K, &[(&V, Diff)], &mut Vec<(O, Diff)>),
        changes: &mut Vec<((K, O), Diff)>,
    ) {
        self.touched = false;
        let mut now = Vec::new();
        if !self.rows.is_empty() {
            let rows: Vec<(&V, Diff)> = self.rows.iter().map(|(row, n)| (row, *n)).collect();
            logic(key, &rows, &mut now);
            consolidate(&mut now);
        }
        let mut changed = now.clone();
        let before = std::mem::replace(&mut self.given, now);
        changed.extend(before.into_iter().map(|(row, diff)| (row, -diff)));
        consolidate(&mut changed);
        changes.extend(changed.into_iter().map(|(row, diff)| ((key.clone(), row), diff)));
    }
}

/// Rows as such.
pub(crate) trait Rows<'s, D: KeyData> {
    /// Each row once.
    fn once(self) -> Facts<'s, D>;

    /// Each row with how often it is there.
    fn counts(self) -> Facts<'s, (D, Diff)>;
}

impl<'s, D: KeyData> Rows<'s, D> for Facts<'s, D> {
    fn once(self) -> Facts<'s, D> {
        present("Once", self, share)
    }

    fn counts(self) -> Facts<'s, (D, Diff)> {
        self.map(|row| (row, ())).grouped("Counts", |_, rows, found| {
            found.extend(rows.iter().map(|(_, times)| (*times, 1)));
        })
    }
}

#[cfg(test)]
mod tests;
