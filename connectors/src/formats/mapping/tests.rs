//! Mapping files and their mistakes, values and their traps, and what is detected of a file.

mod values;
mod files;
mod detection;
mod shown;

use super::cell::{Cell, Fault};
use super::moment::Moment;
use super::number::{Locale, millionths};
use super::reading::Reading;
use super::{DETECT_BYTES_MAX, Field, Format, Holds, Kind, Mapping, detect};
use crate::formats::Context;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::path::PathBuf;
use trueup_model::calendar::Zone;
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;

pub(crate) use shown::shown;

/// A context whose bytes arrived at this instant.
pub(crate) fn context(document: &str, received_at: &str) -> Context {
    Context {
        tenant: "acme".to_owned(),
        source: "lists".to_owned(),
        document: document.to_owned(),
        zone: Zone::utc(),
        received_at: received_at.parse().unwrap(),
    }
}

const GERMAN: Locale = Locale { decimal: ',', thousands: Some('.') };

/// The number as a quantity, or why it is none.
fn number(text: &str, locale: Locale) -> String {
    match millionths(Cell::text(text), locale) {
        Ok(read) => Quantity(read).to_string(),
        Err(fault) => format!("{}: {}", fault.reason.name(), fault.detail),
    }
}

fn mappings_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("mappings")
}
