//! The journal from outside: on a disk of the machine, and on a simulated one that behaves badly.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod simulation;
mod format;
mod directory;
mod kill;
mod crash;
mod histories;
mod mutants;
mod golden;
mod fuzz;
mod snapshot;
mod inspect;
mod backup;
mod sealed;
