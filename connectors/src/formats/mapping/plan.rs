//! A mapping bound to the columns of one table: which cell fills which field of which row.

use super::cell::{Cell, Fault, shown};
use super::field::Field;
use super::{KeyPart, Mapping, Source};
use trueup_model::calendar::Zone;
use trueup_model::reject::RejectReason;

/// How many column names a message lists.
const NAMES_SHOWN_MAX: usize = 20;

/// Where a field's value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Absent,
    Column(usize),
    Join(usize),
    Constant,
}

/// What a row's identity is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeySlot {
    Column(usize),
    Field(Field),
    AllColumns,
    RowNumber,
}

/// A mapping bound to a table's columns.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    fields: [Slot; Field::COUNT],
    joins: Vec<(Vec<usize>, String)>,
    key: Vec<KeySlot>,
    skip: Vec<(usize, Vec<String>)>,
}

/// A column name as it is compared: without case, and blanks within it are one.
pub(crate) fn folded(name: &str) -> String {
    let bare = name.trim_start_matches('\u{feff}');
    bare.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl Plan {
    /// Binds the mapping to columns of these names, or says which columns are missing or twofold.
    pub(crate) fn bind(mapping: &Mapping, header: &[String]) -> Result<Self, Fault> {
        let mut binder = Binder::new(mapping, header);
        let mut fields = [Slot::Absent; Field::COUNT];
        let mut joins = Vec::new();
        for field in mapping.kind.fields() {
            let slot = match &mapping.sources[field.index()] {
                None => Slot::Absent,
                Some(Source::Constant(_)) => Slot::Constant,
                Some(Source::Column(name)) => {
                    let optional = mapping.may_lack(*field);
                    binder.find(name, optional).map_or(Slot::Absent, Slot::Column)
                }
                Some(Source::Join { columns, separator }) => {
                    let found = columns.iter().filter_map(|name| binder.find(name, false));
                    joins.push((found.collect(), separator.clone()));
                    Slot::Join(joins.len() - 1)
                }
            };
            fields[field.index()] = slot;
        }
        let has_id = fields[Field::Id.index()] != Slot::Absent;
        let parts = match mapping.key.as_slice() {
            [] if has_id => &[KeyPart::Field(Field::Id)],
            // Events must not merge because they look alike: their place in the document is what
            // tells them apart.
            [] if mapping.kind.is_events() => [KeyPart::AllColumns, KeyPart::RowNumber].as_slice(),
            [] => &[KeyPart::RowNumber],
            parts => parts,
        };
        let mut key = Vec::with_capacity(parts.len());
        for part in parts {
            key.extend(match part {
                KeyPart::Column(name) => binder.find(name, false).map(KeySlot::Column),
                KeyPart::Field(field) => Some(KeySlot::Field(*field)),
                KeyPart::AllColumns => Some(KeySlot::AllColumns),
                KeyPart::RowNumber => Some(KeySlot::RowNumber),
            });
        }
        let skip = mapping.skip.iter();
        let skip =
            skip.filter_map(|(name, words)| Some((binder.find(name, false)?, words.clone())));
        let skip = skip.collect();
        binder.finish(Self { fields, joins, key, skip })
    }

    /// Whether the mapping says that the row is no business of its table.
    pub(crate) fn skips(&self, cells: &[Cell<'_>]) -> bool {
        self.skip.iter().any(|(index, words)| {
            let word = cells.get(*index).map_or("", |cell| cell.text).to_lowercase();
            words.contains(&word)
        })
    }

    /// The joined values of a row, in the order of the joins.
    pub(crate) fn join(&self, cells: &[Cell<'_>]) -> Vec<String> {
        let one = |(columns, separator): &(Vec<usize>, String)| {
            let texts = columns.iter().filter_map(|index| cells.get(*index)).map(|cell| cell.text);
            texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(separator)
        };
        self.joins.iter().map(one).collect()
    }
}

/// Looks columns up and gathers what is wrong.
struct Binder<'a> {
    mapping: &'a Mapping,
    header: &'a [String],
    folded: Vec<String>,
    missing: Vec<String>,
    twofold: Vec<String>,
}

impl<'a> Binder<'a> {
    fn new(mapping: &'a Mapping, header: &'a [String]) -> Self {
        // The paths of events are names that programs gave; there, case matters.
        let fold = |name: &String| {
            if mapping.format.is_table() { folded(name) } else { name.clone() }
        };
        let folded = header.iter().map(fold).collect();
        Self { mapping, header, folded, missing: Vec::new(), twofold: Vec::new() }
    }

    fn find(&mut self, name: &str, optional: bool) -> Option<usize> {
        let wanted = if self.mapping.format.is_table() { folded(name) } else { name.to_owned() };
        let mut places = (0..self.folded.len()).filter(|index| self.folded[*index] == wanted);
        match (places.next(), places.next()) {
            (Some(place), None) => Some(place),
            (Some(_), Some(_)) => {
                self.twofold.push(name.to_owned());
                None
            }
            (None, _) => {
                if !optional && !self.missing.iter().any(|known| known == name) {
                    self.missing.push(name.to_owned());
                }
                None
            }
        }
    }

    fn finish(self, plan: Plan) -> Result<Plan, Fault> {
        let list = |names: &[String]| {
            let short: Vec<_> =
                names.iter().take(NAMES_SHOWN_MAX).map(|name| shown(name)).collect();
            let rest = if names.len() > NAMES_SHOWN_MAX { " …" } else { "" };
            format!("`{}`{rest}", short.join("`, `"))
        };
        if !self.twofold.is_empty() {
            let detail = format!("the header has {} more than once", list(&self.twofold));
            return Err(Fault::new(RejectReason::Malformed, detail));
        }
        if !self.missing.is_empty() {
            let detail = format!(
                "the header lacks {}, which mapping {} names; it has {}",
                list(&self.missing),
                self.mapping.name,
                list(self.header)
            );
            return Err(Fault::new(RejectReason::MissingValue, detail));
        }
        Ok(plan)
    }
}

/// One row through the eyes of its mapping.
pub(crate) struct Record<'r> {
    /// The mapping.
    pub(crate) mapping: &'r Mapping,
    /// The mapping bound to the row's columns.
    pub(crate) plan: &'r Plan,
    /// The zone of its dates.
    pub(crate) zone: &'r Zone,
    /// The row.
    pub(crate) cells: &'r [Cell<'r>],
    /// What [`Plan::join`] made of the row.
    pub(crate) joined: &'r [String],
}

