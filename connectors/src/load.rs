//! A handful of files together: what each is, what they say of each other, and all of their facts.
//!
//! A license file names the host that a log may leave out; two logs may be parts or copies of one;
//! a mapping may lie beside the table that it is for; a license file may come in versions. This is where
//! they are put together, for whoever has them all at hand: a connector that reads a folder, a one-time
//! reconciliation, a demonstration. Nothing is read from disk here, and no fact depends on the order of
//! the files.

pub(crate) mod devices;
mod kind;
pub(crate) mod logs;
pub(crate) mod report;

pub use kind::Kind;
pub use report::FileReport;

use crate::formats::flexnet::detect::FlexnetFormat;
use crate::formats::flexnet::expiry::{self, ExpiryOptions};
use crate::formats::flexnet::license::{self, LicenseOptions};
use crate::formats::flexnet::lmstat::{self, LmstatOptions};
use crate::formats::flexnet::log::LogOptions;
use crate::formats::flexnet::merge::{self, LogFile};
use crate::formats::flexnet::options::{self, OptionsSource};
use crate::formats::flexnet::{DocumentOptions, UNKNOWN_HOST, server_name};
use crate::formats::mapping::{Mapping, Snapshot};
use crate::formats::table::{self, Limits};
use crate::formats::{Collected, Context, EXCERPT_BYTES_MAX, Sink};
use devices::Devices;
use kind::{Sorted, sort};
use logs::Log;
use report::{ByDocument, Reporting};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use trueup_model::calendar::Zone;
use trueup_model::fact::{Action, Body};
use trueup_model::reject::RejectReason;
use trueup_model::time::Timestamp;

/// A file and what is known of it besides its bytes.
#[derive(Clone, Debug)]
pub struct File<'b> {
    /// Its name: the provenance of its facts.
    pub name: String,
    /// Its bytes.
    pub bytes: Cow<'b, [u8]>,
    /// When it was changed last.
    pub modified_at: Option<Timestamp>,
    /// From when on it holds, or when it was taken: for license files, seat exports and the like.
    pub holds_from: Option<Timestamp>,
    /// The zone of its local times, if it is another one than that of the rest.
    pub zone: Option<Zone>,
    /// The mapping that is meant for it.
    pub mapping: Option<Mapping>,
}

impl<'b> File<'b> {
    /// A file of which nothing more is known.
    pub fn new(name: impl Into<String>, bytes: impl Into<Cow<'b, [u8]>>) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
            modified_at: None,
            holds_from: None,
            zone: None,
            mapping: None,
        }
    }
}

/// What holds for all of the files.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose facts they are.
    pub tenant: String,
    /// The source's name.
    pub source: String,
    /// The zone of local times.
    pub zone: Zone,
    /// The license server's host, if the files do not say it.
    pub host: Option<String>,
    /// When the files were received.
    pub received_at: Timestamp,
}

