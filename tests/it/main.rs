//! The system from outside: scripts that a person can check, and generated worlds against the oracle.
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod positions;
mod oracle;
mod cases;
mod demo;
mod figures;
mod growing;
mod tidy;
mod updates;
