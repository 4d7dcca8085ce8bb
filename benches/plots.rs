//! Draws the runs that are kept in `history/`: throughput against the size of epochs, the size of the state,
//! accounts and the number of workers, and how long epochs take; memory and latency of long runs by the minute.
//!
//! A line needs two runs at least that differ in what is across and in nothing else; a long run is one by itself.

#![expect(clippy::print_stdout, reason = "a bench prints what it drew")]

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use trueup_benches::plot::{Plot, Series, along, sweep};
use trueup_benches::record::{Run, history};

/// What is drawn: the file, the title, the setting across and what it is, the figures upward and their unit.
type Drawn = (&'static str, &'static str, (&'static str, &'static str), Figures, &'static str);
/// The names of figures.
type Figures = &'static [&'static str];

/// Every plot.
const PLOTS: [Drawn; 5] = [
    (
        "throughput-by-epoch",
        "Throughput by the size of epochs",
        ("epoch", "events in an epoch"),
        &["throughput"],
        "events/s",
    ),
    (
        "throughput-by-state",
        "Throughput by the size of the state",
        ("warm", "events before"),
        &["throughput"],
        "events/s",
    ),
    (
        "throughput-by-accounts",
        "Throughput by the number of accounts or people",
        ("accounts", "accounts or people"),
        &["throughput"],
        "events/s",
    ),
    (
        "throughput-by-workers",
        "Throughput by the number of workers",
        ("workers", "worker threads"),
        &["throughput"],
        "events/s",
    ),
    (
        "latency-by-epoch",
        "From an epoch's last event to its publication",
        ("epoch", "events in an epoch"),
        &["epoch p50", "epoch p90", "epoch p99", "epoch max"],
        "µs",
    ),
];

/// What is drawn of long runs: the file, the title, the figure of each window, and its unit.
const LONG: [[&str; 4]; 2] = [
    ["soak-memory", "Memory of a bounded world", "memory", "MiB"],
    ["soak-latency", "From when an event is due to its publication, p99", "p99", "µs"],
];

fn main() -> Result<(), Box<dyn Error>> {
    let is_long = |run: &Run| run.bench.starts_with("soak");
    let (long, runs): (Vec<Run>, Vec<Run>) = history()?.into_iter().partition(is_long);
    for (file, title, (setting, across), figures, unit) in PLOTS {
        let series = sweep(&runs, setting, figures);
        if series.is_empty() {
            println!("{file}: no two runs differ in {setting} only");
            continue;
        }
        draw(file, [title, across, unit], &runs, series)?;
    }
    for [file, title, figure, unit] in LONG {
        let series = along(&long, figure);
        if series.is_empty() {
            println!("{file}: no long run was kept");
            continue;
        }
        draw(file, [title, "minutes", unit], &long, series)?;
    }
    Ok(())
}

/// Draws lines of these runs into a file; of a test, only the text of it is made.
fn draw(
    file: &str,
    [title, across, upward]: [&str; 3],
    runs: &[Run],
    series: Vec<Series>,
) -> Result<(), Box<dyn Error>> {
    let is_test = std::env::args().any(|word| word == "--test");
    let plot = Plot {
        title: title.to_owned(),
        from: from(runs),
        across: across.to_owned(),
        upward: upward.to_owned(),
        series,
    };
    let svg = plot.svg();
    if !is_test {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("history").join(file);
        std::fs::write(path.with_extension("svg"), svg)?;
    }
    println!("{file}: {} lines", plot.series.len());
    Ok(())
}

/// The machines and commits of the runs; how much a machine had to do stays in the files.
fn from(runs: &[Run]) -> String {
    let machine = |run: &Run| run.machine.split(", load").next().unwrap_or_default().to_owned();
    let machines: BTreeSet<String> = runs.iter().map(machine).collect();
    let commits: BTreeSet<String> = runs.iter().map(|run| run.commit.clone()).collect();
    let all = |words: BTreeSet<String>| words.into_iter().collect::<Vec<_>>().join(", ");
    format!("{}; commit {}", all(machines), all(commits))
}
