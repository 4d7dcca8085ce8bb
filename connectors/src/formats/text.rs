//! Text: the bytes of a file in whatever encoding it has, as UTF-8.
//!
//! A byte order mark decides; without one the declared encoding does; without either the bytes are
//! taken as UTF-8. What cannot be decoded becomes [`UNDECODABLE`], a byte that UTF-8 never holds, so
//! that a reader finds the damage at the row that has it and every other row survives. UTF-8 is
//! borrowed; other encodings are copied and grow to at most three times their size.

use encoding_rs::{DecoderResult, UTF_8, WINDOWS_1252, X_USER_DEFINED};
use std::borrow::Cow;

/// Stands in decoded text for what could not be decoded; no UTF-8 holds this byte.
pub const UNDECODABLE: u8 = 0xff;

/// The bytes that Windows-1252 gives no character: a file that has them is something else.
const WINDOWS_1252_HOLES: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

/// How much is decoded at a time, in bytes.
const STEP_BYTES: usize = 16 * 1024;

/// A way to write text as bytes, by a name of the WHATWG list such as `windows-1252`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// What text is in when nobody says otherwise.
    pub const UTF_8: Self = Self(UTF_8);

    /// The encoding of this name: `utf-8`, `utf-16le`, `windows-1252`, `iso-8859-1`, `latin1` …
    ///
    /// As on the web, ISO-8859-1 is read as Windows-1252, which has the same letters.
    pub fn named(label: &str) -> Option<Self> {
        let found = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes())?;
        (found != X_USER_DEFINED).then_some(Self(found))
    }

    /// The encoding's standard name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

/// Text as UTF-8, except for [`UNDECODABLE`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text without its byte order mark.
    pub bytes: Cow<'a, [u8]>,
    /// The encoding that it was read in.
    pub encoding: Encoding,
}

/// The encoding that a byte order mark at the start names, and the mark's length in bytes.
pub fn byte_order_mark(bytes: &[u8]) -> Option<(Encoding, usize)> {
    encoding_rs::Encoding::for_bom(bytes).map(|(found, length)| (Encoding(found), length))
}

/// The text of these bytes.
pub fn decode(bytes: &[u8], declared: Option<Encoding>) -> Decoded<'_> {
    let (encoding, mark_bytes) =
        byte_order_mark(bytes).unwrap_or((declared.unwrap_or(Encoding::UTF_8), 0));
    let rest = bytes.get(mark_bytes..).unwrap_or_default();
    if encoding.0 == UTF_8 {
        return Decoded { bytes: Cow::Borrowed(rest), encoding };
    }
    let mut text = Vec::with_capacity(rest.len());
    if encoding.0 == WINDOWS_1252 {
        for (index, piece) in rest.split(|byte| WINDOWS_1252_HOLES.contains(byte)).enumerate() {
            if index > 0 {
                text.push(UNDECODABLE);
            }
            transcode(encoding, piece, &mut text);
        }
    } else {
        transcode(encoding, rest, &mut text);
    }
    Decoded { bytes: Cow::Owned(text), encoding }
}

/// Appends the UTF-8 of `rest` to `text`.
fn transcode(encoding: Encoding, mut rest: &[u8], text: &mut Vec<u8>) {
    let mut decoder = encoding.0.new_decoder_without_bom_handling();
    let mut step = [0_u8; STEP_BYTES];
    loop {
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(rest, &mut step, true);
        text.extend_from_slice(&step[..written]);
        rest = &rest[read..];
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => text.push(UNDECODABLE),
        }
    }
}

#[cfg(test)]
mod tests;
