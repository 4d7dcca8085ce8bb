//! What counts of everything that was said: one assertion for each identity, or none.
//!
//! known(id) = the assertion of id with the greatest revision r, if no retraction of id reaches r;
//!             among contents of one revision, the one that first arrived first (or last, by policy)
//!
//! Repetitions are counted and change nothing; contents that contradict each other at the deciding
//! revision are a conflict. A retraction waits for an assertion that comes after it. So what is known
//! is a function of the set of facts, whatever their order and however often they came.
//!
//! Work per change: the versions of its identity. What is kept: every identity, with its contents.

use crate::epochs::{Updates, by_key, each_epoch};
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use timely::dataflow::operators::vec::Map as _;
use trueup_model::fact::{Action, Body, DocumentRef, Fact, FactId, FactKind, Provenance};
use trueup_model::hash::IdMap;
use trueup_model::id::{Id, TenantId};
use trueup_model::time::Timestamp;
use trueup_policy::rules::ConflictRule;

/// An assertion that counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Known {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which fact.
    pub id: FactId,
    /// When it first arrived.
    pub arrived_at: Timestamp,
    /// Where it was read: of its repetitions, the first in order.
    pub provenance: Provenance<Id>,
    /// The document version whose row it is.
    pub document: Option<DocumentRef<Id>>,
    /// What it says.
    pub body: Body<Id>,
}

/// Two contents of one identity at one revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Conflict {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which fact.
    pub id: FactId,
    /// Where the one that counts was read.
    pub provenance: Provenance<Id>,
}

/// A fact that came more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Repeated {
    /// Whose it is.
    pub tenant: TenantId,
    /// Where the one that counts was read.
    pub document: Id,
    /// What kind of fact.
    pub kind: FactKind,
    /// Which fact; `None` for events, which are only counted.
    pub id: Option<FactId>,
}

/// What is known, and what was noticed on the way.
pub struct Deduped<'s> {
    /// One assertion for each identity that counts.
    pub known: Facts<'s, Known>,
    /// Contradictions.
    pub conflicts: Facts<'s, Conflict>,
    /// One row for each repetition.
    pub repeated: Facts<'s, Repeated>,
}

/// One kind of result, so that all leave through one stream.
#[derive(Clone, Debug)]
enum Found {
    Known(Box<Known>),
    Conflict(Conflict),
    Repeated(Repeated),
}

/// Finds what counts among facts that repeat, correct and retract each other.
pub fn dedupe<'s>(facts: Facts<'s, (TenantId, Fact<Id>)>, rule: ConflictRule) -> Deduped<'s> {
    let routed = by_key(facts, |(_, fact)| spread(fact.id));
    let mut state = State { rule, identities: IdMap::default() };
    let found = each_epoch(routed, "Dedupe", move |updates, changes| state.step(updates, changes));
    let known = found.clone().flat_map(|(found, epoch, diff)| match found {
        Found::Known(known) => Some((*known, epoch, diff)),
        Found::Conflict(_) | Found::Repeated(_) => None,
    });
    let conflicts = found.clone().flat_map(|(found, epoch, diff)| match found {
        Found::Conflict(conflict) => Some((conflict, epoch, diff)),
        Found::Known(_) | Found::Repeated(_) => None,
    });
    let repeated = found.flat_map(|(found, epoch, diff)| match found {
        Found::Repeated(repeated) => Some((repeated, epoch, diff)),
        Found::Known(_) | Found::Conflict(_) => None,
    });
    Deduped {
        known: known.as_collection(),
        conflicts: conflicts.as_collection(),
        repeated: repeated.as_collection(),
    }
}

/// The worker's share of an identity: it is a hash already.
#[expect(clippy::cast_possible_truncation, reason = "any half of a hash spreads evenly")]
fn spread(id: FactId) -> u64 {
    id.0 as u64
}

/// One content of an identity.
#[derive(Clone, Debug)]
struct Version {
    tenant: TenantId,
    arrived_at: Timestamp,
    provenance: Provenance<Id>,
    /// The order among equals of an instant: the fullest copy's.
    rank: u32,
    copies: Diff,
}

/// A row of a document, with what it says.
type Content = (Option<DocumentRef<Id>>, Body<Id>);

/// Everything that was said of one identity.
#[derive(Clone, Debug, Default)]
struct Identity {
    versions: BTreeMap<(u32, Content), Version>,
    /// The greatest retracted revision.
    retracted: Option<u32>,
    /// What was given downstream.
    known: Option<Known>,
    conflict: Option<Conflict>,
    repeated: Option<(Repeated, Diff)>,
}

struct State {
    rule: ConflictRule,
    identities: IdMap<FactId, Identity>,
}

