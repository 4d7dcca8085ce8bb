//! One product's prices and use: who pays for what in which part of which period.
//!
//! A price without a beginning is due from the first use on: else what was due would move along with the
//! horizon.

use super::{Key, Priced};
use crate::Diff;
use crate::context::Context;
use crate::epochs::Updates;
use crate::given::Given;
use crate::tally::Tally;
use crate::timeline::clamped;
use crate::volume::Reading;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::Period;
use trueup_model::id::{AccountId, Id};
use trueup_model::ledger::Charge;
use trueup_model::price::Price;
use trueup_model::quantity::Quantity;
use trueup_model::tiers::Tariff;
use trueup_model::time::{Span, Timestamp};

/// A part of a payer's period in which its bands stay the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    account: AccountId,
    period: Period,
    span: Span,
}

/// A payer's bands, for as long as they stay the same.
#[derive(Clone, Debug)]
struct Piece {
    span: Span,
    bands: BTreeSet<Price<Id>>,
    /// What the bands come to, unless they contradict each other.
    tariff: Option<Tariff>,
}

impl Piece {
    /// Whether nothing costs something.
    fn has_standing_charge(&self) -> bool {
        let nothing = self.tariff.as_ref().and_then(|tariff| tariff.amount(Quantity::ZERO));
        nothing.is_some_and(|money| money.amount != 0)
    }
}

/// A product's prices and use.
#[derive(Debug, Default)]
pub(super) struct Product {
    bands: BTreeMap<Priced, Diff>,
    events: BTreeMap<(AccountId, Timestamp), Tally>,
    /// The bands of each payer over time.
    pieces: BTreeMap<AccountId, Vec<Piece>>,
    is_counted: bool,
    sums: BTreeMap<Part, Tally>,
    /// Parts that have a charge without use, up to the horizon.
    standing: BTreeSet<Part>,
    /// Whether `standing` may have changed, though the horizon passed nothing.
    is_standing_stale: bool,
    /// When `standing` changes by itself.
    wake: Option<Timestamp>,
    charges: Given<Part, Charge>,
}

impl Product {
    pub(super) fn is_empty(&self) -> bool {
        self.bands.is_empty() && self.events.is_empty()
    }

    pub(super) fn is_used_by(&self, accounts: &BTreeSet<AccountId>) -> bool {
        let has_events = |account: &AccountId| {
            let own = (*account, Timestamp::MIN)..=(*account, Timestamp::MAX);
            self.events.range(own).next().is_some()
        };
        accounts.iter().any(has_events)
    }

    /// From now on, everything is counted anew.
    pub(super) fn count_anew(&mut self) {
        self.is_counted = false;
    }

    /// Takes a band in or out.
    pub(super) fn hear_band(&mut self, row: Priced, diff: Diff) {
        let count = self.bands.entry(row).or_default();
        *count += diff;
        if *count == 0 {
            self.bands.remove(&row);
        }
        self.is_counted = false;
    }

    /// Takes an event in or out.
    pub(super) fn hear_event(&mut self, row: &Reading, diff: Diff, context: &Context) {
        let times = diff as i128;
        let tally = Tally { events: times, quantity: i128::from(row.quantity.0) * times };
        let place = (row.account, row.at);
        let sum = self.events.entry(place).or_default();
        add(sum, tally);
        if *sum == Tally::default() {
            self.events.remove(&place);
        }
        if self.is_counted {
            self.count(place, tally, context);
        }
    }

    /// Adds what was used at an instant to the part of its payer.
    fn count(&mut self, (account, at): (AccountId, Timestamp), tally: Tally, context: &Context) {
        let way = context.tree.above(account.0, Span::new(at, at.plus_us(1)));
        let nearest = way.iter().find_map(|above| {
            let payer = AccountId(above.node);
            let pieces = self.pieces.get(&payer)?;
            Some((payer, pieces.iter().find(|piece| piece.span.contains(at))?))
        });
        let Some((payer, piece)) = nearest else { return };
        let part = part(payer, piece, at, context);
        let sum = self.sums.entry(part).or_default();
        // The first use of a part, or its last, may move where charges without use begin.
        self.is_standing_stale |= *sum == Tally::default();
        add(sum, tally);
        if *sum == Tally::default() {
            self.sums.remove(&part);
            self.is_standing_stale = true;
        }
        self.charges.touch(part);
    }

    /// Counts everything anew.
    fn recount(&mut self, context: &Context) {
        self.pieces = self.cut();
        for part in std::mem::take(&mut self.sums).into_keys() {
            self.charges.touch(part);
        }
        let events: Vec<_> = self.events.iter().map(|(place, tally)| (*place, *tally)).collect();
        for (place, tally) in events {
            self.count(place, tally, context);
        }
        for part in std::mem::take(&mut self.standing) {
            self.charges.touch(part);
        }
        self.is_standing_stale = true;
        self.is_counted = true;
    }

