//! Journals and snapshots whose content is sealed: what is told of them, with keys, others, and none.

use crate::format::{self, BLOCK_BYTES};
use crate::simulation::{Disk, Faults, Sealing};
use std::sync::Arc;
use trueup_journal::backup::{backup, settled, settled_with};
use trueup_journal::inspect::inspect;
use trueup_journal::snapshot::{SnapshotWriter, part, verify, verify_as_far_as_keys_go};
use trueup_journal::writer::NewRecord;
use trueup_journal::{
    EpochClose, JournalError, Keyed, Keys, Options, Records, Storage, Writer, open,
};

const MARK: u64 = 0x6d61_726b_2061_7420;
const FIRST: &str = "segment-0000000001.journal";
/// What must not be found in any file.
const SECRET: &[u8] = b"who-used-what";

fn options() -> Options {
    Options { segment_bytes_max: 64 * 1024, ..Options::new(MARK) }
}

/// Keys of these bytes, each for everyone.
fn keys(bytes: &[u8]) -> Arc<Keys> {
    Arc::new(Keys::parse(&file(bytes)).unwrap())
}

fn file(bytes: &[u8]) -> String {
    let lines = bytes.iter().map(|byte| format!("key {}\n", format!("{byte:02x}").repeat(32)));
    format!("trueup keys 1\n{}", lines.collect::<String>())
}

fn keyed(disk: &Disk, keys: &Arc<Keys>) -> Keyed<Disk> {
    Keyed::new(disk.clone(), Some(Arc::clone(keys)))
}

/// Writes an epoch of two records, one of them of a party.
fn write<S: Storage>(writer: &mut Writer<S>, epoch: u64) {
    let content = epoch.to_le_bytes();
    writer.append_of("acme", NewRecord { kind: 1, epoch, parts: &[SECRET, &content] }).unwrap();
    writer.append(NewRecord { kind: 2, epoch, parts: &[SECRET] }).unwrap();
    writer.close_epoch(EpochClose { epoch, records: 2, hash: 3 }).unwrap();
    writer.sync().unwrap();
}

/// A journal of so many epochs under keys of this byte.
fn journal(byte: u8, epochs: u64) -> Disk {
    let disk = Disk::new(Faults::NONE);
    let mut writer = open(keyed(&disk, &keys(&[byte])), options()).unwrap().writer;
    (1..=epochs).for_each(|epoch| write(&mut writer, epoch));
    disk
}

/// The contents of all data records.
fn contents<S: Storage>(storage: S) -> Result<Vec<Vec<u8>>, JournalError> {
    let mut records = Records::open(storage)?;
    let mut found = Vec::new();
    while let Some(record) = records.next()? {
        if record.epoch_close().is_none() {
            found.push(record.content.to_vec());
        }
    }
    Ok(found)
}

fn expected(epochs: u64) -> Vec<Vec<u8>> {
    let of = |epoch: u64| [[SECRET, &epoch.to_le_bytes()].concat(), SECRET.to_vec()];
    (1..=epochs).flat_map(of).collect()
}

fn holds(disk: &Disk, wanted: &[u8]) -> bool {
    let has = |name: &String| disk.bytes(name).windows(wanted.len()).any(|part| part == wanted);
    disk.file_names().iter().any(has)
}

#[test]
fn what_was_sealed_comes_back_with_the_keys_and_stands_nowhere_in_the_open() {
    let disk = journal(1, 30);
    assert!(disk.file_names().len() > 2, "it goes over several files");
    assert!(!holds(&disk, SECRET) && !holds(&disk, b"acme"));
    assert_eq!(contents(keyed(&disk, &keys(&[1]))).unwrap(), expected(30));
    let mut again = open(keyed(&disk, &keys(&[1])), options()).unwrap();
    assert_eq!(again.writer.closed_epoch(), Some(30));
    write(&mut again.writer, 31);
    assert_eq!(contents(keyed(&disk, &keys(&[1]))).unwrap(), expected(31));
}

#[test]
fn a_record_of_the_greatest_length_is_sealed() {
    let disk = Disk::new(Faults::NONE);
    let mut writer = open(keyed(&disk, &keys(&[1])), Options::new(MARK)).unwrap().writer;
    let long = vec![7; 8 * 1024 * 1024];
    writer.append(NewRecord { kind: 1, epoch: 1, parts: &[&long] }).unwrap();
    writer.append(NewRecord { kind: 1, epoch: 1, parts: &[] }).unwrap();
    writer.seal().unwrap();
    let found = contents(keyed(&disk, &keys(&[1]))).unwrap();
    assert!(found == [long, Vec::new()]);
}

