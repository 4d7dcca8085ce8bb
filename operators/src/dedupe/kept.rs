//! What is kept of one identity.

use super::{Conflict, Known, Repeated};
use crate::Diff;
use crate::entered::{Entered, Said};
use crate::few::FewMap;
use trueup_model::fact::{Action, Body, DocumentRef, Fact, FactId, FactKind};
use trueup_model::hash::content128;
use trueup_model::id::Id;
use trueup_model::time::Timestamp;
use trueup_policy::rules::ConflictRule;

/// What was said of an identity. Of a revision that was replaced or taken back nothing counts again, whatever
/// comes: a hash is enough to tell its repetition.
#[derive(Debug)]
pub(super) enum Kept {
    /// One assertion, once.
    Once(Entered),
    /// Anything else.
    More(Box<More>),
}

/// Everything that was said of an identity.
#[derive(Debug, Default)]
pub(super) struct More {
    /// The contents of the deciding revision, each with where and when it first arrived; several
    /// contradict each other.
    contents: Vec<Entered>,
    /// Hashes of what was replaced or taken back.
    past: FewMap<u128, ()>,
    /// How often something was said that had been said before.
    repetitions: Diff,
    /// The greatest retracted revision.
    retracted: Option<u32>,
    /// The span of time in which something was heard last.
    heard_at: Option<Timestamp>,
}

/// What an identity comes to.
#[derive(Default)]
pub(super) struct Given {
    pub(super) known: Option<Known>,
    pub(super) conflict: Option<Conflict>,
    pub(super) repeated: Option<(Repeated, Diff)>,
}

impl Given {
    /// What a metered quantity comes to that was said once.
    pub(super) fn of(said: Said) -> Self {
        let Said { tenant, id, revision: _, arrived_at, provenance, event } = said;
        let body = Body::Usage(event);
        let known = Known { tenant, id, arrived_at, provenance, document: None, body };
        Self { known: Some(known), ..Self::default() }
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self::More(Box::default())
    }
}

impl Kept {
    /// Takes in what was said so many times.
    pub(super) fn hear(&mut self, fact: Entered, times: Diff) {
        match self {
            Self::More(more) => more.hear(fact, times),
            Self::Once(_) => {
                let Self::Once(first) = std::mem::take(self) else { return };
                let mut more = Box::new(More { contents: vec![first], ..More::default() });
                more.hear(fact, times);
                *self = Self::More(more);
            }
        }
    }

    /// Notes in which span of time something was heard; whether that is news.
    pub(super) fn note(&mut self, at: Timestamp) -> bool {
        let Self::More(more) = self else { return false };
        more.heard_at.replace(at) != Some(at)
    }

    /// Forgets what no longer counts, if nothing was heard since; whether nothing is left.
    pub(super) fn forget(&mut self, heard_at: Timestamp) -> bool {
        let Self::More(more) = self else { return false };
        if more.heard_at != Some(heard_at) {
            return false;
        }
        more.past = FewMap::default();
        more.retracted = None;
        if more.repetitions == 0
            && more.contents.len() == 1
            && let Some(one) = more.contents.pop()
        {
            *self = Self::Once(one);
            return false;
        }
        more.contents.is_empty()
    }

    /// What it comes to.
    pub(super) fn given(&self, id: FactId, rule: ConflictRule) -> Given {
        match self {
            Self::Once(one) => Given { known: known(one), ..Given::default() },
            Self::More(more) => more.given(id, rule),
        }
    }
}

impl More {
    fn hear(&mut self, mut fact: Entered, times: Diff) {
        let revision = revision(&fact);
        let top = self.contents.first().map(self::revision);
        if retracts(&fact) {
            self.retracted = self.retracted.max(Some(revision));
            if top <= Some(revision) {
                self.bury();
            }
            return;
        }
        if self.retracted >= Some(revision) || top > Some(revision) {
            let is_new = self.past.insert(hash(&mut fact), ()).is_none();
            self.repetitions += times - Diff::from(is_new);
            return;
        }
        if top < Some(revision) {
            self.bury();
        }
        if self.contents.iter_mut().any(|content| takes(content, &mut fact)) {
            self.repetitions += times;
        } else {
            self.repetitions += times - 1;
            self.contents.reserve_exact(1);
            self.contents.push(fact);
        }
    }

    /// Keeps of what can no longer count its hashes only.
    fn bury(&mut self) {
        for mut gone in std::mem::take(&mut self.contents) {
            self.past.insert(hash(&mut gone), ());
        }
    }

