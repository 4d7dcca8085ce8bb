//! From a connector in another process to published answers: TCP, decoding, journal, workers, views.
//!
//! A second process draws workload P and sends it over a socket at a fixed rate, whatever the engine
//! does meanwhile. The time of an event begins when it was due to be sent, and ends when the epoch that
//! holds it is published and durable. Without a rate, it sends as fast as the engine takes.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::float_arithmetic, reason = "rates and times are shown to people")]

use clap::Parser;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use trueup_benches::names::Names;
use trueup_connectors::client::clock::{Clock as _, SystemClock, wall_now};
use trueup_connectors::client::transport::{TcpDial, TcpTimeouts};
use trueup_connectors::client::{Client, Secret, Settings as ClientSettings};
use trueup_datasets::workload;
use trueup_datasets::workload::telemetry::{Scale, Telemetry};
use trueup_model::fact::Fact;
use trueup_model::time::Timestamp;
use trueup_runtime::clock::SystemClock as EngineClock;
use trueup_runtime::conversation::{Allowance, OpenGate};
use trueup_runtime::engine::Engine;
use trueup_runtime::settings::{Horizon, Settings};

/// The allocator of the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures an engine that gets workload P over a socket.
#[derive(Clone, Debug, Parser)]
struct Args {
    /// Events that are sent
    #[arg(long, default_value_t = 200_000)]
    events: u64,
    /// Events a second; 0 for as fast as the engine takes them
    #[arg(long, default_value_t = 0)]
    rate: u64,
    /// Accounts
    #[arg(long, default_value_t = 10_000)]
    accounts: u32,
    /// Worker threads
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Whether the journal is written
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    journal: bool,
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
    let mut args = Args::parse();
    if args.test {
        args = Args { events: 5000, accounts: 200, ..args };
    }
    match args.send_to {
        Some(address) => send(&args, address),
        None => measure(&args),
    }
}

/// One batch as the sender saw it: when its first event was due, in which epoch it is, how many
/// events it holds.
#[derive(Clone, Copy, Debug)]
struct Sent {
    due: Timestamp,
    epoch: u64,
    events: u64,
}

/// Receives, and says how long it took.
fn measure(args: &Args) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let settings = Settings {
        workers: args.workers,
        horizon: Horizon::Evidence,
        journal: args.journal.then(|| folder.path().join("journal")),
        journal_mark: 1,
        ..Settings::default()
    };
    let engine = Engine::start(settings, Arc::new(EngineClock::default())).expect("it starts");
    let published = engine.subscribe(usize::from(u16::MAX));
    let watching = std::thread::spawn(move || {
        let mut epochs: BTreeMap<u64, Timestamp> = BTreeMap::new();
        while let Ok(one) = published.recv() {
            epochs.insert(one.epoch, wall_now());
        }
        epochs
    });
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let mut sender = Command::new(std::env::current_exe().expect("this program has a file"));
    sender.args(["--send-to", &address.to_string()]);
    sender.args(["--events", &args.events.to_string(), "--rate", &args.rate.to_string()]);
    sender.args(["--accounts", &args.accounts.to_string()]);
    let sender = sender.stdout(Stdio::piped()).spawn().expect("this program runs twice");
    {
        let reception = engine.reception(Arc::new(OpenGate), Allowance::default());
        let reception = reception.expect("the engine runs");
        let (stream, _) = listener.accept().expect("the sender connects");
        stream.set_nodelay(true).expect("a socket may send at once");
        reception
            .converse(Reading(&stream), Reading(&stream))
            .expect("the sender keeps to the rules");
    }
    let said = sender.wait_with_output().expect("the sender ends");
    let sent = read(&String::from_utf8_lossy(&said.stdout));
    engine.settle(None).expect("the engine runs");
    drop(engine);
    let epochs = watching.join().expect("the watcher watches");
    report(args, &sent, &epochs);
}

/// A socket, read and written through references.
struct Reading<'s>(&'s TcpStream);

impl std::io::Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        (&mut &*self.0).read(buffer)
    }
}

impl std::io::Write for Reading<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        (&mut &*self.0).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        (&mut &*self.0).flush()
    }
}

