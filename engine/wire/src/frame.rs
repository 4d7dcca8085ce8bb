//! Frames: the unit in which bytes travel, with length, kind and checksum.
//!
//! A frame is a header of 32 bytes and a body. [`FrameReader`] takes the bytes of a connection in
//! any chunks and gives whole frames whose checksum holds; [`FrameWriter`] appends a frame to a
//! buffer. A claim beyond the limits is refused at the header, before anything is kept for it, and a
//! reader holds at most one frame. After its first error a reader stays failed: there is no way to
//! find the next frame in a damaged stream.

use crate::bytes::Cursor;
use crate::error::FrameError;
use crate::limits::FRAME_BODY_BYTES_MAX;

/// The first four bytes of every frame.
pub const MAGIC: [u8; 4] = *b"TRUP";
/// The version of the frame format and of the messages in it.
pub const VERSION: u16 = 1;
/// The length of a header.
pub const HEADER_BYTES: usize = 32;
/// Where in the header the length of the body stands.
const BODY_LENGTH_OFFSET: usize = 24;
/// Where in the header the checksum stands; it covers what is before it, and the body.
const CHECKSUM_OFFSET: usize = 28;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrameKind {
    /// A connector introduces itself.
    Hello,
    /// The engine admits it and says where to resume.
    Welcome,
    /// Names get codes.
    Dictionary,
    /// Facts of one kind.
    Batch,
    /// The engine lets the connector send up to these totals.
    Credit,
    /// Everything up to a sequence is durable.
    Ack,
    /// Everything up to a sequence is vouched for by a later durable record.
    Sealed,
    /// Something is wrong.
    Error,
    /// A sign of life; the engine answers it.
    Heartbeat,
    /// The sender ends the conversation in good order.
    Bye,
}

impl FrameKind {
    /// Every kind, in the order of [`FrameKind::code`].
    pub const ALL: [Self; 10] = [
        Self::Hello,
        Self::Welcome,
        Self::Dictionary,
        Self::Batch,
        Self::Credit,
        Self::Ack,
        Self::Sealed,
        Self::Error,
        Self::Heartbeat,
        Self::Bye,
    ];

    /// The kind's stable number; 0 is no kind, so that zeroed bytes are no frame.
    pub fn code(self) -> u8 {
        match self {
            Self::Hello => 1,
            Self::Welcome => 2,
            Self::Dictionary => 3,
            Self::Batch => 4,
            Self::Credit => 5,
            Self::Ack => 6,
            Self::Sealed => 7,
            Self::Error => 8,
            Self::Heartbeat => 9,
            Self::Bye => 10,
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code).checked_sub(1)?).copied()
    }
}

/// A whole frame whose checksum holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is.
    pub kind: FrameKind,
    /// The sequence, first code or number that the kind gives it.
    pub sequence: u64,
    /// How many records or entries it says it holds.
    pub count: u32,
    /// The schema of its columns, if it holds columns.
    pub schema: u32,
    /// The body.
    pub body: &'a [u8],
    /// The frame as it stood on the wire, header and body: what a journal keeps.
    pub bytes: &'a [u8],
}

/// The fields of a header of any version: where the frame ends is checked, and what it is only when it is whole.
#[derive(Clone, Copy, Debug)]
struct Header {
    version: u16,
    kind: u8,
    flags: u8,
    sequence: u64,
    count: u32,
    schema: u32,
    body_bytes: usize,
    checksum: u32,
}

impl Header {
    /// Reads a header that begins at `offset` of the stream.
    fn read(bytes: &[u8; HEADER_BYTES], offset: u64) -> Result<Self, FrameError> {
        let mut cursor = Cursor::new(bytes);
        let whole = "a header has all of its fields";
        let magic: [u8; 4] = cursor.array().expect(whole);
        if magic != MAGIC {
            return Err(FrameError::Magic { offset, found: magic });
        }
        let version = cursor.u16().expect(whole);
        let kind = cursor.u8().expect(whole);
        let flags = cursor.u8().expect(whole);
        let sequence = cursor.u64().expect(whole);
        let count = cursor.u32().expect(whole);
        let schema = cursor.u32().expect(whole);
        let claimed = cursor.u32().expect(whole);
        let body_bytes = usize::try_from(claimed).unwrap_or(usize::MAX);
        if body_bytes > FRAME_BODY_BYTES_MAX {
            return Err(FrameError::TooLarge { offset, claimed: u64::from(claimed) });
        }
        let checksum = cursor.u32().expect(whole);
        Ok(Self { version, kind, flags, sequence, count, schema, body_bytes, checksum })
    }

    /// The frame that these bytes are, if the checksum holds and it is of this version: a bit that was turned on
    /// the way is damage, which another try repairs, and no other version, which none does.
    fn frame<'a>(&self, bytes: &'a [u8], offset: u64) -> Result<Frame<'a>, FrameError> {
        let computed = checksum(bytes);
        if computed != self.checksum {
            return Err(FrameError::Checksum { offset, stated: self.checksum, computed });
        }
        let Self { version, kind: code, flags, sequence, count, schema, .. } = *self;
        if version != VERSION {
            return Err(FrameError::Version { offset, found: version, supported: VERSION });
        }
        let kind = FrameKind::from_code(code).ok_or(FrameError::Kind { offset, found: code })?;
        if flags != 0 {
            return Err(FrameError::Flags { offset, found: flags });
        }
        let (_, body) = bytes.split_at(HEADER_BYTES);
        Ok(Frame { kind, sequence, count, schema, body, bytes })
    }
}

