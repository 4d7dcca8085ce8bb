//! Holds: seats that go to someone else before they were held for their least time.
//!
//! held(u)  = ∪ { span(s) : s a seat of u }, in pieces [a, b), within one account and product
//! taken(u) = the first instant in [b, a + hold) at which a piece of someone else begins
//!
//! for pieces that begin at a known a and end before a + hold; a piece that begins while an earlier one
//! of the same person is to be kept is that person's own seat again, and takes nothing. From taken(u) to a + hold the seat was
//! reassigned too soon, and if the policy says so it counts for u as well as for the other.
//!
//! Work per change: the seats of the account and product; nothing where the policy states no hold.

use crate::Facts;
use crate::attribute::{Rule, Use};
use crate::keyed::Keyed as _;
use crate::reconcile::plain;
use crate::segments::union;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::{NameKind, ProductId, UserId};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::rules::SeatHold;

/// What comes of seats that changed hands too soon.
pub struct Holds<'s> {
    /// The seats that still count for who gave them up.
    pub uses: Facts<'s, Use>,
    /// Who gave up which seat too soon.
    pub problems: Facts<'s, Discrepancy>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Found {
    Held(Use),
    Problem(Discrepancy),
}

/// Looks for seats that changed hands too soon.
pub fn holds<'s>(seats: Facts<'s, Use>, rules: Facts<'s, (ProductId, Rule)>) -> Holds<'s> {
    let limits = rules.flat_map(|(product, rule)| Some((product, rule.settings.seat_hold?)));
    let found = seats
        .map(|one| (one.product, one))
        .joined(limits, |product, one, hold| ((one.tenant, one.account, *product, *hold), *one))
        .grouped("Holds", |(.., hold), seats, found| {
            found.extend(reassigned(*hold, seats.iter().map(|(one, _)| **one)));
        })
        .map(|(_, found)| found);
    let uses = found.clone().flat_map(|found| match found {
        Found::Held(one) => Some(one),
        Found::Problem(_) => None,
    });
    let problems = found.flat_map(|found| match found {
        Found::Problem(problem) => Some(problem),
        Found::Held(_) => None,
    });
    Holds { uses, problems }
}

/// What comes of the seats of one account and product.
fn reassigned(hold: SeatHold, seats: impl Iterator<Item = Use>) -> Vec<(Found, isize)> {
    let mut of: BTreeMap<Option<UserId>, (Use, Vec<Span>)> = BTreeMap::new();
    for one in seats {
        of.entry(one.user).or_insert((one, Vec::new())).1.push(one.span);
    }
    let pieces: BTreeMap<Option<UserId>, (Use, Vec<Span>)> =
        of.into_iter().map(|(user, (one, spans))| (user, (one, union(spans)))).collect();
    let kept_until = |span: &Span| span.start.plus_us(hold.least_us);
    let mut begins: Vec<(Timestamp, Option<UserId>)> = Vec::new();
    for (user, (_, spans)) in &pieces {
        let mut own = None;
        for span in spans {
            if own.is_none_or(|until| span.start >= until) {
                begins.push((span.start, *user));
            }
            own = Some(kept_until(span));
        }
    }
    begins.sort_unstable();
    let mut found = Vec::new();
    for (user, (one, spans)) in &pieces {
        for span in spans.iter().filter(|span| span.start != Timestamp::MIN) {
            let until = kept_until(span);
            let after = begins.partition_point(|(at, _)| *at < span.end);
            let later = begins.iter().skip(after).take_while(|(at, _)| *at < until);
            let Some((taken, _)) = later.clone().find(|(_, other)| other != user) else { continue };
            let twice = Span::new(*taken, until);
            if hold.counts {
                found.push((Found::Held(Use { span: twice, device: None, ..*one }), 1));
            }
            found.push((Found::Problem(too_soon(one, twice)), 1));
        }
    }
    found
}

fn too_soon(one: &Use, span: Span) -> Discrepancy {
    let kind = DiscrepancyKind::ReassignedTooSoon;
    Discrepancy {
        account: Some(one.account),
        product: Some(one.product),
        metric: Some(one.metric),
        subject: one.user.map(|user| (NameKind::User, user.into())),
        first_at: span.start,
        last_at: span.end,
        ..plain(kind, one.tenant)
    }
}
