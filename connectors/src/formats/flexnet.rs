//! FlexNet: what a license server's files say, and what it answers.
//!
//! | module | reads | gives |
//! |---|---|---|
//! | [`log`] | the debug log of `lmgrd` and its vendor daemons | checkouts, returns, denials, the daemons' lives |
//! | [`merge`] | several files of one log: rotated, copied, overlapping | one sequence of lines |
//! | [`license`] | a license file | what is granted, and what packages consist of |
//! | [`options`] | a vendor daemon's options file | reservations, limits, groups |
//! | [`lmstat`] | the answer to `lmstat -a` | pools, holders, reservations and daemons at an instant |
//! | [`expiry`] | the answer to `lmstat -i` | what the server's license file grants |
//! | [`detect`] | the beginning of a file | which of these it is |
//!
//! The log, the answer and the license file are three claims about one thing; each is told apart, so
//! that they can be compared. A server is named `<vendor daemon>@<host>` in all of them.
//!
//! Bytes that are not UTF-8 are read with replacement characters; a file in another encoding is
//! decoded before it comes here.

pub mod line;
pub mod dating;
pub mod log;
pub mod merge;
pub mod license;
pub mod options;
pub mod lmstat;
pub mod expiry;
pub mod detect;
mod date;
mod document;
mod quarantine;
#[cfg(test)]
mod testing;

pub use document::{DOCUMENT_BYTES_MAX, DocumentOptions, DocumentSummary};
pub use quarantine::{NOTES_MAX, REJECTS_MAX};

/// The host of a server that no line, option or license file names.
pub const UNKNOWN_HOST: &str = "unknown";

/// The name of a vendor daemon on a host: what facts call a server.
pub fn server_name(daemon: &str, host: &str) -> String {
    format!("{daemon}@{host}")
}
