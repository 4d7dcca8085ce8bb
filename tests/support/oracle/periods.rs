//! Positions of metrics that count in periods: volumes, and named users by activity (2.1, 2.8).

use super::levels::{Positions, is_credit};
use super::prices::{lines_in_order, unit_price};
use super::rights::{quantity, together};
use super::spans::{bounds, pieces};
use super::tree::Tree;
use super::trials::is_provisional;
use super::uses::Use;
use super::volumes::Event;
use super::{Case, Key, Right};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::{Calendar, Period, PeriodUnit};
use trueup_model::contract::Basis;
use trueup_model::id::{AccountId, UserId};
use trueup_model::metric::Metric;
use trueup_model::position::{LicensePosition, PositionKey, PositionState};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_runtime::view::{LevelsAt, Node};

/// A node and a period of its calendar.
type Slot = (AccountId, Period);

/// One product under one metric.
struct Product<'c> {
    case: &'c Case<'c>,
    key: Key,
    tree: &'c Tree,
    basis: Option<Basis>,
    rights: Vec<Right>,
    pools: BTreeSet<AccountId>,
    /// How long the periods of the product are.
    unit: PeriodUnit,
}

/// Evaluates one product under one metric.
pub(super) fn evaluate(
    case: &Case<'_>,
    key: Key,
    tree: &Tree,
    events: &[Event],
    uses: &[Use],
    rights: &[Right],
    found: &mut Positions,
) {
    let basis = rights.iter().map(|right| right.basis).min();
    let rights: Vec<Right> =
        rights.iter().filter(|right| Some(right.basis) == basis).copied().collect();
    let longest = rights.iter().map(|right| right.per).max();
    let unit = match key.metric {
        Metric::Volume => longest.unwrap_or(case.policy.position_period),
        _ => case.policy.position_period,
    };
    let pools = rights.iter().map(|right| right.account).collect();
    let product = Product { case, key, tree, basis, rights, pools, unit };
    let mut own: BTreeMap<Slot, i128> = BTreeMap::new();
    let mut singles: BTreeMap<Slot, Vec<&Event>> = BTreeMap::new();
    for event in events {
        let slot = product.slot(event.account, event.at);
        match key.metric {
            Metric::Volume => *own.entry(slot).or_default() += i128::from(event.quantity.0),
            _ => singles.entry(slot).or_default().push(event),
        }
    }
    own.retain(|_, sum| *sum != 0);
    // Of single quantities the greatest counts, or the newest; they do not add up.
    for (slot, events) in singles {
        let last = match key.metric {
            Metric::Maximum => events.iter().max_by_key(|event| event.quantity),
            _ => events.iter().max_by_key(|event| (event.at, event.fact)),
        };
        own.extend(last.map(|event| (slot, i128::from(event.quantity.0))));
    }
    for slot in product.people(uses) {
        *own.entry(slot).or_default() += i128::from(Quantity::ONE.0);
    }
    product.positions(&own, found);
}

