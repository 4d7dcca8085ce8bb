//! Presence: which rows of an optional column have a value, as one bit a row.
//!
//! Bit `r % 8` of byte `r / 8` stands for row `r`; bits after the last row are zero.

use super::encoding::{ABSENT, BITMAP};
use super::{Place, RawColumn};
use crate::error::DecodeError;

/// The encoding flag for these rows, and the bitmap if there is one.
pub(crate) fn write_presence(present: &[bool], count: usize) -> (u8, Vec<u8>) {
    if count == present.len() {
        return (0, Vec::new());
    }
    if count == 0 {
        return (ABSENT, Vec::new());
    }
    let bits = |rows: &[bool]| {
        rows.iter().enumerate().fold(0, |byte, (bit, set)| byte | u8::from(*set) << bit)
    };
    (BITMAP, present.chunks(8).map(bits).collect())
}

/// Which rows of a column have a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Presence<'a> {
    /// All of them.
    Every,
    /// None.
    None,
    /// Those whose bit is set.
    Bits(&'a [u8]),
}

impl Presence<'_> {
    /// Whether the row has a value.
    #[inline]
    pub(crate) fn has(self, row: usize) -> bool {
        match self {
            Self::Every => true,
            Self::None => false,
            Self::Bits(bits) => bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1),
        }
    }

    /// How many of the rows have a value.
    pub(crate) fn count(self, rows: usize) -> usize {
        match self {
            Self::Every => rows,
            Self::None => 0,
            Self::Bits(bits) => bits.iter().map(|byte| byte.count_ones() as usize).sum(),
        }
    }
}

/// Splits a column into presence, value encoding and the payload of its values.
pub(crate) fn read_presence<'a>(
    raw: RawColumn<'a>,
    rows: usize,
    place: Place,
) -> Result<(Presence<'a>, u8, &'a [u8]), DecodeError> {
    if raw.encoding == ABSENT {
        let length = raw.payload.len();
        return match length {
            0 => Ok((Presence::None, 0, &[])),
            _ => Err(place.length_error(length, 0)),
        };
    }
    if raw.encoding & BITMAP == 0 {
        return Ok((Presence::Every, raw.encoding, raw.payload));
    }
    let needed = rows.div_ceil(8);
    let Some((bits, values)) = raw.payload.split_at_checked(needed) else {
        return Err(place.length_error(raw.payload.len(), needed));
    };
    let used = rows % 8;
    if used > 0 && bits.last().is_some_and(|byte| byte >> used != 0) {
        return Err(DecodeError::PresenceBits { column: place.name });
    }
    Ok((Presence::Bits(bits), raw.encoding & !BITMAP, values))
}
