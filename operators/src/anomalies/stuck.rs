//! Checkouts that have been open for longer than is plausible.
//!
//! stuck(pool) = { session of pool : horizon ∈ session, horizon − its start > limit }
//!
//! A pool, which is a feature of a daemon, is one row with how many there are and since when the first
//! one is open.
//!
//! Work per change: the long checkouts of the pool, when one of them becomes stuck or ends as well.

use crate::epochs::{Came, Updates, by_key, each_epoch, everywhere};
use crate::reconcile::{counted, plain};
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::derived::Session;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::hash::{IdMap, mix};
use trueup_model::id::{NameKind, ProductId, ServerId, TenantId};
use trueup_model::time::{Span, Timestamp};

/// A feature of a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Pool {
    tenant: TenantId,
    server: ServerId,
    feature: ProductId,
}

/// A checkout that is stuck while the horizon lies in `stuck`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Long {
    stuck: Span,
    start: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Long(Pool, Long),
    Horizon(Timestamp),
}

/// Finds the pools with checkouts that are open for longer than `stuck_after_us`.
pub(super) fn stuck<'s>(
    sessions: Facts<'s, Session>,
    horizon: Facts<'s, Timestamp>,
    stuck_after_us: i64,
) -> Facts<'s, Discrepancy> {
    let long = sessions.flat_map(move |session| {
        let Session { subject, span, .. } = session;
        let start = span.start.plus_us(stuck_after_us.saturating_add(1));
        let stuck = Span::new(start, span.end);
        let (tenant, feature) = (subject.tenant, subject.feature);
        let pool = Pool { tenant, server: subject.server?, feature };
        (!stuck.is_empty()).then_some(Heard::Long(pool, Long { stuck, start: span.start }))
    });
    let long = by_key(long, |heard| match heard {
        Heard::Long(pool, _) => mix(&[pool.server.0, pool.feature.0]),
        Heard::Horizon(_) => 0,
    });
    let horizon = everywhere(horizon.map(Heard::Horizon));
    let mut state =
        State { horizon: Timestamp::MIN, pools: IdMap::default(), schedule: BTreeMap::new() };
    each_epoch(long.concat(horizon), "Anomalies: stuck", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

/// The long checkouts of a pool, and what was given for them.
#[derive(Default)]
struct Open {
    rows: BTreeMap<Long, Diff>,
    given: Option<Discrepancy>,
}

struct State {
    horizon: Timestamp,
    pools: IdMap<Pool, Open>,
    /// Pools to look at when the horizon reaches an instant.
    schedule: BTreeMap<Timestamp, BTreeSet<Pool>>,
}

impl State {
    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<Discrepancy>) {
        let mut dirty: BTreeSet<Pool> = BTreeSet::new();
        for (heard, diff) in updates {
            match heard {
                Heard::Long(pool, long) => {
                    let rows = &mut self.pools.entry(pool).or_default().rows;
                    let count = rows.entry(long).or_default();
                    *count += diff;
                    if *count == 0 {
                        rows.remove(&long);
                    }
                    for at in [long.stuck.start, long.stuck.end] {
                        self.schedule.entry(at).or_default().insert(pool);
                    }
                    dirty.insert(pool);
                }
                Heard::Horizon(at) if diff > 0 => self.horizon = self.horizon.max(at),
                Heard::Horizon(_) => {}
            }
        }
        let later = self.schedule.split_off(&self.horizon.plus_us(1));
        let due = std::mem::replace(&mut self.schedule, later);
        dirty.extend(due.into_values().flatten());
        for pool in dirty {
            let Some(open) = self.pools.get_mut(&pool) else { continue };
            let now = found(pool, &open.rows, self.horizon);
            if open.given != now {
                changes.extend(open.given.map(|old| (old, -1)));
                changes.extend(now.map(|new| (new, 1)));
                open.given = now;
            }
            if open.rows.is_empty() {
                self.pools.remove(&pool);
            }
        }
    }
}

fn found(pool: Pool, rows: &BTreeMap<Long, Diff>, horizon: Timestamp) -> Option<Discrepancy> {
    let stuck = || rows.iter().filter(|(long, _)| long.stuck.contains(horizon));
    let first_at = stuck().map(|(long, _)| long.start).min()?;
    Some(Discrepancy {
        product: Some(pool.feature),
        subject: Some((NameKind::Server, pool.server.into())),
        magnitude: counted(stuck().map(|(_, count)| *count).sum()),
        first_at,
        ..plain(DiscrepancyKind::SessionStuckOpen, pool.tenant)
    })
}
