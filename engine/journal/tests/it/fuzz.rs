//! Bytes that no journal wrote: reading them never panics, and takes no more memory than they have.
//!
//! `PROPTEST_CASES=100000 cargo test -p trueup-journal --test it -- fuzz` asks for more of them. What once
//! failed is kept beside this file and tried first.

use crate::format::{self, BLOCK_BYTES};
use crate::simulation::{Disk, Faults};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use std::fs;
use std::path::Path;
use trueup_journal::writer::NewRecord;
use trueup_journal::{JournalError, Options, Records, open};

const MARK: u64 = 0x6d61_726b_2061_7420;
const FIRST: &str = "segment-0000000001.journal";
const SECOND: &str = "segment-0000000002.journal";

/// Values that arithmetic goes wrong with.
const EDGES: [u64; 8] =
    [0, 1, u32::MAX as u64, 1 << 31, (1 << 62) - 1, 1 << 62, u64::MAX - 1, u64::MAX];

/// A change of a file that someone makes who knows the format.
#[derive(Clone, Debug)]
enum Change {
    /// A bit is turned.
    Flip(usize),
    /// Four or eight bytes become a number.
    Set { at: usize, word: u64, is_half: bool },
    /// A block is put in place of another one.
    Copy { from: usize, to: usize },
    /// The file is cut.
    Cut(usize),
    /// The checksum of the frame or header that begins in a block is made right.
    Finish(usize),
}

fn changes() -> impl Strategy<Value = Change> {
    let word = prop_oneof![proptest::sample::select(EDGES.to_vec()), any::<u64>()];
    prop_oneof![
        any::<usize>().prop_map(Change::Flip),
        (0..9_usize, 0..24_usize, word, any::<bool>()).prop_map(|(block, field, word, is_half)| {
            Change::Set { at: block * BLOCK_BYTES + field * 4, word, is_half }
        }),
        (0..9_usize, 0..9_usize).prop_map(|(from, to)| Change::Copy { from, to }),
        (0..40_000_usize).prop_map(Change::Cut),
        (0..9_usize).prop_map(Change::Finish),
    ]
}

fn apply(change: &Change, bytes: &mut Vec<u8>) {
    let length = bytes.len();
    match *change {
        Change::Flip(bit) if length > 0 => bytes[bit / 8 % length] ^= 1 << (bit % 8),
        Change::Set { at, word, is_half } if at + 8 <= length => {
            if is_half {
                format::set_half(bytes, at, u32::try_from(word & 0xFFFF_FFFF).unwrap());
            } else {
                format::set_word(bytes, at, word);
            }
        }
        Change::Copy { from, to } if from.max(to) * BLOCK_BYTES + BLOCK_BYTES <= length => {
            let from = from * BLOCK_BYTES;
            bytes.copy_within(from..from + BLOCK_BYTES, to * BLOCK_BYTES);
        }
        Change::Cut(to) => bytes.truncate(to),
        Change::Finish(block) if block * BLOCK_BYTES + BLOCK_BYTES <= length => {
            let rest = &mut bytes[block * BLOCK_BYTES..];
            let stated = (64 + format::half(rest, 8) as usize).next_multiple_of(BLOCK_BYTES);
            let whole = if format::is_segment(rest) { BLOCK_BYTES } else { stated };
            if whole <= rest.len() {
                format::finish(&mut rest[..whole]);
            }
        }
        Change::Flip(_) | Change::Set { .. } | Change::Copy { .. } | Change::Finish(_) => {}
    }
}

/// The files that this version wrote.
fn golden() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/version-2");
    let read = |name: &str| (name.to_owned(), fs::read(folder.join(name)).unwrap());
    vec![read(FIRST), read(SECOND)]
}

