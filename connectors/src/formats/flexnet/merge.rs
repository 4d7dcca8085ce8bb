//! Several files of one log as one sequence of lines: rotated, copied, overlapping, given twice.
//!
//! 1. The files are put in the order of their first instants (see [`dating`]); of files that begin
//!    at the same one the longer is first. A file without any date stays behind the one that it was
//!    given after.
//! 2. Each file is laid against the sequence so far: if all its lines stand there in a row, it adds
//!    nothing; if the sequence ends with what it begins with, the longest such overlap is skipped;
//!    otherwise the log was rotated between the two and the file is added as it is.
//! 3. Lines are equal if their text is, without blanks at the end, and they are of one day. An
//!    overlap counts only if it holds a line that carries a date or at least two different lines:
//!    one line, or one line repeated, at the end of a file and at the beginning of the next is a
//!    rotation in the middle of real repetition. Where the days that were counted differ (a file may
//!    begin in a hole of the other), an overlap of equal text with a line that carries a date counts.
//! 4. A last line without an end that the next file has in full is left out.
//!
//! Within one file nothing is ever left out. What cannot be told from an overlap is a rotation right
//! between two equal series of different lines in one second.
//!
//! Time is proportional to the files, and memory to the number of their lines: some 64 bytes each.

use super::dating::{self, Dating};
use super::line;
use super::log::{LogOptions, LogReader, LogSummary, host_in};
use crate::formats::{Context, Sink};
use jiff::civil::Date;
use std::cmp::Reverse;
use std::ops::Range;
use trueup_model::calendar::Zone;
use trueup_model::hash::{hash64, mix};
use trueup_model::time::Timestamp;

/// A file of a log.
#[derive(Clone, Copy, Debug)]
pub struct LogFile<'a> {
    /// Its name, which is the provenance of its facts.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Lines of a file that belong to the sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The file, by its place among those that were given.
    pub file: usize,
    /// The bytes.
    pub bytes: Range<usize>,
    /// The number of the first line in its file, from 1.
    pub first_line: u64,
}

/// One log, put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// What belongs to it, in order.
    pub pieces: Vec<Piece>,
    /// Lines that were left out: of which file, and how many.
    pub repeated: Vec<(usize, u64)>,
    /// The host that the files name, if they do.
    pub host: Option<String>,
}

/// Puts the files of one log together.
pub fn merge(files: &[LogFile<'_>], zone: &Zone) -> Merged {
    let mut order: Vec<(usize, Scanned<'_>)> =
        files.iter().map(|file| Scanned::of(file.bytes, zone)).enumerate().collect();
    let mut last_start = Timestamp::MIN;
    for (_, scanned) in &mut order {
        last_start = *scanned.start.get_or_insert(last_start);
    }
    order.sort_by_key(|(place, scanned)| {
        (scanned.start, !scanned.dated, Reverse(scanned.lines.len()), *place)
    });
    let host = order.iter().find_map(|(place, _)| host_in(files[*place].bytes));
    let mut sequence = Sequence::default();
    let mut repeated = Vec::new();
    for (place, scanned) in &order {
        let left_out = sequence.add(*place, scanned);
        if left_out > 0 {
            repeated.push((*place, left_out));
        }
    }
    Merged { pieces: sequence.pieces(), repeated, host }
}

/// Puts the files of one log together and reads them.
///
/// The context's document is replaced by the name of each file. The host that any of them names
/// comes before the fallback of the options.
pub fn read(
    mut context: Context,
    mut options: LogOptions,
    files: &[LogFile<'_>],
    sink: &mut impl Sink,
) -> LogSummary {
    let merged = merge(files, &context.zone);
    for (file, lines) in &merged.repeated {
        let words = format!("{}: {lines} lines that another file has too", files[*file].name);
        sink.note(0, &words);
    }
    options.fallback_host = merged.host.or(options.fallback_host);
    if let Some(first) = merged.pieces.first() {
        files[first.file].name.clone_into(&mut context.document);
    }
    let mut reader = LogReader::new(context, options);
    for (number, piece) in merged.pieces.iter().enumerate() {
        let file = &files[piece.file];
        if number > 0 {
            reader.continue_in(file.name, piece.first_line, sink);
        }
        reader.push(&file.bytes[piece.bytes.clone()], sink);
    }
    reader.finish(sink)
}

/// A file in lines.
struct Scanned<'a> {
    lines: Vec<Line<'a>>,
    /// When its first line was written.
    start: Option<Timestamp>,
    /// Whether it carries a date.
    dated: bool,
}

/// A line of a file.
#[derive(Clone, Copy, Debug)]
struct Line<'a> {
    /// Its text without blanks at the end.
    text: &'a [u8],
    /// Its place in the file.
    from: usize,
    until: usize,
    /// A hash of its text.
    key: u64,
    /// Its day in days since 1970, or 0 if it is not known or the line has no clock.
    day: i32,
    /// Whether it carries a date.
    carrier: bool,
    /// Whether it has an end.
    ended: bool,
}

impl<'a> Scanned<'a> {
    fn of(bytes: &'a [u8], zone: &Zone) -> Self {
        let mut lines = Vec::new();
        let mut days = Days::new(zone);
        let mut from = 0;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = piece.strip_prefix(b"\xef\xbb\xbf").unwrap_or(piece).trim_ascii_end();
            let carrier = days.take(text, lines.len());
            let until = from + piece.len();
            let ended = piece.ends_with(b"\n");
            lines.push(Line { text, from, until, key: hash64(&[text]), day: 0, carrier, ended });
            from = until;
        }
        for (place, day) in &days.days {
            if let Some(line) = lines.get_mut(*place) {
                line.day = *day;
            }
        }
        Self { lines, start: days.start, dated: days.dating.is_anchored() }
    }
}

