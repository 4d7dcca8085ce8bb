//! The workers: started together, fed epoch by epoch, stopped together.
//!
//! Every worker of the first process is told of every epoch, so that one that waits for input has nothing
//! to do for the others. Workers of further processes (`mesh.rs`) are told nothing: they have no input of
//! their own, work on what the dataflow brings them, and send what they find back to the first process,
//! which alone has the journal and the views. A worker that fails takes the process with it: the others
//! would wait for it for ever.

use crate::chain::Pace;
use crate::changes::Found;
use crate::dataflow::{Dataflow, EpochInput};
use crate::error::RuntimeError;
use crate::measures::Measures;
use crate::mesh::{Mesh, SILENCE_MAX};
use crate::thread::thread;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use std::any::Any;
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Once, OnceLock};
use std::time::Duration;
use timely::communication::allocator::ProcessBuilder;
use timely::communication::allocator::zero_copy::initialize::initialize_networking_from_sockets;
use timely::communication::{AllocatorBuilder, Hooks, WorkerGuards};
use timely::execute::execute_from;
use timely::worker::Worker;
use trueup_operators::Epoch;
use trueup_policy::Policy;

/// The most epochs that a worker works on at once, and the most ticks; more wait in the sequencer.
pub(crate) const EPOCHS_IN_FLIGHT_MAX: usize = 4;
/// How long a worker sleeps when no other worker wakes it.
const PARK: Duration = Duration::from_millis(1);

/// How many facts that entered a worker totals may be behind by; what is behind waits in memory.
const BEHIND_MAX: usize = 1 << 18;

/// What an epoch changed on one worker, of what comes at one pace.
pub(crate) struct WorkerEpoch {
    pub(crate) epoch: Epoch,
    pub(crate) pace: Pace,
    pub(crate) found: Found,
}

/// The running workers.
pub(crate) struct Cluster {
    inputs: Vec<Sender<EpochInput>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Cluster {
    /// Starts workers that build the same dataflow; what they find goes to `publisher`.
    pub(crate) fn start(
        workers: usize,
        policy: &Policy,
        publisher: &Sender<WorkerEpoch>,
        measures: &Measures,
        mesh: Option<Mesh>,
    ) -> Result<Self, RuntimeError> {
        abort_when_a_part_fails();
        let threads = Threads::new(workers, mesh)?;
        let mut inputs = Vec::with_capacity(workers);
        let mut ends = Vec::with_capacity(workers);
        for _ in 0..workers {
            let (sender, receiver) = bounded(EPOCHS_IN_FLIGHT_MAX);
            inputs.push(sender);
            ends.push(Some(receiver));
        }
        let ends = Arc::new(Mutex::new(ends));
        let policy = policy.clone();
        let publisher = publisher.clone();
        let measures = measures.clone();
        let run = move || {
            let guards = threads.run(move |worker| {
                let end = ends.lock().ok().and_then(|mut ends| ends[worker.index()].take());
                if let Some(end) = end {
                    measures.observe(worker);
                    run_worker(worker, &policy, &end, &publisher, &measures);
                }
            });
            // Joining waits for the workers to end; one that fails has ended the process before.
            match guards {
                Ok(guards) => drop(guards.join()),
                Err(error) => tracing::error!(error, "workers did not start"),
            }
        };
        Ok(Self { inputs, thread: Some(thread("workers", run)?) })
    }

    /// Workers of which someone else plays the part.
    pub(crate) fn standing_in(input: Sender<EpochInput>) -> Self {
        Self { inputs: vec![input], thread: None }
    }

    /// How many workers there are.
    pub(crate) fn workers(&self) -> usize {
        self.inputs.len()
    }

    /// Gives each worker its share of an epoch; waits while too many epochs are in flight.
    pub(crate) fn enter(&self, shares: Vec<EpochInput>) -> Result<(), RuntimeError> {
        for (worker, share) in self.inputs.iter().zip(shares) {
            worker.send(share).map_err(|_| RuntimeError::Stopped)?;
        }
        Ok(())
    }

    /// Lets the workers finish what they have, and waits for them.
    pub(crate) fn stop(&mut self) {
        self.inputs.clear();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a worker failed while stopping");
        }
    }
}

