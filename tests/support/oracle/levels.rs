//! Positions of metrics that count at an instant: who needs what, which lines cover it, what is left.
//!
//! Evaluated in every piece of time in which nothing changes, from the demand of single checkouts up
//! the account tree: the lines of the nearest account are used first, and what they do not cover goes
//! to the lines of the next account above that has any (2.21).

use super::counting::{Conversion, half_even};
use super::grace::with_grace;
use super::inventory::Hardware;
use super::prices::{lines_in_order, unit_price};
use super::rights::{quantity, together};
use super::spans::{bounds, joined, pieces};
use super::statistics::{counted, statistic, to_the_end_of_the_day};
use super::territory::{Atlas, Need};
use super::tree::Tree;
use super::trials::is_provisional;
use super::uses::{Group, Use};
use super::{Case, Key, Right, Rule};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::contract::{Basis, LineClass};
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::id::{AccountId, ProductId};
use trueup_model::metric::Metric;
use trueup_model::position::{AllocationLine, LicensePosition, PositionKey, PositionState};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::rules::Statistic;
use trueup_runtime::view::{LevelsAt, Node};

/// What positions come to.
#[derive(Default)]
pub(super) struct Positions {
    pub(super) positions: Vec<LicensePosition>,
    pub(super) allocations: Vec<AllocationLine>,
    /// The levels of each node, for the longest spans in which they stay.
    pub(super) levels: BTreeMap<Node, Vec<(Span, LevelsAt)>>,
    pub(super) remarks: Vec<Remark>,
}

/// Something that happens at a position besides what is short: what, how much, from when to when.
pub(super) type Remark = (PositionKey, DiscrepancyKind, i128, Span);

/// Demand and rights of one node in one piece of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Millionths needed.
    pub(super) demand: i128,
    pub(super) entitled: Capacity,
    pub(super) overdraft: i128,
    /// Whether a line is in force, and whether one has ended.
    pub(super) in_force: bool,
    pub(super) ended: bool,
    /// Whether a trial or the like has ended.
    pub(super) tried: bool,
    /// Whether a beta is in force.
    pub(super) beta: bool,
    /// Needed, and covered by no line here.
    pub(super) uncovered: i128,
    /// Whether lines of an account above take what is uncovered.
    pub(super) passes: bool,
    /// Whether the time of grace is running.
    pub(super) graced: bool,
    /// Needed outside of the territory of every line in force.
    pub(super) breach: i128,
}

impl Level {
    /// Whether lines had been in force and all of them, and their grace, have ended.
    fn has_expired(&self) -> bool {
        !self.in_force && (self.ended || self.tried) && !self.graced
    }

    pub(super) fn shortfall(&self) -> i128 {
        if self.passes { 0 } else { self.uncovered }
    }
}

/// Whether a metric of a product is evaluated at instants.
pub(super) fn counts_at_instants(metric: Metric, rule: &Rule) -> bool {
    match metric {
        Metric::Volume | Metric::Unique | Metric::Maximum | Metric::Latest => false,
        Metric::NamedUser => !rule.counts_active_users(),
        Metric::Concurrent
        | Metric::Device
        | Metric::Token
        | Metric::Core
        | Metric::ProcessorValue
        | Metric::ResourceValue
        | Metric::Level
        | Metric::Feature => true,
    }
}

