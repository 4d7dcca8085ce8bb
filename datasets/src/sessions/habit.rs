//! Habits: how often, when and for how long people use something.
//!
//! Working hours with a dip at noon, quiet nights, few people at weekends; lengths with a long tail;
//! batch jobs that open many licenses in one second.

use super::Plan;
use crate::population::{MachineIndex, PersonIndex};
use crate::random::{Quantile, Random};
use crate::server::FeatureIndex;
use crate::wall::{is_weekend, later, local, next_day};
use trueup_model::calendar::Zone;
use trueup_model::time::{Span, Timestamp};

/// How likely a start is in each hour of the local day: office work.
pub const OFFICE_HOURS: [u32; 24] =
    [0, 0, 0, 0, 0, 0, 1, 4, 10, 12, 12, 10, 5, 7, 11, 11, 9, 6, 3, 2, 1, 1, 0, 0];
/// The same for batch jobs: sent off in the evening, and through the night.
pub const BATCH_HOURS: [u32; 24] =
    [6, 5, 4, 3, 2, 2, 2, 3, 4, 4, 4, 4, 4, 4, 5, 6, 8, 12, 12, 10, 9, 8, 8, 7];

/// Lengths of interactive work, in seconds: half under twelve minutes, one in twenty over two hours,
/// a few forgotten over the night.
pub const SHORT_WORK: [Quantile; 6] =
    [(0, 30), (500, 720), (800, 3_000), (950, 7_200), (995, 40_000), (1000, 200_000)];
/// Lengths of long work, in seconds: half under four and a half hours, a tail of days.
pub const LONG_WORK: [Quantile; 6] =
    [(0, 300), (250, 5_400), (500, 15_900), (850, 32_000), (980, 90_000), (1000, 600_000)];

/// What some people do regularly.
#[derive(Clone, Debug)]
pub struct Habit {
    /// Who, on which machine.
    pub staff: Vec<(PersonIndex, MachineIndex)>,
    /// What they open.
    pub wants: Vec<(FeatureIndex, u32)>,
    /// How many times a working day each of them starts, in hundredths.
    pub starts_percent: u64,
    /// How many of a thousand starts remain at weekends.
    pub weekend_per_mille: u64,
    /// When in the day.
    pub hours: [u32; 24],
    /// For how long, in seconds.
    pub lengths: Vec<Quantile>,
    /// Whether one who is at it starts nothing more.
    pub alone: bool,
}

impl Habit {
    /// The plans that the habit makes in a span of time.
    ///
    /// The hours from midnight to four of a day on which the clock is turned stay free, so that no
    /// line of them is ambiguous unless a scenario wants it.
    pub fn plans(&self, zone: &Zone, span: Span, random: &mut Random) -> Vec<Plan> {
        let mut plans = Vec::new();
        for holder in &self.staff {
            let mut free_from = span.start;
            let mut day = zone.local(span.start).date();
            while zone.day_start(day) < span.end {
                let mut starts = self.starts(zone, day, random);
                starts.sort_unstable();
                for at in starts.into_iter().filter(|at| span.contains(*at)) {
                    let held = random.quantile(&self.lengths).max(1);
                    if self.alone && at < free_from {
                        continue;
                    }
                    free_from = later(at, i64::try_from(held).unwrap_or(i64::MAX));
                    plans.push(Plan {
                        wants: self.wants.clone(),
                        ..Plan::one(at, *holder, self.wants[0].0, held)
                    });
                }
                day = next_day(day);
            }
        }
        plans
    }

    /// When one person starts on a day.
    fn starts(&self, zone: &Zone, day: jiff::civil::Date, random: &mut Random) -> Vec<Timestamp> {
        let mut count = self.starts_percent / 100;
        count += u64::from(random.below(100) < self.starts_percent % 100);
        let turns = zone.day_end(day).since_us(zone.day_start(day))
            != i128::from(trueup_model::time::DAY_US);
        let mut starts = Vec::new();
        for _ in 0..count {
            let hour = hour(&self.hours, random);
            let minute = i8::try_from(random.below(60)).unwrap_or(0);
            let second = i8::try_from(random.below(60)).unwrap_or(0);
            let absent = is_weekend(day) && !random.chance(self.weekend_per_mille);
            if absent || (turns && hour < 4) {
                continue;
            }
            starts.push(local(zone, day, hour, minute, second));
        }
        starts
    }
}

/// An hour of the day by its weight.
fn hour(weights: &[u32; 24], random: &mut Random) -> i8 {
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let mut drawn = random.below(total);
    for (hour, weight) in (0_i8..).zip(weights) {
        let weight = u64::from(*weight);
        if drawn < weight {
            return hour;
        }
        drawn -= weight;
    }
    0
}

/// A batch job: so many equal checkouts in one second, each returned by itself.
pub fn batch(
    at: Timestamp,
    holder: (PersonIndex, MachineIndex),
    want: (FeatureIndex, u32),
    times: u64,
    lengths: &[Quantile],
    random: &mut Random,
) -> Vec<Plan> {
    (0..times)
        .map(|_| Plan {
            wants: vec![want],
            ..Plan::one(at, holder, want.0, random.quantile(lengths).max(1))
        })
        .collect()
}

#[cfg(test)]
mod tests;
