//! What of a period's levels is compared with the rights at its end, where that is not the peak.
//!
//! mean       = ∫ demand / length of the period
//! end        = demand at the last instant
//! percentile = the hourly peak of rank ⌊p · hours / 100⌋ from below, at least the first
//! days       = Σ over days of (holders on that day) / days of the period
//!
//! Each is evaluated up to the horizon and divided by the whole period, as if nothing came after: the
//! figure grows until the period ends. All of time has no length, so there the peak counts.
//!
//! Work per position: mean and end, a lookup; percentile, the hours; days, the days of the period.

use crate::timeline::{Levels, Summary, Timeline};
use trueup_model::calendar::{Calendar, Period, PeriodUnit};
use trueup_model::quantity::{Rounding, divide};
use trueup_model::time::{SECOND_US, Span, Timestamp};
use trueup_policy::rules::Statistic;

/// An hour of elapsed time.
const HOUR_US: i64 = 3600 * SECOND_US;

/// A span that lasts until the end of the local day in which it ends: a day that was begun counts.
pub(super) fn whole_days(span: Span, calendar: &Calendar) -> Span {
    if !span.end.is_calendar() {
        return span;
    }
    let last = Timestamp(span.end.0 - 1).max(span.start);
    Span::new(span.start, calendar.period(PeriodUnit::Day, last).span.end)
}

/// The summary of a period with the statistic in place of the peak; `end` is the period's end, or the
/// horizon inside of it.
pub(super) fn by_statistic(
    statistic: Statistic,
    timeline: &mut Timeline,
    period: Period,
    end: Timestamp,
    summary: Summary,
    calendar: &Calendar,
) -> Summary {
    let current = end < period.span.end;
    let last = if current { end } else { Timestamp(end.0.saturating_sub(1)) };
    let at_end = timeline.at(last);
    if period.unit == PeriodUnit::All {
        return summary;
    }
    let counted = match statistic {
        Statistic::Usual | Statistic::Peak => return summary,
        Statistic::Mean => mean(summary.demand_us, period.span.length_us()),
        Statistic::End => at_end.demand,
        Statistic::Percentile(rank) => percentile(timeline, period, end, rank),
        Statistic::Days => days(timeline, period, last, calendar),
    };
    restated(counted, &at_end, period.span.start, end, &summary)
}

fn mean(total: i128, length: i128) -> i128 {
    if length > 0 { divide(total, length, Rounding::HalfEven) } else { 0 }
}

fn percentile(timeline: &mut Timeline, period: Period, end: Timestamp, rank: u8) -> i128 {
    let mut peaks = Vec::new();
    let mut at = period.span.start;
    while at < end {
        let next = at.plus_us(HOUR_US).min(end);
        peaks.push(timeline.summary(Span::new(at, next), false).peak);
        at = next;
    }
    peaks.sort_unstable();
    let place = (peaks.len() * usize::from(rank) / 100).max(1);
    peaks.get(place - 1).copied().unwrap_or_default()
}

fn days(timeline: &Timeline, period: Period, last: Timestamp, calendar: &Calendar) -> i128 {
    let mut total = 0;
    let mut count = 0;
    let mut at = period.span.start;
    while at < period.span.end {
        let day = calendar.period(PeriodUnit::Day, at).span;
        if day.start <= last {
            total += timeline.at(Timestamp(day.end.0 - 1).min(last)).demand;
        }
        count += 1;
        at = day.end;
    }
    mean(total, count)
}

/// The summary of a period in which so much counts, against the levels at its end.
fn restated(
    counted: i128,
    at_end: &Levels,
    start: Timestamp,
    end: Timestamp,
    before: &Summary,
) -> Summary {
    let levels = Levels { demand: counted, barred: 0, breach: 0, ..*at_end };
    let mut summary = Summary::default();
    summary.take(Span::new(start, end), &levels);
    let (demand_us, beta, breach) = (before.demand_us, before.beta, before.breach);
    Summary { demand_us, shortfall_us: 0, beta, breach, ..summary }
}
