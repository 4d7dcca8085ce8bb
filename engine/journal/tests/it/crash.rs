//! A journal that is damaged, cut, mixed up or poisoned, case by case.

use crate::format::BLOCK_BYTES;
use crate::simulation::{Disk, Faults};
use std::io::ErrorKind;
use trueup_journal::writer::NewRecord;
use trueup_journal::{
    EpochClose, JournalError, Opened, Options, Progress, RecordKind, Records, open,
};

const MARK: u64 = 0x6d61_726b_2061_7420;
const FIRST: &str = "segment-0000000001.journal";
const SECOND: &str = "segment-0000000002.journal";

fn options() -> Options {
    Options { segment_bytes_max: 64 * 1024, ..Options::new(MARK) }
}

fn opened(disk: &Disk) -> Opened<Disk> {
    open(disk.clone(), options()).unwrap()
}

fn append(opened: &mut Opened<Disk>, content: &[u8]) {
    let epoch = opened.writer.open_epoch().map_or(1, |(epoch, _)| epoch);
    opened.writer.append(NewRecord { kind: 7, epoch, parts: &[content] }).unwrap();
}

/// Appends a record as a group of its own.
fn append_group(opened: &mut Opened<Disk>, content: &[u8]) -> Progress {
    append(opened, content);
    opened.writer.sync().unwrap()
}

/// The contents of all data records, in order.
fn read(disk: &Disk) -> Result<Vec<String>, JournalError> {
    let mut records = Records::open(disk.clone())?;
    let mut contents = Vec::new();
    while let Some(record) = records.next()? {
        if record.kind == RecordKind::Data(7) {
            contents.push(String::from_utf8_lossy(record.content).into_owned());
        }
    }
    Ok(contents)
}

fn words(disk: &Disk) -> String {
    read(disk).unwrap_err().to_string()
}

/// A journal of groups "0", "1", ..., each of a block.
fn journal(groups: usize) -> Disk {
    let disk = Disk::new(Faults::NONE);
    let mut opened = opened(&disk);
    for group in 0..groups {
        append_group(&mut opened, group.to_string().as_bytes());
    }
    disk
}

/// Where frame *n* begins, of a journal that was opened once and has one segment.
fn frame(number: usize) -> usize {
    number * BLOCK_BYTES
}

/// Which frame has group *n*: two frames are written when a journal is opened.
fn frame_of_group(group: usize) -> usize {
    frame(3 + group)
}

#[test]
fn a_poisoned_writer_refuses_everything_and_says_why() {
    let disk = Disk::new(Faults::NONE);
    let mut opened = opened(&disk);
    let record = NewRecord { kind: 7, epoch: 1, parts: &[b"one"] };
    opened.writer.append(record).unwrap();
    disk.set_faults(Faults::sync_error(0));
    let error = opened.writer.sync().unwrap_err();
    assert_eq!(error.to_string(), format!("could not sync journal file `{FIRST}`"));
    // The device is well again, and the writer is not.
    let words = format!(
        "the journal takes nothing after a failure (could not sync journal file `{FIRST}`: \
         input/output error); restart to recover from the disk"
    );
    assert_eq!(opened.writer.sync().unwrap_err().to_string(), words);
    assert_eq!(opened.writer.append(record).unwrap_err().to_string(), words);
    assert_eq!(opened.writer.seal().unwrap_err().to_string(), words);
    assert_eq!(opened.writer.tick(0).unwrap_err().to_string(), words);
    let poisoned = opened.writer.submit().unwrap_err();
    assert!(matches!(poisoned, JournalError::Poisoned { kind: ErrorKind::Other, .. }));
    let close = EpochClose { epoch: 1, records: 1, hash: 0 };
    assert_eq!(opened.writer.close_epoch(close).unwrap_err().to_string(), words);
}

