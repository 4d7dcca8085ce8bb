//! How long an engine takes to begin again, and what the journal costs while it runs.
//!
//! Workload P is fed through a connector in the same process, once without a journal and once with one, over
//! the same frames; then an engine begins with the journal alone, and with a snapshot of it. What each of the
//! four answers is compared: positions and their sums are the same. Times are of the wall, so compare those of
//! one run only; the ratio is of one run.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::float_arithmetic, reason = "rates and times are shown to people")]
#![expect(clippy::cast_precision_loss, reason = "rates are shown to people")]

use clap::Parser;
use crossbeam_channel::{Receiver, bounded};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
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
    /// Where the journal is made and removed; a folder for temporary files if not given
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Once, on little: to see that it works
    #[arg(long)]
    test: bool,
    /// What `cargo bench` says
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let mut args = Args::parse();
    if args.test {
        args = Args { rows: 5000, accounts: 200, ..args };
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
    let (alone, from_journal) = begun(&args, &journal);
    assert_eq!(answers(&alone), expected, "from the journal alone");
    alone.snapshot().expect("there is room for a snapshot");
    drop(alone);
    let (again, from_snapshot) = begun(&args, &journal);
    assert_eq!(answers(&again), expected, "from a snapshot");
    drop(again);
    let row = |what: &str, took: Duration| {
        let rate = args.rows as f64 / took.as_secs_f64() / 1e6;
        println!("{what:<28}{:>10.2} s {rate:>10.3} M events/s", took.as_secs_f64());
    };
    println!("{} events, {} accounts, {} workers", args.rows, args.accounts, args.workers);
    row("fed, no journal", off);
    row("fed, with the journal", on);
    row("begun, from the journal", from_journal);
    row("begun, from a snapshot", from_snapshot);
    let ratio = off.as_secs_f64() / on.as_secs_f64();
    println!("throughput with the journal to that without: {ratio:.2}");
}

fn settings(args: &Args, journal: Option<&Path>) -> Settings {
    Settings {
        workers: args.workers,
        horizon: Horizon::Evidence,
        journal: journal.map(Path::to_owned),
        journal_mark: 1,
        ..Settings::default()
    }
}

/// Positions, how much they need in all, and how much they lack.
fn answers(engine: &Engine) -> (usize, i128, i128) {
    let views = engine.views();
    let rows = views.positions.values();
    let sums = rows.map(|row| (i128::from(row.demand.0), i128::from(row.shortfall.0)));
    let (needed, missing) = sums.fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
    (views.positions.len(), needed, missing)
}

/// An engine that begins with what a journal holds, and how long that took.
fn begun(args: &Args, journal: &Path) -> (Engine, Duration) {
    let clock = SystemClock::start();
    let engine = Engine::start(settings(args, Some(journal)), Arc::new(EngineClock::default()));
    (engine.expect("it starts"), clock.now())
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
