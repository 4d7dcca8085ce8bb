//! A license file: what a vendor grants, as rows of a document version.
//!
//! ```text
//! SERVER host hostid [port]        VENDOR|DAEMON name [path …]        USE_SERVER
//! FEATURE|INCREMENT f vendor version expiry count [attribute[=value]] …
//! UPGRADE f vendor from to expiry count …
//! PACKAGE p vendor [version] COMPONENTS="a b:version:n …" [OPTIONS=SUITE]
//! ```
//!
//! Words are read in any case. A line goes on after `\`, and inside an open quote. A directive that
//! this does not know is remarked; nothing else in the file is lost for it.
//!
//! # What counts
//!
//! 1. `SUPERSEDE` drops the lines of its own feature, or of those that it lists, that were issued
//!    before it (`ISSUED`, or else `START`; a line without either is older than any that has one).
//! 2. Of counted `FEATURE` lines of a name only the first counts; `INCREMENT` lines add up.
//! 3. `UPGRADE` moves its number of licenses from the closest lines before it whose version is at
//!    least `from` and below `to`, to the new version.
//! 4. A package with `OPTIONS=SUITE` is granted as itself, and its components are facts. Without it
//!    a right to the package is a right to each component, times the component's own number.
//! 5. A count of `0` or `uncounted` is unlimited. `OVERDRAFT` is tolerated use, not a right.
//!
//! # Names
//!
//! A row is named by what stands on its line, such as `INCREMENT mesh 5.0 31-dec-2030 3`, with a
//! number behind the second one that reads alike. So an unchanged line has the same name in the next
//! version of the file.
//!
//! The file is bounded by [`DOCUMENT_BYTES_MAX`], a line with its continuations by
//! [`LINE_BYTES_MAX`].

pub(super) mod syntax;
mod grant;
mod rules;

pub use syntax::LINE_BYTES_MAX;

use crate::formats::flexnet::date::Expiry;
use crate::formats::flexnet::document::{
    DOCUMENT_BYTES_MAX, DocumentOptions, DocumentSummary, Rows,
};
use crate::formats::flexnet::{UNKNOWN_HOST, server_name};
use crate::formats::{Context, Sink};
use grant::{Grant, Package};
use std::collections::BTreeMap;
use syntax::{Gathered, Words};
use trueup_model::calendar::Zone;
use trueup_model::catalog::Component;
use trueup_model::contract::{Basis, EntitlementLine};
use trueup_model::fact::Body;
use trueup_model::metric::Metric;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::reject::RejectReason;
use trueup_model::time::{Span, Timestamp};

/// How a license file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenseOptions {
    /// Which version of which document it is.
    pub document: DocumentOptions,
    /// The server's host, whatever the file says.
    pub host: Option<String>,
    /// The server's host if the file does not say it.
    pub fallback_host: Option<String>,
    /// Whether a license may still be used on its expiry day, as FlexNet is said to allow.
    pub expiry_day_included: bool,
}

impl LicenseOptions {
    /// This version, with the host that the file names and expiry days included.
    pub fn new(document: DocumentOptions) -> Self {
        Self { document, host: None, fallback_host: None, expiry_day_included: true }
    }
}

