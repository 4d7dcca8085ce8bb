//! A disk in memory that behaves as badly as disks may.
//!
//! What was written since a file's last sync survives a loss of power in any part, 512 bytes at a
//! time. Creations, renames and removals since the last sync of the directory survive up to any point
//! in their order, or some here and some there. A failed sync forgets some of what it should have written, takes it
//! for written, and says so once to each handle that was open, as file systems do. Every operation has
//! a number, at which the power can go, an error can come, or a write can end early; and the disk can
//! be full.

use super::content::Content;
use super::faults::Faults;
use super::file::DiskFile;
use super::lanes::SteppedLanes;
use super::noise::Noise;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use trueup_journal::Storage;

/// An operation for the trace: its name, its file, and two numbers that say which part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked(
    pub(super) &'static str,
    pub(super) usize,
    pub(super) u64,
    pub(super) usize,
);

#[derive(Clone, Debug)]
enum NameChange {
    Create(String, usize),
    Rename(String, String),
    Remove(String),
}

#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) files: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    changes: Vec<NameChange>,
    pub(super) operations: u64,
    syncs: u64,
    pub(super) faults: Faults,
    pub(super) noise: Noise,
    pub(super) has_failed: bool,
    trace: u64,
    reused: usize,
    pub(super) read_bytes_max: usize,
}

/// A directory on the disk. Clones are the same directory.
#[derive(Clone, Debug)]
pub(crate) struct Disk(pub(super) Arc<Mutex<State>>);

impl Disk {
    /// An empty disk.
    pub(crate) fn new(faults: Faults) -> Self {
        Self::seeded(0, faults)
    }

