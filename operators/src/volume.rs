//! Metered quantities, attributed and cut into cells of time.
//!
//! cells = Σ { (events: 1, quantity) : event of subject s at t ≤ horizon, resolution of s at t,
//!             cell = the piece of time around t in which no period of any account turns, and
//!                    neither the account nor the product moves in its tree }
//!
//! A cell lies in one period of every calendar in use and in one shape of the way up, so totals of any
//! node and zone are sums of cells (`cuts.rs`). What arrived after its period closed is kept apart, so
//! that a closed statement can be told from what is true now.
//!
//! Until there is a horizon, as when an engine begins with a snapshot, events are kept where they will stay and nothing
//! is counted; then all are, subject by subject. What lies beyond the horizon waits as in `due.rs`.
//!
//! Work per change: of an event, itself; of a meaning, the events of the subject; of a move at a date or of
//! what is asked of a product, those of the subjects that it concerns, which are looked for among all.

mod cuts;
mod due;
mod events;
mod recount;
mod rows;

pub use rows::{Asked, Cell, Late, Metered, Reading, Slice};

use crate::due::Beyond;
use crate::epochs::{Came, Updates, by_key, each_epoch_of, everywhere, fetch, operator};
use crate::hierarchy::Placement;
use crate::lists::Lists;
use crate::numbered::{Event, Numbered};
use crate::resolve::place;
use crate::tally::Tally;
use crate::zones::{AccountZone, Calendars};
use crate::{Diff, Facts};
use cuts::{Cuts, Turns};
use differential_dataflow::AsCollection as _;
use differential_dataflow::difference::Semigroup as _;
use events::Events;
use recount::{Counted, Recount, slice, tell};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::hash::Hash;
use trueup_model::calendar::PeriodUnit;
use trueup_model::derived::{Resolution, Subject};
use trueup_model::hash::{IdMap, IdSet};
use trueup_model::id::{ProductId, TenantId};
use trueup_model::time::Timestamp;
use trueup_policy::Policy;

/// Attributed use, and what of it came late.
pub struct Volume<'s> {
    /// Cells, with how many events and how much.
    pub cells: Facts<'s, Cell, Tally>,
    /// The same, whoever it was.
    pub slices: Facts<'s, Slice, Tally>,
    /// Late events.
    pub late: Facts<'s, Late>,
    /// Single events of the products that count them.
    pub readings: Readings<'s>,
}

/// Single events by what they are asked for; one that is asked for twice is in both.
pub struct Readings<'s> {
    /// Those of which the greatest or the newest of a period counts.
    pub ranked: Facts<'s, Reading>,
    /// Those that say who took part.
    pub unique: Facts<'s, Reading>,
    /// Those that use credits, or have a price.
    pub ledger: Facts<'s, Reading>,
    /// Those that say who uses what is allocated.
    pub holders: Facts<'s, Reading>,
}

/// What decides in which cell an event lies, besides its subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Table {
    Zone(AccountZone),
    Edge(Placement),
    Single(ProductId, Asked),
    Unit(PeriodUnit),
    Horizon(Timestamp),
}

/// Cuts attributed events up to a horizon into cells; of the products in `single`, gives each event as well. A product
/// has one row in it at most. Besides the policy's periods, cells lie in those of the `units`.
pub fn volume<'s>(
    (events, horizon): (Numbered<'s>, Facts<'s, Timestamp>),
    resolutions: Facts<'s, (Subject, Resolution)>,
    zones: Facts<'s, AccountZone>,
    edges: Facts<'s, Placement>,
    single: Facts<'s, (ProductId, Asked)>,
    units: Facts<'s, PeriodUnit>,
    policy: Policy,
) -> Volume<'s> {
    let Numbered { events, subjects } = events;
    let resolutions = by_key(resolutions, |(subject, _)| place(subject));
    let tables = everywhere(zones.map(Table::Zone).concatenate([
        edges.map(Table::Edge),
        single.map(|(product, asked)| Table::Single(product, asked)),
        units.map(Table::Unit),
        horizon.map(Table::Horizon),
    ]));
    let mut state = State::new(policy);
    let builder = operator("Volume", &events.inner);
    let heard = (events.inner, subjects.inner, resolutions, tables);
    let (cells, slices, late, [ranked, unique, ledger, holders]) =
        each_epoch_of(builder, heard, move |(came, named, meanings, table), told| {
            state.step(came, named, meanings, table, told);
        });
    Volume {
        cells: cells.as_collection(),
        slices: slices.as_collection(),
        late: late.as_collection(),
        readings: Readings {
            ranked: ranked.as_collection(),
            unique: unique.as_collection(),
            ledger: ledger.as_collection(),
            holders: holders.as_collection(),
        },
    }
}

