//! Step functions over event time: demand and rights of one node, and what a period says of them.
//!
//! Levels change at instants and hold until the next one; all changes of one instant are summed
//! before anything is compared. Instants are kept in blocks of bounded size, each with the levels at its
//! start and a summary, so a change touches its own block and the starts of those that it spans, however
//! much happens in a day, and a period adds up its blocks.

use crate::Diff;
use std::collections::BTreeMap;
use std::ops::Bound::{self, Excluded, Included, Unbounded};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};

/// Demand and rights at one instant, in millionths of a unit where they are amounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Levels {
    /// Needed.
    pub(crate) demand: i128,
    /// Granted by limited lines in force.
    pub(crate) entitled: i128,
    /// Tolerated above.
    pub(crate) overdraft: i128,
    /// Lines in force without a limit.
    pub(crate) unlimited: i64,
    /// Lines in force that do not say how much they grant.
    pub(crate) unknown: i64,
    /// Lines in force.
    pub(crate) lines: i64,
    /// Lines that have ended.
    pub(crate) ended: i64,
    /// Accounts above whose lines take what is not covered here.
    pub(crate) above: i64,
    /// Trials and the like that have ended.
    pub(crate) tried: i64,
    /// Betas in force.
    pub(crate) beta: i64,
    /// Whether the time of grace is running.
    pub(crate) graced: i64,
    /// What territories keep from being covered, beyond what demand and rights say.
    pub(crate) barred: i128,
    /// Needed outside of the territory of every line in force.
    pub(crate) breach: i128,
}

impl Levels {
    /// Adds a change.
    pub(crate) fn add(&mut self, change: &Self) {
        self.demand += change.demand;
        self.entitled += change.entitled;
        self.overdraft += change.overdraft;
        self.unlimited += change.unlimited;
        self.unknown += change.unknown;
        self.lines += change.lines;
        self.ended += change.ended;
        self.above += change.above;
        self.tried += change.tried;
        self.beta += change.beta;
        self.graced += change.graced;
        self.barred += change.barred;
        self.breach += change.breach;
    }

    /// The opposite change.
    pub(crate) fn negated(&self) -> Self {
        Self {
            demand: -self.demand,
            entitled: -self.entitled,
            overdraft: -self.overdraft,
            unlimited: -self.unlimited,
            unknown: -self.unknown,
            lines: -self.lines,
            ended: -self.ended,
            above: -self.above,
            tried: -self.tried,
            beta: -self.beta,
            graced: -self.graced,
            barred: -self.barred,
            breach: -self.breach,
        }
    }

    /// Demand that the lines here do not cover; none while a line has no limit or does not say it.
    pub(crate) fn uncovered(&self) -> i128 {
        let plain = match self.unlimited > 0 || self.unknown > 0 {
            true => 0,
            false => (self.demand - self.entitled.max(0)).max(0),
        };
        (plain + self.barred).max(0)
    }

    /// How much may be used.
    pub(crate) fn capacity(&self) -> Capacity {
        if self.unlimited > 0 {
            Capacity::Unlimited
        } else if self.unknown > 0 {
            Capacity::Unknown
        } else {
            Capacity::Limited(clamped(self.entitled.max(0)))
        }
    }
}

/// Adds the demand of `units` in an interval to changes of levels; takes it away if `times` is negative.
pub(crate) fn demand(
    changes: &mut BTreeMap<Timestamp, Levels>,
    span: Span,
    units: Quantity,
    times: Diff,
) {
    let demand = i128::from(units.0) * times as i128;
    spread(changes, span, Levels { demand, ..Levels::default() });
}

/// Adds levels that hold in an interval to changes of levels.
pub(crate) fn spread(changes: &mut BTreeMap<Timestamp, Levels>, span: Span, levels: Levels) {
    changes.entry(span.start).or_default().add(&levels);
    changes.entry(span.end).or_default().add(&levels.negated());
}

/// A sum as a quantity; one beyond what a quantity holds is shown as the nearest that it does.
pub(crate) fn clamped(millionths: i128) -> Quantity {
    Quantity(i64::try_from(millionths).unwrap_or(if millionths < 0 { i64::MIN } else { i64::MAX }))
}

