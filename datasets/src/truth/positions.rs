//! License positions of metrics that count at an instant, instant by instant.
//!
//! Demand goes to the nearest account at or above its own that has lines; what these do not cover
//! goes on to the next one above; what is left at the last one is the shortfall.

mod seen;
mod timeline;

use super::rights::{Node, Right, best_basis, of_product, rights, unit_price};
use super::usage::Range;
use super::uses::{Use, first_instant, uses};
use crate::population::ProductIndex;
use crate::world::World;
use seen::Seen;
use std::collections::BTreeSet;
use timeline::{Meeting, Timeline, at_instant};
use trueup_model::calendar::{Calendar, Period, PeriodUnit, Zone};
use trueup_model::contract::Basis;
use trueup_model::metric::Metric;
use trueup_model::position::PositionState;
use trueup_model::quantity::{Capacity, Money, Quantity};
use trueup_model::time::{Span, Timestamp};

/// From how many percent of the entitled quantity on a peak is near the limit.
pub const NEAR_PERCENT: i64 = 90;

/// A position: entitled against demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Of which product.
    pub product: ProductIndex,
    /// How it is counted.
    pub metric: Metric,
    /// At which node.
    pub node: Node,
    /// The period.
    pub period: Period,
    /// The period in words.
    pub label: String,
    /// Whether the period holds the horizon.
    pub current: bool,
    /// Who vouches for the rights; `None` if there are none.
    pub basis: Option<Basis>,
    /// Entitled at the end of the period, or at the horizon.
    pub entitled: Capacity,
    /// Tolerated above that.
    pub overdraft: Quantity,
    /// Demand at the end.
    pub demand: Quantity,
    /// The greatest demand.
    pub peak: Quantity,
    /// Its first instant.
    pub peak_at: Timestamp,
    /// Units times seconds.
    pub license_seconds: Range,
    /// The greatest demand that nothing covers.
    pub shortfall: Quantity,
    /// The first instant of the greatest shortfall; `MAX` if there is none.
    pub shortfall_at: Timestamp,
    /// The first instant of any.
    pub shortfall_first: Timestamp,
    /// The end of the last; `MAX` if it lasts, `MIN` if there is none.
    pub shortfall_last: Timestamp,
    /// The greatest shortfall after every line had ended, with its first instant.
    pub expired: (Quantity, Timestamp),
    /// The greatest demand passed on to an account above.
    pub passed_up: Quantity,
    /// Entitled and not needed at the peak.
    pub surplus: Quantity,
    /// What one unit cost.
    pub unit_price: Option<Money>,
    /// In words.
    pub state: PositionState,
}

/// Every position of the world's concurrent and named-user products.
pub fn positions(world: &World) -> Vec<Position> {
    let rights = rights(world);
    let (most, least) = (uses(world, true), uses(world, false));
    let mut found = Vec::new();
    for product in 0..world.population.products.len() {
        let product = ProductIndex(product);
        let licensed: BTreeSet<u8> = rights
            .iter()
            .filter(|right| right.product == product)
            .map(|right| right.metric.code())
            .collect();
        for metric in [Metric::Concurrent, Metric::NamedUser] {
            if !licensed.is_empty() && !licensed.contains(&metric.code()) {
                continue;
            }
            let own = of_product(&rights, product, metric);
            let of = |all: &[Use]| -> Vec<Use> {
                let counts = |one: &&Use| one.product == product && one.metric == metric;
                all.iter().filter(counts).cloned().collect()
            };
            let one = Product::new(world, product, metric, own);
            one.positions(&of(&most), &of(&least), &mut found);
        }
    }
    found
}

/// The zone whose days and months count for a node.
pub fn zone_of(world: &World, node: Node) -> Zone {
    match node {
        Node::Account(account) => Zone::named(&world.population.accounts[account.0].zone)
            .unwrap_or_else(|_| world.zone.clone()),
        Node::Unattributed | Node::Root => world.zone.clone(),
    }
}

struct Product<'a> {
    world: &'a World,
    product: ProductIndex,
    metric: Metric,
    basis: Option<Basis>,
    meeting: Meeting<'a>,
}

