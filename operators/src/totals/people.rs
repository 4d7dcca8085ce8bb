//! How many people and machines there are at each node.
//!
//! Whoever is at a leaf is at every node above it, and counts once wherever they are, so each is looked
//! after in one place: nodes hear only of how many they have more or fewer.

use super::{Spot, Who};
use crate::Diff;
use crate::bag::Bag;
use crate::epochs::Updates;
use serde::{Deserialize, Serialize};
use trueup_model::calendar::Period;
use trueup_model::hash::IdMap;

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

/// Where everyone is.
#[derive(Default)]
pub(super) struct People {
    /// For each node, at how many leaves and pieces of time below it.
    places: IdMap<Who, Bag<(Spot, Period)>>,
}

impl People {
    pub(super) fn step(
        &mut self,
        coming: Updates<Coming>,
        told: &mut Updates<(Spot, Period), Heads>,
    ) {
        let mut heads: IdMap<(Spot, Period), Heads> = IdMap::default();
        for (Coming { nodes, who: all, .. }, _) in coming {
            for (who, diff) in all {
                let places = self.places.entry(who).or_default();
                for node in &nodes {
                    let now = places.add(*node, diff);
                    let turn = Diff::from(now != 0) - Diff::from(now != diff);
                    if turn != 0 {
                        heads.entry(*node).or_default().count(who, turn);
                    }
                }
                if places.is_empty() {
                    self.places.remove(&who);
                }
            }
        }
        told.extend(heads.into_iter().filter(|(_, heads)| *heads != Heads::default()));
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
