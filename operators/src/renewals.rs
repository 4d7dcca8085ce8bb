//! Renewals: rights that lapse between two lines.
//!
//! held(k) = ∪ { span(r) : r a right of k by contract, for production }, in pieces
//! gaps(k) = { the time between two pieces that follow each other : it is no longer than the limit }
//!
//! for k = account, product and metric. A longer pause is meant, and no renewal that came late.
//!
//! Work per change: the rights of the account, product and metric; nothing where no limit is stated.

use crate::Facts;
use crate::attribute::Rule;
use crate::entitle::Right;
use crate::keyed::Keyed as _;
use crate::reconcile::plain;
use crate::segments::union;
use trueup_model::contract::{Basis, LineClass};
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::ProductId;
use trueup_model::time::Span;

/// Finds gaps between a right and its renewal.
pub fn renewals<'s>(
    rights: Facts<'s, Right>,
    rules: Facts<'s, (ProductId, Rule)>,
) -> Facts<'s, Discrepancy> {
    let limits = rules.flat_map(|(product, rule)| Some((product, rule.settings.renewal_gap_us?)));
    rights
        .filter(|right| right.basis == Basis::Contract && right.class == LineClass::Production)
        .map(|right| (right.product, (right.tenant, right.account, right.metric, right.span)))
        .joined(limits, |product, (tenant, account, metric, span), limit| {
            ((*tenant, *account, *product, *metric, *limit), *span)
        })
        .grouped("Renewals", |(.., limit), spans, found| {
            let held = union(spans.iter().map(|(span, _)| **span));
            let gaps = held.windows(2).map(|pair| Span::new(pair[0].end, pair[1].start));
            let late = gaps.filter(|gap| gap.end.0.saturating_sub(gap.start.0) <= *limit);
            found.extend(late.map(|gap| (gap, 1)));
        })
        .map(|((tenant, account, product, metric, _), gap)| Discrepancy {
            account: Some(account),
            product: Some(product),
            metric: Some(metric),
            first_at: gap.start,
            last_at: gap.end,
            ..plain(DiscrepancyKind::ContractGap, tenant)
        })
}
