//! What the engine takes in per second, without a network and without a disk: facts in memory → epochs →
//! workers → views, all of the product's own chain.
//!
//! Draws a workload, feeds it in epochs of one size, and compares the views with plain sums over the same
//! facts. `flow/events.rs` is about events, workloads P and S; `flow/changes.rs` about changes of contracts and
//! trees, workload C; `flow/reconciliation.rs` about all of it together, workload R. Each says what it measures.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_types, reason = "a bench measures time")]
#![expect(clippy::float_arithmetic, reason = "rates and times are shown to people")]

#[path = "flow/changes.rs"]
mod changes;
#[path = "flow/events.rs"]
mod events;
#[path = "flow/measuring.rs"]
mod measuring;
#[path = "flow/reconciliation.rs"]
mod reconciliation;
#[path = "flow/sums.rs"]
mod sums;

use clap::Parser;
use std::net::TcpListener;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;
use trueup_benches::load::resident_mib;
use trueup_benches::record::{Figure, Run};
use trueup_policy::Policy;
use trueup_runtime::clock::SystemClock;
use trueup_runtime::cluster::work;
use trueup_runtime::engine::Engine;
use trueup_runtime::memory::allocator::keep_freed_memory;
use trueup_runtime::mesh::{Member, Mesh, rules_of};
use trueup_runtime::settings::{Horizon, Settings};

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Feeds a workload to an engine in this process.
#[derive(Clone, Debug, Parser)]
struct Args {
    /// What is fed: metered use of accounts (p), checkouts from license servers (s), changes of contracts
    /// (c), a whole reconciliation (r)
    #[arg(long, value_enum, default_value_t = Which::P)]
    workload: Which,
    /// Events that are measured; rows of workload R
    #[arg(long, default_value_t = 300_000)]
    events: usize,
    /// Events that come before
    #[arg(long, default_value_t = 100_000)]
    warm: usize,
    /// Accounts of workload P; people of workload S
    #[arg(long, default_value_t = 10_000)]
    accounts: u32,
    /// Lines of workload C; 1,000,000 in full
    #[arg(long, default_value_t = 20_000)]
    lines: u32,
    /// Changes of each kind of workload C
    #[arg(long, default_value_t = 100)]
    changes: usize,
    /// Worker threads of each process
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Processes
    #[arg(long, default_value_t = 1)]
    processes: usize,
    /// Be this process of those that meet at `hosts`
    #[arg(long, hide = true, default_value_t = 0)]
    process: usize,
    /// Where they meet
    #[arg(long, hide = true, value_delimiter = ',')]
    hosts: Vec<String>,
    /// Events in an epoch
    #[arg(long, default_value_t = 20_000)]
    epoch: usize,
    /// Show what the costliest operators cost, so many of them
    #[arg(long, default_value_t = 0)]
    top: usize,
    /// Compare workload P with operators measured and not, so many turns of each
    #[arg(long, default_value_t = 0)]
    measuring: usize,
    /// Epochs that are under way at a time
    #[arg(long, default_value_t = 2)]
    in_flight: usize,
    /// Milliseconds between two steps of the totals over the trees
    #[arg(long, default_value_t = 100)]
    totals: u64,
    /// Write what was measured into `history/` under this name
    #[arg(long)]
    record: Option<String>,
    /// Once, on little: to see that it works
    #[arg(long)]
    test: bool,
    /// What `cargo bench` says
    #[arg(long, hide = true)]
    bench: bool,
}

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    P,
    S,
    C,
    R,
}

impl Which {
    fn name(self) -> &'static str {
        match self {
            Self::P => "p",
            Self::S => "s",
            Self::C => "c",
            Self::R => "r",
        }
    }
}

