//! What is known of a conversation after its Welcome, and what its frames become.

use super::Names;
use crate::intake::Intake;
use crate::sequencer::{Batch, Note, Work};
use crossbeam_channel::Sender;
use trueup_model::id::TenantId;
use trueup_wire::Credit;
use trueup_wire::message::{self as wire, Definitions};
use trueup_wire::record::ConversationId;

/// What is known after the Welcome.
pub(super) struct Talk {
    tenant: TenantId,
    conversation: ConversationId,
    names: Names,
    /// Room of dictionary frames, given back with the next batch.
    freed: Credit,
}

impl Talk {
    pub(super) fn new(tenant: TenantId, conversation: ConversationId) -> Self {
        Self { tenant, conversation, names: Names::default(), freed: Credit::default() }
    }

    /// Gives names their codes.
    pub(super) fn define(&mut self, intake: &Intake, definitions: &Definitions<'_>) -> Work {
        let size = definitions.frame.len() as u64;
        self.freed = self.freed.plus(Credit { records: 0, bytes: size });
        self.names.define(intake, self.tenant, definitions);
        Work::Names(self.conversation, definitions.frame.to_vec())
    }

    /// Reads a batch that was received at an instant of the engine's clock.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn take(
        &mut self,
        intake: &Intake,
        batch: &wire::Batch<'_>,
        notes: &Sender<Note>,
        received_us: u64,
    ) -> Result<Work, String> {
        let read = self.names.facts(intake, self.tenant, batch)?;
        Ok(Work::Batch(Batch {
            conversation: self.conversation,
            sequence: batch.sequence,
            position: batch.position.to_vec(),
            frame: batch.frame.to_vec(),
            read,
            cost: batch.cost().plus(std::mem::take(&mut self.freed)),
            received_us,
            notes: Some(notes.clone()),
        }))
    }
}