/// Evaluates one product under one metric.
pub(super) fn evaluate(
    case: &Case<'_>,
    key: Key,
    tree: &Tree,
    uses: &[Use],
    rights: &[Right],
    (rule, hardware, atlas): (&Rule, &Hardware, Option<&Atlas>),
    found: &mut Positions,
) {
    let statistic = statistic(key, rule);
    let conversion = Conversion::new(key, rule, hardware);
    let mut uses = uses.to_vec();
    if statistic == Statistic::Days && atlas.is_none() {
        for one in &mut uses {
            one.span = to_the_end_of_the_day(one.span, case.calendar(one.account));
        }
    }
    let uses = uses.as_slice();
    let basis = rights.iter().map(|right| right.basis).min();
    let counting: Vec<Right> =
        rights.iter().filter(|right| Some(right.basis) == basis).copied().collect();
    let mut cuts = bounds(uses.iter().map(|one| one.span));
    cuts.extend(bounds(counting.iter().map(|right| right.span)));
    cuts.extend(tree.bounds());
    cuts.extend(conversion.cuts());
    cuts.extend([case.horizon]);
    cuts.extend(atlas.map(Atlas::bounds).unwrap_or_default());
    let pieces = pieces(cuts);
    let mut nodes: BTreeMap<AccountId, Vec<(Span, Level)>> = BTreeMap::new();
    let pools: BTreeSet<AccountId> = counting.iter().map(|right| right.account).collect();
    let users: BTreeSet<AccountId> = uses.iter().map(|one| one.account).collect();
    for piece in pieces {
        let by = (&conversion, atlas);
        let levels = at_instant(tree, uses, &counting, &pools, by, piece.start);
        for node in pools.union(&users) {
            let level = levels
                .get(node)
                .copied()
                .unwrap_or_else(|| level(&counting, *node, piece.start, 0, false));
            nodes.entry(*node).or_default().push((piece, level));
        }
    }
    for (account, levels) in nodes {
        let basis = basis.filter(|_| pools.contains(&account));
        let own: Vec<Right> =
            counting.iter().filter(|right| right.account == account).copied().collect();
        let levels = with_grace(&levels, &own);
        let shown = levels.iter().map(|(span, level)| (*span, level.shown()));
        let node = Node { tenant: key.tenant, account, product: key.product, metric: key.metric };
        found.levels.insert(node, joined(shown));
        for period in periods(case, account, &levels) {
            let calendar = case.calendar(account);
            let counted = counted(case, statistic, calendar, &levels, period);
            let found_here = position(case, key, (account, basis), &levels, &own, period, counted);
            let Some(position) = found_here else { continue };
            let last = Timestamp(period.span.end.0.saturating_sub(1)).min(case.horizon);
            let by_end = position.peak == Quantity::ZERO || counted.is_some();
            let at = if by_end { last } else { position.peak_at.min(last) };
            let in_force = own.iter().filter(|right| right.span.contains(at)).copied().collect();
            let covered = levels.iter().find(|(span, _)| span.contains(at));
            let covered = covered.map(|(_, level)| level.demand - level.uncovered);
            found.allocations.extend(lines_in_order(&position, in_force, covered));
            found.remarks.extend(remarks(case, &position, &levels));
            found.positions.push(position);
        }
    }
}

/// A figure of a level.
type Figure<'f> = &'f dyn Fn(&Level) -> i128;

/// What happens at a position besides what is short.
fn remarks(case: &Case<'_>, position: &LicensePosition, levels: &[(Span, Level)]) -> Vec<Remark> {
    let window = window(case, levels, position.key.period);
    let served = |level: &Level| if level.beta { level.demand - level.uncovered } else { 0 };
    let breach = |level: &Level| level.breach;
    let kinds: [(DiscrepancyKind, Figure<'_>); 2] =
        [(DiscrepancyKind::BetaInProduction, &served), (DiscrepancyKind::TerritoryBreach, &breach)];
    let mut found = Vec::new();
    for (kind, figure) in kinds {
        let (most, first) = greatest(&window, |level| figure(level).min(1));
        let (amount, _) = greatest(&window, figure);
        let last = window.iter().rev().find(|(_, level)| figure(level) > 0);
        let Some((last, _)) = last.filter(|_| most > 0) else { continue };
        let lasts = position.current && *last == Span::new(case.horizon, case.horizon);
        let until = if lasts { Timestamp::MAX } else { last.end };
        found.push((position.key, kind, amount, Span::new(first, until)));
    }
    found
}

impl Level {
    fn shown(&self) -> LevelsAt {
        LevelsAt {
            demand: quantity(self.demand),
            entitled: self.entitled,
            overdraft: quantity(self.overdraft),
        }
    }
}

/// How many licenses a group costs at an instant, and for which account: the checkout that weighs most
/// decides, of equals the earliest, of these the one whose account comes first.
pub(super) fn charged<'u>(open: impl Iterator<Item = &'u Use>) -> Vec<(AccountId, Quantity)> {
    leads(open).into_iter().map(|one| (one.account, one.units)).collect()
}

/// What is needed by one account in one country, together.
fn together_of(needs: &[Need]) -> Vec<Need> {
    let mut sums: BTreeMap<_, i128> = BTreeMap::new();
    for (account, country, amount) in needs {
        *sums.entry((*account, *country)).or_default() += amount;
    }
    sums.into_iter().map(|((account, country), amount)| (account, country, amount)).collect()
}

/// The use that decides for each group.
fn leads<'u>(open: impl Iterator<Item = &'u Use>) -> Vec<&'u Use> {
    let mut groups: BTreeMap<(ProductId, Group), Vec<&Use>> = BTreeMap::new();
    for one in open {
        groups.entry((one.part, one.group)).or_default().push(one);
    }
    let before = |left: &&&Use, right: &&&Use| {
        let cost = |one: &Use, pers: i128| i128::from(one.units.0) * one.weight.0 * pers;
        let costs = cost(right, left.weight.1).cmp(&cost(left, right.weight.1));
        let place = |one: &Use| (one.span.start, one.account, one.country);
        costs.then(place(left).cmp(&place(right)))
    };
    groups.into_values().filter_map(|uses| uses.iter().min_by(before).copied()).collect()
}

