//! One product under one metric: what its accounts bring, where that goes, and what is dirty.

use super::News;
use super::persons::{self, Persons};
use super::position::{Past, last_of};
use super::readings::{Ranking, Readings};
use super::slots::{Entry, Slots, Terms};
use crate::Diff;
use crate::allocate::figures::{Rights, gaps_of, put_in_order, unit_price};
use crate::allocate::grace::tail;
use crate::allocate::grants::Grants;
use crate::allocate::routes::{Route, any_moved, nearest};
use crate::allocate::{Key, Told, Turn, World};
use crate::attribute::Use;
use crate::entitle::{Right, of_account};
use crate::epochs::fetch;
use crate::rows::add;
use crate::volume::Reading;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::contract::Basis;
use trueup_model::hash::IdMap;
use trueup_model::id::AccountId;
use trueup_model::metric::Metric;
use trueup_model::position::{AllocationLine, BasisGap, LicensePosition, Step};
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};

/// A node and a period of its calendar.
pub(super) type Slot = (AccountId, Period);

/// What was given of a slot.
pub(super) struct Given {
    pub(super) position: LicensePosition,
    pub(super) lines: Vec<AllocationLine>,
    pub(super) step: Step,
}

/// One product under one metric.
pub(super) struct Component {
    pub(super) key: Key,
    pub(super) cells: IdMap<(AccountId, Span), i128>,
    pub(super) rights: BTreeMap<Right, Diff>,
    /// What vouches for the rights that count.
    pub(super) basis: Option<Basis>,
    pub(super) pools: BTreeSet<AccountId>,
    pub(super) routes: IdMap<AccountId, Route>,
    /// Where what a node does not cover goes.
    pub(super) above: BTreeMap<AccountId, Route>,
    /// Single quantities, where these count.
    readings: Readings,
    /// Who takes part, where it is people that count.
    persons: Persons,
    pub(super) slots: Slots,
    /// How often lines, trees or what the horizon passed have turned.
    era: u64,
    pub(super) gaps: BTreeSet<BasisGap>,
    /// Whether an account keeps another calendar since this epoch.
    pub(super) rezoned: bool,
    /// Whether cells make demand.
    demands: bool,
    /// The period of the product: the longest for which its lines grant.
    unit: PeriodUnit,
    /// The next instant after the horizon at which a figure changes by itself.
    turn: Option<Timestamp>,
    /// Whether the basis or the period changed in this epoch.
    restated: bool,
    /// Accounts that were routed for the first time in this epoch.
    routed: Vec<AccountId>,
}

