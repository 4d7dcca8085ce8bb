//! Snapshots: what an owner made of everything up to a record, so that the records need not be kept.
//!
//! A snapshot is a few parts, each a file of records of the owner's bytes, and a manifest that names
//! their lengths and checksums. Parts are written and synced first; the manifest comes into being by a
//! rename, so a snapshot is there as a whole or not at all, and what is left of one that did not come
//! into being is removed when the next one begins. A snapshot goes by the removal of its manifest,
//! then of its parts. Every byte is under a checksum. `FORMAT.md` draws the files.

mod manifest;
mod part;
mod secret;

pub use manifest::Manifest;
pub use part::Part;

use crate::error::{JournalError, Operation};
use crate::seal::{Scope, Seal};
use crate::segment::write_all;
use crate::storage::{File as _, Storage};
use manifest::{PartSize, parse_name};
use part::PartWriter;
use secret::Secret;

/// Writes a snapshot, part by part.
#[derive(Debug)]
pub struct SnapshotWriter<S: Storage> {
    storage: S,
    manifest: Manifest,
    part: Option<PartWriter<S::File>>,
}

impl<S: Storage> SnapshotWriter<S> {
    /// Begins a snapshot of the journal up to the record `through`, the last of the epoch `number`.
    ///
    /// What is left of snapshots that did not come into being is removed.
    ///
    /// # Errors
    /// If the storage refuses.
    pub fn begin(storage: S, number: u64, through: u64) -> Result<Self, JournalError> {
        remove(&storage, number)?;
        remove_unfinished(&storage)?;
        let manifest = Manifest::new(number, through);
        Ok(Self { storage, manifest, part: None })
    }

    /// Begins the next part; what is pushed goes there.
    ///
    /// # Errors
    /// If the storage refuses.
    pub fn begin_part(&mut self) -> Result<(), JournalError> {
        self.end_part()?;
        let index = self.manifest.parts.len();
        let name = manifest::part_name(self.manifest.number, index);
        let file = self.storage.create(&name);
        let file = file.map_err(JournalError::storage(Operation::Create, &name));
        let file = file.map_err(JournalError::or_full)?;
        let number = self.manifest.number;
        let scope = Scope::Snapshot { number, part: index as u64 };
        let seal = self.storage.keys().map(|keys| Seal::new(keys, scope)).transpose()?;
        self.part = Some(PartWriter::begin(file, name, number, seal));
        Ok(())
    }

    /// Adds a record to the part; its content is all of `parts`, one after the other.
    ///
    /// # Errors
    /// If the content is too long, or the storage refuses.
    pub fn push(&mut self, kind: u8, parts: &[&[u8]]) -> Result<(), JournalError> {
        self.push_of("", kind, parts)
    }

    /// The same with content of a party, which may have a key of its own; without keys it is as any other.
    ///
    /// # Errors
    /// As [`SnapshotWriter::push`].
    pub fn push_of(&mut self, party: &str, kind: u8, parts: &[&[u8]]) -> Result<(), JournalError> {
        if self.part.is_none() {
            self.begin_part()?;
        }
        self.part.as_mut().map_or(Ok(()), |part| part.push(party, kind, parts))
    }

    /// Makes the parts durable, then the snapshot.
    ///
    /// # Errors
    /// If the storage refuses; it is not certain then whether the snapshot is there.
    pub fn finish(mut self) -> Result<Manifest, JournalError> {
        self.end_part()?;
        let Self { storage, mut manifest, .. } = self;
        manifest.sign(storage.keys().as_deref());
        let (unborn, name) = (manifest.unborn_name(), manifest.name());
        let refused = |operation, file| JournalError::storage(operation, file);
        let mut file = storage.create(&unborn).map_err(refused(Operation::Create, &unborn))?;
        write_all(&mut file, 0, &manifest.encode(), &unborn)?;
        file.sync().map_err(refused(Operation::Sync, &unborn))?;
        // The names of the parts last before the manifest's does.
        storage.sync_directory().map_err(refused(Operation::SyncDirectory, &unborn))?;
        let renamed = storage.rename(&unborn, &name);
        renamed.map_err(refused(Operation::Rename, &unborn))?;
        storage.sync_directory().map_err(refused(Operation::SyncDirectory, &name))?;
        Ok(manifest)
    }