/// The events and meanings of one subject.
#[derive(Default)]
struct Entry {
    /// Whose it is, while there is such a subject.
    tenant: TenantId,
    events: Events,
    /// In the order of their spans, which do not overlap.
    resolutions: Vec<(Resolution, Diff)>,
    /// The step in which an event was counted last, and which of the cells that it told.
    last: (u64, usize),
}

/// What leaves.
type Told = (Updates<Cell, Tally>, Updates<Slice, Tally>, Updates<Late>, [Updates<Reading>; 4]);

impl Entry {
    /// Takes in meanings that came and went: of two of one span one goes and one comes, in any order.
    fn mean(&mut self, rows: Vec<(Resolution, Diff)>) {
        for (row, diff) in rows {
            let place = self.resolutions.binary_search_by_key(&row.span, |(one, _)| one.span);
            let place = place.unwrap_or_else(|place| {
                self.resolutions.insert(place, (row, 0));
                place
            });
            let kept = &mut self.resolutions[place];
            if diff > 0 {
                kept.0 = row;
            }
            kept.1 += diff;
        }
        self.resolutions.retain(|(_, count)| *count != 0);
    }

    /// What the subject means at an instant.
    fn at(&self, at: Timestamp) -> Option<&Resolution> {
        let after = self.resolutions.partition_point(|(row, _)| row.span.start <= at);
        let (row, _) = self.resolutions.get(after.checked_sub(1)?)?;
        row.span.contains(at).then_some(row)
    }
}

struct State {
    numbers: IdMap<Subject, u32>,
    /// By the numbers of subjects.
    entries: Lists<Entry>,
    horizon: Timestamp,
    /// What lies beyond it.
    beyond: Beyond<Event>,
    /// How many steps there were.
    steps: u64,
    /// Room for the slices of an epoch.
    slices: IdMap<Slice, Tally>,
    cutter: Cutter,
}

/// What decides in which cell an event lies.
struct Cutter {
    /// Whether anything is counted: whether there is a horizon.
    counts: bool,
    policy: Policy,
    calendars: Calendars,
    cuts: Cuts,
    turns: Turns,
    /// Products whose events are given one by one.
    single: IdMap<ProductId, Asked>,
}

impl State {
    fn new(policy: Policy) -> Self {
        let calendars = Calendars::new(policy.zone.clone());
        let cuts = Cuts::new(&policy, &calendars);
        let turns = Turns::default();
        let single = IdMap::default();
        let cutter = Cutter { counts: false, policy, calendars, cuts, turns, single };
        Self {
            numbers: IdMap::default(),
            entries: Lists::default(),
            horizon: Timestamp::MIN,
            beyond: Beyond::default(),
            steps: 0,
            slices: IdMap::default(),
            cutter,
        }
    }

    fn step(
        &mut self,
        events: Came<Event>,
        subjects: Came<(u32, Subject)>,
        resolutions: Came<(Subject, Resolution)>,
        tables: Came<Table>,
        told: &mut Told,
    ) {
        self.steps += 1;
        let mut recount = Recount::default();
        self.hear(tables, &mut recount);
        let mut gone: Vec<(u32, Subject)> = Vec::new();
        for ((number, subject), diff) in subjects {
            match diff > 0 {
                true => self.settle(number, subject),
                false => gone.push((number, subject)),
            }
        }
        self.mean(resolutions, &mut recount);
        recount.give(told);
        self.begin(told);
        for list in events.lists() {
            fetch(list.iter().map(|(event, ..)| self.look(event.subject)));
            for (event, _, diff) in list {
                self.take(&event, diff, told);
            }
        }
        self.pass(told);
        for (number, subject) in gone {
            self.numbers.remove(&subject);
            if let Some(entry) = self.entries.get_mut(number as usize) {
                *entry = Entry::default();
            }
        }
        slice(&told.0, &mut self.slices, &mut told.1);
    }

