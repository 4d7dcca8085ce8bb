//! What prices and credits are judged by: policy, calendars, the account tree and the horizon; and when
//! something changes by itself as the horizon moves.

use crate::Diff;
use crate::tree::Tree;
use crate::zones::Calendars;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::time::Timestamp;
use trueup_policy::Policy;

/// What everything of one kind is judged by.
pub(crate) struct Context {
    pub(crate) policy: Policy,
    pub(crate) calendars: Calendars,
    pub(crate) tree: Tree,
    pub(crate) horizon: Timestamp,
}

impl Context {
    /// Before anything was heard.
    pub(crate) fn new(policy: Policy) -> Self {
        let calendars = Calendars::new(policy.zone.clone());
        Self { policy, calendars, tree: Tree::default(), horizon: Timestamp::MIN }
    }

    /// Takes a horizon in; it never goes back.
    pub(crate) fn hear_horizon(&mut self, at: Timestamp, diff: Diff) {
        if diff > 0 {
            self.horizon = self.horizon.max(at);
        }
    }
}

/// Which keys change by themselves, and when.
pub(crate) struct Wakes<K> {
    at: BTreeMap<Timestamp, BTreeSet<K>>,
}

impl<K: Ord> Wakes<K> {
    /// Nothing waits.
    pub(crate) fn new() -> Self {
        Self { at: BTreeMap::new() }
    }

    /// Wakes a key when the horizon has reached an instant.
    pub(crate) fn set(&mut self, at: Option<Timestamp>, key: K) {
        if let Some(at) = at {
            self.at.entry(at).or_default().insert(key);
        }
    }

    /// The keys whose instants the horizon has reached; they wait no more.
    pub(crate) fn reached(&mut self, horizon: Timestamp) -> impl Iterator<Item = K> + use<K> {
        let later = self.at.split_off(&horizon.plus_us(1));
        std::mem::replace(&mut self.at, later).into_values().flatten()
    }
}
