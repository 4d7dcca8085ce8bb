//! Single readings of a product, for when they are ranked anew.

use crate::Diff;
use crate::comings::Comings;
use crate::volume::Reading;
use trueup_model::fact::FactId;
use trueup_model::id::AccountId;
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;

/// What of a reading decides where it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ranking {
    pub(super) account: AccountId,
    pub(super) at: Timestamp,
    /// The fact, as two words.
    fact: [u64; 2],
    pub(super) quantity: Quantity,
}

/// The readings of a product, in no order.
#[derive(Default)]
pub(super) struct Readings {
    rows: Comings<Ranking>,
    /// How many there are.
    there: Diff,
}

impl Ranking {
    pub(super) fn of(reading: &Reading) -> Self {
        let Reading { account, at, fact, quantity, .. } = *reading;
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of the word")]
        let fact = [(fact.0 >> 64) as u64, fact.0 as u64];
        Self { account, at, fact, quantity }
    }

    pub(super) fn fact(&self) -> FactId {
        let [high, low] = self.fact;
        FactId(u128::from(high) << 64 | u128::from(low))
    }
}

impl Readings {
    pub(super) fn add(&mut self, row: Ranking, diff: Diff) {
        self.rows.add(row, diff);
        self.there += diff;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.there == 0
    }

    /// What came and went, with how often: together, each reading as often as it is there.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Ranking, Diff)> {
        self.rows.iter()
    }
}
