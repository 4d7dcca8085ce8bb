//! Credits: amounts that are paid for first and used up later, and allowances that come back.

use crate::calendar::PeriodUnit;
use crate::id::NameKind;
use crate::quantity::Quantity;
use crate::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// An amount of a product that may be used up while it is valid.
///
/// With `every`, the amount comes anew at each turn of the period, counted from the beginning of
/// `span`; what is left then is carried over within `carry_min` and `carry_max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Grant<N> {
    /// The grant's own name.
    pub grant: N,
    /// What it may be used up for.
    pub product: N,
    /// Whose it is; none for everyone.
    pub account: Option<N>,
    /// How much.
    pub amount: Quantity,
    /// When it may be used.
    pub span: Span,
    /// Which grant is used first: smaller first.
    pub priority: i32,
    /// How often it comes anew; none for once.
    pub every: Option<PeriodUnit>,
    /// At a turn, at least this much is left over.
    pub carry_min: Quantity,
    /// At a turn, at most this much is carried over.
    pub carry_max: Quantity,
    /// Whether use beyond what was there is taken from the next period's amount.
    pub carry_overage: bool,
    /// From when on it is void, whatever is left of it.
    pub voided_at: Option<Timestamp>,
}

impl<N> Grant<N> {
    /// The same grant with each name turned by `f`.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<M, E>(
        self,
        f: &mut impl FnMut(NameKind, N) -> Result<M, E>,
    ) -> Result<Grant<M>, E> {
        Ok(Grant {
            grant: f(NameKind::Line, self.grant)?,
            product: f(NameKind::Product, self.product)?,
            account: self.account.map(|name| f(NameKind::Account, name)).transpose()?,
            amount: self.amount,
            span: self.span,
            priority: self.priority,
            every: self.every,
            carry_min: self.carry_min,
            carry_max: self.carry_max,
            carry_overage: self.carry_overage,
            voided_at: self.voided_at,
        })
    }
}
