//! Files that replace each other: their lines are rows of a version of a document.
//!
//! A version counts once it is declared, after its rows; then it replaces the one before. What could
//! not be read of a version is a row of it too, so that a corrected file takes it back. A file that
//! is not of the format at all declares nothing: it must not replace rights by none.

use super::quarantine::{NOTES_MAX, REJECTS_MAX};
use crate::formats::{Context, Sink, excerpt};
use std::collections::BTreeMap;
use trueup_model::fact::{
    Action, Body, DocumentRef, DocumentVersion, Fact, FactId, FactIds, FactKind, Provenance,
};
use trueup_model::reject::{Reject, RejectReason};
use trueup_model::time::Timestamp;

/// The largest file that is read as one document, in bytes: they are kilobytes.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Which version of which document a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentOptions {
    /// The document, by a name that stays when the file changes.
    pub document: String,
    /// When this version was observed, in microseconds: a later one replaces an earlier one.
    pub version: u64,
    /// From when on it holds; [`Timestamp::MIN`] if it speaks for all of time.
    pub effective_from: Timestamp,
}

impl DocumentOptions {
    /// The version that was observed at this instant, and holds from then on.
    pub fn observed_at(document: &str, at: Timestamp) -> Self {
        let version = u64::try_from(at.0).unwrap_or(0);
        Self { document: document.to_owned(), version, effective_from: at }
    }
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentSummary {
    /// Rows that became facts.
    pub rows: u64,
    /// Lines that were set aside.
    pub rejects: u64,
    /// Whether the version was declared: false if the file is not of the format.
    pub taken: bool,
}

/// Tells the rows of one version.
pub(super) struct Rows<'a> {
    context: &'a Context,
    options: &'a DocumentOptions,
    identities: FactIds,
    /// How often a row of this identity came before.
    ordinals: BTreeMap<FactId, u32>,
    rows: u64,
    rejects: u64,
    notes: u64,
    /// Where the rejects begin that are only counted, and why the first of them was set aside.
    beyond: Option<(u64, RejectReason)>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(context: &'a Context, options: &'a DocumentOptions) -> Self {
        Self {
            context,
            options,
            identities: FactIds::new(&context.tenant, &options.document),
            ordinals: BTreeMap::new(),
            rows: 0,
            rejects: 0,
            notes: 0,
            beyond: None,
        }
    }

    /// Tells a row; rows of one key in one version are told apart by their order.
    pub(super) fn row(
        &mut self,
        position: u64,
        key: &[&[u8]],
        body: Body<&str>,
        sink: &mut impl Sink,
    ) {
        let version = self.options.version.to_le_bytes();
        let mut parts: Vec<&[u8]> = vec![&version];
        parts.extend_from_slice(key);
        let first = self.identities.of(&parts);
        let times = self.ordinals.entry(first).or_default();
        let ordinal = *times;
        *times += 1;
        let ordinal = ordinal.to_le_bytes();
        parts.push(&ordinal);
        let id = self.identities.of(&parts);
        self.rows += 1;
        sink.accept(self.fact(id, position, Action::Assert(body)));
    }

    /// Sets a line aside.
    pub(super) fn reject(
        &mut self,
        position: u64,
        reason: RejectReason,
        input: &str,
        detail: Option<&str>,
        sink: &mut impl Sink,
    ) {
        self.rejects += 1;
        if self.rejects > REJECTS_MAX {
            self.beyond.get_or_insert((position, reason));
            return;
        }
        let excerpt = excerpt(input.as_bytes());
        let parts: [&[u8]; 4] = [
            b"reject",
            &self.options.version.to_le_bytes(),
            &position.to_le_bytes(),
            excerpt.as_bytes(),
        ];
        let id = self.identities.of(&parts);
        let body = Body::Reject(Reject { reason, excerpt: excerpt.as_str(), detail });
        sink.accept(self.fact(id, position, Action::Assert(body)));
    }

    /// Passes a remark on.
    pub(super) fn note(&mut self, position: u64, words: &str, sink: &mut impl Sink) {
        self.notes += 1;
        if self.notes <= NOTES_MAX {
            sink.note(position, words);
        }
    }

    /// Says that the file is not of the format. The next version that is, takes it back.
    pub(super) fn refuse(
        mut self,
        reason: RejectReason,
        input: &[u8],
        detail: &str,
        sink: &mut impl Sink,
    ) -> DocumentSummary {
        let excerpt = excerpt(input);
        let body = Body::Reject(Reject { reason, excerpt: excerpt.as_str(), detail: Some(detail) });
        let id = self.identities.of(&[b"not taken"]);
        let fact = self.fact(id, 0, Action::Assert(body));
        sink.accept(Fact { document: None, revision: self.revision(), ..fact });
        DocumentSummary { rows: self.rows, rejects: self.rejects + 1, taken: false }
    }

    /// Declares the version.
    pub(super) fn declare(mut self, sink: &mut impl Sink) -> DocumentSummary {
        let rejects = self.rejects;
        if let Some((position, reason)) = self.beyond.take() {
            let detail = format!("{} more from here on were set aside", rejects - REJECTS_MAX);
            self.rejects = 0;
            self.reject(position, reason, "(and more)", Some(&detail), sink);
        }
        let DocumentOptions { document, version, effective_from } = self.options;
        let id = self.identities.of(&[b"document version", &version.to_le_bytes()]);
        let body = Body::Document(DocumentVersion {
            document: document.as_str(),
            version: *version,
            effective_from: *effective_from,
            rows: self.rows,
        });
        sink.accept(Fact { document: None, ..self.fact(id, 0, Action::Assert(body)) });
        let not_taken = self.identities.of(&[b"not taken"]);
        let cleared = self.fact(not_taken, 0, Action::Retract(FactKind::Reject));
        sink.accept(Fact { document: None, revision: self.revision(), ..cleared });
        DocumentSummary { rows: self.rows, rejects, taken: true }
    }

    /// The version as a revision of the statement that a version could not be taken: in seconds.
    fn revision(&self) -> u32 {
        u32::try_from(self.options.version / 1_000_000).unwrap_or(u32::MAX)
    }

    fn fact<'f>(&'f self, id: FactId, position: u64, action: Action<&'f str>) -> Fact<&'f str> {
        let DocumentOptions { document, version, .. } = self.options;
        Fact {
            id,
            revision: 0,
            arrived_at: self.context.received_at,
            provenance: Provenance { document: &self.context.document, position },
            document: Some(DocumentRef { document, version: *version }),
            action,
        }
    }
}
