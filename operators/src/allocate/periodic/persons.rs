//! Where people count who take part in periods: of each period, where the person was active first.
//!
//! place(u, P) = n of min { (t, a, n) : u is active for a at t ≤ horizon, n takes a at t, P is n's period around t }
//!
//! t is when the activity begins, or when its period before ends.
//!
//! Work per change: the periods of the activity; of each, the activities of the person that begin there until one counts
//! there, and those that reach over more than one period; of a turn that the horizon passes, what begins then and all
//! that reach beyond a period and have not ended. What is kept: every activity.

use super::component::Slot;
use crate::Diff;
use crate::few::FewMap;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::Period;
use trueup_model::hash::IdMap;
use trueup_model::id::{AccountId, UserId};
use trueup_model::time::{Span, Timestamp};

/// When someone was active, and for which account.
type Activity = (Span, AccountId);
/// From when on someone is active in a period, for which account, and which node takes it then.
type Claim = (Timestamp, AccountId, AccountId);

/// What someone did.
#[derive(Default)]
struct Person {
    /// How often each activity was told.
    activities: FewMap<Activity, Diff>,
    /// Those that reach over more than one period.
    long: FewMap<Activity, ()>,
    /// The node where the person counts, by period.
    places: FewMap<Period, AccountId>,
}

/// Everyone who takes part in a product.
#[derive(Default)]
pub(super) struct Persons {
    people: IdMap<UserId, Person>,
    /// Activities that begin beyond the horizon, by when.
    ahead: BTreeSet<(Timestamp, UserId, Activity)>,
    /// Those that reach over more than one period, by when they end.
    long: BTreeSet<(Timestamp, UserId, Activity)>,
    /// What came or went, or was reached, since people were placed.
    changed: Vec<(UserId, Activity)>,
}

/// When an activity begins.
pub(super) fn begin(span: Span) -> Timestamp {
    span.start.max(Timestamp::EARLIEST)
}

/// Visits the periods in which an activity counts up to a horizon.
fn walk(
    (span, account): Activity,
    horizon: Timestamp,
    place: &mut impl FnMut(AccountId, Timestamp) -> Slot,
    mut visit: impl FnMut(Period, Claim),
) {
    let seen = Span::new(Timestamp::EARLIEST, horizon.plus_us(1));
    let Some(active) = span.overlap(seen) else { return };
    let mut at = active.start;
    while at < active.end {
        let (node, period) = place(account, at);
        visit(period, (at, account, node));
        at = period.span.end;
    }
}

/// Has a set hold something, or not.
fn hold<T: Ord>(set: &mut BTreeSet<T>, one: T, is_held: bool) {
    if is_held {
        set.insert(one);
    } else {
        set.remove(&one);
    }
}

impl Persons {
    pub(super) fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// Takes in that someone was active, or was not.
    pub(super) fn hear(&mut self, user: UserId, activity: Activity, diff: Diff) {
        if self.people.entry(user).or_default().activities.add(activity, diff) {
            self.changed.push((user, activity));
        }
    }

    /// Looks at what hearing of someone needs.
    pub(super) fn look(&self, user: UserId) -> usize {
        self.people.get(&user).map_or(0, |person| person.activities.look())
    }

    /// When the next activity beyond the horizon begins.
    pub(super) fn next_begin(&self) -> Option<Timestamp> {
        self.ahead.first().map(|(at, ..)| *at)
    }

    /// Takes in that the horizon moved.
    pub(super) fn pass(&mut self, before: Timestamp, horizon: Timestamp) {
        while self.ahead.first().is_some_and(|(at, ..)| *at <= horizon) {
            self.changed.extend(self.ahead.pop_first().map(|(_, user, activity)| (user, activity)));
        }
        // What has ended reaches no further.
        let none = (Span::new(Timestamp::MIN, Timestamp::MIN), AccountId(0));
        self.long = self.long.split_off(&(before.plus_us(1), UserId(0), none));
        self.changed.extend(self.long.iter().map(|(_, user, activity)| (*user, *activity)));
    }