#[test]
fn without_the_key_it_is_refused_by_file_byte_record_and_key_and_nothing_is_changed() {
    let disk = journal(1, 2);
    let before = disk.bytes(FIRST);
    let id = keys(&[1]).ids().next().unwrap();
    let refused = |storage: Keyed<Disk>| open(storage, options()).unwrap_err().to_string();
    let expected = |given: &str| {
        format!(
            "journal file `{FIRST}` is encrypted at byte 12288 (record 1) with key {id}, and {given}; \
             name the key file that has it"
        )
    };
    assert_eq!(refused(Keyed::new(disk.clone(), None)), expected("no key was given"));
    let other = keys(&[2]).ids().next().unwrap();
    let given = format!("the keys given are {other}");
    assert_eq!(refused(keyed(&disk, &keys(&[2]))), expected(&given));
    assert_eq!(disk.bytes(FIRST), before);
    // What can be said without the key is said: where it ends, and how much could not be looked into.
    let report = inspect(&disk, |record| assert!(record.content.is_empty())).unwrap();
    assert_eq!((report.last, report.closed, report.locked), (6, Some(2), 6));
    assert!(matches!(report.first_locked, Some(JournalError::Locked { record: 1, .. })));
    assert!(report.damage.is_none());
    assert_eq!(settled(&disk).unwrap().last, 6);
    let strict = settled_with(&disk, |_| {}).unwrap_err();
    assert!(matches!(strict, JournalError::Locked { .. }) && !strict.is_damage(), "{strict}");
    let with_key = inspect(&keyed(&disk, &keys(&[1])), |_| {}).unwrap();
    assert_eq!((with_key.last, with_key.locked), (6, 0));
}

#[test]
fn a_new_key_is_used_for_what_is_new_and_old_ones_go_on_reading() {
    let disk = journal(1, 2);
    let mut writer = open(keyed(&disk, &keys(&[1, 2])), options()).unwrap().writer;
    write(&mut writer, 3);
    drop(writer);
    assert_eq!(contents(keyed(&disk, &keys(&[2, 1]))).unwrap(), expected(3));
    let locked = contents(keyed(&disk, &keys(&[1]))).unwrap_err();
    let new = keys(&[2]).ids().next().unwrap();
    assert!(
        matches!(&locked, JournalError::Locked { record: 7, key, .. } if *key == new),
        "{locked}"
    );
}

#[test]
fn what_is_of_a_party_with_a_key_of_its_own_goes_with_that_key() {
    let own = format!("{}key-of {} acme\n", file(&[1]), "ee".repeat(32));
    let own = Arc::new(Keys::parse(&own).unwrap());
    let disk = Disk::new(Faults::NONE);
    let mut writer = open(keyed(&disk, &own), options()).unwrap().writer;
    write(&mut writer, 1);
    assert_eq!(contents(keyed(&disk, &own)).unwrap(), expected(1));
    let report = inspect(&keyed(&disk, &keys(&[1])), |_| {}).unwrap();
    assert_eq!((report.last, report.locked), (3, 1), "the rest is still read");
    let locked = contents(keyed(&disk, &keys(&[1]))).unwrap_err();
    let id = own.ids().last().unwrap();
    assert!(
        matches!(&locked, JournalError::Locked { record: 1, key, .. } if *key == id),
        "{locked}"
    );
}

#[test]
fn a_journal_in_the_open_goes_on_sealed_and_never_back() {
    let disk = Disk::new(Faults::NONE);
    write(&mut open(disk.clone(), options()).unwrap().writer, 1);
    let open_keyed = || open(keyed(&disk, &keys(&[1])), options()).unwrap().writer;
    write(&mut open_keyed(), 2);
    assert_eq!(contents(keyed(&disk, &keys(&[1]))).unwrap(), expected(2));
    // A frame in the open that follows is made by hand, as someone without the keys would.
    let mut frame = vec![0; BLOCK_BYTES];
    let bytes = disk.bytes(FIRST);
    let mut last = BLOCK_BYTES;
    while format::is_frame(&bytes[last + BLOCK_BYTES..], MARK) {
        last += BLOCK_BYTES;
    }
    frame[..64].copy_from_slice(&bytes[last..last + 64]);
    format::set_half(&mut frame, 8, 16);
    format::set_half(&mut frame, 16, format::half(&bytes, last + format::CHECKSUM));
    format::set_half(&mut frame, 20, 2);
    let number = format::word(&frame, 24) + 1;
    format::set_word(&mut frame, 24, number);
    format::set_word(&mut frame, 48, 7);
    format::set_half(&mut frame, 56, 1);
    frame[68] = 17;
    format::set_word(&mut frame, 72, 3);
    format::finish(&mut frame);
    let mut forged = bytes;
    forged[last + BLOCK_BYTES..last + 2 * BLOCK_BYTES].copy_from_slice(&frame);
    disk.set_bytes(FIRST, forged);
    let error = contents(keyed(&disk, &keys(&[1]))).unwrap_err().to_string();
    let expected = format!(
        "journal file `{FIRST}` is damaged at byte {}, from record 7 on: the frame there is not \
         encrypted, and those before it are",
        last + BLOCK_BYTES
    );
    assert!(error.starts_with(&expected), "{error}");
}

