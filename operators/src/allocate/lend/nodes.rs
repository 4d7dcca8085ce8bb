//! A family over all of time: who needs and has what where, and the rights that lending comes to.

use super::Held;
use super::instant::{Instant, Place};
use super::missed::Spot;
use crate::Diff;
use crate::allocate::component::Holder;
use crate::allocate::convert::Raw;
use crate::allocate::routes::{Route, nearest};
use crate::allocate::{Key, World};
use crate::downgrades::Way;
use crate::entitle::Right;
use crate::rows::add;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::PeriodUnit;
use trueup_model::contract::{Basis, LineClass};
use trueup_model::id::{AccountId, Id, LineId, ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::processors::Weight;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};

/// What a product of a family needs and has.
#[derive(Default)]
pub(super) struct Member {
    /// What vouches for the rights that count.
    basis: Option<Basis>,
    /// The rights that count, and how often each is there.
    pub(super) rights: Vec<(Right, Diff)>,
    /// The accounts that have rights, or to which some may be lent.
    pub(super) pools: BTreeSet<AccountId>,
    /// How what is needed at each account changes, where it looks for rights.
    needed: BTreeMap<AccountId, BTreeMap<Timestamp, i128>>,
}

/// Of whom, to whom, at which account.
pub(super) type Loan = (ProductId, ProductId, AccountId);

/// What is lent of each, from each instant on at which that changes; `None` while nothing can be.
type Series = BTreeMap<Loan, Vec<(Timestamp, Option<Capacity>)>>;

/// How much more could be covered at each position, from each instant on at which that changes.
pub(super) type Missed = BTreeMap<Spot, Vec<(Timestamp, i128)>>;

/// The rights that lending comes to, what it takes away, and what it leaves short that could be covered.
pub(super) fn lent(
    products: &BTreeMap<ProductId, Held>,
    ways: &[Way],
    (tenant, metric): (TenantId, Metric),
    world: &World,
) -> (BTreeMap<Right, Diff>, Missed) {
    let members = members(products, ways, (tenant, metric), world);
    let of_loan = |loan: &Loan, span: Span, capacity: Capacity| {
        let (higher, lower, account) = *loan;
        let right = |product: ProductId, other: ProductId, granted: Capacity| {
            let basis = members.get(&product).and_then(|member| member.basis);
            Some(Right {
                tenant,
                product,
                metric,
                account,
                basis: basis?,
                class: LineClass::Production,
                span,
                priority: i32::MAX,
                document: Id(0),
                line: LineId(other.0),
                capacity: granted,
                per: PeriodUnit::All,
                overdraft: Quantity::ZERO,
                grace_us: 0,
                territory: None,
                cost: None,
                lent: true,
                restricted: false,
            })
        };
        let taken = match capacity {
            Capacity::Limited(quantity) if quantity > Quantity::ZERO => {
                right(higher, lower, Capacity::Limited(Quantity(-quantity.0)))
            }
            Capacity::Limited(_) | Capacity::Unlimited | Capacity::Unknown => None,
        };
        right(lower, higher, capacity).into_iter().chain(taken)
    };
    let mut found = BTreeMap::new();
    let (series, missed) = sweep(&members, ways, world);
    for (loan, changes) in series {
        let ends = changes.iter().skip(1).map(|(at, _)| *at).chain([Timestamp::MAX]);
        for ((start, capacity), end) in changes.iter().zip(ends) {
            let Some(capacity) = capacity else { continue };
            for right in of_loan(&loan, Span::new(*start, end), *capacity) {
                add(&mut found, right, 1);
            }
        }
    }
    (found, missed)
}

/// The products of the ways, with what they need and have.
fn members(
    products: &BTreeMap<ProductId, Held>,
    ways: &[Way],
    (tenant, metric): (TenantId, Metric),
    world: &World,
) -> BTreeMap<ProductId, Member> {
    let mut members: BTreeMap<ProductId, Member> = BTreeMap::new();
    for product in ways.iter().flat_map(|way| [way.higher, way.lower]) {
        let member = members.entry(product).or_default();
        let held = products.get(&product);
        let rights = || held.into_iter().flat_map(|held| &held.rights);
        member.basis = rights().map(|(right, _)| right.basis).min();
        let counting = rights().filter(|(right, _)| Some(right.basis) == member.basis);
        member.rights = counting.map(|(right, count)| (*right, *count)).collect();
        member.pools = member.rights.iter().map(|(right, _)| right.account).collect();
    }
    // Rights that are lent stand with what vouches for the product's own, if it has any.
    let mut borrowed: BTreeMap<ProductId, (BTreeSet<Basis>, BTreeSet<AccountId>)> = BTreeMap::new();
    for way in ways {
        let lender = members.get(&way.higher).into_iter().flat_map(|member| &member.rights);
        for (right, _) in lender.filter(|(right, _)| lends(right) && right.span.overlaps(way.span))
        {
            let (bases, pools) = borrowed.entry(way.lower).or_default();
            bases.insert(right.basis);
            pools.insert(right.account);
        }
    }
    for (lower, (bases, pools)) in borrowed {
        let Some(member) = members.get_mut(&lower) else { continue };
        member.basis = member.basis.or_else(|| bases.first().copied());
        member.pools.extend(pools);
    }
    for (product, member) in &mut members {
        let Some(held) = products.get(product) else { continue };
        let key = Key { tenant, product: *product, metric };
        member.needed = needed(held, &member.pools, key, world);
    }
    members
}