fn main() {
    keep_freed_memory();
    let mut args = Args::parse();
    if args.process > 0 {
        let mesh = member(&args).join(&SystemClock::default()).expect("the others are there");
        return work(&Policy::default(), mesh).expect("there are threads");
    }
    if args.test {
        let small = Args { events: 2000, warm: 500, accounts: 200, epoch: 500, ..args };
        for workload in [Which::P, Which::S, Which::C, Which::R] {
            println!("workload {}", workload.name());
            run(&mut Args { workload, lines: 300, changes: 2, ..small.clone() });
        }
        measuring::run(&small, 1);
        return;
    }
    let figures = match args.measuring {
        0 => run(&mut args),
        turns => measuring::run(&args, turns),
    };
    if let Some(name) = &args.record {
        let settings = [
            ("events", args.events),
            ("warm", args.warm),
            ("accounts", usize::try_from(args.accounts).unwrap_or(0)),
            ("lines", usize::try_from(args.lines).unwrap_or(0)),
            ("workers", args.workers),
            ("processes", args.processes),
            ("epoch", args.epoch),
        ];
        let settings = settings.map(|(key, value)| (key.to_owned(), value as u64)).into();
        let workload = match args.measuring {
            0 => format!("flow {}", args.workload.name()),
            _ => "flow measuring".to_owned(),
        };
        let run = Run::now(workload, settings, figures);
        println!("recorded in {}", run.write(name).expect("the folder is there").display());
    }
}

/// Starts an engine, feeds it the workload, and says what was measured.
fn run(args: &mut Args) -> Vec<Figure> {
    let (mesh, others) = others(args);
    let engine = Engine::start_in(mesh, settings(args), Arc::new(SystemClock::default()));
    let engine = engine.expect("it starts");
    let mut figures = match args.workload {
        Which::P | Which::S => events::run(&engine, args),
        Which::C => changes::run(&engine, args),
        Which::R => reconciliation::run(&engine, args),
    };
    let memory = resident_mib();
    println!("memory         {memory:>12} MiB, the first process");
    figures.push(Figure::new("memory", "MiB", memory));
    show_operators(&engine, args.top);
    drop(engine);
    for mut other in others {
        assert!(other.wait().expect("it was started").success(), "another process failed");
    }
    figures
}

/// What the engine is told: an epoch closes when it is full, and the horizon follows the facts.
fn settings(args: &Args) -> Settings {
    Settings {
        workers: args.workers,
        policy: Policy::default(),
        horizon: Horizon::Evidence,
        epoch_facts_max: args.epoch,
        totals_step_us: args.totals * 1000,
        epoch_us_max: u64::MAX / 2,
        ..Settings::default()
    }
}

/// What this process is among those that meet.
fn member(args: &Args) -> Member {
    Member {
        process: args.process,
        hosts: args.hosts.clone(),
        workers: args.workers,
        secret: b"of this bench".to_vec(),
        build: [0; 32],
        rules: rules_of(&Policy::default()),
        certificates: None,
        patience: Duration::from_secs(60),
    }
}

/// Starts the other processes, if there are to be some, and finds them.
fn others(args: &mut Args) -> (Option<Mesh>, Vec<Child>) {
    if args.processes < 2 {
        return (None, Vec::new());
    }
    let doors = || TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let doors: Vec<TcpListener> = (0..args.processes).map(|_| doors()).collect();
    let address = |door: &TcpListener| door.local_addr().expect("it listens").to_string();
    args.hosts = doors.iter().map(address).collect();
    drop(doors);
    let program = std::env::current_exe().expect("it has a name");
    let start = |process: usize| {
        let mut command = Command::new(&program);
        command.args(["--workers", &args.workers.to_string()]);
        command.args(["--hosts", &args.hosts.join(","), "--process", &process.to_string()]);
        command.spawn().expect("there are processes")
    };
    let children = (1..args.processes).map(start).collect();
    let mesh = member(args).join(&SystemClock::default()).expect("the others are there");
    (Some(mesh), children)
}

/// What the costliest operators cost, of all that the process did.
fn show_operators(engine: &Engine, top: usize) {
    let mut costs: Vec<_> = engine.measures().costs().into_iter().collect();
    costs.sort_by_key(|(_, cost)| std::cmp::Reverse(cost.busy));
    for (name, cost) in costs.into_iter().take(top) {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let (busy, longest) = (ms(cost.busy), ms(cost.longest));
        println!("{name:<28}{busy:>12.1} ms {:>12} rows {longest:>10.1} ms longest", cost.rows);
    }
}

/// A time in milliseconds, to show it.
fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A time in microseconds, to record it.
fn us(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
