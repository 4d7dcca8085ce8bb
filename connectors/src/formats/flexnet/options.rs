//! A vendor daemon's options file: who may use how much, and what is set aside for whom.
//!
//! ```text
//! RESERVE|MAX n feature[:keyword=value] type name      type = USER|HOST|DISPLAY|INTERNET|PROJECT|
//! INCLUDE|EXCLUDE[_BORROW] feature type name                  GROUP|HOST_GROUP
//! INCLUDEALL|EXCLUDEALL type name
//! GROUP|HOST_GROUP name member …                       lines of one name add up
//! LINGER|TIMEOUT feature seconds      TIMEOUTALL seconds
//! MAX_BORROW_HOURS|BORROW_LOWWATER feature n           the last line of a feature counts
//! ```
//!
//! Keywords are read in any case; the names of groups are case-sensitive. [`read`] gives the whole
//! file as [`ServerOptions`], and its reservations as rows of a document version too.

use super::document::{DOCUMENT_BYTES_MAX, DocumentOptions, DocumentSummary, Rows};
use super::license::LINE_BYTES_MAX;
use super::license::syntax::{Gathered, logical_lines};
use crate::formats::{Context, Sink};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::fact::Body;
use trueup_model::observation::{Reservation, ReservedFor};
use trueup_model::reject::RejectReason;

/// How an options file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionsSource {
    /// Which version of which document it is.
    pub document: DocumentOptions,
    /// The vendor daemon whose options they are, as `daemon@host`: the file does not name it.
    pub server: String,
}

/// What an options file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerOptions {
    /// Licenses set aside.
    pub reserves: Vec<Share>,
    /// The most that a holder may use.
    pub maximums: Vec<Share>,
    /// Who may use what, in the order of the file.
    pub access: Vec<Access>,
    /// Groups of users.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// Groups of hosts.
    pub host_groups: BTreeMap<String, BTreeSet<String>>,
    /// Seconds for which a license stays out after its return.
    pub linger_seconds: BTreeMap<FeatureSpec, u64>,
    /// Seconds after which an idle client loses its license.
    pub timeout_seconds: BTreeMap<FeatureSpec, u64>,
    /// The same for all features.
    pub timeout_all_seconds: Option<u64>,
    /// The most hours for which a license may be borrowed.
    pub max_borrow_hours: BTreeMap<FeatureSpec, u64>,
    /// Licenses that may not be borrowed.
    pub borrow_lowwater: BTreeMap<FeatureSpec, u64>,
}

/// A feature, or those of its pools that a keyword selects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeatureSpec {
    /// The feature.
    pub feature: String,
    /// What selects the pools, such as `VERSION=2.0`.
    pub selector: Option<String>,
}

/// What kind of holder an option is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HolderKind {
    /// A user.
    User,
    /// A host or an address.
    Host,
    /// A display.
    Display,
    /// An address.
    Internet,
    /// A project.
    Project,
    /// A group of users.
    Group,
    /// A group of hosts.
    HostGroup,
}

/// Whom an option is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// What kind of holder.
    pub kind: HolderKind,
    /// Its name.
    pub name: String,
}

/// A number of licenses of a feature for a holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// How many.
    pub count: u32,
    /// Of what.
    pub feature: FeatureSpec,
    /// For whom.
    pub holder: Holder,
}

/// Who may, or may not, use or borrow something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// True if the holder may, and whoever is not included may not.
    pub included: bool,
    /// True if it is about borrowing.
    pub borrow: bool,
    /// What; everything if `None`.
    pub feature: Option<FeatureSpec>,
    /// Who.
    pub holder: Holder,
}

/// Options that say nothing about who may use how much.
const OTHERS: [&str; 15] = [
    "ACTIVATION_EXPIRY_DAYS",
    "ACTIVATION_LOWWATER",
    "AUTOMATIC_REREAD",
    "DAEMON_SELECT_TIMEOUT",
    "DEBUGLOG",
    "EXCLUDEALL_ENTITLEMENT",
    "EXCLUDE_ENTITLEMENT",
    "FQDN_MATCHING",
    "GROUPCASEINSENSITIVE",
    "INCLUDEALL_ENTITLEMENT",
    "INCLUDE_ENTITLEMENT",
    "MAX_CONNECTIONS",
    "MAX_OVERDRAFT",
    "NOLOG",
    "REPORTLOG",
];

