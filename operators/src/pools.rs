//! Pools: what the log, the license file and the server itself say of one feature of one daemon.
//!
//! state(pool, t) = ( Σ_g units(g, t) by the log, Σ capacity(t) by the license file,
//!                    issued, checked out, reserved, queued by the server's report at t )
//!
//! at the instant of each report, and at the horizon. The three are claims of different sources; none
//! corrects another, and where they differ `reconcile` says so.
//!
//! Work per change: the reports within the changed interval.

use crate::entitle::LineInForce;
use crate::epochs::{Came, Updates, by_key, each_epoch, everywhere};
use crate::grouping::Grouping;
use crate::keyed::{Keyed as _, Rows as _};
use crate::timeline::{Levels, Timeline, clamped, demand, spread};
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::contract::{Basis, LineKind};
use trueup_model::derived::{PoolState, Session};
use trueup_model::hash::{IdMap, mix};
use trueup_model::id::{Id, ProductId, ServerId, TenantId, UserId};
use trueup_model::metric::{DuplicateMask, Duplicates};
use trueup_model::observation::{ObservedPool, ObservedSession, Reservation};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};

/// One feature of one daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Pool {
    tenant: TenantId,
    server: ServerId,
    feature: ProductId,
}

/// What a server reports of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Report {
    /// Its totals.
    Pool(ObservedPool<Id>),
    /// A holder, or someone in the queue.
    Session(ObservedSession<Id>),
    /// An idle reservation.
    Reservation(Reservation<Id>),
}

impl Report {
    fn pool(&self, tenant: TenantId) -> Pool {
        let (server, feature) = match self {
            Self::Pool(row) => (row.server, row.product),
            Self::Session(row) => (row.server, row.product),
            Self::Reservation(row) => (row.server, row.product),
        };
        Pool { tenant, server: server.into(), feature: feature.into() }
    }

    fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Pool(row) => Some(row.at),
            Self::Session(row) => Some(row.at),
            Self::Reservation(row) => row.at,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Use { pool: Pool, group: Option<u64>, span: Span, units: Quantity },
    Rule { pool: Pool, span: Span, duplicates: Duplicates },
    Line { pool: Pool, span: Span, capacity: Capacity },
    Report { pool: Pool, report: Report },
    Covered { server: ServerId, span: Span },
    Horizon(Timestamp),
}

impl Heard {
    fn pool(&self) -> Option<Pool> {
        match self {
            Self::Use { pool, .. }
            | Self::Rule { pool, .. }
            | Self::Line { pool, .. }
            | Self::Report { pool, .. } => Some(*pool),
            Self::Covered { .. } | Self::Horizon(_) => None,
        }
    }
}

