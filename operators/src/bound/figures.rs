//! How much of what is allocated is in use, at the horizon.
//!
//! in use(p, a)     = Σ { quantity(b) : b bound of p to a holder of a who uses p }
//! not in use(p, a) = Σ { quantity(b) : b bound of p to a holder of a } - in use(p, a)
//! unlisted(p, a)   = | { holder of a use of p for a that no allocation names } |
//!
//! each at the horizon, of products of which something is bound or whose rights are restricted. Metered
//! quantities do not last, so they are no use at an instant here. An account has a row while one of the
//! three is not zero; those of all accounts add up.
//!
//! Work per change: the allocations of the account and product that hold at the horizon.

use super::{Bound, InUse};
use crate::Facts;
use crate::due::due;
use crate::keyed::{Keyed as _, Rows as _};
use crate::timeline::clamped;
use differential_dataflow::ExchangeData;
use serde::{Deserialize, Serialize};
use trueup_model::id::ProductId;
use trueup_model::position::AllocatedUse;
use trueup_model::quantity::{ONE_UNIT, Quantity};
use trueup_model::time::{Span, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Row {
    Bound(Quantity),
    InUse(Quantity),
    Unlisted,
}

/// Gives the figures of each account and product.
pub(super) fn figures<'s>(
    bound: Facts<'s, Bound>,
    in_use: Facts<'s, (ProductId, InUse)>,
    free: Facts<'s, (ProductId, InUse)>,
    horizon: Facts<'s, Timestamp>,
) -> Facts<'s, AllocatedUse> {
    let bound = now(bound.map(|row| (row.span, row)), horizon.clone());
    let lasting = in_use.filter(|(_, one)| one.lasts);
    let users = now(lasting.map(|row| (row.1.span, row)), horizon.clone())
        .flat_map(|(product, one)| {
            let by = [one.by_user(), one.by_device()];
            by.into_iter().flatten().map(move |holder| (product, holder))
        })
        .once();
    let key = |row: &Bound| (row.tenant, row.account, row.product);
    let used = bound
        .clone()
        .map(|row| ((row.product, row.holder), row))
        .kept_by(users)
        .map(move |(_, row)| (key(&row), Row::InUse(row.quantity)));
    let free = free.filter(|(_, one)| one.lasts);
    let unlisted = now(free.map(|row| (row.1.span, row)), horizon)
        .flat_map(|(product, one)| {
            let holder = one.by_user().or(one.by_device())?;
            Some(((one.tenant, one.account, product), holder))
        })
        .once()
        .map(|(account, _)| (account, Row::Unlisted));
    bound
        .map(move |row| (key(&row), Row::Bound(row.quantity)))
        .concatenate([used, unlisted])
        .grouped("Allocated: figures", |_key, rows, found| {
            let (mut all, mut taken, mut others) = (0, 0, 0);
            for (row, count) in rows {
                let count = *count as i128;
                match row {
                    Row::Bound(quantity) => all += i128::from(quantity.0) * count,
                    Row::InUse(quantity) => taken += i128::from(quantity.0) * count,
                    Row::Unlisted => others += i128::from(ONE_UNIT) * count,
                }
            }
            found.push(([taken, all - taken, others].map(clamped), 1));
        })
        .map(|((tenant, account, product), [used, not_used, others])| AllocatedUse {
            tenant,
            account,
            product,
            allocated_in_use: used,
            allocated_not_in_use: not_used,
            in_use_not_allocated: others,
        })
}

/// The rows whose spans contain the horizon.
fn now<'s, D: ExchangeData + Copy>(
    rows: Facts<'s, (Span, D)>,
    horizon: Facts<'s, Timestamp>,
) -> Facts<'s, D> {
    let begun = due(rows.clone().map(|(span, row)| (span.start, row)), horizon.clone());
    let ended = rows.filter(|(span, _)| span.end != Timestamp::MAX);
    begun.concat(due(ended.map(|(span, row)| (span.end, row)), horizon).negate())
}
