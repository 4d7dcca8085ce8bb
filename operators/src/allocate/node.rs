//! A node of an allocation: its levels, what it passes up, and when grace is running.
//!
//! passed(n, t) = uncovered(n, t), to the node that takes it at t
//!
//! Work per change: the changed window of instants.

use super::convert::Raw;
use super::figures::Rights;
use super::grace::graces;
use super::routes::Route;
use crate::Diff;
use crate::entitle::Right;
use crate::timeline::{Levels, Timeline, spread};
use crate::trials::is_provisional;
use std::collections::BTreeMap;
use trueup_model::contract::LineClass;
use trueup_model::id::AccountId;
use trueup_model::quantity::Capacity;
use trueup_model::time::{Span, Timestamp};

/// An account that has lines, or whose demand nobody covers.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Whether it has lines.
    pub(super) pool: bool,
    /// Where what it does not cover goes.
    pub(super) route: Route,
    /// Its levels.
    pub(super) timeline: Timeline,
    /// What it passed to whom, as changes at instants.
    sent: BTreeMap<(Timestamp, AccountId), i128>,
    /// What is used, where it is converted.
    pub(super) raw: Raw,
    /// When grace is running.
    graces: Vec<Span>,
}

/// The closed interval of instants at which levels changed.
pub(super) type Window = (Timestamp, Timestamp);

pub(super) const ALL_OF_TIME: Window = (Timestamp::MIN, Timestamp::MAX);

impl Node {
    /// A node with lines, and where what it does not cover goes.
    pub(super) fn with_lines(route: Route) -> Self {
        Self { pool: true, route, ..Self::default() }
    }

    /// Finds anew when grace is running; gives the window in which that changed.
    pub(super) fn run_grace(&mut self, own: &Rights<'_>) -> Option<Window> {
        let now = graces(&self.timeline, own);
        let running = Levels { graced: 1, ..Levels::default() };
        let mut changes: BTreeMap<Timestamp, Levels> = BTreeMap::new();
        for span in &now {
            spread(&mut changes, *span, running);
        }
        for span in std::mem::replace(&mut self.graces, now) {
            spread(&mut changes, span, running.negated());
        }
        changes.retain(|_, change| *change != Levels::default());
        let window = (*changes.first_key_value()?.0, *changes.last_key_value()?.0);
        self.timeline.apply(&changes);
        Some(window)
    }

    /// Finds what the node passes up in a window of instants, and gives what changed of it.
    pub(super) fn pass(&mut self, (first, last): Window) -> Vec<((Timestamp, AccountId), i128)> {
        let mut now: BTreeMap<(Timestamp, AccountId), i128> = BTreeMap::new();
        let inside = |at: Timestamp| first <= at && at <= last;
        for (span, target) in &self.route {
            let Some(target) = *target else { continue };
            let mut add = |at: Timestamp, change: i128| {
                if change != 0 && at != Timestamp::MAX {
                    *now.entry((at, target)).or_default() += change;
                }
            };
            if inside(span.start) {
                add(span.start, self.timeline.at(span.start).uncovered());
            }
            let before_end = Timestamp(span.end.0.saturating_sub(1));
            if inside(span.end) {
                add(span.end, -self.timeline.at(before_end).uncovered());
            }
            let from = Timestamp(span.start.0.saturating_add(1)).max(first);
            for (at, change) in self.timeline.uncovered_changes(from, before_end.min(last)) {
                add(at, change);
            }
        }
        let range = (first, AccountId(0))..=(last, AccountId(u64::MAX));
        let before: Vec<_> = self.sent.range(range).map(|(key, sum)| (*key, *sum)).collect();
        let mut changed = now.clone();
        for (key, sum) in before {
            self.sent.remove(&key);
            *changed.entry(key).or_default() -= sum;
        }
        now.retain(|_, sum| *sum != 0);
        self.sent.extend(now);
        changed.retain(|_, change| *change != 0);
        changed.into_iter().collect()
    }
}

/// Adds what a right grants: at its start, and away at its end, where it is counted as ended.
pub(super) fn grant(right: &Right, count: Diff, changes: &mut BTreeMap<Timestamp, Levels>) {
    let count = count as i64;
    let mut levels = Levels {
        overdraft: i128::from(right.overdraft.0) * i128::from(count),
        lines: count,
        ..Levels::default()
    };
    match right.capacity {
        Capacity::Limited(quantity) => {
            levels.entitled = i128::from(quantity.0) * i128::from(count);
            // A credit takes rights back; it is not a right that can end.
            if right.is_credit() {
                levels.lines = 0;
            }
        }
        Capacity::Unlimited => levels.unlimited = count,
        Capacity::Unknown => levels.unknown = count,
    }
    let ends = levels.lines;
    let mut ended = levels.negated();
    if is_provisional(right) {
        levels.beta = if right.class == LineClass::Beta { levels.lines } else { 0 };
        (ended.tried, ended.beta) = (ends, -levels.beta);
    } else {
        ended.ended = ends;
    }
    changes.entry(right.span.start).or_default().add(&levels);
    changes.entry(right.span.end).or_default().add(&ended);
}