/// The days of a file's lines.
struct Days {
    dating: Dating,
    first: Option<dating::Mark>,
    start: Option<Timestamp>,
    /// Lines with a clock before the first date, by their place.
    waiting: Vec<(usize, dating::Mark)>,
    days: Vec<(usize, i32)>,
    scratch: String,
}

impl Days {
    fn new(zone: &Zone) -> Self {
        Self {
            dating: Dating::new(zone.clone()),
            first: None,
            start: None,
            waiting: Vec::new(),
            days: Vec::new(),
            scratch: String::new(),
        }
    }

    /// Takes a line; true if it carries a date.
    fn take(&mut self, text: &[u8], place: usize) -> bool {
        let Some(prefixed) = line::split(text) else { return false };
        let mark = self.dating.advance(prefixed.clock);
        let first = *self.first.get_or_insert(mark);
        let mut scratch = std::mem::take(&mut self.scratch);
        let date = dating::date_of(prefixed.clock, &prefixed.message(&mut scratch));
        self.scratch = scratch;
        self.waiting.push((place, mark));
        if let Some(date) = date
            && self.dating.anchor(mark, date) == dating::Anchor::First
        {
            self.start = self.dating.instant(first);
        }
        if self.dating.is_anchored() {
            for (line, known) in self.waiting.drain(..) {
                let day = self.dating.date(known).map_or(0, days_since_1970);
                self.days.push((line, day));
            }
        }
        date.is_some()
    }
}

fn days_since_1970(date: Date) -> i32 {
    (date - jiff::civil::date(1970, 1, 1)).get_days()
}

/// The lines of the log so far.
#[derive(Default)]
struct Sequence<'a> {
    lines: Vec<(usize, u64, Line<'a>)>,
    /// Where the last file that was laid against it begins: none that follows begins before it.
    begins: usize,
    /// Whether a file without dates is in it.
    undated: bool,
}

/// How a file lies in the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// All of it, from this line on.
    Contained(usize),
    /// Its first lines are the last ones: so many.
    Overlap(usize),
}

