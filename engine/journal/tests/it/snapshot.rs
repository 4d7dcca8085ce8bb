//! Snapshots on the simulated disk: there as a whole or not at all, and every turned bit is noticed.

use crate::simulation::{Disk, Faults};
use trueup_journal::snapshot::{SnapshotWriter, list, part, remove, verify};
use trueup_journal::{JournalError, Storage as _};

/// What the parts hold.
fn content(index: usize) -> Vec<(u8, Vec<u8>)> {
    let records = (0..3 + index).map(|at| {
        let length = (at * 37 + index * 11) % 90;
        (u8::try_from(at).unwrap(), vec![u8::try_from(at + index).unwrap(); length])
    });
    records.collect()
}

fn write(disk: &Disk, number: u64) -> Result<(), JournalError> {
    let mut writer = SnapshotWriter::begin(disk.clone(), number, number * 10)?;
    for index in 0..3 {
        writer.begin_part()?;
        for (kind, bytes) in content(index) {
            let (front, back) = bytes.split_at(bytes.len() / 2);
            writer.push(kind, &[front, back])?;
        }
    }
    writer.finish().map(|_| ())
}

fn check(disk: &Disk, number: u64) {
    let manifest = verify(disk, number).unwrap();
    assert_eq!((manifest.through, manifest.parts.len()), (number * 10, 3));
    for index in 0..3 {
        let mut found = Vec::new();
        let mut records = part(disk, &manifest, index).unwrap();
        while let Some((kind, bytes)) = records.next().unwrap() {
            found.push((kind, bytes.to_vec()));
        }
        assert_eq!(found, content(index));
    }
}

#[test]
fn what_was_written_is_read_and_what_is_removed_leaves_nothing() {
    let disk = Disk::new(Faults::NONE);
    write(&disk, 7).unwrap();
    write(&disk, 9).unwrap();
    assert_eq!(list(&disk).unwrap(), [7, 9]);
    check(&disk, 7);
    check(&disk, 9);
    remove(&disk, 7).unwrap();
    remove(&disk, 9).unwrap();
    assert!(disk.file_names().is_empty(), "{:?}", disk.file_names());
}

#[test]
fn every_turned_bit_of_every_file_is_noticed() {
    let disk = Disk::new(Faults::NONE);
    write(&disk, 7).unwrap();
    for name in disk.file_names() {
        for bit in 0..disk.bytes(&name).len() * 8 {
            disk.flip(&name, bit);
            assert!(verify(&disk, 7).is_err(), "bit {bit} of {name}");
            disk.flip(&name, bit);
        }
        let bytes = disk.bytes(&name);
        for length in 0..bytes.len() {
            disk.set_bytes(&name, bytes[..length].to_vec());
            assert!(verify(&disk, 7).is_err(), "{length} bytes of {name}");
        }
        disk.set_bytes(&name, bytes);
    }
    check(&disk, 7);
}

#[test]
fn whenever_the_power_goes_a_snapshot_is_whole_or_not_there_and_the_one_before_stays() {
    let before = Disk::new(Faults::NONE);
    write(&before, 7).unwrap();
    for at in 0.. {
        let disk = before.after_process_end();
        disk.set_faults(Faults::power_loss(at));
        let written = write(&disk, 9).is_ok();
        for seed in 0..8 {
            let found = disk.after_power_loss(seed);
            check(&found, 7);
            let listed = list(&found).unwrap();
            assert!(!written || listed.contains(&9), "power loss at {at}");
            if listed.contains(&9) {
                check(&found, 9);
            }
            // What is left over is in nobody's way.
            write(&found, 9).unwrap();
            check(&found, 9);
            assert_eq!(found.list().unwrap().len(), 2 * 4);
        }
        if written {
            assert!(at > 20, "{at} operations");
            break;
        }
    }
}

#[test]
fn a_full_disk_leaves_no_snapshot_and_takes_one_later() {
    let disk = Disk::new(Faults::full(700));
    let refused = write(&disk, 7).unwrap_err();
    assert!(
        matches!(refused, JournalError::Full { .. } | JournalError::Storage { .. }),
        "{refused}"
    );
    assert_eq!(list(&disk).unwrap(), Vec::<u64>::new());
    disk.set_room(usize::MAX);
    write(&disk, 7).unwrap();
    check(&disk, 7);
}
