//! How long an engine takes to begin again, and what the journal costs while it runs.
//!
//! Workload P is fed through a connector in the same process, once without a journal and once with one, over
//! the same frames; then an engine begins with the journal alone, and with a snapshot of it, each in a process of
//! its own, which says how much memory it took at most. What each of the four answers is compared: positions and
//! their sums are the same. Times are of the wall, so compare those of one run only; so is the ratio, and
//! `end_to_end -- --turns 5` says more of it.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::float_arithmetic, reason = "rates and times are shown to people")]
#![expect(clippy::cast_precision_loss, reason = "rates are shown to people")]

use clap::Parser;
use crossbeam_channel::{Receiver, bounded};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use trueup_benches::load::peak_mib;
use trueup_benches::names::Names;
use trueup_connectors::client::clock::{Clock as _, SystemClock};
use trueup_connectors::client::transport::{Pair, PairDial};
use trueup_connectors::client::{Client, Secret, Settings as ClientSettings};
use trueup_datasets::workload;
use trueup_datasets::workload::telemetry::{Scale, Telemetry};
use trueup_model::fact::Fact;
use trueup_runtime::clock::SystemClock as EngineClock;
use trueup_runtime::conversation::{Allowance, OpenGate, Reception};
use trueup_runtime::engine::Engine;
use trueup_runtime::memory::allocator::keep_freed_memory;
use trueup_runtime::settings::{Horizon, Settings};

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The most chunks of bytes that wait between connector and engine.
const CHUNKS_MAX: usize = 16;

/// Measures how long an engine takes to begin again.
#[derive(Clone, Debug, Parser)]
struct Args {
    /// Events that the journal holds
    #[arg(long, default_value_t = 200_000)]
    rows: usize,
    /// Accounts
    #[arg(long, default_value_t = 10_000)]
    accounts: u32,
    /// Worker threads
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Facts of a snapshot that enter at a time; as many as the engine thinks best if not given
    #[arg(long)]
    piece: Option<usize>,
    /// Where the journal is made and removed; a folder for temporary files if not given
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Once, on little: to see that it works
    #[arg(long)]
    test: bool,
    /// Begins with this journal instead of measuring
    #[arg(long, hide = true)]
    begin_with: Option<PathBuf>,
    /// What `cargo bench` says
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    keep_freed_memory();
    let mut args = Args::parse();
    if args.test {
        args = Args { rows: 5000, accounts: 200, piece: args.piece.or(Some(1000)), ..args };
    }
    if let Some(journal) = &args.begin_with {
        return begin(&args, journal);
    }
    let parent = args.directory.clone().unwrap_or_else(std::env::temp_dir);
    let place = tempfile::tempdir_in(parent).expect("there is room for a folder");
    let journal = place.path().join("journal");
    let (without, off) = fed(&args, None);
    let expected = answers(&without);
    drop(without);
    let (with, on) = fed(&args, Some(&journal));
    assert_eq!(answers(&with), expected, "with a journal");
    drop(with);
    let from_journal = begun(&args, &journal);
    assert_eq!(from_journal.answers, expected, "from the journal alone");
    snapshot(&args, &journal);
    let from_snapshot = begun(&args, &journal);
    assert_eq!(from_snapshot.answers, expected, "from a snapshot");
    let row = |what: &str, took: Duration| {
        let rate = args.rows as f64 / took.as_secs_f64() / 1e6;
        println!("{what:<28}{:>10.2} s {rate:>10.3} M events/s", took.as_secs_f64());
    };
    println!("{} events, {} accounts, {} workers", args.rows, args.accounts, args.workers);
    row("fed, no journal", off);
    row("fed, with the journal", on);
    row("begun, from the journal", from_journal.took);
    row("begun, from a snapshot", from_snapshot.took);
    println!("most memory, from the journal {:>7} MiB", from_journal.peak_mib);
    println!("most memory, from a snapshot  {:>7} MiB", from_snapshot.peak_mib);
    let ratio = off.as_secs_f64() / on.as_secs_f64();
    println!("throughput with the journal to that without: {ratio:.2}");
}

