//! Whether a mapping is meant for a file: all the columns that it names are in the header.

use super::plan::Plan;
use super::{DETECT_BYTES_MAX, Format, Mapping, detect};
use crate::formats::table::{Limits, csv_header, workbook_header};

impl Mapping {
    /// Whether a file of this name and content has the columns that the mapping names.
    ///
    /// A stream of events has no header: there the format decides. A mapping without a header line
    /// suits nothing by itself; it must be given to its file.
    pub fn suits(&self, name: &str, bytes: &[u8]) -> bool {
        let is_workbook = bytes.starts_with(b"PK\x03\x04");
        let names = match self.format {
            Format::Ndjson | Format::CloudEvents => {
                return detect(name, bytes).format == Some(self.format);
            }
            Format::Csv if !is_workbook => {
                let head = &bytes[..bytes.len().min(DETECT_BYTES_MAX)];
                csv_header(head, self, head.len() == bytes.len()).map(|(names, _)| names)
            }
            Format::Xlsx if is_workbook => workbook_header(bytes, self, &Limits::default()).ok(),
            Format::Csv | Format::Xlsx => None,
        };
        self.layout.header && names.is_some_and(|names| Plan::bind(self, &names).is_ok())
    }
}