/// Whether a right can be lent: one that was bought, and that grants something.
pub(super) fn lends(right: &Right) -> bool {
    right.class == LineClass::Production && !right.is_credit()
}

/// How what is needed changes at the accounts that take it: those with rights, or its own.
fn needed(
    held: &Held,
    pools: &BTreeSet<AccountId>,
    key: Key,
    world: &World,
) -> BTreeMap<AccountId, BTreeMap<Timestamp, i128>> {
    let conversion = world.conversion(key);
    let plain =
        |((_, part), ..): &(Holder, Span, Quantity)| !part.least && part.weight == Weight::ONE;
    let converts = !conversion.is_none() || !held.demand.keys().all(plain);
    let mut routes: BTreeMap<AccountId, Route> = BTreeMap::new();
    let mut raw: BTreeMap<AccountId, Raw> = BTreeMap::new();
    let mut found: BTreeMap<AccountId, BTreeMap<Timestamp, i128>> = BTreeMap::new();
    for (((account, part), span, units), count) in &held.demand {
        let route =
            routes.entry(*account).or_insert_with(|| nearest(&world.tree, *account, pools, 0));
        let millionths = i128::from(units.0) * *count as i128;
        for (piece, target) in route.iter() {
            let Some(inside) = piece.overlap(*span) else { continue };
            let target = target.unwrap_or(*account);
            if converts {
                raw.entry(target).or_default().add(*part, inside, millionths);
            } else {
                let changes = found.entry(target).or_default();
                *changes.entry(inside.start).or_default() += millionths;
                *changes.entry(inside.end).or_default() -= millionths;
            }
        }
    }
    found.extend(raw.into_iter().map(|(node, mut raw)| (node, raw.convert(&conversion))));
    found
}

/// How what is needed of a product at an account changes.
type Turn = (Spot, i128);

/// What is lent at every instant, and missed.
fn sweep(members: &BTreeMap<ProductId, Member>, ways: &[Way], world: &World) -> (Series, Missed) {
    let accounts = members.values().flat_map(|one| one.pools.iter().chain(one.needed.keys()));
    let accounts: BTreeSet<AccountId> = accounts.copied().collect();
    let places: BTreeMap<AccountId, Place> =
        accounts.into_iter().map(|account| (account, Place::of(account, &world.tree))).collect();
    let mut turns: BTreeMap<Timestamp, Vec<Turn>> = BTreeMap::new();
    turns.entry(Timestamp::MIN).or_default();
    for (product, member) in members {
        for (account, changes) in &member.needed {
            for (at, change) in changes {
                turns.entry(*at).or_default().push(((*product, *account), *change));
            }
        }
    }
    let rights = members.values().flat_map(|one| one.rights.iter().map(|(right, _)| right.span));
    let spans = rights.chain(ways.iter().map(|way| way.span));
    for span in spans.chain(places.values().flat_map(Place::spans)) {
        turns.entry(span.start).or_default();
        turns.entry(span.end).or_default();
    }
    turns.remove(&Timestamp::MAX);
    let mut needs: BTreeMap<Spot, i128> = BTreeMap::new();
    let mut series = Series::new();
    let mut missed = Missed::new();
    for (at, changes) in turns {
        for (place, change) in changes {
            *needs.entry(place).or_default() += change;
        }
        needs.retain(|_, amount| *amount != 0);
        let instant = Instant { at, members, ways, places: &places };
        let (now, leavings) = instant.loans(&needs);
        note(&mut missed, at, &instant.missed(&needs, &leavings));
        for (loan, told) in &mut series {
            if !now.contains_key(loan) && told.last().is_some_and(|(_, last)| last.is_some()) {
                told.push((at, None));
            }
        }
        for (loan, capacity) in now {
            let told = series.entry(loan).or_default();
            if told.last().is_none_or(|(_, last)| *last != Some(capacity)) {
                told.push((at, Some(capacity)));
            }
        }
    }
    (series, missed)
}

/// Adds what is missed at an instant, where it is not what it was before.
fn note(missed: &mut Missed, at: Timestamp, now: &BTreeMap<Spot, i128>) {
    for (position, told) in &mut *missed {
        let amount = now.get(position).copied().unwrap_or_default();
        if told.last().is_none_or(|(_, last)| *last != amount) {
            told.push((at, amount));
        }
    }
    for (position, amount) in now {
        missed.entry(*position).or_insert_with(|| vec![(at, *amount)]);
    }
}
