//! What an epoch changed, put together from all workers and made visible at once.
//!
//! An epoch is published when every worker has said what it found: the views move to it as one, those
//! who wait for it are woken, and subscribers get its differences. One that had been published before the
//! engine began must be the same again (`chain.rs`), or nothing more is published.

use crate::chain::{Chain, Compared, Link, Sums};
use crate::changes::{Changes, Found};
use crate::clock::Clock;
use crate::cluster::WorkerEpoch;
use crate::error::{PublishedDiffers, RuntimeError};
use crate::health::Health;
use crate::intake::Intake;
use crate::measures::Measures;
use crate::view::Views;
use crossbeam_channel::{Receiver, Sender, TrySendError};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;
use trueup_model::time::Timestamp;
use trueup_operators::Epoch;

/// What the publisher must know of an epoch besides what the workers found.
pub(crate) struct Planned {
    pub(crate) epoch: Epoch,
    pub(crate) horizon: Timestamp,
    /// Whether totals over the trees were brought up to date.
    pub(crate) totals: bool,
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

/// How far publication has come, for those who wait.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    published: Epoch,
    /// That of the last epoch with totals.
    link: Option<Link>,
    ended: bool,
    failure: Option<Arc<RuntimeError>>,
}

impl Progress {
    fn publish(&self, link: Link) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.published = link.epoch;
        if link.totals.is_some() {
            state.link = Some(link);
        }
        self.changed.notify_all();
    }

    /// What stands for all that was published up to the last epoch with totals.
    pub(crate) fn link(&self) -> Option<Link> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).link
    }

    fn end(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.changed.notify_all();
    }

    /// The last epoch that was published.
    pub(crate) fn published(&self) -> Epoch {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).published
    }

    /// Says why nothing more will be published.
    pub(crate) fn fail(&self, error: RuntimeError) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failure.get_or_insert(Arc::new(error));
        state.ended = true;
        self.changed.notify_all();
    }

    /// Whether nothing more will be published.
    pub(crate) fn has_ended(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).ended
    }

    /// Why nothing more will be published, if something failed.
    pub(crate) fn failure(&self) -> Option<Arc<RuntimeError>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).failure.clone()
    }

    /// Waits until an epoch is published; false if the engine stopped before.
    pub(crate) fn wait_for(&self, epoch: Epoch) -> bool {
        let guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |state: &mut State| state.published < epoch && !state.ended;
        let reached = self.changed.wait_while(guard, waiting);
        reached.unwrap_or_else(PoisonError::into_inner).published >= epoch
    }

    /// Waits until an epoch is published, but not longer than this; false if it was not.
    pub(crate) fn wait_for_up_to(&self, epoch: Epoch, patience: Duration) -> bool {
        let guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |state: &mut State| state.published < epoch && !state.ended;
        let reached = self.changed.wait_timeout_while(guard, patience, waiting);
        reached.unwrap_or_else(PoisonError::into_inner).0.published >= epoch
    }
}

/// Puts together what the workers found.
pub(crate) struct Publisher {
    pub(crate) workers: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) views: Arc<RwLock<Views>>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) health: Arc<Health>,
    pub(crate) chain: Arc<Mutex<Chain>>,
    /// Knows whether names were refused; it must not keep the engine from ending.
    pub(crate) intake: Weak<Intake>,
    pub(crate) accepts_differences: bool,
    pub(crate) subscribers: Arc<Mutex<Vec<Sender<Published>>>>,
    pub(crate) measures: Measures,
}

impl Publisher {
    /// Publishes epochs in order until the workers have stopped, or one is not what it was before.
    pub(crate) fn run(self, found: &Receiver<WorkerEpoch>, planned: &Receiver<Planned>) {
        let mut parts: BTreeMap<Epoch, Vec<Found>> = BTreeMap::new();
        while let Ok(part) = found.recv() {
            parts.entry(part.epoch).or_default().push(part.found);
            while parts.first_key_value().is_some_and(|(_, all)| all.len() == self.workers) {
                let Some((epoch, all)) = parts.pop_first() else { break };
                let Ok(plan) = planned.recv() else { break };
                assert_eq!(plan.epoch, epoch, "epochs are published in the order of their plans");
                if let Err(error) = self.publish(&plan, Changes::found(all)) {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "nothing is published"
                    );
                    self.progress.fail(error);
                    return;
                }
            }
        }
        self.progress.end();
    }

    /// Publishes an epoch, if it is what it was before.
    pub(crate) fn publish(&self, plan: &Planned, changes: Changes) -> Result<(), RuntimeError> {
        let link = self.link(plan, changes.sums())?;
        let changes = Arc::new(changes);
        {
            let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
            views.apply(&changes);
            views.as_of.epoch = plan.epoch;
            views.as_of.horizon = plan.horizon;
            views.as_of.published_at = self.clock.now();
            views.link = link;
            if plan.totals {
                views.totals_as_of = views.as_of.clone();
            }
        }
        self.measures.stages().published(plan.epoch);
        let published = Published { epoch: plan.epoch, horizon: plan.horizon, changes };
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        // A subscriber that does not keep up is let go; it must begin anew from the views.
        subscribers.retain(|subscriber| match subscriber.try_send(published.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        });
        drop(subscribers);
        self.progress.publish(link);
        Ok(())
    }

    /// The link of an epoch, which is what it was if it had been published before.
    fn link(&self, plan: &Planned, sums: Sums) -> Result<Link, RuntimeError> {
        let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        let (link, compared) = chain.extend(plan, sums);
        drop(chain);
        let epoch = link.epoch;
        match compared {
            Compared::Unknown => {}
            Compared::Same => self.health.compare(true),
            Compared::Other => {
                if self.health.other_epochs() == 0 {
                    tracing::warn!(
                        epoch,
                        "answers differ from those that other rules or another program published"
                    );
                }
                self.health.compare(false);
            }
            Compared::Differs(what) => {
                // Which of the last names found room may depend on where a snapshot was taken.
                let is_full = self.intake.upgrade().is_some_and(|intake| intake.has_refused());
                if !is_full && !self.accepts_differences {
                    return Err(RuntimeError::PublishedDiffers(PublishedDiffers { epoch, what }));
                }
                tracing::warn!(epoch, what, is_full, "differ from those that had been published");
                self.health.compare(false);
            }
        }
        Ok(link)
    }
}
