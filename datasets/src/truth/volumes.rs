//! Positions of metered quantities, period by period.
//!
//! An event counts once, however often it is delivered, in the month of its instant in the zone of
//! the node that takes it.

use super::positions::{Position, is_near, zone_of};
use super::rights::{Node, Right, best_basis, of_product, rights, together, unit_price};
use super::usage::Range;
use crate::population::ProductIndex;
use crate::world::World;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::{Calendar, Period, PeriodUnit};
use trueup_model::metric::Metric;
use trueup_model::position::PositionState;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};

/// Every volume position of a world.
pub fn volumes(world: &World) -> Vec<Position> {
    let rights = rights(world);
    let products = 0..world.population.products.len();
    products.flat_map(|product| of_one(world, ProductIndex(product), &rights)).collect()
}

/// The distinct events of a product: account, instant, quantity.
pub fn events(world: &World, product: ProductIndex) -> Vec<(Node, Timestamp, Quantity)> {
    let mut seen = BTreeSet::new();
    let rows = world.usage.iter().filter(|row| row.product == product && seen.insert(&row.id));
    rows.map(|row| (Node::Account(row.account), row.at, row.quantity)).collect()
}

fn of_one(world: &World, product: ProductIndex, rights: &[Right]) -> Vec<Position> {
    let own = of_product(rights, product, Metric::Volume);
    let basis = best_basis(&own);
    let pools: BTreeSet<Node> = own.iter().map(|right| right.node).collect();
    let month = |node: Node, at: Timestamp| {
        Calendar::natural(zone_of(world, node)).period(PeriodUnit::Month, at)
    };
    let mut inflow: BTreeMap<(Node, Period), i64> = BTreeMap::new();
    for (node, at, quantity) in events(world, product) {
        let path = node.upwards(&world.population);
        let taker = path.into_iter().find(|one| pools.contains(one)).unwrap_or(node);
        *inflow.entry((taker, month(taker, at))).or_default() += quantity.0;
    }
    for node in &pools {
        inflow.entry((*node, month(*node, world.horizon))).or_default();
    }
    // From the bottom up, what a node does not cover goes on.
    let mut slots: Vec<(Node, Period)> = inflow.keys().copied().collect();
    slots.sort_by_key(|(node, _)| std::cmp::Reverse(node.upwards(&world.population).len()));
    let mut found = Vec::new();
    let mut next = 0;
    while let Some((node, period)) = slots.get(next).copied() {
        next += 1;
        let mine: Vec<&Right> = own.iter().copied().filter(|right| right.node == node).collect();
        let quantity = inflow.get(&(node, period)).copied().unwrap_or_default();
        let touching = mine.iter().filter(|right| right.span.overlaps(period.span));
        let entitled = together(touching.map(|right| right.capacity));
        let uncovered = uncovered(entitled, quantity);
        let path = node.upwards(&world.population);
        let above = path.into_iter().skip(1).find(|one| pools.contains(one));
        let above = above.filter(|_| pools.contains(&node) && uncovered > 0);
        if let Some(above) = above {
            let slot = (above, month(above, period.span.start));
            *inflow.entry(slot).or_default() += uncovered;
            if !slots.contains(&slot) {
                slots.push(slot);
            }
        }
        let slot = Slot { node, period, quantity, entitled, uncovered, passed: above.is_some() };
        let mut position = slot.position(world, product, &mine);
        position.basis = basis;
        let current = position.current && entitled.is_some();
        if quantity > 0 || current {
            found.push(position);
        }
    }
    found
}

fn uncovered(entitled: Option<Capacity>, quantity: i64) -> i64 {
    match entitled {
        Some(Capacity::Limited(limit)) => (quantity - limit.0.max(0)).max(0),
        Some(Capacity::Unlimited | Capacity::Unknown) => 0,
        None => quantity,
    }
}

/// A node in a period.
struct Slot {
    node: Node,
    period: Period,
    quantity: i64,
    entitled: Option<Capacity>,
    uncovered: i64,
    passed: bool,
}

impl Slot {
    fn position(&self, world: &World, product: ProductIndex, rights: &[&Right]) -> Position {
        let start = self.period.span.start;
        let shortfall = if self.passed { 0 } else { self.uncovered };
        let ended = rights.iter().any(|right| right.span.end <= start);
        let state = match (shortfall > 0, self.entitled) {
            (true, None) if ended => PositionState::Expired,
            (true, None) => PositionState::Unlicensed,
            (true, Some(_)) => PositionState::Over,
            (false, _) if self.passed => PositionState::PassedUp,
            (false, _) => PositionState::Covered,
        };
        let entitled = self.entitled.unwrap_or(Capacity::Limited(Quantity::ZERO));
        let surplus = match entitled {
            Capacity::Limited(limit) => (limit.0 - self.quantity).max(0),
            Capacity::Unlimited | Capacity::Unknown => 0,
        };
        let expired = if state == PositionState::Expired { shortfall } else { 0 };
        let when = |holds: bool| if holds { start } else { Timestamp::MAX };
        let end = self.period.span.end.min(world.horizon);
        let quantity = Quantity(self.quantity);
        let mut position = Position {
            product,
            metric: Metric::Volume,
            node: self.node,
            period: self.period,
            label: Calendar::natural(zone_of(world, self.node)).label(self.period),
            current: Span::new(start, self.period.span.end).contains(world.horizon),
            basis: None,
            entitled,
            overdraft: Quantity::ZERO,
            demand: quantity,
            peak: quantity,
            peak_at: start,
            license_seconds: Range::default(),
            shortfall: Quantity(shortfall),
            shortfall_at: when(shortfall > 0),
            shortfall_first: when(shortfall > 0),
            shortfall_last: if shortfall > 0 { end } else { Timestamp::MIN },
            expired: (Quantity(expired), when(expired > 0)),
            passed_up: Quantity(if self.passed { self.uncovered } else { 0 }),
            surplus: Quantity(surplus),
            unit_price: unit_price(rights, world.horizon),
            state,
        };
        if position.state == PositionState::Covered && is_near(&position) {
            position.state = PositionState::Near;
        }
        position
    }
}
