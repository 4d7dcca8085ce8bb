//! Frames byte by byte: golden bytes, any cuts, limits at their value and one beyond, damage.

use super::{CHECKSUM_OFFSET, Frame, FrameKind, FrameReader, FrameWriter, HEADER_BYTES, checksum};
use crate::error::FrameError;
use crate::limits::FRAME_BODY_BYTES_MAX;
use proptest::prelude::*;

fn frame(kind: FrameKind, sequence: u64, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = FrameWriter::begin(&mut out, kind, sequence, 3, 0x0102_0304);
    writer.body().extend_from_slice(body);
    assert_eq!(writer.finish(), HEADER_BYTES + body.len());
    out
}

/// The kinds, sequences and bodies that a reader gives of these chunks.
fn read<'c>(
    reader: &mut FrameReader,
    chunks: impl Iterator<Item = &'c [u8]>,
) -> Result<Vec<(FrameKind, u64, Vec<u8>)>, FrameError> {
    let mut frames = Vec::new();
    for mut chunk in chunks {
        while let Some(Frame { kind, sequence, body, bytes, .. }) = reader.next(&mut chunk)? {
            assert_eq!(&bytes[HEADER_BYTES..], body);
            frames.push((kind, sequence, body.to_vec()));
        }
        assert!(chunk.is_empty());
    }
    Ok(frames)
}

#[test]
fn the_bytes_of_a_frame_are_these() {
    let bytes = frame(FrameKind::Batch, 0x1122_3344_5566_7788, b"facts");
    let header = [
        b'T', b'R', b'U', b'P', // magic
        1, 0, // version
        4, // kind
        0, // flags
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, // sequence
        3, 0, 0, 0, // count
        4, 3, 2, 1, // schema
        5, 0, 0, 0, // body length
        0xFF, 0xDB, 0x5A, 0xF6, // checksum, as zlib computes it
    ];
    assert_eq!(bytes[..HEADER_BYTES], header);
    assert_eq!(&bytes[HEADER_BYTES..], b"facts");
}

#[test]
fn the_codes_of_kinds_are_dense_from_one() {
    for (kind, code) in FrameKind::ALL.into_iter().zip(1..) {
        assert_eq!(kind.code(), code);
        assert_eq!(FrameKind::from_code(code), Some(kind));
    }
    assert_eq!(FrameKind::from_code(0), None);
    assert_eq!(FrameKind::from_code(11), None);
}

#[test]
fn a_body_of_the_greatest_length_is_read_in_one_piece_and_in_many() {
    let body = vec![7; FRAME_BODY_BYTES_MAX];
    let bytes = frame(FrameKind::Batch, 1, &body);
    for size in [bytes.len(), 1_000_003, 65_536] {
        let mut reader = FrameReader::new();
        let frames = read(&mut reader, bytes.chunks(size)).unwrap();
        assert_eq!(frames, [(FrameKind::Batch, 1, body.clone())]);
        assert_eq!(reader.offset(), bytes.len() as u64);
    }
}

#[test]
fn a_longer_claim_is_refused_at_the_header_and_nothing_is_kept_for_it() {
    let mut bytes = frame(FrameKind::Batch, 1, b"");
    let claim = u32::try_from(FRAME_BODY_BYTES_MAX).unwrap() + 1;
    bytes[24..28].copy_from_slice(&claim.to_le_bytes());
    for (size, kept) in [(HEADER_BYTES, 0), (1, 2 * HEADER_BYTES)] {
        let mut reader = FrameReader::new();
        let error = read(&mut reader, bytes.chunks(size)).unwrap_err();
        assert_eq!(error, FrameError::TooLarge { offset: 0, claimed: u64::from(claim) });
        assert!(reader.partial.capacity() <= kept);
    }
}

#[test]
fn a_claim_within_the_limit_takes_memory_only_as_bytes_arrive() {
    let bytes = frame(FrameKind::Batch, 1, &vec![0; FRAME_BODY_BYTES_MAX]);
    let mut reader = FrameReader::new();
    assert_eq!(reader.next(&mut &bytes[..1000]).unwrap(), None);
    assert!(reader.partial.capacity() < 4096);
    assert!(reader.is_inside_frame());
}

