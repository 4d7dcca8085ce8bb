//! When what no longer counts may be forgotten.
//!
//! What was withdrawn or replaced is remembered so that it is known if it comes again. With a retention r, an
//! event that arrives more than r after it happened is set aside and never gets here; so of an identity that was
//! last heard of at h, nothing that happened before h comes after h + r. It is forgotten at h + 2r: a connector's
//! clock may be behind the engine's by as much as r. What happens after it was withdrawn, and comes so late, is
//! new.
//!
//! Work: the identities that are forgotten, in steps of bounded size or of that of the epoch.

use std::collections::BTreeMap;
use trueup_model::fact::FactId;
use trueup_model::time::Timestamp;

/// Into how many spans a retention is cut.
const SPANS: i64 = 8;
/// How many identities are forgotten in one step at most, unless more come: some milliseconds.
const STEP: usize = 1 << 14;

/// The identities with something that no longer counts, by when they were heard of.
#[derive(Debug)]
pub(super) struct Past {
    retention_us: i64,
    horizon: Timestamp,
    /// The first horizon: nothing was heard of before.
    began: Timestamp,
    /// By the start of the span in which they were heard of.
    heard: BTreeMap<Timestamp, Vec<FactId>>,
}

impl Past {
    pub(super) fn new(retention_us: i64) -> Self {
        let (horizon, began) = (Timestamp::MIN, Timestamp::MIN);
        Self { retention_us, horizon, began, heard: BTreeMap::new() }
    }

    /// The horizon moves.
    pub(super) fn pass(&mut self, at: Timestamp) {
        self.horizon = self.horizon.max(at);
        if self.began == Timestamp::MIN {
            self.began = at;
        }
    }

    fn span_us(&self) -> i64 {
        (self.retention_us / SPANS).max(1)
    }

    /// The start of the span in which the horizon lies.
    pub(super) fn now(&self) -> Timestamp {
        if self.horizon == Timestamp::MIN {
            return self.horizon;
        }
        let span = self.span_us();
        Timestamp(self.horizon.0.div_euclid(span) * span)
    }

    /// Something was heard of an identity, for the first time in this span.
    pub(super) fn add(&mut self, id: FactId) {
        self.heard.entry(self.now()).or_default().push(id);
    }

    /// Calls `gone` with identities that may be forgotten, and the span in which they were put here: up to twice as many
    /// as facts came in this step, so that those that wait become fewer however large epochs are.
    pub(super) fn forget(&mut self, came: usize, mut gone: impl FnMut(FactId, Timestamp)) {
        let mut left = STEP.max(came.saturating_mul(2));
        while left > 0 {
            let until = self.span_us().saturating_add(self.retention_us.saturating_mul(2));
            let (horizon, began) = (self.horizon, self.began);
            let Some(mut first) = self.heard.first_entry() else { return };
            let at = *first.key();
            if at.max(began).plus_us(until) > horizon {
                return;
            }
            let ids = first.get_mut();
            let taken = ids.len().saturating_sub(left);
            let now = ids.split_off(taken);
            left -= now.len();
            if ids.is_empty() {
                first.remove();
            }
            for id in now {
                gone(id, at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Past, STEP};
    use trueup_model::fact::FactId;
    use trueup_model::time::Timestamp;

    /// What waits to be forgotten would grow for ever if an epoch could bring more than one forgets.
    #[test]
    fn as_many_are_forgotten_as_an_epoch_brings_however_large_it_is() {
        let mut past = Past::new(80);
        past.pass(Timestamp(0));
        let many = 5 * STEP;
        (0..many).for_each(|id| past.add(FactId(id as u128)));
        past.pass(Timestamp(1000));
        for (came, expected) in [(0, STEP), (2 * STEP, 4 * STEP), (many, 0)] {
            let mut forgotten = 0;
            past.forget(came, |_, _| forgotten += 1);
            assert_eq!(forgotten, expected, "{came}");
        }
    }
}
