//! Damage: lines that are not text, and a last line that was cut.

use super::{BYTE_ORDER_MARK, KEPT_BYTES};
use crate::formats::flexnet::line::{self, Message};

/// Lines in a row that are not text; chatter between them does not end the row.
#[derive(Clone, Debug)]
pub(super) struct Garbage {
    /// The first of them.
    pub(super) position: u64,
    /// How many.
    pub(super) lines: u64,
    /// The beginning of the first.
    pub(super) head: Vec<u8>,
}

impl Garbage {
    /// One more line, the first one if there is no row yet.
    pub(super) fn extend(row: &mut Option<Self>, position: u64, line: &[u8]) {
        let head = || line.get(..KEPT_BYTES).unwrap_or(line).to_vec();
        row.get_or_insert_with(|| Self { position, lines: 0, head: head() }).lines += 1;
    }
}

/// Whether a line holds no bytes that text does not have.
pub(super) fn is_text(line: &[u8]) -> bool {
    line.iter()
        .all(|byte| matches!(byte, b'\t' | b'\r' | 0x0b | 0x0c | 0x1b | 0x20..=0x7e | 0x80..))
}

/// Whether the last line of a file, which has no end, was cut in the middle.
///
/// Whole lines without an end are common enough in files that people touched, so only a line that
/// can be the beginning of an event or of a prefix counts as cut.
pub(super) fn is_torn(line: &[u8], scratch: &mut String) -> bool {
    let Some(prefixed) = line::split(line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)) else {
        let start = line.trim_ascii_start().first();
        return start.is_some_and(u8::is_ascii_digit) || line::holds_event(line);
    };
    match prefixed.message(scratch) {
        // A server ends events in two blanks or in parentheses: without them a name may be half.
        Message::Event(_) => {
            let text = line.trim_ascii_end();
            let ends = [&b")"[..], b"]", b"^^^"].iter().any(|end| text.ends_with(end));
            !ends && !line.ends_with(b"  ")
        }
        Message::Unreadable(_) => true,
        Message::Chatter => line::begins_event(prefixed.message),
        Message::Dated(_) | Message::Life(_) | Message::Reserving(_) => false,
    }
}
