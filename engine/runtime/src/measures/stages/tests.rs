//! Epochs on their way, by a clock that the tests move.

use super::{Arrival, Depths, Stage, Stages};
use crate::clock::ManualClock;
use std::sync::Arc;
use trueup_model::time::Timestamp;

/// A clock at an instant, and stages of so many workers.
fn begin(us: i64, workers: usize) -> (Arc<ManualClock>, Stages) {
    let clock = Arc::new(ManualClock::at(Timestamp(us)));
    let stages = Stages::new(Arc::<ManualClock>::clone(&clock), workers);
    (clock, stages)
}

/// Of each stage that was measured: how many epochs, and how long they took together.
fn sums(stages: &Stages) -> Vec<(&'static str, u64, u64)> {
    let times = stages.times().into_iter().filter(|one| one.recent.count() > 0);
    times.map(|one| (one.stage.name(), one.recent.count(), one.recent.sum_us())).collect()
}

#[test]
fn each_stage_is_from_the_instant_before_it_to_its_own() {
    let (clock, stages) = begin(1_000, 2);
    let at = |us| clock.set(Timestamp(us));
    // Received at 100, taken at 300.
    stages.closed(5, Some(Arrival { received_us: 100, taken_us: 300 }));
    at(3_000);
    stages.durable(5);
    at(3_500);
    stages.entered(5);
    at(4_000);
    stages.entered(5);
    at(9_000);
    stages.found(5);
    at(11_000);
    stages.found(5);
    at(11_250);
    stages.published(5);
    let expected = [
        ("queue", 1, 200),
        ("gather", 1, 700),
        ("journal", 1, 2_000),
        ("enter", 1, 1_000),
        ("compute", 1, 7_000),
        ("publish", 1, 250),
        ("whole", 1, 11_150),
    ];
    assert_eq!(sums(&stages), expected);
    let parts: u64 = expected.iter().filter(|one| one.0 != "whole").map(|one| one.2).sum();
    assert_eq!(parts, 11_150, "the stages are the whole way");
}

#[test]
fn an_epoch_is_counted_where_it_is() {
    let (_, stages) = begin(0, 2);
    let depths = |to_disk, to_workers, at_workers, to_publisher| Depths {
        to_disk,
        to_workers,
        at_workers,
        to_publisher,
    };
    assert_eq!(stages.depths(), depths(0, 0, 0, 0));
    stages.closed(1, None);
    stages.closed(2, None);
    assert_eq!(stages.depths(), depths(2, 0, 0, 0));
    stages.durable(1);
    stages.entered(1);
    assert_eq!(stages.depths(), depths(1, 1, 0, 0), "one worker of two has it");
    stages.entered(1);
    stages.found(1);
    assert_eq!(stages.depths(), depths(1, 0, 1, 0), "one worker of two is done");
    stages.found(1);
    assert_eq!(stages.depths(), depths(1, 0, 0, 1));
    stages.published(1);
    assert_eq!(stages.depths(), depths(1, 0, 0, 0));
}

#[test]
fn an_epoch_without_facts_has_no_arrival_and_one_that_is_read_back_is_not_measured() {
    let (clock, stages) = begin(10, 1);
    stages.entered(1);
    stages.found(1);
    stages.published(1);
    assert_eq!(sums(&stages), []);
    stages.closed(2, None);
    stages.durable(2);
    stages.entered(2);
    stages.found(2);
    clock.set(Timestamp(40));
    stages.published(2);
    assert_eq!(
        sums(&stages),
        [("journal", 1, 0), ("enter", 1, 0), ("compute", 1, 0), ("publish", 1, 30)]
    );
}

#[test]
fn what_is_recent_passes_and_what_is_counted_stays() {
    let (clock, stages) = begin(0, 1);
    stages.closed(1, None);
    stages.published(1);
    clock.set(Timestamp(5 * 60_000_000));
    let journal = stages.times().remove(2);
    assert_eq!(journal.stage, Stage::Journal);
    assert_eq!((journal.recent.count(), journal.all.count()), (0, 1));
}
