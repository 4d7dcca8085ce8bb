//! One product under one metric: its demand, its rights, and the nodes where they meet.

use super::convert::{Conversion, Part};
use super::figures::{Figures, Rights};
use super::node::{ALL_OF_TIME, Node, Window, grant};
use super::routes::{Route, any_moved, nearest};
use super::{Found, Key, Turn, World};
use crate::Diff;
use crate::attribute::Use;
use crate::entitle::{Right, of_account};
use crate::epochs::Updates;
use crate::grouping::Grouping;
use crate::timeline::{Levels, demand, spread};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::contract::Basis;
use trueup_model::id::AccountId;
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};
use trueup_policy::rules::Statistic;

/// What an epoch brings to a product.
#[derive(Default)]
pub(super) struct News {
    pub(super) uses: Vec<(Use, Diff)>,
    pub(super) rights: Vec<(Right, Diff)>,
}

/// Demand of one account: intervals with their units and what these are a part of, and how often each
/// is there.
type Demand = BTreeMap<(Span, Quantity, Part), Diff>;

/// For which account a use counts, and what it is a part of.
pub(super) type Holder = (AccountId, Part);

/// One product under one metric.
pub(super) struct Component {
    key: Key,
    pub(super) grouping: Grouping<Holder>,
    conversion: Conversion,
    pub(super) statistic: Statistic,
    /// How many charges have a weight or are least counts.
    pub(super) parts: Diff,
    /// Whether use is converted.
    converts: bool,
    /// The uses as they came, where their days count.
    pub(super) days: BTreeMap<Use, Diff>,
    pub(super) demand: BTreeMap<AccountId, Demand>,
    rights: BTreeMap<Right, Diff>,
    /// What vouches for the rights that count.
    basis: Option<Basis>,
    /// The accounts that have lines of the basis that counts.
    pools: BTreeSet<AccountId>,
    routes: BTreeMap<AccountId, Route>,
    nodes: BTreeMap<AccountId, Node>,
    /// Nodes with demand at the horizon.
    active: BTreeSet<AccountId>,
    /// An instant after the horizon before which nothing changes by itself.
    turn: Option<Timestamp>,
    figures: Figures,
}

/// Changes of levels by node.
type Pending = BTreeMap<AccountId, BTreeMap<Timestamp, Levels>>;

impl Component {
    pub(super) fn new(key: Key) -> Self {
        Self {
            key,
            grouping: Grouping::default(),
            conversion: Conversion::default(),
            statistic: Statistic::Peak,
            parts: 0,
            converts: false,
            days: BTreeMap::new(),
            demand: BTreeMap::new(),
            rights: BTreeMap::new(),
            basis: None,
            pools: BTreeSet::new(),
            routes: BTreeMap::new(),
            nodes: BTreeMap::new(),
            active: BTreeSet::new(),
            turn: None,
            figures: Figures::new(key),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.rights.is_empty() && self.demand.is_empty()
    }

    /// Whether demand lasts at the horizon, so that every move of it changes a figure.
    pub(super) fn is_active(&self) -> bool {
        self.counts_hours() || !self.active.is_empty()
    }

    /// Whether the hours that have passed are counted, whatever happens in them.
    fn counts_hours(&self) -> bool {
        matches!(self.statistic, Statistic::Percentile(_))
    }

    /// An instant after the horizon before which nothing changes by itself.
    pub(super) fn turn(&self) -> Option<Timestamp> {
        self.turn
    }

    /// When something changes next at some nodes, or by rights, without any news.
    fn next_turn<'r>(
        &self,
        nodes: impl Iterator<Item = &'r AccountId> + Clone,
        rights: impl Iterator<Item = &'r Right>,
        world: &World,
    ) -> Option<Timestamp> {
        let horizon = world.horizon;
        let after = horizon.plus_us(1);
        let rights = rights.flat_map(|right| [right.span.start, right.span.end]);
        let levels = nodes.clone().filter_map(|account| {
            let node = self.nodes.get(account)?;
            node.timeline.changes_from(after).next().map(|(at, _)| at)
        });
        let periods = nodes.flat_map(|account| {
            let calendars = &world.calendars;
            let units = world.policy.periods();
            units.map(move |unit| calendars.period(*account, unit, horizon).span.end)
        });
        let all = rights.chain(levels).chain(periods);
        all.filter(|at| *at > horizon && *at != Timestamp::MAX).min()
    }

