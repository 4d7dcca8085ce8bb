//! Volumes over the trees: sums at and below every account and every product node.
//!
//! value(a, p, P) = Σ { quantity of cells below a and p in P }
//! users(a, p, P) = |{ user : some cell of theirs below a and p in P has events }|, machines likewise
//!
//! Sums add up: at each tick what changed is carried up where it happened, along links between small numbers
//! that are found once (`piles.rs`), and each worker tells of a sum how much more it has (`sums.rs`). People and
//! machines do not: whoever comes to a leaf, or goes, is counted at the nodes above where all of them are looked
//! after (`people.rs`), which tells of how many more there are. What is told of one total, by whichever worker, is
//! added up by whoever keeps it.
//!
//! Work per change: the leaf; at a tick, the nodes above it; of an account that moves, what adds up there, and
//! everyone who is below. What is kept: what adds up at each account and product in each piece of time, at leaves
//! and above, and the nodes of each person and machine.

mod leaves;
mod numbers;
mod paths;
mod people;
mod piles;
mod sums;
mod world;

use crate::epochs::{Part, by_key, each_epoch_in_parts, everywhere, operator};
use crate::hierarchy::Placement;
use crate::tally::Tally;
use crate::timeline::clamped;
use crate::volume::Cell;
use crate::zones::AccountZone;
use crate::{Epoch, Facts};
use differential_dataflow::AsCollection as _;
use differential_dataflow::difference::{Abelian, IsZero, Monoid, Semigroup};
use leaves::Leaves;
use people::{Coming, People};
use serde::{Deserialize, Serialize};
use trueup_model::calendar::Period;
use trueup_model::hash::mix;
use trueup_model::id::{AccountId, DeviceId, ProductId, TenantId, UserId};
use trueup_model::metric::Metric;
use trueup_model::position::Rollup;
use trueup_policy::Policy;

/// How many places in memory a part of an epoch's work goes to, roughly; each is somewhere else, so they are what takes time.
const PART: usize = if cfg!(test) { 20 } else { 32_768 };
/// How many of them something takes that is looked for, and may be made.
const LOOKED_FOR: usize = 4;

/// A node of both trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Spot {
    tenant: TenantId,
    account: AccountId,
    product: ProductId,
}

impl Spot {
    fn in_period(self, period: Period) -> SumKey {
        let Self { tenant, account, product } = self;
        SumKey { tenant, account, product, period }
    }
}

/// Which total it is: of a node of both trees in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SumKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// The account node.
    pub account: AccountId,
    /// The product node: a product, a family, a publisher or the root.
    pub product: ProductId,
    /// The period.
    pub period: Period,
}

/// How much a total comes to, or by how much it changes. There is one while it has events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Total {
    /// Events, and how much in all.
    pub tally: Tally,
    /// Distinct people.
    pub users: i64,
    /// Distinct machines.
    pub devices: i64,
}

impl Total {
    /// A total as a row, if it has events; what is beyond a quantity is shown as the nearest that is not.
    pub fn row(&self, key: SumKey) -> Option<Rollup> {
        let SumKey { tenant, account, product, period } = key;
        let number = |count: i64| u64::try_from(count).unwrap_or(0);
        (self.tally.events > 0).then(|| Rollup {
            tenant,
            account,
            product,
            metric: Metric::Volume,
            period,
            value: clamped(self.tally.quantity),
            value_at: period.span.start,
            unit_us: 0,
            users: number(self.users),
            devices: number(self.devices),
        })
    }
}

impl IsZero for Total {
    fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl Semigroup for Total {
    fn plus_equals(&mut self, other: &Self) {
        self.tally.plus_equals(&other.tally);
        self.users += other.users;
        self.devices += other.devices;
    }
}

impl Monoid for Total {
    fn zero() -> Self {
        Self::default()
    }
}

impl Abelian for Total {
    fn negate(&mut self) {
        self.tally.negate();
        self.users = -self.users;
        self.devices = -self.devices;
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
) -> Facts<'s, SumKey, Total> {
    let cells = by_key(cells, |cell| mix(&[cell.account.0, cell.product.0]));
    let tables = accounts.map(Table::Account).concat(products.map(Table::Product));
    let tables = tables.concatenate([zones.map(Table::Zone), ticks.map(|_| Table::Tick)]);
    let scope = cells.scope();
    let mut leaves = Leaves::new(policy, scope.peers());
    let at_leaves = operator("Totals: leaves", &cells);
    let heard = (cells, everywhere(tables));
    let (sums, coming) = each_epoch_in_parts(at_leaves, scope, heard, move |part, told| {
        if let Part::Begins((used, turned)) = part {
            leaves.hear(used.lists(), turned);
        }
        leaves.go_on(PART, told)
    });
    let coming = by_key(coming.as_collection(), |one: &Coming| one.share);
    let mut people = People::default();
    let of_people = operator("Totals: people", &coming);
    let heads = each_epoch_in_parts(of_people, scope, (coming,), move |part, told| {
        if let Part::Begins((came,)) = part {
            people.hear(came);
        }
        people.go_on(PART, told)
    });
    sums.as_collection().concat(heads.as_collection())
}

#[cfg(test)]
mod tests;