    /// Places everyone anew at the next call of [`Persons::settle`], which tells all of their places.
    pub(super) fn begin_anew(&mut self) {
        self.ahead.clear();
        self.long.clear();
        for (user, person) in &mut self.people {
            person.long = FewMap::default();
            person.places = FewMap::default();
            self.changed.extend(person.activities.keys().map(|activity| (*user, *activity)));
        }
    }

    /// Finds where people count of whom something changed; gives the slots in which one counts more, or less.
    /// `place` says which node takes what an account brings at an instant, and the node's period around it.
    pub(super) fn settle(
        &mut self,
        horizon: Timestamp,
        mut place: impl FnMut(AccountId, Timestamp) -> Slot,
    ) -> Vec<(Slot, Diff)> {
        let mut moved = Vec::new();
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        for rows in changed.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((user, _)) = rows.first() else { continue };
            let touched = self.touched(*user, rows, horizon, &mut place);
            let Some(person) = self.people.get_mut(user) else { continue };
            person.settle(touched, horizon, &mut place, &mut moved);
            if person.activities.is_empty() {
                self.people.remove(user);
            }
        }
        moved
    }

    /// The periods in which changed activities of someone count.
    fn touched(
        &mut self,
        user: UserId,
        rows: &[(UserId, Activity)],
        horizon: Timestamp,
        place: &mut impl FnMut(AccountId, Timestamp) -> Slot,
    ) -> BTreeMap<Period, Option<Claim>> {
        let mut touched: BTreeMap<Period, Option<Claim>> = BTreeMap::new();
        let Some(person) = self.people.get_mut(&user) else { return touched };
        for (_, activity) in rows {
            let (span, _) = *activity;
            if span.is_empty() {
                continue;
            }
            let is_there = person.activities.get(activity).is_some();
            if begin(span) > horizon {
                hold(&mut self.ahead, (begin(span), user, *activity), is_there);
                continue;
            }
            let mut is_long = span.start < Timestamp::EARLIEST;
            walk(*activity, horizon, place, |period, (at, ..)| {
                is_long |= at == span.start && period.span.end < span.end;
                touched.entry(period).or_default();
            });
            if is_long {
                hold(&mut self.long, (span.end, user, *activity), is_there);
                if is_there {
                    person.long.insert(*activity, ());
                } else {
                    person.long.remove(activity);
                }
            }
        }
        touched
    }
}

impl Person {
    /// Finds where the person counts in some periods.
    fn settle(
        &mut self,
        mut touched: BTreeMap<Period, Option<Claim>>,
        horizon: Timestamp,
        place: &mut impl FnMut(AccountId, Timestamp) -> Slot,
        moved: &mut Vec<(Slot, Diff)>,
    ) {
        for activity in self.long.keys() {
            walk(*activity, horizon, place, |period, claim| {
                if let Some(first) = touched.get_mut(&period) {
                    *first = Some(first.map_or(claim, |one| one.min(claim)));
                }
            });
        }
        for (period, reaching) in touched {
            let now = self.first(period, reaching, horizon, place).map(|(.., node)| node);
            let before = match now {
                Some(node) => self.places.insert(period, node),
                None => self.places.remove(&period),
            };
            if before != now {
                moved.extend(before.map(|node| ((node, period), -1)));
                moved.extend(now.map(|node| ((node, period), 1)));
            }
        }
    }

    /// The first claim in a period, of those that reach into it and those that begin there.
    fn first(
        &self,
        period: Period,
        reaching: Option<Claim>,
        horizon: Timestamp,
        place: &mut impl FnMut(AccountId, Timestamp) -> Slot,
    ) -> Option<Claim> {
        let mut first = reaching;
        let start = begin(period.span);
        let since = (Span::new(start, start), AccountId(0));
        for ((span, account), _) in self.activities.range(since..) {
            let at = span.start;
            let is_later = first.is_some_and(|(earliest, ..)| earliest < at);
            if is_later || at >= period.span.end || at > horizon {
                break;
            }
            let (node, around) = place(*account, at);
            if around == period && !span.is_empty() {
                let claim = (at, *account, node);
                first = Some(first.map_or(claim, |one| one.min(claim)));
            }
        }
        first
    }
}

#[cfg(test)]
mod tests {
    //! Against the definition, through any sequence of changes and moves of the horizon.

