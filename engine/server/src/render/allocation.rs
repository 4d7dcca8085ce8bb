//! How much of what is allocated is in use, as a table.

use super::Page;
use super::tables::{Grid, dash, none};
use crate::answer::allocation::AllocatedRow;
use comfy_table::Color;
use std::io;

/// Writes how much of what is allocated is in use.
pub(crate) fn allocations(page: &mut Page<'_>, rows: &[AllocatedRow]) -> io::Result<()> {
    if rows.is_empty() {
        return none(page, "allocations");
    }
    let columns = [
        ("PRODUCT", false),
        ("ACCOUNT", false),
        ("ALLOCATED, IN USE", true),
        ("ALLOCATED, NOT IN USE", true),
        ("IN USE, NOT ALLOCATED", true),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let texts = vec![
            row.product.clone(),
            row.account.clone(),
            dash(&row.allocated_in_use),
            dash(&row.allocated_not_in_use),
            dash(&row.in_use_not_allocated),
        ];
        let free = row.in_use_not_allocated != "0" || row.allocated_not_in_use != "0";
        grid.row(texts, free.then_some(Color::Yellow));
    }
    grid.write(page)
}
