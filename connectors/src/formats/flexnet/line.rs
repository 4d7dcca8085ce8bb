//! The grammar of one line of a debug log.
//!
//! ```text
//! line    = time " (" daemon ")" [ " " message ]      a line without it is a continuation or damage
//! time    = [blank] H:MM:SS                           the server's wall clock; no date, no zone
//! message = event | date carrier | one of the few remarks that matter | chatter
//! ```
//!
//! Lines of summary statistics (`(@daemon-SLOG@)`) are a quarter to nine tenths of real logs; they
//! are told by their first two bytes and only two kinds of them are read, for their date.
//! [`split`] and [`Prefixed::message`] borrow from the line; only a line that is not UTF-8 is copied.

mod event;

pub use event::{Event, Verbose};

use crate::formats::flexnet::date;
use jiff::civil::{Date, DateTime};
use memchr::{memchr, memchr_iter};
use trueup_model::observation::ReservedFor;
use trueup_model::usage::SessionKind;

/// The longest name of a daemon, in bytes; what is longer is no prefix.
pub const DAEMON_BYTES_MAX: usize = 64;
/// Seconds in a day, as a clock shows them.
pub const DAY_SECONDS: u32 = 86_400;

/// A line with the time and the daemon that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefixed<'a> {
    /// The wall clock, in seconds since midnight.
    pub clock: u32,
    /// The daemon as the line names it.
    pub daemon: &'a [u8],
    /// What it wrote, without blanks around it.
    pub message: &'a [u8],
    /// The same as text, if the line was given as text.
    pub text: Option<&'a str>,
}

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A checkout, return, denial or wait.
    Event(Event<'a>),
    /// It begins like an event and does not follow the grammar of one; the words say where.
    Unreadable(&'static str),
    /// A line that carries a date and time of its own: near the line's clock, it is the line's date.
    Dated(DateTime),
    /// Something in the life of a daemon.
    Life(Life<'a>),
    /// The options file sets licenses aside.
    Reserving(Reserving<'a>),
    /// Nothing that matters.
    Chatter,
}

/// Something in the life of a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life<'a> {
    /// `TIMESTAMP 1/9/2017`: it lives, and this is the date of the line.
    Timestamp(Date),
    /// The manager started: its host and the date of the line.
    Banner {
        /// The machine.
        host: &'a str,
        /// The date.
        date: Date,
    },
    /// The vendor daemon serves from here on, with nothing checked out.
    Started {
        /// The machine.
        host: &'a str,
    },
    /// The manager launched a vendor daemon.
    Launched {
        /// The vendor daemon.
        daemon: &'a str,
    },
    /// A vendor daemon says its version: the first line of a new process.
    Version,
    /// The license file is about to be read again.
    RereadBegun,
    /// The license file was read again.
    RereadEnded,
    /// The license of a feature has expired.
    Expired {
        /// The feature.
        feature: &'a str,
    },
}

impl<'a> Life<'a> {
    /// The date of the line, if it says one.
    pub fn date(&self) -> Option<Date> {
        match self {
            Self::Timestamp(date) | Self::Banner { date, .. } => Some(*date),
            Self::Started { .. }
            | Self::Launched { .. }
            | Self::Version
            | Self::RereadBegun
            | Self::RereadEnded
            | Self::Expired { .. } => None,
        }
    }

    /// The machine that the daemon runs on, if the line says it.
    pub fn host(&self) -> Option<&'a str> {
        match self {
            Self::Banner { host, .. } | Self::Started { host } => Some(host),
            Self::Timestamp(_)
            | Self::Launched { .. }
            | Self::Version
            | Self::RereadBegun
            | Self::RereadEnded
            | Self::Expired { .. } => None,
        }
    }
}

/// Licenses that the options file sets aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserving<'a> {
    /// How many.
    pub count: u32,
    /// Of which feature.
    pub feature: &'a str,
    /// For what kind of holder.
    pub holder_kind: ReservedFor,
    /// For whom.
    pub holder: &'a str,
}

