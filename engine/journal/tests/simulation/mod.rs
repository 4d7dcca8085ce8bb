//! The journal on a disk that loses power, tears writes, fails, fills up and rots.

mod noise;
mod content;
mod disk;

pub(crate) use disk::{Disk, Faults};
pub(crate) use noise::Noise;
