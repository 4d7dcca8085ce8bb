//! The journal on a disk that loses power, tears writes, fails, fills up and rots.

mod noise;
mod content;
mod disk;
mod lanes;
mod mutant;
mod model;
mod history;

pub(crate) use disk::{Disk, Faults};
pub(crate) use history::{Mode, Outcome, run, run_short};
pub(crate) use mutant::Mutation;
