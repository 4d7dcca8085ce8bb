//! How a mistake in a policy is reported: every problem at once, each with its place and a way out.

use std::fmt;

/// One problem of a policy text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// All problems of a policy text, in the order of their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyErrors {
    /// The problems; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "line {}, column {}: {}", problem.line, problem.column, problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyErrors {}

/// Gathers problems of one text.
#[derive(Debug)]
pub(crate) struct Diagnostics<'a> {
    text: &'a str,
    problems: Vec<(usize, String)>,
}

impl<'a> Diagnostics<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, problems: Vec::new() }
    }

    /// Adds a problem at a byte offset of the text.
    pub(crate) fn report(&mut self, offset: usize, message: impl Into<String>) {
        self.problems.push((offset, message.into()));
    }

    /// The value if nothing was wrong, else all problems.
    pub(crate) fn finish<T>(mut self, value: T) -> Result<T, PolicyErrors> {
        if self.problems.is_empty() {
            return Ok(value);
        }
        self.problems.sort();
        self.problems.dedup();
        let place = |offset: usize| {
            let before = self.text.get(..offset).unwrap_or(self.text);
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
        };
        let problems = self
            .problems
            .iter()
            .map(|(offset, message)| {
                let (line, column) = place(*offset);
                Problem { line, column, message: message.clone() }
            })
            .collect();
        Err(PolicyErrors { problems })
    }
}
