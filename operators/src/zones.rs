//! The calendars of accounts: which zone's days and months count for each.

use crate::Diff;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::calendar::{Calendar, Zone};
use trueup_model::hash::IdMap;
use trueup_model::id::AccountId;

/// An account's zone, by its IANA name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountZone {
    /// The account.
    pub account: AccountId,
    /// The zone's name, known to the database.
    pub zone: String,
}

/// The calendars of accounts, and of everyone else.
#[derive(Clone, Debug)]
pub(crate) struct Calendars {
    default: Calendar,
    stated: IdMap<AccountId, BTreeMap<String, Diff>>,
    calendars: IdMap<AccountId, Calendar>,
    zones: BTreeMap<String, Diff>,
}

impl Calendars {
    /// The default zone for everyone.
    pub(crate) fn new(default: Zone) -> Self {
        Self {
            default: Calendar::natural(default),
            stated: IdMap::default(),
            calendars: IdMap::default(),
            zones: BTreeMap::new(),
        }
    }

    /// Takes in a statement, or takes it out; true if the account's calendar changed.
    ///
    /// Of several zones that are stated for one account, the first by name counts.
    pub(crate) fn hear(&mut self, row: AccountZone, diff: Diff) -> bool {
        let before = self.of(row.account).zone.clone();
        count(&mut self.zones, row.zone.clone(), diff);
        let stated = self.stated.entry(row.account).or_default();
        count(stated, row.zone, diff);
        let zone = stated.keys().find_map(|name| Zone::named(name).ok());
        match zone {
            Some(zone) => {
                self.calendars.insert(row.account, Calendar::natural(zone));
            }
            None => {
                self.calendars.remove(&row.account);
            }
        }
        self.of(row.account).zone != before
    }

    /// The calendar of an account.
    pub(crate) fn of(&self, account: AccountId) -> &Calendar {
        self.calendars.get(&account).unwrap_or(&self.default)
    }

    /// Every calendar that counts for someone.
    pub(crate) fn all(&self) -> Vec<Calendar> {
        let stated = self.zones.keys().filter_map(|name| Zone::named(name).ok());
        std::iter::once(self.default.clone()).chain(stated.map(Calendar::natural)).collect()
    }
}

fn count(counts: &mut BTreeMap<String, Diff>, name: String, diff: Diff) {
    let entry = counts.entry(name.clone()).or_default();
    *entry += diff;
    if *entry == 0 {
        counts.remove(&name);
    }
}
