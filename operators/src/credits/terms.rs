//! What a grant says, ready to be used: when it is active, when it turns, what a turn carries over.

use super::Granted;
use crate::timeline::clamped;
use trueup_model::calendar::{PeriodUnit, Zone};
use trueup_model::id::LineId;
use trueup_model::ledger::{CreditBalance, CreditState};
use trueup_model::recurrence::Recurrence;
use trueup_model::time::{Span, Timestamp};

/// A grant's terms.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) granted: Granted,
    /// From its beginning until it expires or is void.
    pub(super) valid: Span,
    /// When documents say so.
    in_force: Vec<Span>,
    /// How it comes anew; none for once.
    turns: Option<Recurrence>,
}

/// How a grant stands in a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Balance {
    /// The number of the turn.
    pub(super) turn: i64,
    /// What came over from the turn before.
    pub(super) carried: i128,
    /// What was used up.
    pub(super) used: i128,
    /// What was used beyond everything, to be taken from the next amount.
    pub(super) overdrawn: i128,
}

impl Balance {
    /// Whether anything was used in the turn.
    pub(super) fn is_used(&self) -> bool {
        self.used != 0 || self.overdrawn != 0
    }
}

impl Terms {
    pub(super) fn new(granted: Granted, in_force: Vec<Span>, zone: Zone) -> Self {
        let grant = granted.grant;
        let until = grant.voided_at.unwrap_or(Timestamp::MAX);
        let valid = Span::new(grant.span.start, grant.span.end.min(until));
        let every = grant.every.filter(|unit| *unit != PeriodUnit::All);
        let turns = every.map(|unit| Recurrence::new(zone, grant.span.start, unit));
        Self { granted, valid, in_force, turns }
    }

    /// Whether use at an instant may take from it.
    pub(super) fn is_active(&self, at: Timestamp) -> bool {
        self.valid.contains(at) && self.in_force.iter().any(|span| span.contains(at))
    }

    /// Whether what is overdrawn is taken from the next amount.
    pub(super) fn carries_overage(&self) -> bool {
        self.granted.grant.carry_overage && self.turns.is_some()
    }

    /// The order of use among grants of one account: priority, expiry, beginning, name.
    pub(super) fn order(&self) -> (i32, Timestamp, Timestamp, Granted) {
        let grant = &self.granted.grant;
        (grant.priority, grant.span.end, grant.span.start, self.granted)
    }

    fn amount(&self) -> i128 {
        i128::from(self.granted.grant.amount.0.max(0))
    }

    /// What is left of a turn.
    pub(super) fn left(&self, balance: &Balance) -> i128 {
        self.amount() + balance.carried - balance.used
    }

    /// The number of the turn at an instant.
    pub(super) fn turn(&self, at: Timestamp) -> i64 {
        self.turns.as_ref().map_or(0, |turns| turns.turn(at).0)
    }

    /// When a turn is.
    fn span(&self, turn: i64) -> Span {
        let all = self.turns.as_ref().map_or(Span::ALWAYS, |turns| turns.span(turn));
        all.intersect(self.valid)
    }

    /// How the grant stands before anything was used of it; what has no beginning begins with the turn
    /// of its first use.
    pub(super) fn beginning(&self, at: Timestamp) -> Balance {
        let begins = self.granted.grant.span.start.is_calendar();
        Balance { turn: if begins { 0 } else { self.turn(at) }, ..Balance::default() }
    }

    /// What is carried over of what is left, before overdrafts.
    fn kept(&self, left: i128) -> i128 {
        let grant = &self.granted.grant;
        let (least, most) = (grant.carry_min.0.max(0), grant.carry_max.0.max(0));
        left.max(0).max(i128::from(least)).min(i128::from(most))
    }

    /// The next turn.
    fn next(&self, balance: &Balance) -> Balance {
        let left = self.left(balance);
        let debt = if self.carries_overage() { balance.overdrawn - left.min(0) } else { 0 };
        Balance { turn: balance.turn + 1, carried: self.kept(left) - debt, ..Balance::default() }
    }

    /// Goes on to a later turn; `leave` is told of each turn in which something was used.
    ///
    /// Turns without use change the balance by the same amount each, until it is out of debt or at the
    /// most that is carried, so that many of them are passed at once.
    pub(super) fn advance(
        &self,
        balance: &mut Balance,
        turn: i64,
        mut leave: impl FnMut(&Balance),
    ) {
        let most = i128::from(self.granted.grant.carry_max.0.max(0));
        while balance.turn < turn {
            if balance.is_used() {
                leave(balance);
                *balance = self.next(balance);
                continue;
            }
            let next = self.next(balance);
            let change = next.carried - balance.carried;
            let rest = i128::from(turn - balance.turn);
            let left = self.left(balance);
            let alike = match change {
                0 => rest,
                _ if left < 0 => left / -change,
                _ if next.carried == left => (most - left) / change,
                _ => 1,
            };
            let steps = alike.clamp(1, rest);
            balance.carried += change * steps;
            balance.turn += i64::try_from(steps).unwrap_or(i64::MAX);
        }
    }

    /// A turn as a row, as of the horizon.
    pub(super) fn row(&self, balance: &Balance, horizon: Timestamp) -> CreditBalance {
        let grant = &self.granted.grant;
        let span = self.span(balance.turn);
        let left = self.left(balance);
        let state = if horizon < span.end {
            CreditState::Running
        } else if span.end < self.valid.end {
            CreditState::Turned
        } else if self.valid.end < grant.span.end {
            CreditState::Voided
        } else {
            CreditState::Expired
        };
        let lapsed = match state {
            CreditState::Running => 0,
            CreditState::Turned => (left - self.kept(left)).max(0),
            CreditState::Expired | CreditState::Voided => left.max(0),
        };
        CreditBalance {
            tenant: self.granted.tenant,
            account: self.granted.account,
            product: self.granted.product,
            grant: LineId::from(grant.grant),
            span,
            priority: grant.priority,
            granted: clamped(self.amount()),
            carried: clamped(balance.carried),
            used: clamped(balance.used),
            left: clamped(left),
            lapsed: clamped(lapsed),
            overdrawn: clamped(balance.overdrawn),
            state,
        }
    }

    /// The last instant up to the horizon at which the grant is valid; none before it begins.
    pub(super) fn last_instant(&self, horizon: Timestamp) -> Option<Timestamp> {
        if self.valid.is_empty() || horizon < self.valid.start || !horizon.is_calendar() {
            return None;
        }
        Some(horizon.min(self.valid.end.plus_us(-1)))
    }

    /// When the grant's row changes by itself after the horizon.
    pub(super) fn wake(&self, horizon: Timestamp) -> Option<Timestamp> {
        if self.valid.is_empty() || horizon >= self.valid.end {
            return None;
        }
        if horizon < self.valid.start || !horizon.is_calendar() {
            return Some(self.valid.start.max(Timestamp::EARLIEST));
        }
        let end = self.span(self.turn(horizon)).end;
        (end > horizon).then_some(end)
    }
}

#[cfg(test)]
mod tests;
