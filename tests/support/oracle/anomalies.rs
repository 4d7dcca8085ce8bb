//! What is out of the ordinary by the policy's measure: silence, stuck checkouts, repetition, and use
//! that is far from its habit (B 3.6).

use super::Case;
use super::discrepancies::{is_judged, plain};
use super::rights::quantity;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::derived::Session;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::fact::Body;
use trueup_model::id::{AccountId, Id, NameKind, ProductId, ServerId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::position::LicensePosition;
use trueup_model::quantity::Quantity;
use trueup_model::reject::RejectReason;
use trueup_model::time::Timestamp;
use trueup_operators::dedupe::{Known, Repeated};

fn counted(count: usize) -> Quantity {
    Quantity::units(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Daemons whose logs say nothing for longer than they may, up to the horizon.
pub(super) fn silence(case: &Case<'_>, known: &[Known]) -> Vec<Discrepancy> {
    let Some(limit) = case.policy.anomalies.silence_us else { return Vec::new() };
    let mut signs: BTreeMap<(TenantId, ServerId), BTreeSet<Timestamp>> = BTreeMap::new();
    for row in known {
        let (server, at) = match &row.body {
            Body::Session(event) => (event.server, event.at),
            Body::Server(event) => (event.server, event.at),
            _ => continue,
        };
        if at <= case.horizon {
            signs.entry((row.tenant, server.into())).or_default().insert(at);
        }
    }
    let mut rows = Vec::new();
    for ((tenant, server), signs) in signs {
        let signs: Vec<Timestamp> = signs.into_iter().collect();
        let mut gaps: Vec<(Timestamp, Timestamp)> =
            signs.windows(2).map(|both| (both[0], both[1])).collect();
        gaps.retain(|(one, next)| next.since_us(*one) > i128::from(limit));
        let last = signs[signs.len() - 1];
        if case.horizon.since_us(last) > i128::from(limit) {
            gaps.push((last, Timestamp::MAX));
        }
        if let (Some((first_at, _)), Some((_, last_at))) = (gaps.first(), gaps.last()) {
            rows.push(Discrepancy {
                subject: Some((NameKind::Server, server.into())),
                magnitude: counted(gaps.len()),
                first_at: *first_at,
                last_at: *last_at,
                ..plain(DiscrepancyKind::TelemetryGap, tenant)
            });
        }
    }
    rows
}

/// Pools with checkouts that are open at the horizon and have been for longer than is plausible.
pub(super) fn stuck(case: &Case<'_>, sessions: &[Session]) -> Vec<Discrepancy> {
    let Some(limit) = case.policy.anomalies.stuck_after_us else { return Vec::new() };
    let mut pools: BTreeMap<(TenantId, ServerId, ProductId), Vec<Timestamp>> = BTreeMap::new();
    for session in sessions {
        let open = session.span.contains(case.horizon);
        if open && case.horizon.since_us(session.span.start) > i128::from(limit) {
            let subject = session.subject;
            let server = subject.server.unwrap_or_default();
            let pool = (subject.tenant, server, subject.feature);
            pools.entry(pool).or_default().push(session.span.start);
        }
    }
    let row =
        |((tenant, server, feature), starts): ((_, ServerId, _), Vec<Timestamp>)| Discrepancy {
            product: Some(feature),
            subject: Some((NameKind::Server, server.into())),
            magnitude: counted(starts.len()),
            first_at: starts.into_iter().min().unwrap_or(Timestamp::MIN),
            ..plain(DiscrepancyKind::SessionStuckOpen, tenant)
        };
    pools.into_iter().map(row).collect()
}

/// Documents with events that arrive before they happen.
pub(super) fn ahead(case: &Case<'_>, known: &[Known]) -> Vec<Discrepancy> {
    let Some(limit) = case.policy.anomalies.ahead_us else { return Vec::new() };
    let mut documents: BTreeMap<(TenantId, Id), Vec<Timestamp>> = BTreeMap::new();
    for row in known {
        let at = match &row.body {
            Body::Session(event) => event.at,
            Body::Usage(event) => event.at,
            Body::Server(event) => event.at,
            Body::Role(signal) => signal.at,
            _ => continue,
        };
        if at.since_us(row.arrived_at) > i128::from(limit) {
            documents.entry((row.tenant, row.provenance.document)).or_default().push(at);
        }
    }
    let row = |((tenant, document), events): ((_, Id), Vec<Timestamp>)| Discrepancy {
        subject: Some((NameKind::Document, document)),
        magnitude: counted(events.len()),
        first_at: events.iter().min().copied().unwrap_or(Timestamp::MIN),
        last_at: events.iter().max().copied().unwrap_or(Timestamp::MAX),
        ..plain(DiscrepancyKind::FutureEvent, tenant)
    };
    documents.into_iter().map(row).collect()
}

/// Documents with events that came when what they are about is no longer kept.
pub(super) fn beyond(case: &Case<'_>, known: &[Known]) -> Vec<Discrepancy> {
    if case.policy.retention_us.is_none() {
        return Vec::new();
    }
    let mut documents: BTreeMap<(TenantId, Id), usize> = BTreeMap::new();
    for row in known {
        let Body::Reject(reject) = &row.body else { continue };
        if reject.reason == RejectReason::BeyondRetention {
            *documents.entry((row.tenant, row.provenance.document)).or_default() += 1;
        }
    }
    let row = |((tenant, document), count): ((_, Id), usize)| Discrepancy {
        subject: Some((NameKind::Document, document)),
        magnitude: counted(count),
        ..plain(DiscrepancyKind::BeyondRetention, tenant)
    };
    documents.into_iter().map(row).collect()
}

/// Documents of which too much is repetition.
pub(super) fn repetition(
    case: &Case<'_>,
    known: &[Known],
    repeated: &[Repeated],
) -> Vec<Discrepancy> {
    let Some(percent) = case.policy.anomalies.duplicate_percent else { return Vec::new() };
    let mut counts: BTreeMap<(TenantId, Id), (i64, i64)> = BTreeMap::new();
    for row in known {
        counts.entry((row.tenant, row.provenance.document)).or_default().0 += 1;
    }
    for row in repeated {
        counts.entry((row.tenant, row.document)).or_default().1 += 1;
    }
    let mut rows = Vec::new();
    for ((tenant, document), (facts, again)) in counts {
        if again * 100 > i64::from(percent) * (facts + again) {
            rows.push(Discrepancy {
                subject: Some((NameKind::Document, document)),
                magnitude: Quantity::units(again),
                ..plain(DiscrepancyKind::DuplicateRateHigh, tenant)
            });
        }
    }
    rows
}

/// Whose use, in periods of which length.
type Node = (TenantId, AccountId, ProductId, Metric, PeriodUnit);

/// Closed periods whose peak is far from those before.
pub(super) fn habit(case: &Case<'_>, positions: &[LicensePosition]) -> Vec<Discrepancy> {
    let Some(deviations) = case.policy.anomalies.spike_deviations else { return Vec::new() };
    let mut nodes: BTreeMap<Node, BTreeMap<Period, i128>> = BTreeMap::new();
    for position in positions {
        let key = position.key;
        let closed = key.period.span.end <= case.horizon && key.period.unit != PeriodUnit::All;
        if closed && is_judged(position.key, case.policy.position_period) {
            let node = (key.tenant, key.account, key.product, key.metric, key.period.unit);
            nodes.entry(node).or_default().insert(key.period, i128::from(position.peak.0));
        }
    }
    let mut rows = Vec::new();
    for ((tenant, account, product, metric, unit), peaks) in nodes {
        let Some((first, _)) = peaks.first_key_value() else { continue };
        // Every closed period from the first on, in order, whether there is a position or not.
        let mut periods = vec![*first];
        loop {
            let last = periods[periods.len() - 1].span.end;
            let next = case.calendar(account).period(unit, last);
            if next.span.end > case.horizon {
                break;
            }
            periods.push(next);
        }
        let peak = |period: &Period| peaks.get(period).copied().unwrap_or(0);
        let many = usize::from(case.policy.anomalies.spike_periods);
        for some in periods.windows(many + 1) {
            let (period, past) = (some[many], &some[..many]);
            let past: Vec<i128> = past.iter().map(peak).collect();
            // All in twentieths of halves of a millionth, to compare without a rest.
            let twice = doubled_median(&past);
            let distances: Vec<i128> = past.iter().map(|one| (2 * one - twice).abs()).collect();
            let mad = doubled_median(&distances) * 10;
            let spread = mad.max(twice).max(40_000_000);
            let off = 2 * peak(&period) - twice;
            if 20 * off.abs() > i128::from(deviations) * spread {
                let kind = match off > 0 {
                    true => DiscrepancyKind::UsageSpike,
                    false => DiscrepancyKind::UsageDrop,
                };
                rows.push(Discrepancy {
                    account: Some(account),
                    product: Some(product),
                    metric: Some(metric),
                    period,
                    magnitude: quantity((off.abs() + 1).div_euclid(2)),
                    first_at: period.span.start,
                    last_at: period.span.end,
                    ..plain(kind, tenant)
                });
            }
        }
    }
    rows
}

/// The two values in the middle, added up; of an odd number the one, twice.
fn doubled_median(values: &[i128]) -> i128 {
    let mut values = values.to_vec();
    values.sort_unstable();
    values[(values.len() - 1) / 2] + values[values.len() / 2]
}
