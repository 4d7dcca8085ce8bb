//! Totals over the trees: what is used at and below every account and every product node.
//!
//! value(a, p, P) = max { Σ_g units(g, t) : t ∈ P }  over the groups of the uses below a and p
//! users(a, p, P) = |{ user : some use of theirs below a and p holds in P }|, machines likewise
//!
//! Neither adds up: two departments peak at different times, and one person works for both. So each
//! node is evaluated from the uses that were carried up to it, with duplicates grouped anew, and a
//! person counts once above both.
//!
//! Work per change: at each node on the way up, the blocks of changes that the use spans. An epoch is worked through in
//! parts, node after node.

use crate::attribute::Use;
use crate::climb::{AtNode, climb};
use crate::epochs::{
    Came, Left, Part, Rows, Updates, by_key, each_epoch_in_parts, everywhere, operator,
};
use crate::grouping::Grouping;
use crate::hierarchy::Placement;
use crate::timeline::{Levels, Timeline, clamped, demand};
use crate::zones::{AccountZone, Calendars};
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use differential_dataflow::consolidation::consolidate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::hash::{IdMap, mix};
use trueup_model::id::{AccountId, DeviceId, ProductId, TenantId, UserId};
use trueup_model::metric::Metric;
use trueup_model::position::Rollup;
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

/// How many uses at nodes a part of an epoch's work deals with, and nodes where nothing came.
const PART: usize = if cfg!(test) { 3 } else { 2048 };

/// What of a use matters above its own node, besides the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Lifted {
    tenant: TenantId,
    /// The node of the other tree: the product while accounts are climbed, then the account.
    other: u64,
    metric: Metric,
    group: Option<u64>,
    units: Quantity,
    user: Option<UserId>,
    device: Option<DeviceId>,
}

/// A node of both trees under a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct NodeKey {
    pub(crate) tenant: TenantId,
    pub(crate) account: AccountId,
    pub(crate) product: ProductId,
    pub(crate) metric: Metric,
}

impl NodeKey {
    pub(crate) fn place(&self) -> u64 {
        mix(&[self.account.0, self.product.0])
    }
}

/// A use at a node, without the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Present {
    span: Span,
    group: Option<u64>,
    units: Quantity,
    user: Option<UserId>,
    device: Option<DeviceId>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Present(NodeKey, Present),
    Zone(AccountZone),
    Horizon(Timestamp),
}

/// Rolls uses up both trees.
pub fn rollup<'s>(
    uses: Facts<'s, Use>,
    accounts: Facts<'s, Placement>,
    products: Facts<'s, Placement>,
    zones: Facts<'s, AccountZone>,
    horizon: Facts<'s, Timestamp>,
    policy: Policy,
) -> Facts<'s, Rollup> {
    let leaves = uses.map(|one| AtNode {
        node: one.account.0,
        span: one.span,
        row: Lifted {
            tenant: one.tenant,
            other: one.product.0,
            metric: one.metric,
            group: one.group,
            units: one.units,
            user: one.user,
            device: one.device,
        },
    });
    // Each row now names its account and stands at its product.
    let above = climb("Rollup: accounts", leaves, accounts).map(|at| AtNode {
        node: at.row.other,
        span: at.span,
        row: Lifted { other: at.node, ..at.row },
    });
    let present = climb("Rollup: products", above, products).map(|at| {
        let key = NodeKey {
            tenant: at.row.tenant,
            account: AccountId(at.row.other),
            product: ProductId(at.node),
            metric: at.row.metric,
        };
        let present = Present {
            span: at.span,
            group: at.row.group,
            units: at.row.units,
            user: at.row.user,
            device: at.row.device,
        };
        Heard::Present(key, present)
    });
    let present = by_key(present, |heard| match heard {
        Heard::Present(key, _) => key.place(),
        Heard::Zone(_) | Heard::Horizon(_) => 0,
    });
    let tables = zones.map(Heard::Zone).concat(horizon.map(Heard::Horizon));
    let heard = present.concat(everywhere(tables));
    let (scope, builder) = (heard.scope(), operator("Rollup", &heard));
    let mut state = State::new(policy);
    each_epoch_in_parts(builder, scope, (heard,), move |part, changes| {
        if let Part::Begins((updates,)) = part {
            state.hear(updates);
        }
        state.go_on(PART, changes)
    })
    .as_collection()
}

