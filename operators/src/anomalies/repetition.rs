//! Documents that repeat themselves a great deal.
//!
//! rate(d) = repetitions(d) / (repetitions(d) + facts(d))
//!
//! over the facts that were first read in document d. A repetition counts nothing; many of them say
//! that a connector delivers twice, or that copies of one log are fed.
//!
//! Work per change: one count.

use crate::dedupe::{Known, Repeated};
use crate::epochs::{Came, Updates, by_key, each_epoch};
use crate::reconcile::{counted, plain};
use crate::volume::Metered;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::hash::{IdMap, mix};
use trueup_model::id::{Id, NameKind, TenantId};

/// Where something was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Place {
    tenant: TenantId,
    document: Id,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Heard {
    place: Place,
    again: bool,
}

/// Finds the documents of which more than `percent` of what they say is repetition.
pub(super) fn repetition<'s>(
    known: Facts<'s, Known>,
    metered: Facts<'s, Metered>,
    repeated: Facts<'s, Repeated>,
    percent: u8,
) -> Facts<'s, Discrepancy> {
    let said = known.map(|row| Heard {
        place: Place { tenant: row.tenant, document: row.provenance.document },
        again: false,
    });
    let added = metered.map(|row| Heard {
        place: Place { tenant: row.subject.tenant, document: row.provenance.document },
        again: false,
    });
    let again = repeated.map(|row| Heard {
        place: Place { tenant: row.tenant, document: row.document },
        again: true,
    });
    let heard = by_key(said.concatenate([added, again]), |heard| mix(&[heard.place.document.0]));
    let mut state = State { percent: i128::from(percent), places: IdMap::default() };
    each_epoch(heard, "Anomalies: repetition", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

/// How much a document says, and how much of it again.
#[derive(Default)]
struct Count {
    facts: Diff,
    repetitions: Diff,
    given: Option<Discrepancy>,
}

struct State {
    percent: i128,
    places: IdMap<Place, Count>,
}

impl State {
    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<Discrepancy>) {
        let mut dirty: BTreeSet<Place> = BTreeSet::new();
        for (heard, diff) in updates {
            let count = self.places.entry(heard.place).or_default();
            if heard.again {
                count.repetitions += diff;
            } else {
                count.facts += diff;
            }
            dirty.insert(heard.place);
        }
        for place in dirty {
            let Some(count) = self.places.get_mut(&place) else { continue };
            let all = (count.facts + count.repetitions) as i128;
            let high = count.repetitions as i128 * 100 > self.percent * all;
            let now = high.then(|| Discrepancy {
                subject: Some((NameKind::Document, place.document)),
                magnitude: counted(count.repetitions),
                ..plain(DiscrepancyKind::DuplicateRateHigh, place.tenant)
            });
            if count.given != now {
                changes.extend(count.given.map(|old| (old, -1)));
                changes.extend(now.map(|new| (new, 1)));
                count.given = now;
            }
            if count.facts == 0 && count.repetitions == 0 {
                self.places.remove(&place);
            }
        }
    }
}
