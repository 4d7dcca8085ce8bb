//! Rows as tables: the columns that people look for first, the worst first.

use super::Page;
use crate::answer::confidence::Confidence;
use crate::answer::discrepancy::DiscrepancyRow;
use crate::answer::file::FileRow;
use crate::answer::position::{LevelRow, PositionRow};
use crate::answer::quarantine::QuarantineRow;
use crate::answer::rollup::RollupRow;
use crate::answer::server::{DenialRow, PoolRow, SessionRow};
use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, LineStyle, Table, TableStyle};
use std::io;

/// How many remarks on a file are shown.
const NOTES_SHOWN: usize = 3;

/// A column: its heading, and whether it holds numbers.
pub(super) type Column = (&'static str, bool);

/// A table that fits the page.
pub(super) struct Grid {
    table: Table,
    columns: Vec<Column>,
    color: bool,
}

impl Grid {
    pub(super) fn new(page: &Page<'_>, columns: &[Column]) -> Self {
        let mut table = Table::new();
        // One line under the headings, so that many rows fit a screen.
        let under = LineStyle::none().fill('─').junction('─');
        table.load_style(TableStyle::new().header_separator(under));
        if page.width > 0 {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(page.width);
        }
        table
            .set_header(columns.iter().map(|(heading, number)| align(Cell::new(heading), *number)));
        Self { table, columns: columns.to_vec(), color: page.color }
    }

    pub(super) fn row(&mut self, texts: Vec<String>, color: Option<Color>) {
        let cells =
            texts.into_iter().zip(&self.columns).enumerate().map(|(place, (text, column))| {
                let cell = align(Cell::new(text), column.1);
                match color.filter(|_| self.color && place == 0) {
                    Some(color) => cell.fg(color),
                    None => cell,
                }
            });
        self.table.add_row(cells.collect::<Vec<_>>());
    }

    pub(super) fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.line(&self.table.to_string())
    }
}

fn align(cell: Cell, number: bool) -> Cell {
    cell.set_alignment(if number { CellAlignment::Right } else { CellAlignment::Left })
}

/// Writes that there is nothing, instead of an empty table.
pub(super) fn none(page: &mut Page<'_>, what: &str) -> io::Result<()> {
    page.line(&format!("no {what}"))
}

/// An instant without its seconds' fraction and with a blank, easier to read in a column.
pub(super) fn short(at: &Option<String>) -> String {
    let Some(instant) = at else { return "-".to_owned() };
    instant.split(['.', 'Z']).next().unwrap_or_default().replace('T', " ")
}

/// Zero as a dash, so that the eye finds the others.
pub(super) fn dash(number: &str) -> String {
    if number == "0" { "-".to_owned() } else { grouped(number) }
}

/// A number with its thousands set apart.
pub(super) fn grouped(number: &str) -> String {
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(w, f)| (w, Some(f)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |rest| ("-", rest));
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return number.to_owned();
    }
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let fraction = fraction.map(|fraction| format!(".{fraction}")).unwrap_or_default();
    format!("{sign}{text}{fraction}")
}

/// Unit-seconds as unit-hours, floored to a tenth.
fn hours(unit_seconds: &str) -> String {
    let whole = unit_seconds.split('.').next().unwrap_or_default();
    match whole.parse::<i128>() {
        Ok(seconds) => {
            let tenths = seconds / 360;
            grouped(&format!("{}.{}", tenths / 10, (tenths % 10).abs()))
        }
        Err(_) => unit_seconds.to_owned(),
    }
}

fn state_color(state: &str) -> Option<Color> {
    match state {
        "over" | "trial_ended" | "expired" | "unlicensed" => Some(Color::Red),
        "within_overdraft" | "in_grace" | "near" | "capacity_unknown" => Some(Color::Yellow),
        "covered" => Some(Color::Green),
        _ => None,
    }
}

/// The period, and a word for one that is over but was not heard to its end.
fn period(row: &PositionRow) -> String {
    match row.confidence {
        Confidence::Complete => row.period.clone(),
        Confidence::Provisional if row.current => row.period.clone(),
        Confidence::Provisional | Confidence::Degraded => {
            format!("{} {}", row.period, row.confidence.name())
        }
    }
}

