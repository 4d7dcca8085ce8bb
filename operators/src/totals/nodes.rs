//! What adds up at each node.

use super::Spot;
use super::numbers::Grid;
use super::people::Heads;
use super::sums::{Name, Numbered};
use super::telling::Tells;
use crate::Diff;
use crate::epochs::Room;
use crate::tally::Tally;
use crate::timeline::clamped;
use differential_dataflow::difference::Semigroup as _;
use trueup_model::calendar::Period;
use trueup_model::metric::Metric;
use trueup_model::position::Rollup;
use trueup_model::quantity::Quantity;

/// What adds up in one period of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    tally: Tally,
    heads: Heads,
}

/// What is given of a period: how much, by how many people, on how many machines.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Given {
    value: Quantity,
    users: u64,
    devices: u64,
}

/// All nodes, each by a number for each of its periods.
#[derive(Default)]
pub(super) struct Nodes {
    grid: Grid<Period>,
    /// The nodes of the numbers that each worker gave to sums.
    known: Vec<Vec<u32>>,
    sums: Vec<Sum>,
    /// Whether one is among the changed.
    marks: Vec<bool>,
    /// Those that changed, with what was given of them before.
    changed: Vec<(u32, Option<Given>)>,
    room: Room,
}

impl Nodes {
    pub(super) fn step(
        &mut self,
        names: impl IntoIterator<Item = (Name, Diff)>,
        sums: impl IntoIterator<Item = (Numbered, Tally)>,
        heads: impl IntoIterator<Item = ((Spot, Period), Heads)>,
    ) {
        let mut gone: Vec<Numbered> = Vec::new();
        for (Name { of, spot, period }, diff) in names {
            match diff > 0 {
                true => self.learn(of, spot, period),
                false => gone.push(of),
            }
        }
        for (of, tally) in sums {
            let number = self.node(of);
            self.change(number).tally.plus_equals(&tally);
        }
        for ((spot, period), more) in heads {
            let number = self.number(spot, period);
            let sum = self.change(number);
            sum.heads.users += more.users;
            sum.heads.devices += more.devices;
        }
        for of in gone {
            let number = self.node(of);
            if self.grid.release(number) {
                self.change(number);
            }
        }
    }

    /// A worker's number stands for a node in a period from now on.
    fn learn(&mut self, of: Numbered, spot: Spot, period: Period) {
        let number = self.number(spot, period);
        self.grid.hold(number);
        let (worker, place) = (of.worker as usize, of.number as usize);
        if self.known.len() <= worker {
            self.known.resize(worker + 1, Vec::new());
        }
        let known = &mut self.known[worker];
        if known.len() <= place {
            known.resize(place + 1, 0);
        }
        known[place] = number;
    }

    /// The number here of what a worker has a number for.
    fn node(&self, of: Numbered) -> u32 {
        self.known[of.worker as usize][of.number as usize]
    }

    fn number(&mut self, spot: Spot, period: Period) -> u32 {
        let (number, _) = self.grid.number(spot, period);
        if self.sums.len() < self.grid.len() {
            self.sums.resize(self.grid.len(), Sum::default());
            self.marks.resize(self.grid.len(), false);
        }
        number
    }

    /// What adds up in a period of a node, which is about to change.
    fn change(&mut self, number: u32) -> &mut Sum {
        let place = number as usize;
        let sum = &mut self.sums[place];
        if !std::mem::replace(&mut self.marks[place], true) {
            self.changed.push((number, sum.given()));
        }
        sum
    }

    /// Whether nothing is kept.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.grid.is_empty() && self.changed.is_empty()
    }
}

impl Tells for Nodes {
    type Row = Rollup;
    type Change = Diff;

    fn tell(&mut self, mut tell: impl FnMut(Rollup, Diff)) {
        let mut changed = std::mem::take(&mut self.changed);
        let needed = changed.len();
        for (number, before) in changed.drain(..) {
            let place = number as usize;
            self.marks[place] = false;
            let sum = self.sums[place];
            let now = sum.given();
            if before != now {
                let (spot, period) = self.grid.node(number);
                if let Some(old) = before {
                    tell(old.row(spot, period), -1);
                }
                if let Some(new) = now {
                    tell(new.row(spot, period), 1);
                }
            }
            if sum == Sum::default() && !self.grid.is_held(number) {
                self.grid.free(number);
            }
        }
        self.room.keep(&mut changed, needed);
        self.changed = changed;
    }
}

impl Sum {
    fn given(&self) -> Option<Given> {
        let number = |count: Diff| u64::try_from(count).unwrap_or(0);
        (self.tally.events > 0).then(|| Given {
            value: clamped(self.tally.quantity),
            users: number(self.heads.users),
            devices: number(self.heads.devices),
        })
    }
}

impl Given {
    fn row(self, spot: Spot, period: Period) -> Rollup {
        Rollup {
            tenant: spot.tenant,
            account: spot.account,
            product: spot.product,
            metric: Metric::Volume,
            period,
            value: self.value,
            value_at: period.span.start,
            unit_us: 0,
            users: self.users,
            devices: self.devices,
        }
    }
}
