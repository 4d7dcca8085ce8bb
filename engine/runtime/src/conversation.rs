//! The engine's end of a connector's connection: bytes in, facts to the sequencer, words back.
//!
//! One thread reads; another one writes, so that a peer that does not listen holds up nobody else.
//! What a connector may have under way is bounded by its credits, which come back when its facts are
//! durable. The same code serves a socket and a connector in the same process.

mod error;
mod names;
mod shared;
mod talk;

pub use error::ConversationError;
pub(crate) use names::Names;

use crate::clock::Clock;
use crate::intake::Intake;
use crate::publisher::Progress;
use crate::sequencer::{Greet, Greeted, Note, Work};
use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};
use shared::{Shared, lock};
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use talk::Talk;
use trueup_wire::message::Hello;
use trueup_wire::session::EngineEvent;
use trueup_wire::{Credit, ErrorCode};

/// How much is read at a time.
const READ_BYTES: usize = 256 * 1024;

/// How long the sequencer may take no work before it is looked whether the conversation is to end.
const HELD_LOOK: Duration = Duration::from_millis(100);
/// For how many looks nothing is said of batches before an engine that ends waits no longer.
const SILENCES_MAX: usize = 10;
/// How often a connector that is held back hears that the engine lives, in microseconds.
const ALIVE_US: u64 = 5_000_000;
/// How many words of the sequencer wait for the writer.
const NOTES_MAX: usize = 1024;

/// Decides who may send facts.
pub trait Gate: Send + Sync {
    /// Looks at the tenant, source and token of a connector.
    ///
    /// # Errors
    /// The words that the connector is told.
    fn admit(&self, hello: &Hello<'_>) -> Result<(), String>;
}

/// Admits everyone: for connectors in the same process, and for a trusted machine.
#[derive(Clone, Copy, Debug)]
pub struct OpenGate;

impl Gate for OpenGate {
    fn admit(&self, _: &Hello<'_>) -> Result<(), String> {
        Ok(())
    }
}

/// What a conversation may take.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// What may be under way at a time.
    pub window: Credit,
    /// How long a connector may take to say Hello, in microseconds.
    pub hello_us: u64,
    /// How long it may say nothing after that, in microseconds.
    pub silence_us: u64,
}

impl Default for Allowance {
    fn default() -> Self {
        let window = Credit { records: 262_144, bytes: 32 * 1024 * 1024 };
        Self { window, hello_us: 5_000_000, silence_us: 60_000_000 }
    }
}

/// Where connectors are received; shared by all conversations.
///
/// The engine does not end as long as a reception or a conversation is there.
#[derive(Clone)]
pub struct Reception {
    intake: Arc<Intake>,
    work: Sender<Work>,
    clock: Arc<dyn Clock>,
    gate: Arc<dyn Gate>,
    allowance: Allowance,
    progress: Arc<Progress>,
    closing: Arc<AtomicBool>,
}

impl Reception {
    pub(crate) fn new(
        intake: Arc<Intake>,
        work: Sender<Work>,
        clock: Arc<dyn Clock>,
        gate: Arc<dyn Gate>,
        allowance: Allowance,
        progress: Arc<Progress>,
    ) -> Self {
        let closing = Arc::new(AtomicBool::new(false));
        Self { intake, work, clock, gate, allowance, progress, closing }
    }

    /// The same reception with another gate: for a connection of which more is known.
    #[must_use]
    pub fn with_gate(&self, gate: Arc<dyn Gate>) -> Self {
        Self { gate, ..self.clone() }
    }

    /// Who may send facts.
    pub fn gate(&self) -> Arc<dyn Gate> {
        Arc::clone(&self.gate)
    }

