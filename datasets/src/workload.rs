//! Endless streams of facts for measuring: the same seed gives the same facts, one after the other.
//!
//! A workload's names are numbers, so that drawing a fact costs far less than taking it in; [`name`]
//! says how a number is written. What it sends is skewed, late, repeated and withdrawn as telemetry
//! is, in known shares.

pub mod bounded;
pub mod checkouts;
pub mod contracts;
pub mod reconciliation;
pub mod telemetry;
mod zipf;

use trueup_model::fact::{Action, Fact, FactId, Provenance};
use trueup_model::id::NameKind;
use trueup_model::time::Timestamp;

/// The tenant of every workload.
pub const TENANT: &str = "load";

/// When the events of every workload begin: 10 March 2026.
const BEGIN: Timestamp = Timestamp(1_773_100_800_000_000);

/// How a workload's name is written.
pub fn name(kind: NameKind, number: u32) -> String {
    let letter = match kind {
        NameKind::Source => "f",
        NameKind::Product => "p",
        NameKind::User => "u",
        NameKind::Device => "d",
        NameKind::Account => "a",
        NameKind::Server => "s",
        NameKind::Line => "l",
        NameKind::Contract => "c",
        NameKind::Document => "x",
        NameKind::Text => "t",
    };
    format!("{letter}{number}")
}

/// The fact of a number.
fn fact(number: u64, arrived_at: Timestamp, action: Action<u32>) -> Fact<u32> {
    // Identities are hashes elsewhere: spread like one, and different for every number.
    let mixed = |word: u64| {
        let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    };
    let id = FactId(u128::from(mixed(!number)) << 64 | u128::from(mixed(number)));
    let provenance = Provenance { document: 0, position: number };
    Fact { id, revision: 0, arrived_at, provenance, document: None, action }
}