/// Whoever changes a byte and makes the checksum right again is found out, or has changed nothing.
#[test]
fn no_byte_of_a_frame_can_be_changed_so_that_other_content_is_read() {
    let disk = journal(1, 2);
    let good = disk.bytes(FIRST);
    // Two frames of the opening, then one for each epoch; the last one is that of epoch 2.
    let last = 4 * BLOCK_BYTES;
    let length = 64 + format::half(&good, last + 8) as usize;
    let keyed = keyed(&disk, &keys(&[1]));
    let mut forged = 0;
    for byte in (0..length).chain([BLOCK_BYTES - 1]) {
        for flip in [1, 0x80] {
            let mut bytes = good.clone();
            let frame = &mut bytes[last..last + BLOCK_BYTES];
            frame[byte] ^= flip;
            format::finish(frame);
            disk.set_bytes(FIRST, bytes);
            match contents(keyed.clone()) {
                Ok(found) => {
                    let is_cut = found == expected(1);
                    assert!(is_cut || found == expected(2), "byte {byte}: {found:?}");
                    assert!(byte < 64 || found == expected(2), "byte {byte} is cut");
                }
                Err(JournalError::Forged { record, .. }) => {
                    assert!((4..=6).contains(&record), "byte {byte}: record {record}");
                    forged += 1;
                }
                Err(error) => assert!(error.is_damage() || byte >= 64, "byte {byte}: {error}"),
            }
        }
    }
    assert!(forged > length, "{forged} of {length}");
}

#[test]
fn content_that_does_not_open_is_told_from_damage_and_from_a_wrong_key() {
    let disk = journal(1, 2);
    let mut bytes = disk.bytes(FIRST);
    let last = 4 * BLOCK_BYTES;
    // The last byte of the first record's content, with its tag.
    bytes[last + 80 + 16 + 30] ^= 1;
    format::finish(&mut bytes[last..last + BLOCK_BYTES]);
    disk.set_bytes(FIRST, bytes);
    let id = keys(&[1]).ids().next().unwrap();
    let expected = format!(
        "journal file `{FIRST}` at byte {last} (record 4) is not what key {id} sealed there, and its \
         checksum holds: someone changed it, or moved it there; no key helps: restore it from a copy"
    );
    assert_eq!(contents(keyed(&disk, &keys(&[1]))).unwrap_err().to_string(), expected);
    let report = inspect(&keyed(&disk, &keys(&[1])), |_| {}).unwrap();
    assert_eq!(report.damage.unwrap().to_string(), expected);
}

/// A copy that is restored goes on under the same generation and with the same numbers as the journal
/// that it was taken of. What is left then to tell their keys apart is chance.
#[test]
fn two_lives_of_one_journal_have_no_nonce_in_common() {
    let lives = |keys: &Arc<Keys>| {
        let disk = Disk::new(Faults::NONE);
        write(&mut open(keyed(&disk, keys), options()).unwrap().writer, 1);
        let copy = disk.after_process_end();
        for (life, hash) in [(&disk, 1), (&copy, 2)] {
            let mut writer = open(keyed(life, keys), options()).unwrap().writer;
            let content = [hash; 20];
            writer.append(NewRecord { kind: 1, epoch: 2, parts: &[&content] }).unwrap();
            writer.sync().unwrap();
            assert_eq!((writer.generation(), writer.last_number()), (2, 4));
        }
        let sealing = Sealing::new();
        [disk, copy]
            .iter()
            .try_for_each(|disk| sealing.look(&disk.bytes(FIRST)[BLOCK_BYTES..], MARK))
    };
    assert_eq!(lives(&keys(&[1])), Ok(()));
    // Without chance it would be so, and is noticed.
    let unsalted = Arc::new(Keys::parse(&file(&[1])).unwrap().with_salt([3; 16]));
    assert_eq!(lives(&unsalted), Err("nonce 4 comes again in generation 2".to_owned()));
}