impl<'a> Product<'a> {
    fn new(
        world: &'a World,
        product: ProductIndex,
        metric: Metric,
        rights: Vec<&'a Right>,
    ) -> Self {
        let basis = best_basis(&rights);
        let rights: Vec<&Right> =
            rights.into_iter().filter(|right| Some(right.basis) == basis).collect();
        let meeting = Meeting {
            population: &world.population,
            horizon: world.horizon,
            pools: rights.iter().map(|right| right.node).collect(),
            rights,
        };
        Self { world, product, metric, basis, meeting }
    }

    fn positions(&self, most: &[Use], least: &[Use], found: &mut Vec<Position>) {
        let timeline = self.meeting.timeline(most);
        let shortest = self.meeting.timeline(least);
        let nodes: BTreeSet<Node> =
            timeline.iter().flat_map(|(_, levels)| levels.keys().copied()).collect();
        let uses: Vec<&Use> = most.iter().collect();
        let first = first_instant(&uses).unwrap_or(self.world.horizon).min(self.world.horizon);
        for node in nodes {
            let calendar = Calendar::natural(zone_of(self.world, node));
            let mut periods = vec![Period::ALL];
            let mut at = first.max(Timestamp::EARLIEST);
            while at <= self.world.horizon {
                let month = calendar.period(PeriodUnit::Month, at);
                periods.push(month);
                at = month.span.end;
            }
            for period in periods {
                let position = self.position(node, period, &timeline, &shortest);
                found.extend(position.map(|one| Position { label: calendar.label(period), ..one }));
            }
        }
    }

    fn position(
        &self,
        node: Node,
        period: Period,
        timeline: &Timeline,
        shortest: &Timeline,
    ) -> Option<Position> {
        let horizon = self.world.horizon;
        let current = period.span.end > horizon;
        let end = if current { horizon } else { period.span.end };
        let last = if current { horizon } else { Timestamp(end.0 - 1) };
        let seen = Seen::over(timeline, node, Span::new(period.span.start, end), current);
        let level = at_instant(timeline, node, last);
        if seen.peak == 0 && !(current && level.lines) {
            return None;
        }
        let entitled = level.capacity.unwrap_or(Capacity::Limited(Quantity::ZERO));
        let entitled = match entitled {
            Capacity::Limited(limit) => Capacity::Limited(Quantity(limit.0.max(0))),
            Capacity::Unlimited | Capacity::Unknown => entitled,
        };
        let surplus = match entitled {
            Capacity::Limited(limit) => (limit.0 - seen.peak).max(0),
            Capacity::Unlimited | Capacity::Unknown => 0,
        };
        let least = Seen::over(shortest, node, Span::new(period.span.start, end), current);
        let own: Vec<&Right> =
            self.meeting.rights.iter().copied().filter(|right| right.node == node).collect();
        let lasts = current && level.uncovered > 0 && !level.passed;
        let mut position = Position {
            product: self.product,
            metric: self.metric,
            node,
            period,
            label: String::new(),
            current,
            basis: self.basis.filter(|_| self.meeting.pools.contains(&node)),
            entitled,
            overdraft: Quantity(level.overdraft),
            demand: Quantity(level.demand),
            peak: Quantity(seen.peak),
            peak_at: if seen.peak == 0 { last } else { seen.peak_at },
            license_seconds: Range { least: least.seconds(), most: seen.seconds() },
            shortfall: Quantity(seen.shortfall),
            shortfall_at: seen.shortfall_at,
            shortfall_first: seen.shortfall_first,
            shortfall_last: if lasts { Timestamp::MAX } else { seen.shortfall_last },
            expired: (Quantity(seen.expired), seen.expired_first),
            passed_up: Quantity(seen.passed_up),
            surplus: Quantity(surplus),
            unit_price: unit_price(&own, last),
            state: seen.state(),
        };
        if position.state == PositionState::Covered && is_near(&position) {
            position.state = PositionState::Near;
        }
        Some(position)
    }
}

/// Whether the peak is close to what is entitled.
pub fn is_near(position: &Position) -> bool {
    match position.entitled {
        Capacity::Limited(limit) => {
            limit.0 > 0
                && i128::from(position.peak.0) * 100
                    >= i128::from(limit.0) * i128::from(NEAR_PERCENT)
        }
        Capacity::Unlimited | Capacity::Unknown => false,
    }
}
