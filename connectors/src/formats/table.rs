//! Tables: CSV files and workbooks whose rows become facts by a mapping.
//!
//! The rows of every kind but usage belong to a version of a document, which is declared after them
//! and only if the whole table was read: half a purchase list never replaces a whole one. A row that
//! cannot be taken is set aside with its number and the reason, and costs no other row. Memory: the
//! bytes that the caller holds, once more if they are not UTF-8, and one row.

mod csv;
mod sheet;
pub(crate) mod sniff;
mod split;
mod workbook;

use super::cloudevents::{EVENT_BYTES_MAX, Reader};
use super::mapping::cell::{Cell, Fault, shown};
use super::mapping::emit::{Emitter, Place, too_long};
use super::mapping::plan::Plan;
use super::mapping::{Format, Mapping, Snapshot, Summary};
use super::{Context, Sink};
use trueup_model::reject::RejectReason;

pub(crate) use csv::header as csv_header;
pub(crate) use sheet::header as workbook_header;

/// How much of a table is read; each limit is the last size that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of the file, in bytes; a longer one is refused as a whole.
    pub file_bytes_max: usize,
    /// Of a row, in bytes; a longer one is set aside.
    pub row_bytes_max: usize,
    /// Of a cell, in bytes; a row with a longer one is set aside.
    pub cell_bytes_max: usize,
    /// Of the columns; a table with more is refused, as is a row of a workbook.
    pub columns_max: usize,
    /// Of the rows; what follows is not read, and the version not declared.
    pub rows_max: u64,
    /// Of the rows that are set aside one by one; of the rest, one reject says how many they are.
    pub rejects_max: u64,
    /// Of the cells of a workbook's sheet, with a value or without; what follows is not read.
    pub cells_max: u64,
    /// Of a workbook's sheet, unpacked, and of the text of its cells, in bytes.
    pub sheet_bytes_max: u64,
    /// Of a workbook's other parts, unpacked, in bytes each.
    pub part_bytes_max: u64,
}

impl Default for Limits {
    /// More than any list that people keep: 256 MiB of file, five million rows.
    fn default() -> Self {
        Self {
            file_bytes_max: 256 * 1024 * 1024,
            row_bytes_max: 1024 * 1024,
            cell_bytes_max: 64 * 1024,
            columns_max: 16_384,
            rows_max: 5_000_000,
            rejects_max: 10_000,
            cells_max: 100_000_000,
            sheet_bytes_max: 1024 * 1024 * 1024,
            part_bytes_max: 64 * 1024 * 1024,
        }
    }
}

/// Reads a whole table, or a whole file of events, and sends its facts.
pub fn read(
    bytes: &[u8],
    mapping: &Mapping,
    snapshot: &Snapshot,
    limits: &Limits,
    context: &Context,
    sink: &mut impl Sink,
) -> Summary {
    let mut table = Table {
        emitter: Emitter::new(mapping, snapshot, context.clone())
            .with_rejects_max(limits.rejects_max),
        mapping,
        limits,
        plan: None,
        width: 0,
        row_count: 0,
    };
    if bytes.len() > limits.file_bytes_max {
        table.give_up(0, bytes, too_long("the file", limits.file_bytes_max, "bytes"), sink);
        return table.emitter.finish(sink);
    }
    match mapping.format {
        Format::Csv => csv::read(bytes, &mut table, sink),
        Format::Xlsx => sheet::read(bytes, &mut table, sink),
        Format::Ndjson | Format::CloudEvents => {
            match Reader::new(mapping, snapshot, context.clone(), EVENT_BYTES_MAX) {
                Ok(mut reader) => {
                    reader.push(bytes, sink);
                    return reader.finish(sink);
                }
                Err(error) => {
                    let fault = Fault::new(RejectReason::UnknownFormat, error.to_string());
                    table.give_up(0, bytes, fault, sink);
                }
            }
        }
    }
    if !table.emitter.gave_up() && table.plan.is_none() {
        let fault = Fault::new(RejectReason::MissingValue, "the table has no header row");
        table.give_up(0, bytes, fault, sink);
    }
    table.emitter.finish(sink)
}

/// A table on its way through its mapping.
struct Table<'a> {
    emitter: Emitter<'a>,
    mapping: &'a Mapping,
    limits: &'a Limits,
    plan: Option<Plan>,
    width: usize,
    row_count: u64,
}

