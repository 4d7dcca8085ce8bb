//! What the levels of nodes come to: positions, allocation lines, steps and gaps.

use super::node::{Node, Window};
use super::statistics::by_statistic;
use super::{Found, Key, Remark, World};
use crate::Diff;
use crate::entitle::{Right, of_account};
use crate::epochs::Updates;
use crate::timeline::{Levels, Summary, Timeline, clamped};
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::contract::Basis;
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::id::AccountId;
use trueup_model::position::{
    AllocationLine, AllocationReason, BasisGap, LicensePosition, PositionKey, PositionState, Step,
};
use trueup_model::quantity::{Capacity, Money, ONE_UNIT, Quantity, Rounding, divide};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::rules::Statistic;

/// The rights of one node that count, and how often each is there.
pub(super) type Rights<'r> = Vec<(&'r Right, Diff)>;

/// What was given downstream for one product.
pub(super) struct Figures {
    key: Key,
    positions: BTreeMap<(AccountId, Period), LicensePosition>,
    lines: BTreeMap<(AccountId, Period), Vec<AllocationLine>>,
    steps: BTreeMap<(AccountId, Timestamp), Step>,
    /// Where the positions of a node begin, unless they begin at the horizon.
    begins: BTreeMap<AccountId, Timestamp>,
    gaps: BTreeSet<BasisGap>,
    remarks: BTreeMap<(AccountId, Period), Vec<Remark>>,
}

impl Figures {
    pub(super) fn new(key: Key) -> Self {
        Self {
            key,
            positions: BTreeMap::new(),
            lines: BTreeMap::new(),
            steps: BTreeMap::new(),
            begins: BTreeMap::new(),
            gaps: BTreeSet::new(),
            remarks: BTreeMap::new(),
        }
    }

    /// Gives what changed at the dirty nodes in their windows.
    #[expect(clippy::too_many_arguments, reason = "a component's parts, borrowed apart")]
    pub(super) fn settle(
        &mut self,
        nodes: &mut BTreeMap<AccountId, Node>,
        rights: &BTreeMap<Right, Diff>,
        basis: Option<Basis>,
        dirty: &BTreeMap<AccountId, Window>,
        gaps: bool,
        world: &World,
        changes: &mut Updates<Found>,
    ) {
        for (account, window) in dirty {
            self.settle_steps(*account, nodes.get(account), *window, changes);
            let own = of_account(rights, *account);
            let own: Rights<'_> = own.filter(|(right, _)| Some(right.basis) == basis).collect();
            let begin = nodes.get(account).and_then(|node| node.timeline.first_change_of_demand());
            let window = self.widened(*account, *window, begin);
            for period in self.periods(*account, nodes.get(account), window, begin, world) {
                let begun =
                    period.span.end > begin.map_or(world.horizon, |at| at.min(world.horizon));
                // Only where all of time is looked at can the calendar have changed.
                let is_own = window.0 != Timestamp::MIN || world.is_period_of(*account, period);
                let node = nodes.get_mut(account).filter(|_| begun && is_own);
                let found = node.and_then(|node| {
                    position(self.key, *account, node, &own, basis, period, world)
                });
                let position = found.map(|(position, _)| position);
                let remarks = found.map(|(row, summary)| remarks(&row, &summary));
                self.give_remarks((*account, period), remarks.unwrap_or_default(), changes);
                let timeline = nodes.get(account).map(|one| &one.timeline);
                let lines = position.map(|position| allocation(&position, &own, timeline, world));
                self.give_position((*account, period), position, changes);
                self.give_lines((*account, period), lines.unwrap_or_default(), changes);
            }
        }
        if gaps {
            let now = gaps_of(self.key, rights, basis, world);
            changes.extend(self.gaps.difference(&now).map(|gap| (Found::Gap(*gap), -1)));
            changes.extend(now.difference(&self.gaps).map(|gap| (Found::Gap(*gap), 1)));
            self.gaps = now;
        }
    }

    /// The window in which positions change: where they begin elsewhere than before, from there on.
    fn widened(
        &mut self,
        account: AccountId,
        (first, last): Window,
        begin: Option<Timestamp>,
    ) -> Window {
        let before = match begin {
            Some(at) => self.begins.insert(account, at),
            None => self.begins.remove(&account),
        };
        if before == begin {
            return (first, last);
        }
        let earlier = [before, begin].into_iter().flatten().min().unwrap_or(first);
        (first.min(earlier), Timestamp::MAX)
    }

