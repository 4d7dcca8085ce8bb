//! The committed demo set, compiled in.
//!
//! It is what `trueup-generate --scenario demo --seed 1 --out datasets/files/demo` writes; a test
//! makes it again and compares every byte.

/// Pairs names with the content of the committed files of these names.
macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_bytes!(concat!("../files/demo/", $name)))),*]
    };
}

/// The files that a connector reads, in the order in which the right answers list them.
const DEMO: &[(&str, &[u8])] = files![
    "meridvd-2026-02-16.log"
    "meridvd-2026-02-23.log"
    "meridvd-2026-03-02.log"
    "meridvd-1.lic"
    "meridvd-2.lic"
    "meridvd-2026-03-06-1030.lmstat"
    "aurovd-2026-02-16.log"
    "aurovd.lic"
    "aurovd-2026-03-06-1030.lmstat"
    "accounts.csv"
    "memberships.csv"
    "aliases.csv"
    "products.csv"
    "purchases.csv"
    "seats.csv"
    "usage.csv"
];

/// The right answers of the demo set, as JSON.
pub const DEMO_EXPECTED: &[u8] = include_bytes!("../files/demo/expected.json");

/// What happened in the demo set and what there is to find, for people.
pub const DEMO_README: &str = include_str!("../files/demo/README.md");

/// The demo set: file names with their content.
///
/// What each file is, and what must be known to read it (zone, daemon, order, since when it holds),
/// stands in [`DEMO_EXPECTED`] under `given.files`, in the same order.
pub fn demo() -> &'static [(&'static str, &'static [u8])] {
    DEMO
}

#[cfg(test)]
mod tests;
