//! Credits, overage, charges and true-ups as tables.

use super::Page;
use super::tables::{Grid, dash, grouped, none, short};
use crate::answer::ledger::{ChargeRow, CreditRow, OverageRow, TrueUpRow};
use comfy_table::Color;
use std::io;

pub(super) fn or_dash(text: &Option<String>) -> String {
    text.clone().unwrap_or_else(|| "-".to_owned())
}

/// Writes what is left of credits.
pub(crate) fn credits(page: &mut Page<'_>, rows: &[CreditRow]) -> io::Result<()> {
    if rows.is_empty() {
        return none(page, "credits");
    }
    let columns = [
        ("STATE", false),
        ("PRODUCT", false),
        ("ACCOUNT", false),
        ("GRANT", false),
        ("FROM (UTC)", false),
        ("TO (UTC)", false),
        ("GRANTED", true),
        ("CARRIED", true),
        ("USED", true),
        ("LEFT", true),
        ("LAPSED", true),
        ("OVERDRAWN", true),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let texts = vec![
            row.state.clone(),
            row.product.clone(),
            row.account.clone(),
            row.grant.clone(),
            short(&row.turn_start),
            short(&row.turn_end),
            grouped(&row.granted),
            dash(&row.carried),
            dash(&row.used),
            grouped(&row.left),
            dash(&row.lapsed),
            dash(&row.overdrawn),
        ];
        let color = (row.state == "running").then_some(Color::Green);
        grid.row(texts, color);
    }
    grid.write(page)
}

/// Writes use that no credit covers.
pub(crate) fn overages(page: &mut Page<'_>, rows: &[OverageRow]) -> io::Result<()> {
    if rows.is_empty() {
        return none(page, "overage");
    }
    let columns = [("PRODUCT", false), ("ACCOUNT", false), ("PERIOD", false), ("OVERAGE", true)];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let texts = vec![
            row.product.clone(),
            row.account.clone(),
            row.period.clone(),
            grouped(&row.overage),
        ];
        grid.row(texts, Some(Color::Red));
    }
    grid.write(page)
}

/// Writes what use costs.
pub(crate) fn charges(page: &mut Page<'_>, rows: &[ChargeRow]) -> io::Result<()> {
    if rows.is_empty() {
        return none(page, "charges");
    }
    let columns = [
        ("PRODUCT", false),
        ("ACCOUNT", false),
        ("PERIOD", false),
        ("FROM (UTC)", false),
        ("TO (UTC)", false),
        ("MODEL", false),
        ("QUANTITY", true),
        ("AMOUNT", true),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let model = row.model.as_ref().map_or("contradictory", |model| model.as_str());
        let texts = vec![
            row.product.clone(),
            row.account.clone(),
            row.period.clone(),
            short(&row.from),
            short(&row.to),
            model.replace('_', " "),
            grouped(&row.quantity),
            or_dash(&row.amount),
        ];
        grid.row(texts, row.amount.is_none().then_some(Color::Red));
    }
    grid.write(page)
}

/// Writes what is owed.
pub(crate) fn true_ups(page: &mut Page<'_>, rows: &[TrueUpRow]) -> io::Result<()> {
    if rows.is_empty() {
        return none(page, "true-ups");
    }
    let columns = [
        ("PRODUCT", false),
        ("METRIC", false),
        ("ACCOUNT", false),
        ("PERIOD", false),
        ("SHORT", true),
        ("OWED", true),
        ("AMOUNT", true),
        ("REST OF THE YEAR", true),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let texts = vec![
            row.product.clone(),
            row.metric.replace('_', " "),
            row.account.clone(),
            row.period.clone(),
            grouped(&row.shortfall),
            dash(&row.owed),
            or_dash(&row.amount),
            or_dash(&row.for_the_rest),
        ];
        grid.row(texts, (row.owed != "0").then_some(Color::Red));
    }
    grid.write(page)
}
