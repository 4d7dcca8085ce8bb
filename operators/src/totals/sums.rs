//! What a worker has to add to nodes: of each sum what came since it was told last, told once an epoch.
//!
//! Sums go by small numbers, so that what adds to one finds it without looking for it.

use super::numbers::Grid;
use super::{Spot, SumKey, Total};
use crate::epochs::{Room, Updates};
use crate::lists::Lists;
use crate::tally::Tally;
use differential_dataflow::difference::{IsZero as _, Semigroup as _};
use trueup_model::calendar::Period;

/// Sums of nodes in periods, since they were told last.
#[derive(Default)]
pub(super) struct Sums {
    grid: Grid<Period>,
    /// What came to each since it was told last.
    since: Lists<Tally>,
    /// Those that have something to tell; one that comes to nothing and changes again is named twice, and told
    /// of once.
    changed: Vec<u32>,
    /// How many of them were told.
    told: usize,
    room: Room,
    /// Those that nobody held at some moment since.
    idle: Vec<u32>,
}

impl Sums {
    /// The number of a sum, which is held by one more.
    pub(super) fn hold(&mut self, spot: Spot, period: Period) -> u32 {
        let (number, is_new) = self.grid.number(spot, period);
        self.grid.hold(number);
        if is_new {
            self.since.grow(self.grid.len(), Tally::default);
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

    /// Tells what came to some more sums, as many as there is budget for.
    pub(super) fn tell(&mut self, budget: &mut usize, told: &mut Updates<SumKey, Total>) {
        if self.changed.is_empty() && self.idle.is_empty() {
            return;
        }
        while *budget > 0
            && let Some(number) = self.changed.pop()
        {
            *budget -= 1;
            self.told += 1;
            let tally = std::mem::take(&mut self.since[number as usize]);
            if !tally.is_zero() {
                let (spot, period) = self.grid.node(number);
                told.push((spot.in_period(period), Total { tally, ..Total::default() }));
            }
        }
        if self.changed.is_empty() {
            let needed = std::mem::take(&mut self.told);
            self.room.keep(&mut self.changed, needed);
            self.tidy();
        }
    }

    /// Whether all of it is told.
    pub(super) fn is_told(&self) -> bool {
        self.changed.is_empty()
    }

    /// Takes the numbers from what nobody holds any more.
    fn tidy(&mut self) {
        self.idle.sort_unstable();
        self.idle.dedup();
        for number in std::mem::take(&mut self.idle) {
            if !self.grid.is_held(number) {
                self.grid.free(number);
            }
        }
    }

    /// Whether nothing is kept.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.grid.is_empty() && self.changed.is_empty() && self.idle.is_empty()
    }
}
