//! Whole files, up to a stated size.

use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The largest file that is read whole, in bytes; larger ones are split first.
pub const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// How much of a file tells what it is and whose, in bytes.
pub const BEGINNING_BYTES: u64 = 16 * 1024 * 1024;

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file system refused.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The file is larger than what is read whole.
    #[error(
        "{} is larger than {FILE_BYTES_MAX} bytes; split it, or let a connector follow it",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The path names a directory.
    #[error("{} is a directory; name the files in it", path.display())]
    Directory {
        /// The path.
        path: PathBuf,
    },
}

/// What the file system says of a file, by which a change is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When it was last written, in microseconds since the epoch; nothing if nobody knows.
    pub modified_at: Option<i64>,
    /// Its length, in bytes.
    pub bytes: u64,
}

impl FileError {
    /// Whether the file is not there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }
}

impl Stamp {
    /// What the file system says of the file at this path.
    ///
    /// # Errors
    /// If it says nothing, because the file is not there or not to be seen.
    #[expect(clippy::disallowed_types, reason = "the time of a file is data of the file system")]
    pub fn of(path: &Path) -> Result<Self, FileError> {
        let failed = |source| FileError::Read { path: path.to_owned(), source };
        let metadata = std::fs::metadata(path).map_err(failed)?;
        let written = metadata.modified().ok();
        let since =
            written.and_then(|at| at.duration_since(std::time::SystemTime::UNIX_EPOCH).ok());
        let modified_at = since.and_then(|since| i64::try_from(since.as_micros()).ok());
        Ok(Self { modified_at, bytes: metadata.len() })
    }
}

/// When a file was last written, in microseconds since the epoch; nothing if nobody knows.
pub fn modified_at(path: &Path) -> Option<i64> {
    Stamp::of(path).ok()?.modified_at
}

/// Finds out whether a file can be read.
///
/// # Errors
/// If it cannot be opened or is a directory.
pub fn check(path: &Path) -> Result<(), FileError> {
    let failed = |source| FileError::Read { path: path.to_owned(), source };
    let metadata = std::fs::File::open(path).and_then(|file| file.metadata()).map_err(failed)?;
    if metadata.is_dir() {
        return Err(FileError::Directory { path: path.to_owned() });
    }
    Ok(())
}

/// Reads the beginning of a file, up to [`BEGINNING_BYTES`].
///
/// # Errors
/// If it cannot be read.
pub fn beginning(path: &Path) -> Result<Vec<u8>, FileError> {
    let failed = |source| FileError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(BEGINNING_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Reads a file whole.
///
/// # Errors
/// If it cannot be read, is a directory, or is larger than [`FILE_BYTES_MAX`].
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let failed = |source| FileError::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(FileError::Directory { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    // A file may grow while it is read, and a pipe has no length: the limit is on what comes.
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(FileError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}
