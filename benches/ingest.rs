//! What an event costs before it reaches the workers: from a connector's facts to what workers are given, on one
//! thread, without a network and without a dataflow.
//!
//! The connector's own client makes batches of a workload, and the engine's own conversation, intake, sequencer and
//! journal take them, one batch after the other. Each stage is measured by itself in processor time of this thread:
//!
//! | stage | what |
//! |---|---|
//! | encode | the connector: names to codes, facts to columns, a frame |
//! | hear | frame and checksum, columns to facts, codes to identifiers, checks |
//! | take | into an epoch, its bytes into the journal's group, the epoch closed and given to the workers |
//! | enter | what a worker does first: facts into the input of a dataflow that has nothing behind it |
//!
//! What the journal's own threads do to write and sync is not in it. Names become known while the first batches
//! come, which are not measured. Of the runs the middle one counts, stage by stage.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::float_arithmetic, reason = "times are shown to people")]
#![expect(clippy::cast_precision_loss, reason = "times are shown to people")]

#[path = "ingest/line.rs"]
mod line;

use clap::Parser;
use criterion::measurement::Measurement as _;
use differential_dataflow::input::InputSession;
use line::{Line, Link};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use timely::WorkerConfig;
use timely::communication::Allocator;
use timely::worker::Worker;
use trueup_benches::cpu_time::CpuTime;
use trueup_benches::world::Stream;
use trueup_connectors::client::{Client, Secret, Settings as ClientSettings, clock};
use trueup_datasets::workload;
use trueup_datasets::workload::checkouts::{self, Checkouts};
use trueup_datasets::workload::telemetry::{self, Telemetry};
use trueup_model::fact::Fact;
use trueup_model::id::NameKind;
use trueup_operators::entered::Entered;
use trueup_operators::{Diff, Epoch};
use trueup_runtime::clock::SystemClock;
use trueup_runtime::conversation::Allowance;
use trueup_runtime::front::Front;
use trueup_runtime::settings::{Horizon, Settings};
use trueup_wire::Credit;

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The seed of the workloads.
const SEED: u64 = 7;

/// Measures what comes before the workers.
#[derive(Clone, Debug, Parser)]
struct Args {
    /// What is sent: metered use of accounts (p), checkouts from license servers (s); both if not given
    #[arg(long, value_enum)]
    workload: Option<Which>,
    /// Accounts of workload P; people of workload S
    #[arg(long, default_value_t = 10_000)]
    accounts: u32,
    /// Events in a batch
    #[arg(long, default_value_t = 8192)]
    batch: usize,
    /// Batches of a run
    #[arg(long, default_value_t = 60)]
    batches: usize,
    /// Batches that come before, so that names are known
    #[arg(long, default_value_t = 30)]
    warm: usize,
    /// Runs
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// Events in an epoch
    #[arg(long, default_value_t = 16_384)]
    epoch: usize,
    /// Whether the journal is written
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    journal: bool,
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

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    P,
    S,
}

/// A stage that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Encode,
    Hear,
    Take,
    Enter,
    /// What measuring a stage adds to it.
    Clock,
}

impl Stage {
    const ALL: [Self; 5] = [Self::Encode, Self::Hear, Self::Take, Self::Enter, Self::Clock];

    fn name(self) -> &'static str {
        match self {
            Self::Encode => "encode",
            Self::Hear => "hear",
            Self::Take => "take",
            Self::Enter => "enter",
            Self::Clock => "(clock)",
        }
    }
}

fn main() {
    let mut args = Args::parse();
    if args.test {
        let (batches, warm, runs, accounts) = (2, 1, 1, 200);
        args = Args { batch: 512, epoch: 1024, batches, warm, runs, accounts, ..args };
    }
    for workload in [Which::P, Which::S] {
        if args.workload.is_none_or(|asked| asked == workload) {
            run(workload, &args);
        }
    }
}

/// The texts of a workload's names, which live as long as the program.
#[derive(Default)]
struct Texts(BTreeMap<(NameKind, u32), &'static str>);

impl Texts {
    fn named(&mut self, fact: Fact<u32>) -> Fact<&'static str> {
        let named = fact.try_map(&mut |kind, number| {
            let text = || Box::leak(workload::name(kind, number).into_boxed_str());
            Ok::<_, std::convert::Infallible>(
                *self.0.entry((kind, number)).or_insert_with(|| text()),
            )
        });
        let Ok(named) = named;
        named
    }
}

fn stream(workload: Which, accounts: u32) -> Box<dyn Stream> {
    match workload {
        Which::P => {
            let scale = telemetry::Scale { accounts, ..telemetry::Scale::default() };
            Box::new(Telemetry::new(scale, SEED))
        }
        Which::S => {
            let out = usize::try_from(accounts / 2).unwrap_or(0);
            let scale = checkouts::Scale { features: (accounts / 10).max(1), users: accounts, out };
            Box::new(Checkouts::new(scale, SEED))
        }
    }
}

/// What runs of a workload came to.
#[derive(Default)]
struct Measured {
    /// Processor time of a run, by stage.
    times: BTreeMap<Stage, Vec<Duration>>,
    bytes: usize,
}

impl Measured {
    /// Does a stage's work, and adds its time to that of the last run.
    fn add<T>(&mut self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let start = CpuTime.start();
        let done = work();
        let took = CpuTime.end(start);
        if let Some(run) = self.times.entry(stage).or_default().last_mut() {
            *run += took;
        }
        done
    }

