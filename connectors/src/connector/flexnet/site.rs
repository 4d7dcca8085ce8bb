//! The files of a license server besides its log, and what each says of the others.
//!
//! A license file names the daemons and their host, which a log may leave out; the log names them for a
//! license file that does not; options belong to a daemon that only the others name. Several license
//! files of one server hold at the same time, as the server adds them up; a changed one is a new version.

use super::Arguments;
use crate::connector::args::document_name;
use crate::connector::delivery::Delivery;
use crate::connector::documents::{self, Found as FoundFile, Known};
use crate::connector::exit::Failure;
use crate::formats::flexnet::detect::{FlexnetFormat, detect};
use crate::formats::flexnet::expiry::{self, ExpiryOptions};
use crate::formats::flexnet::license::{self, LicenseOptions};
use crate::formats::flexnet::lmstat::{self, LmstatOptions};
use crate::formats::flexnet::log::host_in;
use crate::formats::flexnet::options::{self, OptionsSource};
use crate::formats::flexnet::{DocumentOptions, UNKNOWN_HOST, server_name};
use crate::formats::{Context, Sink};
use crate::load::FileReport;
use crate::load::logs::daemons_in;
use crate::load::peek;
use crate::load::report::Reporting;
use crate::source::file::beginning;
use crate::source::watch::{Found, Watched};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use trueup_model::calendar::Zone;
use trueup_model::hash::hash64;
use trueup_model::reject::RejectReason;
use trueup_model::time::Timestamp;

/// What a file was named as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    License,
    Options,
    Answer,
}

#[derive(Debug)]
struct Document {
    role: Role,
    watched: Watched,
    name: String,
    report: FileReport,
}

/// The files of a license server besides its log.
#[derive(Debug)]
pub(super) struct Site<'a> {
    arguments: &'a Arguments,
    documents: Vec<Document>,
    /// The hosts of each daemon, in lower case, as license files name them.
    hosts: BTreeMap<String, BTreeSet<String>>,
    /// The daemons that write in the log, in lower case.
    log_daemons: BTreeSet<String>,
    /// The host that the log names.
    log_host: Option<String>,
}

impl<'a> Site<'a> {
    /// The files that the arguments name; looks into them for daemons and hosts.
    pub(super) fn new(arguments: &'a Arguments, known_host: Option<&str>) -> Self {
        let roles = [
            (Role::License, &arguments.license),
            (Role::Options, &arguments.options),
            (Role::Answer, &arguments.lmstat),
        ];
        let named = roles.iter().flat_map(|(role, paths)| paths.iter().map(|path| (*role, path)));
        let document = |(role, path): (Role, &std::path::PathBuf)| Document {
            role,
            watched: Watched::new(path),
            name: document_name(&arguments.delivery.source, path),
            report: FileReport { name: path.display().to_string(), ..FileReport::default() },
        };
        let mut site = Self {
            arguments,
            documents: named.map(document).collect(),
            hosts: BTreeMap::new(),
            log_daemons: BTreeSet::new(),
            log_host: known_host.map(str::to_owned),
        };
        for path in &arguments.log {
            // What cannot be read is told where it is read as a whole.
            let beginning = beginning(path).unwrap_or_default();
            site.log_daemons.extend(daemons_in(&beginning));
            site.log_host = site.log_host.take().or_else(|| host_in(&beginning));
        }
        for path in &arguments.license {
            site.learn(&beginning(path).unwrap_or_default());
        }
        site
    }

    /// What bytes of this document are read with.
    pub(super) fn context(&self, document: &str, now: Timestamp) -> Context {
        let Arguments { delivery, time_zone, .. } = self.arguments;
        Context {
            tenant: delivery.tenant.clone(),
            source: delivery.source.clone(),
            document: document.to_owned(),
            zone: Zone::clone(time_zone),
            received_at: now,
        }
    }

    /// The only host that license files name, for a log that names none.
    pub(super) fn license_host(&self) -> Option<String> {
        let hosts: BTreeSet<&String> = self.hosts.values().flatten().collect();
        hosts.first().filter(|_| hosts.len() == 1).map(|host| (*host).clone())
    }

    /// The host that the log names.
    pub(super) fn log_host(&self) -> Option<String> {
        self.log_host.clone()
    }

    /// Takes the host that the log names.
    pub(super) fn meet_host(&mut self, host: Option<&str>) {
        if self.log_host.is_none() {
            self.log_host = host.map(str::to_owned);
        }
    }

