//! A journal on a disk that loses power, tears writes, fails, fills up and rots.
//!
//! What must hold, whatever happens and whenever: a journal opens again; its records are those that
//! were taken, in order and unchanged; none that was durable is missing; and none that was sealed is
//! missing even after one damaged place, unless the damage is reported with file and byte.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod simulation;

use simulation::{Disk, Faults, Noise};
use trueup_journal::writer::NewRecord;
use trueup_journal::{
    EpochClose, JournalError, Opened, Options, Progress, RecordKind, Records, Writer, open,
};

const MARK: u64 = 0x6d61_726b_2061_7420;

fn options() -> Options {
    // Small segments, so that the tests turn them often.
    Options { segment_bytes_max: 2500, ..Options::new(MARK) }
}

/// The content of a record of a number that a script gives; from 0 to 1,500 bytes.
fn content(seed: u64) -> Vec<u8> {
    let mut noise = Noise(seed);
    let length = if seed.is_multiple_of(3) { noise.below(1500) } else { noise.below(60) };
    (0..length).map(|_| noise.word().to_le_bytes()[0]).collect()
}

/// The contents of all data records, in order, and the epochs that are closed.
fn read(disk: &Disk) -> Result<(Vec<Vec<u8>>, Vec<EpochClose>), JournalError> {
    let mut records = Records::open(disk.clone())?;
    let (mut contents, mut closes, mut number) = (Vec::new(), Vec::new(), 0);
    while let Some(record) = records.next()? {
        number += 1;
        assert_eq!(record.number, number);
        match record.kind {
            RecordKind::Data(kind) => {
                assert_eq!(kind, 7);
                contents.push(record.content.to_vec());
            }
            RecordKind::EpochClose => closes.extend(record.epoch_close()),
            RecordKind::Opened | RecordKind::Seal => assert_eq!(record.content, []),
        }
    }
    Ok((contents, closes))
}

/// What a script found out before it ended.
#[derive(Debug, Default)]
struct Log {
    /// The contents that were taken.
    taken: Vec<Vec<u8>>,
    /// The numbers of their records.
    numbers: Vec<u64>,
    progress: Progress,
}

impl Log {
    /// How many of the contents have numbers up to this.
    fn up_to(&self, number: u64) -> usize {
        self.numbers.iter().filter(|taken| **taken <= number).count()
    }
}

/// Appends, closes epochs, syncs and seals by a seed, until it is done or the journal refuses.
fn run(
    writer: &mut Writer<Disk>,
    steps: u64,
    noise: &mut Noise,
    log: &mut Log,
) -> Result<(), JournalError> {
    for _ in 0..steps {
        let epoch = writer.open_epoch().map_or_else(
            || writer.closed_epoch().map_or(1, |closed| closed + 1),
            |(epoch, _)| epoch,
        );
        match noise.below(10) {
            0 => {
                let (_, records) = writer.open_epoch().unwrap_or((epoch, 0));
                writer.close_epoch(EpochClose { epoch, records, hash: u128::from(epoch) })?;
            }
            1 | 2 => log.progress = writer.sync()?,
            3 => log.progress = writer.seal()?,
            _ => {
                let content = content(noise.word());
                let (front, back) = content.split_at(content.len() / 3);
                // It may be on the disk even if it was refused; then its content is right too.
                let number = writer.last_number() + 1;
                log.taken.push(content.clone());
                log.numbers.push(number);
                writer.append(NewRecord { kind: 7, epoch, parts: &[front, back] })?;
            }
        }
    }
    Ok(())
}

fn run_from_open(disk: &Disk, steps: u64, seed: u64) -> Log {
    let mut log = Log::default();
    if let Ok(mut opened) = open(disk.clone(), options()) {
        log.progress = opened.writer.progress();
        let _ = run(&mut opened.writer, steps, &mut Noise(seed), &mut log);
    }
    log
}

/// Opens the journal again and checks what it has against what was promised.
fn check_recovered(disk: &Disk, log: &Log, story: &str) {
    let opened = open(disk.clone(), options()).unwrap_or_else(|error| panic!("{story}: {error}"));
    let (contents, _) = read(disk).unwrap();
    assert!(contents.len() <= log.taken.len(), "{story}: more than was taken");
    assert_eq!(contents, log.taken[..contents.len()], "{story}: other content");
    let durable = log.up_to(log.progress.durable);
    assert!(contents.len() >= durable, "{story}: {} of {durable} durable ones", contents.len());
    // What can be read now is durable now.
    assert_eq!(opened.writer.progress().durable, opened.writer.last_number());
}

