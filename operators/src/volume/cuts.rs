//! Where time is cut into the pieces that cells lie in.
//!
//! piece(t) = ∩ { the period around t, by each calendar in use, of each unit that is asked for }
//! cell(t)  = piece(t) between the nearest turns of the way up from the account and from the product
//!
//! The periods are those of the policy and of the lines that grant; if accounts state many calendars of
//! their own, days serve all of them, for no calendar turns within a day.

use crate::Diff;
use crate::hierarchy::Placement;
use crate::rows::add;
use crate::tree::Tree;
use crate::zones::Calendars;
use std::collections::BTreeMap;
use trueup_model::calendar::{Calendar, Period, PeriodUnit};
use trueup_model::hash::{IdMap, IdSet};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

/// The most calendars by which time is cut one by one.
const CALENDARS_MAX: usize = 12;
/// The most pieces that are remembered.
const PIECES_MAX: usize = 4096;

/// A piece of time in which no period turns, and the period of everyone's calendar that it lies in.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    pub(super) span: Span,
    pub(super) period: Period,
    pub(super) closes_at: Option<Timestamp>,
}

/// Where periods turn.
pub(super) struct Cuts {
    policy_units: Vec<PeriodUnit>,
    /// The units that lines ask for, and how often.
    asked: BTreeMap<PeriodUnit, Diff>,
    units: Vec<PeriodUnit>,
    /// Everyone's calendar first.
    calendars: Vec<Calendar>,
    /// The pieces that were found, by their start.
    pieces: BTreeMap<Timestamp, Piece>,
    /// The one that was found last: events come in clusters.
    last: Option<Piece>,
}

impl Cuts {
    pub(super) fn new(policy: &Policy, calendars: &Calendars) -> Self {
        let mut cuts = Self {
            policy_units: policy.periods().collect(),
            asked: BTreeMap::new(),
            units: Vec::new(),
            calendars: Vec::new(),
            pieces: BTreeMap::new(),
            last: None,
        };
        cuts.change(calendars, Vec::new());
        cuts
    }

    /// Takes in the calendars as they are now, and changes of the units that lines ask for.
    pub(super) fn change(&mut self, calendars: &Calendars, asked: Vec<(PeriodUnit, Diff)>) {
        for (unit, diff) in asked {
            add(&mut self.asked, unit, diff);
        }
        let units = self.policy_units.iter().chain(self.asked.keys());
        self.units = units.copied().collect();
        self.calendars = calendars.each(CALENDARS_MAX).unwrap_or_else(|| {
            self.units.push(PeriodUnit::Day);
            calendars.all()
        });
        self.units.sort_unstable();
        self.units.dedup();
        self.pieces.clear();
        self.last = None;
    }

    /// The piece of time around an instant.
    pub(super) fn around(&mut self, at: Timestamp, policy: &Policy) -> Piece {
        if let Some(last) = self.last.filter(|last| last.span.contains(at)) {
            return last;
        }
        let found = self.pieces.range(..=at).next_back().map(|(_, piece)| *piece);
        if let Some(piece) = found.filter(|piece| piece.span.contains(at)) {
            self.last = found;
            return piece;
        }
        let mut span = Span::ALWAYS;
        for calendar in &self.calendars {
            for unit in &self.units {
                span = span.intersect(calendar.period(*unit, at).span);
            }
        }
        // Everyone's calendar is the first of all.
        let calendar = &self.calendars[0];
        let period = calendar.period(policy.position_period, at);
        let piece = Piece { span, period, closes_at: policy.closing.of(calendar, period) };
        if self.pieces.len() >= PIECES_MAX {
            self.pieces.clear();
        }
        self.pieces.insert(span.start, piece);
        piece
    }
}

/// The instants at which the ways up from nodes change.
#[derive(Default)]
pub(super) struct Turns {
    tree: Tree,
    /// How many edges begin or end at a date.
    dated: Diff,
    /// The turns of the nodes that were asked for.
    known: IdMap<u64, Vec<Timestamp>>,
}

/// Nodes whose turns change, with their new ones.
pub(super) struct Moved(IdMap<u64, Vec<Timestamp>>);

impl Moved {
    /// Whether a node's turns change.
    pub(super) fn concerns(&self, node: u64) -> bool {
        self.0.contains_key(&node)
    }
}

/// Whether an edge begins or ends at a date.
fn is_dated(edge: &Placement) -> bool {
    edge.span.start.is_calendar() || edge.span.end.is_calendar()
}

