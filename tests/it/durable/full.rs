//! Several epochs on their way to the disk at once; and a disk that is full for a while.

use super::gate::Gate;
use super::simulation::{Disk, Faults};
use std::sync::Arc;
use std::time::Duration;
use trueup_model::fact::Body;
use trueup_model::time::{SECOND_US, Timestamp};
use trueup_model::usage::{SessionEvent, SessionKind, SessionReason};
use trueup_policy::Policy;
use trueup_runtime::engine::Engine;
use trueup_runtime::settings::{Horizon, Settings};
use trueup_tests::bench::{Bench, content};
use trueup_tests::kept::Kept;
use trueup_tests::said::{Said, Telling};

pub(super) const WAIT: Duration = Duration::from_millis(5);
/// How often something is looked for before it is said not to come.
const LOOKS_MAX: usize = 2_000;

pub(super) fn settings(workers: usize, policy: &Policy) -> Settings {
    Settings {
        workers,
        policy: policy.clone(),
        horizon: Horizon::Fixed(Timestamp::MIN),
        epoch_us_max: 1_000,
        future_tolerance_us: 3600 * SECOND_US,
        journal_mark: 7,
        ..Settings::default()
    }
}

/// Waits until something is so.
pub(super) fn wait_until(engine: &Engine, what: &str, is: impl Fn() -> bool) {
    for _ in 0..LOOKS_MAX {
        if is() {
            return;
        }
        // No epoch of this number comes.
        engine.wait_for_up_to(u64::MAX, WAIT);
    }
    panic!("it never came to pass that {what}");
}

/// A checkout that is opened in an hour of its own.
pub(super) fn checkout(hour: i64, filling: usize) -> Said {
    let at = Timestamp::RECORDED.plus_us(hour * 3600 * SECOND_US);
    let event = SessionEvent {
        at,
        rank: 0,
        kind: SessionKind::Open,
        reason: SessionReason::None,
        server: "simd@lic1".to_owned(),
        product: "MESH".to_owned(),
        user: format!("u{hour}-{}", "x".repeat(filling)),
        device: format!("d{hour}"),
        display: None,
        vendor_data: None,
        project: None,
        version: None,
        handle: None,
        count: 1,
        until: None,
    };
    Said::new("t", "log", &format!("open {hour}"), at, Body::Session(event))
}

#[test]
fn several_epochs_are_on_their_way_at_once_and_none_is_told_before_it_is_durable() {
    let gate = Gate::new(Disk::new(Faults::NONE));
    let mut kept = Kept::start(settings(1, &Policy::default()), gate.clone(), 1).unwrap();
    let mut under_way = 0;
    // With what the welcome writes there are four groups at most, so nobody waits for the first.
    for hour in 0..2 {
        assert!(kept.give(&[checkout(hour, 0)]));
        let engine = Arc::clone(&kept.engine);
        let more = || engine.health().epochs_under_way() > under_way;
        wait_until(&engine, "one more is on its way", more);
        under_way = engine.health().epochs_under_way();
        assert_eq!(kept.acknowledged("t"), 0, "nothing is durable yet");
        assert_eq!(engine.views().sessions.len(), 0, "nor is it seen");
    }
    assert!(under_way > 1);
    gate.open();
    assert!(kept.send(&[]));
    assert_eq!(kept.acknowledged("t"), 2);
    let engine = &kept.engine;
    wait_until(engine, "all of it is seen", || engine.views().sessions.len() == 2);
}

#[test]
fn a_full_disk_holds_input_back_answers_questions_and_goes_on_with_nothing_lost() {
    let policy = Policy::default();
    let tellings: Vec<Telling> = (0..20)
        .map(|chapter| Telling {
            facts: (0..10).map(|at| checkout(chapter * 10 + at, 300)).collect(),
            horizon: Some(Timestamp::RECORDED.plus_us((chapter + 1) * 10 * 3600 * SECOND_US)),
        })
        .collect();
    let mut bench = Bench::start(1, &policy);
    for telling in &tellings {
        bench.tell(telling);
    }
    let expected = content(&bench.engine.views());
    for room in [64 * 1024, 100 * 1024] {
        let disk = Disk::new(Faults::full(room));
        let mut kept = Kept::start(settings(1, &policy), disk.clone(), 1).unwrap();
        let engine = Arc::clone(&kept.engine);
        std::thread::scope(|scope| {
            scope.spawn(|| tellings.iter().for_each(|telling| kept.tell(telling)));
            wait_until(&engine, "the disk is full", || engine.health().full().is_some());
            let full = engine.health().full().unwrap();
            assert!(full.file.starts_with("segment-"), "{full:?}");
            let seen = engine.views().sessions.len();
            assert!(seen < 200, "questions are answered, and {seen} are there");
            disk.set_room(usize::MAX);
        });
        assert_eq!(engine.health().full(), None);
        drop(engine);
        assert!(content(&kept.engine.views()) == expected, "{room} bytes");
        drop(kept);
        let again = Kept::start(settings(2, &policy), disk.after_power_loss(3), 2).unwrap();
        assert!(content(&again.engine.views()) == expected, "{room} bytes, after a restart");
    }
}
