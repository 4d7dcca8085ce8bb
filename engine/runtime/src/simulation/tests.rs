use super::fault::Mode;
use super::flaw::Flaw;
use super::outcome::Outcome;
use super::run::{run, story};
use super::whole::{Whole, run_whole};
use proptest::test_runner::Config;

/// Runs that once went wrong, to be run first.
const FOUND: [(Mode, u64); 7] = [
    (Mode::Power, 89),
    (Mode::Kill, 89),
    (Mode::Kill, 124),
    (Mode::Damage, 328),
    (Mode::Damage, 631),
    (Mode::Damage, 892),
    (Mode::Damage, 1024),
];

/// Within how many runs of a mode a planted fault must be found.
const BUDGET: u64 = 200;

/// How many seeds are run: a share of what `PROPTEST_CASES` says, 256 if it says nothing.
fn runs(share: u64) -> u64 {
    u64::from(Config::default().cases).div_ceil(share)
}

/// Runs some seeds.
fn check(mode: Mode) -> Outcome {
    let found = FOUND.iter().filter(|(found, _)| *found == mode).map(|(_, seed)| *seed);
    let mut all = Outcome::default();
    for seed in found.chain(0..runs(8)) {
        match run(mode, seed, Flaw::None) {
            Ok(outcome) => all.add(outcome),
            Err(wrong) => {
                let events = story(mode, seed, Flaw::None);
                panic!(
                    "{mode:?}, seed {seed}: {wrong}\nadd (Mode::{mode:?}, {seed}) to FOUND\n{events}"
                )
            }
        }
    }
    println!("{all:?}");
    // A promise is empty if nothing happened.
    assert!(all.recoveries > all.crashes / 2, "{all:?}");
    assert!(all.facts > 10 * all.crashes as u64, "{all:?}");
    assert!(all.same > all.crashes && all.resent > all.crashes as u64 / 5, "{all:?}");
    assert!(all.snapshots > 0 && all.fenced > 0 && all.dictionaries > 0, "{all:?}");
    all
}

#[test]
fn a_loss_of_power_at_any_operation_takes_back_nothing() {
    check(Mode::Power);
}

#[test]
fn a_process_that_is_killed_at_any_step_takes_back_nothing() {
    check(Mode::Kill);
}

#[test]
fn a_failing_device_takes_back_nothing() {
    check(Mode::Error);
}

#[test]
fn a_write_that_ends_early_takes_back_nothing() {
    check(Mode::Short);
}

#[test]
fn a_full_disk_takes_back_nothing_and_the_engine_goes_on_when_there_is_room() {
    check(Mode::Full);
}

#[test]
fn a_damaged_place_is_reported_or_takes_back_nothing_that_was_sealed() {
    let all = check(Mode::Damage);
    assert!(all.refused > all.crashes / 20, "{all:?}");
}

#[test]
fn a_seed_replays_exactly() {
    for mode in Mode::ALL {
        for seed in 0..3 {
            let first = run(mode, seed, Flaw::None).unwrap();
            assert_eq!(run(mode, seed, Flaw::None).unwrap(), first, "{mode:?}, seed {seed}");
            assert_ne!(run(mode, seed + 1, Flaw::None).unwrap().trace, first.trace);
        }
    }
}

#[test]
fn the_whole_engine_answers_after_losses_of_power_what_it_answers_without() {
    let mut all = Whole::default();
    for seed in 0..runs(64) {
        let (disturbed, plain) = (run_whole(seed, true), run_whole(seed, false));
        let same = (disturbed.views, disturbed.totals, disturbed.sessions);
        assert_eq!(same, (plain.views, plain.totals, plain.sessions), "seed {seed}");
        all.restarts += disturbed.restarts;
        all.same += disturbed.same;
        all.sessions += disturbed.sessions;
    }
    println!("{all:?}");
    // Whether an epoch was published before the power went is for the threads to say; `check` sees to that.
    assert!(all.restarts > 0 && all.sessions > 0, "{all:?}");
}

/// Finds a planted fault, and finds the same again.
fn finds(flaw: Flaw, mode: Mode) {
    let found = (0..BUDGET).find_map(|seed| Some((seed, run(mode, seed, flaw).err()?)));
    let (seed, wrong) = found.unwrap_or_else(|| panic!("{flaw:?} was not found"));
    println!("{flaw:?}: {mode:?}, seed {seed}: {wrong}");
    assert_eq!(run(mode, seed, flaw).unwrap_err(), wrong);
    run(mode, seed, Flaw::None).unwrap();
}

#[test]
fn an_acknowledgement_before_the_sync_is_found() {
    finds(Flaw::AcknowledgedEarly, Mode::Power);
}

#[test]
fn a_seal_before_anything_vouches_is_found() {
    finds(Flaw::SealedEarly, Mode::Damage);
}

#[test]
fn a_welcome_before_the_fence_is_durable_is_found() {
    finds(Flaw::FenceUnsynced, Mode::Power);
}

#[test]
fn a_welcome_before_anything_vouches_for_the_fence_is_found() {
    finds(Flaw::FenceUnsealed, Mode::Damage);
}

#[test]
fn a_fence_that_is_not_looked_at_is_found() {
    finds(Flaw::FenceForgotten, Mode::Kill);
}

#[test]
fn batches_of_a_conversation_that_is_over_are_found() {
    finds(Flaw::SupersededTaken, Mode::Kill);
}

#[test]
fn a_connector_that_is_asked_for_a_batch_again_is_found() {
    finds(Flaw::ResumesEarly, Mode::Kill);
}

#[test]
fn a_connector_that_is_asked_for_too_little_is_found() {
    finds(Flaw::ResumesLate, Mode::Kill);
}

#[test]
fn a_position_before_the_last_is_found() {
    finds(Flaw::PositionStale, Mode::Kill);
}

#[test]
fn a_horizon_that_is_not_read_back_is_found() {
    finds(Flaw::HorizonForgotten, Mode::Kill);
}

#[test]
fn sequences_that_are_not_read_back_are_found() {
    finds(Flaw::SequenceForgotten, Mode::Kill);
}

#[test]
fn a_journal_that_is_let_go_of_before_the_snapshot_is_found() {
    finds(Flaw::ReleasedEarly, Mode::Kill);
}

#[test]
fn parts_of_a_snapshot_that_are_never_synced_are_found() {
    finds(Flaw::PartsUnsynced, Mode::Damage);
}

#[test]
fn a_manifest_that_has_its_name_before_it_is_synced_is_found() {
    finds(Flaw::ManifestUnsynced, Mode::Damage);
}

#[test]
fn names_that_are_never_synced_are_found() {
    finds(Flaw::NamesUnsynced, Mode::Power);
}

#[test]
fn files_that_are_never_synced_are_found() {
    finds(Flaw::FilesUnsynced, Mode::Power);
}
