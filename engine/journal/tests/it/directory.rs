//! A journal in a directory of the file system: what its owner sees in good times.

use std::path::Path;
use trueup_journal::record::RECORD_BYTES_MAX;
use trueup_journal::writer::NewRecord;
use trueup_journal::{
    Directory, EpochClose, JournalError, Opened, Options, Progress, RecordKind, Records, open,
};

fn opened(path: &Path, options: Options) -> Opened<Directory> {
    open(Directory::open(path).unwrap(), options).unwrap()
}

fn data(epoch: u64, content: &[u8], opened: &mut Opened<Directory>) -> u64 {
    opened.writer.append(NewRecord { kind: 1, epoch, parts: &[content] }).unwrap()
}

/// The records, as words.
fn listed(records: &mut Records<Directory>) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(record) = records.next().unwrap() {
        let what = match record.kind {
            RecordKind::EpochClose => format!("close {:?}", record.epoch_close().unwrap().records),
            RecordKind::Data(kind) => {
                format!("data {kind} {}", String::from_utf8_lossy(record.content))
            }
        };
        let (number, generation, epoch) = (record.number, record.generation, record.epoch);
        lines.push(format!("{number} generation {generation} epoch {epoch}: {what}"));
    }
    lines
}

#[test]
fn records_come_back_in_order_with_their_epochs_and_generations() {
    let place = tempfile::tempdir().unwrap();
    let mut first = opened(place.path(), Options::new(1));
    assert_eq!(listed(&mut first.records), [""; 0]);
    data(4, b"one", &mut first);
    first.writer.append(NewRecord { kind: 239, epoch: 4, parts: &[b"tw", b"o"] }).unwrap();
    first.writer.close_epoch(EpochClose { epoch: 4, records: 2, hash: 77 }).unwrap();
    data(6, b"three", &mut first);
    first.writer.sync().unwrap();
    drop(first);
    let mut second = opened(place.path(), Options::new(2));
    assert_eq!((second.writer.generation(), second.cut_bytes), (2, 0));
    assert_eq!((second.writer.closed_epoch(), second.writer.open_epoch()), (Some(4), Some((6, 1))));
    data(6, b"four", &mut second);
    second.writer.close_epoch(EpochClose { epoch: 6, records: 2, hash: 0 }).unwrap();
    // The records are those that were there; what the writer adds meanwhile is not among them.
    let expected = [
        "1 generation 1 epoch 4: data 1 one",
        "2 generation 1 epoch 4: data 239 two",
        "3 generation 1 epoch 4: close 2",
        "4 generation 1 epoch 6: data 1 three",
    ];
    assert_eq!(listed(&mut second.records), expected);
    // What was not synced is gone with the writer.
    drop(second);
    let mut third = opened(place.path(), Options { generation_min: 9, ..Options::new(3) });
    assert_eq!(third.writer.generation(), 9);
    assert_eq!(listed(&mut third.records), expected);
}

#[test]
fn one_sync_makes_many_records_durable_and_the_next_group_seals_them() {
    let place = tempfile::tempdir().unwrap();
    let mut journal = opened(place.path(), Options::new(1));
    assert_eq!(journal.writer.progress(), Progress { durable: 0, sealed: 0 });
    for number in 1..=100 {
        assert_eq!(data(1, b"content", &mut journal), number);
    }
    assert_eq!(journal.writer.progress().durable, 0);
    assert_eq!(journal.writer.sync().unwrap(), Progress { durable: 100, sealed: 0 });
    assert_eq!(journal.writer.sync().unwrap(), Progress { durable: 100, sealed: 0 });
    data(1, b"more", &mut journal);
    assert_eq!(journal.writer.sync().unwrap(), Progress { durable: 101, sealed: 100 });
    // An idle journal seals what it has, once.
    assert_eq!(journal.writer.seal().unwrap(), Progress { durable: 101, sealed: 101 });
    assert_eq!(journal.writer.seal().unwrap(), Progress { durable: 101, sealed: 101 });
    // A restart seals everything that is there.
    data(1, b"last", &mut journal);
    journal.writer.sync().unwrap();
    drop(journal);
    let again = opened(place.path(), Options::new(1));
    assert_eq!(again.writer.progress(), Progress { durable: 102, sealed: 102 });
}

