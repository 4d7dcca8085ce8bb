//! Totals over the trees as rows, in the order of the account tree.

use super::{Words, instant, unit_seconds};
use crate::filter::Filter;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::calendar::PeriodUnit;
use trueup_model::id::{AccountId, TenantId};
use trueup_model::position::Rollup;

/// Total use at a node of both trees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RollupRow {
    /// The tenant.
    pub(crate) tenant: String,
    /// The account node.
    pub(crate) account: String,
    /// How many accounts stand above it.
    pub(crate) depth: u32,
    /// The product node.
    pub(crate) product: String,
    /// How use is counted.
    pub(crate) metric: String,
    /// The period's label.
    pub(crate) period: String,
    /// The peak, or the sum.
    pub(crate) value: String,
    /// The first instant of the peak.
    pub(crate) value_at: Option<String>,
    /// Use over time, in units times seconds.
    pub(crate) unit_seconds: String,
    /// Distinct people.
    pub(crate) users: u64,
    /// Distinct machines.
    pub(crate) devices: u64,
}

/// An account's path from the root, at the horizon.
fn paths(words: &Words<'_>) -> BTreeMap<(TenantId, AccountId), Vec<String>> {
    let horizon = words.views.totals_as_of.horizon;
    let mut parents: BTreeMap<(TenantId, AccountId), AccountId> = BTreeMap::new();
    for edge in words.views.accounts.iter().filter(|edge| edge.span.contains(horizon)) {
        parents.insert((edge.tenant, AccountId(edge.node)), AccountId(edge.parent));
    }
    let path = |tenant: TenantId, account: AccountId| {
        let mut names = vec![words.name(account)];
        let mut at = account;
        while let Some(parent) = parents.get(&(tenant, at)) {
            names.push(words.name(*parent));
            at = *parent;
        }
        names.reverse();
        names
    };
    let all = words.views.rollups.iter().chain(words.views.rollups_current.iter());
    let all = all.map(|row| (row.tenant, row.account));
    let mut found = BTreeMap::new();
    for (tenant, account) in all {
        found.entry((tenant, account)).or_insert_with(|| path(tenant, account));
    }
    found
}

/// The totals that a filter asks for: accounts as a tree, products by name.
pub(crate) fn rollups(words: &Words<'_>, filter: &Filter) -> Vec<RollupRow> {
    let paths = paths(words);
    let horizon = words.views.totals_as_of.horizon;
    let mut found: Vec<(Vec<String>, RollupRow)> = Vec::new();
    let table = match filter.tree.as_deref() {
        Some("current") => &words.views.rollups_current,
        _ => &words.views.rollups,
    };
    for row in table.iter() {
        if row.period.unit == PeriodUnit::All && filter.period.is_none() {
            continue;
        }
        let path = paths.get(&(row.tenant, row.account)).cloned().unwrap_or_default();
        let shown = rollup_row(words, &row, path.len());
        let current = row.period.span.contains(horizon) && row.period.unit != PeriodUnit::All;
        let kept = Filter::matches(filter.tenant.as_deref(), &shown.tenant)
            && Filter::matches(filter.account.as_deref(), &shown.account)
            && Filter::matches(filter.product.as_deref(), &shown.product)
            && Filter::matches(filter.metric.as_deref(), &shown.metric)
            && filter.matches_period(&shown.period, current);
        if kept {
            found.push((path, shown));
        }
    }
    found.sort_by(|(one, left), (other, right)| {
        (one, &left.product, &left.metric, &left.period, &left.tenant).cmp(&(
            other,
            &right.product,
            &right.metric,
            &right.period,
            &right.tenant,
        ))
    });
    found.into_iter().map(|(_, row)| row).collect()
}

fn rollup_row(words: &Words<'_>, row: &Rollup, names: usize) -> RollupRow {
    RollupRow {
        tenant: words.names.tenant(row.tenant),
        account: words.name(row.account),
        depth: u32::try_from(names.saturating_sub(1)).unwrap_or(u32::MAX),
        product: words.name(row.product),
        metric: row.metric.name().to_owned(),
        period: words.period(row.account, row.period),
        value: row.value.to_string(),
        value_at: instant(row.value_at),
        unit_seconds: unit_seconds(row.unit_us),
        users: row.users,
        devices: row.devices,
    }
}
