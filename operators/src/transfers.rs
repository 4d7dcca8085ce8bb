//! Transfers: lines that take a right from another line, for good, and the chain of title behind them.
//!
//! stated(c, t) = Σ { quantity of the rows of c in force at t }
//! moved(c, t)  = max { stated(c, s) : s ≤ t }, so what has moved stays away when the transfer ends
//! before(c)    = the transfers from the same line that began earlier, or together under a smaller name
//! room(c, t)   = max(0, held(origin(c), t) − Σ { moved(e, t) : e ∈ before(c) })
//! held(c, t)   = stated(c, t) for a purchase; min(stated(c, t), room(c, start of c)) for a transfer,
//!                and at most room(c, t) if it keeps the expiry of what it was taken from
//! left(o, t)   = max(0, held(o, t) − Σ { moved(c, t) : origin(c) = o })
//!
//! A quantity is thus never held twice. What a transfer states beyond its room when it begins has no
//! title: it grants nothing and is a `provenance_gap`. The same holds of transfers in a circle, and of those
//! that are more than [`DEPTH_MAX`] away from a purchase. A transfer takes rights of the line of its name,
//! product and metric only. A name that is stated both as a purchase and as a transfer is a transfer.
//!
//! What a name has lost is taken from its rows in their order. Lines that lost nothing pass unchanged.
//!
//! Work per change: the transfers of the tenant and the lines that they name are parted into chains; each chain
//! costs its titles times its instants.

use crate::Facts;
use crate::entitle::LineInForce;
use crate::reckon::{Found, Reckoned, reckon};
use crate::reconcile::plain;
use crate::timeline::clamped;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::contract::LineKind;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::{Id, NameKind};
use trueup_model::metric::Metric;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_policy::rules::TransferExpiry;

/// How many transfers may lie between a right and its purchase.
pub const DEPTH_MAX: usize = 8;

/// How many lines one chain may have.
pub const ROWS_MAX: usize = 500;

/// More than any sum of quantities: without a limit.
const UNLIMITED: i128 = 1 << 100;

/// Takes what was transferred from the lines that had it; transfers are base lines from there on.
pub fn transfers(lines: Facts<'_, LineInForce>, expiry: TransferExpiry) -> Reckoned<'_> {
    let takes = |row: &LineInForce| row.line.kind == LineKind::Transfer;
    reckon(
        "Transfers",
        lines,
        takes,
        |row| row.line.base,
        move |rows| {
            let of_chain = |mut family: Vec<LineInForce>| {
                let beyond = family.split_off(family.len().min(ROWS_MAX));
                let held = Titles::of(&family, expiry).evaluate().into_iter();
                held.chain(beyond.into_iter().map(untitled))
            };
            families(rows).into_iter().flat_map(of_chain).collect()
        },
    )
}

/// What is held under one name.
type Title = (Id, Id, Metric);

fn title(row: &LineInForce) -> Title {
    (row.line.line, row.line.product, row.line.metric)
}

/// The rows apart by the chains of title that they belong to; each in order.
fn families(rows: Vec<LineInForce>) -> Vec<Vec<LineInForce>> {
    let mut origins: BTreeMap<Title, Title> = BTreeMap::new();
    for row in &rows {
        if let (LineKind::Transfer, Some(base)) = (row.line.kind, row.line.base) {
            let origin = (base, row.line.product, row.line.metric);
            origins.entry(title(row)).or_insert(origin);
        }
    }
    let mut roots: BTreeMap<Title, Title> = BTreeMap::new();
    let mut families: BTreeMap<Title, Vec<LineInForce>> = BTreeMap::new();
    for row in rows {
        families.entry(root(title(&row), &origins, &mut roots)).or_default().push(row);
    }
    families.into_values().collect()
}

/// The first title of a chain, or one of those of a circle; the same for all that lead there.
fn root(of: Title, origins: &BTreeMap<Title, Title>, roots: &mut BTreeMap<Title, Title>) -> Title {
    let mut way: BTreeSet<Title> = BTreeSet::new();
    let mut at = of;
    let found = loop {
        if let Some(known) = roots.get(&at) {
            break *known;
        }
        if !way.insert(at) {
            break at;
        }
        match origins.get(&at) {
            Some(origin) => at = *origin,
            None => break at,
        }
    };
    roots.extend(way.into_iter().map(|title| (title, found)));
    found
}

/// The rows of one title that grant, in order, and the title that they were taken from.
#[derive(Default)]
struct Holding {
    rows: Vec<usize>,
    origin: Option<Title>,
    /// Whether it is a transfer, of a known line or not.
    transfer: bool,
    /// The place of the piece in which it begins.
    start: usize,
    /// For each piece of time, what its rows state.
    stated: Vec<i128>,
    moved: Vec<i128>,
    held: Vec<i128>,
    /// What its origin had for it when it began.
    first: i128,
    /// What has moved to transfers that come before it.
    before: Vec<i128>,
    /// What has moved from it.
    gone: Vec<i128>,
}

/// The holdings of a tenant that have to do with transfers.
struct Titles<'r> {
    rows: &'r [LineInForce],
    expiry: TransferExpiry,
    /// The pieces of time in which nothing changes.
    pieces: Vec<Span>,
    holdings: BTreeMap<Title, Holding>,
}