fn settings(args: &Args, journal: Option<&Path>) -> Settings {
    Settings {
        workers: args.workers,
        horizon: Horizon::Evidence,
        journal: journal.map(Path::to_owned),
        journal_mark: 1,
        piece_facts_max: args.piece.unwrap_or(Settings::default().piece_facts_max),
        ..Settings::default()
    }
}

/// Positions, how much they need in all, and how much they lack.
type Answers = (usize, i128, i128);

fn answers(engine: &Engine) -> Answers {
    let views = engine.views();
    let rows = views.positions.values();
    let sums = rows.map(|row| (i128::from(row.demand.0), i128::from(row.shortfall.0)));
    let (needed, missing) = sums.fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
    (views.positions.len(), needed, missing)
}

/// What an engine came to that began with what a journal holds.
struct Begun {
    took: Duration,
    peak_mib: u64,
    answers: Answers,
}

/// Begins with a journal in a process of its own.
fn begun(args: &Args, journal: &Path) -> Begun {
    let mut command = Command::new(std::env::current_exe().expect("this program has a file"));
    command.arg("--begin-with").arg(journal).args(["--workers", &args.workers.to_string()]);
    command.args(args.piece.map(|piece| format!("--piece={piece}")));
    let done = command.output().expect("this program runs twice");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said = String::from_utf8_lossy(&done.stdout);
    let numbers: Vec<i128> = said.split_whitespace().filter_map(|one| one.parse().ok()).collect();
    let [took_us, peak, positions, needed, missing] = numbers[..] else {
        unreachable!("it says five numbers, not {said}")
    };
    let number = |value: i128| u64::try_from(value).expect("it is no less than nothing");
    Begun {
        took: Duration::from_micros(number(took_us)),
        peak_mib: number(peak),
        answers: (usize::try_from(positions).expect("it is a count"), needed, missing),
    }
}

/// Begins with a journal; says how long it took, how much memory, and what the engine answers.
fn begin(args: &Args, journal: &Path) {
    let clock = SystemClock::start();
    let engine = Engine::start(settings(args, Some(journal)), Arc::new(EngineClock::default()));
    let (engine, took) = (engine.expect("it starts"), clock.now());
    let peak = peak_mib();
    let (positions, needed, missing) = answers(&engine);
    println!("{} {peak} {positions} {needed} {missing}", took.as_micros());
}

/// Takes a snapshot of what a journal holds.
fn snapshot(args: &Args, journal: &Path) {
    let engine = Engine::start(settings(args, Some(journal)), Arc::new(EngineClock::default()));
    engine.expect("it starts").snapshot().expect("there is room for a snapshot");
}

/// An engine that was fed, and how long that took.
fn fed(args: &Args, journal: Option<&Path>) -> (Engine, Duration) {
    let engine = Engine::start(settings(args, journal), Arc::new(EngineClock::default()));
    let engine = engine.expect("it starts");
    let reception = engine.reception(Arc::new(OpenGate), Allowance::default());
    let reception = reception.expect("the engine runs");
    let (knock, knocks) = bounded(1);
    let host = std::thread::spawn(move || receive(&reception, &knocks));
    let client = ClientSettings::new(workload::TENANT, "load", 1, Secret::default());
    let client = Client::connect(client, PairDial::new(knock, CHUNKS_MAX), SystemClock::start());
    let (mut client, _) = client.expect("the engine listens");
    let scale = Scale { accounts: args.accounts, ..Scale::default() };
    let (mut stream, mut names) = (Telemetry::new(scale, 7), Names::default());
    for fact in stream.contracts() {
        client.accept(names.named(&fact)).expect("the engine takes facts");
    }
    client.flush_and_wait().expect("the engine takes facts");
    // Drawn before, so that drawing costs nothing while sending.
    let facts: Vec<Fact<u32>> = (0..args.rows).map(|_| stream.draw()).collect();
    let clock = SystemClock::start();
    for fact in &facts {
        client.accept(names.named(fact)).expect("the engine takes facts");
    }
    client.close().expect("the engine takes facts");
    engine.settle(None).expect("the engine runs");
    let took = clock.now();
    host.join().expect("the conversation ends");
    (engine, took)
}

fn receive(reception: &Reception, knocks: &Receiver<Pair>) {
    while let Ok(pair) = knocks.recv() {
        let (input, output) = pair.split();
        reception.converse(input, output).expect("the connector keeps to the rules");
    }
}
