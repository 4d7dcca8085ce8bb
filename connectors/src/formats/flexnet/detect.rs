//! Which of FlexNet's files a file is, told from its beginning.
//!
//! A file is what its lines say, not what it is called: a debug log may echo license lines, a license
//! file may quote anything, and other license managers write logs that look alike. So each format has
//! lines that only it has, and the answer names the one that decided.

use super::line::{self, Message};
use super::{expiry, license, options};
use std::fmt;

/// How much of a file is looked at, in bytes.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A format of this family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlexnetFormat {
    /// A debug log: [`super::log`].
    DebugLog,
    /// An answer to `lmstat -a`: [`super::lmstat`].
    Lmstat,
    /// An answer to `lmstat -i`: [`super::expiry`].
    Expiry,
    /// A license file: [`super::license`].
    LicenseFile,
    /// A vendor daemon's options file: [`super::options`].
    OptionsFile,
}

impl FlexnetFormat {
    /// The format's name in configuration and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::DebugLog => "flexnet_log",
            Self::Lmstat => "flexnet_lmstat",
            Self::Expiry => "flexnet_expiry",
            Self::LicenseFile => "flexnet_license",
            Self::OptionsFile => "flexnet_options",
        }
    }
}

impl fmt::Display for FlexnetFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a file is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detection {
    /// The format, if it is one of this family.
    pub format: Option<FlexnetFormat>,
    /// What decided, in words.
    pub reason: String,
}

impl Detection {
    fn is(format: FlexnetFormat, reason: String) -> Self {
        Self { format: Some(format), reason }
    }

    fn none(reason: &str) -> Self {
        Self { format: None, reason: reason.to_owned() }
    }
}

/// Tells what a file is from its first bytes, of which [`HEAD_BYTES_MAX`] are looked at.
pub fn detect(bytes: &[u8]) -> Detection {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Detection::none("the text is UTF-16: decode it to UTF-8 first");
    }
    let head = whole_lines(bytes);
    if head.trim_ascii().is_empty() {
        return Detection::none("the file is empty");
    }
    if let Some(reason) = debug_log(head) {
        return Detection::is(FlexnetFormat::DebugLog, reason);
    }
    if let Some(number) = find(head, expiry::is_title) {
        let reason = format!("line {number} is the title of a table of features and expiry dates");
        return Detection::is(FlexnetFormat::Expiry, reason);
    }
    if let Some(number) = find(head, is_status) {
        let reason = format!("line {number} is part of a status report");
        return Detection::is(FlexnetFormat::Lmstat, reason);
    }
    if let Some(number) = license::first_line(head) {
        let reason = format!("line {number} grants a license or names its server and daemon");
        return Detection::is(FlexnetFormat::LicenseFile, reason);
    }
    if let Some(number) = options::first_line(head) {
        let reason = format!("line {number} is an option, and so are most others");
        return Detection::is(FlexnetFormat::OptionsFile, reason);
    }
    Detection::none("no line is one that only FlexNet's files have")
}

/// The first bytes up to the end of a line, without a byte order mark.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let head = match bytes.get(..HEAD_BYTES_MAX) {
        Some(head) => {
            let end = head.iter().rposition(|byte| *byte == b'\n').unwrap_or(head.len());
            &head[..end]
        }
        None => bytes,
    };
    head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head)
}

/// The number of the first line of which something is true.
fn find(head: &[u8], is: impl Fn(&str) -> bool) -> Option<u64> {
    let text = String::from_utf8_lossy(head);
    let found = (1..).zip(text.lines()).find(|(_, line)| is(line.trim()));
    found.map(|(number, _)| number)
}

/// Why a text is a debug log: most lines have a time and a daemon, and one says what only it says.
fn debug_log(head: &[u8]) -> Option<String> {
    let (mut lines, mut prefixed, mut telling) = (0_u64, 0_u64, None);
    let mut scratch = String::new();
    for (number, line) in (1_u64..).zip(head.split(|byte| *byte == b'\n')) {
        // Damage says nothing of what the rest is.
        let is_damaged = |byte: &u8| *byte < b' ' && !matches!(*byte, b'\t' | b'\r');
        if line.trim_ascii().is_empty() || line.iter().any(is_damaged) {
            continue;
        }
        lines += 1;
        let Some(split) = line::split(line) else { continue };
        prefixed += 1;
        let tells = match split.message(&mut scratch) {
            Message::Unreadable(_) => false,
            Message::Chatter => split.message.starts_with(b"(@") || split.daemon == b"lmgrd",
            Message::Event(_) | Message::Dated(_) | Message::Life(_) | Message::Reserving(_) => {
                true
            }
        };
        if tells {
            telling.get_or_insert(number);
        }
    }
    let number = telling.filter(|_| prefixed * 2 > lines)?;
    Some(format!(
        "{prefixed} of {lines} lines begin with a time and a daemon, and line {number} is one of a \
         license server's log"
    ))
}

/// Whether a line is one of an answer to `lmstat -a`.
fn is_status(line: &str) -> bool {
    line.starts_with("Flexible License Manager status on ")
        || line.starts_with("License server status: ")
        || line.starts_with("Vendor daemon status (on ")
        || line.starts_with("Error getting status: ")
        || line.starts_with("Cannot get users of ")
        || line.strip_prefix("Users of ").is_some_and(|rest| {
            [": (Total of ", ":  (Total of ", ":  (Uncounted", ":  (Error: "]
                .iter()
                .any(|words| rest.contains(words))
        })
}

#[cfg(test)]
mod tests;