    /// Learns which daemon runs where from a license file.
    fn learn(&mut self, license: &[u8]) {
        let context = self.context("", Timestamp(0));
        for (daemon, host) in peek(&context, license).servers {
            let hosts = self.hosts.entry(daemon).or_default();
            if host != UNKNOWN_HOST {
                hosts.insert(host);
            }
        }
    }

    /// Looks at the license and options files; tells those that are new or changed.
    pub(super) fn look_at_rights(
        &mut self,
        delivery: &mut Delivery,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        self.look(delivery, now, &BTreeSet::new(), |role| role != Role::Answer)
    }

    /// Looks at saved answers of the server; `devices` are hosts that the log names.
    pub(super) fn look_at_answers(
        &mut self,
        delivery: &mut Delivery,
        now: Timestamp,
        devices: &BTreeSet<String>,
    ) -> Result<bool, Failure> {
        self.look(delivery, now, devices, |role| role == Role::Answer)
    }

    fn look(
        &mut self,
        delivery: &mut Delivery,
        now: Timestamp,
        devices: &BTreeSet<String>,
        wanted: impl Fn(Role) -> bool,
    ) -> Result<bool, Failure> {
        let mut told = false;
        let mut all = std::mem::take(&mut self.documents);
        for document in all.iter_mut().filter(|document| wanted(document.role)) {
            match document.watched.look() {
                Ok(Found::Contents { bytes, modified_at }) => {
                    told |= self.tell(document, &bytes, modified_at, delivery, now, devices)?;
                }
                Ok(Found::Nothing) => {}
                Ok(Found::Gone) => {
                    let file = document.watched.path().display();
                    tracing::warn!(%file, "the file is gone; what it said last still holds");
                }
                Err(error) if self.arguments.once => return Err(Failure::unreadable(&error)),
                Err(error) => tracing::warn!(%error, "a file could not be read; it is tried again"),
            }
        }
        self.documents = all;
        Ok(told)
    }

    /// Tells a document if the engine does not have it as it is.
    fn tell(
        &mut self,
        document: &mut Document,
        bytes: &[u8],
        modified_at: Option<i64>,
        delivery: &mut Delivery,
        now: Timestamp,
        devices: &BTreeSet<String>,
    ) -> Result<bool, Failure> {
        if document.role == Role::License {
            self.learn(bytes);
        }
        let host = self.host_for(document, bytes);
        let zone = self.arguments.time_zone.name();
        let told_as = hash64(&[zone.as_bytes(), host.join(" ").as_bytes()]);
        let found = FoundFile { document: &document.name, bytes, modified_at, told_as };
        let (format, reason) = format_of(document.role, bytes);
        (document.report.format, document.report.reason) = (format.name().to_owned(), reason);
        let known = documents::version(&delivery.position.documents, &found, now);
        let Some((name, known)) = known else {
            document.report.reason = "as it was when it was delivered before".to_owned();
            return Ok(false);
        };
        let context = self.context(&document.name, now);
        let report = std::mem::take(&mut document.report);
        document.report = delivery.give(|sink| {
            let mut reporting = Reporting::going_on(sink, report);
            match format {
                FlexnetFormat::LicenseFile => {
                    self.license(&context, &known, bytes, &mut reporting);
                }
                FlexnetFormat::OptionsFile => {
                    self.server_options(document, &context, &known, bytes, &mut reporting);
                }
                FlexnetFormat::Expiry => self.expiry(&context, &known, bytes, &mut reporting),
                FlexnetFormat::Lmstat | FlexnetFormat::DebugLog => {
                    let at = modified_at.map(Timestamp);
                    self.answer(&context, at, bytes, devices, &mut reporting);
                }
            }
            reporting.report
        })?;
        let FileReport { facts, rejects, .. } = document.report;
        tracing::info!(file = %document.watched.path().display(), facts, rejects, "delivered");
        delivery.position.documents.insert(name, known);
        Ok(true)
    }

    /// The hosts that a document's facts depend on besides its bytes.
    fn host_for(&self, document: &Document, bytes: &[u8]) -> Vec<String> {
        let given = self.arguments.server.clone();
        let other = match document.role {
            Role::License => {
                let servers = peek(&self.context("", Timestamp(0)), bytes).servers;
                let is_named = servers.iter().all(|(_, host)| host != UNKNOWN_HOST);
                self.log_host.clone().filter(|_| !is_named)
            }
            Role::Options => {
                self.daemon_of(document.watched.path()).map(|daemon| self.server(&daemon))
            }
            // An answer is told with the instant that it was given, once.
            Role::Answer => None,
        };
        given.into_iter().chain(other).collect()
    }

