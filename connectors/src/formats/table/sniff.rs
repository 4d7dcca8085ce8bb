//! Finds out which sign stands between the cells of a CSV text.

use super::csv::{Cutter, unbroken};
use super::split::{Dialect, Rows};

/// The signs that are tried, the likelier first.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How many rows are compared.
const ROWS_MAX: usize = 20;

/// A delimiter and what speaks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sniffed {
    /// The sign.
    pub(crate) delimiter: u8,
    /// Why, in words.
    pub(crate) why: String,
}

/// The delimiter that cuts the first rows into the most columns, as many in each row as in the
/// first; `whole` if the text does not go on.
pub(crate) fn sniff(head: &[u8], quote: Option<u8>, whole: bool) -> Sniffed {
    let mut best: Option<(bool, usize, u8)> = None;
    for delimiter in CANDIDATES {
        let mut widths = widths(head, Dialect { delimiter, quote });
        if !whole && widths.len() > 1 && widths.len() < ROWS_MAX {
            // The last row may be cut.
            widths.pop();
        }
        let columns = widths.first().copied().unwrap_or(0);
        let even = widths.iter().all(|width| *width == columns);
        if columns >= 2 && best.is_none_or(|(e, c, _)| (even, columns) > (e, c)) {
            best = Some((even, columns, delimiter));
        }
    }
    match best {
        Some((even, columns, delimiter)) => {
            let rows = if even { "every row" } else { "the first row" };
            let why = format!("`{}` cuts {rows} into {columns} cells", sign(delimiter));
            Sniffed { delimiter, why }
        }
        None => Sniffed { delimiter: b',', why: "there is one column".to_owned() },
    }
}

/// How many cells the first rows have.
fn widths(head: &[u8], dialect: Dialect) -> Vec<usize> {
    let mut cutter = Cutter::new(dialect);
    let rows = Rows::new(head, 1, dialect, head.len());
    let rows = rows.filter(|row| !unbroken(row.text).is_empty());
    rows.take(ROWS_MAX).map(|row| cutter.cut(row.text)).collect()
}

/// A delimiter as it is written in a mapping.
fn sign(delimiter: u8) -> String {
    if delimiter == b'\t' { "tab".to_owned() } else { char::from(delimiter).to_string() }
}
