//! The configuration of a running engine: every key once, with its default and what it means.
//!
//! A value comes from the defaults, then the file, then the environment (`TRUEUP__SECTION__KEY`), then
//! a switch; the later one wins, and `trueup config` shows which one did. Unknown keys are errors, and
//! all problems are reported at once. This is the one place that reads the environment.

mod certificates;
mod cluster;
mod keys;
mod sealing;

use crate::exit::{Exit, Failure};
use crate::listener::Certificates;
use keys::KEYS;
pub(crate) use sealing::read_keys;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::{DeTable, DeValue};
use trueup_policy::Policy;
use trueup_runtime::memory::Gauge;
use trueup_runtime::mesh::Member;
use trueup_runtime::settings::{Horizon, Settings, SnapshotPace};
use trueup_tls::Host;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    Default,
    File,
    Environment(String),
    Switch,
}

/// What a run is told, checked.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The settings of the engine.
    pub(crate) settings: Settings,
    /// Where questions are answered.
    pub(crate) api: SocketAddr,
    /// What whoever asks is shown, and must show.
    pub(crate) api_host: Option<Host>,
    /// Where connectors deliver.
    pub(crate) connectors: SocketAddr,
    /// The secret that connectors must show; `None` admits everyone.
    pub(crate) token: Option<Vec<u8>>,
    /// What connectors are shown, and must show.
    pub(crate) certificates: Option<Certificates>,
    /// The most connectors at a time.
    pub(crate) connections_max: usize,
    /// What this process is in a cluster; its build is not known here.
    pub(crate) member: Option<Member>,
}

/// A variable of the environment.
#[expect(clippy::disallowed_methods, reason = "configuration is read here and nowhere else")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A number that nobody outside can guess: the keys of the standard library's hasher are random.
fn chance() -> u64 {
    RandomState::new().hash_one(0)
}

/// Every key as a file to begin with.
pub(crate) fn defaults() -> String {
    let mut text = String::from("# Trueup: every key with its default.\n");
    let mut section = "";
    for key in KEYS {
        if key.section != section {
            section = key.section;
            let _ = write!(text, "\n[{section}]\n");
        }
        let _ = write!(text, "# {}\n{} = {}\n", key.meaning, key.name, key.default);
    }
    text
}

/// The texts of all values, and where each comes from.
#[derive(Debug)]
pub(crate) struct Values {
    values: BTreeMap<(&'static str, &'static str), (String, Origin)>,
    folder: PathBuf,
}

