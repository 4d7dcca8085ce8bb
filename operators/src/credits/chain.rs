//! One product's events and grants, and what the events take of the grants, one after the other.
//!
//! The state after some events is kept as a mark now and then, so that a late event is sorted out from
//! the last mark before it. What each event took beyond the grants is kept beside it, so that the sums of
//! periods change by what changed.

use super::terms::{Balance, Terms};
use super::{Found, Granted, Key};
use crate::Diff;
use crate::context::Context;
use crate::epochs::Updates;
use crate::given::Given;
use crate::timeline::clamped;
use crate::volume::Reading;
use std::collections::BTreeMap;
use trueup_model::calendar::Period;
use trueup_model::fact::FactId;
use trueup_model::id::AccountId;
use trueup_model::ledger::{CreditBalance, Overage};
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};

/// How many events lie between two marks.
const EVENTS_PER_MARK: usize = 512;

/// The place of an event among all.
type Place = (Timestamp, FactId);

/// Before every event of an instant.
fn before(at: Timestamp) -> Place {
    (at, FactId(0))
}

/// An event, and what of it no grant covered.
#[derive(Clone, Copy, Debug)]
struct Taken {
    account: AccountId,
    quantity: Quantity,
    count: Diff,
    beyond: Option<(Period, i128)>,
}

/// Where everything stands after an event.
#[derive(Clone, Debug, Default)]
struct Standing {
    balances: BTreeMap<Granted, Balance>,
    /// What accounts used beyond grants; below zero, what they gave back beyond all use.
    beyond: BTreeMap<AccountId, i128>,
}

/// A product's ledger.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    grants: BTreeMap<Granted, BTreeMap<Span, Diff>>,
    events: BTreeMap<Place, Taken>,
    /// How many events each account has.
    accounts: BTreeMap<AccountId, Diff>,
    /// The grants ready to be used; none when they must be made anew.
    terms: Option<Vec<Terms>>,
    marks: BTreeMap<Place, Standing>,
    /// From which place on everything must be sorted out anew.
    changed_from: Option<Place>,
    sums: BTreeMap<(AccountId, Period), i128>,
    balances: Given<(Granted, i64), CreditBalance>,
    overages: Given<(AccountId, Period), Overage>,
}

impl Ledger {
    pub(super) fn is_empty(&self) -> bool {
        self.grants.is_empty() && self.events.is_empty()
    }

    fn change_from(&mut self, place: Place) {
        self.changed_from = Some(self.changed_from.map_or(place, |from| from.min(place)));
    }

    /// Takes an event in or out.
    pub(super) fn hear_event(&mut self, row: &Reading, diff: Diff) {
        let place = (row.at, row.fact);
        let events = self.accounts.entry(row.account).or_default();
        *events += diff;
        if *events == 0 {
            self.accounts.remove(&row.account);
        }
        let fresh = Taken { account: row.account, quantity: row.quantity, count: 0, beyond: None };
        let kept = self.events.entry(place).or_insert(fresh);
        let old = kept.beyond.take().map(|(period, beyond)| (kept.account, period, beyond));
        // Of two rows of one fact one goes and one comes, in any order.
        if diff > 0 {
            (kept.account, kept.quantity) = (row.account, row.quantity);
        }
        kept.count += diff;
        if kept.count == 0 {
            self.events.remove(&place);
        }
        if let Some((account, period, beyond)) = old {
            self.add((account, period), -beyond);
        }
        self.change_from(place);
    }

    /// Takes a grant in or out.
    pub(super) fn hear_grant(&mut self, row: Granted, span: Span, diff: Diff) {
        let spans = self.grants.entry(row).or_default();
        let count = spans.entry(span).or_default();
        *count += diff;
        if *count == 0 {
            spans.remove(&span);
        }
        if spans.is_empty() {
            self.grants.remove(&row);
            self.drop_rows(row, i64::MIN);
        }
        self.terms = None;
        self.change_from(before(row.grant.span.start));
    }

    /// Everything is sorted out anew, by the calendars of now.
    pub(super) fn forget_calendars(&mut self) {
        self.terms = None;
        self.change_from(before(Timestamp::MIN));
    }

