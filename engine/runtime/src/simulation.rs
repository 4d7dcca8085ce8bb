//! Connectors, engine and journal together on a simulated disk, network and clock, all by one seed.
//!
//! ```text
//!  client ─► frames ─► network ─► conversation ─► intake ─► sequencer ─► log ─► journal ─► disk
//!    ▲                                                          │                            │
//!    └── ack, sealed, resume ◄──────────── what counts ◄────────┘      recovery, snapshot ◄──┘
//! ```
//!
//! All of it is the product's own code; only threads, sockets, clock and workers are played by others, in
//! one thread. Whatever happens and whenever: nothing that was acknowledged is lost, nothing counts twice,
//! a connector is asked for exactly what is missing, an older process of a source stays fenced, an epoch
//! that was published is the same again, and when nothing goes wrong any more everything is counted.
//!
//! The long form: `just simulate-engine` (`many.rs`). A run that fails says its seed, and does the same again.

pub(crate) mod storage;
mod time;
mod truth;
mod flaw;
mod network;
mod ear;
mod machine;
mod outcome;
mod fault;
mod world;
mod process;
mod run;
mod whole;
mod tests;
mod many;
