//! Zipf's distribution with exponent one, by whole numbers: the k-th rank is drawn 1/k as often as the
//! first.

use crate::random::Random;

/// What the first rank weighs.
const FIRST: u64 = 1 << 32;

/// A distribution over ranks from 0.
#[derive(Clone, Debug)]
pub(crate) struct Zipf {
    /// The weight of each rank and all before it.
    until: Vec<u64>,
}

impl Zipf {
    /// Ranks from 0 up to, not including, this many.
    pub(crate) fn over(ranks: u32) -> Self {
        let mut sum = 0;
        let weights = (1..=u64::from(ranks)).map(|rank| FIRST / rank);
        let until = weights.map(|weight| {
            sum += weight;
            sum
        });
        Self { until: until.collect() }
    }

    /// A rank; 0 if there are none.
    pub(crate) fn draw(&self, random: &mut Random) -> u32 {
        let most = self.until.last().copied().unwrap_or_default();
        let at = random.below(most);
        u32::try_from(self.until.partition_point(|until| *until <= at)).unwrap_or(0)
    }
}
