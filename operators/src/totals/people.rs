//! How many people and machines there are at each node.
//!
//! Whoever is at a leaf is at every node above it, and counts once wherever they are, so each is looked
//! after in one place: nodes hear only of how many they have more or fewer.
//!
//! Of most people and machines a few lists of nodes are kept, one for each leaf and piece of time: who comes
//! to one more counts at those of its nodes that no other list of theirs has. Of those that are in many
//! places each node is kept, with how many lists of theirs have it.
//!
//! Work per change: the nodes above the leaf, and those of the few other lists.

use super::paths::Paths;
use super::{LOOKED_FOR, Spot, SumKey, Total, Who};
use crate::Diff;
use crate::epochs::{Left, ROOM_KEPT, Updates};
use serde::{Deserialize, Serialize};
use trueup_model::calendar::Period;
use trueup_model::hash::IdMap;

/// The most lists that are kept of one.
const LISTS_MAX: usize = if cfg!(test) { 2 } else { 32 };

/// People and machines that come to a leaf or go, and the nodes at which that counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Coming {
    pub(super) nodes: Vec<(Spot, Period)>,
    /// All of one share.
    pub(super) who: Vec<(Who, Diff)>,
    /// The part of all people that one worker looks after.
    pub(super) share: u64,
}

/// How many more people and machines there are.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Heads {
    users: i64,
    devices: i64,
}

/// Where one is.
enum Places {
    /// The lists of nodes, with how often each.
    Few(Vec<(u32, i32)>),
    /// The nodes, with how many lists have each.
    Many(IdMap<u32, i64>),
}

/// What an epoch changes, by the numbers of nodes.
#[derive(Default)]
struct Turned {
    heads: Vec<Heads>,
    nodes: Vec<u32>,
    /// Which nodes are marked: those with the mark of now.
    marks: Vec<u64>,
    mark: u64,
}

/// Where everyone is.
#[derive(Default)]
pub(super) struct People {
    places: IdMap<Who, Places>,
    paths: Paths,
    turned: Turned,
    /// Of whom in this epoch the nodes have not been looked for.
    coming: Vec<Coming>,
    /// Who has still to come or go, to which list of nodes.
    news: Vec<(Who, u32, Diff)>,
    /// The lists that were named in it.
    used: Vec<u32>,
}

impl People {
    /// Takes in who comes and goes in an epoch; where that counts is found as it goes on.
    pub(super) fn hear(&mut self, coming: impl IntoIterator<Item = (Coming, Diff)>) {
        self.coming.extend(coming.into_iter().map(|(one, _)| one));
    }

    /// Does a part of what is left of an epoch: so much of it, or all.
    pub(super) fn go_on(&mut self, part: usize, told: &mut Updates<SumKey, Total>) -> Left {
        let mut budget = part;
        self.place(&mut budget);
        if !self.coming.is_empty() {
            return Left::Something;
        }
        while budget > 0
            && let Some((who, path, mut diff)) = self.news.pop()
        {
            // Each node of this list, and of others, is looked at.
            budget = budget.saturating_sub(LOOKED_FOR + 2 * self.paths.nodes(path).len());
            while let Some((.., more)) = self.news.pop_if(|one| (one.0, one.1) == (who, path)) {
                diff += more;
            }
            self.come(who, path, diff);
        }
        if !self.news.is_empty() {
            return Left::Something;
        }
        while budget > 0
            && let Some(number) = self.turned.nodes.pop()
        {
            budget -= 1;
            let heads = std::mem::take(&mut self.turned.heads[number as usize]);
            if heads != Heads::default() {
                let (spot, period) = self.paths.node(number);
                let Heads { users, devices } = heads;
                told.push((spot.in_period(period), Total { users, devices, ..Total::default() }));
            }
        }
        if !self.turned.nodes.is_empty() {
            return Left::Something;
        }
        self.paths.tidy(std::mem::take(&mut self.used));
        self.news.shrink_to(ROOM_KEPT);
        self.coming.shrink_to(ROOM_KEPT);
        Left::Nothing
    }

