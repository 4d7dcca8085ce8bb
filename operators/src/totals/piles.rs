//! What adds up of each account and product in a piece of time, and the way from there to the nodes.
//!
//! A pile lies below those of the account's parents, as far as the edges hold in its time, and below the nodes
//! of its product's way up, in the periods of its time. These links are looked for once and kept as numbers until an
//! edge of this account, or of a product above, or its calendar changes.
//!
//! total(a, p, t) = Σ { quantity of cells at a and p in t } + Σ { total of the piles below }
//!
//! Since totals are kept, a subtree moves with the piles of the account that moves, whatever is below it.
//!
//! Work per change: the cell; at a tick, the piles above those that changed, each once. A pile that has nothing
//! any more, and none below it, is forgotten.

use super::numbers::{Grid, next};
use super::sums::Sums;
use super::world::{Turn, Ways, World};
use super::{LOOKED_FOR, Spot, Who};
use crate::epochs::ROOM_KEPT;
use crate::few::FewMap;
use crate::lists::Lists;
use crate::tally::Tally;
use differential_dataflow::difference::{IsZero as _, Multiply as _, Semigroup as _};
use trueup_model::hash::IdSet;
use trueup_model::id::{AccountId, ProductId};
use trueup_model::time::Span;

/// What adds up of an account and product in a piece of time.
#[derive(Default)]
struct Pile {
    /// What came since the last tick.
    since: Tally,
    /// Everything that the piles and nodes above were given.
    total: Tally,
    /// The piles directly above, and behind them the sums to which it adds.
    links: Box<[u32]>,
    /// How many of the links are piles.
    parents: u32,
    /// How many changed piles below have not been carried up yet.
    waits: u32,
    /// Where it stands in the lists of its account and of its product.
    listed: [u32; 2],
    /// Whether it is among the changed ones.
    changed: bool,
    /// How many events of its own name each.
    who: FewMap<Who, i128>,
}

/// The piles of an account or a product.
#[derive(Default)]
struct List {
    piles: Vec<u32>,
    /// How many of them name someone.
    named: usize,
}

/// All piles of a worker.
#[derive(Default)]
pub(super) struct Piles {
    grid: Grid<Span>,
    piles: Lists<Pile>,
    /// By the numbers of accounts, and of products.
    lists: [Vec<List>; 2],
    /// Those that have something to carry up, or may be forgotten.
    changed: Vec<u32>,
    /// Those whose links are still to be looked for, behind those that were linked since they were listed.
    unlinked: Vec<u32>,
    /// How many of them were linked.
    linked: usize,
    /// What a tick has still to carry.
    carrying: Carrying,
    /// How many had something to carry up at the last tick.
    usual: usize,
}

/// The changed piles of a tick, and how many of them came to each stage.
#[derive(Default)]
struct Carrying {
    changed: Vec<u32>,
    /// How many are waited for by those above.
    marked: usize,
    /// How many carried up what they have, if they wait for none below.
    carried: usize,
    /// How many are forgotten, if they have nothing.
    tidied: usize,
}

impl Pile {
    fn is_empty(&self) -> bool {
        self.total.is_zero() && self.since.is_zero() && self.who.is_empty()
    }
}

impl Piles {
    /// Looks at what adding to a pile needs.
    pub(super) fn look(&self, spot: Spot, span: Span) -> usize {
        let number = self.grid.find(spot, span);
        number.map_or(0, |number| usize::from(self.piles[number as usize].changed))
    }

    /// Adds to a pile; gives its number.
    pub(super) fn add(&mut self, spot: Spot, span: Span, tally: &Tally) -> u32 {
        let number = self.number(spot, span);
        self.piles[number as usize].since.plus_equals(tally);
        self.mark(number);
        number
    }