#[test]
fn an_error_names_the_offset_in_the_stream_and_stays() {
    let mut bytes = frame(FrameKind::Bye, 0, b"");
    bytes.extend(frame(FrameKind::Bye, 0, b"four"));
    bytes.extend_from_slice(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n");
    let mut reader = FrameReader::new();
    let error = read(&mut reader, bytes.chunks(7)).unwrap_err();
    assert_eq!(error, FrameError::Magic { offset: 68, found: *b"GET " });
    let good = frame(FrameKind::Bye, 0, b"");
    assert_eq!(reader.next(&mut good.as_slice()).unwrap_err(), error);
}

#[test]
fn each_flipped_bit_is_noticed() {
    let good = frame(FrameKind::Dictionary, 9, b"names");
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut reader = FrameReader::new();
        // A greater length waits for bytes that never come; everything else is an error.
        let frames = read(&mut reader, [bytes.as_slice()].into_iter());
        let waits = reader.is_inside_frame() && (24..28).contains(&(bit / 8));
        assert!(frames.is_err() || waits, "bit {bit}: {frames:?}");
        // Damage is told as damage: a version or a kind that a bit made is nobody's version or kind.
        let is_named = matches!(
            frames,
            Err(FrameError::Magic { .. }
                | FrameError::TooLarge { .. }
                | FrameError::Checksum { .. })
        );
        assert!(is_named || waits, "bit {bit}: {frames:?}");
    }
}

#[test]
fn what_the_header_cannot_have_is_refused_by_name() {
    let check = |place: usize, value: u8, expected: FrameError| {
        let mut bytes = frame(FrameKind::Bye, 0, b"");
        bytes[place] = value;
        let damaged = FrameReader::new().next(&mut bytes.as_slice()).unwrap_err();
        assert!(matches!(damaged, FrameError::Checksum { offset: 0, .. }), "{damaged}");
        let sound = checksum(&bytes);
        bytes[CHECKSUM_OFFSET..HEADER_BYTES].copy_from_slice(&sound.to_le_bytes());
        assert_eq!(FrameReader::new().next(&mut bytes.as_slice()).unwrap_err(), expected);
    };
    check(4, 2, FrameError::Version { offset: 0, found: 2, supported: 1 });
    check(6, 0, FrameError::Kind { offset: 0, found: 0 });
    check(6, 11, FrameError::Kind { offset: 0, found: 11 });
    check(7, 1, FrameError::Flags { offset: 0, found: 1 });
}

#[test]
#[should_panic(expected = "longer than the 4194304 of a frame")]
fn a_writer_does_not_write_what_no_reader_takes() {
    frame(FrameKind::Batch, 1, &vec![0; FRAME_BODY_BYTES_MAX + 1]);
}

proptest! {
    #[test]
    fn frames_come_out_whole_however_the_bytes_are_cut(
        bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..100), 0..8),
        cuts in proptest::collection::vec(1_usize..60, 1..40),
    ) {
        let mut bytes = Vec::new();
        for (sequence, body) in (0..).zip(&bodies) {
            bytes.extend(frame(FrameKind::Batch, sequence, body));
        }
        let mut reader = FrameReader::new();
        let mut rest = bytes.as_slice();
        let chunks = cuts.iter().cycle().map_while(|cut| {
            let (chunk, left) = rest.split_at(rest.len().min(*cut));
            rest = left;
            (!chunk.is_empty()).then_some(chunk)
        });
        let frames = read(&mut reader, chunks).unwrap();
        let expected: Vec<_> = (0..)
            .zip(bodies)
            .map(|(sequence, body)| (FrameKind::Batch, sequence, body))
            .collect();
        prop_assert_eq!(frames, expected);
        prop_assert_eq!(reader.offset(), bytes.len() as u64);
        prop_assert!(!reader.is_inside_frame());
    }

    #[test]
    fn random_bytes_never_panic_and_are_never_a_frame(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        head in any::<bool>(),
        size in 1_usize..50,
    ) {
        let mut stream = if head { b"TRUP\x01\0\x04\0".to_vec() } else { Vec::new() };
        stream.extend(bytes);
        let mut reader = FrameReader::new();
        if let Ok(frames) = read(&mut reader, stream.chunks(size)) {
            prop_assert_eq!(frames, []);
        }
        prop_assert!(reader.partial.len() <= HEADER_BYTES + FRAME_BODY_BYTES_MAX);
    }
}
