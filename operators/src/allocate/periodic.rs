//! Allocation of metrics that count in periods: volumes, and named users by activity.
//!
//! inflow(n, P)    = Σ { quantity of cells in P : n takes the cell's account at the cell's time }
//!                 + Σ { uncovered(m, Q) : n takes what m leaves, Q begins in P }
//! uncovered(n, P) = max(0, inflow(n, P) − entitled(n, P))
//!
//! What is entitled stands in `grants.rs`. A person who is active for several accounts in one period
//! counts once: where they were active first.
//!
//! Work per change: the periods of the cell or person on the way up.

use super::figures::{Rights, fill, gaps_of, unit_price};
use super::grants::Grants;
use super::routes::{Route, nearest};
use super::{Allocation, Found, Heard, Key, Surroundings, Turn, World};
use crate::attribute::{Rule, Use};
use crate::entitle::Right;
use crate::epochs::{Updates, by_key, each_epoch, everywhere};
use crate::tally::Tally;
use crate::timeline::clamped;
use crate::volume::Cell;
use crate::{Diff, Facts};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use timely::dataflow::operators::vec::Map as _;
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::contract::Basis;
use trueup_model::hash::IdMap;
use trueup_model::id::{AccountId, ProductId, UserId};
use trueup_model::metric::Metric;
use trueup_model::position::{
    AllocationLine, BasisGap, LicensePosition, PositionKey, PositionState, Step,
};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

/// A row that arrives, with what it weighs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Row {
    Cell(Cell),
    Other(Heard),
}

/// Covers the demand of metrics that count in periods.
pub fn allocate_periods<'s>(
    cells: Facts<'s, Cell, Tally>,
    uses: Facts<'s, Use>,
    rights: Facts<'s, Right>,
    rules: Facts<'s, (ProductId, Rule)>,
    around: Surroundings<'s>,
    policy: Policy,
) -> Allocation<'s> {
    let unit = Tally { events: 1, quantity: 0 };
    let by_activity =
        rules.filter(|(_, rule)| rule.counts_active_users()).map(|(product, _)| product);
    let active = uses
        .filter(|one| one.metric == Metric::Concurrent && one.user.is_some())
        .map(|one| (one.product, Use { metric: Metric::NamedUser, ..one }))
        .semijoin(by_activity)
        .map(|(_, one)| Row::Other(Heard::Use(Box::new(one))));
    let granted = rights.map(|right| Row::Other(Heard::Right(Box::new(right))));
    let rows = by_key(active.concat(granted).explode(move |row| Some((row, unit))), place);
    let cells = by_key(cells.map(Row::Cell), place);
    let tables = around.edges.map(Heard::Edge);
    let tables = tables.concat(around.zones.map(Heard::Zone));
    let tables = tables.concat(around.horizon.map(Heard::Horizon)).map(Row::Other);
    let tables = everywhere(tables.explode(move |row| Some((row, unit))));
    let mut state = State {
        world: World::new(policy),
        components: IdMap::default(),
        schedule: BTreeMap::new(),
    };
    let all = rows.concat(cells).concat(tables);
    let found = each_epoch(all, "Allocate: periods", move |updates, changes| {
        state.step(updates, changes);
    });
    super::split(found.map(|row| row))
}

fn key(row: &Row) -> Option<Key> {
    match row {
        Row::Cell(cell) => {
            Some(Key { tenant: cell.tenant, product: cell.product, metric: Metric::Volume })
        }
        Row::Other(Heard::Use(one)) => {
            Some(Key { tenant: one.tenant, product: one.product, metric: one.metric })
        }
        Row::Other(Heard::Right(right)) => Some(Key::of_right(right)),
        Row::Other(Heard::Edge(_) | Heard::Zone(_) | Heard::Horizon(_)) => None,
    }
}

fn place(row: &Row) -> u64 {
    key(row).map_or(0, |key| key.place())
}

struct State {
    world: World,
    components: IdMap<Key, Component>,
    /// Products whose figures change when the horizon passes an instant.
    schedule: BTreeMap<Timestamp, BTreeSet<Key>>,
}

/// What an epoch brings to a product.
#[derive(Default)]
struct News {
    cells: Vec<(Cell, i128)>,
    uses: Vec<(Use, Diff)>,
    rights: Vec<(Right, Diff)>,
}

