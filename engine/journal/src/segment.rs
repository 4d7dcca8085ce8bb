//! Segments: the files of a journal, one after the other, each with a header.
//!
//! A segment comes into being under another name, is given its header, synced and renamed, so that a
//! file with a segment's name always has a whole header. A file whose records nobody needs becomes the
//! next segment, so that its room need not be found again. Only the last segment is written to; it is
//! synced before the next one begins.

use crate::epoch::Epochs;
use crate::error::{Damage, JournalError, Operation};
use crate::frame::{BLOCK_BYTES, NUMBER_MAX, SEALED_VERSION, VERSION, checksum, half_at, word_at};
use crate::storage::{File, Storage};
use std::io;

/// The bytes of a segment's header; the first frame follows.
pub(crate) const SEGMENT_HEADER_BYTES: u64 = BLOCK_BYTES as u64;
/// The first eight bytes of a segment.
const MAGIC: [u8; 8] = *b"TRUPJRNL";
/// The oldest version, whose checksum was another one.
const VERSION_1: u32 = 1;
/// Says that an epoch was closed before the segment.
const HAS_CLOSED: u32 = 1;
/// Says that an epoch was open when the segment began.
const HAS_OPEN: u32 = 2;

/// What a segment's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// The version of the file: that of the frames that it begins with.
    pub(crate) version: u32,
    /// Its place among the segments, from 1.
    pub(crate) segment: u64,
    /// The number of its first frame.
    pub(crate) frame: u64,
    /// The number of its first record.
    pub(crate) first: u64,
    /// The checksum of the frame before that; 0 for none.
    pub(crate) previous: u32,
    /// The mark of the journal's frames.
    pub(crate) mark: u64,
    /// The generation that began it.
    pub(crate) generation: u64,
    /// The oldest segment that is needed; what older ones are left may be used again.
    pub(crate) base: u64,
    /// The epochs before it.
    pub(crate) epochs: Epochs,
}

impl SegmentHeader {
    fn encode(&self) -> [u8; BLOCK_BYTES] {
        let Epochs { closed, open } = self.epochs;
        let (open_epoch, counted) = open.unwrap_or_default();
        let has_closed = if closed.is_some() { HAS_CLOSED } else { 0 };
        let has_open = if open.is_some() { HAS_OPEN } else { 0 };
        let mut bytes = [0; BLOCK_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.segment.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.first.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.previous.to_le_bytes());
        bytes[36..40].copy_from_slice(&(has_closed | has_open).to_le_bytes());
        bytes[40..48].copy_from_slice(&self.mark.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.generation.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.frame.to_le_bytes());
        bytes[64..72].copy_from_slice(&self.base.to_le_bytes());
        bytes[72..80].copy_from_slice(&closed.unwrap_or_default().to_le_bytes());
        bytes[80..88].copy_from_slice(&open_epoch.to_le_bytes());
        bytes[88..96].copy_from_slice(&counted.to_le_bytes());
        let checksum = checksum(&bytes);
        bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8], file: &str) -> Result<Self, JournalError> {
        let found = half_at(bytes, 8);
        let is_version_1 = bytes.starts_with(&MAGIC) && found == VERSION_1;
        let is_whole = bytes.len() == BLOCK_BYTES && half_at(bytes, 12) == checksum(bytes);
        if !(is_version_1 || is_whole && bytes.starts_with(&MAGIC)) {
            return Err(damaged(file, Place::default(), Damage::Header));
        }
        if !(VERSION..=SEALED_VERSION).contains(&found) {
            let (file, oldest, supported) = (file.to_owned(), VERSION, SEALED_VERSION);
            return Err(JournalError::Version { file, found, oldest, supported });
        }
        let flags = half_at(bytes, 36);
        let epochs = Epochs {
            closed: (flags & HAS_CLOSED != 0).then(|| word_at(bytes, 72)),
            open: (flags & HAS_OPEN != 0).then(|| (word_at(bytes, 80), word_at(bytes, 88))),
        };
        Ok(Self {
            version: found,
            segment: word_at(bytes, 16),
            first: word_at(bytes, 24),
            previous: half_at(bytes, 32),
            mark: word_at(bytes, 40),
            generation: word_at(bytes, 48),
            frame: word_at(bytes, 56),
            base: word_at(bytes, 64),
            epochs,
        })
    }
}

/// Where something is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The byte of the file.
    pub(crate) offset: u64,
    /// The record that cannot be read, and the first of those that cannot; 0 if that is not known.
    pub(crate) record: u64,
}

pub(crate) fn damaged(file: &str, place: Place, reason: Damage) -> JournalError {
    let Place { offset, record } = place;
    JournalError::Damaged { file: file.to_owned(), offset, record, reason }
}

/// The name of a segment.
pub(crate) fn segment_name(segment: u64) -> String {
    format!("segment-{segment:010}.journal")
}

/// The name of a segment that is coming into being.
fn unborn_name(segment: u64) -> String {
    format!("segment-{segment:010}.new")
}

/// Which segment a file name is, and whether it has come into being.
fn parse_name(name: &str) -> Option<(u64, bool)> {
    let rest = name.strip_prefix("segment-")?;
    let (digits, kind) = rest.split_once('.')?;
    let segment = digits.parse().ok()?;
    match kind {
        "journal" if name == segment_name(segment) => Some((segment, true)),
        "new" if name == unborn_name(segment) => Some((segment, false)),
        _ => None,
    }
}

