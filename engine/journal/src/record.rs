//! Records: the framing of one piece of bytes in a journal file.
//!
//! Each record verifies alone: the checksum covers its own header and content, and the checksum of the
//! record before it stands beside it as a field. Each also says how far the journal was durable when
//! it was written, which is what tells a torn tail from damage (see `reader.rs`).

/// The bytes of a record's header.
pub(crate) const HEADER_BYTES: usize = 56;
/// Records begin at multiples of this.
pub(crate) const ALIGNMENT: usize = 8;
/// The longest content of a record: a frame of the wire and what its owner says about it.
pub const RECORD_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Where the checksum stands in the header.
const CHECKSUM_OFFSET: usize = 12;
/// The bytes of the content of an epoch's close.
const CLOSE_BYTES: usize = 32;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A process opened the journal under a new generation.
    Opened,
    /// Nothing but a witness that what is before it is durable.
    Seal,
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

    /// The kind's stable number, if the owner's number is not too great.
    pub fn code(self) -> Option<u8> {
        match self {
            Self::Opened => Some(1),
            Self::Seal => Some(2),
            Self::EpochClose => Some(3),
            Self::Data(number) => Self::DATA_BASE.checked_add(number),
        }
    }

    /// The kind of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Opened),
            2 => Some(Self::Seal),
            3 => Some(Self::EpochClose),
            _ => code.checked_sub(Self::DATA_BASE).map(Self::Data),
        }
    }
}

/// A whole record whose checksum holds.
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
            RecordKind::Opened | RecordKind::Seal | RecordKind::Data(_) => None,
        }
    }
}

/// A record's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    /// The journal's own mark, which no content can contain but by accident.
    pub(crate) mark: u64,
    /// The bytes of the content.
    pub(crate) length: u32,
    /// The checksum of this record.
    pub(crate) checksum: u32,
    /// The checksum of the record before it.
    pub(crate) previous: u32,
    /// The number of the kind.
    pub(crate) kind: u8,
    /// Its place in the journal.
    pub(crate) number: u64,
    /// The last record that was durable when this one was written.
    pub(crate) durable: u64,
    pub(crate) generation: u64,
    pub(crate) epoch: u64,
}

impl RecordHeader {
    /// The header as it stands in the file.
    fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&self.mark.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.length.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.checksum.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.previous.to_le_bytes());
        bytes[20] = self.kind;
        bytes[24..32].copy_from_slice(&self.number.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.durable.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.generation.to_le_bytes());
        bytes[48..].copy_from_slice(&self.epoch.to_le_bytes());
        bytes
    }

    /// The fields of a header, unchecked.
    pub(crate) fn decode(bytes: &[u8; HEADER_BYTES]) -> Self {
        Self {
            mark: word_at(bytes, 0),
            length: half_at(bytes, 8),
            checksum: half_at(bytes, 12),
            previous: half_at(bytes, 16),
            kind: bytes[20],
            number: word_at(bytes, 24),
            durable: word_at(bytes, 32),
            generation: word_at(bytes, 40),
            epoch: word_at(bytes, 48),
        }
    }

    /// The bytes of the content, and of the zeros after it.
    pub(crate) fn padded(&self) -> usize {
        padded(self.length as usize)
    }
}

/// The eight bytes at a place, as a number.
pub(crate) fn word_at(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at..).and_then(|rest| rest.first_chunk());
    word.map_or(0, |word| u64::from_le_bytes(*word))
}

/// The four bytes at a place, as a number.
pub(crate) fn half_at(bytes: &[u8], at: usize) -> u32 {
    let half = bytes.get(at..).and_then(|rest| rest.first_chunk());
    half.map_or(0, |half| u32::from_le_bytes(*half))
}

fn padded(length: usize) -> usize {
    length.next_multiple_of(ALIGNMENT)
}

/// The checksum of a record, from its header and its content with the zeros after it.
pub(crate) fn checksum(header: &[u8; HEADER_BYTES], padded: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header[..CHECKSUM_OFFSET]);
    hasher.update(&header[CHECKSUM_OFFSET + 4..]);
    hasher.update(padded);
    hasher.finalize()
}

/// Appends a record whose content is all of the parts; gives its checksum.
///
/// The length and checksum of `header` are filled in.
pub(crate) fn write_record(header: RecordHeader, parts: &[&[u8]], out: &mut Vec<u8>) -> u32 {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let length = u32::try_from(length).expect("the limit of a record fits 32 bits");
    let mut encoded = RecordHeader { length, checksum: 0, ..header }.encode();
    let start = out.len();
    out.reserve(HEADER_BYTES + padded(length as usize));
    out.extend_from_slice(&encoded);
    for part in parts {
        out.extend_from_slice(part);
    }
    out.resize(start + HEADER_BYTES + padded(length as usize), 0);
    let checksum = checksum(&encoded, &out[start + HEADER_BYTES..]);
    encoded[CHECKSUM_OFFSET..CHECKSUM_OFFSET + 4].copy_from_slice(&checksum.to_le_bytes());
    out[start..start + HEADER_BYTES].copy_from_slice(&encoded);
    checksum
}

#[cfg(test)]
mod tests;
