//! The cells of a workbook's sheet, row by row.
//!
//! Numbers are what the sheet shows: whole numbers digit for digit, others to the fifteen
//! significant digits that a spreadsheet works with, so that 0.1 is exactly 0.1. A cell whose style
//! shows a date is a date. A formula counts with the result that was saved with it; an error such as
//! `#N/A` is a fault of its cell. A row's position is its number in the sheet.

mod value;

use super::workbook::xml::{Part, Token, attribute, unescape};
use super::workbook::{Strings, Workbook};
use super::{Fault, Sink, Table, too_long};
use crate::formats::mapping::Mapping;
use crate::formats::mapping::cell::{Cell, Typed};
use crate::formats::table::Limits;
use quick_xml::events::BytesStart;
use trueup_model::reject::RejectReason;
use value::{column_index, number};

/// How much of a row is kept for an excerpt, in bytes.
const SHOWN_BYTES_MAX: usize = 1024;

/// Reads all rows of a workbook's sheet.
pub(super) fn read(bytes: &[u8], table: &mut Table<'_>, sink: &mut impl Sink) {
    let limits = table.limits;
    let layout = &table.mapping.layout;
    let (name, skip_rows) = (layout.sheet.clone(), layout.skip_rows);
    let mut workbook = match Workbook::open(bytes, limits) {
        Ok(workbook) => workbook,
        Err(fault) => return table.give_up(0, &[], fault, sink),
    };
    let mut rows = match Rows::open(&mut workbook, name.as_deref(), limits) {
        Ok(rows) => rows,
        Err(fault) => return table.give_up(0, &[], fault, sink),
    };
    loop {
        let found = match rows.next() {
            Ok(Some(found)) => found,
            Ok(None) => return,
            Err(fault) => return table.give_up(rows.number, &[], fault, sink),
        };
        if rows.number <= skip_rows {
            continue;
        }
        let cells = rows.cells();
        let input = line(&cells);
        let more = match found {
            None => table.row(rows.number, &cells, input.as_bytes(), sink),
            Some(fault) => table.damaged(rows.number, input.as_bytes(), fault, sink),
        };
        if !more {
            return;
        }
    }
}

/// The header's names; `None` if the sheet has none.
pub(crate) fn header(
    bytes: &[u8],
    mapping: &Mapping,
    limits: &Limits,
) -> Result<Vec<String>, String> {
    let read = || -> Result<Vec<String>, Fault> {
        let mut workbook = Workbook::open(bytes, limits)?;
        let mut rows = Rows::open(&mut workbook, mapping.layout.sheet.as_deref(), limits)?;
        while rows.next()?.is_some() {
            let names: Vec<String> = rows.cells().iter().map(|cell| cell.text.to_owned()).collect();
            if rows.number > mapping.layout.skip_rows && names.iter().any(|name| !name.is_empty()) {
                return Ok(names);
            }
        }
        Err(Fault::new(RejectReason::MissingValue, "the first sheet is empty"))
    };
    read().map_err(|fault| fault.detail)
}

/// A row's cells as a line of text, for excerpts.
fn line(cells: &[Cell<'_>]) -> String {
    let mut line = String::new();
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            line.push(';');
        }
        let room = SHOWN_BYTES_MAX.saturating_sub(line.len());
        let cut = (0..=room.min(cell.text.len())).rev().find(|at| cell.text.is_char_boundary(*at));
        line.push_str(&cell.text[..cut.unwrap_or(0)]);
        if line.len() >= SHOWN_BYTES_MAX {
            break;
        }
    }
    line
}

/// The text of a cell, while its row is read.
#[derive(Clone, Copy, Debug)]
enum Text {
    Empty,
    /// A shared text, by number.
    Shared(usize),
    /// A stretch of the row's own text.
    Own(usize, usize),
}

/// What a cell is, while its row is read.
#[derive(Clone, Copy, Debug)]
struct Found {
    text: Text,
    typed: Typed,
}

