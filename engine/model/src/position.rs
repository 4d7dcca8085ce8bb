//! What the engine answers: positions, how they came about, and totals over the trees.
//!
//! Each is a row of a maintained collection: it changes by exactly what changed in the input.

use crate::calendar::Period;
use crate::contract::Basis;
use crate::discrepancy::DiscrepancyKind;
use crate::id::{AccountId, LineId, ProductId, TenantId};
use crate::metric::Metric;
use crate::quantity::{Capacity, Money, Quantity};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Which position a figure belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PositionKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// The account node whose lines and demand are compared.
    pub account: AccountId,
    /// The product.
    pub product: ProductId,
    /// How use is counted.
    pub metric: Metric,
    /// The period.
    pub period: Period,
}

/// How demand and rights compare, in words.
///
/// Ordered by urgency, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionState {
    /// Demand is covered.
    Covered,
    /// Demand is covered and close to the limit.
    Near,
    /// Demand is above the lines here and passed to the lines of an account above.
    PassedUp,
    /// The source does not say how much is entitled.
    CapacityUnknown,
    /// Above the entitled count, within what the vendor tolerates.
    WithinOverdraft,
    /// Above the entitled count, or after the end of the lines, and the time of grace is running.
    InGrace,
    /// Above the entitled count.
    Over,
    /// Used after its trial ended, and nobody bought.
    TrialEnded,
    /// Used after every matching line ended.
    Expired,
    /// Used without any matching line.
    Unlicensed,
}

impl PositionState {
    /// What it is called when someone must look at it; use of a feature, or of anything else.
    pub fn discrepancy(self, feature: bool) -> Option<DiscrepancyKind> {
        match self {
            Self::Over | Self::Unlicensed if feature => Some(DiscrepancyKind::UnlicensedFeatureUse),
            Self::Over => Some(DiscrepancyKind::OverUse),
            Self::WithinOverdraft => Some(DiscrepancyKind::OverInMargin),
            Self::InGrace => Some(DiscrepancyKind::InGrace),
            Self::TrialEnded => Some(DiscrepancyKind::TrialEndedInUse),
            Self::Expired => Some(DiscrepancyKind::ExpiredInUse),
            Self::Unlicensed => Some(DiscrepancyKind::UnlicensedUse),
            Self::Near => Some(DiscrepancyKind::NearLimit),
            Self::CapacityUnknown => Some(DiscrepancyKind::CapacityUnknown),
            Self::Covered | Self::PassedUp => None,
        }
    }

    /// The state's name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Near => "near",
            Self::PassedUp => "passed_up",
            Self::CapacityUnknown => "capacity_unknown",
            Self::WithinOverdraft => "within_overdraft",
            Self::InGrace => "in_grace",
            Self::Over => "over",
            Self::TrialEnded => "trial_ended",
            Self::Expired => "expired",
            Self::Unlicensed => "unlicensed",
        }
    }
}

/// A license position: what is entitled, what is needed, and what is missing.
///
/// For metrics that count at an instant, "at the end" is the last instant of the period or the
/// horizon, whichever is first. For metrics that count in periods, demand and peak are the period's
/// total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LicensePosition {
    /// Which position.
    pub key: PositionKey,
    /// Whether the period holds the horizon, so that its figures still grow.
    pub current: bool,
    /// What vouches for the entitled quantity; `None` if no line matches.
    pub basis: Option<Basis>,
    /// Entitled at the end.
    pub entitled: Capacity,
    /// What of it higher products lend at the end; negative for what lower ones were lent instead.
    pub lent: Quantity,
    /// Tolerated above the entitled quantity at the end.
    pub overdraft: Quantity,
    /// Demand at the end.
    pub demand: Quantity,
    /// The greatest demand at one instant.
    pub peak: Quantity,
    /// The first instant of the greatest demand.
    pub peak_at: Timestamp,
    /// Demand over time, in millionths of a unit times microseconds.
    pub demand_unit_us: i128,
    /// The greatest demand at one instant that no line covers, here or above.
    pub shortfall: Quantity,
    /// Its first instant.
    pub shortfall_at: Timestamp,
    /// The first instant of any shortfall; the horizon's `MAX` if there was none.
    pub shortfall_first: Timestamp,
    /// The end of the last shortfall; `MAX` if it lasts.
    pub shortfall_last: Timestamp,
    /// Shortfall at the end.
    pub shortfall_now: Quantity,
    /// Shortfall over time, in millionths of a unit times microseconds.
    pub shortfall_unit_us: i128,
    /// The greatest shortfall beyond the overdraft.
    pub beyond_overdraft: Quantity,
    /// The greatest shortfall while matching lines existed and all had ended.
    pub expired_shortfall: Quantity,
    /// The first instant of it; `MAX` if there was none.
    pub expired_first: Timestamp,
    /// The greatest demand that lines of an account above had to cover.
    pub passed_up: Quantity,
    /// Entitled at the end and not needed at the peak.
    pub surplus: Quantity,
    /// What one unit cost on the newest line that says so.
    pub unit_price: Option<Money>,
    /// In words.
    pub state: PositionState,
}

/// Why a line serves a demand before another line does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllocationReason {
    /// It is the only line of its scope.
    OnlyLine,
    /// Its priority is smaller.
    Priority,
    /// It expires earlier.
    EarlierExpiry,
    /// It started earlier.
    EarlierStart,
    /// Its name comes first; nothing else tells them apart.
    Name,
    /// It is last in the order.
    Last,
}

