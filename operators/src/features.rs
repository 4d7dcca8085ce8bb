//! Features that one may use or not: a right of any quantity entitles.
//!
//! demand(f, a, t) = 1 while anyone uses f for account a, where the lines or the policy count f by the
//!                   metric `feature`
//!
//! What is not entitled is missing as a whole, however many use it.
//!
//! Work per change: the uses of the changed feature.

use crate::Facts;
use crate::attribute::{Rule, Use};
use trueup_model::hash::mix;
use trueup_model::id::ProductId;
use trueup_model::metric::Metric;
use trueup_model::quantity::{Capacity, Quantity};

/// The demand for features that checkouts make.
pub fn features<'s>(uses: Facts<'s, Use>, rules: Facts<'s, (ProductId, Rule)>) -> Facts<'s, Use> {
    let feature = Metric::Feature;
    let counted = rules.filter(move |(_, rule)| {
        rule.settings.metrics.contains(feature) || rule.licensed.contains(feature)
    });
    uses.filter(|one| one.metric == Metric::Concurrent)
        .map(|one| (one.product, one))
        .semijoin(counted.map(|(product, _)| product))
        .map(move |(_, one)| Use {
            metric: feature,
            group: Some(mix(&[one.product.0, one.account.0, u64::from(feature.code())])),
            units: Quantity::ONE,
            ..one
        })
}

/// What a line of a feature grants: all of it, or nothing.
pub(crate) fn granted(capacity: Capacity) -> Capacity {
    match capacity {
        Capacity::Limited(limit) if limit > Quantity::ZERO => Capacity::Unlimited,
        Capacity::Limited(_) => Capacity::Limited(Quantity::ZERO),
        Capacity::Unlimited | Capacity::Unknown => capacity,
    }
}
