//! Where the bytes are: the few operations that a journal needs, and the file system behind them.
//!
//! The only place that opens, writes, renames or syncs files. [`File::write`] promises nothing until
//! [`File::sync`] returned; names promise nothing until [`Storage::sync_directory`] returned. After
//! a failed write or sync nothing may be assumed of the bytes since the last good sync.

use crate::error::{JournalError, Operation};
use crate::keys::Keys;
use crate::lanes::{Lanes, Threads};
use std::fmt;
use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of the file whose lock says that a directory is in use.
const LOCK_NAME: &str = "lock";
/// What room is made of.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// A flat directory of files.
pub trait Storage {
    /// An open file.
    type File: File + fmt::Debug;
    /// What carries groups to the disk.
    type Lanes: Lanes<Self::File> + fmt::Debug;

    /// The names of all files, in any order.
    ///
    /// # Errors
    /// What the file system says.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Creates a file that is not there yet.
    ///
    /// # Errors
    /// What the file system says; that the file is there.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// Opens a file that is there, for reading and writing.
    ///
    /// # Errors
    /// What the file system says; that the file is not there.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the file system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives a file another name, at once; a file of that name is replaced.
    ///
    /// # Errors
    /// What the file system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes creations, removals and renames durable.
    ///
    /// # Errors
    /// What the file system says. Nothing is known of the names then.
    fn sync_directory(&self) -> io::Result<()>;

    /// What carries groups to the disk; one for each writer.
    fn lanes(&self) -> Self::Lanes;

    /// The keys of what is kept there: what is written is sealed with them. Without them nothing is.
    fn keys(&self) -> Option<Arc<Keys>> {
        None
    }
}

/// A storage whose content is sealed, if there are keys.
#[derive(Clone, Debug)]
pub struct Keyed<S> {
    storage: S,
    keys: Option<Arc<Keys>>,
}

impl<S> Keyed<S> {
    /// A storage with these keys, or with none.
    pub fn new(storage: S, keys: Option<Arc<Keys>>) -> Self {
        Self { storage, keys }
    }

    /// The storage itself.
    pub fn into_inner(self) -> S {
        self.storage
    }
}

impl<S: Storage> Storage for Keyed<S> {
    type File = S::File;
    type Lanes = S::Lanes;

    fn list(&self) -> io::Result<Vec<String>> {
        self.storage.list()
    }

    fn create(&self, name: &str) -> io::Result<S::File> {
        self.storage.create(name)
    }

    fn open(&self, name: &str) -> io::Result<S::File> {
        self.storage.open(name)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.storage.remove(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.storage.rename(from, to)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.storage.sync_directory()
    }

    fn lanes(&self) -> S::Lanes {
        self.storage.lanes()
    }

    fn keys(&self) -> Option<Arc<Keys>> {
        self.keys.clone()
    }
}

/// An open file.
pub trait File {
    /// Writes bytes at a place, once; gives how many of them were written. Fewer than all is what a
    /// file system does instead of failing: what follows is for the caller to judge.
    ///
    /// # Errors
    /// What the file system says. Some of the bytes may have been written.
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Makes the file at least this long, with zeros that take room on the disk. Promises nothing
    /// until [`File::sync`] returned.
    ///
    /// # Errors
    /// What the file system says; that the disk is full. The file may be longer than before.
    fn reserve(&mut self, length: u64) -> io::Result<()>;

    /// Makes everything written durable, and the length. Never tried again after it failed: the file
    /// system may have forgotten what it could not write.
    ///
    /// # Errors
    /// What the file system says, of this and of earlier writes since the file was opened.
    fn sync(&mut self) -> io::Result<()>;

