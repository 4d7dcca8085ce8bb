//! A cell: what stands in one column of one row, and what its source says it is.

use jiff::civil::DateTime;
use trueup_model::reject::RejectReason;

/// The longest name of a product, person, account or other thing, in bytes.
pub const NAME_BYTES_MAX: usize = 1024;

/// What a cell's source says of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// Text as someone wrote it: numbers and dates follow the mapping's locale.
    Text,
    /// A number by the source's own type, digits and a decimal point; a date only by a pattern.
    Plain,
    /// What a mapping states: numbers with a decimal point, ISO dates.
    Stated,
    /// A local date and time, by a workbook's own type.
    Moment(DateTime),
    /// True or false, by the source's own type.
    Flag,
    /// No value: a formula's error, a list or an object.
    Fault,
}

/// What stands in one column of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell<'a> {
    /// As it is shown, without blanks around it.
    pub(crate) text: &'a str,
    /// What it is.
    pub(crate) typed: Typed,
}

impl<'a> Cell<'a> {
    /// Nothing.
    pub(crate) const EMPTY: Cell<'static> = Cell { text: "", typed: Typed::Text };

    /// A cell in the words of its source.
    pub(crate) fn text(text: &'a str) -> Self {
        Self { text: text.trim(), typed: Typed::Text }
    }

    /// A cell with a number.
    pub(crate) fn plain(text: &'a str) -> Self {
        Self { text: text.trim(), typed: Typed::Plain }
    }

    /// A cell as a mapping states it.
    pub(crate) fn stated(text: &'a str) -> Self {
        Self { text: text.trim(), typed: Typed::Stated }
    }
}

/// Why a row or a value could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Why.
    pub(crate) reason: RejectReason,
    /// What exactly, as a sentence without a full stop.
    pub(crate) detail: String,
}

impl Fault {
    pub(crate) fn new(reason: RejectReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// A value that is not what it should be.
    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(RejectReason::BadValue, detail)
    }

    /// The same fault, said of a place.
    pub(crate) fn at(self, place: &str) -> Self {
        Self { reason: self.reason, detail: format!("{place}: {}", self.detail) }
    }
}

/// The beginning of a value, short enough for a message.
pub(crate) fn shown(text: &str) -> String {
    const LETTERS_MAX: usize = 60;
    let mut letters = text.chars();
    let mut short: String = letters.by_ref().take(LETTERS_MAX).collect();
    if letters.next().is_some() {
        short.push('…');
    }
    short
}