#[test]
fn a_loss_of_power_at_any_operation_loses_nothing_that_was_durable() {
    let mut crashes = 0;
    for script in 0..12 {
        let whole = Disk::new(Faults::NONE);
        run_from_open(&whole, 60, script);
        for operation in 0..=whole.operations() {
            for survival in 0..6 {
                let disk = Disk::new(Faults::power_loss(operation));
                let log = run_from_open(&disk, 60, script);
                let story = format!("script {script}, operation {operation}, survival {survival}");
                check_recovered(&disk.after_power_loss(survival), &log, &story);
                crashes += 1;
            }
        }
    }
    // The promise is empty if the script ended early.
    assert!(crashes > 3000, "{crashes} crashes");
}

#[test]
fn power_that_goes_again_while_recovering_loses_nothing() {
    for seed in 0..40 {
        let first = Disk::new(Faults::power_loss(20 + seed));
        let log = run_from_open(&first, 60, seed);
        for operation in 0..30 {
            let disk = first.after_power_loss(seed);
            disk.set_faults(Faults::power_loss(operation));
            let again = open(disk.clone(), options()).is_ok();
            let story = format!("seed {seed}, recovery stopped at {operation}");
            check_recovered(&disk.after_power_loss(operation), &log, &story);
            if again {
                break;
            }
        }
    }
}

#[test]
fn a_failing_device_poisons_the_writer_and_loses_nothing_that_was_durable() {
    for script in 0..12 {
        let whole = Disk::new(Faults::NONE);
        run_from_open(&whole, 60, script);
        for operation in 0..whole.operations() {
            let disk = Disk::new(Faults::error(operation));
            let log = run_from_open(&disk, 60, script);
            let story = format!("script {script}, error at operation {operation}");
            // The process ends, the power stays; then it writes on, and the power goes.
            let restarted = disk.after_process_end();
            let mut opened = open(restarted.clone(), options())
                .unwrap_or_else(|error| panic!("{story}: {error}"));
            let (contents, _) = read(&restarted).unwrap();
            let mut both = Log { taken: contents.clone(), ..Log::default() };
            both.numbers = vec![0; contents.len()];
            both.progress = opened.writer.progress();
            run(&mut opened.writer, 20, &mut Noise(operation), &mut both).unwrap();
            assert!(contents.len() >= log.up_to(log.progress.durable), "{story}");
            for survival in 0..3 {
                check_recovered(&restarted.after_power_loss(survival), &both, &story);
            }
        }
    }
}

#[test]
fn a_write_that_ends_early_poisons_and_loses_nothing_that_was_durable() {
    let mut ended_early = 0;
    for script in 0..6 {
        let whole = Disk::new(Faults::NONE);
        run_from_open(&whole, 60, script);
        for operation in 0..whole.operations() {
            let disk = Disk::new(Faults::short(operation));
            let log = run_from_open(&disk, 60, script);
            ended_early += u32::from(disk.operations() < whole.operations());
            let story = format!("script {script}, short write from operation {operation} on");
            check_recovered(&disk.after_process_end(), &log, &story);
            check_recovered(&disk.after_power_loss(script), &log, &story);
        }
    }
    assert!(ended_early > 100, "{ended_early} scripts ended early");
}

#[test]
fn a_poisoned_writer_refuses_everything_and_says_why() {
    let disk = Disk::new(Faults::NONE);
    let mut opened = open(disk.clone(), options()).unwrap();
    let record = NewRecord { kind: 7, epoch: 1, parts: &[b"one"] };
    opened.writer.append(record).unwrap();
    disk.set_faults(Faults::error(1));
    let error = opened.writer.sync().unwrap_err();
    assert_eq!(error.to_string(), "could not sync journal file `segment-0000000001.journal`");
    // The device is well again, and the writer is not.
    let words = "the journal takes nothing after a failure (could not sync journal file \
                 `segment-0000000001.journal`: input/output error); restart to recover from the disk";
    assert_eq!(opened.writer.sync().unwrap_err().to_string(), words);
    assert_eq!(opened.writer.append(record).unwrap_err().to_string(), words);
    assert_eq!(opened.writer.seal().unwrap_err().to_string(), words);
    let close = EpochClose { epoch: 1, records: 1, hash: 0 };
    assert_eq!(opened.writer.close_epoch(close).unwrap_err().to_string(), words);
}

