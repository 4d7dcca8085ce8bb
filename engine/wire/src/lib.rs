//! The bytes between a connector and the engine: frames, messages, columns, conversations.
//!
//! Owns every byte that crosses a connection; the same frames are the journal's payload and the
//! replay file. Uses `trueup-model` and a checksum; touches no socket, no thread and no clock. Bytes
//! are read by checked decoding, never by casting, and nothing is allocated on the word of a sender.
//! `FORMAT.md` draws the bytes. Read `frame.rs`, then `message.rs`, then `session.rs`; `codec.rs` and
//! `column.rs` say how facts become columns. `mesh.rs` is what processes of one cluster say first;
//! `record.rs`, `link.rs` and `snapshot.rs` are what stands in the engine's files besides frames.

pub mod limits;
pub mod error;
mod bytes;
pub mod frame;
pub mod message;
pub mod code;
mod column;
pub mod codec;
pub mod session;
pub mod mesh;
pub mod record;
pub mod link;
pub mod snapshot;
#[cfg(test)]
mod testing;

pub use code::{Code, CodeTable};
pub use codec::{Columns, Facts, Schema, decode_batch, encode_batch};
pub use error::{DecodeError, EncodeError, FrameError, MessageError, SessionError};
pub use frame::{Frame, FrameKind, FrameReader};
pub use message::{Credit, ErrorCode, Message};
pub use session::{ConnectorSession, EngineSession};
