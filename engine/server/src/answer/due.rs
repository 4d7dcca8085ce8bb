//! Fees of lines and bills of use as rows.

use super::ledger::{Place, asked_period, money};
use super::{Words, instant};
use crate::filter::Filter;
use serde::{Deserialize, Serialize};
use trueup_model::calendar::PeriodUnit;
use trueup_model::ledger::{BillDue, FeeDue};
use trueup_model::quantity::Capacity;

/// What a line costs in a period, or for its term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FeeRow {
    /// The tenant.
    pub(crate) tenant: String,
    /// The account of the line.
    pub(crate) account: String,
    /// The product.
    pub(crate) product: String,
    /// The line.
    pub(crate) line: String,
    /// The period's label; `term` for what is due once.
    pub(crate) period: String,
    /// The first instant that is paid for; absent if it has always been.
    pub(crate) from: Option<String>,
    /// The first instant after that; absent if it never ends.
    pub(crate) to: Option<String>,
    /// What a whole period or term costs.
    pub(crate) amount: String,
    /// How many units it is multiplied by; absent if it is for all of them.
    pub(crate) units: Option<String>,
    /// The part of the whole that is paid for, such as `17/31`; absent where it cannot be said.
    pub(crate) share: Option<String>,
    /// What is due; absent where it cannot be said.
    pub(crate) due: Option<String>,
}

/// What is still to be billed of a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BillRow {
    /// The tenant.
    pub(crate) tenant: String,
    /// The account.
    pub(crate) account: String,
    /// The product.
    pub(crate) product: String,
    /// The period's label.
    pub(crate) period: String,
    /// What was used beyond what lines grant.
    pub(crate) beyond: String,
    /// That in whole billing units.
    pub(crate) total: String,
    /// What was billed.
    pub(crate) billed: String,
    /// What is due; less than nothing for a credit.
    pub(crate) due: String,
}

/// The fees that a filter asks for.
pub(crate) fn fees(words: &Words<'_>, filter: &Filter) -> Vec<FeeRow> {
    let row = |row: &FeeDue| {
        let place = Place::asked(words, filter, (row.tenant, row.account, row.product))?;
        let once = row.period.unit == PeriodUnit::All;
        let period = asked_period(words, filter, row.account, row.period)?;
        let units = row.units.map(|units| match units {
            Capacity::Limited(units) => units.to_string(),
            Capacity::Unlimited => "unlimited".to_owned(),
            Capacity::Unknown => "unknown".to_owned(),
        });
        Some(FeeRow {
            period: if once { "term".to_owned() } else { period },
            tenant: place.tenant,
            account: place.account,
            product: place.product,
            line: words.name(row.line),
            from: instant(row.span.start),
            to: instant(row.span.end),
            amount: row.amount.to_string(),
            units,
            share: row.share.map(|(part, whole)| format!("{part}/{whole}")),
            due: money(row.due),
        })
    };
    let mut found: Vec<FeeRow> = words.views.fees.iter().filter_map(row).collect();
    found.sort_by(|one, other| {
        (&one.product, &one.account, &one.line, &one.period, &one.from).cmp(&(
            &other.product,
            &other.account,
            &other.line,
            &other.period,
            &other.from,
        ))
    });
    found
}

/// The bills that a filter asks for.
pub(crate) fn bills(words: &Words<'_>, filter: &Filter) -> Vec<BillRow> {
    let row = |row: &BillDue| {
        let place = Place::asked(words, filter, (row.tenant, row.account, row.product))?;
        Some(BillRow {
            period: asked_period(words, filter, row.account, row.period)?,
            tenant: place.tenant,
            account: place.account,
            product: place.product,
            beyond: row.beyond.to_string(),
            total: row.total.to_string(),
            billed: row.billed.to_string(),
            due: row.due.to_string(),
        })
    };
    let mut found: Vec<BillRow> = words.views.bills.iter().filter_map(row).collect();
    found.sort_by(|one, other| {
        (&one.product, &one.account, &one.period).cmp(&(
            &other.product,
            &other.account,
            &other.period,
        ))
    });
    found
}
