//! Reads a mapping file: TOML in, a checked [`Mapping`] or all of its mistakes out.

mod fields;
mod walk;

use super::moment::pattern_problem;
use super::number::Locale;
use super::problems::{MappingErrors, Problems};
use super::reading::Words;
use super::{
    Events, Field, Format, Holds, KeyPart, Kind, Layout, MAPPING_BYTES_MAX, Mapping, MissingTime,
    Source,
};
use crate::formats::cloudevents::path;
use crate::formats::text::Encoding;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::de::DeTable;
use trueup_model::calendar::Zone;
use walk::{Placed, Walk};

/// The most rows that may stand before a header.
const SKIP_ROWS_MAX: u64 = 10_000;

/// Where a mistake stands that is about the whole file.
const START: Range<usize> = 0..0;

const ROOT_KEYS: [&str; 17] = [
    "kind",
    "format",
    "document",
    "holds",
    "time_zone",
    "expiry_day_included",
    "require",
    "optional",
    "table",
    "locale",
    "words",
    "columns",
    "joins",
    "constants",
    "defaults",
    "values",
    "key",
];

pub(super) fn parse(name: &str, text: &str) -> Result<Mapping, MappingErrors> {
    let mut walk = Walk { problems: Problems::new(name, text) };
    if text.len() > MAPPING_BYTES_MAX {
        let message = format!("it is longer than {MAPPING_BYTES_MAX} bytes");
        walk.problems.add(&START, message, "a mapping is a page of text; is this the right file?");
        return walk.problems.finish(None);
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let hint = "text stands in quotes, lists in [brackets], sections begin with [name]";
        walk.problems.add(&error.span().unwrap_or(START), error.message().trim(), hint);
    }
    let mapping = mapping(&mut walk, name, root.get_ref(), !errors.is_empty());
    walk.problems.finish(mapping)
}

/// Reads the whole file; `broken` if it is not TOML throughout, so that what seems to be missing
/// may be there.
fn mapping(walk: &mut Walk<'_>, name: &str, root: &DeTable<'_>, broken: bool) -> Option<Mapping> {
    let mut keys = ROOT_KEYS.to_vec();
    keys.extend(["skip", "events"]);
    walk.known(root, "", &keys);
    let kind = needed_word(walk, root, "kind", &Kind::ALL.map(Kind::name), broken);
    let format = needed_word(walk, root, "format", &Format::ALL.map(Format::name), broken);
    let kind = kind.map(|(place, span)| (Kind::ALL[place], span));
    let format = format.map(|(place, span)| (Format::ALL[place], span));
    // What is left is checked even if the two cannot be read, as far as it does not depend on them.
    let known = (kind.as_ref().map(|found| found.0), format.as_ref().map(|found| found.0));
    let mut mapping =
        Mapping::empty(name, known.0.unwrap_or(Kind::Usage), known.1.unwrap_or(Format::Csv));
    mapping.document = walk.text(root, "document").map(|(text, _)| text);
    if let Some((place, _)) = walk.word(root, "holds", &["always", "from_taken"]) {
        mapping.holds = if place == 0 { Holds::Always } else { Holds::FromTaken };
    }
    if let Some((text, span)) = walk.text(root, "time_zone") {
        match Zone::named(&text) {
            Ok(zone) => mapping.zone = Some(zone),
            Err(error) => walk.problems.add(&span, error.to_string(), ""),
        }
    }
    if let Some(flag) = walk.flag(root, "expiry_day_included") {
        mapping.reading.end_day_included = flag;
    }
    if let Some(section) = walk.section(root, "table") {
        read_layout(walk, section, known.1, &mut mapping.layout);
    }
    if let Some(section) = walk.section(root, "locale") {
        let (locale, dates) = read_locale(walk, section);
        mapping.reading.locale = locale;
        mapping.reading.dates = dates;
    }
    if let Some(section) = walk.section(root, "words") {
        read_words(walk, section, &mut mapping.reading.words);
    }
    if let Some(section) = walk.section(root, "events") {
        read_events(walk, section, known.1, &mut mapping.events);
    }
    fields::read(walk, root, known, &mut mapping);
    if let Some(section) = walk.section(root, "key") {
        read_key(walk, section, known.1, &mut mapping.key);
    }
    if let Some(section) = walk.section(root, "skip") {
        read_skip(walk, section, known.1, &mut mapping.skip);
    }
    let (Some((kind, kind_span)), Some((format, format_span))) = (kind, format) else {
        return None;
    };
    if format == Format::CloudEvents {
        if !kind.is_events() {
            let message = format!("cloudevents cannot be {}", kind.name());
            walk.problems.add(&format_span, message, "write kind = \"usage\"");
        }
        preset_cloudevents(&mut mapping);
    }
    if !broken {
        check_whole(walk, &mapping, &kind_span);
    }
    Some(mapping)
}

