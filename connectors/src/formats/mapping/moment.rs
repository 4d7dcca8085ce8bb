//! Days and instants as people write them, and what they mean in a zone.
//!
//! A local time of midnight is a day: exports of date columns write `2024-12-31 00:00:00` where they
//! mean the 31st. A day on which something starts is its first instant; a day through which
//! something is valid ends at the first instant of the next local day (semantics C2).

use super::cell::{Cell, Fault, Typed, shown};
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use trueup_model::calendar::Zone;
use trueup_model::reject::RejectReason;
use trueup_model::time::Timestamp;

/// The first year that a contract or event may name; a smaller one is a year of two digits.
const YEAR_MIN: i16 = 1900;
/// The last year of our calendar; from it on a date means that there is no end, as the 31st of
/// December 9999 does.
const YEAR_OPEN: i16 = 8999;

/// A point of the calendar, as precise as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A day of some zone.
    Day(Date),
    /// A wall clock of some zone.
    Clock(DateTime),
    /// An instant, whose offset was stated.
    Instant(Timestamp),
}

impl Moment {
    /// A local date and time; midnight is the day.
    pub(crate) fn local(local: DateTime) -> Self {
        if local.time() == jiff::civil::Time::midnight() {
            Self::Day(local.date())
        } else {
            Self::Clock(local)
        }
    }

    /// Reads a cell by these patterns, first match first; instants with an offset and ISO dates are
    /// read always.
    pub(crate) fn read(cell: Cell<'_>, patterns: &[String]) -> Result<Self, Fault> {
        let text = cell.text;
        match cell.typed {
            Typed::Moment(local) => return Ok(Self::local(local)),
            Typed::Fault => return Err(Fault::bad(format!("it holds {}", shown(text)))),
            Typed::Flag => return Err(Fault::bad(format!("`{}` is no date", shown(text)))),
            Typed::Text | Typed::Plain | Typed::Stated => {}
        }
        let patterns = if cell.typed == Typed::Stated { &[] } else { patterns };
        if let Some(found) = patterns.iter().find_map(|pattern| by_pattern(pattern, text)) {
            return Ok(found);
        }
        if let Ok(instant) = text.parse() {
            return Ok(Self::Instant(instant));
        }
        if let Ok(local) = text.parse::<DateTime>() {
            return Ok(Self::local(local));
        }
        let expected = match patterns {
            [] => "such as 2025-06-30 or 2025-06-30T22:00:00Z".to_owned(),
            patterns => format!("by `{}`", patterns.join("`, `")),
        };
        Err(Fault::bad(format!("`{}` is no date {expected}", shown(text))))
    }

    /// The instant that it is: a day is its first instant.
    pub(crate) fn start(self, zone: &Zone) -> Result<Timestamp, Fault> {
        let year = self.year();
        if !(YEAR_MIN..YEAR_OPEN).contains(&year) {
            let detail = format!("the year {year} is not between {YEAR_MIN} and {YEAR_OPEN}");
            return Err(Fault::new(RejectReason::OutOfRange, detail));
        }
        Ok(match self {
            Self::Day(day) => zone.day_start(day),
            Self::Clock(local) => zone.instant(local),
            Self::Instant(at) => at,
        })
    }

    /// The first instant after what is valid through it, or, unless the day is included, until it.
    pub(crate) fn end(self, zone: &Zone, day_included: bool) -> Result<Timestamp, Fault> {
        if self.year() >= YEAR_OPEN {
            return Ok(Timestamp::MAX);
        }
        let start = self.start(zone)?;
        Ok(match self {
            Self::Day(day) if day_included => zone.day_end(day),
            Self::Day(_) | Self::Clock(_) | Self::Instant(_) => start,
        })
    }

    fn year(self) -> i16 {
        match self {
            Self::Day(day) => day.year(),
            Self::Clock(local) => local.year(),
            Self::Instant(at) => Zone::utc().local(at).year(),
        }
    }
}

/// What the text means by one pattern, if it follows it.
fn by_pattern(pattern: &str, text: &str) -> Option<Moment> {
    let broken = strtime::parse(pattern, text).ok()?;
    if let Ok(instant) = broken.to_timestamp() {
        let us = i64::try_from(instant.as_nanosecond().div_euclid(1000)).ok()?;
        return Some(Moment::Instant(Timestamp(us)));
    }
    broken.to_datetime().ok().map(Moment::local)
}

/// What is wrong with a pattern, if anything: it must name a day, a month and a year.
pub(crate) fn pattern_problem(pattern: &str) -> Option<String> {
    // A day whose parts are all different, so that a pattern that loses one is found.
    let sample = jiff::civil::date(2025, 11, 23).at(13, 37, 41, 0);
    let written = sample
        .to_zoned_datetime(jiff::tz::TimeZone::UTC)
        .and_then(|zoned| strtime::format(pattern, &zoned))
        .map_err(|error| format!("`{pattern}` is no date pattern: {error}"));
    let written = match written {
        Ok(written) => written,
        Err(problem) => return Some(problem),
    };
    let same_day = match by_pattern(pattern, &written) {
        Some(Moment::Day(day)) => day == sample.date(),
        Some(Moment::Clock(local)) => local.date() == sample.date(),
        Some(Moment::Instant(at)) => Zone::utc().local(at).date() == sample.date(),
        None => false,
    };
    (!same_day).then(|| format!("`{pattern}` does not name a day, a month and a year"))
}
