//! Metered quantities, attributed and cut into cells of time.
//!
//! cells = Σ { (events: 1, quantity) : event of subject s at t, resolution of s at t,
//!             cell = the piece of time around t in which no period of any account turns, and
//!                    neither the account nor the product moves in its tree }
//!
//! A cell lies in one period of every calendar in use and in one shape of the way up, so totals of any
//! node and zone are sums of cells (`cuts.rs`). What arrived after its period closed is kept apart, so
//! that a closed statement can be told from what is true now.
//!
//! Work per change: of an event, itself; of a meaning, the events of the subject; of a move at a date or of
//! what is asked of a product, those of the subjects that it concerns, which are looked for among all.

mod cuts;
mod events;

use crate::epochs::{Came, ROOM_KEPT, Updates, by_key, each_epoch_of, everywhere, operator};
use crate::hierarchy::Placement;
use crate::numbered::{Event, Numbered};
use crate::resolve::place;
use crate::tally::Tally;
use crate::zones::{AccountZone, Calendars};
use crate::{Diff, Facts};
use cuts::{Cuts, Turns};
use differential_dataflow::AsCollection as _;
use differential_dataflow::difference::{IsZero as _, Semigroup as _};
use events::Events;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use trueup_model::calendar::{Period, PeriodUnit};
use trueup_model::derived::{Resolution, Subject};
use trueup_model::fact::{FactId, Provenance};
use trueup_model::hash::{IdMap, IdSet};
use trueup_model::id::{AccountId, DeviceId, Id, ProductId, TenantId, UserId};
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

/// An event that adds to a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Metered {
    /// What was used by whom.
    pub subject: Subject,
    /// When.
    pub at: Timestamp,
    /// How much.
    pub quantity: Quantity,
    /// The fact.
    pub fact: FactId,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// Where it was read.
    pub provenance: Provenance<Id>,
}

/// A cell of attributed use; its weight says how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// Whose it is.
    pub tenant: TenantId,
    /// The product.
    pub product: ProductId,
    /// For which account.
    pub account: AccountId,
    /// By whom.
    pub user: Option<UserId>,
    /// On which machine.
    pub device: Option<DeviceId>,
    /// The piece of time.
    pub span: Span,
    /// The account's position period.
    pub period: Period,
    /// When that period closes.
    pub closes_at: Option<Timestamp>,
    /// Whether it arrived after that.
    pub late: bool,
}

/// What is used in a cell, by whomever: the cells of one account, product and piece of time together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slice {
    /// Whose it is.
    pub tenant: TenantId,
    /// The product.
    pub product: ProductId,
    /// For which account.
    pub account: AccountId,
    /// The piece of time.
    pub span: Span,
    /// The account's position period.
    pub period: Period,
    /// When that period closes.
    pub closes_at: Option<Timestamp>,
    /// Whether it arrived after that.
    pub late: bool,
}

impl Slice {
    /// The slice of a cell.
    pub(crate) fn of(cell: &Cell) -> Self {
        let Cell { tenant, product, account, span, period, closes_at, late, .. } = *cell;
        Self { tenant, product, account, span, period, closes_at, late }
    }
}

impl Hash for Slice {
    /// What nearly always tells slices apart.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.product, self.account, self.span.start).hash(state);
    }
}

/// An event that arrived after its period closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Late {
    /// The cell that it adds to.
    pub cell: Cell,
    /// The fact.
    pub fact: FactId,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// Where it was read.
    pub provenance: Provenance<Id>,
    /// How much.
    pub quantity: Quantity,
}

/// For what a product's quantities are asked one by one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Asked {
    /// For the greatest of a period.
    pub maximum: bool,
    /// For the newest of a period.
    pub latest: bool,
    /// For who took part in a period.
    pub unique: bool,
    /// For credits and prices, in the order of use.
    pub ledger: bool,
    /// For who uses what is allocated.
    pub holders: bool,
}

