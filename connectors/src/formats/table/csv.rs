//! CSV: text with one row a line and a sign between the cells, quotes and all (RFC 4180).
//!
//! A row's position is the number of its first line. Blank rows say nothing; a first line `sep=;`
//! names the delimiter, as spreadsheets write it.

use super::super::mapping::Mapping;
use super::sniff::{Sniffed, sniff};
use super::split::{Damage, Dialect, Rows};
use super::{Cell, Fault, Sink, Table, too_long};
use crate::formats::mapping::DETECT_BYTES_MAX;
use crate::formats::text;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use std::str::from_utf8;
use trueup_model::reject::RejectReason;

/// Reads all rows of a CSV file.
pub(super) fn read(bytes: &[u8], table: &mut Table<'_>, sink: &mut impl Sink) {
    let decoded = text::decode(bytes, table.mapping.layout.encoding);
    let start = Start::of(&decoded.bytes, table.mapping, true);
    let row_bytes_max = table.limits.row_bytes_max;
    let mut cutter = Cutter::new(start.dialect);
    for row in Rows::new(start.rows, start.line, start.dialect, row_bytes_max) {
        let input = unbroken(row.text);
        if input.is_empty() {
            continue;
        }
        let cells = match row.damage {
            Some(damage) => Err(fault(damage, row_bytes_max)),
            None => cutter.cells(row.text).ok_or_else(|| {
                Fault::new(RejectReason::NotText, "it is not in the file's encoding")
            }),
        };
        let more = match cells {
            Ok(cells) => table.row(row.line, &cells, input, sink),
            Err(fault) => table.damaged(row.line, input, fault, sink),
        };
        if !more {
            return;
        }
    }
}

/// Cuts rows into cells.
pub(super) struct Cutter {
    reader: Reader,
    delimiter: u8,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Cutter {
    pub(super) fn new(dialect: Dialect) -> Self {
        let reader = ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .quote(dialect.quote.unwrap_or(b'"'))
            .quoting(dialect.quote.is_some())
            .build();
        Self { reader, delimiter: dialect.delimiter, text: Vec::new(), ends: Vec::new() }
    }

    /// The cells of one row; `None` if one of them is not UTF-8.
    fn cells(&mut self, row: &[u8]) -> Option<Vec<Cell<'_>>> {
        let count = self.cut(row);
        let mut start = 0;
        let ends = self.ends.get(..count)?;
        let mut cells = Vec::with_capacity(count);
        for end in ends {
            cells.push(Cell::text(from_utf8(self.text.get(start..*end)?).ok()?));
            start = *end;
        }
        Some(cells)
    }

    /// Cuts one row and counts its cells, whose text and ends stand in the buffers then.
    pub(super) fn cut(&mut self, row: &[u8]) -> usize {
        // A cell is never longer than it is written, and there is one more than delimiters.
        let ends_max = memchr::memchr_iter(self.delimiter, row).count() + 2;
        self.text.resize(row.len() + 1, 0);
        self.ends.resize(ends_max, 0);
        self.reader.reset();
        let (mut read, mut written, mut count) = (0, 0, 0);
        loop {
            let (result, more_read, more_written, more_ends) = self.reader.read_record(
                &row[read..],
                &mut self.text[written..],
                &mut self.ends[count..],
            );
            read += more_read;
            written += more_written;
            count += more_ends;
            match result {
                // Once all is read, the next call has nothing to read and ends the row.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull
                | ReadRecordResult::OutputEndsFull
                | ReadRecordResult::Record
                | ReadRecordResult::End => return count,
            }
        }
    }
}

/// Where the rows begin and how they are written.
struct Start<'a> {
    rows: &'a [u8],
    line: u64,
    dialect: Dialect,
    why: String,
}

impl<'a> Start<'a> {
    fn of(text: &'a [u8], mapping: &Mapping, whole: bool) -> Self {
        let layout = &mapping.layout;
        let named = separator_line(text);
        let (mut rows, mut line) = (text, 1);
        for _ in 0..layout.skip_rows + u64::from(named.is_some()) {
            let Some(end) = memchr::memchr(b'\n', rows) else { break };
            rows = &rows[end + 1..];
            line += 1;
        }
        let head = &rows[..rows.len().min(DETECT_BYTES_MAX)];
        let Sniffed { delimiter, why } = match layout.delimiter.or(named) {
            Some(delimiter) => Sniffed { delimiter, why: "the delimiter is stated".to_owned() },
            None => sniff(head, layout.quote, whole && head.len() == rows.len()),
        };
        Self { rows, line, dialect: Dialect { delimiter, quote: layout.quote }, why }
    }
}

/// The delimiter of a first line `sep=;`.
fn separator_line(text: &[u8]) -> Option<u8> {
    let line = text.split(|byte| *byte == b'\n').next()?.trim_ascii_end();
    let (name, sign) = line.split_at_checked(4)?;
    match sign {
        [sign] if name.eq_ignore_ascii_case(b"sep=") => Some(*sign),
        _ => None,
    }
}

/// The header's names, the delimiter, and what speaks for it; `None` if there is no header.
pub(crate) fn header(head: &[u8], mapping: &Mapping, whole: bool) -> Option<(Vec<String>, String)> {
    let decoded = text::decode(head, mapping.layout.encoding);
    let start = Start::of(&decoded.bytes, mapping, whole);
    let mut rows = Rows::new(start.rows, start.line, start.dialect, DETECT_BYTES_MAX);
    let row = rows.find(|row| !unbroken(row.text).is_empty())?;
    let mut cutter = Cutter::new(start.dialect);
    let names = cutter.cells(row.text)?;
    Some((names.iter().map(|name| name.text.to_owned()).collect(), start.why))
}

/// A row's bytes without its line break.
pub(super) fn unbroken(row: &[u8]) -> &[u8] {
    let end = row.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
    &row[..end]
}

fn fault(damage: Damage, row_bytes_max: usize) -> Fault {
    let (reason, detail) = match damage {
        Damage::TooLong => return too_long("the row", row_bytes_max, "bytes"),
        Damage::OpenQuote => (RejectReason::Malformed, "a quote is opened and not closed"),
        Damage::Torn => (RejectReason::Torn, "the file ends inside a quoted cell"),
        Damage::LooseQuote => {
            (RejectReason::Malformed, "a quote inside a quoted cell is not doubled")
        }
    };
    Fault::new(reason, detail)
}
