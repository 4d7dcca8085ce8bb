//! Allocation where lines are bound to territories: which lines may cover a demand depends on where it
//! is, besides for whom.
//!
//! may(l, d, t)    = the account of l is at or above that of d at t, and l has no territory, or the
//!                   country of d is in it at t, or is not known
//! covered(t)      = a greatest flow from lines to demand along `may`, in which lines of narrower scopes
//!                   are used as much as they can be before those of wider ones
//! uncovered(n, t) = inflow(n, t) − what the lines of n cover
//! breach(n, t)    = uncovered demand at n that lines in force could cover anywhere else
//!
//! With two dimensions no fixed order of lines and demand covers the most; the flow does, and what it
//! leaves at each node does not depend on which of several equal flows is found. Nodes, levels and
//! positions are those of `component.rs`; what territories keep from being covered is a level of its
//! own beside demand and rights.
//!
//! Each use is weighed by itself, to the nearest millionth; bands, whole units and least counts belong to
//! lines without territories.
//!
//! Work per change: the product, over all of time. Only products with such lines are here.

use super::figures::Figures;
use super::flow::greatest_flow;
use super::node::{ALL_OF_TIME, Node, Window, grant};
use super::{Allocation, Found, Heard, Key, Surroundings, Turn, World, each_epoch_parted, gather};
use crate::attribute::{Place, Use};
use crate::entitle::Right;
use crate::epochs::Updates;
use crate::grouping::{Grouping, Holds};
use crate::territory::Reach;
use crate::timeline::Levels;
use crate::tree::Above;
use crate::{Diff, Facts};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::contract::Basis;
use trueup_model::id::{AccountId, TextId};
use trueup_model::processors::Weight;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

/// Who needs it and where.
type Holder = (AccountId, Place);

/// Covers the demand of products whose lines are bound to territories.
pub fn allocate_territories<'s>(
    demand: Facts<'s, Use>,
    rights: Facts<'s, Right>,
    reaches: Facts<'s, Reach>,
    around: Surroundings<'s>,
    policy: Policy,
) -> Allocation<'s> {
    let rows = demand
        .map(|one| Heard::Use(Box::new(one)))
        .concat(rights.map(|right| Heard::Right(Box::new(right))));
    let tables = reaches.map(Heard::Reach);
    let mut world = World::new(policy);
    let mut components: BTreeMap<Key, Component> = BTreeMap::new();
    each_epoch_parted(
        gather(rows, around, Some(tables)),
        "Allocate: territories",
        move |updates, changes| {
            let mut turn = Turn::default();
            let heard_rows = world.hear(updates, &mut turn);
            let mut touched: BTreeSet<Key> = BTreeSet::new();
            for (heard, diff) in heard_rows {
                let key = match &heard {
                    Heard::Use(one) => Key::of_use(one),
                    Heard::Right(right) => Key::of_right(right),
                    Heard::Edge(_)
                    | Heard::Zone(_)
                    | Heard::Horizon(_)
                    | Heard::Rule(..)
                    | Heard::Band(..)
                    | Heard::Reach(_) => continue,
                };
                touched.insert(key);
                components.entry(key).or_insert_with(|| Component::new(key)).hear(heard, diff);
            }
            let all = turn.tree || turn.territories || !turn.ruled.is_empty();
            for (key, component) in &mut components {
                let changed = all || touched.contains(key);
                component.step(changed, &turn, &world, changes);
            }
            components.retain(|_, component| !component.is_empty());
        },
    )
}

impl Holds for (Holder, Weight) {
    fn weight(&self) -> Weight {
        self.1
    }
}

/// One product under one metric.
struct Component {
    grouping: Grouping<(Holder, Weight)>,
    demand: BTreeMap<(Holder, Span, Quantity), Diff>,
    rights: BTreeMap<Right, Diff>,
    nodes: BTreeMap<AccountId, Node>,
    figures: Figures,
}