impl<'r> Titles<'r> {
    fn of(rows: &'r [LineInForce], expiry: TransferExpiry) -> Self {
        let mut holdings: BTreeMap<Title, Holding> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            if !grants(row) {
                continue;
            }
            let holding = holdings.entry(title(row)).or_default();
            holding.rows.push(index);
            if row.line.kind == LineKind::Transfer && !holding.transfer {
                holding.transfer = true;
                holding.origin =
                    row.line.base.map(|base| (base, row.line.product, row.line.metric));
            }
        }
        let turns: BTreeSet<Timestamp> =
            rows.iter().flat_map(|row| [row.span.start, row.span.end]).collect();
        let turns: Vec<Timestamp> = turns.into_iter().collect();
        let pieces: Vec<Span> = turns.windows(2).map(|pair| Span::new(pair[0], pair[1])).collect();
        for holding in holdings.values_mut() {
            let at = |piece: &Span| stated(rows, &holding.rows, piece.start);
            let stated: Vec<i128> = pieces.iter().map(at).collect();
            let begun =
                |piece: &Span| holding.rows.iter().any(|row| rows[*row].span.contains(piece.start));
            holding.start = pieces.iter().position(begun).unwrap_or(0);
            holding.moved = stated
                .iter()
                .scan(0, |most, now| {
                    *most = (*most).max(*now);
                    Some(*most)
                })
                .collect();
            holding.held = if holding.transfer { vec![0; stated.len()] } else { stated.clone() };
            holding.stated = stated;
        }
        let mut titles = Self { rows, expiry, pieces, holdings };
        titles.add_up();
        // From purchases on, one step further in each turn.
        for _ in 0..DEPTH_MAX {
            let next: Vec<(Title, i128, Vec<i128>)> =
                titles.holdings.keys().filter_map(|title| titles.next(title)).collect();
            for (title, first, held) in next {
                if let Some(holding) = titles.holdings.get_mut(&title) {
                    (holding.first, holding.held) = (first, held);
                }
            }
        }
        titles
    }

    /// What is held of a transfer, given what is held of what it was taken from.
    fn next(&self, title: &Title) -> Option<(Title, i128, Vec<i128>)> {
        let holding = self.holdings.get(title).filter(|holding| holding.transfer)?;
        let first = self.room(holding, holding.start);
        let held = |piece: usize| {
            let most = match self.expiry {
                TransferExpiry::Keep => first.min(self.room(holding, piece)),
                TransferExpiry::Reset => first,
            };
            holding.stated[piece].min(most)
        };
        Some((*title, first, (0..self.pieces.len()).map(held).collect()))
    }

    /// Adds up what has moved from each title, in the order in which its transfers began.
    fn add_up(&mut self) {
        let mut takers: BTreeMap<Title, Vec<(usize, Title)>> = BTreeMap::new();
        for (title, holding) in &self.holdings {
            if let Some(origin) = holding.origin {
                takers.entry(origin).or_default().push((holding.start, *title));
            }
        }
        for (origin, mut all) in takers {
            all.sort_unstable();
            let mut gone = vec![0; self.pieces.len()];
            for (_, taker) in all {
                let Some(holding) = self.holdings.get_mut(&taker) else { continue };
                holding.before.clone_from(&gone);
                for (sum, moved) in gone.iter_mut().zip(&holding.moved) {
                    *sum += moved;
                }
            }
            if let Some(holding) = self.holdings.get_mut(&origin) {
                holding.gone = gone;
            }
        }
    }

    /// What the line that a transfer takes from still had for it.
    fn room(&self, holding: &Holding, piece: usize) -> i128 {
        let origin = holding.origin.and_then(|origin| self.holdings.get(&origin));
        origin.map_or(0, |origin| (origin.held[piece] - holding.before[piece]).max(0))
    }

    fn evaluate(&self) -> Vec<Found> {
        let passing = self.rows.iter().filter(|row| !grants(row));
        let mut found: Vec<Found> = passing.map(|row| Found::Line(row.clone())).collect();
        for holding in self.holdings.values() {
            let gone = holding.gone.iter().copied().chain(std::iter::repeat(0));
            let unheld = holding.stated.iter().zip(&holding.held).map(|(all, held)| all - held);
            let taken: Vec<i128> = unheld.zip(gone).map(|(unheld, gone)| unheld + gone).collect();
            for (place, row) in holding.rows.iter().enumerate() {
                self.left(&holding.rows[..place], *row, &taken, &mut found);
            }
            if holding.transfer {
                self.gaps(holding, &mut found);
            }
        }
        found
    }

    /// What is left of a row, in the longest pieces of time in which it stays.
    fn left(&self, before: &[usize], index: usize, taken: &[i128], found: &mut Vec<Found>) {
        let row = &self.rows[index];
        let mut pieces: Vec<(Span, Capacity)> = Vec::new();
        for (piece, gone) in self.pieces.iter().zip(taken) {
            if !row.span.contains(piece.start) {
                continue;
            }
            let asked: i128 = stated(self.rows, before, piece.start);
            let own = positive(row.line.quantity);
            let lost = (gone - asked).clamp(0, own);
            let left = if lost == 0 { row.line.quantity } else { capacity(own - lost) };
            if lost > 0 && left == Capacity::Limited(Quantity::ZERO) {
                continue;
            }
            match pieces.last_mut() {
                Some((last, same)) if last.end == piece.start && *same == left => {
                    last.end = piece.end;
                }
                _ => pieces.push((*piece, left)),
            }
        }
        found.extend(pieces.into_iter().map(|(span, left)| {
            let mut line = row.clone();
            (line.span, line.line.quantity, line.line.kind) = (span, left, LineKind::Base);
            Found::Line(line)
        }));
    }

    /// Where a transfer states more than its origin had for it.
    fn gaps(&self, holding: &Holding, found: &mut Vec<Found>) {
        let mut gaps: Vec<(Span, i128)> = Vec::new();
        for (piece, stated) in self.pieces.iter().zip(&holding.stated) {
            let missing = (stated - holding.first).max(0);
            match gaps.last_mut() {
                Some((last, same)) if last.end == piece.start && *same == missing => {
                    last.end = piece.end;
                }
                _ => gaps.push((*piece, missing)),
            }
        }
        let Some(lead) = holding.rows.first().map(|row| &self.rows[*row]) else { return };
        let gaps = gaps.into_iter().filter(|(_, missing)| *missing > 0);
        found.extend(gaps.map(|(span, missing)| Found::Problem(gap(lead, span, missing))));
    }
}

