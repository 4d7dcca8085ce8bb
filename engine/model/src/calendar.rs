//! Local time, zones and calendar periods, by the IANA time zone database.
//!
//! Rules (semantics C2–C4): a local time in a spring gap is the first instant after the gap; in an
//! autumn overlap, the earlier of the two. Period boundary *n* is `local(anchor + n · unit)` with
//! the day held to the month's length, always from the **original** anchor, so a series from
//! 31 January gives 28 February and then 31 March. The database is compiled in, so an answer does
//! not depend on the machine.

use crate::time::{Span, Timestamp};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A time zone by its IANA name, such as `Europe/Madrid`.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// Why a text names no time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a time zone of the IANA database, such as Europe/Madrid or UTC")]
pub struct ZoneError {
    /// What was asked for.
    pub name: String,
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// The zone of this IANA name, from the database that is compiled in.
    ///
    /// # Errors
    /// If the database has no such name.
    pub fn named(name: &str) -> Result<Self, ZoneError> {
        let name = name.trim();
        if name.eq_ignore_ascii_case("UTC") || name == "Z" {
            return Ok(Self::utc());
        }
        jiff::tz::TimeZoneDatabase::bundled()
            .get(name)
            .map(|zone| Self { name: zone.iana_name().unwrap_or(name).to_owned(), zone })
            .map_err(|_| ZoneError { name: name.chars().take(64).collect() })
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The instant of a local date and time: after a gap, and the earlier one in an overlap.
    ///
    /// Held inside the calendar that [`Timestamp::is_calendar`] describes.
    pub fn instant(&self, local: DateTime) -> Timestamp {
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let instant = match ambiguous.offset() {
            jiff::tz::AmbiguousOffset::Gap { after, .. } => {
                // The first instant after the gap is where the new offset begins.
                let inside = after.to_timestamp(local).ok();
                inside.and_then(|instant| self.transition_near(instant).or(Some(instant)))
            }
            jiff::tz::AmbiguousOffset::Unambiguous { .. }
            | jiff::tz::AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
        };
        let fallback = if local.year() < 1 { Timestamp::EARLIEST } else { Timestamp::LATEST };
        instant.map_or(fallback, from_jiff)
    }

    /// The local instants that a wall clock may mean: two in an overlap, otherwise one.
    pub fn instants(&self, local: DateTime) -> (Timestamp, Option<Timestamp>) {
        let first = self.instant(local);
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let second = match ambiguous.offset() {
            jiff::tz::AmbiguousOffset::Fold { .. } => ambiguous.later().ok().map(from_jiff),
            jiff::tz::AmbiguousOffset::Unambiguous { .. }
            | jiff::tz::AmbiguousOffset::Gap { .. } => None,
        };
        (first, second)
    }

    /// The first instant of a local day.
    pub fn day_start(&self, day: Date) -> Timestamp {
        self.instant(day.to_datetime(jiff::civil::Time::midnight()))
    }

    /// The first instant after a local day: what "valid through that day" ends at.
    pub fn day_end(&self, day: Date) -> Timestamp {
        day.tomorrow().map_or(Timestamp::LATEST, |next| self.day_start(next))
    }

    /// The local date and time at an instant.
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(to_jiff(at))
    }

