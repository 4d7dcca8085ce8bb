//! Cuts a stream of JSON into its events: lines, or the elements of batches in brackets.
//!
//! A line that begins with `[` begins a batch (`application/cloudevents-batch+json`), which may run
//! over many lines; everything else is one event a line. However the bytes are cut into pieces, the
//! events are the same. Memory: one event, up to the limit; what is longer is passed over to its
//! end and reported once.

use crate::formats::EXCERPT_BYTES_MAX;

/// The mark that some programs put before UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// What stands at one place of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// The bytes of one event, without the line break or comma around it.
    Event(&'a [u8]),
    /// The beginning of an event that is longer than the limit.
    TooLong(&'a [u8]),
    /// What there is of an event, or of the end of a batch, when the stream ends inside it.
    Torn(&'a [u8]),
}

/// Where the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first byte of a line that is not blank.
    Between,
    /// In a line.
    Line,
    /// In a batch, before an element.
    Batch,
    /// After a batch, on its last line, whose end is no line of its own.
    AfterBatch,
    /// In an element of a batch.
    Element(Element),
}

/// How far an element of a batch has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Element {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Element {
    /// Takes one byte; true if the byte ends the element and does not belong to it.
    fn take(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b',' | b']' if self.depth == 0 => return true,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }
}

/// Cuts a stream into events.
#[derive(Debug)]
pub(super) struct Splitter {
    event_bytes_max: usize,
    state: State,
    kept: Vec<u8>,
    too_long: bool,
    position: u64,
    mark_seen: usize,
}

impl Splitter {
    pub(super) fn new(event_bytes_max: usize) -> Self {
        let kept = Vec::new();
        let state = State::Between;
        Self { event_bytes_max, state, kept, too_long: false, position: 0, mark_seen: 0 }
    }

    /// Takes the next bytes and gives each event that ends in them, with its place: the line's
    /// number, and in a batch the element's, counted on.
    pub(super) fn push(&mut self, bytes: &[u8], each: &mut impl FnMut(u64, Found<'_>)) {
        let mut rest = self.without_mark(bytes);
        while let Some(first) = rest.first() {
            rest = match self.state {
                State::Between | State::AfterBatch => {
                    match first {
                        b'\n' => {
                            self.position += u64::from(self.state == State::Between);
                            self.state = State::Between;
                        }
                        b' ' | b'\t' | b'\r' => {}
                        b'[' => self.state = State::Batch,
                        _ => {
                            self.state = State::Line;
                            continue;
                        }
                    }
                    &rest[1..]
                }
                State::Line => self.line(rest, each),
                State::Batch => {
                    match first {
                        b']' => self.state = State::AfterBatch,
                        b' ' | b'\t' | b'\r' | b'\n' | b',' => {}
                        _ => {
                            self.state = State::Element(Element::default());
                            continue;
                        }
                    }
                    &rest[1..]
                }
                State::Element(element) => self.element(element, rest, each),
            };
        }
    }

    /// Gives what the stream ended in.
    pub(super) fn finish(mut self, each: &mut impl FnMut(u64, Found<'_>)) {
        match self.state {
            State::Between | State::AfterBatch => {}
            State::Line => self.give(&[], false, each),
            State::Batch | State::Element(_) => self.give(&[], true, each),
        }
    }

    /// The rest of a line, as far as it is there.
    fn line<'a>(&mut self, rest: &'a [u8], each: &mut impl FnMut(u64, Found<'_>)) -> &'a [u8] {
        match memchr::memchr(b'\n', rest) {
            Some(end) => {
                self.give(&rest[..end], false, each);
                self.state = State::Between;
                &rest[end + 1..]
            }
            None => {
                self.keep(rest);
                &[]
            }
        }
    }

    /// The rest of an element, as far as it is there.
    fn element<'a>(
        &mut self,
        mut element: Element,
        rest: &'a [u8],
        each: &mut impl FnMut(u64, Found<'_>),
    ) -> &'a [u8] {
        match rest.iter().position(|byte| element.take(*byte)) {
            Some(end) => {
                self.give(&rest[..end], false, each);
                self.state = State::Batch;
                &rest[end..]
            }
            None => {
                self.keep(rest);
                self.state = State::Element(element);
                &[]
            }
        }
    }

    /// Keeps bytes of an event whose end is still to come; of one that is too long, its beginning.
    fn keep(&mut self, bytes: &[u8]) {
        let whole = !self.too_long && self.kept.len() + bytes.len() <= self.event_bytes_max;
        if whole {
            self.kept.extend_from_slice(bytes);
            return;
        }
        // One byte more than an excerpt shows, so that it shows that there is more.
        const BEGINNING_BYTES: usize = EXCERPT_BYTES_MAX + 1;
        self.too_long = true;
        self.kept.truncate(BEGINNING_BYTES);
        let room = BEGINNING_BYTES - self.kept.len();
        self.kept.extend_from_slice(&bytes[..room.min(bytes.len())]);
    }

    /// Gives the event that ends with these bytes.
    fn give(&mut self, last: &[u8], torn: bool, each: &mut impl FnMut(u64, Found<'_>)) {
        self.position += 1;
        if self.kept.is_empty() && last.len() <= self.event_bytes_max && !torn {
            each(self.position, Found::Event(trimmed(last)));
            return;
        }
        self.keep(last);
        let found = match (self.too_long, torn) {
            (true, _) => Found::TooLong(&self.kept),
            (false, true) => Found::Torn(trimmed(&self.kept)),
            (false, false) => Found::Event(trimmed(&self.kept)),
        };
        each(self.position, found);
        self.kept.clear();
        self.too_long = false;
    }

    /// Passes over a byte order mark at the very beginning, however it is cut.
    fn without_mark<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let mut rest = bytes;
        while let (Some(expected), Some(first)) =
            (BYTE_ORDER_MARK.get(self.mark_seen), rest.first())
        {
            if first != expected {
                // Half a mark is no mark: it belongs to the first line.
                if self.mark_seen > 0 {
                    self.keep(&BYTE_ORDER_MARK[..self.mark_seen]);
                    self.state = State::Line;
                }
                self.mark_seen = BYTE_ORDER_MARK.len();
                return rest;
            }
            self.mark_seen += 1;
            rest = &rest[1..];
        }
        rest
    }
}

/// The bytes without blanks around them.
fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}
