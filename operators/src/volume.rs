//! Metered quantities, attributed and cut into cells of time.
//!
//! cells = Σ { (events: 1, quantity) : event of subject s at t, resolution of s at t,
//!             cell = the piece of time around t in which no period of any account turns, and no
//!                    account moves }
//!
//! A cell lies in one period of every calendar in use and in one shape of the account tree, so totals
//! of any node and zone are sums of cells. What arrived after its period closed is kept apart, so that a closed statement can be
//! told from what is true now.
//!
//! Work per change: the events of the subject; of one event, itself.

use crate::epochs::{Updates, by_key, each_epoch_consolidated, everywhere};
use crate::hierarchy::Placement;
use crate::resolve::place;
use crate::rows::add as add_row;
use crate::tally::Tally;
use crate::zones::{AccountZone, Calendars};
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use timely::dataflow::operators::Concat as _;
use timely::dataflow::operators::vec::Map as _;
use trueup_model::calendar::{Calendar, Period, PeriodUnit};
use trueup_model::derived::{Resolution, Subject};
use trueup_model::fact::{FactId, Provenance};
use trueup_model::hash::IdMap;
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

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Event(Metered),
    Resolution(Subject, Resolution),
    Zone(AccountZone),
    Edge(Placement),
    Single(ProductId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Cell(Cell),
    Late(Late),
    Reading(Reading),
}

