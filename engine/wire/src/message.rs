//! Messages: what each side may say, as frames.
//!
//! Encoding appends one frame to a buffer; decoding borrows from the frame and checks every length,
//! every text and every code, and that nothing follows the last field. Header fields that a message
//! does not use are zero. Which message may follow which is said in `session.rs`.

mod batch;
mod dictionary;
mod report;

pub use batch::{Batch, BatchFrame};
pub use dictionary::{Definitions, write_definitions};
pub use report::{ErrorCode, ErrorReport};

use crate::bytes::{Cursor, Short};
use crate::error::MessageError;
use crate::frame::{Frame, FrameKind, FrameWriter};
use crate::limits::{NAME_BYTES_MAX, POSITION_BYTES_MAX, TOKEN_BYTES_MAX};
use std::fmt;

/// What one side says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A connector introduces itself.
    Hello(Hello<'a>),
    /// The engine admits it and says where to resume.
    Welcome(Welcome<'a>),
    /// Names get codes.
    Dictionary(Definitions<'a>),
    /// Facts of one kind.
    Batch(Batch<'a>),
    /// The connector may send up to these totals.
    Credit(Credit),
    /// Everything up to a sequence is durable.
    Ack(Ack),
    /// Everything up to a sequence is vouched for by a later durable record.
    Sealed {
        /// The sequence.
        sequence: u64,
    },
    /// Something is wrong.
    Error(ErrorReport<'a>),
    /// A sign of life; the engine answers with the same number.
    Heartbeat {
        /// Any number.
        number: u64,
    },
    /// The sender ends the conversation in good order.
    Bye,
}

/// How a connector introduces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The version of the conversation that it speaks.
    pub version: u16,
    /// Whose facts it sends.
    pub tenant: &'a str,
    /// The source that it reads: the name that its sequences and positions are kept under.
    pub source: &'a str,
    /// Greater than that of every earlier process of this source; equal when it reconnects.
    pub generation: u64,
    /// What proves that it may.
    pub token: Token<'a>,
}

/// An access token; never shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token<'a>(pub &'a [u8]);

impl Token<'_> {
    /// Whether the token is this one, in a time that does not depend on where they differ.
    pub fn matches(&self, expected: &[u8]) -> bool {
        let differences =
            self.0.iter().zip(expected).fold(0, |sum, (left, right)| sum | (left ^ right));
        self.0.len() == expected.len() && differences == 0
    }
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({} bytes)", self.0.len())
    }
}

/// Where a connector resumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Welcome<'a> {
    /// The greatest sequence that is durable; 0 for none. The next batch is the one after it.
    pub resume: u64,
    /// The position that came with the last durable batch that had one; empty for none.
    pub position: &'a [u8],
    /// How much may be sent in this conversation so far.
    pub credit: Credit,
}

/// How much a connector may send in a conversation, in all since its Welcome.
///
/// Totals rather than increments, so that a Credit that comes twice changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Credit {
    /// Facts.
    pub records: u64,
    /// Bytes of Batch and Dictionary frames, with their headers.
    pub bytes: u64,
}

impl Credit {
    /// Both sums, held at their greatest numbers.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            records: self.records.saturating_add(other.records),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    /// Whether `used` stays within these totals, in both numbers.
    pub fn covers(self, used: Self) -> bool {
        used.records <= self.records && used.bytes <= self.bytes
    }
}

/// Everything up to a sequence is durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// The sequence.
    pub sequence: u64,
    /// The engine's epoch that holds the batch: what a reader waits for to see it.
    pub epoch: u64,
}