    /// Asks all conversations to end; each does so when its read returns.
    pub fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.intake.close();
    }

    /// Whether conversations were asked to end, or the engine has stopped.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst) || self.progress.has_ended()
    }

    /// Talks with a connector until one side ends it.
    ///
    /// A read that takes long should give `TimedOut` or `WouldBlock` now and then, so that silence and
    /// closing are noticed.
    ///
    /// # Errors
    /// Why it ended before its time; the connector was told, if it still listens.
    pub fn converse(
        &self,
        input: impl Read,
        output: impl Write + Send,
    ) -> Result<(), ConversationError> {
        let (notes, noted) = bounded(NOTES_MAX);
        let shared = Mutex::new(Shared::default());
        std::thread::scope(|scope| {
            let writer = std::thread::Builder::new()
                .name("trueup-conversation".to_owned())
                .spawn_scoped(scope, || self.write(&shared, &noted, output))?;
            let listener = Listener { reception: self, shared: &shared, notes, talk: None };
            let heard = listener.run(input);
            // The writer ends when the last batch was answered, or at once if it cannot write; a peer
            // that left does not hear the rest, and asks again when it comes back.
            if let Ok(Err(error)) = writer.join() {
                tracing::debug!(%error, "a connector left before its last answer");
            }
            heard
        })
    }
}

impl Reception {
    /// Passes on what the sequencer says, and sends what there is, until there is nobody to say more.
    ///
    /// When the engine ends, what is held back is not waited for.
    fn write(
        &self,
        shared: &Mutex<Shared>,
        notes: &Receiver<Note>,
        mut output: impl Write,
    ) -> std::io::Result<()> {
        let mut silences = 0;
        while silences < SILENCES_MAX {
            let first = match notes.recv_timeout(HELD_LOOK) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    silences += usize::from(self.is_closing());
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            silences = 0;
            let bytes = {
                let mut guard = lock(shared);
                for note in std::iter::once(first).chain(notes.try_iter()) {
                    guard.note(&note);
                }
                std::mem::take(&mut guard.out)
            };
            output.write_all(&bytes)?;
            output.flush()?;
        }
        let rest = std::mem::take(&mut lock(shared).out);
        output.write_all(&rest)?;
        output.flush()
    }
}

/// The reading thread.
struct Listener<'r> {
    reception: &'r Reception,
    shared: &'r Mutex<Shared>,
    notes: Sender<Note>,
    talk: Option<Talk>,
}

