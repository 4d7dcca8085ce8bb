//! Reads the sections of a mapping file that are keyed by field.

use super::super::field::{Field, Kind};
use super::super::{Format, Mapping, Source};
use super::check_path;
use super::walk::{Walk, suggestion};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::de::DeTable;

/// What the file says of kind and format, as far as that could be read.
type Known = (Option<Kind>, Option<Format>);

pub(super) fn read(walk: &mut Walk<'_>, root: &DeTable<'_>, known: Known, mapping: &mut Mapping) {
    let mut places: BTreeMap<Field, &'static str> = BTreeMap::new();
    if let Some(section) = walk.section(root, "columns") {
        for (field, (name, span)) in texts(walk, section, "columns", known) {
            if is_told_twice(walk, &mut places, field, "columns", &span) {
                continue;
            }
            check_column(walk, &name, &span, known);
            mapping.sources[field.index()] = Some(Source::Column(name));
        }
    }
    if let Some(section) = walk.section(root, "joins") {
        read_joins(walk, section, known, &mut places, mapping);
    }
    if let Some(section) = walk.section(root, "constants") {
        for (field, (text, span)) in texts(walk, section, "constants", known) {
            if is_told_twice(walk, &mut places, field, "constants", &span) {
                continue;
            }
            check_value(walk, mapping, known, field, &text, &span);
            mapping.sources[field.index()] = Some(Source::Constant(text));
        }
    }
    if let Some(section) = walk.section(root, "defaults") {
        for (field, (text, span)) in texts(walk, section, "defaults", known) {
            check_value(walk, mapping, known, field, &text, &span);
            mapping.defaults.insert(field, text);
        }
    }
    if let Some(section) = walk.section(root, "values") {
        read_values(walk, section, known, mapping);
    }
    mapping.require = field_list(walk, root, "require", known);
    mapping.optional = field_list(walk, root, "optional", known);
}

/// The texts of a section, by field; keys that are no field are noted.
fn texts(
    walk: &mut Walk<'_>,
    section: &DeTable<'_>,
    name: &str,
    known: Known,
) -> Vec<(Field, (String, Range<usize>))> {
    let mut found = Vec::new();
    for (key, value) in section {
        let field = named(walk, key.get_ref(), &key.span(), name, known);
        let text = walk.text_of(key.get_ref(), value);
        found.extend(field.zip(text));
    }
    found
}

/// The field of this name, if rows of the kind have it.
fn named(
    walk: &mut Walk<'_>,
    name: &str,
    span: &Range<usize>,
    section: &str,
    known: Known,
) -> Option<Field> {
    let fields: &[Field] = known.0.map_or(&Field::ALL, |kind| kind.fields());
    let found = fields.iter().copied().find(|field| field.name() == name);
    if found.is_none() {
        let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
        let kind = known.0.map_or("any kind", Kind::name);
        let message = format!("`{name}` in [{section}] is no field of {kind}");
        walk.problems.add(span, message, suggestion(name, &names));
    }
    found
}

/// Notes a field whose value would come from two places.
fn is_told_twice(
    walk: &mut Walk<'_>,
    places: &mut BTreeMap<Field, &'static str>,
    field: Field,
    section: &'static str,
    span: &Range<usize>,
) -> bool {
    let Some(before) = places.insert(field, section) else { return false };
    let message = format!("`{}` stands under [{before}] already", field.name());
    walk.problems.add(span, message, "say it in one of the two sections");
    true
}

/// Notes a column without a name, or a path that leads nowhere.
fn check_column(walk: &mut Walk<'_>, name: &str, span: &Range<usize>, known: Known) {
    match known.1 {
        Some(format) if !format.is_table() => check_path(walk, name, span),
        Some(_) | None if name.trim().is_empty() => {
            walk.problems.add(span, "a column must have a name", "");
        }
        Some(_) | None => {}
    }
}

/// Notes a value that its field cannot hold.
fn check_value(
    walk: &mut Walk<'_>,
    mapping: &Mapping,
    known: Known,
    field: Field,
    text: &str,
    span: &Range<usize>,
) {
    let problem = known.0.and_then(|kind| mapping.reading.problem(kind, field, text));
    if let Some(problem) = problem {
        let hint = "in a mapping file numbers have a decimal point and dates are 2025-06-30";
        walk.problems.add(span, format!("`{}`: {problem}", field.name()), hint);
    }
}

fn read_joins(
    walk: &mut Walk<'_>,
    section: &DeTable<'_>,
    known: Known,
    places: &mut BTreeMap<Field, &'static str>,
    mapping: &mut Mapping,
) {
    for (key, value) in section {
        let field = named(walk, key.get_ref(), &key.span(), "joins", known);
        let Some(inner) = walk.section(section, key.get_ref()) else { continue };
        walk.known(inner, "joins", &["columns", "separator"]);
        let columns = walk.texts(inner, "columns").unwrap_or_default();
        for (name, span) in &columns {
            check_column(walk, name, span, known);
        }
        if columns.len() < 2 {
            let hint = "columns = [\"PO Number\", \"Position\"]";
            walk.problems.add(&value.span(), "a join needs at least two columns", hint);
        }
        let separator = walk.text(inner, "separator").map(|(text, _)| text);
        let Some(field) = field else { continue };
        if is_told_twice(walk, places, field, "joins", &key.span()) {
            continue;
        }
        mapping.sources[field.index()] = Some(Source::Join {
            columns: columns.into_iter().map(|(name, _)| name).collect(),
            separator: separator.unwrap_or_else(|| " ".to_owned()),
        });
    }
}

fn read_values(walk: &mut Walk<'_>, section: &DeTable<'_>, known: Known, mapping: &mut Mapping) {
    for key in section.keys() {
        let field = named(walk, key.get_ref(), &key.span(), "values", known);
        let Some(inner) = walk.section(section, key.get_ref()) else { continue };
        let mut table = BTreeMap::new();
        for (from, to) in inner {
            let Some((text, span)) = walk.text_of(from.get_ref(), to) else { continue };
            if let (Some(field), false) = (field, text.is_empty()) {
                check_value(walk, mapping, known, field, &text, &span);
            }
            if table.insert(from.get_ref().trim().to_lowercase(), text).is_some() {
                let message =
                    format!("`{}` is translated twice; case does not count", from.get_ref());
                walk.problems.add(&from.span(), message, "");
            }
        }
        if let Some(field) = field {
            mapping.values.insert(field, table);
        }
    }
}

fn field_list(walk: &mut Walk<'_>, root: &DeTable<'_>, key: &str, known: Known) -> Vec<Field> {
    let names = walk.texts(root, key).unwrap_or_default();
    names.iter().filter_map(|(name, span)| named(walk, name, span, key, known)).collect()
}
