//! Machines that stand by: when their use counts, and for how many days they may work (2.16).

use super::Case;
use super::discrepancies::plain;
use super::spans::{bounds, joined, pieces};
use super::uses::Use;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::fact::Body;
use trueup_model::hardware::MachineRole;
use trueup_model::id::{AccountId, DeviceId, NameKind, TenantId};
use trueup_model::org::MemberKind;
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::Known;

/// When use on each machine weighs nothing, and what is wrong with standbys.
#[derive(Default)]
pub(super) struct Standbys {
    exempt: BTreeMap<DeviceId, Vec<Span>>,
    pub(super) problems: Vec<Discrepancy>,
}

/// The role of a machine at an instant: the newest, and of several the one that works most.
fn role(roles: &[(Timestamp, MachineRole)], at: Timestamp) -> Option<MachineRole> {
    let newest = roles.iter().map(|(since, _)| *since).filter(|since| *since <= at).max()?;
    let mut said = roles.iter().filter(|(since, _)| *since == newest).map(|(_, role)| *role);
    let order =
        [MachineRole::Active, MachineRole::Failover, MachineRole::Test, MachineRole::Passive];
    let said: Vec<MachineRole> = said.by_ref().collect();
    order.into_iter().find(|role| said.contains(role))
}

/// Finds when standbys need no license.
pub(super) fn standbys(
    case: &Case<'_>,
    known: &[Known],
    reference: &[(Known, Span)],
    uses: &[Use],
) -> Standbys {
    let mut found = Standbys::default();
    let mut machines: BTreeMap<(TenantId, DeviceId), Vec<(Timestamp, MachineRole)>> =
        BTreeMap::new();
    for row in known {
        if let Body::Role(signal) = &row.body
            && signal.at <= case.horizon
        {
            let device = DeviceId::from(signal.device);
            machines.entry((row.tenant, device)).or_default().push((signal.at, signal.role));
        }
    }
    for ((tenant, device), roles) in machines {
        let order = |(at, _): &(Timestamp, MachineRole)| *at;
        let Some(first) = roles.iter().map(order).min() else { continue };
        let taken: BTreeSet<Timestamp> = roles.iter().map(order).collect();
        if taken.iter().all(|at| role(&roles, *at) == Some(MachineRole::Active)) {
            continue;
        }
        let mut members: Vec<(Span, AccountId)> = Vec::new();
        for (row, span) in reference {
            let Body::Membership(member) = &row.body else { continue };
            if member.kind == MemberKind::Device && DeviceId::from(member.member) == device {
                members
                    .extend(member.span.overlap(*span).map(|span| (span, member.account.into())));
            }
        }
        let account = members.iter().min().map(|(_, account)| *account);
        let problem = |kind, period, span: Span| Discrepancy {
            subject: Some((NameKind::Device, device.into())),
            period,
            first_at: span.start,
            last_at: span.end,
            ..plain(kind, tenant)
        };
        let mut counts: Vec<Span> = Vec::new();
        for (year, days) in worked(case, account.unwrap_or_default(), &roles, first) {
            if let Some(from) = days.iter().nth(usize::from(case.policy.standby_days)) {
                let span = Span::new(*from, year.span.end);
                counts.push(span);
                found.problems.push(problem(DiscrepancyKind::DrBudgetExceeded, year, span));
            }
        }
        let cuts = bounds(counts.iter().copied()).into_iter().chain([first]);
        let weightless = pieces(cuts).into_iter().map(|piece| {
            let at = piece.start;
            (piece, at >= first && !counts.iter().any(|span| span.contains(at)))
        });
        let weightless = joined(weightless).into_iter().filter(|(_, exempt)| *exempt);
        found.exempt.insert(device, weightless.map(|(span, _)| span).collect());
        let used = uses.iter().filter(|one| one.device == Some(device));
        if let Some(at) = used.map(|one| one.span.start).min()
            && at < first
            && at <= case.horizon
        {
            let gap = problem(DiscrepancyKind::DrEvidenceGap, Period::ALL, Span::new(at, first));
            found.problems.push(gap);
        }
    }
    found
}

/// The local days of each year on which a standby worked, up to the horizon.
fn worked(
    case: &Case<'_>,
    account: AccountId,
    roles: &[(Timestamp, MachineRole)],
    first: Timestamp,
) -> BTreeMap<Period, BTreeSet<Timestamp>> {
    let calendar = case.calendar(account);
    let works = |at| matches!(role(roles, at), Some(MachineRole::Active | MachineRole::Failover));
    let mut days: BTreeMap<Period, BTreeSet<Timestamp>> = BTreeMap::new();
    let mut at = first;
    while at <= case.horizon {
        let day = calendar.period(PeriodUnit::Day, at).span;
        // It works on a day if it does when the day begins, or takes such a role in its course.
        let taken = roles.iter().map(|(at, _)| *at);
        let mut instants = taken.filter(|at| day.contains(*at)).chain([day.start.max(first)]);
        if instants.any(works) {
            let year = calendar.period(PeriodUnit::Year, day.start);
            days.entry(year).or_default().insert(day.start);
        }
        at = day.end;
    }
    days
}

impl Standbys {
    /// The parts of uses that count.
    pub(super) fn counted(&self, uses: &[Use]) -> Vec<Use> {
        let mut found = Vec::new();
        for one in uses {
            let exempt = one.device.and_then(|device| self.exempt.get(&device));
            let exempt = exempt.map(Vec::as_slice).unwrap_or_default();
            let cuts = bounds(exempt.iter().copied().chain([one.span]));
            let parts = pieces(cuts).into_iter().map(|piece| {
                let weightless = exempt.iter().any(|span| span.contains(piece.start));
                (piece, one.span.contains(piece.start) && !weightless)
            });
            let parts = joined(parts).into_iter().filter(|(_, counts)| *counts);
            found.extend(parts.map(|(span, _)| Use { span, ..*one }));
        }
        found
    }
}