impl Listener<'_> {
    fn run(mut self, mut input: impl Read) -> Result<(), ConversationError> {
        let mut buffer = vec![0; READ_BYTES];
        let mut heard_us = self.reception.clock.monotonic_us();
        loop {
            let count = match input.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    self.check_silence(heard_us)?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            heard_us = self.reception.clock.monotonic_us();
            let ended = self.hear(buffer.get(..count).unwrap_or_default());
            // If there is no room, the writer has enough to do and will see the bytes.
            let _ = self.notes.try_send(Note::Flush);
            if ended? {
                return Ok(());
            }
        }
    }

    /// Ends the conversation if the engine closes, or nothing was heard for too long.
    fn check_silence(&self, heard_us: u64) -> Result<(), ConversationError> {
        let mut guard = lock(self.shared);
        let Shared { session, out, superseded, .. } = &mut *guard;
        if *superseded {
            return Err(ConversationError::Superseded);
        }
        if self.reception.is_closing() {
            session.bye(out);
            return Err(ConversationError::Stopped);
        }
        let Allowance { hello_us, silence_us, .. } = self.reception.allowance;
        let allowed = if self.talk.is_some() { silence_us } else { hello_us };
        if self.reception.clock.monotonic_us() > heard_us + allowed {
            session.refuse(ErrorCode::OutOfOrder, 0, "nothing was heard for too long", out);
            return Err(ConversationError::Silent);
        }
        Ok(())
    }

    /// Takes bytes; true if they ended the conversation.
    ///
    /// What comes of them goes to the sequencer while the other thread may talk: it waits there as long
    /// as input is held back.
    fn hear(&mut self, mut bytes: &[u8]) -> Result<bool, ConversationError> {
        loop {
            match self.next(&mut bytes)? {
                Next::Nothing => return Ok(false),
                Next::End => return Ok(true),
                Next::Said => {}
                Next::Work(work) => self.give(work)?,
                Next::Hello(named, generation) => self.welcome(named, generation)?,
            }
        }
    }

    /// Gives a piece of work to the sequencer; waits while it takes none, unless the engine ends.
    ///
    /// A connector that is held back hears that the engine lives, and does not come anew.
    fn give(&self, mut work: Work) -> Result<(), ConversationError> {
        let Reception { work: queue, clock, .. } = self.reception;
        let mut told_us = clock.monotonic_us();
        loop {
            match queue.send_timeout(work, HELD_LOOK) {
                Ok(()) => return Ok(()),
                Err(SendTimeoutError::Timeout(held)) if !self.reception.is_closing() => work = held,
                Err(SendTimeoutError::Timeout(_) | SendTimeoutError::Disconnected(_)) => {
                    return Err(ConversationError::Stopped);
                }
            }
            if clock.monotonic_us() >= told_us + ALIVE_US {
                told_us = clock.monotonic_us();
                let mut guard = lock(self.shared);
                let Shared { session, out, .. } = &mut *guard;
                session.heartbeat(out);
                // A writer that has enough to do sends it with the rest.
                let _ = self.notes.try_send(Note::Flush);
            }
        }
    }

    /// What the bytes say next.
    fn next(&mut self, bytes: &mut &[u8]) -> Result<Next, ConversationError> {
        let mut guard = lock(self.shared);
        let Shared { session, out, superseded, .. } = &mut *guard;
        if *superseded {
            return Err(ConversationError::Superseded);
        }
        let Some(event) = session.receive(bytes, out)? else { return Ok(Next::Nothing) };
        let intake = &self.reception.intake;
        match event {
            EngineEvent::Hello(hello) => {
                let admitted = self.reception.gate.admit(&hello);
                let named = (hello.tenant.to_owned(), hello.source.to_owned());
                if let Err(words) = admitted {
                    session.refuse(ErrorCode::Unauthorized, 0, &words, out);
                    return Err(ConversationError::Refused(words));
                }
                Ok(Next::Hello(named, session.generation()))
            }
            EngineEvent::Dictionary(definitions) => {
                let talk = self.talk.as_mut().ok_or(ConversationError::Stopped)?;
                Ok(Next::Work(talk.define(intake, &definitions)))
            }
            EngineEvent::Batch(batch) => {
                let talk = self.talk.as_mut().ok_or(ConversationError::Stopped)?;
                let received_us = self.reception.clock.monotonic_us();
                let taken = talk.take(intake, &batch, &self.notes, received_us);
                taken.map(Next::Work).map_err(|words| {
                    let error = ConversationError::Unreadable(words);
                    session.refuse(ErrorCode::BadBatch, 0, &error.to_string(), out);
                    error
                })
            }
            EngineEvent::Duplicate { .. } | EngineEvent::Gap { .. } | EngineEvent::Heartbeat => {
                Ok(Next::Said)
            }
            EngineEvent::Bye => Ok(Next::End),
        }
    }

    /// Welcomes a connector that may send, unless a newer process of its source was here.
    fn welcome(
        &mut self,
        (name, source): (String, String),
        generation: u64,
    ) -> Result<(), ConversationError> {
        let (reply, greeted) = bounded(1);
        let tenant = self.reception.intake.tenant(&name);
        let notes = self.notes.clone();
        self.give(Work::Greet(Greet { tenant: name, source, generation, reply, notes }))?;
        let greeted = loop {
            match greeted.recv_timeout(HELD_LOOK) {
                Ok(greeted) => break greeted,
                Err(RecvTimeoutError::Timeout) if !self.reception.is_closing() => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(ConversationError::Stopped);
                }
            }
        };
        let mut guard = lock(self.shared);
        let Shared { session, out, sealed, .. } = &mut *guard;
        let greeting = match greeted {
            Greeted::Welcome(greeting) => greeting,
            Greeted::Fenced { last } => {
                session.admit(Some(last), out)?;
                return Err(ConversationError::Superseded);
            }
        };
        session.admit(greeting.last_generation, out)?;
        let window = self.reception.allowance.window;
        session.welcome(greeting.resume, &greeting.position, window, out)?;
        if let Some(sequence) = sealed.take() {
            session.seal(sequence, out)?;
        }
        self.talk = Some(Talk::new(tenant, greeting.conversation));
        Ok(())
    }
}

/// What comes of bytes.
enum Next {
    /// More of them are needed.
    Nothing,
    /// Nothing, but there may be more.
    Said,
    /// The conversation ends.
    End,
    /// Something for the sequencer.
    Work(Work),
    /// A tenant's source begins, with its generation.
    Hello((String, String), u64),
}

#[cfg(test)]
mod tests;
