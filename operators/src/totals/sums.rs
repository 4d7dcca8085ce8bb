//! What nodes are to hear of the leaves of a worker: sums by number, told once a tick.
//!
//! Whoever looks after a node is told once which node in which period a number stands for, and then hears of the
//! number. A number that is free is given away again in a later epoch, so that in each epoch it stands for one node.

use super::Spot;
use super::numbers::Grid;
use super::telling::Tells;
use crate::epochs::{Room, Updates};
use crate::tally::Tally;
use differential_dataflow::difference::{IsZero as _, Semigroup as _};
use serde::{Deserialize, Serialize};
use trueup_model::calendar::Period;

/// A sum by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Numbered {
    /// Who looks after its node.
    pub(super) owner: u32,
    /// The worker that gave the number.
    pub(super) worker: u32,
    /// The number.
    pub(super) number: u32,
}

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Name {
    pub(super) of: Numbered,
    pub(super) spot: Spot,
    pub(super) period: Period,
}

/// Sums of nodes in periods, since they were told last.
#[derive(Default)]
pub(super) struct Sums {
    grid: Grid<Period>,
    /// What came to each since it was told last.
    since: Vec<Tally>,
    /// Who looks after the node of each.
    owners: Vec<u32>,
    /// The worker whose sums they are.
    worker: u32,
    /// Those that have something to tell; one that comes to nothing and changes again is named twice, and told
    /// of once.
    changed: Vec<u32>,
    room: Room,
    /// Those that got their numbers since.
    new: Vec<u32>,
    /// Those that nobody held at some moment since.
    idle: Vec<u32>,
}

impl Sums {
    /// The number of a sum, which is held by one more.
    pub(super) fn hold(&mut self, spot: Spot, period: Period) -> u32 {
        let (number, is_new) = self.grid.number(spot, period);
        self.grid.hold(number);
        if is_new {
            if self.since.len() < self.grid.len() {
                self.since.resize(self.grid.len(), Tally::default());
                self.owners.resize(self.grid.len(), 0);
            }
            self.owners[number as usize] = spot.owner();
            self.new.push(number);
        }
        number
    }

    /// Holds a sum no longer; what it has to tell is told all the same.
    pub(super) fn release(&mut self, number: u32) {
        if self.grid.release(number) {
            self.idle.push(number);
        }
    }

    pub(super) fn add(&mut self, number: u32, tally: &Tally) {
        let since = &mut self.since[number as usize];
        if since.is_zero() {
            self.changed.push(number);
        }
        since.plus_equals(tally);
    }

    /// Says which numbers stand for something from now on, and which, after what they tell now, for nothing.
    pub(super) fn name(&mut self, worker: u32, names: &mut Updates<Name>) {
        self.worker = worker;
        for number in std::mem::take(&mut self.new) {
            names.push((self.name_of(number), 1));
        }
        self.idle.sort_unstable();
        self.idle.dedup();
        for number in std::mem::take(&mut self.idle) {
            if !self.grid.is_held(number) {
                names.push((self.name_of(number), -1));
                self.grid.free(number);
            }
        }
    }

    fn name_of(&self, number: u32) -> Name {
        let (spot, period) = self.grid.node(number);
        Name { of: self.numbered(number), spot, period }
    }

    fn numbered(&self, number: u32) -> Numbered {
        Numbered { owner: self.owners[number as usize], worker: self.worker, number }
    }

    /// Whether nothing is kept.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.grid.is_empty() && self.changed.is_empty() && self.idle.is_empty()
    }
}

impl Tells for Sums {
    type Row = Numbered;
    type Change = Tally;

    fn tell(&mut self, mut tell: impl FnMut(Numbered, Tally)) {
        let mut changed = std::mem::take(&mut self.changed);
        let needed = changed.len();
        for number in changed.drain(..) {
            let since = std::mem::take(&mut self.since[number as usize]);
            if !since.is_zero() {
                tell(self.numbered(number), since);
            }
        }
        self.room.keep(&mut changed, needed);
        self.changed = changed;
    }
}
