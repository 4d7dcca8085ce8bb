//! Idle seats: what someone holds and has not used for long.
//!
//! signs(u) = { last sign of use that any of u's seats states }
//! held(u)  = ∪ { span(s) : s a seat of u }, in pieces [a, b), within one account and product
//! idle(u)  = { t ∈ [a, b) : t ≥ m + limit }, m the newest of signs(u) up to t; if there is none, a,
//!            and where a is not known either nothing is said
//!
//! So a later sign ends the idle time at its own instant, whenever it is heard of. A seat that is given
//! anew to who had it before is as idle as its last sign of use is old.
//!
//! Work per change: the seats of the person, account and product; nothing where no limit is stated.

use crate::Facts;
use crate::attribute::Rule;
use crate::dedupe::Known;
use crate::keyed::Keyed as _;
use crate::reconcile::plain;
use crate::seats::seat;
use crate::segments::union;
use std::collections::BTreeSet;
use trueup_model::derived::{Resolution, Subject};
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::{NameKind, ProductId};
use trueup_model::metric::Metric;
use trueup_model::time::{Span, Timestamp};

/// A seat as its source states it, and the last sign of its use.
pub type Seen = (Subject, (Span, Option<Timestamp>));

/// The seats of the lists in force, with their last signs of use.
pub fn seen<'s>(in_force: Facts<'s, (Known, Span)>) -> Facts<'s, Seen> {
    in_force.flat_map(|(known, span)| {
        let (subject, held) = seat(&known, span)?;
        let trueup_model::fact::Body::Seat(stated) = known.body else { return None };
        // Zeros of clocks are no sign.
        let sign = stated.last_active.filter(|at| *at >= Timestamp::RECORDED);
        Some((subject, (held, sign)))
    })
}

/// Finds seats that were not used for longer than the policy says.
pub fn idle<'s>(
    seen: Facts<'s, Seen>,
    resolutions: Facts<'s, (Subject, Resolution)>,
    rules: Facts<'s, (ProductId, Rule)>,
) -> Facts<'s, Discrepancy> {
    let limits = rules.flat_map(|(product, rule)| Some((product, rule.settings.seat_idle_us?)));
    seen.joined(resolutions, |subject, (span, sign), means| {
        let held = span.overlap(means.span)?;
        let holder = (subject.tenant, means.account, means.user?);
        Some((means.product, (holder, held, *sign)))
    })
    .flat_map(|row| row)
    .joined(limits, |product, ((tenant, account, user), held, sign), limit| {
        ((*tenant, *account, *product, *user, *limit), (*held, *sign))
    })
    .grouped("Idle", |(.., limit), seats, found| {
        let signs: BTreeSet<Timestamp> = seats.iter().filter_map(|(row, _)| row.1).collect();
        let held = union(seats.iter().map(|(row, _)| row.0));
        found.extend(
            held.into_iter()
                .flat_map(|piece| unused(piece, &signs, *limit).into_iter().map(|span| (span, 1))),
        );
    })
    .map(|((tenant, account, product, user, _), span)| Discrepancy {
        account: Some(account),
        product: Some(product),
        metric: Some(Metric::NamedUser),
        subject: Some((NameKind::User, user.into())),
        first_at: span.start,
        last_at: span.end,
        ..plain(DiscrepancyKind::AllocatedNotUsed, tenant)
    })
}

/// The times of a piece in which the last sign of use is too old.
fn unused(piece: Span, signs: &BTreeSet<Timestamp>, limit: i64) -> Vec<Span> {
    let before = signs.range(..=piece.start).next_back().copied();
    let first = before.or((piece.start != Timestamp::MIN).then_some(piece.start));
    let within = signs.iter().copied().filter(|at| *at > piece.start && *at < piece.end);
    let marks: Vec<Timestamp> = first.into_iter().chain(within).collect();
    let nexts = marks.iter().skip(1).copied().chain([piece.end]);
    let spans = marks.iter().zip(nexts).map(|(mark, next)| Span::new(mark.plus_us(limit), next));
    // A sign that is not too old joins nothing, so what is left are the longest times.
    spans.filter_map(|span| span.overlap(piece)).collect()
}