#[test]
fn a_group_is_given_to_the_disk_when_it_is_full_or_old() {
    let place = tempfile::tempdir().unwrap();
    let mut journal = opened(place.path(), Options::new(1));
    assert_eq!(journal.writer.deadline_us(), None);
    journal.writer.tick(10_000).unwrap();
    data(1, b"first", &mut journal);
    assert_eq!(journal.writer.deadline_us(), Some(12_000));
    journal.writer.tick(11_999).unwrap();
    assert_eq!(journal.writer.deadline_us(), Some(12_000));
    // Two milliseconds old: it is on its way, and durable at some later tick.
    journal.writer.tick(12_000).unwrap();
    assert_eq!(journal.writer.deadline_us(), None);
    while journal.writer.tick(12_000).unwrap().durable < 1 {
        std::thread::yield_now();
    }
    // Many groups of 1 MiB are on their way without anyone asking, four at most at once.
    let content = vec![5; 100_000];
    for _ in 0..100 {
        data(1, &content, &mut journal);
    }
    let progress = journal.writer.progress();
    assert!(progress.durable >= 40, "{progress:?}");
    assert_eq!(journal.writer.sync().unwrap().durable, 101);
}

#[test]
fn a_record_is_as_long_as_the_limit_and_not_longer() {
    let place = tempfile::tempdir().unwrap();
    let mut journal = opened(place.path(), Options::new(1));
    let longest = vec![7; RECORD_BYTES_MAX];
    data(1, &longest, &mut journal);
    let record = NewRecord { kind: 1, epoch: 1, parts: &[&longest, b"x"] };
    let error = journal.writer.append(record).unwrap_err();
    assert!(matches!(error, JournalError::TooLarge { found: 8_388_609, limit: RECORD_BYTES_MAX }));
    // That was a refusal and no failure.
    data(1, b"short", &mut journal);
    journal.writer.sync().unwrap();
    drop(journal);
    let mut records = opened(place.path(), Options::new(1)).records;
    assert_eq!(records.next().unwrap().unwrap().content, longest);
    assert_eq!(records.next().unwrap().unwrap().content, b"short");
    assert_eq!(records.next().unwrap(), None);
}

#[test]
fn epochs_are_open_one_at_a_time_and_closed_once() {
    let place = tempfile::tempdir().unwrap();
    let mut journal = opened(place.path(), Options::new(1));
    let close = |epoch, records| EpochClose { epoch, records, hash: 0 };
    let append = |epoch| NewRecord { kind: 1, epoch, parts: &[] };
    let writer = &mut journal.writer;
    // An epoch without records can be closed.
    writer.close_epoch(close(1, 0)).unwrap();
    writer.append(append(3)).unwrap();
    let refused = [
        writer.append(append(1)).unwrap_err(),
        writer.append(append(4)).unwrap_err(),
        writer.close_epoch(close(4, 0)).unwrap_err(),
        writer.close_epoch(close(3, 2)).unwrap_err(),
    ];
    let words: Vec<String> = refused.iter().map(ToString::to_string).collect();
    let expected = [
        "epoch 1 was given after epoch 1 was closed",
        "epoch 4 was given while epoch 3 is open; close that first",
        "epoch 4 was given while epoch 3 is open; close that first",
        "epoch 3 is closed with 2 records, and it has 1",
    ];
    assert_eq!(words, expected);
    writer.close_epoch(close(3, 1)).unwrap();
    assert!(writer.close_epoch(close(3, 1)).is_err());
    writer.sync().unwrap();
}

#[test]
fn segments_follow_each_other_at_their_size() {
    let place = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes_max: 20_000, ..Options::new(1) };
    let mut journal = opened(place.path(), options);
    for number in 0..50_u8 {
        data(1, &[number; 100], &mut journal);
        journal.writer.sync().unwrap();
    }
    drop(journal);
    let files = || {
        let entries = std::fs::read_dir(place.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    };
    let names = files();
    assert_eq!(names[..2], ["lock", "segment-0000000001.journal"]);
    assert!(names.len() > 8, "{names:?}");
    // What is not the journal's is left alone; a segment that was not born is removed.
    std::fs::write(place.path().join("segment-0000000099.new"), b"TRUP").unwrap();
    std::fs::write(place.path().join("notes.txt"), b"mine").unwrap();
    let mut records = opened(place.path(), options).records;
    let mut contents = Vec::new();
    while let Some(record) = records.next().unwrap() {
        if let RecordKind::Data(_) = record.kind {
            contents.push(record.content.to_vec());
        }
    }
    assert_eq!(contents, (0..50_u8).map(|number| vec![number; 100]).collect::<Vec<_>>());
    assert!(files().contains(&"notes.txt".to_owned()));
    assert!(!files().contains(&"segment-0000000099.new".to_owned()));
}
