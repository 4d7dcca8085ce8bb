//! Totals over both trees, by node and period.
//!
//! A tick changes the totals of every node above what was used, and hardly ever which totals there are. Peaks are
//! replaced where they stand. Volumes are told of as what came to them, and are added up here; there are many, so they
//! stand in no order.

use super::replace;
use crate::changes::Amounts;
use differential_dataflow::difference::{IsZero as _, Semigroup as _};
use std::collections::BTreeMap;
use trueup_model::calendar::Period;
use trueup_model::hash::IdMap;
use trueup_model::id::{AccountId, ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::position::Rollup;
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;
use trueup_operators::totals::{SumKey, Total};
use trueup_operators::{Diff, fetch};

/// Which peak it is.
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

/// The volumes of one product node.
type Sums = IdMap<(AccountId, Period), Total>;

/// Totals over both trees.
#[derive(Clone, Debug, Default)]
pub struct Rollups {
    peaks: BTreeMap<Key, Figures>,
    sums: IdMap<(TenantId, ProductId), Sums>,
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
    /// Applies differences: of peaks in the order of rows, of volumes in any.
    ///
    /// # Panics
    /// If a peak would be there twice.
    pub(super) fn apply(&mut self, peaks: &[(Rollup, Diff)], sums: &Amounts<SumKey, Total>) {
        replace(&mut self.peaks, peaks, Key::of, Figures::of);
        for list in sums.lists() {
            fetch(list.iter().map(|(key, ..)| self.look(key)));
            list.iter().for_each(|(key, _, more)| self.add(key, more));
        }
    }

    /// Looks at what adding to a total needs.
    fn look(&self, key: &SumKey) -> usize {
        let sums = self.sums.get(&(key.tenant, key.product));
        sums.map_or(0, |sums| usize::from(sums.contains_key(&(key.account, key.period))))
    }

    fn add(&mut self, key: &SumKey, more: &Total) {
        let product = (key.tenant, key.product);
        let of_product = self.sums.entry(product).or_default();
        let place = (key.account, key.period);
        let total = of_product.entry(place).or_default();
        total.plus_equals(more);
        if total.is_zero() {
            of_product.remove(&place);
            if of_product.is_empty() {
                self.sums.remove(&product);
            }
        }
    }

    /// All totals: peaks in order, and volumes in none.
    pub fn iter(&self) -> impl Iterator<Item = Rollup> {
        self.peaks().chain(self.sums().filter_map(|(key, total)| total.row(key)))
    }

    /// Those of what is in use at a time, in order.
    pub fn peaks(&self) -> impl Iterator<Item = Rollup> {
        self.peaks.iter().map(|(key, figures)| key.row(*figures))
    }

    /// Those of volumes, in no order.
    pub fn sums(&self) -> impl Iterator<Item = (SumKey, &Total)> {
        self.sums.iter().flat_map(|(product, sums)| {
            let (tenant, product) = *product;
            sums.iter().map(move |((account, period), total)| {
                (SumKey { tenant, account: *account, product, period: *period }, total)
            })
        })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.peaks.is_empty() && self.sums.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Rollups;
    use crate::changes::Amounts;
    use trueup_model::calendar::{Period, PeriodUnit};
    use trueup_model::id::{AccountId, ProductId, TenantId};
    use trueup_model::metric::Metric;
    use trueup_model::position::Rollup;
    use trueup_model::quantity::Quantity;
    use trueup_model::time::{Span, Timestamp};
    use trueup_operators::tally::Tally;
    use trueup_operators::totals::{SumKey, Total};

    fn row(account: u64, units: i64) -> Rollup {
        let span = Span::new(Timestamp(0), Timestamp(10));
        Rollup {
            tenant: TenantId(1),
            account: AccountId(account),
            product: ProductId(2),
            metric: Metric::Concurrent,
            period: Period { unit: PeriodUnit::Month, span },
            value: Quantity::units(units),
            value_at: span.start,
            unit_us: 0,
            users: 3,
            devices: 4,
        }
    }

    #[test]
    fn peaks_are_replaced_come_and_go() {
        let mut rollups = Rollups::default();
        rollups.apply(&[(row(1, 5), 1), (row(2, 5), 1), (row(3, 5), 1)], &Amounts::default());
        let changes =
            [(row(1, 4), 1), (row(1, 5), -1), (row(2, 5), -1), (row(3, 5), -1), (row(3, 6), 1)];
        rollups.apply(&changes, &Amounts::default());
        assert_eq!(rollups.iter().collect::<Vec<_>>(), vec![row(1, 4), row(3, 6)]);
    }

    #[test]
    #[should_panic(expected = "two rows")]
    fn no_peak_is_there_twice() {
        let mut rollups = Rollups::default();
        rollups.apply(&[(row(1, 5), 1)], &Amounts::default());
        rollups.apply(&[(row(1, 6), 1)], &Amounts::default());
    }

    #[test]
    fn volumes_add_up_and_go_with_their_last_event() {
        let Rollup { tenant, account, product, period, .. } = row(1, 0);
        let key = SumKey { tenant, account, product, period };
        let more = |events: i128, units: i64, users: i64| {
            let tally = Tally { events, quantity: Quantity::units(units).0.into() };
            (key, Total { tally, users, devices: 0 })
        };
        let mut rollups = Rollups::default();
        rollups.apply(&[], &[more(2, 7, 0), more(0, 0, 2), more(1, -3, 1)].into_iter().collect());
        let volume = Rollup { metric: Metric::Volume, devices: 0, ..row(1, 4) };
        assert_eq!(rollups.iter().collect::<Vec<_>>(), vec![volume]);
        // Nothing in all is not the same as no use.
        rollups.apply(&[], &[more(-1, -4, 0)].into_iter().collect());
        assert_eq!(rollups.iter().map(|row| row.value).collect::<Vec<_>>(), vec![Quantity(0)]);
        rollups.apply(&[], &[more(-2, 0, -3)].into_iter().collect());
        assert!(rollups.is_empty());
    }
}
