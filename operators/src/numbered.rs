//! Metered quantities, under numbers that stand for their subjects.
//!
//! events   = { (number of its subject, event) }
//! subjects = { (number, subject) : some event of the subject is known }
//!
//! A subject is six names, and most events are of subjects that are there already: from here on a number
//! says which. Numbers are small and close together, so what is kept by them is an array. They mean something
//! on this worker only, and one that has become free is given away again in a later epoch, so that in each epoch
//! a number stands for one subject.
//!
//! Work per change: the event. What is kept: the subjects.

use crate::epochs::{Sent, Updates, by_key, each_epoch_of, fetch, operator};
use crate::resolve::place;
use crate::volume::Metered;
use crate::{Diff, Epoch, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use trueup_model::derived::Subject;
use trueup_model::fact::{FactId, Provenance};
use trueup_model::hash::IdMap;
use trueup_model::id::Id;
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;

/// An event that adds to a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Event {
    /// The number of what was used by whom.
    pub subject: u32,
    /// When.
    pub at: Timestamp,
    /// How much.
    pub quantity: Quantity,
    /// The fact.
    pub fact: FactId,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// Where it was read.
    pub provenance: Provenance<Id>,
}

/// What was used, and by whom.
pub struct Numbered<'s> {
    /// Events; they must stay on their worker.
    pub events: Facts<'s, Event>,
    /// What the numbers stand for, each once.
    pub subjects: Facts<'s, (u32, Subject)>,
}

