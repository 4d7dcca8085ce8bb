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
use trueup_journal::{Directory, Keyed, Options, Records, Storage, open};
use trueup_model::fact::Fact;
use trueup_operators::Epoch;
use trueup_wire::record;

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
    let mut records = Records::open(storage)?;
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    while let Some(record) = records.next()? {
        let is_batch = record.kind == trueup_journal::RecordKind::Data(record::BATCH);
        if !is_batch || !(first..=last).contains(&record.epoch) {
            continue;
        }
        let number = record.number;
        let bad = |problem: String| RuntimeError::Record { number, problem };
        let (_, frame) =
            record::number(record.content).ok_or_else(|| bad("it is cut".to_owned()))?;
        let read = record::with_batch(frame, |batch| {
            // Which codes were given is of no matter to who only wants identities.
            let facts = batch.facts(u32::MAX).map_err(|error| error.to_string())?;
            for Fact { id, revision, .. } in facts {
                let suspect = Suspect { id, revision };
                if seen.insert(suspect) {
                    found.push(suspect);
                }
            }
            Ok(())
        });
        read.map_err(bad)?;
    }
    Ok(found)
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
