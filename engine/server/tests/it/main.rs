//! The program as people run it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod cluster;
mod backup;
mod commands;
mod memory;
mod mend;
mod network;
mod published;
mod secured;
mod support;
