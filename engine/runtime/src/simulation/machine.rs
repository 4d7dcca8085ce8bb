//! The engine's process: the product's own parts, without threads, on a disk that behaves badly.
//!
//! Conversations, intake, sequencer, log, journal, recovery, snapshots, publisher and chain are those of
//! the product. In the place of the workers stands what counts (`truth.rs`).

use super::ear::Ear;
use super::flaw::{Flaw, FlawedDisk};
use super::time::Time;
use super::truth::{self, Counting, Counts, Figure, SOURCES, Truth};
use crate::chain::Chain;
use crate::changes::Changes;
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::conversation::{Allowance, OpenGate, Reception};
use crate::dataflow::EpochInput;
use crate::error::RuntimeError;
use crate::health::Health;
use crate::intake::Intake;
use crate::measures::Measures;
use crate::memory::Gauge;
use crate::publisher::{Planned, Progress, Publisher};
use crate::recovery::{Manner, Target, recover};
use crate::sequencer::{Around, Awaits, Desk, Sequencer, Work};
use crate::settings::Settings;
use crate::snapshot::{Keeping, Taker};
use crate::view::Views;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};
use trueup_journal::Options;
use trueup_model::derived::EventCount;
use trueup_model::id::{Dictionary, Id};
use trueup_model::usage::{SessionKind, SessionReason};
use trueup_operators::Epoch;
use trueup_wire::record::ConversationId;

/// Files of a few blocks follow each other often.
const SEGMENT_BYTES_MAX: u64 = 36 * 1024;

/// More than ever waits in a queue: nobody waits for room in one.
const QUEUE_MAX: usize = 256;
/// Marks the journals.
const MARK: u64 = 0x6d61_726b_2061_7420;
/// How much memory there is.
pub(crate) const MEMORY: u64 = 100;

/// Settings that have much happen in little time.
fn settings(memory: &Arc<AtomicU64>) -> Settings {
    Settings {
        memory: Gauge::planted(MEMORY, Arc::clone(memory)),
        horizon_step_us: 1_000_000,
        totals_step_us: 2_000,
        epoch_facts_max: 20,
        epoch_us_max: 3_000,
        measure_operators: false,
        ..Settings::default()
    }
}

/// The sequencer, and the queue before it.
pub(crate) struct Office {
    sequencer: RefCell<Sequencer>,
    queue: Receiver<Work>,
    sender: Sender<Work>,
    inputs: Receiver<EpochInput>,
    planned: Receiver<Planned>,
    /// What has entered and is not computed.
    entered: RefCell<Vec<(EpochInput, Planned)>>,
    pub(crate) flaw: Flaw,
    /// Why the engine ended.
    failed: RefCell<Option<RuntimeError>>,
    pub(crate) next_turn_us: Cell<u64>,
    /// The newest conversation of each source.
    pub(crate) newest: RefCell<[ConversationId; SOURCES]>,
    time: Arc<Time>,
}

impl Office {
    /// Has the sequencer take a turn; false if the engine has ended.
    fn turn(&self, work: Option<Work>) -> bool {
        let mut sequencer = self.sequencer.borrow_mut();
        let done = sequencer.turn(work);
        let (Awaits::Work(wait) | Awaits::Time(wait)) = sequencer.awaits();
        let wait_us = u64::try_from(wait.as_micros()).unwrap();
        self.next_turn_us.set(self.time.us() + wait_us);
        self.entered.borrow_mut().extend(self.inputs.try_iter().zip(self.planned.try_iter()));
        if let Err(error) = done {
            self.failed.borrow_mut().get_or_insert(error);
        }
        self.failed.borrow().is_none()
    }

    /// Puts work of a conversation with a source into the queue.
    pub(crate) fn bring(&self, work: Work, source: usize) {
        let work = self.flaw.bring(work, self.newest.borrow()[source]);
        self.sender.send(work).unwrap();
    }

    /// Whether the sequencer takes work.
    fn takes_work(&self) -> bool {
        matches!(self.sequencer.borrow().awaits(), Awaits::Work(_))
    }

    /// How many facts there are of each source, with those that have not entered.
    fn had(&self, Counting { mut counts, .. }: Counting) -> Counts {
        for fact in self.sequencer.borrow().taken() {
            counts[truth::source(fact.id())] += 1;
        }
        counts
    }

    /// Has the next piece of work taken; false if there is none, or none is taken.
    pub(crate) fn take_next(&self) -> bool {
        if !self.takes_work() {
            return false;
        }
        let Ok(work) = self.queue.try_recv() else { return false };
        self.turn(Some(work));
        true
    }
}

