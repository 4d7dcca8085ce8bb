//! What the university bought, who holds seats, and what was metered.

use super::Place;
use super::people::People;
use crate::population::{AccountIndex, ProductIndex};
use crate::random::Random;
use crate::traps::{Trap, Traps};
use crate::wall::{later, seconds_between};
use crate::world::{Purchase, SeatRow, UsageRow};
use jiff::civil::{Date, date};
use trueup_model::calendar::Zone;
use trueup_model::contract::LineKind;
use trueup_model::metric::Metric;
use trueup_model::quantity::{Money, ONE_UNIT, Quantity};
use trueup_model::time::Span;
use trueup_model::usage::SeatClass;

/// The purchase list: pools of faculties and of the university, a credit, a renewal of maintenance,
/// a purchase of the future, one that ended.
pub(super) fn purchases(people: &People, scale: u32, window: Span) -> Vec<Purchase> {
    let products = &people.products;
    let mut list = List { rows: Vec::new(), scale: i64::from(scale) };
    list.add(products.core, people.engineering, 14, 28_000);
    list.add(products.core, people.science, 10, 20_000);
    list.add(products.core, people.university, 14, 25_000);
    list.add(products.core, people.university, -2, -3_500);
    list.add(products.core, people.sydney, 6, 12_000);
    list.add(products.signal, people.university, 24, 9_600);
    list.add(products.cad, people.architecture, 8, 12_000);
    list.add(products.cad, people.university, 2, 3_200);
    list.add(products.collection, people.architecture, 3, 7_500);
    list.add(products.simulation, people.sydney, 4, 22_000);
    list.add(products.computing, people.boston, 96, 48_000);
    list.add(products.engine, people.boston, 48, 9_600);
    let before = |row: &mut Purchase| row.start = Some(date(2024, 9, 1));
    list.rows.iter_mut().for_each(before);
    if let Some(engine) = list.rows.last_mut() {
        engine.end = Some(date(2026, 1, 2));
    }
    list.add(products.core, people.university, 40, 70_000);
    list.change(|row| row.start = Some(date(2030, 1, 1)));
    list.add(products.core, people.university, 36, 14_000);
    list.change(|row| row.kind = LineKind::Maintenance);
    list.add(products.cad, people.architecture, 8, 1_600);
    list.change(|row| row.kind = LineKind::Upgrade);
    list.add(products.wiki, people.university, 40, 4_000);
    list.change(|row| row.metric = Metric::NamedUser);
    list.add(products.storage, people.university, 30_000, 1_500);
    list.change(|row| row.metric = Metric::Volume);
    let first_day = Zone::utc().local(window.start).date();
    list.change(|row| row.start = Some(date(first_day.year(), 1, 1)));
    list.rows
}

struct List {
    rows: Vec<Purchase>,
    scale: i64,
}

impl List {
    fn add(&mut self, product: ProductIndex, account: AccountIndex, count: i64, cost: i64) {
        let number = self.rows.len() + 1;
        self.rows.push(Purchase {
            line: format!("NU-{number:04}"),
            contract: format!("NU-C{:02}", number % 5 + 1),
            product,
            metric: Metric::Concurrent,
            quantity: Quantity::units(count * self.scale),
            start: None,
            end: None,
            account,
            cost: Some(Money { amount: cost * self.scale * ONE_UNIT, currency: *b"EUR" }),
            kind: LineKind::Base,
        });
    }

    fn change(&mut self, change: impl Fn(&mut Purchase)) {
        self.rows.last_mut().into_iter().for_each(change);
    }
}

/// Seats of the wiki: most of the staff, a few guests, some who joined or left on a day.
pub(super) fn seats(people: &People, window: Span, zone: &Zone) -> Vec<SeatRow> {
    let first_day = zone.local(window.start).date();
    let middle: Date = zone.local(later(window.start, half_seconds(window))).date();
    let mut rows = Vec::new();
    for (number, (person, machine)) in people.staff.iter().enumerate() {
        if number % 5 == 4 {
            continue;
        }
        let account = people.population.account_of(*person, *machine);
        rows.push(SeatRow {
            product: people.products.wiki,
            person: *person,
            class: if number % 11 == 3 { SeatClass::Guest } else { SeatClass::Full },
            start: Some(if number % 7 == 5 { middle } else { first_day }),
            end: (number % 13 == 6).then_some(middle),
            account: account.unwrap_or(people.university),
        });
    }
    rows
}

fn half_seconds(window: Span) -> i64 {
    i64::try_from(seconds_between(window.start, window.end) / 2).unwrap_or(0)
}

/// Gigabytes of storage, by the hour and account; some delivered twice, some at the turn of a month.
pub(super) fn usage(
    people: &People,
    scale: u32,
    place: &Place,
    random: &mut Random,
    traps: &mut Traps,
) -> Vec<UsageRow> {
    let accounts = [people.engineering, people.science, people.architecture];
    let hours = seconds_between(place.window.start, place.window.end) / 3_600;
    let mut rows: Vec<UsageRow> = Vec::new();
    for hour in 0..hours * u64::from(scale) {
        let offset = random.below(seconds_between(place.window.start, place.window.end));
        let account = *random.pick(&accounts);
        rows.push(UsageRow {
            id: format!("st-{hour:06}"),
            at: later(place.window.start, i64::try_from(offset).unwrap_or(0)),
            product: people.products.storage,
            account,
            person: random.chance(300).then(|| random.pick(&people.members).0),
            machine: None,
            quantity: Quantity(i64::try_from(random.between(1, 99_999)).unwrap_or(1) * 1_000),
        });
    }
    // Half an hour past the turn of the month on the wall, before it by UTC.
    let turn = place.zone.day_start(date(2026, 11, 1));
    for seconds in [-1, 0, 1_800] {
        let at = later(turn, seconds);
        if place.window.contains(at) {
            traps.add(Trap::MonthInZone, u64::from(seconds >= 0));
            rows.push(UsageRow { id: format!("st-turn{seconds}"), at, ..rows[0].clone() });
        }
    }
    rows.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
    let again: Vec<UsageRow> = rows.iter().step_by(37).cloned().collect();
    traps.add(Trap::RepeatedUsage, again.len() as u64);
    rows.extend(again);
    rows
}
