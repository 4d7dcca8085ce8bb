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
//! Work per change: the periods of the cell or person on the way up.

mod component;
mod position;

use super::{Allocation, Found, Heard, Key, Surroundings, Turn, World, each_epoch_parted};
use crate::attribute::{Rule, Use};
use crate::entitle::Right;
use crate::epochs::{Updates, by_key, everywhere};
use crate::keyed::Keyed as _;
use crate::tally::Tally;
use crate::volume::{Cell, Reading};
use crate::{Diff, Facts};
use component::Component;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::hash::IdMap;
use trueup_model::id::{AccountId, ProductId};
use trueup_model::metric::Metric;
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

/// A row that arrives, with what it weighs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Row {
    Cell(Cell),
    Reading(Metric, Reading),
    Other(Heard),
}

/// Covers the demand of metrics that count in periods. Cells make demand where volumes are asked for.
pub fn allocate_periods<'s>(
    cells: Facts<'s, Cell, Tally>,
    readings: Facts<'s, (Metric, Reading)>,
    uses: Facts<'s, Use>,
    rights: Facts<'s, Right>,
    rules: Facts<'s, (ProductId, Rule)>,
    around: Surroundings<'s>,
    policy: Policy,
) -> Allocation<'s> {
    let unit = Tally { events: 1, quantity: 0 };
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
    let rows = by_key(
        active.concatenate([granted, part, read]).explode(move |row| Some((row, unit))),
        place,
    );
    let cells = by_key(cells.map(Row::Cell), place);
    let tables = around.edges.map(Heard::Edge).concatenate([
        around.zones.map(Heard::Zone),
        around.rules.map(|(product, rule)| Heard::Rule(product, rule)),
        around.horizon.map(Heard::Horizon),
    ]);
    let tables = tables.map(Row::Other);
    let tables = everywhere(tables.explode(move |row| Some((row, unit))));
    let mut state = State {
        world: World::new(policy),
        components: IdMap::default(),
        schedule: BTreeMap::new(),
    };
    let all = rows.concat(cells).concat(tables);
    each_epoch_parted(all, "Allocate: periods", move |updates, changes| {
        state.step(updates, changes);
    })
}

fn key(row: &Row) -> Option<Key> {
    match row {
        Row::Cell(cell) => {
            Some(Key { tenant: cell.tenant, product: cell.product, metric: Metric::Volume })
        }
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
    cells: IdMap<(AccountId, Span), i128>,
    uses: Vec<(Use, Diff)>,
    rights: Vec<(Right, Diff)>,
    readings: Vec<(Reading, Diff)>,
}

impl State {
    fn step(&mut self, updates: Updates<Row, Tally>, changes: &mut Updates<Found>) {
        let mut news: IdMap<Key, News> = IdMap::default();
        let mut shared = Vec::new();
        for (row, tally) in updates {
            let key = key(&row);
            let count = Diff::try_from(tally.events).unwrap_or(0);
            match (row, key) {
                (Row::Cell(cell), Some(key)) => {
                    let cells = &mut news.entry(key).or_default().cells;
                    *cells.entry((cell.account, cell.span)).or_default() += tally.quantity;
                }
                (Row::Other(Heard::Use(one)), Some(key)) => {
                    news.entry(key).or_default().uses.push((*one, count));
                }
                (Row::Other(Heard::Right(right)), Some(key)) => {
                    news.entry(key).or_default().rights.push((*right, count));
                }
                (Row::Reading(_, reading), Some(key)) => {
                    news.entry(key).or_default().readings.push((reading, count));
                }
                (Row::Other(heard), _) => shared.push((heard, count)),
                (Row::Cell(_) | Row::Reading(..), None) => {}
            }
        }
        let mut turn = Turn::default();
        self.world.hear(shared, &mut turn);
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
            component.step(brought, &turn, world, changes);
            if component.is_empty() {
                self.components.remove(&key);
            } else if let Some(at) = component.turn().filter(|at| Some(*at) != planned) {
                self.schedule.entry(at).or_default().insert(key);
            }
        }
    }
}
