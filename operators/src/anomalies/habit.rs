//! Use that is far from its habit: a closed period whose peak stands out of those before it.
//!
//! past(P)   = the peaks of the n periods before P, 0 where there is no position
//! spread(P) = max(MAD of past(P), a twentieth of its median, one unit)
//! spike(P)  if peak(P) − median > k × spread(P), drop(P) if median − peak(P) > k × spread(P)
//!
//! where MAD is the median of the distances from the median. A period is judged once it is closed and
//! if positions of its node go back n periods. Medians of an even number lie between two values; all is
//! reckoned in fortieths of a millionth, in which nothing is rounded.
//!
//! Work per change: the changed period and the n after it; when the first period of a node changes,
//! its periods.

use crate::epochs::{Came, Updates, by_key, each_epoch, everywhere};
use crate::reconcile::at_position;
use crate::timeline::clamped;
use crate::zones::{AccountZone, Calendars};
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::calendar::{Calendar, Period, PeriodUnit, Zone};
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::hash::{IdMap, mix};
use trueup_model::id::{AccountId, ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::position::{LicensePosition, PositionKey};
use trueup_model::quantity::{ONE_UNIT, Rounding, divide};
use trueup_model::time::Timestamp;

/// What is far, and from how much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    /// How many spreads from the median.
    pub(super) deviations: u8,
    /// Of how many periods.
    pub(super) periods: u8,
}

/// Whose habit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Node {
    tenant: TenantId,
    account: AccountId,
    product: ProductId,
    metric: Metric,
    unit: PeriodUnit,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Peak(Node, Period, i64),
    Zone(AccountZone),
    Horizon(Timestamp),
}

/// Finds the closed periods that stand out of those before them.
pub(super) fn habit<'s>(
    positions: Facts<'s, LicensePosition>,
    zones: Facts<'s, AccountZone>,
    horizon: Facts<'s, Timestamp>,
    zone: &Zone,
    measure: Measure,
) -> Facts<'s, Discrepancy> {
    let peaks = positions.flat_map(|position| {
        let PositionKey { tenant, account, product, metric, period } = position.key;
        let node = Node { tenant, account, product, metric, unit: period.unit };
        let judged = !position.current && period.unit != PeriodUnit::All;
        judged.then_some(Heard::Peak(node, period, position.peak.0))
    });
    let peaks = by_key(peaks, |heard| match heard {
        Heard::Peak(node, ..) => mix(&[node.account.0, node.product.0]),
        Heard::Zone(_) | Heard::Horizon(_) => 0,
    });
    let tables = everywhere(zones.map(Heard::Zone).concat(horizon.map(Heard::Horizon)));
    let mut state = State {
        measure,
        calendars: Calendars::new(zone.clone()),
        horizon: Timestamp::MIN,
        nodes: IdMap::default(),
        schedule: BTreeMap::new(),
    };
    each_epoch(peaks.concat(tables), "Anomalies: habit", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

/// The closed periods of one node.
#[derive(Default)]
struct Past {
    peaks: BTreeMap<Period, BTreeMap<i64, Diff>>,
    given: BTreeMap<Period, Discrepancy>,
    /// The first period when it was last judged.
    first: Option<Period>,
}

struct State {
    measure: Measure,
    calendars: Calendars,
    horizon: Timestamp,
    nodes: IdMap<Node, Past>,
    /// Periods that one which closes when the horizon reaches an instant has before it.
    schedule: BTreeMap<Timestamp, BTreeSet<(Node, Period)>>,
}

impl State {
    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<Discrepancy>) {
        let mut dirty: BTreeMap<Node, BTreeSet<Period>> = BTreeMap::new();
        let mut rezoned: BTreeSet<AccountId> = BTreeSet::new();
        for (heard, diff) in updates {
            match heard {
                Heard::Peak(node, period, peak) => {
                    let peaks = &mut self.nodes.entry(node).or_default().peaks;
                    let of_period = peaks.entry(period).or_default();
                    let count = of_period.entry(peak).or_default();
                    *count += diff;
                    if *count == 0 {
                        of_period.remove(&peak);
                    }
                    if of_period.is_empty() {
                        peaks.remove(&period);
                    }
                    dirty.entry(node).or_default().insert(period);
                }
                Heard::Zone(zone) => {
                    let account = zone.account;
                    if self.calendars.hear(zone, diff) {
                        rezoned.insert(account);
                    }
                }
                Heard::Horizon(at) if diff > 0 => self.horizon = self.horizon.max(at),
                Heard::Horizon(_) => {}
            }
        }
        let later = self.schedule.split_off(&self.horizon.plus_us(1));
        let due = std::mem::replace(&mut self.schedule, later);
        for (node, period) in due.into_values().flatten() {
            dirty.entry(node).or_default().insert(period);
        }
        for node in self.nodes.keys().filter(|node| rezoned.contains(&node.account)) {
            dirty.entry(*node).or_default();
        }
        for (node, periods) in dirty {
            self.judge(node, &periods, rezoned.contains(&node.account), changes);
        }
    }

    /// Judges the changed periods of a node, and those that follow.
    fn judge(
        &mut self,
        node: Node,
        changed: &BTreeSet<Period>,
        rezoned: bool,
        changes: &mut Updates<Discrepancy>,
    ) {
        let Some(past) = self.nodes.get_mut(&node) else { return };
        let calendar = self.calendars.of(node.account);
        let first = past.peaks.keys().next().copied();
        let anew = rezoned || std::mem::replace(&mut past.first, first) != first;
        let from: BTreeSet<Period> =
            if anew { past.peaks.keys().copied().collect() } else { changed.clone() };
        let mut periods: BTreeSet<Period> =
            if anew { past.given.keys().copied().collect() } else { BTreeSet::new() };
        let mut next_turns: BTreeSet<(Timestamp, Period)> = BTreeSet::new();
        for start in from {
            let mut period = start;
            for _ in 0..=self.measure.periods {
                if period.span.end > self.horizon {
                    next_turns.insert((period.span.end, start));
                    break;
                }
                periods.insert(period);
                if period.span.end == Timestamp::MAX {
                    break;
                }
                period = calendar.period(node.unit, period.span.end);
            }
        }
        for period in periods {
            // By another calendar it is no period any more.
            let stands = calendar.period(node.unit, period.span.start) == period;
            let now = past.found(node, period, calendar, self.measure);
            let now = now.filter(|_| stands && period.span.end <= self.horizon);
            let before = match now {
                Some(found) => past.given.insert(period, found),
                None => past.given.remove(&period),
            };
            if before != now {
                changes.extend(before.map(|old| (old, -1)));
                changes.extend(now.map(|new| (new, 1)));
            }
        }
        if past.peaks.is_empty() && past.given.is_empty() {
            self.nodes.remove(&node);
            return;
        }
        for (at, period) in next_turns.into_iter().filter(|(at, _)| *at != Timestamp::MAX) {
            self.schedule.entry(at).or_default().insert((node, period));
        }
    }
}

