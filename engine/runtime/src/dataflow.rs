//! One worker's dataflow: what enters, the chain of operators, what comes out.

use crate::chain::Pace;
use crate::changes::{Ends, Found, collect};
use differential_dataflow::input::InputSession;
use timely::worker::Worker;
use trueup_model::id::{Id, NameKind, ProductId};
use trueup_model::position::IssuedPosition;
use trueup_model::time::Timestamp;
use trueup_operators::entered::Entered;
use trueup_operators::pipeline::{Inputs, assemble};
use trueup_operators::{Diff, Epoch};
use trueup_policy::Policy;
use trueup_policy::rules::ProductSettings;

/// What enters in one epoch, or a worker's share of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct EpochInput {
    /// The epoch.
    pub(crate) epoch: Epoch,
    /// What sources say.
    pub(crate) facts: Vec<Entered>,
    /// What sources said before the engine began, and how often.
    pub(crate) restored: Vec<(Entered, Diff)>,
    /// What was issued before the engine began.
    pub(crate) issued: Vec<IssuedPosition>,
    /// Settings of products that are named for the first time.
    pub(crate) settings: Vec<(ProductId, ProductSettings)>,
    /// Names that the naming rules could not resolve.
    pub(crate) unresolved: Vec<(NameKind, Id)>,
    /// The horizon before and after, if it moves.
    pub(crate) horizon: Option<(Option<Timestamp>, Timestamp)>,
    /// Whether totals over the trees are brought up to date.
    pub(crate) tick: bool,
}

impl EpochInput {
    /// Cuts an epoch into one share for each worker; small tables enter at the first.
    pub(crate) fn shares(mut self, workers: usize) -> Vec<Self> {
        let mut shares: Vec<Self> = (0..workers)
            .map(|_| Self { epoch: self.epoch, tick: self.tick, ..Self::default() })
            .collect();
        let size = self.facts.len().div_ceil(workers).max(1);
        let restored = self.restored.len().div_ceil(workers).max(1);
        for share in shares.iter_mut().skip(1).rev() {
            let rest = self.facts.len().saturating_sub(size);
            share.facts = self.facts.split_off(rest);
            let others = self.restored.len().saturating_sub(restored);
            share.restored = self.restored.split_off(others);
        }
        if let Some(first) = shares.first_mut() {
            *first = self;
        }
        shares
    }
}

/// A worker's ends of the dataflow.
pub(crate) struct Dataflow {
    facts: InputSession<Epoch, Entered, Diff>,
    settings: InputSession<Epoch, (ProductId, ProductSettings), Diff>,
    unresolved: InputSession<Epoch, (NameKind, Id), Diff>,
    horizon: InputSession<Epoch, Timestamp, Diff>,
    issued: InputSession<Epoch, IssuedPosition, Diff>,
    ticks: InputSession<Epoch, Epoch, Diff>,
    ends: Ends,
    /// Whether ticks enter here: they enter once.
    ticks_here: bool,
}

impl Dataflow {
    /// Builds the dataflow on a worker; what is found goes to the first `local` workers.
    pub(crate) fn build(worker: &mut Worker, policy: &Policy, local: usize) -> Self {
        let mut facts = InputSession::new();
        let mut settings = InputSession::new();
        let mut unresolved = InputSession::new();
        let mut horizon = InputSession::new();
        let mut issued = InputSession::new();
        let mut ticks = InputSession::new();
        let ends = Ends::default();
        let goal = (worker.peers() > local).then(|| (worker.index() % local) as u64);
        worker.dataflow(|scope| {
            let inputs = Inputs {
                facts: facts.to_collection(scope),
                settings: settings.to_collection(scope),
                unresolved: unresolved.to_collection(scope),
                horizon: horizon.to_collection(scope),
                issued: issued.to_collection(scope),
                ticks: ticks.to_collection(scope),
            };
            collect(assemble(inputs, policy), goal, &ends);
        });
        let ticks_here = worker.index() == 0;
        Self { facts, settings, unresolved, horizon, issued, ticks, ends, ticks_here }
    }

    /// Enters what an epoch brings, and says that it brings no more.
    pub(crate) fn enter(&mut self, input: EpochInput) {
        self.advance(input.epoch);
        #[cfg(feature = "poison")]
        crate::poison::drink(&input);
        for row in input.facts {
            self.facts.update(row, 1);
        }
        for (row, count) in input.restored {
            self.facts.update(row, count);
        }
        for row in input.issued {
            self.issued.update(row, 1);
        }
        for row in input.settings {
            self.settings.update(row, 1);
        }
        for row in input.unresolved {
            self.unresolved.update(row, 1);
        }
        if let Some((before, now)) = input.horizon {
            if let Some(before) = before {
                self.horizon.update(before, -1);
            }
            self.horizon.update(now, 1);
        }
        if input.tick && self.ticks_here {
            self.ticks.update(input.epoch, 1);
        }
        self.advance(input.epoch + 1);
        self.facts.flush();
        self.settings.flush();
        self.unresolved.flush();
        self.horizon.flush();
        self.issued.flush();
        self.ticks.flush();
    }

    fn advance(&mut self, epoch: Epoch) {
        self.facts.advance_to(epoch);
        self.settings.advance_to(epoch);
        self.unresolved.advance_to(epoch);
        self.horizon.advance_to(epoch);
        self.issued.advance_to(epoch);
        self.ticks.advance_to(epoch);
    }

    /// Whether nothing more can come of an epoch at this pace.
    pub(crate) fn is_done(&self, pace: Pace, epoch: Epoch) -> bool {
        self.ends.is_done(pace, epoch)
    }

    /// Takes what an epoch changed at this pace on this worker.
    pub(crate) fn take(&self, pace: Pace, epoch: Epoch) -> Found {
        self.ends.take(pace, epoch)
    }
}
