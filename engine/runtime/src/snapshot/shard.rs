//! A share of the facts, by the hashes that their identities are: what is kept of each.
//!
//! kept = every content of every identity, with how often it came, when and where it first came, and
//!        its fullest rank; the greatest retraction of each identity from each document
//!
//! That is what `operators/src/dedupe.rs` makes of its facts, so nothing that is left out could have had
//! an effect, whatever comes later: neither a late repetition, nor a conflict, nor an assertion after a
//! retraction. Repetitions are taken together only if they were read in one document, so that one and
//! the same names stand in them, and if none of them was set aside for lying in the future.

use super::texts::{Name, Tenant, Texts};
use super::{Trouble, frames};
use std::collections::BTreeMap;
use std::fmt::Debug;
use trueup_journal::snapshot::SnapshotWriter;
use trueup_journal::{File, Storage};
use trueup_model::fact::{Action, Body, Fact, FactId};
use trueup_model::id::NameKind;
use trueup_model::time::Timestamp;
use trueup_wire::limits::DICTIONARY_CODES_MAX;
use trueup_wire::message::BatchFrame;
use trueup_wire::record;
use trueup_wire::snapshot::{FACTS, NAMES, TENANT};
use trueup_wire::{Code, CodeTable, encode_batch};

/// How many shares there are. A snapshot says its own number by its parts.
pub(super) const SHARDS: usize = 16;
/// The most facts that are encoded at once.
const BATCH_FACTS: usize = 8192;

/// The share of an identity.
#[expect(clippy::cast_possible_truncation, reason = "any part of a hash spreads evenly")]
pub(super) fn shard_of(id: FactId) -> usize {
    (id.0 >> 64) as usize % SHARDS
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) tenant: Tenant,
    pub(super) fact: Fact<Name>,
    pub(super) copies: u64,
}

/// A share of the facts.
#[derive(Debug, Default)]
pub(super) struct Shard(BTreeMap<FactId, Vec<Row>>);

impl Shard {
    /// Adds something that was said.
    pub(super) fn add(&mut self, row: Row) {
        let rows = self.0.entry(row.fact.id).or_default();
        if !rows.iter_mut().any(|known| known.takes(&row)) {
            rows.push(row);
        }
    }

    /// Forgets what was withdrawn, if all that was said of it came before an instant.
    pub(super) fn forget(&mut self, before: Timestamp) {
        self.0.retain(|_, rows| !is_gone(rows, before));
    }

    /// Reads a part of a snapshot.
    pub(super) fn read<F: File>(
        &mut self,
        mut part: trueup_journal::snapshot::Part<F>,
        texts: &mut Texts,
    ) -> Result<(), Trouble> {
        let mut tenant = Tenant::default();
        let mut codes: CodeTable<Name> = CodeTable::new();
        while let Some((kind, content)) = part.next()? {
            match kind {
                TENANT => {
                    tenant = texts.tenant(super::utf8(content)?);
                    codes.clear();
                }
                NAMES => super::define(content, tenant, texts, &mut codes)?,
                FACTS => {
                    let (copies, frame) = record::number(content).ok_or("a batch is cut")?;
                    for fact in super::facts(frame, &codes)? {
                        self.add(Row { tenant, fact, copies });
                    }
                }
                other => return Err(Trouble::unknown(other)),
            }
        }
        Ok(())
    }

    /// Writes the share as a part.
    pub(super) fn write<S: Storage + Debug>(
        self,
        texts: &Texts,
        to: &mut SnapshotWriter<S>,
    ) -> Result<(), Trouble> {
        to.begin_part()?;
        let mut groups: BTreeMap<(Tenant, u64), Vec<Fact<Name>>> = BTreeMap::new();
        for row in self.0.into_values().flatten() {
            groups.entry((row.tenant, row.copies)).or_default().push(row.fact);
        }
        let mut writer = Encoder { codes: BTreeMap::new(), tenant: None, texts };
        for ((tenant, copies), facts) in groups {
            for chunk in facts.chunks(BATCH_FACTS) {
                writer.write(tenant, copies, chunk, to)?;
            }
        }
        Ok(())
    }
}

/// Gives the names of a part their codes.
struct Encoder<'t> {
    codes: BTreeMap<Name, Code>,
    tenant: Option<Tenant>,
    texts: &'t Texts,
}

