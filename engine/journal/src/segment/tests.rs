//! Headers of segments byte by byte.

use super::{SegmentHeader, parse_name, segment_name, unborn_name};
use crate::epoch::Epochs;
use crate::frame::{BLOCK_BYTES, checksum};

fn header() -> SegmentHeader {
    SegmentHeader {
        version: 2,
        segment: 9,
        frame: 77,
        first: 500,
        previous: 0x1413_1211,
        mark: 0x0807_0605_0403_0201,
        generation: 3,
        base: 8,
        epochs: Epochs { closed: Some(40), open: Some((41, 6)) },
    }
}

#[test]
fn the_bytes_of_a_header_are_these() {
    let bytes = header().encode();
    let sum = checksum(&bytes).to_le_bytes();
    let mut expected = Vec::new();
    expected.extend(b"TRUPJRNL");
    expected.extend([2, 0, 0, 0]); // version
    expected.extend(sum);
    expected.extend([9, 0, 0, 0, 0, 0, 0, 0]); // segment
    expected.extend([0xF4, 1, 0, 0, 0, 0, 0, 0]); // first
    expected.extend([0x11, 0x12, 0x13, 0x14]); // previous
    expected.extend([3, 0, 0, 0]); // an epoch was closed, and one is open
    expected.extend([1, 2, 3, 4, 5, 6, 7, 8]); // mark
    expected.extend([3, 0, 0, 0, 0, 0, 0, 0]); // generation
    expected.extend([77, 0, 0, 0, 0, 0, 0, 0]); // frame
    expected.extend([8, 0, 0, 0, 0, 0, 0, 0]); // base
    expected.extend([40, 0, 0, 0, 0, 0, 0, 0]); // closed
    expected.extend([41, 0, 0, 0, 0, 0, 0, 0]); // open
    expected.extend([6, 0, 0, 0, 0, 0, 0, 0]); // counted
    expected.resize(BLOCK_BYTES, 0);
    assert_eq!(bytes[..], expected[..]);
    assert_eq!(SegmentHeader::decode(&bytes, "file").unwrap(), header());
    let sealed = SegmentHeader { version: 3, ..header() };
    assert_eq!(SegmentHeader::decode(&sealed.encode(), "file").unwrap(), sealed);
    let none = SegmentHeader { epochs: Epochs::default(), ..header() };
    assert_eq!(SegmentHeader::decode(&none.encode(), "file").unwrap(), none);
}

#[test]
fn every_bit_of_a_header_is_checked() {
    let good = header().encode();
    for bit in 0..good.len() * 8 {
        let mut bytes = good;
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(SegmentHeader::decode(&bytes, "file").is_err(), "bit {bit}");
    }
    assert!(SegmentHeader::decode(&good[..BLOCK_BYTES - 1], "file").is_err());
}

#[test]
fn other_versions_are_named() {
    let words = |bytes: &[u8]| SegmentHeader::decode(bytes, "file").unwrap_err().to_string();
    let mut bytes = header().encode();
    bytes[8] = 4;
    let sum = checksum(&bytes).to_le_bytes();
    bytes[12..16].copy_from_slice(&sum);
    let newer = "journal file `file` is of version 4, and this build reads versions 2 to 3; read it \
                 with the build that wrote it";
    assert_eq!(words(&bytes), newer);
    // Version 1 had a shorter header and another checksum.
    bytes[8] = 1;
    assert_eq!(words(&bytes[..64]), newer.replace('4', "1"));
}

#[test]
fn names_are_those_of_segments_or_none() {
    assert_eq!(parse_name(&segment_name(7)), Some((7, true)));
    assert_eq!(parse_name(&unborn_name(12_345_678_901)), Some((12_345_678_901, false)));
    for none in ["segment-7.journal", "segment-0000000007.old", "lock", "segment-x.new", "a.b"] {
        assert_eq!(parse_name(none), None, "{none}");
    }
}
