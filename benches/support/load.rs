//! An engine under a workload: names under its identifiers, epochs that go in, and what that took.

#![expect(clippy::disallowed_types, reason = "a bench measures time")]

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};
use trueup_datasets::workload;
use trueup_model::fact::Fact;
use trueup_model::id::{Id, NameError, NameKind, TenantId};
use trueup_runtime::engine::Engine;
use trueup_runtime::error::RuntimeError;

/// The facts of an epoch.
pub type Facts = Vec<(TenantId, Fact<Id>)>;

/// The engine's identifiers of a workload's names.
pub struct Names<'e> {
    engine: &'e Engine,
    tenant: TenantId,
    known: BTreeMap<(NameKind, u32), Id>,
}

impl<'e> Names<'e> {
    /// No names yet.
    pub fn new(engine: &'e Engine) -> Self {
        let tenant = engine.intake().tenant(workload::TENANT);
        Self { engine, tenant, known: BTreeMap::new() }
    }

    /// A fact as a listener would submit it.
    ///
    /// # Panics
    /// If two names have one identifier.
    pub fn named(&mut self, fact: Fact<u32>) -> (TenantId, Fact<Id>) {
        let intake = self.engine.intake();
        let named = fact.try_map(&mut |kind, number| {
            if let Some(id) = self.known.get(&(kind, number)) {
                return Ok(*id);
            }
            let id = intake.define(kind, self.tenant, &workload::name(kind, number))?;
            self.known.insert((kind, number), id);
            Ok::<Id, NameError>(id)
        });
        (self.tenant, intake.checked(self.tenant, named.expect("names do not collide")))
    }

    /// Facts as a listener would submit them.
    pub fn all(&mut self, facts: Vec<Fact<u32>>) -> Facts {
        facts.into_iter().map(|fact| self.named(fact)).collect()
    }

    /// The numbers behind the identifiers of one kind.
    pub fn numbers(&self, kind: NameKind) -> BTreeMap<Id, u32> {
        let of_kind = self.known.iter().filter(|((one, _), _)| *one == kind);
        of_kind.map(|((_, number), id)| (*id, *number)).collect()
    }
}

/// Feeds epochs, a few at a time, and waits until all is published; gives how long each took, but for totals and for the
/// last few, if there are others.
///
/// # Errors
/// If the engine has stopped.
pub fn feed(
    engine: &Engine,
    epochs: Vec<Facts>,
    in_flight: usize,
) -> Result<Vec<Duration>, RuntimeError> {
    let published = engine.subscribe(usize::from(u16::MAX));
    let mut sent: VecDeque<Instant> = VecDeque::new();
    let mut took = Vec::new();
    for facts in epochs {
        while sent.len() >= in_flight {
            let one = published.recv().map_err(|_| RuntimeError::Stopped)?;
            if !one.totals {
                took.extend(sent.pop_front().map(|at| at.elapsed()));
            }
        }
        engine.submit(facts)?;
        sent.push_back(Instant::now());
    }
    engine.settle(None)?;
    // The last ones were waited for together with totals, for which no other epoch waits.
    if took.is_empty() {
        took.extend(sent.into_iter().map(|at| at.elapsed()));
    }
    Ok(took)
}

/// The time that this share of a thousand did not exceed; nothing if there is none.
pub fn quantile(sorted: &[Duration], per_mille: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * per_mille / 1000).copied().unwrap_or_default()
}

/// How long all threads of the process ran.
pub fn processor_time() -> Duration {
    let mut sum = 0;
    for thread in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let told = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        sum += told.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0);
    }
    Duration::from_nanos(sum)
}

/// The most memory that the process had, in MiB.
pub fn peak_mib() -> u64 {
    status_kib("VmHWM:") / 1024
}

/// The memory that the process has, in MiB.
pub fn resident_mib() -> u64 {
    status_kib("VmRSS:") / 1024
}

/// The same, in KiB.
pub fn resident_kib() -> u64 {
    status_kib("VmRSS:")
}

fn status_kib(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::quantile;
    use std::time::Duration;

    #[test]
    fn a_quantile_is_one_of_the_times() {
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        let at = |per_mille| quantile(&times, per_mille).as_millis();
        assert_eq!((at(0), at(500), at(990), at(1000)), (1, 50, 99, 100));
        assert_eq!(quantile(&[], 500), Duration::ZERO);
    }
}