    fn given(&self, id: FactId, rule: ConflictRule) -> Given {
        let known = chosen(&self.contents, rule).and_then(known);
        let conflict = known.as_ref().filter(|_| self.contents.len() > 1).map(|known| Conflict {
            tenant: known.tenant,
            id,
            provenance: known.provenance,
        });
        let repeated = known.as_ref().filter(|_| self.repetitions > 0).map(|known| {
            let kind = known.body.kind();
            let event = matches!(kind, FactKind::Session | FactKind::Usage | FactKind::Server);
            let row = Repeated {
                tenant: known.tenant,
                document: known.provenance.document,
                kind,
                id: (!event).then_some(id),
            };
            (row, self.repetitions)
        });
        Given { known, conflict, repeated }
    }
}

/// Whether a fact takes back.
pub(super) fn retracts(fact: &Entered) -> bool {
    match fact {
        Entered::Usage(_) => false,
        Entered::Other(other) => matches!(other.1.action, Action::Retract(_)),
    }
}

/// The content that counts: the first that arrived, or the last.
fn chosen(contents: &[Entered], rule: ConflictRule) -> Option<&Entered> {
    if contents.len() < 2 {
        return contents.first();
    }
    // A repetition arrives later, but what it says arrived first when it was said first. Rows of
    // one file arrive together, so the place decides.
    let order = |entered: &&Entered| {
        let (_, mut fact) = Entered::clone(entered).into_fact();
        let arrival = (fact.arrived_at, fact.provenance);
        take_rank(&mut fact);
        (arrival, fact.document, fact.action)
    };
    match rule {
        ConflictRule::First => contents.iter().min_by_key(order),
        ConflictRule::Last => contents.iter().max_by_key(order),
    }
}

/// What is known by an assertion.
fn known(fact: &Entered) -> Option<Known> {
    let (tenant, fact) = fact.clone().into_fact();
    let Action::Assert(body) = fact.action else { return None };
    let Fact { id, arrived_at, provenance, document, .. } = fact;
    Some(Known { tenant, id, arrived_at, provenance, document, body })
}

fn revision(fact: &Entered) -> u32 {
    match fact {
        Entered::Usage(said) => said.revision,
        Entered::Other(other) => other.1.revision,
    }
}

/// Takes in what says the same, but for when and where it was read and its place among equals; false if it
/// says something else.
fn takes(own: &mut Entered, said: &mut Entered) -> bool {
    match (own, said) {
        (Entered::Usage(own), Entered::Usage(said)) => {
            let same = own.event == said.event;
            if same {
                let first = (own.arrived_at, own.provenance);
                let first = first.min((said.arrived_at, said.provenance));
                (own.arrived_at, own.provenance) = first;
            }
            same
        }
        (Entered::Other(own), Entered::Other(said)) => {
            let (own, said) = (&mut own.1, &mut said.1);
            let (rank, other_rank) = (take_rank(own), take_rank(said));
            let same = own.document == said.document && own.action == said.action;
            if same {
                let first = (own.arrived_at, own.provenance);
                let first = first.min((said.arrived_at, said.provenance));
                (own.arrived_at, own.provenance) = first;
                put_rank(own, rank.max(other_rank));
            } else {
                put_rank(own, rank);
                put_rank(said, other_rank);
            }
            same
        }
        (Entered::Usage(_) | Entered::Other(_), Entered::Usage(_) | Entered::Other(_)) => false,
    }
}

/// A hash of what a fact says at its revision; it loses its place among equals.
fn hash(fact: &mut Entered) -> u128 {
    match fact {
        Entered::Usage(said) => content128(&(said.revision, &said.event)),
        Entered::Other(other) => {
            take_rank(&mut other.1);
            let document: &Option<DocumentRef<Id>> = &other.1.document;
            content128(&(other.1.revision, document, &other.1.action))
        }
    }
}

/// The place among equals, which copies of one log may count differently.
fn rank(fact: &mut Fact<Id>) -> Option<&mut u32> {
    let Action::Assert(body) = &mut fact.action else { return None };
    match body {
        Body::Session(event) => Some(&mut event.rank),
        Body::Server(event) => Some(&mut event.rank),
        Body::Usage(_)
        | Body::Seat(_)
        | Body::ObservedPool(_)
        | Body::ObservedSession(_)
        | Body::ObservedServer(_)
        | Body::Reservation(_)
        | Body::Product(_)
        | Body::Component(_)
        | Body::Alias(_)
        | Body::Account(_)
        | Body::Membership(_)
        | Body::Line(_)
        | Body::Document(_)
        | Body::Reject(_)
        | Body::Role(_)
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

/// Takes out the place among equals.
fn take_rank(fact: &mut Fact<Id>) -> u32 {
    rank(fact).map_or(0, std::mem::take)
}

fn put_rank(fact: &mut Fact<Id>, place: u32) {
    if let Some(rank) = rank(fact) {
        *rank = place;
    }
}

#[cfg(test)]
mod tests;