/// The segments that are there, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Segments {
    /// Those that are needed.
    pub(crate) live: Vec<u64>,
    /// Those that are older; their content is not looked at.
    pub(crate) retired: Vec<u64>,
}

/// Finds the segments. The last one says which are needed. Files that are none are left alone.
///
/// # Errors
/// If the storage refuses, the last one is not one, or one of the sequence is missing.
pub(crate) fn list_segments<S: Storage>(storage: &S) -> Result<Segments, JournalError> {
    let names = storage.list().map_err(JournalError::storage(Operation::List, ""))?;
    let born = names.iter().filter_map(|name| parse_name(name)).filter(|(_, born)| *born);
    let mut retired: Vec<u64> = born.map(|(segment, _)| segment).collect();
    retired.sort_unstable();
    let Some(newest) = retired.last() else { return Ok(Segments::default()) };
    let (_, header) = open_segment(storage, *newest)?;
    let live = retired.split_off(retired.partition_point(|segment| *segment < header.base));
    let mut expected = header.base;
    for segment in &live {
        if *segment != expected {
            return Err(JournalError::Missing { file: segment_name(expected) });
        }
        expected = expected.saturating_add(1);
    }
    Ok(Segments { live, retired })
}

/// Removes what is left of segments that did not come into being.
///
/// # Errors
/// If the storage refuses.
pub(crate) fn remove_unborn<S: Storage>(storage: &S) -> Result<(), JournalError> {
    let names = storage.list().map_err(JournalError::storage(Operation::List, ""))?;
    for name in names {
        if let Some((_, false)) = parse_name(&name) {
            storage.remove(&name).map_err(JournalError::storage(Operation::Remove, &name))?;
        }
    }
    Ok(())
}

/// Removes a segment that is not needed.
///
/// # Errors
/// If the storage refuses.
pub(crate) fn remove_segment<S: Storage>(storage: &S, segment: u64) -> Result<(), JournalError> {
    let name = segment_name(segment);
    storage.remove(&name).map_err(JournalError::storage(Operation::Remove, &name))
}

/// Writes all of the bytes, at once: a write that ends early is a failed one.
///
/// # Errors
/// If the storage refuses, or writes a part only.
pub(crate) fn write_all(
    file: &mut impl File,
    offset: u64,
    bytes: &[u8],
    name: &str,
) -> Result<(), JournalError> {
    let failed = JournalError::storage(Operation::Write, name);
    match file.write(offset, bytes) {
        Ok(written) if written == bytes.len() => Ok(()),
        Ok(_) => Err(failed(io::ErrorKind::WriteZero.into())),
        Err(error) => Err(failed(error)),
    }
}

/// Makes a new segment, durably: of a retired one if there is one, whose frames stay in it as they are.
///
/// # Errors
/// If the storage refuses.
pub(crate) fn create_segment<S: Storage>(
    storage: &S,
    header: &SegmentHeader,
    retired: Option<u64>,
) -> Result<S::File, JournalError> {
    let (unborn, name) = (unborn_name(header.segment), segment_name(header.segment));
    let mut file = match retired.map(segment_name) {
        Some(old) => {
            let renamed = storage.rename(&old, &unborn);
            renamed.map_err(JournalError::storage(Operation::Rename, &old))?;
            storage.open(&unborn).map_err(JournalError::storage(Operation::Open, &unborn))?
        }
        None => {
            storage.create(&unborn).map_err(JournalError::storage(Operation::Create, &unborn))?
        }
    };
    file.reserve(SEGMENT_HEADER_BYTES)
        .map_err(JournalError::storage(Operation::Reserve, &unborn))?;
    write_all(&mut file, 0, &header.encode(), &unborn)?;
    file.sync().map_err(JournalError::storage(Operation::Sync, &unborn))?;
    storage.rename(&unborn, &name).map_err(JournalError::storage(Operation::Rename, &unborn))?;
    storage.sync_directory().map_err(JournalError::storage(Operation::SyncDirectory, &name))?;
    Ok(file)
}

/// Opens a segment and reads its header.
///
/// # Errors
/// If the storage refuses, or the header is not one of this segment.
pub(crate) fn open_segment<S: Storage>(
    storage: &S,
    segment: u64,
) -> Result<(S::File, SegmentHeader), JournalError> {
    let name = segment_name(segment);
    let mut file = storage.open(&name).map_err(JournalError::storage(Operation::Open, &name))?;
    let mut bytes = [0; BLOCK_BYTES];
    let read = file.read(0, &mut bytes).map_err(JournalError::storage(Operation::Read, &name))?;
    let header = SegmentHeader::decode(bytes.get(..read).unwrap_or(&[]), &name)?;
    let SegmentHeader { frame, first, generation, base, .. } = header;
    let is_sane = [segment, frame, first, generation].iter().all(|number| *number < NUMBER_MAX)
        && frame > 0
        && first > 0;
    if header.segment != segment || base == 0 || base > segment || !is_sane {
        return Err(damaged(&name, Place::default(), Damage::Header));
    }
    Ok((file, header))
}

#[cfg(test)]
mod tests;
