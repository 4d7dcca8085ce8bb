//! Credits, overage, charges and true-ups as rows.

use super::{Words, instant};
use crate::filter::Filter;
use serde::{Deserialize, Serialize};
use trueup_model::calendar::Period;
use trueup_model::id::{AccountId, ProductId, TenantId};
use trueup_model::ledger::{Charge, CreditBalance, CreditState, Overage, TrueUp};
use trueup_model::quantity::Money;

/// A grant in one of its turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CreditRow {
    /// The tenant.
    pub(crate) tenant: String,
    /// The account whose subtree may use it.
    pub(crate) account: String,
    /// The product.
    pub(crate) product: String,
    /// The grant.
    pub(crate) grant: String,
    /// Which grant is used first: smaller first.
    pub(crate) priority: i32,
    /// The first instant of the turn; absent if it has always been.
    pub(crate) turn_start: Option<String>,
    /// The first instant after the turn; absent if it never ends.
    pub(crate) turn_end: Option<String>,
    /// In words.
    pub(crate) state: String,
    /// What came anew.
    pub(crate) granted: String,
    /// What came over from the turn before.
    pub(crate) carried: String,
    /// What was used up.
    pub(crate) used: String,
    /// What is left.
    pub(crate) left: String,
    /// What of that was lost.
    pub(crate) lapsed: String,
    /// What is taken from the next amount.
    pub(crate) overdrawn: String,
}

/// Use that no grant covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OverageRow {
    /// The tenant.
    pub(crate) tenant: String,
    /// The account that used it.
    pub(crate) account: String,
    /// The product.
    pub(crate) product: String,
    /// The period's label.
    pub(crate) period: String,
    /// How much.
    pub(crate) overage: String,
}

/// What the use of a period costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChargeRow {
    /// The tenant.
    pub(crate) tenant: String,
    /// The account that pays.
    pub(crate) account: String,
    /// The product.
    pub(crate) product: String,
    /// The period's label.
    pub(crate) period: String,
    /// The first instant at which these prices hold in the period; absent for all of time.
    pub(crate) from: Option<String>,
    /// The first instant after that; absent for all of time.
    pub(crate) to: Option<String>,
    /// What was used.
    pub(crate) quantity: String,
    /// How the bands apply; absent where they contradict each other.
    pub(crate) model: Option<String>,
    /// What it costs; absent where no band says.
    pub(crate) amount: Option<String>,
}

/// What is owed for a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TrueUpRow {
    /// The tenant.
    pub(crate) tenant: String,
    /// The account.
    pub(crate) account: String,
    /// The product.
    pub(crate) product: String,
    /// How use is counted.
    pub(crate) metric: String,
    /// The period's label.
    pub(crate) period: String,
    /// Whether the period's figures still grow.
    pub(crate) current: bool,
    /// The greatest demand at one instant that no line covers.
    pub(crate) shortfall: String,
    /// What of it was not owed before in the year.
    pub(crate) owed: String,
    /// What that costs.
    pub(crate) amount: Option<String>,
    /// The part of it for the months that are left of the year.
    pub(crate) for_the_rest: Option<String>,
}

/// Whose a row is, in words.
pub(super) struct Place {
    pub(super) tenant: String,
    pub(super) account: String,
    pub(super) product: String,
}

impl Place {
    /// The names of a row's place, if a filter asks for it.
    pub(super) fn asked(
        words: &Words<'_>,
        filter: &Filter,
        (tenant, account, product): (TenantId, AccountId, ProductId),
    ) -> Option<Self> {
        let tenant = words.names.tenant(tenant);
        let place = Self { tenant, account: words.name(account), product: words.name(product) };
        let kept = Filter::matches(filter.tenant.as_deref(), &place.tenant)
            && Filter::matches(filter.account.as_deref(), &place.account)
            && Filter::matches(filter.product.as_deref(), &place.product);
        kept.then_some(place)
    }
}

/// The label of a period, if a filter asks for it.
pub(super) fn asked_period(
    words: &Words<'_>,
    filter: &Filter,
    account: AccountId,
    period: Period,
) -> Option<String> {
    let label = words.period(account, period);
    let current = period.span.contains(words.views.as_of.horizon);
    filter.matches_period(&label, current).then_some(label)
}