    /// The start of the offset that is in force shortly after a gap.
    fn transition_near(&self, inside: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let day = jiff::SignedDuration::from_hours(26);
        let from = inside.checked_sub(day).ok()?;
        let until = inside.checked_add(day).ok()?;
        self.zone
            .following(from)
            .map(|transition| transition.timestamp())
            .take_while(|at| *at <= until)
            .min_by_key(|at| (at.as_second() - inside.as_second()).abs())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn to_jiff(at: Timestamp) -> jiff::Timestamp {
    let held = at.0.clamp(Timestamp::EARLIEST.0, Timestamp::LATEST.0);
    jiff::Timestamp::from_microsecond(held).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

fn from_jiff(at: jiff::Timestamp) -> Timestamp {
    let us = at.as_microsecond();
    Timestamp(us.clamp(Timestamp::EARLIEST.0, Timestamp::LATEST.0))
}

/// The length of a calendar period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodUnit {
    /// Sixty seconds of elapsed time, aligned to the local minute.
    Minute,
    /// An hour of elapsed time, aligned to the local hour.
    Hour,
    /// A local day: 23, 24 or 25 hours.
    Day,
    /// A calendar month.
    Month,
    /// Three calendar months.
    Quarter,
    /// Twelve calendar months.
    Year,
    /// All of time, as one period.
    All,
}

impl PeriodUnit {
    /// The unit's name in configuration, tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
            Self::All => "all",
        }
    }
}

/// A period of a calendar: its unit and the instants it holds.
///
/// Ordered by unit, then start. Two calendars in different zones give different spans, so equal
/// periods are equal instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    /// How long it is.
    pub unit: PeriodUnit,
    /// The instants inside.
    pub span: Span,
}

impl Period {
    /// All of time.
    pub const ALL: Self = Self { unit: PeriodUnit::All, span: Span::ALWAYS };
}

/// How time is cut into periods: a zone and an anchor date.
///
/// Boundaries count from the anchor: a yearly calendar anchored at 29 February 2024 turns on
/// 28 February in common years and on the 29th in leap years.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// The zone whose local days count.
    pub zone: Zone,
    /// A boundary from which the others are counted.
    pub anchor: Date,
}

impl Calendar {
    /// Natural calendar periods in a zone: days from midnight, months from the first.
    pub fn natural(zone: Zone) -> Self {
        Self { zone, anchor: jiff::civil::date(2000, 1, 1) }
    }

    /// Periods counted from the local day of an instant.
    pub fn anchored(zone: Zone, at: Timestamp) -> Self {
        let anchor = zone.local(at).date();
        Self { zone, anchor }
    }

    /// The period of this unit that holds the instant.
    pub fn period(&self, unit: PeriodUnit, at: Timestamp) -> Period {
        let span = match unit {
            PeriodUnit::All => Span::ALWAYS,
            PeriodUnit::Minute => self.elapsed(at, 60),
            PeriodUnit::Hour => self.elapsed(at, 3600),
            PeriodUnit::Day => self.stepped(at, 0, 1),
            PeriodUnit::Month => self.stepped(at, 1, 0),
            PeriodUnit::Quarter => self.stepped(at, 3, 0),
            PeriodUnit::Year => self.stepped(at, 12, 0),
        };
        Period { unit, span }
    }

    /// The start of the period that is `index` units after the anchor, for day and longer units.
    pub fn boundary(&self, unit: PeriodUnit, index: i64) -> Timestamp {
        let (months, days) = match unit {
            PeriodUnit::Day => (0, 1),
            PeriodUnit::Quarter => (3, 0),
            PeriodUnit::Year => (12, 0),
            PeriodUnit::Month | PeriodUnit::Minute | PeriodUnit::Hour | PeriodUnit::All => (1, 0),
        };
        self.zone.day_start(self.step(months, days, index))
    }

    /// How many periods of this unit a span touches, without a walk over them.
    ///
    /// Minutes and hours are counted by the time that elapses between the first and the last. A date
    /// that the zone skipped counts as a day.
    pub fn periods_in(&self, unit: PeriodUnit, span: Span) -> i64 {
        if span.is_empty() {
            return 0;
        }
        let (first, last) = (span.start, Timestamp(span.end.0 - 1));
        let elapsed = |seconds: i64| {
            let (from, to) =
                (self.elapsed(first, seconds).start, self.elapsed(last, seconds).start);
            let length = i128::from(seconds) * i128::from(crate::time::SECOND_US);
            i64::try_from((to.since_us(from) + length - 1) / length).unwrap_or(i64::MAX - 1)
        };
        let stepped =
            |months, days| self.index(last, months, days) - self.index(first, months, days);
        1 + match unit {
            PeriodUnit::All => 0,
            PeriodUnit::Minute => elapsed(60),
            PeriodUnit::Hour => elapsed(3600),
            PeriodUnit::Day => stepped(0, 1),
            PeriodUnit::Month => stepped(1, 0),
            PeriodUnit::Quarter => stepped(3, 0),
            PeriodUnit::Year => stepped(12, 0),
        }
    }

