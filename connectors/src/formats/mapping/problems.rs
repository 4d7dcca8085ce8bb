//! How mistakes in a mapping file are reported: all at once, each with its place and a way out.

use std::fmt;
use std::ops::Range;

/// The most problems that are listed.
const PROBLEMS_MAX: usize = 100;

/// One mistake in a mapping file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: String,
}

/// All mistakes of a mapping file, in the order of their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingErrors {
    /// The file's name.
    pub name: String,
    /// The mistakes; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for MappingErrors {
    /// One line for the file, then two lines for each mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "mapping {} has {count} {noun}", self.name)?;
        for problem in &self.problems {
            write!(f, "\n  line {}, column {}: {}", problem.line, problem.column, problem.message)?;
            if !problem.hint.is_empty() {
                write!(f, "\n    hint: {}", problem.hint)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for MappingErrors {}

/// Gathers the mistakes of one text.
pub(super) struct Problems<'a> {
    name: &'a str,
    text: &'a str,
    found: Vec<(usize, String, String)>,
}

impl<'a> Problems<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, found: Vec::new() }
    }

    /// Adds a mistake at a place of the text.
    pub(super) fn add(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        if self.found.len() < PROBLEMS_MAX {
            self.found.push((span.start, message.into(), hint.into()));
        }
    }

    /// The value if nothing was wrong, else all mistakes.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<T, MappingErrors> {
        if let (true, Some(value)) = (self.found.is_empty(), value) {
            return Ok(value);
        }
        self.found.sort();
        self.found.dedup();
        let problems = self.found.iter().map(|(offset, message, hint)| {
            let (line, column) = self.place(*offset);
            Problem { line, column, message: message.clone(), hint: hint.clone() }
        });
        Err(MappingErrors { name: self.name.to_owned(), problems: problems.collect() })
    }

    /// Line and column of a byte offset.
    fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[line_start..].chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    }
}
