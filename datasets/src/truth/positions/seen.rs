//! What the levels of a node come to in a span of time.

use super::timeline::{Level, Timeline, at_instant};
use crate::truth::rights::Node;
use trueup_model::position::PositionState;
use trueup_model::quantity::ONE_UNIT;
use trueup_model::time::{SECOND_US, Span, Timestamp};

/// What a node's levels come to in a span.
pub(super) struct Seen {
    pub(super) peak: i64,
    pub(super) peak_at: Timestamp,
    unit_us: i128,
    pub(super) shortfall: i64,
    pub(super) shortfall_at: Timestamp,
    pub(super) shortfall_first: Timestamp,
    pub(super) shortfall_last: Timestamp,
    beyond_overdraft: i64,
    pub(super) expired: i64,
    pub(super) expired_first: Timestamp,
    unlicensed: i64,
    pub(super) passed_up: i64,
}

impl Seen {
    /// Looks at every level within a span, and at its end as an instant if told.
    pub(super) fn over(timeline: &Timeline, node: Node, span: Span, with_end: bool) -> Self {
        let mut seen = Self {
            peak: 0,
            peak_at: Timestamp::MAX,
            unit_us: 0,
            shortfall: 0,
            shortfall_at: Timestamp::MAX,
            shortfall_first: Timestamp::MAX,
            shortfall_last: Timestamp::MIN,
            beyond_overdraft: 0,
            expired: 0,
            expired_first: Timestamp::MAX,
            unlicensed: 0,
            passed_up: 0,
        };
        for (index, (from, levels)) in timeline.iter().enumerate() {
            let until = timeline.get(index + 1).map_or(Timestamp::MAX, |(next, _)| *next);
            let Some(level) = levels.get(&node) else { continue };
            if let Some(inside) = Span::new(*from, until).overlap(span) {
                seen.take(inside, level);
            }
        }
        if with_end {
            seen.take(Span::new(span.end, span.end), &at_instant(timeline, node, span.end));
        }
        seen
    }

    fn take(&mut self, span: Span, level: &Level) {
        if level.demand > self.peak {
            (self.peak, self.peak_at) = (level.demand, span.start);
        }
        self.unit_us += i128::from(level.demand) * span.length_us();
        if level.uncovered == 0 {
            return;
        }
        if level.passed {
            self.passed_up = self.passed_up.max(level.uncovered);
            return;
        }
        if level.uncovered > self.shortfall {
            (self.shortfall, self.shortfall_at) = (level.uncovered, span.start);
        }
        self.shortfall_first = self.shortfall_first.min(span.start);
        self.shortfall_last = self.shortfall_last.max(span.end);
        self.beyond_overdraft = self.beyond_overdraft.max(level.uncovered - level.overdraft);
        if level.lines {
            return;
        }
        if level.ended {
            self.expired = self.expired.max(level.uncovered);
            self.expired_first = self.expired_first.min(span.start);
        } else {
            self.unlicensed = self.unlicensed.max(level.uncovered);
        }
    }

    /// Units times seconds, rounded down.
    pub(super) fn seconds(&self) -> u64 {
        let unit_seconds = self.unit_us / i128::from(SECOND_US) / i128::from(ONE_UNIT);
        u64::try_from(unit_seconds).unwrap_or(u64::MAX)
    }

    /// The most urgent thing that happened.
    pub(super) fn state(&self) -> PositionState {
        if self.shortfall == 0 {
            return match self.passed_up > 0 {
                true => PositionState::PassedUp,
                false => PositionState::Covered,
            };
        }
        if self.unlicensed > 0 {
            PositionState::Unlicensed
        } else if self.expired > 0 {
            PositionState::Expired
        } else if self.beyond_overdraft > 0 {
            PositionState::Over
        } else {
            PositionState::WithinOverdraft
        }
    }
}