impl Product<'_> {
    /// The account at or above that has lines, at an instant.
    fn taker(&self, account: AccountId, at: Timestamp, skip: usize) -> Option<AccountId> {
        let way = self.tree.way_up(account.0, at);
        way.into_iter().skip(skip).map(AccountId).find(|node| self.pools.contains(node))
    }

    fn period(&self, node: AccountId, at: Timestamp) -> Period {
        self.case.calendar(node).period(self.unit, at)
    }

    /// Where what an account uses at an instant counts.
    fn slot(&self, account: AccountId, at: Timestamp) -> Slot {
        let node = self.taker(account, at, 0).unwrap_or(account);
        (node, self.period(node, at))
    }

    /// Where each person counts in each period: once, for the account where they were active first.
    fn people(&self, uses: &[Use]) -> Vec<Slot> {
        let seen = Span::new(Timestamp::EARLIEST, self.case.horizon.plus_us(1));
        let mut first: BTreeMap<(UserId, Period), (Timestamp, AccountId, AccountId)> =
            BTreeMap::new();
        for one in uses {
            let (Some(user), Some(active)) = (one.user, one.span.overlap(seen)) else { continue };
            let mut at = active.start;
            while at < active.end {
                let (node, period) = self.slot(one.account, at);
                let claim = (at, one.account, node);
                let best = first.entry((user, period)).or_insert(claim);
                *best = (*best).min(claim);
                at = period.span.end;
            }
        }
        first.into_iter().map(|((_, period), (_, _, node))| (node, period)).collect()
    }

    /// The slot whose lines are asked for what a slot leaves uncovered; none if asking on and on from
    /// there comes back to it.
    fn above(&self, slot: Slot) -> Option<Slot> {
        let first = self.asked(slot)?;
        let mut next = Some(first);
        // What comes back has begun at one instant all the way, so it passes each node once.
        for _ in 0..self.pools.len() {
            if next == Some(slot) {
                return None;
            }
            next = next.and_then(|slot| self.asked(slot));
        }
        Some(first)
    }

    /// Whose lines are asked next: by the tree as it stands at the end of the period, or at the
    /// horizon if that is earlier.
    fn asked(&self, (node, period): Slot) -> Option<Slot> {
        let adds_up = !matches!(self.key.metric, Metric::Maximum | Metric::Latest);
        if !adds_up || !self.pools.contains(&node) {
            return None;
        }
        let last = Timestamp(period.span.end.0.saturating_sub(1)).min(self.case.horizon);
        let taker = self.taker(node, last, 1)?;
        Some((taker, self.period(taker, period.span.start)))
    }

    /// A node's rights that grant something in a period up to the horizon, each as often as one of
    /// its own periods has begun in it.
    fn grants(&self, (node, period): Slot) -> Vec<Right> {
        let until = period.span.end.min(self.case.horizon.plus_us(1));
        let known = Span::new(period.span.start, until);
        let mut grants = Vec::new();
        for right in self.rights.iter().filter(|right| right.account == node) {
            let Some(inside) = right.span.overlap(known) else { continue };
            let times = match self.key.metric {
                Metric::Volume if right.per < period.unit => {
                    periods_begun(self.case.calendar(node), right.per, inside)
                }
                _ => 1,
            };
            grants.extend(std::iter::repeat_n(*right, times));
        }
        grants
    }

    /// What a node may use in a period; `None` if no line says anything.
    fn entitled(&self, slot: Slot) -> Option<Capacity> {
        let grants = self.grants(slot);
        if self.key.metric == Metric::Volume {
            return together(&grants);
        }
        // Named users: the most that was in force at one instant.
        let until = slot.1.span.end.min(self.case.horizon.plus_us(1));
        let known = Span::new(slot.1.span.start, until);
        let cuts = pieces(bounds(grants.iter().map(|right| right.span)));
        let inside = cuts.into_iter().filter_map(|piece| piece.overlap(known));
        let at = |at: Timestamp| together(grants.iter().filter(|right| right.span.contains(at)));
        let rank = |capacity: &Capacity| match capacity {
            Capacity::Limited(limit) => (0, limit.0),
            Capacity::Unknown => (1, 0),
            Capacity::Unlimited => (2, 0),
        };
        inside.filter_map(|piece| at(piece.start)).max_by_key(rank)
    }

    /// What the vendor tolerates above: with each grant of a volume, or in force at the end.
    fn overdraft(&self, slot: Slot, last: Timestamp) -> i128 {
        let grants = self.grants(slot);
        let counts =
            |right: &&Right| self.key.metric == Metric::Volume || right.span.contains(last);
        grants.iter().filter(counts).map(|right| i128::from(right.overdraft.0)).sum()
    }

    fn uncovered(&self, slot: Slot, inflow: i128) -> i128 {
        match self.entitled(slot) {
            Some(Capacity::Limited(limit)) => (inflow - i128::from(limit.0)).max(0),
            Some(Capacity::Unlimited | Capacity::Unknown) => 0,
            None => inflow.max(0),
        }
    }

    /// What reaches each slot: its own, and what slots below leave to it, until nothing moves.
    fn inflow(&self, own: &BTreeMap<Slot, i128>) -> BTreeMap<Slot, i128> {
        let mut inflow = own.clone();
        loop {
            let mut next = own.clone();
            for (slot, sum) in &inflow {
                let uncovered = self.uncovered(*slot, *sum);
                if let Some(above) = self.above(*slot).filter(|_| uncovered != 0) {
                    *next.entry(above).or_default() += uncovered;
                }
            }
            next.retain(|slot, sum| *sum != 0 || own.contains_key(slot));
            if next == inflow {
                return inflow;
            }
            inflow = next;
        }
    }

    fn positions(&self, own: &BTreeMap<Slot, i128>, found: &mut Positions) {
        if self.case.horizon == Timestamp::MIN {
            return;
        }
        let mut slots = self.inflow(own);
        for node in &self.pools {
            let now = (*node, self.period(*node, self.case.horizon));
            if self.entitled(now).is_some() {
                slots.entry(now).or_default();
            }
        }
        let mut sums: BTreeMap<AccountId, Vec<(Timestamp, i128)>> = BTreeMap::new();
        for (slot, inflow) in slots {
            let position = self.position(slot, inflow);
            sums.entry(slot.0).or_default().push((slot.1.span.start, inflow));
            found.allocations.extend(lines_in_order(&position, self.grants(slot), None));
            found.positions.push(position);
        }
        for (account, sums) in sums {
            let node = Node {
                tenant: self.key.tenant,
                account,
                product: self.key.product,
                metric: self.key.metric,
            };
            found.levels.insert(node, totals_so_far(&sums));
        }
    }

    fn position(&self, slot: Slot, inflow: i128) -> LicensePosition {
        let (node, period) = slot;
        let horizon = self.case.horizon;
        let current = period.span.contains(horizon);
        let entitled = self.entitled(slot);
        let uncovered = self.uncovered(slot, inflow);
        let passes = self.above(slot).is_some() && uncovered > 0;
        let shortfall = if passes { 0 } else { uncovered };
        let own: Vec<Right> =
            self.rights.iter().filter(|right| right.account == node).copied().collect();
        let over = || own.iter().filter(|right| right.span.end <= period.span.start);
        let ended = over().next().is_some();
        let last = Timestamp(period.span.end.0.saturating_sub(1)).min(horizon);
        let graced = is_graced(&own, period, last);
        let expired = if entitled.is_none() && ended && !graced { shortfall } else { 0 };
        let overdraft = self.overdraft(slot, last);
        let beyond = (shortfall - overdraft).max(0);
        let state = match (shortfall > 0, entitled) {
            (true, None) if graced => PositionState::InGrace,
            (true, None) if ended && over().all(is_provisional) => PositionState::TrialEnded,
            (true, None) if ended => PositionState::Expired,
            (true, None) => PositionState::Unlicensed,
            (true, Some(_)) if beyond == 0 => PositionState::WithinOverdraft,
            (true, Some(_)) => PositionState::Over,
            (false, Some(Capacity::Unknown)) if inflow > 0 => PositionState::CapacityUnknown,
            (false, _) if passes => PositionState::PassedUp,
            (false, _) => PositionState::Covered,
        };
        let since = |holds: bool| if holds { period.span.start } else { Timestamp::MAX };
        let shortfall_last = match (shortfall > 0, current) {
            (false, _) => Timestamp::MIN,
            (true, true) => Timestamp::MAX,
            (true, false) => period.span.end,
        };
        let limit = entitled.unwrap_or(Capacity::Limited(Quantity::ZERO));
        let surplus = match limit {
            Capacity::Limited(limit) => (i128::from(limit.0) - inflow).max(0),
            Capacity::Unlimited | Capacity::Unknown => 0,
        };
        LicensePosition {
            key: PositionKey {
                tenant: self.key.tenant,
                account: node,
                product: self.key.product,
                metric: self.key.metric,
                period,
            },
            current,
            basis: self.basis.filter(|_| self.pools.contains(&node)),
            entitled: limit,
            lent: Quantity::ZERO,
            overdraft: quantity(overdraft),
            demand: quantity(inflow),
            peak: quantity(inflow),
            peak_at: period.span.start,
            demand_unit_us: 0,
            shortfall: quantity(shortfall),
            shortfall_at: since(shortfall > 0),
            shortfall_first: since(shortfall > 0),
            shortfall_last,
            shortfall_now: if current { quantity(shortfall) } else { Quantity::ZERO },
            shortfall_unit_us: 0,
            beyond_overdraft: quantity(beyond),
            expired_shortfall: quantity(expired),
            expired_first: since(expired > 0),
            passed_up: if passes { quantity(uncovered) } else { Quantity::ZERO },
            surplus: quantity(surplus),
            unit_price: unit_price(&own, last),
            state,
        }
    }
}

