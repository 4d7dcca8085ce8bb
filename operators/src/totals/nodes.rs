//! What adds up at each node.

use super::Spot;
use super::people::Heads;
use crate::Diff;
use crate::epochs::Updates;
use crate::tally::Tally;
use crate::timeline::clamped;
use differential_dataflow::difference::{IsZero as _, Semigroup as _};
use trueup_model::calendar::Period;
use trueup_model::hash::IdMap;
use trueup_model::metric::Metric;
use trueup_model::position::Rollup;
use trueup_model::quantity::Quantity;

/// Up to how many periods a node takes no more room than it needs.
const FEW: usize = 8;

/// What adds up in one period of a node.
#[derive(Default)]
struct Sum {
    tally: Tally,
    heads: Heads,
    given: Option<Given>,
    /// Whether it changed in this epoch.
    dirty: bool,
}

/// What was given of a period: how much, by how many people, on how many machines.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Given {
    value: Quantity,
    users: u64,
    devices: u64,
}

/// One node of both trees.
#[derive(Default)]
struct Node {
    /// In order.
    periods: Vec<(Period, Sum)>,
    /// Whether something changed in this epoch.
    touched: bool,
}

/// All nodes.
#[derive(Default)]
pub(super) struct Nodes {
    nodes: IdMap<Spot, Node>,
}

impl Nodes {
    pub(super) fn step(
        &mut self,
        sums: impl IntoIterator<Item = ((Spot, Period), Tally)>,
        heads: impl IntoIterator<Item = ((Spot, Period), Heads)>,
        told: &mut Updates<Rollup>,
    ) {
        let mut touched: Vec<Spot> = Vec::new();
        for ((spot, period), tally) in sums {
            self.sum(spot, period, &mut touched).tally.plus_equals(&tally);
        }
        for ((spot, period), more) in heads {
            let sum = self.sum(spot, period, &mut touched);
            sum.heads.users += more.users;
            sum.heads.devices += more.devices;
        }
        for spot in touched {
            let Some(node) = self.nodes.get_mut(&spot) else { continue };
            node.give(spot, told);
            if node.periods.is_empty() {
                self.nodes.remove(&spot);
            }
        }
    }

    /// What adds up in a period of a node, which is about to change.
    fn sum(&mut self, spot: Spot, period: Period, touched: &mut Vec<Spot>) -> &mut Sum {
        let node = self.nodes.entry(spot).or_default();
        if !std::mem::replace(&mut node.touched, true) {
            touched.push(spot);
        }
        let place = node.periods.binary_search_by_key(&period, |(one, _)| *one);
        let place = place.unwrap_or_else(|place| {
            if node.periods.len() < FEW {
                node.periods.reserve_exact(1);
            }
            node.periods.insert(place, (period, Sum::default()));
            place
        });
        let sum = &mut node.periods[place].1;
        sum.dirty = true;
        sum
    }
}

impl Node {
    /// Gives what changed.
    fn give(&mut self, spot: Spot, changes: &mut Updates<Rollup>) {
        self.touched = false;
        for (period, sum) in &mut self.periods {
            if std::mem::take(&mut sum.dirty) {
                sum.give(spot, *period, changes);
            }
        }
        self.periods.retain(|(_, sum)| !sum.is_empty());
    }
}

impl Sum {
    fn is_empty(&self) -> bool {
        self.tally.is_zero() && self.heads == Heads::default()
    }

    fn give(&mut self, spot: Spot, period: Period, changes: &mut Updates<Rollup>) {
        let number = |count: Diff| u64::try_from(count).unwrap_or(0);
        let now = (self.tally.events > 0).then(|| Given {
            value: clamped(self.tally.quantity),
            users: number(self.heads.users),
            devices: number(self.heads.devices),
        });
        let row = |given: Given| Rollup {
            tenant: spot.tenant,
            account: spot.account,
            product: spot.product,
            metric: Metric::Volume,
            period,
            value: given.value,
            value_at: period.span.start,
            unit_us: 0,
            users: given.users,
            devices: given.devices,
        };
        if self.given != now {
            changes.extend(self.given.map(|old| (row(old), -1)));
            changes.extend(now.map(|new| (row(new), 1)));
            self.given = now;
        }
    }
}
