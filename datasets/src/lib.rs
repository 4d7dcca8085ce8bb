//! Generated worlds of license telemetry and contracts, with their right answers; and a small one
//! that is committed, for a demonstration.
//!
//! A world is made from a seed. First come people, machines, servers and purchases; then what people
//! want is run through the license servers, which grant, refuse, queue and die as real ones do; then
//! every file is written from that truth, with the traps of real files; and the right answers are
//! computed from the same truth by plain loops, never from the files. The same seed gives the same
//! bytes on every machine: nothing here reads a clock, the environment or the operating system's
//! randomness, and no number is a floating-point one.
//!
//! Read `scenario.rs` first, then `world.rs`, `sessions.rs`, `flexnet_log.rs`, `truth.rs`.

pub mod scenario;
pub mod world;
pub mod population;
pub mod server;
pub mod sessions;
pub mod license_file;
pub mod flexnet_log;
pub mod lmstat;
pub mod tables;
pub mod truth;
pub mod expected;
pub mod traps;
pub mod wall;
pub mod workload;
pub mod random;
mod demo_set;

pub use demo_set::{DEMO_EXPECTED, DEMO_README, demo};

#[cfg(test)]
mod testing;
