//! Metered use, by product and cell.
//!
//! There are as many cells as anything is used by anyone in a piece of time, and each epoch changes many of them, so they
//! stand in no order.

use crate::changes::Amounts;
use trueup_model::hash::IdMap;
use trueup_model::id::{ProductId, TenantId};
use trueup_operators::fetch;
use trueup_operators::tally::Tally;
use trueup_operators::volume::Cell;

/// Metered use.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    products: IdMap<(TenantId, ProductId), IdMap<Cell, Tally>>,
}

impl Cells {
    /// Adds differences.
    pub(super) fn apply(&mut self, changes: &Amounts<Cell, Tally>) {
        for list in changes.lists() {
            fetch(list.iter().map(|(cell, ..)| self.look(cell)));
            list.iter().for_each(|(cell, _, tally)| self.add(cell, tally));
        }
    }

    /// Looks at what adding to a cell needs.
    fn look(&self, cell: &Cell) -> usize {
        let cells = self.products.get(&(cell.tenant, cell.product));
        cells.map_or(0, |cells| usize::from(cells.contains_key(cell)))
    }

    fn add(&mut self, cell: &Cell, tally: &Tally) {
        let product = (cell.tenant, cell.product);
        let cells = self.products.entry(product).or_default();
        let sum = cells.entry(*cell).or_default();
        sum.events += tally.events;
        sum.quantity += tally.quantity;
        if *sum == Tally::default() {
            cells.remove(cell);
            if cells.is_empty() {
                self.products.remove(&product);
            }
        }
    }

    /// All cells, with how many events and how much, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Cell, &Tally)> {
        self.products.values().flatten()
    }

    /// The cells of one product, in no order.
    ///
    /// Work: the cells of the product.
    pub fn of_product(
        &self,
        tenant: TenantId,
        product: ProductId,
    ) -> impl Iterator<Item = (&Cell, &Tally)> {
        self.products.get(&(tenant, product)).into_iter().flatten()
    }
}
