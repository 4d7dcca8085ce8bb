//! A file that grows, is rotated and begins anew.
//!
//! What was written to the old file after the last look is read before the new one is opened, so a
//! rotation loses nothing; and a new one is not opened while it is empty, because tools make it before
//! the logger turns to it. A file that shrinks was begun anew in place and is read from its start.

use std::fs::{File, Metadata};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// How much is read at a time, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// What a look at a followed file found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Bytes that were not there before.
    Bytes(&'a [u8]),
    /// The file was replaced or begun anew: what follows is from the start of a new one.
    Begun,
    /// Nothing new; look again later.
    Nothing,
}

/// Follows one path.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    open: Option<Open>,
    chunk: Vec<u8>,
}

#[derive(Debug)]
struct Open {
    file: File,
    identity: Identity,
    offset: u64,
}

/// What tells one file from another at the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity(u64, u64);

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    Identity(metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(metadata: &Metadata) -> Identity {
    // Without file numbers the time of creation tells files apart.
    let created = metadata.created().ok();
    let since = created.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let since = since.unwrap_or_default();
    Identity(since.as_secs(), u64::from(since.subsec_nanos()))
}

impl Follower {
    /// Follows a path from the beginning of the file that is there, or of the one that will be.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), open: None, chunk: vec![0; CHUNK_BYTES] }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How far the file was read, in bytes.
    pub fn offset(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.offset)
    }

    /// Looks once.
    ///
    /// # Errors
    /// If the file system refuses; a path that is not there is no error, it may come.
    pub fn look(&mut self) -> std::io::Result<Found<'_>> {
        if self.open.is_none() {
            return self.begin();
        }
        let Some(open) = &mut self.open else { return Ok(Found::Nothing) };
        let count = read(open, &mut self.chunk)?;
        if count > 0 {
            return Ok(Found::Bytes(self.chunk.get(..count).unwrap_or_default()));
        }
        match std::fs::metadata(&self.path) {
            Ok(now) if identity(&now) != open.identity => {
                if now.len() == 0 {
                    return Ok(Found::Nothing);
                }
                // The logger has turned to the new one; until then it may have written to this one.
                let last = read(open, &mut self.chunk)?;
                if last > 0 {
                    return Ok(Found::Bytes(self.chunk.get(..last).unwrap_or_default()));
                }
                self.begin()
            }
            Ok(now) if now.len() < open.offset => {
                open.file.seek(SeekFrom::Start(0))?;
                open.offset = 0;
                Ok(Found::Begun)
            }
            Ok(_) => Ok(Found::Nothing),
            // Between the old file's move and the new one's creation there is none.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Found::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Opens what is at the path.
    fn begin(&mut self) -> std::io::Result<Found<'_>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Found::Nothing);
            }
            Err(error) => return Err(error),
        };
        let identity = identity(&file.metadata()?);
        self.open = Some(Open { file, identity, offset: 0 });
        Ok(Found::Begun)
    }
}

/// Reads the next piece of an open file.
fn read(open: &mut Open, chunk: &mut [u8]) -> std::io::Result<usize> {
    let count = open.file.read(chunk)?;
    open.offset += count as u64;
    Ok(count)
}

#[cfg(test)]
mod tests {
    //! On real files, as loggers and rotation tools treat them.

    use super::{Follower, Found};
    use std::io::Write as _;

    /// Everything that a follower finds until there is nothing new; `|` where a file begins.
    fn drain(follower: &mut Follower) -> String {
        let mut text = String::new();
        loop {
            match follower.look().unwrap() {
                Found::Bytes(bytes) => text.push_str(std::str::from_utf8(bytes).unwrap()),
                Found::Begun => text.push('|'),
                Found::Nothing => return text,
            }
        }
    }

    #[test]
    fn a_file_is_followed_through_growth_rotation_and_truncation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("debug.log");
        let mut follower = Follower::new(&path);
        assert_eq!(drain(&mut follower), "");
        let mut log = std::fs::File::create(&path).unwrap();
        log.write_all(b"one\ntw").unwrap();
        assert_eq!(drain(&mut follower), "|one\ntw");
        log.write_all(b"o\n").unwrap();
        assert_eq!(drain(&mut follower), "o\n");
        // Renamed, written to once more, and replaced.
        std::fs::rename(&path, folder.path().join("debug.log.1")).unwrap();
        log.write_all(b"three\n").unwrap();
        let mut next = std::fs::File::create(&path).unwrap();
        next.write_all(b"four\n").unwrap();
        assert_eq!(drain(&mut follower), "three\n|four\n");
        // Renamed and replaced before the logger has turned to the new file.
        std::fs::rename(&path, folder.path().join("debug.log.2")).unwrap();
        let mut later = std::fs::File::create(&path).unwrap();
        assert_eq!(drain(&mut follower), "");
        next.write_all(b"four and a half\n").unwrap();
        assert_eq!(drain(&mut follower), "four and a half\n");
        later.write_all(b"five\n").unwrap();
        next.write_all(b"late\n").unwrap();
        assert_eq!(drain(&mut follower), "late\n|five\n");
        // Copied away and begun anew in place.
        later.set_len(0).unwrap();
        std::fs::write(&path, b"5\n").unwrap();
        assert_eq!(drain(&mut follower), "|5\n");
    }

    #[test]
    fn a_large_file_comes_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.log");
        let text = "0123456789\n".repeat(100_000);
        std::fs::write(&path, &text).unwrap();
        assert_eq!(drain(&mut Follower::new(&path)), format!("|{text}"));
    }
}