impl Component {
    fn new(key: Key) -> Self {
        Self {
            grouping: Grouping::default(),
            demand: BTreeMap::new(),
            rights: BTreeMap::new(),
            nodes: BTreeMap::new(),
            figures: Figures::new(key),
        }
    }

    fn is_empty(&self) -> bool {
        self.demand.is_empty() && self.rights.is_empty() && self.nodes.is_empty()
    }

    fn hear(&mut self, heard: Heard, diff: Diff) {
        match heard {
            Heard::Right(right) => count(&mut self.rights, *right, diff),
            Heard::Use(one) => {
                let holder = (one.account, one.place);
                match one.group {
                    None => {
                        let units = one.weight.nearest(one.units);
                        count(&mut self.demand, (holder, one.span, units), diff);
                    }
                    Some(group) => {
                        let row = (one.span, one.units, (holder, one.weight), diff as i64);
                        let demand = &mut self.demand;
                        self.grouping.change(group, &[row], |charge, times| {
                            let (whose, weight) = charge.holder;
                            let times = isize::try_from(times).unwrap_or(0);
                            let units = weight.nearest(charge.units);
                            count(demand, (whose, charge.span, units), times);
                        });
                    }
                }
            }
            Heard::Edge(_)
            | Heard::Zone(_)
            | Heard::Horizon(_)
            | Heard::Rule(..)
            | Heard::Band(..)
            | Heard::Reach(_) => {}
        }
    }

    fn step(&mut self, changed: bool, turn: &Turn, world: &World, changes: &mut Updates<Found>) {
        let mut dirty: BTreeMap<AccountId, Window> = BTreeMap::new();
        let basis = self.rights.keys().map(|right| right.basis).min();
        if changed {
            dirty.extend(self.nodes.keys().map(|account| (*account, ALL_OF_TIME)));
            self.nodes = self.sweep(basis, world);
        }
        let rezoned = !turn.zones.is_empty();
        let moved = turn.horizon_before.map(|before| match before {
            Timestamp::MIN => ALL_OF_TIME,
            _ => (before, world.horizon),
        });
        for account in self.nodes.keys() {
            if changed || rezoned {
                dirty.insert(*account, ALL_OF_TIME);
            } else if let Some(moved) = moved {
                dirty.insert(*account, moved);
            }
        }
        let gaps = changed || turn.horizon_before.is_some();
        self.figures.settle(&mut self.nodes, &self.rights, basis, &dirty, gaps, world, changes);
    }

    /// Evaluates every piece of time.
    fn sweep(&self, basis: Option<Basis>, world: &World) -> BTreeMap<AccountId, Node> {
        let counting: Vec<(&Right, Diff)> = self
            .rights
            .iter()
            .filter(|(right, _)| Some(right.basis) == basis)
            .map(|(right, count)| (right, *count))
            .collect();
        let pools: BTreeSet<AccountId> = counting.iter().map(|(right, _)| right.account).collect();
        let mut pending: BTreeMap<AccountId, BTreeMap<Timestamp, Levels>> = BTreeMap::new();
        for (right, count) in &counting {
            grant(right, *count, pending.entry(right.account).or_default());
        }
        let places = self.places(&pools, world);
        let mut turns: BTreeMap<Timestamp, BTreeMap<Holder, i128>> = BTreeMap::new();
        for ((holder, span, units), count) in &self.demand {
            let units = i128::from(units.0) * *count as i128;
            *turns.entry(span.start).or_default().entry(*holder).or_default() += units;
            *turns.entry(span.end).or_default().entry(*holder).or_default() -= units;
        }
        let rights = counting.iter().flat_map(|(right, _)| [right.span.start, right.span.end]);
        let reaches = world.reaches.keys().flat_map(|reach| [reach.span.start, reach.span.end]);
        let edges = places.values().flatten().flat_map(|above| [above.span.start, above.span.end]);
        for at in rights.chain(reaches).chain(edges).chain([Timestamp::MIN]) {
            turns.entry(at).or_default();
        }
        let mut needed: BTreeMap<Holder, i128> = BTreeMap::new();
        let mut before: BTreeMap<AccountId, Levels> = BTreeMap::new();
        for (at, changes) in turns {
            if at == Timestamp::MAX {
                break;
            }
            for (holder, change) in changes {
                *needed.entry(holder).or_default() += change;
            }
            needed.retain(|_, amount| *amount != 0);
            let instant =
                Instant { at, counting: &counting, pools: &pools, places: &places, world };
            let now = instant.levels(&needed);
            let accounts: BTreeSet<AccountId> = before.keys().chain(now.keys()).copied().collect();
            for account in accounts {
                let mut change = now.get(&account).copied().unwrap_or_default();
                change.add(&before.get(&account).copied().unwrap_or_default().negated());
                pending.entry(account).or_default().entry(at).or_default().add(&change);
            }
            before = now;
        }
        let mut nodes: BTreeMap<AccountId, Node> = BTreeMap::new();
        for (account, mut levels) in pending {
            levels.retain(|at, change| *change != Levels::default() && *at != Timestamp::MAX);
            let node = nodes.entry(account).or_default();
            node.pool = pools.contains(&account);
            node.timeline.apply(&levels);
            let own = counting.iter().filter(|(right, _)| right.account == account);
            node.run_grace(&own.copied().collect());
        }
        nodes.retain(|_, node| node.pool || node.timeline.has_demand());
        nodes
    }

