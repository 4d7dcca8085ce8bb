//! Cells at their leaves, and what of them changes above.

use super::people::Coming;
use super::piles::Piles;
use super::sums::{Name, Sums};
use super::telling::Telling;
use super::world::{Turn, Ways, World};
use super::{Spot, Table, Who};
use crate::epochs::{Updates, fetch};
use crate::tally::Tally;
use crate::volume::Cell;
use crate::{Diff, Epoch};
use trueup_model::hash::mix;
use trueup_model::id::{DeviceId, UserId};
use trueup_policy::Policy;

/// What leaves: sums by number, what the numbers stand for, and who comes to nodes.
pub(super) type Told = (Telling<Sums>, Updates<Name>, Updates<Coming>);

/// Someone at a pile, who came or went.
type Named = (u32, Who, Diff);

/// The account and product of a cell.
fn spot(cell: &Cell) -> Spot {
    Spot { tenant: cell.tenant, account: cell.account, product: cell.product }
}

/// Everything that stands below nodes of two trees, and what of it changes above.
pub(super) struct Leaves {
    piles: Piles,
    /// Who came and who went since the last tick; whoever did both is named twice.
    people: Vec<Named>,
    world: World,
    /// Which of all workers this is.
    worker: u32,
    /// Into how many shares people are parted.
    shares: u64,
}

impl Leaves {
    pub(super) fn new(policy: &Policy, worker: usize, workers: usize) -> Self {
        let shares = u64::try_from(workers).unwrap_or(1).max(1);
        let worker = u32::try_from(worker).expect("there are few workers");
        let (piles, world) = (Piles::default(), World::new(policy));
        Self { piles, people: Vec::new(), world, worker, shares }
    }

    pub(super) fn step(
        &mut self,
        cells: impl Iterator<Item = Vec<(Cell, Epoch, Tally)>>,
        tables: impl IntoIterator<Item = (Table, Diff)>,
        told: &mut Told,
    ) {
        for list in cells {
            fetch(list.iter().map(|(cell, ..)| self.piles.look(spot(cell), cell.span)));
            for (cell, _, tally) in list {
                self.hear(&cell, tally);
            }
        }
        let turn = Turn::of(tables);
        if turn.tick || turn.changes() {
            self.tick(turn, told);
        }
    }

    fn hear(&mut self, cell: &Cell, tally: Tally) {
        let pile = self.piles.add(spot(cell), cell.span, &tally);
        let user = cell.user.map(Who::User);
        for who in user.into_iter().chain(cell.device.map(Who::Device)) {
            let diff = self.piles.name(pile, who, tally.events);
            if diff != 0 {
                self.people.push((pile, who, diff));
            }
        }
    }

    /// Carries up what changed since the last tick, by the trees and calendars as they are from now on.
    fn tick(&mut self, turn: Turn, told: &mut Told) {
        let (Telling(sums), names, coming) = told;
        let people = std::mem::take(&mut self.people);
        self.tell(people, coming);
        if turn.changes() {
            let named = self.piles.named(&turn, &self.world);
            self.tell(self.all(&named, -1), coming);
            for pile in self.piles.turned(&turn, &self.world) {
                self.piles.unlink(pile, sums);
            }
            self.world.change(turn);
            self.tell(self.all(&named, 1), coming);
        }
        self.piles.link(&mut self.world, sums);
        self.piles.carry(sums);
        sums.name(self.worker, names);
    }

    /// Everyone at some piles, as a change.
    fn all(&self, piles: &[u32], sign: Diff) -> Vec<Named> {
        let who = piles.iter().flat_map(|pile| self.piles.who(*pile).map(|who| (*pile, who, sign)));
        who.collect()
    }

    /// Tells who came and who went, and at which nodes.
    fn tell(&mut self, people: Vec<Named>, told: &mut Updates<Coming>) {
        let shares = self.shares;
        let share_of = |who: &Who| match who {
            Who::User(UserId(id)) | Who::Device(DeviceId(id)) => mix(&[*id]) % shares,
        };
        let parted =
            people.into_iter().map(|(pile, who, diff)| ((pile, share_of(&who)), who, diff));
        let mut parted: Vec<((u32, u64), Who, Diff)> = parted.collect();
        parted.sort_unstable_by_key(|(key, ..)| *key);
        let (mut over, mut across) = (Ways::default(), Ways::default());
        for group in parted.chunk_by(|(one, ..), (other, ..)| one == other) {
            let Some(((pile, share), ..)) = group.first() else { continue };
            let (spot, span) = self.piles.node(*pile);
            let nodes = self.world.above(spot, span, &mut over, &mut across);
            let who = group.iter().map(|(_, who, diff)| (*who, *diff)).collect();
            told.push((Coming { nodes, who, share: *share }, 1));
        }
    }

    /// Whether nothing is kept.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.piles.is_empty() && self.people.is_empty()
    }
}
