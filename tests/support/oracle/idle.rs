//! Seats that nobody uses (2.1), and rights whose renewal came late (2.25).

use super::discrepancies::plain;
use super::names::Names;
use super::spans::{bounds, joined, pieces, together};
use super::{Case, Right, uses};
use std::collections::BTreeSet;
use trueup_model::contract::{Basis, LineClass};
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::fact::Body;
use trueup_model::id::{AccountId, NameKind, ProductId, TenantId, UserId};
use trueup_model::metric::Metric;
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::Known;

type Holder = (TenantId, AccountId, ProductId, UserId);

/// Seats whose last sign of use is too old, once that is due.
pub(super) fn idle(case: &Case<'_>, in_force: &[(Known, Span)], names: &Names) -> Vec<Discrepancy> {
    let mut held: Vec<(Holder, Span, Option<Timestamp>)> = Vec::new();
    for one in in_force {
        let Body::Seat(seat) = &one.0.body else { continue };
        for (subject, span) in uses::seats(std::slice::from_ref(one)) {
            for means in names.resolve(&subject).0 {
                let Some(user) = means.user else { continue };
                let holder = (subject.tenant, means.account, means.product, user);
                let Some(span) = span.overlap(means.span) else { continue };
                let since_1990 = |at: &Timestamp| *at >= Timestamp::RECORDED;
                held.push((holder, span, seat.last_active.filter(since_1990)));
            }
        }
    }
    let holders: BTreeSet<Holder> = held.iter().map(|(holder, ..)| *holder).collect();
    let mut found = Vec::new();
    for holder in holders {
        let limit = case.settings.get(&holder.2).and_then(|settings| settings.seat_idle_us);
        let Some(limit) = limit else { continue };
        let own: Vec<_> = held.iter().filter(|(other, ..)| *other == holder).collect();
        let signs: BTreeSet<Timestamp> = own.iter().filter_map(|(_, _, sign)| *sign).collect();
        let spans: Vec<Span> = own.iter().map(|(_, span, _)| *span).collect();
        let whole = together(spans.clone());
        let holds = |at: Timestamp| whole.iter().any(|span| span.contains(at));
        let since = |at: Timestamp| {
            let held = whole.iter().find(|span| span.contains(at));
            let start = held.map_or(Timestamp::MIN, |span| span.start);
            let newest = signs.iter().filter(|sign| **sign <= at).max().copied();
            let assigned = Some(start).filter(|start| *start != Timestamp::MIN);
            // When it was assigned matters only where nothing was seen before that.
            newest.or(assigned)
        };
        let mut cuts = bounds(spans.iter().copied());
        cuts.extend(signs.iter().copied());
        cuts.extend(cuts.clone().into_iter().map(|at| at.plus_us(limit)));
        let times = pieces(cuts).into_iter().map(|piece| {
            let old = since(piece.start).is_some_and(|mark| mark.plus_us(limit) <= piece.start);
            (piece, holds(piece.start) && old)
        });
        for (span, idle) in joined(times) {
            if idle && span.start <= case.horizon {
                found.push(Discrepancy {
                    account: Some(holder.1),
                    product: Some(holder.2),
                    metric: Some(Metric::NamedUser),
                    subject: Some((NameKind::User, holder.3.into())),
                    first_at: span.start,
                    last_at: span.end,
                    ..plain(DiscrepancyKind::AllocatedNotUsed, holder.0)
                });
            }
        }
    }
    found
}

/// Times in which a right by contract had ended and its renewal had not begun, once they are due.
pub(super) fn gaps(case: &Case<'_>, rights: &[Right]) -> Vec<Discrepancy> {
    let key = |right: &Right| (right.tenant, right.account, right.product, right.metric);
    let is_bought =
        |right: &&Right| (right.basis, right.class) == (Basis::Contract, LineClass::Production);
    let bought: Vec<&Right> = rights.iter().filter(is_bought).collect();
    let keys: BTreeSet<_> = bought.iter().map(|right| key(right)).collect();
    let mut found = Vec::new();
    for of in keys {
        let limit = case.settings.get(&of.2).and_then(|settings| settings.renewal_gap_us);
        let Some(limit) = limit else { continue };
        let own: Vec<Span> =
            bought.iter().filter(|right| key(right) == of).map(|right| right.span).collect();
        let held = together(own);
        for pair in held.windows(2) {
            let gap = Span::new(pair[0].end, pair[1].start);
            if gap.end.0 - gap.start.0 <= limit && gap.start <= case.horizon {
                found.push(Discrepancy {
                    account: Some(of.1),
                    product: Some(of.2),
                    metric: Some(of.3),
                    first_at: gap.start,
                    last_at: gap.end,
                    ..plain(DiscrepancyKind::ContractGap, of.0)
                });
            }
        }
    }
    found
}
