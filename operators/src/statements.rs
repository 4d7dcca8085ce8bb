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
use crate::epochs::{Updates, by_key, each_epoch, everywhere};
use crate::tally::Tally;
use crate::timeline::clamped;
use crate::volume::{Cell, Late};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::hash::{IdMap, mix};
use trueup_model::metric::Metric;
use trueup_model::position::{Adjustment, PositionKey, Statement};
use trueup_model::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Cell { key: PositionKey, closes_at: Timestamp, late: bool },
    Horizon(Timestamp),
}

fn key(cell: &Cell) -> PositionKey {
    PositionKey {
        tenant: cell.tenant,
        account: cell.account,
        product: cell.product,
        metric: Metric::Volume,
        period: cell.period,
    }
}

/// Gives the late facts as lines that adjust a closed period.
pub fn adjustments(late: Facts<'_, Late>) -> Facts<'_, Adjustment> {
    late.map(|late| Adjustment {
        key: key(&late.cell),
        fact: late.event.fact,
        provenance: late.event.provenance,
        arrived_at: late.event.arrived_at,
        delta: late.event.quantity,
    })
}

/// Gives a statement for each closed period.
pub fn statements<'s>(
    cells: Facts<'s, Cell, Tally>,
    horizon: Facts<'s, Timestamp>,
) -> Facts<'s, Statement> {
    let cells = cells.flat_map(|cell| {
        Some(Heard::Cell { key: key(&cell), closes_at: cell.closes_at?, late: cell.late })
    });
    let cells = by_key(cells, |heard| match heard {
        Heard::Cell { key, .. } => mix(&[key.account.0, key.product.0]),
        Heard::Horizon(_) => 0,
    });
    let unit = Tally { events: 1, quantity: 0 };
    let horizon = everywhere(horizon.map(Heard::Horizon).explode(move |row| Some((row, unit))));
    let mut state = State { horizon: Timestamp::MIN, ..State::default() };
    each_epoch(cells.concat(horizon), "Statements", move |updates, changes| {
        state.step(updates, changes);
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
    fn step(&mut self, updates: Updates<Heard, Tally>, changes: &mut Updates<Statement>) {
        let mut dirty: BTreeSet<(PositionKey, Timestamp)> = BTreeSet::new();
        for (heard, tally) in updates {
            match heard {
                Heard::Cell { key, closes_at, late } => {
                    let sums = self.sums.entry((key, closes_at)).or_default();
                    sums.events += tally.events;
                    if late {
                        sums.late += tally.quantity;
                    } else {
                        sums.issued += tally.quantity;
                    }
                    self.open.entry(closes_at).or_default().insert(key);
                    dirty.insert((key, closes_at));
                }
                Heard::Horizon(at) if tally.events > 0 => self.horizon = self.horizon.max(at),
                Heard::Horizon(_) => {}
            }
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
