//! Counts the instructions of the hottest paths, and refuses a change that costs more than was accepted.
//!
//! Each path runs once under `valgrind --tool=callgrind`, which counts only while `measured_part` runs, on
//! input drawn from a fixed seed: what prepares it is not counted, and it has run once before, so that
//! nothing is set up for the first time. Wall time on shared machines moves by a tenth and more; a count
//! moves when the code does, or the compiler. `baseline.toml` says what was accepted.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "instructions/callgrind.rs"]
mod callgrind;
#[path = "instructions/cases.rs"]
mod cases;

use cases::{CASES, Case};
use clap::Parser;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use trueup_benches::gate::{Baselines, Count, TOLERANCE_PER_MILLE, judge};

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Counts the instructions of the hottest paths.
#[derive(Debug, Parser)]
struct Args {
    /// Only paths with this in their name
    only: Option<String>,
    /// Accept what is counted now
    #[arg(long)]
    renew: bool,
    /// Fail where valgrind is absent
    #[arg(long)]
    required: bool,
    /// What was accepted
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.toml"))]
    baseline: PathBuf,
    /// Run this path once; what valgrind is told to run
    #[arg(long, hide = true)]
    case: Option<String>,
    /// Once, without valgrind: to see that it works
    #[arg(long)]
    test: bool,
    /// What `cargo bench` says
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args = Args::parse();
    let is_asked = |case: &&Case| args.only.as_ref().is_none_or(|part| case.name.contains(part));
    if let Some(name) = &args.case {
        let case = CASES.iter().find(|case| case.name == name).ok_or("there is no such path")?;
        println!("{}", run(case));
        return Ok(ExitCode::SUCCESS);
    }
    if args.test {
        for case in CASES.iter().filter(is_asked) {
            println!("{:<28}{:>10} {}", case.name, run(case), case.of);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let Some(valgrind) = callgrind::version() else {
        println!(
            "valgrind is not there, so nothing is counted; `apt-get install valgrind` brings it"
        );
        return Ok(if args.required { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    };
    let ground = callgrind::ground()?;
    println!("{valgrind}, rustc {}, {}", ground.rustc, ground.target);
    let mut baselines = Baselines::read(&std::fs::read_to_string(&args.baseline)?)?;
    let known = baselines.of(&ground).map(|one| one.paths.clone()).unwrap_or_default();
    println!("{:<28}{:>10}{:>16}{:>16}  change", "path", "of", "instructions", "baseline");
    let (mut counts, mut passes) = (BTreeMap::new(), true);
    for case in CASES.iter().filter(is_asked) {
        let count = callgrind::count(case.name)?;
        let before = known.get(case.name).copied();
        let verdict = judge(count, before);
        let baseline = before.map_or_else(|| "-".to_owned(), each);
        let words = verdict.words();
        println!("{:<28}{:>10}{:>16}{baseline:>16}  {words}", case.name, case.of, each(count));
        passes &= verdict.passes();
        counts.insert(case.name.to_owned(), count);
    }
    if args.renew {
        baselines.renew(&ground, &counts);
        std::fs::write(&args.baseline, baselines.written())?;
        println!("{} says so from now on", args.baseline.display());
        return Ok(ExitCode::SUCCESS);
    }
    if known.is_empty() {
        println!("nothing was accepted for this compiler and target; --renew accepts these counts");
    }
    if !passes {
        println!(
            "more than {}.{} % above what was accepted: make it cheaper, or say why it must cost that \
             and accept it with\n  cargo bench -p trueup-benches --bench instructions -- --renew",
            TOLERANCE_PER_MILLE / 10,
            TOLERANCE_PER_MILLE % 10,
        );
    }
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a path twice, the second time as the measured part; gives how many units went through it.
fn run(case: &Case) -> u64 {
    let mut prepared = (case.prepare)();
    (prepared.work)();
    measured_part(&mut *prepared.work);
    prepared.units
}

/// What is counted; callgrind knows it by its name.
#[inline(never)]
fn measured_part(work: &mut dyn FnMut()) {
    work();
}

/// Instructions for each unit, with one decimal.
fn each(count: Count) -> String {
    let tenths = count.instructions * 10 / count.units.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}
