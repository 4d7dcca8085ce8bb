//! Discrepancies as rows.

use super::{Words, capacity, instant, short_id};
use crate::filter::Filter;
use serde::{Deserialize, Serialize};
use trueup_model::discrepancy::{Disagreement, Discrepancy, DiscrepancyKind};
use trueup_model::id::{AccountId, NameKind};
use trueup_model::position::{IssuedPosition, PositionFigures, PositionKey};

/// Something that someone must look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DiscrepancyRow {
    /// A short stable name, for `explain`.
    pub(crate) id: String,
    /// How urgent, 1 the most.
    pub(crate) severity: u8,
    /// What kind.
    pub(crate) kind: String,
    /// The tenant.
    pub(crate) tenant: String,
    /// The account that it concerns.
    pub(crate) account: Option<String>,
    /// The product that it concerns.
    pub(crate) product: Option<String>,
    /// The metric that it concerns.
    pub(crate) metric: Option<String>,
    /// What kind of thing it concerns, if it is not a product.
    pub(crate) subject_kind: Option<String>,
    /// The thing that it concerns, if it is not a product.
    pub(crate) subject: Option<String>,
    /// The period's label.
    pub(crate) period: String,
    /// How large it is, in the metric's unit or as a count.
    pub(crate) magnitude: String,
    /// The first instant at which it holds.
    pub(crate) first_at: Option<String>,
    /// The end of the last interval in which it holds; absent if it lasts.
    pub(crate) last_at: Option<String>,
    /// What it may cost.
    pub(crate) money_at_risk: Option<String>,
    /// What it means.
    pub(crate) meaning: String,
    /// Who says what, if sources disagree.
    pub(crate) detail: Option<String>,
    /// What makes it go away.
    pub(crate) clears_when: String,
    /// Whether its period was closed before it was found.
    #[serde(default)]
    pub(crate) detected_late: bool,
}

/// The name of a discrepancy.
pub(crate) fn discrepancy_id(row: &Discrepancy) -> String {
    short_id('D', row.identity())
}

/// The discrepancies that a filter asks for, the most urgent first.
pub(crate) fn discrepancies(words: &Words<'_>, filter: &Filter) -> Vec<DiscrepancyRow> {
    let rows = words.views.discrepancies.iter().map(|row| discrepancy_row(words, row));
    let mut found: Vec<DiscrepancyRow> = rows
        .filter(|row| {
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            let period = filter.period.as_deref().filter(|asked| *asked != "every");
            Filter::matches(filter.tenant.as_deref(), &row.tenant)
                && Filter::matches(filter.account.as_deref(), &text(&row.account))
                && Filter::matches(filter.product.as_deref(), &text(&row.product))
                && Filter::matches(filter.metric.as_deref(), &text(&row.metric))
                && Filter::matches(filter.kind.as_deref(), &row.kind)
                && period.is_none_or(|asked| asked == row.period)
        })
        .collect();
    found.sort_by(|one, other| {
        (one.severity, &one.kind, &one.product, &one.account, &one.subject, &one.period, &one.id)
            .cmp(&(
                other.severity,
                &other.kind,
                &other.product,
                &other.account,
                &other.subject,
                &other.period,
                &other.id,
            ))
    });
    found
}

/// A discrepancy in words.
pub(crate) fn discrepancy_row(words: &Words<'_>, row: &Discrepancy) -> DiscrepancyRow {
    let at = row.account.unwrap_or(AccountId::root(row.tenant));
    DiscrepancyRow {
        id: discrepancy_id(row),
        severity: row.severity,
        kind: row.kind.name().to_owned(),
        tenant: words.names.tenant(row.tenant),
        account: row.account.map(|account| words.name(account)),
        product: row.product.map(|product| words.name(product)),
        metric: row.metric.map(|metric| metric.name().to_owned()),
        subject_kind: row.subject.map(|(kind, _)| kind_name(kind).to_owned()),
        subject: row.subject.map(|(_, name)| words.name(name)),
        period: words.period(at, row.period),
        magnitude: row.magnitude.to_string(),
        first_at: instant(row.first_at),
        last_at: instant(row.last_at),
        money_at_risk: row.money.map(|money| money.to_string()),
        meaning: row.kind.meaning().to_owned(),
        detail: row.disagreement.map(|both| disagreement(&both)).or_else(|| drift(words, row)),
        clears_when: row.kind.clears_when().to_owned(),
        detected_late: is_detected_late(words, row),
    }
}

/// What a statement says, and what is true.
fn drift(words: &Words<'_>, row: &Discrepancy) -> Option<String> {
    let row = issued(words, row).filter(|_| row.kind == DiscrepancyKind::StatementDrift)?;
    let says = |figures: &PositionFigures| {
        let entitled = capacity(figures.entitled);
        format!("peak {} of {entitled}, short {}", figures.peak, figures.shortfall)
    };
    Some(format!("issued {}, now {}", says(&row.issued), says(&row.restated)))
}

/// Whether what was issued of a position's closed period did not say it.
fn is_detected_late(words: &Words<'_>, row: &Discrepancy) -> bool {
    issued(words, row).is_some_and(|issued| issued.is_found_late(row.kind))
}

/// What was issued of the position that a discrepancy is about.
fn issued<'w>(words: &Words<'w>, row: &Discrepancy) -> Option<&'w IssuedPosition> {
    let key = row.account.zip(row.product).zip(row.metric);
    let key = key.map(|((account, product), metric)| PositionKey {
        tenant: row.tenant,
        account,
        product,
        metric,
        period: row.period,
    });
    key.and_then(|key| words.views.issued.get(&key))
}

fn disagreement(both: &Disagreement) -> String {
    format!(
        "{} says {}, {} says {}",
        both.claim.name(),
        capacity(both.says),
        both.other_claim.name(),
        capacity(both.other_says)
    )
}

/// What a kind of name is called.
fn kind_name(kind: NameKind) -> &'static str {
    match kind {
        NameKind::Source => "source",
        NameKind::Server => "server",
        NameKind::Product => "product",
        NameKind::User => "user",
        NameKind::Device => "device",
        NameKind::Account => "account",
        NameKind::Line => "line",
        NameKind::Contract => "contract",
        NameKind::Document => "document",
        NameKind::Text => "text",
    }
}
