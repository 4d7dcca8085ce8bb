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

use crate::epochs::{ROOM_KEPT, Updates, by_key, each_epoch_of, everywhere, operator};
use crate::hierarchy::Placement;
use crate::resolve::place;
use crate::tally::Tally;
use crate::zones::{AccountZone, Calendars};
use crate::{Diff, Facts};
use cuts::{Cuts, Turns};
use differential_dataflow::AsCollection as _;
use differential_dataflow::difference::Semigroup;
use events::Events;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::hash::Hash;
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

/// An event that arrived after its period closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Late {
    /// The cell that it adds to.
    pub cell: Cell,
    /// The event.
    pub event: Metered,
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
    /// Late events.
    pub late: Facts<'s, Late>,
    /// Single events of the products that count them.
    pub readings: Facts<'s, Reading>,
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
    events: Facts<'s, Metered>,
    resolutions: Facts<'s, (Subject, Resolution)>,
    zones: Facts<'s, AccountZone>,
    edges: Facts<'s, Placement>,
    single: Facts<'s, (ProductId, Asked)>,
    units: Facts<'s, PeriodUnit>,
    policy: Policy,
) -> Volume<'s> {
    let events = by_key(events, |event| place(&event.subject));
    let resolutions = by_key(resolutions, |(subject, _)| place(subject));
    let tables = everywhere(zones.map(Table::Zone).concatenate([
        edges.map(Table::Edge),
        single.map(|(product, asked)| Table::Single(product, asked)),
        units.map(Table::Unit),
    ]));
    let mut state = State::new(policy);
    let mut sums = Sums::default();
    let builder = operator("Volume", &events);
    let heard = (events, resolutions, tables);
    let (cells, late, readings) =
        each_epoch_of(builder, heard, move |(metered, meanings, table), told| {
            state.step(metered, meanings, table, &mut sums);
            sums.give(told);
        });
    Volume {
        cells: cells.as_collection(),
        late: late.as_collection(),
        readings: readings.as_collection(),
    }
}

/// The events and meanings of one subject.
#[derive(Default)]
struct Entry {
    events: Events,
    /// In the order of their spans, which do not overlap.
    resolutions: Vec<(Resolution, Diff)>,
}

/// What leaves.
type Told = (Updates<Cell, Tally>, Updates<Late>, Updates<Reading>);

/// What an epoch changes.
#[derive(Default)]
struct Sums {
    cells: IdMap<Cell, Tally>,
    late: IdMap<Late, Diff>,
    readings: IdMap<Reading, Diff>,
}

impl Sums {
    /// Gives everything, and keeps no more room than is usual.
    fn give(&mut self, told: &mut Told) {
        give(&mut self.cells, &mut told.0);
        give(&mut self.late, &mut told.1);
        give(&mut self.readings, &mut told.2);
    }
}