impl State {
    fn step(&mut self, updates: Updates<Row, Tally>, changes: &mut Updates<Found>) {
        let mut news: BTreeMap<Key, News> = BTreeMap::new();
        let mut shared = Vec::new();
        for (row, tally) in updates {
            let key = key(&row);
            let count = Diff::try_from(tally.events).unwrap_or(0);
            match (row, key) {
                (Row::Cell(cell), Some(key)) => {
                    news.entry(key).or_default().cells.push((cell, tally.quantity));
                }
                (Row::Other(Heard::Use(one)), Some(key)) => {
                    news.entry(key).or_default().uses.push((*one, count));
                }
                (Row::Other(Heard::Right(right)), Some(key)) => {
                    news.entry(key).or_default().rights.push((*right, count));
                }
                (Row::Other(heard), _) => shared.push((heard, count)),
                (Row::Cell(_), None) => {}
            }
        }
        let mut turn = Turn::default();
        self.world.hear(shared, &mut turn);
        if turn.tree || !turn.zones.is_empty() || turn.horizon_before == Some(Timestamp::MIN) {
            for key in self.components.keys() {
                news.entry(*key).or_default();
            }
        } else if turn.horizon_before.is_some() {
            let later = self.schedule.split_off(&self.world.horizon.plus_us(1));
            let due = std::mem::replace(&mut self.schedule, later);
            for key in due.into_values().flatten() {
                news.entry(key).or_default();
            }
        }
        for (key, brought) in news {
            let component = self.components.entry(key).or_insert_with(|| Component::new(key));
            component.step(brought, &turn, &self.world, changes);
            if component.is_empty() {
                self.components.remove(&key);
            } else if let Some(at) = component.next_turn(&self.world) {
                self.schedule.entry(at).or_default().insert(key);
            }
        }
    }
}

/// A node and a period of its calendar.
type Slot = (AccountId, Period);

/// One product under one metric.
struct Component {
    key: Key,
    cells: BTreeMap<(AccountId, Span), i128>,
    uses: BTreeMap<UserId, BTreeMap<(Span, AccountId), Diff>>,
    rights: BTreeMap<Right, Diff>,
    /// What vouches for the rights that count.
    basis: Option<Basis>,
    pools: BTreeSet<AccountId>,
    routes: BTreeMap<AccountId, Route>,
    /// Where what a node does not cover goes.
    above: BTreeMap<AccountId, Route>,
    /// Which slots each person counts in.
    persons: BTreeMap<UserId, BTreeSet<Slot>>,
    /// What accounts bring to each slot.
    own: BTreeMap<Slot, i128>,
    /// What each slot leaves to another.
    sent: BTreeMap<Slot, (Slot, i128)>,
    /// What each slot receives from others.
    received: BTreeMap<Slot, i128>,
    positions: BTreeMap<Slot, LicensePosition>,
    lines: BTreeMap<Slot, Vec<AllocationLine>>,
    steps: BTreeMap<Slot, Step>,
    gaps: BTreeSet<BasisGap>,
    /// Whether an account keeps another calendar since this epoch.
    rezoned: bool,
}

impl Component {
    fn new(key: Key) -> Self {
        Self {
            key,
            cells: BTreeMap::new(),
            uses: BTreeMap::new(),
            rights: BTreeMap::new(),
            basis: None,
            pools: BTreeSet::new(),
            routes: BTreeMap::new(),
            above: BTreeMap::new(),
            persons: BTreeMap::new(),
            own: BTreeMap::new(),
            sent: BTreeMap::new(),
            received: BTreeMap::new(),
            positions: BTreeMap::new(),
            lines: BTreeMap::new(),
            steps: BTreeMap::new(),
            gaps: BTreeSet::new(),
            rezoned: false,
        }
    }

    fn is_empty(&self) -> bool {
        self.cells.is_empty()
            && self.uses.is_empty()
            && self.rights.is_empty()
            && self.positions.is_empty()
    }