/// The checksum of a frame: of its bytes without the four of the checksum itself.
fn checksum(frame: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(frame.get(..CHECKSUM_OFFSET).unwrap_or(frame));
    hasher.update(frame.get(HEADER_BYTES..).unwrap_or(&[]));
    hasher.finalize()
}

/// Reads frames from the bytes of a connection, however they are cut.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// The beginning of the frame that is being received, at most one frame.
    partial: Vec<u8>,
    /// Whether `partial` was given out and is to be dropped.
    spent: bool,
    /// Bytes of the stream before the frame that is being received.
    offset: u64,
    failed: Option<FrameError>,
}

impl FrameReader {
    /// A reader at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes from the front of `input` and gives the next frame, or `None` when `input` is
    /// used up before a frame is whole.
    ///
    /// Call it until it gives `None`. A frame that lies whole in `input` is not copied.
    ///
    /// # Errors
    /// The first thing that is no frame, with its offset from the beginning of the stream; the same
    /// error from then on.
    pub fn next<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Frame<'a>>, FrameError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.spent {
            self.partial.clear();
            self.spent = false;
        }
        let offset = self.offset;
        match self.gather(input) {
            Ok(None) => Ok(None),
            Ok(Some((header, whole))) => {
                let length = HEADER_BYTES + header.body_bytes;
                let bytes = match whole {
                    Some(bytes) => bytes,
                    None => &self.partial,
                };
                match header.frame(bytes, offset) {
                    Ok(frame) => {
                        self.offset += length as u64;
                        self.spent = whole.is_none();
                        Ok(Some(frame))
                    }
                    Err(error) => {
                        self.failed = Some(error.clone());
                        Err(error)
                    }
                }
            }
            Err(error) => {
                self.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Moves input along until a frame is whole: in `input` itself, or else in `self.partial`.
    #[expect(clippy::type_complexity, reason = "named nowhere else")]
    fn gather<'i>(
        &mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<(Header, Option<&'i [u8]>)>, FrameError> {
        if self.partial.is_empty()
            && let Some((head, _)) = input.split_first_chunk::<HEADER_BYTES>()
        {
            let header = Header::read(head, self.offset)?;
            if let Some((bytes, rest)) = input.split_at_checked(HEADER_BYTES + header.body_bytes) {
                *input = rest;
                return Ok(Some((header, Some(bytes))));
            }
        }
        self.fill(input, HEADER_BYTES);
        let Some((head, _)) = self.partial.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let header = Header::read(head, self.offset)?;
        let length = HEADER_BYTES + header.body_bytes;
        self.fill(input, length);
        Ok((self.partial.len() == length).then_some((header, None)))
    }

    /// Moves bytes from `input` until `partial` has `length`. What is kept is what arrived.
    fn fill(&mut self, input: &mut &[u8], length: usize) {
        let wanted = length.saturating_sub(self.partial.len()).min(input.len());
        let (taken, rest) = input.split_at(wanted);
        self.partial.extend_from_slice(taken);
        *input = rest;
    }

    /// How many bytes of the stream made whole frames.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the stream ended inside a frame, as it does when a connection breaks.
    pub fn is_inside_frame(&self) -> bool {
        !self.spent && !self.partial.is_empty()
    }
}

/// Appends one frame to a buffer: begin, write the body, finish.
#[derive(Debug)]
pub struct FrameWriter<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> FrameWriter<'a> {
    /// Begins a frame at the end of `out`.
    pub fn begin(
        out: &'a mut Vec<u8>,
        kind: FrameKind,
        sequence: u64,
        count: u32,
        schema: u32,
    ) -> Self {
        let start = out.len();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[kind.code(), 0]);
        out.extend_from_slice(&sequence.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&schema.to_le_bytes());
        // The length and the checksum are known at the end.
        out.extend_from_slice(&[0; HEADER_BYTES - BODY_LENGTH_OFFSET]);
        Self { out, start }
    }

    /// Where the body is appended. Only appending is allowed.
    pub fn body(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// Completes the frame; gives its length.
    ///
    /// # Panics
    /// If the body is longer than [`FRAME_BODY_BYTES_MAX`]: whoever makes bodies keeps the limit.
    pub fn finish(self) -> usize {
        let Self { out, start } = self;
        let (_, frame) = out.split_at_mut(start);
        let length = frame.len() - HEADER_BYTES;
        assert!(
            length <= FRAME_BODY_BYTES_MAX,
            "a body of {length} bytes is longer than the {FRAME_BODY_BYTES_MAX} of a frame"
        );
        let length = u32::try_from(length).expect("the limit of a body fits 32 bits");
        frame[BODY_LENGTH_OFFSET..CHECKSUM_OFFSET].copy_from_slice(&length.to_le_bytes());
        let checksum = checksum(frame);
        frame[CHECKSUM_OFFSET..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
        frame.len()
    }
}

#[cfg(test)]
mod tests;
