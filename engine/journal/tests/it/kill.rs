//! A process that is killed while it writes, on a disk of the machine.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use trueup_journal::writer::NewRecord;
use trueup_journal::{Directory, Options, open};

/// A file of this name in the current folder says that the process is the one to be killed.
const SIGN: &str = "to-be-killed";
/// Where it writes.
const JOURNAL: &str = "journal";
/// How often a process is killed.
const KILLS: usize = 8;

fn options() -> Options {
    Options { segment_bytes_max: 256 * 1024, group_bytes_max: 8_000, ..Options::new(7) }
}

/// The content of a record.
fn content(number: u64) -> Vec<u8> {
    let length = usize::try_from(number * 37 % 3_000).unwrap();
    number.to_le_bytes().into_iter().cycle().take(length).collect()
}

/// Not a test by itself: what the test below starts and kills.
#[test]
fn a_process_that_writes_until_it_is_killed() {
    if !Path::new(SIGN).exists() {
        return;
    }
    let mut writer = open(Directory::open(JOURNAL).unwrap(), options()).unwrap().writer;
    for tick in 0.. {
        for _ in 0..tick % 7 {
            let content = content(writer.last_number() + 1);
            writer.append(NewRecord { kind: 1, epoch: 1, parts: &[&content] }).unwrap();
        }
        let progress = writer.tick(tick * 1_000).unwrap();
        println!("\ndurable {}", progress.durable);
    }
}

#[test]
fn what_a_killed_process_said_was_durable_is_there() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join(SIGN), "").unwrap();
    let mut said = 0;
    for kill in 0..KILLS {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::a_process_that_writes_until_it_is_killed", "--nocapture"])
            .current_dir(place.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut left = 20 + kill * 15;
        for line in lines {
            let Some(number) = line.unwrap().strip_prefix("durable ").map(str::to_owned) else {
                continue;
            };
            said = said.max(number.parse().unwrap_or(0));
            left = left.saturating_sub(1);
            // After the kill, what it had said already is still read.
            if left == 1 {
                process.kill().unwrap();
            }
        }
        process.wait().unwrap();
        let mut opened =
            open(Directory::open(place.path().join(JOURNAL)).unwrap(), options()).unwrap();
        let last = opened.writer.last_number();
        assert!(last >= said, "kill {kill}: {last} is the last, and {said} was durable");
        let mut number = 0;
        while let Some(record) = opened.records.next().unwrap() {
            number += 1;
            assert_eq!((record.number, record.content), (number, &content(number)[..]));
        }
        assert_eq!(number, last);
    }
    assert!(said > 100, "{said} records were durable");
}