/// Reads, opens and writes what these files are; says what came of it.
fn check(files: &[(String, Vec<u8>)]) -> Result<u64, JournalError> {
    let disk = Disk::new(Faults::NONE);
    for (name, bytes) in files {
        disk.set_bytes(name, bytes.clone());
    }
    let mut count = 0;
    let mut records = Records::open(disk.clone());
    while let Ok(Some(_)) = records.as_mut().map_or(Ok(None), Records::next) {
        count += 1;
    }
    let longest = files.iter().map(|(_, bytes)| bytes.len()).max().unwrap_or(0);
    assert!(disk.read_bytes_max() <= longest.max(BLOCK_BYTES), "{}", disk.read_bytes_max());
    let options = Options { segment_bytes_max: 32 * 1024, ..Options::new(MARK) };
    let mut opened = open(disk.clone(), options)?;
    // What can be opened can be written to, and has the same records as before.
    let epoch = opened.writer.open_epoch().map_or_else(
        || opened.writer.closed_epoch().map_or(1, |closed| closed.saturating_add(1)),
        |(epoch, _)| epoch,
    );
    let record = NewRecord { kind: 1, epoch, parts: &[b"more"] };
    let more = u64::from(opened.writer.append(record).is_ok());
    opened.writer.sync()?;
    drop(opened);
    let mut again = 0;
    let mut all = Records::open(disk)?;
    while all.next()?.is_some() {
        again += 1;
    }
    assert_eq!(again, count + more);
    Ok(count)
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_or_empty(bytes in vec(any::<u8>(), 0..9_000)) {
        prop_assert!(check(&[(FIRST.to_owned(), bytes)]).is_err());
    }

    #[test]
    fn arbitrary_blocks_after_a_header_are_no_records(
        blocks in vec(prop_oneof![vec(any::<u8>(), BLOCK_BYTES), Just(vec![0; BLOCK_BYTES])], 0..6),
        marked in any::<u8>(),
    ) {
        let mut bytes = golden().remove(0).1[..BLOCK_BYTES].to_vec();
        for (index, mut block) in blocks.into_iter().enumerate() {
            if marked >> index & 1 == 1 {
                format::set_word(&mut block, 0, MARK);
            }
            bytes.extend(block);
        }
        prop_assert_eq!(check(&[(FIRST.to_owned(), bytes)]).unwrap(), 0);
    }

    #[test]
    fn changed_files_are_read_up_to_the_change_or_refused(
        changes in vec((any::<bool>(), changes()), 1..8),
        alone in any::<bool>(),
    ) {
        let mut files = golden();
        for (is_second, change) in &changes {
            apply(change, &mut files[usize::from(*is_second)].1);
        }
        if alone {
            files.pop();
        }
        if let Ok(count) = check(&files) {
            prop_assert!(count <= 8 * 6);
        }
    }
}

/// Every field of every header and frame, with every value that arithmetic goes wrong with, and a checksum
/// that holds.
#[test]
fn fields_at_their_edges_with_good_checksums_never_panic() {
    let (mut refused, mut read) = (0, 0);
    // The first file with the second one and without, and the second one.
    for (file, count) in [(0, 2), (0, 1), (1, 2)] {
        for block in 0..8 {
            for field in (0..96).step_by(4) {
                for word in EDGES {
                    let mut files = golden();
                    files.truncate(count);
                    let at = block * BLOCK_BYTES + field;
                    let bytes = &mut files[file].1;
                    apply(&Change::Set { at, word, is_half: field % 8 == 4 }, bytes);
                    apply(&Change::Finish(block), bytes);
                    match check(&files) {
                        Ok(_) => read += 1,
                        Err(_) => refused += 1,
                    }
                }
            }
        }
    }
    assert!(refused > 500 && read > 500, "{refused} refused, {read} read");
}

#[test]
fn a_frame_that_states_a_great_length_takes_no_memory() {
    let mut files = golden();
    files.pop();
    for length in [u32::MAX, 8 * 1024 * 1024 + 16, 8 * 1024 * 1024 + 17] {
        let bytes = &mut files[0].1;
        format::set_half(bytes, BLOCK_BYTES + 8, length);
        // The frames after it say that it was durable.
        assert!(matches!(check(&files), Err(JournalError::Damaged { offset: 4096, .. })));
    }
}
