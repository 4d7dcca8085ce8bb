//! Copies of a journal and its newest snapshot, taken while a writer goes on.
//!
//! backup = the newest good snapshot, and the files of the journal up to the last frame that was whole
//!          when they were looked at
//!
//! The files of a running journal move: its last one grows, old ones are used again, snapshots come and
//! go. So a copy is read as a journal once it is made, and is made anew if something moved under it; what
//! is wrong every time is damage of the original. Its manifest comes last, by a rename: a backup is there
//! as a whole or not at all. `FORMAT.md` draws it.

mod manifest;

pub use manifest::BackupManifest;

use crate::error::{JournalError, Operation};
use crate::inspect::{Report, inspect};
use crate::record::Record;
use crate::segment::write_all;
use crate::snapshot;
use crate::storage::{File as _, Storage};
use manifest::{CHUNK_BYTES, Copied, NAME, UNBORN_NAME};
use std::io;

/// How often a copy is made before what is wrong with it counts as damage of the original.
const ATTEMPTS_MAX: u32 = 5;

/// How far long work is: how many bytes are done, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The bytes that are done.
    pub bytes: u64,
    /// All bytes.
    pub of: u64,
}

/// Copies the newest good snapshot of `from` and its journal to `to`, which has no such files yet.
///
/// # Errors
/// If a storage refuses, or the original is damaged. What was copied is removed again.
pub fn backup<S, T>(
    from: &S,
    to: &T,
    told: &mut dyn FnMut(Done),
) -> Result<BackupManifest, JournalError>
where
    S: Storage + Clone,
    T: Storage + Clone,
{
    let mut attempt = 1;
    loop {
        let mut names = Vec::new();
        let error = match copy_all(from, to, &mut names, told) {
            Ok(manifest) => return Ok(manifest),
            Err(error) => error,
        };
        for name in names {
            to.remove(&name).map_err(JournalError::storage(Operation::Remove, &name))?;
        }
        if attempt == ATTEMPTS_MAX || !may_have_moved(&error) {
            return Err(error);
        }
        attempt += 1;
    }
}

/// Looks at a journal that may be written to meanwhile.
///
/// # Errors
/// If the storage refuses, or the journal is damaged however often it is looked at.
pub fn settled<S: Storage + Clone>(storage: &S) -> Result<Report, JournalError> {
    steady(storage, |_| {})
}