impl<'a> Message<'a> {
    /// What the message is called in errors.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "Hello",
            Self::Welcome(_) => "Welcome",
            Self::Dictionary(_) => "Dictionary",
            Self::Batch(_) => "Batch",
            Self::Credit(_) => "Credit",
            Self::Ack(_) => "Ack",
            Self::Sealed { .. } => "Sealed",
            Self::Error(_) => "Error",
            Self::Heartbeat { .. } => "Heartbeat",
            Self::Bye => "Bye",
        }
    }

    /// The message that a frame is.
    ///
    /// # Errors
    /// If the body is not exactly the fields of the message, within their limits.
    pub fn decode(frame: &Frame<'a>) -> Result<Self, MessageError> {
        match frame.kind {
            FrameKind::Hello => Hello::decode(frame).map(Self::Hello),
            FrameKind::Welcome => Welcome::decode(frame).map(Self::Welcome),
            FrameKind::Dictionary => Definitions::decode(frame).map(Self::Dictionary),
            FrameKind::Batch => Batch::decode(frame).map(Self::Batch),
            FrameKind::Credit => Credit::decode(frame).map(Self::Credit),
            FrameKind::Ack => Ack::decode(frame).map(Self::Ack),
            FrameKind::Sealed => {
                Fields::of("Sealed", frame).unused_count()?.end()?;
                Ok(Self::Sealed { sequence: frame.sequence })
            }
            FrameKind::Error => ErrorReport::decode(frame).map(Self::Error),
            FrameKind::Heartbeat => {
                Fields::of("Heartbeat", frame).unused_count()?.end()?;
                Ok(Self::Heartbeat { number: frame.sequence })
            }
            FrameKind::Bye => {
                Fields::of("Bye", frame).unused_sequence()?.unused_count()?.end()?;
                Ok(Self::Bye)
            }
        }
    }
}

impl<'a> Hello<'a> {
    /// Appends the frame.
    ///
    /// # Errors
    /// If a field is longer than is allowed.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), MessageError> {
        let message = "Hello";
        check_length(message, "tenant", self.tenant.len(), NAME_BYTES_MAX)?;
        check_length(message, "source", self.source.len(), NAME_BYTES_MAX)?;
        check_length(message, "token", self.token.0.len(), TOKEN_BYTES_MAX)?;
        let mut frame = FrameWriter::begin(out, FrameKind::Hello, self.generation, 0, 0);
        frame.body().extend_from_slice(&self.version.to_le_bytes());
        put_bytes(frame.body(), self.tenant.as_bytes());
        put_bytes(frame.body(), self.source.as_bytes());
        put_bytes(frame.body(), self.token.0);
        frame.finish();
        Ok(())
    }

    fn decode(frame: &Frame<'a>) -> Result<Self, MessageError> {
        let mut fields = Fields::of("Hello", frame).unused_count()?;
        let version = fields.u16("version")?;
        let tenant = fields.text("tenant", NAME_BYTES_MAX)?;
        let source = fields.text("source", NAME_BYTES_MAX)?;
        let token = Token(fields.bytes("token", TOKEN_BYTES_MAX)?);
        fields.end()?;
        Ok(Self { version, tenant, source, generation: frame.sequence, token })
    }
}

impl<'a> Welcome<'a> {
    /// Appends the frame.
    ///
    /// # Errors
    /// If the position is longer than is allowed.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), MessageError> {
        check_length("Welcome", "position", self.position.len(), POSITION_BYTES_MAX)?;
        let mut frame = FrameWriter::begin(out, FrameKind::Welcome, self.resume, 0, 0);
        put_credit(frame.body(), self.credit);
        put_bytes(frame.body(), self.position);
        frame.finish();
        Ok(())
    }

    fn decode(frame: &Frame<'a>) -> Result<Self, MessageError> {
        let mut fields = Fields::of("Welcome", frame).unused_count()?;
        let credit = fields.credit()?;
        let position = fields.bytes("position", POSITION_BYTES_MAX)?;
        fields.end()?;
        Ok(Self { resume: frame.sequence, position, credit })
    }
}

impl Credit {
    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut frame = FrameWriter::begin(out, FrameKind::Credit, 0, 0, 0);
        put_credit(frame.body(), *self);
        frame.finish();
    }

    fn decode(frame: &Frame<'_>) -> Result<Self, MessageError> {
        let mut fields = Fields::of("Credit", frame).unused_sequence()?.unused_count()?;
        let credit = fields.credit()?;
        fields.end()?;
        Ok(credit)
    }
}

impl Ack {
    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut frame = FrameWriter::begin(out, FrameKind::Ack, self.sequence, 0, 0);
        frame.body().extend_from_slice(&self.epoch.to_le_bytes());
        frame.finish();
    }

    fn decode(frame: &Frame<'_>) -> Result<Self, MessageError> {
        let mut fields = Fields::of("Ack", frame).unused_count()?;
        let epoch = fields.u64("epoch")?;
        fields.end()?;
        Ok(Self { sequence: frame.sequence, epoch })
    }
}

