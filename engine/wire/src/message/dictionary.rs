//! The Dictionary message: names and the codes that stand for them from now on.

use super::{Fields, check_length, put_bytes};
use crate::bytes::Cursor;
use crate::error::MessageError;
use crate::frame::{Frame, FrameKind, FrameWriter};
use crate::limits::{FRAME_BODY_BYTES_MAX, NAME_BYTES_MAX};
use trueup_model::id::NameKind;

/// The bytes of an entry beside its text: kind and length.
const ENTRY_BYTES: usize = 3;

/// Names with neighboring codes.
///
/// A first code of 0 starts the dictionary of the connection anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definitions<'a> {
    /// The code of the first name; each further one has the next.
    pub first: u32,
    /// How many names there are, at least one.
    pub count: u32,
    /// The frame that they came in: what a journal keeps.
    pub frame: &'a [u8],
    entries: &'a [u8],
}

impl<'a> Definitions<'a> {
    pub(super) fn decode(frame: &Frame<'a>) -> Result<Self, MessageError> {
        let mut fields = Fields::of("Dictionary", frame).unused_schema()?;
        let first =
            u32::try_from(frame.sequence).map_err(|_| fields.bad("first code", frame.sequence))?;
        if frame.count == 0 {
            return Err(fields.bad("count", 0));
        }
        for _ in 0..frame.count {
            let kind = fields.u8("kind")?;
            if NameKind::from_code(kind).is_none() {
                return Err(fields.bad("kind", u64::from(kind)));
            }
            fields.text("name", NAME_BYTES_MAX)?;
        }
        fields.end()?;
        let Frame { count, body, bytes, .. } = *frame;
        Ok(Self { first, count, frame: bytes, entries: body })
    }

    /// The names, in the order of their codes.
    pub fn entries(&self) -> impl Iterator<Item = (NameKind, &'a str)> + use<'a> {
        let mut cursor = Cursor::new(self.entries);
        // Every entry was checked when the message was decoded.
        std::iter::from_fn(move || {
            let kind = NameKind::from_code(cursor.u8().ok()?)?;
            let length = usize::from(cursor.u16().ok()?);
            let text = str::from_utf8(cursor.take(length).ok()?).ok()?;
            Some((kind, text))
        })
    }
}

/// Appends one Dictionary frame with as many of the names as it has room for; gives how many.
///
/// The first name has the code `first`. Nothing is appended for no names.
///
/// # Errors
/// If a name is longer than is allowed; nothing is appended then.
pub fn write_definitions<'n>(
    first: u32,
    names: impl Iterator<Item = (NameKind, &'n str)> + Clone,
    out: &mut Vec<u8>,
) -> Result<u32, MessageError> {
    let (mut count, mut bytes) = (0_u32, 0);
    for (_, name) in names.clone() {
        check_length("Dictionary", "name", name.len(), NAME_BYTES_MAX)?;
        bytes += ENTRY_BYTES + name.len();
        if bytes > FRAME_BODY_BYTES_MAX {
            break;
        }
        count += 1;
    }
    if count == 0 {
        return Ok(0);
    }
    let mut frame = FrameWriter::begin(out, FrameKind::Dictionary, u64::from(first), count, 0);
    for (kind, name) in names.take(count as usize) {
        frame.body().push(kind.code());
        put_bytes(frame.body(), name.as_bytes());
    }
    frame.finish();
    Ok(count)
}
