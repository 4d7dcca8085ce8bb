//! Instants for lines that show a clock and no date.
//!
//! 1. The day rises only when the clock falls by more than twelve hours. A smaller fall is lines out
//!    of order or a clock that was set back. A rise of a day less a minute is a line that was written
//!    late, just after midnight: it belongs to the day before, and the clock goes on from midnight.
//! 2. Days are anchored to every line that carries a date, forwards, and before the first of them
//!    backwards. A date that disagrees with the days that were counted wins from its line on: the
//!    server was down, or lines are missing.
//! 3. In the hour that a zone repeats in autumn an instant is the earlier one, unless it would lie
//!    before the last line's by more than a minute. A clock in the hour that a zone skips in spring
//!    means its end. So time never runs backwards by more than the log itself does.

use crate::formats::flexnet::line::{DAY_SECONDS, Message};
use jiff::Span as CalendarSpan;
use jiff::civil::{Date, DateTime, Time};
use trueup_model::calendar::Zone;
use trueup_model::time::{DAY_US, SECOND_US, Timestamp};

/// A fall of the clock by more than this is a new day, in seconds.
pub const NEW_DAY_SECONDS: u32 = DAY_SECONDS / 2;
/// How late a line may be written and still count as out of order, in seconds.
pub const BACKSTEP_SECONDS_MAX: u32 = 60;
/// How far a date that a line spells out may be from the line's own clock, in seconds.
pub const CARRIER_SECONDS_MAX: i32 = 300;

/// A line's place in time before its date is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The number of its day: 0 is that of the first line.
    pub day: i32,
    /// Its clock, in seconds since midnight.
    pub clock: u32,
}

/// What a date that a line carries says of the days that were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It is the first one: every line is dated now.
    First,
    /// It is the day that was counted.
    Agrees,
    /// It is another day than the one that was counted, which wins from here on.
    Moved {
        /// The day that was counted.
        counted: Date,
    },
}

/// Counts days, and turns marks into instants.
#[derive(Clone, Debug)]
pub struct Dating {
    zone: Zone,
    /// The last line in order.
    reference: Option<Mark>,
    /// The date of day 0, once a line told a date.
    origin: Option<Date>,
    /// The day that was looked up last.
    known: Option<Day>,
    /// The last instant that was given.
    last: Option<Timestamp>,
}

/// A local day.
#[derive(Clone, Copy, Debug)]
struct Day {
    number: i32,
    date: Date,
    start: Timestamp,
    /// Whether it has 24 hours: then its clock is a plain offset.
    regular: bool,
}

impl Dating {
    /// Dates of a server in this zone.
    pub fn new(zone: Zone) -> Self {
        Self { zone, reference: None, origin: None, known: None, last: None }
    }

    /// The mark of the next line.
    pub fn advance(&mut self, clock: u32) -> Mark {
        let Some(last) = self.reference else {
            let first = Mark { day: 0, clock };
            self.reference = Some(first);
            return first;
        };
        if clock + NEW_DAY_SECONDS < last.clock {
            let next = Mark { day: last.day.saturating_add(1), clock };
            self.reference = Some(next);
            return next;
        }
        if clock >= last.clock + (DAY_SECONDS - BACKSTEP_SECONDS_MAX) {
            return Mark { day: last.day.saturating_sub(1), clock };
        }
        let same = Mark { day: last.day, clock };
        self.reference = Some(same);
        same
    }

    /// Whether dates are known.
    pub fn is_anchored(&self) -> bool {
        self.origin.is_some()
    }

    /// Says that a line's date is this one.
    pub fn anchor(&mut self, mark: Mark, date: Date) -> Anchor {
        let counted = self.origin.and_then(|origin| plus_days(origin, mark.day));
        if counted == Some(date) {
            return Anchor::Agrees;
        }
        self.known = None;
        self.origin = plus_days(date, mark.day.saturating_neg());
        match counted {
            None => Anchor::First,
            Some(counted) => {
                self.last = None;
                Anchor::Moved { counted }
            }
        }
    }

    /// Says that the last line was written shortly before an instant.
    pub fn anchor_last(&mut self, before: Timestamp) {
        let Some(mark) = self.reference else { return };
        let local = self.zone.local(before.plus_us(i64::from(BACKSTEP_SECONDS_MAX) * SECOND_US));
        let date = if at_clock(local.date(), mark.clock) <= local {
            Some(local.date())
        } else {
            local.date().yesterday().ok()
        };
        if let Some(date) = date {
            self.anchor(mark, date);
        }
    }

    /// The date of a line, once dates are known.
    pub fn date(&mut self, mark: Mark) -> Option<Date> {
        self.day(mark.day).map(|day| day.date)
    }

    /// The instant of a line, once dates are known.
    pub fn instant(&mut self, mark: Mark) -> Option<Timestamp> {
        let day = self.day(mark.day)?;
        let at = if day.regular {
            day.start.plus_us(i64::from(mark.clock) * SECOND_US)
        } else {
            let (first, second) = self.zone.instants(at_clock(day.date, mark.clock));
            let slack = i64::from(BACKSTEP_SECONDS_MAX) * SECOND_US;
            let last = self.last.filter(|last| first.plus_us(slack) < *last);
            last.and(second).unwrap_or(first)
        };
        self.last = Some(at);
        Some(at)
    }

    /// The day of this number.
    fn day(&mut self, number: i32) -> Option<Day> {
        if let Some(known) = self.known
            && known.number == number
        {
            return Some(known);
        }
        let date = plus_days(self.origin?, number)?;
        let (start, end) = (self.zone.day_start(date), self.zone.day_end(date));
        let regular = end.since_us(start) == i128::from(DAY_US);
        let day = Day { number, date, start, regular };
        self.known = Some(day);
        Some(day)
    }
}

/// The date that a line with this clock carries.
pub fn date_of(clock: u32, message: &Message<'_>) -> Option<Date> {
    match message {
        Message::Life(life) => life.date(),
        Message::Dated(told) => carried(clock, *told),
        Message::Event(_) | Message::Unreadable(_) | Message::Reserving(_) | Message::Chatter => {
            None
        }
    }
}

/// The date of a line with this clock that spells out a date and time, if the two are near.
fn carried(clock: u32, told: DateTime) -> Option<Date> {
    let day = i32::try_from(DAY_SECONDS).ok()?;
    let clock = i32::try_from(clock).ok()?;
    let time = told.time();
    let told_seconds =
        i32::from(time.hour()) * 3_600 + i32::from(time.minute()) * 60 + i32::from(time.second());
    let apart = clock - told_seconds;
    let near = |seconds: i32| seconds.abs() <= CARRIER_SECONDS_MAX;
    if near(apart) {
        Some(told.date())
    } else if near(apart + day) {
        told.date().tomorrow().ok()
    } else if near(apart - day) {
        told.date().yesterday().ok()
    } else {
        None
    }
}

/// A date with a clock of seconds since midnight.
fn at_clock(date: Date, clock: u32) -> DateTime {
    let part = |value: u32| i8::try_from(value).unwrap_or(0);
    let time = Time::new(part(clock / 3_600), part(clock / 60 % 60), part(clock % 60), 0);
    date.to_datetime(time.unwrap_or(Time::midnight()))
}

/// The date `days` later, or `None` beyond the calendar.
fn plus_days(date: Date, days: i32) -> Option<Date> {
    let span = CalendarSpan::new().try_days(days).ok()?;
    date.checked_add(span).ok()
}

#[cfg(test)]
mod tests;
