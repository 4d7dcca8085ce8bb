//! Issued positions: what a closed period's position said when it closed, beside what is true now.
//!
//! issued(P)   = the position of P in the first epoch in which the horizon had reached its close; nothing
//!               of a position that came later
//! restated(P) = the position of P
//!
//! What was issued depends on when facts arrived, as it must: it is what was known. It stays, whatever
//! is learned later; the difference is the adjustment, and a drift of the statement. Metered quantities
//! are issued fact by fact as well, see `statements`.
//!
//! An engine that begins with what it had before is told what was issued, since nothing else says it.
//!
//! Work per change: the changed positions; as the horizon moves, those whose period closes. What is kept:
//! the positions of the position period, if the policy closes periods.

use crate::epochs::{Updates, by_key, each_epoch_consolidated, everywhere};
use crate::reconcile::at_position;
use crate::timeline::clamped;
use crate::zones::{AccountZone, Calendars};
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::hash::IdMap;
use trueup_model::metric::Metric;
use trueup_model::position::{IssuedPosition, LicensePosition, PositionFigures, PositionKey};
use trueup_model::time::Timestamp;
use trueup_policy::Policy;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Position(PositionKey, PositionFigures),
    /// What was said before, and when the period closed.
    Issued(PositionKey, Timestamp, PositionFigures),
    Zone(AccountZone),
    Horizon(Timestamp),
}

/// Gives what was issued of each closed period.
pub fn issued<'s>(
    positions: Facts<'s, LicensePosition>,
    before: Facts<'s, IssuedPosition>,
    zones: Facts<'s, AccountZone>,
    horizon: Facts<'s, Timestamp>,
    policy: &Policy,
) -> Facts<'s, IssuedPosition> {
    let unit = policy.position_period;
    // Positions are many, and most policies close nothing.
    if !policy.closing.closes_any() {
        return horizon.flat_map(|_| None);
    }
    let positions = positions.flat_map(move |row| {
        let kept = row.key.period.unit == unit;
        kept.then(|| Heard::Position(row.key, PositionFigures::of(&row)))
    });
    let before = before.map(|row| Heard::Issued(row.key, row.closed_at, row.issued));
    let rows = by_key(positions.concat(before), |heard| match heard {
        Heard::Position(key, _) | Heard::Issued(key, ..) => place(key),
        Heard::Zone(_) | Heard::Horizon(_) => 0,
    });
    let tables = everywhere(zones.map(Heard::Zone).concat(horizon.map(Heard::Horizon)));
    let mut state = State {
        policy: policy.clone(),
        calendars: Calendars::new(policy.zone.clone()),
        horizon: Timestamp::MIN,
        positions: IdMap::default(),
        open: BTreeMap::new(),
    };
    each_epoch_consolidated(rows.concat(tables), "Issued", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

/// The worker of a position: its parts are hashes already.
fn place(key: &PositionKey) -> u64 {
    key.product.0 ^ key.account.0.rotate_left(21) ^ key.tenant.0.rotate_left(42)
}

/// The closed periods of which other things are true than were said.
///
/// Of metered quantities the late facts are named one by one, so only what is short counts here.
pub fn drifts(issued: Facts<'_, IssuedPosition>) -> Facts<'_, Discrepancy> {
    issued.flat_map(|row| {
        let apart = |figure: fn(&PositionFigures) -> i64| {
            let (before, now) = (figure(&row.issued), figure(&row.restated));
            (i128::from(now) - i128::from(before)).abs()
        };
        let short = apart(|said| said.shortfall.0);
        let peak = if row.key.metric == Metric::Volume { 0 } else { apart(|said| said.peak.0) };
        let magnitude = clamped(short.max(peak));
        (short.max(peak) > 0).then(|| Discrepancy {
            magnitude,
            first_at: row.closed_at,
            ..at_position(DiscrepancyKind::StatementDrift, &row.key)
        })
    })
}

/// What is said of a position, and was.
#[derive(Default)]
struct Entry {
    now: BTreeMap<PositionFigures, Diff>,
    /// When it closed, and what was said then.
    closed: Option<(Timestamp, PositionFigures)>,
    given: Option<IssuedPosition>,
}

struct State {
    policy: Policy,
    calendars: Calendars,
    horizon: Timestamp,
    positions: IdMap<PositionKey, Entry>,
    /// Positions that have not closed yet.
    open: BTreeMap<Timestamp, BTreeSet<PositionKey>>,
}

impl State {
    fn step(&mut self, updates: Updates<Heard>, changes: &mut Updates<IssuedPosition>) {
        let mut dirty: BTreeSet<PositionKey> = BTreeSet::new();
        let before = self.horizon;
        for (heard, diff) in updates {
            match heard {
                Heard::Position(key, said) => {
                    let entry = self.positions.entry(key).or_default();
                    let count = entry.now.entry(said).or_default();
                    *count += diff;
                    if *count == 0 {
                        entry.now.remove(&said);
                    }
                    dirty.insert(key);
                }
                Heard::Issued(key, at, said) => {
                    let entry = self.positions.entry(key).or_default();
                    entry.closed = (diff > 0).then_some((at, said));
                    dirty.insert(key);
                }
                Heard::Zone(zone) => {
                    self.calendars.hear(zone, diff);
                }
                Heard::Horizon(at) if diff > 0 => self.horizon = self.horizon.max(at),
                Heard::Horizon(_) => {}
            }
        }
        let later = self.open.split_off(&self.horizon.plus_us(1));
        dirty.extend(std::mem::replace(&mut self.open, later).into_values().flatten());
        for key in dirty {
            self.settle(key, before, changes);
        }
    }

    fn settle(
        &mut self,
        key: PositionKey,
        before: Timestamp,
        changes: &mut Updates<IssuedPosition>,
    ) {
        let Some(entry) = self.positions.get_mut(&key) else { return };
        let now = entry.now.keys().next_back().copied();
        if entry.closed.is_none() {
            let calendar = self.calendars.of(key.account);
            match self.policy.closing.of(calendar, key.period) {
                Some(at) if at > self.horizon => {
                    self.open.entry(at).or_default().insert(key);
                }
                // What closed in this epoch says what it says now; what had closed before said nothing.
                Some(at) => {
                    entry.closed = now
                        .map(|now| (at, if at > before { now } else { PositionFigures::NOTHING }));
                }
                None => {}
            }
        }
        let given = entry.closed.map(|(closed_at, issued)| IssuedPosition {
            key,
            closed_at,
            issued,
            restated: now.unwrap_or(PositionFigures::NOTHING),
        });
        let given = given.filter(|row| now.is_some() || row.issued != PositionFigures::NOTHING);
        if given.is_none() && now.is_none() {
            changes.extend(entry.given.map(|old| (old, -1)));
            self.positions.remove(&key);
            return;
        }
        if entry.given != given {
            changes.extend(entry.given.map(|old| (old, -1)));
            changes.extend(given.map(|new| (new, 1)));
            entry.given = given;
        }
    }
}
