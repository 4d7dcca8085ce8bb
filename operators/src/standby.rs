//! Standbys: machines that need no license while they wait, and for some days a year not while they
//! work.
//!
//! standby    = a machine that ever has a role other than active
//! worked(y)  = { local day d of the year y : its role is active or failover at any time of d }
//! exceeded(y) = the start of the day of worked(y) that is one more than the policy's `standby_days`
//! exempt     = from its first role on, except from exceeded(y) to the end of y, for each year y
//!
//! Days and years are those of the account that the machine belongs to first. A test is no failover
//! and uses up no days. Before its first role nothing is known of a standby: its use counts, and is a
//! gap in the evidence. Of several roles at one instant, the one that works most counts.
//!
//! Work per change: the roles of the machine; when the horizon moves, the standbys that work.

use crate::attribute::Use;
use crate::dedupe::Known;
use crate::epochs::{Came, Updates, by_key, each_epoch, everywhere};
use crate::keyed::{Keyed as _, Rows as _};
use crate::reconcile::plain;
use crate::segments::outside;
use crate::zones::{AccountZone, Calendars};
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use timely::dataflow::operators::vec::Map as _;
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::fact::Body;
use trueup_model::hardware::MachineRole;
use trueup_model::id::{AccountId, DeviceId, NameKind, TenantId};
use trueup_model::org::MemberKind;
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

/// A role that a machine takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Signal {
    /// Whose it is.
    pub tenant: TenantId,
    /// The machine.
    pub device: DeviceId,
    /// When.
    pub at: Timestamp,
    /// The role.
    pub role: MachineRole,
}

/// What standbys are exempt from, and what is wrong with them.
pub struct Standbys<'s> {
    /// When use on a machine weighs nothing.
    pub exempt: Facts<'s, (DeviceId, Span)>,
    /// Budgets that are exceeded and roles that are not known.
    pub problems: Facts<'s, Discrepancy>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Signal(Signal),
    /// A machine belongs to an account.
    Member(DeviceId, AccountId, Span),
    /// Something is used on a machine from then on.
    Used(DeviceId, Timestamp),
    Zone(AccountZone),
    Horizon(Timestamp),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Exempt(DeviceId, Span),
    Problem(Discrepancy),
}

/// The roles that machines take.
pub fn signals(known: Facts<'_, Known>) -> Facts<'_, Signal> {
    known.flat_map(|known| {
        let Body::Role(row) = known.body else { return None };
        let device = row.device.into();
        Some(Signal { tenant: known.tenant, device, at: row.at, role: row.role })
    })
}

/// Which accounts machines belong to.
pub fn members(in_force: Facts<'_, (Known, Span)>) -> Facts<'_, (DeviceId, AccountId, Span)> {
    in_force.flat_map(|(known, span)| {
        let Body::Membership(row) = known.body else { return None };
        let span = row.span.overlap(span).filter(|_| row.kind == MemberKind::Device)?;
        Some((row.member.into(), row.account.into(), span))
    })
}

/// Finds when standbys need no license.
pub fn standbys<'s>(
    signals: Facts<'s, Signal>,
    members: Facts<'s, (DeviceId, AccountId, Span)>,
    told: Facts<'s, (DeviceId, Use)>,
    zones: Facts<'s, AccountZone>,
    horizon: Facts<'s, Timestamp>,
    policy: &Policy,
) -> Standbys<'s> {
    let known = signals.clone().map(|signal| signal.device).once();
    let members = members
        .map(|(device, account, span)| (device, (account, span)))
        .kept_by(known)
        .map(|(device, (account, span))| Heard::Member(device, account, span));
    let used = told.map(|(device, one)| Heard::Used(device, one.span.start));
    let rows = signals.map(Heard::Signal).concatenate([members, used]);
    let rows = by_key(rows, |heard| match heard {
        Heard::Signal(signal) => signal.device.0,
        Heard::Member(device, ..) | Heard::Used(device, _) => device.0,
        Heard::Zone(_) | Heard::Horizon(_) => 0,
    });
    let tables = everywhere(zones.map(Heard::Zone).concat(horizon.map(Heard::Horizon)));
    let mut state = State {
        calendars: Calendars::new(policy.zone.clone()),
        horizon: Timestamp::MIN,
        days: policy.standby_days,
        machines: BTreeMap::new(),
    };
    let found = each_epoch(rows.concat(tables), "Standbys", move |updates, changes| {
        state.step(updates, changes);
    });
    let exempt = found.clone().flat_map(|(found, epoch, diff)| match found {
        Found::Exempt(device, span) => Some(((device, span), epoch, diff)),
        Found::Problem(_) => None,
    });
    let problems = found.flat_map(|(found, epoch, diff)| match found {
        Found::Problem(problem) => Some((problem, epoch, diff)),
        Found::Exempt(..) => None,
    });
    Standbys { exempt: exempt.as_collection(), problems: problems.as_collection() }
}