impl Component {
    pub(super) fn new(key: Key, world: &World) -> Self {
        Self {
            key,
            cells: IdMap::default(),
            rights: BTreeMap::new(),
            basis: None,
            pools: BTreeSet::new(),
            routes: IdMap::default(),
            above: BTreeMap::new(),
            readings: Readings::default(),
            persons: Persons::default(),
            slots: Slots::default(),
            era: 0,
            gaps: BTreeSet::new(),
            rezoned: false,
            demands: false,
            unit: world.policy.position_period,
            turn: None,
            restated: false,
            routed: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cells.is_empty()
            && self.persons.is_empty()
            && self.readings.is_empty()
            && self.rights.is_empty()
            && self.slots.gives_nothing()
    }

    /// The next instant after the horizon at which a figure changes by itself.
    pub(super) fn turn(&self) -> Option<Timestamp> {
        self.turn
    }

    /// Finds the next turn anew.
    fn next_turn(&self, world: &World) -> Option<Timestamp> {
        let horizon = world.horizon;
        let bounds = self.rights.keys().flat_map(|right| [right.span.start, right.span.end]);
        let uses = self.persons.next_begin();
        let nodes = self.pools.iter().chain(self.routes.keys());
        let unit = self.unit;
        let turns = nodes.map(|node| world.calendars.period(*node, unit, horizon).span.end);
        let routes = self.above.values().flatten().map(|(span, _)| span.start);
        let shorter = self
            .rights
            .keys()
            .filter(|right| right.per < unit)
            .map(|right| world.calendars.period(right.account, right.per, horizon).span.end);
        let graces = self.rights.keys().filter_map(tail).map(|tail| tail.end);
        let all = bounds.chain(graces).chain(uses).chain(turns).chain(routes).chain(shorter);
        all.filter(|at| *at > horizon && *at != Timestamp::MAX).min()
    }

    /// The next turn after what an epoch brought.
    ///
    /// Work: all nodes and lines where lines or routes changed, or the last turn has come; else the
    /// accounts that are new.
    fn plan(&mut self, anew: bool, world: &World) {
        let routed = std::mem::take(&mut self.routed);
        if anew {
            self.turn = self.next_turn(world);
            return;
        }
        let horizon = world.horizon;
        let end = |account| world.calendars.period(account, self.unit, horizon).span.end;
        let ends = routed.into_iter().map(end);
        let ends = ends.filter(|at| *at > horizon && *at != Timestamp::MAX);
        self.turn = ends.chain(self.turn).min();
    }

    pub(super) fn unit(&self) -> PeriodUnit {
        self.unit
    }

    /// The longest period for which lines grant.
    fn longest(&self, world: &World) -> PeriodUnit {
        let usual = world.policy.position_period;
        if self.key.metric != Metric::Volume {
            return usual;
        }
        self.counting().map(|(right, _)| right.per).max().unwrap_or(usual)
    }

    pub(super) fn step(&mut self, news: News, turn: &Turn, world: &World, told: &mut Told) {
        self.rezoned = !turn.zones.is_empty();
        self.restated = false;
        let due = turn.due(self.turn, world.horizon);
        fetch(news.uses.iter().filter_map(|(one, _)| Some(self.persons.look(one.user?))));
        for (one, diff) in news.uses {
            self.hear_use(&one, diff, world);
        }
        let heard_rights = !news.rights.is_empty();
        for (right, diff) in &news.rights {
            add(&mut self.rights, *right, *diff);
        }
        let pools = heard_rights.then(|| self.recount(world));
        let demands =
            self.key.metric == Metric::Volume && world.demands(self.key.product, Metric::Volume);
        let asked = std::mem::replace(&mut self.demands, demands) != demands;
        let held = pools.as_ref().unwrap_or(&self.pools);
        let reroutes = || turn.tree && self.reroutes(turn, world, held);
        let rebuild = pools.as_ref().is_some_and(|pools| *pools != self.pools)
            || self.restated
            || asked
            || !turn.zones.is_empty()
            || reroutes();
        if !rebuild {
            fetch(news.cells.iter().map(|(account, span, _)| self.look(*account, *span, world)));
            fetch(news.readings.iter().map(|(reading, _)| self.look_at(reading, world)));
        }
        for (account, span, quantity) in news.cells {
            let sum = self.cells.entry((account, span)).or_default();
            *sum += quantity;
            if *sum == 0 {
                self.cells.remove(&(account, span));
            }
            if !rebuild && self.demands {
                self.add_cell(account, span, quantity, world);
            }
        }
        for (reading, diff) in news.readings {
            let reading = Ranking::of(&reading);
            self.readings.add(reading, diff);
            if !rebuild {
                self.add_reading(&reading, diff, world);
            }
        }
        if rebuild || due.is_some() {
            self.era += 1;
        }
        if rebuild {
            let pools = pools.unwrap_or_else(|| std::mem::take(&mut self.pools));
            self.rebuild(pools, world);
        } else {
            for (right, _) in &news.rights {
                self.touch_right(right, world);
            }
        }
        if let Some(before) = due {
            self.touch_horizon(before, world);
            self.persons.pass(before, world.horizon);
        }
        self.place_people(world);
        self.settle(world, told);
        if heard_rights || due.is_some() {
            let now = gaps_of(self.key, &self.rights, self.basis, world);
            told.3.extend(self.gaps.difference(&now).map(|gap| (*gap, -1)));
            told.3.extend(now.difference(&self.gaps).map(|gap| (*gap, 1)));
            self.gaps = now;
        }
        self.plan(rebuild || heard_rights || due.is_some(), world);
    }

    /// Takes in that someone took part, or did not.
    fn hear_use(&mut self, one: &Use, diff: Diff, world: &World) {
        let Some(user) = one.user else { return };
        self.persons.hear(user, (one.span, one.account), diff);
        let begin = persons::begin(one.span);
        if begin > world.horizon {
            self.turn = self.turn.into_iter().chain([begin]).min();
        }
    }

    /// Takes in what lines say together; gives the accounts that have some.
    fn recount(&mut self, world: &World) -> BTreeSet<AccountId> {
        let basis = self.rights.keys().map(|right| right.basis).min();
        let rebased = std::mem::replace(&mut self.basis, basis) != basis;
        let unit = self.longest(world);
        let recut = std::mem::replace(&mut self.unit, unit) != unit;
        self.restated = rebased || recut;
        self.counting().map(|(right, _)| right.account).collect()
    }

    /// The rights of the basis that counts.
    fn counting(&self) -> impl Iterator<Item = (&Right, Diff)> {
        let counts = self.rights.iter().filter(|(right, _)| Some(right.basis) == self.basis);
        counts.map(|(right, count)| (right, *count))
    }

    /// Whether the tree may send something elsewhere than before.
    fn reroutes(&self, turn: &Turn, world: &World, pools: &BTreeSet<AccountId>) -> bool {
        let below = |account: &AccountId| {
            let route = self.routes.get(account);
            route.is_some_and(|route| nearest(&world.tree, *account, pools, 0) != *route)
        };
        let between = |account: &AccountId| {
            pools.contains(account)
                && self.above.get(account) != Some(&nearest(&world.tree, *account, pools, 1))
        };
        any_moved(&turn.moved, self.routes.len(), self.routes.keys(), below)
            || any_moved(&turn.moved, pools.len(), pools.iter(), between)
    }

    /// The node that takes what an account brings at an instant.
    fn taker(&mut self, account: AccountId, at: Timestamp, world: &World) -> AccountId {
        let (pools, routed) = (&self.pools, &mut self.routed);
        let route = self.routes.entry(account).or_insert_with(|| {
            routed.push(account);
            nearest(&world.tree, account, pools, 0)
        });
        let piece = route.iter().find(|(span, _)| span.contains(at));
        piece.and_then(|(_, taker)| *taker).unwrap_or(account)
    }

    /// Looks at what a cell needs.
    fn look(&self, account: AccountId, span: Span, world: &World) -> usize {
        let is_known = self.cells.contains_key(&(account, span));
        let entry = self.slot(account, span.start, world);
        usize::from(is_known) + usize::from(entry.is_some_and(Entry::has_demand))
    }

    /// Looks at what a reading needs.
    fn look_at(&self, reading: &Reading, world: &World) -> usize {
        let entry = self.slot(reading.account, reading.at, world);
        entry.map_or(0, |entry| entry.ranked.look())
    }

    /// The slot of what an account brings at an instant, as far as the way there is known.
    fn slot(&self, account: AccountId, at: Timestamp, world: &World) -> Option<&Entry> {
        let mut route = self.routes.get(&account)?.iter();
        let (_, taker) = route.find(|(piece, _)| piece.contains(at))?;
        let node = taker.unwrap_or(account);
        self.slots.get(&(node, world.calendars.period(node, self.unit, at)))
    }

    fn add_cell(&mut self, account: AccountId, span: Span, quantity: i128, world: &World) {
        let node = self.taker(account, span.start, world);
        let period = world.calendars.period(node, self.unit, span.start);
        self.add((node, period), quantity);
    }

    fn add(&mut self, slot: Slot, quantity: i128) {
        let entry = self.slots.mark(slot);
        let sum = entry.own.unwrap_or_default() + quantity;
        entry.own = (sum != 0).then_some(sum);
    }

    /// Ranks a reading among those of its slot, or takes it out; the last of them counts.
    fn add_reading(&mut self, reading: &Ranking, diff: Diff, world: &World) {
        let node = self.taker(reading.account, reading.at, world);
        let slot = (node, world.calendars.period(node, self.unit, reading.at));
        let greatest = self.key.metric == Metric::Maximum;
        let rank = if greatest { reading.quantity.0 } else { reading.at.0 };
        let entry = self.slots.mark(slot);
        entry.ranked.add((rank, reading.fact(), reading.quantity), diff);
        let last = entry.ranked.last_key_value();
        entry.own = last.map(|((_, _, quantity), _)| i128::from(quantity.0));
    }

    /// Whether what several nodes bring can be added up.
    fn adds_up(&self) -> bool {
        !matches!(self.key.metric, Metric::Maximum | Metric::Latest)
    }

    /// Places everything anew.
    fn rebuild(&mut self, pools: BTreeSet<AccountId>, world: &World) {
        let above = |node: &AccountId| (*node, nearest(&world.tree, *node, &pools, 1));
        self.above = pools.iter().map(above).collect();
        self.pools = pools;
        self.routes.clear();
        self.slots.begin_anew();
        self.persons.begin_anew();
        let cells = self.cells.iter().filter(|_| self.demands);
        let cells: Vec<_> = cells.map(|(cell, sum)| (*cell, *sum)).collect();
        for ((account, span), sum) in cells {
            self.add_cell(account, span, sum, world);
        }
        let readings: Vec<_> = self.readings.iter().map(|(one, count)| (*one, count)).collect();
        for (reading, count) in readings {
            self.add_reading(&reading, count, world);
        }
        let rights: Vec<Right> = self.rights.keys().copied().collect();
        for right in rights {
            self.touch_right(&right, world);
        }
    }

    /// Marks the periods for which a right grants something.
    fn touch_right(&mut self, right: &Right, world: &World) {
        self.slots.forget_terms(right.account);
        let start = right.span.start;
        self.slots.mark_given(right.account, |period| period.span.end > start);
        self.touch_now(right.account, world);
    }

    /// Marks the period of a node that holds the horizon.
    fn touch_now(&mut self, node: AccountId, world: &World) {
        if world.horizon != Timestamp::MIN {
            self.slots.mark((node, world.calendars.period(node, self.unit, world.horizon)));
        }
    }

    fn touch_horizon(&mut self, before: Timestamp, world: &World) {
        let pools = std::mem::take(&mut self.pools);
        for node in &pools {
            self.touch_now(*node, world);
        }
        self.pools = pools;
        self.slots.mark_all(|period| period.span.end >= before);
    }

    /// Finds where people count of whom something changed.
    fn place_people(&mut self, world: &World) {
        let mut persons = std::mem::take(&mut self.persons);
        let moved = persons.settle(world.horizon, |account, at| {
            let node = self.taker(account, at, world);
            (node, world.calendars.period(node, self.unit, at))
        });
        self.persons = persons;
        for (slot, diff) in moved {
            self.add(slot, i128::from(Quantity::ONE.0) * diff as i128);
        }
    }

    /// Gives what changed in the marked slots, and passes up what each does not cover.
    fn settle(&mut self, world: &World, told: &mut Told) {
        let mut touched: Vec<Slot> = Vec::new();
        // In rounds, so that a slot that several leave something to is looked at once for all of them.
        loop {
            let round = self.slots.take_marked();
            if round.is_empty() {
                break;
            }
            fetch(round.iter().map(|slot| self.slots.get(slot).map_or(0, Entry::look)));
            for slot in round {
                if self.pass_up(slot, world) {
                    touched.push(slot);
                }
            }
        }
        for slot in touched {
            self.give(slot, world, told);
            self.slots.leave(slot);
        }
    }

    /// Passes up what a slot does not cover; whether it was not looked at before.
    fn pass_up(&mut self, slot: Slot, world: &World) -> bool {
        self.find_terms(slot, world);
        let adds_up = self.adds_up();
        let entry = self.slots.entry(slot);
        let is_new = entry.touch();
        let Some(terms) = &entry.terms else { return is_new };
        let target = terms.target.filter(|_| adds_up);
        let now = target.map(|target| (target, terms.uncovered(entry.inflow())));
        let now = now.filter(|(_, uncovered)| *uncovered != 0);
        let before = std::mem::replace(&mut entry.sent, now);
        if before != now {
            let gone = before.map(|(taker, sum)| (taker, -sum));
            for (taker, sum) in gone.into_iter().chain(now) {
                self.slots.entry(taker).received += sum;
                self.slots.mark(taker);
            }
        }
        is_new
    }

    /// Finds what lines and trees say of a slot, if that is not known yet.
    fn find_terms(&mut self, slot: Slot, world: &World) {
        let era = self.era;
        let known = self.slots.get(&slot).and_then(|entry| entry.terms.as_ref());
        if known.is_some_and(|terms| terms.era == era) {
            return;
        }
        let (node, period) = slot;
        let own = self.own_rights(node);
        let calendar = world.calendars.of(node);
        let grants = Grants::of(self.key.metric, &own, period, calendar, world.horizon);
        let at_end = last_of(period, world);
        let mut rows: Vec<(Right, Diff)> =
            grants.rows.iter().map(|(right, count)| (**right, *count)).collect();
        put_in_order(&mut rows);
        let terms = Terms {
            era,
            target: self.above(node, period, world),
            rows,
            entitled: grants.entitled(),
            overdraft: grants.overdraft(at_end),
            past: Past::of(&own, period, at_end),
            unit_price: unit_price(&own, at_end),
        };
        self.slots.entry(slot).terms = Some(Box::new(terms));
    }

    /// The slot above that takes what a node does not cover; none if what it takes would come back.
    ///
    /// Periods of two calendars may begin together and end apart, with another tree at each end.
    fn above(&self, node: AccountId, period: Period, world: &World) -> Option<Slot> {
        let taker = self.next_above((node, period), world)?;
        let mut way: Vec<Slot> = Vec::new();
        let mut top = taker;
        while let Some(next) = self.next_above(top, world) {
            if next == (node, period) {
                return None;
            }
            if next == taker || way.contains(&next) {
                break;
            }
            way.push(next);
            top = next;
        }
        Some(taker)
    }

    /// The slot of the nearest node with lines above, by the tree as it stands at the end of the
    /// period, or at the horizon if that is earlier.
    fn next_above(&self, (node, period): Slot, world: &World) -> Option<Slot> {
        let last = last_of(period, world);
        let mut pieces = self.above.get(&node)?.iter();
        let taker = pieces.find(|(span, _)| span.contains(last)).and_then(|(_, taker)| *taker)?;
        Some((taker, world.calendars.period(taker, self.unit, period.span.start)))
    }

    fn own_rights(&self, node: AccountId) -> Rights<'_> {
        let own = of_account(&self.rights, node);
        own.filter(|(right, _)| Some(right.basis) == self.basis).collect()
    }
}