impl Past {
    fn peak(&self, period: Period) -> i128 {
        let peaks = self.peaks.get(&period).and_then(|peaks| peaks.keys().next_back());
        peaks.map_or(0, |peak| i128::from(*peak))
    }

    fn found(
        &self,
        node: Node,
        period: Period,
        calendar: &Calendar,
        measure: Measure,
    ) -> Option<Discrepancy> {
        let (first, _) = self.peaks.first_key_value()?;
        let mut before = period;
        let mut past = Vec::with_capacity(usize::from(measure.periods));
        for _ in 0..measure.periods {
            if before.span.start <= first.span.start {
                return None;
            }
            let last = Timestamp(before.span.start.0.saturating_sub(1));
            before = calendar.period(node.unit, last);
            past.push(self.peak(before));
        }
        let middle = doubled_median(past.clone());
        let apart = past.iter().map(|peak| (2 * peak - middle).abs()).collect();
        let spread = (10 * doubled_median(apart)).max(middle).max(40 * i128::from(ONE_UNIT));
        let off = 2 * self.peak(period) - middle;
        if 20 * off.abs() <= i128::from(measure.deviations) * spread {
            return None;
        }
        let kind = if off > 0 { DiscrepancyKind::UsageSpike } else { DiscrepancyKind::UsageDrop };
        let Node { tenant, account, product, metric, .. } = node;
        let key = PositionKey { tenant, account, product, metric, period };
        Some(Discrepancy {
            magnitude: clamped(divide(off.abs(), 2, Rounding::HalfUp)),
            first_at: period.span.start,
            last_at: period.span.end,
            ..at_position(kind, &key)
        })
    }
}

/// Twice the median of values that are not none.
fn doubled_median(mut values: Vec<i128>) -> i128 {
    values.sort_unstable();
    let middle = values.len() / 2;
    let upper = values.get(middle).copied().unwrap_or_default();
    let lower =
        if values.len().is_multiple_of(2) { values.get(middle.saturating_sub(1)) } else { None };
    upper + lower.copied().unwrap_or(upper)
}
