//! Workload R given to the engine itself: facts in, and the same answers read from its views.

use crate::Peer;
use trueup_benches::load::{Facts, Names};
use trueup_benches::reconciled::answers;
use trueup_datasets::workload::reconciliation::{Answers, ChangeSet, Reconciliation, Row};
use trueup_runtime::engine::Engine;

/// The engine, and what it was told.
pub(crate) struct Product<'e> {
    engine: &'e Engine,
    names: Names<'e>,
    world: Reconciliation,
}

impl<'e> Product<'e> {
    pub(crate) fn new(engine: &'e Engine, begin: &Reconciliation) -> Self {
        let world = begin.clone();
        let mut peer = Self { engine, names: Names::new(engine), world };
        let contracts = peer.names.all(peer.world.contracts());
        peer.submit(contracts);
        peer
    }

    /// Gives facts, and waits until what follows from them is published.
    fn submit(&self, facts: Facts) {
        self.engine.submit(facts).expect("the engine runs");
        self.engine.settle(None).expect("the engine runs");
    }
}

impl Peer for Product<'_> {
    fn rows(&mut self, rows: &[Row]) {
        let facts = rows.iter().filter_map(|row| self.world.fact_of(row)).collect();
        let facts = self.names.all(facts);
        self.submit(facts);
    }

    fn change(&mut self, change: &ChangeSet) {
        self.world.apply(change);
        let facts = self.world.facts_of(change);
        let facts = self.names.all(facts);
        self.submit(facts);
    }

    fn answers(&mut self) -> Answers {
        answers(self.engine, &self.names, self.world.scale())
    }
}