/// An attributed event by itself, where a product counts single quantities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reading {
    /// Whose it is.
    pub tenant: TenantId,
    /// The product.
    pub product: ProductId,
    /// For which account.
    pub account: AccountId,
    /// By whom.
    pub user: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// The fact; of equal instants, the greater one is the later.
    pub fact: FactId,
    /// How much.
    pub quantity: Quantity,
    /// What for.
    pub asked: Asked,
    /// On which machine.
    pub device: Option<DeviceId>,
}

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
}

/// Cuts attributed events into cells; of the products in `single`, gives each event as well. A product
/// has one row in it at most. Besides the policy's periods, cells lie in those of the `units`.
pub fn volume<'s>(
    events: Numbered<'s>,
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

/// What is counted anew in an epoch: most of it comes where it went.
#[derive(Default)]
struct Recount {
    cells: IdMap<Cell, Tally>,
    late: IdMap<Late, Diff>,
    readings: IdMap<Reading, Diff>,
}

impl Recount {
    fn add(&mut self, counted: Counted, diff: Diff) {
        let Counted { cell, tally, late, reading } = counted;
        self.cells.entry(cell).or_default().plus_equals(&tally);
        if let Some(late) = late {
            *self.late.entry(late).or_default() += diff;
        }
        if let Some(reading) = reading {
            *self.readings.entry(reading).or_default() += diff;
        }
    }

    /// Gives what differs from before, and keeps nothing.
    fn give(self, told: &mut Told) {
        told.0.extend(self.cells.into_iter().filter(|(_, tally)| !tally.is_zero()));
        told.2.extend(self.late.into_iter().filter(|(_, diff)| *diff != 0));
        for (reading, diff) in self.readings.into_iter().filter(|(_, diff)| *diff != 0) {
            tell(reading, diff, &mut told.3);
        }
    }
}

/// What one event comes to.
struct Counted {
    cell: Cell,
    tally: Tally,
    late: Option<Late>,
    reading: Option<Reading>,
}

/// Tells a reading to those who asked for it.
fn tell(reading: Reading, diff: Diff, told: &mut [Updates<Reading>; 4]) {
    let Asked { maximum, latest, unique, ledger, holders } = reading.asked;
    let asks = [maximum || latest, unique, ledger, holders];
    for (list, _) in told.iter_mut().zip(asks).filter(|(_, asks)| *asks) {
        list.push((reading, diff));
    }
}

/// Adds up the cells of an epoch over all who used them.
fn slice(
    cells: &Updates<Cell, Tally>,
    slices: &mut IdMap<Slice, Tally>,
    told: &mut Updates<Slice, Tally>,
) {
    for (cell, tally) in cells {
        slices.entry(Slice::of(cell)).or_default().plus_equals(tally);
    }
    let room = slices.len().max(ROOM_KEPT);
    told.extend(slices.drain().filter(|(_, tally)| !tally.is_zero()));
    slices.shrink_to(room);
}

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
    entries: Vec<Entry>,
    /// How many steps there were.
    steps: u64,
    /// Room for the slices of an epoch.
    slices: IdMap<Slice, Tally>,
    cutter: Cutter,
}

/// What decides in which cell an event lies.
struct Cutter {
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
        let cutter = Cutter { policy, calendars, cuts, turns, single: IdMap::default() };
        Self {
            numbers: IdMap::default(),
            entries: Vec::new(),
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
        for (event, diff) in events {
            self.count(&event, diff, told);
        }
        for (number, subject) in gone {
            self.numbers.remove(&subject);
            if let Some(entry) = self.entries.get_mut(number as usize) {
                *entry = Entry::default();
            }
        }
        slice(&told.0, &mut self.slices, &mut told.1);
    }

    /// A number stands for a subject from now on.
    fn settle(&mut self, number: u32, subject: Subject) {
        let place = number as usize;
        if self.entries.len() <= place {
            self.entries.resize_with(place + 1, Entry::default);
        }
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
        for entry in &*entries {
            cutter.count_all(entry, -1, recount);
        }
        for (zone, diff) in zones {
            cutter.calendars.hear(zone, diff);
        }
        cutter.cuts.change(&cutter.calendars, units);
        for entry in &*entries {
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
