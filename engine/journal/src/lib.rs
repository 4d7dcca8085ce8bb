//! The durable log of inputs: records of bytes, synced in groups, read back in order.
//!
//! Owns the files of a journal directory; knows bytes, not facts, and nothing else of ours. All access
//! to files goes through `storage.rs`, so that a test can put a disk in its place that loses power,
//! tears writes, fails and fills up. `FORMAT.md` draws the files. Read `recover.rs` for how a journal
//! is opened, `writer.rs` for what it promises, `reader.rs` for which damage is cut and which is
//! refused.

pub mod error;
pub mod keys;
pub mod storage;
pub mod lanes;
mod frame;
mod seal;
pub mod record;
mod epoch;
mod segment;
mod scan;
mod opening;
pub mod reader;
mod group;
pub mod flight;
mod tail;
pub mod writer;
pub mod recover;
pub mod snapshot;
pub mod inspect;
pub mod backup;

pub use error::JournalError;
pub use keys::{KeyId, Keys};
pub use lanes::Lanes;
pub use reader::Records;
pub use record::{EpochClose, Record, RecordKind};
pub use recover::{Opened, Options, open, open_with};
pub use storage::{Directory, File, Keyed, Storage};
pub use writer::{Progress, Writer};