    /// The periods whose figures the window can have changed: those that were given, and those that
    /// lie between where positions begin and the horizon.
    ///
    /// Positions begin where demand changes first. What is needed since always has no first period,
    /// so without a change they begin with the period of the horizon.
    fn periods(
        &self,
        account: AccountId,
        node: Option<&Node>,
        (first, last): Window,
        begin: Option<Timestamp>,
        world: &World,
    ) -> BTreeSet<Period> {
        let touched = |period: &Period| period.span.start <= last && period.span.end >= first;
        let given = self.positions.range((account, LOWEST)..=(account, Period::ALL));
        let mut found: BTreeSet<Period> =
            given.map(|((_, period), _)| *period).filter(touched).collect();
        if node.is_none() {
            return found;
        }
        let horizon = world.horizon;
        if horizon == Timestamp::MIN {
            return found;
        }
        let from = first.max(begin.unwrap_or(horizon).min(horizon));
        let until = last.min(horizon);
        for unit in world.policy.periods() {
            if unit == PeriodUnit::All {
                found.insert(Period::ALL);
                continue;
            }
            // A level that counts at an instant has no use for periods shorter than a day.
            if unit < PeriodUnit::Day {
                continue;
            }
            let mut at = from;
            while at <= until {
                let period = world.calendars.period(account, unit, at);
                found.insert(period);
                at = period.span.end;
            }
        }
        found
    }

    fn settle_steps(
        &mut self,
        account: AccountId,
        node: Option<&Node>,
        (first, last): Window,
        changes: &mut Updates<Found>,
    ) {
        let mut now: BTreeMap<Timestamp, Step> = BTreeMap::new();
        if let Some(node) = node {
            let origin = node.timeline.at(Timestamp::MIN);
            if first == Timestamp::MIN {
                now.extend(self.step(account, Timestamp::MIN, &origin));
            }
            let inside = node.timeline.changes_from(first).take_while(|(at, _)| *at <= last);
            now.extend(inside.filter_map(|(at, levels)| self.step(account, at, levels)));
        }
        let range = (account, first)..=(account, last);
        let before: Vec<Step> = self.steps.range(range).map(|(_, step)| *step).collect();
        for step in before {
            if now.get(&step.at) == Some(&step) {
                now.remove(&step.at);
            } else {
                self.steps.remove(&(account, step.at));
                changes.push((Found::Step(step), -1));
            }
        }
        for (at, step) in now {
            self.steps.insert((account, at), step);
            changes.push((Found::Step(step), 1));
        }
    }

    fn step(
        &self,
        account: AccountId,
        at: Timestamp,
        levels: &Levels,
    ) -> Option<(Timestamp, Step)> {
        let step = Step {
            tenant: self.key.tenant,
            account,
            product: self.key.product,
            metric: self.key.metric,
            at,
            demand: levels.demand,
            entitled: levels.entitled,
            overdraft: levels.overdraft,
            unlimited: levels.unlimited,
            unknown: levels.unknown,
        };
        let quiet = levels.demand == 0
            && levels.entitled == 0
            && levels.overdraft == 0
            && levels.unlimited == 0
            && levels.unknown == 0;
        (!quiet).then_some((at, step))
    }

    fn give_position(
        &mut self,
        key: (AccountId, Period),
        now: Option<LicensePosition>,
        changes: &mut Updates<Found>,
    ) {
        let before = match now {
            Some(position) => self.positions.insert(key, position),
            None => self.positions.remove(&key),
        };
        if before != now {
            changes.extend(before.map(|old| (Found::Position(old), -1)));
            changes.extend(now.map(|new| (Found::Position(new), 1)));
        }
    }

    fn give_remarks(
        &mut self,
        key: (AccountId, Period),
        now: Vec<Remark>,
        changes: &mut Updates<Found>,
    ) {
        let before = self.remarks.remove(&key).unwrap_or_default();
        if before != now {
            changes.extend(before.into_iter().map(|row| (Found::Remark(row), -1)));
            changes.extend(now.iter().map(|row| (Found::Remark(*row), 1)));
        }
        if !now.is_empty() {
            self.remarks.insert(key, now);
        }
    }

