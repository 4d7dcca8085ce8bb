//! The simulated disk of the journal's own tests.
#![expect(dead_code, reason = "the journal's tests use all of it")]

#[path = "../../../journal/tests/it/simulation/content.rs"]
mod content;
#[path = "../../../journal/tests/it/simulation/disk.rs"]
mod disk;
#[path = "../../../journal/tests/it/simulation/faults.rs"]
mod faults;
#[path = "../../../journal/tests/it/simulation/file.rs"]
mod file;
#[path = "../../../journal/tests/it/simulation/lanes.rs"]
mod lanes;
#[path = "../../../journal/tests/it/simulation/noise.rs"]
mod noise;

pub(crate) use disk::Disk;
pub(crate) use faults::Faults;
pub(crate) use file::DiskFile;
pub(crate) use lanes::SteppedLanes;
pub(crate) use noise::Noise;
