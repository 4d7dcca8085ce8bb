//! What the tests of the whole system share: a fixture language, generated worlds, and an oracle.
//!
//! `oracle.rs` recomputes every answer of the engine from the set of facts by definition, with plain
//! loops; `world.rs` invents facts; `script.rs` reads facts that a person wrote; `bench.rs` feeds an
//! engine epoch by epoch and compares it with the oracle. Nothing here is fast, and nothing is shared
//! with the operators but the rows that both give.
#![expect(
    clippy::wildcard_enum_match_arm,
    clippy::shadow_unrelated,
    clippy::print_stdout,
    clippy::panic,
    reason = "all of it is test code: it reads like a script, and says on the way what it skips"
)]

pub mod said;
pub mod script;
pub mod bench;
pub mod local;
pub mod kept;
pub mod show;
pub mod report;
pub mod check;
pub mod oracle;
pub mod world;
