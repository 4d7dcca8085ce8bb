//! An engine whose memory is nearly used up: input waits, questions are answered, nothing is lost.

use super::full::{checkout, settings, wait_until};
use super::simulation::{Disk, Faults};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use trueup_model::time::{SECOND_US, Timestamp};
use trueup_policy::Policy;
use trueup_runtime::engine::Engine;
use trueup_runtime::memory::{Gauge, Pressure};
use trueup_runtime::settings::Settings;
use trueup_tests::bench::{Bench, content};
use trueup_tests::kept::Kept;
use trueup_tests::said::Telling;

/// A chapter of ten checkouts.
fn telling(chapter: i64) -> Telling {
    Telling {
        facts: (0..10).map(|at| checkout(chapter * 10 + at, 20)).collect(),
        horizon: Some(Timestamp::RECORDED.plus_us((chapter + 1) * 10 * 3600 * SECOND_US)),
    }
}

fn stands(engine: &Engine) -> (Pressure, bool) {
    let memory = engine.health().memory();
    (memory.pressure, memory.held_since.is_some())
}

#[test]
fn full_memory_holds_input_back_answers_questions_and_goes_on_below_the_mark() {
    let policy = Policy::default();
    let mut bench = Bench::start(1, &policy);
    let used = Arc::new(AtomicU64::new(100));
    let memory = Gauge::planted(1000, Arc::clone(&used));
    let disk = Disk::new(Faults::NONE);
    let settings = Settings { memory, ..settings(2, &policy) };
    let mut kept = Kept::start(settings.clone(), disk.clone(), 1).unwrap();
    let engine = Arc::clone(&kept.engine);
    let stand = |bytes: u64, pressure, held| {
        used.store(bytes, Ordering::SeqCst);
        wait_until(&engine, &format!("{bytes} bytes are {pressure:?}"), || {
            stands(&engine) == (pressure, held)
        });
    };
    let mut chapters = 0..;
    let mut tell = |kept: &mut Kept, bench: &mut Bench| {
        let told = telling(chapters.next().unwrap());
        bench.tell(&told);
        kept.tell(&told);
    };
    for (bytes, pressure) in [(799, Pressure::Low), (800, Pressure::High), (899, Pressure::High)] {
        stand(bytes, pressure, false);
        tell(&mut kept, &mut bench);
        assert!(content(&engine.views()) == content(&bench.engine.views()), "{bytes} bytes");
    }
    stand(900, Pressure::Full, true);
    let before = engine.views().sessions.len();
    std::thread::scope(|scope| {
        scope.spawn(|| tell(&mut kept, &mut bench));
        // Still too much, but for whom it was not full before.
        stand(850, Pressure::Full, true);
        // As long as it takes to look at memory a few times.
        for _ in 0..100 {
            engine.wait_for_up_to(u64::MAX, super::full::WAIT);
        }
        assert_eq!(engine.views().sessions.len(), before, "nothing more is taken");
        stand(849, Pressure::High, false);
    });
    assert_eq!(engine.views().sessions.len(), before + 10);
    assert!(content(&engine.views()) == content(&bench.engine.views()), "after it was full");
    drop(engine);
    drop(kept);
    let again = Kept::start(settings, disk.after_power_loss(3), 2).unwrap();
    assert!(content(&again.engine.views()) == content(&bench.engine.views()), "after a restart");
}

#[test]
fn an_engine_that_is_held_back_for_memory_ends_when_it_is_told_to() {
    let used = Arc::new(AtomicU64::new(950));
    let memory = Gauge::planted(1000, used);
    let settings = Settings { memory, ..settings(1, &Policy::default()) };
    let kept = Kept::start(settings, Disk::new(Faults::NONE), 1).unwrap();
    wait_until(&kept.engine, "memory is full", || stands(&kept.engine) == (Pressure::Full, true));
    drop(kept);
}
