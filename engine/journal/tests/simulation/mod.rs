//! A disk in memory that behaves as badly as disks may.
//!
//! What was appended since a file's last sync survives a loss of power in any part, 512 bytes at a
//! time, and the rest of the file's length reads as zeros. Creations, renames and removals since the
//! last sync of the directory survive up to any point in their order. A failed sync forgets what it
//! should have written and says so only once, as file systems do. Every operation has a number, at
//! which the power can go, an error can come, or the disk can be full.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use trueup_journal::{File, Storage};

/// The part of a file that reaches the disk as a whole or not at all.
const SECTOR_BYTES: usize = 512;

/// What goes wrong, and at which operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The power goes: this operation and all later ones do nothing.
    PowerLoss(u64),
    /// This operation fails with an error of the device; later ones go on.
    Error(u64),
    /// The disk has room for this many bytes in all.
    Full(usize),
    /// Nothing.
    None,
}

/// A stream of numbers from a seed.
#[derive(Clone, Debug)]
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.word() % (end as u64).max(1)).unwrap()
    }
}

/// A file's bytes: as the programs see them, and as the disk has them for certain.
#[derive(Clone, Debug, Default)]
struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// What a failed sync should have written: taken for written, and not on the disk.
    lost: std::ops::Range<usize>,
}

#[derive(Clone, Debug)]
enum NameChange {
    Create(String, usize),
    Rename(String, String),
    Remove(String),
}

#[derive(Clone, Debug)]
struct State {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    changes: Vec<NameChange>,
    operations: u64,
    fault: Fault,
}

/// A directory on the disk. Clones are the same directory.
#[derive(Clone, Debug)]
pub(crate) struct Disk(Rc<RefCell<State>>);

impl Disk {
    /// An empty disk.
    pub(crate) fn new(fault: Fault) -> Self {
        Self(Rc::new(RefCell::new(State {
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            changes: Vec::new(),
            operations: 0,
            fault,
        })))
    }

    /// How many operations there were.
    pub(crate) fn operations(&self) -> u64 {
        self.0.borrow().operations
    }

    /// The same disk with another fault, its operations counted from 0.
    pub(crate) fn set_fault(&self, fault: Fault) {
        let mut state = self.0.borrow_mut();
        state.fault = fault;
        state.operations = 0;
    }

    /// The disk as it is found when the power comes back. The seed decides what survived.
    pub(crate) fn after_power_loss(&self, seed: u64) -> Self {
        let state = self.0.borrow();
        let mut noise = Noise(seed);
        let survivors = noise.below(state.changes.len() + 1);
        let mut names = state.durable_names.clone();
        for change in &state.changes[..survivors] {
            apply(&mut names, change);
        }
        let files: Vec<Content> =
            state.files.iter().map(|content| survive(content, &mut noise)).collect();
        Self(Rc::new(RefCell::new(State {
            files,
            durable_names: names.clone(),
            names,
            changes: Vec::new(),
            operations: 0,
            fault: Fault::None,
        })))
    }

    /// A copy of the disk, as it is found after the process ended and the power did not go.
    pub(crate) fn after_process_end(&self) -> Self {
        let copy = self.0.borrow().clone();
        let disk = Self(Rc::new(RefCell::new(copy)));
        disk.set_fault(Fault::None);
        disk
    }

    /// The names of the files, in order.
    pub(crate) fn file_names(&self) -> Vec<String> {
        self.0.borrow().names.keys().cloned().collect()
    }

    /// The bytes of a file.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        let state = self.0.borrow();
        state.files[state.names[name]].seen.clone()
    }

    /// Puts other bytes in place of a file's, durably.
    pub(crate) fn set_bytes(&self, name: &str, bytes: Vec<u8>) {
        let mut state = self.0.borrow_mut();
        let index = match state.names.get(name) {
            Some(index) => *index,
            None => state.files.len(),
        };
        if index == state.files.len() {
            state.files.push(Content::default());
            state.names.insert(name.to_owned(), index);
            state.durable_names.insert(name.to_owned(), index);
        }
        state.files[index] = Content { seen: bytes.clone(), durable: bytes, lost: 0..0 };
    }
}

/// What the disk has of a file after the power went.
fn survive(content: &Content, noise: &mut Noise) -> Content {
    let mut bytes = content.durable.clone();
    let common = content.durable.len().min(content.seen.len());
    // A cut that was not synced may or may not have happened.
    if content.seen.len() < content.durable.len() && noise.below(2) == 0 {
        bytes.truncate(content.seen.len());
    }
    let unsynced = content.seen.len() - common;
    let reached = if unsynced == 0 { 0 } else { noise.below(unsynced + 1) };
    let length = common + reached;
    if length > bytes.len() {
        bytes.resize(length, 0);
    }
    let all = noise.below(4) == 0;
    for sector in (common / SECTOR_BYTES)..=(length / SECTOR_BYTES) {
        let start = (sector * SECTOR_BYTES).max(common);
        let end = ((sector + 1) * SECTOR_BYTES).min(length);
        if start < end && (all || noise.below(2) == 0) {
            bytes[start..end].copy_from_slice(&content.seen[start..end]);
        }
    }
    Content { seen: bytes.clone(), durable: bytes, lost: 0..0 }
}

