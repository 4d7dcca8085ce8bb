//! The whole engine, with the real dataflow and threads, on the simulated disk: what it answers after
//! losses of power and restarts with other numbers of workers is what it answers undisturbed.
//!
//! Threads run as they like, so a seed says when the power goes, by the operations of the disk, and not
//! everything that happens. There are few runs: an engine takes long to start.

use super::storage::{Disk, Faults, Noise};
use crate::chain::Link;
use crate::clock::{Clock, SystemClock as EngineClock};
use crate::conversation::{Allowance, ConversationError, OpenGate, Reception};
use crate::engine::Engine;
use crate::settings::{Horizon, Settings};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use trueup_connectors::client::clock::SystemClock;
use trueup_connectors::client::retry::RetryPolicy;
use trueup_connectors::client::transport::{Pair, PairDial};
use trueup_connectors::client::{Client, ClientError, Secret, Settings as ClientSettings};
use trueup_model::contract::{Basis, EntitlementLine};
use trueup_model::fact::{Action, Body, Fact, FactId, Provenance};
use trueup_model::metric::Metric;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{SECOND_US, Timestamp};
use trueup_model::usage::{SessionEvent, SessionKind, SessionReason, UsageEvent, UsageOp};

/// How many facts a run has, and how many come at a time.
const FACTS: u64 = 90;
const FACTS_AT_A_TIME: u64 = 6;
/// How often the engine ends in a run.
const CRASHES: usize = 3;

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Whole {
    /// How often the engine was started again.
    pub(crate) restarts: usize,
    /// How many epochs had been published before, and were the same.
    pub(crate) same: u64,
    /// How many rows there are at the end.
    pub(crate) sessions: usize,
    /// What stands for all answers.
    pub(crate) views: u128,
    /// What stands for all totals.
    pub(crate) totals: Option<u128>,
}

fn at(second: u64) -> Timestamp {
    Timestamp::RECORDED.plus_us(i64::try_from(second).unwrap() * SECOND_US)
}

/// A fact of a small world: rights, checkouts that overlap, and metered use.
fn fact(seed: u64, index: u64) -> Fact<&'static str> {
    let mut noise = Noise(seed.wrapping_mul(1_000).wrapping_add(index));
    let product = ["CAD", "MESH"][noise.below(2)];
    let user = ["ada", "bo", "cy", "di"][noise.below(4)];
    let device = ["ws1", "ws2"][noise.below(2)];
    let second = 1_000 + noise.below(50_000) as u64;
    let body = if let Some(named) = ["CAD", "MESH"].get(usize::try_from(index).unwrap()) {
        Body::Line(EntitlementLine::base(
            "INCREMENT",
            *named,
            Metric::Concurrent,
            Capacity::Limited(Quantity::units(2)),
            Basis::LicenseFile,
        ))
    } else if noise.once_in(4) {
        Body::Usage(UsageEvent {
            at: at(second),
            product: "CALLS",
            account: None,
            user: Some(user),
            device: None,
            quantity: Quantity::units(1 + i64::try_from(noise.below(9)).unwrap()),
            op: UsageOp::Add,
        })
    } else {
        let kind = if noise.once_in(2) { SessionKind::Open } else { SessionKind::Close };
        Body::Session(SessionEvent {
            at: at(second),
            rank: 0,
            kind,
            reason: SessionReason::None,
            server: "serverd@lic1",
            product,
            user,
            device,
            display: None,
            vendor_data: None,
            project: None,
            version: None,
            handle: None,
            count: 1,
            until: None,
        })
    };
    Fact {
        // Now and then a later revision of something that was said.
        id: FactId(u128::from(if noise.once_in(9) && index > 9 { index - 5 } else { index })),
        revision: u32::try_from(index).unwrap(),
        arrived_at: at(1_000_000),
        provenance: Provenance { document: "debug.log", position: index },
        document: None,
        action: Action::Assert(body),
    }
}