    /// Reads at a place; gives how many bytes were read, 0 at the end.
    ///
    /// # Errors
    /// What the file system says.
    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// How long the file is.
    ///
    /// # Errors
    /// What the file system says.
    fn length(&mut self) -> io::Result<u64>;
}

/// A directory of the file system, held by one process at a time; or one that is only looked at.
///
/// Clones are the same directory, which is given up when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Directory(Arc<Held>);

/// A directory that this process holds, or looks at.
#[derive(Debug)]
struct Held {
    path: PathBuf,
    /// Locked as long as it is open; the system unlocks it when the process ends, however it ends.
    /// Nothing is written without it.
    lock: Option<fs::File>,
}

impl Directory {
    /// Opens a directory, and creates it if it is not there.
    ///
    /// # Errors
    /// If the file system refuses, or another process has the directory.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, JournalError> {
        let path = path.into();
        let shown = path.display().to_string();
        fs::create_dir_all(&path).map_err(JournalError::storage(Operation::Create, &shown))?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_path(parent).map_err(JournalError::storage(Operation::SyncDirectory, &shown))?;
        }
        let lock = fs::File::create(path.join(LOCK_NAME))
            .map_err(JournalError::storage(Operation::Create, LOCK_NAME))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self(Arc::new(Held { path, lock: Some(lock) }))),
            Err(fs::TryLockError::WouldBlock) => Err(JournalError::InUse { directory: shown }),
            Err(fs::TryLockError::Error(source)) => {
                Err(JournalError::storage(Operation::Open, LOCK_NAME)(source))
            }
        }
    }

    /// A directory that is only read, whoever has it meanwhile.
    pub fn looked_at(path: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Held { path: path.into(), lock: None }))
    }

    /// Gives the directory another name, durably: one that is free, or of an empty directory.
    ///
    /// # Errors
    /// What the file system says; that something is there.
    pub fn rename_to(self, path: &Path) -> Result<(), JournalError> {
        let shown = path.display().to_string();
        let refused = |operation| JournalError::storage(operation, &shown);
        fs::rename(&self.0.path, path).map_err(refused(Operation::Rename))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync_path(parent.unwrap_or(Path::new("."))).map_err(refused(Operation::SyncDirectory))
    }

    /// Refuses to change what is only looked at.
    fn check_held(&self) -> io::Result<()> {
        if self.0.lock.is_some() { Ok(()) } else { Err(io::ErrorKind::ReadOnlyFilesystem.into()) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }
}

/// Makes the names in a directory durable.
fn sync_path(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

impl Storage for Directory {
    type File = DiskFile;
    type Lanes = Threads;

    fn list(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.0.path)?;
        // A name that is not UTF-8 is none of ours.
        let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn create(&self, name: &str) -> io::Result<DiskFile> {
        self.check_held()?;
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create_new(true);
        options.open(self.0.path.join(name)).map(DiskFile)
    }

    fn open(&self, name: &str) -> io::Result<DiskFile> {
        let mut options = fs::OpenOptions::new();
        options.read(true).write(self.0.lock.is_some());
        options.open(self.0.path.join(name)).map(DiskFile)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.check_held()?;
        fs::remove_file(self.0.path.join(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.check_held()?;
        fs::rename(self.0.path.join(from), self.0.path.join(to))
    }

    fn sync_directory(&self) -> io::Result<()> {
        sync_path(&self.0.path)
    }

    fn lanes(&self) -> Threads {
        Threads::new(self.clone())
    }
}

/// A file of the file system.
#[derive(Debug)]
pub struct DiskFile(fs::File);

impl File for DiskFile {
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.0.seek(SeekFrom::Start(offset))?;
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    fn reserve(&mut self, length: u64) -> io::Result<()> {
        let mut offset = self.length()?;
        while offset < length {
            let count = usize::try_from(length - offset).unwrap_or(usize::MAX);
            self.0.seek(SeekFrom::Start(offset))?;
            let zeros = ZEROS.get(..count).unwrap_or(&ZEROS);
            self.0.write_all(zeros)?;
            offset += zeros.len() as u64;
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.seek(SeekFrom::Start(offset))?;
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.0.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn length(&mut self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

#[cfg(test)]
mod tests;
