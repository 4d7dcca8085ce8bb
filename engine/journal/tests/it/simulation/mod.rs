//! The journal on a disk that loses power, tears writes, fails, fills up and rots.

mod noise;
mod content;
mod faults;
mod disk;
mod file;
mod lanes;
mod sealing;
mod mutant;
mod model;
mod outcome;
mod history;

pub(crate) use disk::Disk;
pub(crate) use faults::Faults;
pub(crate) use history::{run, run_short};
pub(crate) use mutant::Mutation;
pub(crate) use outcome::{Mode, Outcome};
pub(crate) use sealing::Sealing;
