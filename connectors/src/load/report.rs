//! What became of each file: what it was taken for, how many facts it gave, what was remarked.

use crate::formats::Sink;
use trueup_model::fact::{Action, Body, Fact};

/// How many remarks of a file are kept.
const NOTES_MAX: usize = 1_000;

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileReport {
    /// The file.
    pub name: String,
    /// What it was taken for; empty for nothing.
    pub format: String,
    /// What speaks for it, or what is missing, in words.
    pub reason: String,
    /// The facts that it gave, rejects not counted.
    pub facts: u64,
    /// What was set aside of it.
    pub rejects: u64,
    /// Remarks, with line or row; at most 1,000.
    pub notes: Vec<(u64, String)>,
}

/// Passes facts on and counts them for a file.
#[derive(Debug)]
pub(crate) struct Reporting<'s, S> {
    sink: &'s mut S,
    pub(crate) report: FileReport,
}

impl<'s, S: Sink> Reporting<'s, S> {
    /// Counts for a file that was taken for something.
    pub(crate) fn new(sink: &'s mut S, name: &str, format: &str, reason: &str) -> Self {
        let (name, format, reason) = (name.to_owned(), format.to_owned(), reason.to_owned());
        Self { sink, report: FileReport { name, format, reason, ..FileReport::default() } }
    }

    /// Goes on counting.
    pub(crate) fn going_on(sink: &'s mut S, report: FileReport) -> Self {
        Self { sink, report }
    }
}

/// Passes facts on and counts each for the file that it is of.
#[derive(Debug)]
pub(crate) struct ByDocument<'s, S> {
    sink: &'s mut S,
    pub(crate) reports: Vec<FileReport>,
    /// The report of the file that the last fact was of.
    current: usize,
}

impl<'s, S: Sink> ByDocument<'s, S> {
    pub(crate) fn new(sink: &'s mut S, reports: Vec<FileReport>) -> Self {
        Self { sink, reports, current: 0 }
    }
}

impl<S: Sink> Sink for ByDocument<'_, S> {
    fn accept(&mut self, fact: Fact<&str>) {
        let document = fact.provenance.document;
        if self.reports.get(self.current).is_none_or(|report| report.name != document) {
            let found = self.reports.iter().position(|report| report.name == document);
            self.current = found.unwrap_or(self.current);
        }
        if let Some(report) = self.reports.get_mut(self.current) {
            report.count(&fact);
        }
        self.sink.accept(fact);
    }

    fn note(&mut self, position: u64, words: &str) {
        if let Some(report) = self.reports.get_mut(self.current) {
            report.remark(position, words);
        }
        self.sink.note(position, words);
    }
}

impl FileReport {
    fn count(&mut self, fact: &Fact<&str>) {
        if matches!(fact.action, Action::Assert(Body::Reject(_))) {
            self.rejects += 1;
        } else {
            self.facts += 1;
        }
    }

    fn remark(&mut self, position: u64, words: &str) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push((position, words.to_owned()));
        }
    }
}

impl<S: Sink> Sink for Reporting<'_, S> {
    fn accept(&mut self, fact: Fact<&str>) {
        self.report.count(&fact);
        self.sink.accept(fact);
    }

    fn note(&mut self, position: u64, words: &str) {
        self.report.remark(position, words);
        self.sink.note(position, words);
    }
}
