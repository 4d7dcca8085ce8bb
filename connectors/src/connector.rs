//! Connector programs: sources, formats and the client put together, and what all of them share.
//!
//! A program reads the position that the engine has of its source, sends what is new, and marks how far
//! it came; so either side may stop and start at any time. What is told again has the same identity
//! and counts once. The programs in `bin` only parse their arguments and call [`flexnet::run`] or
//! [`files::run`].

pub mod args;
pub mod exit;
pub mod flexnet;
pub mod files;
mod delivery;
mod documents;
mod position;
pub mod progress;
mod report;
mod signals;

pub use exit::{Exit, Failure, ended};