/// What the levels of an interval come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The greatest demand.
    pub(crate) peak: i128,
    /// Its first instant; `MAX` if there was no demand.
    pub(crate) peak_at: Timestamp,
    /// Demand times microseconds.
    pub(crate) demand_us: i128,
    /// The greatest demand that nothing covers, here or above.
    pub(crate) shortfall: i128,
    /// Its first instant; `MAX` if there was none.
    pub(crate) shortfall_at: Timestamp,
    /// The first instant of any shortfall.
    pub(crate) shortfall_first: Timestamp,
    /// The end of the last shortfall.
    pub(crate) shortfall_last: Timestamp,
    /// Shortfall times microseconds.
    pub(crate) shortfall_us: i128,
    /// The greatest shortfall beyond the overdraft.
    pub(crate) beyond_overdraft: i128,
    /// The greatest shortfall beyond the overdraft while no grace was running.
    pub(crate) over: i128,
    /// Whether there was a shortfall beyond the overdraft while grace was running.
    pub(crate) graced: bool,
    /// The greatest shortfall while lines had existed and all had ended, and their grace too.
    pub(crate) expired: i128,
    /// Its first instant.
    pub(crate) expired_first: Timestamp,
    /// Whether a production line had ended then, and not only trials.
    pub(crate) lapsed: bool,
    /// What betas serve.
    pub(crate) beta: Mark,
    /// What is needed outside of every territory.
    pub(crate) breach: Mark,
    /// The greatest shortfall while no line had ever been in force.
    pub(crate) unlicensed: i128,
    /// The greatest uncovered demand that accounts above take over.
    pub(crate) passed_up: i128,
    /// Whether there was demand while a line did not say how much it grants.
    pub(crate) unknown: bool,
}

/// The most of a figure, and from when to when it was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The greatest.
    pub(crate) most: i128,
    /// The first instant; `MAX` if it never was.
    pub(crate) first: Timestamp,
    /// The end of the last.
    pub(crate) last: Timestamp,
}

impl Default for Mark {
    fn default() -> Self {
        Self { most: 0, first: Timestamp::MAX, last: Timestamp::MIN }
    }
}

impl Mark {
    fn take(&mut self, span: Span, figure: i128) {
        if figure > 0 {
            self.follow(&Self { most: figure, first: span.start, last: span.end });
        }
    }

    fn follow(&mut self, next: &Self) {
        self.most = self.most.max(next.most);
        self.first = self.first.min(next.first);
        self.last = self.last.max(next.last);
    }
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            peak: 0,
            peak_at: Timestamp::MAX,
            demand_us: 0,
            shortfall: 0,
            shortfall_at: Timestamp::MAX,
            shortfall_first: Timestamp::MAX,
            shortfall_last: Timestamp::MIN,
            shortfall_us: 0,
            beyond_overdraft: 0,
            over: 0,
            graced: false,
            expired: 0,
            expired_first: Timestamp::MAX,
            lapsed: false,
            beta: Mark::default(),
            breach: Mark::default(),
            unlicensed: 0,
            passed_up: 0,
            unknown: false,
        }
    }
}

impl Summary {
    /// Takes in an interval of constant levels that follows what was taken in before.
    ///
    /// An empty interval counts as its instant: it may be a peak, and adds no time.
    pub(crate) fn take(&mut self, span: Span, levels: &Levels) {
        let length = span.length_us();
        if levels.demand > self.peak {
            self.peak = levels.demand;
            self.peak_at = span.start;
        }
        if levels.demand != 0 {
            self.demand_us += levels.demand * length;
            self.unknown |= levels.unknown > 0 && levels.unlimited == 0;
        }
        let uncovered = levels.uncovered();
        if levels.beta > 0 {
            self.beta.take(span, levels.demand - uncovered);
        }
        self.breach.take(span, levels.breach);
        if uncovered == 0 {
            return;
        }
        if levels.above > 0 {
            self.passed_up = self.passed_up.max(uncovered);
            return;
        }
        if uncovered > self.shortfall {
            self.shortfall = uncovered;
            self.shortfall_at = span.start;
        }
        self.shortfall_first = self.shortfall_first.min(span.start);
        self.shortfall_last = self.shortfall_last.max(span.end);
        self.shortfall_us += uncovered * length;
        let beyond = uncovered - levels.overdraft;
        self.beyond_overdraft = self.beyond_overdraft.max(beyond);
        if levels.graced > 0 {
            self.graced |= beyond > 0;
            return;
        }
        self.over = self.over.max(beyond);
        if levels.lines > 0 {
            return;
        }
        if levels.ended > 0 || levels.tried > 0 {
            self.lapsed |= levels.ended > 0;
            self.expired = self.expired.max(uncovered);
            self.expired_first = self.expired_first.min(span.start);
        } else {
            self.unlicensed = self.unlicensed.max(uncovered);
        }
    }

