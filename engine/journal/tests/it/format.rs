//! Frames as FORMAT.md draws them, read and changed without the journal's own code.

/// Where fields stand that frames and the headers of segments have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields {
    pub(crate) previous: usize,
    pub(crate) generation: usize,
    /// Frames only.
    pub(crate) sealed: Option<usize>,
}

pub(crate) const FRAME: Fields = Fields { previous: 16, generation: 40, sealed: Some(32) };
pub(crate) const SEGMENT: Fields = Fields { previous: 32, generation: 48, sealed: None };
/// Where the checksum stands in both.
pub(crate) const CHECKSUM: usize = 12;
/// Frames begin at multiples of this.
pub(crate) const BLOCK_BYTES: usize = 4096;
/// The polynomial of CRC-32C, lowest power first.
const POLYNOMIAL: u32 = 0x82F6_3B78;

pub(crate) fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

pub(crate) fn half(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

pub(crate) fn set_word(bytes: &mut [u8], at: usize, word: u64) {
    bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
}

pub(crate) fn set_half(bytes: &mut [u8], at: usize, half: u32) {
    bytes[at..at + 4].copy_from_slice(&half.to_le_bytes());
}

/// CRC-32C, bit by bit, of everything but the checksum.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    let covered = bytes[..CHECKSUM].iter().chain(&bytes[CHECKSUM + 4..]);
    !covered
        .fold(u32::MAX, |sum, byte| (sum >> 8) ^ TABLE[usize::from(sum.to_le_bytes()[0] ^ byte)])
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    let mut first: u32 = 0;
    while index < 256 {
        let (mut sum, mut bit) = (first, 0);
        while bit < 8 {
            sum = (sum >> 1) ^ if sum & 1 == 1 { POLYNOMIAL } else { 0 };
            bit += 1;
        }
        table[index] = sum;
        index += 1;
        first += 1;
    }
    table
};

/// Whether a frame of this mark begins here.
pub(crate) fn is_frame(bytes: &[u8], mark: u64) -> bool {
    bytes.len() >= BLOCK_BYTES && word(bytes, 0) == mark
}

/// Whether the header of a segment begins here.
pub(crate) fn is_segment(bytes: &[u8]) -> bool {
    bytes.len() >= BLOCK_BYTES && bytes.starts_with(b"TRUPJRNL")
}

/// Makes the checksum right after a change; gives it.
pub(crate) fn finish(bytes: &mut [u8]) -> u32 {
    let sum = checksum(bytes);
    bytes[CHECKSUM..CHECKSUM + 4].copy_from_slice(&sum.to_le_bytes());
    sum
}