/// Reads a license file.
pub fn read(
    context: &Context,
    options: &LicenseOptions,
    bytes: &[u8],
    sink: &mut impl Sink,
) -> DocumentSummary {
    let mut rows = Rows::new(context, &options.document);
    if bytes.len() > DOCUMENT_BYTES_MAX {
        let detail = format!("the file is longer than {DOCUMENT_BYTES_MAX} bytes");
        return rows.refuse(RejectReason::TooLong, &bytes[..200], &detail, sink);
    }
    let mut file = LicenseFile::default();
    let torn = syntax::logical_lines(bytes, |gathered| file.take(&gathered, &mut rows, sink));
    if !file.recognized {
        let detail = "no SERVER, VENDOR, FEATURE, INCREMENT or PACKAGE line";
        return rows.refuse(RejectReason::UnknownFormat, bytes, detail, sink);
    }
    if torn {
        rows.note(0, "the file ends inside a line: it may have been cut", sink);
    }
    rules::supersede(&mut file.grants, &mut file.packages);
    for position in rules::keep_first_features(&mut file.grants) {
        rows.note(position, "another FEATURE line of the name came first: this one is void", sink);
    }
    for position in rules::upgrade(&mut file.grants) {
        rows.note(position, "there are not as many licenses to upgrade before the line", sink);
    }
    let named = options.host.clone().or(file.host.take()).or(options.fallback_host.clone());
    let host = named.unwrap_or_else(|| UNKNOWN_HOST.to_owned());
    let mut teller = Teller { options, zone: &context.zone, host, names: BTreeMap::new(), rows };
    for grant in &file.grants {
        teller.grant(grant, &file.packages, sink);
    }
    for package in &file.packages {
        teller.components(package, sink);
    }
    teller.rows.declare(sink)
}

/// The first line of a text that only a license file has, from 1.
///
/// A grant or package decides alone; a server needs a vendor daemon beside it.
pub(super) fn first_line(head: &[u8]) -> Option<u64> {
    let (mut found, mut server, mut vendor) = (None, None, false);
    syntax::logical_lines(head, |gathered| {
        let words = Words::of(gathered.text);
        let position = gathered.position;
        let decides = match words.keyword().as_deref() {
            Some("FEATURE" | "INCREMENT" | "UPGRADE") => Grant::read(position, &words).is_ok(),
            Some("PACKAGE") => Package::read(position, &words).is_ok(),
            Some("SERVER") if words.plain(2).is_some() => {
                server.get_or_insert(position);
                vendor
            }
            Some("VENDOR" | "DAEMON") if words.plain(1).is_some() => {
                vendor = true;
                server.is_some()
            }
            _ => false,
        };
        if decides {
            found.get_or_insert(position);
        }
    });
    found
}

/// What was read of a file.
#[derive(Debug, Default)]
struct LicenseFile {
    grants: Vec<Grant>,
    packages: Vec<Package>,
    host: Option<String>,
    recognized: bool,
}

impl LicenseFile {
    /// Takes a line with its continuations.
    fn take(&mut self, gathered: &Gathered<'_>, rows: &mut Rows<'_>, sink: &mut impl Sink) {
        let Gathered { position, text, cut } = *gathered;
        if cut {
            let detail = format!("with its continuations it is longer than {LINE_BYTES_MAX} bytes");
            return rows.reject(position, RejectReason::TooLong, text, Some(&detail), sink);
        }
        let words = Words::of(text);
        let Some(keyword) = words.keyword() else { return };
        match keyword.as_str() {
            "SERVER" => {
                if let Some(host) = words.plain(1) {
                    self.recognized = true;
                    if self.host.is_none() && !is_placeholder(host) {
                        self.host = Some(host.to_owned());
                    }
                }
            }
            "VENDOR" | "DAEMON" => self.recognized |= words.plain(1).is_some(),
            "USE_SERVER" => self.recognized = true,
            "FEATURE" | "INCREMENT" | "UPGRADE" => match Grant::read(position, &words) {
                Ok((grant, remarks)) => {
                    self.recognized = true;
                    self.grants.push(grant);
                    for remark in remarks {
                        rows.note(position, &remark, sink);
                    }
                }
                Err((reason, detail)) => rows.reject(position, reason, text, Some(&detail), sink),
            },
            "PACKAGE" => match Package::read(position, &words) {
                Ok(package) => {
                    self.recognized = true;
                    self.packages.push(package);
                }
                Err((reason, detail)) => rows.reject(position, reason, text, Some(&detail), sink),
            },
            _ if syntax::is_decimal(&keyword) => {
                let remark = "a license in decimal format is not read: ask the vendor for the \
                              readable form";
                rows.note(position, remark, sink);
            }
            _ => {
                let shown: String = keyword.chars().take(40).collect();
                rows.note(position, &format!("unknown directive {shown}"), sink);
            }
        }
    }
}

