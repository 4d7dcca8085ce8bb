//! How long things took, counted by length.
//!
//! Lengths are whole microseconds and are kept to two digits, rounded up: 1,234 counts as 1,300. So a quantile
//! is at most a tenth too long, never too short, and how many were up to 2 ms is exact.

use std::collections::{BTreeMap, VecDeque};

/// How long is recent, in minutes.
pub const RECENT_MINUTES: u64 = 5;
/// A minute, in microseconds.
const MINUTE_US: u64 = 60_000_000;

/// Lengths of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// How many there are of each length.
    counts: BTreeMap<u64, u64>,
    count: u64,
    sum_us: u64,
    max_us: u64,
}

/// A length to two digits, rounded up.
fn rounded(us: u64) -> u64 {
    let mut unit = 1;
    while us.div_ceil(unit) >= 100 {
        unit *= 10;
    }
    us.div_ceil(unit).saturating_mul(unit)
}

impl Times {
    /// Counts one, in microseconds.
    pub fn record(&mut self, us: u64) {
        *self.counts.entry(rounded(us)).or_default() += 1;
        self.count += 1;
        self.sum_us = self.sum_us.saturating_add(us);
        self.max_us = self.max_us.max(us);
    }

    /// Counts those of others too.
    fn add(&mut self, others: &Self) {
        for (us, count) in &others.counts {
            *self.counts.entry(*us).or_default() += count;
        }
        self.count += others.count;
        self.sum_us = self.sum_us.saturating_add(others.sum_us);
        self.max_us = self.max_us.max(others.max_us);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How long all of them are together, in microseconds.
    pub fn sum_us(&self) -> u64 {
        self.sum_us
    }

    /// The longest, in microseconds; 0 if there is none.
    pub fn max_us(&self) -> u64 {
        self.max_us
    }

    /// The length that so many of a thousand do not exceed, in microseconds; 0 if there is none.
    pub fn quantile_us(&self, per_mille: u64) -> u64 {
        let rank = self.count.saturating_mul(per_mille).div_ceil(1000).max(1);
        let mut before = 0;
        for (us, count) in &self.counts {
            before += count;
            if before >= rank {
                return self.max_us.min(*us);
            }
        }
        self.max_us
    }

    /// How many are not longer than this; exact for a bound of two digits and zeros.
    pub fn up_to(&self, bound_us: u64) -> u64 {
        self.counts.range(..=bound_us).map(|(_, count)| count).sum()
    }
}

/// Lengths since the start, and those of the last minutes.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// All of them.
    pub(super) all: Times,
    /// Those of each of the last minutes, by its number.
    minutes: VecDeque<(u64, Times)>,
}

impl Kept {
    /// Counts one that ends now.
    pub(super) fn record(&mut self, now_us: u64, us: u64) {
        let minute = now_us / MINUTE_US;
        self.all.record(us);
        while self.minutes.pop_front_if(|(old, _)| *old + RECENT_MINUTES <= minute).is_some() {}
        match self.minutes.back_mut() {
            Some((last, times)) if *last == minute => times.record(us),
            Some(_) | None => {
                let mut times = Times::default();
                times.record(us);
                self.minutes.push_back((minute, times));
            }
        }
    }

    /// Those of the running minute and the four before it.
    pub(super) fn recent(&self, now_us: u64) -> Times {
        let minute = now_us / MINUTE_US;
        let mut recent = Times::default();
        for (_, times) in self.minutes.iter().filter(|(old, _)| *old + RECENT_MINUTES > minute) {
            recent.add(times);
        }
        recent
    }
}

#[cfg(test)]
mod tests {
    use super::{Kept, MINUTE_US, Times, rounded};

    #[test]
    fn a_length_is_kept_to_two_digits_and_never_shortened() {
        for (us, kept) in
            [(0, 0), (7, 7), (99, 99), (100, 100), (101, 110), (991, 1000), (1234, 1300)]
        {
            assert_eq!(rounded(us), kept, "{us}");
        }
        assert_eq!(rounded(u64::MAX), u64::MAX, "the longest there is");
    }

    #[test]
    fn quantiles_are_those_of_the_ranks() {
        let mut times = Times::default();
        assert_eq!((times.quantile_us(500), times.max_us(), times.count()), (0, 0, 0));
        // 1 to 100 milliseconds: of a hundred, the fiftieth is 50 ms, the ninetieth 90 ms.
        (1..=100).for_each(|ms| times.record(ms * 1000));
        let at = [500, 900, 990, 1000].map(|per_mille| times.quantile_us(per_mille));
        assert_eq!(at, [50_000, 90_000, 99_000, 100_000]);
        assert_eq!((times.count(), times.sum_us(), times.max_us()), (100, 5_050_000, 100_000));
        assert_eq!([0, 1000, 20_000, 1_000_000].map(|us| times.up_to(us)), [0, 1, 20, 100]);
        times.record(123_456);
        assert_eq!(times.quantile_us(1000), 123_456, "not more than the longest");
    }

    #[test]
    fn only_the_last_five_minutes_are_recent() {
        let mut kept = Kept::default();
        for minute in 0..7 {
            kept.record(minute * MINUTE_US, minute + 1);
        }
        // Minutes 2 to 6 hold 3 to 7.
        let recent = kept.recent(6 * MINUTE_US + 59_999_999);
        assert_eq!((recent.count(), recent.sum_us(), recent.max_us()), (5, 25, 7));
        assert_eq!(kept.recent(10 * MINUTE_US).sum_us(), 7);
        assert_eq!(kept.recent(11 * MINUTE_US).count(), 0);
        assert_eq!(kept.all.count(), 7);
    }
}
