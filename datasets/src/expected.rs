//! Right answers as plain structs, and as JSON.
//!
//! Instants are RFC 3339 in UTC, `always` and `open` where there is no bound; quantities are exact
//! decimal text, `unlimited` where there is no limit. A range says what a figure can be where the end
//! of a checkout is not in the log: the daemon died between its last line and its next start. An
//! engine that lets such a checkout last to the start gives `most`.

use crate::traps::Traps;
use serde::{Serialize, Serializer};
use std::fmt::Display;
use trueup_model::quantity::{Capacity, Money, Quantity};
use trueup_model::time::Timestamp;

/// What is right about a world.
#[derive(Clone, Debug, Serialize)]
pub struct Expected {
    /// Which scenario.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// What has to be known beside the files.
    pub given: Given,
    /// Which traps the files hold, and how often.
    pub traps: Traps,
    /// What each daemon's log says.
    pub daemons: Vec<DaemonAnswers>,
    /// What is entitled, product by product, at some instants.
    pub entitled: Vec<EntitledAnswer>,
    /// License positions.
    pub positions: Vec<PositionAnswer>,
    /// What someone must look at.
    pub discrepancies: Vec<DiscrepancyAnswer>,
}

/// What an operator would configure.
#[derive(Clone, Debug, Serialize)]
pub struct Given {
    /// The zone of whatever has none of its own.
    pub zone: String,
    /// The zone of the days in tables.
    pub table_zone: String,
    /// The instant up to which figures are given.
    #[serde(serialize_with = "text")]
    pub horizon: Timestamp,
    /// The files and what they are.
    pub files: Vec<FileGiven>,
    /// Rules in words.
    pub rules: Vec<String>,
}

/// A file and what must be known to read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileGiven {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// The zone of its local times.
    pub zone: String,
    /// The daemon that it is about, if one.
    pub daemon: Option<String>,
    /// The log that it is a part of, if one; parts are in order.
    pub log: Option<String>,
    /// From when on it holds: a license file that replaces an earlier one, a list of seats.
    #[serde(serialize_with = "optional_text")]
    pub effective_from: Option<Timestamp>,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A FlexNet debug log, or a part of one.
    FlexnetLog,
    /// A FlexNet license file.
    FlexnetLicense,
    /// The answer of `lmstat -a`.
    FlexnetLmstat,
    /// A table with the canonical headers.
    Table,
}

/// What the log of a daemon says.
#[derive(Clone, Debug, Serialize)]
pub struct DaemonAnswers {
    /// The daemon, `daemon@host`.
    pub daemon: String,
    /// How the log is made up.
    pub log: LogAnswer,
    /// Lines by what they say, repeated parts of files counted once.
    pub lines: LineCounts,
    /// Its features.
    pub features: Vec<FeatureAnswers>,
    /// Refused for want of a license.
    pub denials: AttemptsAnswer,
    /// Refused because the daemon does not serve the feature.
    pub unsupported: AttemptsAnswer,
    /// Waits in queues.
    pub waits: WaitsAnswer,
    /// Distinct users, however spelled.
    pub users: u64,
    /// Distinct machines, however spelled.
    pub machines: u64,
    /// Licenses set aside by the options in force: feature, how many, for which group.
    pub reservations: Vec<(String, u32, String)>,
}

/// How a log is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LogAnswer {
    /// Files.
    pub files: u64,
    /// Lines of all of them.
    pub lines: u64,
    /// Summary lines among them.
    pub summary_lines: u64,
    /// Cut lines, each to be reported.
    pub torn_lines: u64,
    /// The instant of its first line.
    #[serde(serialize_with = "text")]
    pub first: Timestamp,
    /// The instant of its last whole line.
    #[serde(serialize_with = "text")]
    pub last: Timestamp,
}

/// Lines of a daemon by what they say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LineCounts {
    /// Checkouts.
    pub out: u64,
    /// Returns of every kind.
    pub r#in: u64,
    /// Returns at a shutdown among them.
    pub in_shutdown: u64,
    /// Returns by the server from idle clients among them.
    pub in_inactive: u64,
    /// Denials.
    pub denied: u64,
    /// Features not served.
    pub unsupported: u64,
    /// Waits begun.
    pub queued: u64,
    /// Waits ended.
    pub dequeued: u64,
}

/// What the log says of one feature.
#[derive(Clone, Debug, Serialize)]
pub struct FeatureAnswers {
    /// The feature.
    pub feature: String,
    /// The product that it is an alias of.
    pub product: String,
    /// The rule by which the license file charges it.
    pub charged_by: String,
    /// Checkouts.
    pub checkouts: u64,
    /// Checkouts that last at the horizon.
    pub left_open: u64,
    /// Licenses of these.
    pub left_open_licenses: u64,
    /// Checkouts whose end is not in the log.
    pub estimated_ends: u64,
    /// What the license file grants at some instants; empty for a component.
    pub granted: Vec<GrantedAnswer>,
    /// Use under each rule of charging.
    pub rules: Vec<RuleAnswer>,
}

/// What a license file grants of a feature at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GrantedAnswer {
    /// When.
    #[serde(serialize_with = "text")]
    pub at: Timestamp,
    /// How much.
    #[serde(serialize_with = "capacity_text")]
    pub capacity: Capacity,
    /// Tolerated use above it.
    pub overdraft: u32,
}