    /// For each account that needs or has something, itself and the accounts above it.
    fn places(
        &self,
        pools: &BTreeSet<AccountId>,
        world: &World,
    ) -> BTreeMap<AccountId, Vec<Above>> {
        let accounts = self.demand.keys().map(|((account, _), ..)| *account);
        let accounts: BTreeSet<AccountId> = accounts.chain(pools.iter().copied()).collect();
        let above = |account: AccountId| {
            let mut above = world.tree.above(account.0, Span::ALWAYS);
            above.sort_unstable_by_key(|row| row.distance);
            (account, above)
        };
        accounts.into_iter().map(above).collect()
    }
}

/// What is evaluated at an instant.
struct Instant<'i> {
    at: Timestamp,
    counting: &'i [(&'i Right, Diff)],
    pools: &'i BTreeSet<AccountId>,
    places: &'i BTreeMap<AccountId, Vec<Above>>,
    world: &'i World,
}

/// The lines of one account for one territory, that are in force.
struct Lot {
    account: AccountId,
    territory: Option<TextId>,
    /// Millionths; the greatest number if nothing limits it.
    capacity: i128,
}

impl Instant<'_> {
    /// The accounts with lines at or above an account, the nearest first.
    fn way_up(&self, account: AccountId) -> Vec<AccountId> {
        let above = self.places.get(&account).into_iter().flatten();
        let now = above.filter(|row| row.span.contains(self.at)).map(|row| AccountId(row.node));
        now.filter(|node| self.pools.contains(node)).collect()
    }

    /// The lots in force, those of the lowest accounts first.
    fn lots(&self) -> Vec<Lot> {
        let mut lots: BTreeMap<(AccountId, Option<TextId>), (i128, bool)> = BTreeMap::new();
        for (right, count) in self.counting.iter().filter(|(right, _)| right.span.contains(self.at))
        {
            let lot = lots.entry((right.account, right.territory)).or_default();
            match right.capacity {
                Capacity::Limited(limit) => lot.0 += i128::from(limit.0) * *count as i128,
                Capacity::Unlimited | Capacity::Unknown => lot.1 = true,
            }
        }
        let mut lots: Vec<Lot> = lots
            .into_iter()
            .map(|((account, territory), (limit, endless))| Lot {
                account,
                territory,
                capacity: if endless { i128::MAX } else { limit.max(0) },
            })
            .collect();
        lots.sort_by_key(|lot| std::cmp::Reverse(self.way_up(lot.account).len()));
        lots
    }

    /// Whether lines of a territory may cover what is somewhere.
    fn reaches(&self, territory: Option<TextId>, place: Place) -> bool {
        let (Some(territory), Place::In(country)) = (territory, place) else { return true };
        territory == country
            || self.world.reaches.keys().any(|reach| {
                reach.territory == territory
                    && reach.country == country
                    && reach.span.contains(self.at)
            })
    }

    /// Whether lines in force could cover what is needed, were it not where it is.
    fn is_breach(&self, way: &[AccountId], place: Place) -> bool {
        let mut own = self
            .counting
            .iter()
            .map(|(right, _)| *right)
            .filter(|right| right.span.contains(self.at) && way.contains(&right.account))
            .filter(|right| !right.is_credit())
            .peekable();
        own.peek().is_some() && own.all(|right| !self.reaches(right.territory, place))
    }

    /// What each account needs, and what territories keep from being covered.
    fn levels(&self, needed: &BTreeMap<Holder, i128>) -> BTreeMap<AccountId, Levels> {
        let lots = self.lots();
        // Where no account has lines, what is needed stays with the account that needs it.
        let mut alone: BTreeMap<AccountId, i128> = BTreeMap::new();
        let mut ways: Vec<(Vec<AccountId>, Place)> = Vec::new();
        let mut demand: Vec<i128> = Vec::new();
        for ((account, place), amount) in needed {
            let way = self.way_up(*account);
            if way.is_empty() {
                *alone.entry(*account).or_default() += amount;
            } else {
                ways.push((way, *place));
                demand.push(*amount);
            }
        }
        let supply: Vec<(i128, Vec<usize>)> = lots
            .iter()
            .map(|lot| {
                let may = |index: &usize| {
                    let (way, place) = &ways[*index];
                    way.contains(&lot.account) && self.reaches(lot.territory, *place)
                };
                (lot.capacity, (0..ways.len()).filter(may).collect())
            })
            .collect();
        let flow = greatest_flow(&supply, &demand);
        let mut levels: BTreeMap<AccountId, Levels> = BTreeMap::new();
        let mut uncovered = alone.clone();
        for (account, amount) in alone {
            levels.entry(account).or_default().demand += amount;
        }
        for (index, (way, place)) in ways.iter().enumerate() {
            let mut left = demand[index];
            for node in way {
                levels.entry(*node).or_default().demand += left;
                for (lot, row) in lots.iter().zip(&flow) {
                    if lot.account == *node {
                        left -= row.get(&index).copied().unwrap_or_default();
                    }
                }
                *uncovered.entry(*node).or_default() += left;
            }
            if let Some(top) = way.last()
                && self.is_breach(way, *place)
            {
                levels.entry(*top).or_default().breach += left;
            }
        }
        for node in self.pools {
            let entry = levels.entry(*node).or_default();
            entry.above = i64::from(self.way_up(*node).len() > 1);
        }
        for (node, own) in &mut levels {
            let plain = Levels { demand: own.demand, ..self.granted(*node) };
            own.barred = uncovered.get(node).copied().unwrap_or_default() - plain.uncovered();
        }
        levels
    }

    /// What the lines of an account grant at the instant.
    fn granted(&self, node: AccountId) -> Levels {
        let mut granted = Levels::default();
        let in_force = |right: &Right| right.account == node && right.span.contains(self.at);
        for (right, count) in self.counting.iter().filter(|(right, _)| in_force(right)) {
            match right.capacity {
                Capacity::Limited(limit) => {
                    granted.entitled += i128::from(limit.0) * *count as i128;
                }
                Capacity::Unlimited => granted.unlimited += 1,
                Capacity::Unknown => granted.unknown += 1,
            }
        }
        granted
    }
}

fn count<K: Ord>(rows: &mut BTreeMap<K, Diff>, key: K, diff: Diff) {
    use std::collections::btree_map::Entry;
    match rows.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(diff);
        }
        Entry::Occupied(mut entry) => {
            *entry.get_mut() += diff;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}
