//! Rights that are bound twice: more of a line is allocated than it grants.
//!
//! excess(l, t) = max(0, Σ { quantity(a) : a bound of l at t } - Σ { quantity(r) : r a right of l at t })
//!
//! while l grants something; a line without a limit, or one that does not say its quantity, is never
//! bound twice. Each time of excess is one discrepancy of the line, as large as the greatest excess in it
//! so far.
//!
//! Work per change: the allocations and rights of the line.

use super::{Bound, greatest, rising};
use crate::entitle::Right;
use crate::keyed::Keyed as _;
use crate::reconcile::plain;
use crate::{Diff, Facts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::{AccountId, NameKind};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Row {
    /// A right of the line, for an account.
    Granted(AccountId, Span, Capacity),
    Bound(Span, Quantity),
}

/// How much of a line holds at an instant, or how that changes there.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    bound: i128,
    granted: i128,
    /// How many rights there are.
    rights: i64,
    /// How many of them have no limit that is known.
    unbounded: i64,
}

impl Level {
    fn excess(&self) -> i128 {
        let judged = self.rights > 0 && self.unbounded == 0;
        if judged { (self.bound - self.granted.max(0)).max(0) } else { 0 }
    }

    fn add(&mut self, other: &Self) {
        self.bound += other.bound;
        self.granted += other.granted;
        self.rights += other.rights;
        self.unbounded += other.unbounded;
    }
}

/// Finds lines of which more is bound than they grant.
pub(super) fn doubled<'s>(
    bound: Facts<'s, Bound>,
    rights: Facts<'s, Right>,
    horizon: Facts<'s, Timestamp>,
) -> Facts<'s, Discrepancy> {
    let granted = rights.map(|right| {
        let row = Row::Granted(right.account, right.span, right.capacity);
        ((right.tenant, right.line, right.product), row)
    });
    let rows = bound
        .map(|row| ((row.tenant, row.line, row.product), Row::Bound(row.span, row.quantity)))
        .concat(granted)
        .grouped("Doubled", |_line, rows, found| {
            let Some((Row::Granted(account, ..), _)) = rows.first() else { return };
            for (span, pieces) in excesses(rows) {
                let rising = rising(pieces).into_iter();
                found.extend(rising.map(|(at, excess)| ((*account, span, at, excess), 1)));
            }
        })
        .map(|((tenant, line, product), (account, span, at, excess))| {
            let row = Discrepancy {
                account: Some(account),
                product: Some(product),
                subject: Some((NameKind::Line, line.into())),
                first_at: span.start,
                last_at: span.end,
                ..plain(DiscrepancyKind::DoubleAllocation, tenant)
            };
            (at, (row, excess))
        });
    greatest(rows, horizon)
}

/// The longest times in which too much is bound, each with how much too much it is from when on.
fn excesses(rows: &[(&Row, Diff)]) -> Vec<(Span, Vec<(Timestamp, i128)>)> {
    let mut turns: BTreeMap<Timestamp, Level> = BTreeMap::new();
    for (row, count) in rows {
        let count = *count as i64;
        let (span, level) = match **row {
            Row::Bound(span, quantity) => {
                (span, Level { bound: i128::from(quantity.0), ..Level::default() })
            }
            Row::Granted(_, span, Capacity::Limited(limit)) => {
                (span, Level { granted: i128::from(limit.0), rights: 1, ..Level::default() })
            }
            Row::Granted(_, span, Capacity::Unlimited | Capacity::Unknown) => {
                (span, Level { rights: 1, unbounded: 1, ..Level::default() })
            }
        };
        turns.entry(span.start).or_default().add(&level.times(count));
        turns.entry(span.end).or_default().add(&level.times(-count));
    }
    let mut found: Vec<(Span, Vec<(Timestamp, i128)>)> = Vec::new();
    let mut level = Level::default();
    for (at, turn) in turns {
        let before = level.excess();
        level.add(&turn);
        let now = level.excess();
        match (before > 0, now > 0, found.last_mut()) {
            (false, true, _) => found.push((Span::from(at), vec![(at, now)])),
            (true, true, Some((_, pieces))) => pieces.push((at, now)),
            (true, false, Some((span, _))) => span.end = at,
            (true, _, None) | (false, false, _) => {}
        }
    }
    found
}

impl Level {
    fn times(self, count: i64) -> Self {
        Self {
            bound: self.bound * i128::from(count),
            granted: self.granted * i128::from(count),
            rights: self.rights * count,
            unbounded: self.unbounded * count,
        }
    }
}
