//! The debug log of a license server: lines in, facts out.
//!
//! A [`LogReader`] takes bytes in pieces of any size. A line becomes a fact as soon as its date is
//! known (see [`dating`]); lines before the first date wait in a bounded buffer. The reader pairs
//! nothing: which return belongs to which checkout is the engine's rule.
//!
//! # What lines become
//!
//! | line | fact |
//! |---|---|
//! | `OUT`, `IN`, `DENIED`, `UNSUPPORTED`, `QUEUED`, `DEQUEUED` | a session event |
//! | `Server started on`, and the manager's banner for each daemon that was seen before | the daemon started |
//! | `TIMESTAMP`; the last line of a daemon before a start, a pause and the end | the daemon was alive |
//! | the end of a reread | the license file was read again |
//! | `EXPIRED` | the feature had expired |
//! | `RESERVING` | a reservation, as an option in force |
//! | one that begins like an event and is none, is too long, is not text, is cut at the end | a reject |
//!
//! Debug logs name no display; a checkout's display is never known from here.
//!
//! # Names
//!
//! A server is `<daemon>@<host>`; what a forked child `daemon_1` writes belongs to `daemon`. The host
//! is, in this order: the one that [`LogOptions`] gives; the one that the log's banner or
//! `Server started on` named before the first fact left; the fallback of the options; `unknown`. It
//! is fixed with the first fact, for the whole log: a banner that names another is remarked.
//!
//! # Identity
//!
//! A fact's identity is made of tenant, server (in lower case), instant, the message itself and its
//! ordinal among equal messages of that server and second. So a file that is read twice, has grown,
//! or overlaps another gives the same facts, and equal lines in one second stay separate checkouts.
//! A reservation's has no instant: each start repeats it.
//!
//! # Bounds
//!
//! | what | limit | at the limit |
//! |---|---|---|
//! | a line | [`LINE_BYTES_MAX`] | skipped, one reject |
//! | lines without a date | [`HELD_BYTES_MAX`] | the oldest become rejects |
//! | daemons in a log | [`DAEMONS_MAX`] | events of further ones become rejects |
//! | seconds of a daemon that stay open | [`SECONDS_MAX`] | what lies further back begins anew |
//! | messages of a second told apart | [`MESSAGES_MAX`], and [`FURTHER_MAX`] for all seconds together | an equal one further back counts as the same |
//! | rejects, remarks | 1,000 each | the rest is counted |

mod held;
mod recent;
mod damage;
mod daemons;
mod scribe;

pub use daemons::DAEMONS_MAX;
pub use held::HELD_BYTES_MAX;
pub use recent::{FURTHER_MAX, MESSAGES_MAX, SECONDS_MAX};

use crate::formats::flexnet::dating::{self, Anchor, Dating, Mark};
use crate::formats::flexnet::line::{self, Message, Prefixed};
use crate::formats::{Context, EXCERPT_BYTES_MAX, Sink};
use damage::{Garbage, is_text, is_torn};
use held::Held;
use jiff::civil::Date;
use memchr::memchr;
use scribe::{Place, Scribe};
use trueup_model::reject::RejectReason;
use trueup_model::time::{Span, Timestamp};

/// The longest line that is read, in bytes.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// What is kept of a line that is skipped, in bytes: one more than a reject shows.
const KEPT_BYTES: usize = EXCERPT_BYTES_MAX + 1;
/// The mark that some editors put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What to assume of a log.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// The server's host, whatever the log says.
    pub host: Option<String>,
    /// The server's host if the log does not say it: a license file's, for example.
    pub fallback_host: Option<String>,
    /// When the last line was written, such as the file's time of change, if the log has no date.
    pub date_hint: Option<Timestamp>,
}

/// What a log held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSummary {
    /// Lines.
    pub lines: u64,
    /// Session events.
    pub events: u64,
    /// Rejects, told or counted.
    pub rejects: u64,
    /// From the first line with a clock up to the last one, if the log has dates.
    pub span: Option<Span>,
}

