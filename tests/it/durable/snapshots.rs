//! Snapshots: an engine that begins with one answers as one that never stopped.

use super::full::{checkout, settings};
use super::simulation::{Disk, Faults};
use proptest::prelude::*;
use trueup_journal::Storage as _;
use trueup_model::time::{SECOND_US, Timestamp};
use trueup_policy::Policy;
use trueup_runtime::error::RuntimeError;
use trueup_runtime::settings::Settings;
use trueup_tests::bench::{Bench, Content, content};
use trueup_tests::kept::Kept;
use trueup_tests::said::Telling;
use trueup_tests::script::Script;
use trueup_tests::world::{config, worlds};

/// Files so short that every few epochs begin one, and pieces so small that a snapshot has as many as epochs allow.
fn short(workers: usize, policy: &Policy) -> Settings {
    let (journal_segment_bytes, piece_facts_max) = (16 * 1024, 2);
    Settings { journal_segment_bytes, piece_facts_max, ..settings(workers, policy) }
}

/// The first difference, for a message.
fn difference(expected: &Content, found: &Content) -> String {
    let missing = expected.iter().find(|(row, count)| found.get(*row) != Some(*count));
    let wrong = found.iter().find(|(row, count)| expected.get(*row) != Some(*count));
    format!("expected {missing:?}\nfound {wrong:?}")
}

pub(super) fn check(expected: &Content, kept: &Kept, when: &str) {
    let found = content(&kept.engine.views());
    assert!(*expected == found, "{when}: {}", difference(expected, &found));
}

proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn after_a_restart_from_a_snapshot_every_view_is_what_it_would_have_been(
        world in worlds(4, 8),
        rhythm in (1_usize..4, 1_usize..4),
    ) {
        let script = Script::read(&world.script()).unwrap();
        let policy = world.policy();
        let mut bench = Bench::start(1, &policy);
        let mut disk = Disk::new(Faults::NONE);
        let (mut workers, mut generation) = (1, 1);
        let mut kept = Kept::start(short(workers, &policy), disk.clone(), generation).unwrap();
        // What was told before is told once more at the end, when a snapshot is all that knows it.
        let again = script.tellings.iter().map(|told| Telling { horizon: None, ..told.clone() });
        let tellings: Vec<Telling> = script.tellings.iter().cloned().chain(again).collect();
        for (index, telling) in tellings.iter().enumerate() {
            bench.tell(telling);
            kept.tell(telling);
            let expected = content(&bench.engine.views());
            check(&expected, &kept, &format!("telling {index}"));
            if index % rhythm.0 == 0 {
                kept.engine.snapshot().unwrap();
            }
            if index % rhythm.1 == 0 {
                drop(kept);
                (workers, generation) = (3 - workers, generation + 1);
                disk = disk.after_process_end();
                kept = Kept::start(short(workers, &policy), disk.clone(), generation).unwrap();
                check(&expected, &kept, &format!("restart {generation} with {workers} workers"));
            }
        }
    }
}

/// A policy that closes each day at its end, so that what was issued matters.
pub(super) fn daily() -> Policy {
    let text = "position_period = \"day\"\nfurther_periods = []\n[closing]\nafter_seconds = 0\n";
    Policy::from_toml(text).unwrap()
}

fn day(count: i64) -> Timestamp {
    Timestamp::RECORDED.plus_us(count * 24 * 3600 * SECOND_US)
}

/// Tellings of a few days; each later one also says what is late for the day before.
pub(super) fn days(count: i64) -> Vec<Telling> {
    let told = (0..count).map(|at| Telling {
        facts: vec![checkout(at * 24 + 3, 10), checkout(at * 24 - 20, 20)],
        horizon: Some(day(at + 1)),
    });
    told.collect()
}

/// A disk with an engine's journal and two snapshots, and what its views hold.
pub(super) fn two_snapshots() -> (Disk, Bench) {
    let policy = daily();
    let mut bench = Bench::start(1, &policy);
    let disk = Disk::new(Faults::NONE);
    let mut kept = Kept::start(short(1, &policy), disk.clone(), 1).unwrap();
    for telling in days(6) {
        bench.tell(&telling);
        kept.tell(&telling);
        if telling.horizon > Some(day(2)) {
            kept.engine.snapshot().unwrap();
        }
    }
    drop(kept);
    (disk, bench)
}

fn snapshots(disk: &Disk) -> Vec<String> {
    disk.file_names().into_iter().filter(|name| name.ends_with(".manifest")).collect()
}

