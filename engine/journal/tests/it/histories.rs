//! Seeded histories of a journal, each compared with a plain list of what was promised.
//!
//! Whatever happens and whenever: the journal opens again; its records are those that were taken, in
//! order and unchanged; none that was durable is missing, and none that was sealed even after one
//! place was damaged, unless the damage is reported with file and byte. Every other journal is sealed, and
//! no nonce comes twice there.
//!
//! The long form, optimized and with all assertions, recovers more than 100,000 times:
//! `PROPTEST_CASES=7000 cargo test --profile simulation -p trueup-journal --test it -- histories`

use crate::simulation::{Mode, Mutation, Outcome, run, run_short};
use proptest::test_runner::Config;

/// Histories that once went wrong, to be run first.
const FOUND: [(Mode, u64); 0] = [];

/// Runs as many histories as `PROPTEST_CASES` says, 256 if it says nothing.
fn check(mode: Mode) -> Outcome {
    let found = FOUND.iter().filter(|(found, _)| *found == mode).map(|(_, seed)| *seed);
    let mut all = Outcome::default();
    for seed in found.chain(0..u64::from(Config::default().cases)) {
        match run(mode, seed, Mutation::None) {
            Ok(outcome) => all.add(outcome),
            Err(story) => {
                panic!("{mode:?}, seed {seed}: {story}\nadd (Mode::{mode:?}, {seed}) to FOUND")
            }
        }
    }
    // A promise is empty if nothing happened.
    assert!(all.recoveries > all.crashes / 3, "{all:?}");
    assert!(all.durable > 5 * all.crashes as u64, "{all:?}");
    assert!(all.sealed > 2 * all.crashes, "{all:?}");
    assert!(all.segments > 5 && all.reused > all.crashes / 20, "{all:?}");
    all
}

#[test]
fn a_loss_of_power_loses_nothing_that_was_durable() {
    println!("{:?}", check(Mode::Power));
}

#[test]
fn a_failing_device_loses_nothing_that_was_durable() {
    println!("{:?}", check(Mode::Error));
}

#[test]
fn a_write_that_ends_early_loses_nothing_that_was_durable() {
    println!("{:?}", check(Mode::Short));
}

#[test]
fn a_full_disk_loses_nothing_and_the_journal_goes_on_when_there_is_room() {
    let all = check(Mode::Full);
    println!("{all:?}");
    assert!(all.full > all.crashes / 3, "{all:?}");
}

#[test]
fn a_damaged_place_is_reported_or_was_not_sealed() {
    let all = check(Mode::Damage);
    println!("{all:?}");
    assert!(all.refused > all.crashes / 5, "{all:?}");
}

#[test]
fn a_seed_replays_exactly() {
    for mode in Mode::ALL {
        for seed in 0..10 {
            let first = run(mode, seed, Mutation::None).unwrap();
            assert_eq!(run(mode, seed, Mutation::None).unwrap(), first, "{mode:?}, seed {seed}");
            assert_ne!(run(mode, seed + 1, Mutation::None).unwrap().trace, first.trace);
        }
    }
}

/// Lets something go wrong at each operation of short histories; gives how many there were.
fn check_each_operation(mode: Mode, scripts: u64) -> usize {
    let mut runs = 0;
    for script in 0..scripts {
        for operation in 0.. {
            let mut is_reached = false;
            for survival in 0..4 {
                is_reached =
                    run_short(mode, script, &[operation], survival).unwrap_or_else(|story| {
                        panic!("{mode:?}, script {script}, {operation}, {survival}: {story}")
                    });
                runs += 1;
            }
            if !is_reached {
                break;
            }
        }
    }
    runs
}

#[test]
fn a_loss_of_power_at_every_operation_of_short_histories_loses_nothing() {
    let runs = check_each_operation(Mode::Power, 10);
    assert!(runs > 1_000, "{runs} runs");
}

#[test]
fn an_error_at_every_operation_of_short_histories_loses_nothing() {
    let runs = check_each_operation(Mode::Error, 10);
    assert!(runs > 1_000, "{runs} runs");
}

#[test]
fn a_short_write_from_every_operation_of_short_histories_on_loses_nothing() {
    let runs = check_each_operation(Mode::Short, 10);
    assert!(runs > 500, "{runs} runs");
}

#[test]
fn a_second_loss_of_power_at_every_operation_of_recovering_loses_nothing() {
    let mut runs = 0;
    for script in 0..2 {
        for loss in (0..).step_by(3) {
            let mut is_reached = false;
            for again in 0..25 {
                is_reached = run_short(Mode::Power, script, &[loss], again).unwrap();
                run_short(Mode::Power, script, &[loss, again], loss + again)
                    .unwrap_or_else(|story| panic!("{script}, {loss}, {again}: {story}"));
                runs += 1;
            }
            if !is_reached {
                break;
            }
        }
    }
    assert!(runs > 300, "{runs} runs");
}