/// Appends a Sealed frame.
pub fn write_sealed(sequence: u64, out: &mut Vec<u8>) {
    FrameWriter::begin(out, FrameKind::Sealed, sequence, 0, 0).finish();
}

/// Appends a Heartbeat frame.
pub fn write_heartbeat(number: u64, out: &mut Vec<u8>) {
    FrameWriter::begin(out, FrameKind::Heartbeat, number, 0, 0).finish();
}

/// Appends a Bye frame.
pub fn write_bye(out: &mut Vec<u8>) {
    FrameWriter::begin(out, FrameKind::Bye, 0, 0, 0).finish();
}

fn check_length(
    message: &'static str,
    field: &'static str,
    found: usize,
    limit: usize,
) -> Result<(), MessageError> {
    if found > limit {
        return Err(MessageError::TooLong { message, field, found, limit });
    }
    Ok(())
}

/// Appends bytes behind their length in 16 bits; every limit of such a field fits.
fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).expect("the limit of every field fits 16 bits");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
}

fn put_credit(out: &mut Vec<u8>, credit: Credit) {
    out.extend_from_slice(&credit.records.to_le_bytes());
    out.extend_from_slice(&credit.bytes.to_le_bytes());
}

/// The fields of a message, taken in order.
struct Fields<'a> {
    message: &'static str,
    sequence: u64,
    count: u32,
    schema: u32,
    cursor: Cursor<'a>,
}

impl<'a> Fields<'a> {
    fn of(message: &'static str, frame: &Frame<'a>) -> Self {
        let Frame { sequence, count, schema, body, .. } = *frame;
        Self { message, sequence, count, schema, cursor: Cursor::new(body) }
    }

    /// Checks that the header gives no sequence.
    fn unused_sequence(self) -> Result<Self, MessageError> {
        match self.sequence {
            0 => Ok(self),
            found => Err(self.bad("sequence", found)),
        }
    }

    /// Checks that the header gives no schema.
    fn unused_schema(self) -> Result<Self, MessageError> {
        match self.schema {
            0 => Ok(self),
            found => Err(self.bad("schema", u64::from(found))),
        }
    }

    /// Checks that the header gives neither count nor schema.
    fn unused_count(self) -> Result<Self, MessageError> {
        match self.count {
            0 => self.unused_schema(),
            found => Err(self.bad("count", u64::from(found))),
        }
    }

    fn bad(&self, field: &'static str, found: u64) -> MessageError {
        MessageError::BadValue { message: self.message, field, found }
    }

    fn short(&self, field: &'static str, short: Short) -> MessageError {
        MessageError::Short { message: self.message, field, offset: short.offset }
    }

    fn u8(&mut self, field: &'static str) -> Result<u8, MessageError> {
        self.cursor.u8().map_err(|short| self.short(field, short))
    }

    fn u16(&mut self, field: &'static str) -> Result<u16, MessageError> {
        self.cursor.u16().map_err(|short| self.short(field, short))
    }

    fn u64(&mut self, field: &'static str) -> Result<u64, MessageError> {
        self.cursor.u64().map_err(|short| self.short(field, short))
    }

    fn credit(&mut self) -> Result<Credit, MessageError> {
        let records = self.u64("records")?;
        let bytes = self.u64("bytes")?;
        Ok(Credit { records, bytes })
    }

    fn bytes(&mut self, field: &'static str, limit: usize) -> Result<&'a [u8], MessageError> {
        let length = usize::from(self.u16(field)?);
        check_length(self.message, field, length, limit)?;
        self.cursor.take(length).map_err(|short| self.short(field, short))
    }

    fn text(&mut self, field: &'static str, limit: usize) -> Result<&'a str, MessageError> {
        let bytes = self.bytes(field, limit)?;
        str::from_utf8(bytes).map_err(|_| MessageError::NotText { message: self.message, field })
    }

    /// What was not taken.
    fn rest(self) -> &'a [u8] {
        self.cursor.rest()
    }

    /// Checks that nothing is left.
    fn end(self) -> Result<(), MessageError> {
        match self.cursor.rest().len() {
            0 => Ok(()),
            count => Err(MessageError::Trailing { message: self.message, count }),
        }
    }
}

#[cfg(test)]
mod tests;
