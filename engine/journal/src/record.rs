//! Records: one piece of the owner's bytes, or the end of an epoch; they stand in frames.

use crate::frame::{half_at, word_at};
use crate::keys::SALT_BYTES;
use crate::seal::{Label, SEAL_BYTES, Seal};

/// The bytes of a record's header.
pub(crate) const RECORD_HEADER_BYTES: usize = 16;
/// Records begin at multiples of this.
const ALIGNMENT: usize = 8;
/// The longest content of a record: a frame of the wire and what its owner says about it.
pub const RECORD_BYTES_MAX: usize = 8 * 1024 * 1024;
/// From how many bytes on a group gets no more records; one record may be longer.
pub const GROUP_BYTES_MAX: usize = 1024 * 1024;
/// The most bytes that the records of a frame have.
pub(crate) const FRAME_BYTES_MAX: usize =
    SALT_BYTES + RECORD_HEADER_BYTES + RECORD_BYTES_MAX + SEAL_BYTES;
/// The bytes of the content of an epoch's close.
pub(crate) const CLOSE_BYTES: usize = 32;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// An epoch is complete.
    EpochClose,
    /// Bytes of the journal's owner, with a number of the owner's own.
    Data(u8),
}

impl RecordKind {
    /// The greatest number that an owner may give.
    pub const DATA_MAX: u8 = 239;
    /// Where the numbers of owners begin.
    const DATA_BASE: u8 = 16;
    /// The number of an epoch's close.
    const EPOCH_CLOSE: u8 = 3;

    /// The kind's stable number, if the owner's number is not too great.
    pub fn code(self) -> Option<u8> {
        match self {
            Self::EpochClose => Some(Self::EPOCH_CLOSE),
            Self::Data(number) => Self::DATA_BASE.checked_add(number),
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            Self::EPOCH_CLOSE => Some(Self::EpochClose),
            _ => code.checked_sub(Self::DATA_BASE).map(Self::Data),
        }
    }
}

/// A record of a frame whose checksum holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its place in the journal, from 1.
    pub number: u64,
    /// The generation of the process that wrote it.
    pub generation: u64,
    /// The epoch that it belongs to.
    pub epoch: u64,
    /// What it is.
    pub kind: RecordKind,
    /// Its bytes.
    pub content: &'a [u8],
}

/// What an epoch had when it was closed; a replay that gives anything else must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochClose {
    /// The epoch.
    pub epoch: u64,
    /// How many data records it has.
    pub records: u64,
    /// A hash of what its owner made of them, which does not depend on their order.
    pub hash: u128,
}

impl EpochClose {
    pub(crate) fn encode(&self) -> [u8; CLOSE_BYTES] {
        let mut bytes = [0; CLOSE_BYTES];
        bytes[..8].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.records.to_le_bytes());
        bytes[16..].copy_from_slice(&self.hash.to_le_bytes());
        bytes
    }

    fn decode(content: &[u8]) -> Option<Self> {
        let (epoch, rest) = content.split_first_chunk()?;
        let (records, hash) = rest.split_first_chunk()?;
        Some(Self {
            epoch: u64::from_le_bytes(*epoch),
            records: u64::from_le_bytes(*records),
            hash: u128::from_le_bytes(hash.try_into().ok()?),
        })
    }
}

impl Record<'_> {
    /// What an epoch's close says; `None` for another kind of record.
    pub fn epoch_close(&self) -> Option<EpochClose> {
        match self.kind {
            RecordKind::EpochClose => EpochClose::decode(self.content),
            RecordKind::Data(_) => None,
        }
    }
}

/// A record as it stands in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: RecordKind,
    pub(crate) epoch: u64,
    /// Where its content begins in the frame, and its length.
    pub(crate) content: usize,
    pub(crate) length: usize,
}

impl Entry {
    /// Where the record ends.
    pub(crate) fn end(&self) -> usize {
        self.content + self.length.next_multiple_of(ALIGNMENT)
    }
}

/// A record to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewEntry<'a> {
    pub(crate) number: u64,
    pub(crate) code: u8,
    pub(crate) epoch: u64,
    /// Whose content it is; only what is sealed says so.
    pub(crate) party: &'a str,
    /// Its content is all of the parts.
    pub(crate) parts: &'a [&'a [u8]],
}

/// The bytes that a record takes in a frame.
pub(crate) fn record_bytes(content_bytes: usize) -> usize {
    RECORD_HEADER_BYTES + content_bytes.next_multiple_of(ALIGNMENT)
}

/// Appends a record to a frame, in sealed form if there is a seal.
pub(crate) fn write_record(record: NewEntry<'_>, seal: Option<&mut Seal>, out: &mut Vec<u8>) {
    let NewEntry { number, code, epoch, party, parts } = record;
    let content: usize = parts.iter().map(|part| part.len()).sum();
    let length = content + if seal.is_some() { SEAL_BYTES } else { 0 };
    let end = out.len() + record_bytes(length);
    let stated = u32::try_from(length).expect("the limit of a record fits 32 bits");
    out.reserve(end - out.len());
    out.extend_from_slice(&stated.to_le_bytes());
    out.extend_from_slice(&[code, 0, 0, 0]);
    out.extend_from_slice(&epoch.to_le_bytes());
    match seal {
        Some(seal) => seal.seal(party, Label { number, kind: code, epoch }, parts, out),
        None => parts.iter().for_each(|part| out.extend_from_slice(part)),
    }
    out.resize(end, 0);
}

/// The record that begins at a place of a frame, if there is one that ends in the frame; content that is
/// sealed is longer.
pub(crate) fn read_record(frame: &[u8], at: usize, is_sealed: bool) -> Option<Entry> {
    let longer = if is_sealed { SEAL_BYTES } else { 0 };
    let header: &[u8; RECORD_HEADER_BYTES] = frame.get(at..)?.first_chunk()?;
    let length = usize::try_from(half_at(header, 0)).ok()?;
    let content = at + RECORD_HEADER_BYTES;
    let kind = RecordKind::from_code(header[4])?;
    let entry = Entry { kind, epoch: word_at(header, 8), content, length };
    let is_whole =
        (longer..=RECORD_BYTES_MAX + longer).contains(&length) && entry.end() <= frame.len();
    let is_of_kind = match kind {
        RecordKind::Data(_) => true,
        RecordKind::EpochClose => length == CLOSE_BYTES + longer,
    };
    (is_whole && is_of_kind).then_some(entry)
}

#[cfg(test)]
mod tests;
