//! Typed access to a TOML table that notes every mistake and goes on.

use super::super::problems::Problems;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it stands in the file.
pub(super) type Placed<T> = (T, Range<usize>);

/// Walks a mapping file and gathers its mistakes.
pub(super) struct Walk<'a> {
    /// What was wrong so far.
    pub(super) problems: Problems<'a>,
}

impl Walk<'_> {
    /// Notes every key of `table` that is not among `known`.
    pub(super) fn known(&mut self, table: &DeTable<'_>, section: &str, known: &[&str]) {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let place = if section.is_empty() {
                    "a mapping".to_owned()
                } else {
                    format!("[{section}]")
                };
                self.problems.add(
                    &key.span(),
                    format!("`{name}` is not a key of {place}"),
                    suggestion(name, known),
                );
            }
        }
    }

    /// The section of this name.
    pub(super) fn section<'t, 'i>(
        &mut self,
        table: &'t DeTable<'i>,
        key: &str,
    ) -> Option<&'t DeTable<'i>> {
        let value = table.get(key)?;
        if let DeValue::Table(inner) = value.get_ref() {
            return Some(inner);
        }
        self.mistyped(key, value, &format!("a section: [{key}] and its keys below"));
        None
    }

    /// The text of this key.
    pub(super) fn text(&mut self, table: &DeTable<'_>, key: &str) -> Option<Placed<String>> {
        self.text_of(key, table.get(key)?)
    }

    /// The text of a value; `key` is what messages call it.
    pub(super) fn text_of(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<Placed<String>> {
        if let DeValue::String(text) = value.get_ref() {
            return Some((text.to_string(), value.span()));
        }
        self.mistyped(key, value, &format!("text in quotes: {key} = \"…\""));
        None
    }

    /// The flag of this key.
    pub(super) fn flag(&mut self, table: &DeTable<'_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        if let DeValue::Boolean(flag) = value.get_ref() {
            return Some(*flag);
        }
        self.mistyped(key, value, "true or false, without quotes");
        None
    }

    /// The count of this key, at most `limit`.
    pub(super) fn count(&mut self, table: &DeTable<'_>, key: &str, limit: u64) -> Option<u64> {
        let value = table.get(key)?;
        let DeValue::Integer(number) = value.get_ref() else {
            self.mistyped(key, value, "a whole number, without quotes");
            return None;
        };
        let read = u64::from_str_radix(number.as_str(), number.radix()).ok();
        let count = read.filter(|count| *count <= limit);
        if count.is_none() {
            let message = format!("`{key}` is not between 0 and {limit}");
            self.problems.add(&value.span(), message, "");
        }
        count
    }

    /// The list of texts of this key.
    pub(super) fn texts(&mut self, table: &DeTable<'_>, key: &str) -> Option<Vec<Placed<String>>> {
        let value = table.get(key)?;
        let DeValue::Array(list) = value.get_ref() else {
            self.mistyped(key, value, &format!("a list: {key} = [\"…\", \"…\"]"));
            return None;
        };
        Some(list.iter().filter_map(|item| self.text_of(key, item)).collect())
    }

    /// One word of a closed list, by its place in the list.
    pub(super) fn word(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        words: &[&str],
    ) -> Option<Placed<usize>> {
        let (text, span) = self.text(table, key)?;
        let place = words.iter().position(|word| *word == text);
        if place.is_none() {
            let message = format!("`{text}` is no {key}");
            self.problems.add(&span, message, suggestion(&text, words));
        }
        place.map(|place| (place, span))
    }

    fn mistyped(&mut self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let message = format!("`{key}` is a TOML {}", value.get_ref().type_str());
        self.problems.add(&value.span(), message, format!("it must be {wanted}"));
    }
}

/// Which words there are, and which of them may have been meant.
pub(super) fn suggestion(word: &str, known: &[&str]) -> String {
    const DISTANCE_MAX: usize = 2;
    let list = known.join(", ");
    let near = known.iter().map(|known| (distance(word, known), *known)).min();
    match near {
        Some((apart, nearest)) if apart <= DISTANCE_MAX && apart < nearest.len() => {
            format!("did you mean `{nearest}`? There are {list}")
        }
        _ => format!("there are {list}"),
    }
}

/// How many letters must change to make one word of the other.
fn distance(left: &str, right: &str) -> usize {
    const LETTERS_MAX: usize = 64;
    let right: Vec<char> = right.chars().take(LETTERS_MAX).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().take(LETTERS_MAX).enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (place, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[place + 1];
            row[place + 1] = replaced.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[right.len()]
}
