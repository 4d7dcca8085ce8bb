//! Seats that go to someone else before they were held for their least time (2.1).

use super::Case;
use super::discrepancies::plain;
use super::spans::together;
use super::uses::Use;
use std::collections::BTreeSet;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::{AccountId, NameKind, ProductId, TenantId, UserId};
use trueup_model::metric::Metric;
use trueup_model::time::{Span, Timestamp};

/// The seats that still count for who gave them up, and who did so too soon.
pub(super) fn holds(case: &Case<'_>, seats: &[Use]) -> (Vec<Use>, Vec<Discrepancy>) {
    let seats: Vec<&Use> = seats.iter().filter(|one| one.metric == Metric::NamedUser).collect();
    let mut kept = Vec::new();
    let mut problems = Vec::new();
    let holders: BTreeSet<(TenantId, AccountId, ProductId, Option<UserId>)> =
        seats.iter().map(|one| (one.tenant, one.account, one.product, one.user)).collect();
    // Of each holder the times in which a seat is held.
    let held: Vec<_> = holders
        .into_iter()
        .map(|holder| {
            let own = seats
                .iter()
                .filter(|one| (one.tenant, one.account, one.product, one.user) == holder);
            let own: Vec<&Use> = own.copied().collect();
            (holder, own[0], together(own.iter().map(|one| one.span).collect()))
        })
        .collect();
    for (holder, one, spans) in &held {
        let Some(hold) = case.settings.get(&holder.2).and_then(|all| all.seat_hold) else {
            continue;
        };
        let others = || held.iter().filter(|(other, ..)| other.3 != holder.3);
        let same = |other: &(TenantId, AccountId, ProductId, Option<UserId>)| {
            (other.0, other.1, other.2) == (holder.0, holder.1, holder.2)
        };
        for span in spans.iter().filter(|span| span.start != Timestamp::MIN) {
            let free = Span::new(span.end, span.start.plus_us(hold.least_us));
            let begins = others().filter(|(other, ..)| same(other));
            let begins = begins.flat_map(|(_, _, spans)| {
                let comes_back = |span: &Span| {
                    let earlier = spans.iter().filter(|other| other.start < span.start);
                    earlier.clone().any(|other| other.start.plus_us(hold.least_us) > span.start)
                };
                spans.iter().filter(move |span| !comes_back(span)).map(|span| span.start)
            });
            let Some(taken) = begins.filter(|at| free.contains(*at)).min() else { continue };
            let twice = Span::new(taken, free.end);
            if hold.counts {
                kept.push(Use { span: twice, device: None, ..**one });
            }
            if taken <= case.horizon {
                problems.push(Discrepancy {
                    account: Some(one.account),
                    product: Some(one.product),
                    metric: Some(Metric::NamedUser),
                    subject: one.user.map(|user| (NameKind::User, user.into())),
                    first_at: twice.start,
                    last_at: twice.end,
                    ..plain(DiscrepancyKind::ReassignedTooSoon, one.tenant)
                });
            }
        }
    }
    (kept, problems)
}
