//! Finds out what a file is: its format, its delimiter, and which built-in mapping fits.
//!
//! Every finding comes with its reason in words, so that a person can see why a file was taken as
//! what it was, or what a mapping must say.

use super::plan::folded;
use super::{Field, Format, Holds, Kind, Mapping, shown};
use crate::formats::table::{Limits, csv_header, workbook_header};
use crate::formats::text::{byte_order_mark, decode};

/// How much of the beginning of a text is looked at, in bytes.
pub const DETECT_BYTES_MAX: usize = 64 * 1024;

/// What a file seems to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detection {
    /// The format, if it is one that can be read.
    pub format: Option<Format>,
    /// The kind whose built-in mapping fits.
    pub kind: Option<Kind>,
    /// Whether its rows say from when to when each holds, so that the whole speaks for all of time.
    pub is_dated: bool,
    /// What speaks for it, or what is missing, in words.
    pub reason: String,
}

impl Detection {
    /// The built-in mapping that fits, if one does.
    pub fn mapping(&self) -> Option<Mapping> {
        let mut mapping = Mapping::builtin(self.kind?, self.format?);
        if self.is_dated {
            mapping.holds = Holds::Always;
        }
        Some(mapping)
    }

    fn none(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..Self::default() }
    }
}

/// What the file of this name and beginning seems to be.
///
/// The first [`DETECT_BYTES_MAX`] bytes of a text are enough; a workbook can be looked into only as
/// a whole.
pub fn detect(name: &str, bytes: &[u8]) -> Detection {
    if bytes.is_empty() {
        return Detection::none("it is empty");
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return workbook(bytes);
    }
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) || bytes.starts_with(b"%PDF") {
        return Detection::none(
            "it is a password-protected or old Office file or a PDF; save it as .xlsx or .csv",
        );
    }
    let head = &bytes[..bytes.len().min(DETECT_BYTES_MAX)];
    let whole = head.len() == bytes.len();
    if byte_order_mark(head).is_none()
        && let Some(reason) = binary(head)
    {
        return Detection::none(reason);
    }
    let decoded = decode(head, None);
    let text = decoded.bytes.trim_ascii_start();
    if text.starts_with(b"{") || text.starts_with(b"[") {
        return events(text);
    }
    table(name, head, whole)
}

/// Why these bytes are no text, if they are not.
fn binary(head: &[u8]) -> Option<&'static str> {
    let zeros = head.iter().filter(|byte| **byte == 0).count();
    if zeros == 0 {
        return None;
    }
    // Text in UTF-16 has a zero in nearly every second byte if it is in Latin letters.
    let at = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    if at(1) * 4 > head.len() && at(0) * 8 < head.len() {
        return Some("it looks like UTF-16; a mapping must say encoding = \"utf-16le\"");
    }
    if at(0) * 4 > head.len() && at(1) * 8 < head.len() {
        return Some("it looks like UTF-16; a mapping must say encoding = \"utf-16be\"");
    }
    Some("it is not text")
}

fn workbook(bytes: &[u8]) -> Detection {
    let format = Some(Format::Xlsx);
    let probe = Mapping::empty("detection", Kind::Usage, Format::Xlsx);
    match workbook_header(bytes, &probe, &Limits::default()) {
        Ok(names) => fitted(format, "it is a workbook", &names),
        Err(problem) => {
            let is_workbook = memchr::memmem::find(bytes, b"xl/").is_some();
            let reason = format!("it is an archive that cannot be read as a workbook: {problem}");
            let format = format.filter(|_| is_workbook);
            Detection { format, reason, ..Detection::default() }
        }
    }
}

/// Looks at the first event of a stream.
fn events(text: &[u8]) -> Detection {
    let first = text.trim_ascii_start();
    let first = first.strip_prefix(b"[").unwrap_or(first).trim_ascii_start();
    let mut json = serde_json::Deserializer::from_slice(first)
        .into_iter::<std::collections::BTreeMap<String, serde::de::IgnoredAny>>();
    let keys: Vec<String> = match json.next() {
        Some(Ok(event)) => event.into_keys().collect(),
        Some(Err(_)) | None => {
            return Detection::none("it begins like JSON but its first event cannot be read");
        }
    };
    let has = |key: &str| keys.iter().any(|known| known == key);
    if ["specversion", "id", "source", "type"].into_iter().all(has) {
        let reason = "its events are CloudEvents; a mapping must say where the quantity stands";
        return Detection {
            format: Some(Format::CloudEvents),
            kind: None,
            reason: reason.to_owned(),
            is_dated: false,
        };
    }
    fitted(Some(Format::Ndjson), "its lines are JSON objects", &keys)
}

fn table(name: &str, head: &[u8], whole: bool) -> Detection {
    let probe = Mapping::empty("detection", Kind::Usage, Format::Csv);
    let Some((names, why)) = csv_header(head, &probe, whole) else {
        let hint = "its first row is not UTF-8; a mapping must say its encoding";
        return Detection::none(hint);
    };
    let is_csv_name = [".csv", ".tsv", ".txt", ".tab"]
        .into_iter()
        .any(|ending| name.to_ascii_lowercase().ends_with(ending));
    let found = fitted(Some(Format::Csv), &format!("it is text and {why}"), &names);
    // One column of anything is not yet a table.
    if names.len() < 2 && found.kind.is_none() && !is_csv_name {
        let first = names.first().map_or("", String::as_str);
        return Detection::none(format!("it is text, but `{}` is no header", shown(first)));
    }
    found
}

/// A format and the built-in mapping that its column names fit.
fn fitted(format: Option<Format>, found: &str, names: &[String]) -> Detection {
    match Mapping::fit(names) {
        Ok(kind) => {
            let reason = format!("{found}; its columns are those of {}", kind.name());
            let has = |field: Field| names.iter().any(|name| folded(name) == field.name());
            let is_dated = has(Field::Start) && has(Field::End);
            Detection { format, kind: Some(kind), is_dated, reason }
        }
        Err(why) => {
            let reason = format!("{found}; {why}; it needs a mapping");
            Detection { format, reason, ..Detection::default() }
        }
    }
}
