//! Whenever the horizon begins and however it moves on, what is counted is what is due.

use super::super::{State, Table};
use crate::Diff;
use crate::epochs::Came;
use crate::numbered::Event;
use crate::rows::add;
use proptest::prelude::*;
use std::collections::BTreeMap;
use trueup_model::derived::{Resolution, Subject};
use trueup_model::fact::{FactId, Provenance};
use trueup_model::id::{AccountId, Id, ProductId, TenantId};
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

const DAY_US: i64 = 24 * 3600 * 1_000_000;

fn at(day: i64) -> Timestamp {
    Timestamp(Timestamp::RECORDED.0 + day * DAY_US)
}

fn subject(number: u32) -> Subject {
    Subject {
        tenant: TenantId(1),
        server: None,
        feature: ProductId(u64::from(number)),
        user: None,
        device: None,
        account: None,
    }
}

/// What a subject means from some day on.
fn meaning(number: u32, day: i64) -> Resolution {
    Resolution {
        span: Span { start: at(day), end: Timestamp::MAX },
        product: ProductId(u64::from(number)),
        user: None,
        device: None,
        account: AccountId(7),
    }
}

fn event(fact: u128, subject: u32, day: i64) -> Event {
    Event {
        subject,
        at: at(day),
        quantity: Quantity::units(day + 1),
        fact: FactId(fact),
        arrived_at: at(day),
        provenance: Provenance { document: Id(1), position: 1 },
    }
}

fn came<D>(rows: Vec<(D, Diff)>) -> Came<D> {
    Came::from(vec![rows.into_iter().map(|(row, diff)| (row, 1, diff)).collect::<Vec<_>>()])
}

/// What changes in an epoch: events by identity, the days from which subjects mean something, by how many days the
/// horizon moves.
type Change = (Vec<(u128, Option<(u32, i64)>)>, Vec<(u32, i64)>, Option<i64>);

fn change() -> impl Strategy<Value = Change> {
    let events = prop::collection::vec((0..12_u128, prop::option::of((0..3_u32, 0..90_i64))), 0..6);
    let meanings = prop::collection::vec((0..3_u32, 0..60_i64), 0..2);
    (events, meanings, prop::option::weighted(0.4, 0..40_i64))
}

/// The world as it is.
#[derive(Default)]
struct World {
    events: BTreeMap<u128, Event>,
    meanings: BTreeMap<u32, Resolution>,
    horizon: Option<i64>,
    state: Option<State>,
    told: BTreeMap<(ProductId, Timestamp), (i128, i128)>,
}

impl World {
    /// Takes in what changes, and adds up what is told.
    fn step(&mut self, (events, meanings, passes): Change) {
        let mut rows = Vec::new();
        for (fact, now) in events {
            let gone = match now {
                Some((subject, day)) => self.events.insert(fact, event(fact, subject, day)),
                None => self.events.remove(&fact),
            };
            rows.extend(gone.map(|event| (event, -1)));
            rows.extend(now.and_then(|_| self.events.get(&fact)).map(|event| (*event, 1)));
        }
        let mut means = Vec::new();
        for (number, day) in meanings {
            let row = meaning(number, day);
            let gone = self.meanings.insert(number, row);
            means.extend(gone.map(|old| ((subject(number), old), -1)));
            means.push(((subject(number), row), 1));
        }
        let moved = passes.map(|by| {
            let before = self.horizon.map(|day| (Table::Horizon(at(day)), -1));
            let now = self.horizon.unwrap_or(0) + by;
            self.horizon = Some(now);
            before.into_iter().chain([(Table::Horizon(at(now)), 1)])
        });
        let first = self.state.is_none();
        let numbers: Vec<_> =
            (0..3).filter(|_| first).map(|one| ((one, subject(one)), 1)).collect();
        let state = self.state.get_or_insert_with(|| State::new(Policy::default()));
        let mut told = Default::default();
        let tables = came(moved.into_iter().flatten().collect());
        state.step(came(rows), came(numbers), came(means), tables, &mut told);
        for (cell, tally) in told.0 {
            let sum = self.told.entry((cell.product, cell.span.start)).or_default();
            *sum = (sum.0 + tally.events, sum.1 + tally.quantity);
        }
        self.told.retain(|_, sum| *sum != (0, 0));
    }

    /// How many events are due and mean something, and how much they are, of each subject.
    fn due(&self) -> BTreeMap<ProductId, (i128, i128)> {
        let mut due: BTreeMap<ProductId, (i128, i128)> = BTreeMap::new();
        for event in self.events.values() {
            let means =
                self.meanings.get(&event.subject).is_some_and(|row| row.span.contains(event.at));
            let is_due = self.horizon.is_some_and(|day| event.at <= at(day));
            if means && is_due {
                let sum = due.entry(ProductId(u64::from(event.subject))).or_default();
                *sum = (sum.0 + 1, sum.1 + i128::from(event.quantity.0));
            }
        }
        due
    }
}

proptest! {
    #[test]
    fn what_is_due_is_counted(changes in prop::collection::vec(change(), 1..16)) {
        let mut world = World::default();
        for change in changes {
            world.step(change);
            let mut counted: BTreeMap<ProductId, (i128, i128)> = BTreeMap::new();
            for ((product, _), (events, quantity)) in &world.told {
                let sum = counted.entry(*product).or_default();
                *sum = (sum.0 + events, sum.1 + quantity);
            }
            prop_assert_eq!(counted, world.due());
        }
    }

    /// What waits is not kept among what is counted, so that nothing is counted of it when its meaning changes.
    #[test]
    fn what_waits_is_kept_by_itself(changes in prop::collection::vec(change(), 1..16)) {
        let mut world = World::default();
        for change in changes {
            world.step(change);
            let Some(day) = world.horizon else { continue };
            let entries = &world.state.as_ref().unwrap().entries;
            let mut kept: BTreeMap<Event, Diff> = BTreeMap::new();
            for (number, entry) in (0_u32..).zip(entries.iter()) {
                entry.events.all(number).for_each(|(event, diff)| add(&mut kept, event, diff));
            }
            let due: BTreeMap<Event, Diff> = world
                .events
                .values()
                .filter(|event| event.at <= at(day))
                .map(|event| (*event, 1))
                .collect();
            prop_assert_eq!(kept, due);
        }
    }
}
