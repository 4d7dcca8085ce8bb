//! The reading side of a conversation: bytes to work for the sequencer.
//!
//! [`Listener::next`] and what it gives wait for nothing; [`Listener::run`] reads and waits.

use super::shared::{Shared, lock};
use super::talk::Talk;
use super::{ALIVE_US, Allowance, ConversationError, HELD_LOOK, READ_BYTES, Reception};
use crate::sequencer::{Greet, Greeted, Note, Work};
use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};
use std::io::{ErrorKind, Read};
use std::sync::{Arc, Mutex};
use trueup_model::id::TenantId;
use trueup_wire::ErrorCode;
use trueup_wire::session::EngineEvent;

/// The reading side of a conversation.
pub(crate) struct Listener {
    reception: Reception,
    shared: Arc<Mutex<Shared>>,
    notes: Sender<Note>,
    talk: Option<Talk>,
}

impl Listener {
    /// A conversation in which nothing was heard; and what it is told, of which so much waits.
    pub(crate) fn new(reception: Reception, notes_max: usize) -> (Self, Receiver<Note>) {
        let (notes, noted) = bounded(notes_max);
        (Self { reception, shared: Arc::default(), notes, talk: None }, noted)
    }

    /// What it shares with the writing side.
    pub(crate) fn shared(&self) -> Arc<Mutex<Shared>> {
        Arc::clone(&self.shared)
    }

    /// Reads until one side ends the conversation.
    pub(super) fn run(mut self, mut input: impl Read) -> Result<(), ConversationError> {
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
    pub(crate) fn check_silence(&self, heard_us: u64) -> Result<(), ConversationError> {
        let mut guard = lock(&self.shared);
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
            // A process that was stopped for a while, and one whose frame was damaged in its length, may come again.
            session.refuse(ErrorCode::Unavailable, 0, "nothing was heard for too long", out);
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
        let Reception { work: queue, clock, .. } = &self.reception;
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
                let mut guard = lock(&self.shared);
                let Shared { session, out, .. } = &mut *guard;
                session.heartbeat(out);
                // A writer that has enough to do sends it with the rest.
                let _ = self.notes.try_send(Note::Flush);
            }
        }
    }

    /// What the bytes say next.
    pub(crate) fn next(&mut self, bytes: &mut &[u8]) -> Result<Next, ConversationError> {
        let mut guard = lock(&self.shared);
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
        named: (String, String),
        generation: u64,
    ) -> Result<(), ConversationError> {
        let (reply, greeted) = bounded(1);
        let tenant = self.reception.intake.tenant(&named.0);
        self.give(self.greeting(named, generation, reply))?;
        loop {
            match greeted.recv_timeout(HELD_LOOK) {
                Ok(greeted) => return self.greeted(tenant, greeted),
                Err(RecvTimeoutError::Timeout) if !self.reception.is_closing() => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(ConversationError::Stopped);
                }
            }
        }
    }

    /// What the sequencer is asked when a source wants to begin.
    pub(crate) fn greeting(
        &self,
        (tenant, source): (String, String),
        generation: u64,
        reply: Sender<Greeted>,
    ) -> Work {
        let notes = self.notes.clone();
        Work::Greet(Greet { tenant, source, generation, reply, notes })
    }

    /// Tells a connector what became of it.
    pub(crate) fn greeted(
        &mut self,
        tenant: TenantId,
        greeted: Greeted,
    ) -> Result<(), ConversationError> {
        let mut guard = lock(&self.shared);
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
pub(crate) enum Next {
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