/// A word that must be there.
fn needed_word(
    walk: &mut Walk<'_>,
    root: &DeTable<'_>,
    key: &str,
    words: &[&str],
    broken: bool,
) -> Option<Placed<usize>> {
    if root.get(key).is_none() && !broken {
        let hint = format!("write {key} = \"…\" with one of {}", words.join(", "));
        walk.problems.add(&START, format!("`{key}` is missing"), hint);
    }
    walk.word(root, key, words)
}

fn read_layout(
    walk: &mut Walk<'_>,
    section: &DeTable<'_>,
    format: Option<Format>,
    layout: &mut Layout,
) {
    let keys = ["encoding", "delimiter", "quote", "sheet", "skip_rows", "header"];
    walk.known(section, "table", &keys);
    for (key, value) in section {
        let name: &str = key.get_ref();
        let fits = match format {
            None => true,
            Some(Format::Csv) => name != "sheet",
            Some(Format::Xlsx) => !matches!(name, "encoding" | "delimiter" | "quote"),
            Some(Format::Ndjson | Format::CloudEvents) => false,
        };
        if !fits && keys.contains(&name) {
            let format = format.map_or("", Format::name);
            walk.problems.add(&value.span(), format!("{format} has no {name}"), "leave it out");
        }
    }
    if let Some((text, span)) = walk.text(section, "encoding") {
        layout.encoding = Encoding::named(&text);
        if layout.encoding.is_none() {
            let message = format!("`{text}` is no encoding");
            walk.problems.add(&span, message, "such as utf-8, windows-1252 or utf-16le");
        }
    }
    if let Some((text, span)) = walk.text(section, "delimiter") {
        layout.delimiter = if text == "tab" { Some(b'\t') } else { sign(walk, &text, &span) };
    }
    if let Some((text, span)) = walk.text(section, "quote") {
        layout.quote = if text.is_empty() { None } else { sign(walk, &text, &span) };
    }
    layout.sheet = walk.text(section, "sheet").map(|(text, _)| text);
    layout.skip_rows = walk.count(section, "skip_rows", SKIP_ROWS_MAX).unwrap_or(0);
    layout.header = walk.flag(section, "header").unwrap_or(true);
    if layout.delimiter.is_some() && layout.delimiter == layout.quote {
        let span = section.get("delimiter").map_or(START, toml::Spanned::span);
        walk.problems.add(&span, "delimiter and quote are the same sign", "");
    }
}

/// A single sign of ASCII that can stand between or around cells.
fn sign(walk: &mut Walk<'_>, text: &str, span: &Range<usize>) -> Option<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\r\n".contains(byte) => {
            Some(*byte)
        }
        _ => {
            let message = format!("`{text}` is not one sign");
            walk.problems.add(span, message, "such as \";\" or \",\" or \"tab\"");
            None
        }
    }
}

fn read_locale(walk: &mut Walk<'_>, section: &DeTable<'_>) -> (Locale, Vec<String>) {
    walk.known(section, "locale", &["decimal", "thousands", "dates"]);
    let mut locale = Locale::PLAIN;
    for key in ["decimal", "thousands"] {
        let Some((text, span)) = walk.text(section, key) else { continue };
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) if !letter.is_alphanumeric() && !"+-()".contains(letter) => {
                if key == "decimal" {
                    locale.decimal = letter;
                } else {
                    locale.thousands = Some(letter);
                }
            }
            _ => walk.problems.add(
                &span,
                format!("`{text}` is not one sign"),
                "decimal = \",\" and thousands = \".\" read 1.234,50",
            ),
        }
    }
    if locale.thousands == Some(locale.decimal) {
        let place = section.get("thousands").or(section.get("decimal"));
        walk.problems.add(
            &place.map_or(START, toml::Spanned::span),
            format!("decimal and thousands sign are both `{}`", locale.decimal),
            "the decimal sign is `.` unless `decimal` says otherwise",
        );
    }
    let patterns = walk.texts(section, "dates").unwrap_or_default();
    for (pattern, span) in &patterns {
        if let Some(problem) = pattern_problem(pattern) {
            let hint = "such as %d/%m/%Y for 03/04/2023, the third of April; %y is a short year";
            walk.problems.add(span, problem, hint);
        }
    }
    (locale, patterns.into_iter().map(|(pattern, _)| pattern).collect())
}

fn read_words(walk: &mut Walk<'_>, section: &DeTable<'_>, words: &mut Words) {
    walk.known(section, "words", &["empty", "unlimited", "open"]);
    for (key, list) in [
        ("empty", &mut words.empty),
        ("unlimited", &mut words.unlimited),
        ("open", &mut words.open),
    ] {
        if let Some(found) = walk.texts(section, key) {
            *list = found.into_iter().map(|(word, _)| word.trim().to_owned()).collect();
        }
    }
}

