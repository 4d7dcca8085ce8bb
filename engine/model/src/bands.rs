//! Bands of a count: what units of a resource are worth in value units (semantics A 2.7).
//!
//! value(n) = Σ over bands (lo, hi] of (min(n, hi) − lo) · value / per, rounded once at the end
//!
//! The unit at a boundary belongs to the lower band; the last band is open.

use crate::processors::Weight;
use crate::quantity::{Quantity, Rounding, divide};
use serde::{Deserialize, Serialize};

/// A band of a table, after the band before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Band {
    /// The greatest count inside; none for the last band.
    pub up_to: Option<Quantity>,
    /// What a unit in it is worth.
    pub weight: Weight,
}

/// What a count in millionths is worth in millionths, rounded as told to whole units.
///
/// Held at the greatest number where tables are absurd.
///
/// Bands stand in the order of their ends; what lies above the last one that ends is worth what the
/// last band says.
pub fn value(bands: &[Band], count: i128, rounding: Rounding) -> i128 {
    // One denominator for all bands, so that nothing is rounded in between.
    let mut common: i128 = 1;
    for band in bands {
        common = least_common_multiple(common, i128::from(band.weight.per.0));
    }
    let mut sum: i128 = 0;
    let mut low: i128 = 0;
    for (index, band) in bands.iter().enumerate() {
        let last = index + 1 == bands.len();
        let high = band.up_to.filter(|_| !last).map_or(count, |end| i128::from(end.0).min(count));
        if high > low {
            let share = common / i128::from(band.weight.per.0);
            let weight = i128::from(band.weight.value.0).saturating_mul(share);
            sum = sum.saturating_add((high - low).saturating_mul(weight));
            low = high;
        }
    }
    let unit = i128::from(Quantity::ONE.0);
    divide(sum, common.saturating_mul(unit), rounding).saturating_mul(unit)
}

/// The smallest number that both divide, held at the greatest that is held.
pub fn least_common_multiple(a: i128, b: i128) -> i128 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x.max(1)).saturating_mul(b)
}

#[cfg(test)]
mod tests {
    use super::{Band, value};
    use crate::processors::Weight;
    use crate::quantity::{Quantity, Rounding};

    fn table(rows: &[(Option<i64>, i64)]) -> Vec<Band> {
        let row = |(up_to, percent): &(Option<i64>, i64)| Band {
            up_to: up_to.map(Quantity::units),
            weight: Weight { value: Quantity(percent * 10_000), per: Quantity::ONE },
        };
        rows.iter().map(row).collect()
    }

    fn units(bands: &[Band], count: i64, rounding: Rounding) -> i128 {
        value(bands, i128::from(count) * 1_000_000, rounding) / 1_000_000
    }

    #[test]
    fn rvu_1() {
        let rows = [
            (Some(2_500), 100),
            (Some(10_000), 80),
            (Some(50_000), 60),
            (Some(150_000), 40),
            (None, 20),
        ];
        assert_eq!(units(&table(&rows), 150_000, Rounding::Ceil), 72_500);
        assert_eq!(units(&table(&rows), 2_500, Rounding::Ceil), 2_500);
        assert_eq!(units(&table(&rows), 2_501, Rounding::Ceil), 2_501);
        assert_eq!(units(&table(&rows), 150_005, Rounding::Ceil), 72_501);
    }

    #[test]
    fn auvu_1_is_rounded_once() {
        let rows = [(Some(20), 100), (Some(50), 83), (None, 80)];
        assert_eq!(units(&table(&rows), 150, Rounding::Ceil), 125);
        assert_eq!(units(&table(&rows), 150, Rounding::Floor), 124);
    }

    #[test]
    fn euvu_1_and_xuvu_1() {
        let employees = [(Some(2_500), 100), (Some(5_000), 80), (Some(10_000), 70), (None, 65)];
        assert_eq!(units(&table(&employees), 11_000, Rounding::Ceil), 8_650);
        let mut external = table(&[(Some(10_000), 100), (None, 0)]);
        external[1].weight.value = Quantity(875_000);
        assert_eq!(units(&external, 15_000, Rounding::Ceil), 14_375);
    }
}
