//! What the engine takes in per second, without a network and without a disk: facts in memory → epochs →
//! workers → views, all of the product's own chain.
//!
//! Draws workload P or S, feeds it in epochs of one size, and compares the views with plain sums over the
//! same facts: of P what each account used of each product, of S how many checkouts there were. Says for each run: events per second of wall time and of processor
//! time, how long an epoch took from its last fact to its publication, and how much memory there is.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_types, reason = "a bench measures time")]
#![expect(clippy::float_arithmetic, reason = "rates and times are shown to people")]

use clap::Parser;
use std::collections::{BTreeMap, VecDeque};
use std::net::TcpListener;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};
use trueup_datasets::workload;
use trueup_datasets::workload::checkouts::{self, Checkouts};
use trueup_datasets::workload::telemetry::{self, Telemetry};
use trueup_model::fact::{Action, Body, Fact, FactId};
use trueup_model::id::{Id, NameKind, TenantId};
use trueup_model::quantity::Quantity;
use trueup_model::usage::SessionKind;
use trueup_policy::Policy;
use trueup_runtime::clock::SystemClock;
use trueup_runtime::cluster::work;
use trueup_runtime::engine::Engine;
use trueup_runtime::mesh::{Member, Mesh, rules_of};
use trueup_runtime::settings::{Horizon, Settings};

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Feeds a workload to an engine in this process.
#[derive(Debug, Parser)]
struct Args {
    /// What is fed: metered use of accounts (p), or checkouts from license servers (s)
    #[arg(long, value_enum, default_value_t = Which::P)]
    workload: Which,
    /// Events that are measured
    #[arg(long, default_value_t = 300_000)]
    events: usize,
    /// Events that come before
    #[arg(long, default_value_t = 100_000)]
    warm: usize,
    /// Accounts of workload P; people of workload S
    #[arg(long, default_value_t = 10_000)]
    accounts: u32,
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
    /// Epochs that are under way at a time
    #[arg(long, default_value_t = 2)]
    in_flight: usize,
    /// Milliseconds between two steps of the totals over the trees
    #[arg(long, default_value_t = 1000)]
    totals: u64,
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

/// The stream of a workload.
enum Stream {
    P(Telemetry),
    S(Box<Checkouts>),
}

impl Stream {
    fn new(args: &Args) -> Self {
        match args.workload {
            Which::P => {
                let scale =
                    telemetry::Scale { accounts: args.accounts, ..telemetry::Scale::default() };
                Self::P(Telemetry::new(scale, 7))
            }
            Which::S => {
                let users = args.accounts;
                let out = usize::try_from(users / 2).unwrap_or(0);
                let features = (users / 10).max(1);
                Self::S(Box::new(Checkouts::new(checkouts::Scale { features, users, out }, 7)))
            }
        }
    }

    fn contracts(&self) -> Vec<Fact<u32>> {
        match self {
            Self::P(stream) => stream.contracts(),
            Self::S(stream) => stream.contracts(),
        }
    }