/// What is present in one period of a node.
#[derive(Default)]
struct Presence {
    uses: Diff,
    users: BTreeMap<UserId, Diff>,
    devices: BTreeMap<DeviceId, Diff>,
    given: Option<Rollup>,
}

/// One node of both trees.
struct Node {
    grouping: Grouping<()>,
    timeline: Timeline,
    periods: BTreeMap<Period, Presence>,
    /// The uses, and how often each is there.
    rows: BTreeMap<Present, Diff>,
    /// Those that end after the horizon: they are present in more periods as it moves.
    lasting: BTreeSet<Present>,
    /// How many have no beginning.
    endless: Diff,
    /// Where totals begin: where demand changes first at an instant with a date, or else at the
    /// horizon.
    begin: Timestamp,
    /// Whether demand changes at no such instant.
    is_constant: bool,
}

struct State {
    policy: Policy,
    calendars: Calendars,
    horizon: Timestamp,
    nodes: IdMap<NodeKey, Node>,
    lasting: BTreeSet<NodeKey>,
    work: Work,
}

/// What is left of an epoch.
#[derive(Default)]
struct Work {
    /// What came and was not looked at.
    came: Option<Rows<Heard>>,
    /// What came of each node.
    news: IdMap<NodeKey, Updates<Present>>,
    /// The nodes that are still to be brought up to date, once all that came was looked at.
    nodes: std::vec::IntoIter<(NodeKey, Updates<Present>)>,
    /// The one that has been in part, and what is left of what came of it.
    node: Option<(NodeKey, Updates<Present>)>,
    /// The horizon of the epoch before.
    before: Timestamp,
    /// The accounts that have another calendar.
    zones: BTreeSet<AccountId>,
}

impl State {
    fn new(policy: Policy) -> Self {
        let calendars = Calendars::new(policy.zone.clone());
        Self {
            policy,
            calendars,
            horizon: Timestamp::MIN,
            nodes: IdMap::default(),
            lasting: BTreeSet::new(),
            work: Work::default(),
        }
    }

    /// Takes in an epoch, without doing anything yet.
    fn hear(&mut self, updates: Came<Heard>) {
        let came = Some(updates.into_iter());
        self.work = Work { came, before: self.horizon, ..Work::default() };
    }

    /// Does a part of what is left of the epoch.
    fn go_on(&mut self, part: usize, changes: &mut Updates<Rollup>) -> Left {
        let mut budget = part;
        if let Some(mut came) = self.work.came.take() {
            for update in came.by_ref().take(budget) {
                budget -= 1;
                self.note(update);
            }
            if budget == 0 {
                self.work.came = Some(came);
                return Left::Something;
            }
            self.begin_nodes();
        }
        while budget > 0 {
            let (key, mut left, is_first) = match self.work.node.take() {
                Some((key, left)) => (key, left, false),
                None => {
                    let Some((key, mut rows)) = self.work.nodes.next() else {
                        return Left::Nothing;
                    };
                    consolidate(&mut rows);
                    (key, rows, true)
                }
            };
            let most = if self.is_whole(key, &left) { left.len() } else { budget };
            let rows = left.split_off(left.len().saturating_sub(most));
            budget = budget.saturating_sub(rows.len().max(1));
            self.bring_up_to_date(key, &rows, is_first, changes);
            if !left.is_empty() {
                self.work.node = Some((key, left));
            }
        }
        Left::Something
    }

