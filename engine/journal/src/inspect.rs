//! Looking at a journal without opening it: how far it is good, and what is wrong where.
//!
//! Changes nothing, but for [`cut_aside`], which puts the bytes after the last good frame into a file of
//! their own and zeros in their place; it is for records that nothing vouches for, and nobody else has
//! the right to be told that they are gone.

use crate::error::{JournalError, Operation};
use crate::reader::Records;
use crate::record::{Record, RecordKind};
use crate::segment::{list_segments, open_segment, segment_name, write_all};
use crate::storage::{File as _, Storage};

/// How much is copied at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

/// A file of a journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentReport {
    /// Its name.
    pub file: String,
    /// Its bytes, with the room that is not used yet.
    pub bytes: u64,
    /// The number of its first record.
    pub first: u64,
    /// How many of its records are good.
    pub records: u64,
    /// The first and the last epoch of which it has records.
    pub epochs: Option<(u64, u64)>,
}

/// What a journal is like.
#[derive(Debug, Default)]
pub struct Report {
    /// The files that are needed, in order, as far as they could be read.
    pub segments: Vec<SegmentReport>,
    /// The last good record; 0 for none.
    pub last: u64,
    /// The last record that something vouches for.
    pub sealed: u64,
    /// The last epoch that was closed.
    pub closed: Option<u64>,
    /// How many bytes after the last good frame look like frames that never became durable.
    pub torn_bytes: u64,
    /// What is wrong, if something is.
    pub damage: Option<JournalError>,
    /// Whether nothing vouches for what is damaged, so that it can be cut off.
    pub is_unsealed: bool,
    /// How many good records are sealed with keys that are not there: nothing but checksums is known of
    /// them.
    pub locked: u64,
    /// What is to be said of the first of them.
    pub first_locked: Option<JournalError>,
    /// The last file and where its good frames end.
    pub end: Option<(String, u64)>,
}

/// Looks at all of a journal; gives each good record to `each`, without its content if that is sealed with
/// a key that is not there.
///
/// # Errors
/// If the storage refuses. Damage is no error here.
pub fn inspect<S: Storage + Clone>(
    storage: &S,
    mut each: impl FnMut(&Record<'_>),
) -> Result<Report, JournalError> {
    let mut report = Report::default();
    let found = list_segments(storage).and_then(|_| Records::open(storage.clone()));
    let mut records = match found {
        Ok(records) => records.leniently(),
        Err(error) => return told(report, error),
    };
    // The last record of each frame that nothing vouches for yet.
    let mut open: Vec<(u64, u64)> = Vec::new();
    loop {
        match records.next() {
            Ok(Some(record)) => {
                each(&record);
                let Record { number, epoch, kind, .. } = record;
                report.last = number;
                if kind == RecordKind::EpochClose {
                    report.closed = Some(epoch);
                }
                let segment = records.segment();
                note(&mut report, segment, number, epoch);
                let frame = records.frame();
                match open.last_mut() {
                    Some(last) if last.0 == frame => last.1 = number,
                    Some(_) | None => open.push((frame, number)),
                }
            }
            Ok(None) => break,
            Err(error) => {
                report.is_unsealed = records.is_unsealed_place();
                report = told(report, error)?;
                break;
            }
        }
    }
    (report.locked, report.first_locked) = records.take_locked();
    let unsealed = records.first_unsealed();
    let sealed = open.iter().filter(|(frame, _)| unsealed.is_none_or(|first| *frame < first));
    report.sealed = sealed.map(|(_, number)| *number).max().unwrap_or(0);
    for (segment, offset, torn) in records.ends() {
        let name = segment_name(segment);
        let (mut file, header) = open_segment(storage, segment)?;
        let bytes = file.length().map_err(JournalError::storage(Operation::Read, &name))?;
        if !report.segments.iter().any(|one| one.file == name) {
            let first = header.first;
            report.segments.push(SegmentReport { file: name.clone(), first, ..Default::default() });
        }
        if let Some(one) = report.segments.iter_mut().find(|one| one.file == name) {
            one.bytes = bytes;
        }
        report.end = Some((name, offset));
        report.torn_bytes = torn.saturating_sub(offset);
    }
    Ok(report)
}

/// Notes damage; whatever else went wrong is an error.
fn told(mut report: Report, error: JournalError) -> Result<Report, JournalError> {
    if !error.is_damage() {
        return Err(error);
    }
    report.damage = Some(error);
    Ok(report)
}

fn note(report: &mut Report, segment: u64, number: u64, epoch: u64) {
    let file = segment_name(segment);
    match report.segments.last_mut() {
        Some(last) if last.file == file => {
            last.records += 1;
            last.epochs = last.epochs.map(|(first, _)| (first, epoch));
        }
        Some(_) | None => report.segments.push(SegmentReport {
            file,
            bytes: 0,
            first: number,
            records: 1,
            epochs: Some((epoch, epoch)),
        }),
    }
}

/// Puts everything after the last good frame of the last file into a file of its own; gives its name and
/// how many bytes it has.
///
/// # Errors
/// If the storage refuses.
pub fn cut_aside<S: Storage>(
    storage: &S,
    file: &str,
    offset: u64,
) -> Result<(String, u64), JournalError> {
    let refused = |operation, name| JournalError::storage(operation, name);
    let aside = format!("{file}.cut-{offset}");
    let mut from = storage.open(file).map_err(refused(Operation::Open, file))?;
    let mut to = storage.create(&aside).map_err(refused(Operation::Create, &aside))?;
    let length = from.length().map_err(refused(Operation::Read, file))?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut at = offset;
    while at < length {
        let read = from.read(at, &mut chunk).map_err(refused(Operation::Read, file))?;
        if read == 0 {
            break;
        }
        write_all(&mut to, at - offset, &chunk[..read], &aside)?;
        at += read as u64;
    }
    to.sync().map_err(refused(Operation::Sync, &aside))?;
    storage.sync_directory().map_err(refused(Operation::SyncDirectory, &aside))?;
    let zeros = vec![0; CHUNK_BYTES];
    let mut zeroed = offset;
    while zeroed < at {
        let count = usize::try_from(at - zeroed).unwrap_or(usize::MAX).min(zeros.len());
        write_all(&mut from, zeroed, &zeros[..count], file)?;
        zeroed += count as u64;
    }
    from.sync().map_err(refused(Operation::Sync, file))?;
    Ok((aside, at - offset))
}