/// Works for the first process of a cluster, until that has no more work.
///
/// # Errors
/// If the system gives no threads.
pub fn work(policy: &Policy, mesh: Mesh) -> Result<(), RuntimeError> {
    abort_when_a_part_fails();
    let workers = mesh.workers;
    let threads = Threads::new(workers, Some(mesh))?;
    let policy = policy.clone();
    let guards = threads.run(move |worker| drop(Dataflow::build(worker, &policy, workers)));
    guards.map(|guards| drop(guards.join())).map_err(|problem| RuntimeError::Mesh { problem })
}

/// The threads of workers, before they run.
struct Threads {
    builders: Vec<AllocatorBuilder>,
    others: Box<dyn Any + Send>,
}

impl Threads {
    fn new(workers: usize, mesh: Option<Mesh>) -> Result<Self, RuntimeError> {
        let problem = |problem: String| RuntimeError::Mesh { problem };
        let Some(mesh) = mesh else {
            let alone = if workers == 1 {
                timely::CommunicationConfig::Thread
            } else {
                timely::CommunicationConfig::Process(workers)
            };
            let (builders, others) = alone.try_build().map_err(problem)?;
            return Ok(Self { builders, others });
        };
        let hooks = Hooks::default();
        let local =
            ProcessBuilder::new_typed_vector(workers, hooks.refill.clone(), hooks.spill.clone());
        let sockets =
            initialize_networking_from_sockets(local, mesh.data, mesh.process, workers, hooks);
        let (builders, others) = sockets.map_err(|error| problem(error.to_string()))?;
        let builders = builders.into_iter().map(AllocatorBuilder::Tcp).collect();
        Ok(Self { builders, others: Box::new(others) })
    }

    fn run(
        self,
        worker: impl Fn(&mut Worker) + Send + Sync + 'static,
    ) -> Result<WorkerGuards<()>, String> {
        execute_from(self.builders, self.others, timely::WorkerConfig::default(), worker)
    }
}

fn run_worker(
    worker: &mut Worker,
    policy: &Policy,
    inputs: &Receiver<EpochInput>,
    publisher: &Sender<WorkerEpoch>,
    measures: &Measures,
) {
    let stages = measures.stages();
    let mut flow = Dataflow::build(worker, policy, stages.workers());
    let mut open: VecDeque<Epoch> = VecDeque::new();
    let mut behind = Behind::default();
    loop {
        WORKS_ON.set(behind.works_on(&open));
        let next = if open.is_empty() && behind.epochs.is_empty() {
            inputs.recv().map_err(|_| TryRecvError::Disconnected)
        } else if open.len() < EPOCHS_IN_FLIGHT_MAX && !behind.is_full() {
            inputs.try_recv()
        } else {
            Err(TryRecvError::Empty)
        };
        match next {
            Ok(input) => {
                open.push_back(input.epoch);
                behind.push(&input);
                WORKS_ON.set(behind.works_on(&open));
                stages.entered(input.epoch);
                flow.enter(input);
            }
            Err(TryRecvError::Disconnected) if open.is_empty() && behind.epochs.is_empty() => break,
            Err(TryRecvError::Disconnected | TryRecvError::Empty) => {}
        }
        worker.step_or_park(Some(PARK));
        while let Some(epoch) = open.pop_front_if(|epoch| flow.is_done(Pace::Epochs, *epoch)) {
            let found = flow.take(Pace::Epochs, epoch);
            stages.found(epoch);
            if publisher.send(WorkerEpoch { epoch, pace: Pace::Epochs, found }).is_err() {
                return;
            }
        }
        while let Some(epoch) = behind.pop(|epoch| flow.is_done(Pace::Ticks, epoch)) {
            let found = flow.take(Pace::Ticks, epoch);
            if publisher.send(WorkerEpoch { epoch, pace: Pace::Ticks, found }).is_err() {
                return;
            }
        }
    }
    drop(flow);
    while worker.step() {}
}

