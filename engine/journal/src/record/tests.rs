//! Records byte by byte.

use super::{EpochClose, HEADER_BYTES, Record, RecordHeader, RecordKind, checksum, write_record};

fn header() -> RecordHeader {
    RecordHeader {
        mark: 0x0807_0605_0403_0201,
        length: 0,
        checksum: 0,
        previous: 0x1413_1211,
        kind: 16,
        number: 5,
        durable: 3,
        generation: 2,
        epoch: 9,
    }
}

#[test]
fn the_bytes_of_a_record_are_these() {
    let mut out = b"before".to_vec();
    let sum = write_record(header(), &[b"fac", b"", b"ts"], &mut out);
    let expected: [u8; HEADER_BYTES + 8] = [
        1, 2, 3, 4, 5, 6, 7, 8, // mark
        5, 0, 0, 0, // length
        0xD7, 0xA0, 0x4F, 0x82, // checksum, as zlib computes it
        0x11, 0x12, 0x13, 0x14, // previous
        16, 0, 0, 0, // kind
        5, 0, 0, 0, 0, 0, 0, 0, // number
        3, 0, 0, 0, 0, 0, 0, 0, // durable
        2, 0, 0, 0, 0, 0, 0, 0, // generation
        9, 0, 0, 0, 0, 0, 0, 0, // epoch
        b'f', b'a', b'c', b't', b's', 0, 0, 0, // content, and zeros up to eight
    ];
    assert_eq!(out[6..], expected);
    assert_eq!(sum, u32::from_le_bytes([0xD7, 0xA0, 0x4F, 0x82]));
    let (head, content) = expected.split_first_chunk().unwrap();
    let decoded = RecordHeader::decode(head);
    assert_eq!(decoded, RecordHeader { length: 5, checksum: sum, ..header() });
    assert_eq!(decoded.padded(), 8);
    assert_eq!(checksum(head, content), sum);
}

#[test]
fn every_bit_of_a_record_but_the_checksum_is_covered_by_it() {
    let mut good = Vec::new();
    write_record(header(), &[b"facts"], &mut good);
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let (head, content) = bytes.split_first_chunk().unwrap();
        assert_ne!(checksum(head, content), RecordHeader::decode(head).checksum, "bit {bit}");
    }
}

#[test]
fn kinds_keep_their_numbers() {
    for kind in [RecordKind::Opened, RecordKind::Seal, RecordKind::EpochClose, RecordKind::Data(0)]
    {
        assert_eq!(RecordKind::from_code(kind.code().unwrap()), Some(kind));
    }
    let greatest = RecordKind::Data(RecordKind::DATA_MAX);
    assert_eq!(greatest.code(), Some(255));
    assert_eq!(RecordKind::from_code(255), Some(greatest));
    assert_eq!(RecordKind::Data(RecordKind::DATA_MAX + 1).code(), None);
    for none in [0, 4, 15] {
        assert_eq!(RecordKind::from_code(none), None);
    }
}

#[test]
fn an_epochs_close_comes_back_and_other_lengths_are_none() {
    let close = EpochClose { epoch: 7, records: 3, hash: u128::MAX - 1 };
    let bytes = close.encode();
    let read =
        |kind, content| Record { number: 1, generation: 1, epoch: 7, kind, content }.epoch_close();
    assert_eq!(read(RecordKind::EpochClose, &bytes), Some(close));
    assert_eq!(read(RecordKind::EpochClose, &bytes[..31]), None);
    let longer = [bytes.as_slice(), b"x"].concat();
    assert_eq!(read(RecordKind::EpochClose, &longer), None);
    assert_eq!(read(RecordKind::Data(0), &bytes), None);
}
