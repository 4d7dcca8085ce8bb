//! Volumes over the trees: sums at and below every account and every product node.
//!
//! value(a, p, P) = Σ { quantity of cells below a and p in P }
//! users(a, p, P) = |{ user : some cell of theirs below a and p in P has events }|, machines likewise
//!
//! Sums add up: at each tick what changed is carried up where it happened, along links between small numbers
//! that are found once (`piles.rs`), and a node hears one sum of a period from each worker, by a number that it
//! was told the meaning of (`sums.rs`, `nodes.rs`). People and machines do not: whoever comes to a leaf, or goes,
//! is counted at the nodes above where all of them are looked after (`people.rs`), and a node hears how many more
//! it has.
//!
//! Work per change: the leaf; at a tick, the nodes above it; of an account that moves, what adds up there, and
//! everyone who is below. What is kept: what adds up at each account and product in each piece of time, at leaves
//! and above, the nodes of each person and machine, and what adds up at each node.

mod leaves;
mod nodes;
mod numbers;
mod paths;
mod people;
mod piles;
mod sums;
mod telling;
mod world;

use crate::epochs::{by_key, each_epoch_of, everywhere, operator};
use crate::hierarchy::Placement;
use crate::tally::Tally;
use crate::volume::Cell;
use crate::zones::AccountZone;
use crate::{Epoch, Facts};
use differential_dataflow::AsCollection as _;
use leaves::Leaves;
use nodes::Nodes;
use people::{Coming, People};
use serde::{Deserialize, Serialize};
use sums::{Name, Numbered};
use telling::Telling;
use trueup_model::calendar::Period;
use trueup_model::hash::mix;
use trueup_model::id::{AccountId, DeviceId, ProductId, TenantId, UserId};
use trueup_model::position::Rollup;
use trueup_policy::Policy;

/// A node of both trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Spot {
    tenant: TenantId,
    account: AccountId,
    product: ProductId,
}

impl Spot {
    /// Which part of all nodes it belongs to; a worker looks after some.
    fn owner(&self) -> u32 {
        u32::try_from(mix(&[self.account.0, self.product.0]) >> 32).unwrap_or_default()
    }
}

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Who {
    User(UserId),
    Device(DeviceId),
}

/// What the trees and calendars are, and when totals are brought up to date.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Table {
    Account(Placement),
    Product(Placement),
    Zone(AccountZone),
    Tick,
}

/// Adds volumes up both trees, at each tick. The trees and calendars must change at ticks only.
pub fn totals<'s>(
    cells: Facts<'s, Cell, Tally>,
    accounts: Facts<'s, Placement>,
    products: Facts<'s, Placement>,
    zones: Facts<'s, AccountZone>,
    ticks: Facts<'s, Epoch>,
    policy: &Policy,
) -> Facts<'s, Rollup> {
    let cells = by_key(cells, |cell| mix(&[cell.account.0, cell.product.0]));
    let tables = accounts.map(Table::Account).concat(products.map(Table::Product));
    let tables = tables.concatenate([zones.map(Table::Zone), ticks.map(|_| Table::Tick)]);
    let (worker, workers) = (cells.scope().index(), cells.scope().peers());
    let mut leaves = Leaves::new(policy, worker, workers);
    let at_leaves = operator("Totals: leaves", &cells);
    let heard = (cells, everywhere(tables));
    let (sums, names, coming) = each_epoch_of(at_leaves, heard, move |(used, turned), told| {
        leaves.step(used.lists(), turned, told);
    });
    let coming = by_key(coming.as_collection(), |one: &Coming| one.share);
    let mut people = People::default();
    let of_people = operator("Totals: people", &coming);
    let heads = each_epoch_of(of_people, (coming,), move |(came,), told| people.step(came, told));
    let sums = by_key(sums.as_collection(), |sum: &Numbered| u64::from(sum.owner));
    let names = by_key(names.as_collection(), |name: &Name| u64::from(name.of.owner));
    let heads = by_key(heads.as_collection(), |(spot, _): &(Spot, Period)| u64::from(spot.owner()));
    let at_nodes = operator("Totals", &sums);
    let of_nodes = (names, sums, heads);
    let rollups = each_epoch_of(at_nodes, of_nodes, |(named, more, counted), told| {
        let Telling(nodes): &mut Telling<Nodes> = told;
        nodes.step(named, more, counted);
    });
    rollups.as_collection()
}

#[cfg(test)]
mod tests;
