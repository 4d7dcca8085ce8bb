//! Files of every version of the format, as they were written: they are read, or named.
//!
//! `tests/golden/version-N` holds them. Those of an old version never change.

use crate::format::{self, BLOCK_BYTES};
use crate::simulation::{Disk, Faults};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use trueup_journal::snapshot::{SnapshotWriter, part, verify};
use trueup_journal::writer::NewRecord;
use trueup_journal::{EpochClose, Keyed, Keys, Opened, Options, Records, Storage, open};

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

fn append<S: Storage>(opened: &mut Opened<S>, epoch: u64, content: &[u8]) {
    opened.writer.append(NewRecord { kind: 7, epoch, parts: &[content] }).unwrap();
}

fn close<S: Storage>(opened: &mut Opened<S>, epoch: u64, records: u64) {
    let hash = u128::from(epoch) << 100 | 5;
    opened.writer.close_epoch(EpochClose { epoch, records, hash }).unwrap();
}

/// The keys of the sealed files, without chance.
fn keys() -> Arc<Keys> {
    let text = format!("trueup keys 1\nkey {}\nkey-of {} acme\n", "5c".repeat(32), "a6".repeat(32));
    Arc::new(Keys::parse(&text).unwrap().with_salt([9; 16]))
}

/// Writes what the golden files of a version hold.
fn written(version: u32) -> Disk {
    let disk = Disk::new(Faults::NONE);
    if version == 2 {
        write(&disk);
        return disk;
    }
    let storage = Keyed::new(disk.clone(), Some(keys()));
    write(&storage);
    let mut snapshot = SnapshotWriter::begin(storage, 1, 3).unwrap();
    snapshot.push(1, &[b"head"]).unwrap();
    snapshot.begin_part().unwrap();
    snapshot.push_of("acme", 2, &[b"facts of a ", b"tenant"]).unwrap();
    snapshot.push(3, &[]).unwrap();
    snapshot.finish().unwrap();
    disk
}

fn write<S: Storage + Clone>(disk: &S) {
    let options = Options { segment_bytes_max: 32 * 1024, ..Options::new(MARK) };
    let mut first = open(disk.clone(), options).unwrap();
    append(&mut first, 1, b"one");
    let two = NewRecord { kind: 7, epoch: 1, parts: &[b"two"] };
    first.writer.append_of("acme", two).unwrap();
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
}

#[test]
fn the_files_of_these_versions_are_written_as_they_always_were() {
    for version in [2, 3] {
        let (golden, written) = (golden(version), written(version));
        assert_eq!(written.file_names(), golden.file_names());
        for name in golden.file_names() {
            let is_same = written.bytes(&name) == golden.bytes(&name);
            assert!(is_same, "{name} of version {version} is another");
        }
    }
}

#[test]
fn the_files_of_these_versions_are_read() {
    check_read(golden(2));
    check_read(Keyed::new(golden(3), Some(keys())));
}

fn check_read<S: Storage>(storage: S) {
    let mut records = Records::open(storage).unwrap();
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
fn a_sealed_snapshot_of_this_version_is_read() {
    let storage = Keyed::new(golden(3), Some(keys()));
    let manifest = verify(&storage, 1).unwrap();
    assert_eq!((manifest.through, manifest.parts.len()), (3, 2));
    let mut found = Vec::new();
    for index in 0..2 {
        let mut part = part(&storage, &manifest, index).unwrap();
        while let Some((kind, content)) = part.next().unwrap() {
            found.push((kind, String::from_utf8_lossy(content).into_owned()));
        }
    }
    let expected = [(1, "head"), (2, "facts of a tenant"), (3, "")];
    assert_eq!(found, expected.map(|(kind, content)| (kind, content.to_owned())));
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
                    versions 2 to 3; read it with the build that wrote it";
    assert_eq!(error, expected);
    assert_eq!(disk.bytes("segment-0000000001.journal"), before);
}
