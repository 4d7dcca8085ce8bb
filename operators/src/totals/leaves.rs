//! Cells at their leaves, and what of them changes above.

use super::people::Coming;
use super::piles::Piles;
use super::sums::Sums;
use super::world::{Turn, Ways, World};
use super::{LOOKED_FOR, Spot, SumKey, Table, Total, Who};
use crate::epochs::{Left, ROOM_KEPT, Updates, fetch};
use crate::tally::Tally;
use crate::volume::Cell;
use crate::{Diff, Epoch};
use trueup_model::hash::mix;
use trueup_model::id::{DeviceId, UserId};
use trueup_policy::Policy;

/// What leaves: sums, and who comes to nodes.
pub(super) type Told = (Updates<SumKey, Total>, Updates<Coming>);

/// Someone at a pile, who came or went.
type Named = (u32, Who, Diff);

/// The account and product of a cell.
fn spot(cell: &Cell) -> Spot {
    Spot { tenant: cell.tenant, account: cell.account, product: cell.product }
}

/// Everything that stands below nodes of two trees, and what of it changes above.
pub(super) struct Leaves {
    piles: Piles,
    sums: Sums,
    /// Who came and who went since the last tick; whoever did both is named twice.
    people: Vec<Named>,
    /// Cells that came in the epoch and were not looked at.
    cells: Vec<Vec<(Cell, Epoch, Tally)>>,
    /// What else the epoch brings.
    turn: Option<Turn>,
    /// Those who came or went that a tick has still to tell of, by their piles and shares.
    untold: Vec<((u32, u64), Who, Diff)>,
    world: World,
    /// Into how many shares people are parted.
    shares: u64,
}

impl Leaves {
    pub(super) fn new(policy: &Policy, workers: usize) -> Self {
        Self {
            piles: Piles::default(),
            sums: Sums::default(),
            people: Vec::new(),
            cells: Vec::new(),
            turn: None,
            untold: Vec::new(),
            world: World::new(policy),
            shares: u64::try_from(workers).unwrap_or(1).max(1),
        }
    }

    /// Takes in an epoch, without doing anything yet.
    pub(super) fn hear(
        &mut self,
        cells: impl Iterator<Item = Vec<(Cell, Epoch, Tally)>>,
        tables: impl IntoIterator<Item = (Table, Diff)>,
    ) {
        self.cells.extend(cells);
        let turn = Turn::of(tables);
        self.turn = (turn.tick || turn.changes()).then_some(turn);
    }

    /// Adds some more lists of cells to their piles; what is new is linked as it comes, so that a tick finds less to do.
    fn take_in(&mut self, budget: &mut usize) {
        while *budget > 0
            && let Some(list) = self.cells.pop()
        {
            *budget = budget.saturating_sub(LOOKED_FOR * list.len());
            fetch(list.iter().map(|(cell, ..)| self.piles.look(spot(cell), cell.span)));
            for (cell, _, tally) in list {
                self.add(&cell, tally);
            }
        }
        self.piles.link(budget, &mut self.world, &mut self.sums);
    }

    fn add(&mut self, cell: &Cell, tally: Tally) {
        let pile = self.piles.add(spot(cell), cell.span, &tally);
        let user = cell.user.map(Who::User);
        for who in user.into_iter().chain(cell.device.map(Who::Device)) {
            let diff = self.piles.name(pile, who, tally.events);
            if diff != 0 {
                self.people.push((pile, who, diff));
            }
        }
    }

    /// Begins a tick: what changed since the last one goes up by the trees and calendars as they are from now on.
    fn turn(&mut self, turn: Turn, (_, coming): &mut Told) {
        let people = std::mem::take(&mut self.people);
        self.untold = self.parted(people);
        if turn.changes() {
            // Who goes, goes by the trees of before.
            self.tell(&mut { usize::MAX }, coming);
            let named = self.piles.named(&turn, &self.world);
            self.untold = self.parted(self.all(&named, -1));
            self.tell(&mut { usize::MAX }, coming);
            for pile in self.piles.turned(&turn, &self.world) {
                self.piles.unlink(pile, &mut self.sums);
            }
            self.world.change(turn);
            self.untold = self.parted(self.all(&named, 1));
            self.piles.link(&mut { usize::MAX }, &mut self.world, &mut self.sums);
        }
        self.piles.begin_carrying();
    }

    /// Does a part of what is left of an epoch: so much of it, or all.
    pub(super) fn go_on(&mut self, part: usize, told: &mut Told) -> Left {
        let mut budget = part;
        self.take_in(&mut budget);
        if !self.cells.is_empty() || !self.piles.is_linked() {
            return Left::Something;
        }
        if let Some(turn) = self.turn.take() {
            self.turn(turn, told);
        }
        let (more, coming) = told;
        self.tell(&mut budget, coming);
        self.piles.carry(&mut budget, &mut self.sums);
        // What comes to a sum is told once, when all of it is there.
        if self.piles.is_carried() {
            self.sums.tell(&mut budget, more);
        }
        let is_done = self.untold.is_empty() && self.piles.is_carried() && self.sums.is_told();
        if is_done { Left::Nothing } else { Left::Something }
    }

    /// Everyone at some piles, as a change.
    fn all(&self, piles: &[u32], sign: Diff) -> Vec<Named> {
        let who = piles.iter().flat_map(|pile| self.piles.who(*pile).map(|who| (*pile, who, sign)));
        who.collect()
    }

    /// Who came and who went, by pile and share.
    fn parted(&self, people: Vec<Named>) -> Vec<((u32, u64), Who, Diff)> {
        let share_of = |who: &Who| match who {
            Who::User(UserId(id)) | Who::Device(DeviceId(id)) => mix(&[*id]) % self.shares,
        };
        let parted =
            people.into_iter().map(|(pile, who, diff)| ((pile, share_of(&who)), who, diff));
        let mut parted: Vec<((u32, u64), Who, Diff)> = parted.collect();
        parted.sort_unstable_by_key(|(key, ..)| *key);
        parted
    }

    /// Tells of some more who came and who went, and at which nodes.
    fn tell(&mut self, budget: &mut usize, told: &mut Updates<Coming>) {
        let (mut over, mut across) = (Ways::default(), Ways::default());
        while *budget > 0
            && let Some(&((pile, share), ..)) = self.untold.last()
        {
            let others = self.untold.iter().rposition(|(key, ..)| *key != (pile, share));
            let same = self.untold.drain(others.map_or(0, |last| last + 1)..);
            let who: Vec<(Who, Diff)> = same.map(|(_, who, diff)| (who, diff)).collect();
            let (spot, span) = self.piles.node(pile);
            let nodes = self.world.above(spot, span, &mut over, &mut across);
            *budget = budget.saturating_sub(who.len() + nodes.len());
            told.push((Coming { nodes, who, share }, 1));
        }
        if self.untold.is_empty() {
            self.untold.shrink_to(ROOM_KEPT);
        }
    }

    /// Whether nothing is kept.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let nothing_left = self.cells.is_empty() && self.turn.is_none();
        nothing_left && self.piles.is_empty() && self.sums.is_empty() && self.people.is_empty()
    }
}
