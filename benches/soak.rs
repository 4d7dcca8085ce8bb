//! A long run over a bounded world: does what the engine needs stay as it is?
//!
//! A second process sends workload B over a socket at a fixed rate. For each window, a minute if nothing else
//! is said: from when an event was due until it was published, and the most memory that the engine's process
//! had. Ends with 1 if memory or p99 of the last fifth is more than a fifth above that of the second: the first
//! is for warming up.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::float_arithmetic, reason = "rates and times are shown to people")]
#![expect(clippy::cast_precision_loss, reason = "rates are shown to people")]

#[path = "end_to_end/sender.rs"]
mod sender;

use clap::Parser;
use hdrhistogram::Histogram;
use sender::{Sender, Sent, receive};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;
use trueup_benches::load::resident_kib;
use trueup_benches::record::{Figure, Run};
use trueup_benches::soak::{Growth, Window, bytes_per_event};
use trueup_connectors::client::clock::wall_now;
use trueup_datasets::workload::bounded::{Bounded, Scale};
use trueup_model::time::Timestamp;
use trueup_policy::Policy;
use trueup_runtime::clock::SystemClock;
use trueup_runtime::engine::Engine;
use trueup_runtime::memory::allocator::keep_freed_memory;
use trueup_runtime::settings::{Horizon, Settings};

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An hour in microseconds.
const HOUR_US: i64 = 3600 * 1_000_000;
/// How often memory is looked at, in microseconds.
const LOOK_US: i64 = 250_000;

