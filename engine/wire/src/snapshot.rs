//! The records of a snapshot: their kinds and contents. `engine/runtime/FORMAT.md` draws them.

use crate::record::{self, ConversationId, put_text, text};
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::id::{AccountId, ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::position::{IssuedPosition, PositionFigures, PositionKey, PositionState};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};

/// Epoch, record and horizon.
pub const HEAD: u8 = 1;
/// A tenant: what follows is of it.
pub const TENANT: u8 = 2;
/// Names of the tenant.
pub const NAMES: u8 = 3;
/// How far a source has come.
pub const SOURCE: u8 = 4;
/// A conversation whose batches may follow in the journal.
pub const TALK: u8 = 5;
/// What was issued of a position.
pub const ISSUED: u8 = 6;
/// Facts of the tenant, and how often each was said.
pub const FACTS: u8 = 7;

/// A fact that is left out.
pub const LEFT_OUT: u8 = 8;
/// What was published up to the epoch.
pub const PUBLISHED: u8 = 9;

/// The units of periods by their numbers.
const UNITS: [PeriodUnit; 7] = [
    PeriodUnit::Minute,
    PeriodUnit::Hour,
    PeriodUnit::Day,
    PeriodUnit::Month,
    PeriodUnit::Quarter,
    PeriodUnit::Year,
    PeriodUnit::All,
];

/// The states of positions by their numbers.
const STATES: [PositionState; 10] = [
    PositionState::Covered,
    PositionState::Near,
    PositionState::PassedUp,
    PositionState::CapacityUnknown,
    PositionState::WithinOverdraft,
    PositionState::InGrace,
    PositionState::Over,
    PositionState::TrialEnded,
    PositionState::Expired,
    PositionState::Unlicensed,
];

/// Up to where a snapshot goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last epoch.
    pub epoch: u64,
    /// The last record.
    pub through: u64,
    /// The horizon, if there is one.
    pub horizon: Option<Timestamp>,
}

impl Head {
    /// The head as it is kept.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [self.epoch, self.through] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend(self.horizon.iter().flat_map(|at| at.0.to_le_bytes()));
        bytes
    }

    /// The head of these bytes.
    pub fn decode(content: &[u8]) -> Option<Self> {
        let (epoch, rest) = record::number(content)?;
        let (through, rest) = record::number(rest)?;
        let horizon = match rest {
            [] => None,
            [..] => Some(record::horizon(rest)?),
        };
        Some(Self { epoch, through, horizon })
    }
}

/// How far a source has come, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceState<'a> {
    /// Whose it is.
    pub tenant: &'a str,
    /// The source.
    pub source: &'a str,
    /// The greatest generation that was welcomed.
    pub generation: u64,
    /// Its newest conversation.
    pub conversation: ConversationId,
    /// The last batch.
    pub sequence: u64,
    /// The last position that came with a batch.
    pub position: &'a [u8],
}

impl<'a> SourceState<'a> {
    /// The state as it is kept.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [self.conversation, self.generation, self.sequence] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        put_text(self.tenant, &mut bytes);
        put_text(self.source, &mut bytes);
        bytes.extend_from_slice(self.position);
        bytes
    }

    /// The state of these bytes.
    pub fn decode(content: &'a [u8]) -> Option<Self> {
        let (conversation, rest) = record::number(content)?;
        let (generation, rest) = record::number(rest)?;
        let (sequence, rest) = record::number(rest)?;
        let (tenant, rest) = text(rest)?;
        let (source, position) = text(rest)?;
        Some(Self { tenant, source, generation, conversation, sequence, position })
    }
}

/// The bytes of an issued position.
const ISSUED_BYTES: usize = 80;