    /// Notes that so many events more name someone; gives 1 or -1 if they came or went.
    pub(super) fn name(&mut self, number: u32, who: Who, events: i128) -> isize {
        let pile = &mut self.piles[number as usize];
        let was_named = !pile.who.is_empty();
        let count = pile.who.or_insert_with(who, || 0);
        let before = *count != 0;
        *count += events;
        let now = *count != 0;
        if !now {
            pile.who.remove(&who);
        }
        let is_named = !pile.who.is_empty();
        if is_named != was_named {
            for (lists, side) in self.lists.iter_mut().zip(self.grid.sides(number)) {
                let named = &mut lists[side as usize].named;
                *named = if is_named { *named + 1 } else { *named - 1 };
            }
        }
        isize::from(now) - isize::from(before)
    }

    /// Which account, product and piece of time it is.
    pub(super) fn node(&self, number: u32) -> (Spot, Span) {
        self.grid.node(number)
    }

    /// Whom events of a pile name.
    pub(super) fn who(&self, number: u32) -> impl Iterator<Item = Who> {
        self.piles[number as usize].who.keys().copied()
    }

    /// The number of a pile, which is made if there is none.
    fn number(&mut self, spot: Spot, span: Span) -> u32 {
        let (number, is_new) = self.grid.number(spot, span);
        if !is_new {
            return number;
        }
        self.piles.grow(self.grid.len(), Pile::default);
        let pile = &mut self.piles[number as usize];
        let sides = self.grid.sides(number);
        for ((lists, side), place) in self.lists.iter_mut().zip(sides).zip(&mut pile.listed) {
            let side = side as usize;
            if lists.len() <= side {
                lists.resize_with(side + 1, List::default);
            }
            let list = &mut lists[side].piles;
            *place = next(list.len() + 1);
            list.push(number);
        }
        self.unlinked.push(number);
        self.mark(number);
        number
    }

    fn mark(&mut self, number: u32) {
        let pile = &mut self.piles[number as usize];
        if !std::mem::replace(&mut pile.changed, true) {
            self.changed.push(number);
        }
    }