/// What somebody has to look into is there until they have, however often the engine is started and goes on.
#[test]
fn what_is_evidence_stays_until_it_is_not_any_more() {
    let (mut disk, mut bench) = two_snapshots();
    let there = snapshots(&disk);
    let goes_on = |generation: u64, holds_evidence: bool, disk: Disk, bench: &mut Bench| {
        let settings = Settings { holds_evidence, ..short(1, &daily()) };
        let mut kept = Kept::start(settings, disk.clone(), generation).unwrap();
        for at in 0..4 {
            let hours = i64::try_from(generation).unwrap() * 240 + at * 24;
            let horizon = Some(day(hours / 24 + 1));
            let telling = Telling { facts: vec![checkout(hours + 3, 10)], horizon };
            bench.tell(&telling);
            kept.tell(&telling);
            kept.engine.snapshot().unwrap();
        }
        check(&content(&bench.engine.views()), &kept, &format!("generation {generation}"));
        drop(kept);
        disk.after_process_end()
    };
    for generation in 2..4 {
        disk = goes_on(generation, true, disk, &mut bench);
        let now = snapshots(&disk);
        assert!(there.iter().all(|name| now.contains(name)), "{there:?} {now:?}");
    }
    // All since then can be computed again from what was there.
    for name in snapshots(&disk).iter().filter(|name| !there.contains(name)) {
        disk.remove(name).unwrap();
    }
    let again = Kept::start(short(2, &daily()), disk.clone(), 4).unwrap();
    check(&content(&bench.engine.views()), &again, "from the evidence");
    drop(again);
    disk = goes_on(5, false, disk.after_process_end(), &mut bench);
    assert_eq!(snapshots(&disk).len(), 2, "{:?}", disk.file_names());
}

#[test]
fn two_snapshots_are_kept_and_the_journal_before_the_older_one_is_let_go_of() {
    let (disk, bench) = two_snapshots();
    assert!(content(&bench.engine.views()).iter().any(|((what, _), _)| *what == "issued"));
    assert_eq!(snapshots(&disk).len(), 2, "{:?}", disk.file_names());
    assert!(!disk.file_names().contains(&"segment-0000000001.journal".to_owned()));
    let kept = Kept::start(short(2, &daily()), disk, 2).unwrap();
    check(&content(&bench.engine.views()), &kept, "after a restart");
}

#[test]
fn a_damaged_snapshot_is_told_by_name_and_the_one_before_it_is_used() {
    let (disk, bench) = two_snapshots();
    let expected = content(&bench.engine.views());
    let [older, newest] = snapshots(&disk).try_into().unwrap();
    let part = newest.replace("manifest", "part-0003");
    for damaged in [newest.clone(), part] {
        let copy = disk.after_process_end();
        for bit in [3, 100, 150] {
            copy.flip(&damaged, bit);
        }
        let kept = Kept::start(short(1, &daily()), copy, 2).unwrap();
        check(&expected, &kept, &damaged);
    }
    let copy = disk.after_process_end();
    copy.flip(&older, 100);
    copy.flip(&newest, 100);
    let refused = Kept::start(short(1, &daily()), copy, 2).err().unwrap();
    assert!(matches!(refused, RuntimeError::Unreachable { .. }), "{refused}");
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert!(cause.contains(&newest), "{cause}");
}

#[test]
fn whenever_the_power_goes_during_a_snapshot_or_a_release_nothing_is_lost() {
    let policy = daily();
    let (disk, mut bench) = two_snapshots();
    let mut expected = vec![content(&bench.engine.views())];
    let moves: Vec<Timestamp> = (7..10).map(day).collect();
    for at in &moves {
        bench.tell(&Telling { facts: Vec::new(), horizon: Some(*at) });
        expected.push(content(&bench.engine.views()));
    }
    let (mut at, mut done) = (0, false);
    while !done {
        let copy = disk.after_process_end();
        let kept = Kept::start(short(1, &policy), copy.clone(), 2).unwrap();
        // So that there is something that no snapshot has.
        let mut acknowledged = 1;
        kept.engine.settle(Some(moves[0])).unwrap();
        copy.set_faults(Faults::power_loss(at));
        let taken = kept.engine.snapshot().is_ok();
        for later in &moves[1..] {
            if kept.engine.settle(Some(*later)).is_err() {
                break;
            }
            acknowledged += 1;
        }
        drop(kept);
        done = taken && !copy.has_failed();
        let found = Kept::start(short(2, &policy), copy.after_power_loss(at), 3);
        let found = found.unwrap_or_else(|error| panic!("power loss at {at}: {error}"));
        let views = content(&found.engine.views());
        let is = expected.iter().position(|one| *one == views);
        let is = is.unwrap_or_else(|| {
            panic!("power loss at {at}: {}", difference(&expected[acknowledged], &views))
        });
        assert!(is >= acknowledged, "power loss at {at}: {is} is less than {acknowledged}");
        at += 29;
    }
    assert!(at > 200, "the power went during {at} operations");
}