fn apply(names: &mut BTreeMap<String, usize>, change: &NameChange) {
    match change {
        NameChange::Create(name, index) => {
            names.insert(name.clone(), *index);
        }
        NameChange::Rename(from, to) => {
            if let Some(index) = names.remove(from) {
                names.insert(to.clone(), index);
            }
        }
        NameChange::Remove(name) => {
            names.remove(name);
        }
    }
}

impl State {
    /// Counts an operation; fails if it is the one that fails.
    fn operation(&mut self) -> io::Result<()> {
        let number = self.operations;
        self.operations += 1;
        match self.fault {
            Fault::PowerLoss(at) if number >= at => Err(io::Error::other("the power is off")),
            Fault::Error(at) if number == at => Err(io::Error::other("input/output error")),
            Fault::PowerLoss(_) | Fault::Error(_) | Fault::Full(_) | Fault::None => Ok(()),
        }
    }

    fn index(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&mut self, change: NameChange) {
        apply(&mut self.names, &change);
        self.changes.push(change);
    }

    /// How many bytes there is room for.
    fn room(&self) -> usize {
        match self.fault {
            Fault::Full(limit) => {
                let used: usize =
                    self.names.values().map(|index| self.files[*index].seen.len()).sum();
                limit.saturating_sub(used)
            }
            Fault::PowerLoss(_) | Fault::Error(_) | Fault::None => usize::MAX,
        }
    }
}

impl Storage for Disk {
    type File = DiskFile;

    fn list(&self) -> io::Result<Vec<String>> {
        let mut state = self.0.borrow_mut();
        state.operation()?;
        // Any order will do; a journal must not rely on one.
        Ok(state.names.keys().rev().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<DiskFile> {
        let mut state = self.0.borrow_mut();
        state.operation()?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let index = state.files.len();
        state.files.push(Content::default());
        state.change(NameChange::Create(name.to_owned(), index));
        Ok(DiskFile { disk: self.clone(), index })
    }

    fn open(&self, name: &str) -> io::Result<DiskFile> {
        let mut state = self.0.borrow_mut();
        state.operation()?;
        let index = state.index(name)?;
        Ok(DiskFile { disk: self.clone(), index })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.operation()?;
        state.index(name)?;
        state.change(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.operation()?;
        state.index(from)?;
        state.change(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.operation()?;
        state.durable_names = state.names.clone();
        state.changes.clear();
        Ok(())
    }
}

/// An open file of the disk.
#[derive(Debug)]
pub(crate) struct DiskFile {
    disk: Disk,
    index: usize,
}

impl File for DiskFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.0.borrow_mut();
        let done = state.operation();
        let room = state.room();
        let content = &mut state.files[self.index];
        if done.is_err() {
            // A failed write may have written a part.
            content.seen.extend_from_slice(&bytes[..bytes.len() / 2]);
            return done;
        }
        if bytes.len() > room {
            content.seen.extend_from_slice(&bytes[..room]);
            return Err(io::ErrorKind::StorageFull.into());
        }
        content.seen.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.0.borrow_mut();
        let done = state.operation();
        let content = &mut state.files[self.index];
        if done.is_err() {
            content.lost = content.durable.len().min(content.seen.len())..content.seen.len();
            return done;
        }
        let mut bytes = content.seen.clone();
        let lost = content.lost.start.min(bytes.len())..content.lost.end.min(bytes.len());
        bytes[lost].fill(0);
        content.durable = bytes;
        Ok(())
    }

    fn rewrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.0.borrow_mut();
        let done = state.operation();
        let content = &mut state.files[self.index];
        let start = usize::try_from(offset).unwrap();
        let written = if done.is_err() { bytes.len() / 2 } else { bytes.len() };
        content.seen[start..start + written].copy_from_slice(&bytes[..written]);
        if start <= content.lost.start {
            content.lost.start = content.lost.start.max(start + written).min(content.lost.end);
        }
        done
    }

    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.disk.0.borrow_mut();
        state.operation()?;
        let bytes = &state.files[self.index].seen;
        let offset = usize::try_from(offset).unwrap();
        let rest = bytes.get(offset..).unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn length(&mut self) -> io::Result<u64> {
        let mut state = self.disk.0.borrow_mut();
        state.operation()?;
        Ok(state.files[self.index].seen.len() as u64)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.disk.0.borrow_mut();
        state.operation()?;
        state.files[self.index].seen.truncate(usize::try_from(length).unwrap());
        Ok(())
    }
}
