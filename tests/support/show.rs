//! Rows as people read them: identifiers by name, instants by date.

use std::fmt::Debug;
use trueup_model::id::{AccountId, Dictionary, Id, ProductId, TenantId};
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;

/// The name of an identifier of any kind; a tenant's ends of trees have names of their own.
pub fn name(names: &Dictionary, tenants: &[TenantId], id: u64) -> Option<String> {
    if let Some(entry) = names.entry(Id(id)) {
        return Some(entry.shown.to_string());
    }
    let is = |known: &dyn Fn(TenantId) -> u64| tenants.iter().any(|tenant| known(*tenant) == id);
    if is(&|tenant| AccountId::root(tenant).0) {
        return Some("everyone".to_owned());
    }
    if is(&|tenant| AccountId::unattributed(tenant).0) {
        return Some("unattributed".to_owned());
    }
    is(&|tenant| ProductId::root(tenant).0).then(|| "everything".to_owned())
}

/// A row's `Debug` text with names for identifiers, dates for instants and decimals for amounts.
pub fn row(names: &Dictionary, tenants: &[TenantId], row: &impl Debug) -> String {
    let text = format!("{row:?}");
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(open) = rest.find('(') {
        let (before, after) = rest.split_at(open + 1);
        shown.push_str(before);
        rest = after;
        let Some(close) = rest.find([')', '(', ',']) else { continue };
        let word = before.trim_end_matches('(');
        let kind = word.rsplit(|letter: char| !letter.is_alphanumeric()).next().unwrap_or(word);
        if let Some(value) = value(names, tenants, kind, &rest[..close]) {
            shown.push_str(&value);
            rest = &rest[close..];
        }
    }
    shown.push_str(rest);
    shown
}

/// What the number in `kind(number)` stands for.
fn value(names: &Dictionary, tenants: &[TenantId], kind: &str, number: &str) -> Option<String> {
    match kind {
        "Timestamp" => Some(Timestamp(number.parse().ok()?).to_string()),
        "Quantity" => Some(Quantity(number.parse().ok()?).to_string()),
        "FactId" => Some(format!("..{}", number.get(number.len().saturating_sub(6)..)?)),
        _ => name(names, tenants, number.parse().ok()?),
    }
}
