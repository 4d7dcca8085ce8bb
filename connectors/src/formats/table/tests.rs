//! Tables from bytes to facts: the cases, the traps, and input that means harm.

mod purchases;
mod identities;
mod built_in;
mod language;
mod separated;
mod limits;

use super::{Limits, column_letters, read};
use crate::formats::mapping::tests::{context, shown};
use crate::formats::mapping::{Field, Format, Kind, Mapping, Snapshot, Summary};
use crate::formats::{Collected, Context};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::PathBuf;
use trueup_model::contract::{EntitlementLine, LineKind};
use trueup_model::fact::{Action, Body, Fact, FactKind};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::reject::RejectReason;
use trueup_model::time::Timestamp;

const TAKEN_AT: &str = "2026-01-15T08:00:00Z";

fn taken() -> Context {
    context("list.csv", TAKEN_AT)
}

fn limited(
    bytes: &[u8],
    mapping: &Mapping,
    limits: &Limits,
    context: &Context,
) -> (Collected, Summary) {
    let mut collected = Collected::default();
    let snapshot = Snapshot::observed_at(context.received_at);
    let summary = read(bytes, mapping, &snapshot, limits, context, &mut collected);
    let rejects = collected.facts.iter().filter(|fact| reject_of(fact).is_some()).count();
    // Beyond the most that are told one by one, one reject says how many there are.
    let told = summary.rejects.min(limits.rejects_max + 1);
    assert_eq!(told, rejects as u64);
    (collected, summary)
}

fn facts(bytes: &[u8], mapping: &Mapping) -> Collected {
    limited(bytes, mapping, &Limits::default(), &taken()).0
}

fn check(text: &str, mapping: &Mapping, expected: &Expect) {
    expected.assert_eq(&shown(&facts(text.as_bytes(), mapping)));
}

fn built_in(text: &str, kind: Kind, expected: &Expect) {
    check(text, &Mapping::builtin(kind, Format::Csv), expected);
}

fn parsed(text: &str) -> Mapping {
    Mapping::parse("test.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn reject_of(fact: &Fact<String>) -> Option<(u64, RejectReason, &str)> {
    match &fact.action {
        Action::Assert(Body::Reject(reject)) => {
            let detail = reject.detail.as_deref().unwrap_or_default();
            Some((fact.provenance.position, reject.reason, detail))
        }
        Action::Assert(_) | Action::Retract(_) => None,
    }
}

fn rejects(collected: &Collected) -> Vec<(u64, RejectReason)> {
    let found = collected.facts.iter().filter_map(reject_of);
    found.map(|(position, reason, _)| (position, reason)).collect()
}

/// How many facts say something; a table that was read whole also takes an old refusal back.
fn said_count(collected: &Collected) -> usize {
    collected.facts.iter().filter(|fact| matches!(fact.action, Action::Assert(_))).count()
}

fn declares_a_version(collected: &Collected) -> bool {
    collected.facts.iter().any(|fact| matches!(&fact.action, Action::Assert(Body::Document(_))))
}

fn shipped(name: &str) -> Mapping {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("mappings").join(name);
    parsed(&std::fs::read_to_string(path).unwrap())
}

/// A file of a case, or `None` with a printed reason.
fn case(path: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases").join(path);
    let found = std::fs::read(&path);
    if found.is_err() {
        println!("skipped: there is no {}", path.display());
    }
    found.ok()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The purchase list of case c48, by its columns.
const PURCHASES: &str = "\u{feff}PO Number;Publisher;SKU;Product;Metric;EntitlementType;Quantity;\
    AvailableStartDate;ExpiryDate;MaintenanceEndDate;Legal Organization;Cost\r\n";
