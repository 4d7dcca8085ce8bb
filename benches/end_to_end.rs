//! From a connector in another process to published answers: TCP, decoding, journal, workers, views.
//!
//! A second process draws workload P and sends it over a socket at a fixed rate, whatever the engine
//! does meanwhile. The time of an event begins when it was due to be sent, and ends when the epoch that
//! holds it is published and durable; it is in totals once those of that epoch, or of a later one, are. Without a rate, it sends as fast as the engine takes.
//! `end_to_end/turns.rs` puts throughput with the journal beside that without.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::float_arithmetic, reason = "rates and times are shown to people")]

#[path = "end_to_end/sender.rs"]
mod sender;
#[path = "end_to_end/turns.rs"]
mod turns;

use clap::Parser;
use hdrhistogram::Histogram;
use sender::{Sender, Sent, receive};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use trueup_benches::load::processor_time;
use trueup_connectors::client::clock::wall_now;
use trueup_datasets::workload::telemetry::{Scale, Telemetry};
use trueup_model::fact::Fact;
use trueup_model::time::Timestamp;
use trueup_runtime::clock::SystemClock as EngineClock;
use trueup_runtime::engine::Engine;
use trueup_runtime::memory::allocator::keep_freed_memory;
use trueup_runtime::settings::{Horizon, Settings};

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long the sender waits for more events to be due.
const STEP: Duration = Duration::from_micros(200);

/// Measures an engine that gets workload P over a socket.
#[derive(Clone, Debug, Parser)]
struct Args {
    /// Events that are sent
    #[arg(long, default_value_t = 200_000)]
    events: u64,
    /// Events that come before, and are published before the first that is measured
    #[arg(long, default_value_t = 100_000)]
    warm: u64,
    /// Events a second; 0 for as fast as the engine takes them
    #[arg(long, default_value_t = 0)]
    rate: u64,
    /// Accounts
    #[arg(long, default_value_t = 10_000)]
    accounts: u32,
    /// Worker threads
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Milliseconds between two steps of the totals over the trees
    #[arg(long, default_value_t = 100)]
    totals: u64,
    /// Whether the journal is written
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    journal: bool,
    /// Where journals are made and removed; a folder for temporary files if not given
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Compare throughput with the journal and without, so many turns of each
    #[arg(long, default_value_t = 0)]
    turns: usize,
    /// Once, on little: to see that it works
    #[arg(long)]
    test: bool,
    /// Sends to this address instead of measuring
    #[arg(long, hide = true)]
    send_to: Option<SocketAddr>,
    /// What `cargo bench` says
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    keep_freed_memory();
    let mut args = Args::parse();
    if args.test {
        args = Args { events: 5000, warm: 500, accounts: 200, ..args };
    }
    match args.send_to {
        Some(address) => send(&args, address),
        None if args.test => {
            show(&args, &measure(&args));
            turns::run(&args, 1);
        }
        None if args.turns > 0 => turns::run(&args, args.turns),
        None => show(&args, &measure(&args)),
    }
}

/// What a run came to.
struct Measured {
    /// What was sent, and in which epoch it is.
    sent: Vec<Sent>,
    /// When each epoch was published.
    epochs: BTreeMap<u64, Timestamp>,
    /// When totals of an epoch were.
    totals: BTreeMap<u64, Timestamp>,
    /// How long all threads of the engine's process ran.
    ran: Duration,
}

