//! License files: what a server may serve, as a vendor writes it, and what that grants.
//!
//! [`LicenseFile::granted`] says what the lines come to by the rules of the format, from the lines
//! themselves and never from the text: the first `FEATURE` of a name counts, each `INCREMENT` adds,
//! a `SUPERSEDE` takes away what was issued before it, a count of none means no limit, an expiry day
//! is the last valid one.

use crate::random::Random;
use crate::traps::{Trap, Traps};
use crate::wall::file_date;
use jiff::civil::Date;
use std::fmt::Write as _;
use trueup_model::calendar::Zone;
use trueup_model::metric::Duplicates;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::Timestamp;

/// Which keyword a line begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    /// Counts only if it is the first of its name.
    Feature,
    /// Adds.
    Increment,
}

/// Which earlier lines a line takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Supersedes {
    /// None.
    Nothing,
    /// Those of its own feature.
    Same,
    /// Those of the named features.
    Named(Vec<String>),
}

/// One `FEATURE` or `INCREMENT` line.
#[derive(Clone, Debug)]
pub struct FileLine {
    /// Its keyword.
    pub keyword: Keyword,
    /// The feature.
    pub feature: String,
    /// The version.
    pub version: String,
    /// How many licenses; `None` is uncounted.
    pub count: Option<u32>,
    /// The first valid day, if it says one.
    pub start: Option<Date>,
    /// The last valid day; `None` is permanent.
    pub expiry: Option<Date>,
    /// How checkouts are charged, if it says.
    pub duplicates: Option<Duplicates>,
    /// How checkouts of a suite's components share a right, if it says.
    pub suite_duplicates: Option<Duplicates>,
    /// Tolerated use above the count.
    pub overdraft: u32,
    /// When the vendor issued it, if it says.
    pub issued: Option<Date>,
    /// What it takes away.
    pub supersedes: Supersedes,
    /// Words for people, if any.
    pub notice: Option<String>,
}

/// A `PACKAGE` line.
#[derive(Clone, Debug)]
pub struct Package {
    /// The package, which has lines of its own.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The features in it.
    pub components: Vec<String>,
}

/// One version of a license file.
#[derive(Clone, Debug, Default)]
pub struct LicenseFile {
    /// Packages.
    pub packages: Vec<Package>,
    /// Lines, in the order of the file.
    pub lines: Vec<FileLine>,
}

/// A version of a license file and when the server read it.
#[derive(Clone, Debug)]
pub struct FileVersion {
    /// From when on it holds; `None` if it is the first.
    pub effective_from: Option<Timestamp>,
    /// What it says.
    pub file: LicenseFile,
}

/// What a feature's lines come to at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// How much may be used.
    pub capacity: Capacity,
    /// How much more is tolerated.
    pub overdraft: u32,
}

impl FileLine {
    /// A permanent line that says nothing else.
    pub fn new(keyword: Keyword, feature: &str, version: &str, count: u32) -> Self {
        Self {
            keyword,
            feature: feature.to_owned(),
            version: version.to_owned(),
            count: Some(count),
            start: None,
            expiry: None,
            duplicates: None,
            suite_duplicates: None,
            overdraft: 0,
            issued: None,
            supersedes: Supersedes::Nothing,
            notice: None,
        }
    }

    fn is_valid(&self, at: Timestamp, zone: &Zone) -> bool {
        self.start.is_none_or(|day| zone.day_start(day) <= at)
            && self.expiry.is_none_or(|day| at < zone.day_end(day))
    }

    /// Whether this line takes away another one.
    fn takes_away(&self, other: &Self) -> bool {
        let named = match &self.supersedes {
            Supersedes::Nothing => false,
            Supersedes::Same => self.feature == other.feature,
            Supersedes::Named(features) => features.contains(&other.feature),
        };
        named && self.issued.or(self.start) > other.issued.or(other.start)
    }
}

impl LicenseFile {
    /// The lines of a feature that count, whenever they are valid.
    pub fn counting(&self, feature: &str) -> Vec<&FileLine> {
        let mut counting: Vec<&FileLine> = Vec::new();
        let mut seen_feature = false;
        for line in self.lines.iter().filter(|line| line.feature == feature) {
            let repeated = line.keyword == Keyword::Feature && seen_feature;
            seen_feature |= line.keyword == Keyword::Feature;
            if !repeated && !self.lines.iter().any(|other| other.takes_away(line)) {
                counting.push(line);
            }
        }
        counting
    }

    /// What a feature's lines come to at an instant; `None` if the file has no line of it.
    pub fn granted(&self, feature: &str, at: Timestamp, zone: &Zone) -> Option<Granted> {
        if !self.lines.iter().any(|line| line.feature == feature) {
            return None;
        }
        let mut sum = 0_u32;
        let mut overdraft = 0_u32;
        let mut unlimited = false;
        for line in self.counting(feature).into_iter().filter(|line| line.is_valid(at, zone)) {
            match line.count {
                Some(count) => sum += count,
                None => unlimited = true,
            }
            overdraft += line.overdraft;
        }
        let capacity = match unlimited {
            true => Capacity::Unlimited,
            false => Capacity::Limited(Quantity::units(i64::from(sum))),
        };
        Some(Granted { capacity, overdraft })
    }
}