impl AllocationReason {
    /// The reason's name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::OnlyLine => "only_line",
            Self::Priority => "priority",
            Self::EarlierExpiry => "earlier_expiry",
            Self::EarlierStart => "earlier_start",
            Self::Name => "name",
            Self::Last => "last",
        }
    }
}

/// How much of a line serves the demand of a position, at the position's peak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AllocationLine {
    /// Which position.
    pub key: PositionKey,
    /// The line's place in the order of use, from 0.
    pub rank: u32,
    /// The line.
    pub line: LineId,
    /// What the line grants at that instant.
    pub granted: Capacity,
    /// How much of it is used at that instant.
    pub used: Quantity,
    /// Why it stands before the next one.
    pub reason: AllocationReason,
}

/// How much of what is allocated of a product is in use at the horizon, by account.
///
/// Allocations count for the account that their holders belong to, use for the account that it counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AllocatedUse {
    /// Whose it is.
    pub tenant: TenantId,
    /// The account.
    pub account: AccountId,
    /// The product.
    pub product: ProductId,
    /// Bound to those who use it.
    pub allocated_in_use: Quantity,
    /// Bound to those who do not.
    pub allocated_not_in_use: Quantity,
    /// How many people and machines use it to whom nothing is bound.
    pub in_use_not_allocated: Quantity,
}

/// How demand and rights of a position change at one instant; their sums up to an instant are the
/// levels at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Step {
    /// Whose it is.
    pub tenant: TenantId,
    /// The account node.
    pub account: AccountId,
    /// The product.
    pub product: ProductId,
    /// How use is counted.
    pub metric: Metric,
    /// When; `MIN` for what holds since always.
    pub at: Timestamp,
    /// By how many millionths demand changes.
    pub demand: i128,
    /// By how many millionths the entitled quantity changes.
    pub entitled: i128,
    /// By how many millionths the overdraft changes.
    pub overdraft: i128,
    /// How many lines without a limit come or go.
    pub unlimited: i64,
    /// How many lines that do not say their quantity come or go.
    pub unknown: i64,
}

/// Two claims about one right that differ at the horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BasisGap {
    /// Whose it is.
    pub tenant: TenantId,
    /// The product.
    pub product: ProductId,
    /// How use is counted.
    pub metric: Metric,
    /// What counts.
    pub basis: Basis,
    /// How much it says.
    pub entitled: Capacity,
    /// What else speaks of it.
    pub other_basis: Basis,
    /// How much that says.
    pub other_entitled: Capacity,
}

/// Total use at a node of the account tree and a node of the product tree.
///
/// Sums add up along the tree. Peaks and distinct counts do not: they are taken from the sessions
/// and people below the node, so a person who works for two affiliates counts once above both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rollup {
    /// Whose it is.
    pub tenant: TenantId,
    /// The account node.
    pub account: AccountId,
    /// The product node: a product, a family, a publisher or the root.
    pub product: ProductId,
    /// How use is counted.
    pub metric: Metric,
    /// The period.
    pub period: Period,
    /// The peak, distinct count or sum.
    pub value: Quantity,
    /// The first instant of the peak; the period's start for sums and counts.
    pub value_at: Timestamp,
    /// Use over time, in millionths of a unit times microseconds; 0 for sums and counts.
    pub unit_us: i128,
    /// Distinct people who used it in the period.
    pub users: u64,
    /// Distinct machines on which it was used in the period.
    pub devices: u64,
}

/// What a closed period said and what a late fact has changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Adjustment {
    /// Which position's period.
    pub key: PositionKey,
    /// The late fact.
    pub fact: crate::fact::FactId,
    /// Where it was read.
    pub provenance: crate::fact::Provenance<crate::id::Id>,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// What it adds to the figure that was issued.
    pub delta: Quantity,
}

/// What a closed period's statement said, beside what is true now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Statement {
    /// Which position's period.
    pub key: PositionKey,
    /// When it closed.
    pub closed_at: Timestamp,
    /// The figure as issued: from what had arrived before it closed.
    pub issued: Quantity,
    /// The figure from everything known.
    pub restated: Quantity,
}

/// What a position says of its period: the figures that a statement issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PositionFigures {
    /// What was entitled at the end.
    pub entitled: Capacity,
    /// The figure of what was needed.
    pub peak: Quantity,
    /// What of it no line covered.
    pub shortfall: Quantity,
    /// In words.
    pub state: PositionState,
}

impl PositionFigures {
    /// What is said where there is no position.
    pub const NOTHING: Self = Self {
        entitled: Capacity::Limited(Quantity::ZERO),
        peak: Quantity::ZERO,
        shortfall: Quantity::ZERO,
        state: PositionState::Covered,
    };

    /// What a position says.
    pub fn of(row: &LicensePosition) -> Self {
        Self { entitled: row.entitled, peak: row.peak, shortfall: row.shortfall, state: row.state }
    }
}

/// What a closed period's position said when it closed, beside what it says now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IssuedPosition {
    /// Which position's period.
    pub key: PositionKey,
    /// When it closed.
    pub closed_at: Timestamp,
    /// What was said when it closed, from what was known then.
    pub issued: PositionFigures,
    /// What is said from everything known.
    pub restated: PositionFigures,
}

impl IssuedPosition {
    /// Whether a kind of discrepancy holds now that had not been found when it closed.
    pub fn is_found_late(&self, kind: DiscrepancyKind) -> bool {
        let feature = self.key.metric == Metric::Feature;
        let before = self.issued.state.discrepancy(feature);
        before != Some(kind) && self.restated.state.discrepancy(feature) == Some(kind)
    }
}
