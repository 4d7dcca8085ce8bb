//! The meaning of every number, as small scripts with right answers: one file for each subject.
//!
//! `tests/SEMANTICS.md` says which rule is shown by which test.

mod anomalies;
mod identity;
mod lifetimes;
mod processors;
mod published;
mod devices;
mod downgrades;
mod bundles;
mod seats;
mod holders;
mod pools;
mod levels;
mod peaks;
mod statements;
mod time;
mod trees;
mod allocation;
mod contracts;
mod sublicenses;
mod transfers;
mod trials;
mod standby;
mod territory;
mod credits;
mod charges;
mod fees;
mod true_up;