    use super::{Persons, walk};
    use crate::Diff;
    use crate::allocate::periodic::component::Slot;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use trueup_model::calendar::{Period, PeriodUnit};
    use trueup_model::id::{AccountId, UserId};
    use trueup_model::time::{Span, Timestamp};

    type Activity = (Span, AccountId);
    /// Who, when it begins, how long it is, for which account; nobody: the horizon moves on by the length.
    type Change = (Option<u8>, i64, i64, u8);

    /// Accounts 0 and 1 are nodes of two calendars; what 2 and 3 bring goes to one of them, and from 50 on to the other.
    fn place(account: AccountId, at: Timestamp) -> Slot {
        let late = u64::from(at.0 >= 50 && account.0 >= 2);
        let node = (account.0 + late) % 2;
        let (shift, length) = if node == 0 { (0, 10) } else { (5, 20) };
        let start = (at.0 - shift).div_euclid(length) * length + shift;
        let span = Span::new(Timestamp(start), Timestamp(start + length));
        (AccountId(node), Period { unit: PeriodUnit::Month, span })
    }

    /// Where everyone counts by the definition.
    fn expected(
        told: &BTreeMap<(UserId, Activity), Diff>,
        horizon: Timestamp,
    ) -> Vec<(UserId, Slot)> {
        let mut first = BTreeMap::new();
        for (user, activity) in told.keys() {
            walk(*activity, horizon, &mut place, |period, claim| {
                let best = first.entry((*user, period)).or_insert(claim);
                *best = claim.min(*best);
            });
        }
        first.into_iter().map(|((user, period), (.., node))| (user, (node, period))).collect()
    }

    fn check(changes: Vec<Vec<Change>>) -> Result<(), TestCaseError> {
        let mut persons = Persons::default();
        let mut told: BTreeMap<(UserId, Activity), Diff> = BTreeMap::new();
        let mut slots: BTreeMap<Slot, Diff> = BTreeMap::new();
        let mut horizon = Timestamp::MIN;
        for epoch in changes {
            let before = horizon;
            for (who, start, length, account) in epoch {
                let Some(who) = who else {
                    horizon = Timestamp(horizon.0.max(0) + length);
                    continue;
                };
                let (user, account) = (UserId(u64::from(who)), AccountId(u64::from(account)));
                let span = Span::new(Timestamp(start), Timestamp(start + length));
                // What is there goes, what is not comes.
                let diff = if told.remove(&(user, (span, account))).is_some() { -1 } else { 1 };
                if diff > 0 {
                    told.insert((user, (span, account)), 1);
                }
                persons.hear(user, (span, account), diff);
            }
            if horizon != before {
                persons.pass(before, horizon);
            }
            for (slot, diff) in persons.settle(horizon, place) {
                let count = slots.entry(slot).or_default();
                *count += diff;
                if *count == 0 {
                    slots.remove(&slot);
                }
            }
            let mut all: BTreeMap<Slot, Diff> = BTreeMap::new();
            for (_, slot) in expected(&told, horizon) {
                *all.entry(slot).or_default() += 1;
            }
            prop_assert_eq!(&slots, &all);
            let ahead = told.keys().map(|(_, (span, _))| *span);
            let ahead = ahead.filter(|span| !span.is_empty() && span.start > horizon);
            prop_assert_eq!(persons.next_begin(), ahead.map(|span| span.start).min());
            prop_assert_eq!(persons.is_empty(), told.is_empty());
        }
        persons.begin_anew();
        let mut anew: BTreeMap<Slot, Diff> = BTreeMap::new();
        for (slot, diff) in persons.settle(horizon, place) {
            *anew.entry(slot).or_default() += diff;
        }
        prop_assert_eq!(&anew, &slots);
        Ok(())
    }

    proptest! {
        #[test]
        fn everyone_counts_where_they_were_active_first(
            changes in prop::collection::vec(
                prop::collection::vec(
                    (prop::option::weighted(0.8, 0..2_u8), 0_i64..120, prop_oneof![0_i64..4, 0_i64..60], 0..4_u8),
                    1..12,
                ),
                1..12,
            ),
        ) {
            check(changes)?;
        }
    }
}