/// Finds out what the files are, and sends all of their facts; says what became of each.
///
/// `progress` is told in words what is read next.
pub fn load(
    files: &[File<'_>],
    options: &Options,
    sink: &mut impl Sink,
    progress: &mut impl FnMut(&str),
) -> Vec<FileReport> {
    let sorted = sort(files);
    let mut loading = Loading::new(files, &sorted, options);
    let is_answer = |one: &Sorted| one.kind.is(FlexnetFormat::Lmstat);
    // Only a server's answer needs the hosts that others name.
    let mut hearing = Devices::new(sink, sorted.iter().any(is_answer));
    let mut reports: BTreeMap<usize, FileReport> = BTreeMap::new();
    let places = |format: FlexnetFormat| -> Vec<usize> {
        let kinds = sorted.iter().enumerate();
        kinds.filter(|(_, one)| one.kind.is(format)).map(|(place, _)| place).collect()
    };
    let logs = logs::gather(files, &places(FlexnetFormat::DebugLog));
    loading.learn_hosts(&logs, &places(FlexnetFormat::LicenseFile));
    for log in &logs {
        progress(&format!("reading {}", loading.names(&log.files)));
        reports.extend(loading.log(log, &mut hearing));
    }
    let mut rest: Vec<(usize, &Sorted)> = sorted.iter().enumerate().collect();
    rest.retain(|(_, one)| !one.kind.is(FlexnetFormat::DebugLog));
    rest.sort_by_key(|(_, one)| is_answer(one));
    for (place, one) in rest {
        let Some(file) = files.get(place) else { continue };
        progress(&format!("reading {}", file.name));
        if is_answer(one) {
            loading.devices = std::mem::take(&mut hearing.devices);
        }
        let (taken_for, reason) = (one.kind.name(), &one.reason);
        let mut reporting = Reporting::new(&mut hearing, &file.name, &taken_for, reason);
        match &one.kind {
            Kind::Flexnet(format) => loading.flexnet(place, *format, &mut reporting),
            Kind::Table(mapping) => loading.table(file, mapping, &mut reporting),
            Kind::Mapping(_) => {}
            Kind::Unknown => loading.unknown(file, &one.reason, &mut reporting),
        }
        reports.insert(place, reporting.report);
    }
    reports.into_values().collect()
}

/// What is known while files are read.
struct Loading<'l> {
    files: &'l [File<'l>],
    sorted: &'l [Sorted],
    options: &'l Options,
    /// The hosts of each vendor daemon, in lower case, as logs and license files name them.
    hosts: BTreeMap<String, BTreeSet<String>>,
    /// Which license files are versions of the license file of a server, and from when on each holds.
    versions: BTreeMap<usize, Version>,
    /// Hosts that logs and tables name, in lower case.
    devices: BTreeSet<String>,
}

/// Which version of which document a license file is.
#[derive(Clone, Debug)]
enum Version {
    /// One of a series.
    Of(DocumentOptions),
    /// Another file of the server grants the same, and nothing says which is the newer.
    Undecided(String),
}