    /// The next instant after the horizon at which a figure changes by itself.
    fn next_turn(&self, world: &World) -> Option<Timestamp> {
        let horizon = world.horizon;
        let bounds = self.rights.keys().flat_map(|right| [right.span.start, right.span.end]);
        let uses = self.uses.values().flat_map(BTreeMap::keys).map(|(span, _)| span.start);
        let nodes = self.pools.iter().chain(self.routes.keys());
        let unit = self.unit(world);
        let turns = nodes.map(|node| world.calendars.of(*node).period(unit, horizon).span.end);
        let routes = self.above.values().flatten().map(|(span, _)| span.start);
        let shorter = self
            .rights
            .keys()
            .filter(|right| right.per < unit)
            .map(|right| world.calendars.of(right.account).period(right.per, horizon).span.end);
        let all = bounds.chain(uses).chain(turns).chain(routes).chain(shorter);
        all.filter(|at| *at > horizon && *at != Timestamp::MAX).min()
    }

    /// The period of the product: the longest for which its lines grant.
    fn unit(&self, world: &World) -> PeriodUnit {
        let usual = world.policy.position_period;
        if self.key.metric != Metric::Volume {
            return usual;
        }
        self.counting().map(|(right, _)| right.per).max().unwrap_or(usual)
    }

    fn step(&mut self, news: News, turn: &Turn, world: &World, changes: &mut Updates<Found>) {
        self.rezoned = !turn.zones.is_empty();
        let mut dirty: BTreeSet<Slot> = BTreeSet::new();
        let unit = self.unit(world);
        let mut people: BTreeSet<UserId> = BTreeSet::new();
        for (one, diff) in news.uses {
            let Some(user) = one.user else { continue };
            let rows = self.uses.entry(user).or_default();
            count(rows, (one.span, one.account), diff);
            people.insert(user);
        }
        let heard_rights = !news.rights.is_empty();
        for (right, diff) in &news.rights {
            count(&mut self.rights, *right, *diff);
        }
        let basis = self.rights.keys().map(|right| right.basis).min();
        let rebased = std::mem::replace(&mut self.basis, basis) != basis;
        let pools: BTreeSet<AccountId> = self.counting().map(|(right, _)| right.account).collect();
        let rebuild = rebased
            || pools != self.pools
            || unit != self.unit(world)
            || !turn.zones.is_empty()
            || (turn.tree && self.reroutes(world, &pools));
        for (cell, quantity) in news.cells {
            let sum = self.cells.entry((cell.account, cell.span)).or_default();
            *sum += quantity;
            if *sum == 0 {
                self.cells.remove(&(cell.account, cell.span));
            }
            if !rebuild {
                self.add_cell(cell.account, cell.span, quantity, world, &mut dirty);
            }
        }
        if rebuild {
            self.rebuild(pools, world, &mut dirty);
            people = self.uses.keys().copied().collect();
        } else {
            for (right, _) in &news.rights {
                self.touch_right(right, world, &mut dirty);
            }
        }
        if let Some(before) = turn.horizon_before {
            self.touch_horizon(before, world, &mut dirty);
            let growing = |rows: &BTreeMap<(Span, AccountId), Diff>| {
                rows.keys().any(|(span, _)| span.end > before)
            };
            people.extend(self.uses.iter().filter(|(_, rows)| growing(rows)).map(|(user, _)| user));
        }
        for user in people {
            self.place_person(user, world, &mut dirty);
        }
        self.settle(dirty, world, changes);
        if heard_rights || turn.horizon_before.is_some() {
            let now = gaps_of(self.key, &self.rights, self.basis, world);
            changes.extend(self.gaps.difference(&now).map(|gap| (Found::Gap(*gap), -1)));
            changes.extend(now.difference(&self.gaps).map(|gap| (Found::Gap(*gap), 1)));
            self.gaps = now;
        }
    }

    /// The rights of the basis that counts.
    fn counting(&self) -> impl Iterator<Item = (&Right, Diff)> {
        let counts = self.rights.iter().filter(|(right, _)| Some(right.basis) == self.basis);
        counts.map(|(right, count)| (right, *count))
    }

    /// Whether the tree may send something elsewhere than before.
    fn reroutes(&self, world: &World, pools: &BTreeSet<AccountId>) -> bool {
        let moved = |(account, route): (&AccountId, &Route)| {
            nearest(&world.tree, *account, pools, 0) != *route
        };
        let between = |account: &AccountId| {
            self.above.get(account) != Some(&nearest(&world.tree, *account, pools, 1))
        };
        self.routes.iter().any(moved) || pools.iter().any(between)
    }

