//! What was published is computed again the same, by any number of workers and processes; or nothing is.

use super::full::settings;
use super::simulation::{Disk, Faults};
use super::snapshots::{daily, days};
use proptest::prelude::*;
use std::sync::Arc;
use trueup_journal::snapshot::{self, SnapshotWriter};
use trueup_journal::writer::NewRecord;
use trueup_journal::{Options, RecordKind, Records, open};
use trueup_policy::Policy;
use trueup_runtime::chain::Link;
use trueup_runtime::clock::SystemClock;
use trueup_runtime::engine::Engine;
use trueup_runtime::error::RuntimeError;
use trueup_runtime::recovery::Replayed;
use trueup_runtime::settings::Settings;
use trueup_tests::bench::Bench;
use trueup_tests::kept::Kept;
use trueup_tests::said::Telling;
use trueup_tests::script::Script;
use trueup_tests::world::{config, worlds};

/// The kinds of records, as `engine/runtime/FORMAT.md` has them.
const PUBLISHED: u8 = 6;
const PUBLISHED_IN_SNAPSHOT: u8 = 9;
/// Where the sums of a link begin: of the chain, of the views, of the totals.
const SUMS: [(usize, &str); 3] =
    [(40, "answers in an epoch before it"), (56, "answers"), (72, "totals")];

/// The links of the epochs of some tellings.
fn links(mut bench: Bench, tellings: &[Telling]) -> Vec<Link> {
    let told = tellings.iter().map(|telling| {
        bench.tell(telling);
        bench.engine.views().link
    });
    told.collect()
}

proptest! {
    #![proptest_config(config(3))]

    #[test]
    fn any_number_of_workers_and_processes_publishes_the_same_chain(world in worlds(4, 8)) {
        let script = Script::read(&world.script()).unwrap();
        let policy = world.policy();
        let expected = links(Bench::start(1, &policy), &script.tellings);
        prop_assert!(expected.iter().all(|link| link.totals.is_some()));
        for workers in [2, 4] {
            let found = links(Bench::start(workers, &policy), &script.tellings);
            prop_assert_eq!(&found, &expected, "{} workers", workers);
        }
        let found = links(Bench::start_over(2, 1, &policy), &script.tellings);
        prop_assert_eq!(&found, &expected, "two processes");
    }
}

fn short(workers: usize, policy: &Policy) -> Settings {
    Settings { journal_segment_bytes: 16 * 1024, ..settings(workers, policy) }
}

/// A disk with some days of facts and, if it is told to, snapshots; and the link of each day.
fn told(taken: &[usize]) -> (Disk, Vec<Link>) {
    let disk = Disk::new(Faults::NONE);
    let mut kept = Kept::start(short(1, &daily()), disk.clone(), 1).unwrap();
    let mut links = Vec::new();
    for (day, telling) in days(6).iter().enumerate() {
        kept.tell(telling);
        links.push(kept.engine.views().link);
        if taken.contains(&day) {
            kept.engine.snapshot().unwrap();
        }
    }
    drop(kept);
    (disk, links)
}

/// How many epochs were the same again, and how many were not.
fn compared(kept: &Kept) -> (u64, u64) {
    (kept.engine.health().same_epochs(), kept.engine.health().other_epochs())
}

#[test]
fn after_a_restart_with_other_workers_every_epoch_that_was_published_is_the_same() {
    for (taken, same_least) in [(&[][..], 6), (&[1, 3], 3)] {
        let (disk, links) = told(taken);
        let last = links.last().unwrap();
        for workers in [2, 4, 1] {
            let again = Kept::start(short(workers, &daily()), disk.clone(), 2).unwrap();
            let (same, other) = compared(&again);
            assert!(same >= same_least && other == 0, "{same} and {other} with {workers}");
            let now = again.engine.views().link;
            assert_eq!((now.lineage, now.views), (last.lineage, last.views));
            assert!(now.epoch > last.epoch && now.chain != last.chain);
        }
        // Each day's chain, also behind a snapshot.
        for link in links.iter().skip(taken.last().map_or(0, |day| day + 1)) {
            let wanted = Replayed { through: Some(link.epoch), ..Replayed::default() };
            let clock = Arc::new(SystemClock::default());
            let engine = Engine::replay(short(2, &daily()), clock, &disk, wanted).unwrap();
            assert_eq!(engine.views().link, *link);
        }
    }
}

/// The last link that a journal has, as it stands there.
fn last_link(disk: &Disk) -> Vec<u8> {
    let mut records = Records::open(disk.clone()).unwrap();
    let mut last = Vec::new();
    while let Some(record) = records.next().unwrap() {
        if record.kind == RecordKind::Data(PUBLISHED) {
            last = record.content.to_vec();
        }
    }
    last
}

