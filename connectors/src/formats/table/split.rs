//! Finds the rows of a CSV text, and those among them that would spoil others.
//!
//! A quote that is never closed would swallow the rest of the file. Here it costs its own line: the
//! row is set aside and reading goes on after it. Rows longer than the limit and quotes inside
//! quoted cells are found as well. Work is linear: where a row was looked for in vain, rows are looked
//! for line by line, up to the line where the search ended, so that no line is read a fourth time.

/// The signs of a CSV text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Between cells.
    pub(crate) delimiter: u8,
    /// Around cells.
    pub(crate) quote: Option<u8>,
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// It is longer than the limit.
    TooLong,
    /// A quote is opened and not closed.
    OpenQuote,
    /// The text ends inside a quoted cell.
    Torn,
    /// A quote inside a quoted cell is not doubled.
    LooseQuote,
}

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row<'a> {
    /// Its bytes, line break included.
    pub(super) text: &'a [u8],
    /// The number of its first line.
    pub(super) line: u64,
    /// What is wrong with it.
    pub(super) damage: Option<Damage>,
}

/// Cuts a text into rows.
pub(super) struct Rows<'a> {
    rest: &'a [u8],
    line: u64,
    dialect: Dialect,
    row_bytes_max: usize,
    /// So many of the bytes that follow are looked at line by line.
    flat_bytes: usize,
}

/// Where a row ends.
struct RowEnd {
    bytes: usize,
    lines: u64,
    damage: Option<Damage>,
    /// Where the last line begins that was looked at.
    last_line: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(text: &'a [u8], line: u64, dialect: Dialect, row_bytes_max: usize) -> Self {
        Self { rest: text, line, dialect, row_bytes_max, flat_bytes: 0 }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let end = row_end(self.rest, self.dialect, self.row_bytes_max, self.flat_bytes > 0);
        let (text, rest) = self.rest.split_at(end.bytes);
        self.flat_bytes = self.flat_bytes.max(end.last_line).saturating_sub(end.bytes);
        let row = Row { text, line: self.line, damage: end.damage };
        self.rest = rest;
        self.line += end.lines;
        Some(row)
    }
}

/// Where the reader stands in a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    CellStart,
    Bare,
    Quoted,
    QuoteInQuoted,
}

/// Finds the end of the first row, line break included.
///
/// A row with a wrong quote that runs over several lines is cut after its first one, so that what the
/// quote swallowed is read again as rows. In a `flat` stretch every row is taken for one line.
fn row_end(text: &[u8], dialect: Dialect, row_bytes_max: usize, flat: bool) -> RowEnd {
    let mut at = At::CellStart;
    let mut loose = false;
    // A quote in a bare cell, as in `5" disk`, is itself; but where a cell went on over a line break,
    // it shows that quotes were taken for each other's partners.
    let mut bare_quote = false;
    let mut first_line: Option<usize> = None;
    let mut last_line = 0;
    for (index, byte) in text.iter().enumerate() {
        let breaks = *byte == b'\n' || (*byte == b'\r' && text.get(index + 1) != Some(&b'\n'));
        if breaks && first_line.is_none() {
            first_line = Some(index + 1);
        }
        at = match (at, Some(*byte) == dialect.quote) {
            (At::Quoted, false) if breaks && flat => break,
            (At::Quoted, false) => {
                if breaks {
                    last_line = index + 1;
                }
                At::Quoted
            }
            (At::CellStart | At::QuoteInQuoted, true) => At::Quoted,
            (At::Quoted, true) => At::QuoteInQuoted,
            (At::Bare, true) => {
                bare_quote = true;
                At::Bare
            }
            (At::CellStart | At::Bare | At::QuoteInQuoted, false) if breaks => {
                let crossed = bare_quote && first_line != Some(index + 1);
                let damage = damage_of(index, loose || crossed, row_bytes_max);
                return RowEnd::cut(text, index + 1, damage, first_line, last_line);
            }
            (At::CellStart | At::Bare | At::QuoteInQuoted, false) if *byte == dialect.delimiter => {
                At::CellStart
            }
            // The carriage return of a pair belongs to the line break that follows.
            (At::QuoteInQuoted, false) if *byte == b'\r' => At::QuoteInQuoted,
            (At::QuoteInQuoted, false) => {
                loose = true;
                At::Bare
            }
            (At::CellStart | At::Bare, false) => At::Bare,
        };
    }
    let damage = match (at, first_line) {
        (At::CellStart | At::Bare | At::QuoteInQuoted, first) => {
            damage_of(text.len(), loose || (bare_quote && first.is_some()), row_bytes_max)
        }
        (At::Quoted, Some(_)) => Some(Damage::OpenQuote),
        (At::Quoted, None) => Some(Damage::Torn),
    };
    RowEnd::cut(text, text.len(), damage, first_line, last_line)
}

impl RowEnd {
    /// A row of so many bytes, cut after its first line if a quote in it is wrong.
    fn cut(
        text: &[u8],
        whole_bytes: usize,
        damage: Option<Damage>,
        first_line: Option<usize>,
        last_line: usize,
    ) -> Self {
        let (bytes, last_line) = match (damage, first_line) {
            (Some(Damage::OpenQuote | Damage::LooseQuote), Some(first)) => {
                (first.min(whole_bytes), last_line)
            }
            (Some(_), _) | (None, _) => (whole_bytes, 0),
        };
        let lines = memchr::memchr_iter(b'\n', &text[..bytes]).count() as u64;
        Self { bytes, lines, damage, last_line }
    }
}

/// What is wrong with a row that ends. A wrong quote explains its length, so it is told first.
fn damage_of(row_bytes: usize, loose: bool, row_bytes_max: usize) -> Option<Damage> {
    if loose {
        return Some(Damage::LooseQuote);
    }
    (row_bytes > row_bytes_max).then_some(Damage::TooLong)
}