pub(super) fn money(money: Option<Money>) -> Option<String> {
    money.map(|money| money.to_string())
}

/// The grants that a filter asks for: every turn, or only those that run.
pub(crate) fn credits(words: &Words<'_>, filter: &Filter) -> Vec<CreditRow> {
    let row = |row: &CreditBalance| {
        let place = Place::asked(words, filter, (row.tenant, row.account, row.product))?;
        let runs = row.state == CreditState::Running;
        let kept = Filter::matches(filter.kind.as_deref(), row.state.name())
            && (runs || filter.period.as_deref() != Some("current"));
        kept.then(|| CreditRow {
            tenant: place.tenant,
            account: place.account,
            product: place.product,
            grant: words.name(row.grant),
            priority: row.priority,
            turn_start: instant(row.span.start),
            turn_end: instant(row.span.end),
            state: row.state.name().to_owned(),
            granted: row.granted.to_string(),
            carried: row.carried.to_string(),
            used: row.used.to_string(),
            left: row.left.to_string(),
            lapsed: row.lapsed.to_string(),
            overdrawn: row.overdrawn.to_string(),
        })
    };
    let mut found: Vec<CreditRow> = words.views.credits.iter().filter_map(row).collect();
    found.sort_by(|one, other| {
        (&one.product, &one.account, one.priority, &one.grant, &one.turn_start).cmp(&(
            &other.product,
            &other.account,
            other.priority,
            &other.grant,
            &other.turn_start,
        ))
    });
    found
}

/// The overage that a filter asks for.
pub(crate) fn overages(words: &Words<'_>, filter: &Filter) -> Vec<OverageRow> {
    let row = |row: &Overage| {
        let place = Place::asked(words, filter, (row.tenant, row.account, row.product))?;
        Some(OverageRow {
            period: asked_period(words, filter, row.account, row.period)?,
            tenant: place.tenant,
            account: place.account,
            product: place.product,
            overage: row.quantity.to_string(),
        })
    };
    let mut found: Vec<OverageRow> = words.views.overages.iter().filter_map(row).collect();
    found.sort_by(|one, other| {
        (&one.product, &one.account, &one.period).cmp(&(
            &other.product,
            &other.account,
            &other.period,
        ))
    });
    found
}

/// The charges that a filter asks for.
pub(crate) fn charges(words: &Words<'_>, filter: &Filter) -> Vec<ChargeRow> {
    let row = |row: &Charge| {
        let place = Place::asked(words, filter, (row.tenant, row.account, row.product))?;
        Some(ChargeRow {
            period: asked_period(words, filter, row.account, row.period)?,
            tenant: place.tenant,
            account: place.account,
            product: place.product,
            from: instant(row.span.start),
            to: instant(row.span.end),
            quantity: row.quantity.to_string(),
            model: row.model.map(|model| model.name().to_owned()),
            amount: money(row.amount),
        })
    };
    let mut found: Vec<ChargeRow> = words.views.charges.iter().filter_map(row).collect();
    found.sort_by(|one, other| {
        (&one.product, &one.account, &one.period, &one.from).cmp(&(
            &other.product,
            &other.account,
            &other.period,
            &other.from,
        ))
    });
    found
}

/// The true-ups that a filter asks for.
pub(crate) fn true_ups(words: &Words<'_>, filter: &Filter) -> Vec<TrueUpRow> {
    let row = |row: &TrueUp| {
        let key = row.key;
        let place = Place::asked(words, filter, (key.tenant, key.account, key.product))?;
        let kept = Filter::matches(filter.metric.as_deref(), key.metric.name());
        let period = asked_period(words, filter, key.account, key.period).filter(|_| kept)?;
        Some(TrueUpRow {
            tenant: place.tenant,
            account: place.account,
            product: place.product,
            metric: key.metric.name().to_owned(),
            period,
            current: row.current,
            shortfall: row.shortfall.to_string(),
            owed: row.owed.to_string(),
            amount: money(row.amount),
            for_the_rest: money(row.for_the_rest),
        })
    };
    let mut found: Vec<TrueUpRow> = words.views.true_ups.iter().filter_map(row).collect();
    found.sort_by(|one, other| {
        (&one.product, &one.account, &one.metric, &one.period).cmp(&(
            &other.product,
            &other.account,
            &other.metric,
            &other.period,
        ))
    });
    found
}