    /// Says the middle, the least and the greatest time of an event in the runs of some stages together.
    fn show(&self, what: &str, stages: &[Stage], events: usize) {
        let runs = self.times.get(&Stage::Clock).map_or(0, Vec::len);
        let of_run = |run: usize| -> Duration {
            let of_stage = |stage| self.times.get(stage)?.get(run).copied();
            stages.iter().filter_map(of_stage).sum()
        };
        let mut all: Vec<Duration> = (0..runs).map(of_run).collect();
        all.sort_unstable();
        let ns = |at: usize| {
            all.get(at).map_or(0.0, |time| time.as_nanos() as f64 / events.max(1) as f64)
        };
        let [middle, least, most] = [runs / 2, 0, runs.saturating_sub(1)].map(ns);
        println!("{what:<8}{middle:>8.1} ns an event {least:>8.1} to {most:.1}");
    }
}

/// Sends a workload, and says what each stage costs.
fn run(workload: Which, args: &Args) {
    let parent = args.directory.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::tempdir_in(parent).expect("there is room for a folder");
    let settings = Settings {
        horizon: Horizon::Evidence,
        journal: args.journal.then(|| folder.path().join("journal")),
        journal_mark: 1,
        epoch_facts_max: args.epoch,
        epoch_us_max: u64::MAX / 2,
        ..Settings::default()
    };
    // As much as there is, so that nobody waits for room.
    let window = Credit { records: u64::MAX / 2, bytes: u64::MAX / 2 };
    let allowance = Allowance { window, ..Allowance::default() };
    let front = Front::start(settings, Arc::new(SystemClock::default()), allowance);
    let front = front.expect("it starts");
    let link = Rc::new(RefCell::new(Link { front, up: Vec::new(), down: Vec::new() }));
    let mut speaks = ClientSettings::new(workload::TENANT, "load", 1, Secret::default());
    speaks.batch.records_max = args.batch + 1;
    speaks.batch.bytes_max = usize::MAX;
    speaks.held_bytes_max = usize::MAX;
    let connected = Client::connect(speaks, Line(Rc::clone(&link)), clock::SystemClock::start());
    let (client, _) = connected.expect("it is welcomed");
    let stream = stream(workload, args.accounts);
    let mut bench = Bench { link, client, stream, texts: Texts::default(), worker: Entry::new() };
    let measured = bench.run(args);
    let events = args.batch * args.batches;
    println!(
        "workload {workload:?}: {} batches of {}, {} runs, journal {}",
        args.batches, args.batch, args.runs, args.journal
    );
    for stage in Stage::ALL {
        measured.show(stage.name(), &[stage], events);
    }
    measured.show("engine", &[Stage::Hear, Stage::Take, Stage::Enter], events);
    println!("bytes   {:>8.1} an event", measured.bytes as f64 / (events * args.runs) as f64);
}

/// A worker that has an input and nothing behind it.
struct Entry {
    worker: Worker,
    input: InputSession<Epoch, Entered, Diff>,
    epoch: Epoch,
    entered: usize,
}

impl Entry {
    fn new() -> Self {
        let alone = Allocator::Thread(timely::communication::allocator::thread::Thread::default());
        // Without an instant the worker reads no clock and writes no log.
        let mut worker = Worker::new(WorkerConfig::default(), alone, None);
        let mut input = InputSession::new();
        worker.dataflow(|scope| drop(input.to_collection(scope)));
        Self { worker, input, epoch: 0, entered: 0 }
    }

    fn enter(&mut self, epochs: Vec<Vec<Entered>>) {
        for facts in epochs {
            self.entered += facts.len();
            for fact in facts {
                self.input.update(fact, 1);
            }
            self.epoch += 1;
            self.input.advance_to(self.epoch);
            self.input.flush();
            self.worker.step();
        }
    }
}

/// A connector, the front of an engine, and a worker.
struct Bench {
    link: Rc<RefCell<Link>>,
    client: Client<Line, clock::SystemClock>,
    stream: Box<dyn Stream>,
    texts: Texts,
    worker: Entry,
}

impl Bench {
    fn run(&mut self, args: &Args) -> Measured {
        let mut measured = Measured::default();
        let contracts = self.stream.contracts();
        let mut sent = contracts.len();
        self.batch(contracts, &mut measured);
        for run in 0..=args.runs {
            let batches = if run == 0 { args.warm } else { args.batches };
            for _ in 0..batches {
                let facts = (0..args.batch).map(|_| self.stream.draw()).collect();
                self.batch(facts, &mut measured);
                sent += args.batch;
            }
            if run == 0 {
                measured = Measured::default();
            }
            if run < args.runs {
                for stage in Stage::ALL {
                    measured.times.entry(stage).or_default().push(Duration::ZERO);
                }
            }
        }
        let mut link = self.link.borrow_mut();
        // What is not durable yet has not entered; what is in no epoch yet never does.
        while self.worker.entered + args.epoch.max(args.batch) <= sent {
            link.front.look().expect("the journal is written");
            self.worker.enter(link.front.given().collect());
        }
        measured
    }

    /// Sends facts, and has them taken.
    fn batch(&mut self, facts: Vec<Fact<u32>>, measured: &mut Measured) {
        let Self { link, client, texts, worker, .. } = self;
        let facts: Vec<_> = facts.into_iter().map(|fact| texts.named(fact)).collect();
        measured.add(Stage::Encode, || {
            for fact in facts {
                client.accept(fact).expect("the engine takes facts");
            }
            client.flush().expect("the engine takes facts");
        });
        measured.bytes += link.borrow().up.len();
        let heard = measured.add(Stage::Hear, || link.borrow_mut().hear());
        let given = measured.add(Stage::Take, || link.borrow_mut().take(heard));
        measured.add(Stage::Enter, || worker.enter(given));
        measured.add(Stage::Clock, || ());
        let said = link.borrow_mut().front.say();
        link.borrow_mut().down = said;
        client.poll().expect("the engine listens");
    }
}
