//! Copies of an engine's folder: taken while it runs, put back where none runs, and looked into.

use crate::clock::Clock;
use crate::engine::Engine;
use crate::error::RuntimeError;
use crate::recovery::Replayed;
use crate::settings::{Keys, Settings};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use trueup_journal::{Directory, Keyed, backup as copies};

pub use trueup_journal::backup::{BackupManifest, Done};

/// Copies the newest snapshot of a journal's folder and the journal to a folder that is new or empty; an
/// engine may use the first meanwhile. What is sealed is copied as it is; with keys it is looked into.
///
/// # Errors
/// If the file system refuses, the journal is damaged, or the second folder is not empty.
pub fn backup(
    journal: &Path,
    keys: Option<Arc<Keys>>,
    to: &Path,
    told: &mut dyn FnMut(Done),
) -> Result<BackupManifest, RuntimeError> {
    check_there(journal)?;
    check_empty(to)?;
    let from = Keyed::new(Directory::looked_at(journal), keys.clone());
    Ok(copies::backup(&from, &Keyed::new(Directory::open(to)?, keys), told)?)
}

/// Puts a backup into a folder that is new or empty, after every byte of it was checked.
///
/// The folder has its name once all of it is there.
///
/// # Errors
/// If the file system refuses, the backup is damaged, or the folder is not empty; nothing is left of it
/// then.
pub fn restore(
    from: &Path,
    journal: &Path,
    told: &mut dyn FnMut(Done),
) -> Result<BackupManifest, RuntimeError> {
    check_there(from)?;
    check_empty(journal)?;
    let mut unborn = journal.as_os_str().to_owned();
    unborn.push(".restoring");
    let unborn = PathBuf::from(unborn);
    if unborn.exists() {
        let problem = "is left of a restore that did not end; remove it";
        return Err(folder(&unborn, problem));
    }
    let backup = Directory::looked_at(from);
    copies::verify(&backup, &mut |_| {})?;
    let done = Directory::open(&unborn).and_then(|directory| {
        let manifest = copies::restore(&backup, &directory, told)?;
        directory.rename_to(journal)?;
        Ok(manifest)
    });
    if done.is_err() {
        // What cannot be removed is said to be there by the next attempt.
        let _ = std::fs::remove_dir_all(&unborn);
    }
    Ok(done?)
}

/// An engine that looks back into a journal's folder, which another engine may use, or into a backup,
/// every byte of which is checked before. See [`Engine::replay`].
///
/// # Errors
/// As [`Engine::replay`], and if the folder is not there.
pub fn look_back(
    settings: Settings,
    clock: Arc<dyn Clock>,
    folder: &Path,
    wanted: Replayed,
) -> Result<Engine, RuntimeError> {
    check_there(folder)?;
    let storage = Keyed::new(Directory::looked_at(folder), settings.journal_keys.clone());
    if copies::is_backup(&storage)? {
        copies::verify(&storage, &mut |_| {})?;
    }
    Engine::replay(settings, clock, &storage, wanted)
}

fn folder(path: &Path, problem: &'static str) -> RuntimeError {
    RuntimeError::Folder { folder: path.display().to_string(), problem }
}

fn check_there(path: &Path) -> Result<(), RuntimeError> {
    if path.is_dir() { Ok(()) } else { Err(folder(path, "is not there")) }
}

/// That nothing is there yet, or an empty folder.
fn check_empty(path: &Path) -> Result<(), RuntimeError> {
    match std::fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(folder(path, "is not empty; name one that is new or empty")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(_) => Err(folder(path, "cannot be looked into")),
    }
}
