//! What is out of the ordinary, by the policy's own measure: silence, stuck checkouts, repetition, clocks
//! that run ahead, use that is far from its habit, and what came too late to be counted.
//!
//! Nothing is looked for unless the policy says how much is too much. Each kind is a file of its own.

mod ahead;
mod beyond;
mod habit;
mod repetition;
mod silence;
mod stuck;

use crate::Facts;
use crate::dedupe::{Known, Repeated};
use crate::reconcile::reported;
use crate::volume::Metered;
use crate::zones::AccountZone;
use trueup_model::derived::Session;
use trueup_model::discrepancy::Discrepancy;
use trueup_model::position::LicensePosition;
use trueup_model::time::Timestamp;
use trueup_policy::Policy;

/// Where anomalies are looked for.
pub struct Evidence<'s> {
    /// What servers say of checkouts.
    pub checkouts: Facts<'s, Known>,
    /// Other events.
    pub signals: Facts<'s, Known>,
    /// What is no event.
    pub rows: Facts<'s, Known>,
    /// Metered quantities that add up.
    pub metered: Facts<'s, Metered>,
    /// What came more than once.
    pub repeated: Facts<'s, Repeated>,
    /// Checkouts.
    pub sessions: Facts<'s, Session>,
    /// Positions, as they are judged.
    pub positions: Facts<'s, LicensePosition>,
    /// The calendars of accounts.
    pub zones: Facts<'s, AccountZone>,
    /// The instant up to which figures are evaluated: one row.
    pub horizon: Facts<'s, Timestamp>,
}

/// Finds what the policy calls out of the ordinary.
pub fn anomalies<'s>(evidence: Evidence<'s>, policy: &Policy) -> Facts<'s, Discrepancy> {
    let Evidence { checkouts, signals, rows, metered, .. } = evidence;
    let Evidence { repeated, sessions, positions, zones, horizon, .. } = evidence;
    let events = || checkouts.clone().concat(signals.clone());
    let limits = policy.anomalies;
    let mut found = horizon.clone().flat_map(|_| None);
    if let Some(silence_us) = limits.silence_us {
        found = found.concat(silence::silence(events(), horizon.clone(), silence_us));
    }
    if let Some(stuck_after_us) = limits.stuck_after_us {
        found = found.concat(stuck::stuck(sessions, horizon.clone(), stuck_after_us));
    }
    if let Some(limit_us) = limits.ahead_us {
        found = found.concat(ahead::ahead(events(), metered.clone(), limit_us));
    }
    if policy.retention_us.is_some() {
        found = found.concat(beyond::beyond(rows.clone()));
    }
    if let Some(percent) = limits.duplicate_percent {
        found =
            found.concat(repetition::repetition(events().concat(rows), metered, repeated, percent));
    }
    if let Some(deviations) = limits.spike_deviations {
        let measure = habit::Measure { deviations, periods: limits.spike_periods };
        let unit = policy.position_period;
        let positions = positions.filter(move |position| reported(position.key, unit));
        found = found.concat(habit::habit(positions, zones, horizon, &policy.zone, measure));
    }
    found
}