#[test]
fn a_full_disk_loses_nothing_that_was_durable_and_works_again_with_room() {
    for script in 0..6 {
        for room in (0..12_000).step_by(37) {
            let disk = Disk::new(Faults::full(room));
            let log = run_from_open(&disk, 60, script);
            let story = format!("script {script}, room for {room} bytes");
            check_recovered(&disk.after_process_end(), &log, &story);
            check_recovered(&disk.after_power_loss(script), &log, &story);
        }
    }
}

#[test]
fn a_damaged_byte_is_refused_with_its_place_or_was_never_sealed() {
    let (mut refused, mut cut) = (0, 0);
    for script in 0..3 {
        let disk = Disk::new(Faults::NONE);
        let mut log = run_from_open(&disk, 40, script);
        // What was not synced is not there.
        let (contents, _) = read(&disk).unwrap();
        log.taken.truncate(contents.len());
        let names = disk.file_names();
        for name in &names {
            let good = disk.bytes(name);
            for index in 0..good.len() {
                let rotten = disk.after_process_end();
                rotten.flip(name, index * 8 + index % 8);
                let story = format!("script {script}, byte {index} of {name}");
                match read(&rotten) {
                    Ok((found, _)) => {
                        cut += 1;
                        assert_eq!(found, log.taken[..found.len()], "{story}");
                        let sealed = log.up_to(log.progress.sealed);
                        assert!(found.len() >= sealed, "{story}: sealed ones are gone");
                        assert_eq!(Some(name), names.last(), "{story}: an early file was cut");
                    }
                    Err(JournalError::Damaged { file, offset, .. }) => {
                        refused += 1;
                        assert_eq!(&file, name, "{story}");
                        assert!(offset <= index as u64, "{story}: reported at {offset}");
                        // Opening refuses as well, and leaves the file as it is.
                        assert!(open(rotten.clone(), options()).is_err(), "{story}");
                    }
                    Err(JournalError::Version { found, .. }) => assert_ne!(found, 1),
                    Err(error) => panic!("{story}: {error}"),
                }
            }
        }
    }
    assert!(refused > 10_000 && cut > 100, "{refused} refused, {cut} cut");
}

#[test]
fn every_prefix_of_the_last_file_recovers_to_its_last_whole_record() {
    let disk = Disk::new(Faults::NONE);
    let mut opened = open(disk.clone(), Options::new(MARK)).unwrap();
    let mut log = Log::default();
    run(&mut opened.writer, 60, &mut Noise(3), &mut log).unwrap();
    opened.writer.sync().unwrap();
    let name = disk.file_names().pop().unwrap();
    let whole = disk.bytes(&name);
    let mut found_before = 0;
    // The header of a file that has its name is always whole.
    for length in 64..=whole.len() {
        let cut = disk.after_process_end();
        cut.set_bytes(&name, whole[..length].to_vec());
        let (contents, _) = read(&cut).unwrap();
        assert_eq!(contents, log.taken[..contents.len()], "the first {length} bytes");
        assert!(contents.len() >= found_before, "the first {length} bytes");
        found_before = contents.len();
        let mut reopened = open(cut.clone(), Options::new(MARK)).unwrap();
        let epoch = reopened.writer.open_epoch().map_or(900, |(epoch, _)| epoch);
        reopened.writer.append(NewRecord { kind: 7, epoch, parts: &[b"after"] }).unwrap();
        reopened.writer.sync().unwrap();
        let (after, _) = read(&cut).unwrap();
        assert_eq!(after.len(), contents.len() + 1, "the first {length} bytes");
        assert_eq!(after.last().unwrap(), b"after");
    }
    assert_eq!(found_before, log.taken.len());
}

#[test]
fn a_missing_file_is_named() {
    let disk = Disk::new(Faults::NONE);
    run_from_open(&disk, 60, 1);
    let names = disk.file_names();
    assert!(names.len() > 2);
    for name in &names[..names.len() - 1] {
        let lacking = disk.after_process_end();
        trueup_journal::Storage::remove(&lacking, name).unwrap();
        let error = read(&lacking).unwrap_err().to_string();
        let words = format!(
            "journal file `{name}` is missing, and later ones are there; restore it from a copy"
        );
        assert_eq!(error, words);
    }
}

