//! Looking at an engine's folder while no engine uses it: the journal and its snapshots, byte by byte.

use crate::error::RuntimeError;
use crate::settings::Keys;
use std::path::Path;
use std::sync::Arc;
use trueup_journal::inspect::{Report, cut_aside, inspect};
use trueup_journal::snapshot;
use trueup_journal::{Directory, JournalError, Keyed, RecordKind};
use trueup_model::time::Timestamp;
use trueup_wire::record;

/// A snapshot.
#[derive(Debug)]
pub struct SnapshotReport {
    /// The epoch at whose end it is.
    pub epoch: u64,
    /// Its bytes and records; 0 if its manifest is damaged.
    pub bytes: u64,
    /// Its records.
    pub records: u64,
    /// The last record of the journal that it has; 0 if its manifest is damaged.
    pub through: u64,
    /// What is wrong with it, if something is.
    pub damage: Option<JournalError>,
    /// What is to be said of the first record whose key is not there; nothing but checksums is known of it.
    pub locked: Option<JournalError>,
}

/// What a folder holds.
#[derive(Debug)]
pub struct Inspection {
    /// The journal.
    pub journal: Report,
    /// The first and the last instant that the records move the horizon to.
    pub horizons: Option<(Timestamp, Timestamp)>,
    /// The snapshots, oldest first.
    pub snapshots: Vec<SnapshotReport>,
}

/// What was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The file that the bytes are in now.
    pub file: String,
    /// How many they are.
    pub bytes: u64,
}

impl Inspection {
    /// Looks at a folder; into what is sealed as far as there are keys.
    ///
    /// # Errors
    /// If an engine uses the folder, or the file system refuses. Damage is no error here.
    pub fn of(folder: &Path, keys: Option<Arc<Keys>>) -> Result<Self, RuntimeError> {
        Self::on(&Keyed::new(Directory::open(folder)?, keys))
    }

    fn on(directory: &Keyed<Directory>) -> Result<Self, RuntimeError> {
        let mut horizons: Option<(Timestamp, Timestamp)> = None;
        let journal = inspect(directory, |record| {
            if record.kind == RecordKind::Data(record::HORIZON)
                && let Some(at) = record::horizon(record.content)
            {
                horizons = Some((horizons.map_or(at, |(first, _)| first), at));
            }
        })?;
        let mut snapshots = Vec::new();
        for epoch in snapshot::list(directory)? {
            let (manifest, damage, locked) =
                match snapshot::verify_as_far_as_keys_go(directory, epoch) {
                    Ok((manifest, locked)) => (Some(manifest), None, locked),
                    Err(error) => (snapshot::open(directory, epoch).ok(), Some(error), None),
                };
            snapshots.push(SnapshotReport {
                epoch,
                bytes: manifest.as_ref().map_or(0, snapshot::Manifest::bytes),
                records: manifest.as_ref().map_or(0, snapshot::Manifest::records),
                through: manifest.as_ref().map_or(0, |manifest| manifest.through),
                damage,
                locked,
            });
        }
        Ok(Self { journal, horizons, snapshots })
    }

    /// Cuts off what comes after the last good record, if nothing vouches for it; it is kept in a file
    /// of its own. `None` if there is nothing to cut.
    ///
    /// # Errors
    /// If something vouches for what would be lost, and as [`Inspection::of`].
    pub fn cut(folder: &Path, keys: Option<Arc<Keys>>) -> Result<Option<Cut>, RuntimeError> {
        let directory = Keyed::new(Directory::open(folder)?, keys);
        let Self { journal, .. } = Self::on(&directory)?;
        let Report { damage, is_unsealed, torn_bytes, end, .. } = journal;
        if let Some(error) = damage.filter(|_| !is_unsealed) {
            return Err(RuntimeError::Journal(error));
        }
        let Some((file, offset)) = end.filter(|_| is_unsealed || torn_bytes > 0) else {
            return Ok(None);
        };
        let (aside, bytes) = cut_aside(&directory, &file, offset)?;
        Ok(Some(Cut { file: aside, bytes }))
    }
}