/// Writes positions.
pub(crate) fn positions(page: &mut Page<'_>, rows: &[PositionRow]) -> io::Result<()> {
    if rows.is_empty() {
        return none(page, "positions");
    }
    let columns = [
        ("STATE", false),
        ("PRODUCT", false),
        ("METRIC", false),
        ("ACCOUNT", false),
        ("PERIOD", false),
        ("ENTITLED", true),
        ("PEAK", true),
        ("PEAK AT (UTC)", false),
        ("NOW", true),
        ("SHORT", true),
        ("SURPLUS", true),
        ("UNIT HOURS", true),
        ("ID", false),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let volume = row.metric == "volume";
        let texts = vec![
            row.state.replace('_', " "),
            row.product.clone(),
            row.metric.replace('_', " "),
            row.account.clone(),
            period(row),
            grouped(&row.entitled),
            grouped(&row.peak),
            if volume { "-".to_owned() } else { short(&row.peak_at) },
            if row.current { grouped(&row.demand) } else { "-".to_owned() },
            dash(&row.shortfall),
            dash(&row.surplus),
            if volume { "-".to_owned() } else { hours(&row.unit_seconds) },
            row.id.clone(),
        ];
        grid.row(texts, state_color(&row.state));
    }
    grid.write(page)
}

/// Writes what files were taken for.
pub(crate) fn files(page: &mut Page<'_>, rows: &[FileRow]) -> io::Result<()> {
    let columns = [
        ("FILE", false),
        ("TAKEN FOR", false),
        ("FACTS", true),
        ("SET ASIDE", true),
        ("REMARKS", false),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let mut remarks: Vec<String> = row.notes.iter().take(NOTES_SHOWN).cloned().collect();
        if row.notes.len() > NOTES_SHOWN {
            remarks.push(format!("and {} more", row.notes.len() - NOTES_SHOWN));
        }
        if row.format.is_empty() {
            remarks.insert(0, row.reason.clone());
        }
        let texts = vec![
            row.file.clone(),
            if row.format.is_empty() { "nothing".to_owned() } else { row.format.clone() },
            grouped(&row.facts.to_string()),
            dash(&row.rejects.to_string()),
            remarks.join("; "),
        ];
        grid.row(texts, None);
    }
    grid.write(page)
}

/// Writes levels at an instant.
pub(crate) fn levels(page: &mut Page<'_>, rows: &[LevelRow]) -> io::Result<()> {
    if rows.is_empty() {
        return none(page, "positions");
    }
    let columns = [
        ("PRODUCT", false),
        ("METRIC", false),
        ("ACCOUNT", false),
        ("AT", false),
        ("ENTITLED", true),
        ("USED", true),
        ("OVER", true),
        ("OVERDRAFT", true),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let texts = vec![
            row.product.clone(),
            row.metric.replace('_', " "),
            row.account.clone(),
            row.at.clone(),
            grouped(&row.entitled),
            grouped(&row.used),
            dash(&row.over_entitlement),
            dash(&row.overdraft),
        ];
        grid.row(texts, None);
    }
    grid.write(page)
}

/// Writes discrepancies.
pub(crate) fn discrepancies(page: &mut Page<'_>, rows: &[DiscrepancyRow]) -> io::Result<()> {
    if rows.is_empty() {
        return none(page, "discrepancies");
    }
    let columns = [
        ("SEV", true),
        ("KIND", false),
        ("WHAT", false),
        ("ACCOUNT", false),
        ("PERIOD", false),
        ("SIZE", true),
        ("SINCE (UTC)", false),
        ("UNTIL (UTC)", false),
        ("AT RISK", true),
        ("ID", false),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let color = match row.severity {
            1 => Some(Color::Red),
            2 | 3 => Some(Color::Yellow),
            _ => None,
        };
        let what = [row.product.as_deref(), row.subject.as_deref(), row.detail.as_deref()];
        let what: Vec<&str> = what.into_iter().flatten().collect();
        let late = if row.detected_late { ", found late" } else { "" };
        let texts = vec![
            row.severity.to_string(),
            row.kind.replace('_', " ") + late,
            what.join(": "),
            row.account.clone().unwrap_or_else(|| "-".to_owned()),
            row.period.clone(),
            grouped(&row.magnitude),
            short(&row.first_at),
            short(&row.last_at),
            row.money_at_risk.clone().unwrap_or_else(|| "-".to_owned()),
            row.id.clone(),
        ];
        grid.row(texts, color);
    }
    grid.write(page)
}

