//! A connection while it greets: one deadline for the whole, however slowly the other side speaks.

use super::line::Line;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

/// A connection that greets until no time is left.
pub(super) struct Timed<'a> {
    line: &'a mut Line,
    left: &'a dyn Fn() -> Duration,
}

impl<'a> Timed<'a> {
    /// A connection whose reads and writes all end when nothing is left.
    pub(super) fn new(line: &'a mut Line, left: &'a dyn Fn() -> Duration) -> Self {
        Self { line, left }
    }

    /// Whether what is said is encrypted.
    pub(super) fn is_secured(&self) -> bool {
        self.line.as_secured().is_some()
    }

    /// Gives what comes next the time that is left.
    fn limit(&self) -> io::Result<()> {
        let left = (self.left)();
        if left.is_zero() { Err(late()) } else { self.line.limit(Some(left)) }
    }
}

fn late() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "it took too long to greet")
}

/// A deadline that is over is told alike by all systems.
fn told<T>(done: io::Result<T>) -> io::Result<T> {
    let is_late = |kind| matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut);
    done.map_err(|error| if is_late(error.kind()) { late() } else { error })
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.limit()?;
        told(self.line.read(buffer))
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.limit()?;
        told(self.line.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.line.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::Timed;
    use crate::mesh::line::Line;
    use std::cell::Cell;
    use std::io::{ErrorKind, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    #[test]
    fn who_speaks_byte_by_byte_has_no_more_time_than_others() {
        // Each read had a deadline of its own once, so that 72 bytes could take six minutes.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let slow = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut line = Line::plain(listener.accept().unwrap().0);
        let left_s = Cell::new(4_u64);
        let left = || {
            left_s.set(left_s.get().saturating_sub(1));
            // The next byte comes in time, whenever it is asked for.
            (&slow).write_all(b"T").unwrap();
            Duration::from_secs(left_s.get())
        };
        let mut greeting = [0; 72];
        let error = Timed::new(&mut line, &left).read_exact(&mut greeting).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(greeting.starts_with(b"TTT") && greeting[3..] == [0; 69]);
    }
}