/// Compares what sources say of each pool.
///
/// `covered` says from when to when the log of a daemon speaks.
pub fn pools<'s>(
    sessions: Facts<'s, Session>,
    duplicate_rules: Facts<'s, crate::attribute::DuplicateRule>,
    lines: Facts<'s, LineInForce>,
    reports: Facts<'s, (TenantId, Report)>,
    covered: Facts<'s, (ServerId, Span)>,
    horizon: Facts<'s, Timestamp>,
) -> Facts<'s, PoolState> {
    // What ended when it began was never out.
    let sessions = sessions.filter(|session| !session.span.is_empty());
    let rules = sessions
        .clone()
        .flat_map(|session| {
            let (server, feature) = (session.subject.server?, session.subject.feature);
            Some(((server, feature), session.subject.tenant))
        })
        .once()
        .joined(duplicate_rules.clone(), |(server, feature), tenant, (span, duplicates)| {
            let pool = Pool { tenant: *tenant, server: *server, feature: *feature };
            Heard::Rule { pool, span: *span, duplicates: *duplicates }
        });
    let uses = sessions
        .flat_map(|session| Some(((session.subject.server?, session.subject.feature), session)))
        .joined(duplicate_rules, |(server, feature), session, (span, duplicates)| {
            let group = match duplicates {
                Duplicates::Each => None,
                Duplicates::Grouped(mask) => Some(group(session, *mask)),
            };
            Heard::Use {
                pool: Pool { tenant: session.subject.tenant, server: *server, feature: *feature },
                group,
                span: session.span.intersect(*span),
                units: Quantity::units(i64::from(session.count)),
            }
        });
    let lines = lines.flat_map(|row| {
        let enforced = row.line.basis != Basis::Contract && row.line.kind == LineKind::Base;
        let server = row.line.server.filter(|_| enforced)?;
        let feature = row.line.product.into();
        let pool = Pool { tenant: row.tenant, server: server.into(), feature };
        Some(Heard::Line { pool, span: row.span, capacity: row.line.quantity })
    });
    let reports =
        reports.map(|(tenant, report)| Heard::Report { pool: report.pool(tenant), report });
    let rows = by_key(uses.concatenate([rules, lines, reports]), |heard| {
        heard.pool().map_or(0, |pool| mix(&[pool.server.0, pool.feature.0]))
    });
    let tables = covered
        .map(|(server, span)| Heard::Covered { server, span })
        .concat(horizon.map(Heard::Horizon));
    let mut state = State { horizon: Timestamp::MIN, ..State::default() };
    each_epoch(rows.concat(everywhere(tables)), "Pools", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

/// The duplicate group of a session as its server sees it.
fn group(session: &Session, mask: DuplicateMask) -> u64 {
    let part = |named: bool, part: Option<u64>| part.filter(|_| named).unwrap_or_default();
    mix(&[
        mask.code(),
        part(mask.user, session.subject.user.map(|user| user.0)),
        part(mask.host, session.subject.device.map(|device| device.0)),
        part(mask.display, session.display.map(|display| display.0)),
        part(mask.vendor, session.vendor_data.map(|data| data.0)),
    ])
}

/// One pool.
#[derive(Default)]
struct Entry {
    grouping: Grouping<()>,
    timeline: Timeline,
    rules: BTreeMap<(Span, Duplicates), Diff>,
    lines: Diff,
    /// Whether there were lines when the states were given.
    licensed: bool,
    uses: Diff,
    reports: BTreeMap<Timestamp, BTreeMap<Report, Diff>>,
    given: BTreeMap<Timestamp, PoolState>,
}

#[derive(Default)]
struct State {
    horizon: Timestamp,
    covered: BTreeMap<ServerId, BTreeMap<Span, Diff>>,
    pools: IdMap<Pool, Entry>,
}

/// The instants of a pool whose state must be looked at again.
#[derive(Default)]
struct Touched {
    levels: BTreeMap<Timestamp, Levels>,
    groups: BTreeMap<u64, Vec<(Span, Quantity, (), i64)>>,
    reports: BTreeSet<Timestamp>,
    all: bool,
}

impl State {
    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<PoolState>) {
        let mut touched: BTreeMap<Pool, Touched> = BTreeMap::new();
        let mut servers: BTreeSet<ServerId> = BTreeSet::new();
        let before = self.horizon;
        for (heard, diff) in updates {
            match heard {
                Heard::Horizon(at) if diff > 0 => self.horizon = self.horizon.max(at),
                Heard::Horizon(_) => {}
                Heard::Covered { server, span } => {
                    let spans = self.covered.entry(server).or_default();
                    *spans.entry(span).or_default() += diff;
                    spans.retain(|_, count| *count != 0);
                    servers.insert(server);
                }
                Heard::Use { pool, .. }
                | Heard::Rule { pool, .. }
                | Heard::Line { pool, .. }
                | Heard::Report { pool, .. } => {
                    let entry = self.pools.entry(pool).or_default();
                    entry.hear(&heard, diff, touched.entry(pool).or_default());
                }
            }
        }
        if before != self.horizon || !servers.is_empty() {
            for pool in self.pools.keys() {
                if before != self.horizon || servers.contains(&pool.server) {
                    touched.entry(*pool).or_default().all |= servers.contains(&pool.server);
                }
            }
        }
        for (pool, parts) in touched {
            let covered = self.covered.get(&pool.server);
            let Some(entry) = self.pools.get_mut(&pool) else { continue };
            entry.settle(pool, parts, covered, self.horizon, changes);
            let is_bare = entry.uses == 0 && entry.rules.is_empty();
            if is_bare && entry.lines == 0 && entry.reports.is_empty() {
                self.pools.remove(&pool);
            }
        }
    }
}

impl Entry {
    fn hear(&mut self, heard: &Heard, diff: Diff, touched: &mut Touched) {
        match *heard {
            Heard::Use { group, span, units, .. } => {
                if span.is_empty() {
                    return;
                }
                self.uses += diff;
                match group {
                    None => demand(&mut touched.levels, span, units, diff),
                    Some(group) => {
                        let change = (span, units, (), diff as i64);
                        touched.groups.entry(group).or_default().push(change);
                    }
                }
            }
            Heard::Rule { span, duplicates, .. } => {
                let count = self.rules.entry((span, duplicates)).or_default();
                *count += diff;
                self.rules.retain(|_, times| *times != 0);
                touched.all = true;
            }
            Heard::Line { span, capacity, .. } => {
                self.lines += diff;
                let count = diff as i64;
                let mut levels = Levels { lines: count, ..Levels::default() };
                match capacity {
                    Capacity::Limited(quantity) => {
                        levels.entitled = i128::from(quantity.0) * i128::from(count);
                    }
                    Capacity::Unlimited => levels.unlimited = count,
                    Capacity::Unknown => levels.unknown = count,
                }
                spread(&mut touched.levels, span, levels);
            }
            Heard::Report { report, .. } => {
                let Some(at) = report.at() else { return };
                let rows = self.reports.entry(at).or_default();
                let count = rows.entry(report).or_default();
                *count += diff;
                rows.retain(|_, times| *times != 0);
                if rows.is_empty() {
                    self.reports.remove(&at);
                }
                touched.reports.insert(at);
            }
            Heard::Covered { .. } | Heard::Horizon(_) => {}
        }
    }