/// Whether what is known of a period lies within the grace of a line that ended before it.
fn is_graced(own: &[Right], period: Period, last: Timestamp) -> bool {
    own.iter().filter(|right| !is_credit(right)).any(|right| {
        let end = right.span.end;
        end <= period.span.start && last < end.plus_us(right.grace_us)
    })
}

/// A volume has no level; in its place stands what the periods that have begun came to.
fn totals_so_far(sums: &[(Timestamp, i128)]) -> Vec<(Span, LevelsAt)> {
    let pieces = pieces(sums.iter().map(|(at, _)| *at));
    let begun = |at: Timestamp| sums.iter().filter(move |(start, _)| *start <= at);
    let total = |at| begun(at).map(|(_, sum)| *sum).sum();
    let level = |piece: Span| LevelsAt {
        demand: quantity(total(piece.start)),
        entitled: Capacity::Limited(Quantity::ZERO),
        overdraft: Quantity::ZERO,
    };
    pieces.into_iter().map(|piece| (piece, level(piece))).collect()
}

/// How many periods of a calendar an interval touches.
fn periods_begun(calendar: &Calendar, unit: PeriodUnit, span: Span) -> usize {
    let mut times = 0;
    let mut at = span.start.max(Timestamp::EARLIEST);
    while at < span.end {
        times += 1;
        at = calendar.period(unit, at).span.end;
    }
    times
}