impl State {
    fn step(&mut self, updates: Updates<(TenantId, Fact<Id>)>, changes: &mut Updates<Found>) {
        let mut touched: Vec<FactId> = Vec::with_capacity(updates.len());
        for ((tenant, fact), diff) in updates {
            touched.push(fact.id);
            let identity = self.identities.entry(fact.id).or_default();
            identity.hear(tenant, fact, diff);
        }
        touched.sort_unstable();
        touched.dedup();
        for id in touched {
            if let Some(identity) = self.identities.get_mut(&id) {
                identity.settle(id, self.rule, changes);
            }
        }
    }
}

impl Identity {
    fn hear(&mut self, tenant: TenantId, fact: Fact<Id>, diff: Diff) {
        let body = match fact.action {
            Action::Assert(body) => body,
            Action::Retract(_) => {
                self.retracted = self.retracted.max(Some(fact.revision));
                return;
            }
        };
        let (body, rank) = without_rank(body);
        let content = (fact.document, body);
        let version = self.versions.entry((fact.revision, content)).or_insert(Version {
            tenant,
            arrived_at: fact.arrived_at,
            provenance: fact.provenance,
            rank,
            copies: 0,
        });
        version.copies += diff;
        version.rank = version.rank.max(rank);
        let first = (version.arrived_at, version.provenance);
        let new = (fact.arrived_at, fact.provenance);
        (version.arrived_at, version.provenance) = first.min(new);
    }

    /// Gives what changed since it was last settled.
    fn settle(&mut self, id: FactId, rule: ConflictRule, changes: &mut Updates<Found>) {
        let from = self.retracted.map_or(0, |revision| u64::from(revision) + 1);
        let top = self.versions.keys().next_back().map(|(revision, _)| *revision);
        let top = top.filter(|revision| u64::from(*revision) >= from);
        let mut candidates: Vec<(&Content, &Version)> = Vec::new();
        let mut copies = 0;
        for ((revision, content), version) in self.versions.iter().rev() {
            copies += version.copies - 1;
            if Some(*revision) == top {
                candidates.push((content, version));
            }
        }
        // A repetition arrives later, but what it says arrived first when it was said first. Rows of
        // one file arrive together, so the place decides.
        let arrival = |version: &Version| (version.arrived_at, version.provenance);
        candidates.sort_by(|(one, first), (other, second)| {
            (arrival(first), one).cmp(&(arrival(second), other))
        });
        let chosen = match rule {
            ConflictRule::First => candidates.first(),
            ConflictRule::Last => candidates.last(),
        };
        let known = chosen.map(|(content, version)| Known {
            tenant: version.tenant,
            id,
            arrived_at: version.arrived_at,
            provenance: version.provenance,
            document: content.0,
            body: with_rank(content.1.clone(), version.rank),
        });
        let conflict = known.as_ref().filter(|_| candidates.len() > 1).map(|known| Conflict {
            tenant: known.tenant,
            id,
            provenance: known.provenance,
        });
        let repeated = known.as_ref().filter(|_| copies > 0).map(|known| {
            let kind = known.body.kind();
            let event = matches!(kind, FactKind::Session | FactKind::Usage | FactKind::Server);
            let row = Repeated {
                tenant: known.tenant,
                document: known.provenance.document,
                kind,
                id: (!event).then_some(id),
            };
            (row, copies)
        });
        give(&mut self.known, known, |known| (Found::Known(Box::new(known)), 1), changes);
        give(&mut self.conflict, conflict, |conflict| (Found::Conflict(conflict), 1), changes);
        let count = |(row, times)| (Found::Repeated(row), times);
        give(&mut self.repeated, repeated, count, changes);
    }
}

/// Replaces what was given by what holds now, and gives the difference.
fn give<T: Clone + PartialEq>(
    given: &mut Option<T>,
    now: Option<T>,
    row: impl Fn(T) -> (Found, Diff),
    changes: &mut Updates<Found>,
) {
    if *given == now {
        return;
    }
    if let Some(old) = given.take() {
        let (row, diff) = row(old);
        changes.push((row, -diff));
    }
    if let Some(new) = now {
        changes.push(row(new.clone()));
        *given = Some(new);
    }
}

/// Takes out the place among equals, which copies of one log may count differently.
fn without_rank(mut body: Body<Id>) -> (Body<Id>, u32) {
    let rank = match &mut body {
        Body::Session(event) => std::mem::take(&mut event.rank),
        Body::Server(event) => std::mem::take(&mut event.rank),
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
        | Body::SuiteMember(_) => 0,
    };
    (body, rank)
}

fn with_rank(mut body: Body<Id>, rank: u32) -> Body<Id> {
    if let Body::Session(event) = &mut body {
        event.rank = rank;
    }
    if let Body::Server(event) = &mut body {
        event.rank = rank;
    }
    body
}