impl Desk for Rc<Office> {
    /// Has it done at once, and what was left before.
    fn leave(&self, work: Work) -> Result<(), RuntimeError> {
        self.sender.send(self.flaw.change(work)).map_err(|_| RuntimeError::Stopped)?;
        while self.take_next() {}
        let is_done = self.queue.is_empty() && self.failed.borrow().is_none();
        if is_done { Ok(()) } else { Err(RuntimeError::Stopped) }
    }
}

/// What was computed and is not published.
struct Computed {
    plan: Planned,
    changes: Changes,
    figure: Figure,
}

/// A running engine.
pub(crate) struct Machine {
    pub(crate) office: Rc<Office>,
    pub(crate) reception: Reception,
    pub(crate) intake: Arc<Intake>,
    pub(crate) ears: Vec<Ear>,
    pub(crate) counting: Counting,
    computed: VecDeque<Computed>,
    /// The epoch of which totals are still to be published.
    tick: Option<Epoch>,
    publisher: Publisher,
    taker: Taker<FlawedDisk, Rc<Office>>,
    _life: Sender<Infallible>,
}

/// Why an engine did not start, or has ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// By itself.
    Failed(RuntimeError),
    /// It is not what it must be.
    Wrong(String),
}

impl From<String> for Ended {
    fn from(story: String) -> Self {
        Self::Wrong(story)
    }
}

/// What the parts of an engine share.
struct Common {
    settings: Settings,
    clock: Arc<dyn Clock>,
    views: Arc<RwLock<Views>>,
    progress: Arc<Progress>,
    health: Arc<Health>,
    measures: Measures,
    chain: Arc<Mutex<Chain>>,
    ends: Receiver<Infallible>,
}

impl Common {
    fn new(settings: Settings, clock: Arc<dyn Clock>, ends: Receiver<Infallible>) -> Self {
        Self {
            views: Arc::new(RwLock::new(Views::new(settings.policy.name.clone()))),
            progress: Arc::default(),
            health: Arc::default(),
            measures: Measures::new(&settings, Arc::clone(&clock)),
            chain: Arc::new(Mutex::new(Chain::new(&settings))),
            settings,
            clock,
            ends,
        }
    }

    fn publisher(&self, intake: &Arc<Intake>) -> Publisher {
        Publisher {
            workers: 1,
            clock: Arc::clone(&self.clock),
            views: Arc::clone(&self.views),
            progress: Arc::clone(&self.progress),
            health: Arc::clone(&self.health),
            chain: Arc::clone(&self.chain),
            intake: Arc::downgrade(intake),
            accepts_differences: false,
            subscribers: Arc::default(),
            measures: self.measures.clone(),
            ticked: VecDeque::new(),
        }
    }

    fn reception(&self, intake: &Arc<Intake>, sender: &Sender<Work>) -> Reception {
        Reception::new(
            Arc::clone(intake),
            sender.clone(),
            Arc::clone(&self.clock),
            Arc::new(OpenGate),
            Allowance { hello_us: 3_000_000, silence_us: 9_000_000, ..Allowance::default() },
            Arc::clone(&self.progress),
        )
    }

    fn office(
        &self,
        (sender, queue): (Sender<Work>, Receiver<Work>),
        time: &Arc<Time>,
        flaw: Flaw,
    ) -> Rc<Office> {
        let (input, inputs) = bounded(QUEUE_MAX);
        let (plan, planned) = bounded(QUEUE_MAX);
        let sequencer = Sequencer::new(Around {
            settings: self.settings.clone(),
            clock: Arc::clone(&self.clock),
            cluster: Cluster::standing_in(input),
            planned: plan,
            progress: Arc::clone(&self.progress),
            health: Arc::clone(&self.health),
            measures: self.measures.clone(),
            life: self.ends.clone(),
        });
        Rc::new(Office {
            sequencer: RefCell::new(sequencer),
            queue,
            sender,
            inputs,
            planned,
            entered: RefCell::default(),
            flaw,
            failed: RefCell::new(None),
            next_turn_us: Cell::new(0),
            newest: RefCell::default(),
            time: Arc::clone(time),
        })
    }
}