    /// The node that takes what an account brings at an instant.
    fn taker(&mut self, account: AccountId, at: Timestamp, world: &World) -> AccountId {
        let pools = &self.pools;
        let route =
            self.routes.entry(account).or_insert_with(|| nearest(&world.tree, account, pools, 0));
        let piece = route.iter().find(|(span, _)| span.contains(at));
        piece.and_then(|(_, taker)| *taker).unwrap_or(account)
    }

    fn add_cell(
        &mut self,
        account: AccountId,
        span: Span,
        quantity: i128,
        world: &World,
        dirty: &mut BTreeSet<Slot>,
    ) {
        let node = self.taker(account, span.start, world);
        let period = world.calendars.of(node).period(self.unit(world), span.start);
        self.add((node, period), quantity, dirty);
    }

    fn add(&mut self, slot: Slot, quantity: i128, dirty: &mut BTreeSet<Slot>) {
        let sum = self.own.entry(slot).or_default();
        *sum += quantity;
        if *sum == 0 {
            self.own.remove(&slot);
        }
        dirty.insert(slot);
    }

    /// Places everything anew.
    fn rebuild(&mut self, pools: BTreeSet<AccountId>, world: &World, dirty: &mut BTreeSet<Slot>) {
        dirty.extend(self.positions.keys());
        let above = |node: &AccountId| (*node, nearest(&world.tree, *node, &pools, 1));
        self.above = pools.iter().map(above).collect();
        self.pools = pools;
        self.routes.clear();
        self.own.clear();
        self.sent.clear();
        self.received.clear();
        self.persons.clear();
        let cells: Vec<_> = self.cells.iter().map(|(cell, sum)| (*cell, *sum)).collect();
        for ((account, span), sum) in cells {
            self.add_cell(account, span, sum, world, dirty);
        }
        let rights: Vec<Right> = self.rights.keys().copied().collect();
        for right in rights {
            self.touch_right(&right, world, dirty);
        }
    }

    /// Marks the periods for which a right grants something.
    fn touch_right(&self, right: &Right, world: &World, dirty: &mut BTreeSet<Slot>) {
        let given = self.positions.keys().filter(|(node, _)| *node == right.account);
        dirty.extend(given.filter(|(_, period)| period.span.end > right.span.start));
        self.touch_now(right.account, world, dirty);
    }

    /// Marks the period of a node that holds the horizon.
    fn touch_now(&self, node: AccountId, world: &World, dirty: &mut BTreeSet<Slot>) {
        if world.horizon != Timestamp::MIN {
            let calendar = world.calendars.of(node);
            dirty.insert((node, calendar.period(self.unit(world), world.horizon)));
        }
    }

    fn touch_horizon(&self, before: Timestamp, world: &World, dirty: &mut BTreeSet<Slot>) {
        for node in &self.pools {
            self.touch_now(*node, world, dirty);
        }
        let passed = |period: &Period| period.span.end >= before;
        dirty.extend(self.positions.keys().filter(|(_, period)| passed(period)));
        dirty.extend(self.own.keys().filter(|(_, period)| passed(period)));
    }

    /// Finds anew where a person counts.
    fn place_person(&mut self, user: UserId, world: &World, dirty: &mut BTreeSet<Slot>) {
        let rows: Vec<(Span, AccountId)> =
            self.uses.get(&user).into_iter().flat_map(BTreeMap::keys).copied().collect();
        let unit = self.unit(world);
        let seen = Span::new(Timestamp::EARLIEST, world.horizon.plus_us(1));
        // For each period, where the person was active first.
        let mut first: BTreeMap<Period, (Timestamp, AccountId, AccountId)> = BTreeMap::new();
        for (span, account) in &rows {
            let Some(active) = span.overlap(seen) else { continue };
            let mut at = active.start;
            while at < active.end {
                let node = self.taker(*account, at, world);
                let period = world.calendars.of(node).period(unit, at);
                let claim = (at, *account, node);
                let best = first.entry(period).or_insert(claim);
                *best = (*best).min(claim);
                at = period.span.end;
            }
        }
        let now: BTreeSet<Slot> =
            first.into_iter().map(|(period, (_, _, node))| (node, period)).collect();
        let before = self.persons.remove(&user).unwrap_or_default();
        let one = i128::from(Quantity::ONE.0);
        for slot in before.difference(&now) {
            self.add(*slot, -one, dirty);
        }
        for slot in now.difference(&before) {
            self.add(*slot, one, dirty);
        }
        if !now.is_empty() {
            self.persons.insert(user, now);
        }
        if rows.is_empty() {
            self.uses.remove(&user);
        }
    }

