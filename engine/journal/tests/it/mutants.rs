//! Faults that were planted into the journal, each of which the histories must find.
//!
//! Without this, histories that never go wrong might be histories that never look.

use crate::simulation::{Mode, Mutation, run};

/// Within how many histories of a mode a fault must be found.
const BUDGET: u64 = 1_000;

/// Finds a planted fault, and finds the same again.
fn check(mutation: Mutation, mode: Mode) {
    let found = (0..BUDGET).find_map(|seed| Some((seed, run(mode, seed, mutation).err()?)));
    let (seed, story) = found.unwrap_or_else(|| panic!("{mutation:?} was not found"));
    assert_eq!(run(mode, seed, mutation).unwrap_err(), story);
    run(mode, seed, Mutation::None).unwrap();
}

#[test]
fn files_that_are_never_synced_are_found() {
    check(Mutation::SyncSkipped, Mode::Power);
}

#[test]
fn groups_that_are_reported_before_they_are_synced_are_found() {
    check(Mutation::GroupSyncSkipped, Mode::Power);
}

#[test]
fn names_that_are_never_synced_are_found() {
    check(Mutation::DirectorySyncSkipped, Mode::Power);
}

#[test]
fn a_segment_that_is_named_before_its_header_is_durable_is_found() {
    check(Mutation::HeaderSyncSkipped, Mode::Power);
}

#[test]
fn a_failed_sync_that_is_tried_again_is_found() {
    check(Mutation::SyncRetried, Mode::Error);
}

#[test]
fn groups_that_share_a_handle_are_found() {
    check(Mutation::HandleShared, Mode::Error);
}

#[test]
fn groups_that_are_acknowledged_out_of_order_are_found() {
    check(Mutation::ReportedOutOfOrder, Mode::Power);
}

#[test]
fn a_write_that_ended_early_and_is_believed_is_found() {
    check(Mutation::ShortWriteIgnored, Mode::Short);
}

#[test]
fn a_tail_that_is_not_written_again_when_recovering_is_found() {
    check(Mutation::RewriteSkipped, Mode::Error);
}

#[test]
fn a_generation_that_does_not_grow_is_found() {
    check(Mutation::GenerationKept, Mode::Error);
}

#[test]
fn frames_that_do_not_vouch_for_earlier_ones_are_found() {
    check(Mutation::SealForgotten, Mode::Damage);
}
