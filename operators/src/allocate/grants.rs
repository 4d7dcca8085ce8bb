//! What the lines of a node grant in a period, as far as it has passed.
//!
//! known(P)       = P up to the horizon
//! grants(n, P)   = { line of n × times : the line holds in known(P) }
//! entitled(n, P) = Σ grants, for volumes; for named users, the most that was in force at one instant
//!
//! A volume's line grants once for each of its own periods that has begun in known(P), or once if its
//! period is not shorter than P.

use super::figures::{Rights, granted};
use crate::Diff;
use crate::entitle::Right;
use trueup_model::calendar::{Calendar, Period};
use trueup_model::metric::Metric;
use trueup_model::quantity::Capacity;
use trueup_model::time::{Span, Timestamp};

/// What the lines of a node grant in one period.
pub(super) struct Grants<'r> {
    metric: Metric,
    known: Span,
    /// The lines that grant something, and how often.
    pub(super) rows: Rights<'r>,
}

impl<'r> Grants<'r> {
    /// Of the rights of a node, those that grant something.
    pub(super) fn of(
        metric: Metric,
        own: &Rights<'r>,
        period: Period,
        calendar: &Calendar,
        horizon: Timestamp,
    ) -> Self {
        let until = period.span.end.min(horizon.plus_us(1));
        let known = Span { start: period.span.start, end: until };
        let mut rows = Rights::new();
        for (right, count) in own {
            let Some(inside) = right.span.overlap(known) else { continue };
            let often = if metric == Metric::Volume && right.per < period.unit {
                let from = inside.start.max(Timestamp::EARLIEST);
                let often = calendar.periods_in(right.per, Span { start: from, ..inside });
                Diff::try_from(often).unwrap_or(Diff::MAX)
            } else {
                1
            };
            rows.push((*right, count * often));
        }
        Self { metric, known, rows }
    }

    /// What may be used; `None` if no line says anything.
    pub(super) fn entitled(&self) -> Option<Capacity> {
        if self.metric == Metric::Volume {
            return granted(self.rows.iter().copied());
        }
        // The most is reached where a line begins, or at the beginning.
        let begins = self.rows.iter().map(|(right, _)| right.span.start.max(self.known.start));
        let ends = self.rows.iter().map(|(right, _)| right.span.end);
        let starts = begins.chain(ends).filter(|at| self.known.contains(*at));
        let in_force = starts.filter_map(|at| {
            granted(self.rows.iter().filter(|(right, _)| right.span.contains(at)).copied())
        });
        in_force.max_by_key(|capacity| match capacity {
            Capacity::Limited(limit) => (0, limit.0),
            Capacity::Unknown => (1, 0),
            Capacity::Unlimited => (2, 0),
        })
    }

    /// What the vendor tolerates above: with each grant of a volume, else what is in force at an
    /// instant.
    pub(super) fn overdraft(&self, at: Timestamp) -> i128 {
        let counts = |right: &Right| self.metric == Metric::Volume || right.span.contains(at);
        let rows = self.rows.iter().filter(|(right, _)| counts(right));
        rows.map(|(right, count)| i128::from(right.overdraft.0) * *count as i128).sum()
    }
}
