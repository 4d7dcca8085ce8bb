//! The whole of a reconciliation on one page: files, positions, discrepancies, what was set aside.

use crate::answer::allocation::{AllocatedRow, allocations};
use crate::answer::discrepancy::{DiscrepancyRow, discrepancies};
use crate::answer::due::{BillRow, FeeRow, bills, fees};
use crate::answer::file::FileRow;
use crate::answer::ledger::{
    ChargeRow, CreditRow, OverageRow, TrueUpRow, charges, credits, overages, true_ups,
};
use crate::answer::position::{PositionRow, positions};
use crate::answer::quarantine::{QuarantineRow, quarantine};
use crate::answer::rollup::{RollupRow, rollups};
use crate::answer::{Answer, AsOf, Words};
use crate::exit::Exit;
use crate::filter::Filter;
use crate::render::{self, Format, Page};
use serde::Serialize;
use trueup_connectors::load::FileReport;

/// How many rows that were set aside are shown in a table; the rest is in the files and the JSON.
const QUARANTINE_ROWS_SHOWN: usize = 20;

/// Everything that a reconciliation found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    as_of: AsOf,
    files: Vec<FileRow>,
    positions: Vec<PositionRow>,
    discrepancies: Vec<DiscrepancyRow>,
    rollups: Vec<RollupRow>,
    credits: Vec<CreditRow>,
    overages: Vec<OverageRow>,
    charges: Vec<ChargeRow>,
    true_ups: Vec<TrueUpRow>,
    fees: Vec<FeeRow>,
    bills: Vec<BillRow>,
    allocations: Vec<AllocatedRow>,
    quarantine: Vec<QuarantineRow>,
}

impl Report {
    /// What the views say, and what the files gave.
    pub(crate) fn new(
        words: &Words<'_>,
        files: Vec<FileReport>,
        filter: &Filter,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            as_of: words.as_of(),
            files: files.into_iter().map(FileRow::from).collect(),
            positions: positions(words, filter),
            discrepancies: discrepancies(words, &Filter::default()),
            rollups: rollups(words, filter),
            credits: credits(words, filter),
            overages: overages(words, filter),
            charges: charges(words, filter),
            true_ups: true_ups(words, filter),
            fees: fees(words, filter),
            bills: bills(words, filter),
            allocations: allocations(words, filter),
            quarantine: quarantine(words, &Filter::default()),
        })
    }

    /// Writes the report in the format that was asked for.
    pub(crate) fn write(&self, page: &mut Page<'_>, format: Format) -> anyhow::Result<()> {
        match format {
            Format::Json => page.line(&serde_json::to_string_pretty(self)?)?,
            Format::Csv => {
                let rows = self.positions.clone();
                let answer = Answer { as_of: self.as_of.clone(), total: rows.len(), rows };
                render::answer(page, format, &answer, render::positions)?;
            }
            Format::Table => self.tables(page)?,
        }
        Ok(())
    }

    fn tables(&self, page: &mut Page<'_>) -> anyhow::Result<()> {
        page.heading("Files")?;
        render::files(page, &self.files)?;
        page.heading(&format!("Positions {}", render::as_of(&self.as_of)))?;
        render::positions(page, &self.positions)?;
        page.heading("Discrepancies, the most urgent first")?;
        render::discrepancies(page, &self.discrepancies)?;
        if !self.quarantine.is_empty() {
            let shown = self.quarantine.len().min(QUARANTINE_ROWS_SHOWN);
            page.heading(&format!("Set aside: {} (not counted)", self.quarantine.len()))?;
            render::quarantine(page, self.quarantine.get(..shown).unwrap_or_default())?;
            if self.quarantine.len() > shown {
                let more = self.quarantine.len() - shown;
                page.line(&format!("… and {more} more; --json and --out give all of them"))?;
            }
        }
        Ok(())
    }
}

/// The code that says how bad it is.
pub(crate) fn exit_of(words: &Words<'_>) -> Exit {
    let worst = discrepancies(words, &Filter::default()).iter().map(|row| row.severity).min();
    match worst {
        Some(0 | 1) => Exit::Severe,
        Some(2 | 3) => Exit::Notable,
        Some(_) => Exit::Minor,
        None if !quarantine(words, &Filter::default()).is_empty() => Exit::BadData,
        None => Exit::Clean,
    }
}
