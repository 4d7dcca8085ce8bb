//! A workload as the operators see it: facts under the engine's identifiers, and what the policy says of
//! the products that they name.

use std::collections::BTreeMap;
use trueup_datasets::workload;
use trueup_datasets::workload::checkouts::{self, Checkouts};
use trueup_datasets::workload::telemetry::{self, Telemetry};
use trueup_model::fact::Fact;
use trueup_model::id::{Dictionary, Id, NameError, NameKind, ProductId, TenantId};
use trueup_model::time::Timestamp;
use trueup_operators::entered::Entered;
use trueup_policy::Policy;
use trueup_policy::rules::ProductSettings;

/// More names than any workload has.
const NAMES_MAX: usize = 1 << 24;
/// The seed of every world.
const SEED: u64 = 7;

/// Names of a workload under the engine's identifiers.
#[derive(Debug)]
pub struct World {
    policy: Policy,
    tenant: TenantId,
    dictionary: Dictionary,
    known: BTreeMap<(NameKind, u32), Id>,
    settings: Vec<(ProductId, ProductSettings)>,
}

impl World {
    /// A world without names, under the default policy.
    pub fn new() -> Self {
        let policy = Policy::default();
        let mut dictionary = Dictionary::new(policy.identity.clone(), NAMES_MAX);
        let tenant = dictionary.open_tenant(workload::TENANT);
        Self { policy, tenant, dictionary, known: BTreeMap::new(), settings: Vec::new() }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What the policy says of each product named so far.
    pub fn settings(&self) -> &[(ProductId, ProductSettings)] {
        &self.settings
    }

    /// A fact as it enters the workers.
    ///
    /// # Panics
    /// If two names have one identifier.
    pub fn entered(&mut self, fact: Fact<u32>) -> Entered {
        let named = fact.try_map(&mut |kind, number| {
            if let Some(id) = self.known.get(&(kind, number)) {
                return Ok(*id);
            }
            let text = workload::name(kind, number);
            let id = self.dictionary.intern(kind, self.tenant, &text)?;
            self.known.insert((kind, number), id);
            if kind == NameKind::Product {
                self.settings.push((ProductId(id.0), self.policy.product(&text)));
            }
            Ok::<Id, NameError>(id)
        });
        Entered::from((self.tenant, named.expect("names do not collide")))
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// A stream of facts, and what comes before them.
pub trait Stream {
    /// The facts that come first: trees and lines.
    fn contracts(&self) -> Vec<Fact<u32>>;
    /// The next fact.
    fn draw(&mut self) -> Fact<u32>;
    /// When the next one is said.
    fn now(&self) -> Timestamp;
}

impl Stream for Telemetry {
    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    fn contracts(&self) -> Vec<Fact<u32>> {
        Self::contracts(self)
    }

    fn draw(&mut self) -> Fact<u32> {
        Self::draw(self)
    }
}

impl Stream for Checkouts {
    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    fn contracts(&self) -> Vec<Fact<u32>> {
        Self::contracts(self)
    }

    fn draw(&mut self) -> Fact<u32> {
        Self::draw(self)
    }
}

/// Workload P in which accounts and products grow with the events: ten events for an account.
pub fn telemetry(events: u32) -> Telemetry {
    let accounts = (events / 10).max(200);
    let products = (events / 100).clamp(20, 1000);
    Telemetry::new(telemetry::Scale { accounts, products }, SEED)
}

/// Workload P of few accounts and so many lines.
pub fn lines(lines: u32) -> Telemetry {
    // Ten lines for each product, and one for every seven accounts.
    let products = (lines / 10).max(20);
    Telemetry::new(telemetry::Scale { accounts: 200, products }, SEED)
}

/// Workload S in which people and features grow with the checkouts.
pub fn checkouts(events: u32) -> Checkouts {
    let users = (events / 5).max(50);
    let features = (events / 50).clamp(10, 2000);
    let out = usize::try_from(events / 10).unwrap_or(0);
    Checkouts::new(checkouts::Scale { features, users, out }, SEED)
}

/// Facts that differ for every call: of trees and lines first, then so many events.
pub fn facts(world: &mut World, stream: &mut impl Stream, events: u32) -> Vec<Entered> {
    let mut facts: Vec<Entered> =
        stream.contracts().into_iter().map(|fact| world.entered(fact)).collect();
    facts.extend((0..events).map(|_| world.entered(stream.draw())));
    facts
}