/// Has a journal say of its last link what is not so.
fn plant(disk: &Disk, at: usize) -> u64 {
    let mut link = last_link(disk);
    link[at] ^= 1;
    let mut writer = open(disk.clone(), Options::new(7)).unwrap().writer;
    let epoch = writer.closed_epoch().unwrap() + 1;
    writer.append(NewRecord { kind: PUBLISHED, epoch, parts: &[&link] }).unwrap();
    writer.seal().unwrap();
    u64::from_le_bytes(link[..8].try_into().unwrap())
}

/// Why an engine does not begin with a disk.
fn refused(settings: Settings, disk: &Disk) -> RuntimeError {
    Kept::start(settings, disk.clone(), 2).err().unwrap()
}

#[test]
fn an_epoch_that_is_not_what_was_published_stops_the_engine_until_someone_accepts_it() {
    for (at, expected) in SUMS {
        let (disk, _) = told(&[]);
        let planted = plant(&disk, at);
        for workers in [1, 2] {
            let error = refused(short(workers, &daily()), &disk);
            let RuntimeError::PublishedDiffers(differs) = &error else { panic!("{error}") };
            assert_eq!((differs.epoch, differs.what), (planted, expected));
            assert!(!error.is_damage(), "what is kept is good");
        }
        let (clock, wanted) = (Arc::new(SystemClock::default()), Replayed::default());
        let looked = Engine::replay(short(1, &daily()), clock, &disk, wanted).err().unwrap();
        assert!(matches!(looked, RuntimeError::PublishedDiffers(_)), "{looked}");
        // Another build or policy may answer otherwise.
        let built = Settings { build: 5, ..short(1, &daily()) };
        let other = Kept::start(built, disk.clone(), 2).unwrap();
        assert_eq!(compared(&other).1, u64::from(expected != SUMS[0].1), "{expected}");
        drop(other);
        let accepting = Settings { accepts_differences: true, ..short(1, &daily()) };
        let accepted = Kept::start(accepting, disk.clone(), 3).unwrap();
        assert_eq!(compared(&accepted).1, 1, "{expected}");
        drop(accepted);
        let mut again = Kept::start(short(2, &daily()), disk.clone(), 4).unwrap();
        assert_eq!(compared(&again).1, 0, "{expected}, after it was accepted");
        again.tell(&days(7)[6]);
        again.tell(&days(8)[7]);
        drop(again);
        let later = Kept::start(short(1, &daily()), disk, 5).unwrap();
        assert!(compared(&later).0 > 0 && compared(&later).1 == 0, "{:?}", compared(&later));
    }
}

#[test]
fn a_snapshot_whose_views_are_not_what_was_published_stops_the_engine() {
    let (disk, _) = told(&[1, 3]);
    let number = *snapshot::list(&disk).unwrap().last().unwrap();
    let manifest = snapshot::open(&disk, number).unwrap();
    for (at, expected) in &SUMS[1..] {
        let copy = disk.after_process_end();
        let mut links = 0;
        let parts: Vec<Vec<(u8, Vec<u8>)>> = (0..manifest.parts.len())
            .map(|index| {
                let mut part = snapshot::part(&disk, &manifest, index).unwrap();
                let mut records = Vec::new();
                while let Some((kind, content)) = part.next().unwrap() {
                    let mut content = content.to_vec();
                    if kind == PUBLISHED_IN_SNAPSHOT && index == 0 {
                        content[*at] ^= 1;
                        links += 1;
                    }
                    records.push((kind, content));
                }
                records
            })
            .collect();
        assert_eq!(links, 1);
        let mut writer = SnapshotWriter::begin(copy.clone(), number, manifest.through).unwrap();
        for records in parts {
            writer.begin_part().unwrap();
            for (kind, content) in records {
                writer.push(kind, &[&content]).unwrap();
            }
        }
        writer.finish().unwrap();
        let error = refused(short(2, &daily()), &copy);
        let RuntimeError::PublishedDiffers(differs) = &error else { panic!("{error}") };
        assert_eq!((differs.epoch, differs.what), (number, *expected));
    }
}

#[test]
fn other_rules_begin_a_chain_of_their_own() {
    let (disk, links) = told(&[1, 3]);
    let mut policy = daily();
    policy.name.push_str(" and another");
    let mut other = Kept::start(short(1, &policy), disk.clone(), 2).unwrap();
    assert_eq!(compared(&other).1, 0, "they answer the same");
    other.tell(&days(7)[6]);
    other.engine.snapshot().unwrap();
    let lineage = other.engine.views().link.lineage;
    assert_ne!(lineage, links[0].lineage);
    drop(other);
    // Their own epochs are compared, and those of before are none of theirs.
    let again = Kept::start(short(2, &policy), disk.clone(), 3).unwrap();
    assert!(compared(&again).0 > 0);
    assert_eq!(again.engine.views().link.lineage, lineage);
    drop(again);
    let back = Kept::start(short(1, &daily()), disk, 4).unwrap();
    let now = back.engine.views().link.lineage;
    assert!(now != lineage && now != links[0].lineage);
}
