//! A holder's line, and the three names at its beginning.
//!
//! The line is read from its two anchors, `(vVERSION)` and `(server/port handle)`; what stands before
//! them is user, host, display and data with single blanks between, each of which may hold blanks.
//! They are told apart by the first of these that applies:
//!
//! 1. a known host stands among the words: what is before it is the user;
//! 2. there are two words or three: user, host and display;
//! 3. two neighboring words are equal: the host, whose display has its name, as on Windows;
//! 4. a word is a path such as `/dev/tty`: the display, with the host before it;
//! 5. a host of another line of the answer stands among the words;
//! 6. otherwise the first word is the user and the second the host, which may be wrong.

use std::collections::BTreeSet;

/// What a holder's line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HolderLine<'a> {
    /// User, host, display and data.
    pub names: &'a str,
    /// The host of the server, as this line spells it.
    pub server: &'a str,
    /// The server's number of the checkout.
    pub handle: Option<u64>,
    /// Since when, as written: weekday, date, time.
    pub start: Option<&'a str>,
    /// How many licenses.
    pub count: u32,
    /// True if the client waits and holds nothing.
    pub queued: bool,
    /// Seconds for which the license is borrowed or lingers: of two numbers, the total.
    pub linger_seconds: Option<u64>,
    /// The client's process.
    pub process: Option<u32>,
}

impl<'a> HolderLine<'a> {
    /// Reads a line, or `None` if it has not the anchors of a holder's.
    pub fn read(line: &'a str) -> Option<Self> {
        let line = line.trim();
        // A display may hold any text, so the last pair of anchors counts.
        line.rmatch_indices(" (v").find_map(|(at, _)| Self::at_anchor(line, at))
    }

    fn at_anchor(line: &'a str, at: usize) -> Option<Self> {
        let (names, rest) = line.split_at(at);
        let (_version, rest) = rest.strip_prefix(" (v")?.split_once(") (")?;
        let (place, rest) = rest.split_once(')')?;
        let (server, port) = place.rsplit_once('/')?;
        let handle = port.split_once(' ').and_then(|(_, handle)| handle.trim().parse().ok());
        let mut read = Self {
            names: names.trim(),
            server: server.trim(),
            handle,
            start: None,
            count: 1,
            queued: false,
            linger_seconds: None,
            process: None,
        };
        if let Some(rest) = rest.trim_start().strip_prefix("queued for ") {
            (read.queued, read.count) = (true, licenses(rest)?);
        } else {
            read.held_since(rest.trim_start().strip_prefix(", start ")?)?;
        }
        (!read.names.is_empty() && !read.server.is_empty()).then_some(read)
    }

    /// `Fri 10/20 14:12, 6 licenses (linger: 0 / 86400), PID: 10088`
    fn held_since(&mut self, rest: &'a str) -> Option<()> {
        let part_end = |text: &str| text.find([',', '(']).unwrap_or(text.len());
        let (start, mut behind) = rest.split_at(part_end(rest));
        self.start = Some(start.trim());
        loop {
            behind = behind.trim_start_matches([',', ' ', '\t']);
            if behind.is_empty() {
                return Some(());
            }
            let (part, after) = match behind.strip_prefix('(') {
                Some(group) => group.split_once(')')?,
                None => behind.split_at(part_end(behind)),
            };
            if let Some(seconds) = part.strip_prefix("linger:") {
                self.linger_seconds = Some(seconds.rsplit('/').next()?.trim().parse().ok()?);
            } else if let Some(process) = part.strip_prefix("PID:") {
                self.process = process.trim().parse().ok();
            } else if part.contains("license") {
                self.count = licenses(part)?;
            }
            behind = after;
        }
    }
}

/// `6 licenses`, at least one.
fn licenses(text: &str) -> Option<u32> {
    let (number, word) = text.trim().split_once(' ')?;
    let number = number.parse().ok().filter(|number| *number > 0);
    number.filter(|_| word.trim().starts_with("license"))
}

/// Who holds a license where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names<'a> {
    /// The user.
    pub user: &'a str,
    /// The host.
    pub host: &'a str,
    /// The display, with the checkout data if there is any.
    pub display: Option<&'a str>,
    /// Whether a rule told them apart, and not the order alone.
    pub certain: bool,
}

/// The most words that a host's name has.
const HOST_WORDS_MAX: usize = 4;

/// Names of hosts: those that are known, and those that an answer showed where it is clear.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    known: BTreeSet<String>,
    seen: BTreeSet<String>,
}

impl Hosts {
    /// Hosts that are known beforehand, in any case.
    pub fn new(known: &BTreeSet<String>) -> Self {
        let known = known.iter().map(|host| host.trim().to_lowercase());
        Self { known: known.filter(|host| !host.is_empty()).collect(), seen: BTreeSet::new() }
    }

    /// Learns the host of a holder whose names are clear.
    pub fn learn(&mut self, names: &str) {
        if let Some(Names { host, certain: true, .. }) = self.split(names) {
            self.seen.insert(host.to_lowercase());
        }
    }

    /// Tells user, host and display apart, or `None` if there are no two names.
    pub fn split<'a>(&self, names: &'a str) -> Option<Names<'a>> {
        let words = words(names);
        let of = |from: usize, until: usize, certain: bool| {
            let user = names.get(..words.get(from)?.0)?.trim();
            let host = names.get(words.get(from)?.0..words.get(until - 1)?.1)?;
            let display = names.get(words.get(until - 1)?.1..)?.trim();
            (!user.is_empty()).then_some(Names {
                user,
                host,
                display: (!display.is_empty()).then_some(display),
                certain,
            })
        };
        if let Some((from, until)) = self.known_host(names, &words) {
            return of(from, until, true);
        }
        if words.len() <= 3 {
            return of(1, 2, true);
        }
        let word =
            |place: usize| words.get(place).and_then(|(from, until)| names.get(*from..*until));
        let equal = |place: &usize| match (word(*place), word(place + 1)) {
            (Some(host), Some(display)) => host.eq_ignore_ascii_case(display),
            _ => false,
        };
        let is_path = |place: &usize| word(*place).is_some_and(|word| word.starts_with('/'));
        let is_seen = |place: &usize| {
            word(*place).is_some_and(|word| self.seen.contains(&word.to_lowercase()))
        };
        if let Some(host) = (1..words.len()).find(equal) {
            return of(host, host + 1, true);
        }
        if let Some(display) = (2..words.len()).find(is_path) {
            return of(display - 1, display, true);
        }
        if let Some(host) = (1..words.len()).find(is_seen) {
            return of(host, host + 1, true);
        }
        of(1, 2, false)
    }

    /// The first words from the second on that are a known host.
    fn known_host(&self, names: &str, words: &[(usize, usize)]) -> Option<(usize, usize)> {
        if self.known.is_empty() {
            return None;
        }
        let lower = names.to_lowercase();
        if lower.len() != names.len() {
            return None;
        }
        (1..words.len()).find_map(|from| {
            let start = words.get(from)?.0;
            let longest = words.len().min(from + HOST_WORDS_MAX);
            (from..longest).rev().find_map(|last| {
                let host = lower.get(start..words.get(last)?.1)?;
                self.known.contains(host).then_some((from, last + 1))
            })
        })
    }
}

/// Where the words of a text begin and end.
fn words(text: &str) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut from = 0;
    for piece in text.split(' ') {
        if !piece.is_empty() {
            words.push((from, from + piece.len()));
        }
        from += piece.len() + 1;
    }
    words
}

#[cfg(test)]
mod tests;
