//! A batch as it enters: its names turned into identifiers, its facts checked.
//!
//! Checkouts and metered quantities about which nothing is wrong, which is nearly all that ever comes, are made from
//! their columns at once. Everything else goes the general way, and both give the same.

use super::names::Names;
use crate::intake::Intake;
use crate::log::{EpochHash, EpochHasher};
use trueup_model::fact::{Action, Body, Fact, Provenance};
use trueup_model::id::{Id, NameKind, TenantId};
use trueup_model::time::Timestamp;
use trueup_model::usage::{SessionEvent, UsageEvent};
use trueup_operators::entered::{Entered, Said};
use trueup_wire::code::CodeError;
use trueup_wire::codec::{Head, Visitor};
use trueup_wire::{Code, message};

/// A batch as it enters.
#[derive(Debug)]
pub(crate) struct ReadBatch {
    /// The facts with their tenant.
    pub(crate) facts: Vec<Entered>,
    /// The latest instant that they give evidence of; `MIN` if they give none.
    pub(crate) evidence: Timestamp,
    /// The hash of all of them.
    pub(crate) hash: EpochHash,
}

/// What a name is that is none.
struct Unknown;

/// Reads the facts of one batch.
pub(super) struct Reading<'n> {
    names: &'n Names,
    intake: &'n Intake,
    tenant: TenantId,
    hasher: EpochHasher,
    read: ReadBatch,
}

impl<'n> Reading<'n> {
    /// The facts of a batch; in place of one that cannot be taken stands a reject.
    ///
    /// # Errors
    /// What is wrong with the batch, in words: the connector broke the protocol.
    pub(super) fn of(
        batch: &message::Batch<'_>,
        names: &'n Names,
        intake: &'n Intake,
        tenant: TenantId,
    ) -> Result<ReadBatch, String> {
        let facts = batch.facts(names.count()).map_err(|error| error.to_string())?;
        let room = usize::try_from(batch.count).unwrap_or_default();
        let (facts_of, evidence) = (Vec::with_capacity(room), Timestamp::MIN);
        let read = ReadBatch { facts: facts_of, evidence, hash: EpochHash::default() };
        let mut reading = Self { names, intake, tenant, hasher: EpochHasher::default(), read };
        facts.visit(&mut reading).map_err(|error| error.to_string())?;
        Ok(reading.read)
    }

    /// Takes a fact about which nothing is wrong.
    #[inline]
    fn push(&mut self, head: &Head, at: Timestamp, fact: Entered) {
        self.read.hash.add(self.hasher.of(head.id, head.revision));
        self.read.evidence = self.read.evidence.max(at);
        self.read.facts.push(fact);
    }

    #[inline]
    fn known(&self, kind: NameKind, code: Code) -> Result<Id, Unknown> {
        self.names.known(kind, code).ok_or(Unknown)
    }

    #[inline]
    fn provenance(&self, head: &Head) -> Option<Provenance<Id>> {
        let Provenance { document, position } = head.provenance;
        let document = self.names.known(NameKind::Document, document)?;
        head.document.is_none().then_some(Provenance { document, position })
    }

    /// The metered quantity as it enters; nothing if it has to go the general way.
    #[inline]
    fn said(&self, head: &Head, event: UsageEvent<Code>) -> Option<Said> {
        let Head { id, revision, arrived_at, .. } = *head;
        let provenance = self.provenance(head)?;
        let event = event.try_map(&mut |kind, code| self.known(kind, code)).ok()?;
        let taken = self.intake.takes((id, revision), event.at, arrived_at, 1);
        taken.then_some(Said { tenant: self.tenant, id, revision, arrived_at, provenance, event })
    }

    /// The checkout as it enters; nothing if it has to go the general way.
    #[inline]
    fn checkout(&self, head: &Head, event: SessionEvent<Code>) -> Option<Fact<Id>> {
        let Head { id, revision, arrived_at, .. } = *head;
        let provenance = self.provenance(head)?;
        let event = event.try_map(&mut |kind, code| self.known(kind, code)).ok()?;
        if !self.intake.takes((id, revision), event.at, arrived_at, event.count) {
            return None;
        }
        let action = Action::Assert(Body::Session(event));
        Some(Fact { id, revision, arrived_at, provenance, document: None, action })
    }
}

impl Visitor for Reading<'_> {
    type Error = CodeError;

    #[inline]
    fn usage(&mut self, head: Head, event: UsageEvent<Code>) -> Result<(), CodeError> {
        match self.said(&head, event) {
            Some(said) => {
                self.push(&head, event.at, Entered::Usage(Box::new(said)));
                Ok(())
            }
            None => self.other(head.fact(Body::Usage(event))),
        }
    }

    #[inline]
    fn session(&mut self, head: Head, event: SessionEvent<Code>) -> Result<(), CodeError> {
        match self.checkout(&head, event) {
            Some(known) => {
                self.push(&head, event.at, Entered::Other(Box::new((self.tenant, known))));
                Ok(())
            }
            None => self.other(head.fact(Body::Session(event))),
        }
    }

    fn other(&mut self, fact: Fact<Code>) -> Result<(), CodeError> {
        self.read.hash.add(self.hasher.of(fact.id, fact.revision));
        let known = self.names.fact(self.intake, self.tenant, fact)?;
        let evidence = Intake::evidence(&known).unwrap_or(Timestamp::MIN);
        self.read.evidence = self.read.evidence.max(evidence);
        self.read.facts.push(Entered::from((self.tenant, known)));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
