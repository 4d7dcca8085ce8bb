//! Use of what is allocated to others: of a product whose rights serve only those whom allocations name.
//!
//! free(u)     = span(u) \ ∪ { span(b) : b bound of the product to u's person or machine }
//! unlisted(h) = { t ∈ free(u) : u a use by h, the rights of the product are restricted at t }
//!
//! The holder of a use is its person, or its machine where no person is known. Each holder and account
//! that uses it is one discrepancy, from the first such use to the end of the last one that has begun.
//!
//! Work per change: of a use, the free uses of its holder if it is one; of an allocation, the uses of the
//! holder and product.

use super::{Bound, Holder, InUse};
use crate::Facts;
use crate::due::due;
use crate::keyed::{Keyed as _, Rows as _};
use crate::reconcile::plain;
use crate::segments::{outside, union};
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::ProductId;
use trueup_model::time::{Span, Timestamp};

/// The parts of uses that no allocation names.
pub(super) fn free<'s>(
    bound: Facts<'s, Bound>,
    in_use: Facts<'s, (ProductId, InUse)>,
) -> Facts<'s, (ProductId, InUse)> {
    let named = bound.map(|row| ((row.product, row.holder), row.span));
    let by_others = without(in_use, InUse::by_user, named.clone());
    without(by_others, InUse::by_device, named)
}

/// The parts of uses in which nothing is bound to one of those by whom they are.
fn without<'s>(
    in_use: Facts<'s, (ProductId, InUse)>,
    by: fn(&InUse) -> Option<Holder>,
    named: Facts<'s, ((ProductId, Holder), Span)>,
) -> Facts<'s, (ProductId, InUse)> {
    let nobody = in_use.clone().filter(move |(_, one)| by(one).is_none());
    let keyed = in_use.flat_map(move |(product, one)| Some(((product, by(&one)?), one)));
    // Every holder has one list, be it empty.
    let lists = keyed
        .clone()
        .map(|(key, _)| key)
        .once()
        .map(|key| (key, None))
        .concat(named.map(|(key, span)| (key, Some(span))))
        .grouped("Unlisted: lists", |_holder, rows, lists| {
            if rows.iter().any(|(row, _)| row.is_none()) {
                lists.push((union(rows.iter().filter_map(|(row, _)| **row)), 1));
            }
        });
    let left = keyed.joined(lists, |(product, _), one, list| {
        let parts = outside(one.span, list.iter().copied());
        let rows = parts.into_iter().map(|span| (*product, InUse { span, ..*one }));
        rows.collect::<Vec<_>>()
    });
    nobody.concat(left.flat_map(|rows| rows))
}

/// Finds who uses what is allocated to others.
pub(super) fn unlisted<'s>(
    free: Facts<'s, (ProductId, InUse)>,
    restricted: Facts<'s, (ProductId, Span)>,
    horizon: Facts<'s, Timestamp>,
) -> Facts<'s, Discrepancy> {
    let spans = free
        .joined(restricted, |product, one, restricted| {
            let holder = one.by_user().or(one.by_device())?;
            let span = one.span.overlap(*restricted)?;
            Some(((one.tenant, one.account, *product, holder), span))
        })
        .flat_map(|row| row)
        .grouped("Unlisted: spans", |_holder, spans, found| {
            let spans = union(spans.iter().map(|(span, _)| **span));
            found.extend(spans.into_iter().map(|span| (span, 1)));
        });
    due(spans.map(|(holder, span)| (span.start, (holder, span))), horizon)
        .grouped("Unlisted", |_holder, spans, found| {
            let first = spans.first().map(|(span, _)| span.start);
            let last = spans.last().map(|(span, _)| span.end);
            found.extend(first.zip(last).map(|(first, last)| (Span::new(first, last), 1)));
        })
        .map(|((tenant, account, product, holder), span)| Discrepancy {
            account: Some(account),
            product: Some(product),
            subject: holder.subject(),
            first_at: span.start,
            last_at: span.end,
            ..plain(DiscrepancyKind::UsedNotAllocated, tenant)
        })
}
