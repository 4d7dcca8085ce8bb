//! Questions over TLS: how an engine is known, and the HTTP client's connection to it.

use crate::args::Where;
use crate::exit::{Exit, Failure};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;
use trueup_runtime::clock::{Clock as _, SystemClock};
use trueup_tls::{Card, Guest, Role, Secured, TlsError};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// How long the engine may take to take a connection and to show its certificate.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of a question or an answer is kept at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// Whom the switches say to believe, and for whom the engine's certificate must be; `None` if they do not.
pub(super) fn guest(engine: &Where) -> Result<Option<(Guest, String)>, Failure> {
    let Where { api, ca, certificate, key, engine_name } = engine;
    let Some(ca) = ca else { return Ok(None) };
    let card = match (certificate.clone(), key.clone()) {
        (Some(shown), Some(secret)) => Some(Card { certificate: shown, key: secret }),
        (None, _) | (_, None) => None,
    };
    let failed = |error: TlsError| {
        let is_unreadable = matches!(error, TlsError::File { .. });
        let exit = if is_unreadable { Exit::NoInput } else { Exit::Config };
        Failure::new(exit, error.to_string(), "certificates and keys are files in PEM form")
    };
    let guest = Guest::read(Role::Reader, ca.clone(), card.as_ref()).map_err(failed)?;
    let host = api.rsplit_once(':').map_or(api.as_str(), |(host, _)| host);
    let name = engine_name.clone().unwrap_or_else(|| host.to_owned());
    guest.check_name(&name).map_err(failed)?;
    Ok(Some((guest, name)))
}

/// Connects to an engine whose certificate is for a name.
#[derive(Debug)]
pub(super) struct Secure {
    pub(super) guest: Guest,
    pub(super) name: String,
}

impl Connector for Secure {
    type Out = Connection;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Connection>, ureq::Error> {
        let clock = SystemClock::default();
        let left = || PATIENCE.saturating_sub(Duration::from_micros(clock.monotonic_us()));
        let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
        for address in details.addrs.iter() {
            match TcpStream::connect_timeout(address, PATIENCE) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    let session = self.guest.connect(&stream, &self.name, &left);
                    let stream = Secured::new(session.map_err(io::Error::from)?, stream);
                    let buffers = LazyBuffers::new(BUFFER_BYTES, BUFFER_BYTES);
                    return Ok(Some(Connection { stream, buffers }));
                }
                Err(error) => last = error,
            }
        }
        Err(last.into())
    }
}

/// A connection to an engine that showed its certificate.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Secured,
    buffers: LazyBuffers,
}

/// What a deadline or the socket has to say.
fn failed(error: io::Error, timeout: &NextTimeout) -> ureq::Error {
    let is_late = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
    if is_late { ureq::Error::Timeout(timeout.reason) } else { error.into() }
}

/// How long to wait at most.
fn limit(timeout: &NextTimeout) -> Option<Duration> {
    timeout.not_zero().map(|left| *left)
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let timeout = timeout.for_write();
        self.stream.stream().set_write_timeout(limit(&timeout))?;
        let output = self.buffers.output();
        let output = output.get(..amount).unwrap_or_default();
        (&self.stream).write_all(output).map_err(|error| failed(error, &timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let timeout = timeout.for_read();
        self.stream.stream().set_read_timeout(limit(&timeout))?;
        let input = self.buffers.input_append_buf();
        let count = (&self.stream).read(input).map_err(|error| failed(error, &timeout))?;
        self.buffers.input_appended(count);
        Ok(count > 0)
    }

    /// Each question has a connection of its own.
    fn is_open(&mut self) -> bool {
        false
    }

    fn is_tls(&self) -> bool {
        true
    }
}