/// Use under one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleAnswer {
    /// The rule as license files write it: which checkouts share a license.
    pub rule: String,
    /// Whether it is the one by which the file charges.
    pub charged: bool,
    /// Use up to the horizon.
    pub whole: UseAnswer,
    /// Month by month of the server's zone.
    pub months: Vec<(String, UseAnswer)>,
}

/// Use in a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct UseAnswer {
    /// The greatest number of licenses at one instant.
    pub peak: u64,
    /// The first such instant.
    #[serde(serialize_with = "optional_text")]
    pub peak_at: Option<Timestamp>,
    /// Licenses times seconds.
    pub license_seconds: RangeAnswer,
    /// Licenses at the end of the span.
    pub at_end: u64,
}

/// What a figure can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RangeAnswer {
    /// The least.
    pub least: u64,
    /// The most; the same if it is known.
    pub most: u64,
}

/// What refusals come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AttemptsAnswer {
    /// Lines.
    pub raw_lines: u64,
    /// Lines of one user and machine in one second, together.
    pub attempts: u64,
    /// Attempts of which no feature was checked out within a minute.
    pub unmet: u64,
    /// People with an unmet attempt.
    pub people_unmet: u64,
    /// Lines that name the queue as the reason.
    pub because_of_queue: u64,
}

/// What waits come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WaitsAnswer {
    /// How many.
    pub waits: u64,
    /// How many ended with a checkout.
    pub served: u64,
    /// Seconds.
    pub wait_seconds: u64,
}

/// What is entitled of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EntitledAnswer {
    /// The product.
    pub product: String,
    /// The metric.
    pub metric: String,
    /// Who vouches for it.
    pub basis: String,
    /// When.
    #[serde(serialize_with = "text")]
    pub at: Timestamp,
    /// How much, all accounts together.
    #[serde(serialize_with = "capacity_text")]
    pub quantity: Capacity,
}

/// A license position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PositionAnswer {
    /// The account; `(all)` above all, `(unattributed)` where nothing says whose use it is.
    pub account: String,
    /// The product.
    pub product: String,
    /// The metric.
    pub metric: String,
    /// The month, or `all`.
    pub period: String,
    /// Whether the period holds the horizon.
    pub current: bool,
    /// Who vouches for the rights.
    pub basis: Option<String>,
    /// Entitled at the end of the period, or at the horizon.
    #[serde(serialize_with = "capacity_text")]
    pub entitled: Capacity,
    /// Tolerated above.
    #[serde(serialize_with = "text")]
    pub overdraft: Quantity,
    /// Demand at the end.
    #[serde(serialize_with = "text")]
    pub demand: Quantity,
    /// The greatest demand.
    #[serde(serialize_with = "text")]
    pub peak: Quantity,
    /// Its first instant.
    #[serde(serialize_with = "text")]
    pub peak_at: Timestamp,
    /// Units times seconds, for metrics that count at an instant.
    pub license_seconds: RangeAnswer,
    /// The greatest demand that nothing covers.
    #[serde(serialize_with = "text")]
    pub shortfall: Quantity,
    /// Its first instant; `open` if there is none.
    #[serde(serialize_with = "text")]
    pub shortfall_at: Timestamp,
    /// The first instant of any shortfall; `open` if there is none.
    #[serde(serialize_with = "text")]
    pub shortfall_first: Timestamp,
    /// The end of the last; `open` if it lasts, `always` if there is none.
    #[serde(serialize_with = "text")]
    pub shortfall_last: Timestamp,
    /// The greatest demand passed on to an account above.
    #[serde(serialize_with = "text")]
    pub passed_up: Quantity,
    /// Entitled and not needed at the peak.
    #[serde(serialize_with = "text")]
    pub surplus: Quantity,
    /// In words.
    pub state: String,
}

/// A discrepancy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiscrepancyAnswer {
    /// What kind.
    pub kind: String,
    /// The account that it concerns.
    pub account: Option<String>,
    /// The product or feature that it concerns.
    pub product: Option<String>,
    /// The metric.
    pub metric: Option<String>,
    /// The user, machine or server that it concerns.
    pub subject: Option<String>,
    /// The month.
    pub period: Option<String>,
    /// Who says what, if sources disagree.
    pub claims: Vec<(String, String)>,
    /// How large it is.
    #[serde(serialize_with = "text")]
    pub magnitude: Quantity,
    /// The first instant; `always` if it is not bound to time.
    #[serde(serialize_with = "text")]
    pub first_at: Timestamp,
    /// The end; `open` if it lasts.
    #[serde(serialize_with = "text")]
    pub last_at: Timestamp,
    /// What it may cost, if the lines say what a unit costs.
    #[serde(serialize_with = "optional_text")]
    pub money: Option<Money>,
}

impl Expected {
    /// The answers as JSON, indented, with a line feed at the end.
    ///
    /// # Panics
    /// Never: every value has a JSON form.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes =
            serde_json::to_vec_pretty(self).expect("structs of text and numbers have a JSON form");
        bytes.push(b'\n');
        bytes
    }
}

fn text<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn optional_text<T: Display, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

fn capacity_text<S: Serializer>(value: &Capacity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&capacity_words(*value))
}

/// A capacity in words: a number, `unlimited` or `unknown`.
pub fn capacity_words(capacity: Capacity) -> String {
    match capacity {
        Capacity::Limited(quantity) => quantity.to_string(),
        Capacity::Unlimited => "unlimited".to_owned(),
        Capacity::Unknown => "unknown".to_owned(),
    }
}
