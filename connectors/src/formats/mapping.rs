//! Mappings: what the columns of a table or the fields of an event mean, said in a small TOML file.
//!
//! A mapping never guesses. A column that it names must be there, a number or date must follow the
//! signs and patterns that it states, a word of a closed list must be one of the list or be
//! translated; what is not goes to quarantine, row by row. A mapping file with mistakes is refused
//! as a whole, with all of them listed. Tables whose headers are the field names of [`Kind::fields`]
//! need no file: [`Mapping::builtin`] is theirs, and [`detect`] finds out which one.
//!
//! ```toml
//! kind = "purchases"              # or seats, accounts, aliases, memberships, products, allocations, fees, bills, usage
//! format = "csv"                  # csv, xlsx, ndjson, cloudevents
//! document = "purchases"          # whose former version a new file replaces; the file's name if absent
//! holds = "always"                # always: replaces what was said; from_taken: from its day on (seats whose
//!                                 # rows do not say start and end themselves)
//! time_zone = "Europe/Berlin"     # in which days begin
//! expiry_day_included = true      # "valid through 30 June" ends when 1 July begins
//! require = ["account"]           # a row without them is set aside as incomplete
//! optional = ["cost"]             # fields whose column may be missing from the file
//!
//! [table]
//! encoding = "windows-1252"       # where no byte order mark says it; UTF-8 if absent
//! delimiter = ";"                 # found out if absent
//! quote = "\""                    # "" if quotes mean nothing
//! sheet = "Purchases"             # the first visible sheet if absent
//! skip_rows = 0                   # rows before the header
//! header = true                   # false: columns are called A, B, C …
//!
//! [locale]
//! decimal = ","
//! thousands = "."
//! dates = ["%d.%m.%Y"]            # the first that fits counts; ISO dates are read always
//!
//! [words]                         # in any case
//! empty = ["n/a"]                 # mean nothing, in every column
//! unlimited = ["unlimited"]       # for quantities
//! open = ["perpetual"]            # for ends
//!
//! [columns]                       # field = "name of the column"
//! product = "Product"
//! [joins.line]                    # several columns that make one value
//! columns = ["PO Number", "Position"]
//! separator = "/"
//! [constants]                     # the same for every row
//! metric = "named_user"
//! [defaults]                      # where the cell is empty
//! currency = "EUR"
//! [values.metric]                 # what a cell says = what it means
//! "Concurrent User" = "concurrent"
//!
//! [skip]                          # rows that are no business of this table, and are only counted
//! "Status" = ["Suspended"]
//!
//! [key]                           # what makes a row itself; its row number if absent
//! columns = ["PO Number"]
//! all_columns = false
//! row_number = false
//!
//! [events]                        # for ndjson and cloudevents; columns are paths, "data.n" or "/data/n"
//! types = ["api-calls"]           # cloudevents only: the types that are meant
//! event = "/event"                # where the event stands in a wrapper
//! received_at = "/received_at"    # where the wrapper says when it was received
//! missing_time = "received"       # an event without a time happened when it was received; or reject
//! ```

use std::collections::BTreeMap;
use trueup_model::calendar::Zone;

mod body;
pub(crate) mod cell;
mod builtin;
mod detect;
pub(crate) mod emit;
mod field;
mod moment;
mod number;
pub(crate) mod plan;
mod problems;
mod read;
mod reading;
mod suits;

pub use cell::NAME_BYTES_MAX;
pub use detect::{DETECT_BYTES_MAX, Detection, detect};
pub use emit::{Snapshot, Summary};
pub use field::{Field, Kind};
pub use problems::{MappingErrors, Problem};

pub(crate) use cell::shown;
use reading::Reading;

/// The longest mapping file, in bytes.
pub const MAPPING_BYTES_MAX: usize = 1024 * 1024;

/// What the bytes of a table or stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Text with one row a line and a sign between the cells.
    Csv,
    /// An Office Open XML workbook.
    Xlsx,
    /// One JSON object a line, or lists of them.
    Ndjson,
    /// The same, where each object is a CloudEvent in structured mode.
    CloudEvents,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Xlsx, Self::Ndjson, Self::CloudEvents];

    /// The format's name in mapping files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Ndjson => "ndjson",
            Self::CloudEvents => "cloudevents",
        }
    }

    /// Whether it has columns with names; otherwise it has fields with paths.
    pub fn is_table(self) -> bool {
        match self {
            Self::Csv | Self::Xlsx => true,
            Self::Ndjson | Self::CloudEvents => false,
        }
    }
}

/// From when on a version of a document speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// For all of time: it replaces what was said before.
    Always,
    /// From when it was taken; what former versions said stays true of the time before.
    FromTaken,
}

/// What is done with an event that does not say when it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingTime {
    /// It is set aside.
    Reject,
    /// It happened when it was received.
    Received,
}

/// Where the cells of a table stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The encoding, where no byte order mark says it.
    pub encoding: Option<super::text::Encoding>,
    /// The sign between cells; found out if absent.
    pub delimiter: Option<u8>,
    /// The sign around cells, if there is one.
    pub quote: Option<u8>,
    /// The sheet of a workbook; the first visible one if absent.
    pub sheet: Option<String>,
    /// How many rows stand before the header.
    pub skip_rows: u64,
    /// Whether there is a header; otherwise columns are called A, B, C and so on.
    pub header: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            encoding: None,
            delimiter: None,
            quote: Some(b'"'),
            sheet: None,
            skip_rows: 0,
            header: true,
        }
    }
}

