//! A connection inside one process: bounded queues of chunks, so that an engine in the same process
//! is fed through the very same frames.

use super::{Dial, INBOX_BYTES_MAX, Received, Transport};
use crossbeam_channel::{
    Receiver, RecvTimeoutError, SendTimeoutError, Sender, TryRecvError, TrySendError, bounded,
};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;

/// How long a send waits for room.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a read of the engine waits before it looks whether something else is to be done.
const READ_SLICE: Duration = Duration::from_secs(1);

/// One end of a connection inside the process.
#[derive(Debug)]
pub struct Pair {
    outgoing: Sender<Vec<u8>>,
    incoming: Receiver<Vec<u8>>,
    /// What arrived while sending.
    inbox: VecDeque<Vec<u8>>,
    inbox_bytes: usize,
    /// The chunk that was given out last.
    current: Vec<u8>,
}

/// The two ends of a connection; at most `chunks_max` chunks are under way each way.
pub fn pair(chunks_max: usize) -> (Pair, Pair) {
    let (there, here) = (bounded(chunks_max.max(1)), bounded(chunks_max.max(1)));
    (Pair::new(there.0, here.1), Pair::new(here.0, there.1))
}

impl Pair {
    fn new(outgoing: Sender<Vec<u8>>, incoming: Receiver<Vec<u8>>) -> Self {
        let (inbox, current) = (VecDeque::new(), Vec::new());
        Self { outgoing, incoming, inbox, inbox_bytes: 0, current }
    }

    /// The two directions apart, as streams: for the engine, which reads and writes at once.
    pub fn split(self) -> (PairReader, PairWriter) {
        let Self { outgoing, incoming, inbox, .. } = self;
        let reader = PairReader { incoming, inbox, chunk: io::Cursor::new(Vec::new()) };
        (reader, PairWriter { outgoing })
    }

    /// Gives a chunk out.
    fn lend(&mut self, chunk: Vec<u8>) -> Received<'_> {
        self.current = chunk;
        Received::Bytes(&self.current)
    }

    /// Waits for room for a chunk, and takes what arrives meanwhile.
    fn send_when_there_is_room(&mut self, chunk: Vec<u8>) -> io::Result<()> {
        let gone = || io::ErrorKind::BrokenPipe.into();
        loop {
            if self.inbox_bytes >= INBOX_BYTES_MAX {
                return Err(io::ErrorKind::TimedOut.into());
            }
            crossbeam_channel::select! {
                send(self.outgoing, chunk) -> sent => return sent.map_err(|_| gone()),
                recv(self.incoming) -> arrived => match arrived {
                    Ok(arrived) => {
                        self.inbox_bytes += arrived.len();
                        self.inbox.push_back(arrived);
                    }
                    Err(_) => return Err(gone()),
                },
                default(SEND_TIMEOUT) => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
    }
}

impl Transport for Pair {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        match self.outgoing.try_send(bytes.to_vec()) {
            Ok(()) => Ok(()),
            Err(TrySendError::Disconnected(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(TrySendError::Full(chunk)) => self.send_when_there_is_room(chunk),
        }
    }

    fn receive(&mut self, wait: Duration) -> io::Result<Received<'_>> {
        if let Some(chunk) = self.inbox.pop_front() {
            self.inbox_bytes -= chunk.len();
            return Ok(self.lend(chunk));
        }
        match self.incoming.try_recv() {
            Ok(chunk) => return Ok(self.lend(chunk)),
            Err(TryRecvError::Disconnected) => return Ok(Received::Ended),
            Err(TryRecvError::Empty) if wait.is_zero() => return Ok(Received::Nothing),
            Err(TryRecvError::Empty) => {}
        }
        match self.incoming.recv_timeout(wait) {
            Ok(chunk) => Ok(self.lend(chunk)),
            Err(RecvTimeoutError::Timeout) => Ok(Received::Nothing),
            Err(RecvTimeoutError::Disconnected) => Ok(Received::Ended),
        }
    }
}

/// What the other end sends, as a stream.
#[derive(Debug)]
pub struct PairReader {
    incoming: Receiver<Vec<u8>>,
    inbox: VecDeque<Vec<u8>>,
    chunk: io::Cursor<Vec<u8>>,
}

impl io::Read for PairReader {
    /// Waits for bytes; after a while without any it says `TimedOut`, at the end of the connection 0.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.chunk.read(buffer)?;
        if count > 0 {
            return Ok(count);
        }
        let next = match self.inbox.pop_front() {
            Some(chunk) => Ok(chunk),
            None => self.incoming.recv_timeout(READ_SLICE),
        };
        match next {
            Ok(chunk) => self.chunk = io::Cursor::new(chunk),
            Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::TimedOut.into()),
            Err(RecvTimeoutError::Disconnected) => return Ok(0),
        }
        self.chunk.read(buffer)
    }
}

/// Where bytes for the other end are written.
#[derive(Debug)]
pub struct PairWriter {
    outgoing: Sender<Vec<u8>>,
}

impl io::Write for PairWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        match self.outgoing.send_timeout(bytes.to_vec(), SEND_TIMEOUT) {
            Ok(()) => Ok(bytes.len()),
            Err(SendTimeoutError::Timeout(_)) => Err(io::ErrorKind::TimedOut.into()),
            Err(SendTimeoutError::Disconnected(_)) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Connects to an engine in this process, which is handed its end of each connection.
#[derive(Clone, Debug)]
pub struct PairDial {
    engine: Sender<Pair>,
    chunks_max: usize,
}

impl PairDial {
    /// Hands the engine's ends to `engine`.
    pub fn new(engine: Sender<Pair>, chunks_max: usize) -> Self {
        Self { engine, chunks_max }
    }
}

impl Dial for PairDial {
    type Transport = Pair;

    fn dial(&mut self) -> io::Result<Pair> {
        let (ours, theirs) = pair(self.chunks_max);
        let sent = self.engine.send_timeout(theirs, SEND_TIMEOUT);
        sent.map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused))?;
        Ok(ours)
    }

    fn address(&self) -> String {
        "this process".to_owned()
    }
}