/// The connector: sends all facts, and goes on wherever it is told to.
fn send(seed: u64, lines: Sender<Pair>) -> Result<(), ClientError> {
    let mut settings = ClientSettings::new("campus", "logs", 1, Secret::default());
    settings.retry = RetryPolicy {
        first: Duration::from_millis(2),
        longest: Duration::from_millis(20),
        attempts_max: None,
    };
    let dial = PairDial::new(lines, 64);
    let (mut client, _) = Client::connect(settings, dial, SystemClock::start())?;
    for index in 0..FACTS {
        client.accept(fact(seed, index))?;
        if index % FACTS_AT_A_TIME == 0 {
            client.flush()?;
        }
        if index % (2 * FACTS_AT_A_TIME) == 0 {
            client.flush_and_wait()?;
        }
    }
    client.flush_and_wait()?;
    client.close().map(|_| ())
}

/// An engine that runs, and its conversations.
struct Running {
    engine: Engine,
    reception: Reception,
    talks: Vec<JoinHandle<Result<(), ConversationError>>>,
}

impl Running {
    fn start(disk: &Disk, workers: usize) -> Option<Self> {
        let settings = Settings {
            workers,
            horizon: Horizon::Fixed(at(60_000)),
            totals_step_us: 1_000,
            epoch_facts_max: 8,
            journal_segment_bytes: 64 * 1024,
            measure_operators: false,
            ..Settings::default()
        };
        let clock: Arc<dyn Clock> = Arc::new(EngineClock::default());
        let engine = Engine::start_on(None, settings, clock, Some(disk.clone())).ok()?;
        let reception = engine.reception(Arc::new(OpenGate), Allowance::default()).ok()?;
        Some(Self { engine, reception, talks: Vec::new() })
    }

    /// Talks with connectors until the engine ends, or the connector has; true if the latter.
    fn serve(
        &mut self,
        lines: &Receiver<Pair>,
        sender: &JoinHandle<Result<(), ClientError>>,
    ) -> bool {
        while self.engine.failure().is_none() {
            if sender.is_finished() {
                return true;
            }
            let Ok(line) = lines.recv_timeout(Duration::from_millis(5)) else { continue };
            let reception = self.reception.clone();
            let (input, output) = line.split();
            self.talks.push(std::thread::spawn(move || reception.converse(input, output)));
        }
        false
    }

    fn stop(self) {
        let Self { engine, reception, talks } = self;
        reception.close();
        talks.into_iter().for_each(|talk| drop(talk.join()));
        drop(reception);
        drop(engine);
    }
}

/// Runs a seed: with losses of power, or undisturbed.
pub(crate) fn run_whole(seed: u64, is_disturbed: bool) -> Whole {
    let mut noise = Noise(seed);
    let mut disk = Disk::seeded(seed, Faults::NONE);
    let (line, lines) = bounded(8);
    let sender = std::thread::spawn(move || send(seed, line));
    let mut outcome = Whole::default();
    loop {
        if is_disturbed && outcome.restarts < CRASHES {
            let at = 10 + noise.below(70) as u64;
            disk.set_faults(Faults::power_loss(at));
        }
        let workers = if is_disturbed { 1 + noise.below(2) } else { 1 };
        if let Some(mut running) = Running::start(&disk, workers) {
            outcome.same += running.engine.health().same_epochs();
            if running.serve(&lines, &sender) {
                // Whether the engine lives on does not matter: everything is sealed.
                disk.set_faults(Faults::NONE);
                sender.join().unwrap().unwrap();
                running.stop();
                return answers(&disk.after_power_loss(noise.word()), outcome);
            }
            running.stop();
        }
        disk = disk.after_power_loss(noise.word());
        outcome.restarts += 1;
    }
}

/// What an engine answers that starts with what is on the disk.
fn answers(disk: &Disk, outcome: Whole) -> Whole {
    let running = Running::start(disk, 1).unwrap();
    running.engine.settle(None).unwrap();
    let (Link { views, totals, .. }, sessions) = {
        let views = running.engine.views();
        (views.link, views.sessions.len())
    };
    running.stop();
    Whole { views, totals, sessions, ..outcome }
}
