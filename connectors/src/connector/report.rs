//! What a program says at its end: what became of each file, and what the engine has of it.

use super::args::DeliveryArguments;
use super::delivery::Delivered;
use super::exit::{Exit, Failure};
use crate::load::FileReport;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;

/// Everything that a run did.
#[derive(Debug, Serialize)]
struct Report<'r> {
    tenant: &'r str,
    source: &'r str,
    engine: &'r str,
    files: Vec<FileRow<'r>>,
    /// Facts that were delivered, rejects not counted.
    facts: u64,
    rejects: u64,
    batches: u64,
    /// Connections that failed, and attempts to connect.
    failures: u64,
    /// The epoch in which a reader sees all of it; nothing if nothing was to be told.
    epoch: Option<u64>,
}

/// What became of a file.
#[derive(Debug, Serialize)]
struct FileRow<'r> {
    file: &'r str,
    format: &'r str,
    reason: &'r str,
    facts: u64,
    rejects: u64,
    notes: Vec<String>,
}

/// Prints the report; gives the code to end with.
pub(super) fn print(
    arguments: &DeliveryArguments,
    files: &[FileReport],
    delivered: &Delivered,
) -> Result<Exit, Failure> {
    let rows: Vec<FileRow<'_>> = files.iter().map(row).collect();
    let report = Report {
        tenant: &arguments.tenant,
        source: &arguments.source,
        engine: &arguments.engine,
        facts: rows.iter().map(|row| row.facts).sum(),
        rejects: rows.iter().map(|row| row.rejects).sum::<u64>() + delivered.metrics.rejected_total,
        files: rows,
        batches: delivered.metrics.batches_total,
        failures: delivered.metrics.failures_total,
        epoch: (delivered.epoch > 0).then_some(delivered.epoch),
    };
    let text = if arguments.json { json(&report)? } else { words(&report) };
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads from a pipe may stop reading; that is no failure.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let message = format!("could not write the report: {error}");
            Err(Failure::new(
                Exit::Io,
                message,
                "everything was delivered; look at where it was to go",
            ))
        }
        _ => Ok(if report.rejects > 0 { Exit::BadData } else { Exit::Clean }),
    }
}

fn row(report: &FileReport) -> FileRow<'_> {
    let notes = report.notes.iter().map(|(position, words)| match position {
        0 => words.clone(),
        _ => format!("{position}: {words}"),
    });
    FileRow {
        file: &report.name,
        format: &report.format,
        reason: &report.reason,
        facts: report.facts,
        rejects: report.rejects,
        notes: notes.collect(),
    }
}

fn json(report: &Report<'_>) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(report).map_err(|error| {
        Failure::of(Exit::Internal, &error, "this should not happen; please report it")
    })?;
    Ok(text + "\n")
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn words(report: &Report<'_>) -> String {
    let mut text = String::new();
    let width = report.files.iter().map(|row| row.file.chars().count()).max().unwrap_or(0);
    for row in &report.files {
        let format = if row.format.is_empty() { "not understood" } else { row.format };
        let _ = write!(text, "{:width$}  {format}: {}", row.file, counted(row.facts, "fact"));
        if row.rejects > 0 {
            let _ = write!(text, ", {} set aside", row.rejects);
        }
        if row.facts == 0 && !row.reason.is_empty() {
            let _ = write!(text, " ({})", row.reason);
        }
        text.push('\n');
        for note in &row.notes {
            let _ = writeln!(text, "{:width$}  note: {note}", "");
        }
    }
    let _ = match report.epoch {
        Some(epoch) => {
            let engine = report.engine;
            writeln!(
                text,
                "The engine at {engine} has all of it: trueup positions --wait-for {epoch}"
            )
        }
        None => writeln!(text, "The engine at {} had all of it before.", report.engine),
    };
    if report.rejects > 0 {
        text.push_str("What was set aside, where and why: trueup quarantine\n");
    }
    text
}
