//! Downgrades: what is free of a product's rights is lent to the lower products that they may cover.
//!
//! own(p, n, t)     = what the rights of p at n leave of inflow(p, n, t)
//! free(h, n, t)    = what bought lines of h grant at n, less inflow(h, n, t), at least 0
//! lent(h, l, n, t) = min(free of h, open of l), pair by pair: of h that may serve fewer products first,
//!                    then of the shorter way, then by identifier; each takes from both what it serves
//! inflow(p, n, t)  = demand that n is nearest to + what the accounts below leave, theirs and lent ones used
//!
//! Accounts are taken from the lowest up, so the narrower scope comes first, as in `allocate.rs`. What is
//! lent is a right of the lower product and takes as much from the higher one, at the same account and for
//! the same time: together they grant what was bought. Lines without a limit, or that do not say it, cover
//! lower products as they cover their own.
//!
//! This covers all that can be covered where the products that may be served are nested, as editions are.
//! Where they cross, or where a line far up could have freed one near by, a flow may cover more; then each
//! position that it could serve better is called `allocation_suboptimal` (`lend/missed.rs`): one row, as
//! large as it has been so far.
//!
//! Only demand at instants whose peak counts is served: a statistic belongs to its period. Trials and the
//! like lend nothing, nor do products whose lines are bound to territories, which borrow nothing either.
//!
//! Work per change: the family under its metric, over all of time. Only products of families are here.

mod instant;
mod missed;
mod nodes;

use super::component::Holder;
use super::convert::Part;
use super::{Heard as Table, Key, Surroundings, Turn, World, tables};
use crate::attribute::Use;
use crate::downgrades::{Way, members};
use crate::entitle::Right;
use crate::epochs::{Came, Updates, by_key, each_epoch_sorted, everywhere};
use crate::grouping::Grouping;
use crate::keyed::Keyed as _;
use crate::reconcile::plain;
use crate::rows::add;
use crate::timeline::clamped;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use missed::Spot;
use nodes::Missed;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::hash::IdMap;
use trueup_model::id::{ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;
use trueup_policy::rules::Statistic;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Use(ProductId, Box<Use>),
    Right(ProductId, Box<Right>),
    Way(Way),
    Table(Table),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Right(Right),
    Missed(Discrepancy),
}

/// What products lend each other.
pub struct Lent<'s> {
    /// Rights of the lower ones, and what they take from the higher.
    pub rights: Facts<'s, Right>,
    /// Where more could be covered.
    pub problems: Facts<'s, Discrepancy>,
}

/// Gives what products lend each other.
pub fn lend<'s>(
    demand: Facts<'s, Use>,
    rights: Facts<'s, Right>,
    ways: Facts<'s, Way>,
    around: Surroundings<'s>,
    policy: Policy,
) -> Lent<'s> {
    let families = members(ways.clone());
    let demand = demand
        .map(|one| (one.product, one))
        .joined(families.clone(), |_, one, family| Heard::Use(*family, Box::new(*one)));
    let rights = rights
        .map(|right| (right.product, right))
        .joined(families, |_, right, family| Heard::Right(*family, Box::new(*right)));
    let rows = by_key(demand.concatenate([rights, ways.map(Heard::Way)]), |heard| match heard {
        Heard::Use(family, _) | Heard::Right(family, _) => family.0,
        Heard::Way(way) => way.family.0,
        Heard::Table(_) => 0,
    });
    let around = everywhere(tables(around, None).map(Heard::Table));
    let mut state = State { world: World::new(policy), families: IdMap::default() };
    let step = move |updates: Came<Heard>, changes: &mut Updates<Found>| {
        state.step(updates, changes);
    };
    let (lent, problems) =
        each_epoch_sorted(rows.concat(around), "Allocate: downgrades", step, sort);
    Lent { rights: lent.as_collection(), problems: problems.as_collection() }
}

/// Sorts what was found by what it is.
fn sort(found: Found, diff: Diff, told: &mut (Updates<Right>, Updates<Discrepancy>)) {
    match found {
        Found::Right(right) => told.0.push((right, diff)),
        Found::Missed(problem) => told.1.push((problem, diff)),
    }
}

struct State {
    world: World,
    families: IdMap<ProductId, Family>,
}

/// Products that may serve each other.
#[derive(Default)]
struct Family {
    ways: BTreeMap<Way, Diff>,
    groups: BTreeMap<Metric, Group>,
}

/// The products of a family under a metric.
#[derive(Default)]
struct Group {
    tenant: Option<TenantId>,
    products: BTreeMap<ProductId, Held>,
    given: BTreeMap<Right, Diff>,
    missed: Missed,
    /// What was said of what is missed.
    problems: BTreeMap<Spot, Discrepancy>,
}

/// What is needed and granted of a product.
#[derive(Default)]
struct Held {
    grouping: Grouping<Holder>,
    demand: BTreeMap<(Holder, Span, Quantity), Diff>,
    rights: BTreeMap<Right, Diff>,
}

