//! Records byte by byte.

use super::{
    CLOSE_BYTES, EpochClose, NewEntry, RECORD_BYTES_MAX, Record, RecordKind, read_record,
    record_bytes, write_record,
};

fn write(code: u8, epoch: u64, parts: &[&[u8]], out: &mut Vec<u8>) {
    write_record(NewEntry { number: 1, code, epoch, party: "", parts }, None, out);
}

#[test]
fn the_bytes_of_a_record_are_these() {
    let mut out = b"before..".to_vec();
    write(16, 9, &[b"fac", b"", b"ts"], &mut out);
    let expected = [
        5, 0, 0, 0, // length
        16, 0, 0, 0, // kind
        9, 0, 0, 0, 0, 0, 0, 0, // epoch
        b'f', b'a', b'c', b't', b's', 0, 0, 0, // content, and zeros up to eight
    ];
    assert_eq!(out[8..], expected);
    assert_eq!(record_bytes(5), expected.len());
    let entry = read_record(&out, 8, false).unwrap();
    assert_eq!((entry.kind, entry.epoch, entry.end()), (RecordKind::Data(0), 9, out.len()));
    assert_eq!(out[entry.content..entry.content + entry.length], *b"facts");
}

#[test]
fn what_does_not_end_in_the_frame_is_no_record() {
    let mut out = Vec::new();
    write(16, 1, &[b"facts"], &mut out);
    for length in 0..out.len() {
        assert_eq!(read_record(&out[..length], 0, false), None, "{length} bytes");
    }
    assert_eq!(read_record(&out, 1000, false), None);
    let too_long = u32::try_from(RECORD_BYTES_MAX + 1).unwrap();
    out[..4].copy_from_slice(&too_long.to_le_bytes());
    out.resize(RECORD_BYTES_MAX + 100, 0);
    assert_eq!(read_record(&out, 0, false), None);
    out[..4].copy_from_slice(&(too_long - 1).to_le_bytes());
    assert_eq!(read_record(&out, 0, false).unwrap().length, RECORD_BYTES_MAX);
}

#[test]
fn kinds_keep_their_numbers() {
    for kind in [RecordKind::EpochClose, RecordKind::Data(0)] {
        assert_eq!(RecordKind::from_code(kind.code().unwrap()), Some(kind));
    }
    assert_eq!(RecordKind::EpochClose.code(), Some(3));
    let greatest = RecordKind::Data(RecordKind::DATA_MAX);
    assert_eq!(greatest.code(), Some(255));
    assert_eq!(RecordKind::from_code(255), Some(greatest));
    assert_eq!(RecordKind::Data(RecordKind::DATA_MAX + 1).code(), None);
    for none in [0, 1, 2, 4, 15] {
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
    assert_eq!(read(RecordKind::EpochClose, &bytes[..CLOSE_BYTES - 1]), None);
    let longer = [bytes.as_slice(), b"x"].concat();
    assert_eq!(read(RecordKind::EpochClose, &longer), None);
    assert_eq!(read(RecordKind::Data(0), &bytes), None);
    let mut out = Vec::new();
    write(3, 7, &[&longer], &mut out);
    assert_eq!(read_record(&out, 0, false), None, "a close of another length is no record");
}
