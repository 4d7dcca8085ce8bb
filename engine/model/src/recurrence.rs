//! What comes anew again and again: turns counted from one beginning, in a zone.
//!
//! Turn *n* begins at `local(start + n · unit)` with the day held to the month's length, always from
//! the **original** start (semantics C4), so an allowance of 31 January comes on 28 February and then on
//! 31 March. Minutes and hours are elapsed time.

use crate::calendar::{PeriodUnit, Zone};
use crate::time::{SECOND_US, Span, Timestamp};
use jiff::civil::DateTime;

/// Turns of a period, counted from a beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    zone: Zone,
    start: Timestamp,
    local: DateTime,
    unit: PeriodUnit,
}

impl Recurrence {
    /// The turns of a unit from `start` on; what has no beginning turns with the natural calendar.
    pub fn new(zone: Zone, start: Timestamp, unit: PeriodUnit) -> Self {
        if start.is_calendar() {
            return Self { local: zone.local(start), zone, start, unit };
        }
        let local = jiff::civil::date(2000, 1, 1).to_datetime(jiff::civil::Time::midnight());
        let anchor = zone.instant(local);
        Self { zone, start: anchor, local, unit }
    }

    /// When the turn of this number begins; the first is number 0.
    pub fn boundary(&self, index: i64) -> Timestamp {
        if index == 0 {
            return self.start;
        }
        let step = jiff::Span::new();
        let step = match self.unit {
            PeriodUnit::All => return if index < 0 { Timestamp::MIN } else { Timestamp::MAX },
            PeriodUnit::Minute => return self.elapsed(index, 60),
            PeriodUnit::Hour => return self.elapsed(index, 3600),
            PeriodUnit::Day => step.try_days(index),
            PeriodUnit::Month => step.try_months(index),
            PeriodUnit::Quarter => step.try_months(index.saturating_mul(3)),
            PeriodUnit::Year => step.try_months(index.saturating_mul(12)),
        };
        match step.and_then(|step| self.local.checked_add(step)) {
            Ok(local) => self.zone.instant(local),
            Err(_) if index < 0 => Timestamp::EARLIEST,
            Err(_) => Timestamp::LATEST,
        }
    }

    /// The number of the turn around an instant, and when it is.
    pub fn turn(&self, at: Timestamp) -> (i64, Span) {
        let mut index = self.estimate(at);
        while self.boundary(index) > at && index > i64::MIN / 2 {
            index -= 1;
            if self.boundary(index) == self.boundary(index + 1) {
                break;
            }
        }
        while self.boundary(index + 1) <= at && self.boundary(index) < self.boundary(index + 1) {
            index += 1;
        }
        (index, self.span(index))
    }

    /// When the turn of this number is; where dates end, it reaches to the end of time.
    pub fn span(&self, index: i64) -> Span {
        let (start, end) = (self.boundary(index), self.boundary(index + 1));
        Span::new(start, if end <= start { Timestamp::MAX } else { end })
    }

    fn elapsed(&self, index: i64, seconds: i64) -> Timestamp {
        self.start.plus_us(index.saturating_mul(seconds).saturating_mul(SECOND_US))
    }

    /// The number of the turn, or one near it.
    fn estimate(&self, at: Timestamp) -> i64 {
        let held = Timestamp(at.0.clamp(Timestamp::EARLIEST.0, Timestamp::LATEST.0));
        let local = self.zone.local(held);
        let seconds = (held.0 - self.start.0).div_euclid(SECOND_US);
        let months = (i64::from(local.year()) - i64::from(self.local.year())) * 12
            + i64::from(local.month())
            - i64::from(self.local.month());
        match self.unit {
            PeriodUnit::All => {
                if at < self.start {
                    -1
                } else {
                    0
                }
            }
            PeriodUnit::Minute => seconds.div_euclid(60),
            PeriodUnit::Hour => seconds.div_euclid(3600),
            PeriodUnit::Day => i64::from((local.date() - self.local.date()).get_days()),
            PeriodUnit::Month => months,
            PeriodUnit::Quarter => months.div_euclid(3),
            PeriodUnit::Year => months.div_euclid(12),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn turns(zone: &str, start: &str, unit: PeriodUnit) -> Recurrence {
        Recurrence::new(Zone::named(zone).unwrap(), at(start), unit)
    }

    #[test]
    fn months_from_the_31st_return_to_the_31st() {
        let months = turns("UTC", "2025-01-31T08:00:00Z", PeriodUnit::Month);
        let begins: Vec<String> = (0..4).map(|n| months.boundary(n).to_string()).collect();
        let expected = ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30"];
        assert_eq!(begins, expected.map(|day| format!("{day}T08:00:00Z")));
        assert_eq!(months.turn(at("2025-02-28T07:59:59Z")).0, 0);
        assert_eq!(months.turn(at("2025-02-28T08:00:00Z")).0, 1);
        assert_eq!(months.turn(at("2025-03-30T00:00:00Z")).0, 1);
        assert_eq!(months.turn(at("2025-03-31T08:00:00Z")).0, 2);
    }

    #[test]
    fn leap_days_return_in_leap_years() {
        let years = turns("UTC", "2024-02-29T00:00:00Z", PeriodUnit::Year);
        let begins: Vec<String> = (1..5).map(|n| years.boundary(n).to_string()).collect();
        let expected = ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"];
        assert_eq!(begins, expected.map(|day| format!("{day}T00:00:00Z")));
    }

    #[test]
    fn turns_are_local() {
        let days = turns("America/New_York", "2025-03-08T05:00:00Z", PeriodUnit::Day);
        // The clock goes forward on 9 March.
        assert_eq!(days.boundary(2), at("2025-03-10T04:00:00Z"));
        assert_eq!(days.turn(at("2025-03-10T03:59:59Z")).0, 1);
        let hours = turns("America/New_York", "2025-03-08T05:00:00Z", PeriodUnit::Hour);
        assert_eq!(hours.boundary(48), at("2025-03-10T05:00:00Z"));
    }

    #[test]
    fn what_has_no_beginning_turns_with_the_calendar() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let months = Recurrence::new(zone, Timestamp::MIN, PeriodUnit::Month);
        let (index, span) = months.turn(at("2025-03-15T00:00:00Z"));
        assert_eq!(index, 25 * 12 + 2);
        assert_eq!(span, Span::new(at("2025-02-28T23:00:00Z"), at("2025-03-31T22:00:00Z")));
        assert_eq!(months.turn(at("1999-12-31T00:00:00Z")).0, -1);
    }

    #[test]
    fn all_of_time_is_one_turn() {
        let once = turns("UTC", "2025-01-31T00:00:00Z", PeriodUnit::All);
        let (index, span) = once.turn(at("2030-01-01T00:00:00Z"));
        assert_eq!((index, span), (0, Span::from(at("2025-01-31T00:00:00Z"))));
    }
}