/// What comes of a line beyond those that a chain may have.
fn untitled(row: LineInForce) -> Found {
    if row.line.kind != LineKind::Transfer {
        return Found::Line(row);
    }
    Found::Problem(gap(&row, row.span, positive(row.line.quantity)))
}

fn gap(row: &LineInForce, span: Span, magnitude: i128) -> Discrepancy {
    Discrepancy {
        product: Some(row.line.product.into()),
        metric: Some(row.line.metric),
        subject: Some((NameKind::Line, row.line.line)),
        magnitude: clamped(magnitude),
        first_at: span.start,
        last_at: span.end,
        ..plain(DiscrepancyKind::ProvenanceGap, row.tenant)
    }
}

fn grants(row: &LineInForce) -> bool {
    matches!(row.line.kind, LineKind::Base | LineKind::Transfer)
}

/// What rows state together at an instant.
fn stated(rows: &[LineInForce], of: &[usize], at: Timestamp) -> i128 {
    let in_force = of.iter().map(|index| &rows[*index]).filter(|row| row.span.contains(at));
    in_force.map(|row| positive(row.line.quantity)).sum()
}

/// A quantity as far as it can be given away; what is not known gives nothing away.
fn positive(quantity: Capacity) -> i128 {
    match quantity {
        Capacity::Limited(limit) => i128::from(limit.0.max(0)),
        Capacity::Unlimited => UNLIMITED,
        Capacity::Unknown => 0,
    }
}

fn capacity(quantity: i128) -> Capacity {
    if quantity > UNLIMITED / 2 {
        Capacity::Unlimited
    } else {
        Capacity::Limited(clamped(quantity))
    }
}

#[cfg(test)]
mod tests;
