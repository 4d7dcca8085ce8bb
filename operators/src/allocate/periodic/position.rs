//! What a slot comes to: its position, the lines that serve it, and its step.

use super::component::{Component, Given, Slot};
use super::slots::{Entry, Terms};
use crate::allocate::figures::{Rights, fill_in_order};
use crate::allocate::grace::tail;
use crate::allocate::{Told, World};
use crate::entitle::Right;
use crate::timeline::clamped;
use crate::trials::is_provisional;
use trueup_model::calendar::Period;
use trueup_model::position::{LicensePosition, PositionKey, PositionState, Step};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::Timestamp;

impl Terms {
    /// What of an inflow is not covered.
    pub(super) fn uncovered(&self, inflow: i128) -> i128 {
        limit_of(self.entitled).map_or(0, |limit| (inflow - limit).max(0))
    }
}

impl Component {
    /// Gives what changed of a slot's position, lines and step.
    pub(super) fn give(&mut self, slot: Slot, world: &World, told: &mut Told) {
        let now = self.slots.get(&slot).and_then(|entry| {
            let terms = entry.terms.as_ref()?;
            let position = self.position(slot, world, entry, terms)?;
            let lines = fill_in_order(&position, &terms.rows, i128::MAX);
            Some(Given { position, lines, step: self.step_of(slot, &position) })
        });
        let given = &mut self.slots.entry(slot).given;
        tell(given.as_deref(), now.as_ref(), told);
        match (given.as_deref_mut(), now) {
            (Some(given), Some(now)) => *given = now,
            (None, Some(now)) => *given = Some(Box::new(now)),
            (_, None) => *given = None,
        }
    }

    /// A volume has no level; its step is the period's total at the period's start.
    fn step_of(&self, slot: Slot, position: &LicensePosition) -> Step {
        Step {
            tenant: self.key.tenant,
            account: slot.0,
            product: self.key.product,
            metric: self.key.metric,
            at: slot.1.span.start,
            demand: i128::from(position.demand.0),
            entitled: 0,
            overdraft: 0,
            unlimited: 0,
            unknown: 0,
        }
    }

    fn position(
        &self,
        (node, period): Slot,
        world: &World,
        entry: &Entry,
        terms: &Terms,
    ) -> Option<LicensePosition> {
        let horizon = world.horizon;
        if horizon == Timestamp::MIN || period.span.start > horizon {
            return None;
        }
        if period.unit != self.unit() || (self.rezoned && !world.is_period_of(node, period)) {
            return None;
        }
        let current = period.span.contains(horizon);
        let inflow = entry.inflow();
        let Terms { entitled, overdraft, past, unit_price, .. } = terms;
        let (entitled, overdraft) = (*entitled, *overdraft);
        let granted_now = current && entitled.is_some();
        if !entry.has_demand() && !granted_now {
            return None;
        }
        let limit = limit_of(entitled);
        let uncovered = terms.uncovered(inflow);
        let passed = entry.sent.is_some();
        let shortfall = if passed { 0 } else { uncovered };
        let graced = past.graced && entitled.is_none();
        let expired = if entitled.is_none() && past.ended && !graced { shortfall } else { 0 };
        let beyond = (shortfall - overdraft).max(0);
        let state = match (shortfall > 0, entitled) {
            (false, Some(Capacity::Unknown)) if inflow > 0 => PositionState::CapacityUnknown,
            (false, _) if passed => PositionState::PassedUp,
            (false, _) => PositionState::Covered,
            (true, _) => short_state(entitled, past, beyond),
        };
        let none = |holds: bool| if holds { period.span.start } else { Timestamp::MAX };
        let last = match (shortfall > 0, current) {
            (false, _) => Timestamp::MIN,
            (true, true) => Timestamp::MAX,
            (true, false) => period.span.end,
        };
        Some(LicensePosition {
            key: PositionKey {
                tenant: self.key.tenant,
                account: node,
                product: self.key.product,
                metric: self.key.metric,
                period,
            },
            current,
            basis: self.basis.filter(|_| self.pools.contains(&node)),
            entitled: entitled.unwrap_or(Capacity::Limited(Quantity::ZERO)),
            lent: Quantity::ZERO,
            overdraft: clamped(overdraft),
            demand: clamped(inflow),
            peak: clamped(inflow),
            peak_at: period.span.start,
            demand_unit_us: 0,
            shortfall: clamped(shortfall),
            shortfall_at: none(shortfall > 0),
            shortfall_first: none(shortfall > 0),
            shortfall_last: last,
            shortfall_now: if current { clamped(shortfall) } else { Quantity::ZERO },
            shortfall_unit_us: 0,
            beyond_overdraft: clamped(beyond),
            expired_shortfall: clamped(expired),
            expired_first: none(expired > 0),
            passed_up: if passed { clamped(uncovered) } else { Quantity::ZERO },
            surplus: clamped(limit.map_or(0, |limit| (limit - inflow).max(0))),
            unit_price: *unit_price,
            state,
        })
    }
}

