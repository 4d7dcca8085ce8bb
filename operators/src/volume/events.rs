//! The events of one subject, in little room.

use crate::Diff;
use crate::comings::Comings;
use crate::numbered::Event;
use trueup_model::fact::{FactId, Provenance};
use trueup_model::id::Id;
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;

/// What is kept of an event besides its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    /// The halves of its identity: in one word of 128 bits they would take room for alignment.
    fact: [u64; 2],
    at: Timestamp,
    quantity: Quantity,
    arrived_at: Timestamp,
    provenance: Provenance<Id>,
}

/// The events of one subject, in no order.
#[derive(Default)]
pub(super) struct Events(Comings<Kept>);

impl Events {
    /// Looks at what keeping one more needs.
    pub(super) fn look(&self) -> usize {
        self.0.look()
    }

    /// Takes in that an event came or went.
    pub(super) fn keep(&mut self, event: &Event, diff: Diff) {
        let Event { subject: _, at, quantity, fact, arrived_at, provenance } = *event;
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of the word")]
        let fact = [(fact.0 >> 64) as u64, fact.0 as u64];
        self.0.add(Kept { fact, at, quantity, arrived_at, provenance }, diff);
    }

    /// Takes out events that lie beyond a horizon, and what cancels.
    pub(super) fn take_beyond(
        &mut self,
        subject: u32,
        horizon: Timestamp,
    ) -> impl Iterator<Item = (Event, Diff)> {
        if self.0.any_went() {
            self.0.settle();
        }
        let beyond = self.0.take(|kept| kept.at > horizon);
        beyond.into_iter().map(move |(kept, diff)| (kept.event(subject), diff))
    }

    /// What came and went, with how often: together, each event as often as it is there.
    pub(super) fn all(&self, subject: u32) -> impl Iterator<Item = (Event, Diff)> {
        self.0.iter().map(move |(kept, diff)| (kept.event(subject), diff))
    }
}

impl Kept {
    fn event(&self, subject: u32) -> Event {
        let Self { fact: [high, low], at, quantity, arrived_at, provenance } = *self;
        let fact = FactId(u128::from(high) << 64 | u128::from(low));
        Event { subject, at, quantity, fact, arrived_at, provenance }
    }
}

#[cfg(test)]
mod tests {
    use super::{Events, Kept};
    use crate::Diff;
    use crate::numbered::Event;
    use proptest::prelude::*;
    use std::mem::size_of;
    use trueup_model::fact::{FactId, Provenance};
    use trueup_model::id::Id;
    use trueup_model::quantity::Quantity;
    use trueup_model::time::Timestamp;

    #[test]
    fn an_event_takes_a_line_of_the_cache() {
        assert_eq!(size_of::<(Kept, Diff)>(), 64);
    }

    proptest! {
        #[test]
        fn what_is_kept_says_what_came(fact in any::<u128>(), words in any::<[i64; 3]>(), place in any::<[u64; 2]>()) {
            let event = Event {
                subject: 7,
                at: Timestamp(words[0]),
                quantity: Quantity(words[1]),
                fact: FactId(fact),
                arrived_at: Timestamp(words[2]),
                provenance: Provenance { document: Id(place[0]), position: place[1] },
            };
            let mut events = Events::default();
            events.keep(&event, 1);
            prop_assert_eq!(events.all(7).collect::<Vec<_>>(), vec![(event, 1)]);
        }
    }
}