/// Receives, and says what came when.
fn measure(args: &Args) -> Measured {
    let parent = args.directory.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::tempdir_in(parent).expect("there is room for a folder");
    let ran_before = processor_time();
    let settings = Settings {
        workers: args.workers,
        horizon: Horizon::Evidence,
        totals_step_us: args.totals * 1000,
        journal: args.journal.then(|| folder.path().join("journal")),
        journal_mark: 1,
        ..Settings::default()
    };
    let engine = Engine::start(settings, Arc::new(EngineClock::default())).expect("it starts");
    let published = engine.subscribe(usize::from(u16::MAX));
    let watching = std::thread::spawn(move || {
        let [mut epochs, mut totals] = <[BTreeMap<u64, Timestamp>; 2]>::default();
        while let Ok(one) = published.recv() {
            let seen = if one.totals { &mut totals } else { &mut epochs };
            seen.insert(one.epoch, wall_now());
        }
        (epochs, totals)
    });
    let program = std::env::current_exe().expect("this program has a file");
    let numbers = [args.events, args.warm, args.rate, u64::from(args.accounts)];
    let [events, warm, rate, accounts] = &numbers.map(|one| one.to_string());
    let told = ["--events", events, "--warm", warm, "--rate", rate, "--accounts", accounts];
    let sent = receive(&engine, Command::new(program).args(told));
    engine.settle(None).expect("the engine runs");
    let ran = processor_time().saturating_sub(ran_before);
    drop(engine);
    let (epochs, totals) = watching.join().expect("the watcher watches");
    let measured = Measured { sent, epochs, totals, ran };
    let durable: u64 = measured.sent.iter().map(|batch| batch.events).sum();
    assert_eq!(durable, args.events, "every event was sent and is durable");
    measured
}

impl Measured {
    /// When a batch was seen.
    fn seen(&self, batch: &Sent) -> Timestamp {
        let seen = self.epochs.get(&batch.epoch).copied();
        seen.expect("what is durable is published")
    }

    /// When a batch was in totals.
    fn totalled(&self, batch: &Sent) -> Timestamp {
        let seen = self.totals.range(batch.epoch..).next().map(|(_, at)| *at);
        seen.expect("totals come in the end")
    }

    /// From the first event's being due to the last one's being seen.
    fn took(&self) -> Duration {
        let last = self.sent.iter().map(|batch| self.seen(batch)).max();
        let first = self.sent.iter().map(|batch| batch.due).min();
        let took_us = first.zip(last).map_or(0, |(first, last)| last.since_us(first));
        Duration::from_micros(u64::try_from(took_us).unwrap_or(0).max(1))
    }
}

fn show(args: &Args, measured: &Measured) {
    let rate = args.events as f64 / measured.took().as_micros() as f64;
    println!("sustained      {rate:>12.3} M events/s");
    let times_until = |at: &dyn Fn(&Sent) -> Timestamp| {
        let mut times = Histogram::<u64>::new(3).expect("three digits are allowed");
        for batch in &measured.sent {
            let took = u64::try_from(at(batch).since_us(batch.due)).unwrap_or(0);
            times.record_n(took.max(1), batch.events).expect("the time has a place");
        }
        times
    };
    for (what, times) in [
        ("visible  ", times_until(&|batch| measured.seen(batch))),
        ("in totals", times_until(&|batch| measured.totalled(batch))),
    ] {
        for quantile in [0.5, 0.9, 0.99, 0.999] {
            let took = times.value_at_quantile(quantile) as f64 / 1e3;
            println!("{what} p{:<6}{took:>10.1} ms", quantile * 100.0);
        }
        println!("{what} max    {:>10.1} ms", times.max() as f64 / 1e3);
    }
    println!("epochs         {:>12}", measured.epochs.len());
    println!("with totals    {:>12}", measured.totals.len());
}

/// Sends, and says in the end what was in which epoch.
fn send(args: &Args, address: SocketAddr) {
    let scale = Scale { accounts: args.accounts, ..Scale::default() };
    let mut stream = Telemetry::new(scale, 7);
    let mut sender = Sender::connect(address);
    let contracts = stream.contracts();
    let warm: Vec<Fact<u32>> = (0..args.warm).map(|_| stream.draw()).collect();
    sender.begin(contracts.iter().chain(&warm));
    // Drawn before, so that drawing costs nothing while sending.
    let facts: Vec<Fact<u32>> = (0..args.events).map(|_| stream.draw()).collect();
    let mut facts = facts.into_iter();
    sender.send(args.events, args.rate, STEP, || facts.next().expect("as many were drawn"));
    sender.finish();
}