    fn give_lines(
        &mut self,
        key: (AccountId, Period),
        now: Vec<AllocationLine>,
        changes: &mut Updates<Found>,
    ) {
        let before = self.lines.remove(&key).unwrap_or_default();
        if before != now {
            changes.extend(before.into_iter().map(|line| (Found::Line(line), -1)));
            changes.extend(now.iter().map(|line| (Found::Line(*line), 1)));
        }
        if !now.is_empty() {
            self.lines.insert(key, now);
        }
    }
}

/// The least period in the order of keys.
const LOWEST: Period =
    Period { unit: PeriodUnit::Minute, span: Span { start: Timestamp::MIN, end: Timestamp::MIN } };

/// What rights grant together; `None` if there are none.
pub(super) fn granted<'r>(rights: impl Iterator<Item = (&'r Right, Diff)>) -> Option<Capacity> {
    let mut sum: Option<i128> = None;
    let mut unlimited = false;
    let mut unknown = false;
    for (right, count) in rights {
        match right.capacity {
            Capacity::Limited(quantity) => {
                *sum.get_or_insert(0) += i128::from(quantity.0) * count as i128;
            }
            Capacity::Unlimited => unlimited = true,
            Capacity::Unknown => unknown = true,
        }
    }
    match (unlimited, unknown, sum) {
        (true, _, _) => Some(Capacity::Unlimited),
        (_, true, _) => Some(Capacity::Unknown),
        (_, _, sum) => sum.map(|sum| Capacity::Limited(clamped(sum.max(0)))),
    }
}

/// What a node's levels come to in a period; `None` if nothing was used and nothing is in force now.
fn position(
    key: Key,
    account: AccountId,
    node: &mut Node,
    rights: &Rights<'_>,
    basis: Option<Basis>,
    period: Period,
    world: &World,
) -> Option<(LicensePosition, Summary)> {
    let horizon = world.horizon;
    if horizon == Timestamp::MIN || period.span.start > horizon {
        return None;
    }
    let current = period.span.end > horizon;
    let end = if current { horizon } else { period.span.end };
    let summary = node.timeline.summary(Span::new(period.span.start, end), current);
    let last = if current { horizon } else { Timestamp(end.0.saturating_sub(1)) };
    let levels = node.timeline.at(last);
    // What could be borrowed makes no position of its own.
    let own = |right: &Right| !right.lent && !right.is_credit() && right.span.contains(last);
    let in_force = || levels.lines > 0 && rights.iter().any(|(right, _)| own(right));
    if summary.peak == 0 && !(current && in_force()) {
        return None;
    }
    let statistic = world.statistic(key);
    let calendar = world.calendars.of(account);
    let mut summary = by_statistic(statistic, &mut node.timeline, period, end, summary, calendar);
    let entitled = levels.capacity();
    let surplus = match entitled {
        Capacity::Limited(limit) => (i128::from(limit.0) - summary.peak).max(0),
        Capacity::Unlimited | Capacity::Unknown => 0,
    };
    let by_peak = statistic == Statistic::Peak || period.unit == PeriodUnit::All;
    let uncovered = match (by_peak, levels.above > 0) {
        (false, _) => summary.shortfall,
        (true, true) => 0,
        (true, false) => levels.uncovered(),
    };
    let lasts = current && uncovered > 0;
    if current && levels.beta > 0 && levels.demand > levels.uncovered() {
        summary.beta.last = Timestamp::MAX;
    }
    if current && levels.breach > 0 {
        summary.breach.last = Timestamp::MAX;
    }
    // Where nothing is used the horizon's moves change nothing, and this must not either.
    let peak_at = if summary.peak == 0 { period.span.start } else { summary.peak_at };
    let position = LicensePosition {
        key: PositionKey {
            tenant: key.tenant,
            account,
            product: key.product,
            metric: key.metric,
            period,
        },
        current,
        basis: basis.filter(|_| node.pool),
        entitled,
        lent: lent(rights, last),
        overdraft: clamped(levels.overdraft),
        demand: clamped(levels.demand),
        peak: clamped(summary.peak),
        peak_at,
        demand_unit_us: summary.demand_us,
        shortfall: clamped(summary.shortfall),
        shortfall_at: summary.shortfall_at,
        shortfall_first: summary.shortfall_first,
        shortfall_last: if lasts { Timestamp::MAX } else { summary.shortfall_last },
        shortfall_now: clamped(uncovered),
        shortfall_unit_us: summary.shortfall_us,
        beyond_overdraft: clamped(summary.beyond_overdraft),
        expired_shortfall: clamped(summary.expired),
        expired_first: summary.expired_first,
        passed_up: clamped(summary.passed_up),
        surplus: clamped(surplus),
        unit_price: unit_price(rights, last),
        state: state(&summary),
    };
    Some((position, summary))
}

