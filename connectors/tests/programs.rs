//! The connector programs as their users run them, against an engine's end that follows a script.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test and what it is made of fail by panicking"
)]

#[path = "programs/engine.rs"]
mod engine;
#[path = "programs/run.rs"]
mod run;
#[path = "programs/flexnet.rs"]
mod flexnet;
#[path = "programs/files.rs"]
mod files;
#[path = "programs/secured.rs"]
mod secured;
