//! How license servers write dates and times: always local, rarely complete.

use jiff::civil::{Date, DateTime, Weekday};
use trueup_model::calendar::Zone;
use trueup_model::time::{SECOND_US, Timestamp};

/// Seconds in an hour of elapsed time.
pub const HOUR_SECONDS: i64 = 3_600;
/// Seconds in a day of 24 hours.
pub const DAY_SECONDS: i64 = 86_400;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The instant this many seconds later.
pub fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.plus_us(seconds.saturating_mul(SECOND_US))
}

/// Whole seconds from one instant to another; 0 if the other is not later.
pub fn seconds_between(from: Timestamp, until: Timestamp) -> u64 {
    let us = until.since_us(from).max(0);
    u64::try_from(us / i128::from(SECOND_US)).unwrap_or(u64::MAX)
}

/// The instant of a local date and time of a zone.
///
/// # Panics
/// If the hour, minute or second does not exist: callers write them out.
pub fn local(zone: &Zone, day: Date, hour: i8, minute: i8, second: i8) -> Timestamp {
    zone.instant(day.at(hour, minute, second, 0))
}

/// The day after a day.
pub fn next_day(day: Date) -> Date {
    day.tomorrow().unwrap_or(day)
}

/// The day this many days later, or earlier.
pub fn days_later(day: Date, days: i64) -> Date {
    let span = jiff::Span::new().try_days(days);
    span.and_then(|span| day.checked_add(span)).unwrap_or(day)
}

/// The time of day at the head of a debug log line: `9:05:07` with one blank before a single digit.
pub fn line_time(clock: DateTime) -> String {
    format!("{:>2}:{:02}:{:02}", clock.hour(), clock.minute(), clock.second())
}

/// The date of a `TIMESTAMP` line or a start banner: `3/9/2026`.
pub fn stamp_date(day: Date) -> String {
    format!("{}/{}/{}", day.month(), day.day(), day.year())
}

/// A date as license files write it: `9-mar-2026`.
pub fn file_date(day: Date) -> String {
    format!("{}-{}-{}", day.day(), month_name(day).to_lowercase(), day.year())
}

/// A full date and time as summaries write it: `Mon Mar 09 2026 09:05:07 CET`.
pub fn long_date(clock: DateTime, zone_name: &str) -> String {
    let (day, time) = (clock.date(), clock.time());
    format!(
        "{} {} {:02} {} {:02}:{:02}:{:02} {zone_name}",
        weekday_name(day),
        month_name(day),
        day.day(),
        day.year(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// The weekday in three letters.
pub fn weekday_name(day: Date) -> &'static str {
    match day.weekday() {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    }
}

/// Whether it is Saturday or Sunday.
pub fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn month_name(day: Date) -> &'static str {
    let index = usize::from(day.month().unsigned_abs()) - 1;
    MONTHS[index]
}

/// How many seconds a zone's clock is ahead of universal time.
fn offset_seconds(zone: &Zone, at: Timestamp) -> i64 {
    zone.local(at).duration_since(Zone::utc().local(at)).as_secs()
}

/// Whether a zone's clock is ahead of what it is in the other half of the year.
pub fn is_summer_time(zone: &Zone, at: Timestamp) -> bool {
    let half_a_year = 182 * DAY_SECONDS;
    let here = offset_seconds(zone, at);
    here > offset_seconds(zone, later(at, half_a_year))
        || here > offset_seconds(zone, later(at, -half_a_year))
}

/// The instant at which a zone's clock is next turned after another, and by how many seconds.
///
/// `None` if it is not turned within the days given.
pub fn clock_change(zone: &Zone, from: Timestamp, days: i64) -> Option<(Timestamp, i64)> {
    let before = offset_seconds(zone, from);
    let mut seconds = 0;
    // Clocks turn at full quarter hours.
    while seconds < days.saturating_mul(DAY_SECONDS) {
        seconds += HOUR_SECONDS / 4;
        let at = later(from, seconds);
        let after = offset_seconds(zone, at);
        if after != before {
            return Some((at, after - before));
        }
    }
    None
}

#[cfg(test)]
mod tests;