    /// A name for people: `2025-01`, `2025-Q1`, `2025-01-31`; the local date of the start if the
    /// period does not begin with a calendar unit.
    pub fn label(&self, period: Period) -> String {
        let local = self.zone.local(period.span.start);
        let (year, month, day) = (local.year(), local.month(), local.day());
        match period.unit {
            PeriodUnit::All => "all".to_owned(),
            PeriodUnit::Minute | PeriodUnit::Hour => {
                format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}", local.hour(), local.minute())
            }
            PeriodUnit::Month if day == 1 => format!("{year:04}-{month:02}"),
            PeriodUnit::Quarter if day == 1 && (month - 1) % 3 == 0 => {
                format!("{year:04}-Q{}", (month - 1) / 3 + 1)
            }
            PeriodUnit::Year if day == 1 && month == 1 => format!("{year:04}"),
            PeriodUnit::Day | PeriodUnit::Month | PeriodUnit::Quarter | PeriodUnit::Year => {
                format!("{year:04}-{month:02}-{day:02}")
            }
        }
    }

    /// Units of fixed length, aligned to the local clock.
    fn elapsed(&self, at: Timestamp, seconds: i64) -> Span {
        let local = self.zone.local(at);
        let into = i64::from(local.minute()) * 60 + i64::from(local.second());
        let second = at.0.div_euclid(crate::time::SECOND_US);
        let start = second - into.rem_euclid(seconds);
        around(at, Timestamp::from_seconds(start), Timestamp::from_seconds(start + seconds))
    }

    /// The date `index` steps after the anchor.
    fn step(&self, months: i64, days: i64, index: i64) -> Date {
        let limit = if index < 0 { Date::MIN } else { Date::MAX };
        let step = jiff::Span::new().try_months(months.saturating_mul(index));
        let step = step.and_then(|span| span.try_days(days.saturating_mul(index)));
        step.and_then(|span| self.anchor.checked_add(span)).unwrap_or(limit)
    }

    /// The period between the two boundaries around the instant.
    fn stepped(&self, at: Timestamp, months: i64, days: i64) -> Span {
        let index = self.index(at, months, days);
        let start_of = |step| self.zone.day_start(self.step(months, days, step));
        around(at, start_of(index), start_of(index + 1))
    }

    /// How many steps after the anchor the period that holds the instant begins.
    fn index(&self, at: Timestamp, months: i64, days: i64) -> i64 {
        let day = self.zone.local(at).date();
        let mut index = if months > 0 {
            let apart = (i64::from(day.year()) - i64::from(self.anchor.year())) * 12
                + i64::from(day.month())
                - i64::from(self.anchor.month());
            apart.div_euclid(months)
        } else {
            i64::from((day - self.anchor).get_days())
        };
        // The estimate is off by at most one step: the day of the month may fall before the anchor's.
        let start_of = |step| self.zone.day_start(self.step(months, days, step));
        if start_of(index) > at {
            index -= 1;
        } else if start_of(index + 1) <= at {
            index += 1;
        }
        index
    }
}

/// A period between two boundaries; where dates end, the first and the last reach to the ends of time.
fn around(at: Timestamp, start: Timestamp, end: Timestamp) -> Span {
    let start = if start > at || start == end { Timestamp::MIN } else { start };
    let end = if end <= at { Timestamp::MAX } else { end };
    Span::new(start, end)
}