    /// Looks at what an event of a subject needs.
    fn look(&self, subject: u32) -> usize {
        self.entries.get(subject as usize).map_or(0, |entry| {
            let meant = entry.resolutions.first().map_or(0, |(_, count)| count.unsigned_abs());
            entry.events.look() + meant
        })
    }

    /// A number stands for a subject from now on.
    fn settle(&mut self, number: u32, subject: Subject) {
        let place = number as usize;
        self.entries.grow(place + 1, Entry::default);
        self.entries[place].tenant = subject.tenant;
        self.numbers.insert(subject, number);
    }

    /// Takes in meanings, and counts anew the events of the subjects that they concern.
    fn mean(&mut self, resolutions: Came<(Subject, Resolution)>, recount: &mut Recount) {
        let mut meanings: IdMap<Subject, Vec<(Resolution, Diff)>> = IdMap::default();
        for ((subject, row), diff) in resolutions {
            meanings.entry(subject).or_default().push((row, diff));
        }
        for (subject, rows) in meanings {
            let Some(number) = self.numbers.get(&subject) else { continue };
            let Some(entry) = self.entries.get_mut(*number as usize) else { continue };
            self.cutter.count_all(entry, -1, recount);
            entry.mean(rows);
            self.cutter.count_all(entry, 1, recount);
        }
    }

    /// Counts an event that comes or goes.
    fn count(&mut self, event: &Event, diff: Diff, told: &mut Told) {
        let Some(entry) = self.entries.get_mut(event.subject as usize) else { return };
        entry.events.keep(event, diff);
        let Some(counted) = self.cutter.count(event, entry, diff) else { return };
        let Counted { cell, tally, late, reading } = counted;
        // Most events of a subject lie in the cell of the one before.
        let (step, place) = entry.last;
        match told.0.get_mut(place).filter(|(last, _)| step == self.steps && *last == cell) {
            Some((_, sum)) => sum.plus_equals(&tally),
            None => {
                entry.last = (self.steps, told.0.len());
                told.0.push((cell, tally));
            }
        }
        told.2.extend(late.map(|late| (late, diff)));
        if let Some(reading) = reading {
            tell(reading, diff, &mut told.3);
        }
    }

    /// Takes in what decides in which cells events lie, and cuts anew what it concerns.
    fn hear(&mut self, tables: Came<Table>, recount: &mut Recount) {
        let mut zones = Vec::new();
        let mut units = Vec::new();
        let mut edges: BTreeMap<Placement, Diff> = BTreeMap::new();
        let mut single: Vec<(ProductId, Asked, Diff)> = Vec::new();
        for (table, diff) in tables {
            match table {
                Table::Zone(zone) => zones.push((zone, diff)),
                Table::Unit(unit) => units.push((unit, diff)),
                Table::Horizon(at) if diff > 0 => self.horizon = self.horizon.max(at),
                Table::Horizon(_) => {}
                Table::Single(product, asked) => single.push((product, asked, diff)),
                Table::Edge(edge) => *edges.entry(edge).or_default() += diff,
            }
        }
        if !single.is_empty() {
            self.ask(single, recount);
        }
        if !zones.is_empty() || !units.is_empty() {
            self.recut(zones, units, recount);
        }
        self.move_nodes(edges, recount);
    }