    fn end_part(&mut self) -> Result<(), JournalError> {
        if let Some(part) = self.part.take() {
            self.manifest.parts.push(part.finish()?);
        }
        Ok(())
    }
}

/// The numbers of the snapshots that are there, in order; whether they are good is not looked at.
///
/// # Errors
/// If the storage refuses.
pub fn list<S: Storage>(storage: &S) -> Result<Vec<u64>, JournalError> {
    let names = storage.list().map_err(JournalError::storage(Operation::List, ""))?;
    let named = names.iter().filter_map(|name| parse_name(name));
    let mut numbers: Vec<u64> =
        named.filter(|name| name.is_manifest).map(|name| name.number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads the manifest of a snapshot.
///
/// # Errors
/// If the storage refuses, or the manifest is damaged or of another version.
pub fn open<S: Storage>(storage: &S, number: u64) -> Result<Manifest, JournalError> {
    Manifest::read(storage, number)
}

/// The records of a part of a snapshot.
///
/// # Errors
/// If the storage refuses, or the part is not there.
pub fn part<S: Storage>(
    storage: &S,
    manifest: &Manifest,
    index: usize,
) -> Result<Part<S::File>, JournalError> {
    let name = manifest::part_name(manifest.number, index);
    let size = manifest.parts.get(index).copied().unwrap_or(PartSize::default());
    match storage.open(&name) {
        Ok(file) => {
            let secret = Secret::new(storage.keys(), manifest.number, index as u64);
            Ok(Part::new(file, name, size, secret))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(JournalError::Missing { file: name })
        }
        Err(error) => Err(JournalError::storage(Operation::Open, &name)(error)),
    }
}

/// Reads all of a snapshot; gives its manifest if every byte is good.
///
/// # Errors
/// The first thing that is wrong, with file and byte.
pub fn verify<S: Storage>(storage: &S, number: u64) -> Result<Manifest, JournalError> {
    match verify_as_far_as_keys_go(storage, number)? {
        (manifest, None) => Ok(manifest),
        (_, Some(locked)) => Err(locked),
    }
}

/// The same; content whose key is not there is not looked into. Says what is to be said of the first such.
///
/// # Errors
/// As [`verify`], but for missing keys.
pub fn verify_as_far_as_keys_go<S: Storage>(
    storage: &S,
    number: u64,
) -> Result<(Manifest, Option<JournalError>), JournalError> {
    let manifest = open(storage, number)?;
    let mut locked = None;
    for index in 0..manifest.parts.len() {
        let mut part = part(storage, &manifest, index)?.leniently();
        while part.next()?.is_some() {}
        locked = locked.or(part.into_locked());
    }
    Ok((manifest, locked))
}

/// Removes a snapshot: its manifest, durably, then its parts.
///
/// # Errors
/// If the storage refuses.
pub fn remove<S: Storage>(storage: &S, number: u64) -> Result<(), JournalError> {
    let is = |name: &str, manifest: bool| {
        parse_name(name).is_some_and(|of| of.number == number && of.is_manifest == manifest)
    };
    if remove_where(storage, |name| is(name, true))? {
        storage.sync_directory().map_err(JournalError::storage(Operation::SyncDirectory, ""))?;
    }
    remove_where(storage, |name| is(name, false)).map(|_| ())
}

/// Removes what is left of snapshots that did not come into being.
///
/// # Errors
/// If the storage refuses.
pub fn remove_unfinished<S: Storage>(storage: &S) -> Result<(), JournalError> {
    let whole = list(storage)?;
    let is_left = |name: &str| {
        parse_name(name).is_some_and(|of| !of.is_manifest && !whole.contains(&of.number))
    };
    remove_where(storage, is_left).map(|_| ())
}

/// Removes the files with such names; whether there were any.
fn remove_where<S: Storage>(storage: &S, is: impl Fn(&str) -> bool) -> Result<bool, JournalError> {
    let names = storage.list().map_err(JournalError::storage(Operation::List, ""))?;
    let mut any = false;
    for name in names.iter().filter(|name| is(name)) {
        storage.remove(name).map_err(JournalError::storage(Operation::Remove, name))?;
        any = true;
    }
    Ok(any)
}
