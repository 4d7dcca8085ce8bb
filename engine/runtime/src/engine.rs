//! The engine as others see it: facts in, views out.

mod back;

use crate::chain::Chain;
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::conversation::{Allowance, Gate, Reception};
use crate::error::RuntimeError;
use crate::health::Health;
use crate::intake::Intake;
use crate::measures::Measures;
use crate::mesh::Mesh;
use crate::publisher::{Progress, Published, Publisher};
use crate::recovery::{Manner, recover};
use crate::sequencer::{Around, Sequencer, Work};
use crate::settings::{Settings, SnapshotPace};
use crate::snapshot::{Answer, Keeping, Taker};
use crate::thread::thread;
use crate::view::Views;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;
use trueup_journal::{Directory, Keyed, Options, Storage, Writer};
use trueup_model::fact::Fact;
use trueup_model::id::{Dictionary, Id, TenantId};
use trueup_model::time::Timestamp;
use trueup_operators::Epoch;

/// Why no snapshot is taken where nothing takes any.
const NOT_TAKEN: &str = "there is no journal, or taking one ended an engine of this build before";

/// The most pieces of work that wait for the sequencer; whoever brings more waits.
const WORK_MAX: usize = 256;
/// How long to wait for an answer before it is looked whether the engine has stopped.
const LOOK: Duration = Duration::from_millis(100);
/// The most epochs that wait for the publisher.
const PLANNED_MAX: usize = 64;

