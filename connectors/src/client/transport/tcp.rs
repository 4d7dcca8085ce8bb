//! A connection over TCP.

use super::{Dial, INBOX_BYTES_MAX, Received, Transport};
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// How much is read at a time.
const READ_BYTES: usize = 64 * 1024;
/// How long a write waits before what the engine said is taken from it.
const WRITE_SLICE: Duration = Duration::from_millis(50);

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpTimeouts {
    /// A connection to be made.
    pub connect: Duration,
    /// The engine to take some bytes.
    pub send: Duration,
}

impl Default for TcpTimeouts {
    /// 5 s and 30 s.
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), send: Duration::from_secs(30) }
    }
}

/// Connects to an engine over TCP.
#[derive(Clone, Debug)]
pub struct TcpDial {
    address: String,
    timeouts: TcpTimeouts,
}

impl TcpDial {
    /// Connects to `host:port`.
    pub fn new(address: impl Into<String>, timeouts: TcpTimeouts) -> Self {
        Self { address: address.into(), timeouts }
    }
}

impl Dial for TcpDial {
    type Transport = Tcp;

    fn dial(&mut self) -> io::Result<Tcp> {
        Tcp::new(connect(&self.address, self.timeouts.connect)?, self.timeouts.send)
    }

    fn address(&self) -> String {
        self.address.clone()
    }
}

/// Connects to `host:port`: a name may stand for several machines, or one in two address families.
pub(super) fn connect(address: &str, timeout: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for one in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&one, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A TCP connection.
#[derive(Debug)]
pub struct Tcp {
    stream: TcpStream,
    send_timeout: Duration,
    /// What arrived while sending.
    inbox: Vec<u8>,
    /// Whether `inbox` was given out.
    spent: bool,
    ended: bool,
}

impl Tcp {
    /// Takes over a connection that was made.
    ///
    /// # Errors
    /// If the system refuses an option.
    pub fn new(stream: TcpStream, send_timeout: Duration) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(WRITE_SLICE))?;
        Ok(Self { stream, send_timeout, inbox: Vec::new(), spent: false, ended: false })
    }

    /// Sends bytes if the system takes them soon: a last word that nobody has to hear.
    pub(super) fn send_soon(&mut self, bytes: &[u8]) {
        // Whether it is heard does not matter.
        let _ = self.stream.write(bytes);
    }

    /// Reads once into the inbox, behind what is there; false if nothing came in time.
    fn read(&mut self, wait: Duration) -> io::Result<bool> {
        if wait.is_zero() {
            self.stream.set_nonblocking(true)?;
        } else {
            self.stream.set_read_timeout(Some(wait))?;
        }
        let start = self.inbox.len();
        self.inbox.resize(start + READ_BYTES, 0);
        let read = self.stream.read(&mut self.inbox[start..]);
        self.inbox.truncate(start + read.as_ref().map_or(0, |count| *count));
        if wait.is_zero() {
            self.stream.set_nonblocking(false)?;
        }
        match read {
            Ok(0) => {
                self.ended = true;
                Ok(false)
            }
            Ok(_) => Ok(true),
            Err(error) if is_wait(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn drop_spent(&mut self) {
        if self.spent {
            self.inbox.clear();
            self.spent = false;
        }
    }
}

/// Whether the error only says that nothing happened in time.
fn is_wait(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut, io::ErrorKind::Interrupted];
    kinds.contains(&error.kind())
}

impl Transport for Tcp {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.drop_spent();
        let mut rest = bytes;
        // Waits in a row without a byte taken.
        let mut waited = Duration::ZERO;
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    rest = rest.get(count..).unwrap_or(&[]);
                    waited = Duration::ZERO;
                }
                Err(error) if is_wait(&error) => {
                    waited += WRITE_SLICE;
                    if waited >= self.send_timeout {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    // The engine may wait for us to read.
                    while self.inbox.len() < INBOX_BYTES_MAX && self.read(Duration::ZERO)? {}
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive(&mut self, wait: Duration) -> io::Result<Received<'_>> {
        self.drop_spent();
        if self.inbox.is_empty() && !self.ended {
            self.read(wait)?;
        }
        if !self.inbox.is_empty() {
            self.spent = true;
            return Ok(Received::Bytes(&self.inbox));
        }
        Ok(if self.ended { Received::Ended } else { Received::Nothing })
    }
}

impl Drop for Tcp {
    fn drop(&mut self) {
        // The peer should learn at once; if it cannot be told, it is gone already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