/// An issued position as bytes. What is true now is not written: it follows from the facts.
pub fn encode_issued(row: &IssuedPosition) -> Vec<u8> {
    let PositionKey { tenant, account, product, metric, period } = row.key;
    let PositionFigures { entitled, peak, shortfall, state } = row.issued;
    let unit = UNITS.iter().position(|unit| *unit == period.unit).unwrap_or_default();
    let state = STATES.iter().position(|known| *known == state).unwrap_or_default();
    let (kind, quantity) = match entitled {
        Capacity::Limited(quantity) => (0, quantity.0),
        Capacity::Unlimited => (1, 0),
        Capacity::Unknown => (2, 0),
    };
    let small = |index: usize| u8::try_from(index).unwrap_or(u8::MAX);
    let mut bytes = Vec::with_capacity(ISSUED_BYTES);
    bytes.extend_from_slice(&[metric.code(), small(unit), small(state), kind, 0, 0, 0, 0]);
    for id in [tenant.0, account.0, product.0] {
        bytes.extend_from_slice(&id.to_le_bytes());
    }
    for number in
        [period.span.start.0, period.span.end.0, row.closed_at.0, quantity, peak.0, shortfall.0]
    {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// The issued position of these bytes.
pub fn decode_issued(bytes: &[u8]) -> Option<IssuedPosition> {
    let (codes, rest) = bytes.split_first_chunk::<8>()?;
    let (words, tail) = rest.as_chunks::<8>();
    let words: [[u8; 8]; 9] = words.try_into().ok()?;
    if !tail.is_empty() {
        return None;
    }
    let [tenant, account, product, ..] = words.map(u64::from_le_bytes);
    let [.., start, end, closed_at, quantity, peak, shortfall] = words.map(i64::from_le_bytes);
    let [metric, unit, state, kind, ..] = *codes;
    let entitled = match kind {
        0 => Capacity::Limited(Quantity(quantity)),
        1 => Capacity::Unlimited,
        2 => Capacity::Unknown,
        _ => return None,
    };
    let unit = *UNITS.get(usize::from(unit))?;
    let span = Span { start: Timestamp(start), end: Timestamp(end) };
    let issued = PositionFigures {
        entitled,
        peak: Quantity(peak),
        shortfall: Quantity(shortfall),
        state: *STATES.get(usize::from(state))?,
    };
    let key = PositionKey {
        tenant: TenantId(tenant),
        account: AccountId(account),
        product: ProductId(product),
        metric: Metric::from_code(metric)?,
        period: Period { unit, span },
    };
    let restated = PositionFigures::NOTHING;
    Some(IssuedPosition { key, closed_at: Timestamp(closed_at), issued, restated })
}

#[cfg(test)]
mod tests {
    use super::{Head, SourceState};
    use trueup_model::time::Timestamp;

    #[test]
    fn a_head_comes_back_as_it_went_and_no_part_of_it_does() {
        for horizon in [None, Some(Timestamp(-7))] {
            let head = Head { epoch: 3, through: u64::MAX, horizon };
            let bytes = head.encode();
            assert_eq!(Head::decode(&bytes), Some(head));
            // A horizon that is missing as a whole is none.
            for end in (0..bytes.len()).filter(|end| *end != 16) {
                assert_eq!(Head::decode(&bytes[..end]), None, "{end}");
            }
            let longer = [bytes.as_slice(), b"x"].concat();
            assert_eq!(Head::decode(&longer), None);
        }
    }

    #[test]
    fn the_state_of_a_source_comes_back_as_it_went() {
        let state = SourceState {
            tenant: "campus",
            source: "logs",
            generation: 4,
            conversation: 9,
            sequence: 12,
            position: b"line 10",
        };
        let bytes = state.encode();
        assert_eq!(SourceState::decode(&bytes), Some(state));
        let least = bytes.len() - state.position.len();
        for end in 0..least {
            assert_eq!(SourceState::decode(&bytes[..end]), None, "{end}");
        }
        assert_eq!(
            SourceState::decode(&bytes[..least]),
            Some(SourceState { position: b"", ..state })
        );
    }
}