impl<'l> Loading<'l> {
    fn new(files: &'l [File<'l>], sorted: &'l [Sorted], options: &'l Options) -> Self {
        Self {
            files,
            sorted,
            options,
            hosts: BTreeMap::new(),
            versions: BTreeMap::new(),
            devices: BTreeSet::new(),
        }
    }

    fn names(&self, places: &[usize]) -> String {
        let names = places.iter().filter_map(|place| self.files.get(*place));
        names.map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn context(&self, file: &File<'_>) -> Context {
        Context {
            tenant: self.options.tenant.clone(),
            source: self.options.source.clone(),
            document: file.name.clone(),
            zone: file.zone.clone().unwrap_or_else(|| self.options.zone.clone()),
            received_at: self.options.received_at,
        }
    }

    /// When this version of a file was observed.
    fn observed_at(&self, file: &File<'_>) -> Timestamp {
        file.holds_from.or(file.modified_at).unwrap_or(self.options.received_at)
    }

    /// The host of a daemon, if exactly one is known.
    fn host_of(&self, daemon: &str) -> Option<String> {
        let hosts = self.hosts.get(&daemon.to_lowercase())?;
        hosts.first().filter(|_| hosts.len() == 1).cloned()
    }

    /// The host of everything, if exactly one is known.
    fn only_host(&self) -> Option<String> {
        let hosts: BTreeSet<&String> = self.hosts.values().flatten().collect();
        hosts.first().filter(|_| hosts.len() == 1).map(|host| (*host).clone())
    }

    /// Learns which daemon runs where, and which license files replace each other.
    fn learn_hosts(&mut self, logs: &[Log], licenses: &[usize]) {
        for log in logs {
            for (daemon, host) in log.daemons.iter().zip(std::iter::repeat(&log.host)) {
                self.hosts.entry(daemon.clone()).or_default().extend(host.clone());
            }
        }
        let mut peeked: Vec<(usize, Peek)> = Vec::new();
        for place in licenses {
            let Some(file) = self.files.get(*place) else { continue };
            let peek = peek(&self.context(file), &file.bytes);
            for (daemon, host) in &peek.servers {
                let hosts = self.hosts.entry(daemon.clone()).or_default();
                if hosts.is_empty() && host != UNKNOWN_HOST {
                    hosts.insert(host.clone());
                }
            }
            peeked.push((*place, peek));
        }
        self.versions = self.in_order(&peeked);
    }

    /// Finds the license files that replace each other: of one server, and granting the same feature.
    fn in_order(&self, peeked: &[(usize, Peek)]) -> BTreeMap<usize, Version> {
        let mut versions = BTreeMap::new();
        for (place, peek) in peeked {
            let Some(file) = self.files.get(*place) else { continue };
            let rivals: Vec<&(usize, Peek)> = peeked
                .iter()
                .filter(|(other, their)| other != place && !their.grants.is_disjoint(&peek.grants))
                .collect();
            let version = if rivals.is_empty() {
                let effective_from = file.holds_from.unwrap_or(Timestamp::MIN);
                let observed = self.observed_at(file);
                let version = u64::try_from(observed.0).unwrap_or(0);
                Version::Of(DocumentOptions {
                    document: file.name.clone(),
                    version,
                    effective_from,
                })
            } else {
                let servers: Vec<String> =
                    peek.servers.iter().map(|(daemon, _)| daemon.clone()).collect();
                let document = format!("license file of {}", servers.join(", "));
                let undated = |rival: usize| {
                    self.files.get(rival).is_some_and(|other| other.holds_from.is_none())
                };
                let earlier = rivals.iter().find(|(other, _)| undated(*other) && other < place);
                match (file.holds_from, earlier) {
                    (Some(at), _) => Version::Of(DocumentOptions::observed_at(&document, at)),
                    (None, None) => {
                        let (version, effective_from) = (0, Timestamp::MIN);
                        Version::Of(DocumentOptions { document, version, effective_from })
                    }
                    (None, Some((other, _))) => Version::Undecided(self.names(&[*other])),
                }
            };
            versions.insert(*place, version);
        }
        versions
    }

    /// Reads the files of one log.
    fn log(&self, log: &Log, sink: &mut impl Sink) -> Vec<(usize, FileReport)> {
        let Some(first) = log.files.first().and_then(|place| self.files.get(*place)) else {
            return Vec::new();
        };
        let named = log.daemons.iter().find_map(|daemon| self.host_of(daemon));
        let options = LogOptions {
            host: self.options.host.clone(),
            fallback_host: named,
            date_hint: first.modified_at,
        };
        let parts: Vec<LogFile<'_>> = log
            .files
            .iter()
            .filter_map(|place| self.files.get(*place))
            .map(|file| LogFile { name: &file.name, bytes: &file.bytes })
            .collect();
        let mut by_document = ByDocument::new(sink, self.reports(&log.files));
        merge::read(self.context(first), options, &parts, &mut by_document);
        log.files.iter().copied().zip(by_document.reports).collect()
    }

    /// Empty reports of files.
    fn reports(&self, places: &[usize]) -> Vec<FileReport> {
        let known = places
            .iter()
            .filter_map(|place| Some((self.files.get(*place)?, self.sorted.get(*place)?)));
        known
            .map(|(file, sorted)| FileReport {
                name: file.name.clone(),
                format: sorted.kind.name(),
                reason: sorted.reason.clone(),
                ..FileReport::default()
            })
            .collect()
    }

    /// Reads another one of FlexNet's files.
    fn flexnet(&self, place: usize, format: FlexnetFormat, sink: &mut impl Sink) {
        let Some(file) = self.files.get(place) else { return };
        let context = self.context(file);
        let observed_at = self.observed_at(file);
        match format {
            FlexnetFormat::DebugLog => {}
            FlexnetFormat::LicenseFile => self.license(place, file, &context, sink),
            FlexnetFormat::OptionsFile => self.server_options(file, &context, sink),
            FlexnetFormat::Lmstat => {
                let options = LmstatOptions {
                    host: self.options.host.clone(),
                    fallback_host: self.only_host(),
                    at: file.holds_from,
                    known_hosts: self.devices.clone(),
                };
                lmstat::read(&context, &options, &file.bytes, sink);
            }
            FlexnetFormat::Expiry => {
                let mut document = DocumentOptions::observed_at(&file.name, observed_at);
                document.effective_from = file.holds_from.unwrap_or(Timestamp::MIN);
                let mut options = ExpiryOptions::new(document);
                options.host = self.options.host.clone().or_else(|| self.only_host());
                expiry::read(&context, &options, &file.bytes, sink);
            }
        }
    }

    fn license(&self, place: usize, file: &File<'_>, context: &Context, sink: &mut impl Sink) {
        let document = match self.versions.get(&place) {
            Some(Version::Of(document)) => document.clone(),
            Some(Version::Undecided(other)) => {
                let detail = format!(
                    "{other} grants features of the same server too, and nothing says which of the \
                     two holds; name the later one as FILE@INSTANT"
                );
                let reason = RejectReason::Conflict;
                return context.reject(sink, 0, reason, file.name.as_bytes(), Some(&detail));
            }
            None => return,
        };
        let mut options = LicenseOptions::new(document);
        options.host = self.options.host.clone();
        let servers = peek(context, &file.bytes).servers;
        options.fallback_host = servers.iter().find_map(|(daemon, _)| self.host_of(daemon));
        license::read(context, &options, &file.bytes, sink);
    }

    /// Reads an options file, if it can be said whose it is.
    fn server_options(&self, file: &File<'_>, context: &Context, sink: &mut impl Sink) {
        let stem =
            Path::new(&file.name).file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
        let by_name = stem.filter(|stem| self.hosts.contains_key(stem));
        let only = self.hosts.keys().next().filter(|_| self.hosts.len() == 1).cloned();
        let Some(daemon) = by_name.or(only) else {
            let detail = "nothing says which vendor daemon reads this options file; name it as the \
                          daemon is called, such as simd.opt";
            let reason = RejectReason::MissingValue;
            return context.reject(sink, 0, reason, file.name.as_bytes(), Some(detail));
        };
        let named = self.options.host.clone().or_else(|| self.host_of(&daemon));
        let host = named.unwrap_or_else(|| UNKNOWN_HOST.to_owned());
        let mut document = DocumentOptions::observed_at(&file.name, self.observed_at(file));
        document.effective_from = file.holds_from.unwrap_or(Timestamp::MIN);
        let source = OptionsSource { document, server: server_name(&daemon, &host) };
        options::read(context, &source, &file.bytes, sink);
    }

    fn table(&self, file: &File<'_>, mapping: &Mapping, sink: &mut impl Sink) {
        let mut snapshot = Snapshot::observed_at(self.observed_at(file));
        snapshot.taken_at = file.holds_from;
        let context = self.context(file);
        table::read(&file.bytes, mapping, &snapshot, &Limits::default(), &context, sink);
    }

    fn unknown(&self, file: &File<'_>, reason: &str, sink: &mut impl Sink) {
        let context = self.context(file);
        let head = file.bytes.get(..EXCERPT_BYTES_MAX).unwrap_or(&file.bytes);
        context.reject(sink, 0, RejectReason::UnknownFormat, head, Some(reason));
    }
}

/// What a license file is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peek {
    /// Daemons, in lower case, and their hosts.
    pub(crate) servers: BTreeSet<(String, String)>,
    /// Which features of which server it grants.
    grants: BTreeSet<(String, String)>,
}

/// Looks into a license file without telling anything.
pub(crate) fn peek(context: &Context, bytes: &[u8]) -> Peek {
    let document = DocumentOptions::observed_at(&context.document, context.received_at);
    let mut found = Collected::default();
    license::read(context, &LicenseOptions::new(document), bytes, &mut found);
    let mut peek = Peek::default();
    for fact in &found.facts {
        let Action::Assert(Body::Line(line)) = &fact.action else { continue };
        let Some((daemon, host)) = line.server.as_ref().and_then(|name| name.split_once('@'))
        else {
            continue;
        };
        peek.servers.insert((daemon.to_lowercase(), host.to_owned()));
        peek.grants.insert((daemon.to_lowercase(), line.product.clone()));
    }
    peek
}
