//! How bytes get to the engine and back: over a network, or to an engine in the same process.
//!
//! A transport moves bytes in order and knows nothing of frames. Sending may have to wait until the
//! other side takes bytes; what the other side says meanwhile is kept, up to
//! [`INBOX_BYTES_MAX`], so that two sides that send at once never wait for each other.

mod pair;
mod secured;
mod tcp;

pub use pair::{Pair, PairDial, PairReader, PairWriter, pair};
pub use secured::{Certificate, EngineDial, EngineLink};
pub use tcp::{Tcp, TcpDial, TcpTimeouts};

use std::fmt;
use std::io;
use std::time::Duration;

/// The most that is kept of what arrives while sending.
pub const INBOX_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// Bytes, at least one.
    Bytes(&'a [u8]),
    /// Nothing within the time.
    Nothing,
    /// The other side will say nothing more.
    Ended,
}

/// Two streams of bytes, one each way.
pub trait Transport {
    /// Sends all of the bytes.
    ///
    /// # Errors
    /// If the connection broke, or the other side did not take them in time.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Takes what came, or waits for it that long; not at all for zero.
    ///
    /// # Errors
    /// If the connection broke.
    fn receive(&mut self, wait: Duration) -> io::Result<Received<'_>>;
}

/// A way to make connections to one engine.
pub trait Dial {
    /// A connection.
    type Transport: Transport + fmt::Debug;

    /// Makes a connection.
    ///
    /// # Errors
    /// If the engine cannot be reached.
    fn dial(&mut self) -> io::Result<Self::Transport>;

    /// Where the engine is, for people.
    fn address(&self) -> String;
}

#[cfg(test)]
mod tests;