impl Encoder<'_> {
    fn write<S: Storage + Debug>(
        &mut self,
        tenant: Tenant,
        copies: u64,
        facts: &[Fact<Name>],
        to: &mut SnapshotWriter<S>,
    ) -> Result<(), Trouble> {
        // A fact has few names, so this is room for all of those that are new.
        let room = DICTIONARY_CODES_MAX as usize / 2;
        if self.tenant != Some(tenant) || self.codes.len() > room {
            self.tenant = Some(tenant);
            self.codes.clear();
            to.push(TENANT, &[self.texts.tenant_name(tenant).as_bytes()])?;
        }
        let first = u32::try_from(self.codes.len()).unwrap_or(u32::MAX);
        let mut new: Vec<(NameKind, &str)> = Vec::new();
        let mut coded: Vec<Fact<Code>> = Vec::with_capacity(facts.len());
        for fact in facts {
            coded.push(fact.clone().try_map(&mut |_, name| {
                let next = Code(u32::try_from(self.codes.len()).unwrap_or(u32::MAX));
                if let Some(code) = self.codes.get(&name) {
                    return Ok(*code);
                }
                new.push(self.texts.named(name).ok_or("a name is missing")?);
                self.codes.insert(name, next);
                Ok::<Code, Trouble>(next)
            })?);
        }
        let name = self.texts.tenant_name(tenant);
        frames(first, &new, |frame| Ok(to.push_of(name, NAMES, &[frame])?))?;
        for columns in encode_batch(&coded).map_err(|error| Trouble::Content(error.to_string()))? {
            let frame = BatchFrame::encode(1, b"", &columns);
            let frame = frame.map_err(|error| Trouble::Content(error.to_string()))?;
            to.push_of(name, FACTS, &[&copies.to_le_bytes(), frame.bytes()])?;
        }
        Ok(())
    }
}

/// Whether rows of one identity say nothing that counts, and came before an instant.
fn is_gone(rows: &[Row], before: Timestamp) -> bool {
    let (mut asserted, mut retracted) = (None, None);
    for row in rows {
        let greatest = match row.fact.action {
            Action::Assert(_) => &mut asserted,
            Action::Retract(_) => &mut retracted,
        };
        *greatest = (*greatest).max(Some(row.fact.revision));
    }
    asserted <= retracted && rows.iter().all(|row| row.fact.arrived_at < before)
}

impl Row {
    /// Takes in what says the same as this; false if it says something else.
    fn takes(&mut self, other: &Self) -> bool {
        let (own, said) = (&mut self.fact, &other.fact);
        let alike = self.tenant == other.tenant
            && own.provenance.document == said.provenance.document
            && own.document == said.document;
        if !alike {
            return false;
        }
        match (&mut own.action, &said.action) {
            (Action::Retract(kind), Action::Retract(other_kind)) if kind == other_kind => {
                own.revision = own.revision.max(said.revision);
                own.arrived_at = own.arrived_at.max(said.arrived_at);
                true
            }
            (Action::Assert(body), Action::Assert(again)) if own.revision == said.revision => {
                let first = own.arrived_at.min(said.arrived_at);
                let is_early = happened(body).is_some_and(|at| at > first);
                if !same(body, again) || is_early && own.arrived_at != said.arrived_at {
                    return false;
                }
                if let (Some(rank), Some(other_rank)) = (rank_mut(body), rank(again)) {
                    *rank = other_rank.max(*rank);
                }
                let place = (own.arrived_at, own.provenance.position);
                let place = place.min((said.arrived_at, said.provenance.position));
                (own.arrived_at, own.provenance.position) = place;
                self.copies = self.copies.saturating_add(other.copies);
                true
            }
            (Action::Retract(_) | Action::Assert(_), Action::Retract(_) | Action::Assert(_)) => {
                false
            }
        }
    }
}

/// Whether two bodies say the same but for their place among equals of an instant.
fn same(one: &Body<Name>, other: &Body<Name>) -> bool {
    let mut one = one.clone();
    if let (Some(rank), Some(other_rank)) = (rank_mut(&mut one), rank(other)) {
        *rank = other_rank;
    }
    one == *other
}

fn rank(body: &Body<Name>) -> Option<u32> {
    rank_mut(&mut body.clone()).copied()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a new event with a rank changes `dedupe.rs`")]
fn rank_mut(body: &mut Body<Name>) -> Option<&mut u32> {
    match body {
        Body::Session(event) => Some(&mut event.rank),
        Body::Server(event) => Some(&mut event.rank),
        _ => None,
    }
}

/// When something happened that may be set aside for lying in the future.
fn happened(body: &Body<Name>) -> Option<Timestamp> {
    match body {
        Body::Session(event) => Some(event.at),
        Body::Usage(event) => Some(event.at),
        Body::Server(event) => Some(event.at),
        Body::ObservedSession(event) => Some(event.at),
        Body::ObservedPool(event) => Some(event.at),
        Body::ObservedServer(event) => Some(event.at),
        Body::Reservation(row) => row.at,
        Body::Role(signal) => Some(signal.at),
        Body::Seat(_)
        | Body::Product(_)
        | Body::Component(_)
        | Body::Alias(_)
        | Body::Account(_)
        | Body::Membership(_)
        | Body::Line(_)
        | Body::Document(_)
        | Body::Reject(_)
        | Body::Machine(_)
        | Body::Install(_)
        | Body::Factor(_)
        | Body::Grant(_)
        | Body::Price(_)
        | Body::Location(_)
        | Body::Territory(_)
        | Body::SuiteMember(_)
        | Body::Fee(_)
        | Body::Bill(_)
        | Body::Allocation(_)
        | Body::Downgrade(_) => None,
    }
}

#[cfg(test)]
mod tests;
