//! What became of credits, and what use costs: balances of grants, overage, charges, true-ups, fees, bills.

use crate::calendar::Period;
use crate::id::{AccountId, LineId, ProductId, TenantId};
use crate::position::PositionKey;
use crate::price::PriceModel;
use crate::quantity::{Capacity, Money, Quantity};
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// How a grant stands at the end of a turn, or at the horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditState {
    /// It can be used.
    Running,
    /// The next turn has begun.
    Turned,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Voided,
}

impl CreditState {
    /// The state's name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Turned => "turned",
            Self::Expired => "expired",
            Self::Voided => "voided",
        }
    }
}

/// A grant in one of its turns; what comes once has one turn.
///
/// `left = granted + carried - used`. A turn in which nothing was used has no row, unless it is the
/// newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CreditBalance {
    /// Whose it is.
    pub tenant: TenantId,
    /// The account whose subtree may use it; the root if it is everyone's.
    pub account: AccountId,
    /// What it is used up for.
    pub product: ProductId,
    /// The grant.
    pub grant: LineId,
    /// When the turn is, within the time of the grant.
    pub span: Span,
    /// Which grant is used first: smaller first.
    pub priority: i32,
    /// What came anew in this turn.
    pub granted: Quantity,
    /// What came over from the turn before; negative where that was overdrawn by more.
    pub carried: Quantity,
    /// What was used up of it.
    pub used: Quantity,
    /// What is left at the end of the turn or at the horizon; negative while it is in debt.
    pub left: Quantity,
    /// What of that was lost at the end of the turn: it expired, was void, or was too much to carry.
    pub lapsed: Quantity,
    /// What was used in this turn beyond everything that was there, and is taken from the next amount.
    pub overdrawn: Quantity,
    /// How it stands.
    pub state: CreditState,
}

/// Use of a product with credits that no grant covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Overage {
    /// Whose it is.
    pub tenant: TenantId,
    /// The account that used it.
    pub account: AccountId,
    /// The product.
    pub product: ProductId,
    /// The account's position period.
    pub period: Period,
    /// How much; negative where more was given back than had been used.
    pub quantity: Quantity,
}

/// What the use of a period costs the account that pays for it.
///
/// An account pays for the use in its subtree unless an account nearer to the use has prices of its own.
/// Where prices change within a period, each of its parts is a row, with its own bands from the first on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Charge {
    /// Whose it is.
    pub tenant: TenantId,
    /// The account that pays.
    pub account: AccountId,
    /// The product.
    pub product: ProductId,
    /// The account's position period.
    pub period: Period,
    /// The part of the period in which the prices hold.
    pub span: Span,
    /// What was used in it.
    pub quantity: Quantity,
    /// How the bands apply; none where they contradict each other.
    pub model: Option<PriceModel>,
    /// What it costs; none where the bands contradict each other or do not reach the quantity.
    pub amount: Option<Money>,
}

/// What is owed for a period in which more was used than was entitled.
///
/// What was owed for an earlier period of the same year is not owed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TrueUp {
    /// Which position's period.
    pub key: PositionKey,
    /// Whether the period holds the horizon, so that its figures still grow.
    pub current: bool,
    /// The greatest demand at one instant that no line covers.
    pub shortfall: Quantity,
    /// What of it was not owed before in the year.
    pub owed: Quantity,
    /// What that costs by the price of a unit; none where no line says what it cost.
    pub amount: Option<Money>,
    /// The part of the amount for the months of the year that are left after the period.
    pub for_the_rest: Option<Money>,
}

/// What a line costs in a period, or for its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FeeDue {
    /// Whose it is.
    pub tenant: TenantId,
    /// The account of the line.
    pub account: AccountId,
    /// The product of the line.
    pub product: ProductId,
    /// The line.
    pub line: LineId,
    /// The account's period; all of time for what is due once for a term.
    pub period: Period,
    /// The part of it, or the term, that is paid for: without the days of the trial.
    pub span: Span,
    /// What a whole period or term costs, of one unit or of all.
    pub amount: Money,
    /// How many units it is multiplied by, if it is for one of them.
    pub units: Option<Capacity>,
    /// How much of a whole is paid for: the part, in days, months or microseconds, and the whole.
    pub share: Option<(i64, i64)>,
    /// What is due, in whole cents; none where it cannot be said: of an unlimited quantity, or by a term
    /// that has no end.
    pub due: Option<Money>,
}

/// What is still to be billed of the metered use of a period, in whole billing units.
///
/// `due = total - billed`, but no less than nothing where nothing is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BillDue {
    /// Whose it is.
    pub tenant: TenantId,
    /// The account.
    pub account: AccountId,
    /// The product.
    pub product: ProductId,
    /// The account's position period.
    pub period: Period,
    /// What was used beyond what lines grant, as metered.
    pub beyond: Quantity,
    /// That in whole billing units.
    pub total: Quantity,
    /// What was billed.
    pub billed: Quantity,
    /// What is due; less than nothing for a credit.
    pub due: Quantity,
}