    /// Takes in the summary of an interval that follows what was taken in before.
    fn follow(&mut self, next: &Self) {
        if next.peak > self.peak {
            self.peak = next.peak;
            self.peak_at = next.peak_at;
        }
        self.demand_us += next.demand_us;
        if next.shortfall > self.shortfall {
            self.shortfall = next.shortfall;
            self.shortfall_at = next.shortfall_at;
        }
        self.shortfall_first = self.shortfall_first.min(next.shortfall_first);
        self.shortfall_last = self.shortfall_last.max(next.shortfall_last);
        self.shortfall_us += next.shortfall_us;
        self.beyond_overdraft = self.beyond_overdraft.max(next.beyond_overdraft);
        self.over = self.over.max(next.over);
        self.graced |= next.graced;
        self.expired = self.expired.max(next.expired);
        self.expired_first = self.expired_first.min(next.expired_first);
        self.lapsed |= next.lapsed;
        self.beta.follow(&next.beta);
        self.breach.follow(&next.breach);
        self.unlicensed = self.unlicensed.max(next.unlicensed);
        self.passed_up = self.passed_up.max(next.passed_up);
        self.unknown |= next.unknown;
    }
}

/// The most instants of a block.
const INSTANTS_MAX: usize = if cfg!(test) { 4 } else { 64 };

/// Changes that follow each other.
#[derive(Clone, Debug, Default)]
struct Block {
    /// The levels before the first change.
    base: Levels,
    /// What changes at each instant.
    changes: BTreeMap<Timestamp, Levels>,
    /// The levels after the last change, and the summary from the first change to the last.
    settled: Option<(Levels, Summary)>,
}

impl Block {
    fn end(&self) -> Levels {
        let mut levels = self.base;
        for change in self.changes.values() {
            levels.add(change);
        }
        levels
    }

    fn settled(&mut self) -> (Levels, Summary) {
        if let Some(settled) = self.settled {
            return settled;
        }
        let mut levels = self.base;
        let mut summary = Summary::default();
        let mut since = None;
        for (at, change) in &self.changes {
            if let Some(since) = since {
                summary.take(Span::new(since, *at), &levels);
            }
            levels.add(change);
            since = Some(*at);
        }
        *self.settled.insert((levels, summary))
    }
}

/// A step function of [`Levels`] over all of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timeline {
    /// The levels that hold since always.
    origin: Levels,
    /// The changes, by an instant that is not after the first of the block and after all of the one before.
    blocks: BTreeMap<Timestamp, Block>,
}

impl Timeline {
    /// Adds changes; those at `MIN` hold since always, those at `MAX` never come.
    ///
    /// Work: the changes, their blocks, and the blocks between the first change and the instant from which
    /// on the changes cancel out.
    pub(crate) fn apply(&mut self, changes: &BTreeMap<Timestamp, Levels>) {
        let mut carried = Levels::default();
        let mut from = Timestamp::MIN;
        let mut touched: Vec<Timestamp> = Vec::new();
        for (at, change) in changes {
            if *at == Timestamp::MAX {
                break;
            }
            if *at == Timestamp::MIN {
                self.origin.add(change);
                carried.add(change);
                continue;
            }
            let key = self.block_for(*at);
            self.carry(from, Included(&key), &carried);
            from = key;
            carried.add(change);
            let origin = self.origin;
            let start = || Block { base: origin, ..Block::default() };
            let block = self.blocks.entry(key).or_insert_with(start);
            block.settled = None;
            let sum = block.changes.entry(*at).or_default();
            sum.add(change);
            if *sum == Levels::default() {
                block.changes.remove(at);
            }
            if touched.last() != Some(&key) {
                touched.push(key);
            }
        }
        self.carry(from, Unbounded, &carried);
        for key in touched {
            self.tidy(key);
        }
    }

    /// Where a change of an instant belongs. Before all others that is the first block if it has room,
    /// which begins then, or one that is still to be made.
    fn block_for(&mut self, at: Timestamp) -> Timestamp {
        if let Some((key, _)) = self.blocks.range(..=at).next_back() {
            return *key;
        }
        if let Some(first) = self.blocks.first_entry()
            && first.get().changes.len() < INSTANTS_MAX
        {
            let block = first.remove();
            self.blocks.insert(at, block);
        }
        at
    }

    /// Raises the base of the blocks after `from` and up to `until`, if the sum of what changed before
    /// them is not nothing.
    fn carry(&mut self, from: Timestamp, until: Bound<&Timestamp>, carried: &Levels) {
        let is_before = match until {
            Included(until) => from < *until,
            Excluded(_) | Unbounded => true,
        };
        if *carried == Levels::default() || !is_before {
            return;
        }
        for (_, block) in self.blocks.range_mut::<Timestamp, _>((Excluded(&from), until)) {
            block.base.add(carried);
            block.settled = None;
        }
    }

