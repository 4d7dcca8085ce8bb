//! Streams of JSON events, one a line: CloudEvents in structured mode, and NDJSON of any shape.
//!
//! The mapping says where the quantity, the account and the rest stand, as paths into the event. A
//! CloudEvent is the fact (source, id) of its tenant; its type is the product and its subject the
//! account unless the mapping says otherwise, and without a time it happened when it was received.
//! Bytes come in pieces of any size; batches in brackets are taken too. What cannot be read is set
//! aside with its line, and the next line goes on.

mod extract;
pub(crate) mod path;
mod split;

use super::mapping::cell::{Cell, Fault, Typed};
use super::mapping::emit::{Emitter, Place, too_long};
use super::mapping::plan::Plan;
use super::mapping::{Format, Mapping, Snapshot, Summary};
use super::{Context, Sink};
use extract::{Tree, cell, extract, text_of};
use split::{Found, Splitter};
use std::borrow::Cow;
use trueup_model::reject::RejectReason;
use trueup_model::time::Timestamp;

/// The longest event unless the caller says otherwise, in bytes.
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// The attributes that a CloudEvent must have.
const REQUIRED: [&str; 4] = ["specversion", "id", "source", "type"];

/// Reads a stream of events.
#[derive(Debug)]
pub struct Reader<'m> {
    splitter: Splitter,
    events: Events<'m>,
}

impl<'m> Reader<'m> {
    /// A reader of the stream that `context` names, for a mapping of NDJSON or CloudEvents.
    ///
    /// `snapshot` matters only for mappings of other kinds than usage, whose events are the rows of
    /// a document.
    ///
    /// # Errors
    /// If the mapping is one of tables, or names no usable path.
    pub fn new(
        mapping: &'m Mapping,
        snapshot: &Snapshot,
        context: Context,
        event_bytes_max: usize,
    ) -> Result<Self, ReaderError> {
        let events = Events::new(mapping, snapshot, context, event_bytes_max)?;
        Ok(Self { splitter: Splitter::new(event_bytes_max), events })
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        let Self { splitter, events } = self;
        splitter.push(bytes, &mut |position, found| events.take(position, found, false, sink));
    }

    /// Sets when the bytes that follow were received.
    pub fn received_at(&mut self, at: Timestamp) {
        self.events.emitter.received_at(at);
    }

    /// Takes the end of the stream; a last line without a line break counts if it is whole.
    pub fn finish(self, sink: &mut impl Sink) -> Summary {
        let Self { splitter, mut events } = self;
        splitter.finish(&mut |position, found| events.take(position, found, true, sink));
        if events.other_types > 0 {
            let words = format!("events of types that were not asked for: {}", events.other_types);
            sink.note(0, &words);
        }
        events.emitter.finish(sink)
    }
}

/// Why a stream cannot be read with a mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReaderError {
    /// The mapping is for another format.
    #[error("mapping {name} is for {format}, not for a stream of events")]
    NotEvents {
        /// The mapping.
        name: String,
        /// The format that it is for.
        format: &'static str,
    },
    /// A path leads nowhere.
    #[error("mapping {name}: {problem}")]
    BadPath {
        /// The mapping.
        name: String,
        /// What is wrong.
        problem: String,
    },
}

/// Turns events into facts.
struct Events<'m> {
    mapping: &'m Mapping,
    emitter: Emitter<'m>,
    plan: Plan,
    tree: Tree,
    /// How many slots are fields of the mapping; those of the envelope follow.
    field_count: usize,
    received_slot: Option<usize>,
    envelope: Vec<(&'static str, usize)>,
    slot_count: usize,
    event_bytes_max: usize,
    other_types: u64,
}

impl std::fmt::Debug for Events<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("mapping", &self.mapping.name).finish_non_exhaustive()
    }
}

