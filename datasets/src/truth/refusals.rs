//! Refused attempts and waits.
//!
//! Lines of one person on one machine in one second are one attempt. An attempt is unmet if none of
//! its features is checked out by them within a minute.

use crate::population::{MachineIndex, PersonIndex};
use crate::sessions::{Checkout, History, Why};
use crate::wall::{later, seconds_between};
use crate::world::Site;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::time::Timestamp;
use trueup_model::usage::SessionKind;

/// For how long a refused attempt may still be met, in seconds.
pub const ATTEMPT_WINDOW_SECONDS: i64 = 60;

/// What refusals of one kind come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// Lines.
    pub raw_lines: u64,
    /// Attempts.
    pub attempts: u64,
    /// Attempts that were not met.
    pub unmet: u64,
    /// People with an unmet attempt.
    pub people_unmet: u64,
    /// Lines that name the queue as the reason.
    pub because_of_queue: u64,
}

/// Counts the refusals of one kind.
pub fn attempts(site: &Site, daemon: usize, kind: SessionKind) -> Attempts {
    let history = &site.histories[daemon];
    let mut lines: BTreeMap<(Timestamp, PersonIndex, MachineIndex), Vec<&str>> = BTreeMap::new();
    let mut found = Attempts::default();
    for refusal in history.refusals.iter().filter(|refusal| refusal.kind == kind) {
        let key = (refusal.at, refusal.holder.person, refusal.holder.machine);
        lines.entry(key).or_default().push(&refusal.feature);
        found.raw_lines += 1;
        found.because_of_queue += u64::from(refusal.why == Why::UsersQueued);
    }
    let mut opened: BTreeMap<(PersonIndex, MachineIndex), Vec<&Checkout>> = BTreeMap::new();
    for checkout in &history.checkouts {
        let holder = (checkout.holder.person, checkout.holder.machine);
        opened.entry(holder).or_default().push(checkout);
    }
    let mut people = BTreeSet::new();
    for ((at, person, machine), features) in &lines {
        found.attempts += 1;
        let until = later(*at, ATTEMPT_WINDOW_SECONDS);
        let own = opened.get(&(*person, *machine)).into_iter().flatten();
        let mut soon = own.filter(|checkout| *at <= checkout.opened && checkout.opened <= until);
        let met = soon.any(|checkout| {
            let name = &site.server.daemons[daemon].features[checkout.feature.0].name;
            features.contains(&name.as_str())
        });
        if !met {
            found.unmet += 1;
            people.insert(*person);
        }
    }
    found.people_unmet = people.len() as u64;
    found
}

/// What waits come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// How many.
    pub waits: u64,
    /// How many ended with a checkout.
    pub served: u64,
    /// Seconds of waiting, up to the horizon.
    pub wait_seconds: u64,
}

/// Counts waits.
pub fn waits(history: &History, horizon: Timestamp) -> Waits {
    let mut found = Waits::default();
    for wait in &history.waits {
        found.waits += 1;
        found.served += u64::from(wait.served);
        let until = wait.until.unwrap_or(horizon).min(horizon);
        found.wait_seconds += seconds_between(wait.from, until);
    }
    found
}
