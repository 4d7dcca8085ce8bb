//! Facts that stop the engine, for tests that must have one: no such fact is known.

use crate::dataflow::EpochInput;
use std::sync::atomic::{AtomicU64, Ordering};
use trueup_model::fact::{Action, Body, Fact};
use trueup_operators::Epoch;
use trueup_operators::entered::Entered;

/// The count of a checkout that stops the engine when it enters.
const DEADLY: u32 = 66_666_666;
/// The count of one that stops it in a later epoch, in which the horizon moves and nothing else comes.
const LATE: u32 = 66_666_667;
/// The count of one that stops it when it comes out of a snapshot.
const RESTORED: u32 = 66_666_668;
/// The count of one that stops it when a snapshot is taken.
const KEPT: u32 = 66_666_669;

/// The epoch of the first that stops it later.
static LATE_SINCE: AtomicU64 = AtomicU64::new(Epoch::MAX);

/// Panics if what enters brings the engine down.
#[expect(clippy::panic, reason = "it is what this is for")]
pub(crate) fn drink(input: &EpochInput) {
    let facts = || input.facts.iter().chain(input.restored.iter().map(|(row, _)| row));
    let is_silent = facts().next().is_none() && input.horizon.is_some();
    if is_silent && input.epoch > LATE_SINCE.load(Ordering::Relaxed) {
        panic!("a checkout of {LATE} licenses, some time ago");
    }
    if facts().filter_map(entered).any(|count| count == DEADLY) {
        panic!("a checkout of {DEADLY} licenses");
    }
    if facts().filter_map(entered).any(|count| count == LATE) {
        LATE_SINCE.fetch_min(input.epoch, Ordering::Relaxed);
    }
    let restored = input.restored.iter().map(|(row, _)| row);
    if restored.filter_map(entered).any(|count| count == RESTORED) {
        panic!("a checkout of {RESTORED} licenses, out of a snapshot");
    }
}

/// Panics if a fact that is put into a snapshot brings the engine down.
#[expect(clippy::panic, reason = "it is what this is for")]
pub(crate) fn put<N>(fact: &Fact<N>) {
    if count(&fact.action) == Some(KEPT) {
        panic!("a checkout of {KEPT} licenses, into a snapshot");
    }
}

fn entered(fact: &Entered) -> Option<u32> {
    match fact {
        Entered::Other(other) => count(&other.1.action),
        Entered::Usage(_) => None,
    }
}

fn count<N>(action: &Action<N>) -> Option<u32> {
    if let Action::Assert(Body::Session(event)) = action { Some(event.count) } else { None }
}