/// The words that begin an event.
const EVENT_WORDS: [&[u8]; 7] =
    [b"OUT:", b"IN:", b"DENIED:", b"UNSUPPORTED:", b"QUEUED:", b"DEQUEUED:", b"IN server died:"];

/// What the word that begins an event means, and what follows it.
fn event(message: &[u8]) -> Option<(SessionKind, &[u8])> {
    match message {
        [b'O', b'U', b'T', b':', rest @ ..] => Some((SessionKind::Open, rest)),
        [b'I', b'N', b':', rest @ ..] => Some((SessionKind::Close, rest)),
        [b'I', ..] => Some((SessionKind::Close, message.strip_prefix(b"IN server died:")?)),
        [b'D', b'E', b'N', ..] => Some((SessionKind::Deny, message.strip_prefix(b"DENIED:")?)),
        [b'D', ..] => Some((SessionKind::Dequeue, message.strip_prefix(b"DEQUEUED:")?)),
        [b'U', ..] => Some((SessionKind::Unsupported, message.strip_prefix(b"UNSUPPORTED:")?)),
        [b'Q', ..] => Some((SessionKind::Queue, message.strip_prefix(b"QUEUED:")?)),
        _ => None,
    }
}

/// A line's time, daemon and message, or `None` if it does not begin with a time and a daemon.
#[inline]
pub fn split(line: &[u8]) -> Option<Prefixed<'_>> {
    let (clock, rest) = clock(line)?;
    let [b' ', b'(', rest @ ..] = rest else { return None };
    let mut end = 0;
    while *rest.get(end)? != b')' {
        end += 1;
        if end > DAEMON_BYTES_MAX {
            return None;
        }
    }
    let (daemon, rest) = rest.split_at(end);
    if daemon.is_empty() {
        return None;
    }
    Some(Prefixed { clock, daemon, message: trimmed(rest.get(1..)?), text: None })
}

/// The same for a line that is known to be text, whose message then is not looked through again.
#[inline]
pub fn split_text(line: &str) -> Option<Prefixed<'_>> {
    let prefixed = split(line.as_bytes())?;
    let start = (prefixed.message.as_ptr() as usize).checked_sub(line.as_ptr() as usize)?;
    let text = line.get(start..start + prefixed.message.len());
    Some(Prefixed { text, ..prefixed })
}

/// Without blanks around it; most messages have one before them and none or two behind.
#[inline]
fn trimmed(message: &[u8]) -> &[u8] {
    let message = message.strip_prefix(b" ").unwrap_or(message);
    let message = message.strip_suffix(b"  ").unwrap_or(message);
    match message {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => message,
        _ => message.trim_ascii(),
    }
}

/// The wall clock at the start of a line, and what follows it.
#[inline]
fn clock(line: &[u8]) -> Option<(u32, &[u8])> {
    // Nearly every line has two places for the hour, the first of them blank before ten o'clock.
    let (hour, rest) = match *line {
        [b' ', hour, b':', ref rest @ ..] => (digit(hour)?, rest),
        [tens @ b'0'..=b'2', hour, b':', ref rest @ ..] => (digit(tens)? * 10 + digit(hour)?, rest),
        _ => match *line.trim_ascii_start() {
            [hour, b':', ref rest @ ..] => (digit(hour)?, rest),
            [tens, hour, b':', ref rest @ ..] => (digit(tens)? * 10 + digit(hour)?, rest),
            _ => return None,
        },
    };
    let [minute_tens, minute, b':', second_tens, second, ref rest @ ..] = *rest else {
        return None;
    };
    let minutes = digit(minute_tens)? * 10 + digit(minute)?;
    let seconds = digit(second_tens)? * 10 + digit(second)?;
    let within = hour < 24 && minutes < 60 && seconds < 60;
    within.then_some((hour * 3_600 + minutes * 60 + seconds, rest))
}

