//! What of a period is compared with the rights, where that is not the peak (2.1, 2.3, 2.10).

use super::counting::half_even;
use super::levels::Level;
use super::{Case, Key, Rule};
use trueup_model::calendar::{Calendar, Period, PeriodUnit};
use trueup_model::metric::Metric;
use trueup_model::time::{Span, Timestamp};
use trueup_policy::rules::Statistic;

/// The statistic of a product under a metric.
pub(super) fn statistic(key: Key, rule: &Rule) -> Statistic {
    match (rule.settings.statistic, key.metric) {
        (Statistic::Usual, Metric::Level) => Statistic::Mean,
        (Statistic::Usual, _) => Statistic::Peak,
        (stated, _) => stated,
    }
}

/// A span that lasts to the end of the local day in which it ends.
pub(super) fn to_the_end_of_the_day(span: Span, calendar: &Calendar) -> Span {
    if !span.end.is_calendar() {
        return span;
    }
    let last = Timestamp(span.end.0 - 1).max(span.start);
    Span::new(span.start, calendar.period(PeriodUnit::Day, last).span.end)
}

/// What counts in a period, up to the horizon; `None` if the peak does.
pub(super) fn counted(
    case: &Case<'_>,
    statistic: Statistic,
    calendar: &Calendar,
    levels: &[(Span, Level)],
    period: Period,
) -> Option<i128> {
    if period.unit == PeriodUnit::All {
        return None;
    }
    let current = period.span.end > case.horizon;
    let end = if current { case.horizon } else { period.span.end };
    let last = if current { case.horizon } else { Timestamp(period.span.end.0 - 1) };
    let at = |at: Timestamp| {
        let held = levels.iter().find(|(span, _)| span.contains(at));
        held.map_or(0, |(_, level)| level.demand)
    };
    let inside = |window: Span| {
        levels.iter().filter_map(move |(span, level)| Some((span.overlap(window)?, level.demand)))
    };
    match statistic {
        Statistic::Usual | Statistic::Peak => None,
        Statistic::End => Some(at(last)),
        Statistic::Mean => {
            let window = Span::new(period.span.start, end);
            let total: i128 = inside(window).map(|(span, demand)| demand * span.length_us()).sum();
            Some(half_even(total, period.span.length_us()))
        }
        Statistic::Percentile(rank) => {
            let mut peaks: Vec<i128> = Vec::new();
            let mut hour = period.span.start;
            while hour < end {
                let next = hour.plus_us(3_600_000_000).min(end);
                let peak = inside(Span::new(hour, next)).map(|(_, demand)| demand).max();
                peaks.push(peak.unwrap_or_default().max(0));
                hour = next;
            }
            peaks.sort_unstable();
            let place = (peaks.len() * usize::from(rank) / 100).max(1);
            Some(peaks.get(place - 1).copied().unwrap_or_default())
        }
        Statistic::Days => {
            let (mut total, mut days) = (0, 0);
            let mut day = period.span.start;
            while day < period.span.end {
                let next = calendar.period(PeriodUnit::Day, day).span.end;
                if day <= last {
                    total += at(Timestamp(next.0 - 1).min(last));
                }
                days += 1;
                day = next;
            }
            Some(half_even(total, days))
        }
    }
}