    /// Gives what changed.
    fn settle(
        &mut self,
        pool: Pool,
        mut touched: Touched,
        covered: Option<&BTreeMap<Span, Diff>>,
        horizon: Timestamp,
        changes: &mut Updates<PoolState>,
    ) {
        for (group, rows) in std::mem::take(&mut touched.groups) {
            self.grouping.change(group, &rows, |charge, diff| {
                let times = isize::try_from(diff).unwrap_or(0);
                demand(&mut touched.levels, charge.span, charge.units, times);
            });
        }
        touched.levels.retain(|_, change| *change != Levels::default());
        let first = touched.levels.keys().next().copied();
        let last = touched.levels.keys().next_back().copied();
        self.timeline.apply(&touched.levels);
        // Whether there is a license file at all matters to every state.
        let licensed = self.lines != 0;
        touched.all |= std::mem::replace(&mut self.licensed, licensed) != licensed;
        let mut again: BTreeSet<Timestamp> = touched.reports;
        if let (Some(first), Some(last)) = (first, last) {
            again.extend(self.reports.range(first..=last).map(|(at, _)| *at));
        }
        if touched.all {
            again.extend(self.reports.keys());
        }
        // The newest state is a report's, or the horizon's.
        again.extend(self.given.iter().filter(|(_, state)| state.latest).map(|(at, _)| *at));
        let seen = self.reports.range(..=horizon).next_back().map(|(at, _)| *at);
        again.extend(seen);
        if horizon != Timestamp::MIN {
            again.insert(horizon);
        }
        for at in again {
            let now = self.state(pool, at, covered, horizon);
            let before = match now {
                Some(state) => self.given.insert(at, state),
                None => self.given.remove(&at),
            };
            if before != now {
                changes.extend(before.map(|old| (old, -1)));
                changes.extend(now.map(|new| (new, 1)));
            }
        }
    }

    /// The state at an instant that has a report, or at the horizon.
    fn state(
        &self,
        pool: Pool,
        at: Timestamp,
        covered: Option<&BTreeMap<Span, Diff>>,
        horizon: Timestamp,
    ) -> Option<PoolState> {
        let report = self.reports.get(&at);
        let rows = self.uses != 0 || self.lines != 0;
        if report.is_none() && !(at == horizon && rows) {
            return None;
        }
        let levels = self.timeline.at(at);
        let speaks = |spans: &BTreeMap<Span, Diff>| {
            spans.keys().any(|span| span.start <= at && at <= span.end)
        };
        let logged = covered.is_some_and(speaks);
        let newest = self.reports.range(..=horizon).next_back().map(|(last, _)| *last);
        let mut state = PoolState {
            tenant: pool.tenant,
            server: pool.server,
            feature: pool.feature,
            at,
            latest: at == horizon || newest == Some(at),
            logged: logged.then(|| clamped(levels.demand)),
            licensed: (self.lines != 0).then(|| levels.capacity()),
            issued: None,
            checked_out: None,
            reserved_idle: 0,
            queued: 0,
            lingering: 0,
            reported_in_use: None,
            users: 0,
            duplicates: self.duplicates_at(at),
        };
        if let Some(report) = report {
            add_report(&mut state, report);
        }
        Some(state)
    }
}

impl Entry {
    /// The rule of the pool at an instant; each checkout counts where there never was one.
    fn duplicates_at(&self, at: Timestamp) -> Duplicates {
        let own = self.rules.keys().find(|(span, _)| span.contains(at));
        own.map_or(Duplicates::Each, |(_, duplicates)| *duplicates)
    }
}

/// Adds up what a server's report says.
fn add_report(state: &mut PoolState, report: &BTreeMap<Report, Diff>) {
    let mut users: BTreeSet<UserId> = BTreeSet::new();
    let mut checked_out = 0_u32;
    for (row, times) in report {
        // Equal rows of one answer are so many holders.
        let times = u32::try_from(*times).unwrap_or(0);
        match row {
            Report::Pool(pool) => {
                state.issued = Some(pool.issued);
                state.reported_in_use = pool.reported_in_use;
            }
            Report::Session(session) => {
                let held = session.count.saturating_mul(times);
                if session.queued {
                    state.queued = state.queued.saturating_add(held);
                    continue;
                }
                checked_out = checked_out.saturating_add(held);
                if session.linger_seconds.is_some() {
                    state.lingering = state.lingering.saturating_add(held);
                }
                users.insert(session.user.into());
            }
            Report::Reservation(reservation) => {
                let idle = reservation.count.saturating_mul(times);
                state.reserved_idle = state.reserved_idle.saturating_add(idle);
            }
        }
    }
    // A pool whose holders the server does not list, or of which it could not speak, has no count of
    // holders, not a count of none.
    let spoken = matches!(state.issued, Some(Capacity::Limited(_)));
    state.checked_out = (spoken || checked_out > 0).then_some(checked_out);
    state.users = u32::try_from(users.len()).unwrap_or(u32::MAX);
}
