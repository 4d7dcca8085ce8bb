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
    /// Counts all events if there is a horizon now, and has those beyond it wait. Gives the horizon up to which
    /// events are counted.
    pub(super) fn begin(&mut self, told: &mut Told) -> Timestamp {
        let Self { entries, horizon, beyond, cutter, .. } = self;
        if *horizon == Timestamp::MIN {
            return *horizon;
        }
        cutter.counts = true;
        let mut cells: IdMap<Cell, Tally> = IdMap::default();
        for (number, entry) in (0_u32..).zip(entries) {
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
        *horizon
    }

    /// Takes in an event that comes or goes, up to a horizon that has passed whatever waits.
    #[inline]
    pub(super) fn take(&mut self, event: Event, diff: Diff, horizon: Timestamp, told: &mut Told) {
        if !self.cutter.counts {
            if let Some(entry) = self.entries.get_mut(event.subject as usize) {
                entry.events.keep(&event, diff);
            }
        } else if event.at <= horizon {
            self.count(&event, diff, told);
        } else {
            self.beyond.add(event.at, event, diff);
        }
    }

    /// Counts what waited, if the horizon has moved.
    pub(super) fn pass(&mut self, before: Timestamp, told: &mut Told) {
        if before == self.horizon {
            return;
        }
        let passed: Vec<(Event, Diff)> = self.beyond.pass(self.horizon).collect();
        for (event, diff) in passed {
            self.count(&event, diff, told);
        }
    }
}

#[cfg(test)]
mod tests;