/// Writes totals as a tree of accounts.
pub(crate) fn rollups(page: &mut Page<'_>, rows: &[RollupRow]) -> io::Result<()> {
    if rows.is_empty() {
        return none(page, "totals");
    }
    let columns = [
        ("ACCOUNT", false),
        ("PRODUCT", false),
        ("METRIC", false),
        ("PERIOD", false),
        ("PEAK / SUM", true),
        ("AT (UTC)", false),
        ("UNIT HOURS", true),
        ("USERS", true),
        ("HOSTS", true),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let indent = "  ".repeat(usize::try_from(row.depth).unwrap_or(0));
        let volume = row.metric == "volume";
        let texts = vec![
            format!("{indent}{}", row.account),
            row.product.clone(),
            row.metric.replace('_', " "),
            row.period.clone(),
            grouped(&row.value),
            if volume { "-".to_owned() } else { short(&row.value_at) },
            if volume { "-".to_owned() } else { hours(&row.unit_seconds) },
            row.users.to_string(),
            row.devices.to_string(),
        ];
        grid.row(texts, None);
    }
    grid.write(page)
}

/// Writes what could not be understood.
pub(crate) fn quarantine(page: &mut Page<'_>, rows: &[QuarantineRow]) -> io::Result<()> {
    if rows.is_empty() {
        return page.line("nothing in quarantine");
    }
    let columns = [
        ("SOURCE", false),
        ("LINE", true),
        ("REASON", false),
        ("WHAT WAS READ", false),
        ("REMEDY", false),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let reason = match &row.detail {
            Some(detail) => format!("{}: {detail}", row.reason.replace('_', " ")),
            None => row.reason.replace('_', " "),
        };
        let texts = vec![
            row.source.clone(),
            row.position.to_string(),
            reason,
            row.excerpt.clone(),
            row.remedy.clone(),
        ];
        grid.row(texts, None);
    }
    grid.write(page)
}

/// Writes what sources say of pools.
pub(crate) fn pools(page: &mut Page<'_>, rows: &[PoolRow]) -> io::Result<()> {
    if rows.is_empty() {
        return none(page, "pools");
    }
    let columns = [
        ("SERVER", false),
        ("FEATURE", false),
        ("AT", false),
        ("LOG SAYS", true),
        ("FILE GRANTS", true),
        ("ISSUED", true),
        ("OUT", true),
        ("RESERVED", true),
        ("QUEUED", true),
        ("LINGERING", true),
        ("USERS", true),
        ("DUP GROUP", false),
    ];
    let mut grid = Grid::new(page, &columns);
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "?".to_owned());
    for row in rows {
        let out = row.checked_out.map_or_else(|| "?".to_owned(), |out| out.to_string());
        let texts = vec![
            row.server.clone(),
            row.feature.clone(),
            row.at.clone(),
            text(&row.logged),
            text(&row.licensed),
            text(&row.issued),
            out,
            row.reserved_idle.to_string(),
            row.queued.to_string(),
            row.lingering.to_string(),
            row.users.to_string(),
            row.duplicates.clone(),
        ];
        grid.row(texts, None);
    }
    grid.write(page)
}

/// Writes checkouts.
pub(crate) fn sessions(page: &mut Page<'_>, rows: &[SessionRow]) -> io::Result<()> {
    if rows.is_empty() {
        return none(page, "sessions");
    }
    let columns = [
        ("FEATURE", false),
        ("USER", false),
        ("HOST", false),
        ("FROM (UTC)", false),
        ("TO (UTC)", false),
        ("COUNT", true),
        ("END", false),
        ("READ AT", false),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let end = match &row.ended_after {
            Some(after) => format!("estimated, after {after}"),
            None => row.reason.replace('_', " "),
        };
        let texts = vec![
            row.feature.clone(),
            row.user.clone(),
            row.device.clone(),
            short(&Some(row.start.clone())),
            short(&row.end),
            row.count.to_string(),
            end,
            format!("{}:{}", row.source, row.position),
        ];
        grid.row(texts, None);
    }
    grid.write(page)
}

/// Writes refused attempts.
pub(crate) fn denials(page: &mut Page<'_>, rows: &[DenialRow]) -> io::Result<()> {
    if rows.is_empty() {
        return none(page, "denials");
    }
    let columns = [
        ("OUTCOME", false),
        ("AT (UTC)", false),
        ("FEATURE", false),
        ("USER", false),
        ("HOST", false),
        ("KIND", false),
        ("REASON", false),
        ("LINES", true),
    ];
    let mut grid = Grid::new(page, &columns);
    for row in rows {
        let outcome = if row.unmet { "unmet" } else { "served later" };
        let texts = vec![
            outcome.to_owned(),
            short(&Some(row.at.clone())),
            row.feature.clone(),
            row.user.clone(),
            row.device.clone(),
            row.kind.clone(),
            row.reason.replace('_', " "),
            row.lines.to_string(),
        ];
        grid.row(texts, row.unmet.then_some(Color::Yellow));
    }
    grid.write(page)
}
