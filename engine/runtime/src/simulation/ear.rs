//! The engine's end of one connection: what its two threads do, one step at a time.

use super::machine::{Machine, Office};
use super::truth::{Counts, NAMES, Truth};
use crate::conversation::{Listener, Next, Shared, lock};
use crate::intake::Intake;
use crate::sequencer::{Greeted, Note};
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::sync::{Arc, Mutex};
use trueup_model::id::TenantId;

/// How many words of the sequencer wait for a writer.
const NOTES_MAX: usize = 3;

/// Someone who waits to be welcomed.
struct Pending {
    tenant: TenantId,
    greeted: Receiver<Greeted>,
    answer: Option<Greeted>,
}

/// One connection, as the engine has it.
pub(crate) struct Ear {
    /// The connection.
    pub(crate) line: usize,
    /// `None` if nothing more is heard.
    listener: Option<Listener>,
    shared: Arc<Mutex<Shared>>,
    notes: Receiver<Note>,
    /// What came and was not heard.
    bytes: Vec<u8>,
    pending: Option<Pending>,
    source: usize,
    generation: u64,
    heard_us: u64,
}

impl Ear {
    pub(crate) fn new(machine: &Machine, line: usize, now_us: u64) -> Self {
        let (listener, notes) = Listener::new(machine.reception.clone(), NOTES_MAX);
        Self {
            line,
            shared: listener.shared(),
            listener: Some(listener),
            notes,
            bytes: Vec::new(),
            pending: None,
            source: 0,
            generation: 0,
            heard_us: now_us,
        }
    }

    /// Takes bytes from the network.
    pub(crate) fn arrive(&mut self, bytes: impl Iterator<Item = u8>, now_us: u64) {
        self.bytes.extend(bytes);
        self.heard_us = now_us;
    }

    /// Whether there is something to hear.
    pub(crate) fn has_bytes(&self) -> bool {
        self.listener.is_some() && self.pending.is_none() && !self.bytes.is_empty()
    }

    /// Hears no more if the other side has gone and all that it said was heard; false if not.
    pub(crate) fn hang_up(&mut self) -> bool {
        let is_heard = self.bytes.is_empty() && self.pending.is_none();
        is_heard && self.listener.take().is_some()
    }

    /// Hears no more: the other side has gone, or was silent for too long.
    pub(crate) fn close(&mut self) {
        self.listener = None;
    }

    /// Closes if the other side was silent for too long.
    pub(crate) fn check_silence(&mut self) {
        let waits = self.pending.is_none() && self.bytes.is_empty();
        let listener = self.listener.as_ref().filter(|_| waits);
        if listener.is_some_and(|listener| listener.check_silence(self.heard_us).is_err()) {
            self.close();
        }
    }

    /// Hears what came, up to one piece of work.
    pub(crate) fn hear(&mut self, intake: &Intake, office: &Office) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut input = bytes.as_slice();
        loop {
            let Some(listener) = &mut self.listener else { return };
            match listener.next(&mut input) {
                Ok(Next::Nothing) => break,
                Ok(Next::Said) => {}
                Ok(Next::Work(work)) => {
                    office.bring(work, self.source);
                    break;
                }
                Ok(Next::Hello(named, generation)) => {
                    let (reply, greeted) = bounded(1);
                    let tenant = intake.tenant(&named.0);
                    self.source = NAMES.iter().position(|name| *name == named.1).unwrap();
                    self.generation = generation;
                    office.bring(listener.greeting(named, generation, reply), self.source);
                    self.pending = Some(Pending { tenant, greeted, answer: None });
                    break;
                }
                Ok(Next::End) | Err(_) => {
                    self.close();
                    return;
                }
            }
        }
        self.bytes = input.to_vec();
    }

    /// Takes the sequencer's answer to whoever waits to be welcomed, and compares it with the truth.
    pub(crate) fn take_answer(
        &mut self,
        office: &Office,
        had: impl Fn() -> Counts,
        truth: &mut Truth,
    ) -> Result<(), String> {
        let Some(Pending { greeted, answer: answer @ None, .. }) = &mut self.pending else {
            return Ok(());
        };
        let Ok(greeted) = greeted.try_recv() else { return Ok(()) };
        let greeted = office.flaw.greeted(greeted);
        if let Greeted::Welcome(greeting) = &greeted {
            let (batch, count) = ((self.generation, greeting.resume), had()[self.source]);
            truth.welcome(self.source, batch, &greeting.position, count)?;
            office.newest.borrow_mut()[self.source] = greeting.conversation;
        }
        *answer = Some(greeted);
        Ok(())
    }

    /// Tells whoever waits to be welcomed what became of it; false if there is nothing to tell.
    pub(crate) fn welcome(&mut self) -> bool {
        let Some(pending) = self.pending.take_if(|pending| pending.answer.is_some()) else {
            return false;
        };
        let listener = self.listener.as_mut();
        let told =
            listener.zip(pending.answer).map(|(one, said)| one.greeted(pending.tenant, said));
        if !matches!(told, Some(Ok(()))) {
            self.close();
        }
        true
    }

    /// Passes on up to so many words of the sequencer; gives what is to be sent, or `None` if that was
    /// all and the connection ends.
    pub(crate) fn speak(
        &self,
        words_max: usize,
        truth: &mut Truth,
    ) -> Result<Option<Vec<u8>>, String> {
        let mut words = Vec::new();
        let mut is_over = false;
        while words.len() < words_max {
            match self.notes.try_recv() {
                Ok(note) => words.push(note),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    is_over = true;
                    break;
                }
            }
        }
        for note in &words {
            match note {
                Note::Durable { sequence, .. } => {
                    truth.acknowledge(self.source, (self.generation, *sequence))?;
                }
                Note::Sealed { sequence } => {
                    truth.seal(self.source, (self.generation, *sequence))?;
                }
                Note::Superseded | Note::Flush => {}
            }
        }
        let bytes = lock(&self.shared).pass_on(words.into_iter());
        Ok(if is_over && bytes.is_empty() { None } else { Some(bytes) })
    }
}
