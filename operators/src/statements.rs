//! Closed periods: what was issued, what is true now, and the late facts in between.
//!
//! issued(P)   = Σ { quantity of cells in P that arrived before P closed }
//! restated(P) = Σ { quantity of cells in P }
//!
//! A statement exists once the horizon has reached the close of its period. It stays as issued; each
//! late fact is an adjustment line that names the period.
//!
//! Work per change: the changed cells' periods.

use crate::Facts;
use crate::epochs::{Came, Updates, by_key, each_epoch_of, everywhere, operator};
use crate::tally::Tally;
use crate::timeline::clamped;
use crate::volume::{Late, Slice};
use differential_dataflow::AsCollection as _;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::hash::{IdMap, mix};
use trueup_model::metric::Metric;
use trueup_model::position::{Adjustment, PositionKey, Statement};
use trueup_model::time::Timestamp;

fn key(slice: &Slice) -> PositionKey {
    PositionKey {
        tenant: slice.tenant,
        account: slice.account,
        product: slice.product,
        metric: Metric::Volume,
        period: slice.period,
    }
}

/// Gives the late facts as lines that adjust a closed period.
pub fn adjustments(late: Facts<'_, Late>) -> Facts<'_, Adjustment> {
    late.map(|late| Adjustment {
        key: key(&Slice::of(&late.cell)),
        fact: late.fact,
        provenance: late.provenance,
        arrived_at: late.arrived_at,
        delta: late.quantity,
    })
}

/// Gives a statement for each closed period.
pub fn statements<'s>(
    slices: Facts<'s, Slice, Tally>,
    horizon: Facts<'s, Timestamp>,
) -> Facts<'s, Statement> {
    let slices = by_key(slices, |slice| mix(&[slice.account.0, slice.product.0]));
    let mut state = State { horizon: Timestamp::MIN, ..State::default() };
    let builder = operator("Statements", &slices);
    each_epoch_of(builder, (slices, everywhere(horizon)), move |(used, moved), changes| {
        state.step(used, moved, changes);
    })
    .as_collection()
}

/// What a period adds up to.
#[derive(Default)]
struct Sums {
    issued: i128,
    late: i128,
    events: i128,
    given: Option<Statement>,
}

#[derive(Default)]
struct State {
    horizon: Timestamp,
    sums: IdMap<(PositionKey, Timestamp), Sums>,
    /// Periods that have not closed yet.
    open: BTreeMap<Timestamp, BTreeSet<PositionKey>>,
}

impl State {
    fn step(
        &mut self,
        used: Came<Slice, Tally>,
        moved: Came<Timestamp>,
        changes: &mut Updates<Statement>,
    ) {
        let mut dirty: BTreeSet<(PositionKey, Timestamp)> = BTreeSet::new();
        for (slice, tally) in used {
            let Some(closes_at) = slice.closes_at else { continue };
            let key = key(&slice);
            let sums = self.sums.entry((key, closes_at)).or_default();
            sums.events += tally.events;
            if slice.late {
                sums.late += tally.quantity;
            } else {
                sums.issued += tally.quantity;
            }
            // One that is still open is given when it closes.
            if closes_at > self.horizon {
                self.open.entry(closes_at).or_default().insert(key);
            } else {
                dirty.insert((key, closes_at));
            }
        }
        for (at, _) in moved.into_iter().filter(|(_, diff)| *diff > 0) {
            self.horizon = self.horizon.max(at);
        }
        let later = self.open.split_off(&self.horizon.plus_us(1));
        for (closes_at, keys) in std::mem::replace(&mut self.open, later) {
            dirty.extend(keys.into_iter().map(|key| (key, closes_at)));
        }
        for (key, closes_at) in dirty {
            self.give(key, closes_at, changes);
        }
    }

    fn give(&mut self, key: PositionKey, closes_at: Timestamp, changes: &mut Updates<Statement>) {
        let Some(sums) = self.sums.get_mut(&(key, closes_at)) else { return };
        let closed = closes_at <= self.horizon && sums.events > 0;
        let now = closed.then(|| Statement {
            key,
            closed_at: closes_at,
            issued: clamped(sums.issued),
            restated: clamped(sums.issued + sums.late),
        });
        if sums.given != now {
            changes.extend(sums.given.map(|old| (old, -1)));
            changes.extend(now.map(|new| (new, 1)));
            sums.given = now;
        }
        if sums.events == 0 {
            self.sums.remove(&(key, closes_at));
        }
    }
}