    /// What accounts that were moved used is sorted out anew; false if there is none.
    pub(super) fn forget_places(&mut self, moved: &BTreeMap<AccountId, Timestamp>) -> bool {
        let own = self.accounts.keys();
        let from = own.filter_map(|account| moved.get(account)).min().copied();
        if let Some(at) = from {
            self.change_from(before(at));
        }
        from.is_some()
    }

    fn add(&mut self, key: (AccountId, Period), beyond: i128) {
        let sum = self.sums.entry(key).or_default();
        *sum += beyond;
        if *sum == 0 {
            self.sums.remove(&key);
        }
        // The row is made when all is known.
        self.overages.touch(key);
    }

    /// Takes away a grant's rows from a turn on.
    fn drop_rows(&mut self, row: Granted, turn: i64) {
        let range = (row, turn)..=(row, i64::MAX);
        let gone: Vec<(Granted, i64)> = self.balances.keys(range);
        for key in gone {
            self.balances.set(key, None);
        }
    }

    /// Uses the grants up as of now, and gives what changed; says when it changes by itself.
    pub(super) fn evaluate(
        &mut self,
        key: Key,
        context: &Context,
        changes: &mut Updates<Found>,
    ) -> Option<Timestamp> {
        if self.grants.is_empty() {
            self.rest(changes);
            return None;
        }
        let terms = self.terms.take().unwrap_or_else(|| self.ready(context));
        let standing = self.replay(&terms, context);
        for one in &terms {
            self.finish(one, &standing, context.horizon);
        }
        for key_of_sum in self.overages.touched() {
            let row = self.sums.get(&key_of_sum).map(|sum| Overage {
                tenant: key.0,
                account: key_of_sum.0,
                product: key.1,
                period: key_of_sum.1,
                quantity: clamped(*sum),
            });
            self.overages.set(key_of_sum, row);
        }
        self.balances.flush(changes, Found::Balance);
        self.overages.flush(changes, Found::Overage);
        let wake = terms.iter().filter_map(|one| one.wake(context.horizon)).min();
        self.terms = Some(terms);
        wake
    }

    /// Gives nothing while there is no grant; with the first one, everything is sorted out.
    fn rest(&mut self, changes: &mut Updates<Found>) {
        if !self.marks.is_empty() {
            self.marks.clear();
            self.sums.clear();
            self.events.values_mut().for_each(|taken| taken.beyond = None);
        }
        for key in self.overages.keys(..) {
            self.overages.set(key, None);
        }
        self.balances.flush(changes, Found::Balance);
        self.overages.flush(changes, Found::Overage);
        self.change_from(before(Timestamp::MIN));
    }

    /// The grants in the order of their names, ready to be used.
    fn ready(&self, context: &Context) -> Vec<Terms> {
        let ready = self.grants.iter().map(|(granted, spans)| {
            let zone = context.calendars.of(granted.account).zone.clone();
            Terms::new(*granted, spans.keys().copied().collect(), zone)
        });
        ready.collect()
    }

    /// Lets the events from the first change on take from the grants.
    fn replay(&mut self, terms: &[Terms], context: &Context) -> Standing {
        if let Some(from) = self.changed_from.take() {
            self.marks.split_off(&from);
        }
        let (mark, mut standing) = match self.marks.last_key_value() {
            Some((place, standing)) => (Some(*place), standing.clone()),
            None => (None, Standing::default()),
        };
        for one in terms {
            let turn = standing.balances.get(&one.granted).map_or(i64::MIN, |row| row.turn);
            self.drop_rows(one.granted, turn);
        }
        let after = mark.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let places: Vec<Place> = self
            .events
            .range((after, std::ops::Bound::Unbounded))
            .map(|(place, _)| *place)
            .collect();
        let mut since_mark = 0;
        let last = places.last().copied();
        for place in places {
            self.take(place, terms, context, &mut standing);
            since_mark += 1;
            if since_mark == EVENTS_PER_MARK || Some(place) == last {
                self.marks.insert(place, standing.clone());
                since_mark = 0;
            }
        }
        self.thin_marks();
        standing
    }