/// Why a line was not read.
type Fault = (RejectReason, String);

/// Reads an options file.
pub fn read(
    context: &Context,
    source: &OptionsSource,
    bytes: &[u8],
    sink: &mut impl Sink,
) -> (ServerOptions, DocumentSummary) {
    let mut rows = Rows::new(context, &source.document);
    let mut options = ServerOptions::default();
    if bytes.len() > DOCUMENT_BYTES_MAX {
        let detail = format!("the file is longer than {DOCUMENT_BYTES_MAX} bytes");
        let summary = rows.refuse(RejectReason::TooLong, &bytes[..200], &detail, sink);
        return (options, summary);
    }
    let (mut lines, mut known) = (0_u64, 0_u64);
    logical_lines(bytes, |gathered| {
        lines += 1;
        let Gathered { position, text, cut } = gathered;
        if cut {
            let detail = format!("with its continuations it is longer than {LINE_BYTES_MAX} bytes");
            return rows.reject(position, RejectReason::TooLong, text, Some(&detail), sink);
        }
        let reserved = options.reserves.len();
        match options.take(text) {
            Ok(true) => known += 1,
            Ok(false) => {
                let word: String = text.split_whitespace().take(1).collect();
                let shown: String = word.chars().take(40).collect();
                rows.note(position, &format!("unknown option {shown}"), sink);
            }
            Err((reason, detail)) => rows.reject(position, reason, text, Some(&detail), sink),
        }
        if let Some(share) = options.reserves.get(reserved) {
            tell(share, &source.server, position, &mut rows, sink);
        }
    });
    let summary = if lines > 0 && known == 0 {
        let detail = "no line begins with the name of an option";
        rows.refuse(RejectReason::UnknownFormat, bytes, detail, sink)
    } else {
        rows.declare(sink)
    };
    (options, summary)
}

/// The first option of a text whose lines are mostly options, from 1.
pub(super) fn first_line(head: &[u8]) -> Option<u64> {
    let (mut found, mut lines, mut known) = (None, 0_u64, 0_u64);
    let mut options = ServerOptions::default();
    logical_lines(head, |gathered| {
        lines += 1;
        if options.take(gathered.text) == Ok(true) {
            known += 1;
            found.get_or_insert(gathered.position);
        }
    });
    found.filter(|_| known * 2 > lines)
}

/// Tells a reservation.
fn tell(share: &Share, server: &str, position: u64, rows: &mut Rows<'_>, sink: &mut impl Sink) {
    let holder_kind = match share.holder.kind {
        HolderKind::User => ReservedFor::User,
        HolderKind::Host => ReservedFor::Host,
        HolderKind::Group => ReservedFor::UserGroup,
        HolderKind::HostGroup => ReservedFor::HostGroup,
        HolderKind::Display | HolderKind::Internet | HolderKind::Project => ReservedFor::Other,
    };
    let selector = share.feature.selector.as_deref().unwrap_or_default();
    let key: [&[u8]; 7] = [
        b"reserve",
        server.as_bytes(),
        share.feature.feature.as_bytes(),
        selector.as_bytes(),
        &share.count.to_le_bytes(),
        &[holder_kind.code()],
        share.holder.name.as_bytes(),
    ];
    let body = Reservation {
        at: None,
        server,
        product: share.feature.feature.as_str(),
        count: share.count,
        holder_kind,
        holder: share.holder.name.as_str(),
    };
    rows.row(position, &key, Body::Reservation(body), sink);
}

impl ServerOptions {
    /// Takes a line; false if it is of no known option.
    fn take(&mut self, text: &str) -> Result<bool, Fault> {
        let fields = fields(text);
        let keyword = fields.first().copied().unwrap_or_default().to_ascii_uppercase();
        let line = Line { keyword: &keyword, fields: &fields };
        match keyword.as_str() {
            "RESERVE" => self.reserves.push(line.share()?),
            "MAX" => self.maximums.push(line.share()?),
            "INCLUDE" | "EXCLUDE" | "INCLUDE_BORROW" | "EXCLUDE_BORROW" | "INCLUDEALL"
            | "EXCLUDEALL" => self.access.push(line.access()?),
            "GROUP" => line.group(&mut self.groups)?,
            "HOST_GROUP" => line.group(&mut self.host_groups)?,
            "LINGER" => line.number_of(&mut self.linger_seconds)?,
            "TIMEOUT" => line.number_of(&mut self.timeout_seconds)?,
            "TIMEOUTALL" => self.timeout_all_seconds = Some(line.number(1)?),
            "MAX_BORROW_HOURS" => line.number_of(&mut self.max_borrow_hours)?,
            "BORROW_LOWWATER" => line.number_of(&mut self.borrow_lowwater)?,
            other => return Ok(OTHERS.contains(&other)),
        }
        Ok(true)
    }
}

