//! A file that is replaced as a whole now and then, such as a license file or an exported list.
//!
//! A change is noticed by the time and length that the file system gives, and read once two looks in a
//! row found the same: half a file is half a list of rights. What became of it is said once.

use super::file::{self, FileError, Stamp};
use std::path::{Path, PathBuf};

/// What a look at a watched file found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// It is there for the first time, or was written since it was read.
    Contents {
        /// Its bytes.
        bytes: Vec<u8>,
        /// When it was last written, in microseconds since the epoch; nothing if nobody knows.
        modified_at: Option<i64>,
    },
    /// It is as it was, or is being written.
    Nothing,
    /// It was there and is no longer.
    Gone,
}

/// Watches one path.
#[derive(Debug)]
pub struct Watched {
    path: PathBuf,
    /// What was read last.
    read: Option<Stamp>,
    /// What the last look found, if that is something else.
    changing: Option<Stamp>,
    is_gone: bool,
}

impl Watched {
    /// Watches a path; the first look reads what is there.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), read: None, changing: None, is_gone: false }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks once.
    ///
    /// # Errors
    /// If the file cannot be read, or is too large; one that is gone is no error.
    pub fn look(&mut self) -> Result<Found, FileError> {
        let stamp = match Stamp::of(&self.path) {
            Ok(stamp) => stamp,
            Err(error) if error.is_missing() && self.read.is_some() => {
                let is_news = !std::mem::replace(&mut self.is_gone, true);
                return Ok(if is_news { Found::Gone } else { Found::Nothing });
            }
            Err(error) => return Err(error),
        };
        self.is_gone = false;
        if self.read == Some(stamp) {
            self.changing = None;
            return Ok(Found::Nothing);
        }
        if self.read.is_some() && self.changing != Some(stamp) {
            self.changing = Some(stamp);
            return Ok(Found::Nothing);
        }
        let bytes = file::read(&self.path)?;
        if self.read.is_some() && Stamp::of(&self.path)? != stamp {
            return Ok(Found::Nothing);
        }
        self.read = Some(stamp);
        self.changing = None;
        Ok(Found::Contents { bytes, modified_at: stamp.modified_at })
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, Watched};

    /// The text that a look finds; `-` for nothing, `gone` once it is gone.
    fn look(watched: &mut Watched) -> String {
        match watched.look().unwrap() {
            Found::Contents { bytes, .. } => String::from_utf8(bytes).unwrap(),
            Found::Nothing => "-".to_owned(),
            Found::Gone => "gone".to_owned(),
        }
    }

    #[test]
    fn a_file_is_read_when_it_stopped_changing_and_missed_when_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        let mut watched = Watched::new(&path);
        assert!(watched.look().unwrap_err().is_missing());
        std::fs::write(&path, "one").unwrap();
        assert_eq!(look(&mut watched), "one");
        assert_eq!(look(&mut watched), "-");
        std::fs::write(&path, "half of").unwrap();
        assert_eq!(look(&mut watched), "-");
        std::fs::write(&path, "half of two").unwrap();
        assert_eq!(look(&mut watched), "-");
        assert_eq!(look(&mut watched), "half of two");
        assert_eq!(look(&mut watched), "-");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(look(&mut watched), "gone");
        assert_eq!(look(&mut watched), "-");
        std::fs::write(&path, "three").unwrap();
        assert_eq!(look(&mut watched), "-");
        assert_eq!(look(&mut watched), "three");
    }
}