    /// Whether what came of a node is taken in at once: where uses have no beginning, all of them are counted anew
    /// when totals begin at another instant, and the rows of each part might have them do so.
    fn is_whole(&self, key: NodeKey, rows: &[(Present, Diff)]) -> bool {
        // Rows are in order.
        let comes = rows.first().is_some_and(|(row, _)| row.span.start == Timestamp::MIN);
        comes || self.nodes.get(&key).is_some_and(|node| node.endless != 0)
    }

    /// Looks at one update.
    fn note(&mut self, (heard, diff): (Heard, Diff)) {
        match heard {
            Heard::Present(key, row) => self.work.news.entry(key).or_default().push((row, diff)),
            Heard::Zone(zone) => {
                let account = zone.account;
                if self.calendars.hear(zone, diff) {
                    self.work.zones.insert(account);
                }
            }
            Heard::Horizon(at) if diff > 0 => self.horizon = self.horizon.max(at),
            Heard::Horizon(_) => {}
        }
    }

    /// Finds the nodes that are to be brought up to date, when all that came was looked at.
    fn begin_nodes(&mut self) {
        let Work { news, zones, before, .. } = &mut self.work;
        if self.horizon != *before {
            for key in &self.lasting {
                news.entry(*key).or_default();
            }
        }
        if !zones.is_empty() {
            for key in self.nodes.keys().filter(|key| zones.contains(&key.account)) {
                news.entry(*key).or_default();
            }
        }
        self.work.nodes = std::mem::take(news).into_iter().collect::<Vec<_>>().into_iter();
    }

    /// Takes in what came of a node, or a part of it; the first one deals with what else the epoch brings.
    fn bring_up_to_date(
        &mut self,
        key: NodeKey,
        rows: &[(Present, Diff)],
        is_first: bool,
        changes: &mut Updates<Rollup>,
    ) {
        let scope = Scope {
            policy: &self.policy,
            calendars: &self.calendars,
            before: if is_first { self.work.before } else { self.horizon },
            horizon: self.horizon,
            key,
        };
        let node = self.nodes.entry(key).or_default();
        let rezone = is_first && self.work.zones.contains(&key.account);
        node.step(rows, rezone, &scope, changes);
        if node.follows_horizon() {
            self.lasting.insert(key);
        } else {
            self.lasting.remove(&key);
        }
        if node.rows.is_empty() && node.periods.is_empty() {
            self.nodes.remove(&key);
        }
    }
}

/// What a node's step may look at.
struct Scope<'a> {
    policy: &'a Policy,
    calendars: &'a Calendars,
    before: Timestamp,
    horizon: Timestamp,
    key: NodeKey,
}

impl Scope<'_> {
    /// The periods in which a span holds at or before `until`, without those in which it holds at or
    /// before `since` already; a span without a beginning from the period that holds `begin` on.
    fn periods(
        &self,
        span: Span,
        begin: Timestamp,
        since: Timestamp,
        until: Timestamp,
    ) -> Vec<Period> {
        let mut found = Vec::new();
        if until == Timestamp::MIN || span.start > until {
            return found;
        }
        let period_of = |unit, at| self.calendars.period(self.key.account, unit, at);
        let end = span.end.min(until.plus_us(1));
        let is_known = since != Timestamp::MIN && span.start <= since;
        for unit in self.policy.periods() {
            if unit == PeriodUnit::All {
                found.extend((!is_known).then_some(Period::ALL));
                continue;
            }
            // A level that counts at an instant has no use for periods shorter than a day.
            if unit < PeriodUnit::Day {
                continue;
            }
            let endless = span.start == Timestamp::MIN;
            let mut at = if endless { period_of(unit, begin).span.start } else { span.start };
            if is_known {
                at = at.max(period_of(unit, since).span.end);
            }
            while at < end {
                let period = period_of(unit, at);
                found.push(period);
                at = period.span.end;
            }
        }
        found
    }

    /// The periods that hold an instant or end at it.
    fn periods_at(&self, at: Timestamp) -> impl Iterator<Item = Period> {
        let period_of = |unit, when| self.calendars.period(self.key.account, unit, when);
        self.policy.periods().flat_map(move |unit| {
            let now = period_of(unit, at);
            let before = (now.span.start == at).then(|| period_of(unit, at.plus_us(-1)));
            std::iter::once(now).chain(before)
        })
    }
}