/// The epochs of which totals have not heard everything, or that bring totals up to date and have not yet.
#[derive(Default)]
struct Behind {
    /// Each with how many facts it brought, and whether it is a tick.
    epochs: VecDeque<(Epoch, usize, bool)>,
    facts: usize,
    ticks: usize,
}

impl Behind {
    fn push(&mut self, input: &EpochInput) {
        let facts = input.facts.len() + input.restored.len();
        self.facts += facts;
        self.ticks += usize::from(input.tick);
        self.epochs.push_back((input.epoch, facts, input.tick));
    }

    /// Whether no further epoch is taken for now. The worker that took fewest has nothing behind that others have not taken
    /// too, so it goes on.
    fn is_full(&self) -> bool {
        self.facts >= BEHIND_MAX || self.ticks >= EPOCHS_IN_FLIGHT_MAX
    }

    /// Leaves out the epochs of which totals have heard everything; gives the first of them that is a tick.
    fn pop(&mut self, is_done: impl Fn(Epoch) -> bool) -> Option<Epoch> {
        while let Some((epoch, facts, tick)) = self.epochs.pop_front_if(|(one, ..)| is_done(*one)) {
            self.facts -= facts;
            if tick {
                self.ticks -= 1;
                return Some(epoch);
            }
        }
        None
    }

    /// The first and the last epoch that is worked on.
    fn works_on(&self, open: &VecDeque<Epoch>) -> Option<(Epoch, Epoch)> {
        let of_totals = |one: Option<&(Epoch, usize, bool)>| one.map(|(epoch, ..)| *epoch);
        let first = open.front().copied().into_iter().chain(of_totals(self.epochs.front())).min();
        let last = open.back().copied().into_iter().chain(of_totals(self.epochs.back())).max();
        first.zip(last)
    }
}

/// What of an engine failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// A worker, while it computed.
    Worker,
    /// What takes snapshots.
    Snapshots,
}

/// What a part of the engine failed of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartFailure {
    /// Which part.
    pub part: Failing,
    /// What was said, and where in the program.
    pub reason: String,
    /// The first and the last epoch that it worked on, if it was a worker of the first process.
    pub epochs: Option<(Epoch, Epoch)>,
}

/// The name of the thread that takes snapshots.
const SNAPSHOTS: &str = "trueup-snapshots";

type Observer = Box<dyn Fn(&PartFailure) + Send + Sync>;

/// Who is told that a part failed, before the process ends.
static OBSERVER: OnceLock<Observer> = OnceLock::new();

thread_local! {
    /// The epochs that the worker of this thread works on.
    static WORKS_ON: Cell<Option<(Epoch, Epoch)>> = const { Cell::new(None) };
}

/// Has someone told that a part failed, before the process ends; the first one that asks for it is.
pub fn observe_failures(told: impl Fn(&PartFailure) + Send + Sync + 'static) {
    // A second one would write down the same once more.
    let _ = OBSERVER.set(Box::new(told));
}

/// Makes the failure of a part the failure of the process, after its reason was printed.
fn abort_when_a_part_fails() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            print(panic);
            let name = std::thread::current().name().map(str::to_owned).unwrap_or_default();
            // Another process is gone: whoever watches over it says so, and ends this one.
            if name.starts_with("timely:recv") || name.starts_with("timely:send") {
                std::thread::park_timeout(SILENCE_MAX * 2);
            }
            let part = match name.as_str() {
                SNAPSHOTS => Some(Failing::Snapshots),
                worker if worker.starts_with("timely") => Some(Failing::Worker),
                _ => None,
            };
            if let Some(part) = part {
                if let Some(told) = OBSERVER.get() {
                    let reason = panic.payload_as_str().unwrap_or("it gave no reason");
                    let place = panic.location().map(|at| format!(" at {at}")).unwrap_or_default();
                    let reason = format!("{reason}{place}");
                    told(&PartFailure { part, reason, epochs: WORKS_ON.get() });
                }
                std::process::abort();
            }
        }));
    });
}
