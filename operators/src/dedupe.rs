//! What counts of everything that was said: one assertion for each identity, or none.
//!
//! known(id) = the assertion of id with the greatest revision r, if no retraction of id reaches r;
//!             among contents of one revision, the one that first arrived first (or last, by policy)
//!
//! Repetitions are counted and change nothing; contents that contradict each other at the deciding
//! revision are a conflict. A retraction waits for an assertion that comes after it. So what is known
//! is a function of the set of facts, whatever their order and however often they came.
//!
//! Work per change: the contents of its identity's deciding revision. What is kept (`dedupe/identities.rs`,
//! `dedupe/kept.rs`): every identity, with the contents that can still count as they came, and a hash of each that
//! cannot; by retention what no longer counts is forgotten (`dedupe/past.rs`).

mod identities;
mod kept;
mod past;
mod slab;

use crate::entered::Entered;
use crate::epochs::{Came, Sent, Updates, by_key, each_epoch_of, everywhere, fetch, operator};
use crate::volume::Metered;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use identities::Identities;
use kept::{Given, retracts};
use past::Past;
use serde::{Deserialize, Serialize};
use trueup_model::fact::{Body, DocumentRef, FactId, FactKind, Provenance};
use trueup_model::hash::IdSet;
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
///
/// With a retention, what happened longer before it arrived must have been set aside before: what was
/// withdrawn or replaced is forgotten some time after that.
pub fn dedupe<'s>(
    facts: Facts<'s, Entered>,
    horizon: Facts<'s, Timestamp>,
    rule: ConflictRule,
    retention_us: Option<i64>,
) -> Deduped<'s> {
    let routed = by_key(facts, |fact| spread(fact.id()));
    let past = retention_us.map(Past::new);
    let mut state = State { rule, identities: Identities::default(), past };
    let builder = operator("Dedupe", &routed);
    let heard = (routed, everywhere(horizon));
    let ([checkouts, signals, rows], metered, conflicts, repeated) =
        each_epoch_of(builder, heard, move |(updates, moved), told| {
            let came = updates.len();
            state.step(updates, told);
            state.forget(came, moved);
        });
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
type Told = ([Updates<Known>; 3], Sent<Metered>, Updates<Conflict>, Updates<Repeated>);

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

struct State {
    rule: ConflictRule,
    identities: Identities,
    /// What no longer counts and may be forgotten; `None` if nothing is.
    past: Option<Past>,
}

impl State {
    /// Forgets what no longer counts, once the horizon has passed it by the retention.
    fn forget(&mut self, came: usize, moved: Came<Timestamp>) {
        let Some(past) = &mut self.past else { return };
        for (at, _) in moved.into_iter().filter(|(_, diff)| *diff > 0) {
            past.pass(at);
        }
        let identities = &mut self.identities;
        past.forget(came, |id, heard_at| identities.forget(id, heard_at));
    }

    fn step(&mut self, updates: Came<Entered>, told: &mut Told) {
        let mut first = First {
            metered: Vec::with_capacity(updates.len()),
            told: told.1.another(),
            others: Vec::new(),
        };
        let mut again: Vec<(Entered, Diff)> = Vec::new();
        for list in updates.lists() {
            fetch(list.iter().map(|(fact, ..)| usize::from(self.identities.may_have(fact.id()))));
            for (fact, _, diff) in list {
                let heard = match diff == 1 && !retracts(&fact) {
                    true => self.identities.first(fact, |fact| first.hear(fact)),
                    false => Some(fact),
                };
                again.extend(heard.map(|more| (more, diff)));
            }
        }
        if !again.is_empty() {
            let ids: IdSet<FactId> = again.iter().map(|(fact, _)| fact.id()).collect();
            let new = first.take(&ids);
            self.settle(again, &new, told);
        }
        told.1.append(first.told);
        for id in first.others {
            if let Some(known) = self.identities.given(id, self.rule).known {
                tell(known, 1, told);
            }
        }
    }

    /// Takes in what was said of identities that were heard of before, but for those that are new in this
    /// epoch, and gives what changes.
    fn settle(&mut self, mut again: Vec<(Entered, Diff)>, new: &IdSet<FactId>, told: &mut Told) {
        again.sort_by_key(|(fact, _)| fact.id());
        let mut rows = again.into_iter().peekable();
        while let Some((fact, diff)) = rows.next() {
            let id = fact.id();
            let kept = self.identities.kept(id);
            let before = match new.contains(&id) {
                true => Given::default(),
                false => kept.given(id, self.rule),
            };
            kept.hear(fact, diff);
            while let Some((more, times)) = rows.next_if(|(next, _)| next.id() == id) {
                kept.hear(more, times);
            }
            let now = kept.given(id, self.rule);
            if let Some(past) = &mut self.past
                && kept.note(past.now())
            {
                past.add(id);
            }
            give(before.known, now.known, |known, sign| tell(known, sign, told));
            give(before.conflict, now.conflict, |row, sign| told.2.push((row, sign)));
            let repeat = |(row, times), sign| told.3.push((row, times * sign));
            give(before.repeated, now.repeated, repeat);
        }
    }
}

/// The identities that an epoch is the first to name.
struct First {
    /// Those of metered quantities, in the order in which they were told.
    metered: Vec<FactId>,
    /// What they say.
    told: Sent<Metered>,
    /// Others, which are not told yet.
    others: Vec<FactId>,
}

impl First {
    /// Hears of one, and tells it if it is metered.
    fn hear(&mut self, fact: &Entered) {
        if let Entered::Usage(said) = fact {
            let place = (said.id, said.arrived_at, said.provenance);
            if let Some(metered) = Metered::of(said.tenant, place, &said.event) {
                self.metered.push(said.id);
                self.told.push((metered, 1));
                return;
            }
        }
        self.others.push(fact.id());
    }

    /// Takes out those of some identities, and gives which they are.
    fn take(&mut self, ids: &IdSet<FactId>) -> IdSet<FactId> {
        let mut taken: IdSet<FactId> = IdSet::default();
        let both = self.metered.iter().chain(&self.others);
        taken.extend(both.copied().filter(|id| ids.contains(id)));
        if !taken.is_empty() {
            self.told.retain(|row| !taken.contains(&row.fact));
            self.others.retain(|id| !taken.contains(id));
        }
        taken
    }
}

/// Tells what was given and no longer holds, and what holds now.
fn give<T: PartialEq>(given: Option<T>, now: Option<T>, mut tell: impl FnMut(T, Diff)) {
    if given == now {
        return;
    }
    if let Some(old) = given {
        tell(old, -1);
    }
    if let Some(new) = now {
        tell(new, 1);
    }
}

#[cfg(test)]
mod tests;