    /// Finds the lists of nodes of some more who come or go.
    fn place(&mut self, budget: &mut usize) {
        while *budget > 0
            && let Some(Coming { nodes, who: all, .. }) = self.coming.pop()
        {
            *budget = budget.saturating_sub(LOOKED_FOR * nodes.len() + all.len());
            let path = self.paths.number(&nodes);
            self.used.push(path);
            self.news.extend(all.into_iter().map(|(who, diff)| (who, path, diff)));
            if self.coming.is_empty() {
                self.turned.make_room(self.paths.len());
                // Who goes before they came, as it happens to arrive, is nowhere less than not at all.
                self.news.sort_unstable_by_key(|(who, to, _)| (*who, *to));
            }
        }
    }

    /// One comes to the nodes of a list, or goes.
    fn come(&mut self, who: Who, path: u32, diff: Diff) {
        let Self { places, paths, turned, .. } = self;
        let Ok(times) = i32::try_from(diff) else { return };
        if times == 0 {
            return;
        }
        paths.hold(path, i64::from(times));
        let own = places.entry(who).or_insert_with(|| Places::Few(Vec::new()));
        match own {
            Places::Few(lists) => {
                if let Some(turn) = add(lists, path, times) {
                    let others = lists.iter().map(|(other, _)| *other);
                    turned.mark(others.filter(|other| *other != path), paths);
                    for node in paths.nodes(path) {
                        if !turned.is_marked(*node) {
                            turned.count(*node, who, turn);
                        }
                    }
                }
                if lists.len() > LISTS_MAX {
                    *own = Places::Many(counts(lists, paths));
                }
            }
            Places::Many(nodes) => {
                for node in paths.nodes(path) {
                    let now = nodes.entry(*node).or_default();
                    let before = *now;
                    *now += i64::from(times);
                    let turn = i64::from(*now != 0) - i64::from(before != 0);
                    if *now == 0 {
                        nodes.remove(node);
                    }
                    if turn != 0 {
                        turned.count(*node, who, turn);
                    }
                }
            }
        }
        if own.is_empty() {
            places.remove(&who);
        }
    }

    /// Whether nobody is anywhere.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty() && self.paths.is_empty()
    }
}

/// Adds to how often a list is there; gives 1 or -1 if it came or went.
fn add(lists: &mut Vec<(u32, i32)>, path: u32, times: i32) -> Option<i64> {
    let Some(place) = lists.iter().position(|(one, _)| *one == path) else {
        lists.reserve_exact(1);
        lists.push((path, times));
        return Some(1);
    };
    lists[place].1 += times;
    if lists[place].1 != 0 {
        return None;
    }
    lists.swap_remove(place);
    Some(-1)
}

/// How many lists have each node.
fn counts(lists: &[(u32, i32)], paths: &Paths) -> IdMap<u32, i64> {
    let mut counts = IdMap::default();
    for (path, times) in lists {
        for node in paths.nodes(*path) {
            *counts.entry(*node).or_default() += i64::from(*times);
        }
    }
    counts.retain(|_, count| *count != 0);
    counts
}

impl Places {
    fn is_empty(&self) -> bool {
        match self {
            Self::Few(lists) => lists.is_empty(),
            Self::Many(nodes) => nodes.is_empty(),
        }
    }
}

impl Turned {
    fn make_room(&mut self, nodes: usize) {
        if self.heads.len() < nodes {
            self.heads.resize(nodes, Heads::default());
            self.marks.resize(nodes, 0);
        }
    }

    /// Marks the nodes of some lists, and no others.
    fn mark(&mut self, lists: impl Iterator<Item = u32>, paths: &Paths) {
        self.mark += 1;
        for list in lists {
            for node in paths.nodes(list) {
                self.marks[*node as usize] = self.mark;
            }
        }
    }

    fn is_marked(&self, node: u32) -> bool {
        self.marks[node as usize] == self.mark
    }

    fn count(&mut self, node: u32, who: Who, turn: i64) {
        let heads = &mut self.heads[node as usize];
        // A node whose heads come to nothing and change again is named twice, and told of once.
        if *heads == Heads::default() {
            self.nodes.push(node);
        }
        heads.count(who, turn);
    }
}

impl Heads {
    fn count(&mut self, who: Who, turn: i64) {
        match who {
            Who::User(_) => self.users += turn,
            Who::Device(_) => self.devices += turn,
        }
    }
}
