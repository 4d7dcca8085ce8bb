//! What events come to: counted anew where their meaning changed, told to those who asked, and added up
//! over all who used something.

use super::{Asked, Cell, Late, Reading, Slice, Told};
use crate::Diff;
use crate::epochs::{ROOM_KEPT, Updates};
use crate::tally::Tally;
use differential_dataflow::difference::{IsZero as _, Semigroup as _};
use trueup_model::hash::IdMap;

/// What is counted anew in an epoch: most of it comes where it went.
#[derive(Default)]
pub(super) struct Recount {
    cells: IdMap<Cell, Tally>,
    late: IdMap<Late, Diff>,
    readings: IdMap<Reading, Diff>,
}

impl Recount {
    pub(super) fn add(&mut self, counted: Counted, diff: Diff) {
        let Counted { cell, tally, late, reading } = counted;
        self.cells.entry(cell).or_default().plus_equals(&tally);
        if let Some(late) = late {
            *self.late.entry(late).or_default() += diff;
        }
        if let Some(reading) = reading {
            *self.readings.entry(reading).or_default() += diff;
        }
    }

    /// Gives what differs from before, and keeps nothing.
    pub(super) fn give(self, told: &mut Told) {
        told.0.extend(self.cells.into_iter().filter(|(_, tally)| !tally.is_zero()));
        told.2.extend(self.late.into_iter().filter(|(_, diff)| *diff != 0));
        for (reading, diff) in self.readings.into_iter().filter(|(_, diff)| *diff != 0) {
            tell(reading, diff, &mut told.3);
        }
    }
}

/// What one event comes to.
pub(super) struct Counted {
    pub(super) cell: Cell,
    pub(super) tally: Tally,
    pub(super) late: Option<Late>,
    pub(super) reading: Option<Reading>,
}

/// Tells a reading to those who asked for it.
#[inline]
pub(super) fn tell(reading: Reading, diff: Diff, told: &mut [Updates<Reading>; 4]) {
    let Asked { maximum, latest, unique, ledger, holders } = reading.asked;
    let asks = [maximum || latest, unique, ledger, holders];
    for (list, _) in told.iter_mut().zip(asks).filter(|(_, asks)| *asks) {
        list.push((reading, diff));
    }
}

/// Adds up the cells of an epoch over all who used them.
pub(super) fn slice(
    cells: &Updates<Cell, Tally>,
    slices: &mut IdMap<Slice, Tally>,
    told: &mut Updates<Slice, Tally>,
) {
    for (cell, tally) in cells {
        slices.entry(Slice::of(cell)).or_default().plus_equals(tally);
    }
    let room = slices.len().max(ROOM_KEPT);
    told.extend(slices.drain().filter(|(_, tally)| !tally.is_zero()));
    slices.shrink_to(room);
}
