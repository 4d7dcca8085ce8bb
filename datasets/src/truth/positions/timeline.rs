//! What holds at each node at each instant: demand from below, rights of its own, what is left.

use crate::population::Population;
use crate::truth::rights::{Node, Right, granted_at};
use crate::truth::uses::Use;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::quantity::{Capacity, ONE_UNIT};
use trueup_model::time::Timestamp;

/// What holds at a node from an instant on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) demand: i64,
    pub(super) capacity: Option<Capacity>,
    pub(super) overdraft: i64,
    /// Whether lines are in force, and whether some have ended.
    pub(super) lines: bool,
    pub(super) ended: bool,
    /// What this node does not cover, and whether a node above takes it.
    pub(super) uncovered: i64,
    pub(super) passed: bool,
}

/// Levels of nodes, at each instant at which anything changes.
pub(super) type Timeline = Vec<(Timestamp, BTreeMap<Node, Level>)>;

/// Where the demand and the rights of one product meet.
pub(super) struct Meeting<'a> {
    pub(super) population: &'a Population,
    pub(super) horizon: Timestamp,
    /// The rights that count.
    pub(super) rights: Vec<&'a Right>,
    /// The nodes that ever have one.
    pub(super) pools: BTreeSet<Node>,
}

impl Meeting<'_> {
    /// The levels at each instant at which anything begins or ends.
    pub(super) fn timeline(&self, uses: &[Use]) -> Timeline {
        let mut turns: BTreeMap<Timestamp, Vec<(&Use, bool)>> = BTreeMap::new();
        turns.entry(Timestamp::MIN).or_default();
        for one in uses {
            turns.entry(one.span.start).or_default().push((one, true));
            turns.entry(one.span.end).or_default().push((one, false));
        }
        for right in &self.rights {
            turns.entry(right.span.start).or_default();
            turns.entry(right.span.end).or_default();
        }
        let mut open = Open::default();
        let mut found = Vec::new();
        for (at, changes) in turns.into_iter().take_while(|(at, _)| *at <= self.horizon) {
            for (one, begins) in changes {
                open.change(one, begins);
            }
            found.push((at, self.levels(at, &open.demand)));
        }
        found
    }

    /// The levels of every node at one instant.
    fn levels(&self, at: Timestamp, demand: &BTreeMap<Node, i64>) -> BTreeMap<Node, Level> {
        let mut levels: BTreeMap<Node, Level> = BTreeMap::new();
        for (node, units) in demand.iter().filter(|(_, units)| **units != 0) {
            let taker = self.taker(*node, 0).unwrap_or(*node);
            levels.entry(taker).or_default().demand += units * ONE_UNIT;
        }
        for node in &self.pools {
            levels.entry(*node).or_default();
        }
        // From the bottom up: a node's own rights first, what is left goes to the next one above.
        let mut order: Vec<Node> = levels.keys().copied().collect();
        order.sort_by_key(|node| std::cmp::Reverse(node.upwards(self.population).len()));
        for node in order {
            let own: Vec<&Right> =
                self.rights.iter().copied().filter(|one| one.node == node).collect();
            let above = self.taker(node, 1).filter(|_| self.pools.contains(&node));
            let level = levels.entry(node).or_default();
            level.capacity = granted_at(&own, at);
            let granting = |right: &&&Right| match right.capacity {
                Capacity::Limited(quantity) => quantity.0 > 0,
                Capacity::Unlimited | Capacity::Unknown => true,
            };
            level.lines = own.iter().filter(granting).any(|right| right.span.contains(at));
            level.ended = own.iter().filter(granting).any(|right| right.span.end <= at);
            let in_force = own.iter().filter(|right| right.span.contains(at));
            level.overdraft = in_force.map(|right| right.overdraft.0).sum();
            level.uncovered = match level.capacity {
                Some(Capacity::Unlimited | Capacity::Unknown) => 0,
                Some(Capacity::Limited(limit)) => (level.demand - limit.0.max(0)).max(0),
                None => level.demand,
            };
            level.passed = above.is_some();
            let left = level.uncovered;
            if let Some(above) = above {
                levels.entry(above).or_default().demand += left;
            }
        }
        levels
    }

    /// The nearest node with lines at least so many steps above.
    fn taker(&self, node: Node, steps: usize) -> Option<Node> {
        let path = node.upwards(self.population);
        path.into_iter().skip(steps).find(|above| self.pools.contains(above))
    }
}

/// What is open, by group, and how many units each node needs for it.
#[derive(Default)]
struct Open<'a> {
    groups: BTreeMap<usize, Vec<&'a Use>>,
    demand: BTreeMap<Node, i64>,
}

impl<'a> Open<'a> {
    /// A use begins or ends: its group costs its largest count, at the node of that checkout.
    fn change(&mut self, one: &'a Use, begins: bool) {
        let group = self.groups.entry(one.group).or_default();
        let before = leader(group);
        if begins {
            group.push(one);
        } else if let Some(place) = group.iter().position(|other| *other == one) {
            group.remove(place);
        }
        let after = leader(group);
        if let Some(before) = before {
            *self.demand.entry(before.node).or_default() -= i64::from(before.count);
        }
        if let Some(after) = after {
            *self.demand.entry(after.node).or_default() += i64::from(after.count);
        }
    }
}

/// Whose count is what a group costs: the largest, then the one that began first.
fn leader<'a>(group: &[&'a Use]) -> Option<&'a Use> {
    let rank = |one: &&Use| (std::cmp::Reverse(one.count), one.span.start, one.node);
    group.iter().copied().min_by_key(rank)
}

/// What holds at a node at an instant.
pub(super) fn at_instant(timeline: &Timeline, node: Node, at: Timestamp) -> Level {
    let row = timeline.iter().rev().find(|(from, _)| *from <= at);
    row.and_then(|(_, levels)| levels.get(&node)).copied().unwrap_or_default()
}