/// The same; gives each record to `each`, some of them more than once.
///
/// # Errors
/// As [`settled`]; and if content is sealed with a key that is not there.
pub fn settled_with<S: Storage + Clone>(
    storage: &S,
    each: impl FnMut(&Record<'_>),
) -> Result<Report, JournalError> {
    let mut report = steady(storage, each)?;
    report.first_locked.take().map_or(Ok(report), Err)
}

fn steady<S: Storage + Clone>(
    storage: &S,
    mut each: impl FnMut(&Record<'_>),
) -> Result<Report, JournalError> {
    let mut attempt = 1;
    loop {
        let error = match inspect(storage, &mut each) {
            Ok(Report { damage: Some(error), .. }) | Err(error) => error,
            Ok(report) => return Ok(report),
        };
        if attempt == ATTEMPTS_MAX || !may_have_moved(&error) {
            return Err(error);
        }
        attempt += 1;
    }
}

/// Whether a file may have been written, used again or removed while it was read.
fn may_have_moved(error: &JournalError) -> bool {
    let is_gone = |kind: io::ErrorKind| kind == io::ErrorKind::NotFound;
    error.is_damage() || error.storage_kind().is_some_and(is_gone)
}

/// The newest snapshot that is good, of those that are there.
fn newest_good<S: Storage>(storage: &S) -> Result<Option<snapshot::Manifest>, JournalError> {
    let mut first = None;
    for number in snapshot::list(storage)?.into_iter().rev() {
        match snapshot::verify_as_far_as_keys_go(storage, number) {
            Ok((manifest, _)) => return Ok(Some(manifest)),
            Err(error) if may_have_moved(&error) => first = first.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    first.map_or(Ok(None), Err)
}

fn copy_all<S, T>(
    from: &S,
    to: &T,
    names: &mut Vec<String>,
    told: &mut dyn FnMut(Done),
) -> Result<BackupManifest, JournalError>
where
    S: Storage + Clone,
    T: Storage + Clone,
{
    let kept = newest_good(from)?;
    let report = settled(from)?;
    let mut wanted: Vec<(String, u64)> = Vec::new();
    if let Some(kept) = &kept {
        wanted.push((kept.name(), kept.encode().len() as u64));
        let parts = kept.parts.iter().enumerate();
        wanted.extend(parts.map(|(index, part)| (kept.part_name(index), part.bytes)));
    }
    for segment in &report.segments {
        let end = report.end.as_ref().filter(|(name, _)| *name == segment.file);
        let bytes = end.map_or(segment.bytes, |(_, end)| *end);
        wanted.push((segment.file.clone(), bytes));
    }
    let of = wanted.iter().map(|(_, bytes)| bytes).sum();
    let mut done = Done { bytes: 0, of };
    let mut files = Vec::new();
    for (name, bytes) in wanted {
        names.push(name.clone());
        files.push(copy(from, to, &name, bytes, &mut |more| {
            done.bytes += more;
            told(done);
        })?);
    }
    sync_names(to)?;
    let copied = check(to, kept.as_ref(), &report)?;
    let manifest = BackupManifest {
        epoch: copied.closed,
        record: copied.last,
        snapshot: kept.map(|kept| kept.number),
        files,
        locked: copied.locked,
    };
    names.push(UNBORN_NAME.to_owned());
    write_manifest(to, &manifest)?;
    Ok(manifest)
}

/// Reads the copy as a journal; it has what the original had.
fn check<T: Storage + Clone>(
    to: &T,
    kept: Option<&snapshot::Manifest>,
    original: &Report,
) -> Result<Report, JournalError> {
    let copied = inspect(to, |_| {})?;
    if let Some(error) = copied.damage {
        return Err(error);
    }
    let number =
        kept.map(|kept| snapshot::verify_as_far_as_keys_go(to, kept.number)).transpose()?;
    let first = copied.segments.first().map_or(1, |segment| segment.first);
    // A journal that was let go of before its newest snapshot was looked at.
    let reaches = number.map_or(1, |(snapshot, _)| snapshot.through + 1) >= first;
    if copied.last != original.last || !reaches {
        let file = copied.segments.first().map_or_else(String::new, |one| one.file.clone());
        return Err(JournalError::BadCopy { file, offset: 0, problem: "it ends elsewhere" });
    }
    Ok(copied)
}

/// Copies the first `bytes` of a file, durably.
fn copy<S: Storage, T: Storage>(
    from: &S,
    to: &T,
    name: &str,
    bytes: u64,
    told: &mut dyn FnMut(u64),
) -> Result<Copied, JournalError> {
    let refused = |operation| JournalError::storage(operation, name);
    let mut source = from.open(name).map_err(refused(Operation::Open))?;
    let mut target = to.create(name).map_err(refused(Operation::Create))?;
    let mut checksums = Vec::new();
    each_chunk(&mut source, name, bytes, &mut |offset, chunk| {
        write_all(&mut target, offset, chunk, name).map_err(JournalError::or_full)?;
        checksums.push(crc32c::crc32c(chunk));
        told(chunk.len() as u64);
        Ok(())
    })?;
    target.sync().map_err(refused(Operation::Sync))?;
    Ok(Copied { name: name.to_owned(), bytes, checksums })
}

/// Takes a part of a file, with its place.
type Take<'t> = dyn FnMut(u64, &[u8]) -> Result<(), JournalError> + 't;

/// Gives the first `bytes` of a file in parts of [`CHUNK_BYTES`].
fn each_chunk(
    file: &mut impl crate::storage::File,
    name: &str,
    bytes: u64,
    take: &mut Take<'_>,
) -> Result<(), JournalError> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut offset = 0;
    while offset < bytes {
        let wanted = usize::try_from(bytes - offset).unwrap_or(usize::MAX).min(CHUNK_BYTES);
        let part = &mut chunk[..wanted];
        let read = file.read(offset, part).map_err(JournalError::storage(Operation::Read, name))?;
        if read < wanted {
            let offset = offset + read as u64;
            let problem = "it ends there";
            return Err(JournalError::BadCopy { file: name.to_owned(), offset, problem });
        }
        take(offset, part)?;
        offset += wanted as u64;
    }
    Ok(())
}

fn sync_names<T: Storage>(to: &T) -> Result<(), JournalError> {
    to.sync_directory().map_err(JournalError::storage(Operation::SyncDirectory, ""))
}

fn write_manifest<T: Storage>(to: &T, manifest: &BackupManifest) -> Result<(), JournalError> {
    let refused = |operation| JournalError::storage(operation, UNBORN_NAME);
    let mut file = to.create(UNBORN_NAME).map_err(refused(Operation::Create))?;
    let text = manifest.encode();
    write_all(&mut file, 0, text.as_bytes(), UNBORN_NAME).map_err(JournalError::or_full)?;
    file.sync().map_err(refused(Operation::Sync))?;
    to.rename(UNBORN_NAME, NAME).map_err(refused(Operation::Rename))?;
    sync_names(to)
}

/// Whether a storage holds a backup.
///
/// # Errors
/// If the storage refuses.
pub fn is_backup<S: Storage>(storage: &S) -> Result<bool, JournalError> {
    let names = storage.list().map_err(JournalError::storage(Operation::List, ""))?;
    Ok(names.iter().any(|name| name == NAME))
}

/// Reads all of a backup; gives its manifest if every byte is what was copied.
///
/// # Errors
/// If the storage refuses, or the first thing that is wrong, with file and byte.
pub fn verify<S: Storage>(
    storage: &S,
    told: &mut dyn FnMut(Done),
) -> Result<BackupManifest, JournalError> {
    let manifest = BackupManifest::read(storage)?;
    let mut done = Done { bytes: 0, of: manifest.bytes() };
    for file in &manifest.files {
        check_file(storage, file, &mut |_, chunk| {
            done.bytes += chunk.len() as u64;
            told(done);
            Ok(())
        })?;
    }
    Ok(manifest)
}

/// Copies a backup to a storage that is empty, and checks every byte on the way.
///
/// # Errors
/// If a storage refuses, or as [`verify`]; what was copied until then stays.
pub fn restore<S: Storage, T: Storage>(
    from: &S,
    to: &T,
    told: &mut dyn FnMut(Done),
) -> Result<BackupManifest, JournalError> {
    let manifest = BackupManifest::read(from)?;
    let mut done = Done { bytes: 0, of: manifest.bytes() };
    for file in &manifest.files {
        let refused = |operation| JournalError::storage(operation, &file.name);
        let mut target = to.create(&file.name).map_err(refused(Operation::Create))?;
        check_file(from, file, &mut |offset, chunk| {
            write_all(&mut target, offset, chunk, &file.name).map_err(JournalError::or_full)?;
            done.bytes += chunk.len() as u64;
            told(done);
            Ok(())
        })?;
        target.sync().map_err(refused(Operation::Sync))?;
    }
    sync_names(to)?;
    Ok(manifest)
}

/// Gives a file of a backup in parts, each once it is known to be what was copied.
fn check_file<S: Storage>(
    storage: &S,
    copied: &Copied,
    take: &mut Take<'_>,
) -> Result<(), JournalError> {
    let Copied { name, bytes, checksums } = copied;
    let mut file = match storage.open(name) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(JournalError::Missing { file: name.clone() });
        }
        Err(error) => return Err(JournalError::storage(Operation::Open, name)(error)),
    };
    let bad = |offset, problem| JournalError::BadCopy { file: name.clone(), offset, problem };
    let length = file.length().map_err(JournalError::storage(Operation::Read, name))?;
    if length > *bytes {
        return Err(bad(*bytes, "it goes on there"));
    }
    let mut expected = checksums.iter();
    each_chunk(&mut file, name, *bytes, &mut |offset, chunk| {
        if expected.next() != Some(&crc32c::crc32c(chunk)) {
            return Err(bad(offset, "its checksum does not hold"));
        }
        take(offset, chunk)
    })
}
