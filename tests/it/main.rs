//! The system from outside: scripts that a person can check, and generated worlds against the oracle.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::shadow_unrelated,
    reason = "a test fails by panicking, and reads like a script"
)]

mod positions;
mod semantics;
mod oracle;
mod metamorphic;
mod cost;
mod cases;
mod demo;
mod durable;
mod figures;
mod foreign;
mod growing;
mod hostile;
mod tidy;
mod updates;