fn digit(byte: u8) -> Option<u32> {
    byte.is_ascii_digit().then(|| u32::from(byte - b'0'))
}

/// A daemon's own name: a forked child `daemon_1` writes for `daemon`.
pub fn parent(daemon: &[u8]) -> &[u8] {
    let digits = daemon.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (name, _) = daemon.split_at(daemon.len() - digits);
    match name {
        [parent @ .., b'_'] if digits > 0 && !parent.is_empty() => parent,
        _ => daemon,
    }
}

/// Bytes as text: borrowed if they are UTF-8, else copied with replacement characters.
fn text<'a>(bytes: &'a [u8], scratch: &'a mut String) -> &'a str {
    if let Ok(text) = str::from_utf8(bytes) {
        return text;
    }
    scratch.clear();
    scratch.push_str(&String::from_utf8_lossy(bytes));
    scratch
}

impl<'a> Prefixed<'a> {
    /// What the line says; `scratch` holds a copy of the message if it is not UTF-8.
    pub fn message(&self, scratch: &'a mut String) -> Message<'a> {
        let message = self.message;
        if let Some((kind, rest)) = event(message) {
            return match Event::read(kind, self.text_of(rest, scratch)) {
                Ok(event) => Message::Event(event),
                Err(why) => Message::Unreadable(why),
            };
        }
        if message.starts_with(b"(@") {
            return summary(message);
        }
        if let Some(rest @ ([] | [b' ' | b'\t', ..])) = message.strip_prefix(b"TIMESTAMP") {
            return match date::month_day_year(self.text_of(rest, scratch).trim_ascii()) {
                Some((date, _)) => Message::Life(Life::Timestamp(date)),
                None => Message::Unreadable("a time stamp without a date"),
            };
        }
        if holds_event(message) {
            return Message::Unreadable("an event begins in the middle of the line");
        }
        remark(self.text_of(message, scratch)).unwrap_or(Message::Chatter)
    }

    /// The end of the message as text.
    #[inline]
    fn text_of(&self, end: &'a [u8], scratch: &'a mut String) -> &'a str {
        let known = self.text.and_then(|all| all.get(all.len().checked_sub(end.len())?..));
        known.unwrap_or_else(|| text(end, scratch))
    }
}

/// A line of summary statistics: of interest only if it tells the date.
fn summary(message: &[u8]) -> Message<'_> {
    let Some(end) = memchr(b')', message) else { return Message::Chatter };
    let rest = message.get(end + 1..).unwrap_or_default().trim_ascii_start();
    let told = rest.strip_prefix(b"Time: ").or_else(|| rest.strip_prefix(b"Start-Date: "));
    let told = told.and_then(leading_text).and_then(date::weekday_date_time);
    told.map_or(Message::Chatter, Message::Dated)
}

/// The ASCII at the start of a text: a date, before a zone name in whatever encoding.
fn leading_text(bytes: &[u8]) -> Option<&str> {
    let length = bytes.iter().take_while(|byte| byte.is_ascii()).count();
    str::from_utf8(bytes.get(..length)?).ok()
}

/// The remarks that matter.
fn remark(message: &str) -> Option<Message<'_>> {
    match message.as_bytes().first()? {
        b'F' => banner(message),
        b'S' => {
            if let Some(rest) = message.strip_prefix("Server started on ") {
                let host = rest.split(" for:").next()?.trim();
                return Some(Message::Life(Life::Started { host }));
            }
            if let Some(rest) = message.strip_prefix("Server's System Date and Time:") {
                return date::weekday_date_time(rest).map(Message::Dated);
            }
            launched(message.strip_prefix("Started ")?)
        }
        b'R' => {
            if message.starts_with("Rereading ") {
                return Some(Message::Life(Life::RereadBegun));
            }
            if let Some(rest) = message.strip_prefix("Restarted ") {
                return launched(rest);
            }
            reserving(message.strip_prefix("RESERVING ")?).map(Message::Reserving)
        }
        b'.' | b'D' => {
            let ended = message.starts_with("...Finished rereading")
                || message.starts_with("Done rereading");
            ended.then_some(Message::Life(Life::RereadEnded))
        }
        b'E' => {
            let feature = message.strip_prefix("EXPIRED: ")?.trim().trim_matches('"');
            (!feature.is_empty()).then_some(Message::Life(Life::Expired { feature }))
        }
        _ => None,
    }
}

