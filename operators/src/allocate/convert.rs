//! Conversion at a node: what is used below it, in the units in which its rights are granted.
//!
//! converted(n, t) = whole( bands_t( max( Σ_parts whole?(units(part, t) · weight), Σ least(t) ) ) )
//!
//! A part is a product that weighs in a pool; its sum is rounded by itself if the rule says so, or else
//! only the whole. Bands apply to what is used below the node with lines, not to each account.
//!
//! Work per change: the instants at which the node's use changes.

use crate::grouping::Holds;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::bands::{Band, least_common_multiple, value};
use trueup_model::id::{AccountId, ProductId};
use trueup_model::processors::Weight;
use trueup_model::quantity::{Quantity, Rounding, divide};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::rules::WholeUnits;

/// What use is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub(super) least: bool,
    pub(super) product: ProductId,
    pub(super) weight: Weight,
}

impl Holds for (AccountId, Part) {
    fn weight(&self) -> Weight {
        self.1.weight
    }
}

/// How a product's use is converted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conversion {
    pub(super) bands: Vec<(Span, Band)>,
    pub(super) round: Option<WholeUnits>,
}

impl Conversion {
    /// Whether it leaves everything as it is.
    pub(super) fn is_none(&self) -> bool {
        self.bands.is_empty() && self.round.is_none()
    }

    /// The bands in force at an instant, in the order of their ends.
    fn bands_at(&self, at: Timestamp) -> Vec<Band> {
        let held = self.bands.iter().filter(|(span, _)| span.contains(at)).map(|(_, band)| *band);
        let mut bands: Vec<Band> = held.collect();
        bands.sort_unstable_by_key(|band| (band.up_to.is_none(), band.up_to, band.weight));
        bands
    }

    /// What the sums of parts come to at an instant.
    fn of(&self, parts: &BTreeMap<Part, i128>, at: Timestamp) -> i128 {
        let used = self.sum(parts.iter().filter(|(part, _)| !part.least));
        let least = self.sum(parts.iter().filter(|(part, _)| part.least));
        let count = used.max(least);
        let bands = self.bands_at(at);
        let rounding = self.round.map(|round| round.rounding);
        if bands.is_empty() {
            return match self.round.filter(|round| !round.parts) {
                Some(round) => whole(count, 1, round.rounding),
                None => count,
            };
        }
        value(&bands, count, rounding.unwrap_or(Rounding::Ceil))
    }

    /// The sum of parts in millionths: rounded to whole units part by part, or once to millionths.
    fn sum<'p>(&self, parts: impl Iterator<Item = (&'p Part, &'p i128)>) -> i128 {
        let mut by_weight: BTreeMap<(ProductId, Weight), i128> = BTreeMap::new();
        for (part, units) in parts {
            *by_weight.entry((part.product, part.weight)).or_default() += *units;
        }
        if let Some(round) = self.round.filter(|round| round.parts) {
            let mut by_product: BTreeMap<ProductId, Vec<(Weight, i128)>> = BTreeMap::new();
            for ((product, weight), units) in by_weight {
                by_product.entry(product).or_default().push((weight, units));
            }
            let part = |rows: &Vec<(Weight, i128)>| {
                let (sum, common) = fraction(rows.iter().copied());
                whole(sum, common, round.rounding)
            };
            return by_product.values().map(part).fold(0, i128::saturating_add);
        }
        let (sum, common) = fraction(by_weight.iter().map(|((_, weight), n)| (*weight, *n)));
        divide(sum, common, Rounding::HalfEven)
    }
}

/// The sum of weighed amounts as one fraction.
fn fraction(rows: impl Iterator<Item = (Weight, i128)> + Clone) -> (i128, i128) {
    let pers = rows.clone().map(|(weight, _)| i128::from(weight.per.0));
    let common = pers.fold(1, least_common_multiple);
    let parts = rows.map(|(weight, units)| {
        let share = common / i128::from(weight.per.0);
        units.saturating_mul(i128::from(weight.value.0).saturating_mul(share))
    });
    (parts.fold(0, i128::saturating_add), common)
}

/// `millionths / per`, in whole units.
fn whole(millionths: i128, per: i128, rounding: Rounding) -> i128 {
    let unit = i128::from(Quantity::ONE.0);
    divide(millionths, per.saturating_mul(unit), rounding).saturating_mul(unit)
}

/// What is used below a node, by part, and what was made of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Raw {
    changes: BTreeMap<Timestamp, BTreeMap<Part, i128>>,
    given: BTreeMap<Timestamp, i128>,
}

impl Raw {
    pub(super) fn add(&mut self, part: Part, span: Span, millionths: i128) {
        for (at, change) in [(span.start, millionths), (span.end, -millionths)] {
            let parts = self.changes.entry(at).or_default();
            let sum = parts.entry(part).or_default();
            *sum += change;
            if *sum == 0 {
                parts.remove(&part);
            }
            if parts.is_empty() {
                self.changes.remove(&at);
            }
        }
    }

    /// How the converted demand changes since it was asked for last.
    pub(super) fn convert(&mut self, conversion: &Conversion) -> BTreeMap<Timestamp, i128> {
        let mut instants: BTreeSet<Timestamp> = self.changes.keys().copied().collect();
        if !instants.is_empty() {
            let bounds = conversion.bands.iter().flat_map(|(span, _)| [span.start, span.end]);
            instants.extend(bounds);
        }
        let mut sums: BTreeMap<Part, i128> = BTreeMap::new();
        let mut now: BTreeMap<Timestamp, i128> = BTreeMap::new();
        let mut before = 0;
        for at in instants {
            for (part, change) in self.changes.get(&at).into_iter().flatten() {
                *sums.entry(*part).or_default() += change;
            }
            sums.retain(|_, sum| *sum != 0);
            // Tables that are absurd give the greatest quantity, and no more.
            let limit = i128::from(i64::MAX);
            let level = if sums.is_empty() { 0 } else { conversion.of(&sums, at) };
            let level = level.clamp(-limit, limit);
            if level != before {
                now.insert(at, level - before);
            }
            before = level;
        }
        let mut changed = now.clone();
        for (at, change) in std::mem::replace(&mut self.given, now) {
            *changed.entry(at).or_default() -= change;
        }
        changed.retain(|_, change| *change != 0);
        changed
    }
}
