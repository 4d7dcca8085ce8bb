//! What the tests of this family share: contexts, the example files, and short views of facts.

use crate::formats::flexnet::log::{LogOptions, LogReader, LogSummary};
use crate::formats::{Collected, Context};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use trueup_model::calendar::Zone;
use trueup_model::contract::EntitlementLine;
use trueup_model::fact::{Action, Body, Fact, FactId};
use trueup_model::quantity::{Capacity, ONE_UNIT};
use trueup_model::reject::Reject;
use trueup_model::time::Timestamp;
use trueup_model::usage::{ServerEvent, SessionEvent, SessionKind};

/// A context of the tenant `acme` whose files are in this zone.
pub(super) fn context(zone: &str) -> Context {
    Context {
        tenant: "acme".to_owned(),
        source: "test".to_owned(),
        document: "debug.log".to_owned(),
        zone: Zone::named(zone).expect("a test names a zone of the database"),
        received_at: at("2030-01-01T00:00:00Z"),
    }
}

/// The instant that a test writes down.
pub(super) fn at(text: &str) -> Timestamp {
    text.parse().expect("a test writes RFC 3339")
}

/// A file of the example data beside the checkout, or `None` with a printed reason.
pub(super) fn shared(path: &str) -> Option<Vec<u8>> {
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(path);
    match std::fs::read(&full) {
        Ok(bytes) => Some(bytes),
        Err(why) => {
            println!("skipped: {} is not here ({why})", full.display());
            None
        }
    }
}

/// What a problem input expects, and what is given with it.
pub(super) struct Case {
    name: String,
    json: Value,
}

impl Case {
    /// The problem input of this name.
    pub(super) fn open(name: &str) -> Option<Self> {
        let bytes = shared(&format!("cases/{name}/expected.json"))?;
        let json = serde_json::from_slice(&bytes).expect("expected.json is JSON");
        Some(Self { name: name.to_owned(), json })
    }

    /// A file of it.
    pub(super) fn file(&self, name: &str) -> Vec<u8> {
        shared(&format!("cases/{}/{name}", self.name))
            .expect("the case has the files that it names")
    }

    /// A context in its zone.
    pub(super) fn context(&self) -> Context {
        context(self.json["given"]["timezone"].as_str().unwrap_or("UTC"))
    }

    /// Part of what is given, by a JSON pointer.
    pub(super) fn given(&self, pointer: &str) -> Option<&Value> {
        self.json["given"].pointer(pointer)
    }

    /// Part of what is expected, by a JSON pointer.
    pub(super) fn expect(&self, pointer: &str) -> &Value {
        let found = self.json["expect"].pointer(pointer);
        found.unwrap_or_else(|| panic!("{}: no {pointer}", self.name))
    }

    /// Its debug log, read.
    pub(super) fn log(&self, file: &str) -> Collected {
        read(self.context(), &self.file(file)).0
    }
}

/// Reads a whole log.
pub(super) fn read(context: Context, bytes: &[u8]) -> (Collected, LogSummary) {
    read_with(context, LogOptions::default(), bytes)
}

/// Reads a whole log with options.
pub(super) fn read_with(
    context: Context,
    options: LogOptions,
    bytes: &[u8],
) -> (Collected, LogSummary) {
    let mut collected = Collected::default();
    let mut reader = LogReader::new(context, options);
    reader.push(bytes, &mut collected);
    let summary = reader.finish(&mut collected);
    (collected, summary)
}

/// What the facts say.
pub(super) fn bodies(collected: &Collected) -> impl Iterator<Item = &Body<String>> {
    collected.facts.iter().filter(|fact| matches!(fact.action, Action::Assert(_))).map(body)
}

/// What a fact says.
pub(super) fn body(fact: &Fact<String>) -> &Body<String> {
    match &fact.action {
        Action::Assert(body) => body,
        Action::Retract(kind) => panic!("a retraction of a {kind:?} says nothing"),
    }
}

/// The lines that grant rights.
pub(super) fn granted(collected: &Collected) -> Vec<&EntitlementLine<String>> {
    bodies(collected)
        .filter_map(|body| if let Body::Line(line) = body { Some(line) } else { None })
        .collect()
}

/// How much of a product lines in force grant at an instant; `None` if as much as one likes.
pub(super) fn entitled(collected: &Collected, product: &str, at: Timestamp) -> Option<i64> {
    let lines = granted(collected).into_iter();
    let in_force = lines.filter(|line| line.product == product && line.span.contains(at));
    in_force
        .map(|line| match line.quantity {
            Capacity::Limited(units) => Some(units.0 / ONE_UNIT),
            Capacity::Unlimited => None,
            Capacity::Unknown => panic!("{} says nothing", line.line),
        })
        .sum()
}

/// Checks `[{feature, at, value | uncounted}]` against the lines in force.
pub(super) fn assert_entitled(collected: &Collected, expected: &Value) {
    for state in expected.as_array().expect("a list") {
        let text = |key: &str| state[key].as_str().expect("text");
        let found = entitled(collected, text("feature"), at(text("at")));
        let unlimited = state["uncounted"] == true;
        assert_eq!(found, if unlimited { None } else { state["value"].as_i64() }, "{state}");
    }
}

/// The session events.
pub(super) fn sessions(collected: &Collected) -> Vec<&SessionEvent<String>> {
    bodies(collected)
        .filter_map(|body| if let Body::Session(event) = body { Some(event) } else { None })
        .collect()
}

/// The session events of one kind.
pub(super) fn of_kind(collected: &Collected, kind: SessionKind) -> Vec<&SessionEvent<String>> {
    sessions(collected).into_iter().filter(|event| event.kind == kind).collect()
}

/// The events in the lives of daemons.
pub(super) fn lives(collected: &Collected) -> Vec<&ServerEvent<String>> {
    bodies(collected)
        .filter_map(|body| if let Body::Server(event) = body { Some(event) } else { None })
        .collect()
}

/// The rejects with their positions.
pub(super) fn rejects(collected: &Collected) -> Vec<(u64, &Reject<String>)> {
    collected
        .facts
        .iter()
        .filter_map(|fact| match &fact.action {
            Action::Assert(Body::Reject(reject)) => Some((fact.provenance.position, reject)),
            Action::Assert(_) | Action::Retract(_) => None,
        })
        .collect()
}

/// The identities, as a set.
pub(super) fn identities(collected: &Collected) -> BTreeSet<FactId> {
    collected.facts.iter().map(|fact| fact.id).collect()
}
