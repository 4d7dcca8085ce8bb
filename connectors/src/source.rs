//! Sources: how bytes arrive, whatever they mean.

pub mod file;
pub mod follow;
