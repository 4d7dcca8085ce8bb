//! The events of one subject: a list while there are few, a hash table once there are many.

use crate::Diff;
use crate::numbered::Event;
use trueup_model::fact::{FactId, Provenance};
use trueup_model::hash::IdMap;
use trueup_model::id::Id;
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;

/// The most events of a list.
const FEW: usize = 16;
/// Up to how many events a list takes no more room than it needs.
const EXACT: usize = 4;

/// What is kept of an event besides its subject and its identity.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    at: Timestamp,
    quantity: Quantity,
    arrived_at: Timestamp,
    provenance: Provenance<Id>,
    count: Diff,
}

impl Kept {
    fn of(event: &Event) -> Self {
        let Event { at, quantity, arrived_at, provenance, .. } = *event;
        Self { at, quantity, arrived_at, provenance, count: 0 }
    }

    /// Takes in that the event came or went; of two contents of one identity one goes and one comes, in
    /// any order.
    fn take(&mut self, event: &Event, diff: Diff) {
        if diff > 0 {
            *self = Self { count: self.count, ..Self::of(event) };
        }
        self.count += diff;
    }
}

/// The events of one subject, in no order.
pub(super) enum Events {
    /// A list.
    Few(Vec<(FactId, Kept)>),
    /// A hash table.
    Many(IdMap<FactId, Kept>),
}

impl Default for Events {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Events {
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Few(rows) => rows.is_empty(),
            Self::Many(rows) => rows.is_empty(),
        }
    }

    /// Takes in that an event came or went.
    pub(super) fn keep(&mut self, event: &Event, diff: Diff) {
        match self {
            Self::Few(rows) => match rows.iter().position(|(fact, _)| *fact == event.fact) {
                Some(place) => {
                    rows[place].1.take(event, diff);
                    if rows[place].1.count == 0 {
                        rows.swap_remove(place);
                    }
                }
                None => {
                    if rows.len() < EXACT {
                        rows.reserve_exact(1);
                    }
                    let mut kept = Kept::of(event);
                    kept.count = diff;
                    rows.push((event.fact, kept));
                    if rows.len() > FEW {
                        *self = Self::Many(std::mem::take(rows).into_iter().collect());
                    }
                }
            },
            Self::Many(rows) => {
                let kept = rows.entry(event.fact).or_insert_with(|| Kept::of(event));
                kept.take(event, diff);
                if kept.count == 0 {
                    rows.remove(&event.fact);
                }
            }
        }
    }

    /// The events with how often each is there.
    pub(super) fn all(&self, subject: u32) -> impl Iterator<Item = (Event, Diff)> {
        let (few, many) = match self {
            Self::Few(rows) => (Some(rows), None),
            Self::Many(rows) => (None, Some(rows)),
        };
        let few = few.into_iter().flatten().map(|(fact, kept)| (*fact, *kept));
        let many = many.into_iter().flatten().map(|(fact, kept)| (*fact, *kept));
        few.chain(many).map(move |(fact, kept)| {
            let Kept { at, quantity, arrived_at, provenance, count } = kept;
            (Event { subject, at, quantity, fact, arrived_at, provenance }, count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Events;
    use crate::numbered::Event;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use trueup_model::fact::{FactId, Provenance};
    use trueup_model::id::Id;
    use trueup_model::quantity::Quantity;
    use trueup_model::time::Timestamp;

    fn event(fact: u128, at: i64) -> Event {
        Event {
            subject: 1,
            at: Timestamp(at),
            quantity: Quantity::units(at),
            fact: FactId(fact),
            arrived_at: Timestamp(at),
            provenance: Provenance { document: Id(1), position: 1 },
        }
    }

    proptest! {
        /// Of each identity the content that came last is there, whatever goes in between.
        #[test]
        fn the_last_content_of_each_identity_is_kept(
            steps in prop::collection::vec((0..40_u128, prop::option::of(0..9_i64), any::<bool>()), 0..200),
        ) {
            let mut events = Events::default();
            let mut there: BTreeMap<u128, Event> = BTreeMap::new();
            for (fact, at, goes_first) in steps {
                let now = at.map(|at| event(fact, at));
                let before = match now {
                    Some(now) => there.insert(fact, now),
                    None => there.remove(&fact),
                };
                let gone = before.map(|one| (one, -1));
                let come = now.map(|one| (one, 1));
                let both = if goes_first { [gone, come] } else { [come, gone] };
                for (one, diff) in both.into_iter().flatten() {
                    events.keep(&one, diff);
                }
                let mut all: Vec<_> = events.all(1).collect();
                all.sort_unstable();
                let mut expected: Vec<_> = there.values().map(|one| (*one, 1)).collect();
                expected.sort_unstable();
                prop_assert_eq!(all, expected);
                prop_assert_eq!(events.is_empty(), there.is_empty());
            }
        }
    }
}