/// Numbers the subjects of metered quantities.
pub fn numbered(metered: Facts<'_, Metered>) -> Numbered<'_> {
    let metered = by_key(metered, |event| place(&event.subject));
    let builder = operator("Numbered", &metered);
    let mut state = Subjects::default();
    let (events, subjects) =
        each_epoch_of(builder, (metered,), move |(came,), told| state.step(came.lists(), told));
    Numbered { events: events.as_collection(), subjects: subjects.as_collection() }
}

/// What leaves.
type Told = (Sent<Event>, Updates<(u32, Subject)>);

/// A subject.
struct Entry {
    number: u32,
    /// How many events it has.
    events: Diff,
    /// Whether its number was told.
    told: bool,
}

/// The subjects that have events, by number.
#[derive(Default)]
struct Subjects {
    entries: IdMap<Subject, Entry>,
    /// How many numbers were ever given.
    numbers: u32,
    free: Vec<u32>,
    /// Those that may have come or gone in this epoch.
    turned: Vec<Subject>,
}

impl Subjects {
    fn step(&mut self, came: impl Iterator<Item = Vec<(Metered, Epoch, Diff)>>, told: &mut Told) {
        for list in came {
            let known = |metered: &Metered| self.entries.get(&metered.subject);
            fetch(list.iter().filter_map(|(row, ..)| known(row)).map(|one| one.number as usize));
            for (metered, _, diff) in list {
                told.0.push((self.event(&metered, diff), diff));
            }
        }
        self.tell(&mut told.1);
    }

    /// The event by the number of its subject, which is taken in if it is new.
    fn event(&mut self, metered: &Metered, diff: Diff) -> Event {
        let Metered { subject, at, quantity, fact, arrived_at, provenance } = *metered;
        let Self { entries, numbers, free, turned } = self;
        let entry = entries.entry(subject).or_insert_with(|| {
            let number = free.pop().unwrap_or_else(|| {
                *numbers += 1;
                *numbers - 1
            });
            Entry { number, events: 0, told: false }
        });
        entry.events += diff;
        if entry.told != (entry.events != 0) {
            turned.push(subject);
        }
        Event { subject: entry.number, at, quantity, fact, arrived_at, provenance }
    }

    /// Says which subjects came and which went.
    fn tell(&mut self, told: &mut Updates<(u32, Subject)>) {
        let mut freed: Vec<u32> = Vec::new();
        for subject in std::mem::take(&mut self.turned) {
            let Some(entry) = self.entries.get_mut(&subject) else { continue };
            let number = entry.number;
            match (entry.told, entry.events != 0) {
                (false, true) => {
                    entry.told = true;
                    told.push(((number, subject), 1));
                }
                (was_told, false) => {
                    if was_told {
                        told.push(((number, subject), -1));
                    }
                    self.entries.remove(&subject);
                    freed.push(number);
                }
                (true, true) => {}
            }
        }
        self.free.append(&mut freed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Subjects};
    use crate::Diff;
    use crate::epochs::Sent;
    use crate::volume::Metered;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use trueup_model::derived::Subject;
    use trueup_model::fact::{FactId, Provenance};
    use trueup_model::id::{Id, ProductId, TenantId};
    use trueup_model::quantity::Quantity;
    use trueup_model::time::Timestamp;

    fn metered(fact: u128, subject: u64, at: i64) -> Metered {
        let subject = Subject {
            tenant: TenantId(1),
            server: None,
            feature: ProductId(subject),
            user: None,
            device: None,
            account: None,
        };
        Metered {
            subject,
            at: Timestamp(at),
            quantity: Quantity::units(at),
            fact: FactId(fact),
            arrived_at: Timestamp(at),
            provenance: Provenance { document: Id(1), position: 1 },
        }
    }

    /// Everything told so far, as it adds up.
    #[derive(Default)]
    struct Sum {
        events: BTreeMap<Event, Diff>,
        subjects: BTreeMap<(u32, Subject), Diff>,
    }

    fn add<D: Ord>(sum: &mut BTreeMap<D, Diff>, rows: Vec<(D, Diff)>) {
        for (row, diff) in rows {
            *sum.entry(row).or_default() += diff;
        }
        sum.retain(|_, count| *count != 0);
    }

    proptest! {
        /// What was told is what is there, and each number stands for one subject that has events.
        #[test]
        fn what_is_there_is_told_by_number(
            epochs in prop::collection::vec(
                prop::collection::vec((0..12_u128, prop::option::of((0..4_u64, 0..9_i64))), 0..6),
                1..12,
            ),
        ) {
            let mut state = Subjects::default();
            let mut there: BTreeMap<u128, Metered> = BTreeMap::new();
            let mut sum = Sum::default();
            for changes in epochs {
                let before = there.clone();
                for (fact, now) in changes {
                    match now {
                        Some((subject, at)) => there.insert(fact, metered(fact, subject, at)),
                        None => there.remove(&fact),
                    };
                }
                let gone = before.values().filter(|row| there.get(&row.fact.0) != Some(row));
                let come = there.values().filter(|row| before.get(&row.fact.0) != Some(row));
                let came: Vec<_> =
                    come.map(|row| (*row, 1)).chain(gone.map(|row| (*row, -1))).collect();
                let mut told = (Sent::default(), Vec::new());
                let came = came.into_iter().map(|(row, diff)| (row, 0, diff)).collect();
                state.step([came].into_iter(), &mut told);
                add(&mut sum.events, told.0.into());
                add(&mut sum.subjects, told.1);
                let of: BTreeMap<u32, Subject> =
                    sum.subjects.keys().map(|(number, subject)| (*number, *subject)).collect();
                prop_assert_eq!(of.len(), sum.subjects.len(), "a number stands for one subject");
                let mut subjects: Vec<Subject> = of.values().copied().collect();
                subjects.sort_unstable();
                let mut expected: Vec<Subject> = there.values().map(|row| row.subject).collect();
                expected.sort_unstable();
                expected.dedup();
                prop_assert_eq!(subjects, expected);
                let mut events: Vec<_> = sum
                    .events
                    .iter()
                    .map(|(event, count)| (of.get(&event.subject).copied(), event.fact, event.at, *count))
                    .collect();
                events.sort_unstable();
                let rows = there.values();
                let mut there_now: Vec<_> =
                    rows.map(|row| (Some(row.subject), row.fact, row.at, 1)).collect();
                there_now.sort_unstable();
                prop_assert_eq!(events, there_now);
            }
        }
    }
}