/// What is lent to a node at an instant, less what it lends.
fn lent(rights: &Rights<'_>, at: Timestamp) -> Quantity {
    let rows = rights.iter().filter(|(right, _)| right.lent && right.span.contains(at));
    let sum = rows.map(|(right, count)| match right.capacity {
        Capacity::Limited(limit) => i128::from(limit.0) * *count as i128,
        Capacity::Unlimited | Capacity::Unknown => 0,
    });
    clamped(sum.sum())
}

/// What happens at a position besides what is short.
fn remarks(position: &LicensePosition, summary: &Summary) -> Vec<Remark> {
    let marks = [
        (DiscrepancyKind::BetaInProduction, summary.beta),
        (DiscrepancyKind::TerritoryBreach, summary.breach),
    ];
    let marks = marks.into_iter().filter(|(_, mark)| mark.most > 0);
    let marks = marks.map(|(kind, mark)| Remark {
        key: position.key,
        kind,
        magnitude: clamped(mark.most),
        first_at: mark.first,
        last_at: mark.last,
    });
    marks.collect()
}

/// The position in words; the most urgent thing that happened in the period.
fn state(summary: &Summary) -> PositionState {
    if summary.shortfall == 0 {
        return match (summary.unknown, summary.passed_up > 0) {
            (true, _) => PositionState::CapacityUnknown,
            (false, true) => PositionState::PassedUp,
            (false, false) => PositionState::Covered,
        };
    }
    if summary.unlicensed > 0 {
        PositionState::Unlicensed
    } else if summary.expired > 0 && summary.lapsed {
        PositionState::Expired
    } else if summary.expired > 0 {
        PositionState::TrialEnded
    } else if summary.over > 0 {
        PositionState::Over
    } else if summary.graced {
        PositionState::InGrace
    } else {
        PositionState::WithinOverdraft
    }
}

/// What one unit cost on the newest line that says what it cost, exact to a millionth.
pub(super) fn unit_price(rights: &Rights<'_>, at: Timestamp) -> Option<Money> {
    rights
        .iter()
        .filter(|(right, _)| right.span.start <= at)
        .filter_map(|(right, _)| match (right.capacity, right.cost) {
            (Capacity::Limited(Quantity(units)), Some(cost)) if units > 0 && cost.amount >= 0 => {
                Some((right.span.start, right.line, units, cost))
            }
            _ => None,
        })
        .max_by_key(|(start, line, ..)| (*start, *line))
        .and_then(|(_, _, units, cost)| {
            let dividend = i128::from(cost.amount) * i128::from(ONE_UNIT);
            let price = divide(dividend, i128::from(units), Rounding::HalfEven);
            let amount = i64::try_from(price).ok()?;
            Some(Money { amount, currency: cost.currency })
        })
}

/// Which lines serve a position at its peak, in the order of use.
pub(super) fn allocation(
    position: &LicensePosition,
    rights: &Rights<'_>,
    timeline: Option<&Timeline>,
    world: &World,
) -> Vec<AllocationLine> {
    let last = Timestamp(position.key.period.span.end.0.saturating_sub(1)).min(world.horizon);
    let metric = Key {
        metric: position.key.metric,
        product: position.key.product,
        tenant: position.key.tenant,
    };
    let by_peak =
        world.statistic(metric) == Statistic::Peak || position.key.period.unit == PeriodUnit::All;
    let peak = by_peak && position.peak != Quantity::ZERO;
    let at = if peak { position.peak_at.min(last) } else { last };
    let in_force: Rights<'_> =
        rights.iter().filter(|(right, _)| right.span.contains(at)).copied().collect();
    // What is needed then and not left uncovered.
    let covered = timeline.map_or(i128::MAX, |timeline| {
        let levels = timeline.at(at);
        levels.demand - levels.uncovered()
    });
    fill(position, &in_force, covered)
}

