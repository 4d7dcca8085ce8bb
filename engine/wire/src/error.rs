//! What can be wrong with bytes, columns and conversations, one variant for each.
//!
//! Nothing here is retried on the same bytes: they are what they are. Whether a new connection may
//! help is said by [`ErrorCode::retry_may_help`](crate::message::ErrorCode::retry_may_help).

use crate::limits::{
    BATCH_RECORDS_MAX, DICTIONARY_CODES_MAX, FRAME_BODY_BYTES_MAX, NAME_BYTES_MAX,
};
use std::fmt;
use trueup_model::fact::FactKind;

/// Why bytes are not a frame. Offsets count from the beginning of the stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes do not begin like a frame.
    #[error("no frame begins at byte {offset}: found {found:02x?}; {}", magic_hint(*found))]
    Magic {
        /// Where a frame should begin.
        offset: u64,
        /// What stands there.
        found: [u8; 4],
    },
    /// The frame is of a version that this build does not know.
    #[error(
        "the frame at byte {offset} is of version {found}, and this build knows {supported}; \
         upgrade the older side"
    )]
    Version {
        /// Where the frame begins.
        offset: u64,
        /// Its version.
        found: u16,
        /// The version of this build.
        supported: u16,
    },
    /// The frame is of no known kind.
    #[error("the frame at byte {offset} is of kind {found}, which version 1 does not have")]
    Kind {
        /// Where the frame begins.
        offset: u64,
        /// Its kind.
        found: u8,
    },
    /// A flag is set that has no meaning.
    #[error("the frame at byte {offset} has flags {found:#04x}, and version 1 has none")]
    Flags {
        /// Where the frame begins.
        offset: u64,
        /// Its flags.
        found: u8,
    },
    /// The frame claims a longer body than is allowed.
    #[error(
        "the frame at byte {offset} claims a body of {claimed} bytes, and {FRAME_BODY_BYTES_MAX} \
         are allowed"
    )]
    TooLarge {
        /// Where the frame begins.
        offset: u64,
        /// The length that it claims.
        claimed: u64,
    },
    /// The checksum does not hold.
    #[error(
        "the frame at byte {offset} is damaged: its checksum is {stated:08x}, its bytes give \
         {computed:08x}"
    )]
    Checksum {
        /// Where the frame begins.
        offset: u64,
        /// The checksum in the header.
        stated: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
}

/// What may be the matter where no frame begins.
fn magic_hint(found: [u8; 4]) -> &'static str {
    match found {
        [20..=23, 3, ..] => {
            "that is TLS, which is not spoken here: give the engine a certificate, or the connector none"
        }
        [..] => "check that the peer is trueup",
    }
}

/// Why a whole frame is not the message that its kind says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The body ends inside a field.
    #[error("the {message} ends at byte {offset} of its body, inside `{field}`")]
    Short {
        /// The message.
        message: &'static str,
        /// The field that is not whole.
        field: &'static str,
        /// Where the body ends.
        offset: usize,
    },
    /// The body goes on after its last field.
    #[error("the {message} has {count} bytes after its last field")]
    Trailing {
        /// The message.
        message: &'static str,
        /// How many bytes.
        count: usize,
    },
    /// A field is longer than is allowed.
    #[error("`{field}` of the {message} has {found} bytes, and {limit} are allowed")]
    TooLong {
        /// The message.
        message: &'static str,
        /// The field.
        field: &'static str,
        /// Its length.
        found: usize,
        /// The greatest length.
        limit: usize,
    },
    /// A field is not UTF-8.
    #[error("`{field}` of the {message} is not UTF-8")]
    NotText {
        /// The message.
        message: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A code, count or header field has a value that means nothing there.
    #[error("`{field}` of the {message} is {found}, which means nothing there")]
    BadValue {
        /// The message.
        message: &'static str,
        /// The field.
        field: &'static str,
        /// Its value.
        found: u64,
    },
}

/// A column of a fact kind, as errors and `FORMAT.md` name it: `span_end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnName {
    /// The field of the fact.
    pub field: &'static str,
    /// The part of the field, if it takes several columns: `_end`.
    pub part: &'static str,
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.field, self.part)
    }
}