/// The uses on machines whose role is told.
pub fn told<'s>(uses: Facts<'s, Use>, signals: Facts<'s, Signal>) -> Facts<'s, (DeviceId, Use)> {
    uses.flat_map(|one| Some((one.device?, one)))
        .kept_by(signals.map(|signal| signal.device).once())
}

/// The uses with only those parts of the told ones that are not exempt.
pub fn counted<'s>(
    uses: Facts<'s, Use>,
    told: Facts<'s, (DeviceId, Use)>,
    exempt: Facts<'s, (DeviceId, Span)>,
) -> Facts<'s, Use> {
    let parts = told
        .clone()
        .map(|(device, one)| (device, (None, Some(one))))
        .concat(exempt.map(|(device, span)| (device, (Some(span), None))))
        .grouped("Standbys: counted", |_device, rows, counted| {
            let free: Vec<Span> = rows.iter().filter_map(|((span, _), _)| *span).collect();
            let mut left: BTreeMap<Use, Diff> = BTreeMap::new();
            for ((_, one), count) in rows {
                let Some(one) = one else { continue };
                for span in outside(one.span, free.iter().copied()) {
                    *left.entry(Use { span, ..*one }).or_default() += count;
                }
            }
            counted.extend(left);
        })
        .map(|(_, one)| one);
    uses.concatenate([told.map(|(_, one)| one).negate(), parts])
}

#[derive(Default)]
struct Machine {
    tenant: TenantId,
    signals: BTreeMap<(Timestamp, MachineRole), Diff>,
    members: BTreeMap<(Span, AccountId), Diff>,
    uses: BTreeMap<Timestamp, Diff>,
    found: BTreeSet<Found>,
}

struct State {
    calendars: Calendars,
    horizon: Timestamp,
    /// On how many days of a year a standby may work.
    days: u16,
    machines: BTreeMap<DeviceId, Machine>,
}

