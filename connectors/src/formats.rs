//! Formats: bytes in, facts out; no input or output, no clock, no randomness.
//!
//! A format never fails as a whole because of a line: what cannot be read goes to the sink as a
//! reject with position and reason, and reading goes on. Memory is bounded by the limits that each
//! format states. Facts leave as they are found, through a [`Sink`], with borrowed names.

pub mod flexnet;
pub mod cloudevents;
pub mod mapping;
pub mod table;
pub mod text;

use trueup_model::calendar::Zone;
use trueup_model::fact::{Action, Body, Fact, FactId, Provenance};
use trueup_model::reject::{Reject, RejectReason};
use trueup_model::time::Timestamp;

/// Takes the facts that a format finds.
pub trait Sink {
    /// Takes one fact; names are borrowed for the call.
    fn accept(&mut self, fact: Fact<&str>);

    /// Takes a remark that is no fact: a date carrier that disagrees, an overlap that was skipped.
    ///
    /// `position` is the line or row it is about, from 1.
    fn note(&mut self, position: u64, words: &str);
}

/// What a format must know besides the bytes.
#[derive(Clone, Debug)]
pub struct Context {
    /// Whose facts they are.
    pub tenant: String,
    /// The connector's source name; part of the identity of facts that have no better one.
    pub source: String,
    /// The file, stream or table that is read; the provenance of its facts.
    pub document: String,
    /// The zone of local times and dates in the bytes.
    pub zone: Zone,
    /// When the bytes were received: the arrival time of their facts.
    pub received_at: Timestamp,
}

/// The longest excerpt of unreadable input that a reject keeps, in bytes.
pub const EXCERPT_BYTES_MAX: usize = 120;

impl Context {
    /// A fact of this document at this position that says `body`.
    pub fn fact<'a>(&'a self, id: FactId, position: u64, body: Body<&'a str>) -> Fact<&'a str> {
        Fact {
            id,
            revision: 0,
            arrived_at: self.received_at,
            provenance: Provenance { document: &self.document, position },
            document: None,
            action: Action::Assert(body),
        }
    }

    /// Sends the input at this position to quarantine.
    ///
    /// The identity is made of document, position and excerpt, so that reading a file twice gives
    /// one reject.
    pub fn reject(
        &self,
        sink: &mut impl Sink,
        position: u64,
        reason: RejectReason,
        input: &[u8],
        detail: Option<&str>,
    ) {
        let excerpt = excerpt(input);
        let parts: [&[u8]; 4] =
            [b"reject", self.document.as_bytes(), &position.to_le_bytes(), excerpt.as_bytes()];
        let id = FactId::of(&self.tenant, &self.source, &parts);
        let body = Body::Reject(Reject { reason, excerpt: excerpt.as_str(), detail });
        sink.accept(self.fact(id, position, body));
    }
}

/// The printable beginning of unreadable input.
pub fn excerpt(input: &[u8]) -> String {
    let cut = input.get(..EXCERPT_BYTES_MAX).unwrap_or(input);
    let mut text: String = String::from_utf8_lossy(cut)
        .chars()
        .map(|letter| if letter.is_control() { '\u{fffd}' } else { letter })
        .collect();
    if cut.len() < input.len() {
        text.push('…');
    }
    text
}

/// A sink that keeps everything: for tests and for small inputs.
#[derive(Debug, Default)]
pub struct Collected {
    /// The facts, in the order in which they were found.
    pub facts: Vec<Fact<String>>,
    /// The remarks, with their positions.
    pub notes: Vec<(u64, String)>,
}

impl Sink for Collected {
    fn accept(&mut self, fact: Fact<&str>) {
        let owned: Result<Fact<String>, std::convert::Infallible> =
            fact.try_map(&mut |_, name: &str| Ok(name.to_owned()));
        match owned {
            Ok(owned) => self.facts.push(owned),
            Err(never) => match never {},
        }
    }

    fn note(&mut self, position: u64, words: &str) {
        self.notes.push((position, words.to_owned()));
    }
}
