//! Columns: the values of one field of many facts, in the smallest of a few plain encodings.
//!
//! A column is a header of six bytes (code, encoding, length) and a payload. Whole numbers are
//! little endian, and stand plainly, or as 8, 16 or 32 bits above the column's minimum, or as runs of
//! equal values: whichever takes the fewest bytes. An optional column holds the values of the rows
//! that have one, behind a bitmap of those rows. Decoding checks the declared length and count
//! against the rows before it allocates, reads every value through its type, and names column and row
//! of the first that is wrong.
//!
//! [`lane`] says how whole numbers are laid out, [`field`] how the fields of facts become columns.

pub(crate) mod cells;
pub(crate) mod lane;
pub(crate) mod presence;
pub(crate) mod text;
pub(crate) mod field;

use crate::bytes::Cursor;
use crate::error::{ColumnName, DecodeError};

/// The value part of an encoding byte: how the values stand.
pub(crate) mod encoding {
    /// Each value in full.
    pub(crate) const PLAIN: u8 = 0;
    /// The minimum in full, then 8 bits above it for each value.
    pub(crate) const NARROW_8: u8 = 1;
    /// The minimum in full, then 16 bits above it for each value.
    pub(crate) const NARROW_16: u8 = 2;
    /// The minimum in full, then 32 bits above it for each value.
    pub(crate) const NARROW_32: u8 = 3;
    /// Runs: the length in 32 bits and the value in full.
    pub(crate) const RUNS: u8 = 4;
    /// Texts: the length in 16 bits and the bytes.
    pub(crate) const TEXT: u8 = 5;

    /// Added where a bitmap of the rows that have a value comes first.
    pub(crate) const BITMAP: u8 = 0x10;
    /// Where no row has a value; nothing follows.
    pub(crate) const ABSENT: u8 = 0x20;
}

/// Which column of which field is meant, and what a value may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The code of the field's first column.
    pub(crate) code: u8,
    /// The column's name.
    pub(crate) name: ColumnName,
    /// How many codes the connection's dictionary defines.
    pub(crate) codes_defined: u32,
}

impl Place {
    /// The place of the field's next column.
    pub(crate) fn part(self, index: u8, part: &'static str) -> Self {
        let name = ColumnName { field: self.name.field, part };
        Self { code: self.code + index, name, ..self }
    }

    pub(crate) fn length_error(self, found: usize, needed: usize) -> DecodeError {
        DecodeError::Length { column: self.name, found, needed }
    }
}

/// Appends a column whose payload `write` appends.
pub(crate) fn write_column(
    out: &mut Vec<u8>,
    code: u8,
    encoding: u8,
    write: impl FnOnce(&mut Vec<u8>),
) {
    out.extend_from_slice(&[code, encoding, 0, 0, 0, 0]);
    let start = out.len();
    write(out);
    let length = u32::try_from(out.len() - start).expect("a column is far shorter than 4 GiB");
    out[start - 4..start].copy_from_slice(&length.to_le_bytes());
}

/// A column as it stands in the bytes: its encoding and payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawColumn<'a> {
    pub(crate) encoding: u8,
    pub(crate) payload: &'a [u8],
}

/// Takes the next column, which must be the one of this place.
pub(crate) fn read_column<'a>(
    cursor: &mut Cursor<'a>,
    place: Place,
) -> Result<RawColumn<'a>, DecodeError> {
    let short = |short: crate::bytes::Short| DecodeError::Short {
        column: place.name,
        offset: short.offset,
    };
    let found = cursor.u8().map_err(short)?;
    if found != place.code {
        return Err(DecodeError::OtherColumn { column: place.name, expected: place.code, found });
    }
    let encoding = cursor.u8().map_err(short)?;
    let length = cursor.u32().map_err(short)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let payload = cursor.take(length).map_err(short)?;
    Ok(RawColumn { encoding, payload })
}

#[cfg(test)]
mod tests;
