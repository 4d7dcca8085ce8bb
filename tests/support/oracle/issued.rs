//! What positions said when their periods closed, epoch after epoch (C8).
//!
//! The one answer that is no function of the set of facts alone: it is what was known when.

use super::Case;
use super::discrepancies::plain;
use std::collections::BTreeMap;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::metric::Metric;
use trueup_model::position::{IssuedPosition, LicensePosition, PositionFigures, PositionKey};
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;

/// What was issued so far.
#[derive(Clone, Debug)]
pub struct History {
    horizon: Timestamp,
    issued: BTreeMap<PositionKey, (Timestamp, PositionFigures)>,
}

impl Default for History {
    fn default() -> Self {
        Self { horizon: Timestamp::MIN, issued: BTreeMap::new() }
    }
}

impl History {
    /// The history with what an epoch issues.
    pub(super) fn next(&self, case: &Case<'_>, positions: &[LicensePosition]) -> Self {
        let mut next = self.clone();
        let unit = case.policy.position_period;
        for row in positions.iter().filter(|row| row.key.period.unit == unit) {
            let closes = case.policy.closing.of(case.calendar(row.key.account), row.key.period);
            let Some(at) = closes.filter(|at| *at <= case.horizon) else { continue };
            // A position that comes after the close was not issued.
            let closes_now = at > self.horizon;
            let said = if closes_now { PositionFigures::of(row) } else { PositionFigures::NOTHING };
            next.issued.entry(row.key).or_insert((at, said));
        }
        let there = |key: &PositionKey| positions.iter().any(|row| row.key == *key);
        next.issued.retain(|key, (_, said)| *said != PositionFigures::NOTHING || there(key));
        next.horizon = case.horizon;
        next
    }

    /// Every issued position beside what it says now.
    pub(super) fn rows(&self, positions: &[LicensePosition]) -> Vec<IssuedPosition> {
        let row = |(key, (closed_at, issued)): (&PositionKey, &(Timestamp, PositionFigures))| {
            let now = positions.iter().find(|row| row.key == *key).map(PositionFigures::of);
            IssuedPosition {
                key: *key,
                closed_at: *closed_at,
                issued: *issued,
                restated: now.unwrap_or(PositionFigures::NOTHING),
            }
        };
        self.issued.iter().map(row).collect()
    }
}

/// A statement that says something else than is true.
pub(super) fn drift(row: &IssuedPosition) -> Option<Discrepancy> {
    let key = row.key;
    let apart = |one: Quantity, other: Quantity| (one.0 - other.0).abs();
    let short = apart(row.issued.shortfall, row.restated.shortfall);
    let peak = match key.metric {
        // Each late quantity is an adjustment of its own.
        Metric::Volume => 0,
        _ => apart(row.issued.peak, row.restated.peak),
    };
    let magnitude = Quantity(short.max(peak));
    (magnitude > Quantity::ZERO).then(|| Discrepancy {
        account: Some(key.account),
        product: Some(key.product),
        metric: Some(key.metric),
        period: key.period,
        magnitude,
        first_at: row.closed_at,
        ..plain(DiscrepancyKind::StatementDrift, key.tenant)
    })
}