    /// An empty disk. The seed decides in which order things happen to be done, and what a failing
    /// sync loses.
    pub(crate) fn seeded(seed: u64, faults: Faults) -> Self {
        Self(Arc::new(Mutex::new(State {
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            changes: Vec::new(),
            operations: 0,
            syncs: 0,
            faults,
            noise: Noise(seed),
            has_failed: false,
            trace: seed,
            reused: 0,
            read_bytes_max: 0,
        })))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// How many bytes the files have.
    pub(crate) fn used(&self) -> usize {
        self.state().used()
    }

    /// Has more room, or less.
    pub(crate) fn set_room(&self, room: usize) {
        self.state().faults.room = room;
    }

    /// Whether one of the faults was met that a journal does not live on after.
    pub(crate) fn has_failed(&self) -> bool {
        self.state().has_failed
    }

    /// A digest of what was asked of the disk, and of those that it is a copy of.
    pub(crate) fn trace(&self) -> u64 {
        self.state().trace
    }

    /// How often a segment was renamed to become another one.
    pub(crate) fn reused(&self) -> usize {
        self.state().reused
    }

    /// The most bytes that someone made room for in memory, to read them at once.
    pub(crate) fn read_bytes_max(&self) -> usize {
        self.state().read_bytes_max
    }

    /// A number of the disk's own.
    pub(crate) fn draw(&self) -> u64 {
        self.state().noise.word()
    }

    /// Other faults from now on, with the operations counted from 0.
    pub(crate) fn set_faults(&self, faults: Faults) {
        let mut state = self.state();
        state.faults = faults;
        state.operations = 0;
        state.syncs = 0;
        state.has_failed = false;
    }

    /// The disk as it is found when the power comes back. The seed decides what survived.
    pub(crate) fn after_power_loss(&self, seed: u64) -> Self {
        let state = self.state();
        let mut noise = Noise(seed);
        let names = state.surviving_names(&mut noise);
        let mut files = vec![Content::default(); state.files.len()];
        for index in names.values() {
            files[*index] = state.files[*index].after_power_loss(&mut noise);
        }
        Self(Arc::new(Mutex::new(State {
            files,
            durable_names: names.clone(),
            names,
            changes: Vec::new(),
            operations: 0,
            syncs: 0,
            faults: Faults::NONE,
            noise,
            has_failed: false,
            trace: state.trace,
            reused: state.reused,
            read_bytes_max: 0,
        })))
    }

    /// A copy of the disk, as it is found after the process ended and the power did not go.
    pub(crate) fn after_process_end(&self) -> Self {
        let copy = self.state().clone();
        let disk = Self(Arc::new(Mutex::new(copy)));
        disk.set_faults(Faults::NONE);
        disk
    }

    /// The names of the files, in order.
    pub(crate) fn file_names(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    /// The bytes of a file.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        let state = self.state();
        state.files[state.names[name]].seen.clone()
    }

    /// Puts other bytes in place of a file's, durably.
    pub(crate) fn set_bytes(&self, name: &str, bytes: Vec<u8>) {
        let mut state = self.state();
        let next = state.files.len();
        let index = *state.names.get(name).unwrap_or(&next);
        if index == next {
            state.files.push(Content::default());
            state.names.insert(name.to_owned(), index);
            state.durable_names.insert(name.to_owned(), index);
        }
        state.files[index] = Content::durable(bytes);
    }

    /// Turns one bit of a file, durably.
    pub(crate) fn flip(&self, name: &str, bit: usize) {
        let mut bytes = self.bytes(name);
        bytes[bit / 8] ^= 1 << (bit % 8);
        self.set_bytes(name, bytes);
    }
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
    /// Counts an operation and notes it; fails if it is the one that fails.
    pub(super) fn operation(&mut self, what: Asked) -> io::Result<()> {
        let number = self.operations;
        self.operations += 1;
        let Asked(name, file, offset, length) = what;
        for part in [name.len() as u64, file as u64, offset, length as u64, number] {
            self.trace = Noise(self.trace ^ part).word();
        }
        let (off, error) = (number >= self.faults.power_loss_at, number == self.faults.error_at);
        self.has_failed |= off || error;
        match (off, error) {
            (true, _) => Err(io::Error::other("the power is off")),
            (false, true) => Err(io::Error::other("input/output error")),
            (false, false) => Ok(()),
        }
    }

    /// Counts a sync of a file; fails if it is the one that fails.
    pub(super) fn count_sync(&mut self) -> io::Result<()> {
        let number = self.syncs;
        self.syncs += 1;
        if number == self.faults.sync_error_at {
            self.has_failed = true;
            return Err(io::Error::other("input/output error"));
        }
        Ok(())
    }

    /// Whether the power went before the operation that was counted last.
    pub(super) fn is_off(&self) -> bool {
        self.operations > self.faults.power_loss_at.saturating_add(1)
    }

    fn index(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&mut self, change: NameChange) {
        apply(&mut self.names, &change);
        self.changes.push(change);
    }

    fn surviving_names(&self, noise: &mut Noise) -> BTreeMap<String, usize> {
        let mut names = self.durable_names.clone();
        let in_order = noise.once_in(2);
        let end = noise.below(self.changes.len() + 1);
        for (index, change) in self.changes.iter().enumerate() {
            if if in_order { index < end } else { noise.once_in(2) } {
                apply(&mut names, change);
            }
        }
        names
    }

    fn used(&self) -> usize {
        self.names.values().map(|index| self.files[*index].seen.len()).sum()
    }

    /// How many bytes there is room for besides what is there.
    pub(super) fn room(&self) -> usize {
        match self.faults.room {
            // What the files have is counted only where it matters.
            usize::MAX => usize::MAX,
            room => room.saturating_sub(self.used()),
        }
    }

    fn handle(&self, disk: &Disk, index: usize) -> DiskFile {
        DiskFile::new(disk, index, self.files[index].failures)
    }
}

impl Storage for Disk {
    type File = DiskFile;
    type Lanes = SteppedLanes<DiskFile>;

    fn list(&self) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.operation(Asked("list", 0, 0, 0))?;
        // Any order will do; a journal must not rely on one.
        Ok(state.names.keys().rev().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<DiskFile> {
        let mut state = self.state();
        state.operation(Asked("create", 0, 0, name.len()))?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let index = state.files.len();
        state.files.push(Content::default());
        state.change(NameChange::Create(name.to_owned(), index));
        Ok(state.handle(self, index))
    }

    fn open(&self, name: &str) -> io::Result<DiskFile> {
        let mut state = self.state();
        state.operation(Asked("open", 0, 0, name.len()))?;
        let index = state.index(name)?;
        Ok(state.handle(self, index))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.operation(Asked("remove", 0, 0, name.len()))?;
        state.index(name)?;
        state.change(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.operation(Asked("rename", 0, 0, from.len()))?;
        state.index(from)?;
        state.reused += usize::from(from.ends_with(".journal"));
        state.change(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut state = self.state();
        state.operation(Asked("sync directory", 0, 0, 0))?;
        state.durable_names = state.names.clone();
        state.changes.clear();
        Ok(())
    }

    fn lanes(&self) -> SteppedLanes<DiskFile> {
        SteppedLanes::new(Noise(self.draw()))
    }
}