/// A running engine.
pub struct Engine {
    intake: Arc<Intake>,
    names: Arc<RwLock<Dictionary>>,
    views: Arc<RwLock<Views>>,
    progress: Arc<Progress>,
    health: Arc<Health>,
    subscribers: Arc<Mutex<Vec<Sender<Published>>>>,
    chain: Arc<Mutex<Chain>>,
    clock: Arc<dyn Clock>,
    measures: Measures,
    started_us: u64,
    is_kept: bool,
    work: Option<Sender<Work>>,
    /// Where snapshots are asked for.
    asked: Option<Sender<Sender<Answer>>>,
    /// Dropped when the engine ends, which a sequencer that waits for room notices.
    life: Option<Sender<Infallible>>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Engine {
    /// Starts an engine with what its journal holds, and waits until that is published.
    ///
    /// # Errors
    /// If a setting is outside of what is allowed, the system gives no threads, the journal cannot be
    /// read back, or an epoch that had been published is something else when it is computed again.
    pub fn start(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, RuntimeError> {
        Self::start_in(None, settings, clock)
    }

    /// The same, as the first process of a cluster, whose other processes work for it.
    ///
    /// # Errors
    /// As above.
    pub fn start_in(
        mesh: Option<Mesh>,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RuntimeError> {
        settings.check()?;
        let directory = settings.journal.as_deref().map(Directory::open).transpose()?;
        let storage =
            directory.map(|directory| Keyed::new(directory, settings.journal_keys.clone()));
        Self::start_on(mesh, settings, clock, storage)
    }

    /// The same with a journal on any storage, or with none; the settings' journal and keys are not looked
    /// at.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub fn start_on<S>(
        mesh: Option<Mesh>,
        settings: Settings,
        clock: Arc<dyn Clock>,
        storage: Option<S>,
    ) -> Result<Self, RuntimeError>
    where
        S: Storage + Clone + std::fmt::Debug + Send + 'static,
        Writer<S>: Send,
    {
        let options = Options {
            segment_bytes_max: settings.journal_segment_bytes,
            ..Options::new(settings.journal_mark)
        };
        let Settings { accepts_differences, holds_evidence, holds_snapshots, .. } = settings;
        let (pace, manner) = (settings.snapshots, Manner { accepts_differences, holds_evidence });
        let retention_us = settings.policy.retention_us;
        let (mut engine, ends) = Self::assemble(mesh, settings, clock, storage.is_some())?;
        let recovered = engine
            .target()
            .and_then(|to| recover(storage.clone(), options, manner, &to))
            .and_then(|recovered| engine.wait_for_all(recovered.closed).map(|()| recovered))
            .map_err(|error| engine.reason(error))?;
        if let Some(storage) = storage.filter(|_| !holds_snapshots) {
            let kept = Keeping::new(recovered.snapshots, holds_evidence);
            engine.take_snapshots(storage, ends, (pace, retention_us), kept)?;
        }
        Ok(engine)
    }

    /// The threads of an engine, before anything is read back.
    fn assemble(
        mesh: Option<Mesh>,
        settings: Settings,
        clock: Arc<dyn Clock>,
        is_kept: bool,
    ) -> Result<(Self, Receiver<Infallible>), RuntimeError> {
        settings.check()?;
        if let Some(other) =
            mesh.as_ref().map(|mesh| mesh.workers).filter(|n| *n != settings.workers)
        {
            let (key, value) = ("workers", settings.workers.to_string());
            tracing::error!(workers = other, "the other processes were told of other workers");
            return Err(RuntimeError::Setting { key, value, allowed: "what the cluster was told" });
        }
        let rules = settings.policy.identity.clone();
        let names = Arc::new(RwLock::new(Dictionary::new(rules, settings.names_max)));
        let views = Arc::new(RwLock::new(Views::new(settings.policy.name.clone())));
        let progress = Arc::new(Progress::default());
        let health = Arc::new(Health::default());
        let subscribers = Arc::new(Mutex::new(Vec::new()));
        let (work, works) = bounded(WORK_MAX);
        let (planned, plans) = bounded(PLANNED_MAX);
        let (found, finds) = bounded(settings.workers * PLANNED_MAX);
        let (life, ends) = bounded(0);
        let measures = Measures::new(&settings, Arc::clone(&clock));
        let cluster = Cluster::start(settings.workers, &settings.policy, &found, &measures, mesh)?;
        drop(found);
        let intake = Arc::new(Intake::new(&settings, Arc::clone(&names), work.clone()));
        let chain = Arc::new(Mutex::new(Chain::new(&settings)));
        let publisher = Publisher {
            workers: settings.workers,
            clock: Arc::clone(&clock),
            views: Arc::clone(&views),
            progress: Arc::clone(&progress),
            health: Arc::clone(&health),
            chain: Arc::clone(&chain),
            intake: Arc::downgrade(&intake),
            accepts_differences: settings.accepts_differences,
            subscribers: Arc::clone(&subscribers),
            measures: measures.clone(),
            ticked: VecDeque::new(),
        };
        let sequencer = Sequencer::new(Around {
            settings,
            clock: Arc::clone(&clock),
            cluster,
            planned,
            progress: Arc::clone(&progress),
            health: Arc::clone(&health),
            measures: measures.clone(),
            life: ends.clone(),
        });
        let threads = vec![
            thread("publisher", move || publisher.run(&finds, &plans))?,
            thread("sequencer", move || sequencer.run(&works))?,
        ];
        let engine = Self {
            intake,
            names,
            views,
            progress,
            health,
            subscribers,
            chain,
            started_us: clock.monotonic_us(),
            clock,
            measures,
            is_kept,
            work: Some(work),
            asked: None,
            life: Some(life),
            threads,
        };
        Ok((engine, ends))
    }

    /// Begins the thread that takes snapshots.
    fn take_snapshots<S>(
        &mut self,
        storage: S,
        life: Receiver<Infallible>,
        (pace, retention_us): (Option<SnapshotPace>, Option<i64>),
        keeping: Keeping,
    ) -> Result<(), RuntimeError>
    where
        S: Storage + Clone + std::fmt::Debug + Send + 'static,
    {
        let (ask, asked) = bounded(1);
        let taker = Taker {
            storage,
            views: Arc::clone(&self.views),
            health: Arc::clone(&self.health),
            clock: Arc::clone(&self.clock),
            work: self.work.clone().ok_or(RuntimeError::Stopped)?,
            progress: Arc::clone(&self.progress),
            life,
            pace,
            retention_us,
            keeping,
        };
        self.threads.push(thread("snapshots", move || taker.run(&asked))?);
        self.asked = Some(ask);
        Ok(())
    }

    /// Checks facts and names things.
    pub fn intake(&self) -> Arc<Intake> {
        Arc::clone(&self.intake)
    }

    /// The names behind identifiers.
    pub fn names(&self) -> RwLockReadGuard<'_, Dictionary> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The outputs at the last published epoch.
    pub fn views(&self) -> RwLockReadGuard<'_, Views> {
        self.views.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the engine is.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// For how long the engine runs, in microseconds.
    pub fn runs_for_us(&self) -> u64 {
        self.clock.monotonic_us().saturating_sub(self.started_us)
    }

    /// How many pieces of work wait for the sequencer.
    pub fn waiting_work(&self) -> usize {
        self.work.as_ref().map_or(0, Sender::len)
    }

    /// What operators cost since the engine started, and how long epochs are on their way.
    pub fn measures(&self) -> &Measures {
        &self.measures
    }

    /// Where connectors are received.
    ///
    /// # Errors
    /// If the engine has stopped.
    pub fn reception(
        &self,
        gate: Arc<dyn Gate>,
        allowance: Allowance,
    ) -> Result<Reception, RuntimeError> {
        let work = self.work.clone().ok_or(RuntimeError::Stopped)?;
        let (intake, clock) = (self.intake(), Arc::clone(&self.clock));
        let progress = Arc::clone(&self.progress);
        Ok(Reception::new(intake, work, clock, gate, allowance, progress))
    }

    /// Gives facts to an engine without a journal; waits while too much work waits.
    ///
    /// # Errors
    /// If the engine keeps a journal, or has stopped.
    pub fn submit(&self, facts: Vec<(TenantId, Fact<Id>)>) -> Result<(), RuntimeError> {
        if self.is_kept {
            return Err(RuntimeError::NotJournaled);
        }
        let received_us = self.clock.monotonic_us();
        self.send(Work::Facts(facts.into_iter().map(Into::into).collect(), received_us))
    }

    /// Why the engine stopped by itself, if it did.
    pub fn failure(&self) -> Option<Arc<RuntimeError>> {
        self.progress.failure()
    }

    /// Closes the open epoch, moves the horizon if told to, and waits until it is published, with totals.
    ///
    /// # Errors
    /// If the engine has stopped.
    pub fn settle(&self, horizon: Option<Timestamp>) -> Result<Epoch, RuntimeError> {
        let (reply, epoch) = bounded(1);
        self.send(Work::Close(horizon, reply))?;
        // What is in the queue of an engine that stopped is answered by nobody.
        let epoch = loop {
            match epoch.recv_timeout(LOOK) {
                Ok(epoch) => break epoch,
                Err(RecvTimeoutError::Timeout) if !self.progress.has_ended() => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(RuntimeError::Stopped);
                }
            }
        };
        self.wait_for_all(epoch)?;
        Ok(epoch)
    }

    /// Takes a snapshot of what is published; gives its epoch.
    ///
    /// # Errors
    /// If the engine keeps no journal, or the snapshot could not be taken.
    pub fn snapshot(&self) -> Result<Epoch, RuntimeError> {
        let asked = self.asked.as_ref();
        let asked = asked.ok_or_else(|| RuntimeError::NoSnapshot(NOT_TAKEN.to_owned()))?;
        let (reply, taken) = bounded(1);
        asked.send(reply).map_err(|_| RuntimeError::Stopped)?;
        taken.recv().map_err(|_| RuntimeError::Stopped)?.map_err(RuntimeError::NoSnapshot)
    }

    /// Waits until an epoch is published.
    ///
    /// # Errors
    /// If the engine stops before.
    pub fn wait_for(&self, epoch: Epoch) -> Result<(), RuntimeError> {
        if self.progress.wait_for(epoch) { Ok(()) } else { Err(RuntimeError::Stopped) }
    }

    /// Waits until an epoch is published, and totals of it, of an epoch that has them.
    fn wait_for_all(&self, epoch: Epoch) -> Result<(), RuntimeError> {
        self.wait_for(epoch)?;
        if self.progress.wait_for_totals(epoch) { Ok(()) } else { Err(RuntimeError::Stopped) }
    }

    /// Waits until an epoch is published, but not longer than this; false if it was not.
    pub fn wait_for_up_to(&self, epoch: Epoch, patience: Duration) -> bool {
        self.progress.wait_for_up_to(epoch, patience)
    }

    /// Waits until totals over the trees are of this epoch or a later one, but not longer than this;
    /// false if they are not.
    pub fn wait_for_totals_up_to(&self, epoch: Epoch, patience: Duration) -> bool {
        self.progress.wait_for_totals_up_to(epoch, patience)
    }

    /// The differences of each epoch from the next one on, and those of totals as they are brought up to date; at most
    /// `waiting_max` of either wait, then the subscription ends.
    pub fn subscribe(&self, waiting_max: usize) -> Receiver<Published> {
        let (sender, receiver) = bounded(waiting_max);
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    fn send(&self, work: Work) -> Result<(), RuntimeError> {
        let sender = self.work.as_ref().ok_or(RuntimeError::Stopped)?;
        sender.send(work).map_err(|_| RuntimeError::Stopped)
    }
}

impl Drop for Engine {
    /// Ends the input, lets the workers finish, and waits for all threads.
    ///
    /// Whoever still holds the intake keeps the engine from ending.
    fn drop(&mut self) {
        self.work = None;
        self.asked = None;
        self.life = None;
        let (closed, _) = bounded(0);
        self.intake = Arc::new(Intake::new(&Settings::default(), Arc::clone(&self.names), closed));
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the engine failed while stopping");
            }
        }
    }
}

#[cfg(test)]
mod tests;
