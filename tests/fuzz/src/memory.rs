//! A directory of files in memory.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use trueup_journal::lanes::{Done, Job};
use trueup_journal::{File, Lanes, Storage};

/// The bytes of a file.
type Bytes = Arc<Mutex<Vec<u8>>>;

/// A directory of files in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<Mutex<BTreeMap<String, Bytes>>>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Memory {
    /// Puts a file there.
    pub(super) fn put(&self, name: &str, bytes: Vec<u8>) {
        lock(&self.0).insert(name.to_owned(), Arc::new(Mutex::new(bytes)));
    }
}

impl Storage for Memory {
    type File = Open;
    type Lanes = AtOnce;

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(lock(&self.0).keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Open> {
        if lock(&self.0).contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.put(name, Vec::new());
        self.open(name)
    }

    fn open(&self, name: &str) -> io::Result<Open> {
        lock(&self.0).get(name).map(|bytes| Open(Arc::clone(bytes))).ok_or_else(missing)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        lock(&self.0).remove(name).map(drop).ok_or_else(missing)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = lock(&self.0);
        let bytes = files.remove(from).ok_or_else(missing)?;
        files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn lanes(&self) -> AtOnce {
        AtOnce::default()
    }
}

/// An open file.
#[derive(Debug)]
pub(super) struct Open(Bytes);

/// A place in memory.
fn place(offset: u64) -> io::Result<usize> {
    let place = usize::try_from(offset).ok().filter(|place| *place < 1 << 30);
    place.ok_or_else(|| io::ErrorKind::FileTooLarge.into())
}

impl File for Open {
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let (start, mut file) = (place(offset)?, lock(&self.0));
        let end = start + bytes.len();
        if file.len() < end {
            file.resize(end, 0);
        }
        file[start..end].copy_from_slice(bytes);
        Ok(bytes.len())
    }

    fn reserve(&mut self, length: u64) -> io::Result<()> {
        let (length, mut file) = (place(length)?, lock(&self.0));
        if file.len() < length {
            file.resize(length, 0);
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let file = lock(&self.0);
        let rest = usize::try_from(offset).ok().and_then(|start| file.get(start..)).unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn length(&mut self) -> io::Result<u64> {
        Ok(lock(&self.0).len() as u64)
    }
}

/// Carries out each job when it comes.
#[derive(Debug, Default)]
pub(super) struct AtOnce(VecDeque<Done<Open>>);

impl Lanes<Open> for AtOnce {
    fn send(&mut self, job: Job<Open>) {
        self.0.push_back(job.run());
    }

    fn receive(&mut self, _: bool) -> Option<Done<Open>> {
        self.0.pop_front()
    }
}
