//! What each file is: found out from its content, and said with a reason.

use super::File;
use crate::formats::flexnet::detect::{self as flexnet, FlexnetFormat};
use crate::formats::mapping::{MAPPING_BYTES_MAX, Mapping, detect};

/// What a file is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// One of FlexNet's files.
    Flexnet(FlexnetFormat),
    /// A table, or a stream of events, with the mapping that fits it.
    Table(Box<Mapping>),
    /// A mapping for other files.
    Mapping(Box<Mapping>),
    /// Nothing that can be read as it is.
    Unknown,
}

impl Kind {
    /// Whether it is this one of FlexNet's files.
    pub fn is(&self, format: FlexnetFormat) -> bool {
        matches!(self, Self::Flexnet(own) if *own == format)
    }

    /// What it is called.
    pub fn name(&self) -> String {
        match self {
            Self::Flexnet(format) => format.name().to_owned(),
            Self::Table(mapping) => format!("{} ({})", mapping.kind.name(), mapping.format.name()),
            Self::Mapping(_) => "mapping".to_owned(),
            Self::Unknown => String::new(),
        }
    }
}

/// A kind, and why.
#[derive(Clone, Debug)]
pub(super) struct Sorted {
    pub(super) kind: Kind,
    pub(super) reason: String,
}

impl Sorted {
    fn new(kind: Kind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }
}

/// What each of the files is; mappings among them are for the tables that they fit.
pub(super) fn sort(files: &[File<'_>]) -> Vec<Sorted> {
    let mut sorted: Vec<Sorted> = files.iter().map(first_look).collect();
    let mappings: Vec<Mapping> = sorted
        .iter()
        .filter_map(|one| match &one.kind {
            Kind::Mapping(mapping) => Some(Mapping::clone(mapping)),
            Kind::Flexnet(_) | Kind::Table(_) | Kind::Unknown => None,
        })
        .collect();
    for (file, one) in files.iter().zip(&mut sorted) {
        let open = match one.kind {
            Kind::Unknown => true,
            // A mapping that names all of a table's columns knows it better than its headers do.
            Kind::Table(_) => file.mapping.is_none(),
            Kind::Flexnet(_) | Kind::Mapping(_) => false,
        };
        let mut suiting = mappings.iter().filter(|mapping| mapping.suits(&file.name, &file.bytes));
        if let Some(mapping) = suiting.next().filter(|_| open) {
            let reason = match suiting.next() {
                None => format!("it has the columns that {} names", mapping.name),
                Some(other) => format!(
                    "it has the columns that {} names; {} would fit as well",
                    mapping.name, other.name
                ),
            };
            *one = Sorted::new(Kind::Table(Box::new(mapping.clone())), reason);
        }
    }
    sorted
}

/// What a file is by itself.
fn first_look(file: &File<'_>) -> Sorted {
    if let Some(mapping) = &file.mapping {
        return Sorted::new(Kind::Table(Box::new(mapping.clone())), "a mapping was given for it");
    }
    if file.name.ends_with(".toml") && file.bytes.len() <= MAPPING_BYTES_MAX {
        return mapping_file(file);
    }
    let found = flexnet::detect(&file.bytes);
    if let Some(format) = found.format {
        return Sorted::new(Kind::Flexnet(format), found.reason);
    }
    let detection = detect(&file.name, &file.bytes);
    match detection.mapping() {
        Some(mapping) => Sorted::new(Kind::Table(Box::new(mapping)), detection.reason),
        None => Sorted::new(Kind::Unknown, detection.reason),
    }
}

fn mapping_file(file: &File<'_>) -> Sorted {
    let parsed = str::from_utf8(&file.bytes)
        .map_err(|error| error.to_string())
        .and_then(|text| Mapping::parse(&file.name, text).map_err(|errors| errors.to_string()));
    match parsed {
        Ok(mapping) => Sorted::new(Kind::Mapping(Box::new(mapping)), "it is a mapping"),
        Err(problems) => Sorted::new(Kind::Unknown, format!("it is no mapping: {problems}")),
    }
}
