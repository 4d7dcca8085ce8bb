//! What counts of everything that was said: one assertion for each identity, or none.
//!
//! known(id) = the assertion of id with the greatest revision r, if no retraction of id reaches r;
//!             among contents of one revision, the one that first arrived first (or last, by policy)
//!
//! Repetitions are counted and change nothing; contents that contradict each other at the deciding
//! revision are a conflict. A retraction waits for an assertion that comes after it. So what is known
//! is a function of the set of facts, whatever their order and however often they came.
//!
//! Work per change: the versions of its identity. What is kept: every identity, with its contents; one
//! that was heard of once is kept as it came.

use crate::entered::Entered;
use crate::epochs::{Came, Updates, by_key, each_epoch_of, operator};
use crate::volume::Metered;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    /// One assertion for each identity that counts: what servers say of checkouts.
    pub checkouts: Facts<'s, Known>,
    /// Other events: levels, who takes part, the life of daemons, the roles of machines.
    pub signals: Facts<'s, Known>,
    /// What is no event.
    pub rows: Facts<'s, Known>,
    /// Metered quantities that add up.
    pub metered: Facts<'s, Metered>,
    /// Contradictions.
    pub conflicts: Facts<'s, Conflict>,
    /// One row for each repetition.
    pub repeated: Facts<'s, Repeated>,
}

/// Finds what counts among facts that repeat, correct and retract each other.
pub fn dedupe<'s>(facts: Facts<'s, Entered>, rule: ConflictRule) -> Deduped<'s> {
    let routed = by_key(facts, |fact| spread(fact.id()));
    let mut state = State { rule, identities: IdMap::default() };
    let builder = operator("Dedupe", &routed);
    let ([checkouts, signals, rows], metered, conflicts, repeated) =
        each_epoch_of(builder, (routed,), move |(updates,), told| state.step(updates, told));
    Deduped {
        checkouts: checkouts.as_collection(),
        signals: signals.as_collection(),
        rows: rows.as_collection(),
        metered: metered.as_collection(),
        conflicts: conflicts.as_collection(),
        repeated: repeated.as_collection(),
    }
}

/// What leaves: what is known by its kind, and the rest by what it is.
type Told = ([Updates<Known>; 3], Updates<Metered>, Updates<Conflict>, Updates<Repeated>);

/// Tells what is known: a metered quantity by itself, the rest by its kind.
fn tell(known: Known, diff: Diff, told: &mut Told) {
    if let Body::Usage(event) = &known.body {
        let place = (known.id, known.arrived_at, known.provenance);
        if let Some(metered) = Metered::of(known.tenant, place, event) {
            told.1.push((metered, diff));
            return;
        }
    }
    told.0[part_of(known.body.kind())].push((known, diff));
}

/// The number of the stream of what is known: checkouts, other events, what is no event.
fn part_of(kind: FactKind) -> usize {
    if kind == FactKind::Session {
        0
    } else if matches!(kind, FactKind::Usage | FactKind::Server | FactKind::Role) {
        1
    } else {
        2
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
#[derive(Debug, Default)]
struct Identity {
    versions: BTreeMap<(u32, Content), Version>,
    /// The greatest retracted revision.
    retracted: Option<u32>,
    /// What was given downstream.
    known: Option<Known>,
    conflict: Option<Conflict>,
    repeated: Option<(Repeated, Diff)>,
}

/// What is kept of an identity: its one assertion as it came, or everything that was said of it.
#[derive(Debug, Default)]
struct Kept {
    once: Option<Entered>,
    /// Whether the one assertion was given downstream.
    given: bool,
    more: Option<Box<Identity>>,
}

impl Kept {
    /// Everything that was said of the identity, for more to be added.
    fn more(&mut self) -> &mut Identity {
        let (once, given) = (self.once.take(), self.given);
        self.more.get_or_insert_with(|| {
            let mut identity = Box::<Identity>::default();
            if let Some(fact) = once {
                identity.known = known(&fact).filter(|_| given);
                identity.hear(fact, 1);
            }
            identity
        })
    }
}

struct State {
    rule: ConflictRule,
    identities: IdMap<FactId, Kept>,
}

impl State {
    fn step(&mut self, updates: Came<Entered>, told: &mut Told) {
        self.identities.reserve(updates.len());
        let mut first: Vec<FactId> = Vec::with_capacity(updates.len());
        let mut again: Vec<FactId> = Vec::new();
        for (fact, diff) in updates {
            let id = fact.id();
            let kept = self.identities.entry(id).or_default();
            let is_new = kept.once.is_none() && kept.more.is_none();
            if is_new && diff == 1 && asserts(&fact) {
                kept.once = Some(fact);
                first.push(id);
            } else {
                kept.more().hear(fact, diff);
                again.push(id);
            }
        }
        for id in first {
            let Some(kept) = self.identities.get_mut(&id) else { continue };
            if let Some(fact) = &kept.once {
                once(fact, told);
                kept.given = true;
            }
        }
        again.sort_unstable();
        again.dedup();
        for id in again {
            let identity = self.identities.get_mut(&id).and_then(|kept| kept.more.as_mut());
            if let Some(identity) = identity {
                identity.settle(id, self.rule, told);
            }
        }
    }
}

/// Whether a fact says something, and takes nothing back.
fn asserts(fact: &Entered) -> bool {
    match fact {
        Entered::Usage(_) => true,
        Entered::Other(other) => matches!(other.1.action, Action::Assert(_)),
    }
}

/// Tells what an assertion by itself gives.
fn once(fact: &Entered, told: &mut Told) {
    if let Entered::Usage(said) = fact {
        let place = (said.id, said.arrived_at, said.provenance);
        if let Some(metered) = Metered::of(said.tenant, place, &said.event) {
            told.1.push((metered, 1));
            return;
        }
    }
    if let Some(known) = known(fact) {
        tell(known, 1, told);
    }
}

/// What is known by an assertion alone.
fn known(fact: &Entered) -> Option<Known> {
    let (tenant, fact) = fact.clone().into_fact();
    let Action::Assert(body) = fact.action else { return None };
    let Fact { id, arrived_at, provenance, document, .. } = fact;
    Some(Known { tenant, id, arrived_at, provenance, document, body })
}

impl Identity {
    fn hear(&mut self, fact: Entered, diff: Diff) {
        let (tenant, fact) = fact.into_fact();
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
    fn settle(&mut self, id: FactId, rule: ConflictRule, told: &mut Told) {
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
        give(&mut self.known, known, |known, sign| tell(known, sign, told));
        give(&mut self.conflict, conflict, |row, sign| told.2.push((row, sign)));
        give(&mut self.repeated, repeated, |(row, times), sign| told.3.push((row, times * sign)));
    }
}

/// Replaces what was given by what holds now, and tells the difference.
fn give<T: Clone + PartialEq>(
    given: &mut Option<T>,
    now: Option<T>,
    mut tell: impl FnMut(T, Diff),
) {
    if *given == now {
        return;
    }
    if let Some(old) = given.take() {
        tell(old, -1);
    }
    if let Some(new) = now {
        tell(new.clone(), 1);
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
        | Body::SuiteMember(_)
        | Body::Fee(_)
        | Body::Bill(_)
        | Body::Allocation(_)
        | Body::Downgrade(_) => 0,
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
