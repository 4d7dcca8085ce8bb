//! Totals at every node of the account tree and the product tree (C10, C11).
//!
//! Peaks are taken from the checkouts below a node, grouped there anew; people and machines are
//! counted there anew; only volumes add up.

use super::Case;
use super::levels::charged;
use super::rights::quantity;
use super::spans::{bounds, pieces};
use super::tree::Tree;
use super::uses::Use;
use super::volumes::Event;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::id::{AccountId, DeviceId, ProductId, TenantId, UserId};
use trueup_model::metric::Metric;
use trueup_model::position::Rollup;
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};

/// A node of both trees, and how use is counted there.
type Node = (AccountId, ProductId, Metric);

/// The uses below a node in each piece of time in which there are any.
type Below<'u> = BTreeMap<Node, Vec<(Span, Vec<&'u Use>)>>;

/// Every node at or above an account and a product at an instant.
fn nodes(
    accounts: &Tree,
    products: &Tree,
    account: AccountId,
    product: ProductId,
    at: Timestamp,
) -> Vec<(AccountId, ProductId)> {
    let products = products.way_up(product.0, at);
    let mut nodes = Vec::new();
    for account in accounts.way_up(account.0, at) {
        nodes.extend(products.iter().map(|node| (AccountId(account), ProductId(*node))));
    }
    nodes
}

/// Totals of checkouts and seats of one tenant.
pub(super) fn of_uses(
    case: &Case<'_>,
    tenant: TenantId,
    accounts: &Tree,
    products: &Tree,
    uses: &[Use],
) -> Vec<Rollup> {
    let mut cuts = bounds(uses.iter().map(|one| one.span));
    cuts.extend(accounts.bounds());
    cuts.extend(products.bounds());
    cuts.push(case.horizon);
    let mut below: Below<'_> = BTreeMap::new();
    for piece in pieces(cuts) {
        let at = piece.start;
        let mut open: BTreeMap<Node, Vec<&Use>> = BTreeMap::new();
        for one in uses.iter().filter(|one| one.span.contains(at)) {
            for (account, product) in nodes(accounts, products, one.account, one.product, at) {
                open.entry((account, product, one.metric)).or_default().push(one);
            }
        }
        for (node, uses) in open {
            below.entry(node).or_default().push((piece, uses));
        }
    }
    let mut rollups = Vec::new();
    for (node, pieces) in below {
        for period in periods(case, node.0, &pieces) {
            rollups.extend(total(case, tenant, node, period, &pieces));
        }
    }
    rollups
}

/// The periods of a node from the first dated change of what is used to the horizon; where it never
/// changes, the period of the horizon.
fn periods(case: &Case<'_>, account: AccountId, pieces: &[(Span, Vec<&Use>)]) -> Vec<Period> {
    let mut first = None;
    let (mut until, mut level) = (Timestamp::MIN, 0);
    for (span, uses) in pieces {
        // Between two pieces nothing is used.
        if span.start > until && level != 0 {
            first = first.or(Some(until));
            level = 0;
        }
        let now = units(uses);
        if now != level && span.start != Timestamp::MIN {
            first = first.or(Some(span.start));
        }
        (until, level) = (span.end, now);
    }
    if until != Timestamp::MAX && level != 0 {
        first = first.or(Some(until));
    }
    let calendar = case.calendar(account);
    let mut periods = Vec::new();
    for unit in case.policy.periods() {
        if unit == PeriodUnit::All {
            periods.push(Period::ALL);
        } else if unit >= PeriodUnit::Day {
            let mut at = first.unwrap_or(case.horizon).min(case.horizon);
            while at <= case.horizon {
                let period = calendar.period(unit, at);
                periods.push(period);
                at = period.span.end;
            }
        }
    }
    periods
}

/// How many licenses uses cost together.
fn units(uses: &[&Use]) -> i128 {
    charged(uses.iter().copied()).iter().map(|(_, units)| i128::from(units.0)).sum()
}

/// What the uses below a node come to in a period up to the horizon; `None` if there are none.
fn total(
    case: &Case<'_>,
    tenant: TenantId,
    (account, product, metric): Node,
    period: Period,
    pieces: &[(Span, Vec<&Use>)],
) -> Option<Rollup> {
    if case.horizon == Timestamp::MIN {
        return None;
    }
    let inside = Span::new(period.span.start, period.span.end.min(case.horizon));
    let mut window: Vec<(Span, &Vec<&Use>)> =
        pieces.iter().filter_map(|(span, uses)| Some((span.overlap(inside)?, uses))).collect();
    if period.span.contains(case.horizon) {
        let now = pieces.iter().find(|(span, _)| span.contains(case.horizon));
        window.extend(now.map(|(_, uses)| (Span::new(case.horizon, case.horizon), uses)));
    }
    let mut value = 0;
    let mut value_at = period.span.start;
    let mut unit_us = 0;
    let mut users: BTreeSet<UserId> = BTreeSet::new();
    let mut devices: BTreeSet<DeviceId> = BTreeSet::new();
    for (span, uses) in &window {
        let units = units(uses);
        if units > value {
            (value, value_at) = (units, span.start);
        }
        unit_us += units * span.length_us();
        users.extend(uses.iter().filter_map(|one| one.user));
        devices.extend(uses.iter().filter_map(|one| one.device));
    }
    (!window.is_empty()).then(|| Rollup {
        tenant,
        account,
        product,
        metric,
        period,
        value: quantity(value),
        value_at,
        unit_us,
        users: users.len() as u64,
        devices: devices.len() as u64,
    })
}

/// Totals of volumes of one tenant.
pub(super) fn of_events(
    case: &Case<'_>,
    tenant: TenantId,
    accounts: &Tree,
    products: &Tree,
    events: &[Event],
) -> Vec<Rollup> {
    let mut sums: BTreeMap<(AccountId, ProductId, Period), Vec<&Event>> = BTreeMap::new();
    for event in events {
        for (account, product) in nodes(accounts, products, event.account, event.product, event.at)
        {
            for unit in case.policy.periods() {
                let period = case.calendar(account).period(unit, event.at);
                sums.entry((account, product, period)).or_default().push(event);
            }
        }
    }
    let total = |((account, product, period), events): ((_, _, Period), Vec<&Event>)| {
        let sum = events.iter().map(|event| i128::from(event.quantity.0)).sum();
        let users: BTreeSet<UserId> = events.iter().filter_map(|event| event.user).collect();
        let devices: BTreeSet<DeviceId> = events.iter().filter_map(|event| event.device).collect();
        Rollup {
            tenant,
            account,
            product,
            metric: Metric::Volume,
            period,
            value: if events.is_empty() { Quantity::ZERO } else { quantity(sum) },
            value_at: period.span.start,
            unit_us: 0,
            users: users.len() as u64,
            devices: devices.len() as u64,
        }
    };
    sums.into_iter().map(total).collect()
}
