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
//! This covers all that can be covered where the products that may be served are nested, as editions are;
//! where they cross, or where a line far up could have freed one near by, a flow might cover more.
//!
//! Only demand at instants whose peak counts is served: a statistic belongs to its period. Trials and the
//! like lend nothing, nor do products whose lines are bound to territories, which borrow nothing either.
//!
//! Work per change: the family under its metric, over all of time. Only products of families are here.

mod instant;
mod nodes;

use super::component::Holder;
use super::convert::Part;
use super::{Heard as Table, Key, Surroundings, Turn, World, tables};
use crate::attribute::Use;
use crate::downgrades::{Way, members};
use crate::entitle::Right;
use crate::epochs::{Updates, by_key, each_epoch, everywhere};
use crate::grouping::Grouping;
use crate::keyed::Keyed as _;
use crate::rows::add;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::hash::IdMap;
use trueup_model::id::{ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::quantity::Quantity;
use trueup_model::time::Span;
use trueup_policy::Policy;
use trueup_policy::rules::Statistic;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Use(ProductId, Box<Use>),
    Right(ProductId, Box<Right>),
    Way(Way),
    Table(Table),
}

/// Gives what products lend each other, as rights of the lower ones and what they take from the higher.
pub fn lend<'s>(
    demand: Facts<'s, Use>,
    rights: Facts<'s, Right>,
    ways: Facts<'s, Way>,
    around: Surroundings<'s>,
    policy: Policy,
) -> Facts<'s, Right> {
    let families = members(ways.clone());
    let demand = demand
        .map(|one| (one.product, one))
        .joined(families.clone(), |_, one, family| Heard::Use(*family, Box::new(*one)));
    let rights = rights
        .map(|right| (right.product, right))
        .joined(families, |_, right, family| Heard::Right(*family, Box::new(*right)));
    let rows = by_key(demand.concat(rights).concat(ways.map(Heard::Way)), |heard| match heard {
        Heard::Use(family, _) | Heard::Right(family, _) => family.0,
        Heard::Way(way) => way.family.0,
        Heard::Table(_) => 0,
    });
    let around = everywhere(tables(around, None).map(Heard::Table));
    let mut state = State { world: World::new(policy), families: IdMap::default() };
    each_epoch(rows.concat(around), "Allocate: downgrades", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
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
}

/// What is needed and granted of a product.
#[derive(Default)]
struct Held {
    grouping: Grouping<Holder>,
    demand: BTreeMap<(Holder, Span, Quantity), Diff>,
    rights: BTreeMap<Right, Diff>,
}

impl State {
    fn step(&mut self, updates: Updates<Heard>, changes: &mut Updates<Right>) {
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
                if all || touched.contains(&(*family, *metric)) {
                    group.settle(*metric, &of_family.ways, &self.world, changes);
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
        self.products.is_empty() && self.given.is_empty()
    }

    /// Finds anew what is lent, and gives what changed of it.
    fn settle(
        &mut self,
        metric: Metric,
        ways: &BTreeMap<Way, Diff>,
        world: &World,
        changes: &mut Updates<Right>,
    ) {
        self.products.retain(|_, held| !held.is_empty());
        let mut now = BTreeMap::new();
        if let Some(tenant) = self.tenant {
            let of = |product| Key { tenant, product, metric };
            let ways = ways.keys().filter(|way| {
                takes_part(of(way.higher), world) && takes_part(of(way.lower), world)
            });
            let ways: Vec<Way> = ways.copied().collect();
            if !ways.is_empty() {
                now = nodes::lent(&self.products, &ways, (tenant, metric), world);
            }
        }
        let mut difference = now.clone();
        for (right, count) in std::mem::replace(&mut self.given, now) {
            add(&mut difference, right, -count);
        }
        changes.extend(difference);
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
