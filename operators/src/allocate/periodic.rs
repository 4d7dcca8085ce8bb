//! Allocation of metrics that count in periods: volumes, people by activity, single readings.
//!
//! inflow(n, P)    = Σ { quantity of cells in P : n takes the cell's account at the cell's time }
//!                 + Σ { uncovered(m, Q) : n takes what m leaves, Q begins in P }
//! uncovered(n, P) = max(0, inflow(n, P) − entitled(n, P))
//!
//! What is entitled stands in `grants.rs`. A person who is active for several accounts in one period
//! counts once: where they were active first. Of single readings the greatest or the newest of a node's
//! accounts counts; what it does not cover is passed to nobody, because such figures do not add up.
//!
//! Work per change: the periods of the cell or person (`persons.rs`) on the way up.

mod component;
mod persons;
mod position;
mod readings;
mod slots;

use super::{Allocation, Heard, Key, Surroundings, Told, Turn, World};
use crate::attribute::{Rule, Use};
use crate::entitle::Right;
use crate::epochs::{Came, by_key, each_epoch_of, everywhere, operator};
use crate::keyed::Keyed as _;
use crate::tally::Tally;
use crate::volume::{Reading, Slice};
use crate::{Diff, Facts};
use component::Component;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::hash::IdMap;
use trueup_model::id::{AccountId, ProductId};
use trueup_model::metric::Metric;
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

/// A row of a product.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Row {
    Reading(Metric, Reading),
    Other(Heard),
}

/// Covers the demand of metrics that count in periods. Slices make demand where volumes are asked for.
pub fn allocate_periods<'s>(
    slices: Facts<'s, Slice, Tally>,
    readings: Facts<'s, (Metric, Reading)>,
    uses: Facts<'s, Use>,
    rights: Facts<'s, Right>,
    rules: Facts<'s, (ProductId, Rule)>,
    around: Surroundings<'s>,
    policy: Policy,
) -> Allocation<'s> {
    let by_activity =
        rules.filter(|(_, rule)| rule.counts_active_users()).map(|(product, _)| product);
    let part = uses.clone().filter(|one| one.metric == Metric::Unique);
    let part = part.map(|one| Row::Other(Heard::Use(Box::new(one))));
    let read = readings.map(|(metric, reading)| Row::Reading(metric, reading));
    let active = uses
        .filter(|one| one.metric == Metric::Concurrent && one.user.is_some())
        .map(|one| (one.product, Use { metric: Metric::NamedUser, ..one }))
        .kept_by(by_activity)
        .map(|(_, one)| Row::Other(Heard::Use(Box::new(one))));
    let granted = rights.map(|right| Row::Other(Heard::Right(Box::new(right))));
    let rows = by_key(active.concatenate([granted, part, read]), place);
    let slices = by_key(slices, |slice| of_slice(slice).place());
    let tables = around.edges.map(Heard::Edge).concatenate([
        around.zones.map(Heard::Zone),
        around.rules.map(|(product, rule)| Heard::Rule(product, rule)),
        around.horizon.map(Heard::Horizon),
    ]);
    let tables = everywhere(tables);
    let mut state = State {
        world: World::new(policy),
        components: IdMap::default(),
        schedule: BTreeMap::new(),
    };
    let builder = operator("Allocate: periods", &slices);
    let told = each_epoch_of(builder, (slices, rows, tables), move |heard, told| {
        state.step(heard, told);
    });
    Allocation::of(told)
}

fn of_slice(slice: &Slice) -> Key {
    Key { tenant: slice.tenant, product: slice.product, metric: Metric::Volume }
}

fn key(row: &Row) -> Option<Key> {
    match row {
        Row::Reading(metric, one) => {
            Some(Key { tenant: one.tenant, product: one.product, metric: *metric })
        }
        Row::Other(Heard::Use(one)) => {
            Some(Key { tenant: one.tenant, product: one.product, metric: one.metric })
        }
        Row::Other(Heard::Right(right)) => Some(Key::of_right(right)),
        Row::Other(
            Heard::Edge(_)
            | Heard::Zone(_)
            | Heard::Horizon(_)
            | Heard::Rule(..)
            | Heard::Band(..)
            | Heard::Reach(_),
        ) => None,
    }
}

fn place(row: &Row) -> u64 {
    key(row).map_or(0, |key| key.place())
}

struct State {
    world: World,
    components: IdMap<Key, Component>,
    /// Products whose figures change when the horizon passes an instant.
    schedule: BTreeMap<Timestamp, BTreeSet<Key>>,
}

/// What an epoch brings to a product.
#[derive(Default)]
struct News {
    /// By account and piece of time: who it was does not matter.
    cells: Vec<(AccountId, Span, i128)>,
    uses: Vec<(Use, Diff)>,
    rights: Vec<(Right, Diff)>,
    readings: Vec<(Reading, Diff)>,
}

impl State {
    fn step(
        &mut self,
        (slices, rows, tables): (Came<Slice, Tally>, Came<Row>, Came<Heard>),
        told: &mut Told,
    ) {
        let mut news: IdMap<Key, News> = IdMap::default();
        for (slice, tally) in slices {
            let cells = &mut news.entry(of_slice(&slice)).or_default().cells;
            cells.push((slice.account, slice.span, tally.quantity));
        }
        for (row, count) in rows {
            let Some(key) = key(&row) else { continue };
            let brought = news.entry(key).or_default();
            match row {
                Row::Other(Heard::Use(one)) => brought.uses.push((*one, count)),
                Row::Other(Heard::Right(right)) => brought.rights.push((*right, count)),
                Row::Reading(_, reading) => brought.readings.push((reading, count)),
                // What has no key is heard by every worker.
                Row::Other(_) => {}
            }
        }
        let mut turn = Turn::default();
        self.world.hear(tables, &mut turn);
        if turn.tree || !turn.zones.is_empty() || turn.horizon_before == Some(Timestamp::MIN) {
            for key in self.components.keys() {
                news.entry(*key).or_default();
            }
        } else if !turn.ruled.is_empty() {
            for key in self.components.keys().filter(|key| turn.ruled.contains(&key.product)) {
                news.entry(*key).or_default();
            }
        }
        if turn.horizon_before.is_some() {
            let later = self.schedule.split_off(&self.world.horizon.plus_us(1));
            let due = std::mem::replace(&mut self.schedule, later);
            for key in due.into_values().flatten() {
                news.entry(key).or_default();
            }
        }
        let world = &self.world;
        for (key, brought) in news {
            let component =
                self.components.entry(key).or_insert_with(|| Component::new(key, world));
            let planned = component.turn();
            component.step(brought, &turn, world, told);
            if component.is_empty() {
                self.components.remove(&key);
            } else if let Some(at) = component.turn().filter(|at| Some(*at) != planned) {
                self.schedule.entry(at).or_default().insert(key);
            }
        }
    }
}
