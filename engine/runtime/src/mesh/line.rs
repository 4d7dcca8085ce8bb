//! A connection to another process: as it is, or secured by the certificates of both.
//!
//! The dataflow reads and writes it as it would a socket; a secured one needs no socket between, because the
//! dataflow takes whatever is such a stream. What breaks is told at once to whoever watches, for the
//! dataflow itself would only panic.

#[cfg(target_os = "linux")]
use super::SILENCE_MAX;
use super::{Lost, Telling};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use timely::communication::allocator::zero_copy::stream::Stream;
use trueup_tls::Secured;

/// A connection to another process.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    socket: Socket,
    /// Who is told that it broke, and of which process that is said.
    watched: Arc<OnceLock<(usize, Telling)>>,
}

#[derive(Clone, Debug)]
enum Socket {
    Plain(Arc<TcpStream>),
    Secured(Secured),
}

impl Line {
    /// A connection as it is.
    pub(super) fn plain(stream: TcpStream) -> Self {
        Self { socket: Socket::Plain(Arc::new(stream)), watched: Arc::default() }
    }

    /// A connection whose both sides showed certificates.
    pub(super) fn secured(secured: Secured) -> Self {
        Self { socket: Socket::Secured(secured), watched: Arc::default() }
    }

    /// The secured connection, if it is one.
    pub(super) fn as_secured(&self) -> Option<&Secured> {
        match &self.socket {
            Socket::Plain(_) => None,
            Socket::Secured(secured) => Some(secured),
        }
    }

    fn stream(&self) -> &TcpStream {
        match &self.socket {
            Socket::Plain(stream) => stream,
            Socket::Secured(secured) => secured.stream(),
        }
    }

    /// Has someone told if it breaks.
    pub(super) fn watch(&self, process: usize, telling: Telling) {
        // One that is watched already stays so.
        let _ = self.watched.set((process, telling));
    }

    /// How long a read or a write may take.
    pub(super) fn limit(&self, patience: Option<Duration>) -> io::Result<()> {
        let stream = self.stream();
        stream.set_nodelay(true)?;
        stream.set_read_timeout(patience)?;
        stream.set_write_timeout(patience)
    }

    /// Has it break when the other side does not take what was sent, or does not answer, for as long as a
    /// process may be silent: a pulse beside it may go on where this one does not get through.
    #[cfg(target_os = "linux")]
    pub(super) fn notice_silence(&self) -> io::Result<()> {
        use rustix::net::sockopt;
        let (stream, second) = (self.stream(), Duration::from_secs(1));
        let silence_ms = u32::try_from(SILENCE_MAX.as_millis()).unwrap_or(u32::MAX);
        sockopt::set_tcp_user_timeout(stream, silence_ms)?;
        sockopt::set_tcp_keepidle(stream, second)?;
        sockopt::set_tcp_keepintvl(stream, second)?;
        Ok(sockopt::set_socket_keepalive(stream, true)?)
    }

    /// Other systems have no such deadline; there the pulse alone is heard.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn notice_silence(&self) -> io::Result<()> {
        Ok(())
    }

    fn tell<T>(&self, done: io::Result<T>) -> io::Result<T> {
        let Err(error) = &done else { return done };
        // Deadlines are those of a greeting; what is watched has none.
        let is_wait = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
        if let Some((process, telling)) = self.watched.get().filter(|_| !is_wait) {
            let reason = format!("its connection broke: {error}");
            telling.tell(Lost { process: *process, reason });
        }
        done
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &self.socket {
            Socket::Plain(stream) => (&**stream).read(buffer),
            Socket::Secured(secured) => (&mut &*secured).read(buffer),
        };
        self.tell(read)
    }
}

impl Write for Line {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = match &self.socket {
            Socket::Plain(stream) => (&**stream).write(buffer),
            Socket::Secured(secured) => (&mut &*secured).write(buffer),
        };
        self.tell(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream().flush()
    }
}

impl Stream for Line {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(self.clone())
    }

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.stream().set_nonblocking(nonblocking)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match &self.socket {
            Socket::Plain(stream) => stream.shutdown(how),
            Socket::Secured(secured) => secured.shutdown(how),
        }
    }
}