fn read(said: &str) -> Vec<Sent> {
    let rows = said.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let due = Timestamp(words.next()?.parse().ok()?);
        let epoch = words.next()?.parse().ok()?;
        Some(Sent { due, epoch, events: words.next()?.parse().ok()? })
    });
    rows.collect()
}

fn report(args: &Args, sent: &[Sent], epochs: &BTreeMap<u64, Timestamp>) {
    let mut times = Histogram::<u64>::new(3).expect("three digits are allowed");
    let mut last = Timestamp::MIN;
    let mut events = 0;
    for batch in sent {
        let seen = epochs.get(&batch.epoch).copied();
        let seen = seen.expect("what is durable is published");
        let took = u64::try_from(seen.since_us(batch.due)).unwrap_or(0);
        times.record_n(took.max(1), batch.events).expect("the time has a place");
        last = last.max(seen);
        events += batch.events;
    }
    assert_eq!(events, args.events, "every event was sent and is durable");
    let first = sent.iter().map(|batch| batch.due).min().unwrap_or(last);
    let took_us = u64::try_from(last.since_us(first)).unwrap_or(1).max(1);
    println!("sustained      {:>12.3} M events/s", events as f64 / took_us as f64);
    for quantile in [0.5, 0.9, 0.99, 0.999] {
        let took = times.value_at_quantile(quantile) as f64 / 1e3;
        println!("visible p{:<6}{took:>12.1} ms", quantile * 100.0);
    }
    println!("visible max    {:>12.1} ms", times.max() as f64 / 1e3);
    println!("epochs         {:>12}", epochs.len());
}

/// Sends, and says in the end what was in which epoch.
fn send(args: &Args, address: SocketAddr) {
    let dial = TcpDial::new(address.to_string(), TcpTimeouts::default());
    let settings = ClientSettings::new(workload::TENANT, "load", 1, Secret::default());
    let clock = SystemClock::start();
    let client = Client::connect(settings, dial, clock);
    let (mut client, _) = client.expect("the engine listens");
    let scale = Scale { accounts: args.accounts, ..Scale::default() };
    let mut stream = Telemetry::new(scale, 7);
    let mut names = Names::default();
    for fact in stream.contracts() {
        client.accept(names.named(&fact)).expect("the engine takes facts");
    }
    client.flush_and_wait().expect("the engine takes facts");
    // Drawn before, so that drawing costs nothing while sending.
    let facts: Vec<Fact<u32>> = (0..args.events).map(|_| stream.draw()).collect();
    let began = wall_now();
    // Events that are due, but not yet in an epoch, by the sequence of their last batch.
    let mut open: Vec<(u64, Sent)> = Vec::new();
    let mut sent: Vec<Sent> = Vec::new();
    let mut done = 0;
    while done < facts.len() {
        let due = match args.rate {
            0 => wall_now(),
            rate => began.plus_us(i64::try_from(done as u64 * 1_000_000 / rate).unwrap_or(0)),
        };
        let ready = match args.rate {
            0 => done + 8192,
            rate => {
                let passed = u64::try_from(wall_now().since_us(began)).unwrap_or(0);
                usize::try_from(passed * rate / 1_000_000).unwrap_or(usize::MAX)
            }
        };
        let until = ready.min(facts.len()).min(done + 8192);
        if until > done {
            for fact in &facts[done..until] {
                client.accept(names.named(fact)).expect("the engine takes facts");
            }
            client.flush().expect("the engine takes facts");
            let events = (until - done) as u64;
            open.push((client.metrics().last_sequence, Sent { due, epoch: 0, events }));
            done = until;
        } else {
            clock.pause(Duration::from_micros(200));
        }
        client.poll().expect("the engine listens");
        let ack = client.acknowledged();
        open.retain(|(sequence, batch)| {
            let durable = *sequence <= ack.sequence;
            if durable {
                sent.push(Sent { epoch: ack.epoch, ..*batch });
            }
            !durable
        });
    }
    let ack = client.flush_and_wait().expect("the engine takes facts");
    sent.extend(open.into_iter().map(|(_, batch)| Sent { epoch: ack.epoch, ..batch }));
    client.close().expect("the engine takes facts");
    for Sent { due, epoch, events } in sent {
        println!("{} {epoch} {events}", due.0);
    }
}
