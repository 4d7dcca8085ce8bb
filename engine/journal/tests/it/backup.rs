//! Copies of a journal: whole whenever they are taken, and refused with file and byte when they are not.

use crate::simulation::{Disk, Faults};
use std::sync::atomic::{AtomicBool, Ordering};
use trueup_journal::backup::{Done, backup, restore, settled, verify};
use trueup_journal::snapshot::{self, SnapshotWriter};
use trueup_journal::writer::NewRecord;
use trueup_journal::{
    Directory, EpochClose, JournalError, Options, Records, Storage, Writer, open,
};

fn options() -> Options {
    Options { segment_bytes_max: 20 * 1024, ..Options::new(7) }
}

/// Writes an epoch of one record.
fn write<S: Storage>(writer: &mut Writer<S>, epoch: u64) {
    let content = epoch.to_le_bytes();
    writer.append(NewRecord { kind: 1, epoch, parts: &[&content] }).unwrap();
    writer.close_epoch(EpochClose { epoch, records: 1, hash: 0 }).unwrap();
    writer.sync().unwrap();
}

/// Takes a snapshot of the journal up to an epoch, and removes all but it and the one before.
fn take_snapshot<S: Storage + Clone>(storage: &S, epoch: u64) {
    let mut snapshot = SnapshotWriter::begin(storage.clone(), epoch, epoch * 2).unwrap();
    snapshot.push(1, &[b"all until then"]).unwrap();
    snapshot.finish().unwrap();
    let all = snapshot::list(storage).unwrap();
    for old in &all[..all.len().saturating_sub(2)] {
        snapshot::remove(storage, *old).unwrap();
    }
}

/// Ten epochs, the first four in a snapshot, and what was copied of them.
fn copied() -> (Disk, Disk) {
    let (disk, copy) = (Disk::new(Faults::NONE), Disk::new(Faults::NONE));
    let mut writer = open(disk.clone(), options()).unwrap().writer;
    for epoch in 1..=10 {
        write(&mut writer, epoch);
        if epoch == 4 {
            take_snapshot(&disk, epoch);
        }
    }
    let mut told: Vec<Done> = Vec::new();
    let manifest = backup(&disk, &copy, &mut |done| told.push(done)).unwrap();
    assert_eq!((manifest.epoch, manifest.record, manifest.snapshot), (Some(10), 20, Some(4)));
    let last = told.last().unwrap();
    assert_eq!((last.bytes, last.of), (manifest.bytes(), manifest.bytes()), "{told:?}");
    (disk, copy)
}

/// The epochs of the data records of a journal.
fn epochs<S: Storage>(storage: S) -> Vec<u64> {
    let mut records = Records::open(storage).unwrap();
    let mut found = Vec::new();
    while let Some(record) = records.next().unwrap() {
        if let Ok(content) = record.content.try_into()
            && record.epoch_close().is_none()
        {
            found.push(u64::from_le_bytes(content));
        }
    }
    found
}

#[test]
fn what_is_restored_is_the_journal_and_the_snapshot_that_were_copied() {
    let (_, copy) = copied();
    let again = Disk::new(Faults::NONE);
    let manifest = restore(&copy, &again, &mut |_| {}).unwrap();
    assert_eq!(verify(&copy, &mut |_| {}).unwrap(), manifest);
    assert_eq!(epochs(again.clone()), (1..=10).collect::<Vec<u64>>());
    assert_eq!(snapshot::verify(&again, 4).unwrap().through, 8);
    let mut writer = open(again.clone(), options()).unwrap().writer;
    write(&mut writer, 11);
    assert_eq!(epochs(again), (1..=11).collect::<Vec<u64>>(), "it goes on");
}

#[test]
fn any_turned_bit_of_a_backup_is_refused_with_file_and_place() {
    let (_, copy) = copied();
    let names: Vec<String> = copy.file_names().into_iter().filter(|name| name != "lock").collect();
    assert!(names.len() > 4, "{names:?}");
    for name in names {
        for bit in [0, 8 * 30 + 1, 8 * 50 + 5] {
            let damaged = copy.after_process_end();
            damaged.flip(&name, bit);
            let found = verify(&damaged, &mut |_| {}).unwrap_err();
            let restored = restore(&damaged, &Disk::new(Faults::NONE), &mut |_| {});
            assert_eq!(restored.unwrap_err().to_string(), found.to_string());
            let text = found.to_string();
            assert!(text.contains(&name) && text.contains("byte 0"), "bit {bit}: {text}");
        }
    }
}