    /// The piles whose links a turn changes.
    pub(super) fn turned(&self, turn: &Turn, world: &World) -> Vec<u32> {
        let [by_account, by_product] = &self.lists;
        let zones = turn.zones.iter().map(|(zone, _)| zone.account);
        let edges = turn.accounts.keys().map(|edge| AccountId(edge.node));
        let accounts = edges.chain(zones).filter_map(|account| self.grid.account(account));
        let mut found: Vec<u32> = Vec::new();
        found.extend(accounts.flat_map(|account| &by_account[account as usize].piles));
        let products = self.products(turn, world).into_iter();
        found.extend(products.flat_map(|product| &by_product[product as usize].piles));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The piles that name someone and whose way up, or whose periods there, a turn changes.
    pub(super) fn named(&self, turn: &Turn, world: &World) -> Vec<u32> {
        let [by_account, by_product] = &self.lists;
        let zones = turn.zones.iter().map(|(zone, _)| zone.account.0);
        let mut accounts: IdSet<u64> = IdSet::default();
        for node in turn.accounts.keys().map(|edge| edge.node).chain(zones) {
            // What is below a node that was seen has been seen.
            if !accounts.contains(&node) {
                accounts.extend(world.accounts.below(node));
            }
        }
        let accounts = accounts.iter().filter_map(|node| self.grid.account(AccountId(*node)));
        let mut lists: Vec<&List> = accounts.map(|one| &by_account[one as usize]).collect();
        let products = self.products(turn, world).into_iter();
        lists.extend(products.map(|product| &by_product[product as usize]));
        let named = lists.into_iter().filter(|list| list.named > 0).flat_map(|list| &list.piles);
        let is_named = |number: &&u32| !self.piles[**number as usize].who.is_empty();
        let mut found: Vec<u32> = named.filter(is_named).copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The numbers of the products whose ways up a turn changes.
    fn products(&self, turn: &Turn, world: &World) -> Vec<u32> {
        let mut seen: IdSet<u64> = IdSet::default();
        let mut found = Vec::new();
        for edge in turn.products.keys() {
            if seen.contains(&edge.node) {
                continue;
            }
            for node in world.products.below(edge.node) {
                if seen.insert(node) {
                    found.extend(self.grid.product(edge.tenant, ProductId(node)));
                }
            }
        }
        found
    }

    /// Takes a pile out of everything above it, until it is linked anew.
    pub(super) fn unlink(&mut self, number: u32, sums: &mut Sums) {
        let pile = &self.piles[number as usize];
        if pile.links.is_empty() {
            return; // It is new, and waits to be linked.
        }
        let gone = pile.total.multiply(&-1);
        self.spread(number, &gone, sums);
        self.release(number, sums);
        self.unlinked.push(number);
    }

    /// Adds to everything directly above a pile.
    fn spread(&mut self, number: u32, tally: &Tally, sums: &mut Sums) {
        if tally.is_zero() {
            return;
        }
        let pile = &mut self.piles[number as usize];
        let links = std::mem::take(&mut pile.links);
        let (parents, above) = links.split_at(pile.parents as usize);
        for parent in parents {
            self.piles[*parent as usize].since.plus_equals(tally);
            self.mark(*parent);
        }
        above.iter().for_each(|sum| sums.add(*sum, tally));
        self.piles[number as usize].links = links;
    }

    /// Holds what is above a pile no longer.
    fn release(&mut self, number: u32, sums: &mut Sums) {
        let pile = &mut self.piles[number as usize];
        let links = std::mem::take(&mut pile.links);
        let (parents, above) = links.split_at(std::mem::take(&mut pile.parents) as usize);
        for parent in parents {
            if self.grid.release(*parent) {
                self.mark(*parent);
            }
        }
        above.iter().for_each(|sum| sums.release(*sum));
    }

    /// Whether every pile has its links.
    pub(super) fn is_linked(&self) -> bool {
        self.unlinked.is_empty()
    }

    /// Looks for the links of some more piles that have none, and adds what they have to what is above them.
    pub(super) fn link(&mut self, budget: &mut usize, world: &mut World, sums: &mut Sums) {
        let mut ways = Ways::default();
        let mut links: Vec<u32> = Vec::new();
        // Piles that are found above others are linked in turn.
        while *budget > 0
            && let Some(number) = self.unlinked.get(self.linked).copied()
        {
            self.linked += 1;
            let (spot, span) = self.grid.node(number);
            for (edge, parent) in world.accounts.parents(spot.account.0) {
                if let Some(both) = edge.overlap(span) {
                    let above = self.number(Spot { account: AccountId(*parent), ..spot }, both);
                    self.grid.hold(above);
                    links.push(above);
                }
            }
            let parents = links.len();
            let way = ways.entry((spot.product.0, span));
            for above in way.or_insert_with(|| world.products.above(spot.product.0, span)) {
                let node = Spot { product: ProductId(above.node), ..spot };
                let around = world.periods.around(node.account, above.span.start);
                links.extend(around.iter().map(|period| sums.hold(node, *period)));
            }
            *budget = budget.saturating_sub(LOOKED_FOR * (1 + links.len()));
            let pile = &mut self.piles[number as usize];
            pile.links = Box::from(&*links);
            pile.parents = u32::try_from(parents).expect("a node has few parents");
            links.clear();
            let total = pile.total;
            self.spread(number, &total, sums);
        }
        if self.linked == self.unlinked.len() {
            self.linked = 0;
            self.unlinked.clear();
            self.unlinked.shrink_to(ROOM_KEPT);
        }
    }

    /// Begins to carry everything that came up to the nodes.
    pub(super) fn begin_carrying(&mut self) {
        debug_assert!(self.is_carried(), "one tick ends before the next begins");
        self.usual = self.changed.len().max(ROOM_KEPT);
        let mut changed = std::mem::take(&mut self.changed);
        // Numbers that were given one after the other lie side by side.
        changed.sort_unstable();
        self.carrying = Carrying { changed, ..Carrying::default() };
    }

    /// Whether everything that was to be carried up has been.
    pub(super) fn is_carried(&self) -> bool {
        self.carrying.changed.is_empty()
    }

    /// Carries some more of it, each pile after those below it; then forgets the piles that have nothing.
    pub(super) fn carry(&mut self, budget: &mut usize, sums: &mut Sums) {
        if self.is_carried() {
            return;
        }
        let mut carrying = std::mem::take(&mut self.carrying);
        let Carrying { changed, marked, carried, tidied } = &mut carrying;
        // What is added to the list while it is tidied has nothing to carry.
        if *tidied == 0 {
            while *budget > 0
                && let Some(number) = changed.get(*marked).copied()
            {
                *marked += 1;
                self.await_below(number, changed);
                *budget = budget.saturating_sub(1 + self.piles[number as usize].parents as usize);
            }
            let mut ready = Vec::new();
            while *budget > 0
                && let Some(first) = changed.get(*carried).copied()
            {
                *carried += 1;
                ready.push(first);
                while let Some(number) = ready.pop() {
                    *budget = budget.saturating_sub(1 + self.piles[number as usize].links.len());
                    self.carry_one(number, sums, &mut ready);
                }
            }
        }
        while *budget > 0
            && let Some(number) = changed.get(*tidied).copied()
        {
            (*tidied, *budget) = (*tidied + 1, *budget - 1);
            self.tidy(number, changed, sums);
        }
        if *tidied == changed.len() {
            changed.clear();
            changed.shrink_to(self.usual);
            self.changed = std::mem::take(changed);
            carrying = Carrying::default();
        }
        self.carrying = carrying;
    }

    /// Has the piles above a changed one wait for it; those are changed as well.
    fn await_below(&mut self, number: u32, changed: &mut Vec<u32>) {
        let pile = &mut self.piles[number as usize];
        let links = std::mem::take(&mut pile.links);
        for parent in &links[..pile.parents as usize] {
            let above = &mut self.piles[*parent as usize];
            above.waits += 1;
            if !std::mem::replace(&mut above.changed, true) {
                changed.push(*parent);
            }
        }
        self.piles[number as usize].links = links;
    }

    /// Carries up what came to one pile, unless it waits for others or was carried up; names those above that wait
    /// for nothing any more.
    fn carry_one(&mut self, number: u32, sums: &mut Sums, ready: &mut Vec<u32>) {
        let pile = &mut self.piles[number as usize];
        if pile.waits > 0 || !std::mem::take(&mut pile.changed) {
            return;
        }
        let since = std::mem::take(&mut pile.since);
        pile.total.plus_equals(&since);
        let links = std::mem::take(&mut pile.links);
        let (parents, above) = links.split_at(pile.parents as usize);
        for parent in parents {
            let pile_above = &mut self.piles[*parent as usize];
            pile_above.since.plus_equals(&since);
            pile_above.waits -= 1;
            if pile_above.waits == 0 {
                ready.push(*parent);
            }
        }
        if !since.is_zero() {
            above.iter().for_each(|sum| sums.add(*sum, &since));
        }
        self.piles[number as usize].links = links;
    }

    /// Forgets a pile if it has nothing; then those above that are held by nobody are candidates as well.
    fn tidy(&mut self, number: u32, candidates: &mut Vec<u32>, sums: &mut Sums) {
        let pile = &self.piles[number as usize];
        debug_assert!(!pile.changed && pile.waits == 0, "no pile stands above itself");
        // One that was forgotten has no links.
        if pile.links.is_empty() || !pile.is_empty() || self.grid.is_held(number) {
            return;
        }
        self.release(number, sums);
        self.forget(number);
        for above in self.changed.drain(..) {
            self.piles[above as usize].changed = false;
            candidates.push(above);
        }
    }

    fn forget(&mut self, number: u32) {
        let Pile { listed, .. } = std::mem::take(&mut self.piles[number as usize]);
        let sides = self.grid.sides(number);
        for (which, (lists, side)) in self.lists.iter_mut().zip(sides).enumerate() {
            let list = &mut lists[side as usize].piles;
            let place = listed[which];
            list.swap_remove(place as usize);
            if let Some(moved) = list.get(place as usize) {
                self.piles[*moved as usize].listed[which] = place;
            }
            if list.is_empty() {
                *list = Vec::new();
            }
        }
        self.grid.free(number);
    }

    /// Whether nothing is kept.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let nothing = |list: &List| list.piles.is_empty() && list.named == 0;
        self.grid.is_empty() && self.changed.is_empty() && self.lists.iter().flatten().all(nothing)
    }
}
