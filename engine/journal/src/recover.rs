//! Opening a journal: read all of it, cut the torn tail, go on under a new generation.
//!
//! Opening reads every record once, so that whatever is wrong is found before anything is added. A
//! torn tail is cut. What is left is not taken for durable because it can be read: a process that
//! ended may have left it in memory only, and after a failed sync file systems take it for written
//! although it is not. So the records that no later one vouches for are written again in their place,
//! and synced. Then the new generation is written and synced, which seals all that is before it.

use crate::error::{Damage, JournalError, Operation};
use crate::reader::{End, Records};
use crate::segment::{
    SEGMENT_HEADER_BYTES, SegmentHeader, create_segment, damaged, open_segment, remove_unborn,
    segment_name, write_all,
};
use crate::storage::{File, Storage};
use crate::writer::{Start, Writer};

/// How much is written again at a time.
const REWRITE_BYTES: usize = 1024 * 1024;

/// How a journal is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// From how many bytes on a segment gets no more records and the next one begins.
    pub segment_bytes_max: u64,
    /// For a new journal: a number that those who send its content cannot guess. It marks where
    /// records begin, so that content cannot pass for a record. An existing journal keeps its own.
    pub mark: u64,
    /// The generation is at least this, and greater than every one in the journal.
    pub generation_min: u64,
}

impl Options {
    /// The usual options: segments of 256 MiB, generations from 1.
    pub fn new(mark: u64) -> Self {
        Self { segment_bytes_max: 256 * 1024 * 1024, mark, generation_min: 1 }
    }
}

/// A journal that was opened.
#[derive(Debug)]
pub struct Opened<S: Storage> {
    /// Appends after the last whole record.
    pub writer: Writer<S>,
    /// Everything that was in the journal when it was opened.
    pub records: Records<S>,
    /// How many bytes of a torn tail were cut.
    pub cut_bytes: u64,
}

/// Opens the journal in `storage`, or makes one there.
///
/// # Errors
/// If the storage refuses, or the journal is damaged before its end; nothing was changed in that
/// case.
pub fn open<S: Storage + Clone>(storage: S, options: Options) -> Result<Opened<S>, JournalError> {
    let mut records = Records::open(storage.clone())?;
    while records.next()?.is_some() {}
    let end = records.end();
    remove_unborn(&storage)?;
    let generation = options.generation_min.max(end.chain.generation + 1);
    let (segment, file, cut_bytes) = match end.segment {
        Some(segment) => {
            let (file, cut_bytes) = cut_tail(&storage, &segment, end)?;
            (segment, file, cut_bytes)
        }
        None => {
            let (mark, previous) = (options.mark, 0);
            let segment = SegmentHeader { segment: 1, first: 1, previous, mark, generation };
            (segment, create_segment(&storage, &segment)?, 0)
        }
    };
    let start = Start {
        segment,
        file,
        length: end.offset.max(SEGMENT_HEADER_BYTES as u64),
        number: end.chain.number,
        checksum: end.chain.checksum,
        generation,
        epochs: end.epochs,
        segment_bytes_max: options.segment_bytes_max,
    };
    let mut writer = Writer::new(storage.clone(), start);
    writer.begin()?;
    let replayed = Records::open(storage)?.up_to(end.chain.number);
    Ok(Opened { writer, records: replayed, cut_bytes })
}

/// Cuts what is after the last whole record, and makes the rest durable.
fn cut_tail<S: Storage>(
    storage: &S,
    segment: &SegmentHeader,
    end: End,
) -> Result<(S::File, u64), JournalError> {
    let name = segment_name(segment.segment);
    let (mut file, _) = open_segment(storage, segment.segment)?;
    let length = file.length().map_err(JournalError::storage(Operation::Read, &name))?;
    if length > end.offset {
        file.truncate(end.offset).map_err(JournalError::storage(Operation::Truncate, &name))?;
    }
    rewrite(&mut file, &name, end.unsealed, end.offset)?;
    file.sync().map_err(JournalError::storage(Operation::Sync, &name))?;
    storage.sync_directory().map_err(JournalError::storage(Operation::SyncDirectory, &name))?;
    Ok((file, length.saturating_sub(end.offset)))
}

/// Writes a part of a file again, as it is.
fn rewrite(file: &mut impl File, name: &str, start: u64, end: u64) -> Result<(), JournalError> {
    let span = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
    let mut buffer = vec![0; span.min(REWRITE_BYTES)];
    let mut offset = start;
    while offset < end {
        let wanted = usize::try_from(end - offset).unwrap_or(usize::MAX).min(buffer.len());
        let part = &mut buffer[..wanted];
        let read = file.read(offset, part).map_err(JournalError::storage(Operation::Read, name))?;
        if read == 0 {
            return Err(damaged(name, offset, Damage::Length));
        }
        write_all(file, offset, &part[..read], name)?;
        offset += read as u64;
    }
    Ok(())
}
