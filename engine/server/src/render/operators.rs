//! What operators cost, and how epochs come along, as tables.

use super::tables::{Grid, grouped, none};
use super::{Page, as_of};
use crate::answer::operator::OperatorCosts;
use crate::answer::stage::{Queues, Stages};
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
    grid.write(page)?;
    stages(page, &costs.stages)
}

/// Writes how long epochs took, and what waits.
fn stages(page: &mut Page<'_>, stages: &Stages) -> io::Result<()> {
    page.line("")?;
    page.line(&format!("epochs of the last {} minutes", stages.recent_minutes))?;
    let columns = [
        ("STAGE", false),
        ("EPOCHS", true),
        ("P50 MS", true),
        ("P90 MS", true),
        ("P99 MS", true),
        ("LONGEST MS", true),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in &stages.rows {
        let times = [row.p50_us, row.p90_us, row.p99_us, row.max_us].map(milliseconds);
        let mut texts = vec![row.stage.clone(), grouped(&row.epochs.to_string())];
        texts.extend(times);
        grid.row(texts, None);
    }
    grid.write(page)?;
    let Queues { work, epochs_to_disk, epochs_to_workers, epochs_at_workers, epochs_to_publisher } =
        stages.queues;
    page.line(&format!(
        "waiting: {work} pieces of work for the sequencer; epochs: {epochs_to_disk} on their way to the \
         disk, {epochs_to_workers} for the workers, {epochs_at_workers} at the workers, \
         {epochs_to_publisher} for the publisher"
    ))
}
