//! Positions as rows.

use super::confidence::Confidence;
use super::{Words, capacity, instant, short_id, unit_seconds};
use crate::filter::Filter;
use serde::{Deserialize, Serialize};
use trueup_model::calendar::PeriodUnit;
use trueup_model::hash::hash64;
use trueup_model::position::{LicensePosition, PositionKey};
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;
use trueup_runtime::view::Node;

/// A license position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PositionRow {
    /// A short stable name, for `explain`.
    pub(crate) id: String,
    /// The tenant.
    pub(crate) tenant: String,
    /// The account node.
    pub(crate) account: String,
    /// The product.
    pub(crate) product: String,
    /// How use is counted.
    pub(crate) metric: String,
    /// The period's label.
    pub(crate) period: String,
    /// The first instant of the period; absent for all of time.
    pub(crate) period_start: Option<String>,
    /// The first instant after the period; absent for all of time.
    pub(crate) period_end: Option<String>,
    /// Whether the period's figures still grow.
    pub(crate) current: bool,
    /// Whether all of the period was heard.
    pub(crate) confidence: Confidence,
    /// In words.
    pub(crate) state: String,
    /// What vouches for the entitled quantity.
    pub(crate) basis: Option<String>,
    /// Entitled at the end of the period or at the horizon.
    pub(crate) entitled: String,
    /// What of it higher products lend; negative for what lower ones were lent instead.
    pub(crate) lent: String,
    /// Tolerated above.
    pub(crate) overdraft: String,
    /// Demand at the end of the period or at the horizon.
    pub(crate) demand: String,
    /// The greatest demand at one instant, or the period's total.
    pub(crate) peak: String,
    /// The first instant of the greatest demand.
    pub(crate) peak_at: Option<String>,
    /// Demand over time, in units times seconds.
    pub(crate) unit_seconds: String,
    /// The greatest demand that no line covers.
    pub(crate) shortfall: String,
    /// Its first instant.
    pub(crate) shortfall_at: Option<String>,
    /// The first instant of any shortfall.
    pub(crate) shortfall_first: Option<String>,
    /// The end of the last shortfall; absent if there is none or it lasts.
    pub(crate) shortfall_last: Option<String>,
    /// Shortfall at the end of the period or at the horizon.
    pub(crate) shortfall_now: String,
    /// Shortfall over time, in units times seconds.
    pub(crate) shortfall_unit_seconds: String,
    /// The greatest shortfall beyond the overdraft.
    pub(crate) beyond_overdraft: String,
    /// The greatest demand that lines of an account above had to cover.
    pub(crate) passed_up: String,
    /// Entitled and not needed at the peak.
    pub(crate) surplus: String,
    /// What one unit cost.
    pub(crate) unit_price: Option<String>,
}

/// The levels of a position at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LevelRow {
    /// The tenant.
    pub(crate) tenant: String,
    /// The account node.
    pub(crate) account: String,
    /// The product.
    pub(crate) product: String,
    /// How use is counted.
    pub(crate) metric: String,
    /// The instant.
    pub(crate) at: String,
    /// Entitled.
    pub(crate) entitled: String,
    /// Tolerated above.
    pub(crate) overdraft: String,
    /// Used.
    pub(crate) used: String,
    /// Used above the entitled quantity.
    pub(crate) over_entitlement: String,
    /// Used above the entitled quantity and the overdraft.
    pub(crate) over_overdraft: String,
}

/// The name of a position.
pub(crate) fn position_id(key: &PositionKey) -> String {
    let hash = hash64(&[
        b"position",
        &key.tenant.0.to_le_bytes(),
        &key.account.0.to_le_bytes(),
        &key.product.0.to_le_bytes(),
        &[key.metric.code()],
        &key.period.span.start.0.to_le_bytes(),
        &key.period.span.end.0.to_le_bytes(),
    ]);
    short_id('P', hash)
}