#[test]
fn a_full_disk_refuses_the_record_and_nothing_else() {
    let disk = Disk::new(Faults::NONE);
    let mut opened = opened(&disk);
    append(&mut opened, b"before");
    disk.set_room(disk.used());
    let long = vec![b'x'; 60_000];
    let record = NewRecord { kind: 7, epoch: 1, parts: &[&long] };
    let error = opened.writer.append(record).unwrap_err();
    assert!(matches!(&error, JournalError::Full { .. }));
    let words =
        format!("the disk has no room for more of journal file `{SECOND}`; make some, and go on");
    assert_eq!(error.to_string().replace(".new", ".journal"), words);
    // What was taken is durable and sealed all the same, and small records have room.
    append(&mut opened, b"after");
    assert_eq!(opened.writer.seal().unwrap(), Progress { durable: 2, sealed: 2 });
    assert!(matches!(opened.writer.append(record), Err(JournalError::Full { .. })));
    disk.set_room(usize::MAX);
    assert_eq!(opened.writer.append(record).unwrap(), 3);
    opened.writer.sync().unwrap();
    assert_eq!(read(&disk).unwrap()[..2], ["before", "after"]);
}

#[test]
fn a_damaged_frame_that_was_sealed_is_refused_with_its_place_and_remedy() {
    let disk = journal(3);
    // Group 2 was written after group 1 was durable, and says so.
    disk.flip(FIRST, (frame_of_group(1) + 70) * 8);
    let expected = format!(
        "journal file `{FIRST}` is damaged at byte {}, from record 2 on: the checksum of the frame \
         there does not hold; restore it from a copy, or give up the records from there on by \
         cutting it to {} bytes and removing the later files",
        frame_of_group(1),
        frame_of_group(1),
    );
    assert_eq!(words(&disk), expected);
    let before = disk.bytes(FIRST);
    assert_eq!(open(disk.clone(), options()).unwrap_err().to_string(), expected);
    assert_eq!(disk.bytes(FIRST), before, "nothing is changed");
    // The remedy works: the records before are there, and the journal goes on.
    disk.set_bytes(FIRST, before[..frame_of_group(1)].to_vec());
    let mut again = opened(&disk);
    append_group(&mut again, b"new");
    assert_eq!(read(&disk).unwrap(), ["0", "new"]);
}

#[test]
fn a_damaged_frame_that_was_not_sealed_is_cut() {
    let disk = journal(3);
    disk.flip(FIRST, (frame_of_group(2) + 70) * 8);
    assert_eq!(read(&disk).unwrap(), ["0", "1"]);
    let mut again = opened(&disk);
    assert_eq!(again.cut_bytes, BLOCK_BYTES as u64);
    assert_eq!(again.writer.last_number(), 2);
    append_group(&mut again, b"new");
    assert_eq!(read(&disk).unwrap(), ["0", "1", "new"]);
}

#[test]
fn a_damaged_header_is_refused_with_its_remedy() {
    let disk = journal(1);
    disk.flip(FIRST, 3000 * 8);
    let expected = format!(
        "journal file `{FIRST}` is damaged at byte 0: its header is not one; restore it from a copy, \
         or give up its records by removing it and the later files"
    );
    assert_eq!(words(&disk), expected);
}

#[test]
fn every_bit_of_what_is_sealed_is_watched() {
    let disk = journal(2);
    let sealed = frame_of_group(1);
    for byte in (0..sealed).step_by(5).chain(0..70).chain(sealed - 70..sealed) {
        let rotten = disk.after_process_end();
        rotten.flip(FIRST, byte * 8 + byte % 8);
        match read(&rotten) {
            Err(JournalError::Damaged { file, offset, .. }) => {
                assert_eq!(file, FIRST);
                assert_eq!(offset, (byte / BLOCK_BYTES * BLOCK_BYTES) as u64, "byte {byte}");
            }
            other => panic!("byte {byte}: {other:?}"),
        }
    }
}

#[test]
fn a_generation_is_taken_once_although_its_last_frame_rots() {
    let disk = journal(0);
    // The frame that says "generation 1" is sealed by another one as soon as it is there.
    let rotten = disk.after_process_end();
    rotten.flip(FIRST, (frame(2) + 5) * 8);
    assert_eq!(opened(&rotten).writer.generation(), 2);
    disk.flip(FIRST, (frame(1) + 5) * 8);
    assert!(open(disk.clone(), options()).is_err());
}

