//! What the engine answers, as people and programs read it: names instead of identifiers, decimal
//! texts instead of millionths, instants in RFC 3339.
//!
//! These structs are the JSON of the API and the columns of CSV; the tables of the command line are
//! made from them too, so that a question gives one answer wherever it is asked. Quantities and money
//! are texts, because a JSON number is a float to many readers. Every answer says as of when it is.

pub(crate) mod allocation;
pub(crate) mod confidence;
pub(crate) mod discrepancy;
pub(crate) mod explanation;
pub(crate) mod file;
pub(crate) mod due;
pub(crate) mod health;
pub(crate) mod ledger;
pub(crate) mod operator;
pub(crate) mod position;
pub(crate) mod quarantine;
pub(crate) mod rollup;
pub(crate) mod server;
pub(crate) mod stage;

use crate::filter::Filter;
use confidence::{Confidence, Heard};
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::{Calendar, Period, Zone};
use trueup_model::fact::Body;
use trueup_model::id::{AccountId, Dictionary, Id};
use trueup_model::position::LicensePosition;
use trueup_model::quantity::{Capacity, Quantity, Rounding, divide};
use trueup_model::time::Timestamp;
use trueup_runtime::view::Views;

/// As of when an answer is, and under which rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AsOf {
    /// The epoch: everything that was known then.
    pub(crate) epoch: u64,
    /// The instant of event time up to which figures are evaluated.
    pub(crate) horizon: String,
    /// The instant up to which every server's log is complete; absent without logs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) complete_through: Option<String>,
    /// The wall clock when the epoch was published.
    pub(crate) published_at: String,
    /// The policy.
    pub(crate) policy: String,
}

/// An answer: rows, and as of when they hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer<R> {
    /// As of when.
    pub(crate) as_of: AsOf,
    /// How many rows there are in all; more than `rows` if a limit cut them.
    pub(crate) total: usize,
    /// The rows.
    pub(crate) rows: Vec<R>,
}

/// What is needed to turn rows into words.
pub(crate) struct Words<'a> {
    /// The outputs.
    pub(crate) views: &'a Views,
    /// The names behind identifiers.
    pub(crate) names: &'a Dictionary,
    /// The calendar of accounts that state none.
    default: Calendar,
    /// The calendars of accounts that state one.
    calendars: BTreeMap<AccountId, Calendar>,
    /// The last sign of life of each server.
    alive: BTreeMap<Id, Timestamp>,
    /// Up to when daemons were heard, once someone asks.
    heard: OnceCell<Heard>,
}

impl<'a> Words<'a> {
    /// The words for views; `zone` is that of accounts that state none.
    pub(crate) fn new(views: &'a Views, names: &'a Dictionary, zone: &Zone) -> Self {
        let mut stated: BTreeMap<AccountId, _> = BTreeMap::new();
        let mut alive: BTreeMap<Id, Timestamp> = BTreeMap::new();
        for (known, _) in views.shown.iter() {
            if let Body::Account(row) = &known.body {
                let (zones, anchors): &mut (BTreeSet<&str>, BTreeSet<Timestamp>) =
                    stated.entry(row.account.into()).or_default();
                zones.extend(row.zone.as_deref());
                anchors.extend(row.anchor);
            }
            if let Body::Server(event) = &known.body {
                let at = alive.entry(event.server).or_insert(event.at);
                *at = (*at).max(event.at);
            }
        }
        // As in the operators: the first zone by name, the earliest anchor.
        let calendars = stated.into_iter().map(|(account, (zones, anchors))| {
            let named = zones.into_iter().find_map(|name| Zone::named(name).ok());
            let zone = named.unwrap_or_else(|| zone.clone());
            let calendar = match anchors.first() {
                Some(at) => Calendar::anchored(zone, *at),
                None => Calendar::natural(zone),
            };
            (account, calendar)
        });
        let calendars = calendars.collect();
        Self {
            views,
            names,
            default: Calendar::natural(zone.clone()),
            calendars,
            alive,
            heard: OnceCell::new(),
        }
    }

    /// How far a position can be relied on, and the daemon whose log ends too early, if one does.
    pub(crate) fn confidence(
        &self,
        position: &LicensePosition,
    ) -> (Confidence, Option<(Id, Timestamp)>) {
        let heard = self.heard.get_or_init(|| Heard::new(self.views, &self.alive));
        heard.confidence(position)
    }

    /// As of when the views are.
    pub(crate) fn as_of(&self) -> AsOf {
        self.as_of_shown(&self.views.as_of)
    }

    fn as_of_shown(&self, as_of: &trueup_runtime::view::AsOf) -> AsOf {
        AsOf {
            epoch: as_of.epoch,
            horizon: as_of.horizon.to_string(),
            complete_through: self.alive.values().min().map(ToString::to_string),
            published_at: as_of.published_at.to_string(),
            policy: as_of.policy.clone(),
        }
    }

    /// An answer of the rows that a filter keeps.
    pub(crate) fn answer<R>(&self, rows: Vec<R>, filter: &Filter) -> Answer<R> {
        let total = rows.len();
        let kept = rows.into_iter().take(filter.limit.unwrap_or(usize::MAX)).collect();
        Answer { as_of: self.as_of(), total, rows: kept }
    }

    /// The same for totals over the trees, which may be older than the rest.
    pub(crate) fn answer_of_totals<R>(&self, rows: Vec<R>, filter: &Filter) -> Answer<R> {
        let as_of = self.as_of_shown(&self.views.totals_as_of);
        Answer { as_of, ..self.answer(rows, filter) }
    }

    /// The name of anything.
    pub(crate) fn name(&self, id: impl Into<Id>) -> String {
        self.names.shown(id.into())
    }

    /// The calendar of an account.
    pub(crate) fn calendar(&self, account: AccountId) -> &Calendar {
        self.calendars.get(&account).unwrap_or(&self.default)
    }

    /// Whether there are totals by today's tree, wherever there are totals.
    pub(crate) fn keeps_current_totals(&self) -> bool {
        self.views.rollups.is_empty() || !self.views.rollups_current.is_empty()
    }

    /// A period by its label in an account's calendar.
    pub(crate) fn period(&self, account: AccountId, period: Period) -> String {
        self.calendar(account).label(period)
    }
}

/// A capacity in words: a number, `unlimited` or `unknown`.
pub(crate) fn capacity(capacity: Capacity) -> String {
    match capacity {
        Capacity::Limited(quantity) => quantity.to_string(),
        Capacity::Unlimited => "unlimited".to_owned(),
        Capacity::Unknown => "unknown".to_owned(),
    }
}

/// An instant, or nothing for the bounds of time.
pub(crate) fn instant(at: Timestamp) -> Option<String> {
    at.is_calendar().then(|| at.to_string())
}

/// Unit-microseconds as unit-seconds: exact to a millionth, floored.
pub(crate) fn unit_seconds(unit_us: i128) -> String {
    let seconds = divide(unit_us, 1_000_000, Rounding::Floor);
    match Quantity::from_sum(seconds) {
        Some(quantity) => quantity.to_string(),
        None => (seconds / 1_000_000).to_string(),
    }
}

/// A short stable name: a letter and the first digits of a hash.
pub(crate) fn short_id(letter: char, hash: u64) -> String {
    format!("{letter}-{:010x}", hash >> 24)
}