    /// Gives what changed in the dirty slots, and passes up what each does not cover.
    fn settle(&mut self, mut dirty: BTreeSet<Slot>, world: &World, changes: &mut Updates<Found>) {
        let mut touched: BTreeSet<Slot> = BTreeSet::new();
        while let Some(slot) = dirty.pop_first() {
            touched.insert(slot);
            let (node, period) = slot;
            let inflow = self.inflow(&slot);
            let limit = limit_of(self.grants(slot, world).entitled());
            let uncovered = limit.map_or(0, |limit| (inflow - limit).max(0));
            let target = self.above(node, period, world).filter(|_| uncovered != 0);
            let now = target.map(|target| (target, uncovered));
            let before = match now {
                Some(sent) => self.sent.insert(slot, sent),
                None => self.sent.remove(&slot),
            };
            if before != now {
                for (taker, sum, sign) in before
                    .map(|(to, sum)| (to, sum, -1))
                    .into_iter()
                    .chain(now.map(|(to, sum)| (to, sum, 1)))
                {
                    let entry = self.received.entry(taker).or_default();
                    *entry += sum * sign;
                    if *entry == 0 {
                        self.received.remove(&taker);
                    }
                    dirty.insert(taker);
                }
            }
        }
        for slot in touched {
            self.give(slot, world, changes);
        }
    }

    fn inflow(&self, slot: &Slot) -> i128 {
        let own = self.own.get(slot).copied().unwrap_or_default();
        own + self.received.get(slot).copied().unwrap_or_default()
    }

    /// The slot above that takes what a node does not cover: by the tree as it stands at the end of
    /// the period, or at the horizon if that is earlier.
    fn above(&self, node: AccountId, period: Period, world: &World) -> Option<Slot> {
        let last = last_of(period, world);
        let mut pieces = self.above.get(&node)?.iter();
        let taker = pieces.find(|(span, _)| span.contains(last)).and_then(|(_, taker)| *taker)?;
        let calendar = world.calendars.of(taker);
        Some((taker, calendar.period(self.unit(world), period.span.start)))
    }