#[test]
fn what_a_cut_left_behind_is_never_read_again() {
    let disk = Disk::new(Faults::NONE);
    let mut first = opened(&disk);
    append_group(&mut first, b"kept");
    let before = disk.bytes(FIRST);
    // Two groups of one flight: the first is torn, the second is whole.
    append(&mut first, b"torn");
    first.writer.submit().unwrap();
    append(&mut first, b"whole");
    first.writer.sync().unwrap();
    let mut bytes = disk.bytes(FIRST);
    let torn = frame_of_group(1);
    bytes[torn..torn + 512].copy_from_slice(&before[torn..torn + 512]);
    disk.set_bytes(FIRST, bytes);
    let mut second = opened(&disk);
    assert_eq!(second.writer.last_number(), 1);
    assert_eq!(second.cut_bytes, 2 * BLOCK_BYTES as u64);
    // The frames of the new generation end exactly where the whole one begins.
    assert_eq!(read(&disk).unwrap(), ["kept"]);
    append_group(&mut second, b"new");
    assert_eq!(read(&disk).unwrap(), ["kept", "new"]);
}

#[test]
fn every_prefix_of_the_last_file_recovers_to_its_last_whole_group() {
    let disk = journal(4);
    let whole = disk.bytes(FIRST);
    for length in (BLOCK_BYTES..=whole.len()).step_by(512) {
        let cut = disk.after_process_end();
        cut.set_bytes(FIRST, whole[..length].to_vec());
        let groups = (length / BLOCK_BYTES).saturating_sub(3).min(4);
        let mut again = opened(&cut);
        append_group(&mut again, b"after");
        let mut expected: Vec<String> = (0..groups).map(|group| group.to_string()).collect();
        expected.push("after".to_owned());
        assert_eq!(read(&cut).unwrap(), expected, "the first {length} bytes");
    }
}

#[test]
fn a_missing_file_is_named() {
    let disk = journal(30);
    let names = disk.file_names();
    assert!(names.len() > 2);
    for name in &names[..names.len() - 1] {
        let lacking = disk.after_process_end();
        trueup_journal::Storage::remove(&lacking, name).unwrap();
        let expected = format!(
            "journal file `{name}` is missing, and later ones are there; restore it from a copy"
        );
        assert_eq!(words(&lacking), expected);
    }
}

#[test]
fn files_that_were_swapped_are_refused() {
    let disk = journal(30);
    let (first, second) = (disk.bytes(FIRST), disk.bytes(SECOND));
    disk.set_bytes(FIRST, second);
    disk.set_bytes(SECOND, first);
    assert!(words(&disk).contains("`segment-0000000001.journal` is damaged at byte 0: its header"));
}

#[test]
fn a_file_that_ends_too_early_is_noticed() {
    let disk = journal(30);
    // Cut exactly between two frames, where each is good.
    let whole = disk.bytes(FIRST);
    disk.set_bytes(FIRST, whole[..frame_of_group(1)].to_vec());
    let expected = format!("`{FIRST}` is damaged at byte {}, from record 2 on", frame_of_group(1));
    assert!(words(&disk).contains(&expected), "{}", words(&disk));
}

#[test]
fn a_frame_in_place_of_another_one_is_refused() {
    let disk = journal(0);
    // Two lives of one journal, which differ in one group of equal length.
    let other = disk.after_process_end();
    let mut one = opened(&disk);
    append_group(&mut one, b"this");
    append_group(&mut one, b"next");
    append_group(&mut opened(&other), b"that");
    let mut mixed = disk.bytes(FIRST);
    let span = frame(5)..frame(6);
    mixed[span.clone()].copy_from_slice(&other.bytes(FIRST)[span]);
    disk.set_bytes(FIRST, mixed);
    let expected = format!(
        "`{FIRST}` is damaged at byte {}, from record 2 on: the frame there does not follow",
        frame(6)
    );
    assert!(words(&disk).contains(&expected), "{}", words(&disk));
}