impl<'m> Events<'m> {
    fn new(
        mapping: &'m Mapping,
        snapshot: &Snapshot,
        context: Context,
        event_bytes_max: usize,
    ) -> Result<Self, ReaderError> {
        let name = || mapping.name.clone();
        if mapping.format.is_table() {
            let format = mapping.format.name();
            return Err(ReaderError::NotEvents { name: name(), format });
        }
        let bad_path = |problem| ReaderError::BadPath { name: name(), problem };
        let wrapper = match &mapping.events.event {
            Some(text) => path::parse(text).map_err(bad_path)?,
            None => Vec::new(),
        };
        let columns: Vec<String> = mapping.columns().into_iter().map(str::to_owned).collect();
        let plan = Plan::bind(mapping, &columns).map_err(|fault| bad_path(fault.detail))?;
        let mut paths = Vec::new();
        for column in &columns {
            let steps = path::parse(column).map_err(bad_path)?;
            paths.push([wrapper.clone(), steps].concat());
        }
        let field_count = paths.len();
        let mut envelope = Vec::new();
        if mapping.format == Format::CloudEvents {
            for attribute in REQUIRED {
                envelope.push((attribute, paths.len()));
                paths.push([wrapper.clone(), vec![attribute.to_owned()]].concat());
            }
        }
        let mut received_slot = None;
        if let Some(text) = &mapping.events.received_at {
            received_slot = Some(paths.len());
            paths.push(path::parse(text).map_err(bad_path)?);
        }
        let mut tree = Tree::default();
        for (slot, steps) in paths.iter().enumerate() {
            tree.add(steps, slot);
        }
        Ok(Self {
            mapping,
            emitter: Emitter::new(mapping, snapshot, context),
            plan,
            tree,
            field_count,
            received_slot,
            envelope,
            slot_count: paths.len(),
            event_bytes_max,
            other_types: 0,
        })
    }

    /// Takes one event; `last` if the stream ends with it.
    fn take(&mut self, position: u64, found: Found<'_>, last: bool, sink: &mut impl Sink) {
        let arrived_at = self.emitter.context().received_at;
        let (input, fault) = match found {
            Found::Event(input) => match self.event(position, input, sink) {
                Ok(()) => return,
                Err(fault) => (input, fault),
            },
            Found::TooLong(input) => (input, too_long("the event", self.event_bytes_max, "bytes")),
            Found::Torn(input) => {
                (input, Fault::new(RejectReason::Torn, "the stream ends inside a batch"))
            }
        };
        let place = Place { position, arrived_at, input };
        if last && fault.reason == RejectReason::Torn {
            self.emitter.give_up(place, fault, sink);
        } else {
            self.emitter.reject(place, fault, sink);
        }
    }

    /// Reads one event and sends its fact.
    fn event(&mut self, position: u64, input: &[u8], sink: &mut impl Sink) -> Result<(), Fault> {
        let text = std::str::from_utf8(input)
            .map_err(|_| Fault::new(RejectReason::NotText, "it is not UTF-8"))?;
        let mut raw = vec![None; self.slot_count];
        extract(text, &self.tree, &mut raw)?;
        let texts: Vec<Cow<'_, str>> = raw.iter().map(|value| text_of(*value)).collect();
        let cells: Vec<Cell<'_>> =
            raw.iter().zip(&texts).map(|(value, words)| cell(*value, words)).collect();
        if !self.is_meant(&cells)? {
            self.other_types += 1;
            self.emitter.skip();
            return Ok(());
        }
        let arrived_at = self.arrived_at(&cells)?;
        let place = Place { position, arrived_at, input };
        self.emitter.row(&self.plan, &cells[..self.field_count], place, sink);
        Ok(())
    }

    /// Whether the mapping asks for the event, if it is one that follows the standard.
    fn is_meant(&self, cells: &[Cell<'_>]) -> Result<bool, Fault> {
        let mut meant = true;
        for (attribute, slot) in &self.envelope {
            let cell = cells[*slot];
            if cell.text.is_empty() || cell.typed == Typed::Fault {
                let detail = format!("it is no CloudEvent: it has no {attribute}");
                return Err(Fault::new(RejectReason::Malformed, detail));
            }
            let types = &self.mapping.events.types;
            if *attribute == "type" && !types.is_empty() {
                meant = types.iter().any(|wanted| wanted == cell.text);
            }
        }
        Ok(meant)
    }

    /// When the event was received: as its wrapper says, else as the caller said.
    fn arrived_at(&self, cells: &[Cell<'_>]) -> Result<Timestamp, Fault> {
        let Some(slot) = self.received_slot else {
            return Ok(self.emitter.context().received_at);
        };
        let cell = cells[slot];
        if cell.text.is_empty() {
            return Ok(self.emitter.context().received_at);
        }
        cell.text.parse().map_err(|error: trueup_model::time::TimestampError| {
            Fault::bad(format!("the time of receipt: {error}"))
        })
    }
}

#[cfg(test)]
mod tests;