    /// Notes which of the nodes that changed have demand at the horizon, and when something changes
    /// next.
    ///
    /// Work: the nodes that changed; all of them where all may have, or the last turn has come.
    fn plan(
        &mut self,
        all: bool,
        touched: &BTreeSet<AccountId>,
        rights: &BTreeMap<Right, Diff>,
        world: &World,
    ) {
        let horizon = world.horizon;
        let has_demand = |node: &Node| node.timeline.at(horizon).demand != 0;
        if all {
            let active = self.nodes.iter().filter(|(_, node)| has_demand(node));
            self.active = active.map(|(account, _)| *account).collect();
            self.turn = self.next_turn(self.nodes.keys(), self.rights.keys(), world);
            return;
        }
        for account in touched {
            if self.nodes.get(account).is_some_and(has_demand) {
                self.active.insert(*account);
            } else {
                self.active.remove(account);
            }
        }
        let next = self.next_turn(touched.iter(), rights.keys(), world);
        self.turn = self.turn.into_iter().chain(next).min();
    }

    /// Applies what an epoch brings, and gives what changes.
    pub(super) fn step(
        &mut self,
        news: News,
        turn: &Turn,
        world: &World,
        changes: &mut Updates<Found>,
    ) {
        let restated = self.restate(turn, world);
        let demand = self.hear_uses(news.uses, turn, world);
        let mut touched: BTreeSet<AccountId> =
            demand.keys().map(|((account, _), ..)| *account).collect();
        let rights = self.hear_rights(news.rights);
        let mut dirty: BTreeMap<AccountId, Window> = BTreeMap::new();
        let due = turn.due(self.turn, world.horizon);
        let mut regroup = !rights.is_empty() && self.recount();
        let pools = std::mem::take(&mut self.pools);
        let converts = self.parts != 0 || !self.conversion.is_none();
        let converted = std::mem::replace(&mut self.converts, converts) != converts;
        regroup |= restated || converted || (turn.tree && self.reroutes(turn, world, &pools));
        if regroup {
            self.rebuild(world, &pools, &mut dirty);
            touched.extend(self.nodes.keys());
        } else {
            let mut pending = Pending::new();
            for ((holder, span, units), diff) in demand {
                self.route_demand(world, &pools, holder, (span, units), diff, &mut pending);
            }
            touched.extend(pending.keys());
            self.convert(&mut pending);
            for (right, diff) in &rights {
                if Some(right.basis) == self.basis {
                    grant(right, *diff, pending.entry(right.account).or_default());
                }
            }
            self.propagate(pending, &mut dirty);
            // Rights that replace each other serve by other names, even if levels stay the same; and what a
            // line cost prices its account's shortfalls until a newer one says something else.
            for right in rights.keys().filter(|right| Some(right.basis) == self.basis) {
                let until = if right.cost.is_some() { Timestamp::MAX } else { right.span.end };
                widen(&mut dirty, right.account, (right.span.start, until));
            }
        }
        self.pools = pools;
        self.grace(&mut dirty);
        if let Some(before) = turn.horizon_before {
            self.follow(before, due.is_some(), world, &mut dirty);
        }
        if restated {
            for account in self.nodes.keys() {
                widen(&mut dirty, *account, ALL_OF_TIME);
            }
        }
        for account in turn.zones.iter().filter(|account| self.nodes.contains_key(account)) {
            widen(&mut dirty, *account, ALL_OF_TIME);
        }
        let gaps = !rights.is_empty() || due.is_some();
        self.figures.settle(
            &mut self.nodes,
            &self.rights,
            self.basis,
            &dirty,
            gaps,
            world,
            changes,
        );
        touched.extend(dirty.keys());
        self.forget_bare(&touched);
        let all = regroup || due.is_some() || !turn.zones.is_empty();
        self.plan(all, &touched, &rights, world);
    }

