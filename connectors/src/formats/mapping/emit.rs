//! Rows become facts: identity, document version, quarantine and count.

use super::body::body;
use super::cell::{Cell, Fault};
use super::field::Field;
use super::plan::{Plan, Record};
use super::{Holds, Mapping};
use crate::formats::{Context, Sink, excerpt};
use std::collections::BTreeMap;
use trueup_model::fact::{
    Action, Body, DocumentRef, DocumentVersion, Fact, FactId, FactKind, Provenance,
};
use trueup_model::reject::{Reject, RejectReason};
use trueup_model::time::Timestamp;

/// How many rows of a document are remembered to say which repeat others.
const ROWS_MAX: usize = 1_000_000;

/// Which version of which document a table is; not used for usage, whose rows are events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The document whose former version this one replaces, if neither the mapping nor the context
    /// names it right.
    pub document: Option<String>,
    /// When this version was observed, in microseconds: a later one replaces an earlier one.
    pub version: u64,
    /// When the source took the snapshot; the version's instant if nobody knows better.
    pub taken_at: Option<Timestamp>,
}

impl Snapshot {
    /// The version that was observed at this instant.
    pub fn observed_at(at: Timestamp) -> Self {
        Self { document: None, version: u64::try_from(at.0).unwrap_or(0), taken_at: None }
    }
}

/// What became of a table or stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows that became facts.
    pub facts: u64,
    /// Rows or pieces of input that were set aside.
    pub rejects: u64,
    /// Blank rows, rows that the mapping leaves out, and events of types that it does not ask for.
    pub skipped: u64,
    /// Whether everything was read; a version of a document is declared only if so.
    pub complete: bool,
}

/// Turns the rows of one table or stream into facts.
pub(crate) struct Emitter<'m> {
    mapping: &'m Mapping,
    context: Context,
    document: String,
    version: u64,
    effective_from: Timestamp,
    summary: Summary,
    left_out: u64,
    /// Rows by their identity, to say which repeat others; not used for events.
    rows: BTreeMap<FactId, u64>,
    rejects_max: u64,
    /// Where the rejects begin that are only counted, and why the first of them was set aside.
    beyond: Option<(u64, RejectReason)>,
}

/// Where a piece of input stands.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The line or row, from 1.
    pub(crate) position: u64,
    /// When it arrived.
    pub(crate) arrived_at: Timestamp,
    /// Its bytes, or enough of them for an excerpt.
    pub(crate) input: &'a [u8],
}

impl<'m> Emitter<'m> {
    pub(crate) fn new(mapping: &'m Mapping, snapshot: &Snapshot, context: Context) -> Self {
        let named = snapshot.document.as_ref().or(mapping.document.as_ref());
        let document = named.unwrap_or(&context.document).clone();
        let effective_from = match mapping.holds {
            Holds::Always => Timestamp::MIN,
            Holds::FromTaken => snapshot
                .taken_at
                .unwrap_or_else(|| Timestamp(i64::try_from(snapshot.version).unwrap_or(i64::MAX))),
        };
        let summary = Summary { complete: true, ..Summary::default() };
        Self {
            mapping,
            context,
            document,
            version: snapshot.version,
            effective_from,
            summary,
            left_out: 0,
            rows: BTreeMap::new(),
            rejects_max: u64::MAX,
            beyond: None,
        }
    }

    /// Tells at most so many rejects one by one; of the rest, one says how many there are.
    pub(crate) fn with_rejects_max(self, rejects_max: u64) -> Self {
        Self { rejects_max, ..self }
    }

