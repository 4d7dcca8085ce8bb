//! Pools: what the log, the license file and the server say of one feature of one daemon.

use super::rights::quantity;
use super::sessions::Logs;
use super::uses::{Parts, duplicates};
use super::{Case, Line};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::contract::{Basis, LineKind};
use trueup_model::derived::{PoolState, Session};
use trueup_model::fact::{Body, FactId};
use trueup_model::id::{Id, ProductId, ServerId, TenantId};
use trueup_model::metric::Duplicates;
use trueup_model::quantity::{Capacity, ONE_UNIT, Quantity};
use trueup_model::time::Timestamp;
use trueup_operators::dedupe::Known;

/// One feature of one daemon.
type Pool = (TenantId, ServerId, ProductId);

/// What one row of a server's report says.
type Report<'k> = (Timestamp, &'k Body<Id>);

/// The pool that a row of a server's report is about, and the instant of the report.
fn report(row: &Known) -> Option<(Pool, Timestamp)> {
    let (server, product, at) = match &row.body {
        Body::ObservedPool(row) => (row.server, row.product, row.at),
        Body::ObservedSession(row) => (row.server, row.product, row.at),
        Body::Reservation(row) => (row.server, row.product, row.at?),
        _ => return None,
    };
    Some(((row.tenant, server.into(), product.into()), at))
}

/// Compares the claims of each pool, at the instants of reports and at the horizon.
pub(super) fn pools(
    case: &Case<'_>,
    known: &[Known],
    lines: &[Line],
    logs: &Logs,
) -> Vec<PoolState> {
    let mut reports: BTreeMap<Pool, Vec<Report<'_>>> = BTreeMap::new();
    for row in known {
        if let Some((pool, at)) = report(row) {
            reports.entry(pool).or_default().push((at, &row.body));
        }
    }
    let mut sessions: BTreeMap<Pool, Vec<&Session>> = BTreeMap::new();
    for session in logs.sessions.iter().filter(|session| !session.span.is_empty()) {
        let Some(server) = session.subject.server else { continue };
        let pool = (session.subject.tenant, server, session.subject.feature);
        sessions.entry(pool).or_default().push(session);
    }
    let mut licensed: BTreeMap<Pool, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        let enforced = line.line.basis != Basis::Contract && line.line.kind == LineKind::Base;
        let Some(server) = line.line.server.filter(|_| enforced) else { continue };
        let pool = (line.tenant, server.into(), line.line.product.into());
        licensed.entry(pool).or_default().push(line);
    }
    let mut found = Vec::new();
    let all: BTreeSet<Pool> =
        reports.keys().chain(sessions.keys()).chain(licensed.keys()).copied().collect();
    for pool in all {
        let reported = reports.get(&pool).map(Vec::as_slice).unwrap_or_default();
        let sessions = sessions.get(&pool).map(Vec::as_slice).unwrap_or_default();
        let licensed = licensed.get(&pool).map(Vec::as_slice).unwrap_or_default();
        let claims = Claims { case, pool, reported, sessions, licensed, lines, logs };
        found.extend(claims.states());
    }
    found
}

/// Everything that is said of one pool.
struct Claims<'c> {
    case: &'c Case<'c>,
    pool: Pool,
    reported: &'c [Report<'c>],
    sessions: &'c [&'c Session],
    licensed: &'c [&'c Line],
    lines: &'c [Line],
    logs: &'c Logs,
}

impl Claims<'_> {
    fn states(&self) -> Vec<PoolState> {
        let horizon = self.case.horizon;
        let mut instants: BTreeSet<Timestamp> = self.reported.iter().map(|(at, _)| *at).collect();
        let newest = instants.range(..=horizon).next_back().copied();
        let spoken_of = !self.sessions.is_empty() || !self.licensed.is_empty();
        if horizon != Timestamp::MIN && spoken_of {
            instants.insert(horizon);
        }
        let latest = |at: Timestamp| at == horizon || Some(at) == newest;
        instants.into_iter().map(|at| self.state(at, latest(at))).collect()
    }

    /// The rule at an instant; each checkout counts where there never was one.
    fn rule(&self, at: Timestamp) -> Duplicates {
        if self.sessions.is_empty() {
            return Duplicates::Each;
        }
        let (_, server, feature) = self.pool;
        duplicates(self.case, self.lines, server, feature, feature, at)
    }

    fn state(&self, at: Timestamp, latest: bool) -> PoolState {
        let (tenant, server, feature) = self.pool;
        let speaks = self.logs.covered.get(&server);
        let speaks = speaks.is_some_and(|(first, last)| *first <= at && at <= *last);
        let mut state = PoolState {
            tenant,
            server,
            feature,
            at,
            latest,
            logged: speaks.then(|| self.logged(at)),
            licensed: (!self.licensed.is_empty()).then(|| self.enforced(at)),
            issued: None,
            checked_out: None,
            reserved_idle: 0,
            queued: 0,
            lingering: 0,
            reported_in_use: None,
            users: 0,
            duplicates: self.rule(at),
        };
        let mut holders = 0;
        let mut users: BTreeSet<Id> = BTreeSet::new();
        for (_, body) in self.reported.iter().filter(|(reported_at, _)| *reported_at == at) {
            if let Body::ObservedPool(row) = body {
                state.issued = Some(row.issued);
                state.reported_in_use = row.reported_in_use;
            }
            if let Body::ObservedSession(row) = body {
                if row.queued {
                    state.queued += row.count;
                    continue;
                }
                holders += row.count;
                state.lingering += row.linger_seconds.map_or(0, |_| row.count);
                users.insert(row.user);
            }
            if let Body::Reservation(row) = body {
                state.reserved_idle += row.count;
            }
        }
        let answered = matches!(state.issued, Some(Capacity::Limited(_)));
        state.checked_out = (answered || holders > 0).then_some(holders);
        state.users = u32::try_from(users.len()).unwrap_or(u32::MAX);
        state
    }

    /// What the checkouts of the log cost at an instant, as the daemon sees its holders.
    fn logged(&self, at: Timestamp) -> Quantity {
        let mut groups: BTreeMap<(Option<FactId>, Parts), u32> = BTreeMap::new();
        for session in self.sessions.iter().filter(|session| session.span.contains(at)) {
            let group = match self.rule(at) {
                Duplicates::Each => (Some(session.opened_by), Parts::default()),
                Duplicates::Grouped(mask) => {
                    let parts = (
                        session.subject.user.filter(|_| mask.user),
                        session.subject.device.filter(|_| mask.host),
                        session.display.filter(|_| mask.display),
                        session.vendor_data.filter(|_| mask.vendor),
                    );
                    (None, parts)
                }
            };
            let most = groups.entry(group).or_default();
            *most = (*most).max(session.count);
        }
        quantity(groups.values().map(|units| i128::from(*units) * i128::from(ONE_UNIT)).sum())
    }

    /// What the license file grants at an instant.
    fn enforced(&self, at: Timestamp) -> Capacity {
        let mut sum = 0_i128;
        let mut unlimited = false;
        let mut unknown = false;
        for line in self.licensed.iter().filter(|line| line.span.contains(at)) {
            match line.line.quantity {
                Capacity::Limited(quantity) => sum += i128::from(quantity.0),
                Capacity::Unlimited => unlimited = true,
                Capacity::Unknown => unknown = true,
            }
        }
        match (unlimited, unknown) {
            (true, _) => Capacity::Unlimited,
            (false, true) => Capacity::Unknown,
            (false, false) => Capacity::Limited(quantity(sum.max(0))),
        }
    }
}
