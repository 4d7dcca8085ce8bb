//! Which input belongs to which epoch: one thread decides, everyone follows.
//!
//! Work arrives in one queue. An epoch gathers it until it holds enough facts or is old enough, takes
//! the horizon's move with it, and goes to the workers whole. The publisher puts together what the
//! workers found, applies it to the views, and only then says that the epoch is published.

use crate::changes::Changes;
use crate::clock::Clock;
use crate::cluster::{Cluster, WorkerEpoch};
use crate::dataflow::EpochInput;
use crate::intake::Intake;
use crate::settings::{Horizon, Settings};
use crate::view::Views;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;
use trueup_model::fact::Fact;
use trueup_model::id::{Id, NameKind, ProductId, TenantId};
use trueup_model::time::Timestamp;
use trueup_operators::Epoch;
use trueup_policy::rules::ProductSettings;

/// Something for the sequencer.
#[derive(Debug)]
pub(crate) enum Work {
    /// A product that is named for the first time.
    Product(ProductId, ProductSettings),
    /// A name that the naming rules could not resolve.
    Unresolved(NameKind, Id),
    /// Facts; whoever waits for their epoch is told it.
    Facts(Vec<(TenantId, Fact<Id>)>, Option<Sender<Epoch>>),
    /// Close the epoch now, move the horizon if told to, and say which epoch it was.
    Close(Option<Timestamp>, Sender<Epoch>),
}

/// What the publisher must know of an epoch besides what the workers found.
pub(crate) struct Planned {
    pub(crate) epoch: Epoch,
    pub(crate) horizon: Timestamp,
}

/// An epoch that was published, with everything that it changed.
#[derive(Clone, Debug)]
pub struct Published {
    /// The epoch.
    pub epoch: Epoch,
    /// The horizon at its end.
    pub horizon: Timestamp,
    /// The differences.
    pub changes: Arc<Changes>,
}

/// Gathers work into epochs.
pub(crate) struct Sequencer {
    settings: Settings,
    clock: Arc<dyn Clock>,
    cluster: Cluster,
    planned: Sender<Planned>,
    epoch: Epoch,
    horizon: Option<Timestamp>,
    evidence: Timestamp,
    open: EpochInput,
    opened_us: Option<u64>,
    ticked_us: u64,
    waiting: Vec<Sender<Epoch>>,
}

impl Sequencer {
    pub(crate) fn new(
        settings: Settings,
        clock: Arc<dyn Clock>,
        cluster: Cluster,
        planned: Sender<Planned>,
    ) -> Self {
        Self {
            settings,
            clock,
            cluster,
            planned,
            epoch: 1,
            horizon: None,
            evidence: Timestamp::MIN,
            open: EpochInput::default(),
            opened_us: None,
            ticked_us: 0,
            waiting: Vec::new(),
        }
    }

