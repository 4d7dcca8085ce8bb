//! The engine's end of a connector's connection: bytes in, facts to the sequencer, words back.
//!
//! One thread reads; another one writes, so that a peer that does not listen holds up nobody else.
//! What a connector may have under way is bounded by its credits, which come back when its facts are
//! durable. The same code serves a socket and a connector in the same process.

mod error;
mod names;
mod reading;
mod shared;
mod talk;
mod listener;

pub use error::ConversationError;
pub(crate) use listener::{Listener, Next};
pub(crate) use names::Names;
pub(crate) use reading::ReadBatch;
pub(crate) use shared::{Shared, lock};

use crate::clock::Clock;
use crate::intake::Intake;
use crate::publisher::Progress;
use crate::sequencer::{Note, Work};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use trueup_wire::Credit;
use trueup_wire::message::Hello;

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
        let (listener, noted) = Listener::new(self.clone(), NOTES_MAX);
        let shared = listener.shared();
        std::thread::scope(|scope| {
            let writer = std::thread::Builder::new()
                .name("trueup-conversation".to_owned())
                .spawn_scoped(scope, || self.write(&shared, &noted, output))?;
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
            let bytes = lock(shared).pass_on(std::iter::once(first).chain(notes.try_iter()));
            output.write_all(&bytes)?;
            output.flush()?;
        }
        let rest = lock(shared).pass_on(std::iter::empty());
        output.write_all(&rest)?;
        output.flush()
    }
}

#[cfg(test)]
mod tests;