impl Default for Node {
    fn default() -> Self {
        Self {
            grouping: Grouping::default(),
            timeline: Timeline::default(),
            periods: BTreeMap::new(),
            rows: BTreeMap::new(),
            lasting: BTreeSet::new(),
            endless: 0,
            begin: Timestamp::MIN,
            is_constant: true,
        }
    }
}

impl Node {
    /// Whether its totals change with the horizon alone.
    fn follows_horizon(&self) -> bool {
        !self.lasting.is_empty() || (self.is_constant && self.endless != 0)
    }

    fn step(
        &mut self,
        rows: &[(Present, Diff)],
        rezone: bool,
        scope: &Scope<'_>,
        changes: &mut Updates<Rollup>,
    ) {
        let mut dirty: BTreeSet<Period> = BTreeSet::new();
        let begun = self.change_levels(rows, scope.policy.periods(), &mut dirty);
        self.is_constant = begun.is_none();
        let begin = begun.unwrap_or(scope.horizon).min(scope.horizon);
        let before = std::mem::replace(&mut self.begin, begin);
        if before != begin {
            let latest = before.max(begin);
            let touched = self.periods.keys().filter(|period| period.span.start <= latest);
            dirty.extend(touched);
        }
        let was_endless = self.endless != 0;
        let endless = rows.iter().filter(|(row, _)| row.span.start == Timestamp::MIN);
        self.endless += endless.map(|(_, diff)| diff).sum::<Diff>();
        let anew = rezone || (before != begin && (was_endless || self.endless != 0));
        if !anew && scope.horizon != scope.before {
            self.extend_lasting(scope, &mut dirty);
        }
        for (row, diff) in rows {
            if !anew {
                self.be_present(row, *diff, scope, &mut dirty);
            }
            add(&mut self.rows, *row, *diff);
            if row.span.end > scope.horizon && self.rows.contains_key(row) {
                self.lasting.insert(*row);
            } else {
                self.lasting.remove(row);
            }
        }
        if anew {
            self.recount(scope, &mut dirty);
        }
        for period in dirty {
            self.give(period, scope, changes);
        }
    }

    /// Takes uses, none of them named twice, into the levels, and says where demand changes first from then on.
    fn change_levels(
        &mut self,
        rows: &[(Present, Diff)],
        units: impl Iterator<Item = PeriodUnit>,
        dirty: &mut BTreeSet<Period>,
    ) -> Option<Timestamp> {
        let mut charges: BTreeMap<u64, Vec<(Span, Quantity, (), i64)>> = BTreeMap::new();
        let mut levels: BTreeMap<Timestamp, Levels> = BTreeMap::new();
        for (row, diff) in rows {
            match row.group {
                None => demand(&mut levels, row.span, row.units, *diff),
                Some(group) => {
                    let change = (row.span, row.units, (), *diff as i64);
                    charges.entry(group).or_default().push(change);
                }
            }
        }
        for (group, changed) in charges {
            self.grouping.change(group, &changed, |charge, diff| {
                let times = isize::try_from(diff).unwrap_or(0);
                demand(&mut levels, charge.span, charge.units, times);
            });
        }
        levels.retain(|_, change| *change != Levels::default());
        if let (Some((first, _)), Some((last, _))) =
            (levels.first_key_value(), levels.last_key_value())
        {
            let changed = Span::new(*first, Timestamp(last.0.saturating_add(1)));
            dirty.extend(units.flat_map(|unit| overlapping(&self.periods, unit, changed)));
            self.timeline.apply(&levels);
        }
        self.timeline.first_change_of_demand()
    }