/// What is needed at an instant where it looks for rights first: at the nearest account that has some, or
/// at its own.
pub(super) fn direct(
    tree: &Tree,
    uses: &[Use],
    pools: &BTreeSet<AccountId>,
    conversion: &Conversion,
    at: Timestamp,
) -> BTreeMap<AccountId, i128> {
    let mut used: BTreeMap<AccountId, Vec<(Use, Quantity)>> = BTreeMap::new();
    for one in leads(uses.iter().filter(|one| one.span.contains(at))) {
        let mut way = tree.way_up(one.account.0, at).into_iter().map(AccountId);
        let taker = way.find(|account| pools.contains(account)).unwrap_or(one.account);
        used.entry(taker).or_default().push((*one, one.units));
    }
    used.into_iter().map(|(node, uses)| (node, conversion.of(&uses, at))).collect()
}

/// What every node needs, may use and leaves uncovered at an instant.
fn at_instant(
    tree: &Tree,
    uses: &[Use],
    rights: &[Right],
    pools: &BTreeSet<AccountId>,
    (conversion, atlas): (&Conversion, Option<&Atlas>),
    at: Timestamp,
) -> BTreeMap<AccountId, Level> {
    let pool_above = |node: u64, skip: usize| {
        let way = tree.way_up(node, at).into_iter().skip(skip).map(AccountId);
        way.into_iter().find(|account| pools.contains(account))
    };
    let mut inflow: BTreeMap<AccountId, i128> = BTreeMap::new();
    let mut breach: BTreeMap<AccountId, i128> = BTreeMap::new();
    let leads = leads(uses.iter().filter(|one| one.span.contains(at)));
    // Where countries matter each use is weighed by itself, and nothing is converted together.
    let weighed = |one: &Use| half_even(i128::from(one.units.0) * one.weight.0, one.weight.1);
    let needs: Vec<Need> =
        leads.iter().map(|one| (one.account, one.country, weighed(one))).collect();
    let covered = atlas.map(|atlas| atlas.covered(rights, &together_of(&needs), tree, at));
    for (account, country, amount) in &needs {
        let way = tree.way_up(account.0, at).into_iter().map(AccountId);
        let way: Vec<AccountId> = way.filter(|node| pools.contains(node)).collect();
        let outside = atlas.is_some_and(|atlas| atlas.is_breach(rights, *country, &way, at));
        if let Some(top) = way.last().filter(|_| outside) {
            *breach.entry(*top).or_default() += amount;
        }
    }
    let mut used: BTreeMap<AccountId, Vec<(Use, Quantity)>> = BTreeMap::new();
    for one in leads {
        let taker = pool_above(one.account.0, 0).unwrap_or(one.account);
        match atlas {
            Some(_) => *inflow.entry(taker).or_default() += weighed(one),
            None => used.entry(taker).or_default().push((*one, one.units)),
        }
    }
    inflow.extend(used.into_iter().map(|(node, uses)| (node, conversion.of(&uses, at))));
    // From the bottom of the tree upwards, so that a node is looked at when all inflow has come.
    let nodes: BTreeSet<AccountId> = inflow.keys().chain(pools).copied().collect();
    let mut order: Vec<AccountId> = nodes.into_iter().collect();
    order.sort_by_key(|node| std::cmp::Reverse(tree.way_up(node.0, at).len()));
    let mut levels = BTreeMap::new();
    for node in order {
        let above = pools.contains(&node).then(|| pool_above(node.0, 1)).flatten();
        let demand = inflow.get(&node).copied().unwrap_or_default();
        let mut level = level(rights, node, at, demand, above.is_some());
        if let Some(covered) = &covered {
            level.uncovered = demand - covered.get(&node).copied().unwrap_or_default();
            level.breach = breach.get(&node).copied().unwrap_or_default();
        }
        if let Some(above) = above {
            *inflow.entry(above).or_default() += level.uncovered;
        }
        levels.insert(node, level);
    }
    levels
}

