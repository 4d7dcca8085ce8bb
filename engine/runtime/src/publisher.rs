//! What an epoch changed, put together from all workers and made visible at once.
//!
//! An epoch is published when every worker has said what it found: the views move to it as one, those
//! who wait for it are woken, and subscribers get its differences. One that had been published before the
//! engine began must be the same again (`chain.rs`), or nothing more is published.
//!
//! Totals over the trees take longer than the rest of a tick's epoch, and nothing waits for them: they are published
//! when they are there, as of that epoch, while later epochs may have been published before them.

use crate::chain::{Chain, Compared, Link, Pace};
use crate::changes::{Changes, Found};
use crate::clock::Clock;
use crate::cluster::WorkerEpoch;
use crate::error::{PublishedDiffers, RuntimeError};
use crate::health::Health;
use crate::intake::Intake;
use crate::measures::Measures;
use crate::view::Views;
use crossbeam_channel::{Receiver, Sender, TrySendError};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, Weak};
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

/// What was published at once: of an epoch everything that it changed but totals, or the totals that it brought up to date.
#[derive(Clone, Debug)]
pub struct Published {
    /// The epoch.
    pub epoch: Epoch,
    /// The horizon at its end.
    pub horizon: Timestamp,
    /// Whether it is totals.
    pub totals: bool,
    /// The differences.
    pub changes: Arc<Changes>,
}

/// How far publication has come, for those who wait.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

/// How far publication has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reached {
    /// The last epoch that was published.
    pub(crate) published: Epoch,
    /// The last one of which totals were.
    pub(crate) totals: Epoch,
}

#[derive(Debug, Default)]
struct State {
    reached: Reached,
    /// That of the last epoch with totals.
    link: Option<Link>,
    ended: bool,
    failure: Option<Arc<RuntimeError>>,
}

impl Progress {
    fn publish(&self, epoch: Epoch) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).reached.published = epoch;
        self.changed.notify_all();
    }

    fn publish_totals(&self, link: Link) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.reached.totals = link.epoch;
        state.link = Some(link);
        drop(state);
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

    /// How far publication has come.
    pub(crate) fn reached(&self) -> Reached {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).reached
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
        self.wait(|reached| reached.published >= epoch)
    }

    /// Waits until totals are of this epoch or a later one; false if the engine stopped before.
    pub(crate) fn wait_for_totals(&self, epoch: Epoch) -> bool {
        self.wait(|reached| reached.totals >= epoch)
    }

    fn wait(&self, is_reached: impl Fn(Reached) -> bool) -> bool {
        let guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |state: &mut State| !is_reached(state.reached) && !state.ended;
        let waited = self.changed.wait_while(guard, waiting);
        is_reached(waited.unwrap_or_else(PoisonError::into_inner).reached)
    }

    /// Waits until an epoch is published, but not longer than this; false if it was not.
    pub(crate) fn wait_for_up_to(&self, epoch: Epoch, patience: Duration) -> bool {
        self.wait_up_to(patience, |reached| reached.published >= epoch)
    }

    /// Waits until totals are of this epoch or a later one, but not longer than this; false if they are not.
    pub(crate) fn wait_for_totals_up_to(&self, epoch: Epoch, patience: Duration) -> bool {
        self.wait_up_to(patience, |reached| reached.totals >= epoch)
    }

    fn wait_up_to(&self, patience: Duration, is_reached: impl Fn(Reached) -> bool) -> bool {
        let guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |state: &mut State| !is_reached(state.reached) && !state.ended;
        let waited = self.changed.wait_timeout_while(guard, patience, waiting);
        is_reached(waited.unwrap_or_else(PoisonError::into_inner).0.reached)
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
    /// The epochs that were published and of which totals were not, in order.
    pub(crate) ticked: VecDeque<Ticked>,
}

/// An epoch that was published, but for the totals that it brings up to date.
pub(crate) struct Ticked {
    link: Link,
    horizon: Timestamp,
    /// Whether it is what had been published of it, if that is known.
    same: Option<bool>,
}

/// What workers found, by epochs.
#[derive(Default)]
struct Parts(BTreeMap<Epoch, Vec<Found>>);

impl Parts {
    /// Takes out the first epoch, if all workers have said what they found.
    fn pop(&mut self, workers: usize) -> Option<(Epoch, Vec<Found>)> {
        let first = self.0.first_entry()?;
        (first.get().len() == workers).then(|| first.remove_entry())
    }
}

