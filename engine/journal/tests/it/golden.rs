//! Files of every version of the format, as they were written: they are read, or named.
//!
//! `tests/golden/version-N` holds them. Those of an old version never change.

use crate::format::{self, BLOCK_BYTES};
use crate::simulation::{Disk, Faults};
use std::fs;
use std::path::{Path, PathBuf};
use trueup_journal::writer::NewRecord;
use trueup_journal::{EpochClose, Opened, Options, Records, open};

const MARK: u64 = 0x6d61_726b_2061_7420;

fn folder(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/version-{version}"))
}

/// A disk with the files of a version.
fn golden(version: u32) -> Disk {
    let disk = Disk::new(Faults::NONE);
    for entry in fs::read_dir(folder(version)).unwrap() {
        let entry = entry.unwrap();
        let bytes = fs::read(entry.path()).unwrap();
        disk.set_bytes(&entry.file_name().into_string().unwrap(), bytes);
    }
    disk
}

fn append(opened: &mut Opened<Disk>, epoch: u64, content: &[u8]) {
    opened.writer.append(NewRecord { kind: 7, epoch, parts: &[content] }).unwrap();
}

fn close(opened: &mut Opened<Disk>, epoch: u64, records: u64) {
    let hash = u128::from(epoch) << 100 | 5;
    opened.writer.close_epoch(EpochClose { epoch, records, hash }).unwrap();
}

/// Writes what the golden files of this version hold.
fn written() -> Disk {
    let disk = Disk::new(Faults::NONE);
    let options = Options { segment_bytes_max: 32 * 1024, ..Options::new(MARK) };
    let mut first = open(disk.clone(), options).unwrap();
    append(&mut first, 1, b"one");
    append(&mut first, 1, b"two");
    close(&mut first, 1, 2);
    first.writer.sync().unwrap();
    append(&mut first, 2, b"");
    first.writer.seal().unwrap();
    drop(first);
    let mut second = open(disk.clone(), Options { generation_min: 9, ..options }).unwrap();
    append(&mut second, 2, &[b'x'; 5000]);
    second.writer.sync().unwrap();
    close(&mut second, 2, 2);
    second.writer.sync().unwrap();
    disk
}

#[test]
fn the_files_of_this_version_are_written_as_they_always_were() {
    let (golden, written) = (golden(2), written());
    assert_eq!(written.file_names(), golden.file_names());
    for name in golden.file_names() {
        assert!(written.bytes(&name) == golden.bytes(&name), "{name} is another");
    }
}

#[test]
fn the_files_of_this_version_are_read() {
    let mut records = Records::open(golden(2)).unwrap();
    let mut lines = Vec::new();
    while let Some(record) = records.next().unwrap() {
        let what = match record.epoch_close() {
            Some(close) => format!("{} records, hash {:x}", close.records, close.hash),
            None => format!("{} bytes", record.content.len()),
        };
        let (number, generation, epoch) = (record.number, record.generation, record.epoch);
        lines.push(format!("{number} generation {generation} epoch {epoch}: {what}"));
    }
    let expected = [
        "1 generation 1 epoch 1: 3 bytes",
        "2 generation 1 epoch 1: 3 bytes",
        "3 generation 1 epoch 1: 2 records, hash 10000000000000000000000005",
        "4 generation 1 epoch 2: 0 bytes",
        "5 generation 9 epoch 2: 5000 bytes",
        "6 generation 9 epoch 2: 2 records, hash 20000000000000000000000005",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn each_frame_is_what_the_drawing_says() {
    let disk = golden(2);
    let mut previous = 0;
    let mut seen = Vec::new();
    for name in disk.file_names() {
        let bytes = disk.bytes(&name);
        assert!(format::is_segment(&bytes));
        assert_eq!(format::checksum(&bytes[..BLOCK_BYTES]), format::half(&bytes, 12), "{name}");
        assert_eq!(format::half(&bytes, format::SEGMENT.previous), previous, "{name}");
        let mut rest = &bytes[BLOCK_BYTES..];
        while format::is_frame(rest, MARK) {
            let length = format::half(rest, 8) as usize;
            let (frame, after) = rest.split_at((64 + length).next_multiple_of(BLOCK_BYTES));
            assert_eq!(format::checksum(frame), format::half(frame, format::CHECKSUM));
            assert_eq!(format::half(frame, format::FRAME.previous), previous);
            previous = format::half(frame, format::CHECKSUM);
            // Frame, what it seals, generation, first record, records.
            let words = [24, 32, 40, 48].map(|at| format::word(frame, at));
            seen.push((words, format::half(frame, 56)));
            rest = after;
        }
        assert!(rest.iter().all(|byte| *byte == 0), "{name}: the room is zeros");
    }
    let expected = [
        ([1, 0, 1, 1], 0),
        ([2, 1, 1, 1], 0),
        ([3, 2, 1, 1], 3),
        ([4, 3, 1, 4], 1),
        ([5, 4, 1, 5], 0),
        ([6, 5, 9, 5], 0),
        ([7, 6, 9, 5], 0),
        ([8, 7, 9, 5], 1),
        ([9, 8, 9, 6], 1),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn the_files_of_version_1_are_refused_by_name_and_left_alone() {
    let disk = golden(1);
    let before = disk.bytes("segment-0000000001.journal");
    let error = open(disk.clone(), Options::new(MARK)).unwrap_err().to_string();
    let expected = "journal file `segment-0000000001.journal` is of version 1, and this build reads \
                    version 2 only; read it with the build that wrote it";
    assert_eq!(error, expected);
    assert_eq!(disk.bytes("segment-0000000001.journal"), before);
}