impl Values {
    /// Reads the file, if one is named, and the environment.
    pub(crate) fn read(
        file: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        let mut values = BTreeMap::new();
        for key in KEYS {
            values.insert((key.section, key.name), (key.default.to_owned(), Origin::Default));
        }
        let mut folder = PathBuf::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|error| {
                let message = format!("could not read configuration {}: {error}", path.display());
                Failure::new(Exit::NoInput, message, "`trueup config --defaults` prints one")
            })?;
            read_file(&text, &mut values).map_err(|problems| {
                let message = format!("{} is wrong:\n{problems}", path.display());
                Failure::new(Exit::Config, message, "`trueup config --defaults` lists the keys")
            })?;
            folder = path.parent().map(Path::to_owned).unwrap_or_default();
        }
        for key in KEYS {
            let variable = format!("TRUEUP__{}__{}", key.section, key.name).to_ascii_uppercase();
            if let Some(value) = environment(&variable) {
                let text = as_toml(&value, key.default);
                values.insert((key.section, key.name), (text, Origin::Environment(variable)));
            }
        }
        Ok(Self { values, folder })
    }

    /// Puts a switch over a value.
    pub(crate) fn switch(&mut self, section: &'static str, name: &'static str, text: String) {
        self.values.insert((section, name), (text, Origin::Switch));
    }

    /// Every value with where it comes from, as text.
    pub(crate) fn shown(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for key in KEYS {
            if key.section != section {
                section = key.section;
                let _ = write!(text, "\n[{section}]\n");
            }
            let Some((value, origin)) = self.values.get(&(key.section, key.name)) else { continue };
            let from = match origin {
                Origin::Default => "default".to_owned(),
                Origin::File => "file".to_owned(),
                Origin::Environment(variable) => variable.clone(),
                Origin::Switch => "switch".to_owned(),
            };
            let _ = writeln!(text, "{} = {value}  # {from}", key.name);
        }
        text.trim_start().to_owned()
    }

    /// The values, checked; all problems at once.
    pub(crate) fn check(&self) -> Result<Config, Failure> {
        let mut problems: Vec<String> = Vec::new();
        let mut number = |section, name, least: u64, most: u64| {
            self.number((section, name), least..=most, &mut problems)
        };
        let workers = number("engine", "workers", 1, 256);
        let epoch_facts = number("engine", "epoch_facts_max", 1, 10_000_000);
        let epoch_ms = number("engine", "epoch_milliseconds", 1, 60_000);
        let step_seconds = number("engine", "horizon_step_seconds", 1, 86_400);
        let totals_ms = number("engine", "totals_milliseconds", 0, 3_600_000);
        let names = number("engine", "names_max", 1, 1_000_000_000);
        let products = number("engine", "products_max", 1, 10_000_000);
        let future_seconds = number("engine", "future_tolerance_seconds", 0, 31_536_000);
        let memory = number("engine", "memory_mebibytes", 0, 1 << 30);
        let snapshot_bytes = number("snapshots", "journal_bytes", 65_536, 1 << 40);
        let snapshot_seconds = number("snapshots", "interval_seconds", 1, 31_536_000);
        let connections = number("connectors", "connections_max", 1, 1024);
        let process = number("cluster", "process", 0, 1023);
        let patience = number("cluster", "patience_seconds", 1, 86_400);
        let api = self.address("api", &mut problems);
        let connectors = self.address("connectors", &mut problems);
        let policy = self.policy(&mut problems);
        let token = self.secret("connectors", "token_file", &mut problems);
        let certificates = self.connector_certificates(&mut problems);
        let api_host = self.api_host(&mut problems);
        let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        let member = self.member(size(process), size(workers), &policy, &mut problems);
        let member =
            member.map(|member| Member { patience: Duration::from_secs(patience), ..member });
        let journal = self.journal(&mut problems);
        let journal_keys = self.journal_keys(&mut problems);
        let snapshots = self.truth("snapshots", &mut problems).then_some(SnapshotPace {
            journal_bytes: snapshot_bytes,
            interval_us: snapshot_seconds * 1_000_000,
        });
        if !problems.is_empty() {
            let message = format!("the configuration is wrong:\n{}", problems.join("\n"));
            return Err(Failure::new(Exit::Config, message, "`trueup config` shows all values"));
        }
        let settings = Settings {
            workers: size(workers),
            policy,
            horizon: Horizon::Clock,
            horizon_step_us: step_seconds * 1_000_000,
            totals_step_us: totals_ms * 1000,
            epoch_facts_max: size(epoch_facts),
            epoch_us_max: epoch_ms * 1000,
            names_max: size(names),
            products_max: size(products),
            journal,
            journal_keys,
            snapshots,
            journal_mark: chance(),
            memory: Gauge::new((memory > 0).then_some(memory * 1024 * 1024)),
            future_tolerance_us: i64::try_from(future_seconds).unwrap_or(0) * 1_000_000,
            ..Settings::default()
        };
        let connections_max = size(connections);
        Ok(Config {
            settings,
            api,
            api_host,
            connectors,
            token,
            certificates,
            connections_max,
            member,
        })
    }

    /// A number within bounds, which are in.
    fn number(
        &self,
        (section, name): (&'static str, &'static str),
        bounds: RangeInclusive<u64>,
        problems: &mut Vec<String>,
    ) -> u64 {
        let (text, least, most) = (self.text(section, name), *bounds.start(), *bounds.end());
        match text.replace('_', "").parse::<u64>() {
            Ok(number) if bounds.contains(&number) => number,
            _ => {
                problems.push(format!(
                    "{section}.{name} is {text}, expected a number from {least} to {most}"
                ));
                least
            }
        }
    }

    fn text(&self, section: &'static str, name: &'static str) -> &str {
        self.values.get(&(section, name)).map_or("", |(text, _)| text.as_str())
    }

    /// The folder of the journal, if one is kept.
    fn journal(&self, problems: &mut Vec<String>) -> Option<PathBuf> {
        let folder = || self.folder.join(unquoted(self.text("journal", "folder")));
        self.truth("journal", problems).then(folder)
    }

    /// Whether a section is enabled.
    fn truth(&self, section: &'static str, problems: &mut Vec<String>) -> bool {
        match self.text(section, "enabled") {
            "true" => true,
            "false" => false,
            other => {
                problems.push(format!("{section}.enabled is {other}, expected true or false"));
                false
            }
        }
    }

    fn address(&self, section: &'static str, problems: &mut Vec<String>) -> SocketAddr {
        let text = unquoted(self.text(section, "listen"));
        text.parse().unwrap_or_else(|_| {
            problems.push(format!("{section}.listen is `{text}`, expected address:port"));
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    fn policy(&self, problems: &mut Vec<String>) -> Policy {
        let name = unquoted(self.text("policy", "file"));
        if name.is_empty() {
            return Policy::default();
        }
        let path = self.folder.join(name);
        let read = std::fs::read_to_string(&path).map_err(|error| error.to_string());
        let parsed = read.and_then(|text| Policy::from_toml(&text).map_err(|e| e.to_string()));
        parsed.unwrap_or_else(|error| {
            problems.push(format!("policy {}:\n{error}", path.display()));
            Policy::default()
        })
    }

    /// What a file keeps secret, if one is named.
    fn secret(
        &self,
        section: &'static str,
        key: &'static str,
        problems: &mut Vec<String>,
    ) -> Option<Vec<u8>> {
        let name = unquoted(self.text(section, key));
        if name.is_empty() {
            return None;
        }
        let path = self.folder.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => Some(text.trim().as_bytes().to_vec()),
            Ok(_) => {
                problems.push(format!("{section}.{key} {} is empty", path.display()));
                None
            }
            Err(error) => {
                problems.push(format!("{section}.{key} {}: {error}", path.display()));
                None
            }
        }
    }
}

/// Takes the values of a file; gives what is wrong with it, a line a problem.
fn read_file(
    text: &str,
    values: &mut BTreeMap<(&'static str, &'static str), (String, Origin)>,
) -> Result<(), String> {
    let mut problems = Vec::new();
    let place = |offset: usize| text.get(..offset).unwrap_or(text).matches('\n').count() + 1;
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let line = place(error.span().map_or(0, |span| span.start));
        problems.push(format!("line {line}: {}", error.message()));
    }
    let sections = if errors.is_empty() { Some(root.get_ref()) } else { None };
    for (section, fields) in sections.into_iter().flatten() {
        let line = place(section.span().start);
        let Some(fields) = fields.get_ref().as_table() else {
            problems.push(format!("line {line}: `{}` is not a section", section.get_ref()));
            continue;
        };
        for (name, value) in fields {
            let here = place(name.span().start);
            let known = KEYS.iter().find(|key| {
                key.section == section.get_ref().as_ref() && key.name == name.get_ref().as_ref()
            });
            match known {
                Some(key) => {
                    let read = plain(value.get_ref());
                    values.insert((key.section, key.name), (read, Origin::File));
                }
                None => problems.push(format!(
                    "line {here}: `{}.{}` is not a key",
                    section.get_ref(),
                    name.get_ref()
                )),
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// A value as it stands in a file.
fn plain(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{text}\""),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Datetime(at) => at.to_string(),
        DeValue::Array(_) | DeValue::Table(_) => value.type_str().to_owned(),
    }
}

/// A variable's text as it would stand in a file, in the form that the default has.
fn as_toml(text: &str, like: &str) -> String {
    if like.starts_with('"') { format!("\"{text}\"") } else { text.to_owned() }
}

fn unquoted(text: &str) -> &str {
    text.trim_matches('"')
}

#[cfg(test)]
mod tests;
