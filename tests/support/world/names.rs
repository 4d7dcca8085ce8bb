//! The alphabets of generated worlds, and their grid of instants.

use proptest::prelude::*;

/// The days of the grid: around the turns of months, a change to summer time, and a year's worth of
/// reasons to be wrong.
const DAYS: [&str; 12] = [
    "2025-01-30",
    "2025-01-31",
    "2025-02-01",
    "2025-02-02",
    "2025-02-28",
    "2025-03-01",
    "2025-03-02",
    "2025-03-15",
    "2025-03-30",
    "2025-03-31",
    "2025-04-01",
    "2025-04-02",
];
/// The times of day of the grid.
const TIMES: [&str; 3] = ["00:00", "08:00", "23:00"];

/// How many instants the grid has.
pub(super) const SLOTS: u8 = 36;

pub(super) const SERVERS: [&str; 2] = ["lic1", "lic2"];
/// The last one is a suite that contains the first two.
pub(super) const FEATURES: [&str; 4] = ["APP", "CAD", "SIM", "SUITE"];
pub(super) const USERS: [&str; 3] = ["ada", "bob", "cyd"];
pub(super) const DEVICES: [&str; 3] = ["ws1", "ws2", "10.0.0.7"];
pub(super) const ACCOUNTS: [&str; 4] = ["group", "emea", "london", "paris"];
pub(super) const FAMILIES: [&str; 2] = ["tools", "apps"];
pub(super) const MASKS: [&str; 5] = ["NONE", "U", "UH", "D", "SITE"];
pub(super) const ZONES: [&str; 3] = ["UTC", "America/New_York", "Asia/Tokyo"];
pub(super) const ROLES: [&str; 4] = ["passive", "failover", "active", "test"];
/// Countries, and a territory of several.
pub(super) const TERRITORIES: [&str; 4] = ["DE", "FR", "US", "EU"];
pub(super) const UNITS: [&str; 4] = ["day", "month", "quarter", "all"];

/// An instant of the grid.
pub(super) fn slot() -> impl Strategy<Value = u8> {
    0..SLOTS
}

/// The name of an instant of the grid.
pub(super) fn instant(slot: u8) -> String {
    let slot = usize::from(slot % SLOTS);
    format!("{}T{}", DAYS[slot / TIMES.len()], TIMES[slot % TIMES.len()])
}

/// One of the names.
pub(super) fn pick<const N: usize>(names: [&str; N], index: u8) -> &str {
    names[usize::from(index) % N]
}

/// ` from A to B` for the ends that are given.
pub(super) fn between(from: Option<u8>, to: Option<u8>) -> String {
    let from = from.map(|at| format!(" from {}", instant(at))).unwrap_or_default();
    let to = to.map(|at| format!(" to {}", instant(at))).unwrap_or_default();
    from + &to
}
