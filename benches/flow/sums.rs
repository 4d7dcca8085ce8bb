//! Plain sums over the facts of workloads P and S, to compare the views with.

use std::collections::{BTreeMap, BTreeSet};
use trueup_model::fact::{Action, Body, Fact, FactId};
use trueup_model::id::Id;
use trueup_model::quantity::Quantity;
use trueup_model::usage::SessionKind;
use trueup_runtime::engine::Engine;

/// What is used of a product by an account.
type Sum = BTreeMap<(Id, Id), Quantity>;

/// Plain sums over the facts.
#[derive(Default)]
pub(crate) struct Sums {
    events: BTreeMap<FactId, ((Id, Id), Quantity)>,
    gone: BTreeSet<FactId>,
    known: Sum,
    checkouts: BTreeSet<FactId>,
}

impl Sums {
    pub(crate) fn hear(&mut self, fact: &Fact<Id>) {
        match &fact.action {
            Action::Assert(Body::Usage(event)) => {
                let Some(account) = event.account else { return };
                if self.gone.contains(&fact.id) || self.events.contains_key(&fact.id) {
                    return;
                }
                let key = (account, event.product);
                self.events.insert(fact.id, (key, event.quantity));
                self.known.entry(key).or_default().0 += event.quantity.0;
            }
            Action::Assert(Body::Session(event)) => {
                if event.kind == SessionKind::Open {
                    self.checkouts.insert(fact.id);
                }
            }
            Action::Assert(_) => {}
            Action::Retract(_) => {
                self.gone.insert(fact.id);
                if let Some((key, quantity)) = self.events.remove(&fact.id) {
                    self.known.entry(key).or_default().0 -= quantity.0;
                }
            }
        }
    }

    /// How many sums there are.
    pub(crate) fn len(&self) -> usize {
        self.known.len() + self.checkouts.len()
    }

    /// How many sums of the views differ.
    pub(crate) fn compare(&self, engine: &Engine) -> usize {
        let mut seen: BTreeMap<(Id, Id), i128> = BTreeMap::new();
        for (cell, tally) in engine.views().cells.iter() {
            *seen.entry((Id(cell.account.0), Id(cell.product.0))).or_default() += tally.quantity;
        }
        let zero = Quantity::ZERO;
        let keys: BTreeSet<_> = seen.keys().chain(self.known.keys()).collect();
        let differs = keys.into_iter().filter(|key| {
            let plain = self.known.get(key).unwrap_or(&zero).0;
            seen.get(key).copied().unwrap_or_default() != i128::from(plain)
        });
        let sessions = engine.views().sessions.len();
        differs.count() + usize::from(sessions != self.checkouts.len())
    }
}