impl<'a> Sequence<'a> {
    /// Adds what is new of a file, and says how many lines were not.
    fn add(&mut self, file: usize, scanned: &Scanned<'a>) -> u64 {
        // A line that was cut takes no part in the comparison.
        let torn = self.lines.pop_if(|(_, _, line)| !line.ended);
        let whole = scanned.lines.iter().take_while(|line| line.ended).count();
        let (pattern, rest) = scanned.lines.split_at(whole);
        let fit = self.fit(pattern, scanned.dated);
        self.undated |= !scanned.dated;
        let skipped = match fit {
            Fit::Contained(at) => {
                self.begins = at;
                let next = self.lines.get(at + whole).map(|(_, _, line)| line);
                let next = next.or(torn.as_ref().map(|(_, _, line)| line));
                let known =
                    |cut: &Line<'_>| next.is_some_and(|next| next.text.starts_with(cut.text));
                if rest.first().is_none_or(known) { scanned.lines.len() } else { whole }
            }
            Fit::Overlap(count) => {
                self.begins = self.lines.len() - count;
                count
            }
        };
        if let Some(torn) = torn {
            let next = scanned.lines.get(skipped).filter(|_| skipped > 0);
            if !next.is_some_and(|next| next.text.starts_with(torn.2.text)) {
                self.lines.push(torn);
            }
        }
        let numbered = (1..).zip(&scanned.lines).skip(skipped);
        self.lines.extend(numbered.map(|(number, line)| (file, number, *line)));
        skipped as u64
    }

    /// How whole lines of a file lie in the sequence.
    fn fit(&self, pattern: &[Line<'_>], dated: bool) -> Fit {
        let days = dated && !self.undated;
        let close = self.search(pattern, days);
        let shared = self.shared(close, pattern);
        let has_carrier = |lines: &[Line<'_>]| lines.iter().any(|line| line.carrier);
        if has_carrier(shared) || shared.windows(2).any(|pair| pair[0].text != pair[1].text) {
            return close;
        }
        let loose = if days { self.search(pattern, false) } else { Fit::Overlap(0) };
        if has_carrier(self.shared(loose, pattern)) { loose } else { Fit::Overlap(0) }
    }

    /// The lines that a fit would leave out, if they really are equal.
    fn shared<'l>(&self, fit: Fit, pattern: &'l [Line<'l>]) -> &'l [Line<'l>] {
        let (at, count) = match fit {
            Fit::Contained(at) => (at, pattern.len()),
            Fit::Overlap(count) => (self.lines.len() - count, count),
        };
        let shared = &pattern[..count];
        let equal = self.lines[at..].iter().zip(shared).all(|((_, _, a), b)| a.text == b.text);
        if equal { shared } else { &[] }
    }

    /// The first place from `begins` on that holds all of the pattern, or else the longest end of
    /// the sequence that the pattern begins with (Knuth, Morris and Pratt).
    fn search(&self, pattern: &[Line<'_>], days: bool) -> Fit {
        let key = |line: &Line<'_>| {
            if days { mix(&[line.key, u64::from(line.day.cast_unsigned())]) } else { line.key }
        };
        let wanted: Vec<u64> = pattern.iter().map(key).collect();
        if wanted.is_empty() {
            return Fit::Overlap(0);
        }
        let mut borders = vec![0; wanted.len()];
        let mut border = 0;
        for at in 1..wanted.len() {
            while border > 0 && wanted[border] != wanted[at] {
                border = borders[border - 1];
            }
            border += usize::from(wanted[border] == wanted[at]);
            borders[at] = border;
        }
        let mut matched = 0;
        for (at, (_, _, line)) in self.lines.iter().enumerate().skip(self.begins) {
            let found = key(line);
            while matched > 0 && wanted[matched] != found {
                matched = borders[matched - 1];
            }
            matched += usize::from(wanted[matched] == found);
            if matched == wanted.len() {
                return Fit::Contained(at + 1 - matched);
            }
        }
        Fit::Overlap(matched)
    }

    /// The sequence as pieces of files.
    fn pieces(&self) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        for (file, number, line) in &self.lines {
            match pieces.last_mut() {
                Some(last) if last.file == *file && last.bytes.end == line.from => {
                    last.bytes.end = line.until;
                }
                _ => pieces.push(Piece {
                    file: *file,
                    bytes: line.from..line.until,
                    first_line: *number,
                }),
            }
        }
        pieces
    }
}

#[cfg(test)]
mod tests;