/// Reads a sheet row by row.
struct Rows<'w> {
    part: Part<'w>,
    strings: &'w Strings,
    date_styles: &'w [bool],
    from_1904: bool,
    limits: &'w Limits,
    /// The number of the row that was read last.
    number: u64,
    found: Vec<Found>,
    own: String,
    row_bytes: usize,
    text_bytes_left: u64,
    cell_count: u64,
    fault: Option<Fault>,
}

impl<'w> Rows<'w> {
    fn open(
        workbook: &'w mut Workbook<'_>,
        sheet: Option<&str>,
        limits: &'w Limits,
    ) -> Result<Self, Fault> {
        let (mut part, strings, date_styles, from_1904) =
            workbook.sheet(sheet, limits.sheet_bytes_max)?;
        loop {
            match part.next()? {
                Token::Open(tag) if tag.local_name().as_ref() == "sheetData" => break,
                Token::End => return Err(part.torn()),
                Token::Open(_) | Token::Close(_) | Token::Text(_) | Token::Nothing => {}
            }
        }
        Ok(Self {
            part,
            strings,
            date_styles,
            from_1904,
            limits,
            number: 0,
            found: Vec::new(),
            own: String::new(),
            row_bytes: 0,
            text_bytes_left: limits.sheet_bytes_max,
            cell_count: 0,
            fault: None,
        })
    }

    /// Reads the next row; `Some(Some(fault))` if it is damaged, `None` after the last.
    fn next(&mut self) -> Result<Option<Option<Fault>>, Fault> {
        self.found.clear();
        self.own.clear();
        self.row_bytes = 0;
        self.fault = None;
        let mut column = 0;
        let mut in_row = false;
        loop {
            let step = match self.part.next()? {
                Token::Open(tag) => match tag.local_name().as_ref() {
                    "row" => Step::Row(attribute(&tag, "r")),
                    "c" => Step::Cell(CellTag::of(&tag)),
                    _ => Step::Other,
                },
                Token::Close(tag) => match tag.local_name().as_ref() {
                    "row" => Step::RowEnd,
                    "sheetData" => Step::End,
                    _ => Step::Other,
                },
                Token::End => Step::Torn,
                Token::Text(_) | Token::Nothing => Step::Other,
            };
            match step {
                Step::Row(number) => {
                    in_row = true;
                    let stated = number.and_then(|number| number.parse::<u32>().ok());
                    self.number = stated.map_or(self.number + 1, u64::from);
                }
                Step::Cell(tag) => {
                    column = tag.reference.as_deref().map_or(Some(column), column_index).unwrap_or(
                        // An impossible place is beyond every column.
                        usize::MAX,
                    );
                    self.cell(column, &tag)?;
                    column = column.saturating_add(1);
                }
                Step::RowEnd if in_row => return Ok(Some(self.fault.take())),
                Step::End => return Ok(None),
                Step::Torn => return Err(self.part.torn()),
                Step::RowEnd | Step::Other => {}
            }
        }
    }

