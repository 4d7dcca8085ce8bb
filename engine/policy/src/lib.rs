//! The rules of a tenant: how use is counted, what is worth reporting, when periods close.
//!
//! A policy is data: TOML in, a checked [`Policy`] out, with every problem of the text at once. Pure:
//! no input or output, no clock, no dataflow. Read `rules.rs` for what can be said, `parse.rs` for
//! how it is said, `diagnostic.rs` for how a mistake is reported.

pub mod rules;
pub mod pattern;
pub mod parse;
pub mod diagnostic;

pub use diagnostic::{PolicyErrors, Problem};
pub use rules::Policy;
