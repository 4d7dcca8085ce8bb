//! Downgrade rights: what is free of a product covers use of the lower products below it (2.15).
//!
//! Evaluated at every instant, from the lowest accounts up: first every product is covered by its own
//! rights there, then what is left of each product that was bought is offered to those below it.

use super::counting::Conversion;
use super::discrepancies::plain;
use super::inventory::Hardware;
use super::levels::{counts_at_instants, direct, is_credit};
use super::rights::quantity;
use super::spans::{bounds, joined, pieces};
use super::statistics::statistic;
use super::suboptimal::{families, suboptimal};
use super::tree::Tree;
use super::uses::Use;
use super::{Key, Right, Rule};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::PeriodUnit;
use trueup_model::contract::{Basis, LineClass};
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::fact::Body;
use trueup_model::id::{AccountId, Id, LineId, ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::Known;
use trueup_policy::rules::Statistic;

/// Which product stands below which, and when.
#[derive(Debug, Default)]
pub(super) struct Ladder(pub(super) Vec<(ProductId, ProductId, Span)>);

impl Ladder {
    pub(super) fn new(in_force: &[(Known, Span)]) -> Self {
        let steps = in_force.iter().filter_map(|(row, span)| {
            let Body::Downgrade(step) = &row.body else { return None };
            Some((step.higher.into(), step.lower.into(), step.span.overlap(*span)?))
        });
        Self(steps.collect())
    }

    fn bounds(&self) -> Vec<Timestamp> {
        bounds(self.0.iter().map(|(.., span)| *span))
    }

    /// How many steps lead down from one product to another, if any do.
    pub(super) fn steps(
        &self,
        higher: ProductId,
        lower: ProductId,
        at: Timestamp,
    ) -> Option<usize> {
        let mut reached = BTreeSet::from([higher]);
        for count in 1..=self.0.len() {
            let down = self.0.iter().filter(|(_, _, span)| span.contains(at));
            let next: Vec<ProductId> =
                down.filter(|step| reached.contains(&step.0)).map(|step| step.1).collect();
            reached.extend(next);
            if reached.contains(&lower) {
                return (higher != lower).then_some(count);
            }
        }
        None
    }

    /// Whether one product ever stands above another within a span.
    pub(super) fn is_above(&self, higher: ProductId, lower: ProductId, within: Span) -> bool {
        let cuts = pieces(self.bounds()).into_iter();
        cuts.filter(|piece| piece.overlaps(within))
            .any(|piece| self.steps(higher, lower, piece.start).is_some())
    }

    /// The metrics by which the products above a product were bought, as far as they count at instants.
    pub(super) fn metrics_above(&self, lower: ProductId, rights: &[Right]) -> Vec<Metric> {
        let in_periods = [Metric::Volume, Metric::Unique, Metric::Maximum, Metric::Latest];
        let above = rights.iter().filter(|right| {
            was_bought(right)
                && !in_periods.contains(&right.metric)
                && self.is_above(right.product, lower, Span::ALWAYS)
        });
        above.map(|right| right.metric).collect()
    }
}

fn was_bought(right: &Right) -> bool {
    right.class == LineClass::Production && !is_credit(right)
}

/// A product that takes part.
pub(super) struct Member {
    pub(super) product: ProductId,
    pub(super) uses: Vec<Use>,
    /// The rights that count.
    rights: Vec<Right>,
    basis: Option<Basis>,
    pub(super) pools: BTreeSet<AccountId>,
    pub(super) conversion: Conversion,
}

/// What is lent: of whom, to whom, at which account.
type Loan = (ProductId, ProductId, AccountId);

/// What comes of lending.
pub(super) struct Lent {
    /// The rights that come and go by it.
    pub(super) rights: Vec<Right>,
    /// Where more could be covered.
    pub(super) problems: Vec<Discrepancy>,
}

/// What comes of lending among the products of a tenant, under one metric, up to the horizon.
pub(super) fn lent(
    ladder: &Ladder,
    (tenant, metric): (TenantId, Metric),
    tree: &Tree,
    uses: &[Use],
    rights: &[Right],
    rules: &BTreeMap<ProductId, Rule>,
    (hardware, horizon): (&Hardware, Timestamp),
) -> Lent {
    let members = members(ladder, (tenant, metric), uses, rights, rules, hardware);
    let mut cuts = [ladder.bounds(), tree.bounds()].concat();
    for member in &members {
        cuts.extend(bounds(member.uses.iter().map(|one| one.span)));
        cuts.extend(bounds(member.rights.iter().map(|right| right.span)));
        cuts.extend(member.conversion.cuts());
    }
    let mut told: BTreeMap<Loan, Vec<(Span, Capacity)>> = BTreeMap::new();
    let families = families(ladder, &members);
    let mut missed: BTreeMap<(ProductId, AccountId), Vec<(Span, i128)>> = BTreeMap::new();
    for piece in pieces(cuts) {
        let (loans, short) = at_instant(ladder, &members, tree, piece.start);
        for (loan, capacity) in loans {
            told.entry(loan).or_default().push((piece, capacity));
        }
        for family in &families {
            let more = suboptimal(ladder, family, tree, piece.start, &short);
            for (place, amount) in more {
                missed.entry(place).or_default().push((piece, amount));
            }
        }
    }
    let basis = |product: ProductId| members.iter().find(|one| one.product == product)?.basis;
    let mut found = Vec::new();
    for ((higher, lower, account), rows) in told {
        for (span, capacity) in joined(rows) {
            let mut give = |product: ProductId, other: ProductId, capacity: Capacity| {
                found.extend(basis(product).map(|basis| Right {
                    tenant,
                    product,
                    metric,
                    account,
                    basis,
                    class: LineClass::Production,
                    span,
                    priority: i32::MAX,
                    document: Id(0),
                    line: LineId(other.0),
                    capacity,
                    per: PeriodUnit::All,
                    overdraft: Quantity::ZERO,
                    grace_us: 0,
                    territory: None,
                    cost: None,
                    lent: true,
                    restricted: false,
                }));
            };
            give(lower, higher, capacity);
            if let Capacity::Limited(amount) = capacity
                && amount != Quantity::ZERO
            {
                give(higher, lower, Capacity::Limited(Quantity(-amount.0)));
            }
        }
    }
    let problems = told_of(missed, (tenant, metric), horizon);
    Lent { rights: found, problems }
}

/// Says of each position what could have been covered of it, up to the horizon.
fn told_of(
    missed: BTreeMap<(ProductId, AccountId), Vec<(Span, i128)>>,
    (tenant, metric): (TenantId, Metric),
    horizon: Timestamp,
) -> Vec<Discrepancy> {
    let said = missed.into_iter().filter_map(|((product, account), rows)| {
        let past: Vec<(Span, i128)> =
            rows.into_iter().filter(|(span, _)| span.start <= horizon).collect();
        let end = past.last()?.0.end;
        Some(Discrepancy {
            account: Some(account),
            product: Some(product),
            metric: Some(metric),
            magnitude: quantity(past.iter().map(|(_, amount)| *amount).max()?),
            first_at: past.first()?.0.start,
            last_at: if end <= horizon { end } else { Timestamp::MAX },
            ..plain(DiscrepancyKind::AllocationSuboptimal, tenant)
        })
    });
    said.collect()
}

/// The products that stand above or below another, are not bound to territories, and are judged by
/// their peaks.
fn members(
    ladder: &Ladder,
    (tenant, metric): (TenantId, Metric),
    uses: &[Use],
    rights: &[Right],
    rules: &BTreeMap<ProductId, Rule>,
    hardware: &Hardware,
) -> Vec<Member> {
    let named: BTreeSet<ProductId> =
        ladder.0.iter().flat_map(|(higher, lower, _)| [*higher, *lower]).collect();
    let mut members = Vec::new();
    for product in named {
        let Some(rule) = rules.get(&product) else { continue };
        let key = Key { tenant, product, metric };
        let bound = rights.iter().any(|one| one.product == product && one.territory.is_some());
        if bound || !counts_at_instants(metric, rule) || statistic(key, rule) != Statistic::Peak {
            continue;
        }
        let of_key = |right: &&Right| right.product == product && right.metric == metric;
        let own: Vec<Right> = rights.iter().filter(of_key).copied().collect();
        let basis = own.iter().map(|right| right.basis).min();
        let counting: Vec<Right> =
            own.into_iter().filter(|right| Some(right.basis) == basis).collect();
        let used = uses.iter().filter(|one| one.product == product && one.metric == metric);
        members.push(Member {
            product,
            uses: used.copied().collect(),
            pools: counting.iter().map(|right| right.account).collect(),
            rights: counting,
            basis,
            conversion: Conversion::new(key, rule, hardware),
        });
    }
    // Where a product above has rights at any time, demand looks for rights as well.
    let lenders: Vec<Right> =
        members.iter().flat_map(|one| &one.rights).filter(|one| was_bought(one)).copied().collect();
    for member in &mut members {
        let above: Vec<&Right> = lenders
            .iter()
            .filter(|right| ladder.is_above(right.product, member.product, right.span))
            .collect();
        member.pools.extend(above.iter().map(|right| right.account));
        member.basis = member.basis.or(above.iter().map(|right| right.basis).min());
    }
    members
}

/// A product at an account at an instant.
pub(super) struct Stock {
    needed: i128,
    /// What its rights come to, with what was lent.
    pub(super) granted: i128,
    /// Whether rights of its own are without a limit, or do not say it.
    pub(super) endless: Option<Capacity>,
    /// Whether those of another product are.
    helped: bool,
    pub(super) bought: bool,
}

impl Stock {
    pub(super) fn new(member: &Member, account: AccountId, at: Timestamp, needed: i128) -> Self {
        let held = || {
            let own = member.rights.iter().filter(|right| right.account == account);
            own.filter(|right| right.span.contains(at))
        };
        let limits = held().filter_map(|right| match right.capacity {
            Capacity::Limited(limit) => Some(i128::from(limit.0)),
            Capacity::Unlimited | Capacity::Unknown => None,
        });
        let kinds = [Capacity::Unlimited, Capacity::Unknown];
        let is_held = |kind: &Capacity| held().any(|right| right.capacity == *kind);
        Self {
            needed,
            granted: limits.sum(),
            endless: kinds.into_iter().find(is_held),
            helped: false,
            bought: held().any(was_bought),
        }
    }

    /// How much is needed and not covered.
    fn short(&self) -> i128 {
        let endless = self.helped || self.endless.is_some();
        if endless { 0 } else { (self.needed - self.granted.max(0)).max(0) }
    }

    fn spare(&self) -> i128 {
        (self.granted.max(0) - self.needed.max(0)).max(0)
    }
}

/// Who may lend to whom at an instant: whoever can serve the fewest first, and to the nearest first.
fn pairs(ladder: &Ladder, members: &[Member], at: Timestamp) -> Vec<(ProductId, ProductId)> {
    let mut found: Vec<(usize, usize, ProductId, ProductId)> = Vec::new();
    for higher in members {
        let below: Vec<(usize, ProductId)> = members
            .iter()
            .filter_map(|one| Some((ladder.steps(higher.product, one.product, at)?, one.product)))
            .collect();
        let count = below.len();
        found.extend(below.into_iter().map(|(far, lower)| (count, far, higher.product, lower)));
    }
    found.sort_unstable();
    found.into_iter().map(|(.., higher, lower)| (higher, lower)).collect()
}

/// What is short of a product, at the highest account that could have covered it.
pub(super) type Short = BTreeMap<(ProductId, AccountId), i128>;

/// Who lends how much to whom at an instant, wherever something could be lent, and what stays short.
fn at_instant(
    ladder: &Ladder,
    members: &[Member],
    tree: &Tree,
    at: Timestamp,
) -> (BTreeMap<Loan, Capacity>, Short) {
    let up = |account: AccountId| tree.way_up(account.0, at).into_iter().map(AccountId);
    let mut inflow: BTreeMap<(ProductId, AccountId), i128> = BTreeMap::new();
    for member in members {
        let needs = direct(tree, &member.uses, &member.pools, &member.conversion, at);
        inflow.extend(needs.into_iter().map(|(node, need)| ((member.product, node), need)));
    }
    let pairs = pairs(ladder, members, at);
    let accounts: BTreeSet<AccountId> =
        members.iter().flat_map(|member| member.pools.iter().copied()).collect();
    let mut order: Vec<AccountId> = accounts.into_iter().collect();
    order.sort_by_key(|account| std::cmp::Reverse(up(*account).count()));
    let mut loans = BTreeMap::new();
    let mut short = Short::new();
    for account in order {
        let here = || members.iter().filter(|member| member.pools.contains(&account));
        let mut stocks: BTreeMap<ProductId, Stock> = here()
            .map(|member| {
                let needed = inflow.get(&(member.product, account)).copied().unwrap_or_default();
                (member.product, Stock::new(member, account, at, needed))
            })
            .collect();
        for (higher, lower) in &pairs {
            let lender = stocks.get(higher).filter(|stock| stock.bought);
            let Some((spare, endless)) = lender.map(|stock| (stock.spare(), stock.endless)) else {
                continue;
            };
            let Some(borrower) = stocks.get_mut(lower) else { continue };
            let mut given = endless;
            if endless.is_some() {
                borrower.helped = true;
            } else {
                // What was taken back beyond what was bought must be made up as well.
                let lacks =
                    if borrower.short() > 0 { borrower.needed - borrower.granted } else { 0 };
                let amount = spare.min(lacks).min(i128::from(i64::MAX));
                borrower.granted += amount;
                stocks.entry(*higher).and_modify(|stock| stock.granted -= amount);
                given = Some(Capacity::Limited(quantity(amount)));
            }
            loans.extend(given.map(|given| ((*higher, *lower, account), given)));
        }
        for member in here() {
            let open = stocks.get(&member.product).map_or(0, Stock::short);
            if let Some(above) = up(account).skip(1).find(|above| member.pools.contains(above)) {
                *inflow.entry((member.product, above)).or_default() += open;
            } else if open > 0 {
                short.insert((member.product, account), open);
            }
        }
    }
    (loans, short)
}
