//! Answers for people: tables on a terminal, text that wraps, CSV and JSON for programs.

mod allocation;
mod explanation;
mod due;
mod ledger;
mod operators;
mod tables;

pub(crate) use allocation::allocations;
pub(crate) use due::{bills, fees};
pub(crate) use explanation::explanation;
pub(crate) use ledger::{charges, credits, overages, true_ups};
pub(crate) use operators::operators;
pub(crate) use tables::{
    denials, discrepancies, files, levels, pools, positions, quarantine, rollups, sessions,
};

use crate::answer::{Answer, AsOf};
use serde::Serialize;
use std::io::{IsTerminal as _, Write};

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table for people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// Comma-separated values with a header.
    Csv,
}

/// Where answers are written, and how wide it is.
pub(crate) struct Page<'w> {
    out: &'w mut dyn Write,
    /// The width of the terminal; 0 for no limit.
    width: u16,
    color: bool,
}

/// The width of a page that is no terminal.
const PLAIN_WIDTH: u16 = 180;

impl<'w> Page<'w> {
    /// The standard output, as wide as the terminal is.
    pub(crate) fn stdout(out: &'w mut std::io::StdoutLock<'_>) -> Self {
        let color = out.is_terminal();
        let width = if color { terminal_width() } else { PLAIN_WIDTH };
        Self { out, width, color }
    }

    /// A page without colors, for files.
    pub(crate) fn plain(out: &'w mut dyn Write) -> Self {
        Self { out, width: PLAIN_WIDTH, color: false }
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, text: &str) -> std::io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Writes a heading.
    pub(crate) fn heading(&mut self, text: &str) -> std::io::Result<()> {
        if self.color {
            writeln!(self.out, "\n\u{1b}[1m{text}\u{1b}[0m")
        } else {
            writeln!(self.out, "\n{text}")
        }
    }
}

fn terminal_width() -> u16 {
    comfy_table::Table::new().width().unwrap_or(PLAIN_WIDTH)
}

/// As of when an answer is, in one line.
pub(crate) fn as_of(as_of: &AsOf) -> String {
    let complete = as_of
        .complete_through
        .as_ref()
        .map(|at| format!(", logs complete through {at}"))
        .unwrap_or_default();
    format!("as of {} (epoch {}, policy {}){complete}", as_of.horizon, as_of.epoch, as_of.policy)
}

/// Writes an answer in the format that was asked for.
pub(crate) fn answer<R: Serialize>(
    page: &mut Page<'_>,
    format: Format,
    found: &Answer<R>,
    table: impl FnOnce(&mut Page<'_>, &[R]) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *page.out, found)?;
            writeln!(page.out)?;
        }
        Format::Csv => csv(page.out, &found.rows)?,
        Format::Table => {
            page.line(&as_of(&found.as_of))?;
            table(page, &found.rows)?;
            if found.total > found.rows.len() {
                let more = found.total - found.rows.len();
                page.line(&format!("… and {more} more; --limit shows them"))?;
            }
        }
    }
    Ok(())
}

/// Writes rows as CSV: the fields of the rows are the columns.
///
/// Text that a spreadsheet would take for a formula is written with a quote before it.
pub(crate) fn csv<R: Serialize>(out: &mut dyn Write, rows: &[R]) -> anyhow::Result<()> {
    let mut header_written = false;
    for row in rows {
        let serde_json::Value::Object(fields) = serde_json::to_value(row)? else { continue };
        if !header_written {
            let names: Vec<String> = fields.keys().map(|name| cell(name)).collect();
            writeln!(out, "{}", names.join(","))?;
            header_written = true;
        }
        let cells: Vec<String> = fields
            .values()
            .map(|value| match value.as_str() {
                Some(text) => cell(text),
                None if value.is_null() => String::new(),
                None => cell(&value.to_string()),
            })
            .collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(())
}

/// One cell of CSV.
fn cell(text: &str) -> String {
    let number = text.parse::<trueup_model::quantity::Quantity>().is_ok();
    let formula = !number && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let safe = if formula { format!("'{text}") } else { text.to_owned() };
    if safe.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}