impl State {
    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<Found>) {
        let mut turn = Turn::default();
        let mut told = Vec::new();
        let mut touched: BTreeSet<(ProductId, Metric)> = BTreeSet::new();
        let mut rewayed: BTreeSet<ProductId> = BTreeSet::new();
        for (heard, diff) in updates {
            match heard {
                Heard::Table(table) => told.push((table, diff)),
                Heard::Way(way) => {
                    add(&mut self.families.entry(way.family).or_default().ways, way, diff);
                    rewayed.insert(way.family);
                }
                Heard::Use(family, one) => {
                    touched.insert((family, one.metric));
                    let group = self.group(family, one.metric, one.tenant);
                    group.products.entry(one.product).or_default().hear(&one, diff);
                }
                Heard::Right(family, right) => {
                    touched.insert((family, right.metric));
                    let group = self.group(family, right.metric, right.tenant);
                    let held = group.products.entry(right.product).or_default();
                    add(&mut held.rights, *right, diff);
                }
            }
        }
        self.world.hear(told, &mut turn);
        for (family, of_family) in &mut self.families {
            let is_ruled =
                |way: &Way| turn.ruled.contains(&way.higher) || turn.ruled.contains(&way.lower);
            let all = turn.tree
                || rewayed.contains(family)
                || (!turn.ruled.is_empty() && of_family.ways.keys().any(is_ruled));
            for (metric, group) in &mut of_family.groups {
                let settles = all || touched.contains(&(*family, *metric));
                if settles {
                    group.settle(*metric, &of_family.ways, &self.world, changes);
                }
                if settles || turn.horizon_before.is_some() {
                    group.tell(*metric, self.world.horizon, changes);
                }
            }
            of_family.groups.retain(|_, group| !group.is_empty());
        }
        self.families.retain(|_, family| !family.ways.is_empty() || !family.groups.is_empty());
    }

    fn group(&mut self, family: ProductId, metric: Metric, tenant: TenantId) -> &mut Group {
        let groups = &mut self.families.entry(family).or_default().groups;
        let group = groups.entry(metric).or_default();
        group.tenant = Some(tenant);
        group
    }
}

impl Held {
    fn hear(&mut self, one: &Use, diff: Diff) {
        let part = Part { least: one.least, product: one.part, weight: one.weight };
        let holder = (one.account, part);
        let demand = &mut self.demand;
        match one.group {
            None => add(demand, (holder, one.span, one.units), diff),
            Some(group) => {
                let row = (one.span, one.units, holder, diff as i64);
                self.grouping.change(group, &[row], |charge, times| {
                    let times = isize::try_from(times).unwrap_or(0);
                    add(demand, (charge.holder, charge.span, charge.units), times);
                });
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.demand.is_empty() && self.rights.is_empty()
    }
}

impl Group {
    fn is_empty(&self) -> bool {
        self.products.is_empty() && self.given.is_empty() && self.problems.is_empty()
    }

    /// Finds anew what is lent, and gives what changed of it.
    fn settle(
        &mut self,
        metric: Metric,
        ways: &BTreeMap<Way, Diff>,
        world: &World,
        changes: &mut Updates<Found>,
    ) {
        self.products.retain(|_, held| !held.is_empty());
        let mut now = BTreeMap::new();
        self.missed.clear();
        if let Some(tenant) = self.tenant {
            let of = |product| Key { tenant, product, metric };
            let ways = ways.keys().filter(|way| {
                takes_part(of(way.higher), world) && takes_part(of(way.lower), world)
            });
            let ways: Vec<Way> = ways.copied().collect();
            if !ways.is_empty() {
                (now, self.missed) = nodes::lent(&self.products, &ways, (tenant, metric), world);
            }
        }
        let mut difference = now.clone();
        for (right, count) in std::mem::replace(&mut self.given, now) {
            add(&mut difference, right, -count);
        }
        changes.extend(difference.into_iter().map(|(right, count)| (Found::Right(right), count)));
    }

    /// Says up to the horizon what is missed, and takes back what was said otherwise.
    fn tell(&mut self, metric: Metric, horizon: Timestamp, changes: &mut Updates<Found>) {
        let mut now = BTreeMap::new();
        for ((product, account), told) in &self.missed {
            let ends = told.iter().skip(1).map(|(at, _)| *at).chain([Timestamp::MAX]);
            let spans = told.iter().zip(ends).filter(|((_, amount), _)| *amount > 0);
            let so_far = || spans.clone().filter(|((start, _), _)| *start <= horizon);
            let Some(((first_at, _), _)) = so_far().next() else { continue };
            let end = so_far().last().map_or(Timestamp::MAX, |(_, end)| end);
            let most = so_far().map(|((_, amount), _)| *amount).max().unwrap_or_default();
            let Some(tenant) = self.tenant else { continue };
            let problem = Discrepancy {
                account: Some(*account),
                product: Some(*product),
                metric: Some(metric),
                magnitude: clamped(most),
                first_at: *first_at,
                last_at: if end > horizon { Timestamp::MAX } else { end },
                ..plain(DiscrepancyKind::AllocationSuboptimal, tenant)
            };
            now.insert((*product, *account), problem);
        }
        let before = std::mem::replace(&mut self.problems, now);
        let gone = before.values().map(|problem| (*problem, -1));
        let mut difference = BTreeMap::new();
        for (problem, count) in self.problems.values().map(|problem| (*problem, 1)).chain(gone) {
            add(&mut difference, problem, count);
        }
        changes.extend(difference.into_iter().map(|(row, count)| (Found::Missed(row), count)));
    }
}

/// Whether a product lends and borrows under a metric.
fn takes_part(key: Key, world: &World) -> bool {
    world.rules.get(&key.product).is_some_and(|rule| {
        !rule.territorial
            && !rule.counts_in_periods(key.metric)
            && world.statistic(key) == Statistic::Peak
    })
}