    /// Works until nobody can send work any more.
    pub(crate) fn run(mut self, work: &Receiver<Work>) {
        loop {
            match work.recv_timeout(self.patience()) {
                Ok(one) => self.take(one),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = self.clock.monotonic_us();
            let old = self.opened_us.is_some_and(|at| now >= at + self.settings.epoch_us_max);
            let full = self.open.facts.len() >= self.settings.epoch_facts_max;
            let tick = self.settings.horizon == Horizon::Clock
                && now >= self.ticked_us + self.settings.horizon_step_us;
            if (old || full || tick) && !self.close(None) {
                break;
            }
        }
        self.close(None);
        self.cluster.stop();
    }

    /// How long to wait for work before the open epoch or the horizon wants to move.
    fn patience(&self) -> Duration {
        let now = self.clock.monotonic_us();
        let epoch = self.opened_us.map(|at| at + self.settings.epoch_us_max);
        let tick = (self.settings.horizon == Horizon::Clock)
            .then_some(self.ticked_us + self.settings.horizon_step_us);
        let next = epoch.into_iter().chain(tick).min();
        let wait = next.map_or(1_000_000, |at| at.saturating_sub(now));
        Duration::from_micros(wait.clamp(100, 1_000_000))
    }

    fn take(&mut self, work: Work) {
        match work {
            Work::Product(product, settings) => self.open.settings.push((product, settings)),
            Work::Unresolved(kind, name) => self.open.unresolved.push((kind, name)),
            Work::Facts(facts, waiting) => {
                let latest = facts.iter().filter_map(|(_, fact)| Intake::evidence(fact)).max();
                self.evidence = self.evidence.max(latest.unwrap_or(Timestamp::MIN));
                self.open.facts.extend(facts);
                self.waiting.extend(waiting);
            }
            Work::Close(horizon, reply) => {
                self.waiting.push(reply);
                self.close(horizon);
                return;
            }
        }
        self.opened_us.get_or_insert(self.clock.monotonic_us());
    }

    /// Closes the open epoch and gives it to the workers; false if they have stopped.
    fn close(&mut self, told: Option<Timestamp>) -> bool {
        self.ticked_us = self.clock.monotonic_us();
        self.opened_us = None;
        let now = told.unwrap_or_else(|| match self.settings.horizon {
            Horizon::Clock => self.clock.now(),
            Horizon::Evidence => self.evidence,
            Horizon::Fixed(at) => at,
        });
        let mut input = std::mem::take(&mut self.open);
        input.epoch = self.epoch;
        // The horizon never goes back: what was evaluated stays evaluated.
        if now.is_calendar() && self.horizon.is_none_or(|before| now > before) {
            input.horizon = Some((self.horizon, now));
            self.horizon = Some(now);
        }
        let horizon = self.horizon.unwrap_or(Timestamp::MIN);
        let planned = Planned { epoch: self.epoch, horizon };
        let sent = self.planned.send(planned).is_ok()
            && self.cluster.enter(shares(input, self.cluster.workers())).is_ok();
        for waiting in self.waiting.drain(..) {
            // Whoever went away does not wait any more.
            let _ = waiting.try_send(self.epoch);
        }
        self.epoch += 1;
        sent
    }
}

/// Cuts an epoch into one share for each worker; small tables enter at the first.
fn shares(input: EpochInput, workers: usize) -> Vec<EpochInput> {
    let mut shares: Vec<EpochInput> =
        (0..workers).map(|_| EpochInput { epoch: input.epoch, ..EpochInput::default() }).collect();
    let size = input.facts.len().div_ceil(workers).max(1);
    let mut facts = input.facts.into_iter();
    for share in &mut shares {
        share.facts = facts.by_ref().take(size).collect();
    }
    if let Some(first) = shares.first_mut() {
        first.settings = input.settings;
        first.unresolved = input.unresolved;
        first.horizon = input.horizon;
    }
    shares
}

/// How far publication has come, for those who wait.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    published: Mutex<(Epoch, bool)>,
    changed: Condvar,
}

impl Progress {
    fn publish(&self, epoch: Epoch) {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.0 = epoch;
        self.changed.notify_all();
    }

    fn end(&self) {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.1 = true;
        self.changed.notify_all();
    }

    /// Waits until an epoch is published; false if the engine stopped before.
    pub(crate) fn wait_for(&self, epoch: Epoch) -> bool {
        let guard = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |state: &mut (Epoch, bool)| state.0 < epoch && !state.1;
        let reached = self.changed.wait_while(guard, waiting);
        reached.unwrap_or_else(PoisonError::into_inner).0 >= epoch
    }
}

/// Puts together what the workers found.
pub(crate) struct Publisher {
    pub(crate) workers: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) views: Arc<RwLock<Views>>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) subscribers: Arc<Mutex<Vec<Sender<Published>>>>,
}

impl Publisher {
    /// Publishes epochs in order until the workers have stopped.
    pub(crate) fn run(self, found: &Receiver<WorkerEpoch>, planned: &Receiver<Planned>) {
        let mut parts: BTreeMap<Epoch, (usize, Changes)> = BTreeMap::new();
        while let Ok(part) = found.recv() {
            let entry = parts.entry(part.epoch).or_default();
            entry.0 += 1;
            entry.1.extend(part.changes);
            while parts.first_key_value().is_some_and(|(_, (count, _))| *count == self.workers) {
                let Some((epoch, (_, changes))) = parts.pop_first() else { break };
                let Ok(plan) = planned.recv() else { break };
                assert_eq!(plan.epoch, epoch, "epochs are published in the order of their plans");
                self.publish(plan, changes);
            }
        }
        self.progress.end();
    }

    fn publish(&self, plan: Planned, mut changes: Changes) {
        changes.consolidate();
        let changes = Arc::new(changes);
        {
            let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
            views.apply(&changes);
            views.as_of.epoch = plan.epoch;
            views.as_of.horizon = plan.horizon;
            views.as_of.published_at = self.clock.now();
        }
        let published = Published { epoch: plan.epoch, horizon: plan.horizon, changes };
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        // A subscriber that does not keep up is let go; it must begin anew from the views.
        subscribers.retain(|subscriber| match subscriber.try_send(published.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        });
        drop(subscribers);
        self.progress.publish(plan.epoch);
    }
}
