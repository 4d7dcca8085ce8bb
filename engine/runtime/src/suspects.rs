//! Facts that stop the engine: which may have, and that they are left out from now on.
//!
//! A worker that fails takes its process with it, and the journal would bring it down again with the same
//! epoch. So whoever watches over the engine tries, in processes of their own, without which fact the epoch can
//! be computed, and writes that down in the journal: from then on a reject stands in its place, wherever
//! it is read from. A later revision of the fact counts.

use crate::error::RuntimeError;
use crate::settings::Keys;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use trueup_journal::writer::NewRecord;
use trueup_journal::{Directory, Keyed, Options, RecordKind, Records, Storage, open, snapshot};
use trueup_model::fact::Fact;
use trueup_operators::Epoch;
use trueup_wire::record;
use trueup_wire::snapshot::FACTS;

pub use trueup_wire::record::Suspect;

/// The facts of the epochs from `first` to `last`, each once, in the order in which they came.
///
/// # Errors
/// If the file system refuses, or the journal is damaged.
pub fn suspects(
    folder: &Path,
    keys: Option<Arc<Keys>>,
    first: Epoch,
    last: Epoch,
) -> Result<Vec<Suspect>, RuntimeError> {
    suspects_in(Keyed::new(Directory::looked_at(folder), keys), first, last)
}

fn suspects_in<S: Storage>(
    storage: S,
    first: Epoch,
    last: Epoch,
) -> Result<Vec<Suspect>, RuntimeError> {
    let mut found = Found::default();
    found.take_records(storage, first, last)?;
    Ok(found.facts)
}

/// The facts of everything that is kept up to an epoch, each once: of the newest snapshot by then, and of the
/// journal. A fact may stop the engine long after it came, when a period ends for one.
///
/// # Errors
/// If the file system refuses, or the journal is damaged.
pub fn suspects_through(
    folder: &Path,
    keys: Option<Arc<Keys>>,
    last: Epoch,
) -> Result<Vec<Suspect>, RuntimeError> {
    suspects_through_in(&Keyed::new(Directory::looked_at(folder), keys), last)
}

fn suspects_through_in<S: Storage + Clone>(
    storage: &S,
    last: Epoch,
) -> Result<Vec<Suspect>, RuntimeError> {
    let mut found = Found::default();
    let newest = snapshot::list(storage)?.into_iter().rev().find_map(|number| {
        let manifest = snapshot::verify(storage, number).ok()?;
        (number <= last).then_some(manifest)
    });
    if let Some(manifest) = newest {
        let of = manifest.number;
        for index in 0..manifest.parts.len() {
            let mut part = snapshot::part(storage, &manifest, index)?;
            while let Some((kind, content)) = part.next()? {
                let bad = |problem| RuntimeError::Snapshot { snapshot: of, part: index, problem };
                if kind == FACTS {
                    found.take(content).map_err(bad)?;
                }
            }
        }
    }
    found.take_records(storage.clone(), 0, last)?;
    Ok(found.facts)
}

/// Facts in the order in which they came, each once.
#[derive(Debug, Default)]
struct Found {
    facts: Vec<Suspect>,
    seen: BTreeSet<Suspect>,
}

impl Found {
    fn take_records<S: Storage>(
        &mut self,
        storage: S,
        first: Epoch,
        last: Epoch,
    ) -> Result<(), RuntimeError> {
        let mut records = Records::open(storage)?;
        while let Some(record) = records.next()? {
            let is_batch = record.kind == RecordKind::Data(record::BATCH);
            if is_batch && (first..=last).contains(&record.epoch) {
                let number = record.number;
                let bad = |problem| RuntimeError::Record { number, problem };
                self.take(record.content).map_err(bad)?;
            }
        }
        Ok(())
    }

    /// Takes a number and a batch.
    fn take(&mut self, content: &[u8]) -> Result<(), String> {
        let (_, frame) = record::number(content).ok_or("it is cut")?;
        record::with_batch(frame, |batch| {
            // Which codes were given is of no matter to who only wants identities.
            let facts = batch.facts(u32::MAX).map_err(|error| error.to_string())?;
            for Fact { id, revision, .. } in facts {
                let suspect = Suspect { id, revision };
                if self.seen.insert(suspect) {
                    self.facts.push(suspect);
                }
            }
            Ok(())
        })
    }
}

/// Writes down that facts are left out, for good; no engine may use the folder.
///
/// # Errors
/// If the file system refuses, or the journal is damaged.
pub fn leave_out(
    folder: &Path,
    keys: Option<Arc<Keys>>,
    facts: &[Suspect],
) -> Result<(), RuntimeError> {
    leave_out_of(Keyed::new(Directory::open(folder)?, keys), facts)
}

fn leave_out_of<S: Storage + Clone>(storage: S, facts: &[Suspect]) -> Result<(), RuntimeError> {
    // A journal that is there keeps its own mark.
    let mut writer = open(storage, Options::new(0))?.writer;
    let next = writer.closed_epoch().unwrap_or(0) + 1;
    let epoch = writer.open_epoch().map_or(next, |(open, _)| open);
    for fact in facts {
        let content = record::left_out_content(*fact);
        writer.append(NewRecord { kind: record::LEFT_OUT, epoch, parts: &[&content] })?;
    }
    writer.seal()?;
    Ok(())
}
