//! One workload on several engines: the product, the library's own operators, a program written for it by
//! hand, and DuckDB, which computes everything anew.
//!
//! Workload R: the same rows in the same batches with the same changes in between (`support/script.rs`),
//! each engine in a process of its own. Five checksums of what they answer in the end must be those of
//! plain loops over the rows, so that all are known to have done the same work. Rows per second of
//! processor time are compared as ratios within one run; they say little across machines.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_types, reason = "a bench measures time")]
#![expect(clippy::float_arithmetic, reason = "rates and times are shown to people")]
#![expect(clippy::cast_precision_loss, reason = "rates and times are shown to people")]

#[path = "peers/by_hand.rs"]
mod by_hand;
#[path = "peers/product.rs"]
mod product;
#[path = "peers/textbook.rs"]
mod textbook;
#[path = "peers/report.rs"]
mod report;

use clap::{Parser, ValueEnum};
use report::{Report, print, read};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use trueup_benches::load::{peak_mib, processor_time, quantile};
use trueup_benches::script::{Script, Step};
use trueup_datasets::workload::reconciliation::{Answers, ChangeSet, Row, write};
use trueup_policy::Policy;
use trueup_runtime::clock::SystemClock;
use trueup_runtime::engine::Engine;
use trueup_runtime::memory::allocator::keep_freed_memory;
use trueup_runtime::settings::{Horizon, Settings};

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The version of DuckDB that is compared with.
const DUCKDB: &str = "duckdb==2.0.0";

/// Runs workload R on several engines and compares what they answer.
#[derive(Debug, Parser)]
struct Args {
    /// Rows
    #[arg(long, default_value_t = 200_000)]
    rows: u32,
    /// Rows that are given at once
    #[arg(long, default_value_t = 20_000)]
    batch: usize,
    /// Only these
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Which>,
    /// Write the rows and tables as files into this folder, and no more
    #[arg(long)]
    write: Option<PathBuf>,
    /// Be this engine
    #[arg(long, hide = true)]
    peer: Option<Which>,
    /// Once, on little, without DuckDB: to see that it works
    #[arg(long)]
    test: bool,
    /// What `cargo bench` says
    #[arg(long, hide = true)]
    bench: bool,
}

/// An engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    ByHand,
    Product,
    Textbook,
    Duckdb,
}

impl Which {
    const ALL: [Self; 4] = [Self::ByHand, Self::Product, Self::Textbook, Self::Duckdb];

    fn name(self) -> &'static str {
        match self {
            Self::ByHand => "by-hand",
            Self::Product => "product",
            Self::Textbook => "textbook",
            Self::Duckdb => "duckdb",
        }
    }
}

/// An engine under the workload.
trait Peer {
    /// Takes rows, and works until what follows from them is known.
    fn rows(&mut self, rows: &[Row]);
    /// Moves an account, and changes lines.
    fn change(&mut self, change: &ChangeSet);
    /// What is known now.
    fn answers(&mut self) -> Answers;
}

fn main() -> Result<(), Box<dyn Error>> {
    keep_freed_memory();
    let mut args = Args::parse();
    if args.test {
        args = Args { rows: 3000, batch: 500, ..args };
    }
    let script = Script::of(args.rows, args.batch);
    if let Some(which) = args.peer {
        return be(which, &script);
    }
    let rows: Vec<Row> = script.rows().copied().collect();
    if let Some(folder) = &args.write {
        return Ok(write(&script.end, &rows, folder)?);
    }
    let right = script.answers();
    let mut reports = Vec::new();
    let is_asked = |which: &Which| args.only.is_empty() || args.only.contains(which);
    for which in Which::ALL.into_iter().filter(is_asked) {
        let said = match which {
            Which::Duckdb if args.test => continue,
            Which::Duckdb => match duckdb(&script, &rows) {
                Ok(said) => said,
                Err(error) => {
                    println!("DuckDB is left out: {error}");
                    continue;
                }
            },
            Which::ByHand | Which::Product | Which::Textbook => {
                let mut other = Command::new(std::env::current_exe()?);
                other.args(["--peer", which.name(), "--rows", &args.rows.to_string()]);
                said_by(other.args(["--batch", &args.batch.to_string()]))?
            }
        };
        reports.push((which.name(), read(&said).ok_or("an engine says something else")?));
    }
    println!("{} rows in batches of {}, {} in all", script.measured(), args.batch, rows.len());
    let wrong = print(&reports, right);
    if wrong > 0 {
        return Err(format!("{wrong} checksums are wrong").into());
    }
    Ok(())
}

fn said_by(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} failed: {errors}").into());
    }
    Ok(said)
}

/// Runs the script on one engine, and says what it took.
fn be(which: Which, script: &Script) -> Result<(), Box<dyn Error>> {
    let report = match which {
        Which::ByHand => run(&mut by_hand::ByHand::new(&script.begin), script),
        Which::Textbook => run(&mut textbook::Textbook::new(&script.begin), script),
        Which::Product => {
            let settings = Settings {
                policy: Policy::default(),
                horizon: Horizon::Evidence,
                epoch_facts_max: usize::MAX,
                epoch_us_max: u64::MAX / 2,
                ..Settings::default()
            };
            let engine = Engine::start(settings, Arc::new(SystemClock::default()))?;
            run(&mut product::Product::new(&engine, &script.begin), script)
        }
        Which::Duckdb => return Err("DuckDB is no engine of this program".into()),
    };
    println!("{report}");
    Ok(())
}

fn run(peer: &mut dyn Peer, script: &Script) -> Report {
    let (began, ran) = (Instant::now(), processor_time());
    for step in &script.steps {
        take(peer, step);
    }
    let (wall, ran) = (began.elapsed(), processor_time().saturating_sub(ran));
    let [mut small, mut changes] = [Vec::new(), Vec::new()];
    for step in &script.small {
        let since = Instant::now();
        take(peer, step);
        match step {
            Step::Rows(_) => small.push(since.elapsed()),
            Step::Change(_) => changes.push(since.elapsed()),
        }
    }
    small.sort_unstable();
    changes.sort_unstable();
    let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Report {
        rows: script.measured() as u64,
        wall_us: us(wall),
        ran_us: us(ran),
        peak_mib: peak_mib(),
        small_us: Some([us(quantile(&small, 500)), us(quantile(&small, 990))]),
        change_us: Some(us(quantile(&changes, 500))),
        answers: peer.answers(),
    }
}

fn take(peer: &mut dyn Peer, step: &Step) {
    match step {
        Step::Rows(rows) => peer.rows(rows),
        Step::Change(change) => peer.change(change),
    }
}

/// DuckDB in an environment of its own, which is made when it is not there.
fn duckdb(script: &Script, rows: &[Row]) -> Result<String, Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = here.join("../target/peers-venv");
    let python = place.join("bin/python");
    if !python.exists() {
        said_by(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", DUCKDB];
    said_by(Command::new(&python).args(pip))?;
    let folder = tempfile::tempdir()?;
    write(&script.end, rows, folder.path())?;
    let mut duck = Command::new(&python);
    let said = said_by(duck.arg(here.join("peers/duck.py")).arg(folder.path()).arg("1"))?;
    // It computes everything from all rows, those of the small batches among them.
    Ok(format!("rows {}\n{said}", rows.len()))
}
