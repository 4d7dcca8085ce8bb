//! The names of one conversation: from a connector's codes to the engine's identifiers.

use super::reading::{ReadBatch, Reading};
use crate::intake::{Intake, Place, name_reason};
use trueup_model::fact::{Fact, Provenance};
use trueup_model::id::{Id, NameKind, TenantId};
use trueup_model::reject::RejectReason;
use trueup_wire::code::CodeError;
use trueup_wire::message::{Batch, Definitions};
use trueup_wire::{Code, CodeTable};

/// What the codes of a conversation stand for: an identifier, or why the name has none.
#[derive(Debug, Default)]
pub(crate) struct Names(CodeTable<Result<Id, RejectReason>>);

/// Why a name of a fact could not be resolved.
enum Unresolved {
    /// The connector uses its codes wrongly.
    Code(CodeError),
    /// The name cannot be taken.
    Rejected(RejectReason),
}

impl Names {
    /// Gives names their codes.
    pub(crate) fn define(
        &mut self,
        intake: &Intake,
        tenant: TenantId,
        definitions: &Definitions<'_>,
    ) {
        if definitions.first == 0 {
            self.0.clear();
        }
        for (kind, text) in definitions.entries() {
            let id = intake.define(kind, tenant, text).map_err(|error| name_reason(&error));
            // The session has checked that there is room.
            let _ = self.0.define(kind, id);
        }
    }

    /// The facts of a batch, checked; in place of one that cannot be taken stands a reject.
    ///
    /// # Errors
    /// What is wrong with the batch, in words: the connector broke the protocol.
    pub(crate) fn facts(
        &self,
        intake: &Intake,
        tenant: TenantId,
        batch: &Batch<'_>,
    ) -> Result<ReadBatch, String> {
        Reading::of(batch, self, intake, tenant)
    }

    /// How many codes are defined.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// What a code stands for, where a name of this kind is meant; nothing if it stands for none.
    #[inline]
    pub(super) fn known(&self, kind: NameKind, code: Code) -> Option<Id> {
        self.0.get(kind, code).ok()?.as_ref().ok().copied()
    }

    /// The fact, checked; a reject in its place if it cannot be taken.
    ///
    /// # Errors
    /// If the connector uses its codes wrongly.
    pub(super) fn fact(
        &self,
        intake: &Intake,
        tenant: TenantId,
        fact: Fact<Code>,
    ) -> Result<Fact<Id>, CodeError> {
        let Fact { id, revision, arrived_at, .. } = fact;
        let Provenance { document, position } = fact.provenance;
        let named = fact.try_map(&mut |kind, code| match self.0.get(kind, code) {
            Ok(Ok(known)) => Ok(*known),
            Ok(Err(reason)) => Err(Unresolved::Rejected(*reason)),
            Err(error) => Err(Unresolved::Code(error)),
        });
        match named {
            Ok(known) => Ok(intake.checked(tenant, known)),
            Err(Unresolved::Code(error)) => Err(error),
            Err(Unresolved::Rejected(reason)) => {
                // A document whose name cannot be taken has no name in the quarantine either.
                let document = self.0.get(NameKind::Document, document)?.unwrap_or_default();
                let provenance = Provenance { document, position };
                let place = Place { id, revision, arrived_at, provenance };
                Ok(intake.rejected(tenant, place, reason, None))
            }
        }
    }
}