    /// Takes in what lines say together; true if other accounts have lines, or others vouch for them.
    fn recount(&mut self) -> bool {
        let basis = self.rights.keys().map(|right| right.basis).min();
        let pools = self.pools(basis);
        let changed = basis != self.basis || pools != self.pools;
        (self.basis, self.pools) = (basis, pools);
        changed
    }

    /// Marks where figures move with the horizon: without a turn, only where something is needed.
    fn follow(
        &self,
        before: Timestamp,
        due: bool,
        world: &World,
        dirty: &mut BTreeMap<AccountId, Window>,
    ) {
        let first = before == Timestamp::MIN;
        let moved = if first { ALL_OF_TIME } else { (before, world.horizon) };
        if due || self.counts_hours() {
            self.nodes.keys().for_each(|account| widen(dirty, *account, moved));
        } else {
            self.active.iter().for_each(|account| widen(dirty, *account, moved));
        }
    }

    /// Takes in by what rules the product is counted; true if they changed.
    fn restate(&mut self, turn: &Turn, world: &World) -> bool {
        let recounted = self.statistic == Statistic::Days && !turn.zones.is_empty();
        if !self.is_empty() && !turn.ruled.contains(&self.key.product) {
            return recounted;
        }
        let conversion = world.conversion(self.key);
        let statistic = world.statistic(self.key);
        let changed = conversion != self.conversion || statistic != self.statistic;
        (self.conversion, self.statistic) = (conversion, statistic);
        changed || recounted
    }

    fn hear_rights(&mut self, rights: Vec<(Right, Diff)>) -> BTreeMap<Right, Diff> {
        let mut changed: BTreeMap<Right, Diff> = BTreeMap::new();
        for (right, diff) in rights {
            *changed.entry(right).or_default() += diff;
        }
        changed.retain(|_, diff| *diff != 0);
        for (right, diff) in &changed {
            let count = self.rights.entry(*right).or_default();
            *count += diff;
            if *count == 0 {
                self.rights.remove(right);
            }
        }
        changed
    }

    /// The accounts that have lines of the basis that counts.
    fn pools(&self, basis: Option<Basis>) -> BTreeSet<AccountId> {
        let counts = self.rights.keys().filter(|right| Some(right.basis) == basis);
        counts.map(|right| right.account).collect()
    }

    /// Whether the tree sends some demand elsewhere than before.
    fn reroutes(&self, turn: &Turn, world: &World, pools: &BTreeSet<AccountId>) -> bool {
        let below = |account: &AccountId| {
            let route = self.routes.get(account);
            route.is_some_and(|route| nearest(&world.tree, *account, pools, 0) != *route)
        };
        let between = |account: &AccountId| {
            let node = self.nodes.get(account).filter(|node| node.pool);
            node.is_some_and(|node| nearest(&world.tree, *account, pools, 1) != node.route)
        };
        let moved = &turn.moved;
        any_moved(moved, self.routes.len(), self.routes.keys(), below)
            || any_moved(moved, self.nodes.len(), self.nodes.keys(), between)
    }

    /// Builds every node anew.
    fn rebuild(
        &mut self,
        world: &World,
        pools: &BTreeSet<AccountId>,
        dirty: &mut BTreeMap<AccountId, Window>,
    ) {
        for account in self.nodes.keys() {
            widen(dirty, *account, ALL_OF_TIME);
        }
        self.nodes.clear();
        self.routes.clear();
        let mut pending = Pending::new();
        for account in pools {
            let route = nearest(&world.tree, *account, pools, 1);
            for (span, above) in &route {
                if above.is_some() {
                    let levels = Levels { above: 1, ..Levels::default() };
                    spread(pending.entry(*account).or_default(), *span, levels);
                }
            }
            self.nodes.insert(*account, Node::with_lines(route));
        }
        for (right, count) in
            self.rights.iter().filter(|(right, _)| Some(right.basis) == self.basis)
        {
            grant(right, *count, pending.entry(right.account).or_default());
        }
        let rows: Vec<(Holder, (Span, Quantity), Diff)> = self
            .demand
            .iter()
            .flat_map(|(account, demand)| {
                let holder = move |part: &Part| (*account, *part);
                demand
                    .iter()
                    .map(move |((span, units, part), n)| (holder(part), (*span, *units), *n))
            })
            .collect();
        for (holder, row, count) in rows {
            self.route_demand(world, pools, holder, row, count, &mut pending);
        }
        self.convert(&mut pending);
        self.propagate(pending, dirty);
    }

