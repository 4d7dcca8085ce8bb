//! Segments: the files of a journal, one after the other, each with a header.
//!
//! A segment comes into being under another name, is given its header, synced and renamed, so that a
//! file with a segment's name always has a whole header. Only the last segment is appended to; it is
//! synced before the next one begins.

use crate::error::{Damage, JournalError, Operation};
use crate::record::{half_at, word_at};
use crate::storage::{File, Storage};
use std::io;

/// The bytes of a segment's header; the first record follows.
pub(crate) const SEGMENT_HEADER_BYTES: usize = 64;
/// The first eight bytes of a segment.
const MAGIC: [u8; 8] = *b"TRUPJRNL";
/// The version of segments and records.
const VERSION: u32 = 1;

/// What a segment's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Its place among the segments, from 1.
    pub(crate) segment: u64,
    /// The number of its first record.
    pub(crate) first: u64,
    /// The checksum of the record before that; 0 for none.
    pub(crate) previous: u32,
    /// The mark of the journal's records.
    pub(crate) mark: u64,
    /// The generation that began it.
    pub(crate) generation: u64,
}

impl SegmentHeader {
    fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.segment.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.first.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.previous.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.mark.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.generation.to_le_bytes());
        let checksum = header_checksum(&bytes);
        bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; SEGMENT_HEADER_BYTES], file: &str) -> Result<Self, JournalError> {
        if !bytes.starts_with(&MAGIC) || half_at(bytes, 12) != header_checksum(bytes) {
            return Err(damaged(file, 0, Damage::Header));
        }
        let found = half_at(bytes, 8);
        if found != VERSION {
            let file = file.to_owned();
            return Err(JournalError::Version { file, found, supported: VERSION });
        }
        Ok(Self {
            segment: word_at(bytes, 16),
            first: word_at(bytes, 24),
            previous: half_at(bytes, 32),
            mark: word_at(bytes, 40),
            generation: word_at(bytes, 48),
        })
    }
}

fn header_checksum(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..12]);
    hasher.update(&bytes[16..]);
    hasher.finalize()
}

pub(crate) fn damaged(file: &str, offset: u64, reason: Damage) -> JournalError {
    JournalError::Damaged { file: file.to_owned(), offset, reason }
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

/// The segments that are there, in order. Files that are none are left alone.
///
/// # Errors
/// If the storage refuses, or one of the sequence is missing.
pub(crate) fn list_segments<S: Storage>(storage: &S) -> Result<Vec<u64>, JournalError> {
    let names = storage.list().map_err(JournalError::storage(Operation::List, ""))?;
    let born = names.iter().filter_map(|name| parse_name(name)).filter(|(_, born)| *born);
    let mut segments: Vec<u64> = born.map(|(segment, _)| segment).collect();
    segments.sort_unstable();
    for pair in segments.windows(2) {
        if pair[1] != pair[0] + 1 {
            return Err(JournalError::Missing { file: segment_name(pair[0] + 1) });
        }
    }
    Ok(segments)
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

/// Makes a new segment, durably.
///
/// # Errors
/// If the storage refuses.
pub(crate) fn create_segment<S: Storage>(
    storage: &S,
    header: &SegmentHeader,
) -> Result<S::File, JournalError> {
    let (unborn, name) = (unborn_name(header.segment), segment_name(header.segment));
    let mut file =
        storage.create(&unborn).map_err(JournalError::storage(Operation::Create, &unborn))?;
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
    let mut bytes = [0; SEGMENT_HEADER_BYTES];
    let read = file.read(0, &mut bytes).map_err(JournalError::storage(Operation::Read, &name))?;
    if read < SEGMENT_HEADER_BYTES {
        return Err(damaged(&name, 0, Damage::Header));
    }
    let header = SegmentHeader::decode(&bytes, &name)?;
    if header.segment != segment {
        return Err(damaged(&name, 0, Damage::Header));
    }
    Ok((file, header))
}