/// Cuts attributed events into cells; of the products in `single`, gives each event as well.
pub fn volume<'s>(
    events: Facts<'s, Metered>,
    resolutions: Facts<'s, (Subject, Resolution)>,
    zones: Facts<'s, AccountZone>,
    edges: Facts<'s, Placement>,
    single: Facts<'s, ProductId>,
    policy: Policy,
) -> Volume<'s> {
    let events = events.map(Heard::Event);
    let resolutions = resolutions.map(|(subject, row)| Heard::Resolution(subject, row));
    let keyed = by_key(events.concat(resolutions), |heard| match heard {
        Heard::Event(event) => place(&event.subject),
        Heard::Resolution(subject, _) => place(subject),
        Heard::Zone(_) | Heard::Edge(_) | Heard::Single(_) => 0,
    });
    let zones = zones.map(Heard::Zone).concat(edges.map(Heard::Edge));
    let zones = everywhere(zones.concat(single.map(Heard::Single)));
    let mut state = State::new(policy);
    let found = each_epoch_consolidated(keyed.concat(zones), "Volume", move |updates, changes| {
        state.step(updates, changes);
    });
    let cells = found.clone().flat_map(|(found, epoch, tally)| match found {
        Found::Cell(cell) => Some((cell, epoch, tally)),
        Found::Late(_) | Found::Reading(_) => None,
    });
    let times = |tally: Tally| isize::try_from(tally.events).unwrap_or(0);
    let late = found.clone().flat_map(move |(found, epoch, tally)| match found {
        Found::Late(late) => Some((late, epoch, times(tally))),
        Found::Cell(_) | Found::Reading(_) => None,
    });
    let readings = found.flat_map(move |(found, epoch, tally)| match found {
        Found::Reading(reading) => Some((reading, epoch, times(tally))),
        Found::Cell(_) | Found::Late(_) => None,
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
    events: BTreeMap<(Timestamp, FactId), (Metered, Diff)>,
    resolutions: BTreeMap<Span, (Resolution, Diff)>,
}

struct State {
    policy: Policy,
    calendars: Calendars,
    cuts: Cuts,
    subjects: IdMap<Subject, Entry>,
    /// Products whose events are given one by one.
    single: BTreeMap<ProductId, Diff>,
}

impl State {
    fn new(policy: Policy) -> Self {
        let calendars = Calendars::new(policy.zone.clone());
        let cuts = Cuts::new(&policy, calendars.all());
        Self { policy, calendars, cuts, subjects: IdMap::default(), single: BTreeMap::new() }
    }

    fn step(&mut self, updates: Updates<Heard>, changes: &mut Updates<Found, Tally>) {
        let mut sums: BTreeMap<Found, Tally> = BTreeMap::new();
        let mut events: BTreeMap<Subject, Vec<(Metered, Diff)>> = BTreeMap::new();
        let mut meanings: BTreeMap<Subject, Vec<(Resolution, Diff)>> = BTreeMap::new();
        let mut zones = Vec::new();
        let mut moves: BTreeMap<Timestamp, Diff> = BTreeMap::new();
        let mut single: BTreeMap<ProductId, Diff> = BTreeMap::new();
        for (heard, diff) in updates {
            match heard {
                Heard::Event(event) => events.entry(event.subject).or_default().push((event, diff)),
                Heard::Resolution(subject, row) => {
                    meanings.entry(subject).or_default().push((row, diff));
                }
                Heard::Zone(zone) => zones.push((zone, diff)),
                Heard::Single(product) => add_row(&mut single, product, diff),
                Heard::Edge(edge) => {
                    *moves.entry(edge.span.start).or_default() += diff;
                    *moves.entry(edge.span.end).or_default() += diff;
                }
            }
        }
        let recut = self.cuts.moved_by(&moves);
        if !zones.is_empty() || recut || !single.is_empty() {
            self.recut(zones, &moves, single, &mut sums);
        } else {
            self.cuts.move_turns(&moves);
        }
        for (subject, rows) in meanings {
            self.count_all(&subject, -1, &mut sums);
            let entry = self.subjects.entry(subject).or_default();
            for (row, diff) in rows {
                let kept = entry.resolutions.entry(row.span).or_insert((row, 0));
                // Of two rows of one span one goes and one comes, in any order.
                if diff > 0 {
                    kept.0 = row;
                }
                kept.1 += diff;
            }
            entry.resolutions.retain(|_, (_, count)| *count != 0);
            self.count_all(&subject, 1, &mut sums);
        }
        for (subject, rows) in events {
            for (event, diff) in rows {
                self.count(&event, diff, &mut sums);
                let entry = self.subjects.entry(subject).or_default();
                let kept = entry.events.entry((event.at, event.fact)).or_insert((event, 0));
                if diff > 0 {
                    kept.0 = event;
                }
                kept.1 += diff;
                if kept.1 == 0 {
                    entry.events.remove(&(event.at, event.fact));
                }
            }
            let entry = self.subjects.get(&subject);
            if entry.is_some_and(|one| one.events.is_empty() && one.resolutions.is_empty()) {
                self.subjects.remove(&subject);
            }
        }
        changes.extend(sums.into_iter().filter(|(_, tally)| *tally != Tally::default()));
    }

    /// Changes where time is cut, and cuts everything anew.
    fn recut(
        &mut self,
        zones: Vec<(AccountZone, Diff)>,
        moves: &BTreeMap<Timestamp, Diff>,
        single: BTreeMap<ProductId, Diff>,
        sums: &mut BTreeMap<Found, Tally>,
    ) {
        let subjects: Vec<Subject> = self.subjects.keys().copied().collect();
        for subject in &subjects {
            self.count_all(subject, -1, sums);
        }
        for (zone, diff) in zones {
            self.calendars.hear(zone, diff);
        }
        for (product, diff) in single {
            add_row(&mut self.single, product, diff);
        }
        self.cuts.calendars = self.calendars.all();
        self.cuts.move_turns(moves);
        for subject in &subjects {
            self.count_all(subject, 1, sums);
        }
    }

    /// Counts every event of a subject.
    fn count_all(&mut self, subject: &Subject, sign: Diff, sums: &mut BTreeMap<Found, Tally>) {
        let Some(entry) = self.subjects.get(subject) else { return };
        let events: Vec<(Metered, Diff)> = entry.events.values().copied().collect();
        for (event, count) in events {
            self.count(&event, sign * count, sums);
        }
    }

    /// Counts one event in the cell of its resolution; nothing while it has none.
    fn count(&mut self, event: &Metered, diff: Diff, sums: &mut BTreeMap<Found, Tally>) {
        let Some(entry) = self.subjects.get(&event.subject) else { return };
        let at_or_before = ..=Span::new(event.at, Timestamp::MAX);
        let found = entry.resolutions.range(at_or_before).next_back().map(|(_, row)| row.0);
        let Some(resolution) = found.filter(|row| row.span.contains(event.at)) else { return };
        let calendar = self.calendars.of(resolution.account);
        let period = calendar.period(self.policy.position_period, event.at);
        let closes_at = self.policy.closing.of(calendar, period);
        let cell = Cell {
            tenant: event.subject.tenant,
            product: resolution.product,
            account: resolution.account,
            user: resolution.user,
            device: resolution.device,
            span: self.cuts.around(event.at),
            period,
            closes_at,
            late: closes_at.is_some_and(|closed| event.arrived_at >= closed),
        };
        let quantity = i128::from(event.quantity.0) * diff as i128;
        let tally = Tally { events: diff as i128, quantity };
        add(sums, Found::Cell(cell), tally);
        if self.single.contains_key(&cell.product) {
            let reading = Reading {
                tenant: cell.tenant,
                product: cell.product,
                account: cell.account,
                user: cell.user,
                at: event.at,
                fact: event.fact,
                quantity: event.quantity,
            };
            add(sums, Found::Reading(reading), tally);
        }
        if cell.late {
            add(sums, Found::Late(Late { cell, event: *event }), tally);
        }
    }
}

fn add(sums: &mut BTreeMap<Found, Tally>, found: Found, tally: Tally) {
    let sum = sums.entry(found).or_default();
    sum.events += tally.events;
    sum.quantity += tally.quantity;
}

/// Where time is cut: at every turn of a day, of a shorter period if one is kept, and where an
/// account moves.
struct Cuts {
    unit: PeriodUnit,
    calendars: Vec<Calendar>,
    /// When edges of the account tree begin or end, and how many do.
    turns: BTreeMap<Timestamp, Diff>,
    /// The last cell that was found; events come in clusters.
    last: Span,
}

impl Cuts {
    fn new(policy: &Policy, calendars: Vec<Calendar>) -> Self {
        let unit = policy.periods().min().unwrap_or(PeriodUnit::Day).min(PeriodUnit::Day);
        Self { unit, calendars, turns: BTreeMap::new(), last: Span::default() }
    }

    /// The piece of time around an instant in which no period turns.
    fn between_turns_of_periods(&self, at: Timestamp) -> Span {
        let periods = self.calendars.iter().map(|calendar| calendar.period(self.unit, at).span);
        periods.fold(Span::ALWAYS, Span::intersect)
    }

    /// Whether moves of accounts come or go at instants where time is not cut anyway.
    fn moved_by(&self, moves: &BTreeMap<Timestamp, Diff>) -> bool {
        moves.iter().filter(|(at, _)| at.is_calendar()).any(|(at, change)| {
            let before = self.turns.get(at).copied().unwrap_or_default();
            (before == 0) != (before + change == 0)
                && self.between_turns_of_periods(*at).start != *at
        })
    }

    fn move_turns(&mut self, moves: &BTreeMap<Timestamp, Diff>) {
        for (at, change) in moves.iter().filter(|(at, _)| at.is_calendar()) {
            let count = self.turns.entry(*at).or_default();
            *count += change;
            if *count == 0 {
                self.turns.remove(at);
            }
        }
        self.last = Span::default();
    }

    /// The cell around an instant.
    fn around(&mut self, at: Timestamp) -> Span {
        if !self.last.contains(at) {
            let mut cell = self.between_turns_of_periods(at);
            if let Some((turn, _)) = self.turns.range(..=at).next_back() {
                cell.start = cell.start.max(*turn);
            }
            if let Some((turn, _)) = self.turns.range(at.plus_us(1)..).next() {
                cell.end = cell.end.min(*turn);
            }
            self.last = cell;
        }
        self.last
    }
}
