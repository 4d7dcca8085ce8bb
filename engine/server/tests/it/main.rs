//! The program as people run it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod asking;
mod cluster;
mod backup;
mod commands;
#[expect(dead_code, reason = "some of it is for other tests")]
mod host;
mod memory;
mod mend;
mod network;
mod published;
mod sealed;
mod secured;
mod support;