impl Publisher {
    /// Publishes epochs in order until the workers have stopped, or one is not what it was before.
    pub(crate) fn run(mut self, found: &Receiver<WorkerEpoch>, planned: &Receiver<Planned>) {
        let (mut answers, mut totals) = (Parts::default(), Parts::default());
        while let Ok(WorkerEpoch { epoch, pace, found }) = found.recv() {
            let parts = match pace {
                Pace::Epochs => &mut answers,
                Pace::Ticks => &mut totals,
            };
            parts.0.entry(epoch).or_default().push(found);
            if let Err(error) = self.publish_all(&mut answers, &mut totals, planned) {
                tracing::error!(error = &error as &dyn std::error::Error, "nothing is published");
                self.progress.fail(error);
                return;
            }
        }
        self.progress.end();
    }

    /// Publishes everything that is complete.
    fn publish_all(
        &mut self,
        answers: &mut Parts,
        totals: &mut Parts,
        planned: &Receiver<Planned>,
    ) -> Result<(), RuntimeError> {
        while let Some((epoch, all)) = answers.pop(self.workers) {
            let Ok(plan) = planned.recv() else { break };
            assert_eq!(plan.epoch, epoch, "epochs are published in the order of their plans");
            self.publish(&plan, Changes::found(all))?;
        }
        // Totals may be there before the rest of their epoch.
        while !self.ticked.is_empty()
            && let Some((epoch, all)) = totals.pop(self.workers)
        {
            self.publish_totals(epoch, Changes::found(all))?;
        }
        Ok(())
    }

    /// Publishes an epoch but for its totals, if it is what it was before.
    pub(crate) fn publish(&mut self, plan: &Planned, changes: Changes) -> Result<(), RuntimeError> {
        let (link, compared) = self.chain().extend(plan, changes.sums());
        let same = self.judge(link.epoch, compared)?;
        let changes = Arc::new(changes);
        {
            let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
            views.apply(&changes);
            views.as_of.epoch = plan.epoch;
            views.as_of.horizon = plan.horizon;
            views.as_of.published_at = self.clock.now();
            views.link = link;
        }
        self.measures.stages().published(plan.epoch);
        if plan.totals {
            self.ticked.push_back(Ticked { link, horizon: plan.horizon, same });
        } else if let Some(same) = same {
            self.health.compare(same);
        }
        self.tell(Published { epoch: plan.epoch, horizon: plan.horizon, totals: false, changes });
        self.progress.publish(plan.epoch);
        Ok(())
    }

    /// Publishes the totals that an epoch brought up to date, if they are what they were before; the epoch has been
    /// published.
    pub(crate) fn publish_totals(
        &mut self,
        epoch: Epoch,
        changes: Changes,
    ) -> Result<(), RuntimeError> {
        let Some(Ticked { link, horizon, same }) = self.ticked.pop_front() else { return Ok(()) };
        assert_eq!(link.epoch, epoch, "totals are published in the order of their epochs");
        let (link, compared) = self.chain().extend_totals(link, changes.sums());
        let same_totals = self.judge(epoch, compared)?;
        if same.or(same_totals).is_some() {
            // It is one epoch, and counts once.
            self.health.compare(same != Some(false) && same_totals != Some(false));
        }
        let changes = Arc::new(changes);
        {
            let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
            views.apply(&changes);
            views.totals_as_of.epoch = epoch;
            views.totals_as_of.horizon = horizon;
            views.totals_as_of.published_at = self.clock.now();
            if views.link.epoch == epoch {
                views.link = link;
            }
        }
        self.tell(Published { epoch, horizon, totals: true, changes });
        self.progress.publish_totals(link);
        Ok(())
    }

    /// Tells subscribers; one that does not keep up is let go, and must begin anew from the views.
    fn tell(&self, published: Published) {
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        subscribers.retain(|subscriber| match subscriber.try_send(published.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        });
    }

    fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an epoch is what it was, if that is known.
    ///
    /// # Errors
    /// If it must be what it was and is not.
    fn judge(&self, epoch: Epoch, compared: Compared) -> Result<Option<bool>, RuntimeError> {
        match compared {
            Compared::Unknown => Ok(None),
            Compared::Same => Ok(Some(true)),
            Compared::Other => {
                if self.health.other_epochs() == 0 {
                    tracing::warn!(
                        epoch,
                        "answers differ from those that other rules or another program published"
                    );
                }
                Ok(Some(false))
            }
            Compared::Differs(what) => {
                // Which of the last names found room may depend on where a snapshot was taken.
                let is_full = self.intake.upgrade().is_some_and(|intake| intake.has_refused());
                if !is_full && !self.accepts_differences {
                    return Err(RuntimeError::PublishedDiffers(PublishedDiffers { epoch, what }));
                }
                tracing::warn!(epoch, what, is_full, "differ from those that had been published");
                Ok(Some(false))
            }
        }
    }
}