impl Turns {
    /// Changes edges; gives the nodes that turn at other instants than before, if there are any, whose
    /// turns stay as they were until they are settled.
    pub(super) fn change(&mut self, mut edges: BTreeMap<Placement, Diff>) -> Option<Moved> {
        edges.retain(|_, diff| *diff != 0);
        if edges.is_empty() {
            return None;
        }
        let dated = self.dated;
        self.dated +=
            edges.iter().filter(|(edge, _)| is_dated(edge)).map(|(_, diff)| diff).sum::<Diff>();
        let any = dated != 0 || self.dated != 0;
        let mut nodes: IdSet<u64> = IdSet::default();
        if any {
            nodes.extend(edges.keys().flat_map(|edge| self.tree.below(edge.node)));
        }
        let old: Vec<(u64, Vec<Timestamp>)> =
            nodes.iter().map(|node| (*node, self.of(*node).to_vec())).collect();
        for (edge, diff) in &edges {
            self.tree.change(edge.node, edge.parent, edge.span, *diff > 0);
        }
        if !any {
            return None;
        }
        for node in edges.keys().flat_map(|edge| self.tree.below(edge.node)) {
            nodes.insert(node);
        }
        let mut moved: IdMap<u64, Vec<Timestamp>> = IdMap::default();
        let before: IdMap<u64, Vec<Timestamp>> = old.into_iter().collect();
        for node in nodes {
            let now = turns(&self.tree, node);
            let was = before.get(&node).map(Vec::as_slice).unwrap_or_default();
            if now != was {
                self.known.insert(node, was.to_vec());
                moved.insert(node, now);
            }
        }
        (!moved.is_empty()).then_some(Moved(moved))
    }

    /// Lets nodes turn at their new instants.
    pub(super) fn settle(&mut self, moved: Moved) {
        self.known.extend(moved.0);
        if self.dated == 0 {
            self.known.clear();
        }
    }

    fn of(&mut self, node: u64) -> &[Timestamp] {
        let tree = &self.tree;
        self.known.entry(node).or_insert_with(|| turns(tree, node))
    }

    /// The part of a piece around an instant in which none of the nodes turns.
    pub(super) fn within(&mut self, piece: Span, at: Timestamp, nodes: [u64; 2]) -> Span {
        // Turns that are known from before stand until they are settled.
        if self.dated == 0 && self.known.is_empty() {
            return piece;
        }
        let mut span = piece;
        for node in nodes {
            let turns = self.of(node);
            let after = turns.partition_point(|turn| *turn <= at);
            if let Some(turn) = after.checked_sub(1).and_then(|place| turns.get(place)) {
                span.start = span.start.max(*turn);
            }
            if let Some(turn) = turns.get(after) {
                span.end = span.end.min(*turn);
            }
        }
        span
    }
}

/// The instants at which the way up from a node changes, in order.
fn turns(tree: &Tree, node: u64) -> Vec<Timestamp> {
    let bounds = tree.above(node, Span::ALWAYS).into_iter();
    let bounds = bounds.flat_map(|above| [above.span.start, above.span.end]);
    let mut turns: Vec<Timestamp> = bounds.filter(|at| at.is_calendar()).collect();
    turns.sort_unstable();
    turns.dedup();
    turns
}

#[cfg(test)]
mod tests {
    use super::{CALENDARS_MAX, Cuts};
    use crate::zones::{AccountZone, Calendars};
    use trueup_model::calendar::PeriodUnit;
    use trueup_model::id::AccountId;
    use trueup_model::time::{DAY_US, Timestamp};
    use trueup_policy::Policy;

    /// The first of January 2026, UTC.
    const NEW_YEAR: Timestamp = Timestamp(1_767_225_600_000_000);

    /// Whether every piece of a quarter lies within one month of each account's calendar, with so many
    /// accounts that count from days of their own; and how long the longest piece is, in days.
    fn check(accounts: u64) -> i64 {
        let policy = Policy::default();
        let mut calendars = Calendars::new(policy.zone.clone());
        for account in 0..accounts {
            let anchor = NEW_YEAR.plus_us(i64::try_from(account).expect("they are few") * DAY_US);
            let zone = if account % 2 == 0 { "Europe/Budapest" } else { "America/New_York" };
            let row = AccountZone {
                account: AccountId(account),
                zone: Some(zone.to_owned()),
                anchor: Some(anchor),
            };
            calendars.hear(row, 1);
        }
        let mut cuts = Cuts::new(&policy, &calendars);
        let hours = (0..90 * 24).map(|hour| NEW_YEAR.plus_us(hour * DAY_US / 24 + 1));
        let longest = hours.map(|at| {
            let piece = cuts.around(at, &policy).span;
            assert!(piece.contains(at));
            for account in 0..accounts {
                let month = calendars.of(AccountId(account)).period(PeriodUnit::Month, at).span;
                assert!(month.contains(piece.start) && piece.end <= month.end, "{account} {at:?}");
            }
            (piece.end.0 - piece.start.0) / DAY_US
        });
        longest.max().unwrap_or(0)
    }

    #[test]
    fn a_piece_lies_within_a_period_of_every_calendar() {
        assert_eq!(check(0), 31, "everyone's months");
        assert!(check(3) > 1, "a few calendars are cut one by one");
        let many = u64::try_from(CALENDARS_MAX).expect("they are few") + 5;
        assert!(check(many) <= 1, "days serve many");
    }
}