/// The positions that a filter asks for, the most urgent first.
pub(crate) fn positions(words: &Words<'_>, filter: &Filter) -> Vec<PositionRow> {
    let mut found: Vec<(&LicensePosition, PositionRow)> = words
        .views
        .positions
        .values()
        .filter(|position| {
            // All of time is asked for by name; it repeats what its periods say.
            position.key.period.unit != PeriodUnit::All || filter.period.is_some()
        })
        .map(|position| (position, position_row(words, position)))
        .filter(|(position, row)| {
            let current = position.current && position.key.period.unit != PeriodUnit::All;
            Filter::matches(filter.tenant.as_deref(), &row.tenant)
                && Filter::matches(filter.account.as_deref(), &row.account)
                && Filter::matches(filter.product.as_deref(), &row.product)
                && Filter::matches(filter.metric.as_deref(), &row.metric)
                && Filter::matches(filter.kind.as_deref(), &row.state)
                && filter.matches_period(&row.period, current)
        })
        .collect();
    found.sort_by(|(one, left), (other, right)| {
        let order = other.state.cmp(&one.state).then(other.shortfall.cmp(&one.shortfall));
        order
            .then_with(|| left.product.cmp(&right.product))
            .then_with(|| left.account.cmp(&right.account))
            .then_with(|| left.metric.cmp(&right.metric))
            .then_with(|| one.key.period.cmp(&other.key.period))
    });
    found.into_iter().map(|(_, row)| row).collect()
}

/// A position in words.
pub(crate) fn position_row(words: &Words<'_>, position: &LicensePosition) -> PositionRow {
    let key = &position.key;
    let short = position.shortfall != Quantity::ZERO;
    let peak_at = (position.peak != Quantity::ZERO).then(|| instant(position.peak_at)).flatten();
    PositionRow {
        id: position_id(key),
        tenant: words.names.tenant(key.tenant),
        account: words.name(key.account),
        product: words.name(key.product),
        metric: key.metric.name().to_owned(),
        period: words.period(key.account, key.period),
        period_start: instant(key.period.span.start),
        period_end: instant(key.period.span.end),
        current: position.current,
        confidence: words.confidence(position).0,
        state: position.state.name().to_owned(),
        basis: position.basis.map(|basis| basis.name().to_owned()),
        entitled: capacity(position.entitled),
        lent: position.lent.to_string(),
        overdraft: position.overdraft.to_string(),
        demand: position.demand.to_string(),
        peak: position.peak.to_string(),
        peak_at,
        unit_seconds: unit_seconds(position.demand_unit_us),
        shortfall: position.shortfall.to_string(),
        shortfall_at: short.then(|| instant(position.shortfall_at)).flatten(),
        shortfall_first: short.then(|| instant(position.shortfall_first)).flatten(),
        shortfall_last: short.then(|| instant(position.shortfall_last)).flatten(),
        shortfall_now: position.shortfall_now.to_string(),
        shortfall_unit_seconds: unit_seconds(position.shortfall_unit_us),
        beyond_overdraft: position.beyond_overdraft.to_string(),
        passed_up: position.passed_up.to_string(),
        surplus: position.surplus.to_string(),
        unit_price: position.unit_price.map(|price| price.to_string()),
    }
}

/// The levels that a filter asks for, at an instant.
pub(crate) fn levels(words: &Words<'_>, filter: &Filter, at: Timestamp) -> Vec<LevelRow> {
    let nodes = words.views.steps.keys();
    let rows = nodes.map(|node| level_row(words, node, at)).filter(|row| {
        Filter::matches(filter.tenant.as_deref(), &row.tenant)
            && Filter::matches(filter.account.as_deref(), &row.account)
            && Filter::matches(filter.product.as_deref(), &row.product)
            && Filter::matches(filter.metric.as_deref(), &row.metric)
    });
    let mut found: Vec<LevelRow> = rows.collect();
    found.sort_by(|one, other| (&one.product, &one.account).cmp(&(&other.product, &other.account)));
    found
}

fn level_row(words: &Words<'_>, node: &Node, at: Timestamp) -> LevelRow {
    let levels = words.views.levels_at(node, at);
    let over = |more: i64| match levels.entitled {
        trueup_model::quantity::Capacity::Limited(limit) => {
            Quantity((levels.demand.0 - limit.0 - more).max(0))
        }
        trueup_model::quantity::Capacity::Unlimited | trueup_model::quantity::Capacity::Unknown => {
            Quantity::ZERO
        }
    };
    LevelRow {
        tenant: words.names.tenant(node.tenant),
        account: words.name(node.account),
        product: words.name(node.product),
        metric: node.metric.name().to_owned(),
        at: at.to_string(),
        entitled: capacity(levels.entitled),
        overdraft: levels.overdraft.to_string(),
        used: levels.demand.to_string(),
        over_entitlement: over(0).to_string(),
        over_overdraft: over(levels.overdraft.0).to_string(),
    }
}