impl Table<'_> {
    /// Takes the next row; the first one names the columns. False if the rest need not be read.
    fn row(
        &mut self,
        position: u64,
        cells: &[Cell<'_>],
        input: &[u8],
        sink: &mut impl Sink,
    ) -> bool {
        if cells.iter().all(|cell| cell.text.is_empty()) {
            if self.plan.is_some() {
                self.emitter.skip();
            }
            return true;
        }
        if self.plan.is_none() {
            let names = if self.mapping.layout.header {
                cells.iter().map(|cell| cell.text.to_owned()).collect()
            } else {
                (0..cells.len()).map(column_letters).collect()
            };
            self.bind(position, names, input, sink);
            if self.mapping.layout.header || self.emitter.gave_up() {
                return !self.emitter.gave_up();
            }
        }
        if !self.counts(position, input, sink) {
            return false;
        }
        let arrived_at = self.emitter.context().received_at;
        let place = Place { position, arrived_at, input };
        if let Err(fault) = self.check(cells) {
            self.emitter.reject(place, fault, sink);
        } else if let Some(plan) = &self.plan {
            self.emitter.row(plan, &cells[..self.width.min(cells.len())], place, sink);
        }
        true
    }

    /// Sets a row aside that could not be cut into cells. False if the rest need not be read.
    ///
    /// A row in whose middle the file ends shows that more is missing than that row.
    fn damaged(&mut self, position: u64, input: &[u8], fault: Fault, sink: &mut impl Sink) -> bool {
        if self.plan.is_none() && self.mapping.layout.header {
            self.give_up(position, input, fault.at("the header"), sink);
            return false;
        }
        if !self.counts(position, input, sink) {
            return false;
        }
        if fault.reason == RejectReason::Torn {
            self.give_up(position, input, fault, sink);
            return false;
        }
        let arrived_at = self.emitter.context().received_at;
        self.emitter.reject(Place { position, arrived_at, input }, fault, sink);
        true
    }

    /// Sets the rest of the table aside.
    fn give_up(&mut self, position: u64, input: &[u8], fault: Fault, sink: &mut impl Sink) {
        let arrived_at = self.emitter.context().received_at;
        self.emitter.give_up(Place { position, arrived_at, input }, fault, sink);
    }

    /// Counts a row; false beyond the most that are read.
    fn counts(&mut self, position: u64, input: &[u8], sink: &mut impl Sink) -> bool {
        self.row_count += 1;
        if self.row_count <= self.limits.rows_max {
            return true;
        }
        let detail = format!("the table has more than {} rows; split it", self.limits.rows_max);
        self.give_up(position, input, Fault::new(RejectReason::TooLong, detail), sink);
        false
    }

    /// Binds the mapping to the columns.
    fn bind(&mut self, position: u64, names: Vec<String>, input: &[u8], sink: &mut impl Sink) {
        if names.len() > self.limits.columns_max {
            let fault = too_long("the header", self.limits.columns_max, "columns");
            return self.give_up(position, input, fault, sink);
        }
        match Plan::bind(self.mapping, &names) {
            Ok(plan) => {
                self.plan = Some(plan);
                self.width = names.len();
            }
            Err(fault) => self.give_up(position, input, fault, sink),
        }
    }

    /// Whether a row fits the header and the limits.
    fn check(&self, cells: &[Cell<'_>]) -> Result<(), Fault> {
        let long = cells.iter().position(|cell| cell.text.len() > self.limits.cell_bytes_max);
        if let Some(index) = long {
            let what = format!("cell {}", column_letters(index));
            return Err(too_long(&what, self.limits.cell_bytes_max, "bytes"));
        }
        let spill = cells.get(self.width..).unwrap_or_default();
        let spilled = spill.iter().find(|cell| !cell.text.is_empty());
        match self.mapping.format {
            Format::Csv if cells.len() < self.width => {
                let detail = format!("it has {} of the header's {} cells", cells.len(), self.width);
                Err(Fault::new(RejectReason::Malformed, detail))
            }
            // A cell of a workbook stands where it stands; beyond the header it is a remark.
            Format::Csv => match spilled {
                Some(cell) => {
                    let detail = format!(
                        "it has {} cells, the header {}; `{}` has no column",
                        cells.len(),
                        self.width,
                        shown(cell.text)
                    );
                    Err(Fault::new(RejectReason::Malformed, detail))
                }
                None => Ok(()),
            },
            Format::Xlsx | Format::Ndjson | Format::CloudEvents => Ok(()),
        }
    }
}

/// The letters of a column as a spreadsheet shows them: A to Z, AA and so on.
fn column_letters(index: usize) -> String {
    const LETTERS: usize = 26;
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        let letter = u8::try_from((rest - 1) % LETTERS).unwrap_or(0);
        letters.push(char::from(b'A' + letter));
        rest = (rest - 1) / LETTERS;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests;
