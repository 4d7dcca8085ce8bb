//! Fees of lines and bills of use as tables.

use super::Page;
use super::ledger::or_dash;
use super::tables::{Grid, dash, grouped, none, short};
use crate::answer::due::{BillRow, FeeRow};
use comfy_table::Color;
use std::io;

/// Writes what lines cost.
pub(crate) fn fees(page: &mut Page<'_>, rows: &[FeeRow]) -> io::Result<()> {
    if rows.is_empty() {
        return none(page, "fees");
    }
    let columns = [
        ("PRODUCT", false),
        ("ACCOUNT", false),
        ("LINE", false),
        ("PERIOD", false),
        ("FROM (UTC)", false),
        ("TO (UTC)", false),
        ("AMOUNT", true),
        ("UNITS", true),
        ("SHARE", true),
        ("DUE", true),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let texts = vec![
            row.product.clone(),
            row.account.clone(),
            row.line.clone(),
            row.period.clone(),
            short(&row.from),
            short(&row.to),
            row.amount.clone(),
            or_dash(&row.units),
            or_dash(&row.share),
            or_dash(&row.due),
        ];
        grid.row(texts, row.due.is_none().then_some(Color::Red));
    }
    grid.write(page)
}

/// Writes what is still to be billed.
pub(crate) fn bills(page: &mut Page<'_>, rows: &[BillRow]) -> io::Result<()> {
    if rows.is_empty() {
        return none(page, "bills");
    }
    let columns = [
        ("PRODUCT", false),
        ("ACCOUNT", false),
        ("PERIOD", false),
        ("BEYOND LINES", true),
        ("UNITS", true),
        ("BILLED", true),
        ("DUE", true),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let texts = vec![
            row.product.clone(),
            row.account.clone(),
            row.period.clone(),
            grouped(&row.beyond),
            grouped(&row.total),
            dash(&row.billed),
            dash(&row.due),
        ];
        grid.row(texts, (row.due != "0").then_some(Color::Yellow));
    }
    grid.write(page)
}
