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
use super::{Spot, Who};
use crate::Diff;
use crate::epochs::Updates;
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Heads {
    pub(super) users: Diff,
    pub(super) devices: Diff,
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
}

impl People {
    pub(super) fn step(
        &mut self,
        coming: impl IntoIterator<Item = (Coming, Diff)>,
        told: &mut Updates<(Spot, Period), Heads>,
    ) {
        let mut paths = Vec::new();
        let mut news: Vec<(Who, u32, Diff)> = Vec::new();
        for (Coming { nodes, who: all, .. }, _) in coming {
            let path = self.paths.number(&nodes);
            paths.push(path);
            news.extend(all.into_iter().map(|(who, diff)| (who, path, diff)));
        }
        self.turned.make_room(self.paths.len());
        // Who goes before they came, as it happens to arrive, is nowhere less than not at all.
        news.sort_unstable_by_key(|(who, path, _)| (*who, *path));
        for same in news.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            let diff = same.iter().map(|(.., diff)| diff).sum();
            if let Some((who, path, _)) = same.first() {
                self.come(*who, *path, diff);
            }
        }
        let Self { paths: kept, turned, .. } = self;
        for number in turned.nodes.drain(..) {
            let heads = std::mem::take(&mut turned.heads[number as usize]);
            if heads != Heads::default() {
                told.push((kept.node(number), heads));
            }
        }
        kept.tidy(paths);
    }

    /// One comes to the nodes of a list, or goes.
    fn come(&mut self, who: Who, path: u32, diff: Diff) {
        let Self { places, paths, turned } = self;
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
                    let turn = Diff::from(*now != 0) - Diff::from(before != 0);
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
fn add(lists: &mut Vec<(u32, i32)>, path: u32, times: i32) -> Option<Diff> {
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

    fn count(&mut self, node: u32, who: Who, diff: Diff) {
        let heads = &mut self.heads[node as usize];
        // A node whose heads come to nothing and change again is named twice, and told of once.
        if *heads == Heads::default() {
            self.nodes.push(node);
        }
        heads.count(who, diff);
    }
}

impl Heads {
    fn count(&mut self, who: Who, diff: Diff) {
        match who {
            Who::User(_) => self.users += diff,
            Who::Device(_) => self.devices += diff,
        }
    }
}
