//! The lines of a license or options file: continuations, comments, quotes.

use std::borrow::Cow;

/// The longest line with its continuations, in bytes.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// Words that begin a line, whatever quote is open before it.
const KEYWORDS: [&str; 9] = [
    "SERVER",
    "VENDOR",
    "DAEMON",
    "USE_SERVER",
    "FEATURE",
    "INCREMENT",
    "UPGRADE",
    "PACKAGE",
    "FEATURESET",
];

/// A line with its continuations.
#[derive(Clone, Copy, Debug)]
pub(in crate::formats::flexnet) struct Gathered<'a> {
    /// Where it begins, from 1.
    pub(in crate::formats::flexnet) position: u64,
    /// Its text, with a blank for each line's end inside it.
    pub(in crate::formats::flexnet) text: &'a str,
    /// Whether it is too long, and this is only its beginning.
    pub(in crate::formats::flexnet) cut: bool,
}

/// Gives each line with its continuations, without blank lines and comments, and says whether the
/// text ends inside a line.
pub(in crate::formats::flexnet) fn logical_lines(
    bytes: &[u8],
    mut each: impl FnMut(Gathered<'_>),
) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut line = Gathering::default();
    for (number, raw) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        let piece = String::from_utf8_lossy(raw);
        let piece = piece.trim();
        if !line.goes_on(piece) {
            line.end(&mut each);
            if piece.is_empty() || piece.starts_with('#') {
                continue;
            }
            line.position = number;
        }
        line.add(piece);
    }
    let torn = line.continued || line.quoted;
    line.end(&mut each);
    torn
}

/// A line that is being put together.
#[derive(Debug, Default)]
struct Gathering {
    position: u64,
    text: String,
    /// Whether the last piece ended in a backslash.
    continued: bool,
    /// Whether a quote is open.
    quoted: bool,
    cut: bool,
}

impl Gathering {
    /// Whether a piece belongs to the line.
    fn goes_on(&self, piece: &str) -> bool {
        if self.continued {
            return true;
        }
        let first = piece.split_ascii_whitespace().next().unwrap_or_default();
        self.quoted && !KEYWORDS.iter().any(|word| word.eq_ignore_ascii_case(first))
    }

    fn add(&mut self, piece: &str) {
        let (piece, continued) = match piece.strip_suffix('\\') {
            Some(piece) => (piece.trim_end(), true),
            None => (piece, false),
        };
        self.continued = continued;
        if piece.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 {
            self.quoted = !self.quoted;
        }
        if self.text.len() + piece.len() > LINE_BYTES_MAX {
            self.cut = true;
        }
        if !self.cut {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(piece);
        } else if self.text.is_empty() {
            self.text.extend(piece.chars().take(200));
        }
    }

    fn end(&mut self, each: &mut impl FnMut(Gathered<'_>)) {
        if !self.text.is_empty() {
            each(Gathered { position: self.position, text: &self.text, cut: self.cut });
        }
        self.text.clear();
        (self.continued, self.quoted, self.cut) = (false, false, false);
    }
}

/// A word of a line: `name`, `name=value`, or a quoted text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats::flexnet) struct Word<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

/// The words of a line.
#[derive(Debug)]
pub(in crate::formats::flexnet) struct Words<'a>(Vec<Word<'a>>);

impl<'a> Words<'a> {
    /// The words of a text. A quoted value ends its word, also without a blank behind it.
    pub(in crate::formats::flexnet) fn of(text: &'a str) -> Self {
        let mut words = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (name, behind) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
            let quoted = name.is_empty() && behind.starts_with('"');
            let valued = behind.strip_prefix('=').or_else(|| quoted.then_some(behind));
            let (value, after) = match valued.map(split_value) {
                Some((value, after)) => (Some(value), after),
                None => (None, behind),
            };
            words.push(Word { name, value });
            rest = after.trim_start();
        }
        Self(words)
    }

    /// The first word in upper case, if the line begins with a plain word.
    pub(in crate::formats::flexnet) fn keyword(&self) -> Option<String> {
        self.0.first().map(|word| word.name.to_ascii_uppercase())
    }

    /// The word at a place, if it is a plain or quoted one.
    pub(in crate::formats::flexnet) fn plain(&self, place: usize) -> Option<&'a str> {
        let word = self.0.get(place)?;
        match word.value {
            None => Some(word.name),
            Some(text) if word.name.is_empty() => Some(text),
            Some(_) => None,
        }
    }

    /// The attribute of this name: `Some(None)` if it stands without a value.
    pub(in crate::formats::flexnet) fn attribute(&self, name: &str) -> Option<Option<&'a str>> {
        let found = self.0.iter().find(|word| word.name.eq_ignore_ascii_case(name))?;
        Some(found.value)
    }

    /// The value of the attribute of this name.
    pub(in crate::formats::flexnet) fn value(&self, name: &str) -> Option<&'a str> {
        self.attribute(name).flatten()
    }
}

/// Whether a word ends before this letter.
fn is_end(letter: char) -> bool {
    letter.is_whitespace() || letter == '=' || letter == '"'
}

/// A quoted or plain value at the start of a text, and what follows it.
fn split_value(text: &str) -> (&str, &str) {
    match text.strip_prefix('"') {
        Some(inside) => inside.split_once('"').unwrap_or((inside, "")),
        None => text.split_at(text.find(char::is_whitespace).unwrap_or(text.len())),
    }
}

/// A text with one blank for each run of them.
pub(in crate::formats::flexnet) fn single_spaced(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.split(' ').all(|word| !word.is_empty() && !word.contains(char::is_whitespace)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether a word is a license in decimal format: `demo-f1-00737-55296-1825`.
pub(in crate::formats::flexnet) fn is_decimal(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let is_number =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() >= 4 && parts.iter().rev().take(2).all(is_number) && !is_number(&parts[0])
}
