//! What lending leaves short at an instant though rights could cover it, were they used otherwise.
//!
//! flow(x) = a greatest flow from rights to needs, in which the position x may get all that it needs and
//!           every other position as much as it has
//! missed(x) = flow(x) − what all positions have
//!
//! A position is a product at the highest account that could have covered what is needed of it. A right may
//! serve its own product, and those that it may be lent to, for its account and those below. The order in
//! which rights serve is not the best where products cross, or where a right far up could have freed one
//! near by; what a flow gives does not depend on an order. A right that does not say its quantity serves as
//! one without a limit, here as everywhere. Nothing is said at instants at which more was taken from rights
//! of the family than was bought.
//!
//! Work per instant: none, unless something is short and something is left over.

use super::instant::{Instant, Left};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use trueup_model::id::{AccountId, ProductId};

/// A product at an account.
pub(super) type Spot = (ProductId, AccountId);

/// What lending leaves at an instant.
#[derive(Default)]
pub(super) struct Leavings {
    /// What the rights of each product come to at each account, before anything is lent.
    pub(super) own: BTreeMap<Spot, Left>,
    /// What is short, where no account above could cover it.
    pub(super) short: BTreeMap<Spot, i128>,
    /// Whether rights are left over somewhere.
    pub(super) spare: bool,
}

/// What is needed at an account, and where it is short if it is.
struct Need {
    from: Spot,
    amount: i128,
    position: Spot,
}

impl Instant<'_> {
    /// How much more of each position could be covered.
    pub(super) fn missed(
        &self,
        needs: &BTreeMap<Spot, i128>,
        leavings: &Leavings,
    ) -> BTreeMap<Spot, i128> {
        let mut found = BTreeMap::new();
        let overdrawn = leavings.own.values().any(|left| left.granted < 0);
        if leavings.short.is_empty() || !leavings.spare || overdrawn {
            return found;
        }
        let pairs: BTreeSet<(ProductId, ProductId)> = self.pairs().into_iter().collect();
        let needs: Vec<Need> = needs
            .iter()
            .filter(|(from, amount)| **amount > 0 && leavings.own.contains_key(*from))
            .map(|(from, amount)| Need { from: *from, amount: *amount, position: self.top(*from) })
            .collect();
        let all: i128 = needs.iter().map(|need| need.amount).sum();
        let mut has: BTreeMap<Spot, i128> = BTreeMap::new();
        for need in &needs {
            *has.entry(need.position).or_default() += need.amount;
        }
        for (position, short) in &leavings.short {
            *has.entry(*position).or_default() -= *short;
        }
        let covered: i128 = has.values().sum();
        let mut pipes = Pipes::default();
        for need in &needs {
            for (right, left) in &leavings.own {
                let serves = right.0 == need.from.0
                    || (left.bought && pairs.contains(&(right.0, need.from.0)));
                if serves && self.is_at_or_above(right.1, need.from.1) {
                    let granted = if left.endless.is_some() { all } else { left.granted };
                    pipes.set(Joint::Source, Joint::Right(*right), granted);
                    pipes.set(Joint::Right(*right), Joint::Need(need.from), all);
                }
            }
            pipes.set(Joint::Need(need.from), Joint::Position(need.position), need.amount);
        }
        for (position, short) in &leavings.short {
            let mut pipes = pipes.clone();
            for (other, amount) in &has {
                let more = if other == position { *short } else { 0 };
                pipes.set(Joint::Position(*other), Joint::Sink, amount + more);
            }
            let more = pipes.greatest() - covered;
            if more > 0 {
                found.insert(*position, more);
            }
        }
        found
    }

    /// The highest account that takes what is needed of a product at an account.
    fn top(&self, (product, account): Spot) -> Spot {
        let mut top = account;
        while let Some(above) = self.taker(top, product) {
            top = above;
        }
        (product, top)
    }
}

/// Where pipes meet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Joint {
    Source,
    Right(Spot),
    Need(Spot),
    Position(Spot),
    Sink,
}

/// How much may still flow from one joint to another.
#[derive(Clone, Default)]
struct Pipes(BTreeMap<Joint, BTreeMap<Joint, i128>>);

impl Pipes {
    fn set(&mut self, from: Joint, to: Joint, amount: i128) {
        self.0.entry(from).or_default().insert(to, amount);
        self.0.entry(to).or_default().entry(from).or_default();
    }

    /// As much as can flow from the source to the sink: along shortest ways, until there is none.
    fn greatest(mut self) -> i128 {
        let mut total = 0;
        while let Some(way) = self.way() {
            let room = |step: &(Joint, Joint)| self.0.get(&step.0)?.get(&step.1).copied();
            let Some(amount) = way.iter().filter_map(room).min() else { break };
            for (from, to) in way {
                *self.0.entry(from).or_default().entry(to).or_default() -= amount;
                *self.0.entry(to).or_default().entry(from).or_default() += amount;
            }
            total += amount;
        }
        total
    }

    /// A shortest way with room, as its steps.
    fn way(&self) -> Option<Vec<(Joint, Joint)>> {
        let mut from: BTreeMap<Joint, Joint> = BTreeMap::new();
        let mut queue = VecDeque::from([Joint::Source]);
        while let Some(at) = queue.pop_front() {
            for (next, room) in self.0.get(&at).into_iter().flatten() {
                if *room > 0 && *next != Joint::Source && !from.contains_key(next) {
                    from.insert(*next, at);
                    queue.push_back(*next);
                }
            }
            if from.contains_key(&Joint::Sink) {
                break;
            }
        }
        let mut way = Vec::new();
        let mut to = Joint::Sink;
        while to != Joint::Source {
            let before = *from.get(&to)?;
            way.push((before, to));
            to = before;
        }
        Some(way)
    }
}
