//! The calendars of accounts: which zone's days and months count for each, and from which day on.
//!
//! calendar(a) = (zone, anchor), of several that are stated for one account the first zone by name and
//!               the earliest anchor; what is not stated is the policy's zone and the natural calendar

use crate::Diff;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;
use trueup_model::calendar::{Calendar, Period, PeriodUnit, Zone};
use trueup_model::hash::IdMap;
use trueup_model::id::AccountId;
use trueup_model::time::Timestamp;

/// The most periods that are remembered.
const RECENT_MAX: usize = 8;

/// What an account states of its calendar.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountZone {
    /// The account.
    pub account: AccountId,
    /// The zone's name, known to the database.
    pub zone: Option<String>,
    /// The instant whose local day its periods are counted from.
    pub anchor: Option<Timestamp>,
}

/// What was stated of one account, and how often.
#[derive(Clone, Debug, Default)]
struct Stated {
    zones: BTreeMap<String, Diff>,
    anchors: BTreeMap<Timestamp, Diff>,
}

/// The calendars of accounts, and of everyone else.
#[derive(Clone, Debug)]
pub(crate) struct Calendars {
    default: Calendar,
    stated: IdMap<AccountId, Stated>,
    calendars: IdMap<AccountId, Calendar>,
    zones: BTreeMap<String, Diff>,
    /// Periods of everyone else's calendar, the one that was found last at the end.
    recent: RefCell<Vec<Period>>,
}

impl Calendars {
    /// The default zone for everyone.
    pub(crate) fn new(default: Zone) -> Self {
        Self {
            default: Calendar::natural(default),
            stated: IdMap::default(),
            calendars: IdMap::default(),
            zones: BTreeMap::new(),
            recent: RefCell::default(),
        }
    }

    /// Takes in a statement, or takes it out; true if the account's calendar changed.
    pub(crate) fn hear(&mut self, row: AccountZone, diff: Diff) -> bool {
        let before = self.of(row.account).clone();
        let stated = self.stated.entry(row.account).or_default();
        if let Some(zone) = row.zone {
            count(&mut self.zones, zone.clone(), diff);
            count(&mut stated.zones, zone, diff);
        }
        if let Some(anchor) = row.anchor {
            count(&mut stated.anchors, anchor, diff);
        }
        let zone = stated.zones.keys().find_map(|name| Zone::named(name).ok());
        let anchor = stated.anchors.keys().next().copied();
        if stated.zones.is_empty() && stated.anchors.is_empty() {
            self.stated.remove(&row.account);
        }
        if zone.is_none() && anchor.is_none() {
            self.calendars.remove(&row.account);
        } else {
            let zone = zone.unwrap_or_else(|| self.default.zone.clone());
            let calendar = match anchor {
                Some(at) => Calendar::anchored(zone, at),
                None => Calendar::natural(zone),
            };
            self.calendars.insert(row.account, calendar);
        }
        *self.of(row.account) != before
    }

    /// The calendar of an account.
    pub(crate) fn of(&self, account: AccountId) -> &Calendar {
        self.calendars.get(&account).unwrap_or(&self.default)
    }

    /// The period around an instant by the calendar of an account.
    ///
    /// Most questions are of a few periods, and civil time is dear.
    pub(crate) fn period(&self, account: AccountId, unit: PeriodUnit, at: Timestamp) -> Period {
        if let Some(own) = self.own(account) {
            return own.period(unit, at);
        }
        let mut recent = self.recent.borrow_mut();
        let is_it = |period: &&Period| period.unit == unit && period.span.contains(at);
        if let Some(found) = recent.iter().rev().find(is_it) {
            return *found;
        }
        let period = self.default.period(unit, at);
        if recent.len() == RECENT_MAX {
            recent.remove(0);
        }
        recent.push(period);
        period
    }

    /// The calendar that an account states, if it does; everyone else's is the first of [`Calendars::all`].
    pub(crate) fn own(&self, account: AccountId) -> Option<&Calendar> {
        self.calendars.get(&account)
    }

    /// Every calendar that counts for someone, everyone else's first; `None` if there are more than so
    /// many.
    pub(crate) fn each(&self, most: usize) -> Option<Vec<Calendar>> {
        let mut found = vec![self.default.clone()];
        for calendar in self.calendars.values() {
            if !found.contains(calendar) {
                found.push(calendar.clone());
            }
            if found.len() > most {
                return None;
            }
        }
        Some(found)
    }

    /// A calendar of every zone that counts for someone; their days are those of all calendars, since
    /// an anchor moves no day.
    pub(crate) fn all(&self) -> Vec<Calendar> {
        let stated = self.zones.keys().filter_map(|name| Zone::named(name).ok());
        std::iter::once(self.default.clone()).chain(stated.map(Calendar::natural)).collect()
    }
}

fn count<K: Ord + Clone>(counts: &mut BTreeMap<K, Diff>, key: K, diff: Diff) {
    let entry = counts.entry(key.clone()).or_default();
    *entry += diff;
    if *entry == 0 {
        counts.remove(&key);
    }
}
