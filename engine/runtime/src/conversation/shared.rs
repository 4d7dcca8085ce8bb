//! What the two threads of a conversation share: its session, and what is to be sent.

use crate::sequencer::Note;
use std::sync::{Mutex, MutexGuard, PoisonError};
use trueup_wire::message::Ack;
use trueup_wire::{EngineSession, ErrorCode};

/// What both threads of a conversation use.
#[derive(Default)]
pub(crate) struct Shared {
    pub(super) session: EngineSession,
    /// What is to be sent.
    pub(super) out: Vec<u8>,
    pub(super) superseded: bool,
    /// What was vouched for before the Welcome, and is said after it.
    pub(super) sealed: Option<u64>,
}

pub(crate) fn lock<'a>(shared: &'a Mutex<Shared>) -> MutexGuard<'a, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Passes on what the sequencer says; gives what is to be sent.
    pub(crate) fn pass_on(&mut self, notes: impl Iterator<Item = Note>) -> Vec<u8> {
        for note in notes {
            self.note(&note);
        }
        std::mem::take(&mut self.out)
    }

    /// Passes on one thing that the sequencer says.
    fn note(&mut self, note: &Note) {
        let Self { session, out, superseded, sealed } = self;
        // A session that is over takes no commands, and nobody hears them.
        let _ = match note {
            Note::Durable { sequence, epoch, freed } => session
                .acknowledge(Ack { sequence: *sequence, epoch: *epoch }, out)
                .and_then(|()| session.grant(*freed, out)),
            Note::Sealed { sequence } if !session.is_open() => {
                *sealed = Some(*sequence);
                Ok(())
            }
            Note::Sealed { sequence } => session.seal(*sequence, out),
            Note::Superseded => {
                *superseded = true;
                // It may be a connection of the same process whose Hello was heard late: whether that
                // is fenced is for its next Hello to find out.
                let words = "a newer connection of the same source took this one's place";
                session.refuse(ErrorCode::Busy, 0, words, out);
                Ok(())
            }
            Note::Flush => Ok(()),
        };
    }
}
