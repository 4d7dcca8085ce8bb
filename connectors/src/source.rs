//! Sources: how bytes arrive, whatever they mean.

pub mod file;
pub mod follow;
pub mod rotated;
pub mod watch;
pub mod command;
