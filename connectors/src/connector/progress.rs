//! Says on a terminal what long work is at; says nothing where nobody looks.

use std::io::{IsTerminal as _, Write as _};

/// A line on the standard error that is written over.
#[derive(Debug)]
pub struct Progress {
    shown: bool,
    width: usize,
}

impl Progress {
    /// A line, if the standard error is a terminal.
    pub fn on_standard_error() -> Self {
        Self { shown: std::io::stderr().is_terminal(), width: 0 }
    }

    /// Says what the work is at.
    pub fn say(&mut self, words: &str) {
        if !self.shown {
            return;
        }
        let width = words.chars().count();
        let blank = " ".repeat(self.width.saturating_sub(width));
        Self::write(&format!("\r{words}{blank}"));
        self.width = width;
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if self.shown && self.width > 0 {
            Self::write(&format!("\r{}\r", " ".repeat(self.width)));
            self.width = 0;
        }
    }

    fn write(text: &str) {
        let mut err = std::io::stderr().lock();
        // Progress that cannot be shown is no loss.
        let _ = err.write_all(text.as_bytes());
        let _ = err.flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