/// What one node needs and may use at an instant.
fn level(rights: &[Right], node: AccountId, at: Timestamp, demand: i128, passes: bool) -> Level {
    let own = || rights.iter().filter(|right| right.account == node);
    let in_force = || own().filter(|right| right.span.contains(at));
    let ended = || own().filter(|right| right.span.end <= at && !is_credit(right));
    let entitled = together(in_force()).unwrap_or(Capacity::Limited(Quantity::ZERO));
    let uncovered = match entitled {
        Capacity::Limited(limit) => (demand - i128::from(limit.0)).max(0),
        Capacity::Unlimited | Capacity::Unknown => 0,
    };
    Level {
        demand,
        entitled,
        overdraft: in_force().map(|right| i128::from(right.overdraft.0)).sum(),
        // A credit takes rights back; it is no right that could cover something, or end.
        in_force: in_force().any(|right| !is_credit(right)),
        ended: ended().any(|right| !is_provisional(right)),
        tried: ended().any(is_provisional),
        beta: in_force().any(|right| right.class == LineClass::Beta && !is_credit(right)),
        uncovered,
        passes,
        graced: false,
        breach: 0,
    }
}

/// Whether a right grants nothing, or less.
pub(super) fn is_credit(right: &Right) -> bool {
    // What could be lent is as a line in force, however little it is.
    let least = if right.lent { Quantity::ZERO } else { Quantity(1) };
    matches!(right.capacity, Capacity::Limited(limit) if limit < least)
}

/// The periods of a node that may have a position: from the first dated change of demand to the
/// horizon. What is needed since always has no first period, so it begins where it first changes, or
/// else with the period of the horizon.
fn periods(case: &Case<'_>, account: AccountId, levels: &[(Span, Level)]) -> Vec<Period> {
    let changes = levels.windows(2).filter(|pair| pair[0].1.demand != pair[1].1.demand);
    let first = changes.map(|pair| pair[1].0.start).min().unwrap_or(case.horizon);
    let calendar = case.calendar(account);
    let mut periods = Vec::new();
    for unit in case.policy.periods() {
        if unit == PeriodUnit::All {
            periods.push(Period::ALL);
        } else if unit >= PeriodUnit::Day {
            let mut at = first.min(case.horizon);
            while at <= case.horizon {
                let period = calendar.period(unit, at);
                periods.push(period);
                at = period.span.end;
            }
        }
    }
    periods
}

/// The pieces of a period up to the horizon, which counts as an instant of its own if it is inside.
fn window(case: &Case<'_>, levels: &[(Span, Level)], period: Period) -> Vec<(Span, Level)> {
    let until = period.span.end.min(case.horizon);
    let inside = Span::new(period.span.start, until);
    let mut window: Vec<(Span, Level)> =
        levels.iter().filter_map(|(span, level)| Some((span.overlap(inside)?, *level))).collect();
    if period.span.end > case.horizon {
        let now = levels.iter().find(|(span, _)| span.contains(case.horizon));
        let instant = Span::new(case.horizon, case.horizon);
        window.extend(now.map(|(_, level)| (instant, *level)));
    }
    window
}

/// The greatest of a figure in a window and where it is first reached; `MAX` if it never is.
fn greatest(window: &[(Span, Level)], figure: impl Fn(&Level) -> i128) -> (i128, Timestamp) {
    let most = window.iter().map(|(_, level)| figure(level)).max().unwrap_or_default().max(0);
    let first = window.iter().find(|(_, level)| most > 0 && figure(level) == most);
    (most, first.map_or(Timestamp::MAX, |(span, _)| span.start))
}

/// Where a statistic counts, the period is one piece with that demand and the rights at its end.
fn as_one(at_end: &Level, demand: i128) -> Level {
    let uncovered = match at_end.entitled {
        Capacity::Limited(limit) => (demand - i128::from(limit.0)).max(0),
        Capacity::Unlimited | Capacity::Unknown => 0,
    };
    Level { demand, uncovered, ..*at_end }
}

