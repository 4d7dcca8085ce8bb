//! What had been published before the engine began, as its journal and snapshot say, compared with what is
//! computed again.
//!
//! A link of the same lineage must be the same. One of other rules or another build may differ, which is said.
//! What was published before a fact was left out, or before someone accepted a difference, is not compared.

use super::Link;
use std::collections::BTreeMap;
use trueup_journal::{Record, RecordKind};
use trueup_operators::Epoch;
use trueup_wire::record;

/// How an epoch compares with what had been published of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// Nothing is known of that.
    Unknown,
    /// It is the same.
    Same,
    /// It was published under other rules or by another build, and was something else.
    Other,
    /// It is something else, and must be the same; what of it.
    Differs(&'static str),
}

/// Links from before, by their epochs.
#[derive(Debug, Default)]
pub(crate) struct Before {
    links: BTreeMap<Epoch, Link>,
    /// Those of which only totals are still to be compared.
    totals: BTreeMap<Epoch, Link>,
    /// The last epoch in which it was said that what came before may differ.
    loosened: Option<Epoch>,
}

impl Before {
    /// Notes what a record of the journal says; records come in their order.
    pub(crate) fn note(&mut self, record: &Record<'_>) {
        match record.kind {
            RecordKind::Data(record::PUBLISHED) => {
                // One that makes no sense is refused when it is read back.
                if let Some(link) = Link::decode(record.content) {
                    self.links.insert(link.epoch, link);
                }
            }
            RecordKind::Data(record::LEFT_OUT | record::ACCEPTED) => {
                self.links.clear();
                self.loosened = Some(record.epoch);
            }
            RecordKind::Data(_) | RecordKind::EpochClose => {}
        }
    }

    /// Notes what a snapshot says of its epoch; of those before it nothing can be compared.
    pub(super) fn note_snapshot(&mut self, link: Link) {
        self.links = self.links.split_off(&link.epoch);
        if self.loosened.is_none_or(|loosened| loosened <= link.epoch) {
            // A snapshot that was taken before totals of its epoch were there knows nothing of them; the journal may.
            let known = self
                .links
                .get(&link.epoch)
                .filter(|known| (known.lineage, known.chain) == (link.lineage, link.chain));
            let totals = link.totals.or(known.and_then(|known| known.totals));
            self.links.insert(link.epoch, Link { totals, ..link });
        }
    }

    /// Compares an epoch that was computed, but for its totals.
    pub(super) fn compare(&mut self, now: &Link) -> Compared {
        let Some(before) = self.links.remove(&now.epoch) else { return Compared::Unknown };
        if before.totals.is_some() {
            self.totals.insert(before.epoch, before);
        }
        let is_same_lineage = before.lineage == now.lineage;
        match before.views == now.views {
            false if is_same_lineage => Compared::Differs("answers"),
            false => Compared::Other,
            true if is_same_lineage && before.chain != now.chain => {
                Compared::Differs("answers in an epoch before it")
            }
            true => Compared::Same,
        }
    }

    /// Compares the totals of an epoch that was compared; what was known of those before it is of no use any more.
    pub(super) fn compare_totals(&mut self, now: &Link) -> Compared {
        self.totals = self.totals.split_off(&now.epoch);
        match self.totals.remove(&now.epoch) {
            None => Compared::Unknown,
            Some(before) if before.totals == now.totals => Compared::Same,
            Some(before) if before.lineage == now.lineage => Compared::Differs("totals"),
            Some(_) => Compared::Other,
        }
    }
}
