//! What sources say, and what must have become of it: the oracle of the simulation.
//!
//! A source says its facts one after the other, and a connector's position is how many it has given. So
//! what counts of a source is a number: the engine must take fact *n* after fact *n* - 1, and never twice.

use std::collections::BTreeMap;
use trueup_model::fact::{Action, Body, Fact, FactId, Provenance};
use trueup_model::id::Id;
use trueup_model::quantity::Quantity;
use trueup_model::time::{SECOND_US, Timestamp};
use trueup_model::usage::{UsageEvent, UsageOp};
use trueup_operators::Epoch;
use trueup_operators::entered::{Entered, Said};

/// How many sources there are.
pub(crate) const SOURCES: usize = 2;
/// How sources are called.
pub(crate) const NAMES: [&str; SOURCES] = ["logs", "files"];
/// The tenant of all.
pub(crate) const TENANT: &str = "campus";

/// The names of products and people: more than a dictionary of the simulation holds.
const PRODUCTS: [&str; 7] = ["CAD", "MESH", "SOLVE", "VIEW", "FLOW", "RENDER", "SIM"];
const USERS: [&str; 5] = ["ada", "bo", "cy", "di", "ed"];

/// A fact of a source, as a process of this generation gives it.
pub(crate) fn fact(source: usize, index: u64, generation: u64) -> Fact<&'static str> {
    let event = UsageEvent {
        at: Timestamp::RECORDED.plus_us(seconds(index)),
        product: PRODUCTS[product(index)],
        account: None,
        user: Some(USERS[place(index / 7, USERS.len())]),
        device: None,
        quantity: quantity(source, index),
        op: UsageOp::Add,
    };
    Fact {
        id: FactId(u128::from(index) | (source as u128) << 64),
        revision: 0,
        arrived_at: Timestamp::RECORDED.plus_us(seconds(1_000_000)),
        provenance: Provenance { document: NAMES[source], position: generation },
        document: None,
        action: Action::Assert(Body::Usage(event)),
    }
}

/// Whose fact it is.
pub(crate) fn source(id: FactId) -> usize {
    usize::try_from(id.0 >> 64).unwrap()
}

fn seconds(count: u64) -> i64 {
    i64::try_from(count).unwrap() * SECOND_US
}

fn place(number: u64, of: usize) -> usize {
    usize::try_from(number % of as u64).unwrap()
}

fn product(index: u64) -> usize {
    place(index / 3, PRODUCTS.len())
}

fn quantity(source: usize, index: u64) -> Quantity {
    Quantity(i64::try_from(index).unwrap() * 10 + i64::try_from(source).unwrap())
}

/// The position of a connector that has given so many facts.
pub(crate) fn position(count: u64) -> Vec<u8> {
    if count == 0 { Vec::new() } else { count.to_le_bytes().to_vec() }
}

/// How many facts were given at a position.
pub(crate) fn count(position: &[u8]) -> u64 {
    position.try_into().map_or(0, u64::from_le_bytes)
}

/// How many facts were had of each source.
pub(crate) type Counts = [u64; SOURCES];

/// What is known of one source.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// How many facts some process has given.
    pub(crate) given: u64,
    /// How many of them the engine said to be durable.
    pub(crate) acknowledged: u64,
    /// How many it said to be sealed.
    pub(crate) sealed: u64,
    /// The greatest generation that was welcomed.
    pub(crate) welcomed: u64,
    /// How many facts are given with a batch of a generation.
    batches: BTreeMap<(u64, u64), u64>,
}

/// What an epoch came to when it was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) counts: Counts,
    pub(crate) horizon: Timestamp,
}

/// What must be so.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    pub(crate) sources: [Source; SOURCES],
    published: BTreeMap<Epoch, Figure>,
    /// What names became, by their place.
    products: BTreeMap<usize, Id>,
    /// How many epochs were published once more, and were the same.
    pub(crate) same: usize,
}

impl Truth {
    /// Notes that a process gave so many facts with its next batch.
    pub(crate) fn give(&mut self, source: usize, batch: (u64, u64), count: u64) {
        let known = &mut self.sources[source];
        known.given = known.given.max(count);
        known.batches.insert(batch, count);
    }

    /// Notes that a generation is welcomed after a batch and at a position, where it has so many facts.
    ///
    /// It must be asked for exactly what is missing.
    pub(crate) fn welcome(
        &mut self,
        source: usize,
        batch: (u64, u64),
        position: &[u8],
        had: u64,
    ) -> Result<(), String> {
        let known = &mut self.sources[source];
        if batch.0 < known.welcomed {
            return Err(format!("generation {} is welcomed after {}", batch.0, known.welcomed));
        }
        if count(position) != had {
            let (name, at) = (NAMES[source], count(position));
            return Err(format!("{name} is to go on after {at} facts, and {had} are had"));
        }
        if batch.0 > known.welcomed {
            // Nobody else may hold what a new process begins after.
            known.sealed = known.sealed.max(had);
        }
        known.welcomed = batch.0;
        known.batches.insert(batch, had);
        known.acknowledged = known.acknowledged.max(had);
        Ok(())
    }

    fn count(&self, source: usize, batch: (u64, u64)) -> Result<u64, String> {
        let known = self.sources[source].batches.get(&batch).copied();
        known.ok_or_else(|| format!("{} never made batch {batch:?}", NAMES[source]))
    }

