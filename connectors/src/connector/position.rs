//! How far a source was read: what the engine keeps for its connector, as text of one version.
//!
//! ```text
//! trueup 1
//! log OFFSET HEAD_BYTES HEAD_HASH TOLD_AS ASSUMED [HOST]      the log, if one is followed
//! doc NAME_HASH VERSION FROM BYTES_HASH TOLD_AS               each document
//! ```
//!
//! Numbers are decimal, hashes hexadecimal. A position of another version counts as none: everything is
//! told again, and counts once.

use super::documents::Known;
use crate::source::rotated::HeadMark;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use trueup_model::time::Timestamp;
use trueup_wire::limits::POSITION_BYTES_MAX;

/// The first line.
const VERSION: &str = "trueup 1";
/// The longest name of a host that is kept, in bytes.
const HOST_BYTES_MAX: usize = 512;

/// How far a source was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// The log, if one is followed.
    pub(super) log: Option<LogPosition>,
    /// Documents, by the hash of their names.
    pub(super) documents: BTreeMap<u64, Known>,
}

/// How far a log was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LogPosition {
    /// Everything before was told, in bytes.
    pub(super) offset: u64,
    /// What the file is known by.
    pub(super) head: HeadMark,
    /// A hash of what else its facts depend on, such as the time zone.
    pub(super) told_as: u64,
    /// Whether its date was assumed, because no line had said one.
    pub(super) is_assumed: bool,
    /// The server's host, as facts name it.
    pub(super) host: Option<String>,
}

impl Position {
    /// Reads what the engine kept; nothing of it if it is of another version.
    pub(super) fn read(token: &[u8]) -> Self {
        let text = String::from_utf8_lossy(token);
        let mut lines = text.lines();
        if lines.next() != Some(VERSION) {
            return Self::default();
        }
        let mut position = Self::default();
        for line in lines {
            if let Some(log) = line.strip_prefix("log ") {
                position.log = LogPosition::read(log);
            } else if let Some((name, known)) = line.strip_prefix("doc ").and_then(read_document) {
                position.documents.insert(name, known);
            }
        }
        position
    }

    /// What the engine is to keep. Documents for which there is no room are left out: they are told
    /// again at the next start.
    pub(super) fn token(&self) -> Vec<u8> {
        let mut text = format!("{VERSION}\n");
        if let Some(log) = &self.log {
            let LogPosition { offset, head, told_as, is_assumed, host } = log;
            let host = host.as_deref().filter(|host| host.len() <= HOST_BYTES_MAX);
            let (bytes, hash, assumed) = (head.bytes, head.hash, u8::from(*is_assumed));
            let _ = write!(text, "log {offset} {bytes} {hash:x} {told_as:x} {assumed}");
            if let Some(host) = host {
                let _ = write!(text, " {host}");
            }
            text.push('\n');
        }
        for (name, known) in &self.documents {
            let Known { version, effective_from, bytes, told_as } = known;
            let from = effective_from.0;
            let line = format!("doc {name:x} {version} {from} {bytes:x} {told_as:x}\n");
            if text.len() + line.len() <= POSITION_BYTES_MAX {
                text.push_str(&line);
            }
        }
        text.into_bytes()
    }
}

impl LogPosition {
    fn read(text: &str) -> Option<Self> {
        let mut words = text.splitn(6, ' ');
        Some(Self {
            offset: words.next()?.parse().ok()?,
            head: HeadMark {
                bytes: words.next()?.parse().ok()?,
                hash: u128::from_str_radix(words.next()?, 16).ok()?,
            },
            told_as: u64::from_str_radix(words.next()?, 16).ok()?,
            is_assumed: words.next()? == "1",
            host: words.next().map(str::to_owned),
        })
    }
}

fn read_document(text: &str) -> Option<(u64, Known)> {
    let mut words = text.split(' ');
    let name = u64::from_str_radix(words.next()?, 16).ok()?;
    let known = Known {
        version: words.next()?.parse().ok()?,
        effective_from: Timestamp(words.next()?.parse().ok()?),
        bytes: u64::from_str_radix(words.next()?, 16).ok()?,
        told_as: u64::from_str_radix(words.next()?, 16).ok()?,
    };
    Some((name, known))
}

#[cfg(test)]
mod tests {
    use super::{Known, LogPosition, Position};
    use crate::source::rotated::HeadMark;
    use trueup_model::time::Timestamp;
    use trueup_wire::limits::POSITION_BYTES_MAX;

    fn position(documents: u64) -> Position {
        let known = |name: u64| Known {
            version: 1_750_000_000_000_000 + name.cast_signed(),
            effective_from: if name == 0 { Timestamp::MIN } else { Timestamp(7) },
            bytes: u64::MAX - name,
            told_as: name,
        };
        let log = LogPosition {
            offset: 12_345,
            head: HeadMark { bytes: 4096, hash: u128::MAX },
            told_as: 9,
            is_assumed: true,
            host: Some("lic1.example.org".to_owned()),
        };
        let documents = (0..documents).map(|name| (name << 32 | name, known(name))).collect();
        Position { log: Some(log), documents }
    }

    #[test]
    fn what_was_written_is_read() {
        for mut written in [Position::default(), position(3)] {
            assert_eq!(Position::read(&written.token()), written);
            if let Some(log) = &mut written.log {
                (log.host, log.is_assumed) = (None, false);
            }
            assert_eq!(Position::read(&written.token()), written);
        }
    }

    #[test]
    fn a_position_has_a_length_that_the_wire_allows() {
        let written = position(1000);
        let token = written.token();
        assert!(token.len() <= POSITION_BYTES_MAX);
        let read = Position::read(&token);
        assert_eq!(read.log, written.log);
        assert!(read.documents.len() > 40, "{}", read.documents.len());
    }

    #[test]
    fn a_position_of_another_version_or_kind_counts_as_none() {
        for token in [&b""[..], b"trueup 2\nlog 1 2 3 4 0\n", b"\xff\xfe", b"line 10"] {
            assert_eq!(Position::read(token), Position::default());
        }
        assert_eq!(Position::read(b"trueup 1\nlog x\ndoc 1\nnews\n"), Position::default());
    }
}