    /// Changes what is asked of products, and counts their subjects anew.
    fn ask(&mut self, single: Vec<(ProductId, Asked, Diff)>, recount: &mut Recount) {
        let Self { entries, cutter, .. } = self;
        let products: IdSet<ProductId> = single.iter().map(|(product, ..)| *product).collect();
        let concerned = |entry: &Entry| {
            entry.resolutions.iter().any(|(row, _)| products.contains(&row.product))
        };
        let all = || entries.iter().filter(|entry| concerned(entry));
        for entry in all() {
            cutter.count_all(entry, -1, recount);
        }
        for (product, asked, diff) in single {
            if diff > 0 {
                cutter.single.insert(product, asked);
            } else if cutter.single.get(&product) == Some(&asked) {
                cutter.single.remove(&product);
            }
        }
        for entry in all() {
            cutter.count_all(entry, 1, recount);
        }
    }

    /// Changes the calendars and periods by which time is cut, and cuts everything anew if it must.
    fn recut(
        &mut self,
        zones: Vec<(AccountZone, Diff)>,
        units: Vec<(PeriodUnit, Diff)>,
        recount: &mut Recount,
    ) {
        let Self { entries, cutter, .. } = self;
        for entry in entries.iter() {
            cutter.count_all(entry, -1, recount);
        }
        for (zone, diff) in zones {
            cutter.calendars.hear(zone, diff);
        }
        cutter.cuts.change(&cutter.calendars, units);
        for entry in entries.iter() {
            cutter.count_all(entry, 1, recount);
        }
    }

    /// Moves nodes in the trees, and cuts anew what is used at and below those that move at other
    /// instants than before.
    fn move_nodes(&mut self, edges: BTreeMap<Placement, Diff>, recount: &mut Recount) {
        let Self { entries, cutter, .. } = self;
        let Some(moved) = cutter.turns.change(edges) else { return };
        let concerned = |entry: &Entry| {
            let moves =
                |row: &Resolution| moved.concerns(row.account.0) || moved.concerns(row.product.0);
            entry.resolutions.iter().any(|(row, _)| moves(row))
        };
        let moving: Vec<&Entry> = entries.iter().filter(|entry| concerned(entry)).collect();
        for entry in &moving {
            cutter.count_all(entry, -1, recount);
        }
        cutter.turns.settle(moved);
        for entry in &moving {
            cutter.count_all(entry, 1, recount);
        }
    }
}

impl Cutter {
    /// Counts every event of a subject anew.
    fn count_all(&mut self, entry: &Entry, sign: Diff, recount: &mut Recount) {
        if !self.counts {
            return;
        }
        // Which subject it is does not matter here.
        for (event, count) in entry.events.all(0) {
            let diff = sign * count;
            if let Some(counted) = self.count(&event, entry, diff) {
                recount.add(counted, diff);
            }
        }
    }

    /// What one event comes to by its resolution; nothing while it has none.
    fn count(&mut self, event: &Event, entry: &Entry, diff: Diff) -> Option<Counted> {
        let resolution = entry.at(event.at)?;
        let piece = self.cuts.around(event.at, &self.policy);
        let (period, closes_at) = match self.calendars.own(resolution.account) {
            None => (piece.period, piece.closes_at),
            Some(calendar) => {
                let period = calendar.period(self.policy.position_period, event.at);
                (period, self.policy.closing.of(calendar, period))
            }
        };
        let Event { at, quantity, fact, arrived_at, provenance, .. } = *event;
        let nodes = [resolution.account.0, resolution.product.0];
        let cell = Cell {
            tenant: entry.tenant,
            product: resolution.product,
            account: resolution.account,
            user: resolution.user,
            device: resolution.device,
            span: self.turns.within(piece.span, at, nodes),
            period,
            closes_at,
            late: closes_at.is_some_and(|closed| arrived_at >= closed),
        };
        let tally = Tally { events: diff as i128, quantity: i128::from(quantity.0) * diff as i128 };
        let late = cell.late.then_some(Late { cell, fact, arrived_at, provenance, quantity });
        let reading = self.single.get(&cell.product).map(|asked| Reading {
            tenant: cell.tenant,
            product: cell.product,
            account: cell.account,
            user: cell.user,
            at,
            fact,
            quantity,
            asked: *asked,
            device: cell.device,
        });
        Some(Counted { cell, tally, late, reading })
    }
}
