//! Opening a journal: read all of it, cut the torn tail, go on under a new generation.
//!
//! Opening reads every record once, so that whatever is wrong is found before anything is added. A
//! torn tail is cut by being written over; what is left of it is of an older generation than what
//! follows. What is before it is not taken for durable because it can be read: a process that ended
//! may have left it in memory only, and after a failed sync file systems take it for written although
//! it is not. So the frames that no later one vouches for are written again in their place, and
//! synced. Then a frame of the new generation is written and synced, which seals all that is before it,
//! and another one, which seals the generation.

use crate::epoch::Epochs;
use crate::error::{Damage, JournalError, Operation};
use crate::frame::{SEALED_VERSION, VERSION};
use crate::reader::{End, Records};
use crate::record::{GROUP_BYTES_MAX, Record};
use crate::scan::Chain;
use crate::seal::{Scope, Seal};
use crate::segment::{
    Place, SEGMENT_HEADER_BYTES, SegmentHeader, create_segment, damaged, list_segments,
    open_segment, remove_unborn, segment_name, write_all,
};
use crate::storage::{File, Storage};
use crate::tail::Tail;
use crate::writer::{Start, Writer};

/// How much is written again at a time.
const REWRITE_BYTES: usize = 1024 * 1024;

/// How a journal is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long a segment is at most, unless one group is longer.
    pub segment_bytes_max: u64,
    /// From how many bytes on a group is written without being asked.
    pub group_bytes_max: usize,
    /// For a new journal: a number that those who send its content cannot guess. It marks where
    /// frames begin, so that content cannot pass for a frame. An existing journal keeps its own.
    pub mark: u64,
    /// The generation is at least this, and greater than every one in the journal.
    pub generation_min: u64,
}

impl Options {
    /// The usual options: segments of 256 MiB, groups of 1 MiB, generations from 1.
    pub fn new(mark: u64) -> Self {
        let segment_bytes_max = 256 * 1024 * 1024;
        Self { segment_bytes_max, group_bytes_max: GROUP_BYTES_MAX, mark, generation_min: 1 }
    }
}

/// A journal that was opened.
#[derive(Debug)]
pub struct Opened<S: Storage> {
    /// Appends after the last whole record.
    pub writer: Writer<S>,
    /// Everything that was in the journal when it was opened.
    pub records: Records<S>,
    /// The number of the first record that is kept.
    pub first_record: u64,
    /// How many bytes of a torn tail were cut, as far as they can be told from unused room.
    pub cut_bytes: u64,
}

/// Opens the journal in `storage`, or makes one there.
///
/// # Errors
/// If the storage refuses, or the journal is damaged before its end; nothing was changed in that
/// case.
pub fn open<S: Storage + Clone>(storage: S, options: Options) -> Result<Opened<S>, JournalError> {
    open_with(storage, options, |_| {})
}

/// The same; gives each record to `each` while all of them are read, before anything is changed.
///
/// # Errors
/// As [`open`].
pub fn open_with<S: Storage + Clone>(
    storage: S,
    options: Options,
    mut each: impl FnMut(&Record<'_>),
) -> Result<Opened<S>, JournalError> {
    let mut records = Records::open(storage.clone())?;
    while let Some(record) = records.next()? {
        each(&record);
    }
    let end = records.into_end();
    remove_unborn(&storage)?;
    // What is left behind the end must stay older than what is written before it.
    let last = end.chain.generation.max(end.rest_generation);
    let generation = options.generation_min.max(last.saturating_add(1));
    let mut segments = end.segments.clone();
    let file = match end.segments.last() {
        Some(segment) => make_durable(&storage, segment, &end)?,
        None => {
            let segment = first_segment(options.mark, generation, storage.keys().is_some());
            segments.push(segment);
            create_segment(&storage, &segment, None).map_err(JournalError::or_full)?
        }
    };
    let retired = list_segments(&storage)?.retired;
    let tail = Tail::new(storage.clone(), &segments, file, retired)?;
    // An opening has a generation and a salt of its own, so that its keys are its own.
    let scope = Scope::Journal { mark: tail.segment.mark, generation };
    let seal = storage.keys().map(|keys| Seal::new(keys, scope)).transpose()?;
    let Chain { frame, record: number, checksum, .. } = end.chain;
    let offset = end.offset.max(SEGMENT_HEADER_BYTES);
    let start = Start { offset, frame, checksum, number, generation, epochs: end.epochs, seal };
    let mut writer = Writer::new(tail, storage.lanes(), start, options);
    // The frame of the new generation, and one that seals it: no later process takes the same.
    writer.witness()?;
    writer.witness()?;
    let cut_bytes = end.torn_end.saturating_sub(end.offset);
    let first_record = segments.first().map_or(1, |segment| segment.first);
    let kept = Records::open(storage)?.up_to(number);
    Ok(Opened { writer, records: kept, first_record, cut_bytes })
}

/// The first segment of a new journal.
fn first_segment(mark: u64, generation: u64, is_sealed: bool) -> SegmentHeader {
    let version = if is_sealed { SEALED_VERSION } else { VERSION };
    let (segment, frame, first, base, previous) = (1, 1, 1, 1, 0);
    let epochs = Epochs::default();
    SegmentHeader { version, segment, frame, first, previous, mark, generation, base, epochs }
}

/// Makes what was read durable.
fn make_durable<S: Storage>(
    storage: &S,
    segment: &SegmentHeader,
    end: &End,
) -> Result<S::File, JournalError> {
    let name = segment_name(segment.segment);
    let (mut file, _) = open_segment(storage, segment.segment)?;
    let unsealed = end.unsealed.front().map_or(end.offset, |(_, offset)| *offset);
    rewrite(&mut file, &name, unsealed, end.offset)?;
    file.sync().map_err(JournalError::storage(Operation::Sync, &name))?;
    storage.sync_directory().map_err(JournalError::storage(Operation::SyncDirectory, &name))?;
    Ok(file)
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
            return Err(damaged(name, Place { offset, record: 0 }, Damage::Length));
        }
        write_all(file, offset, &part[..read], name)?;
        offset += read as u64;
    }
    Ok(())
}