#[test]
fn files_that_were_swapped_are_refused() {
    let disk = Disk::new(Faults::NONE);
    run_from_open(&disk, 60, 1);
    let names = disk.file_names();
    let (first, second) = (disk.bytes(&names[0]), disk.bytes(&names[1]));
    disk.set_bytes(&names[0], second);
    disk.set_bytes(&names[1], first);
    let error = read(&disk).unwrap_err().to_string();
    assert_eq!(
        error,
        "journal file `segment-0000000001.journal` is damaged at byte 0: its header is not one"
    );
}

#[test]
fn a_file_that_ends_too_early_is_noticed_by_the_next_one() {
    let disk = Disk::new(Faults::NONE);
    run_from_open(&disk, 60, 1);
    let name = &disk.file_names()[0];
    // Cut exactly between two records, where each record is good.
    let whole = disk.bytes(name);
    let marks: Vec<usize> = (64..whole.len())
        .step_by(8)
        .filter(|place| whole[*place..].starts_with(&MARK.to_le_bytes()))
        .collect();
    disk.set_bytes(name, whole[..*marks.last().unwrap()].to_vec());
    let error = read(&disk).unwrap_err().to_string();
    assert_eq!(
        error,
        "journal file `segment-0000000002.journal` is damaged at byte 0: it does not continue the \
         file before it"
    );
}

#[test]
fn a_record_in_place_of_another_one_is_refused() {
    let disk = Disk::new(Faults::NONE);
    let append = |opened: &mut Opened<Disk>, content: &[u8]| {
        opened.writer.append(NewRecord { kind: 7, epoch: 1, parts: &[content] }).unwrap();
        opened.writer.sync().unwrap();
    };
    drop(open(disk.clone(), options()).unwrap());
    // Two lives of one journal, which differ in one record of equal length.
    let other = disk.after_process_end();
    let mut opened = open(disk.clone(), options()).unwrap();
    let name = disk.file_names().pop().unwrap();
    let before = disk.bytes(&name).len();
    append(&mut opened, b"this");
    let after = disk.bytes(&name).len();
    append(&mut opened, b"next");
    append(&mut open(other.clone(), options()).unwrap(), b"that");
    let mut mixed = disk.bytes(&name);
    mixed[before..after].copy_from_slice(&other.bytes(&name)[before..after]);
    disk.set_bytes(&name, mixed);
    let error = read(&disk).unwrap_err().to_string();
    let words = format!(
        "journal file `{name}` is damaged at byte {after}: the record there does not follow the one \
         before it"
    );
    assert_eq!(error, words);
}

#[test]
fn content_that_looks_like_records_is_content() {
    let disk = Disk::new(Faults::NONE);
    let mut opened = open(disk.clone(), Options::new(MARK)).unwrap();
    opened.writer.append(NewRecord { kind: 7, epoch: 1, parts: &[b"honest"] }).unwrap();
    opened.writer.sync().unwrap();
    opened.writer.seal().unwrap();
    let whole_file = disk.bytes("segment-0000000001.journal");
    // A sender who knows the format, but not the mark, sends records of a journal with another one.
    let forged = Disk::new(Faults::NONE);
    let mut forger = open(forged.clone(), Options::new(MARK + 1)).unwrap();
    for _ in 0..5 {
        forger.writer.append(NewRecord { kind: 7, epoch: 1, parts: &[b"false"] }).unwrap();
        forger.writer.sync().unwrap();
    }
    let forged_file = forged.bytes("segment-0000000001.journal");
    let parts: &[&[u8]] = &[&forged_file[64..]];
    opened.writer.append(NewRecord { kind: 7, epoch: 1, parts }).unwrap();
    opened.writer.sync().unwrap();
    // The record that carries them is torn: it is cut, and what is in it vouches for nothing.
    let mut torn = disk.bytes("segment-0000000001.journal");
    torn[whole_file.len() + 30] ^= 1;
    disk.set_bytes("segment-0000000001.journal", torn);
    let (contents, _) = read(&disk).unwrap();
    assert_eq!(contents, [b"honest"]);
}