/// Why columns are not the facts that their header says. Rows count from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The schema names no kind of fact.
    #[error("schema {schema:#010x} names no kind of fact")]
    UnknownKind {
        /// The schema.
        schema: u32,
    },
    /// The kind is known and this version of its columns is not.
    #[error("version {version} of the columns of {kind:?} is unknown; upgrade the older side")]
    UnknownVersion {
        /// The kind.
        kind: FactKind,
        /// The version.
        version: u16,
    },
    /// More facts are claimed than a batch may have.
    #[error("the batch claims {claimed} facts, and {BATCH_RECORDS_MAX} are allowed")]
    TooManyRecords {
        /// The claim.
        claimed: u32,
    },
    /// Another column stands where this one belongs.
    #[error("column {found} stands where `{column}` ({expected}) belongs")]
    OtherColumn {
        /// The column that belongs there.
        column: ColumnName,
        /// Its code.
        expected: u8,
        /// The code that was found.
        found: u8,
    },
    /// The bytes end inside a column.
    #[error("the columns end at byte {offset}, inside `{column}`")]
    Short {
        /// The column.
        column: ColumnName,
        /// Where the bytes end.
        offset: usize,
    },
    /// The encoding is unknown or not possible for the column.
    #[error("`{column}` has encoding {found:#04x}, which it cannot have")]
    Encoding {
        /// The column.
        column: ColumnName,
        /// The encoding.
        found: u8,
    },
    /// The column's length is not what its encoding and rows need.
    #[error("`{column}` has {found} bytes, and its encoding needs {needed}")]
    Length {
        /// The column.
        column: ColumnName,
        /// The length that is there.
        found: usize,
        /// The length that belongs there.
        needed: usize,
    },
    /// A presence bitmap has bits after its last row.
    #[error("the presence bits of `{column}` go on after its last row")]
    PresenceBits {
        /// The column.
        column: ColumnName,
    },
    /// The runs of a column do not add up to its rows.
    #[error("the runs of `{column}` give {found} rows, and it has {rows}")]
    Runs {
        /// The column.
        column: ColumnName,
        /// What the runs add up to, as far as they were read.
        found: u64,
        /// The rows that the column has.
        rows: usize,
    },
    /// A value goes beyond its type when the column's base is added.
    #[error("row {row} of `{column}` goes beyond the column's type")]
    Overflow {
        /// The column.
        column: ColumnName,
        /// The row, among those that have a value.
        row: usize,
    },
    /// The value is no value of its type: an unknown code, a name code that is not defined.
    #[error("row {row} of `{column}` is {found}, which is no value of it")]
    UnknownValue {
        /// The column.
        column: ColumnName,
        /// The row, among those that have a value.
        row: usize,
        /// The value.
        found: u64,
    },
    /// An inline text is not UTF-8.
    #[error("row {row} of `{column}` is not UTF-8")]
    NotText {
        /// The column.
        column: ColumnName,
        /// The row, among those that have a value.
        row: usize,
    },
    /// An inline text is longer than is allowed.
    #[error("row {row} of `{column}` has {found} bytes, and {NAME_BYTES_MAX} are allowed")]
    TextTooLong {
        /// The column.
        column: ColumnName,
        /// The row, among those that have a value.
        row: usize,
        /// Its length.
        found: usize,
    },
    /// Bytes follow the last column.
    #[error("{count} bytes follow the last column")]
    Trailing {
        /// How many bytes.
        count: usize,
    },
}

/// Why facts cannot be encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// An inline text is longer than is allowed; the caller sets such facts aside as rejects.
    #[error("row {row} of `{column}` has {found} bytes, and {NAME_BYTES_MAX} are allowed")]
    TextTooLong {
        /// The column.
        column: ColumnName,
        /// The row, among those that have a value.
        row: usize,
        /// Its length.
        found: usize,
    },
}

/// Why a conversation cannot go on, or a command has no place in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The peer sent bytes that are no frame.
    #[error("the peer sent bytes that are no frame")]
    Frame(#[from] FrameError),
    /// The peer sent a frame that is no message.
    #[error("the peer sent a frame that is no message")]
    Message(#[from] MessageError),
    /// The peer sent a message that has no place here.
    #[error("the peer sent a {message} {state}")]
    OutOfOrder {
        /// The message.
        message: &'static str,
        /// Where the conversation stands, in words.
        state: &'static str,
    },
    /// The conversation is over.
    #[error("the conversation is over; open a new connection")]
    Closed,
    /// This end was told to do something that has no place here.
    #[error("`{command}` has no place in a conversation that is {state}")]
    Misplaced {
        /// The command.
        command: &'static str,
        /// Where the conversation stands, in words.
        state: &'static str,
    },
    /// The connector speaks another version of the conversation.
    #[error("the connector speaks version {found}, and this engine {supported}; upgrade the older")]
    Version {
        /// The connector's version.
        found: u16,
        /// The version of this build.
        supported: u16,
    },
    /// The connector may not send that much yet; wait for a Credit.
    #[error("the engine granted no credit for {records} records in {bytes} bytes yet")]
    NoCredit {
        /// The records that were to be sent.
        records: u64,
        /// The bytes that were to be sent.
        bytes: u64,
    },
    /// The connector sent more than the engine granted.
    #[error("the connector sent beyond its credit of {records} records and {bytes} bytes")]
    CreditExceeded {
        /// The records that it was granted, in all.
        records: u64,
        /// The bytes that it was granted, in all.
        bytes: u64,
    },
    /// A batch does not follow the one before it.
    #[error("batch {found} was given where batch {expected} belongs")]
    Sequence {
        /// The sequence that belongs there.
        expected: u64,
        /// The sequence that was found.
        found: u64,
    },
    /// A dictionary frame does not begin with the next code.
    #[error("a dictionary frame begins with code {found}, and code {expected} is the next")]
    DictionaryGap {
        /// The next code.
        expected: u32,
        /// The code that was found.
        found: u64,
    },
    /// The dictionary would be larger than is allowed.
    #[error("the dictionary of a connection has at most {DICTIONARY_CODES_MAX} codes")]
    DictionaryFull,
    /// The engine reports a sequence that was never sent.
    #[error("the engine reports sequence {found}, and only {sent} were sent")]
    NeverSent {
        /// The sequence that it reports.
        found: u64,
        /// The greatest that was sent.
        sent: u64,
    },
    /// The connector's generation is older than one that the engine knows.
    #[error(
        "generation {found} of the connector is fenced by generation {last}; stop this process, \
         another one has taken over"
    )]
    Fenced {
        /// The connector's generation.
        found: u64,
        /// The greatest that the engine knows.
        last: u64,
    },
}