    /// Takes one row: as a fact if it can be, else as a reject.
    pub(crate) fn row(
        &mut self,
        plan: &Plan,
        cells: &[Cell<'_>],
        place: Place<'_>,
        sink: &mut impl Sink,
    ) {
        if plan.skips(cells) {
            self.left_out += 1;
            self.summary.skipped += 1;
            return;
        }
        let joined = plan.join(cells);
        let zone = self.mapping.zone.as_ref().unwrap_or(&self.context.zone);
        let record = Record { mapping: self.mapping, plan, zone, cells, joined: &joined };
        let position = place.position.to_le_bytes();
        let said = body(&record, place.arrived_at)
            .and_then(|body| Ok((body, record.key(&self.context.document, &position)?)));
        match said {
            Ok((body, key)) => {
                let id = match self.id(&record, &key) {
                    Ok(id) => id,
                    Err(fault) => return self.reject(place, fault, sink),
                };
                if !self.mapping.kind.is_events() {
                    remark_repetition(&mut self.rows, id, place.position, &key, sink);
                }
                sink.accept(self.fact(id, place, Action::Assert(body)));
                self.summary.facts += 1;
            }
            Err(fault) => self.reject(place, fault, sink),
        }
    }

    /// The row's identity: events by their source's own id, rows of a document by version and key.
    fn id(&self, record: &Record<'_>, key: &[&[u8]]) -> Result<FactId, Fault> {
        let tenant = &self.context.tenant;
        if self.mapping.kind.is_events() {
            let source = record.name(Field::Source)?.unwrap_or(&self.context.source);
            return Ok(FactId::of(tenant, source, key));
        }
        let version = self.version.to_le_bytes();
        let mut parts: Vec<&[u8]> = vec![&version];
        parts.extend(key);
        Ok(FactId::of(tenant, &self.document, &parts))
    }

    /// Sends a piece of input to quarantine; a corrected version of its document takes it back.
    pub(crate) fn reject(&mut self, place: Place<'_>, fault: Fault, sink: &mut impl Sink) {
        self.summary.rejects += 1;
        if self.summary.rejects > self.rejects_max {
            self.beyond.get_or_insert((place.position, fault.reason));
            return;
        }
        let shown = excerpt(place.input);
        let version = self.version.to_le_bytes();
        let version: &[u8] = if self.mapping.kind.is_events() { &[] } else { &version };
        let parts: [&[u8]; 5] = [
            b"reject",
            self.context.document.as_bytes(),
            version,
            &place.position.to_le_bytes(),
            shown.as_bytes(),
        ];
        let id = FactId::of(&self.context.tenant, &self.context.source, &parts);
        sink.accept(self.fact(id, place, rejected(&fault, &shown)));
    }

    /// Counts a row that says nothing.
    pub(crate) fn skip(&mut self) {
        self.summary.skipped += 1;
    }

    /// The rest was not read, so this version must not replace one that was.
    ///
    /// The rows of a version that is not declared are never in force, and neither are its rejects.
    /// What says so is therefore a fact of no version; the next version that is read as a whole
    /// takes it back.
    pub(crate) fn give_up(&mut self, place: Place<'_>, fault: Fault, sink: &mut impl Sink) {
        self.summary.complete = false;
        if self.mapping.kind.is_events() {
            return self.reject(place, fault, sink);
        }
        self.summary.rejects += 1;
        let shown = excerpt(place.input);
        let mut fact = self.fact(self.not_taken(), place, rejected(&fault, &shown));
        (fact.document, fact.revision) = (None, self.revision());
        sink.accept(fact);
    }

    /// The identity of the statement that a version of the document could not be taken.
    fn not_taken(&self) -> FactId {
        FactId::of(&self.context.tenant, &self.document, &[b"not taken"])
    }

    /// Versions as revisions of that statement: seconds.
    fn revision(&self) -> u32 {
        u32::try_from(self.version / 1_000_000).unwrap_or(u32::MAX)
    }

    /// Whether reading was given up.
    pub(crate) fn gave_up(&self) -> bool {
        !self.summary.complete
    }

    /// Declares the version of the document, if it was read as a whole.
    pub(crate) fn finish(mut self, sink: &mut impl Sink) -> Summary {
        if self.left_out > 0 {
            sink.note(0, &format!("rows left out as [skip] says: {}", self.left_out));
        }
        let arrived_at = self.context.received_at;
        if let Some((position, reason)) = self.beyond.take() {
            let more = self.summary.rejects - self.rejects_max;
            let fault = Fault::new(reason, format!("{more} more were set aside from here on"));
            let place = Place { position, arrived_at, input: b"(and more)" };
            self.rejects_max = u64::MAX;
            self.reject(place, fault, sink);
            self.summary.rejects -= 1;
        }
        if self.mapping.kind.is_events() || !self.summary.complete {
            return self.summary;
        }
        let version = self.version.to_le_bytes();
        let parts: [&[u8]; 2] = [b"document version", &version];
        let body = Body::Document(DocumentVersion {
            document: self.document.as_str(),
            version: self.version,
            effective_from: self.effective_from,
            rows: self.summary.facts,
        });
        let place = Place { position: 0, arrived_at, input: &[] };
        let id = FactId::of(&self.context.tenant, &self.document, &parts);
        let declared = self.fact(id, place, Action::Assert(body));
        sink.accept(Fact { document: None, ..declared });
        let cleared = self.fact(self.not_taken(), place, Action::Retract(FactKind::Reject));
        sink.accept(Fact { document: None, revision: self.revision(), ..cleared });
        self.summary
    }

    /// What the caller said of the bytes.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Sets when the bytes that follow were received.
    pub(crate) fn received_at(&mut self, at: Timestamp) {
        self.context.received_at = at;
    }

    fn fact<'a>(&'a self, id: FactId, place: Place<'_>, action: Action<&'a str>) -> Fact<&'a str> {
        let row = DocumentRef { document: self.document.as_str(), version: self.version };
        Fact {
            id,
            revision: 0,
            arrived_at: place.arrived_at,
            provenance: Provenance { document: &self.context.document, position: place.position },
            document: (!self.mapping.kind.is_events()).then_some(row),
            action,
        }
    }
}

/// Says of a row that it repeats an earlier one of its document.
fn remark_repetition(
    rows: &mut BTreeMap<FactId, u64>,
    id: FactId,
    position: u64,
    key: &[&[u8]],
    sink: &mut impl Sink,
) {
    if rows.len() >= ROWS_MAX {
        return;
    }
    let first = *rows.entry(id).or_insert(position);
    if first != position {
        let parts: Vec<String> =
            key.iter().filter(|part| !part.is_empty()).map(|part| excerpt(part)).collect();
        sink.note(position, &format!("it repeats `{}` of row {first}", parts.join(" ")));
    }
}

/// What quarantine shows of a piece of input.
fn rejected<'a>(fault: &'a Fault, shown: &'a str) -> Action<&'a str> {
    let detail = (!fault.detail.is_empty()).then_some(fault.detail.as_str());
    Action::Assert(Body::Reject(Reject { reason: fault.reason, excerpt: shown, detail }))
}

/// Too much of something: the limit that was reached, in words.
pub(crate) fn too_long(what: &str, limit: usize, unit: &str) -> Fault {
    Fault::new(RejectReason::TooLong, format!("{what} is longer than {limit} {unit}"))
}