    fn license(&self, context: &Context, known: &Known, bytes: &[u8], sink: &mut impl Sink) {
        let mut options = LicenseOptions::new(version_of(context, known));
        options.host.clone_from(&self.arguments.server);
        options.fallback_host.clone_from(&self.log_host);
        license::read(context, &options, bytes, sink);
    }

    /// Tells an options file, if it can be said whose it is.
    fn server_options(
        &self,
        document: &Document,
        context: &Context,
        known: &Known,
        bytes: &[u8],
        sink: &mut impl Sink,
    ) {
        let path = document.watched.path();
        let Some(daemon) = self.daemon_of(path) else {
            let detail = "nothing says which vendor daemon reads this options file; name it as the \
                          daemon is called, such as simd.opt, and its license file with --license";
            let file = path.display().to_string();
            let reason = RejectReason::MissingValue;
            return context.reject(sink, 0, reason, file.as_bytes(), Some(detail));
        };
        let source =
            OptionsSource { document: version_of(context, known), server: self.server(&daemon) };
        options::read(context, &source, bytes, sink);
    }

    fn expiry(&self, context: &Context, known: &Known, bytes: &[u8], sink: &mut impl Sink) {
        let mut options = ExpiryOptions::new(version_of(context, known));
        options.host = self.arguments.server.clone().or_else(|| self.any_host());
        expiry::read(context, &options, bytes, sink);
    }

    /// Tells an answer of the server, given at this instant unless it says another.
    pub(super) fn answer(
        &self,
        context: &Context,
        at: Option<Timestamp>,
        bytes: &[u8],
        devices: &BTreeSet<String>,
        sink: &mut impl Sink,
    ) {
        let options = LmstatOptions {
            host: self.arguments.server.clone(),
            fallback_host: self.any_host(),
            at,
            known_hosts: devices.clone(),
        };
        lmstat::read(context, &options, bytes, sink);
    }

    fn any_host(&self) -> Option<String> {
        self.license_host().or_else(|| self.log_host.clone())
    }

    /// The daemon that reads an options file: the one that it is called after, or the only one.
    fn daemon_of(&self, path: &Path) -> Option<String> {
        let licensed: BTreeSet<&String> = self.hosts.keys().collect();
        let all: BTreeSet<&String> = licensed.iter().copied().chain(&self.log_daemons).collect();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
        let by_name = stem.filter(|stem| all.contains(stem));
        let only = |daemons: &BTreeSet<&String>| {
            daemons.first().filter(|_| daemons.len() == 1).map(|daemon| (*daemon).clone())
        };
        by_name.or_else(|| only(&licensed)).or_else(|| only(&all))
    }

    /// The server of a daemon as facts name it.
    fn server(&self, daemon: &str) -> String {
        let licensed = self.hosts.get(daemon).filter(|hosts| hosts.len() == 1);
        let licensed = licensed.and_then(|hosts| hosts.first().cloned());
        let host = self.arguments.server.clone().or(licensed).or_else(|| self.log_host.clone());
        server_name(daemon, host.as_deref().unwrap_or(UNKNOWN_HOST))
    }

    /// What became of the files.
    pub(super) fn reports(self) -> Vec<FileReport> {
        self.documents.into_iter().map(|document| document.report).collect()
    }
}

/// What a file is read as: what it was named as, except that the two answers are told apart.
fn format_of(role: Role, bytes: &[u8]) -> (FlexnetFormat, String) {
    let named = |switch: &str| format!("it was named with {switch}");
    match role {
        Role::License => (FlexnetFormat::LicenseFile, named("--license")),
        Role::Options => (FlexnetFormat::OptionsFile, named("--options")),
        Role::Answer => {
            let found = detect(bytes);
            match found.format {
                Some(FlexnetFormat::Expiry) => (FlexnetFormat::Expiry, found.reason),
                _ => (FlexnetFormat::Lmstat, named("--lmstat")),
            }
        }
    }
}

fn version_of(context: &Context, known: &Known) -> DocumentOptions {
    DocumentOptions {
        document: context.document.clone(),
        version: u64::try_from(known.version).unwrap_or(0),
        effective_from: known.effective_from,
    }
}
