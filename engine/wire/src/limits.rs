//! Every limit of the protocol, in one place.
//!
//! Both ends are built with the same numbers; a change of one is a change of the protocol version.
//! Each limit is tested at its value and one beyond.

/// The longest body of a frame, in bytes. A longer claim is refused at the header.
pub const FRAME_BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The most facts in one batch.
pub const BATCH_RECORDS_MAX: usize = 65_536;

/// The longest name or inline text, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 1024;

/// The longest position token of a connector, in bytes.
pub const POSITION_BYTES_MAX: usize = 4096;

/// The longest access token in a Hello, in bytes.
pub const TOKEN_BYTES_MAX: usize = 4096;

/// The longest message of an Error, in bytes of UTF-8; a longer one is cut.
pub const ERROR_MESSAGE_BYTES_MAX: usize = 1024;

/// The most codes that the dictionary of a connection may define before it starts anew.
pub const DICTIONARY_CODES_MAX: u32 = 1 << 20;

/// The longest column part of a batch body: what a position and its length leave.
pub const COLUMNS_BYTES_MAX: usize = FRAME_BODY_BYTES_MAX - POSITION_BYTES_MAX - 2;

/// The least window of records that an engine may grant: one full batch.
pub const WINDOW_RECORDS_MIN: u64 = 65_536;

/// The least window of bytes that an engine may grant: a full batch and a full dictionary frame,
/// so that no legal pair of frames waits for ever.
pub const WINDOW_BYTES_MIN: u64 = 2 * (FRAME_BODY_BYTES_MAX as u64 + 32);
