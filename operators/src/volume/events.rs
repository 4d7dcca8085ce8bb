//! The events of one subject: a list of what came and went.
//!
//! An event that goes says what it was, so nothing is looked for: it is added to the list, and takes back what
//! came when the list is counted. Once a quarter of the list has gone, what cancels is taken out.

use crate::Diff;
use crate::numbered::Event;
use differential_dataflow::consolidation::consolidate;
use trueup_model::fact::{FactId, Provenance};
use trueup_model::id::Id;
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;

/// Up to how many rows a list takes no more room than it needs.
const EXACT: usize = 4;
/// The fewest rows that went for which a list is put in order.
const GONE_MIN: usize = 8;

/// What is kept of an event besides its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    fact: FactId,
    at: Timestamp,
    quantity: Quantity,
    arrived_at: Timestamp,
    provenance: Provenance<Id>,
}

/// The events of one subject, in no order.
#[derive(Default)]
pub(super) struct Events {
    rows: Vec<(Kept, Diff)>,
    /// How many rows went since what cancels was taken out.
    gone: usize,
}

impl Events {
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Takes in that an event came or went.
    pub(super) fn keep(&mut self, event: &Event, diff: Diff) {
        let Event { subject: _, at, quantity, fact, arrived_at, provenance } = *event;
        let rows = &mut self.rows;
        if rows.len() == rows.capacity() {
            rows.reserve_exact(if rows.len() < EXACT { 1 } else { rows.len() / 2 });
        }
        rows.push((Kept { fact, at, quantity, arrived_at, provenance }, diff));
        if diff < 0 {
            self.gone += 1;
            if self.gone >= GONE_MIN && self.gone * 4 >= rows.len() {
                consolidate(rows);
                rows.shrink_to(rows.len() + rows.len() / 2);
                self.gone = 0;
            }
        }
    }

    /// What came and went, with how often: together, each event as often as it is there.
    pub(super) fn all(&self, subject: u32) -> impl Iterator<Item = (Event, Diff)> {
        self.rows.iter().map(move |(kept, diff)| {
            let Kept { fact, at, quantity, arrived_at, provenance } = *kept;
            (Event { subject, at, quantity, fact, arrived_at, provenance }, *diff)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Events, GONE_MIN};
    use crate::Diff;
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
        /// Of each identity the content that came last is there, whatever goes in between, and what went takes
        /// no room for long.
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
                let mut all: BTreeMap<Event, Diff> = BTreeMap::new();
                for (one, diff) in events.all(1) {
                    *all.entry(one).or_default() += diff;
                }
                all.retain(|_, count| *count != 0);
                let expected: BTreeMap<Event, Diff> = there.values().map(|one| (*one, 1)).collect();
                prop_assert_eq!(all, expected);
                prop_assert!(events.len() <= there.len() * 2 + 2 * GONE_MIN);
            }
        }
    }
}