fn give<D, R: Semigroup>(rows: &mut IdMap<D, R>, told: &mut Updates<D, R>)
where
    D: Eq + Hash,
{
    let room = rows.len().max(ROOM_KEPT);
    told.extend(rows.drain().filter(|(_, weight)| !weight.is_zero()));
    rows.shrink_to(room);
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
    subjects: IdMap<Subject, Entry>,
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
        Self { subjects: IdMap::default(), cutter }
    }

    fn step(
        &mut self,
        events: Updates<Metered>,
        resolutions: Updates<(Subject, Resolution)>,
        tables: Updates<Table>,
        sums: &mut Sums,
    ) {
        self.hear(tables, sums);
        let mut meanings: IdMap<Subject, Vec<(Resolution, Diff)>> = IdMap::default();
        for ((subject, row), diff) in resolutions {
            meanings.entry(subject).or_default().push((row, diff));
        }
        for (subject, rows) in meanings {
            let entry = self.subjects.entry(subject).or_default();
            self.cutter.count_all(subject, entry, -1, sums);
            entry.mean(rows);
            self.cutter.count_all(subject, entry, 1, sums);
        }
        let mut bare: Vec<Subject> = Vec::new();
        for (event, diff) in events {
            let entry = self.subjects.entry(event.subject).or_default();
            self.cutter.count(&event, entry.at(event.at), diff, sums);
            entry.events.keep(&event, diff);
            if entry.events.is_empty() && entry.resolutions.is_empty() {
                bare.push(event.subject);
            }
        }
        for subject in bare {
            let entry = self.subjects.get(&subject);
            if entry.is_some_and(|one| one.events.is_empty() && one.resolutions.is_empty()) {
                self.subjects.remove(&subject);
            }
        }
    }

    /// Takes in what decides in which cells events lie, and cuts anew what it concerns.
    fn hear(&mut self, tables: Updates<Table>, sums: &mut Sums) {
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
            self.ask(single, sums);
        }
        if !zones.is_empty() || !units.is_empty() {
            self.recut(zones, units, sums);
        }
        self.move_nodes(edges, sums);
    }

    /// Changes what is asked of products, and counts their subjects anew.
    fn ask(&mut self, single: Vec<(ProductId, Asked, Diff)>, sums: &mut Sums) {
        let Self { subjects, cutter } = self;
        let products: IdSet<ProductId> = single.iter().map(|(product, ..)| *product).collect();
        let concerned = |entry: &Entry| {
            entry.resolutions.iter().any(|(row, _)| products.contains(&row.product))
        };
        let subjects = || subjects.iter().filter(|(_, entry)| concerned(entry));
        for (subject, entry) in subjects() {
            cutter.count_all(*subject, entry, -1, sums);
        }
        for (product, asked, diff) in single {
            if diff > 0 {
                cutter.single.insert(product, asked);
            } else if cutter.single.get(&product) == Some(&asked) {
                cutter.single.remove(&product);
            }
        }
        for (subject, entry) in subjects() {
            cutter.count_all(*subject, entry, 1, sums);
        }
    }

    /// Changes the calendars and periods by which time is cut, and cuts everything anew if it must.
    fn recut(
        &mut self,
        zones: Vec<(AccountZone, Diff)>,
        units: Vec<(PeriodUnit, Diff)>,
        sums: &mut Sums,
    ) {
        let Self { subjects, cutter } = self;
        for (subject, entry) in &*subjects {
            cutter.count_all(*subject, entry, -1, sums);
        }
        for (zone, diff) in zones {
            cutter.calendars.hear(zone, diff);
        }
        cutter.cuts.change(&cutter.calendars, units);
        for (subject, entry) in &*subjects {
            cutter.count_all(*subject, entry, 1, sums);
        }
    }

    /// Moves nodes in the trees, and cuts anew what is used at and below those that move at other
    /// instants than before.
    fn move_nodes(&mut self, edges: BTreeMap<Placement, Diff>, sums: &mut Sums) {
        let Self { subjects, cutter } = self;
        let Some(moved) = cutter.turns.change(edges) else { return };
        let concerned = |entry: &Entry| {
            let moves =
                |row: &Resolution| moved.concerns(row.account.0) || moved.concerns(row.product.0);
            entry.resolutions.iter().any(|(row, _)| moves(row))
        };
        let subjects: Vec<_> = subjects.iter().filter(|(_, entry)| concerned(entry)).collect();
        for (subject, entry) in &subjects {
            cutter.count_all(**subject, entry, -1, sums);
        }
        cutter.turns.settle(moved);
        for (subject, entry) in &subjects {
            cutter.count_all(**subject, entry, 1, sums);
        }
    }
}

impl Cutter {
    /// Counts every event of a subject.
    fn count_all(&mut self, subject: Subject, entry: &Entry, sign: Diff, sums: &mut Sums) {
        for (event, count) in entry.events.all(subject) {
            self.count(&event, entry.at(event.at), sign * count, sums);
        }
    }

    /// Counts one event in the cell of its resolution; nothing while it has none.
    fn count(
        &mut self,
        event: &Metered,
        resolution: Option<&Resolution>,
        diff: Diff,
        sums: &mut Sums,
    ) {
        let Some(resolution) = resolution else { return };
        let piece = self.cuts.around(event.at, &self.policy);
        let (period, closes_at) = match self.calendars.own(resolution.account) {
            None => (piece.period, piece.closes_at),
            Some(calendar) => {
                let period = calendar.period(self.policy.position_period, event.at);
                (period, self.policy.closing.of(calendar, period))
            }
        };
        let cell = Cell {
            tenant: event.subject.tenant,
            product: resolution.product,
            account: resolution.account,
            user: resolution.user,
            device: resolution.device,
            span: self.turns.within(
                piece.span,
                event.at,
                [resolution.account.0, resolution.product.0],
            ),
            period,
            closes_at,
            late: closes_at.is_some_and(|closed| event.arrived_at >= closed),
        };
        let quantity = i128::from(event.quantity.0) * diff as i128;
        let tally = Tally { events: diff as i128, quantity };
        sums.cells.entry(cell).or_default().plus_equals(&tally);
        if let Some(asked) = self.single.get(&cell.product) {
            let reading = Reading {
                tenant: cell.tenant,
                product: cell.product,
                account: cell.account,
                user: cell.user,
                at: event.at,
                fact: event.fact,
                quantity: event.quantity,
                asked: *asked,
                device: cell.device,
            };
            *sums.readings.entry(reading).or_default() += diff;
        }
        if cell.late {
            *sums.late.entry(Late { cell, event: *event }).or_default() += diff;
        }
    }
}