    fn draw(&mut self) -> Fact<u32> {
        match self {
            Self::P(stream) => stream.draw(),
            Self::S(stream) => stream.draw(),
        }
    }
}

type Facts = Vec<(TenantId, Fact<Id>)>;

fn main() {
    let mut args = Args::parse();
    if args.test {
        args = Args { events: 2000, warm: 500, accounts: 200, epoch: 500, ..args };
    }
    let settings = Settings {
        workers: args.workers,
        policy: Policy::default(),
        horizon: Horizon::Evidence,
        epoch_facts_max: args.epoch,
        totals_step_us: args.totals * 1000,
        epoch_us_max: u64::MAX / 2,
        ..Settings::default()
    };
    if args.process > 0 {
        let mesh = member(&args).join(&SystemClock::default()).expect("the others are there");
        return work(&Policy::default(), mesh).expect("there are threads");
    }
    let (mesh, others) = others(&mut args);
    let engine = Engine::start_in(mesh, settings, Arc::new(SystemClock::default()));
    let engine = engine.expect("it starts");
    let mut stream = Stream::new(&args);
    let mut names = Names::new(&engine);
    let begin = Instant::now();
    let contracts = stream.contracts().into_iter().map(|fact| names.named(fact)).collect();
    engine.submit(contracts).expect("the engine runs");
    engine.settle(None).expect("the engine runs");
    println!("contracts      {:>12.2} s", begin.elapsed().as_secs_f64());
    let mut sums = Sums::default();
    let warm = epochs(&mut stream, &mut names, args.warm, args.epoch, &mut sums);
    let warming = Instant::now();
    feed(&engine, warm, args.in_flight);
    println!("warm-up        {:>12.2} s", warming.elapsed().as_secs_f64());
    let measured = epochs(&mut stream, &mut names, args.events, args.epoch, &mut sums);
    let (began, ran_before) = (Instant::now(), processor_time());
    let mut took = feed(&engine, measured, args.in_flight);
    let (wall, ran) = (began.elapsed(), processor_time().saturating_sub(ran_before));
    took.sort_unstable();
    let rate = |time: Duration| args.events as f64 / time.as_secs_f64() / 1e6;
    println!("wall           {:>12.3} M events/s", rate(wall));
    println!("processor      {:>12.3} M events/s of one core", rate(ran));
    let ms = |time: &Duration| time.as_secs_f64() * 1e3;
    let at = |per_mille: usize| ms(&took[(took.len() - 1) * per_mille / 1000]);
    println!("epoch          {:>12.1} ms p50 {:>10.1} ms p99", at(500), at(990));
    println!("memory         {:>12.0} MiB, the first process", resident_mib());
    show_operators(&engine, args.top);
    let wrong = sums.compare(&engine);
    assert_eq!(wrong, 0, "sums of the views differ from plain sums");
    println!("checked        {:>12} sums", sums.known.len() + sums.checkouts.len());
    drop(engine);
    for mut other in others {
        assert!(other.wait().expect("it was started").success(), "another process failed");
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

/// Feeds epochs, a few at a time, and waits until all is published; gives how long each took.
fn feed(engine: &Engine, epochs: Vec<Facts>, in_flight: usize) -> Vec<Duration> {
    let published = engine.subscribe(usize::from(u16::MAX));
    let mut sent: VecDeque<Instant> = VecDeque::new();
    let mut took = Vec::new();
    for facts in epochs {
        if sent.len() >= in_flight {
            published.recv().expect("the engine runs");
            took.extend(sent.pop_front().map(|at| at.elapsed()));
        }
        engine.submit(facts).expect("the engine runs");
        sent.push_back(Instant::now());
    }
    engine.settle(None).expect("the engine runs");
    took.extend(sent.into_iter().map(|at| at.elapsed()));
    took
}

fn epochs(
    stream: &mut Stream,
    names: &mut Names<'_>,
    events: usize,
    size: usize,
    sums: &mut Sums,
) -> Vec<Facts> {
    let mut epochs = Vec::new();
    let mut left = events;
    while left > 0 {
        let many = left.min(size);
        let facts: Facts = (0..many).map(|_| names.named(stream.draw())).collect();
        for (_, fact) in &facts {
            sums.hear(fact);
        }
        epochs.push(facts);
        left -= many;
    }
    epochs
}

/// The engine's identifiers of a workload's names.
struct Names<'e> {
    engine: &'e Engine,
    tenant: TenantId,
    known: BTreeMap<(NameKind, u32), Id>,
}

impl<'e> Names<'e> {
    fn new(engine: &'e Engine) -> Self {
        let tenant = engine.intake().tenant(workload::TENANT);
        Self { engine, tenant, known: BTreeMap::new() }
    }

    fn named(&mut self, fact: Fact<u32>) -> (TenantId, Fact<Id>) {
        let intake = self.engine.intake();
        let named = fact.try_map(&mut |kind, number| {
            if let Some(id) = self.known.get(&(kind, number)) {
                return Ok(*id);
            }
            let id = intake.define(kind, self.tenant, &workload::name(kind, number))?;
            self.known.insert((kind, number), id);
            Ok::<Id, trueup_model::id::NameError>(id)
        });
        (self.tenant, intake.checked(self.tenant, named.expect("names do not collide")))
    }
}

/// What is used of a product by an account.
type Sum = BTreeMap<(Id, Id), Quantity>;

/// Plain sums over the facts.
#[derive(Default)]
struct Sums {
    events: BTreeMap<FactId, ((Id, Id), Quantity)>,
    gone: std::collections::BTreeSet<FactId>,
    known: Sum,
    checkouts: std::collections::BTreeSet<FactId>,
}

impl Sums {
    fn hear(&mut self, fact: &Fact<Id>) {
        match &fact.action {
            Action::Assert(Body::Usage(event)) => {
                let Some(account) = event.account else { return };
                if self.gone.contains(&fact.id) || self.events.contains_key(&fact.id) {
                    return;
                }
                let key = (account, event.product);
                self.events.insert(fact.id, (key, event.quantity));
                self.known.entry(key).or_default().0 += event.quantity.0;
            }
            Action::Assert(Body::Session(event)) => {
                if event.kind == SessionKind::Open {
                    self.checkouts.insert(fact.id);
                }
            }
            Action::Assert(_) => {}
            Action::Retract(_) => {
                self.gone.insert(fact.id);
                if let Some((key, quantity)) = self.events.remove(&fact.id) {
                    self.known.entry(key).or_default().0 -= quantity.0;
                }
            }
        }
    }

    /// How many sums of the views differ.
    fn compare(&self, engine: &Engine) -> usize {
        let mut seen: BTreeMap<(Id, Id), i128> = BTreeMap::new();
        for (cell, tally) in &engine.views().cells {
            *seen.entry((Id(cell.account.0), Id(cell.product.0))).or_default() += tally.quantity;
        }
        let zero = Quantity::ZERO;
        let keys: std::collections::BTreeSet<_> = seen.keys().chain(self.known.keys()).collect();
        let differs = keys.into_iter().filter(|key| {
            let plain = self.known.get(key).unwrap_or(&zero).0;
            seen.get(key).copied().unwrap_or_default() != i128::from(plain)
        });
        let sessions = engine.views().sessions.len();
        differs.count() + usize::from(sessions != self.checkouts.len())
    }
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

/// How long all threads of the process ran.
fn processor_time() -> Duration {
    let mut sum = 0;
    for thread in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let told = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        sum += told.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0);
    }
    Duration::from_nanos(sum)
}

/// Memory that the process has.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
