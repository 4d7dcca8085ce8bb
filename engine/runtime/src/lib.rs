//! The engine at run time: orders input, runs the workers, keeps the views.
//!
//! Owns epochs, worker threads and published answers. May use the model, the policy, the wire, the
//! journal, the operators and the dataflow libraries; knows no HTTP and no command line. Read
//! `engine.rs` first, then follow a fact: `conversation.rs`, `intake.rs`, `sequencer.rs`, `log.rs`,
//! `cluster.rs`, `dataflow.rs`, `changes.rs`, `publisher.rs`, `chain.rs`, `view.rs`. `front.rs` is what
//! stands before the workers by itself, for whoever measures it.

pub mod engine;
pub mod settings;
pub mod memory;
pub mod intake;
pub mod conversation;
mod sources;
mod log;
mod pace;
pub(crate) mod sequencer;
pub mod recovery;
mod snapshot;
pub mod chain;
pub mod publisher;
pub mod mesh;
mod thread;
pub mod cluster;
pub(crate) mod dataflow;
#[cfg(feature = "poison")]
mod poison;
pub mod changes;
pub mod health;
pub mod suspects;
pub mod inspect;
pub mod backup;
pub mod measures;
pub mod view;
pub mod explain;
pub mod front;
pub mod clock;
pub mod error;

#[cfg(test)]
mod simulation;
