//! The spellings of dates in FlexNet's files: `1/8/2017`, `Sun Jan 08 2017 21:17:50`, `31-dec-2030`.
//!
//! Months and weekdays are English on every server; names of time zones are not, and are never read.

use jiff::civil::{Date, DateTime, Time};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// When a right ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    /// `permanent`, or a year of 0.
    Never,
    /// On this day.
    On(Date),
}

/// Reads `1/8/2017` at the start of a text, and gives what follows it.
pub(super) fn month_day_year(text: &str) -> Option<(Date, &str)> {
    let (month, rest) = number(text)?;
    let (day, rest) = number(rest.strip_prefix('/')?)?;
    let (year, rest) = number(rest.strip_prefix('/')?)?;
    Some((date(full_year(year)?, month, day)?, rest))
}

/// Reads `Sun Jan 08 2017 21:17:50` at the start of a text.
pub(super) fn weekday_date_time(text: &str) -> Option<DateTime> {
    let mut words = text.split_ascii_whitespace();
    weekday(words.next()?)?;
    let month = month(words.next()?)?;
    let (day, _) = number(words.next()?)?;
    let (year, _) = number(words.next()?)?;
    let time = clock_time(words.next()?)?;
    Some(date(full_year(year)?, month, day)?.to_datetime(time))
}

/// The place of a weekday in the week, from 1 for Monday.
pub(super) fn weekday(text: &str) -> Option<i8> {
    let known = text.get(..3)?;
    let place = WEEKDAYS.iter().position(|name| name.eq_ignore_ascii_case(known))?;
    i8::try_from(place + 1).ok()
}

/// Reads `9:05` or `21:17:50`.
pub(super) fn clock_time(text: &str) -> Option<Time> {
    let (hour, rest) = number(text)?;
    let (minute, rest) = number(rest.strip_prefix(':')?)?;
    let second = match rest.strip_prefix(':') {
        Some(rest) => number(rest)?.0,
        None => 0,
    };
    let part = |value: u32| i8::try_from(value).ok();
    Time::new(part(hour)?, part(minute)?, part(second)?, 0).ok()
}

/// Reads `31-dec-2030` or one of the spellings of "never".
///
/// Letters or digits behind a year of four digits are ignored: old servers run columns together.
pub(super) fn expiry(text: &str) -> Option<Expiry> {
    let text = text.trim();
    if text.get(..9).is_some_and(|word| word.eq_ignore_ascii_case("permanent")) {
        return Some(Expiry::Never);
    }
    let (day, rest) = number(text)?;
    let rest = rest.strip_prefix('-')?;
    let (name, rest) = rest.split_once('-')?;
    let month = month(name).filter(|_| name.len() == 3)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).take(4).count();
    let year: u32 = rest.get(..digits)?.parse().ok()?;
    if year == 0 {
        return Some(Expiry::Never);
    }
    date(full_year(year)?, month, day).map(Expiry::On)
}

/// The number of a month by the first three letters of its English name.
fn month(text: &str) -> Option<u32> {
    let known = text.get(..3)?;
    let place = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(known))?;
    u32::try_from(place + 1).ok()
}

/// A year of two digits stands for 1970 to 2069; one of three was cut off.
fn full_year(year: u32) -> Option<i16> {
    let full = match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        1970..=9999 => year,
        _ => return None,
    };
    i16::try_from(full).ok()
}

fn date(year: i16, month: u32, day: u32) -> Option<Date> {
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// A whole number at the start of a text, and what follows it.
pub(super) fn number(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests;
