//! Instants and half-open intervals of event time, in whole microseconds.
//!
//! Finer input is floored once, where it enters; nothing is ever compared at two resolutions.
//! `start` is in, `end` is out, so a close and an open at one instant do not overlap.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Microseconds in a second.
pub const SECOND_US: i64 = 1_000_000;
/// Microseconds in a day of 24 hours; a local day may be longer or shorter.
pub const DAY_US: i64 = 86_400 * SECOND_US;

/// An instant: whole microseconds since 1970-01-01T00:00:00Z.
///
/// `MIN` and `MAX` mean "always has been" and "no end known"; they are never the time of an event.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Before every event.
    pub const MIN: Self = Self(i64::MIN);
    /// After every event: an interval that has not ended.
    pub const MAX: Self = Self(i64::MAX);
    /// The earliest instant that a calendar can name (year 1).
    pub const EARLIEST: Self = Self(-62_135_596_800 * SECOND_US);
    /// The latest instant that a calendar can name (year 9000).
    pub const LATEST: Self = Self(221_845_305_600 * SECOND_US);

    /// 1990-01-01: no record that anyone means is older. An instant before it is the zero of some clock
    /// (1601, 1900, 1970, 1980) or a date that was never set.
    pub const RECORDED: Self = Self(631_152_000 * SECOND_US);

    /// The instant a whole number of seconds after 1970-01-01T00:00:00Z, held inside the calendar.
    pub fn from_seconds(seconds: i64) -> Self {
        let held = seconds.clamp(Self::EARLIEST.0 / SECOND_US, Self::LATEST.0 / SECOND_US);
        Self(held * SECOND_US)
    }

    /// Whether a calendar can name this instant; `MIN` and `MAX` are not such instants.
    pub fn is_calendar(self) -> bool {
        (Self::EARLIEST..=Self::LATEST).contains(&self)
    }

    /// The instant `microseconds` later, held inside the calendar; `MIN` and `MAX` stay.
    #[must_use]
    pub fn plus_us(self, microseconds: i64) -> Self {
        if self == Self::MIN || self == Self::MAX {
            return self;
        }
        let sum = self.0.saturating_add(microseconds);
        Self(sum.clamp(Self::EARLIEST.0, Self::LATEST.0))
    }

    /// Microseconds from `earlier` to this instant, negative if it is the earlier one.
    ///
    /// 128 bits, so that the difference of any two instants fits.
    pub fn since_us(self, earlier: Self) -> i128 {
        i128::from(self.0) - i128::from(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with as many fraction digits as needed; `always` and `open` for the bounds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MIN => f.write_str("always"),
            Self::MAX => f.write_str("open"),
            Self(us) => match jiff::Timestamp::from_microsecond(us) {
                Ok(instant) => write!(f, "{instant}"),
                Err(_) => write!(f, "{us} us"),
            },
        }
    }
}

/// Why text was not an instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an RFC 3339 instant with an offset, such as 2025-06-30T22:00:00Z")]
pub struct TimestampError {
    /// What was read.
    pub text: String,
}

impl std::str::FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads an RFC 3339 instant with an offset; a fraction beyond microseconds is floored.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || TimestampError { text: text.chars().take(64).collect() };
        let read: jiff::Timestamp = text.trim().parse().map_err(|_| error())?;
        let us = read.as_nanosecond().div_euclid(1000);
        let instant = Self(i64::try_from(us).map_err(|_| error())?);
        if instant.is_calendar() { Ok(instant) } else { Err(error()) }
    }
}

/// A half-open interval of event time: `start` is in, `end` is out.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Span {
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant after.
    pub end: Timestamp,
}

impl Span {
    /// All of time.
    pub const ALWAYS: Self = Self { start: Timestamp::MIN, end: Timestamp::MAX };

    /// The interval from `start` up to, not including, `end`.
    pub fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }

    /// The interval from `start` on.
    pub fn from(start: Timestamp) -> Self {
        Self { start, end: Timestamp::MAX }
    }

    /// Whether nothing is inside.
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Whether the instant is inside.
    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// Whether some instant is inside both.
    pub fn overlaps(self, other: Self) -> bool {
        !self.intersect(other).is_empty()
    }

    /// The instants inside both; may be empty.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }
    }

    /// The common part, if there is one.
    pub fn overlap(self, other: Self) -> Option<Self> {
        let both = self.intersect(other);
        (!both.is_empty()).then_some(both)
    }

    /// Length in microseconds; 0 if empty.
    pub fn length_us(self) -> i128 {
        if self.is_empty() { 0 } else { self.end.since_us(self.start) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.start, self.end)
    }
}
