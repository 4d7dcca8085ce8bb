//! What operators cost, as a table.

use super::tables::{Grid, grouped, none};
use super::{Page, as_of};
use crate::answer::operator::OperatorCosts;
use std::io;

/// A time in milliseconds, to a tenth.
fn milliseconds(us: u64) -> String {
    let tenths = (us + 50) / 100;
    format!("{}.{}", grouped(&(tenths / 10).to_string()), tenths % 10)
}

/// Writes what operators cost.
pub(crate) fn operators(page: &mut Page<'_>, costs: &OperatorCosts) -> io::Result<()> {
    page.line(&as_of(&costs.as_of))?;
    if costs.rows.is_empty() {
        return none(page, "operators");
    }
    page.line(&format!("over {} ms", milliseconds(costs.over_us)))?;
    let columns = [
        ("OPERATOR", false),
        ("BUSY MS", true),
        ("OF A CORE", true),
        ("ROWS", true),
        ("RUNS", true),
        ("LONGEST MS", true),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in &costs.rows {
        let per_mille = row.busy_us.saturating_mul(1000) / costs.over_us.max(1);
        let texts = vec![
            row.operator.clone(),
            milliseconds(row.busy_us),
            format!("{}.{} %", per_mille / 10, per_mille % 10),
            grouped(&row.rows.to_string()),
            grouped(&row.runs.to_string()),
            milliseconds(row.longest_us),
        ];
        grid.row(texts, None);
    }
    grid.write(page)
}