#[test]
fn a_file_that_is_missing_or_cut_is_refused() {
    let (_, copy) = copied();
    let name = copy.file_names().into_iter().find(|name| name.starts_with("segment")).unwrap();
    let cut = copy.after_process_end();
    let mut file = cut.open(&name).unwrap();
    let length = trueup_journal::File::length(&mut file).unwrap();
    trueup_journal::File::write(&mut file, length, b"more").unwrap();
    let longer = verify(&cut, &mut |_| {}).unwrap_err();
    assert!(matches!(longer, JournalError::BadCopy { offset, .. } if offset == length), "{longer}");
    cut.remove(&name).unwrap();
    let missing = verify(&cut, &mut |_| {}).unwrap_err();
    assert!(matches!(&missing, JournalError::Missing { file: is } if *is == name), "{missing}");
    cut.remove("backup.manifest").unwrap();
    let none = verify(&cut, &mut |_| {}).unwrap_err();
    assert!(
        matches!(&none, JournalError::Missing { file: is } if is == "backup.manifest"),
        "{none}"
    );
}

#[test]
fn a_damaged_original_is_no_backup_and_leaves_nothing_behind() {
    let (disk, _) = copied();
    let segment = disk.file_names().into_iter().find(|name| name.starts_with("segment")).unwrap();
    disk.flip(&segment, (4096 + 70) * 8);
    let copy = Disk::new(Faults::NONE);
    let refused = backup(&disk, &copy, &mut |_| {}).unwrap_err();
    assert!(
        matches!(&refused, JournalError::Damaged { file, .. } if *file == segment),
        "{refused}"
    );
    assert_eq!(copy.file_names(), Vec::<String>::new());
}

#[test]
fn a_backup_without_its_manifest_after_a_loss_of_power_is_none() {
    let (disk, _) = copied();
    let (mut at, mut whole) = (0, false);
    while !whole {
        let copy = Disk::new(Faults::power_loss(at));
        let _ = backup(&disk, &copy, &mut |_| {});
        whole = !copy.has_failed();
        let left = copy.after_power_loss(at);
        match verify(&left, &mut |_| {}) {
            Ok(manifest) => assert_eq!(manifest.record, 20, "power loss at {at}"),
            Err(JournalError::Missing { file }) => assert_eq!(file, "backup.manifest"),
            Err(error) => panic!("power loss at {at}: {error}"),
        }
        at += 1;
    }
    assert!(at > 20, "the power went during {at} operations");
}

#[test]
fn a_backup_that_is_taken_while_files_grow_and_are_used_again_is_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let directory = Directory::open(&path).unwrap();
    let mut writer = open(directory.clone(), options()).unwrap().writer;
    for epoch in 1..=4 {
        write(&mut writer, epoch);
    }
    take_snapshot(&directory, 4);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut epoch = 4;
            while !stop.load(Ordering::SeqCst) {
                epoch += 1;
                write(&mut writer, epoch);
                if epoch % 16 == 0 {
                    take_snapshot(&directory, epoch);
                    writer.release((epoch - 16) * 2);
                }
            }
        });
        let mut last = 0;
        for count in 0..20 {
            let to = Directory::open(folder.path().join(format!("backup-{count}"))).unwrap();
            let from = Directory::looked_at(&path);
            let taken = backup(&from, &to, &mut |_| {});
            // One that moves too fast is told so; it is never taken for whole.
            let Ok(manifest) = taken else { continue };
            assert!(manifest.record >= last, "{} before {last}", manifest.record);
            last = manifest.record;
            let found = epochs(to.clone());
            let first = *found.first().unwrap();
            assert_eq!(found, (first..first + found.len() as u64).collect::<Vec<u64>>());
            let snapshot = manifest.snapshot.unwrap();
            assert!(snapshot + 1 >= first, "{snapshot} and then {first}");
            assert!(settled(&to).unwrap().damage.is_none());
        }
        stop.store(true, Ordering::SeqCst);
        assert!(last > 8, "none was taken");
    });
}