    /// The bands of each payer, cut where they change.
    fn cut(&self) -> BTreeMap<AccountId, Vec<Piece>> {
        let mut of_payers: BTreeMap<AccountId, Vec<&Priced>> = BTreeMap::new();
        for band in self.bands.keys() {
            of_payers.entry(band.account).or_default().push(band);
        }
        let pieces = |rows: Vec<&Priced>| {
            let ends = rows.iter().flat_map(|row| [row.span.start, row.span.end]);
            let cuts: BTreeSet<Timestamp> = ends.collect();
            let mut pieces: Vec<Piece> = Vec::new();
            for (start, end) in cuts.iter().zip(cuts.iter().skip(1)) {
                let span = Span::new(*start, *end);
                let holds = rows.iter().filter(|row| row.span.contains(*start));
                let bands: BTreeSet<Price<Id>> = holds.map(|row| row.band).collect();
                match pieces.last_mut() {
                    Some(last) if last.span.end == span.start && last.bands == bands => {
                        last.span.end = span.end;
                    }
                    _ if bands.is_empty() => {}
                    _ => {
                        let tariff = Tariff::new(&bands).ok();
                        pieces.push(Piece { span, bands, tariff });
                    }
                }
            }
            pieces
        };
        of_payers.into_iter().map(|(payer, rows)| (payer, pieces(rows))).collect()
    }

    /// Prices what changed; says when something changes by itself.
    pub(super) fn evaluate(
        &mut self,
        key: Key,
        context: &Context,
        changes: &mut Updates<Charge>,
    ) -> Option<Timestamp> {
        if !self.is_counted {
            self.recount(context);
        }
        if self.is_standing_stale || self.wake.is_some_and(|at| at <= context.horizon) {
            let (standing, wake) = self.begun(context);
            for part in standing.symmetric_difference(&self.standing) {
                self.charges.touch(*part);
            }
            (self.standing, self.wake, self.is_standing_stale) = (standing, wake, false);
        }
        for part in self.charges.touched() {
            let sum = self.sums.get(&part).copied().unwrap_or_default();
            let is_due = sum.events > 0 || self.standing.contains(&part);
            let charge = is_due.then(|| self.charge(key, part, clamped(sum.quantity)));
            self.charges.set(part, charge);
        }
        self.charges.flush(changes, |row| row);
        self.wake
    }

    fn charge(&self, key: Key, part: Part, quantity: Quantity) -> Charge {
        let pieces = self.pieces.get(&part.account).into_iter().flatten();
        let piece = pieces.into_iter().find(|piece| piece.span.contains(part.span.start));
        let tariff = piece.and_then(|piece| piece.tariff.as_ref());
        Charge {
            tenant: key.0,
            account: part.account,
            product: key.1,
            period: part.period,
            span: part.span,
            quantity,
            model: tariff.map(Tariff::model),
            amount: tariff.and_then(|tariff| tariff.amount(quantity)),
        }
    }

    /// The begun parts that have a charge without use, and when the next begins.
    fn begun(&self, context: &Context) -> (BTreeSet<Part>, Option<Timestamp>) {
        let horizon = context.horizon;
        let mut begun = BTreeSet::new();
        let mut wake: Option<Timestamp> = None;
        for (payer, pieces) in &self.pieces {
            for piece in pieces.iter().filter(|piece| piece.has_standing_charge()) {
                let mut at = match piece.span.start {
                    Timestamp::MIN => match self.first_use(*payer, piece) {
                        Some(first) => first.min(horizon),
                        None => continue,
                    },
                    start => start,
                };
                while at <= horizon && at.is_calendar() && at < piece.span.end {
                    let part = part(*payer, piece, at, context);
                    begun.insert(part);
                    at = part.span.end;
                }
                let next = if horizon.is_calendar() { at } else { Timestamp::EARLIEST };
                if next < piece.span.end && next > horizon {
                    wake = Some(wake.map_or(next, |other| other.min(next)));
                }
            }
        }
        (begun, wake)
    }

    /// The beginning of the first part of a piece in which something was used.
    fn first_use(&self, payer: AccountId, piece: &Piece) -> Option<Timestamp> {
        let of_piece = self.sums.keys().filter(|part| part.account == payer);
        let starts = of_piece.map(|part| part.span).filter(|span| span.overlaps(piece.span));
        // A part that reaches back to the beginning of time is named by its end.
        let starts =
            starts.map(|span| if span.start.is_calendar() { span.start } else { span.end });
        starts.min()
    }
}

/// The part of a payer's period around an instant.
fn part(account: AccountId, piece: &Piece, at: Timestamp, context: &Context) -> Part {
    let period = context.calendars.period(account, context.policy.position_period, at);
    Part { account, period, span: period.span.intersect(piece.span) }
}

fn add(sum: &mut Tally, tally: Tally) {
    sum.events += tally.events;
    sum.quantity += tally.quantity;
}