    /// Notes that a batch is said to be durable.
    pub(crate) fn acknowledge(&mut self, source: usize, batch: (u64, u64)) -> Result<(), String> {
        let count = self.count(source, batch)?;
        let known = &mut self.sources[source];
        known.acknowledged = known.acknowledged.max(count);
        Ok(())
    }

    /// Notes that a batch is said to be sealed.
    pub(crate) fn seal(&mut self, source: usize, batch: (u64, u64)) -> Result<(), String> {
        let count = self.count(source, batch)?;
        let known = &mut self.sources[source];
        if count > known.acknowledged {
            return Err(format!("{count} of {} are sealed: {known:?}", NAMES[source]));
        }
        known.sealed = known.sealed.max(count);
        Ok(())
    }

    /// Compares what an epoch came to with what it came to before.
    pub(crate) fn publish(&mut self, epoch: Epoch, figure: Figure) -> Result<(), String> {
        if let Some(before) = self.published.get(&epoch) {
            self.same += 1;
            if *before != figure {
                return Err(format!("epoch {epoch} was {before:?} and is {figure:?}"));
            }
            return Ok(());
        }
        for (source, known) in self.sources.iter().enumerate() {
            if figure.counts[source] > known.given {
                return Err(format!("{figure:?} counts what was never given: {known:?}"));
            }
        }
        self.published.insert(epoch, figure);
        Ok(())
    }

    /// Compares what is there after a start with what was promised; a damaged disk keeps what is sealed.
    pub(crate) fn recover(&mut self, had: Counts, is_damaged: bool) -> Result<(), String> {
        for (source, known) in self.sources.iter_mut().enumerate() {
            let least = if is_damaged { known.sealed } else { known.acknowledged };
            if had[source] < least {
                let (had, name) = (had[source], NAMES[source]);
                return Err(format!("{had} of {name} are there, and {least} were promised"));
            }
            known.acknowledged = had[source];
        }
        Ok(())
    }

    /// Compares the last epoch that is read back with what was published, before more is; a damaged disk keeps
    /// the epochs before one that has a fact that is sealed, and what it took back may come to something else.
    pub(crate) fn read_back(&mut self, closed: Epoch, is_damaged: bool) -> Result<(), String> {
        let after = self.published.split_off(&(closed + 1));
        let sealed = self.sources.each_ref().map(|known| known.sealed);
        let is_vouched_for = |figure: &Figure| {
            figure.counts.iter().zip(sealed).any(|(counted, sealed)| *counted < sealed)
        };
        match after.first_key_value() {
            Some((epoch, figure)) if !is_damaged || is_vouched_for(figure) => {
                Err(format!("epoch {epoch} was published, and {closed} is the last"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// What counts, as a run of the engine has it: the plain stand-in for what workers compute.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counting {
    pub(crate) counts: Counts,
    generations: [u64; SOURCES],
}

impl Counting {
    /// Takes a fact that enters in its turn.
    pub(crate) fn enter(&mut self, entered: &Entered, truth: &mut Truth) -> Result<(), String> {
        let (source, index, said) = known(entered, truth)?;
        let expected = self.counts[source];
        if index != expected {
            let name = NAMES[source];
            return Err(format!("fact {index} of {name} enters where {expected} must"));
        }
        self.counts[source] += 1;
        let generation = said.provenance.position;
        if generation < self.generations[source] {
            let newer = self.generations[source];
            return Err(format!("generation {generation} counts after {newer}"));
        }
        self.generations[source] = generation;
        Ok(())
    }

    /// Takes facts of a snapshot, which come in no order.
    pub(crate) fn restore(
        &mut self,
        restored: &[(Entered, isize)],
        truth: &mut Truth,
    ) -> Result<(), String> {
        let mut indices: [Vec<u64>; SOURCES] = Default::default();
        for (entered, count) in restored {
            let (source, index, said) = known(entered, truth)?;
            if *count != 1 {
                return Err(format!("fact {index} of {} counts {count} times", NAMES[source]));
            }
            indices[source].push(index);
            self.generations[source] = self.generations[source].max(said.provenance.position);
        }
        for (source, had) in indices.iter_mut().enumerate() {
            had.sort_unstable();
            let is_whole = had.iter().zip(0..).all(|(index, expected)| *index == expected);
            if !is_whole {
                return Err(format!("a snapshot has of {}: {had:?}", NAMES[source]));
            }
            self.counts[source] = had.len() as u64;
        }
        Ok(())
    }
}

/// Which fact it is, and that it says what was said.
fn known<'e>(entered: &'e Entered, truth: &mut Truth) -> Result<(usize, u64, &'e Said), String> {
    let Entered::Usage(said) = entered else { return Err(format!("{entered:?} was never said")) };
    let source = source(said.id);
    let index = u64::try_from(said.id.0 & u128::from(u64::MAX)).unwrap();
    let product = product(index);
    let id = *truth.products.entry(product).or_insert(said.event.product);
    let names = truth.products.values().filter(|other| **other == id).count();
    let same = source < SOURCES && said.event.quantity == quantity(source, index);
    if !same || id != said.event.product || names != 1 {
        return Err(format!("fact {index} says {said:?}"));
    }
    Ok((source, index, said))
}
