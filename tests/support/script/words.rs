//! The words of a line, and the values that they stand for.

use trueup_model::calendar::Zone;
use trueup_model::time::{Span, Timestamp};

/// The words of a line that are still to be read.
pub(super) struct Words<'l> {
    /// What stood in brackets before the words.
    pub(super) options: Vec<(&'l str, &'l str)>,
    words: Vec<&'l str>,
    next: usize,
    day: String,
}

impl<'l> Words<'l> {
    pub(super) fn new(line: &'l str, day: &str) -> Result<Self, String> {
        let (options, line) = match line.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or("a bracket is not closed")?,
            None => ("", line),
        };
        let mut read = Vec::new();
        for option in options.split_whitespace() {
            read.push(option.split_once('=').ok_or(format!("`{option}` is not key=value"))?);
        }
        let words = line.split_whitespace().collect();
        Ok(Self { options: read, words, next: 0, day: day.to_owned() })
    }

    pub(super) fn option(&self, key: &str) -> Option<&'l str> {
        self.options.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.next >= self.words.len()
    }

    /// The next word, or nothing.
    pub(super) fn peek(&self) -> &'l str {
        self.words.get(self.next).copied().unwrap_or_default()
    }

    pub(super) fn word(&mut self) -> Result<&'l str, String> {
        let word = self.words.get(self.next).copied().ok_or("a word is missing at the end")?;
        self.next += 1;
        Ok(word)
    }

    /// Skips the next word if it is this one.
    pub(super) fn skip(&mut self, word: &str) -> bool {
        let found = self.peek() == word;
        self.next += usize::from(found);
        found
    }

    /// Reads the word that must come next.
    pub(super) fn must(&mut self, word: &str) -> Result<(), String> {
        if self.skip(word) {
            return Ok(());
        }
        Err(format!("`{word}` is expected before `{}`", self.peek()))
    }

    pub(super) fn number<N: std::str::FromStr>(&mut self) -> Result<N, String> {
        let word = self.word()?;
        word.parse().map_err(|_| format!("`{word}` is not a number"))
    }

    /// The next word as an instant, if it looks like one.
    pub(super) fn moment_if_any(&mut self) -> Result<Option<Timestamp>, String> {
        let starts = self.peek().starts_with(|letter: char| letter.is_ascii_digit());
        if starts { self.moment().map(Some) } else { Ok(None) }
    }

    pub(super) fn moment(&mut self) -> Result<Timestamp, String> {
        let word = self.word()?;
        moment(word, &self.day)
    }

    /// An instant that an option says.
    pub(super) fn option_moment(&self, key: &str) -> Result<Option<Timestamp>, String> {
        self.option(key).map(|word| moment(word, &self.day)).transpose()
    }

    /// `from A to B`, both optional, in this order.
    pub(super) fn span(&mut self) -> Result<Span, String> {
        let start = if self.skip("from") { self.moment()? } else { Timestamp::MIN };
        let end = if self.skip("to") { self.moment()? } else { Timestamp::MAX };
        Ok(Span::new(start, end))
    }

    pub(super) fn end(&self) -> Result<(), String> {
        if self.is_empty() { Ok(()) } else { Err(format!("`{}` is not expected", self.peek())) }
    }
}

/// `2025-03-01`, `2025-03-01T10:00`, `10:00` or `10:00:30.5` of the day.
fn moment(word: &str, day: &str) -> Result<Timestamp, String> {
    let whole = match (word.contains('-'), word.contains(':')) {
        (true, false) => format!("{word}T00:00:00Z"),
        (true, true) => word.to_owned(),
        (false, _) => format!("{day}T{word}"),
    };
    let mut full = whole.trim_end_matches('Z').to_owned();
    if full.matches(':').count() == 1 {
        full.push_str(":00");
    }
    full.push('Z');
    full.parse().map_err(|_| format!("`{word}` is not an instant"))
}

/// A zone that the calendar knows.
pub(super) fn zone(name: &str) -> Result<String, String> {
    Zone::named(name).map(|zone| zone.name().to_owned()).map_err(|error| error.to_string())
}