/// Fills lines with a position's peak, as far as it is covered, in the order of use.
fn fill(position: &LicensePosition, in_force: &Rights<'_>, covered: i128) -> Vec<AllocationLine> {
    let mut ordered = in_force.clone();
    put_in_order(&mut ordered);
    fill_in_order(position, &ordered, covered)
}

/// Puts rights in the order of use.
pub(super) fn put_in_order<R: Borrow<Right>>(rights: &mut [(R, Diff)]) {
    rights.sort_unstable_by_key(|(right, _)| {
        let right: &Right = right.borrow();
        let order = (right.priority, right.span.end, right.span.start, right.line, right.document);
        (order, *right)
    });
}

/// Fills lines, which are in the order of use, with a position's peak, as far as it is covered.
pub(super) fn fill_in_order<R: Borrow<Right>>(
    position: &LicensePosition,
    ordered: &[(R, Diff)],
    covered: i128,
) -> Vec<AllocationLine> {
    let total = granted(ordered.iter().map(|(right, count)| (right.borrow(), *count)));
    let mut open = match total {
        Some(Capacity::Limited(limit)) => i128::from(position.peak.0.min(limit.0.max(0))),
        Some(Capacity::Unlimited | Capacity::Unknown) | None => i128::from(position.peak.0),
    };
    open = open.min(covered.max(0));
    let mut lines = Vec::with_capacity(ordered.len());
    for (index, (right, count)) in ordered.iter().enumerate() {
        let right: &Right = right.borrow();
        let (granted, used) = match right.capacity {
            Capacity::Limited(one) => {
                let all = i128::from(one.0) * *count as i128;
                (Capacity::Limited(clamped(all)), open.min(all.max(0)))
            }
            Capacity::Unlimited | Capacity::Unknown => (right.capacity, open),
        };
        open -= used;
        let next = ordered.get(index + 1).map(|(next, _)| next.borrow());
        lines.push(AllocationLine {
            key: position.key,
            rank: u32::try_from(index).unwrap_or(u32::MAX),
            line: right.line,
            granted,
            used: clamped(used),
            reason: reason(right, next, ordered.len()),
        });
    }
    lines
}

fn reason(right: &Right, next: Option<&Right>, lines: usize) -> AllocationReason {
    let Some(next) = next else {
        return if lines == 1 { AllocationReason::OnlyLine } else { AllocationReason::Last };
    };
    if right.priority != next.priority {
        AllocationReason::Priority
    } else if right.span.end != next.span.end {
        AllocationReason::EarlierExpiry
    } else if right.span.start != next.span.start {
        AllocationReason::EarlierStart
    } else {
        AllocationReason::Name
    }
}

/// Where another claim about the product differs from what counts.
pub(super) fn gaps_of(
    key: Key,
    rights: &BTreeMap<Right, Diff>,
    basis: Option<Basis>,
    world: &World,
) -> BTreeSet<BasisGap> {
    let Some(basis) = basis.filter(|_| world.horizon != Timestamp::MIN) else {
        return BTreeSet::new();
    };
    let says = |who: Basis| {
        // What products lend each other is nobody's claim.
        let in_force =
            |right: &Right| right.basis == who && !right.lent && right.span.contains(world.horizon);
        granted(rights.iter().filter(|(right, _)| in_force(right)).map(|(r, n)| (r, *n)))
    };
    let entitled = says(basis).unwrap_or(Capacity::Limited(Quantity::ZERO));
    let others = Basis::ALL.into_iter().filter(|other| *other != basis);
    let differing = others.filter_map(|other| Some((other, says(other)?)));
    differing
        .filter(|(_, other)| *other != entitled)
        .map(|(other_basis, other_entitled)| BasisGap {
            tenant: key.tenant,
            product: key.product,
            metric: key.metric,
            basis,
            entitled,
            other_basis,
            other_entitled,
        })
        .collect()
}
