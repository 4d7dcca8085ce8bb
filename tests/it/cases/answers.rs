//! What an engine says, in the terms of the cases: features, users, seconds.

use super::Case;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use trueup_connectors::load::FileReport;
use trueup_model::calendar::Period;
use trueup_model::derived::Session;
use trueup_model::fact::Body;
use trueup_model::id::{Dictionary, Id, NameKind, ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::position::LicensePosition;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::Timestamp;
use trueup_runtime::view::{LevelsAt, Node, Views};
use trueup_tests::local::TENANT;

/// The outputs of an engine after a case.
pub(crate) struct Answers<'a> {
    pub(crate) case: &'a Case,
    pub(crate) views: &'a Views,
    pub(crate) names: &'a Dictionary,
    pub(crate) reports: &'a [FileReport],
}

impl Answers<'_> {
    /// The name of anything.
    pub(crate) fn name(&self, id: impl Into<Id>) -> String {
        self.names.shown(id.into())
    }

    /// The product of a name.
    pub(crate) fn product(&self, name: &str) -> ProductId {
        ProductId(self.names.id_of(NameKind::Product, TenantId::named(TENANT), name).0)
    }

    /// The positions of all time, over all accounts and metrics.
    pub(crate) fn whole(&self) -> impl Iterator<Item = &LicensePosition> {
        self.views.positions.values().filter(|position| position.key.period == Period::ALL)
    }

    /// The position of a feature by concurrent use, over all time.
    pub(crate) fn position(&self, feature: &str) -> Option<&LicensePosition> {
        let product = self.product(feature);
        self.whole().find(|one| one.key.product == product && one.key.metric == Metric::Concurrent)
    }

    /// Every product with a position by concurrent use.
    pub(crate) fn features(&self) -> Vec<String> {
        let used = self.whole().filter(|one| one.demand_unit_us > 0);
        let names: BTreeSet<String> = used.map(|one| self.name(one.key.product)).collect();
        names.into_iter().collect()
    }

    /// Demand and rights of a product at an instant, over the accounts where it has any.
    pub(crate) fn levels(&self, feature: &str, at: Timestamp) -> LevelsAt {
        let product = self.product(feature);
        let nodes: Vec<&Node> =
            self.views.steps.keys().filter(|node| node.product == product).collect();
        let none = LevelsAt {
            demand: Quantity::ZERO,
            entitled: Capacity::Limited(Quantity::ZERO),
            overdraft: Quantity::ZERO,
        };
        match nodes.as_slice() {
            [] => none,
            [node] => self.views.levels_at(node, at),
            _ => panic!("{feature} has positions at several accounts: {nodes:?}"),
        }
    }

    /// Checkouts as rows.
    pub(crate) fn sessions(&self) -> Vec<Value> {
        self.views.sessions.iter().map(|session| self.session(session)).collect()
    }

    fn session(&self, session: &Session) -> Value {
        let seconds = (session.span.end.0 - session.span.start.0) / 1_000_000;
        json!({
            "feature": self.name(session.subject.feature),
            "user": session.subject.user.map(|user| self.name(user)),
            "out": session.span.start.to_string(),
            "in": session.span.end.to_string(),
            "count": session.count,
            "seconds": seconds,
            "handle": session.handle.map(|handle| format!("0x{handle:04X}")),
            "project": session.project.map(|project| self.name(project)),
        })
    }

    /// The bodies that are shown as they are.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &Body<Id>> {
        self.views.shown.iter().map(|row| &row.0.body)
    }

    /// Who is told of refused attempts and other rows by how often.
    pub(crate) fn rejects(&self) -> u64 {
        self.reports.iter().map(|report| report.rejects).sum()
    }

    /// Remarks of all files.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.reports
            .iter()
            .flat_map(|report| &report.notes)
            .map(|(_, words)| words.clone())
            .collect()
    }
}

/// Rows that have what is expected of them, in the order of the expectation; all rows if they differ.
pub(crate) fn matching(found: Vec<Value>, expected: &Value) -> Value {
    let wanted = expected.as_array().unwrap();
    let keys: Vec<&String> = wanted.first().unwrap().as_object().unwrap().keys().collect();
    let project = |row: &Value| {
        let fields = keys.iter().map(|key| ((*key).clone(), row[key.as_str()].clone()));
        Value::Object(fields.collect::<Map<_, _>>())
    };
    let mut projected: Vec<Value> = found.iter().map(project).collect();
    let mut sorted = wanted.clone();
    projected.sort_by_key(ToString::to_string);
    sorted.sort_by_key(ToString::to_string);
    if projected == sorted { expected.clone() } else { Value::Array(projected) }
}

/// For each key of the expectation what is found for it.
pub(crate) fn by_key(expected: &Value, found: impl Fn(&str, &Value) -> Value) -> Value {
    let object = expected.as_object().unwrap();
    object.iter().map(|(key, value)| (key.clone(), found(key, value))).collect()
}

/// For each entry of the expectation, the entry with the fields that are found for it.
pub(crate) fn by_entry(expected: &Value, found: impl Fn(&Value) -> Value) -> Value {
    expected.as_array().unwrap().iter().map(found).collect()
}

/// The names in the spelling of the expectation, if they are the same without regard to case.
pub(crate) fn spelled(found: impl IntoIterator<Item = String>, expected: &Value) -> Value {
    let found: BTreeSet<String> = found.into_iter().collect();
    let lower = |name: &String| name.to_lowercase();
    let wanted: Vec<String> =
        expected.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    let have: BTreeSet<String> = found.iter().map(lower).collect();
    let want: BTreeSet<String> = wanted.iter().map(lower).collect();
    if have == want { expected.clone() } else { json!(found) }
}

/// A quantity as the number that cases write.
pub(crate) fn number(quantity: Quantity) -> Value {
    let text = quantity.to_string();
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// Unit-microseconds as whole unit-seconds, exactly.
pub(crate) fn seconds(unit_us: i128) -> Value {
    let scale = 1_000_000 * 1_000_000;
    assert_eq!(unit_us % scale, 0, "{unit_us} is no whole number of seconds");
    let whole = i64::try_from(unit_us / scale).unwrap();
    json!(whole)
}

/// Sums by key.
pub(crate) fn tally<K: Ord>(rows: impl IntoIterator<Item = (K, u64)>) -> BTreeMap<K, u64> {
    let mut sums = BTreeMap::new();
    for (key, count) in rows {
        *sums.entry(key).or_default() += count;
    }
    sums
}
