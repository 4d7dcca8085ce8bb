//! Text columns: free text that is too rare for the dictionary, such as zone names.
//!
//! Each value is a length in 16 bits and that many bytes of UTF-8, at most [`NAME_BYTES_MAX`].

use super::encoding::TEXT;
use super::{Place, write_column};
use crate::bytes::{Cursor, Short};
use crate::error::{DecodeError, EncodeError};
use crate::limits::NAME_BYTES_MAX;

/// Appends the column of these texts, with `presence` before them.
pub(crate) fn write_texts(
    texts: &[String],
    place: Place,
    presence: u8,
    bitmap: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let long = texts.iter().position(|text| text.len() > NAME_BYTES_MAX);
    if let Some((row, text)) = long.and_then(|row| Some((row, texts.get(row)?))) {
        return Err(EncodeError::TextTooLong { column: place.name, row, found: text.len() });
    }
    write_column(out, place.code, TEXT | presence, |payload| {
        payload.extend_from_slice(bitmap);
        for text in texts {
            let length = u16::try_from(text.len()).expect("the limit of a text fits 16 bits");
            payload.extend_from_slice(&length.to_le_bytes());
            payload.extend_from_slice(text.as_bytes());
        }
    });
    Ok(())
}

/// The texts of a column: `count` of them, from a payload without its presence bits.
pub(crate) fn read_texts(
    payload: &[u8],
    encoding: u8,
    count: usize,
    place: Place,
) -> Result<Vec<String>, DecodeError> {
    let column = place.name;
    if encoding != TEXT {
        return Err(DecodeError::Encoding { column, found: encoding });
    }
    // Each text takes at least its length, so the payload vouches for the count.
    if payload.len() < 2 * count {
        return Err(place.length_error(payload.len(), 2 * count));
    }
    let mut cursor = Cursor::new(payload);
    let short = |short: Short| place.length_error(payload.len(), short.offset + short.wanted);
    let mut texts = Vec::with_capacity(count);
    for row in 0..count {
        let length = usize::from(cursor.u16().map_err(short)?);
        if length > NAME_BYTES_MAX {
            return Err(DecodeError::TextTooLong { column, row, found: length });
        }
        let bytes = cursor.take(length).map_err(short)?;
        let text = str::from_utf8(bytes).map_err(|_| DecodeError::NotText { column, row })?;
        texts.push(text.to_owned());
    }
    if cursor.offset() != payload.len() {
        return Err(place.length_error(payload.len(), cursor.offset()));
    }
    Ok(texts)
}
