//! What an engine reads back: where it goes, why it may not, and an engine that does nothing else.

use super::Engine;
use crate::clock::Clock;
use crate::error::RuntimeError;
use crate::recovery::{Replayed, Target, replay};
use crate::settings::{Horizon, Settings};
use std::sync::Arc;
use trueup_journal::Storage;
use trueup_model::time::Timestamp;

impl Engine {
    /// An engine that looks back: it has what a journal said up to an epoch, and nothing is changed or
    /// kept there. Its horizon stays where that epoch left it.
    ///
    /// # Errors
    /// As [`Engine::start`]; and if the epoch is not closed, or what is before it was let go of.
    pub fn replay<S>(
        settings: Settings,
        clock: Arc<dyn Clock>,
        storage: &S,
        wanted: Replayed,
    ) -> Result<Self, RuntimeError>
    where
        S: Storage + Clone,
    {
        let settings = Settings { horizon: Horizon::Fixed(Timestamp::MIN), ..settings };
        let (engine, _) = Self::assemble(None, settings, clock, false)?;
        engine
            .target()
            .and_then(|to| replay(storage, &wanted, &to))
            .and_then(|closed| engine.wait_for_all(closed))
            .map_err(|error| engine.reason(error))?;
        Ok(engine)
    }

    /// Where what is read back goes.
    pub(super) fn target(&self) -> Result<Target<'_>, RuntimeError> {
        let work = self.work.as_ref().ok_or(RuntimeError::Stopped)?;
        Ok(Target { intake: &self.intake, work, chain: &self.chain })
    }

    /// Why the engine stopped while it was reading back, if it knows better than who noticed.
    pub(super) fn reason(&self, noticed: RuntimeError) -> RuntimeError {
        match self.failure().as_deref() {
            Some(RuntimeError::PublishedDiffers(differs)) => differs.clone().into(),
            Some(_) | None => noticed,
        }
    }
}