impl State {
    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<Found>) {
        let mut again: BTreeSet<DeviceId> = BTreeSet::new();
        let before = self.horizon;
        let mut rezoned = false;
        for (heard, diff) in updates {
            match heard {
                Heard::Signal(signal) => {
                    let machine = self.machines.entry(signal.device).or_default();
                    machine.tenant = signal.tenant;
                    count(&mut machine.signals, (signal.at, signal.role), diff);
                    again.insert(signal.device);
                }
                Heard::Member(device, account, span) => {
                    let machine = self.machines.entry(device).or_default();
                    count(&mut machine.members, (span, account), diff);
                    again.insert(device);
                }
                Heard::Used(device, at) => {
                    let machine = self.machines.entry(device).or_default();
                    count(&mut machine.uses, at, diff);
                    again.insert(device);
                }
                Heard::Zone(zone) => rezoned |= self.calendars.hear(zone, diff),
                Heard::Horizon(at) if diff > 0 => self.horizon = self.horizon.max(at),
                Heard::Horizon(_) => {}
            }
        }
        let moved = before != self.horizon;
        let concerned = |machine: &Machine| rezoned || (moved && machine.may_turn(before));
        let turning = self.machines.iter().filter(|(_, machine)| concerned(machine));
        again.extend(turning.map(|(device, _)| *device));
        for device in again {
            self.settle(device, changes);
        }
    }

    fn settle(&mut self, device: DeviceId, changes: &mut Updates<Found>) {
        let Some(machine) = self.machines.get(&device) else { return };
        let now = self.evaluate(device, machine);
        changes.extend(machine.found.difference(&now).map(|row| (*row, -1)));
        changes.extend(now.difference(&machine.found).map(|row| (*row, 1)));
        let idle = machine.signals.is_empty() && machine.members.is_empty();
        if idle && machine.uses.is_empty() && now.is_empty() {
            self.machines.remove(&device);
        } else if let Some(settled) = self.machines.get_mut(&device) {
            settled.found = now;
        }
    }

    fn evaluate(&self, device: DeviceId, machine: &Machine) -> BTreeSet<Found> {
        let mut found = BTreeSet::new();
        let roles = machine.roles(self.horizon);
        let Some((first, _)) = roles.first().copied() else { return found };
        if roles.iter().all(|(_, role)| *role == MachineRole::Active) {
            return found;
        }
        let problem = |kind, period: Period, span: Span| {
            Found::Problem(Discrepancy {
                subject: Some((NameKind::Device, device.into())),
                period,
                first_at: span.start,
                last_at: span.end,
                ..plain(kind, machine.tenant)
            })
        };
        let exceeded = self.exceeded(machine, &roles);
        for (year, from) in &exceeded {
            let counts = Span::new(*from, year.span.end);
            found.insert(problem(DiscrepancyKind::DrBudgetExceeded, *year, counts));
        }
        let counts = exceeded.into_iter().map(|(year, from)| Span::new(from, year.span.end));
        let exempt = outside(Span::from(first), counts);
        found.extend(exempt.into_iter().map(|span| Found::Exempt(device, span)));
        let used = machine.uses.keys().next().filter(|at| **at < first && **at <= self.horizon);
        found.extend(
            used.map(|at| {
                problem(DiscrepancyKind::DrEvidenceGap, Period::ALL, Span::new(*at, first))
            }),
        );
        found
    }

    /// From when on a standby has worked too often, for each year in which it has.
    ///
    /// Work: so many days as may be worked for each year.
    fn exceeded(
        &self,
        machine: &Machine,
        roles: &[(Timestamp, MachineRole)],
    ) -> BTreeMap<Period, Timestamp> {
        let account = machine.members.keys().next().map(|(_, account)| *account);
        let calendar = self.calendars.of(account.unwrap_or_default());
        let until = self.horizon.plus_us(1);
        let mut worked: BTreeMap<Period, BTreeSet<Timestamp>> = BTreeMap::new();
        let mut exceeded = BTreeMap::new();
        for (index, (from, role)) in roles.iter().enumerate() {
            if !works(*role) {
                continue;
            }
            let to = roles.get(index + 1).map_or(until, |(next, _)| *next);
            let mut at = *from;
            while at < to {
                let year = calendar.period(PeriodUnit::Year, at);
                if exceeded.contains_key(&year) {
                    at = year.span.end;
                    continue;
                }
                let day = calendar.period(PeriodUnit::Day, at).span;
                let days = worked.entry(year).or_default();
                days.insert(day.start);
                if days.len() > usize::from(self.days) {
                    exceeded.insert(year, day.start);
                }
                at = day.end;
            }
        }
        exceeded
    }
}

impl Machine {
    /// The roles up to the horizon, one for each instant at which one is taken.
    fn roles(&self, horizon: Timestamp) -> Vec<(Timestamp, MachineRole)> {
        let mut roles: Vec<(Timestamp, MachineRole)> = Vec::new();
        for (at, role) in self.signals.keys().filter(|(at, _)| *at <= horizon) {
            match roles.last_mut() {
                Some((last, other)) if last == at => {
                    if effort(*role) > effort(*other) {
                        *other = *role;
                    }
                }
                _ => roles.push((*at, *role)),
            }
        }
        roles
    }

    /// Whether a move of the horizon from there may change what is found.
    fn may_turn(&self, before: Timestamp) -> bool {
        let later = self.signals.keys().next_back().is_some_and(|(at, _)| *at > before)
            || self.uses.keys().next_back().is_some_and(|at| *at > before);
        later || self.roles(before).last().is_some_and(|(_, role)| works(*role))
    }
}

/// Whether a machine in this role does the work that it stands by for.
fn works(role: MachineRole) -> bool {
    match role {
        MachineRole::Active | MachineRole::Failover => true,
        MachineRole::Passive | MachineRole::Test => false,
    }
}

/// How much a machine works in a role, to tell which of two roles counts.
fn effort(role: MachineRole) -> u8 {
    match role {
        MachineRole::Passive => 0,
        MachineRole::Test => 1,
        MachineRole::Failover => 2,
        MachineRole::Active => 3,
    }
}

fn count<K: Ord>(rows: &mut BTreeMap<K, Diff>, key: K, diff: Diff) {
    use std::collections::btree_map::Entry;
    match rows.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(diff);
        }
        Entry::Occupied(mut entry) => {
            *entry.get_mut() += diff;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}
