//! The records of a snapshot: their kinds and contents. `FORMAT.md` draws them.

use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::id::{AccountId, NameKind, ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::position::{IssuedPosition, PositionFigures, PositionKey, PositionState};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_wire::message::write_definitions;

/// Epoch, record and horizon.
pub(super) const HEAD: u8 = 1;
/// A tenant: what follows is of it.
pub(super) const TENANT: u8 = 2;
/// Names of the tenant.
pub(super) const NAMES: u8 = 3;
/// How far a source has come.
pub(super) const SOURCE: u8 = 4;
/// A conversation whose batches may follow in the journal.
pub(super) const TALK: u8 = 5;
/// What was issued of a position.
pub(super) const ISSUED: u8 = 6;
/// Facts of the tenant, and how often each was said.
pub(super) const FACTS: u8 = 7;

/// A fact that is left out.
pub(super) const LEFT_OUT: u8 = 8;
/// What was published up to the epoch.
pub(super) const PUBLISHED: u8 = 9;

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

/// The bytes of an issued position.
const ISSUED_BYTES: usize = 80;

/// Cuts names into frames, with codes from `first` on; gives each.
pub(super) fn frames(
    first: u32,
    names: &[(NameKind, &str)],
    mut give: impl FnMut(&[u8]) -> Result<(), super::Trouble>,
) -> Result<(), super::Trouble> {
    let mut done = 0;
    while let Some(rest) = names.get(done..).filter(|rest| !rest.is_empty()) {
        let mut bytes = Vec::new();
        let code = first.saturating_add(u32::try_from(done).unwrap_or(u32::MAX));
        let count = write_definitions(code, rest.iter().copied(), &mut bytes);
        let count = count.map_err(|error| super::Trouble::Content(error.to_string()))?;
        give(&bytes)?;
        done += usize::try_from(count).unwrap_or(usize::MAX).max(1);
    }
    Ok(())
}

/// An issued position as bytes. What is true now is not written: it follows from the facts.
pub(super) fn encode_issued(row: &IssuedPosition) -> Vec<u8> {
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
pub(super) fn decode_issued(bytes: &[u8]) -> Option<IssuedPosition> {
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
