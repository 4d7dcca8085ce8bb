//! How much of what is allocated is in use, as rows.

use super::Words;
use super::ledger::Place;
use crate::filter::Filter;
use serde::{Deserialize, Serialize};
use trueup_model::position::AllocatedUse;

/// The allocations of a product by the account of their holders, at the horizon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AllocatedRow {
    /// The tenant.
    pub(crate) tenant: String,
    /// The account.
    pub(crate) account: String,
    /// The product.
    pub(crate) product: String,
    /// Bound to those who use it.
    pub(crate) allocated_in_use: String,
    /// Bound to those who do not.
    pub(crate) allocated_not_in_use: String,
    /// How many people and machines use it to whom nothing is bound.
    pub(crate) in_use_not_allocated: String,
}

/// The figures that a filter asks for.
pub(crate) fn allocations(words: &Words<'_>, filter: &Filter) -> Vec<AllocatedRow> {
    let row = |row: &AllocatedUse| {
        let place = Place::asked(words, filter, (row.tenant, row.account, row.product))?;
        Some(AllocatedRow {
            tenant: place.tenant,
            account: place.account,
            product: place.product,
            allocated_in_use: row.allocated_in_use.to_string(),
            allocated_not_in_use: row.allocated_not_in_use.to_string(),
            in_use_not_allocated: row.in_use_not_allocated.to_string(),
        })
    };
    let mut found: Vec<AllocatedRow> = words.views.allocated.iter().filter_map(row).collect();
    found.sort_by(|one, other| {
        (&one.product, &one.account, &one.tenant).cmp(&(
            &other.product,
            &other.account,
            &other.tenant,
        ))
    });
    found
}