fn position(
    case: &Case<'_>,
    key: Key,
    (account, basis): (AccountId, Option<Basis>),
    levels: &[(Span, Level)],
    own: &[Right],
    period: Period,
    counted: Option<i128>,
) -> Option<LicensePosition> {
    let horizon = case.horizon;
    if horizon == Timestamp::MIN || period.span.start > horizon {
        return None;
    }
    let current = period.span.end > horizon;
    let last = if current { horizon } else { Timestamp(period.span.end.0 - 1) };
    let (_, at_end) = levels.iter().find(|(span, _)| span.contains(last))?;
    let window = window(case, levels, period);
    // Whatever counts, a period in which nothing was used has no position of its own.
    let (used, _) = greatest(&window, |level| level.demand);
    let demanded: i128 = window.iter().map(|(span, one)| one.demand * span.length_us()).sum();
    let until = if current { horizon } else { period.span.end };
    let whole = Span::new(period.span.start, until);
    let window = counted.map_or(window, |demand| vec![(whole, as_one(at_end, demand))]);
    let (peak, peak_at) = greatest(&window, |level| level.demand);
    let holds = |right: &&Right| right.span.contains(last) && !right.lent && !is_credit(right);
    if used == 0 && !(current && own.iter().find(holds).is_some()) {
        return None;
    }
    let total = |figure: &dyn Fn(&Level) -> i128| {
        window.iter().map(|(span, level)| figure(level) * span.length_us()).sum::<i128>()
    };
    let (shortfall, shortfall_at) = greatest(&window, Level::shortfall);
    let short: Vec<&(Span, Level)> =
        window.iter().filter(|(_, level)| level.shortfall() > 0).collect();
    let expired = |level: &Level| if level.has_expired() { level.shortfall() } else { 0 };
    let expired_first = window.iter().find(|(_, level)| expired(level) > 0);
    let now = if counted.is_some() { shortfall } else { at_end.shortfall() };
    let lasts = current && now > 0;
    let shortfall_last = short.iter().map(|(span, _)| span.end).max().unwrap_or(Timestamp::MIN);
    let surplus = match at_end.entitled {
        Capacity::Limited(limit) => (i128::from(limit.0) - peak).max(0),
        Capacity::Unlimited | Capacity::Unknown => 0,
    };
    let (beyond, _) = greatest(&window, |level| level.shortfall() - level.overdraft);
    let beyond = if short.is_empty() { 0 } else { beyond };
    Some(LicensePosition {
        key: PositionKey {
            tenant: key.tenant,
            account,
            product: key.product,
            metric: key.metric,
            period,
        },
        current,
        basis,
        entitled: at_end.entitled,
        lent: lent(own, last),
        overdraft: quantity(at_end.overdraft),
        demand: quantity(at_end.demand),
        peak: quantity(peak),
        peak_at: if peak == 0 { period.span.start } else { peak_at },
        demand_unit_us: demanded,
        shortfall: quantity(shortfall),
        shortfall_at,
        shortfall_first: short.first().map_or(Timestamp::MAX, |(span, _)| span.start),
        shortfall_last: if lasts { Timestamp::MAX } else { shortfall_last },
        shortfall_now: quantity(now),
        shortfall_unit_us: if counted.is_some() { 0 } else { total(&Level::shortfall) },
        beyond_overdraft: quantity(beyond),
        expired_shortfall: quantity(greatest(&window, expired).0),
        expired_first: expired_first.map_or(Timestamp::MAX, |(span, _)| span.start),
        passed_up: quantity(
            greatest(&window, |level| if level.passes { level.uncovered } else { 0 }).0,
        ),
        surplus: quantity(surplus),
        unit_price: unit_price(own, last),
        state: state(&window, shortfall),
    })
}

/// What is lent to an account at an instant, less what it lends.
fn lent(own: &[Right], at: Timestamp) -> Quantity {
    let rows = own.iter().filter(|right| right.lent && right.span.contains(at));
    quantity(rows.filter_map(|right| limited(right.capacity)).sum())
}

fn limited(capacity: Capacity) -> Option<i128> {
    match capacity {
        Capacity::Limited(limit) => Some(i128::from(limit.0)),
        Capacity::Unlimited | Capacity::Unknown => None,
    }
}

/// The position in words: the most urgent thing that happened (2.18).
fn state(window: &[(Span, Level)], shortfall: i128) -> PositionState {
    let any = |test: &dyn Fn(&Level) -> bool| window.iter().any(|(_, level)| test(level));
    if shortfall > 0 {
        let beyond = |level: &Level| level.shortfall() > level.overdraft;
        let bare = |level: &Level| level.shortfall() > 0 && !level.in_force;
        return if any(&|level| bare(level) && !level.ended && !level.tried) {
            PositionState::Unlicensed
        } else if any(&|level| bare(level) && level.ended && !level.graced) {
            PositionState::Expired
        } else if any(&|level| bare(level) && level.tried && !level.graced) {
            PositionState::TrialEnded
        } else if any(&|level| beyond(level) && !level.graced) {
            PositionState::Over
        } else if any(&beyond) {
            PositionState::InGrace
        } else {
            PositionState::WithinOverdraft
        };
    }
    if any(&|level| level.demand > 0 && level.entitled == Capacity::Unknown) {
        PositionState::CapacityUnknown
    } else if any(&|level| level.passes && level.uncovered > 0) {
        PositionState::PassedUp
    } else {
        PositionState::Covered
    }
}
