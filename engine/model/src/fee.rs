//! Fees and bills: what a line costs in each period, and what was billed.

use crate::calendar::PeriodUnit;
use crate::id::NameKind;
use crate::proration::DayCount;
use crate::quantity::{Money, Quantity};
use crate::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// What an entitlement line costs, period by period or once for its term (semantics A 2.17, 2.20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fee<N> {
    /// The line that costs it.
    pub line: N,
    /// What a whole period costs; or, per [`PeriodUnit::All`], a whole term.
    pub amount: Money,
    /// Per which period; [`PeriodUnit::All`] is once for the term of the line.
    pub per: PeriodUnit,
    /// Whether the amount is for one unit of what the line grants, and not for all of it.
    pub each: bool,
    /// How a part of a period is counted.
    pub day_count: DayCount,
    /// What the amount is multiplied by.
    pub uplift: Quantity,
    /// How many local days from the beginning are free.
    pub trial_days: u32,
    /// The line whose term the amount is for, so that this one costs it by its own days; and from whose
    /// beginning the free days count, if that is earlier.
    pub base: Option<N>,
    /// When it holds.
    pub span: Span,
}

impl<N> Fee<N> {
    /// The same fee with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Fee<M>, E> {
        Ok(Fee {
            line: f(NameKind::Line, self.line)?,
            amount: self.amount,
            per: self.per,
            each: self.each,
            day_count: self.day_count,
            uplift: self.uplift,
            trial_days: self.trial_days,
            base: self.base.map(|name| f(NameKind::Line, name)).transpose()?,
            span: self.span,
        })
    }
}

/// What was billed of a product's metered use (semantics A 2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Bill<N> {
    /// The product.
    pub product: N,
    /// Who was billed; none for everyone together.
    pub account: Option<N>,
    /// How many billing units; less than nothing for a credit.
    pub units: Quantity,
    /// An instant of the period that was billed.
    pub at: Timestamp,
}

impl<N> Bill<N> {
    /// The same bill with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Bill<M>, E> {
        Ok(Bill {
            product: f(NameKind::Product, self.product)?,
            account: self.account.map(|name| f(NameKind::Account, name)).transpose()?,
            units: self.units,
            at: self.at,
        })
    }
}
