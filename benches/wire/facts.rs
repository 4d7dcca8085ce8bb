//! Facts as one license server's log and one meter give them: rising instants, a few hundred names, no rare
//! fields.

use trueup_model::fact::{Action, Body, Fact, FactId, Provenance};
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;
use trueup_model::usage::{SessionEvent, SessionKind, SessionReason, UsageEvent, UsageOp};
use trueup_wire::Code;

/// Facts in a batch: what a connector sends under load.
pub(crate) const RECORDS: u64 = 8192;
/// Names that the facts use.
pub(crate) const CODES: u32 = 1000;

/// The `index`-th number of a fixed stream.
fn number(index: u64) -> u64 {
    let mixed = (index ^ index >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}

fn code(index: u64, column: u64) -> Code {
    let spread = number(index * 8 + column) % u64::from(CODES);
    Code(u32::try_from(spread).unwrap_or(0))
}

fn at(index: u64) -> Timestamp {
    Timestamp(1_750_000_000_000_000 + (index / 4).cast_signed() * 1_000_000)
}

fn fact(index: u64, body: Body<Code>) -> Fact<Code> {
    Fact {
        id: FactId(u128::from(number(index)) << 64 | u128::from(number(!index))),
        revision: 0,
        arrived_at: Timestamp(1_750_003_600_000_000),
        provenance: Provenance { document: Code(0), position: index + 1 },
        document: None,
        action: Action::Assert(body),
    }
}

pub(crate) fn session(index: u64) -> Fact<Code> {
    let kind = if index.is_multiple_of(2) { SessionKind::Open } else { SessionKind::Close };
    let rank = u32::try_from(index % 4).unwrap_or(0);
    fact(
        index,
        Body::Session(SessionEvent {
            at: at(index),
            rank,
            kind,
            reason: SessionReason::None,
            server: Code(1),
            product: code(index, 0),
            user: code(index, 1),
            device: code(index, 2),
            display: None,
            vendor_data: None,
            project: None,
            version: None,
            handle: None,
            count: 1,
            until: None,
        }),
    )
}

pub(crate) fn usage(index: u64) -> Fact<Code> {
    fact(
        index,
        Body::Usage(UsageEvent {
            at: at(index),
            product: code(index, 0),
            account: Some(code(index, 1)),
            user: None,
            device: None,
            quantity: Quantity::units((number(index) % 100).cast_signed()),
            op: UsageOp::Add,
        }),
    )
}
