//! Metered events up to the horizon: what lies beyond it waits.
//!
//! due = { event : event.at ≤ horizon }
//!
//! The horizon never goes back, so an event that is due stays due. Connectors deliver events after they
//! happened; the few whose clocks run ahead wait here until the horizon has passed them, so that no
//! figure contains what lies beyond its own `as_of`.
//!
//! Work per change: the event; when the horizon moves, the events that it passed.

use crate::epochs::{Updates, each_epoch, everywhere};
use crate::volume::Metered;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use timely::dataflow::operators::Concat as _;
use trueup_model::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Event(Metered),
    Horizon(Timestamp),
}

/// Lets through what is due.
pub fn due<'s>(events: Facts<'s, Metered>, horizon: Facts<'s, Timestamp>) -> Facts<'s, Metered> {
    let events = events.map(Heard::Event).inner;
    let horizon = everywhere(horizon.map(Heard::Horizon));
    let mut state = State { horizon: Timestamp::MIN, waiting: BTreeMap::new() };
    each_epoch(events.concat(horizon), "Due", move |updates, changes| state.step(updates, changes))
        .as_collection()
}

struct State {
    horizon: Timestamp,
    waiting: BTreeMap<(Timestamp, Metered), Diff>,
}

impl State {
    fn step(&mut self, updates: Updates<Heard>, changes: &mut Updates<Metered>) {
        for (heard, diff) in &updates {
            if let (Heard::Horizon(at), 1) = (heard, *diff) {
                self.horizon = self.horizon.max(*at);
            }
        }
        for (heard, diff) in updates {
            let Heard::Event(event) = heard else { continue };
            if event.at <= self.horizon {
                changes.push((event, diff));
            } else {
                *self.waiting.entry((event.at, event)).or_default() += diff;
            }
        }
        while let Some(first) = self.waiting.first_entry() {
            if first.key().0 > self.horizon {
                break;
            }
            let ((_, event), count) = first.remove_entry();
            changes.push((event, count));
        }
        self.waiting.retain(|_, count| *count != 0);
    }
}
