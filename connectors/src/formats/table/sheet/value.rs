//! What the stored values of a workbook's cells mean: places, numbers as shown, days.

use crate::formats::mapping::cell::Typed;
use jiff::ToSpan as _;
use jiff::civil::{DateTime, date};

/// The last day that a spreadsheet knows: 31 December 9999.
const DAY_NUMBER_MAX: i64 = 2_958_465;

/// The index of the column in a reference such as `AB12`.
pub(super) fn column_index(reference: &str) -> Option<usize> {
    const LETTERS: usize = 26;
    let mut index = 0_usize;
    for byte in reference.bytes().take_while(u8::is_ascii_alphabetic) {
        let letter = usize::from(byte.to_ascii_uppercase() - b'A');
        index = index.checked_mul(LETTERS)?.checked_add(letter + 1)?;
    }
    index.checked_sub(1)
}

/// A number as the sheet shows it, and what it is.
pub(super) fn number(written: &str, is_date: bool, from_1904: bool) -> (String, Typed) {
    if written.is_empty() {
        return (String::new(), Typed::Text);
    }
    let Some(shown) = shown_number(written) else { return (written.to_owned(), Typed::Text) };
    match is_date.then(|| moment(&shown, from_1904)).flatten() {
        Some(local) if local.time() == jiff::civil::Time::midnight() => {
            (local.date().to_string(), Typed::Moment(local))
        }
        Some(local) => (format!("{} {}", local.date(), local.time()), Typed::Moment(local)),
        None => (shown, Typed::Plain),
    }
}

/// The decimal digits that a spreadsheet shows for a number as it is stored.
pub(super) fn shown_number(written: &str) -> Option<String> {
    const SIGNIFICANT_DIGITS: usize = 15;
    let stored: f64 = written.parse().ok().filter(|stored: &f64| stored.is_finite())?;
    let shortest = stored.to_string();
    let digits = shortest.bytes().filter(u8::is_ascii_digit);
    let significant = digits.skip_while(|digit| *digit == b'0').count();
    if !shortest.contains('.') || significant <= SIGNIFICANT_DIGITS {
        return Some(shortest);
    }
    // The shortest text of 0.1 + 0.2 is 0.30000000000000004; a spreadsheet shows 0.3.
    let rounded = format!("{stored:.*e}", SIGNIFICANT_DIGITS - 1);
    rounded.parse::<f64>().ok().map(|rounded| rounded.to_string())
}

/// The local date and time of a day number with a fraction; `None` if it is not in the calendar.
pub(super) fn moment(number: &str, from_1904: bool) -> Option<DateTime> {
    const DAY_MS: i128 = 86_400_000;
    const FRACTION_DIGITS_MAX: usize = 18;
    /// Spreadsheets keep a 29 February 1900, day 60, that never was.
    const FALSE_LEAP_DAY: i64 = 60;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut days: i64 = whole.parse().ok().filter(|days| (0..=DAY_NUMBER_MAX).contains(days))?;
    let fraction = fraction.get(..FRACTION_DIGITS_MAX.min(fraction.len()))?;
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let mut ms = i64::try_from((part * DAY_MS + scale / 2) / scale).ok()?;
    if i128::from(ms) == DAY_MS {
        (days, ms) = (days + 1, 0);
    }
    let epoch = if from_1904 {
        date(1904, 1, 1)
    } else {
        match days {
            // A time of day without a day.
            0 | FALSE_LEAP_DAY => return None,
            1..FALSE_LEAP_DAY => date(1899, 12, 31),
            _ => date(1899, 12, 30),
        }
    };
    let day = epoch.checked_add(days.days()).ok()?;
    day.at(0, 0, 0, 0).checked_add(ms.milliseconds()).ok()
}