#[test]
fn content_that_looks_like_frames_is_content() {
    // A sender who knows the format, but not the mark, sends frames of a journal with another one.
    let forged = Disk::new(Faults::NONE);
    let mut forger = open(forged.clone(), Options { mark: MARK + 1, ..options() }).unwrap();
    for _ in 0..4 {
        append_group(&mut forger, b"false");
    }
    let frames = forged.bytes(FIRST)[BLOCK_BYTES..frame(7)].to_vec();
    let disk = Disk::new(Faults::NONE);
    let mut honest = open(disk.clone(), Options::new(MARK)).unwrap();
    append_group(&mut honest, b"honest");
    // The content is moved so that the frames in it begin at blocks.
    let parts: &[&[u8]] = &[&[0; BLOCK_BYTES - 80], &frames];
    honest.writer.append(NewRecord { kind: 7, epoch: 1, parts }).unwrap();
    honest.writer.sync().unwrap();
    // The frame that carries them is torn: it is cut, and what is in it vouches for nothing.
    disk.flip(FIRST, (frame_of_group(1) + 100) * 8);
    let shown = &disk.bytes(FIRST)[frame_of_group(2)..];
    assert_eq!(shown[..8], (MARK + 1).to_le_bytes(), "the forged frames do begin at a block");
    assert_eq!(read(&disk).unwrap(), ["honest"]);
}

#[test]
fn files_that_nobody_needs_are_used_again() {
    let disk = Disk::new(Faults::NONE);
    let mut one = opened(&disk);
    let mut last = 0;
    for group in 0..160 {
        last = append_group(&mut one, format!("group {group}").as_bytes()).durable;
        one.writer.release(last - 1);
    }
    // Old files become new ones: there are as many as are needed, and a few to spare.
    let names = disk.file_names();
    assert!(names.len() <= 4, "{names:?}");
    assert!(names.last().unwrap().as_str() > "segment-0000000010.journal", "{names:?}");
    drop(one);
    let mut again = opened(&disk);
    assert_eq!(again.writer.last_number(), last);
    let mut numbers = Vec::new();
    while let Some(record) = again.records.next().unwrap() {
        numbers.push(record.number);
    }
    // All that are needed are there, in order; and the count of the epoch goes on.
    assert!(numbers[0] < last && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
    assert_eq!(*numbers.last().unwrap(), last);
    assert_eq!(again.writer.open_epoch(), Some((1, 160)));
    again.writer.close_epoch(EpochClose { epoch: 1, records: 160, hash: 5 }).unwrap();
    again.writer.sync().unwrap();
}

/// Found by looking for bytes that reach new code: a frame of which the file has all but zeros did not
/// count, and did so when the journal had been opened and its file got room behind it. What was written
/// until then could not be read any more.
#[test]
fn a_frame_that_lacks_only_zeros_vouches_before_anything_is_written() {
    // A header, the head of a record, and its one byte.
    let used = 64 + 16 + 1;
    for cut in [1, 100, BLOCK_BYTES - used, BLOCK_BYTES - used + 1, BLOCK_BYTES - 60] {
        let disk = journal(4);
        // All but the last frame, which says that they were durable, is gone.
        let mut bytes = disk.bytes(FIRST);
        let (lost, last) = (frame_of_group(0), frame_of_group(3));
        bytes[lost..last].fill(0);
        bytes.truncate(last + BLOCK_BYTES - cut);
        disk.set_bytes(FIRST, bytes);
        let is_counted = cut <= BLOCK_BYTES - used;
        let refused = open(disk.clone(), options()).map(drop);
        assert_eq!(refused.is_err(), is_counted, "cut by {cut}: {refused:?}");
        if refused.is_ok() {
            append_group(&mut opened(&disk), b"more");
            assert!(read(&disk).is_ok(), "cut by {cut}");
        }
    }
}