    /// Makes lasting uses present in the periods that the horizon has reached.
    fn extend_lasting(&mut self, scope: &Scope<'_>, dirty: &mut BTreeSet<Period>) {
        if scope.before != Timestamp::MIN {
            dirty.extend(scope.periods_at(scope.before));
        }
        for row in self.lasting.clone() {
            let count = self.rows.get(&row).copied().unwrap_or_default();
            for period in scope.periods(row.span, self.begin, scope.before, scope.horizon) {
                self.count(period, &row, count);
                dirty.insert(period);
            }
            if row.span.end <= scope.horizon {
                self.lasting.remove(&row);
            }
        }
    }

    /// Counts every use anew, by the account's new calendar.
    fn recount(&mut self, scope: &Scope<'_>, dirty: &mut BTreeSet<Period>) {
        for (period, presence) in &mut self.periods {
            dirty.insert(*period);
            *presence = Presence { given: presence.given, ..Presence::default() };
        }
        for (row, count) in self.rows.clone() {
            self.be_present(&row, count, scope, dirty);
        }
        self.lasting.retain(|row| row.span.end > scope.horizon);
    }

    fn be_present(
        &mut self,
        row: &Present,
        diff: Diff,
        scope: &Scope<'_>,
        dirty: &mut BTreeSet<Period>,
    ) {
        for period in scope.periods(row.span, self.begin, Timestamp::MIN, scope.horizon) {
            self.count(period, row, diff);
            dirty.insert(period);
        }
    }

    fn count(&mut self, period: Period, row: &Present, diff: Diff) {
        let presence = self.periods.entry(period).or_default();
        presence.uses += diff;
        if let Some(user) = row.user {
            add(&mut presence.users, user, diff);
        }
        if let Some(device) = row.device {
            add(&mut presence.devices, device, diff);
        }
    }

    fn give(&mut self, period: Period, scope: &Scope<'_>, changes: &mut Updates<Rollup>) {
        let Some(presence) = self.periods.get_mut(&period) else { return };
        let begun = period.span.end > self.begin;
        let now = (presence.uses > 0 && begun).then(|| {
            let current = period.span.end > scope.horizon;
            let end = if current { scope.horizon } else { period.span.end };
            let window = Span::new(period.span.start, end);
            let summary = self.timeline.summary(window, current);
            let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
            Rollup {
                tenant: scope.key.tenant,
                account: scope.key.account,
                product: scope.key.product,
                metric: scope.key.metric,
                period,
                value: clamped(summary.peak),
                // Nothing is greatest from the beginning on.
                value_at: if summary.peak == 0 { period.span.start } else { summary.peak_at },
                unit_us: summary.demand_us,
                users: count(presence.users.len()),
                devices: count(presence.devices.len()),
            }
        });
        if presence.given != now {
            changes.extend(presence.given.map(|old| (old, -1)));
            changes.extend(now.map(|new| (new, 1)));
            presence.given = now;
        }
        if presence.uses == 0 {
            self.periods.remove(&period);
        }
    }
}

/// The keys of a unit that overlap an interval; those of one unit lie apart.
fn overlapping<V>(
    periods: &BTreeMap<Period, V>,
    unit: PeriodUnit,
    span: Span,
) -> impl Iterator<Item = Period> {
    let at = |start: Timestamp| Period { unit, span: Span { start, end: Timestamp::MIN } };
    let before = periods.range(at(Timestamp::MIN)..at(span.start)).next_back();
    let inside = periods.range(at(span.start)..at(span.end));
    let found = before.into_iter().chain(inside).map(|(period, _)| *period);
    found.filter(move |period| period.span.overlaps(span))
}

fn add<K: Ord + Copy>(counts: &mut BTreeMap<K, Diff>, key: K, diff: Diff) {
    let count = counts.entry(key).or_default();
    *count += diff;
    if *count == 0 {
        counts.remove(&key);
    }
}

#[cfg(test)]
mod tests;
