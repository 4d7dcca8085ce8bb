//! Files as people read them: what each was taken for, and what it gave.

use serde::Serialize;
use trueup_connectors::load::FileReport;

/// What a file was taken for, and what it gave.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FileRow {
    /// The file.
    pub(crate) file: String,
    /// What it was taken for.
    pub(crate) format: String,
    /// What speaks for it, or what is missing.
    pub(crate) reason: String,
    /// The facts that it gave.
    pub(crate) facts: u64,
    /// What was set aside of it.
    pub(crate) rejects: u64,
    /// Remarks, with line or row.
    pub(crate) notes: Vec<String>,
}

impl From<FileReport> for FileRow {
    fn from(report: FileReport) -> Self {
        let FileReport { name, format, reason, facts, rejects, notes } = report;
        let notes = notes.into_iter().map(|(position, words)| match position {
            0 => words,
            _ => format!("{position}: {words}"),
        });
        Self { file: name, format, reason, facts, rejects, notes: notes.collect() }
    }
}