/// A snapshot of two parts.
fn snapshot(storage: Keyed<Disk>) -> Vec<(u8, Vec<u8>)> {
    let mut writer = SnapshotWriter::begin(storage, 7, 70).unwrap();
    let mut records = Vec::new();
    for part in 0..2 {
        writer.begin_part().unwrap();
        for kind in 1..4 {
            let content = vec![part * 16 + kind; usize::from(kind) * 5];
            writer.push_of("acme", kind, &[SECRET, &content]).unwrap();
            records.push((kind, [SECRET, &content].concat()));
        }
    }
    writer.finish().unwrap();
    records
}

fn read_snapshot(storage: &Keyed<Disk>) -> Result<Vec<(u8, Vec<u8>)>, JournalError> {
    let manifest = verify(storage, 7)?;
    let mut records = Vec::new();
    for index in 0..manifest.parts.len() {
        let mut part = part(storage, &manifest, index)?;
        while let Some((kind, content)) = part.next()? {
            records.push((kind, content.to_vec()));
        }
    }
    Ok(records)
}

#[test]
fn a_snapshot_is_sealed_with_the_keys_and_read_with_them_only() {
    let disk = Disk::new(Faults::NONE);
    let storage = keyed(&disk, &keys(&[1]));
    let written = snapshot(storage.clone());
    assert!(!holds(&disk, SECRET));
    assert_eq!(read_snapshot(&storage).unwrap(), written);
    let id = keys(&[1]).ids().next().unwrap();
    let locked = read_snapshot(&keyed(&disk, &keys(&[2]))).unwrap_err().to_string();
    let other = keys(&[2]).ids().next().unwrap();
    let expected = format!(
        "journal file `snapshot-0000000007.part-0000` is encrypted at byte 40 (record 1) with key {id}, \
         and the keys given are {other}; name the key file that has it"
    );
    assert_eq!(locked, expected);
    let (manifest, told) = verify_as_far_as_keys_go(&disk, 7).unwrap();
    assert_eq!((manifest.through, manifest.records()), (70, 6));
    assert!(matches!(told, Some(JournalError::Locked { .. })));
}

#[test]
fn no_bit_of_a_sealed_snapshot_can_be_changed() {
    let disk = Disk::new(Faults::NONE);
    let storage = keyed(&disk, &keys(&[1]));
    let written = snapshot(storage.clone());
    for name in disk.file_names() {
        for bit in 0..disk.bytes(&name).len() * 8 {
            disk.flip(&name, bit);
            assert!(read_snapshot(&storage).is_err(), "{name}, bit {bit}");
            disk.flip(&name, bit);
        }
    }
    // A manifest that leaves a part out, with a checksum that holds.
    let name = "snapshot-0000000007.manifest";
    let good = disk.bytes(name);
    let mut bytes = [&good[..64], &good[88..]].concat();
    bytes[32] = 1;
    let sum = crc(&bytes);
    bytes[12..16].copy_from_slice(&sum.to_le_bytes());
    disk.set_bytes(name, bytes);
    let forged = read_snapshot(&storage).unwrap_err();
    assert!(matches!(forged, JournalError::Forged { .. }), "{forged}");
    disk.set_bytes(name, good);
    assert_eq!(read_snapshot(&storage).unwrap(), written);
}

/// The checksum of a manifest.
fn crc(bytes: &[u8]) -> u32 {
    format::checksum(bytes)
}

#[test]
fn a_backup_is_taken_without_keys_and_read_with_them() {
    let (disk, copy) = (journal(1, 5), Disk::new(Faults::NONE));
    snapshot(keyed(&disk, &keys(&[1])));
    let manifest = backup(&disk, &copy, &mut |_| {}).unwrap();
    assert_eq!((manifest.epoch, manifest.record, manifest.snapshot), (Some(5), 15, Some(7)));
    assert_eq!(manifest.locked, 15, "it says what it did not look into");
    assert_eq!(contents(keyed(&copy, &keys(&[1]))).unwrap(), expected(5));
    assert!(contents(copy).is_err());
}