fn read_events(
    walk: &mut Walk<'_>,
    section: &DeTable<'_>,
    format: Option<Format>,
    events: &mut Events,
) {
    walk.known(section, "events", &["types", "event", "received_at", "missing_time"]);
    for (key, value) in section {
        let name: &str = key.get_ref();
        let fits = match format {
            None | Some(Format::CloudEvents) => true,
            Some(Format::Ndjson) => name != "types",
            Some(Format::Csv | Format::Xlsx) => name == "missing_time",
        };
        if !fits {
            let format = format.map_or("", Format::name);
            walk.problems.add(&value.span(), format!("{format} has no {name}"), "leave it out");
        }
    }
    let types = walk.texts(section, "types").unwrap_or_default();
    events.types = types.into_iter().map(|(name, _)| name).collect();
    let mut a_path = |key| {
        let (text, span) = walk.text(section, key)?;
        check_path(walk, &text, &span);
        Some(text)
    };
    events.event = a_path("event");
    events.received_at = a_path("received_at");
    if let Some((place, _)) = walk.word(section, "missing_time", &["reject", "received"]) {
        let all = [MissingTime::Reject, MissingTime::Received];
        events.missing_time = all[place];
    }
}

/// Notes a path that leads nowhere.
fn check_path(walk: &mut Walk<'_>, text: &str, span: &Range<usize>) {
    if let Err(problem) = path::parse(text) {
        walk.problems.add(span, problem, "such as data.duration or /data/duration");
    }
}

fn read_key(
    walk: &mut Walk<'_>,
    section: &DeTable<'_>,
    format: Option<Format>,
    key: &mut Vec<KeyPart>,
) {
    walk.known(section, "key", &["columns", "all_columns", "row_number"]);
    for (name, span) in walk.texts(section, "columns").unwrap_or_default() {
        if format.is_some_and(|format| !format.is_table()) {
            check_path(walk, &name, &span);
        }
        key.push(KeyPart::Column(name));
    }
    if walk.flag(section, "all_columns") == Some(true) {
        key.push(KeyPart::AllColumns);
    }
    if walk.flag(section, "row_number") == Some(true) {
        key.push(KeyPart::RowNumber);
    }
}

fn read_skip(
    walk: &mut Walk<'_>,
    section: &DeTable<'_>,
    format: Option<Format>,
    skip: &mut BTreeMap<String, Vec<String>>,
) {
    for column in section.keys() {
        let name: &str = column.get_ref();
        if format.is_some_and(|format| !format.is_table()) {
            check_path(walk, name, &column.span());
        }
        let words = walk.texts(section, name).unwrap_or_default();
        let words = words.into_iter().map(|(word, _)| word.trim().to_lowercase()).collect();
        skip.insert(name.to_owned(), words);
    }
}

/// Fills in what the CloudEvents standard says.
fn preset_cloudevents(mapping: &mut Mapping) {
    let presets = [
        (Field::Id, "id"),
        (Field::Source, "source"),
        (Field::At, "time"),
        (Field::Product, "type"),
    ];
    for (field, attribute) in presets {
        let source = &mut mapping.sources[field.index()];
        if source.is_none() {
            *source = Some(Source::Column(attribute.to_owned()));
        }
    }
    let subject = Source::Column("subject".to_owned());
    let used = mapping.sources.iter().flatten().any(|source| *source == subject);
    if !used && mapping.sources[Field::Account.index()].is_none() {
        mapping.sources[Field::Account.index()] = Some(subject);
    }
}

/// Checks what no single section can: that rows can say something, and have an identity.
fn check_whole(walk: &mut Walk<'_>, mapping: &Mapping, kind_span: &Range<usize>) {
    let kind = mapping.kind;
    for field in kind.needs() {
        let given = mapping.sources[field.index()].is_some()
            || mapping.defaults.contains_key(field)
            || (*field == Field::At && mapping.events.missing_time == MissingTime::Received);
        if !given {
            let message = format!("a row of {} needs `{}`", kind.name(), field.name());
            let hint = format!(
                "write {0} = \"name of its column\" under [columns], or {0} = \"value\" under \
                 [constants]",
                field.name()
            );
            walk.problems.add(kind_span, message, hint);
        }
    }
    let id = &mapping.sources[Field::Id.index()];
    if kind.is_events() && mapping.key.is_empty() && id.is_none() {
        let hint = "map `id`, or name the columns that make a row itself under [key]; \
                    row_number = true takes every row of a file for an event of its own";
        walk.problems.add(kind_span, "usage needs an identity", hint);
    }
}