    /// Removes a block that is empty, and halves one that is too long until it is not.
    fn tidy(&mut self, touched: Timestamp) {
        let mut keys = vec![touched];
        while let Some(key) = keys.pop() {
            let Some(block) = self.blocks.get_mut(&key) else { continue };
            if block.changes.is_empty() {
                self.blocks.remove(&key);
                continue;
            }
            if block.changes.len() <= INSTANTS_MAX {
                continue;
            }
            let Some(middle) = block.changes.keys().nth(block.changes.len() / 2).copied() else {
                continue;
            };
            let changes = block.changes.split_off(&middle);
            let upper = Block { base: block.end(), changes, settled: None };
            block.settled = None;
            self.blocks.insert(middle, upper);
            keys.extend([key, middle]);
        }
    }

    /// The key of the block in which an instant lies, or `at` if it lies before all.
    fn key_of(&self, at: Timestamp) -> Timestamp {
        self.blocks.range(..=at).next_back().map_or(at, |(key, _)| *key)
    }

    /// The levels after all changes up to and including the instant.
    pub(crate) fn at(&self, at: Timestamp) -> Levels {
        match self.blocks.range(..=at).next_back() {
            None => self.origin,
            Some((_, found)) => {
                let mut levels = found.base;
                for change in found.changes.range(..=at).map(|(_, change)| change) {
                    levels.add(change);
                }
                levels
            }
        }
    }

    /// What the window comes to; if `touch_end`, the instant at its end counts too.
    ///
    /// Work: the blocks inside the window, whole ones by their summary.
    pub(crate) fn summary(&mut self, window: Span, touch_end: bool) -> Summary {
        let mut summary = Summary::default();
        if window.start > window.end || (window.is_empty() && !touch_end) {
            return summary;
        }
        let mut since = window.start;
        let mut levels = self.at(window.start);
        let from = self.key_of(window.start);
        for (_, block) in self.blocks.range_mut(from..=window.end) {
            let Some((first, _)) = block.changes.first_key_value() else { continue };
            let Some((last, _)) = block.changes.last_key_value() else { continue };
            let (first, last) = (*first, *last);
            if first >= window.start && last < window.end {
                take_some(&mut summary, Span::new(since, first), &levels);
                let (end, whole) = block.settled();
                summary.follow(&whole);
                (since, levels) = (last, end);
                continue;
            }
            for (at, change) in &block.changes {
                if *at > window.start && *at < window.end {
                    take_some(&mut summary, Span::new(since, *at), &levels);
                    levels.add(change);
                    since = *at;
                }
            }
        }
        take_some(&mut summary, Span::new(since, window.end), &levels);
        if touch_end {
            summary.take(Span::new(window.end, window.end), &self.at(window.end));
        }
        summary
    }

    /// How the uncovered demand changes at each instant from the first to the last given, inclusive.
    pub(crate) fn uncovered_changes(
        &self,
        first: Timestamp,
        last: Timestamp,
    ) -> BTreeMap<Timestamp, i128> {
        let mut found = BTreeMap::new();
        if first > last {
            return found;
        }
        for (_, block) in self.blocks.range(self.key_of(first)..=last) {
            let mut levels = block.base;
            let mut before = levels.uncovered();
            for (at, change) in &block.changes {
                levels.add(change);
                let after = levels.uncovered();
                if after != before && (first..=last).contains(at) {
                    found.insert(*at, after - before);
                }
                before = after;
            }
        }
        found
    }

    /// The instants at which something changes, from the given one on.
    pub(crate) fn changes_from(
        &self,
        first: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, &Levels)> {
        self.blocks
            .range(self.key_of(first)..)
            .flat_map(|(_, block)| block.changes.iter())
            .filter(move |(at, _)| **at >= first)
            .map(|(at, change)| (*at, change))
    }

    /// The levels of all of time, in the pieces in which they stay.
    pub(crate) fn pieces(&self) -> Vec<(Span, Levels)> {
        let mut pieces = Vec::new();
        let (mut since, mut levels) = (Timestamp::MIN, self.origin);
        for (at, change) in self.changes_from(Timestamp::MIN) {
            pieces.push((Span::new(since, at), levels));
            levels.add(change);
            since = at;
        }
        pieces.push((Span::new(since, Timestamp::MAX), levels));
        pieces
    }

    /// Whether there is demand at any time.
    pub(crate) fn has_demand(&self) -> bool {
        self.origin.demand != 0 || self.first_change_of_demand().is_some()
    }

    /// The first instant with a date at which demand changes, if it ever does.
    pub(crate) fn first_change_of_demand(&self) -> Option<Timestamp> {
        let mut changes = self.changes_from(Timestamp::EARLIEST);
        changes.find(|(_, change)| change.demand != 0).map(|(at, _)| at)
    }
}

/// Takes in an interval unless it is empty.
fn take_some(summary: &mut Summary, span: Span, levels: &Levels) {
    if !span.is_empty() {
        summary.take(span, levels);
    }
}

#[cfg(test)]
mod tests;
