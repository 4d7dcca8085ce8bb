//! The answers of workload R as the engine's views give them.

use crate::load::Names;
use std::collections::BTreeMap;
use trueup_datasets::workload::reconciliation::{Answers, FEBRUARY, Key, Scale};
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::id::{AccountId, Id, NameKind, ProductId};
use trueup_model::metric::Metric;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_runtime::engine::Engine;

/// The numbers behind the names of nodes.
struct Numbers {
    accounts: BTreeMap<Id, u32>,
    products: BTreeMap<Id, u32>,
}

impl Numbers {
    /// What a row is about; `None` if it is about a root, an alias, or a period that is no month.
    fn key(&self, account: AccountId, product: ProductId, period: Period) -> Option<Key> {
        let month = u8::from(period.span.start >= FEBRUARY);
        let account = *self.accounts.get(&Id(account.0))?;
        let product = *self.products.get(&Id(product.0))?;
        (period.unit == PeriodUnit::Month).then_some((account, product, month))
    }
}

/// Reads the answers from the views, in whole units.
pub fn answers(engine: &Engine, names: &Names<'_>, scale: Scale) -> Answers {
    let nodes = |kind, most: u32| {
        let mut numbers = names.numbers(kind);
        numbers.retain(|_, number| *number < most);
        numbers
    };
    let numbers = Numbers {
        accounts: nodes(NameKind::Account, scale.accounts),
        products: nodes(NameKind::Product, scale.products + scale.families),
    };
    let views = engine.views();
    let units = |quantity: i64| quantity / Quantity::ONE.0;
    let mut answers = Answers::default();
    let mut used: BTreeMap<Key, i128> = BTreeMap::new();
    for (cell, tally) in views.cells.iter() {
        if let Some(key) = numbers.key(cell.account, cell.product, cell.period) {
            *used.entry(key).or_default() += tally.quantity / i128::from(Quantity::ONE.0);
        }
    }
    for (key, value) in used {
        answers.used.add(key, i64::try_from(value).unwrap_or(i64::MAX), 1);
    }
    for row in views.rollups.iter().filter(|row| row.metric == Metric::Volume) {
        if let Some(key) = numbers.key(row.account, row.product, row.period) {
            let number = |many: u64| i64::try_from(many).unwrap_or(i64::MAX);
            answers.totals.add(key, units(row.value.0), 1);
            answers.users.add(key, number(row.users), 1);
            answers.devices.add(key, number(row.devices), 1);
        }
    }
    for (at, position) in &views.positions {
        let is_granted = match position.entitled {
            Capacity::Limited(entitled) => entitled > Quantity::ZERO,
            Capacity::Unlimited | Capacity::Unknown => false,
        };
        if let Some(key) = numbers.key(at.account, at.product, at.period)
            && is_granted
            && position.shortfall > Quantity::ZERO
        {
            answers.short.add(key, units(position.shortfall.0), 1);
        }
    }
    answers
}
