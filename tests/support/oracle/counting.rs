//! In which units use counts: pools and weights, bands, whole units (2.4, 2.5, 2.7).

use super::inventory::Hardware;
use super::levels::counts_at_instants;
use super::spans::{bounds, pieces};
use super::uses::{Use, of_feature};
use super::{Key, Rule};
use std::collections::BTreeMap;
use trueup_model::factor::FactorKind;
use trueup_model::id::ProductId;
use trueup_model::metric::Metric;
use trueup_model::quantity::{Quantity, Rounding};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::rules::WholeUnits;

/// A ratio.
pub(super) type Ratio = (i128, i128);

/// Uses under the metrics by which they need rights, in the pools that they are drawn from.
pub(super) fn demanded(
    uses: &[Use],
    rules: &BTreeMap<ProductId, Rule>,
    hardware: &Hardware,
) -> Vec<Use> {
    let mut found = Vec::new();
    for one in uses {
        let rows = hardware.factors(FactorKind::Weight).filter_map(|(factor, span)| {
            let of = factor.product.map(ProductId::from) == Some(one.product);
            let weight = (i128::from(factor.value.0), i128::from(factor.per.0));
            let usable = of && weight.0 >= 0 && weight.1 > 0;
            Some((*span, ProductId::from(factor.pool.filter(|_| usable)?), weight))
        });
        let rows: Vec<(Span, ProductId, Ratio)> = rows.collect();
        let cuts = pieces(bounds(rows.iter().map(|row| row.0)));
        for piece in cuts.into_iter().filter_map(|piece| piece.overlap(one.span)) {
            let mut pools: BTreeMap<ProductId, Ratio> = BTreeMap::new();
            for (_, pool, weight) in rows.iter().filter(|row| row.0.contains(piece.start)) {
                let held = pools.entry(*pool).or_insert(*weight);
                if weight.0 * held.1 > held.0 * weight.1 {
                    *held = *weight;
                }
            }
            let weighed = !pools.is_empty();
            if !weighed {
                pools.insert(one.product, (1, 1));
            }
            for (pool, weight) in pools {
                let Some(rule) = rules.get(&pool) else { continue };
                for metric in metrics(rule, one.metric, weighed) {
                    found.push(Use { product: pool, metric, weight, span: piece, ..*one });
                }
                if !weighed && one.metric == Metric::Concurrent && rule.counts(Metric::Feature) {
                    found.push(Use { span: piece, ..of_feature(*one) });
                }
            }
        }
    }
    found
}

/// The metrics under which use needs rights.
fn metrics(rule: &Rule, natural: Metric, weighed: bool) -> Vec<Metric> {
    let own = if weighed && natural == Metric::Concurrent { Metric::Token } else { natural };
    let mut metrics = Vec::new();
    if rule.demands(own) && counts_at_instants(own, rule) {
        metrics.push(own);
    }
    if rule.counts(Metric::ResourceValue) && rule.settings.resource == natural {
        metrics.push(Metric::ResourceValue);
    }
    metrics
}

/// How use of a product becomes demand.
pub(super) struct Conversion {
    bands: Vec<(Span, Option<Quantity>, Ratio)>,
    round: Option<WholeUnits>,
}

impl Conversion {
    pub(super) fn new(key: Key, rule: &Rule, hardware: &Hardware) -> Self {
        let mut bands = Vec::new();
        for (factor, span) in hardware.factors(FactorKind::Band) {
            let of = factor.product.map(ProductId::from) == Some(key.product);
            let ratio = (i128::from(factor.value.0), i128::from(factor.per.0));
            if of && key.metric == Metric::ResourceValue && ratio.0 >= 0 && ratio.1 > 0 {
                bands.push((*span, factor.up_to, ratio));
            }
        }
        Self { bands, round: rule.settings.round }
    }

    pub(super) fn cuts(&self) -> Vec<Timestamp> {
        bounds(self.bands.iter().map(|band| band.0))
    }

    /// What uses come to at an instant: each with its units.
    pub(super) fn of(&self, uses: &[(Use, Quantity)], at: Timestamp) -> i128 {
        let used: Vec<_> = uses.iter().filter(|(one, _)| !one.least).copied().collect();
        let least: Vec<_> = uses.iter().filter(|(one, _)| one.least).copied().collect();
        let count = self.sum(&used).max(self.sum(&least));
        let mut bands: Vec<_> = self.bands.iter().filter(|band| band.0.contains(at)).collect();
        if bands.is_empty() {
            let whole = self.round.filter(|round| !round.parts);
            return whole.map_or(count, |round| rounded(count, 1, round.rounding));
        }
        bands.sort_by_key(|(_, up_to, ratio)| (up_to.is_none(), *up_to, *ratio));
        let rounding = self.round.map_or(Rounding::Ceil, |round| round.rounding);
        let common: i128 = bands.iter().map(|(_, _, ratio)| ratio.1).fold(1, lcm);
        let (mut low, mut worth) = (0, 0);
        for (index, (_, up_to, ratio)) in bands.iter().enumerate() {
            let last = index + 1 == bands.len();
            let high = match up_to {
                Some(end) if !last => i128::from(end.0).min(count),
                _ => count,
            };
            if high > low {
                worth += (high - low) * ratio.0 * (common / ratio.1);
                low = high;
            }
        }
        rounded(worth, common, rounding)
    }

    /// The weighed sum in millionths.
    fn sum(&self, uses: &[(Use, Quantity)]) -> i128 {
        let mut parts: BTreeMap<ProductId, Vec<(i128, Ratio)>> = BTreeMap::new();
        for (one, units) in uses {
            parts.entry(one.part).or_default().push((i128::from(units.0), one.weight));
        }
        let fraction = |rows: &[(i128, Ratio)]| {
            let common = rows.iter().map(|(_, ratio)| ratio.1).fold(1, lcm);
            let sum = rows.iter().map(|(units, ratio)| units * ratio.0 * (common / ratio.1)).sum();
            (sum, common)
        };
        if let Some(round) = self.round.filter(|round| round.parts) {
            let part = |rows: &Vec<(i128, Ratio)>| {
                let (sum, common): (i128, i128) = fraction(rows);
                rounded(sum, common, round.rounding)
            };
            return parts.values().map(part).sum();
        }
        let all: Vec<(i128, Ratio)> = parts.into_values().flatten().collect();
        let (sum, common) = fraction(&all);
        half_even(sum, common)
    }
}

pub(super) fn lcm(a: i128, b: i128) -> i128 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

/// `millionths / divisor` in whole units, as millionths.
fn rounded(millionths: i128, divisor: i128, rounding: Rounding) -> i128 {
    let divisor = divisor * 1_000_000;
    let (whole, rest) = (millionths.div_euclid(divisor), millionths.rem_euclid(divisor));
    let up = match rounding {
        Rounding::Floor => false,
        Rounding::Ceil => rest > 0,
        Rounding::HalfUp => 2 * rest >= divisor,
        Rounding::HalfEven => 2 * rest > divisor || (2 * rest == divisor && whole % 2 != 0),
    };
    (whole + i128::from(up)) * 1_000_000
}

/// A quotient to the nearest whole number, a half to the even one.
pub(super) fn half_even(dividend: i128, divisor: i128) -> i128 {
    let (whole, rest) = (dividend.div_euclid(divisor), dividend.rem_euclid(divisor));
    whole + i128::from(2 * rest > divisor || (2 * rest == divisor && whole % 2 != 0))
}
