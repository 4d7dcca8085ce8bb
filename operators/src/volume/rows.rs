//! What is metered, where it counts, and what of it is told one by one.

use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};
use trueup_model::calendar::Period;
use trueup_model::derived::Subject;
use trueup_model::fact::{FactId, Provenance};
use trueup_model::id::{AccountId, DeviceId, Id, ProductId, TenantId, UserId};
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};

/// An event that adds to a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Metered {
    /// What was used by whom.
    pub subject: Subject,
    /// When.
    pub at: Timestamp,
    /// How much.
    pub quantity: Quantity,
    /// The fact.
    pub fact: FactId,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// Where it was read.
    pub provenance: Provenance<Id>,
}

/// A cell of attributed use; its weight says how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// Whose it is.
    pub tenant: TenantId,
    /// The product.
    pub product: ProductId,
    /// For which account.
    pub account: AccountId,
    /// By whom.
    pub user: Option<UserId>,
    /// On which machine.
    pub device: Option<DeviceId>,
    /// The piece of time.
    pub span: Span,
    /// The account's position period.
    pub period: Period,
    /// When that period closes.
    pub closes_at: Option<Timestamp>,
    /// Whether it arrived after that.
    pub late: bool,
}

/// What is used in a cell, by whomever: the cells of one account, product and piece of time together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slice {
    /// Whose it is.
    pub tenant: TenantId,
    /// The product.
    pub product: ProductId,
    /// For which account.
    pub account: AccountId,
    /// The piece of time.
    pub span: Span,
    /// The account's position period.
    pub period: Period,
    /// When that period closes.
    pub closes_at: Option<Timestamp>,
    /// Whether it arrived after that.
    pub late: bool,
}

impl Slice {
    /// The slice of a cell.
    #[inline]
    pub(crate) fn of(cell: &Cell) -> Self {
        let Cell { tenant, product, account, span, period, closes_at, late, .. } = *cell;
        Self { tenant, product, account, span, period, closes_at, late }
    }
}

impl Hash for Slice {
    /// What nearly always tells slices apart.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.product, self.account, self.span.start).hash(state);
    }
}

/// An event that arrived after its period closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Late {
    /// The cell that it adds to.
    pub cell: Cell,
    /// The fact.
    pub fact: FactId,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// Where it was read.
    pub provenance: Provenance<Id>,
    /// How much.
    pub quantity: Quantity,
}

/// For what a product's quantities are asked one by one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Asked {
    /// For the greatest of a period.
    pub maximum: bool,
    /// For the newest of a period.
    pub latest: bool,
    /// For who took part in a period.
    pub unique: bool,
    /// For credits and prices, in the order of use.
    pub ledger: bool,
    /// For who uses what is allocated.
    pub holders: bool,
}

/// An attributed event by itself, where a product counts single quantities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reading {
    /// Whose it is.
    pub tenant: TenantId,
    /// The product.
    pub product: ProductId,
    /// For which account.
    pub account: AccountId,
    /// By whom.
    pub user: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// The fact; of equal instants, the greater one is the later.
    pub fact: FactId,
    /// How much.
    pub quantity: Quantity,
    /// What for.
    pub asked: Asked,
    /// On which machine.
    pub device: Option<DeviceId>,
}