    /// Reads one cell up to its end tag.
    fn cell(&mut self, column: usize, tag: &CellTag) -> Result<(), Fault> {
        self.cell_count += 1;
        if self.cell_count > self.limits.cells_max {
            let detail = format!("the sheet has more than {} cells", self.limits.cells_max);
            return Err(Fault::new(RejectReason::TooLong, detail));
        }
        let start = self.own.len();
        let mut element = Element::Other;
        let mut in_reading_aid = false;
        loop {
            match self.part.next()? {
                Token::Open(inner) => match inner.local_name().as_ref() {
                    "v" => element = Element::Value,
                    "t" if !in_reading_aid => element = Element::Inline,
                    "rPh" => in_reading_aid = true,
                    _ => element = Element::Other,
                },
                Token::Close(inner) => match inner.local_name().as_ref() {
                    "c" => break,
                    "rPh" => in_reading_aid = false,
                    _ => element = Element::Other,
                },
                Token::Text(text) if element.counts(tag) => {
                    self.own.push_str(&text);
                }
                Token::End => return Err(self.part.torn()),
                Token::Text(_) | Token::Nothing => {}
            }
            if self.own.len() > self.limits.row_bytes_max {
                self.own.truncate(start);
                self.damage(too_long("the row", self.limits.row_bytes_max, "bytes"));
            }
        }
        let own = self.own.split_off(start);
        let found = self.typed(own, tag);
        if matches!(found.text, Text::Empty) && found.typed != Typed::Fault {
            return Ok(());
        }
        if column >= self.limits.columns_max {
            self.damage(too_long("the row", self.limits.columns_max, "columns"));
            return Ok(());
        }
        let text_bytes = self.text(found.text).len();
        self.row_bytes = self.row_bytes.saturating_add(text_bytes);
        // Many cells that share one long text unpack to more than the archive holds.
        self.text_bytes_left =
            self.text_bytes_left.checked_sub(text_bytes as u64).ok_or_else(|| {
                Fault::new(RejectReason::TooLong, "the sheet unpacks to too much text")
            })?;
        if self.row_bytes > self.limits.row_bytes_max {
            self.damage(too_long("the row", self.limits.row_bytes_max, "bytes"));
            return Ok(());
        }
        if self.found.len() <= column {
            let empty = Found { text: Text::Empty, typed: Typed::Text };
            self.found.resize(column + 1, empty);
        }
        self.found[column] = found;
        Ok(())
    }

    /// What a cell's own text means by its type and style.
    fn typed(&mut self, mut own: String, tag: &CellTag) -> Found {
        let mut typed = Typed::Text;
        match tag.kind.as_str() {
            "s" => {
                let index = own.trim().parse().ok().filter(|i| self.strings.get(*i).is_some());
                if let Some(index) = index {
                    return Found { text: Text::Shared(index), typed };
                }
                if !own.trim().is_empty() {
                    own = "a text that the workbook does not have".to_owned();
                    typed = Typed::Fault;
                }
            }
            "b" => {
                own = if own.trim() == "1" { "TRUE" } else { "FALSE" }.to_owned();
                typed = Typed::Flag;
            }
            "e" => typed = Typed::Fault,
            "d" => typed = own.trim().parse().map_or(Typed::Text, Typed::Moment),
            "str" | "inlineStr" => unescape(&mut own),
            _ => {
                let is_date = self.date_styles.get(tag.style).copied().unwrap_or(false);
                (own, typed) = number(own.trim(), is_date, self.from_1904);
            }
        }
        if own.is_empty() {
            return Found { text: Text::Empty, typed };
        }
        let start = self.own.len();
        self.own.push_str(&own);
        Found { text: Text::Own(start, self.own.len()), typed }
    }

    fn damage(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    fn text(&self, text: Text) -> &str {
        match text {
            Text::Empty => "",
            Text::Shared(index) => self.strings.get(index).unwrap_or(""),
            Text::Own(start, end) => self.own.get(start..end).unwrap_or(""),
        }
    }

    /// The cells of the row that was read last.
    fn cells(&self) -> Vec<Cell<'_>> {
        let cell = |found: &Found| Cell { text: self.text(found.text).trim(), typed: found.typed };
        self.found.iter().map(cell).collect()
    }
}

/// What a tag between cells says, taken out before the next one is read into its place.
enum Step {
    Row(Option<String>),
    Cell(CellTag),
    RowEnd,
    End,
    Torn,
    Other,
}

/// Which text of a cell counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    Value,
    Inline,
    Other,
}

impl Element {
    fn counts(self, tag: &CellTag) -> bool {
        match self {
            Self::Value => tag.kind != "inlineStr",
            Self::Inline => tag.kind == "inlineStr",
            Self::Other => false,
        }
    }
}

/// What the tag of a cell says.
struct CellTag {
    reference: Option<String>,
    kind: String,
    style: usize,
}

impl CellTag {
    fn of(tag: &BytesStart<'_>) -> Self {
        Self {
            reference: attribute(tag, "r"),
            kind: attribute(tag, "t").unwrap_or_default(),
            style: attribute(tag, "s").and_then(|style| style.parse().ok()).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests;