    fn own_rights(&self, node: AccountId) -> Rights<'_> {
        self.counting().filter(|(right, _)| right.account == node).collect()
    }

    /// What a node's lines grant for a period.
    fn grants(&self, (node, period): Slot, world: &World) -> Grants<'_> {
        let calendar = world.calendars.of(node);
        Grants::of(self.key.metric, &self.own_rights(node), period, calendar, world.horizon)
    }

    fn give(&mut self, slot: Slot, world: &World, changes: &mut Updates<Found>) {
        let position = self.position(slot, world);
        let lines = position.map(|position| fill(&position, &self.grants(slot, world).rows));
        let step = position.map(|position| self.step_of(slot, &position));
        let before = match position {
            Some(position) => self.positions.insert(slot, position),
            None => self.positions.remove(&slot),
        };
        if before != position {
            changes.extend(before.map(|old| (Found::Position(old), -1)));
            changes.extend(position.map(|new| (Found::Position(new), 1)));
        }
        let old_lines = self.lines.remove(&slot).unwrap_or_default();
        let lines = lines.unwrap_or_default();
        if old_lines != lines {
            changes.extend(old_lines.into_iter().map(|line| (Found::Line(line), -1)));
            changes.extend(lines.iter().map(|line| (Found::Line(*line), 1)));
        }
        if !lines.is_empty() {
            self.lines.insert(slot, lines);
        }
        let old_step = match step {
            Some(step) => self.steps.insert(slot, step),
            None => self.steps.remove(&slot),
        };
        if old_step != step {
            changes.extend(old_step.map(|old| (Found::Step(old), -1)));
            changes.extend(step.map(|new| (Found::Step(new), 1)));
        }
    }

    /// A volume has no level; its step is the period's total at the period's start.
    fn step_of(&self, slot: Slot, position: &LicensePosition) -> Step {
        Step {
            tenant: self.key.tenant,
            account: slot.0,
            product: self.key.product,
            metric: self.key.metric,
            at: slot.1.span.start,
            demand: i128::from(position.demand.0),
            entitled: 0,
            overdraft: 0,
            unlimited: 0,
            unknown: 0,
        }
    }

    fn position(&self, slot: Slot, world: &World) -> Option<LicensePosition> {
        let (node, period) = slot;
        let horizon = world.horizon;
        if horizon == Timestamp::MIN || period.span.start > horizon {
            return None;
        }
        if period.unit != self.unit(world) || (self.rezoned && !world.is_period_of(node, period)) {
            return None;
        }
        let current = period.span.contains(horizon);
        let inflow = self.inflow(&slot);
        let grants = self.grants(slot, world);
        let entitled = grants.entitled();
        let has_demand = self.own.contains_key(&slot) || self.received.contains_key(&slot);
        let granted_now = current && entitled.is_some();
        if !has_demand && !granted_now {
            return None;
        }
        let own = self.own_rights(node);
        let limit = limit_of(entitled);
        let uncovered = limit.map_or(0, |limit| (inflow - limit).max(0));
        let passed = self.sent.contains_key(&slot);
        let shortfall = if passed { 0 } else { uncovered };
        let ended = own.iter().any(|(right, _)| right.span.end <= period.span.start);
        let expired = if entitled.is_none() && ended { shortfall } else { 0 };
        let at_end = last_of(period, world);
        let overdraft = grants.overdraft(at_end);
        let beyond = (shortfall - overdraft).max(0);
        let state = match (shortfall > 0, entitled) {
            (false, Some(Capacity::Unknown)) if inflow > 0 => PositionState::CapacityUnknown,
            (false, _) if passed => PositionState::PassedUp,
            (false, _) => PositionState::Covered,
            (true, _) => short_state(entitled, ended, beyond),
        };
        let none = |holds: bool| if holds { period.span.start } else { Timestamp::MAX };
        let last = match (shortfall > 0, current) {
            (false, _) => Timestamp::MIN,
            (true, true) => Timestamp::MAX,
            (true, false) => period.span.end,
        };
        Some(LicensePosition {
            key: PositionKey {
                tenant: self.key.tenant,
                account: node,
                product: self.key.product,
                metric: self.key.metric,
                period,
            },
            current,
            basis: self.basis.filter(|_| self.pools.contains(&node)),
            entitled: entitled.unwrap_or(Capacity::Limited(Quantity::ZERO)),
            overdraft: clamped(overdraft),
            demand: clamped(inflow),
            peak: clamped(inflow),
            peak_at: period.span.start,
            demand_unit_us: 0,
            shortfall: clamped(shortfall),
            shortfall_at: none(shortfall > 0),
            shortfall_first: none(shortfall > 0),
            shortfall_last: last,
            shortfall_now: if current { clamped(shortfall) } else { Quantity::ZERO },
            shortfall_unit_us: 0,
            beyond_overdraft: clamped(beyond),
            expired_shortfall: clamped(expired),
            expired_first: none(expired > 0),
            passed_up: if passed { clamped(uncovered) } else { Quantity::ZERO },
            surplus: clamped(limit.map_or(0, |limit| (limit - inflow).max(0))),
            unit_price: unit_price(&own, at_end),
            state,
        })
    }
}

/// How much may be used at most, if anything limits it.
fn limit_of(entitled: Option<Capacity>) -> Option<i128> {
    match entitled {
        Some(Capacity::Limited(limit)) => Some(i128::from(limit.0)),
        Some(Capacity::Unlimited | Capacity::Unknown) => None,
        None => Some(0),
    }
}

/// The state of a position that is short.
fn short_state(entitled: Option<Capacity>, ended: bool, beyond_overdraft: i128) -> PositionState {
    match entitled {
        None if ended => PositionState::Expired,
        None => PositionState::Unlicensed,
        Some(_) if beyond_overdraft == 0 => PositionState::WithinOverdraft,
        Some(_) => PositionState::Over,
    }
}

/// The last instant of a period up to the horizon.
fn last_of(period: Period, world: &World) -> Timestamp {
    Timestamp(period.span.end.0.saturating_sub(1)).min(world.horizon)
}

fn count<K: Ord + Copy>(rows: &mut BTreeMap<K, Diff>, key: K, diff: Diff) {
    let sum = rows.entry(key).or_default();
    *sum += diff;
    if *sum == 0 {
        rows.remove(&key);
    }
}
