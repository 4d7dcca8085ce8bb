//! A disk whose syncs return when a test lets them.

use super::simulation::{Disk, DiskFile, SteppedLanes};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use trueup_journal::lanes::{Done, Job};
use trueup_journal::{Lanes, Storage};

/// A disk that says nothing of groups until it is opened, unless someone waits for them.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(crate) disk: Disk,
    open: Arc<AtomicBool>,
}

impl Gate {
    /// A gate that is closed.
    pub(crate) fn new(disk: Disk) -> Self {
        Self { disk, open: Arc::default() }
    }

    /// Lets syncs return.
    pub(crate) fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }
}

/// Lanes behind a gate.
#[derive(Debug)]
pub(crate) struct GateLanes {
    lanes: SteppedLanes<DiskFile>,
    open: Arc<AtomicBool>,
}

impl Lanes<DiskFile> for GateLanes {
    fn send(&mut self, job: Job<DiskFile>) {
        self.lanes.send(job);
    }

    fn receive(&mut self, wait: bool) -> Option<Done<DiskFile>> {
        let may = wait || self.open.load(Ordering::SeqCst);
        if may { self.lanes.receive(wait) } else { None }
    }
}

impl Storage for Gate {
    type File = DiskFile;
    type Lanes = GateLanes;

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn create(&self, name: &str) -> io::Result<DiskFile> {
        self.disk.create(name)
    }

    fn open(&self, name: &str) -> io::Result<DiskFile> {
        self.disk.open(name)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.disk.sync_directory()
    }

    fn lanes(&self) -> GateLanes {
        GateLanes { lanes: self.disk.lanes(), open: Arc::clone(&self.open) }
    }
}