/// Tells how what is given differs from what was.
fn tell(old: Option<&Given>, new: Option<&Given>, told: &mut Told) {
    let position = |given: &Given| given.position;
    if old.map(position) != new.map(position) {
        told.0.extend(old.map(|given| (given.position, -1)));
        told.0.extend(new.map(|given| (given.position, 1)));
    }
    let before = old.map_or(&[][..], |given| given.lines.as_slice());
    let after = new.map_or(&[][..], |given| given.lines.as_slice());
    if before != after {
        told.1.extend(before.iter().map(|line| (*line, -1)));
        told.1.extend(after.iter().map(|line| (*line, 1)));
    }
    let step = |given: &Given| given.step;
    if old.map(step) != new.map(step) {
        told.2.extend(old.map(|given| (given.step, -1)));
        told.2.extend(new.map(|given| (given.step, 1)));
    }
}

/// How much may be used at most, if anything limits it.
pub(super) fn limit_of(entitled: Option<Capacity>) -> Option<i128> {
    match entitled {
        Some(Capacity::Limited(limit)) => Some(i128::from(limit.0)),
        Some(Capacity::Unlimited | Capacity::Unknown) => None,
        None => Some(0),
    }
}

/// What has ended when a period begins.
pub(super) struct Past {
    ended: bool,
    /// Whether nothing but trials and the like has.
    only_trials: bool,
    /// Whether all that is known of the period lies within the grace of a line that has: a total has
    /// no duration, so there is no other grace for it.
    graced: bool,
}

impl Past {
    pub(super) fn of(own: &Rights<'_>, period: Period, at_end: Timestamp) -> Self {
        let start = period.span.start;
        let over: Vec<&Right> =
            own.iter().map(|(right, _)| *right).filter(|right| right.span.end <= start).collect();
        let tolerates = |right: &Right| tail(right).is_some_and(|tail| tail.contains(at_end));
        Self {
            ended: !over.is_empty(),
            only_trials: over.iter().all(|right| is_provisional(right)),
            graced: over.iter().any(|right| tolerates(right)),
        }
    }
}

/// The state of a position that is short.
fn short_state(entitled: Option<Capacity>, past: &Past, beyond_overdraft: i128) -> PositionState {
    match entitled {
        None if past.graced => PositionState::InGrace,
        None if past.ended && past.only_trials => PositionState::TrialEnded,
        None if past.ended => PositionState::Expired,
        None => PositionState::Unlicensed,
        Some(_) if beyond_overdraft == 0 => PositionState::WithinOverdraft,
        Some(_) => PositionState::Over,
    }
}

/// The last instant of a period up to the horizon.
pub(super) fn last_of(period: Period, world: &World) -> Timestamp {
    Timestamp(period.span.end.0.saturating_sub(1)).min(world.horizon)
}
