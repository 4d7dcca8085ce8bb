//! Allocations that nobody uses: rights that are bound to a holder who did not need them for long.
//!
//! held(h)   = ∪ { span(b) : b bound to h, of the product }, in pieces [a, e)
//! unused(h) = held(h) \ ∪ { [u.start, u.end + limit) : u a use of the product by h }
//!                     \ ∪ { [a, a + limit) : [a, e) a piece, a known }
//!
//! Where a is not known nothing is said before the first use. So the time ends with the next use, whenever
//! it is heard of. It is told for each account that the holder belongs to in it, as large as the greatest
//! quantity that is bound then so far.
//!
//! Work per change: of a use, those of the holder around it; the allocations of the holder and product;
//! nothing where no limit is stated.

use super::{Bound, Holder, InUse, greatest, rising};
use crate::attribute::Rule;
use crate::keyed::Keyed as _;
use crate::reconcile::plain;
use crate::segments::{outside, union};
use crate::{Diff, Facts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::{AccountId, ProductId, TenantId};
use trueup_model::quantity::Quantity;
use trueup_model::time::{DAY_US, Span, Timestamp};

/// Uses that begin in one such time are looked at together.
const TOGETHER_US: i64 = 30 * DAY_US;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Row {
    Held(AccountId, Span, Quantity),
    /// It was used from the start on, and not too long ago before the end.
    Used(Span),
}

/// A holder of a product, and for how long it may go unused.
type Key = (TenantId, ProductId, Holder, i64);

/// Finds allocations that were not used for longer than the policy says.
pub(super) fn unused<'s>(
    bound: Facts<'s, Bound>,
    in_use: Facts<'s, (ProductId, InUse)>,
    rules: Facts<'s, (ProductId, Rule)>,
    horizon: Facts<'s, Timestamp>,
) -> Facts<'s, Discrepancy> {
    let limits =
        rules.flat_map(|(product, rule)| Some((product, rule.settings.allocation_idle_us?)));
    let held = bound.map(|row| (row.product, row)).joined(limits.clone(), |_, row, limit| {
        let held = Row::Held(row.account, row.span, row.quantity);
        ((row.tenant, row.product, row.holder, *limit), held)
    });
    let used = in_use
        .joined(limits, |product, one, limit| {
            let by = [one.by_user(), one.by_device()];
            let (tenant, span, product, limit) = (one.tenant, one.span, *product, *limit);
            by.map(|holder| Some(((tenant, product, holder?, limit), span)))
        })
        .flat_map(|rows| rows.into_iter().flatten())
        .map(|(key, span): (Key, Span)| ((key, span.start.0.div_euclid(TOGETHER_US)), span))
        .grouped("Unused: uses", |((.., limit), _), spans, found| {
            let until = |span: &Span| Span::new(span.start, span.end.plus_us(*limit));
            let used = union(spans.iter().map(|(span, _)| until(span)));
            found.extend(used.into_iter().map(|span| (span, 1)));
        })
        .map(|((key, _), span)| (key, Row::Used(span)));
    let rows = held
        .concat(used)
        .grouped("Unused", |(.., limit), rows, found| {
            for (account, span, pieces) in times(rows, *limit) {
                let rising = rising(pieces).into_iter();
                found.extend(rising.map(|(at, quantity)| ((account, span, at, quantity), 1)));
            }
        })
        .map(|((tenant, product, holder, _), (account, span, at, quantity))| {
            let row = Discrepancy {
                account: Some(account),
                product: Some(product),
                subject: holder.subject(),
                first_at: span.start,
                last_at: span.end,
                ..plain(DiscrepancyKind::AllocatedNotUsed, tenant)
            };
            (at, (row, quantity))
        });
    greatest(rows, horizon)
}

/// A time in which what is bound for an account is not used, and how much is bound from when on.
type Unused = (AccountId, Span, Vec<(Timestamp, i128)>);

/// The times in which what is bound is not used, by account.
fn times(rows: &[(&Row, Diff)], limit: i64) -> Vec<Unused> {
    let mut held: BTreeMap<AccountId, Vec<(Span, i128)>> = BTreeMap::new();
    let mut taken: Vec<Span> = Vec::new();
    for (row, count) in rows {
        match **row {
            Row::Held(account, span, quantity) => {
                let quantity = i128::from(quantity.0) * *count as i128;
                held.entry(account).or_default().push((span, quantity));
            }
            Row::Used(span) => taken.push(span),
        }
    }
    let first = taken.iter().map(|span| span.start).min();
    let whole = union(held.values().flatten().map(|(span, _)| *span));
    taken.extend(whole.iter().map(|piece| match piece.start {
        Timestamp::MIN => Span::new(Timestamp::MIN, first.unwrap_or(piece.end).min(piece.end)),
        start => Span::new(start, start.plus_us(limit)),
    }));
    let unused: Vec<Span> =
        whole.into_iter().flat_map(|piece| outside(piece, taken.iter().copied())).collect();
    let mut found = Vec::new();
    for (account, bound) in held {
        for own in union(bound.iter().map(|(span, _)| *span)) {
            for span in unused.iter().filter_map(|span| span.overlap(own)) {
                found.push((account, span, levels(&bound, span)));
            }
        }
    }
    found
}

/// How much is bound within a span, from when on.
fn levels(rows: &[(Span, i128)], within: Span) -> Vec<(Timestamp, i128)> {
    let mut turns: BTreeMap<Timestamp, i128> = BTreeMap::new();
    for (span, quantity) in rows {
        let Some(span) = span.overlap(within) else { continue };
        *turns.entry(span.start).or_default() += quantity;
        *turns.entry(span.end).or_default() -= quantity;
    }
    let mut level = 0;
    let sums = turns.into_iter().map(|(at, change)| {
        level += change;
        (at, level)
    });
    sums.collect()
}
