//! What is held back while the disk is full.
//!
//! The piece of work that found no room, and an epoch that could not be closed, wait as they are;
//! nothing more is taken from the queue, so conversations stop reading and their senders keep what
//! they have. What was taken before becomes durable and goes to the workers; questions are answered as
//! ever. Once there is room the held work goes on where it stopped, and nothing was lost.

use super::{Sequencer, Work};
use crate::error::RuntimeError;
use std::time::Duration;
use trueup_journal::JournalError;
use trueup_model::time::Timestamp;

/// How often a full disk is asked for room.
const ROOM_LOOK: Duration = Duration::from_millis(250);

/// An epoch that is being closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closing {
    /// Where it moves the horizon.
    pub(super) moved: Option<Timestamp>,
    /// Whether the log says so already.
    pub(super) is_said: bool,
}

/// What waits for room.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// The file that could not grow.
    full: Option<String>,
    /// Whether that was said.
    is_noted: bool,
    closing: Option<Closing>,
    work: Option<Work>,
}

impl Held {
    pub(super) fn is_full(&self) -> bool {
        self.full.is_some()
    }

    /// How long to wait before it is looked whether there is room.
    pub(super) fn look(&self) -> Option<Duration> {
        self.is_full().then_some(ROOM_LOOK)
    }

    /// Keeps a piece of work that found no room.
    pub(super) fn keep(&mut self, work: Work) {
        self.work = Some(work);
    }

    /// The epoch that is being closed, which may have begun to be before.
    pub(super) fn closing(&mut self, moved: Option<Timestamp>) -> Closing {
        *self.closing.get_or_insert(Closing { moved, is_said: false })
    }

    /// The log says where the horizon moves.
    pub(super) fn said(&mut self) {
        if let Some(closing) = &mut self.closing {
            closing.is_said = true;
        }
    }

    /// The epoch is closed.
    pub(super) fn closed(&mut self) {
        self.closing = None;
    }
}

impl Sequencer {
    /// Whether something found no room, and is to be tried again; other failures stay failures.
    pub(super) fn is_held(&mut self, done: Result<(), RuntimeError>) -> Result<bool, RuntimeError> {
        match done {
            Err(RuntimeError::Journal(JournalError::Full { file })) => {
                self.held.full = Some(file);
                Ok(true)
            }
            done => done.map(|()| false),
        }
    }

    /// Begins to wait for room for what is held, and says so once.
    pub(super) fn hold_back(&mut self) -> Result<(), RuntimeError> {
        if self.held.is_noted {
            return Ok(());
        }
        self.held.is_noted = true;
        let file = self.held.full.clone().unwrap_or_default();
        let since = self.around.clock.now();
        self.around.health.fill(Some((file.clone(), since)));
        tracing::warn!(
            file,
            "the disk is full: input is held back until there is room; make some, and nothing else \
             need be done"
        );
        self.seal()
    }

    /// Tries what is held again; true if there was room for it, and nothing is held any more.
    pub(super) fn go_on(&mut self) -> Result<bool, RuntimeError> {
        if !self.try_again()? {
            return Ok(false);
        }
        self.held.is_noted = false;
        self.around.health.fill(None);
        tracing::info!("the disk has room again, and input goes on");
        Ok(true)
    }

    /// Goes on with what is held; true if nothing is held any more.
    fn try_again(&mut self) -> Result<bool, RuntimeError> {
        self.held.full = None;
        if self.held.closing.is_some() {
            self.close(None)?;
        }
        if !self.held.is_full()
            && let Some(work) = self.held.work.take()
        {
            self.take(work)?;
        }
        Ok(!self.held.is_full())
    }
}
