//! Makes checksums right, so that what was changed is read further than to its checksum.

use trueup_wire::frame::HEADER_BYTES;

/// The blocks of a journal.
const BLOCK_BYTES: usize = 4096;
/// The head of a snapshot's part, and of one of its records.
const PART_HEAD_BYTES: usize = 24;
const RECORD_HEAD_BYTES: usize = 16;

fn half(bytes: &[u8], at: usize) -> usize {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).unwrap_or([0; 4]);
    usize::try_from(u32::from_le_bytes(four)).unwrap_or(usize::MAX)
}

fn set(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

/// What each byte adds to a checksum by a polynomial, lowest power first.
const fn table(polynomial: u32) -> [u32; 256] {
    let mut table = [0; 256];
    let (mut index, mut first) = (0, 0_u32);
    while index < 256 {
        let (mut sum, mut bit) = (first, 0);
        while bit < 8 {
            sum = (sum >> 1) ^ if sum & 1 == 1 { polynomial } else { 0 };
            bit += 1;
        }
        table[index] = sum;
        index += 1;
        first += 1;
    }
    table
}

static CRC32: [u32; 256] = table(0xEDB8_8320);
static CRC32C: [u32; 256] = table(0x82F6_3B78);

/// The checksum of pieces that follow each other.
fn checksum(table: &[u32; 256], pieces: &[&[u8]]) -> u32 {
    let next = |sum: u32, byte: &u8| (sum >> 8) ^ table[usize::from(sum.to_le_bytes()[0] ^ byte)];
    !pieces.iter().copied().flatten().fold(u32::MAX, next)
}

/// The frames of a conversation: magic and version too, and a body that ends with the bytes.
pub(super) fn finish_frames(bytes: &mut [u8]) {
    let mut rest = bytes;
    while rest.len() >= HEADER_BYTES {
        set(rest, 0, b"TRUP\x01\0");
        let most = rest.len() - HEADER_BYTES;
        let body = half(rest, 24).min(most);
        set(rest, 24, &u32::try_from(body).unwrap_or(0).to_le_bytes());
        let (frame, next) = rest.split_at_mut(HEADER_BYTES + body);
        let sum = checksum(&CRC32, &[&frame[..28], &frame[32..]]);
        set(frame, 28, &sum.to_le_bytes());
        rest = next;
    }
}

/// The headers and frames of a journal, each from the beginning of a block.
pub(super) fn finish_blocks(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(rest) = bytes.get_mut(at..).filter(|rest| rest.len() >= BLOCK_BYTES) {
        let stated = half(rest, 8).saturating_add(64).next_multiple_of(BLOCK_BYTES);
        let is_header = rest.starts_with(b"TRUPJRNL");
        let length = if is_header || stated > rest.len() { BLOCK_BYTES } else { stated };
        let frame = &mut rest[..length];
        let sum = checksum(&CRC32C, &[&frame[..12], &frame[16..]]);
        set(frame, 12, &sum.to_le_bytes());
        at += length;
    }
}

/// A manifest of one part, and that part with its records.
pub(super) fn finish_part(manifest: &mut [u8], part: &mut [u8]) {
    let (mut at, mut records) = (PART_HEAD_BYTES, 0_u64);
    while at + RECORD_HEAD_BYTES <= part.len() {
        let length = half(part, at);
        let content = at + RECORD_HEAD_BYTES;
        let Some(bytes) = content.checked_add(length).and_then(|end| part.get(content..end)) else {
            break;
        };
        let sum = checksum(&CRC32C, &[&part[at + 8..at + 9], bytes]);
        set(part, at + 4, &sum.to_le_bytes());
        at = content.saturating_add(length).next_multiple_of(8);
        records += 1;
    }
    let length = u64::try_from(part.len()).unwrap_or(0);
    set(manifest, 40, &length.to_le_bytes());
    set(manifest, 48, &records.to_le_bytes());
    set(manifest, 56, &u64::from(checksum(&CRC32C, &[part])).to_le_bytes());
    if manifest.len() >= 16 {
        let sum = checksum(&CRC32C, &[&manifest[..12], &manifest[16..]]);
        set(manifest, 12, &sum.to_le_bytes());
    }
}
