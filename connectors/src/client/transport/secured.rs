//! A connection over TCP that may be secured: what is said goes through the session of both certificates.

use super::tcp::connect;
use super::{Dial, Received, Tcp, TcpTimeouts, Transport};
use crate::client::clock::{Clock as _, SystemClock};
use std::io;
use std::time::Duration;
use trueup_tls::{Identity, Session};

/// How much is encrypted at a time.
const PIECE_BYTES: usize = 64 * 1024;
/// How often something may arrive of which nothing is said, before that counts as nothing.
const SILENT_MAX: usize = 8;

/// What a connector shows an engine, and for whom the engine's certificate must be.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// What it shows, and whom it believes.
    pub identity: Identity,
    /// The host, or another name that the engine's certificate has.
    pub engine_name: String,
}

/// Connects to an engine over TCP, with a certificate if there is one.
#[derive(Clone, Debug)]
pub struct EngineDial {
    address: String,
    timeouts: TcpTimeouts,
    certificate: Option<Certificate>,
}

impl EngineDial {
    /// Connects to `host:port`.
    pub fn new(
        address: impl Into<String>,
        timeouts: TcpTimeouts,
        certificate: Option<Certificate>,
    ) -> Self {
        Self { address: address.into(), timeouts, certificate }
    }
}

impl Dial for EngineDial {
    type Transport = EngineLink;

    fn dial(&mut self) -> io::Result<EngineLink> {
        let stream = connect(&self.address, self.timeouts.connect)?;
        let Some(Certificate { identity, engine_name }) = &self.certificate else {
            return Ok(EngineLink { tcp: Tcp::new(stream, self.timeouts.send)?, secured: None });
        };
        let clock = SystemClock::start();
        let until = clock.now() + self.timeouts.connect;
        let left = || until.saturating_sub(clock.now());
        let session = identity.connect(&stream, engine_name, &left)?;
        let secured = Some(Box::new(Secured { session, bytes: Vec::new(), words: Vec::new() }));
        Ok(EngineLink { tcp: Tcp::new(stream, self.timeouts.send)?, secured })
    }

    fn address(&self) -> String {
        self.address.clone()
    }
}

/// A connection to an engine.
#[derive(Debug)]
pub struct EngineLink {
    tcp: Tcp,
    secured: Option<Box<Secured>>,
}

/// What a secured connection needs beside its socket.
#[derive(Debug)]
struct Secured {
    session: Session,
    /// What is sent.
    bytes: Vec<u8>,
    /// What was heard last.
    words: Vec<u8>,
}

impl Transport for EngineLink {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(secured) = &mut self.secured else { return self.tcp.send(bytes) };
        for piece in bytes.chunks(PIECE_BYTES) {
            secured.bytes.clear();
            secured.session.say(piece, &mut secured.bytes)?;
            self.tcp.send(&secured.bytes)?;
        }
        Ok(())
    }

    fn receive(&mut self, wait: Duration) -> io::Result<Received<'_>> {
        let Some(secured) = &mut self.secured else { return self.tcp.receive(wait) };
        let Secured { session, words, .. } = &mut **secured;
        words.clear();
        // What came with the certificates is there already.
        session.hear(&[], words)?;
        for _ in 0..SILENT_MAX {
            if !words.is_empty() {
                return Ok(Received::Bytes(words));
            }
            if session.has_ended() {
                return Ok(Received::Ended);
            }
            match self.tcp.receive(wait)? {
                Received::Bytes(bytes) => session.hear(bytes, words)?,
                Received::Nothing => return Ok(Received::Nothing),
                Received::Ended => return Err(session.cut().into()),
            }
        }
        Ok(if words.is_empty() { Received::Nothing } else { Received::Bytes(words) })
    }
}

impl Drop for EngineLink {
    fn drop(&mut self) {
        let Some(secured) = &mut self.secured else { return };
        secured.bytes.clear();
        // The engine should know that nothing was cut off; if it cannot be told, it is gone already.
        if secured.session.end(&mut secured.bytes).is_ok() {
            self.tcp.send_soon(&secured.bytes);
        }
    }
}
