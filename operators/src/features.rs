//! Features that one may use or not: a right of any quantity entitles.
//!
//! demand(f, a, t) = 1 while anyone uses f for account a, where the lines or the policy count f by the
//!                   metric `feature`
//!
//! What is not entitled is missing as a whole, however many use it.
//!
//! Work per change: the use.

use crate::attribute::{Rule, Use};
use trueup_model::hash::mix;
use trueup_model::metric::Metric;
use trueup_model::quantity::{Capacity, Quantity};

/// The demand for a feature that a checkout makes, if its product is counted as one.
pub(crate) fn needed(one: &Use, rule: &Rule) -> Option<Use> {
    let metric = Metric::Feature;
    let counts = rule.settings.metrics.contains(metric) || rule.licensed.contains(metric);
    (counts && one.metric == Metric::Concurrent).then(|| Use {
        metric,
        group: Some(mix(&[one.product.0, one.account.0, u64::from(metric.code())])),
        units: Quantity::ONE,
        ..*one
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
