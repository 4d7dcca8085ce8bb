//! Parts of a period's price: day counts, co-termination and trials, exactly (semantics A 2.17, 2.20).
//!
//! A share is an exact rational; it is applied to an amount and rounded once. Days are local days, and a
//! day belongs to what holds at its end: the day of a change is the new plan's, and the days of the parts
//! add up to those of the whole. The denominator is always the whole period.

use crate::calendar::Zone;
use crate::quantity::{Money, Quantity, Ratio, Rounding, divide};
use crate::time::{Span, Timestamp};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// How parts of a period are counted.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum DayCount {
    /// Days of the part, of the days of the period.
    #[default]
    ActualInPeriod,
    /// Days of the part, of 365.
    Actual365,
    /// Whole months of the part, of twelve.
    Months12,
    /// Time of the part, of the time of the period.
    Seconds,
}

/// A part of a whole, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    part: i128,
    whole: i128,
}

impl Share {
    /// So many of so many; `None` if the whole is nothing.
    pub fn new(part: i128, whole: i128) -> Option<Self> {
        (whole > 0).then_some(Self { part, whole })
    }

    /// The part and the whole.
    pub fn parts(self) -> (i128, i128) {
        (self.part, self.whole)
    }

    /// The part of an amount of money, rounded to so many decimal places (six at most); `None` if it does
    /// not fit.
    pub fn of_money(self, money: Money, places: u32, rounding: Rounding) -> Option<Money> {
        let amount = self.scaled(i128::from(money.amount), places, rounding)?;
        Some(Money { amount: i64::try_from(amount).ok()?, currency: money.currency })
    }

    /// The part of a quantity, rounded to so many decimal places (six at most); `None` if it does not fit.
    pub fn of_quantity(
        self,
        quantity: Quantity,
        places: u32,
        rounding: Rounding,
    ) -> Option<Quantity> {
        Quantity::from_sum(self.scaled(i128::from(quantity.0), places, rounding)?)
    }

    /// The share times a factor; `None` if it does not fit.
    pub fn times(self, factor: Ratio) -> Option<Self> {
        let part = self.part.checked_mul(i128::from(factor.numerator()))?;
        Self::new(part, self.whole.checked_mul(i128::from(factor.denominator()))?)
    }

    fn scaled(self, millionths: i128, places: u32, rounding: Rounding) -> Option<i128> {
        let step = 10_i128.pow(6_u32.saturating_sub(places));
        let part = millionths.checked_mul(self.part)?;
        let steps = divide(part, self.whole.checked_mul(step)?, rounding);
        steps.checked_mul(step)
    }
}

/// The local days of a span: a day belongs to the span that holds at its end.
pub fn days(span: Span, zone: &Zone) -> i64 {
    let (start, end) = dates(span, zone);
    i64::from((end - start).get_days())
}

/// The local days on which a span holds at any time: one that begins and ends on a day has one.
pub fn days_touched(span: Span, zone: &Zone) -> i64 {
    if span.is_empty() {
        return 0;
    }
    days(Span::new(span.start, span.end.plus_us(-1)), zone) + 1
}

fn dates(span: Span, zone: &Zone) -> (Date, Date) {
    let end = span.end.max(span.start);
    (zone.local(span.start).date(), zone.local(end).date())
}

impl DayCount {
    /// Every way to count, in the order of [`DayCount::code`].
    pub const ALL: [Self; 4] =
        [Self::ActualInPeriod, Self::Actual365, Self::Months12, Self::Seconds];

    /// Its stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::ActualInPeriod => 0,
            Self::Actual365 => 1,
            Self::Months12 => 2,
            Self::Seconds => 3,
        }
    }

    /// The one of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Its name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::ActualInPeriod => "actual_in_period",
            Self::Actual365 => "actual_365",
            Self::Months12 => "months_12",
            Self::Seconds => "seconds",
        }
    }

    /// The share that a part has in a period; what lies outside of the period does not count.
    ///
    /// `None` if the period is empty.
    pub fn share(self, part: Span, period: Span, zone: &Zone) -> Option<Share> {
        self.ratio(part.intersect(period), period, zone)
    }

    /// How long one span is, in shares of another one; the first may be longer.
    ///
    /// `None` if the other one is empty.
    pub fn ratio(self, part: Span, whole: Span, zone: &Zone) -> Option<Share> {
        let part = if part.is_empty() { Span::new(whole.start, whole.start) } else { part };
        match self {
            Self::ActualInPeriod => Share::new(days(part, zone).into(), days(whole, zone).into()),
            Self::Actual365 => Share::new(days(part, zone).into(), 365),
            Self::Months12 => Share::new(months(part, zone), 12),
            Self::Seconds => Share::new(part.length_us(), whole.length_us()),
        }
    }
}

/// The whole months of a span: those after which the local day of the month is reached again.
fn months(span: Span, zone: &Zone) -> i128 {
    let (start, end) = dates(span, zone);
    let apart = (i128::from(end.year()) - i128::from(start.year())) * 12 + i128::from(end.month())
        - i128::from(start.month());
    let last_of_month = end.day() == end.days_in_month();
    apart - i128::from(end.day() < start.day() && !last_of_month)
}

/// The first instant after a trial of so many local days.
///
/// What is added to a bundle has the bundle's trial: it ends when that of the bundle's beginning does.
pub fn trial_end(own: Timestamp, bundle: Option<Timestamp>, days: i64, zone: &Zone) -> Timestamp {
    let begins = bundle.map_or(own, |at| at.min(own));
    let step = jiff::Span::new().try_days(days);
    let ends = step.and_then(|step| zone.local(begins).checked_add(step));
    ends.map_or(Timestamp::LATEST, |local| zone.instant(local))
}

#[cfg(test)]
mod tests;
