//! The simulated disk behind a journal with a planted fault: each is one that journals have had.
//!
//! The faults are planted between the journal and the disk, so that the journal's own code has no
//! switch for them.

use super::disk::Disk;
use super::file::DiskFile;
use super::history::MARK;
use super::lanes::SteppedLanes;
use super::noise::Noise;
use super::sealing::Sealing;
use crate::format;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use trueup_journal::lanes::{Done, Job};
use trueup_journal::{File, Keys, Lanes, Storage};

/// What is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// Nothing.
    None,
    /// Files are never synced.
    SyncSkipped,
    /// Names are never synced.
    DirectorySyncSkipped,
    /// A new segment gets its name before its header is durable.
    HeaderSyncSkipped,
    /// A sync that failed is tried again, and its second answer is believed.
    SyncRetried,
    /// All groups in flight use one handle of the file.
    HandleShared,
    /// A group is reported when it is written.
    GroupSyncSkipped,
    /// Whichever group is done first, the oldest is reported.
    ReportedOutOfOrder,
    /// What ended early is taken for written.
    ShortWriteIgnored,
    /// What can be read already is not written again.
    RewriteSkipped,
    /// A new process goes on under the generation of the one before.
    GenerationKept,
    /// Frames do not say what was durable before them.
    SealForgotten,
}

/// The disk, as a journal with the fault uses it.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    disk: Disk,
    mutation: Mutation,
    /// The keys of what is written, if it is sealed.
    sealing: Option<Sealing>,
    /// Handles by the file's name.
    shared: Rc<RefCell<BTreeMap<String, Rc<RefCell<DiskFile>>>>>,
    /// What the checksums of changed frames became.
    checksums: Rc<RefCell<BTreeMap<u32, u32>>>,
}

impl Mutant {
    pub(crate) fn new(disk: Disk, mutation: Mutation, sealing: Option<Sealing>) -> Self {
        let (shared, checksums) = (Rc::default(), Rc::default());
        Self { disk, mutation, sealing, shared, checksums }
    }

    fn file(&self, name: &str, file: DiskFile) -> MutantFile {
        let file = Rc::new(RefCell::new(file));
        let file = if self.mutation == Mutation::HandleShared {
            Rc::clone(self.shared.borrow_mut().entry(name.to_owned()).or_insert(file))
        } else {
            file
        };
        MutantFile { mutant: self.clone(), file, is_new: name.ends_with(".new"), is_group: false }
    }

    fn changes_bytes(&self) -> bool {
        matches!(self.mutation, Mutation::GenerationKept | Mutation::SealForgotten)
    }

    /// Changes a frame or the header of a segment, and the checksums that depend on it.
    fn change(&self, whole: &mut [u8]) {
        let fields = if format::is_segment(whole) { format::SEGMENT } else { format::FRAME };
        match (self.mutation, fields.sealed) {
            (Mutation::GenerationKept, _) => format::set_word(whole, fields.generation, 1),
            (_, Some(sealed)) => format::set_word(whole, sealed, 0),
            (_, None) => {}
        }
        let mut checksums = self.checksums.borrow_mut();
        let before = format::half(whole, format::CHECKSUM);
        let previous = format::half(whole, fields.previous);
        let previous = *checksums.get(&previous).unwrap_or(&previous);
        format::set_half(whole, fields.previous, previous);
        checksums.insert(before, format::finish(whole));
    }
}

impl Storage for Mutant {
    type File = MutantFile;
    type Lanes = MutantLanes;

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn create(&self, name: &str) -> io::Result<MutantFile> {
        Ok(self.file(name, self.disk.create(name)?))
    }