impl<'r> Record<'r> {
    /// The field's cell as it stands in the row, before translation.
    fn written(&self, field: Field) -> Cell<'r> {
        match self.plan.fields[field.index()] {
            Slot::Absent => Cell::EMPTY,
            Slot::Column(index) => self.cells.get(index).copied().unwrap_or(Cell::EMPTY),
            Slot::Join(index) => Cell::text(self.joined.get(index).map_or("", String::as_str)),
            Slot::Constant => match &self.mapping.sources[field.index()] {
                Some(Source::Constant(text)) => Cell::stated(text),
                Some(Source::Column(_) | Source::Join { .. }) | None => Cell::EMPTY,
            },
        }
    }

    /// The field's value after translation and default; `None` if there is none.
    pub(crate) fn value(&self, field: Field) -> Option<Cell<'r>> {
        let cell = self.written(field);
        let reading = &self.mapping.reading;
        if !reading.is_empty(cell) {
            let table = self.mapping.values.get(&field);
            match table.and_then(|table| table.get(&cell.text.to_lowercase())) {
                None => return Some(cell),
                Some(word) if !word.is_empty() => return Some(Cell::stated(word)),
                Some(_) => {}
            }
        }
        self.mapping.defaults.get(&field).map(|word| Cell::stated(word))
    }

    /// The field's value turned by `read`, if it has one; a fault names its column.
    pub(crate) fn optional<T>(
        &self,
        field: Field,
        read: impl FnOnce(Cell<'r>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let Some(cell) = self.value(field) else { return Ok(None) };
        read(cell).map(Some).map_err(|fault| fault.at(&self.place(field)))
    }

    /// The same for a field without which the row says nothing.
    pub(crate) fn needed<T>(
        &self,
        field: Field,
        read: impl FnOnce(Cell<'r>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.optional(field, read)?.ok_or_else(|| {
            Fault::new(RejectReason::MissingValue, format!("{}: no value", self.place(field)))
        })
    }

    pub(crate) fn name(&self, field: Field) -> Result<Option<&'r str>, Fault> {
        self.optional(field, |cell| self.mapping.reading.name(cell))
    }

    pub(crate) fn needed_name(&self, field: Field) -> Result<&'r str, Fault> {
        self.needed(field, |cell| self.mapping.reading.name(cell))
    }

    /// Where the field's value comes from, for messages.
    pub(crate) fn place(&self, field: Field) -> String {
        match &self.mapping.sources[field.index()] {
            Some(Source::Column(name)) if self.mapping.format.is_table() => {
                format!("column `{name}`")
            }
            Some(Source::Column(name)) => format!("field `{name}`"),
            Some(Source::Join { columns, .. }) => format!("columns `{}`", columns.join("` + `")),
            Some(Source::Constant(_)) | None => format!("`{}`", field.name()),
        }
    }

    /// The parts of the row's identity.
    ///
    /// # Errors
    /// If the key consists of columns and all of them are empty: rows without a key would be one.
    pub(crate) fn key<'k>(
        &self,
        document: &'k str,
        position: &'k [u8; 8],
    ) -> Result<Vec<&'k [u8]>, Fault>
    where
        'r: 'k,
    {
        let mut parts: Vec<&'k [u8]> = Vec::with_capacity(self.plan.key.len() + 1);
        let mut told = false;
        for slot in &self.plan.key {
            match slot {
                KeySlot::Column(index) => {
                    parts.push(self.cells.get(*index).map_or("", |cell| cell.text).as_bytes());
                }
                KeySlot::Field(field) => parts.push(self.written(*field).text.as_bytes()),
                KeySlot::AllColumns => {
                    parts.extend(self.cells.iter().map(|cell| cell.text.as_bytes()));
                }
                KeySlot::RowNumber => {
                    told = true;
                    if self.mapping.kind.is_events() {
                        parts.push(document.as_bytes());
                    }
                    parts.push(position);
                }
            }
        }
        if told || parts.iter().any(|part| !part.is_empty()) {
            return Ok(parts);
        }
        Err(Fault::new(RejectReason::MissingValue, "nothing in the columns of the key"))
    }
}