    /// Keeps every mark far enough from its neighbors, and the last one.
    fn thin_marks(&mut self) {
        let mut kept: Option<Place> = None;
        let last = self.marks.last_key_value().map(|(place, _)| *place);
        let near = |events: &BTreeMap<Place, Taken>, one: Place, other: Place| {
            events.range(one..other).take(EVENTS_PER_MARK).count() < EVENTS_PER_MARK
        };
        let recent: Vec<Place> = self.marks.keys().rev().take(4).rev().copied().collect();
        for place in recent {
            if Some(place) != last && kept.is_some_and(|one| near(&self.events, one, place)) {
                self.marks.remove(&place);
            } else {
                kept = Some(place);
            }
        }
    }

    /// Lets one event take from the grants.
    fn take(&mut self, place: Place, terms: &[Terms], context: &Context, standing: &mut Standing) {
        let Some(taken) = self.events.get(&place).copied() else { return };
        let at = place.0;
        let way = context.tree.above(taken.account.0, Span::new(at, at.plus_us(1)));
        let mut order: Vec<(u32, &Terms)> = Vec::new();
        for one in terms.iter().filter(|one| one.is_active(at)) {
            let node = one.granted.account.0;
            if let Some(above) = way.iter().find(|above| above.node == node) {
                order.push((above.distance, one));
            }
        }
        order.sort_by_key(|(distance, one)| (*distance, one.order()));
        let order: Vec<&Terms> = order.into_iter().map(|(_, one)| one).collect();
        for one in &order {
            let mut balance = match standing.balances.get(&one.granted) {
                Some(balance) => *balance,
                None => one.beginning(at),
            };
            one.advance(&mut balance, one.turn(at), |left| {
                let row = one.row(left, context.horizon);
                self.balances.set((one.granted, left.turn), Some(row));
            });
            standing.balances.insert(one.granted, balance);
        }
        let beyond = burn(&taken, &order, standing);
        let unit = context.policy.position_period;
        let period = context.calendars.period(taken.account, unit, at);
        if let Some(kept) = self.events.get_mut(&place) {
            kept.beyond = Some((period, beyond));
        }
        if let Some((old, amount)) = taken.beyond {
            self.add((taken.account, old), -amount);
        }
        self.add((taken.account, period), beyond);
    }

    /// Gives a grant's row in the turn of the horizon, or in its last.
    fn finish(&mut self, one: &Terms, standing: &Standing, horizon: Timestamp) {
        let Some(at) = one.last_instant(horizon) else { return };
        let known = standing.balances.get(&one.granted).copied();
        let mut balance = known.unwrap_or_else(|| one.beginning(at));
        one.advance(&mut balance, one.turn(at), |left| {
            self.balances.set((one.granted, left.turn), Some(one.row(left, horizon)));
        });
        self.balances.set((one.granted, balance.turn), Some(one.row(&balance, horizon)));
    }
}

/// Takes an event's quantity from the grants in order, and gives what it uses beyond them.
fn burn(taken: &Taken, order: &[&Terms], standing: &mut Standing) -> i128 {
    let quantity = i128::from(taken.quantity.0);
    let beyond = standing.beyond.entry(taken.account).or_default();
    let before = *beyond;
    if quantity < 0 {
        let mut back = -quantity;
        // What nothing covered is given back first, and no longer taken from the next amount.
        let mut spared = back.min((*beyond).max(0));
        *beyond -= spared;
        back -= spared;
        for one in order.iter().rev() {
            let Some(balance) = standing.balances.get_mut(&one.granted) else { continue };
            let less = spared.min(balance.overdrawn);
            balance.overdrawn -= less;
            spared -= less;
            let given = back.min(balance.used.max(0));
            balance.used -= given;
            back -= given;
        }
        *beyond -= back;
    } else {
        let ahead = quantity.min((-*beyond).max(0));
        *beyond += ahead;
        let mut rest = quantity - ahead;
        for one in order {
            let Some(balance) = standing.balances.get_mut(&one.granted) else { continue };
            let part = rest.min(one.left(balance).max(0));
            balance.used += part;
            rest -= part;
        }
        *beyond += rest;
        if let Some(one) = order.iter().find(|one| one.carries_overage())
            && let Some(balance) = standing.balances.get_mut(&one.granted)
        {
            balance.overdrawn += rest;
        }
    }
    let change = *beyond - before;
    if *beyond == 0 {
        standing.beyond.remove(&taken.account);
    }
    change
}