    fn open(&self, name: &str) -> io::Result<MutantFile> {
        Ok(self.file(name, self.disk.open(name)?))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.shared.borrow_mut().remove(name);
        self.disk.remove(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.shared.borrow_mut().remove(from);
        self.disk.rename(from, to)
    }

    fn sync_directory(&self) -> io::Result<()> {
        if self.mutation == Mutation::DirectorySyncSkipped {
            return Ok(());
        }
        self.disk.sync_directory()
    }

    fn keys(&self) -> Option<Arc<Keys>> {
        self.sealing.as_ref().map(|sealing| Arc::clone(&sealing.keys))
    }

    fn lanes(&self) -> MutantLanes {
        let lanes = SteppedLanes::new(Noise(self.disk.draw()));
        MutantLanes { mutant: self.clone(), lanes, frames: VecDeque::new() }
    }
}

/// Lanes, as a journal with the fault uses them.
#[derive(Debug)]
pub(crate) struct MutantLanes {
    mutant: Mutant,
    lanes: SteppedLanes<MutantFile>,
    /// The frames that were not reported, oldest first.
    frames: VecDeque<u64>,
}

impl Lanes<MutantFile> for MutantLanes {
    fn send(&mut self, mut job: Job<MutantFile>) {
        self.frames.push_back(job.frame);
        if self.mutant.changes_bytes() {
            self.mutant.change(&mut job.bytes);
        }
        self.lanes.send(job);
    }

    fn receive(&mut self, wait: bool) -> Option<Done<MutantFile>> {
        let mut done = self.lanes.receive(wait)?;
        if self.mutant.mutation == Mutation::ReportedOutOfOrder {
            done.job.frame = self.frames.pop_front().unwrap();
        }
        Some(done)
    }
}

/// A file, as a journal with the fault uses it.
#[derive(Debug)]
pub(crate) struct MutantFile {
    mutant: Mutant,
    file: Rc<RefCell<DiskFile>>,
    is_new: bool,
    /// Whether what was done last is a write.
    is_group: bool,
}

impl File for MutantFile {
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        if let Some(sealing) = &self.mutant.sealing {
            sealing.look(bytes, MARK).unwrap();
        }
        let mut file = self.file.borrow_mut();
        self.is_group = true;
        match self.mutant.mutation {
            Mutation::ShortWriteIgnored => file.write(offset, bytes).map(|_| bytes.len()),
            Mutation::RewriteSkipped => {
                let mut there = vec![0; bytes.len()];
                let count = file.read(offset, &mut there)?;
                if count == bytes.len() && there == bytes {
                    return Ok(count);
                }
                file.write(offset, bytes)
            }
            // Frames are changed on their way, in their order.
            Mutation::GenerationKept | Mutation::SealForgotten if format::is_segment(bytes) => {
                let mut header = bytes.to_vec();
                self.mutant.change(&mut header);
                file.write(offset, &header)
            }
            Mutation::None
            | Mutation::GenerationKept
            | Mutation::SealForgotten
            | Mutation::SyncSkipped
            | Mutation::DirectorySyncSkipped
            | Mutation::HeaderSyncSkipped
            | Mutation::SyncRetried
            | Mutation::HandleShared
            | Mutation::GroupSyncSkipped
            | Mutation::ReportedOutOfOrder => file.write(offset, bytes),
        }
    }

    fn reserve(&mut self, length: u64) -> io::Result<()> {
        self.is_group = false;
        self.file.borrow_mut().reserve(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mutation = self.mutant.mutation;
        let is_skipped = mutation == Mutation::SyncSkipped
            || mutation == Mutation::HeaderSyncSkipped && self.is_new
            || mutation == Mutation::GroupSyncSkipped && self.is_group && !self.is_new;
        if is_skipped {
            return Ok(());
        }
        let mut file = self.file.borrow_mut();
        let done = file.sync();
        if done.is_err() && mutation == Mutation::SyncRetried {
            return file.sync();
        }
        done
    }

    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.borrow_mut().read(offset, buffer)
    }

    fn length(&mut self) -> io::Result<u64> {
        self.file.borrow_mut().length()
    }
}