/// Reads the debug log of one license server.
#[derive(Debug)]
pub struct LogReader {
    scribe: Scribe,
    dating: Dating,
    held: Held,
    date_hint: Option<Timestamp>,
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    /// Whether that line is too long and is being skipped.
    skipping: bool,
    /// The number of the last complete line, from 1.
    position: u64,
    lines: u64,
    /// Lines in a row that are not text.
    garbage: Option<Garbage>,
    first: Option<Mark>,
    span: Option<Span>,
    scratch: String,
}

impl LogReader {
    /// A reader at the beginning of a log.
    pub fn new(context: Context, options: LogOptions) -> Self {
        Self {
            dating: Dating::new(context.zone.clone()),
            date_hint: options.date_hint,
            scribe: Scribe::new(context, &options),
            held: Held::default(),
            partial: Vec::new(),
            skipping: false,
            position: 0,
            lines: 0,
            garbage: None,
            first: None,
            span: None,
            scratch: String::new(),
        }
    }

    /// Takes the next bytes, which may end anywhere.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        let mut rest = bytes;
        if !self.partial.is_empty() || self.skipping {
            let Some(end) = memchr(b'\n', rest) else { return self.gather(rest) };
            self.gather(&rest[..end]);
            self.end_line(sink);
            rest = &rest[end + 1..];
        }
        // Text is looked through for what is none once, and not line by line.
        while !rest.is_empty() {
            let valid = valid(rest);
            let mut text = valid;
            while let Some((line, after)) = cut_line(text) {
                self.line(line.as_bytes(), Some(line), sink);
                text = after;
            }
            rest = &rest[valid.len() - text.len()..];
            let Some(end) = memchr(b'\n', rest) else { return self.gather(rest) };
            self.line(&rest[..end], None, sink);
            rest = &rest[end + 1..];
        }
    }

    /// Says that there are no more bytes for now: what is known is told up to here.
    ///
    /// A line that has no end yet waits for it.
    pub fn idle(&mut self, sink: &mut impl Sink) {
        self.end_garbage(sink);
        if self.dating.is_anchored() {
            self.scribe.tell_alive(sink);
        }
    }

    /// Goes on in another file of the same log, from its line `first_line`.
    ///
    /// A line that the last file left without an end is ended.
    pub fn continue_in(&mut self, document: &str, first_line: u64, sink: &mut impl Sink) {
        self.end_file(sink);
        self.scribe.continue_in(document);
        self.position = first_line.saturating_sub(1);
    }

    /// Sets when the bytes that follow were received.
    pub fn received_at(&mut self, at: Timestamp) {
        self.scribe.received_at(at);
    }

    /// Whether the lines so far have dates.
    pub fn is_dated(&self) -> bool {
        self.dating.is_anchored()
    }

    /// The server's host as facts name it, once one left.
    pub fn host(&self) -> Option<&str> {
        self.scribe.host()
    }

    /// Says that the last line was written shortly before an instant; heeded if none has a date.
    ///
    /// For whoever follows a log that is being written and shows no date for hours. A date that a
    /// later line carries wins from that line on.
    pub fn assume_written(&mut self, before: Timestamp, sink: &mut impl Sink) {
        if !self.dating.is_anchored() {
            self.dating.anchor_last(before);
            self.release(sink);
        }
    }

    /// Says that the log ends here.
    pub fn finish(mut self, sink: &mut impl Sink) -> LogSummary {
        self.end_file(sink);
        if let Some(hint) = self.date_hint {
            self.assume_written(hint, sink);
        }
        let held = std::mem::take(&mut self.held);
        held.each(|place, _, line| self.scribe.undated(place, line, sink));
        if self.dating.is_anchored() {
            self.scribe.tell_alive(sink);
        }
        let rejects = self.scribe.close(sink);
        LogSummary { lines: self.lines, events: self.scribe.events(), rejects, span: self.span }
    }

    /// How much the reader keeps, in bytes: the line that has no end, and lines without a date.
    pub fn buffered_bytes(&self) -> usize {
        self.partial.capacity() + self.held.bytes()
    }

    /// Keeps the beginning of a line.
    fn gather(&mut self, piece: &[u8]) {
        if self.skipping {
            return;
        }
        if self.partial.len() + piece.len() > LINE_BYTES_MAX {
            let wanted = KEPT_BYTES.saturating_sub(self.partial.len());
            self.partial.extend_from_slice(piece.get(..wanted).unwrap_or(piece));
            self.partial.truncate(KEPT_BYTES);
            self.skipping = true;
        } else {
            self.partial.extend_from_slice(piece);
        }
    }

    /// Takes the gathered line as ended.
    fn end_line(&mut self, sink: &mut impl Sink) {
        let mut line = std::mem::take(&mut self.partial);
        if std::mem::take(&mut self.skipping) {
            self.too_long(&line, sink);
        } else {
            self.line(&line, None, sink);
        }
        line.clear();
        self.partial = line;
    }

    /// Takes the end of a file as the end of its last line.
    fn end_file(&mut self, sink: &mut impl Sink) {
        if !self.partial.is_empty() || self.skipping {
            if !self.skipping && is_torn(&self.partial, &mut self.scratch) {
                let line = std::mem::take(&mut self.partial);
                self.begin_line();
                self.end_garbage(sink);
                self.reject(RejectReason::Torn, &line, None, sink);
            } else {
                self.end_line(sink);
            }
        }
        self.end_garbage(sink);
    }

    fn begin_line(&mut self) {
        self.position += 1;
        self.lines += 1;
    }

    fn too_long(&mut self, head: &[u8], sink: &mut impl Sink) {
        self.begin_line();
        self.end_garbage(sink);
        self.reject(RejectReason::TooLong, head, None, sink);
    }

    /// Takes a line without its end, and the same as text if it is known to be.
    fn line(&mut self, line: &[u8], text: Option<&str>, sink: &mut impl Sink) {
        if line.len() > LINE_BYTES_MAX {
            return self.too_long(&line[..KEPT_BYTES], sink);
        }
        self.begin_line();
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        let prefixed = match text.filter(|text| text.len() == line.len()) {
            Some(text) => line::split_text(text),
            None => line::split(line),
        };
        match prefixed {
            Some(prefixed) => self.prefixed(&prefixed, line, sink),
            None => self.unprefixed(line, sink),
        }
    }

    /// Takes a line that begins with a time and a daemon.
    fn prefixed(&mut self, prefixed: &Prefixed<'_>, line: &[u8], sink: &mut impl Sink) {
        if self.garbage.is_some() {
            self.end_garbage(sink);
        }
        let mark = self.dating.advance(prefixed.clock);
        let mut scratch = std::mem::take(&mut self.scratch);
        let message = prefixed.message(&mut scratch);
        if let Some(date) = dating::date_of(prefixed.clock, &message) {
            self.anchor(mark, date, &message, sink);
        }
        let place = self.scribe.place(self.position);
        if self.dating.is_anchored() {
            self.dated(place, mark, prefixed, &message, line, sink);
        } else {
            self.first.get_or_insert(mark);
            self.hold(place, mark, prefixed, &message, line, sink);
        }
        self.scratch = scratch;
    }

    /// Takes a line that does not.
    fn unprefixed(&mut self, line: &[u8], sink: &mut impl Sink) {
        if line.trim_ascii().is_empty() {
            return;
        }
        if line::holds_event(line) {
            self.end_garbage(sink);
            let detail = Some("an event without its time and daemon");
            return self.reject(RejectReason::Malformed, line, detail, sink);
        }
        if is_text(line) {
            return;
        }
        Garbage::extend(&mut self.garbage, self.position, line);
    }

    /// Tells of lines in a row that were not text.
    fn end_garbage(&mut self, sink: &mut impl Sink) {
        let Some(garbage) = self.garbage.take() else { return };
        let detail = (garbage.lines > 1).then(|| format!("{} such lines", garbage.lines));
        let place = self.scribe.place(garbage.position);
        let reason = RejectReason::NotText;
        self.scribe.reject(place, reason, &garbage.head, detail.as_deref(), sink);
    }

    fn reject(
        &mut self,
        reason: RejectReason,
        line: &[u8],
        detail: Option<&str>,
        sink: &mut impl Sink,
    ) {
        let place = self.scribe.place(self.position);
        self.scribe.reject(place, reason, line, detail, sink);
    }

    /// Takes the date that a line carries.
    fn anchor(&mut self, mark: Mark, date: Date, message: &Message<'_>, sink: &mut impl Sink) {
        match self.dating.anchor(mark, date) {
            Anchor::Agrees => {}
            Anchor::First => {
                self.offer_host(message);
                self.first.get_or_insert(mark);
                self.release(sink);
            }
            Anchor::Moved { counted } => {
                let words = format!(
                    "the line says {date} where {counted} was counted: the server was down, or \
                     lines are missing before it"
                );
                self.scribe.note(self.position, &words, sink);
            }
        }
    }

    /// Keeps a line until its date is known.
    fn hold(
        &mut self,
        place: Place,
        mark: Mark,
        prefixed: &Prefixed<'_>,
        message: &Message<'_>,
        line: &[u8],
        sink: &mut impl Sink,
    ) {
        match message {
            Message::Chatter | Message::Dated(_) => self.held.chatter(place, mark, prefixed.daemon),
            Message::Event(_)
            | Message::Unreadable(_)
            | Message::Life(_)
            | Message::Reserving(_) => {
                self.offer_host(message);
                self.held.line(place, mark, line);
            }
        }
        if self.held.is_full() {
            self.held.make_room(|given_up, text| self.scribe.undated(given_up, text, sink));
        }
    }

    /// Takes the host that a line names.
    fn offer_host(&mut self, message: &Message<'_>) {
        if let Message::Life(life) = message
            && let Some(host) = life.host()
        {
            self.scribe.offer_host(host);
        }
    }

    /// Takes the lines that waited for a date.
    fn release(&mut self, sink: &mut impl Sink) {
        if let Some(mark) = self.first
            && let Some(at) = self.dating.instant(mark)
        {
            self.span = Some(Span::new(at, at));
        }
        let held = std::mem::take(&mut self.held);
        let mut scratch = String::new();
        held.each(|place, mark, line| {
            if let Some(prefixed) = line::split(line) {
                let message = prefixed.message(&mut scratch);
                self.dated(place, mark, &prefixed, &message, line, sink);
            }
        });
    }

    /// Takes a line whose date is known.
    fn dated(
        &mut self,
        place: Place,
        mark: Mark,
        prefixed: &Prefixed<'_>,
        message: &Message<'_>,
        line: &[u8],
        sink: &mut impl Sink,
    ) {
        let Some(at) = self.dating.instant(mark) else {
            return self.scribe.undated(place, line, sink);
        };
        match &mut self.span {
            Some(span) => span.end = at,
            None => self.span = Some(Span::new(at, at)),
        }
        self.scribe.line(at, place, prefixed, message, line, sink);
    }
}

/// The text at the beginning of bytes.
fn valid(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_else(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        str::from_utf8(valid).unwrap_or_default()
    })
}

/// The first line of a text, and what follows its end; `None` if it has no end.
fn cut_line(text: &str) -> Option<(&str, &str)> {
    let end = memchr(b'\n', text.as_bytes())?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// The host that a log names in a banner or at a daemon's start, if it does.
///
/// For a caller that has all of a log at hand and wants its host before the first fact leaves.
pub fn host_in(log: &[u8]) -> Option<String> {
    let mut scratch = String::new();
    memchr::memmem::find_iter(log, b"tarted on ").find_map(|at| {
        let start = log[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let line = log.get(start..)?;
        let line = line.get(..memchr(b'\n', line).unwrap_or(line.len()))?;
        let prefixed = line::split(line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line))?;
        match prefixed.message(&mut scratch) {
            Message::Life(life) => life.host().map(str::to_owned),
            Message::Event(_)
            | Message::Unreadable(_)
            | Message::Dated(_)
            | Message::Reserving(_)
            | Message::Chatter => None,
        }
    })
}

#[cfg(test)]
mod tests;
