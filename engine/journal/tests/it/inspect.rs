//! Looking at a journal: what is said of a good one, a torn one, and a damaged one.

use crate::simulation::{Disk, Faults};
use trueup_journal::inspect::{cut_aside, inspect};
use trueup_journal::writer::NewRecord;
use trueup_journal::{EpochClose, Options, open};

fn options() -> Options {
    Options { segment_bytes_max: 20 * 1024, ..Options::new(7) }
}

/// Ten epochs of two records.
fn written() -> Disk {
    let disk = Disk::new(Faults::NONE);
    let mut writer = open(disk.clone(), options()).unwrap().writer;
    for epoch in 1..=10 {
        writer.append(NewRecord { kind: 1, epoch, parts: &[b"one", b"two"] }).unwrap();
        writer.close_epoch(EpochClose { epoch, records: 1, hash: 0 }).unwrap();
        writer.sync().unwrap();
    }
    disk
}

#[test]
fn a_good_journal_is_told_file_by_file() {
    let disk = written();
    let before = disk.file_names();
    let mut count = 0;
    let report = inspect(&disk, |_| count += 1).unwrap();
    assert_eq!((count, report.last, report.sealed, report.closed), (20, 20, 18, Some(10)));
    assert!(report.segments.len() > 2 && report.damage.is_none(), "{report:?}");
    assert_eq!(report.segments.iter().map(|one| one.records).sum::<u64>(), 20);
    assert_eq!(disk.file_names(), before);
}

#[test]
fn damage_that_something_vouches_for_is_told_and_cannot_be_cut() {
    let disk = written();
    let first = inspect(&disk, |_| {}).unwrap().segments[1].file.clone();
    disk.flip(&first, (4096 + 70) * 8);
    let report = inspect(&disk, |_| {}).unwrap();
    let damage = report.damage.unwrap().to_string();
    assert!(damage.contains(&first) && damage.contains("byte 4096"), "{damage}");
    assert!(!report.is_unsealed);
}

#[test]
fn what_nothing_vouches_for_is_cut_off_into_a_file_of_its_own() {
    let disk = written();
    let (file, end) = inspect(&disk, |_| {}).unwrap().end.unwrap();
    // The last frame of all: nothing comes after it.
    let offset = end - 4096;
    disk.flip(&file, (usize::try_from(offset).unwrap() + 70) * 8);
    let report = inspect(&disk, |_| {}).unwrap();
    assert!(report.damage.is_none(), "{report:?}");
    assert_eq!(
        (report.last, report.torn_bytes, report.end),
        (18, 4096, Some((file.clone(), offset)))
    );
    let torn = disk.bytes(&file).split_off(usize::try_from(offset).unwrap());
    let (aside, bytes) = cut_aside(&disk, &file, offset).unwrap();
    assert_eq!((disk.bytes(&aside), bytes), (torn.clone(), torn.len() as u64));
    let clean = inspect(&disk, |_| {}).unwrap();
    assert_eq!((clean.last, clean.torn_bytes), (18, 0));
    assert_eq!(open(disk, options()).unwrap().writer.last_number(), 18);
}