impl Machine {
    /// Starts an engine with what is on the disk, which may be damaged; gives the last epoch that it had.
    pub(crate) fn start(
        storage: FlawedDisk,
        time: &Arc<Time>,
        memory: &Arc<AtomicU64>,
        (truth, is_damaged): (&mut Truth, bool),
    ) -> Result<(Self, Epoch), Ended> {
        let (sender, queue) = bounded(QUEUE_MAX);
        let (life, ends) = bounded(0);
        let common = Common::new(settings(memory), Arc::<Time>::clone(time), ends);
        let Settings { policy, names_max, .. } = &common.settings;
        let names = Arc::new(RwLock::new(Dictionary::new(policy.identity.clone(), *names_max)));
        let intake = Arc::new(Intake::new(&common.settings, names, sender.clone()));
        let publisher = common.publisher(&intake);
        let reception = common.reception(&intake, &sender);
        let office = common.office((sender, queue), time, storage.flaw);
        let options = Options { segment_bytes_max: SEGMENT_BYTES_MAX, ..Options::new(MARK) };
        let to = Target { intake: &intake, work: &office, chain: &common.chain };
        let recovered = recover(Some(storage.clone()), options, Manner::default(), &to);
        let recovered = recovered.map_err(|error| office.reason(error))?;
        truth.read_back(recovered.closed, is_damaged)?;
        let Common { views, health, clock, progress, ends: end, .. } = common;
        let taker = Taker {
            storage,
            views,
            health,
            clock,
            work: Rc::clone(&office),
            progress,
            life: end,
            pace: None,
            retention_us: None,
            keeping: Keeping::new(recovered.snapshots, false),
        };
        let (ears, computed, counting) = (Vec::new(), VecDeque::new(), Counting::default());
        let mut machine = Self {
            office,
            reception,
            intake,
            ears,
            counting,
            computed,
            tick: None,
            publisher,
            taker,
            _life: life,
        };
        machine.compute(truth)?;
        while machine.publish(truth)? {}
        Ok((machine, recovered.closed))
    }

    /// Why the engine has ended, if it has.
    pub(crate) fn failure(&self) -> Option<RuntimeError> {
        self.office.failed.borrow_mut().take()
    }

    /// Has the sequencer look at what is due.
    pub(crate) fn turn(&self) {
        self.office.turn(None);
    }

    /// Computes what has entered.
    pub(crate) fn compute(&mut self, truth: &mut Truth) -> Result<(), String> {
        for (input, plan) in self.office.entered.take() {
            let before = self.counting.counts;
            if !input.restored.is_empty() {
                self.counting.restore(&input.restored, truth)?;
            }
            for fact in &input.facts {
                self.counting.enter(fact, truth)?;
            }
            let counts = self.counting.counts;
            let mut changes = Changes::default();
            for (source, (then, now)) in before.into_iter().zip(counts).enumerate() {
                let row = |count| EventCount {
                    server: Id(source as u64).into(),
                    kind: SessionKind::Open,
                    reason: SessionReason::None,
                    count,
                };
                if then != now {
                    let gone = (then > 0).then(|| (row(then), -1));
                    changes.counts.extend(gone.into_iter().chain([(row(now), 1)]));
                }
            }
            let figure = Figure { counts, horizon: plan.horizon };
            self.computed.push_back(Computed { plan, changes, figure });
        }
        Ok(())
    }

    /// Has those answered who were greeted.
    pub(crate) fn answer(&mut self, truth: &mut Truth) -> Result<(), String> {
        for ear in &mut self.ears {
            let had = || self.office.had(self.counting);
            ear.take_answer(&self.office, had, truth)?;
        }
        Ok(())
    }

    /// Publishes the next epoch; false if there is none.
    pub(crate) fn publish(&mut self, truth: &mut Truth) -> Result<bool, String> {
        let Some(Computed { plan, changes, figure }) = self.computed.pop_front() else {
            return Ok(false);
        };
        let said = |error: RuntimeError| error.to_string();
        self.publisher.publish(&plan, changes).map_err(said)?;
        // Totals are there after the next epoch, if there is one.
        let mut ticks: VecDeque<Epoch> = self.tick.take().into_iter().collect();
        if plan.totals && self.computed.is_empty() {
            ticks.push_back(plan.epoch);
        } else {
            self.tick = plan.totals.then_some(plan.epoch);
        }
        for epoch in ticks {
            self.publisher.publish_totals(epoch, Changes::default()).map_err(said)?;
        }
        truth.publish(plan.epoch, figure)?;
        Ok(true)
    }

    /// How many epochs are computed and not published.
    pub(crate) fn computed(&self) -> usize {
        self.computed.len()
    }

    /// How many facts the engine has of each source, with those that have not entered.
    pub(crate) fn had(&self) -> Counts {
        self.office.had(self.counting)
    }

    /// Takes a snapshot of what is published; false if none could be taken.
    pub(crate) fn take_snapshot(&mut self) -> bool {
        if self.office.flaw == Flaw::ReleasedEarly {
            let durable = self.taker.health.durable_record();
            // Whether it heard so does not matter.
            let _ = self.office.leave(Work::Release(durable));
        }
        self.office.takes_work() && self.taker.take().is_ok()
    }

    /// How many pieces of work wait.
    pub(crate) fn waiting(&self) -> usize {
        self.office.queue.len()
    }
}

impl Office {
    /// Why the engine did not start, if it knows better than who noticed.
    fn reason(&self, noticed: RuntimeError) -> Ended {
        Ended::Failed(self.failed.borrow_mut().take().unwrap_or(noticed))
    }
}
