//! A session on a socket: one thread reads, another one writes, and neither waits for the other.
//!
//! The session is held only while bytes are worked on, never while the socket is waited for. What is
//! written keeps its order because who writes holds the socket from encrypting on.

use crate::error::TlsError;
use crate::session::Session;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How much is read from a socket, or said, at a time.
const PIECE_BYTES: usize = 64 * 1024;
/// How long a side that was refused may take to read why.
const REFUSED_PATIENCE: Duration = Duration::from_millis(500);
/// How often what it still sends is read away in that time.
const REFUSED_READS_MAX: usize = 16;

/// Shows certificates over a socket, and looks at the other side's.
pub(crate) fn shake(
    mut session: Session,
    mut stream: &TcpStream,
    left: &dyn Fn() -> Duration,
) -> Result<Session, TlsError> {
    loop {
        let connection = &mut session.connection;
        if !connection.is_handshaking() && !connection.wants_write() {
            return Ok(session);
        }
        let left = left();
        if left.is_zero() {
            return Err(session.late());
        }
        stream.set_read_timeout(Some(left))?;
        stream.set_write_timeout(Some(left))?;
        let moved = if connection.wants_write() {
            connection.write_tls(&mut stream)
        } else {
            connection.read_tls(&mut stream)
        };
        match moved {
            Ok(0) => return Err(session.cut()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if is_wait(&error) => return Err(session.late()),
            Err(error) => return Err(error.into()),
        }
        if let Err(error) = connection.process_new_packets() {
            let error = session.refused(error);
            if !matches!(error, TlsError::Plain { .. }) {
                refuse(&mut session, stream);
            }
            return Err(error);
        }
    }
}

/// Tells the other side why it is refused, and waits until it has read so: what it still sends would, if it
/// came to a closed socket, take the words away before they are read.
fn refuse(session: &mut Session, mut stream: &TcpStream) {
    // Whether it hears it does not matter to this side.
    let _ = session.connection.write_tls(&mut stream);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(REFUSED_PATIENCE));
    let mut rest = [0; 4096];
    for _ in 0..REFUSED_READS_MAX {
        if !matches!(stream.read(&mut rest), Ok(1..)) {
            return;
        }
    }
}

fn is_wait(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// A connection whose both sides showed certificates.
#[derive(Clone, Debug)]
pub struct Secured(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stream: TcpStream,
    session: Mutex<Session>,
    heard: Mutex<Heard>,
    said: Mutex<Said>,
}

/// What was heard and not read yet.
#[derive(Debug, Default)]
struct Heard {
    words: Vec<u8>,
    taken: usize,
    bytes: Vec<u8>,
}

/// What is being said.
#[derive(Debug, Default)]
struct Said {
    bytes: Vec<u8>,
    /// Whether the socket took a part of something: what follows would make no sense.
    is_torn: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Secured {
    /// Puts a session onto the socket on which it began; deadlines of the socket stay as they are.
    pub fn new(session: Session, stream: TcpStream) -> Self {
        let session = Mutex::new(session);
        Self(Arc::new(Inner { stream, session, heard: Mutex::default(), said: Mutex::default() }))
    }

    /// The socket, for its deadlines and address.
    pub fn stream(&self) -> &TcpStream {
        &self.0.stream
    }

    /// Whether the other side's certificate is for a name.
    ///
    /// # Errors
    /// For whom it is instead.
    pub fn check_name(&self, name: &str) -> Result<(), TlsError> {
        lock(&self.0.session).check_name(name)
    }

    /// Ends one direction or both: the other side is told that nothing more comes.
    ///
    /// # Errors
    /// If the socket is not open.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        if matches!(how, Shutdown::Write | Shutdown::Both) {
            let mut said = lock(&self.0.said);
            self.send(&mut said, Session::end)?;
        }
        self.0.stream.shutdown(how)
    }

    fn send(
        &self,
        said: &mut Said,
        say: impl FnOnce(&mut Session, &mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        if said.is_torn {
            return Err(ErrorKind::BrokenPipe.into());
        }
        said.bytes.clear();
        say(&mut lock(&self.0.session), &mut said.bytes)?;
        let sent = (&self.0.stream).write_all(&said.bytes);
        said.is_torn = sent.is_err();
        sent
    }
}

impl Read for &Secured {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut guard = lock(&self.0.heard);
        let Heard { words, taken, bytes } = &mut *guard;
        if *taken == words.len() {
            words.clear();
            *taken = 0;
            // What the handshake read beyond its end is there already.
            lock(&self.0.session).hear(&[], words)?;
        }
        while words.is_empty() {
            if buffer.is_empty() || lock(&self.0.session).has_ended() {
                return Ok(0);
            }
            bytes.resize(PIECE_BYTES, 0);
            let arrived = (&self.0.stream).read(bytes)?;
            let mut session = lock(&self.0.session);
            session.hear(&bytes[..arrived], words)?;
            if arrived == 0 {
                return Err(session.cut().into());
            }
        }
        let count = (words.len() - *taken).min(buffer.len());
        buffer[..count].copy_from_slice(&words[*taken..*taken + count]);
        *taken += count;
        Ok(count)
    }
}

impl Write for &Secured {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let piece = buffer.get(..PIECE_BYTES).unwrap_or(buffer);
        let mut said = lock(&self.0.said);
        self.send(&mut said, |session, bytes| session.say(piece, bytes))?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        (&self.0.stream).flush()
    }
}

impl Read for Secured {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

impl Write for Secured {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        (&*self).write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self).flush()
    }
}
