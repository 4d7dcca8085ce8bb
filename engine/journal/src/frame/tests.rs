//! Frames byte by byte.

use super::{BLOCK_BYTES, FRAME_HEADER_BYTES, FrameHeader, checksum, finish_frame, padded};

fn header() -> FrameHeader {
    FrameHeader {
        mark: 0x0807_0605_0403_0201,
        length: 0,
        checksum: 0,
        previous: 0x1413_1211,
        version: 2,
        frame: 5,
        sealed: 3,
        generation: 7,
        first: 11,
        records: 1,
    }
}

fn frame(records: &[u8]) -> (Vec<u8>, u32) {
    let mut bytes = vec![0; FRAME_HEADER_BYTES];
    bytes.extend_from_slice(records);
    let sum = finish_frame(header(), &mut bytes);
    (bytes, sum)
}

#[test]
fn the_bytes_of_a_frame_are_these() {
    let (bytes, sum) = frame(b"records.");
    let expected: [u8; FRAME_HEADER_BYTES + 8] = [
        1, 2, 3, 4, 5, 6, 7, 8, // mark
        8, 0, 0, 0, // length
        0x94, 0xDF, 0x2D, 0x32, // checksum, as computed bit by bit elsewhere
        0x11, 0x12, 0x13, 0x14, // previous
        2, 0, 0, 0, // version
        5, 0, 0, 0, 0, 0, 0, 0, // frame
        3, 0, 0, 0, 0, 0, 0, 0, // sealed
        7, 0, 0, 0, 0, 0, 0, 0, // generation
        11, 0, 0, 0, 0, 0, 0, 0, // first
        1, 0, 0, 0, // records
        0, 0, 0, 0, // zero
        b'r', b'e', b'c', b'o', b'r', b'd', b's', b'.',
    ];
    assert_eq!(bytes[..expected.len()], expected);
    assert!(bytes.len() == BLOCK_BYTES && bytes[expected.len()..].iter().all(|byte| *byte == 0));
    let decoded = FrameHeader::decode(bytes.first_chunk().unwrap());
    assert_eq!(decoded, FrameHeader { length: 8, checksum: sum, ..header() });
    assert_eq!(decoded.padded(), BLOCK_BYTES);
    assert_eq!(checksum(&bytes), sum);
}

#[test]
fn the_checksum_is_crc_32c() {
    // The check value of the standard test, RFC 3720 B.4: 32 bytes of zeros, without a hole in them.
    let mut bytes = [0; 36];
    assert_eq!(checksum(&bytes), 0x8A91_36AA);
    bytes[12..16].fill(9);
    assert_eq!(checksum(&bytes), 0x8A91_36AA, "the hole is not covered");
}

#[test]
fn a_frame_fills_whole_blocks() {
    assert_eq!(padded(0), BLOCK_BYTES);
    assert_eq!(padded(BLOCK_BYTES - FRAME_HEADER_BYTES), BLOCK_BYTES);
    assert_eq!(padded(BLOCK_BYTES - FRAME_HEADER_BYTES + 1), 2 * BLOCK_BYTES);
    assert_eq!(frame(&[7; 4033]).0.len(), 2 * BLOCK_BYTES);
}

#[test]
fn every_bit_of_a_frame_but_the_checksum_is_covered_by_it() {
    let (good, sum) = frame(b"facts");
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let stated = FrameHeader::decode(bytes.first_chunk().unwrap()).checksum;
        assert_ne!(checksum(&bytes), stated, "bit {bit}");
        assert!(checksum(&bytes) != sum || (96..128).contains(&bit), "bit {bit}");
    }
}
