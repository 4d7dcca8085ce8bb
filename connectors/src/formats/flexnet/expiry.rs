//! The answer to `lmstat -i`: what a server's license file grants, as rows of a document version.
//!
//! ```text
//! Feature   Version   #licenses   Expires       Vendor        the last two may stand the other way
//! mesh      2018.12   50          31-dec-2018   simvd
//! ```
//!
//! The title decides the order of the columns; without one, what looks like a date does. Rows of one
//! feature add up. The answer is what a license file says, not what the server holds; it vouches for
//! less than the file itself ([`Basis::ServerReport`]). It is bounded by [`EXPIRY_BYTES_MAX`].

use super::date::{self, Expiry};
use super::document::{DOCUMENT_BYTES_MAX, DocumentOptions, DocumentSummary, Rows};
use super::{UNKNOWN_HOST, server_name};
use crate::formats::{Context, Sink};
use std::collections::BTreeMap;
use trueup_model::contract::{Basis, EntitlementLine};
use trueup_model::fact::Body;
use trueup_model::metric::Metric;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::reject::RejectReason;
use trueup_model::time::{Span, Timestamp};

/// The longest answer that is read, in bytes.
pub const EXPIRY_BYTES_MAX: usize = DOCUMENT_BYTES_MAX;

/// How an answer is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiryOptions {
    /// Which version of which document it is.
    pub document: DocumentOptions,
    /// The host of the daemons: the answer does not name it.
    pub host: Option<String>,
    /// Whether a license may still be used on its expiry day, as FlexNet is said to allow.
    pub expiry_day_included: bool,
}

impl ExpiryOptions {
    /// This version, of an unknown host, with expiry days included.
    pub fn new(document: DocumentOptions) -> Self {
        Self { document, host: None, expiry_day_included: true }
    }
}

/// Reads an answer.
pub fn read(
    context: &Context,
    options: &ExpiryOptions,
    bytes: &[u8],
    sink: &mut impl Sink,
) -> DocumentSummary {
    let mut rows = Rows::new(context, &options.document);
    if bytes.len() > EXPIRY_BYTES_MAX {
        let detail = format!("the answer is longer than {EXPIRY_BYTES_MAX} bytes");
        return rows.refuse(RejectReason::TooLong, &bytes[..200], &detail, sink);
    }
    let text = String::from_utf8_lossy(bytes);
    let mut titled = false;
    let mut names = BTreeMap::new();
    for (position, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if is_title(line) {
            titled = true;
        } else if titled && !line.is_empty() && !line.starts_with('_') {
            match Row::read(line) {
                Ok(row) => tell(&row, position, context, options, &mut names, &mut rows, sink),
                Err(detail) => {
                    rows.reject(position, RejectReason::Malformed, line, Some(detail), sink);
                }
            }
        }
    }
    if titled {
        rows.declare(sink)
    } else {
        let detail = "no title with Feature, Version and #licenses";
        rows.refuse(RejectReason::UnknownFormat, bytes, detail, sink)
    }
}

/// Whether a line is the title of the table.
pub(super) fn is_title(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    words.next() == Some("Feature")
        && words.next() == Some("Version")
        && words.next().is_some_and(|word| word.starts_with("#licenses"))
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row<'a> {
    feature: &'a str,
    version: &'a str,
    count: &'a str,
    units: Capacity,
    vendor: &'a str,
    expires: &'a str,
    expiry: Expiry,
}

impl<'a> Row<'a> {
    fn read(line: &'a str) -> Result<Self, &'static str> {
        let (feature, rest) = word(line).ok_or("a row without a feature")?;
        let (version, rest) = word(rest).ok_or("a row without a version")?;
        let (count, rest) = word(rest).ok_or("a row without a count")?;
        let units = match count.parse::<u32>() {
            Ok(0) => Capacity::Unlimited,
            Ok(units) => Capacity::Limited(Quantity::units(i64::from(units))),
            Err(_) if count.eq_ignore_ascii_case("uncounted") => Capacity::Unlimited,
            Err(_) => return Err("the count is not a number"),
        };
        // A date is never the name of a daemon, so the columns tell their order themselves.
        let (first, behind) = word(rest).ok_or("a row without an expiry date and a vendor")?;
        let (vendor, expires) = match date::expiry(first) {
            Some(_) => {
                let (expires, vendor) = rest.rsplit_once(char::is_whitespace).unwrap_or((rest, ""));
                (vendor, expires)
            }
            None => (first, behind),
        };
        let expiry = date::expiry(expires).ok_or("the expiry is not a date")?;
        let (vendor, expires) = (vendor.trim(), expires.trim());
        if vendor.is_empty() {
            return Err("a row without a vendor");
        }
        Ok(Self { feature, version, count, units, vendor, expires, expiry })
    }
}

/// The first word of a text, and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let (word, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    (!word.is_empty()).then_some((word, rest.trim()))
}

/// Tells a row.
fn tell(
    row: &Row<'_>,
    position: u64,
    context: &Context,
    options: &ExpiryOptions,
    names: &mut BTreeMap<String, u32>,
    rows: &mut Rows<'_>,
    sink: &mut impl Sink,
) {
    let expires = row.expires.split('(').next().unwrap_or_default();
    let written = format!("{} {} {expires} {}", row.feature, row.version, row.count);
    let times = names.entry(written.clone()).or_default();
    *times += 1;
    let name = if *times == 1 { written } else { format!("{written} ({times})") };
    let server = server_name(row.vendor, options.host.as_deref().unwrap_or(UNKNOWN_HOST));
    let end = match row.expiry {
        Expiry::Never => Timestamp::MAX,
        Expiry::On(day) if options.expiry_day_included => context.zone.day_end(day),
        Expiry::On(day) => context.zone.day_start(day),
    };
    let basis = Basis::ServerReport;
    let line = EntitlementLine {
        span: Span::new(Timestamp::MIN, end),
        server: Some(server.as_str()),
        version: Some(row.version),
        ..EntitlementLine::base(name.as_str(), row.feature, Metric::Concurrent, row.units, basis)
    };
    rows.row(position, &[b"line", name.as_bytes()], Body::Line(line), sink);
}

#[cfg(test)]
mod tests;
