//! Which events are counted: those up to the horizon.
//!
//! Until there is one, events are kept where they will stay, and nothing is counted; then all are, subject by subject.
//! Those beyond it wait, and are not kept among the others.

use super::recount::{Counted, tell};
use super::{Cell, State, Told};
use crate::Diff;
use crate::numbered::Event;
use crate::tally::Tally;
use differential_dataflow::difference::{IsZero as _, Semigroup as _};
use trueup_model::hash::IdMap;
use trueup_model::time::Timestamp;

impl State {
    /// Counts all events if there is a horizon for the first time, and has those beyond it wait.
    pub(super) fn begin(&mut self, told: &mut Told) {
        let Self { entries, horizon, beyond, cutter, .. } = self;
        if cutter.counts || *horizon == Timestamp::MIN {
            return;
        }
        cutter.counts = true;
        let mut cells: IdMap<Cell, Tally> = IdMap::default();
        for (number, entry) in (0_u32..).zip(entries.iter_mut()) {
            for (event, diff) in entry.events.take_beyond(number, *horizon) {
                beyond.add(event.at, event, diff);
            }
            for (event, diff) in entry.events.all(number) {
                let Some(counted) = cutter.count(&event, entry, diff) else { continue };
                let Counted { cell, tally, late, reading } = counted;
                cells.entry(cell).or_default().plus_equals(&tally);
                told.2.extend(late.map(|late| (late, diff)));
                if let Some(reading) = reading {
                    tell(reading, diff, &mut told.3);
                }
            }
            told.0.extend(cells.drain().filter(|(_, tally)| !tally.is_zero()));
        }
    }

    /// Takes in an event that comes or goes.
    #[inline]
    pub(super) fn take(&mut self, event: &Event, diff: Diff, told: &mut Told) {
        if !self.cutter.counts {
            if let Some(entry) = self.entries.get_mut(event.subject as usize) {
                entry.events.keep(event, diff);
            }
        } else if event.at <= self.horizon {
            self.count(event, diff, told);
        } else {
            self.beyond.add(event.at, *event, diff);
        }
    }

    /// Counts what waited and is due now. What was replaced in the meantime comes and goes.
    pub(super) fn pass(&mut self, told: &mut Told) {
        while let Some((event, diff)) = self.beyond.first(self.horizon) {
            self.count(&event, diff, told);
        }
    }
}

#[cfg(test)]
mod tests;