/// Whether a host stands for whatever machine the server runs on.
fn is_placeholder(host: &str) -> bool {
    ["this_host", "localhost", "any"].iter().any(|word| host.eq_ignore_ascii_case(word))
}

/// Tells rows.
struct Teller<'a> {
    options: &'a LicenseOptions,
    zone: &'a Zone,
    host: String,
    /// How often a line reads like this, so far.
    names: BTreeMap<String, u32>,
    rows: Rows<'a>,
}

impl Teller<'_> {
    /// Tells what a line grants, if anything is left of it.
    fn grant(&mut self, grant: &Grant, packages: &[Package], sink: &mut impl Sink) {
        let Some(units) = grant.left() else { return };
        let name = self.name(grant.written.clone());
        let parts = packages.iter().filter(|package| !package.suite && package.enabled_by(grant));
        let mut parts = parts.flat_map(|package| &package.components).peekable();
        if parts.peek().is_none() {
            return self.line(grant, &name, &grant.feature, &grant.version, units, sink);
        }
        for part in parts {
            let named = self.name(format!("{name} component {}", part.name));
            let version = part.version.as_deref().unwrap_or(&grant.version);
            let times = i64::from(part.count.unwrap_or(1));
            let units = match units {
                Capacity::Limited(Quantity(units)) => {
                    Capacity::Limited(Quantity(units.saturating_mul(times)))
                }
                Capacity::Unlimited | Capacity::Unknown => units,
            };
            self.line(grant, &named, &part.name, version, units, sink);
        }
    }

    fn line(
        &mut self,
        grant: &Grant,
        name: &str,
        product: &str,
        version: &str,
        units: Capacity,
        sink: &mut impl Sink,
    ) {
        let server = server_name(&grant.vendor, &self.host);
        let basis = Basis::LicenseFile;
        let line = EntitlementLine {
            span: self.span(grant),
            server: Some(server.as_str()),
            duplicates: grant.duplicates,
            suite_duplicates: grant.suite_duplicates,
            overdraft: Quantity::units(i64::from(grant.overdraft)),
            version: Some(version),
            notice: grant.notice.as_deref(),
            ..EntitlementLine::base(name, product, Metric::Concurrent, units, basis)
        };
        self.rows.row(grant.position, &[b"line", name.as_bytes()], Body::Line(line), sink);
    }

    /// Tells what a package consists of.
    fn components(&mut self, package: &Package, sink: &mut impl Sink) {
        let server = server_name(&package.vendor, &self.host);
        for component in &package.components {
            let body = Component {
                server: server.as_str(),
                package: package.name.as_str(),
                component: component.name.as_str(),
                suite: package.suite,
            };
            let key: [&[u8]; 4] = [
                b"component",
                server.as_bytes(),
                package.name.as_bytes(),
                component.name.as_bytes(),
            ];
            self.rows.row(package.position, &key, Body::Component(body), sink);
        }
    }

    /// A name that no other row of the file has.
    fn name(&mut self, written: String) -> String {
        let times = self.names.entry(written.clone()).or_default();
        *times += 1;
        if *times == 1 { written } else { format!("{written} ({times})") }
    }

    /// When a line is in force.
    fn span(&self, grant: &Grant) -> Span {
        let start = grant.start.map_or(Timestamp::MIN, |day| self.zone.day_start(day));
        let end = match grant.expiry {
            Expiry::Never => Timestamp::MAX,
            Expiry::On(day) if self.options.expiry_day_included => self.zone.day_end(day),
            Expiry::On(day) => self.zone.day_start(day),
        };
        Span::new(start, end)
    }
}

#[cfg(test)]
mod tests;
