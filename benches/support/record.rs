//! A run that is kept: on which machine, of which commit, by which command, and what was measured.
//!
//! One small JSON file each in `history/`, so that figures can be compared over time and drawn. Figures are
//! whole numbers in the unit that they name.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use trueup_runtime::clock::{Clock as _, SystemClock};

/// Where runs are kept.
const HISTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/history");

/// What was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What.
    pub what: String,
    /// In which unit.
    pub unit: String,
    /// How much.
    pub value: u64,
}

impl Figure {
    /// A figure.
    pub fn new(what: &str, unit: &str, value: u64) -> Self {
        Self { what: what.to_owned(), unit: unit.to_owned(), value }
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The processor, how many of it, and how much they had to do when the run ended.
    pub machine: String,
    /// The commit; with `+` if files differ from it.
    pub commit: String,
    /// The compiler.
    pub rustc: String,
    /// When it ended.
    pub at: String,
    /// What was run.
    pub command: String,
    /// Which bench and workload.
    pub bench: String,
    /// The switches that figures depend on.
    pub settings: BTreeMap<String, u64>,
    /// What was measured.
    pub figures: Vec<Figure>,
}

impl Run {
    /// A run that ends now.
    pub fn now(bench: String, settings: BTreeMap<String, u64>, figures: Vec<Figure>) -> Self {
        let words: Vec<String> =
            std::env::args().skip(1).filter(|word| word != "--bench").collect();
        let name = bench.split(' ').next().unwrap_or_default();
        let command =
            format!("cargo bench -p trueup-benches --bench {name} -- {}", words.join(" "));
        Self {
            machine: machine(),
            commit: commit(),
            rustc: said(Command::new("rustc").arg("-V")),
            at: SystemClock::default().now().to_string(),
            command,
            bench,
            settings,
            figures,
        }
    }

    /// Writes the run into the history, in the place of one of the same name; gives its file.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn write(&self, name: &str) -> io::Result<PathBuf> {
        let file = Path::new(HISTORY).join(name).with_extension("json");
        std::fs::create_dir_all(HISTORY)?;
        let text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        std::fs::write(&file, text + "\n")?;
        Ok(file)
    }

    /// A figure of the run.
    pub fn figure(&self, what: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.what == what)
    }
}

/// All runs that are kept, in the order of their names.
///
/// # Errors
/// If a file cannot be read, or is no run.
pub fn history() -> io::Result<Vec<Run>> {
    let entries = match std::fs::read_dir(HISTORY) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
        // Nothing was kept yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let read = |file: &PathBuf| {
        let text = std::fs::read_to_string(file)?;
        serde_json::from_str(&text).map_err(io::Error::other)
    };
    files.iter().map(read).collect()
}

/// What a program says; nothing if it is not there.
fn said(command: &mut Command) -> String {
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

fn commit() -> String {
    let commit = said(Command::new("git").args(["rev-parse", "--short", "HEAD"]));
    let changed = said(Command::new("git").args(["status", "--porcelain", "--untracked-files=no"]));
    if changed.is_empty() { commit } else { commit + "+" }
}

fn machine() -> String {
    let known = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = known.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let many = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    format!("{} × {many}, load {load}", model.unwrap_or("unknown processor"))
}

#[cfg(test)]
mod tests {
    use super::{Figure, Run, history};

    #[test]
    fn a_run_is_read_as_it_was_written() {
        let settings = [("epoch".to_owned(), 20_000)].into();
        let run = Run::now("flow p".to_owned(), settings, vec![Figure::new("epoch p50", "µs", 7)]);
        let text = serde_json::to_string(&run).unwrap();
        assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), run);
        assert_eq!(run.figure("epoch p50").map(|figure| figure.value), Some(7));
        assert_eq!(run.figure("epoch p99"), None);
        assert!(run.command.starts_with("cargo bench -p trueup-benches --bench flow -- "));
    }

    #[test]
    fn every_run_that_is_kept_can_be_read() {
        assert!(history().unwrap().iter().all(|run| !run.figures.is_empty()));
    }
}