/// Where the parts of an event stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// The CloudEvents types that are meant; all of them if empty.
    pub types: Vec<String>,
    /// The path of the event in its wrapper.
    pub event: Option<String>,
    /// The path of the instant at which the wrapper was written.
    pub received_at: Option<String>,
    /// What is done with an event that does not say when it happened.
    pub missing_time: MissingTime,
}

/// Where a field's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// One column, or the path of a field of an event.
    Column(String),
    /// Several columns with a separator between them.
    Join { columns: Vec<String>, separator: String },
    /// The same for every row.
    Constant(String),
}

/// A part of what makes a row itself.
#[derive(Clone, Debug, PartialEq, Eq)]
enum KeyPart {
    Column(String),
    Field(Field),
    AllColumns,
    RowNumber,
}

/// What the columns of a table or the fields of an event mean.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// What it is called in messages: its file, or `built-in purchases`.
    pub name: String,
    /// What the rows say.
    pub kind: Kind,
    /// What the bytes are.
    pub format: Format,
    /// The document whose former version a new one replaces.
    pub document: Option<String>,
    /// From when on a version speaks.
    pub holds: Holds,
    /// The zone of days and local times, if it is not that of the source.
    pub zone: Option<Zone>,
    /// Where the cells stand.
    pub layout: Layout,
    /// Where the parts of an event stand.
    pub events: Events,
    reading: Reading,
    sources: Vec<Option<Source>>,
    defaults: BTreeMap<Field, String>,
    /// By field: what a cell says, in lower case, and what it means.
    values: BTreeMap<Field, BTreeMap<String, String>>,
    key: Vec<KeyPart>,
    /// By column or path: the words, in lower case, whose rows are passed over.
    skip: BTreeMap<String, Vec<String>>,
    require: Vec<Field>,
    optional: Vec<Field>,
}

impl Mapping {
    /// Reads a mapping file; `name` is what messages call it.
    ///
    /// # Errors
    /// All problems of the file, each with its place and a way out.
    pub fn parse(name: &str, text: &str) -> Result<Self, MappingErrors> {
        read::parse(name, text)
    }

    /// The mapping of a table whose header consists of the field names of the kind.
    ///
    /// Columns of fields that a row can do without may be missing. Numbers have a decimal point and
    /// dates are ISO dates.
    pub fn builtin(kind: Kind, format: Format) -> Self {
        builtin::mapping(kind, format)
    }

    /// Which kind's field names a header consists of, if one's do; else why none fits, in words.
    ///
    /// # Errors
    /// The reason in words.
    pub fn fit(header: &[String]) -> Result<Kind, String> {
        builtin::fit(header)
    }

    /// The same mapping with one value for every row, such as the instant of rows that name none.
    ///
    /// # Errors
    /// What is wrong with the value, which must be in the notation of mapping files.
    pub fn with_constant(mut self, field: Field, value: &str) -> Result<Self, String> {
        if !self.kind.fields().contains(&field) {
            return Err(format!("{} has no {}", self.kind.name(), field.name()));
        }
        if let Some(problem) = self.reading.problem(self.kind, field, value) {
            return Err(problem);
        }
        self.sources[field.index()] = Some(Source::Constant(value.to_owned()));
        Ok(self)
    }

    /// A mapping with nothing mapped.
    fn empty(name: &str, kind: Kind, format: Format) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            format,
            document: None,
            holds: if kind == Kind::Seats { Holds::FromTaken } else { Holds::Always },
            zone: None,
            layout: Layout::default(),
            events: Events {
                types: Vec::new(),
                event: None,
                received_at: None,
                missing_time: match format {
                    Format::CloudEvents => MissingTime::Received,
                    Format::Csv | Format::Xlsx | Format::Ndjson => MissingTime::Reject,
                },
            },
            reading: Reading::default(),
            sources: vec![None; Field::COUNT],
            defaults: BTreeMap::new(),
            values: BTreeMap::new(),
            key: Vec::new(),
            skip: BTreeMap::new(),
            require: Vec::new(),
            optional: Vec::new(),
        }
    }

    /// Whether the field's column may be missing from the table.
    fn may_lack(&self, field: Field) -> bool {
        self.optional.contains(&field)
    }

    /// The columns or paths that the mapping names, each once.
    pub(crate) fn columns(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for source in self.sources.iter().flatten() {
            match source {
                Source::Column(name) => names.push(name),
                Source::Join { columns, .. } => names.extend(columns.iter().map(String::as_str)),
                Source::Constant(_) => {}
            }
        }
        names.extend(self.key.iter().filter_map(|part| match part {
            KeyPart::Column(name) => Some(name.as_str()),
            KeyPart::Field(_) | KeyPart::AllColumns | KeyPart::RowNumber => None,
        }));
        names.extend(self.skip.keys().map(String::as_str));
        names.sort_unstable();
        names.dedup();
        names
    }
}

#[cfg(test)]
pub(crate) mod tests;
