//! Frames: what is written at once, and what says that earlier frames are durable.
//!
//! A frame holds the records of one group, maybe none. It begins at a block, so that no later write
//! touches a block that is durable, and its last block is filled with zeros. Each frame verifies
//! alone: its checksum covers all of its blocks, and the checksum of the frame before it stands beside
//! it as a field. Each also says how far the journal was durable when it was written, which is what
//! tells a torn tail from damage (see `reader.rs`), and which process wrote it, which is what tells it
//! from the remains of others in a file that is used again.

use crate::keys::SALT_BYTES;

/// Frames and what a segment's header takes begin and end at multiples of this.
pub(crate) const BLOCK_BYTES: usize = 4096;
/// The bytes of a frame's header; its records follow.
pub(crate) const FRAME_HEADER_BYTES: usize = 64;
/// The version of files and frames whose content is in the open.
pub(crate) const VERSION: u32 = 2;
/// The version of those whose content is sealed.
pub(crate) const SEALED_VERSION: u32 = 3;
/// No number of a frame, record, segment or generation gets as great as this.
pub(crate) const NUMBER_MAX: u64 = 1 << 62;
/// Where the checksum stands, in frames and in segments.
const CHECKSUM: std::ops::Range<usize> = 12..16;

/// What a frame's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// The journal's own mark, which no content can contain but by accident.
    pub(crate) mark: u64,
    /// The bytes of the records, and of the salt of those that are sealed.
    pub(crate) length: u32,
    /// The checksum of this frame.
    pub(crate) checksum: u32,
    /// The checksum of the frame before it; 0 for the first of a journal.
    pub(crate) previous: u32,
    /// The version of the format.
    pub(crate) version: u32,
    /// Its place in the journal, from 1.
    pub(crate) frame: u64,
    /// The last frame that was durable when this one was written.
    pub(crate) sealed: u64,
    /// The generation of the process that wrote it.
    pub(crate) generation: u64,
    /// The number of its first record, or of the next one if it has none.
    pub(crate) first: u64,
    /// How many records it has.
    pub(crate) records: u32,
}

impl FrameHeader {
    /// The header as it stands in the file.
    fn encode(&self) -> [u8; FRAME_HEADER_BYTES] {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        bytes[..8].copy_from_slice(&self.mark.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.length.to_le_bytes());
        bytes[CHECKSUM].copy_from_slice(&self.checksum.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.previous.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.version.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.frame.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.sealed.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.generation.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.first.to_le_bytes());
        bytes[56..60].copy_from_slice(&self.records.to_le_bytes());
        bytes
    }

    /// The fields of a header, unchecked.
    pub(crate) fn decode(bytes: &[u8; FRAME_HEADER_BYTES]) -> Self {
        Self {
            mark: word_at(bytes, 0),
            length: half_at(bytes, 8),
            checksum: half_at(bytes, 12),
            previous: half_at(bytes, 16),
            version: half_at(bytes, 20),
            frame: word_at(bytes, 24),
            sealed: word_at(bytes, 32),
            generation: word_at(bytes, 40),
            first: word_at(bytes, 48),
            records: half_at(bytes, 56),
        }
    }

    /// Whether its content is sealed.
    pub(crate) fn is_sealed(&self) -> bool {
        self.version == SEALED_VERSION
    }

    /// Where its first record begins.
    pub(crate) fn records_at(&self) -> usize {
        FRAME_HEADER_BYTES + if self.is_sealed() { SALT_BYTES } else { 0 }
    }

    /// The bytes of the blocks that the frame takes.
    pub(crate) fn padded(&self) -> usize {
        padded(self.length as usize)
    }
}

/// The bytes of the blocks that a frame takes, by the bytes of its records.
pub(crate) fn padded(length: usize) -> usize {
    (FRAME_HEADER_BYTES + length).next_multiple_of(BLOCK_BYTES)
}

/// Fills the room for the header at the beginning of `frame`, and its last block; gives the checksum.
///
/// The length and checksum of `header` are filled in.
pub(crate) fn finish_frame(header: FrameHeader, frame: &mut Vec<u8>) -> u32 {
    let length = frame.len() - FRAME_HEADER_BYTES;
    frame.resize(padded(length), 0);
    let length = u32::try_from(length).expect("the limit of a frame fits 32 bits");
    let header = FrameHeader { length, checksum: 0, ..header };
    frame[..FRAME_HEADER_BYTES].copy_from_slice(&header.encode());
    let checksum = checksum(frame);
    frame[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    checksum
}

/// The CRC-32C of a frame or a segment's header: of all of its bytes but those of the checksum itself.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    let before = bytes.get(..CHECKSUM.start).unwrap_or(&[]);
    let after = bytes.get(CHECKSUM.end..).unwrap_or(&[]);
    crc32c::crc32c_append(crc32c::crc32c(before), after)
}

/// The same of bytes that so many zeros follow; the bytes may end within the header.
pub(crate) fn checksum_with_zeros(bytes: &[u8], zeros: usize) -> u32 {
    static ZEROS: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];
    let mut head = [0; FRAME_HEADER_BYTES];
    head.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    let after = bytes.get(FRAME_HEADER_BYTES..).unwrap_or(&[]);
    let mut left = (bytes.len() + zeros).saturating_sub(FRAME_HEADER_BYTES + after.len());
    let mut sum = crc32c::crc32c_append(checksum(&head), after);
    while left > 0 {
        let piece = left.min(BLOCK_BYTES);
        sum = crc32c::crc32c_append(sum, &ZEROS[..piece]);
        left -= piece;
    }
    sum
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

#[cfg(test)]
mod tests;
