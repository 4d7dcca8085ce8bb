//! Where a log that was read once is now: under its name, or under another after a rotation.
//!
//! A log is known again by its first bytes, which hold its own beginning in time; names and file
//! numbers change with rotation, copies and restores. What tools rotate away lies beside it, so only
//! its folder is searched.

use super::file::Stamp;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use trueup_model::hash::hash128;

/// How many first bytes a log is known by.
pub const HEAD_BYTES_MAX: usize = 4096;
/// With fewer bytes than these, nothing can be said of a log.
pub const HEAD_BYTES_MIN: usize = 32;
/// How many files of a folder are looked at.
const FILES_MAX: usize = 4096;
/// Endings of files that cannot be read as they are.
const PACKED: [&str; 6] = ["gz", "xz", "bz2", "zst", "zip", "Z"];

/// The first bytes of a log that is being read.
#[derive(Clone, Debug, Default)]
pub struct Head(Vec<u8>);

impl Head {
    /// Takes the next bytes of the log.
    pub fn extend(&mut self, bytes: &[u8]) {
        let wanted = HEAD_BYTES_MAX - self.0.len();
        self.0.extend_from_slice(bytes.get(..wanted).unwrap_or(bytes));
    }

    /// What the log is known by, once enough of it was read.
    pub fn mark(&self) -> Option<HeadMark> {
        let enough = self.0.len() >= HEAD_BYTES_MIN;
        enough.then(|| HeadMark { bytes: self.0.len(), hash: hash128(&[&self.0]) })
    }
}

/// What a log is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadMark {
    /// How many first bytes.
    pub bytes: usize,
    /// Their hash.
    pub hash: u128,
}

impl HeadMark {
    /// Whether a file begins with these bytes.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn is_of(&self, path: &Path) -> io::Result<bool> {
        let mut head = Vec::new();
        let limit = self.bytes.min(HEAD_BYTES_MAX) as u64;
        File::open(path)?.take(limit).read_to_end(&mut head)?;
        Ok(head.len() == self.bytes && hash128(&[&head]) == self.hash)
    }
}

/// The file beside `live` that begins like this and has at least so many bytes.
pub fn find(live: &Path, mark: &HeadMark, bytes_min: u64) -> Option<PathBuf> {
    beside(live).into_iter().find(|path| {
        let is_long = Stamp::of(path).is_ok_and(|stamp| stamp.bytes >= bytes_min);
        is_long && mark.is_of(path).unwrap_or(false)
    })
}

/// The logs that were rotated away after `old` and before `live`, in the order of their last lines.
///
/// They are told by their names, which begin like that of `live`, and by their times, which are coarse.
pub fn between(old: &Path, live: &Path) -> Vec<PathBuf> {
    let Ok(since) = Stamp::of(old) else { return Vec::new() };
    let stem = live.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let is_part = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let packed = path.extension().is_some_and(|ending| PACKED.iter().any(|end| ending == *end));
        name.is_some_and(|name| name.starts_with(&stem)) && !packed && path != old
    };
    let mut found: Vec<(Option<i64>, PathBuf)> = beside(live)
        .into_iter()
        .filter(is_part)
        .filter_map(|path| Some((Stamp::of(&path).ok()?.modified_at, path)))
        .filter(|(modified_at, _)| *modified_at >= since.modified_at)
        .collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// The other files of the folder, by name.
fn beside(live: &Path) -> Vec<PathBuf> {
    let folder = live.parent().filter(|folder| !folder.as_os_str().is_empty());
    let Ok(entries) = std::fs::read_dir(folder.unwrap_or(Path::new("."))) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .take(FILES_MAX)
        .filter(|entry| Some(entry.file_name().as_os_str()) != live.file_name())
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::{Head, between, find};
    use std::time::Duration;

    #[test]
    fn a_log_is_found_again_by_its_first_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, age: u64| {
            let path = folder.path().join(name);
            std::fs::write(&path, format!("{name} begins on a certain day at a certain time\n"))
                .unwrap();
            let file = std::fs::File::options().append(true).open(&path).unwrap();
            let written = file.metadata().unwrap().modified().unwrap();
            file.set_modified(written - Duration::from_secs(age)).unwrap();
            path
        };
        let live = write("debug.log", 0);
        let old = write("debug.log.3", 30);
        let later = write("debug.log.1", 10);
        let earlier = write("debug.log.2", 20);
        write("debug.log.4", 40);
        write("debug.log.0.gz", 5);
        write("other.log", 5);
        let mut head = Head::default();
        assert_eq!(head.mark(), None);
        head.extend(&std::fs::read(&old).unwrap());
        let mark = head.mark().unwrap();
        assert!(mark.is_of(&old).unwrap() && !mark.is_of(&live).unwrap());
        assert_eq!(find(&live, &mark, 40), Some(old.clone()));
        assert_eq!(find(&live, &mark, 400), None);
        assert_eq!(between(&old, &live), [earlier, later]);
    }
}