/// Runs an engine for long, with as much to keep all the while.
#[derive(Clone, Debug, Parser)]
struct Args {
    /// How long
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Events a second; 0 for as fast as the engine takes them
    #[arg(long, default_value_t = 5_000)]
    rate: u64,
    /// So many events instead of so many minutes
    #[arg(long)]
    events: Option<u64>,
    /// Seconds in a window
    #[arg(long, default_value_t = 60)]
    window: u64,
    /// Events in force
    #[arg(long, default_value_t = 50_000)]
    live: u64,
    /// Facts of a thousand that correct one in force; of the others, half withdraw and half replace one
    #[arg(long, default_value_t = 500)]
    corrections: u64,
    /// How far the clock of the world goes on with each fact, in microseconds
    #[arg(long, default_value_t = 0)]
    pace: i64,
    /// Hours of the world after which what happened is set aside; 0 for never
    #[arg(long, default_value_t = 0)]
    retention: i64,
    /// Milliseconds for which the sender waits for more events to be due
    #[arg(long, default_value_t = 2)]
    step: u64,
    /// Worker threads
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Write what was measured into `history/` under this name
    #[arg(long)]
    record: Option<String>,
    /// For a few seconds: to see that it works; nothing is judged
    #[arg(long)]
    test: bool,
    /// Sends to this address instead of measuring
    #[arg(long, hide = true)]
    send_to: Option<SocketAddr>,
    /// What `cargo bench` says
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    keep_freed_memory();
    let mut args = Args::parse();
    if args.test {
        args = Args { events: Some(5 * 200), rate: 200, window: 1, live: 500, ..args };
    }
    if let Some(address) = args.send_to {
        send(&args, address);
        return ExitCode::SUCCESS;
    }
    let windows = measure(&args);
    show(&windows);
    if let Some(name) = &args.record {
        let settings = [("rate", args.rate), ("live", args.live), ("window", args.window)];
        let more = [("corrections", args.corrections), ("workers", args.workers as u64)];
        let of_world = [("pace", args.pace), ("retention", args.retention)];
        let of_world = of_world.map(|(key, value)| (key, value.unsigned_abs()));
        let settings = settings.into_iter().chain(more).chain(of_world);
        let settings = settings.map(|(key, value)| (key.to_owned(), value)).collect();
        let run = Run::now("soak b".to_owned(), settings, figures(&windows));
        println!("recorded in {}", run.write(name).expect("the folder is there").display());
    }
    if judge(&windows) || args.test { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the sender is told, and what it does.
fn events(args: &Args) -> u64 {
    args.events.unwrap_or(args.rate * args.minutes * 60)
}

fn send(args: &Args, address: SocketAddr) {
    let live = usize::try_from(args.live).unwrap_or(0);
    let (corrections, pace_us) = (args.corrections, args.pace);
    let scale = Scale { live, corrections, pace_us, ..Scale::default() };
    let mut stream = Bounded::new(scale, 7);
    let mut sender = Sender::connect(address);
    let mut first = stream.contracts();
    first.extend((0..args.live).map(|_| stream.draw()));
    sender.begin(first.iter());
    drop(first);
    let step = Duration::from_millis(args.step);
    sender.send(events(args), args.rate, step, || stream.draw());
    sender.finish();
}

/// What was seen of the engine: when each epoch was published, and the memory now and then.
type Seen = (BTreeMap<u64, Timestamp>, BTreeMap<Timestamp, u64>);

fn measure(args: &Args) -> Vec<Window> {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let retention_us = (args.retention > 0).then(|| args.retention.saturating_mul(HOUR_US));
    let settings = Settings {
        workers: args.workers,
        horizon: Horizon::Evidence,
        journal: Some(folder.path().join("journal")),
        journal_mark: 1,
        policy: Policy { retention_us, ..Policy::default() },
        ..Settings::default()
    };
    let engine = Engine::start(settings, Arc::new(SystemClock::default())).expect("it starts");
    let published = engine.subscribe(usize::from(u16::MAX));
    let watching = std::thread::spawn(move || {
        let (mut epochs, mut memory): Seen = Seen::default();
        let mut looked = Timestamp::MIN;
        while let Ok(one) = published.recv() {
            let now = wall_now();
            if !one.totals {
                epochs.insert(one.epoch, now);
            }
            if now >= looked.plus_us(LOOK_US) {
                memory.insert(now, resident_kib());
                looked = now;
            }
        }
        (epochs, memory)
    });
    let program = std::env::current_exe().expect("this program has a file");
    let numbers = [events(args), args.rate, args.live, args.corrections, args.step];
    let [events, rate, live, corrections, step] = &numbers.map(|one| one.to_string());
    let told = ["--events", events, "--rate", rate, "--live", live, "--corrections", corrections];
    let pace = args.pace.to_string();
    let told = told.into_iter().chain(["--step", step, "--pace", &pace]);
    let sent = receive(&engine, Command::new(program).args(told));
    engine.settle(None).expect("the engine runs");
    drop(engine);
    let seen = watching.join().expect("the watcher watches");
    let windows = windows(&sent, &seen, i64::try_from(args.window).unwrap_or(1) * 1_000_000);
    let seen_events: u64 = windows.iter().map(|window| window.events).sum();
    assert_eq!(seen_events, numbers[0], "every event was sent and is published");
    windows
}

/// Each window in order.
fn windows(sent: &[Sent], (epochs, memory): &Seen, window_us: i64) -> Vec<Window> {
    let Some(begin) = sent.iter().map(|batch| batch.due).min() else { return Vec::new() };
    let mut times: BTreeMap<i64, Histogram<u64>> = BTreeMap::new();
    let mut last = begin;
    for batch in sent {
        let seen = epochs.get(&batch.epoch).copied().expect("what is durable is published");
        let took = u64::try_from(seen.since_us(batch.due)).unwrap_or(0).max(1);
        let number = i64::try_from(batch.due.since_us(begin)).unwrap_or(0) / window_us;
        let new = || Histogram::new(3).expect("three digits are allowed");
        let of_window = times.entry(number).or_insert_with(new);
        of_window.record_n(took, batch.events).expect("the time has a place");
        last = last.max(seen);
    }
    let events: u64 = times.values().map(Histogram::len).sum();
    let took = last.since_us(begin).max(1);
    println!("sustained {:>10.0} events/s", events as f64 * 1e6 / took as f64);
    let one = |(number, of_window): (i64, Histogram<u64>)| {
        let from = begin.plus_us(number * window_us);
        let looks = memory.range(from..from.plus_us(window_us)).map(|(_, kib)| *kib);
        Window {
            events: of_window.len(),
            p50_us: of_window.value_at_quantile(0.5),
            p99_us: of_window.value_at_quantile(0.99),
            max_us: of_window.max(),
            memory_kib: looks.max().unwrap_or(0),
        }
    };
    times.into_iter().map(one).collect()
}

fn show(windows: &[Window]) {
    println!("window     events     p50 ms     p99 ms     max ms        MiB");
    for (number, window) in (1..).zip(windows) {
        let [p50, p99, max] =
            [window.p50_us, window.p99_us, window.max_us].map(|us| us as f64 / 1e3);
        println!(
            "{number:>6} {:>10} {p50:>10.1} {p99:>10.1} {max:>10.1} {:>10}",
            window.events,
            window.memory_kib / 1024
        );
    }
}

fn figures(windows: &[Window]) -> Vec<Figure> {
    let all = (1_u64..).zip(windows).flat_map(|(number, window)| {
        [
            Figure::new(&format!("memory {number}"), "MiB", window.memory_kib / 1024),
            Figure::new(&format!("p50 {number}"), "µs", window.p50_us),
            Figure::new(&format!("p99 {number}"), "µs", window.p99_us),
        ]
    });
    let left = bytes_per_event(windows).map(|bytes| Figure::new("left by an event", "B", bytes));
    all.chain(left).collect()
}

/// Whether the last windows are hardly worse than those after the warm-up.
fn judge(windows: &[Window]) -> bool {
    let figures = [
        ("memory", "KiB", Growth::of(windows, |window| window.memory_kib)),
        ("p99", "µs", Growth::of(windows, |window| window.p99_us)),
    ];
    let mut good = true;
    for (what, unit, growth) in figures {
        let Some(growth) = growth else {
            println!("{what}: too few windows to judge");
            continue;
        };
        let Growth { early, late } = growth;
        let said = if growth.is_too_much() { "too much" } else { "good" };
        let percent = late.saturating_mul(100) / early.max(1);
        println!(
            "{what}: {early} {unit} after the warm-up, {late} in the end: {percent} %, {said}"
        );
        good &= !growth.is_too_much();
    }
    match bytes_per_event(windows) {
        Some(bytes) => println!("each event left {bytes} bytes behind"),
        None => println!("memory did not grow"),
    }
    good
}
