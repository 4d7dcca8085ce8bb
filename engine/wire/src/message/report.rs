//! The Error message: what is wrong, for the connector to act on and for people to read.

use super::{Fields, put_bytes};
use crate::error::{FrameError, MessageError, SessionError};
use crate::frame::{Frame, FrameKind, FrameWriter};
use crate::limits::ERROR_MESSAGE_BYTES_MAX;

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    /// The bytes are no frame, or the frame is no message.
    Malformed,
    /// The two sides speak different versions.
    Version,
    /// The message has no place in the conversation.
    OutOfOrder,
    /// The token is not one that may send for this tenant and source.
    Unauthorized,
    /// Another process of this source has taken over.
    Fenced,
    /// A batch was skipped; the sequence says which is expected.
    Gap,
    /// More was sent than was granted.
    Credit,
    /// The dictionary has a gap, or too many codes.
    Dictionary,
    /// The columns of a batch are not what its header says.
    BadBatch,
    /// The engine takes no more connections for now, or took a newer one of the source for this one.
    Busy,
    /// The engine cannot take batches for now: it stops, or its journal failed, or it heard nothing for too long.
    Unavailable,
}

impl ErrorCode {
    /// Every code, in the order of [`ErrorCode::code`].
    pub const ALL: [Self; 11] = [
        Self::Malformed,
        Self::Version,
        Self::OutOfOrder,
        Self::Unauthorized,
        Self::Fenced,
        Self::Gap,
        Self::Credit,
        Self::Dictionary,
        Self::BadBatch,
        Self::Busy,
        Self::Unavailable,
    ];

    /// The code's stable number.
    pub fn code(self) -> u16 {
        match self {
            Self::Malformed => 1,
            Self::Version => 2,
            Self::OutOfOrder => 3,
            Self::Unauthorized => 4,
            Self::Fenced => 5,
            Self::Gap => 6,
            Self::Credit => 7,
            Self::Dictionary => 8,
            Self::BadBatch => 9,
            Self::Busy => 10,
            Self::Unavailable => 11,
        }
    }

    /// The code of this number.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.get(usize::from(code).checked_sub(1)?).copied()
    }

    /// Whether a new connection may go better without anyone doing something.
    ///
    /// Damage on the way looks like a malformed frame, so those are worth another try.
    pub fn retry_may_help(self) -> bool {
        match self {
            Self::Malformed | Self::Gap | Self::Busy | Self::Unavailable => true,
            Self::Version
            | Self::OutOfOrder
            | Self::Unauthorized
            | Self::Fenced
            | Self::Credit
            | Self::Dictionary
            | Self::BadBatch => false,
        }
    }
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorReport<'a> {
    /// What kind of thing.
    pub code: ErrorCode,
    /// The sequence that it is about; for a gap, the one that is expected; 0 for none.
    pub sequence: u64,
    /// Words for people.
    pub message: &'a str,
    /// Whether the conversation ends with it.
    pub fatal: bool,
}

impl<'a> ErrorReport<'a> {
    /// Appends the frame. A message beyond [`ERROR_MESSAGE_BYTES_MAX`] is cut.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut frame = FrameWriter::begin(out, FrameKind::Error, self.sequence, 0, 0);
        frame.body().extend_from_slice(&self.code.code().to_le_bytes());
        frame.body().push(u8::from(self.fatal));
        let cut = self.message.floor_char_boundary(ERROR_MESSAGE_BYTES_MAX);
        put_bytes(frame.body(), &self.message.as_bytes()[..cut]);
        frame.finish();
    }

    pub(super) fn decode(frame: &Frame<'a>) -> Result<Self, MessageError> {
        let mut fields = Fields::of("Error", frame).unused_count()?;
        let number = fields.u16("code")?;
        let code =
            ErrorCode::from_code(number).ok_or_else(|| fields.bad("code", u64::from(number)))?;
        let fatal = match fields.u8("fatal")? {
            0 => false,
            1 => true,
            found => return Err(fields.bad("fatal", u64::from(found))),
        };
        let message = fields.text("message", ERROR_MESSAGE_BYTES_MAX)?;
        fields.end()?;
        Ok(Self { code, sequence: frame.sequence, message, fatal })
    }
}

impl SessionError {
    /// What kind of thing the error is, for the peer.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Frame(FrameError::Version { .. }) => ErrorCode::Version,
            Self::Frame(_) | Self::Message(_) => ErrorCode::Malformed,
            Self::OutOfOrder { .. } | Self::Closed | Self::Misplaced { .. } => {
                ErrorCode::OutOfOrder
            }
            Self::Version { .. } => ErrorCode::Version,
            Self::NoCredit { .. } | Self::CreditExceeded { .. } => ErrorCode::Credit,
            Self::Sequence { .. } | Self::NeverSent { .. } => ErrorCode::Gap,
            Self::DictionaryGap { .. } | Self::DictionaryFull => ErrorCode::Dictionary,
            Self::Fenced { .. } => ErrorCode::Fenced,
        }
    }
}
