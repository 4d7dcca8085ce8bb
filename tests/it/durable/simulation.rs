//! The simulated disk of the journal's own tests.
#![expect(dead_code, reason = "the journal's tests use all of it")]

#[path = "../../../engine/journal/tests/it/simulation/noise.rs"]
mod noise;
#[path = "../../../engine/journal/tests/it/simulation/content.rs"]
mod content;
#[path = "../../../engine/journal/tests/it/simulation/faults.rs"]
mod faults;
#[path = "../../../engine/journal/tests/it/simulation/disk.rs"]
mod disk;
#[path = "../../../engine/journal/tests/it/simulation/file.rs"]
mod file;
#[path = "../../../engine/journal/tests/it/simulation/lanes.rs"]
mod lanes;

pub(crate) use disk::Disk;
pub(crate) use faults::Faults;
pub(crate) use file::DiskFile;
pub(crate) use lanes::SteppedLanes;
