//! Totals over both trees, by node and period.
//!
//! A tick changes the totals of every node above what was used, and hardly ever which totals there are: what one says
//! is replaced where it stands.

use super::replace;
use std::collections::BTreeMap;
use trueup_model::calendar::Period;
use trueup_model::id::{AccountId, ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::position::Rollup;
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;
use trueup_operators::Diff;

/// Which total it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    tenant: TenantId,
    account: AccountId,
    product: ProductId,
    metric: Metric,
    period: Period,
}

/// What it says.
#[derive(Clone, Copy, Debug)]
struct Figures {
    value: Quantity,
    value_at: Timestamp,
    unit_us: i128,
    users: u64,
    devices: u64,
}

/// Totals over both trees.
#[derive(Clone, Debug, Default)]
pub struct Rollups {
    rows: BTreeMap<Key, Figures>,
}

impl Key {
    fn of(row: &Rollup) -> Self {
        let Rollup { tenant, account, product, metric, period, .. } = *row;
        Self { tenant, account, product, metric, period }
    }

    fn row(self, figures: Figures) -> Rollup {
        let Self { tenant, account, product, metric, period } = self;
        let Figures { value, value_at, unit_us, users, devices } = figures;
        Rollup {
            tenant,
            account,
            product,
            metric,
            period,
            value,
            value_at,
            unit_us,
            users,
            devices,
        }
    }
}

impl Figures {
    fn of(row: &Rollup) -> Self {
        let Rollup { value, value_at, unit_us, users, devices, .. } = *row;
        Self { value, value_at, unit_us, users, devices }
    }
}

impl Rollups {
    /// Applies differences, in the order of rows.
    ///
    /// # Panics
    /// If a total would be there twice.
    pub(super) fn apply(&mut self, changes: &[(Rollup, Diff)]) {
        replace(&mut self.rows, changes, Key::of, Figures::of);
    }

    /// All totals in order.
    pub fn iter(&self) -> impl Iterator<Item = Rollup> {
        self.rows.iter().map(|(key, figures)| key.row(*figures))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Rollups;
    use trueup_model::calendar::{Period, PeriodUnit};
    use trueup_model::id::{AccountId, ProductId, TenantId};
    use trueup_model::metric::Metric;
    use trueup_model::position::Rollup;
    use trueup_model::quantity::Quantity;
    use trueup_model::time::{Span, Timestamp};

    fn row(account: u64, units: i64) -> Rollup {
        let span = Span::new(Timestamp(0), Timestamp(10));
        Rollup {
            tenant: TenantId(1),
            account: AccountId(account),
            product: ProductId(2),
            metric: Metric::Volume,
            period: Period { unit: PeriodUnit::Month, span },
            value: Quantity::units(units),
            value_at: span.start,
            unit_us: 0,
            users: 3,
            devices: 4,
        }
    }

    #[test]
    fn totals_are_replaced_come_and_go() {
        let mut rollups = Rollups::default();
        rollups.apply(&[(row(1, 5), 1), (row(2, 5), 1), (row(3, 5), 1)]);
        rollups.apply(&[
            (row(1, 4), 1),
            (row(1, 5), -1),
            (row(2, 5), -1),
            (row(3, 5), -1),
            (row(3, 6), 1),
        ]);
        assert_eq!(rollups.iter().collect::<Vec<_>>(), vec![row(1, 4), row(3, 6)]);
        assert_eq!((rollups.len(), rollups.is_empty()), (2, false));
    }

    #[test]
    #[should_panic(expected = "two rows")]
    fn no_total_is_there_twice() {
        let mut rollups = Rollups::default();
        rollups.apply(&[(row(1, 5), 1)]);
        rollups.apply(&[(row(1, 6), 1)]);
    }
}