/// Who serves the file: its first lines.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// The license server.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// The vendor daemon.
    pub daemon: &'a str,
}

/// Writes a license file; long lines are continued, within quotes too.
pub fn write(
    header: Header<'_>,
    file: &LicenseFile,
    crlf: bool,
    random: &mut Random,
    traps: &mut Traps,
) -> Vec<u8> {
    let mut text = String::new();
    let host_id = format!("{:012X}", random.below(1 << 48));
    let _ = writeln!(text, "# License file of {}; invented for Trueup's data sets", header.host);
    let _ = writeln!(text, "SERVER {} {host_id} {}", header.host, header.port);
    let _ = writeln!(text, "VENDOR {}\nUSE_SERVER", header.daemon);
    for package in &file.packages {
        let line = format!(
            "PACKAGE {} {} {} COMPONENTS=\"{}\" OPTIONS=SUITE SIGN=\"{}\"",
            package.name,
            header.daemon,
            package.version,
            package.components.join(" "),
            signature(random)
        );
        continued(&mut text, &line, traps);
    }
    for line in &file.lines {
        count_traps(line, file, traps);
        let written = written(header.daemon, line, &signature(random));
        continued(&mut text, &written, traps);
    }
    text.push_str("#######################################################\n");
    let text = if crlf { text.replace('\n', "\r\n") } else { text };
    text.into_bytes()
}

fn count_traps(line: &FileLine, file: &LicenseFile, traps: &mut Traps) {
    if line.supersedes != Supersedes::Nothing {
        traps.add(Trap::Supersede, 1);
    }
    if line.overdraft > 0 {
        traps.add(Trap::Overdraft, 1);
    }
    if line.count.is_none() {
        traps.add(Trap::Uncounted, 1);
    }
    let counts = file.counting(&line.feature).iter().any(|one| std::ptr::eq(*one, line));
    if line.keyword == Keyword::Feature && !counts {
        traps.add(Trap::FeatureRepeated, 1);
    }
}

/// Four groups of four hexadecimal digits, as signatures look.
fn signature(random: &mut Random) -> String {
    let groups: Vec<String> = (0..4).map(|_| format!("{:04X}", random.below(0x10000))).collect();
    groups.join(" ")
}

fn written(daemon: &str, line: &FileLine, signature: &str) -> String {
    let keyword = match line.keyword {
        Keyword::Feature => "FEATURE",
        Keyword::Increment => "INCREMENT",
    };
    let expiry = line.expiry.map_or_else(|| "permanent".to_owned(), file_date);
    let count = line.count.map_or_else(|| "uncounted".to_owned(), |count| count.to_string());
    let mut text = format!("{keyword} {} {daemon} {} {expiry} {count}", line.feature, line.version);
    match &line.supersedes {
        Supersedes::Nothing => {}
        Supersedes::Same => text.push_str(" SUPERSEDE"),
        Supersedes::Named(features) => {
            let _ = write!(text, " SUPERSEDE=\"{}\"", features.join(" "));
        }
    }
    if line.count.is_none() {
        text.push_str(" HOSTID=ANY");
    }
    for (attribute, duplicates) in
        [("SUITE_DUP_GROUP", line.suite_duplicates), ("DUP_GROUP", line.duplicates)]
    {
        if let Some(duplicates) = duplicates {
            let _ = write!(text, " {attribute}={duplicates}");
        }
    }
    if line.overdraft > 0 {
        let _ = write!(text, " OVERDRAFT={}", line.overdraft);
    }
    for (attribute, day) in [("ISSUED", line.issued), ("START", line.start)] {
        if let Some(day) = day {
            let _ = write!(text, " {attribute}={}", file_date(day));
        }
    }
    if let Some(notice) = &line.notice {
        let _ = write!(text, " NOTICE=\"{notice}\"");
    }
    let _ = write!(text, " SIGN=\"{signature}\"");
    text
}

/// The longest line before it is continued on the next one, in characters.
const LINE_CHARACTERS_MAX: usize = 72;

/// Appends a line, broken at blanks with a backslash where it is long.
fn continued(text: &mut String, line: &str, traps: &mut Traps) {
    let mut width = 0;
    for (index, word) in line.split(' ').enumerate() {
        if index > 0 {
            if width + word.len() > LINE_CHARACTERS_MAX {
                text.push_str(" \\\n\t");
                width = 8;
                traps.add(Trap::Continuation, 1);
            } else {
                text.push(' ');
            }
        }
        text.push_str(word);
        width += word.len() + 1;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests;
