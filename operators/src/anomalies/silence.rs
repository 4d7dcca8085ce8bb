//! Silence: when the log of a daemon said nothing for longer than it should.
//!
//! gaps(d) = { [s, n) : s and n are signs of life of d, one after the other, n ≤ horizon, n − s > limit }
//!         ∪ { [s, open) : s is its last sign of life up to the horizon, horizon − s > limit }
//!
//! A sign of life is any line of its log. A daemon is one row, for as long as it has gaps: a gap goes
//! when the lines arrive that were missing, and the last one begins when the horizon passes its limit.
//!
//! Work per change: the signs next to it, and the gaps of the daemon; when the horizon moves, every
//! daemon. What is kept: the instants at which there were signs.

use crate::dedupe::Known;
use crate::epochs::{Came, Updates, by_key, each_epoch, everywhere};
use crate::reconcile::{counted, plain};
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use timely::dataflow::operators::Concat as _;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::fact::Body;
use trueup_model::hash::{IdMap, mix};
use trueup_model::id::{NameKind, ServerId, TenantId};
use trueup_model::time::Timestamp;

/// Whose log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Daemon {
    tenant: TenantId,
    server: ServerId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Sign(Daemon, Timestamp),
    Horizon(Timestamp),
}

/// Finds the daemons that were silent for longer than `silence_us`.
pub(super) fn silence<'s>(
    known: Facts<'s, Known>,
    horizon: Facts<'s, Timestamp>,
    silence_us: i64,
) -> Facts<'s, Discrepancy> {
    let signs = known.flat_map(|row| {
        let (server, at) = if let Body::Session(event) = row.body {
            (event.server, event.at)
        } else if let Body::Server(event) = row.body {
            (event.server, event.at)
        } else {
            return None;
        };
        Some(Heard::Sign(Daemon { tenant: row.tenant, server: server.into() }, at))
    });
    let signs = by_key(signs, |heard| match heard {
        Heard::Sign(daemon, _) => mix(&[daemon.server.0]),
        Heard::Horizon(_) => 0,
    });
    let horizon = everywhere(horizon.map(Heard::Horizon));
    let mut state = State { silence_us, horizon: Timestamp::MIN, logs: IdMap::default() };
    each_epoch(signs.concat(horizon), "Anomalies: silence", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

/// The signs of life of one daemon.
#[derive(Default)]
struct Log {
    signs: BTreeMap<Timestamp, Diff>,
    /// From the sign before each gap to the one after it, beyond the horizon too.
    gaps: BTreeMap<Timestamp, Timestamp>,
    given: Option<Discrepancy>,
}

struct State {
    silence_us: i64,
    horizon: Timestamp,
    logs: IdMap<Daemon, Log>,
}

impl State {
    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<Discrepancy>) {
        let mut dirty: BTreeSet<Daemon> = BTreeSet::new();
        let before = self.horizon;
        for (heard, diff) in updates {
            match heard {
                Heard::Sign(daemon, at) => {
                    self.logs.entry(daemon).or_default().hear(at, diff, self.silence_us);
                    dirty.insert(daemon);
                }
                Heard::Horizon(at) if diff > 0 => self.horizon = self.horizon.max(at),
                Heard::Horizon(_) => {}
            }
        }
        if self.horizon != before {
            dirty.extend(self.logs.keys());
        }
        for daemon in dirty {
            let Some(log) = self.logs.get_mut(&daemon) else { continue };
            let now = log.found(daemon, self.horizon, self.silence_us);
            if log.given != now {
                changes.extend(log.given.map(|old| (old, -1)));
                changes.extend(now.map(|new| (new, 1)));
                log.given = now;
            }
            if log.signs.is_empty() {
                self.logs.remove(&daemon);
            }
        }
    }
}

impl Log {
    fn hear(&mut self, at: Timestamp, diff: Diff, silence_us: i64) {
        let count = self.signs.entry(at).or_default();
        *count += diff;
        if *count == 0 {
            self.signs.remove(&at);
        }
        let before = self.signs.range(..at).next_back().map(|(before, _)| *before);
        for sign in before.into_iter().chain([at]) {
            let later = (Bound::Excluded(sign), Bound::Unbounded);
            let next = self.signs.range(later).next().map(|(after, _)| *after);
            let silent = |end: &Timestamp| end.since_us(sign) > i128::from(silence_us);
            match next.filter(silent).filter(|_| self.signs.contains_key(&sign)) {
                Some(next) => self.gaps.insert(sign, next),
                None => self.gaps.remove(&sign),
            };
        }
    }

    fn found(&self, daemon: Daemon, horizon: Timestamp, silence_us: i64) -> Option<Discrepancy> {
        let last = self.signs.range(..=horizon).next_back().map(|(last, _)| *last)?;
        let lasting = horizon.since_us(last) > i128::from(silence_us);
        let ended = self.gaps.iter().take_while(|(_, end)| **end <= horizon);
        let mut spans: Vec<(Timestamp, Timestamp)> = ended.map(|(from, to)| (*from, *to)).collect();
        spans.extend(lasting.then_some((last, Timestamp::MAX)));
        let (first, _) = spans.first()?;
        let (_, end) = spans.last()?;
        Some(Discrepancy {
            subject: Some((NameKind::Server, daemon.server.into())),
            magnitude: counted(isize::try_from(spans.len()).unwrap_or(isize::MAX)),
            first_at: *first,
            last_at: *end,
            ..plain(DiscrepancyKind::TelemetryGap, daemon.tenant)
        })
    }
}
