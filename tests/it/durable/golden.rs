//! A journal with snapshots as an earlier build wrote it: it is read, and answers as it did.
//!
//! `TRUEUP_GOLDEN=write` writes the files anew, which is for a new version, in a folder of its own; those
//! of a version that was given to anyone never change.

use super::full::settings;
use super::simulation::{Disk, Faults};
use super::snapshots::{check, daily, two_snapshots};
use std::fs;
use std::path::PathBuf;
use trueup_tests::bench::content;
use trueup_tests::kept::Kept;

/// The multiple of bytes that a journal's files have.
const BLOCK_BYTES: usize = 4096;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/snapshot-1"))
}

/// The bytes without the room that is not used yet.
fn used(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.truncate(end.next_multiple_of(BLOCK_BYTES));
    bytes
}

#[test]
fn a_snapshot_of_version_1_is_read() {
    let (written, bench) = two_snapshots();
    if std::env::var_os("TRUEUP_GOLDEN").is_some() {
        fs::create_dir_all(folder()).unwrap();
        for name in written.file_names() {
            let bytes = written.bytes(&name);
            let bytes = if name.ends_with(".journal") { used(bytes) } else { bytes };
            fs::write(folder().join(&name), bytes).unwrap();
        }
    }
    let disk = Disk::new(Faults::NONE);
    let mut parts = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        parts += usize::from(name.contains(".part-"));
        disk.set_bytes(&name, fs::read(entry.path()).unwrap());
    }
    assert_eq!(parts, 2 * 17);
    let kept = Kept::start(settings(1, &daily()), disk, 2).unwrap();
    check(&content(&bench.engine.views()), &kept, "the files of version 1");
    // They are of before there was anything to compare.
    assert_eq!(kept.engine.health().same_epochs(), 0);
}