/// `FlexNet Licensing (v11.13 …) started on HOST (linux) (1/8/2017)`, or a vendor daemon's version.
fn banner(message: &str) -> Option<Message<'_>> {
    let rest = ["FlexNet Licensing ", "FLEXnet Licensing ", "FLEXlm "]
        .iter()
        .find_map(|word| message.strip_prefix(word))?;
    if rest.starts_with("version ") {
        return Some(Message::Life(Life::Version));
    }
    let (_, rest) = rest.split_once(" started on ")?;
    let host = rest.split(" (").next()?.trim();
    let (date, _) = date::month_day_year(rest.rsplit_once('(')?.1)?;
    (!host.is_empty()).then_some(Message::Life(Life::Banner { host, date }))
}

/// `MLM (internet tcp_port 46469 pid 2357)`
fn launched(rest: &str) -> Option<Message<'_>> {
    let (daemon, rest) = rest.split_once(" (")?;
    (rest.contains("pid") && !daemon.contains(' '))
        .then_some(Message::Life(Life::Launched { daemon }))
}

/// `10 SIM/145D 7797 905A 1252  licenses for USER_GROUP G1`
fn reserving(rest: &str) -> Option<Reserving<'_>> {
    let (count, rest) = date::number(rest)?;
    let (feature, holder) =
        rest.split_once(" licenses for ").or_else(|| rest.split_once(" license for "))?;
    let (kind, holder) = holder.trim().split_once(' ')?;
    let feature = without_signature(feature.trim()).trim_matches('"');
    let holder = holder.trim();
    let whole = count > 0 && !feature.is_empty() && !holder.is_empty();
    whole.then_some(Reserving { count, feature, holder_kind: reserved_for(kind), holder })
}

/// A feature without the signature that tells its pools apart: `SIM/145D 7797` is `SIM`.
fn without_signature(feature: &str) -> &str {
    match feature.rsplit_once('/') {
        Some((name, signature)) if event::is_signature(signature) => name.trim_end(),
        _ => feature,
    }
}

/// The kind of holder that a word of an options file, log or report names.
pub(super) fn reserved_for(word: &str) -> ReservedFor {
    match word.to_ascii_uppercase().as_str() {
        "USER" => ReservedFor::User,
        "HOST" => ReservedFor::Host,
        "GROUP" | "USER_GROUP" => ReservedFor::UserGroup,
        "HOST_GROUP" => ReservedFor::HostGroup,
        _ => ReservedFor::Other,
    }
}

/// Whether an event begins inside a line: what is left when two writers mix their lines.
pub(super) fn holds_event(line: &[u8]) -> bool {
    memchr_iter(b'"', line).any(|quote| {
        let Some(head) = line.get(..quote).and_then(|head| head.strip_suffix(b" ")) else {
            return false;
        };
        if !head.ends_with(b":") {
            return false;
        }
        EVENT_WORDS.iter().any(|word| {
            let before = head.strip_suffix(*word);
            before.is_some_and(|before| matches!(before, [] | [.., b')' | b' ' | b'\t']))
        })
    })
}

/// Whether a message can be the beginning of an event or a time stamp that was cut.
pub(super) fn begins_event(message: &[u8]) -> bool {
    let mut words = EVENT_WORDS.into_iter().chain([&b"TIMESTAMP "[..]]);
    !message.is_empty() && words.any(|word| word.starts_with(message))
}

#[cfg(test)]
mod tests;