    /// Sends demand to the node that takes it; to a node of its own where nobody does.
    fn route_demand(
        &mut self,
        world: &World,
        pools: &BTreeSet<AccountId>,
        (account, part): Holder,
        (span, units): (Span, Quantity),
        diff: Diff,
        pending: &mut Pending,
    ) {
        let route =
            self.routes.entry(account).or_insert_with(|| nearest(&world.tree, account, pools, 0));
        for (piece, target) in route.iter() {
            let Some(inside) = piece.overlap(span) else { continue };
            let target = target.unwrap_or(account);
            let node = self.nodes.entry(target).or_default();
            let changes = pending.entry(target).or_default();
            if self.converts {
                node.raw.add(part, inside, i128::from(units.0) * diff as i128);
            } else {
                demand(changes, inside, units, diff);
            }
        }
    }

    /// Turns what changed of use at the nodes that wait into changes of their demand.
    fn convert(&mut self, pending: &mut Pending) {
        if !self.converts {
            return;
        }
        for (account, changes) in pending {
            let Some(node) = self.nodes.get_mut(account) else { continue };
            for (at, change) in node.raw.convert(&self.conversion) {
                changes.entry(at).or_default().demand += change;
            }
        }
    }

    /// Applies changes node by node, and passes up what each does not cover, until nothing changes.
    ///
    /// At each instant the way up has no circle, so a change passes each node once for each node
    /// that it comes through.
    fn propagate(&mut self, mut pending: Pending, dirty: &mut BTreeMap<AccountId, Window>) {
        while let Some((account, mut levels)) = pending.pop_first() {
            levels.retain(|_, change| *change != Levels::default());
            let (Some((first, _)), Some((last, _))) =
                (levels.first_key_value(), levels.last_key_value())
            else {
                continue;
            };
            let (first, last) = (*first, *last);
            levels.remove(&Timestamp::MAX);
            // What is not taken back changes the levels for ever, and what is left over at each of their
            // later changes.
            let mut lasting = Levels::default();
            levels.values().for_each(|change| lasting.add(change));
            let last = if lasting == Levels::default() { last } else { Timestamp::MAX };
            let window = (first, last);
            let Some(node) = self.nodes.get_mut(&account) else { continue };
            node.timeline.apply(&levels);
            widen(dirty, account, window);
            for ((at, target), change) in node.pass(window) {
                let entry = pending.entry(target).or_default().entry(at).or_default();
                entry.demand += change;
            }
        }
    }

    /// Finds anew when grace is running at the nodes whose levels changed.
    fn grace(&mut self, dirty: &mut BTreeMap<AccountId, Window>) {
        let accounts: Vec<AccountId> = dirty.keys().copied().collect();
        for account in accounts {
            let Some(node) = self.nodes.get_mut(&account) else { continue };
            let own = of_account(&self.rights, account);
            let own: Rights<'_> =
                own.filter(|(right, _)| Some(right.basis) == self.basis).collect();
            if let Some(window) = node.run_grace(&own) {
                widen(dirty, account, window);
            }
        }
    }

    /// Forgets nodes without lines and demand, and routes without use, among those touched.
    fn forget_bare(&mut self, touched: &BTreeSet<AccountId>) {
        let idle = |node: &Node| !node.pool && !node.timeline.has_demand();
        for account in touched {
            if self.nodes.get(account).is_some_and(idle) {
                self.nodes.remove(account);
            }
            if !self.demand.contains_key(account) {
                self.routes.remove(account);
            }
        }
    }
}

fn widen(dirty: &mut BTreeMap<AccountId, Window>, account: AccountId, window: Window) {
    let entry = dirty.entry(account).or_insert(window);
    *entry = (entry.0.min(window.0), entry.1.max(window.1));
}
