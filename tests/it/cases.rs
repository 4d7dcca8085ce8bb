//! Hard cases with their right answers: files in, the whole way through, positions out.
//!
//! Each case is a folder with inputs and an `expected.json`. Everything that it expects is compared; a
//! key that nobody knows fails the case, so that no expectation is passed over.

mod answers;
mod catalog;
mod expectations;

use answers::Answers;
use expectations::check;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use trueup_connectors::formats::mapping::Mapping;
use trueup_connectors::load::{File, FileReport};
use trueup_model::calendar::Zone;
use trueup_model::time::Timestamp;
use trueup_policy::Policy;
use trueup_tests::local::{Local, shared};

/// A case as it stands in its folder.
pub(crate) struct Case {
    folder: PathBuf,
    given: Value,
    expect: Value,
    inputs: Vec<String>,
}

impl Case {
    fn read(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join("expected.json")).unwrap();
        let mut whole: Value = serde_json::from_str(&text).unwrap();
        let inputs = whole["inputs"].as_array().unwrap().iter();
        let inputs = inputs.map(|name| name.as_str().unwrap().to_owned()).collect();
        let (given, expect) = (whole["given"].take(), whole["expect"].take());
        Self { folder: folder.to_owned(), given, expect, inputs }
    }

    /// A file of the case, with a name that says only the file's.
    fn file(&self, name: &str) -> File<'static> {
        let mut file = File::new(name, fs::read(self.folder.join(name)).unwrap());
        let timeline = self.given["licence_timeline"].as_array();
        let entry = timeline.into_iter().flatten().find(|entry| entry["file"] == name);
        file.holds_from = entry.map(|entry| instant(&entry["from"]));
        file
    }

    /// The zone that is given for everything.
    fn zone(&self) -> Zone {
        self.given["timezone"].as_str().map_or_else(Zone::utc, |name| Zone::named(name).unwrap())
    }
}

/// An instant in a case.
pub(crate) fn instant(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// How a case is run that needs more than its files.
#[derive(Clone, Copy, Default)]
pub(crate) struct Setting {
    /// The policy, beside the zone.
    pub(crate) policy: &'static str,
    /// The mapping of its tables or events.
    pub(crate) mapping: Option<&'static str>,
    /// Accounts with their zones, as a table.
    pub(crate) accounts: Option<&'static str>,
    /// A table that is given beside the files.
    pub(crate) table: Option<&'static str>,
    /// When the files are received.
    pub(crate) received_at: Option<&'static str>,
    /// Where the horizon is moved to after the files.
    pub(crate) horizon: Option<&'static str>,
}

/// Runs a case on one and two workers, and compares all that it expects.
fn run(name: &str, setting: Setting) {
    let Some(cases) = shared("cases") else { return };
    let prefix = format!("{name}-");
    let folders = fs::read_dir(&cases).unwrap().map(|entry| entry.unwrap().path());
    let mut folders = folders
        .filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(&prefix)));
    let case = Case::read(&folders.next().unwrap_or_else(|| panic!("no case {name}")));
    for workers in [1, 2] {
        match case.given["run_once_per"].as_array() {
            None => {
                let files: Vec<_> = case.inputs.iter().map(|name| case.file(name)).collect();
                compare(&case, setting, workers, &files, &case.expect);
            }
            Some(variants) => {
                for variant in variants.iter().map(|name| name.as_str().unwrap()) {
                    let is_other = |name: &String| {
                        variants.iter().any(|v| v == name.as_str()) && name != variant
                    };
                    let own = case.inputs.iter().filter(|name| !is_other(name));
                    let files: Vec<_> = own.map(|name| case.file(name)).collect();
                    compare(&case, setting, workers, &files, &case.expect[variant]);
                }
            }
        }
    }
}

/// Loads the files into an engine and compares what comes out.
fn compare(case: &Case, setting: Setting, workers: usize, files: &[File<'static>], expect: &Value) {
    let mut policy = Policy::from_toml(setting.policy).unwrap_or_else(|errors| panic!("{errors}"));
    policy.zone = case.zone();
    let mut local = Local::start(workers, &policy);
    local.received_at = setting.received_at.map_or(local.received_at, |at| at.parse().unwrap());
    if let Some(accounts) = setting.accounts {
        local.load(&[File::new("accounts.csv", accounts.as_bytes())]);
    }
    let mut files = files.to_vec();
    if let Some(text) = setting.mapping {
        let mapping = Mapping::parse("mapping.toml", text).unwrap_or_else(|e| panic!("{e}"));
        for file in &mut files {
            file.mapping = Some(mapping.clone());
        }
    }
    files.extend(setting.table.map(|table| File::new("given.csv", table.as_bytes())));
    let reports: Vec<FileReport> = local.load(&files);
    if let Some(horizon) = setting.horizon {
        local.settle(Some(horizon.parse().unwrap()));
    }
    let views = local.engine.views();
    let names = local.engine.names();
    let answers = Answers { case, views: &views, names: &names, reports: &reports };
    let expectations = expect.as_object().unwrap();
    assert!(!expectations.is_empty());
    for (key, expected) in expectations {
        let found = check(&answers, key, expected);
        let name = case.folder.file_name().unwrap().to_string_lossy();
        assert_eq!(found, *expected, "{name}, {workers} workers: {key}");
    }
}