/// A line in fields, the first of them its keyword.
struct Line<'a> {
    keyword: &'a str,
    fields: &'a [&'a str],
}

impl<'a> Line<'a> {
    /// A field that must be there.
    fn field(&self, place: usize, what: &str) -> Result<&'a str, Fault> {
        let found = self.fields.get(place).copied().filter(|field| !field.is_empty());
        let keyword = self.keyword;
        found.ok_or_else(|| (RejectReason::MissingValue, format!("{keyword} without {what}")))
    }

    fn number<T: std::str::FromStr>(&self, place: usize) -> Result<T, Fault> {
        let field = self.field(place, "a number")?;
        let shown: String = field.chars().take(40).collect();
        field.parse().map_err(|_| (RejectReason::BadValue, format!("`{shown}` is not a number")))
    }

    /// The feature at a place: `f1`, or `f1:VERSION=2.0`.
    fn feature(&self, place: usize) -> Result<FeatureSpec, Fault> {
        let field = self.field(place, "a feature")?;
        let selected = field.split_once(':').filter(|(_, selector)| selector.contains('='));
        let (feature, selector) = match selected {
            Some((feature, selector)) => (feature, Some(selector.to_owned())),
            None => (field, None),
        };
        Ok(FeatureSpec { feature: feature.to_owned(), selector })
    }

    /// The holder from a place on; its name may hold blanks.
    fn holder(&self, place: usize) -> Result<Holder, Fault> {
        let word = self.field(place, "a type of holder")?;
        let kind = match word.to_ascii_uppercase().as_str() {
            "USER" => HolderKind::User,
            "HOST" => HolderKind::Host,
            "DISPLAY" => HolderKind::Display,
            "INTERNET" => HolderKind::Internet,
            "PROJECT" => HolderKind::Project,
            "GROUP" | "USER_GROUP" => HolderKind::Group,
            "HOST_GROUP" => HolderKind::HostGroup,
            _ => {
                let shown: String = word.chars().take(40).collect();
                let words = format!("`{shown}` is not a type of holder");
                return Err((RejectReason::BadValue, words));
            }
        };
        self.field(place + 1, "a holder")?;
        let name = self.fields.get(place + 1..).unwrap_or_default().join(" ");
        Ok(Holder { kind, name })
    }

    fn share(&self) -> Result<Share, Fault> {
        Ok(Share { count: self.number(1)?, feature: self.feature(2)?, holder: self.holder(3)? })
    }

    fn access(&self) -> Result<Access, Fault> {
        let all = self.keyword.ends_with("ALL");
        let feature = if all { None } else { Some(self.feature(1)?) };
        Ok(Access {
            included: self.keyword.starts_with("INCLUDE"),
            borrow: self.keyword.ends_with("_BORROW"),
            feature,
            holder: self.holder(if all { 1 } else { 2 })?,
        })
    }

    fn group(&self, groups: &mut BTreeMap<String, BTreeSet<String>>) -> Result<(), Fault> {
        let name = self.field(1, "a name")?;
        let members = self.fields.get(2..).unwrap_or_default();
        let group = groups.entry(name.to_owned()).or_default();
        group.extend(members.iter().map(|member| (*member).to_owned()));
        Ok(())
    }

    fn number_of(&self, numbers: &mut BTreeMap<FeatureSpec, u64>) -> Result<(), Fault> {
        numbers.insert(self.feature(1)?, self.number(2)?);
        Ok(())
    }
}

/// The fields of a line: words, or texts in quotes.
fn fields(text: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (field, behind) = match rest.strip_prefix('"') {
            Some(inside) => inside.split_once('"').unwrap_or((inside, "")),
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        fields.push(field);
        rest = behind.trim_start();
    }
    fields
}

#[cfg(test)]
mod tests;
