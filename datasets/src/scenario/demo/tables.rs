//! What Helios bought, who holds seats, and what was metered.

use super::people::People;
use super::{Clock, day_of};
use crate::population::{AccountIndex, PersonIndex, ProductIndex};
use crate::random::Random;
use crate::traps::{Trap, Traps};
use crate::wall::{is_weekend, next_day};
use crate::world::{Purchase, SeatRow, UsageRow};
use jiff::civil::{Date, date};
use trueup_model::contract::LineKind;
use trueup_model::metric::Metric;
use trueup_model::quantity::{Money, ONE_UNIT, Quantity};
use trueup_model::time::Timestamp;
use trueup_model::usage::SeatClass;

/// A row of the purchase list, in the words of the list.
struct Bought {
    line: &'static str,
    contract: &'static str,
    product: ProductIndex,
    metric: Metric,
    quantity: i64,
    from: Date,
    until: Option<Date>,
    account: AccountIndex,
    cost: i64,
    currency: [u8; 3],
    kind: LineKind,
}

pub(super) fn purchases(people: &People) -> Vec<Purchase> {
    let start_of = |year| date(year, 1, 1);
    let row = |line, product, quantity, cost| Bought {
        line,
        contract: "HE-2024-MER",
        product,
        metric: Metric::Concurrent,
        quantity,
        from: start_of(2024),
        until: None,
        account: people.group,
        cost,
        currency: *b"EUR",
        kind: LineKind::Base,
    };
    let aurora = |bought: Bought| Bought { contract: "HE-2025-AUR", ..bought };
    let borealis = |metric, bought: Bought| Bought {
        contract: "HE-2026-BOR",
        metric,
        from: day_of(2, 1),
        until: Some(date(2027, 1, 31)),
        ..bought
    };
    let rows = vec![
        row("PO-1001", people.mesh, 12, 21_600),
        row("PO-1002", people.studio, 8, 20_000),
        Bought { account: people.gmbh, ..row("PO-1003", people.flow, 6, 9_000) },
        Bought { account: people.uk, currency: *b"GBP", ..row("PO-1004", people.flow, 4, 5_200) },
        Bought {
            kind: LineKind::Maintenance,
            from: start_of(2026),
            until: Some(date(2026, 12, 31)),
            ..row("PO-1005", people.mesh, 12, 3_240)
        },
        aurora(Bought {
            from: date(2025, 3, 1),
            until: Some(day_of(2, 28)),
            ..row("PO-2001", people.cfd, 5, 30_000)
        }),
        aurora(Bought { from: date(2025, 7, 1), ..row("PO-2002", people.render, 50, 12_000) }),
        borealis(Metric::NamedUser, row("PO-3001", people.docs, 20, 2_400)),
        borealis(Metric::Volume, row("PO-3002", people.api, 120_000, 6_000)),
    ];
    rows.into_iter().map(purchase).collect()
}

fn purchase(row: Bought) -> Purchase {
    Purchase {
        line: row.line.to_owned(),
        contract: row.contract.to_owned(),
        product: row.product,
        metric: row.metric,
        quantity: Quantity::units(row.quantity),
        start: Some(row.from),
        end: row.until,
        account: row.account,
        cost: Some(Money { amount: row.cost * ONE_UNIT, currency: row.currency }),
        kind: row.kind,
    }
}

/// Twelve seats in February, eighteen in March; one person on two accounts, a guest, a service.
pub(super) fn seats(people: &People) -> Vec<SeatRow> {
    let seat = |person: PersonIndex, account, start: Date| SeatRow {
        product: people.docs,
        person,
        class: SeatClass::Full,
        start: Some(start),
        end: None,
        account,
    };
    let (early, late) = (day_of(2, 2), day_of(3, 2));
    let german = people.german[..5].iter().map(|(person, _)| seat(*person, people.gmbh, early));
    let british = people.british[..4].iter().map(|(person, _)| seat(*person, people.uk, early));
    let spanish = people.spanish[..2].iter().map(|(person, _)| seat(*person, people.iberia, early));
    let mut rows: Vec<SeatRow> = german.chain(british).chain(spanish).collect();
    rows.push(seat(people.seconded.0, people.gmbh, early));
    rows.push(seat(people.seconded.0, people.uk, late));
    let writers = people.writers.iter().zip([people.gmbh, people.iberia, people.uk]);
    rows.extend(writers.map(|(person, account)| seat(*person, account, late)));
    rows.push(seat(people.german[5].0, people.gmbh, late));
    rows.push(seat(people.british[4].0, people.uk, late));
    rows.push(seat(people.spanish[2].0, people.iberia, late));
    let exempt = [(people.guest, SeatClass::Guest), (people.service, SeatClass::Service)];
    for (person, class) in exempt {
        rows.push(SeatRow { class, ..seat(person, people.gmbh, early) });
    }
    rows
}

/// Calls of an interface, eight times a working day in each affiliate; half as many again in March.
pub(super) fn usage(people: &People, random: &mut Random, traps: &mut Traps) -> Vec<UsageRow> {
    let affiliates = [
        (people.gmbh, Clock::new("Europe/Berlin"), "de"),
        (people.uk, Clock::new("Europe/London"), "uk"),
        (people.iberia, Clock::new("Europe/Madrid"), "es"),
    ];
    let mut rows = Vec::new();
    let mut day = day_of(2, 16);
    while day <= day_of(3, 8) {
        let (least, most) = if day.month() == 2 { (2_500, 5_400) } else { (4_300, 7_400) };
        for (account, clock, short) in affiliates.iter().filter(|_| !is_weekend(day)) {
            for hour in [8_i8, 9, 10, 11, 13, 14, 15, 16] {
                let minute = i8::try_from(random.below(60)).unwrap_or(0);
                let at = clock.at(day.month(), day.day(), hour, minute, 0);
                let tenths = i64::try_from(random.between(least, most)).unwrap_or(0);
                let id = format!("{short}-{}-{hour:02}", day.strftime("%m%d"));
                rows.push(row(people, id, at, *account, tenths));
            }
        }
        day = next_day(day);
    }
    // The night of 28 February in London, already March where the group has its seat.
    let london = &affiliates[1].1;
    rows.push(row(people, "uk-0228-23".to_owned(), london.at(2, 28, 23, 30, 0), people.uk, 12_005));
    traps.add(Trap::MonthInZone, 1);
    rows.sort_by_key(|row| row.at);
    // Two deliveries of one event, twice.
    for id in ["de-0219-10", "es-0304-15"] {
        let again: Vec<UsageRow> = rows.iter().filter(|row| row.id == id).cloned().collect();
        traps.add(Trap::RepeatedUsage, again.len() as u64);
        rows.extend(again);
    }
    rows
}

fn row(people: &People, id: String, at: Timestamp, account: AccountIndex, tenths: i64) -> UsageRow {
    UsageRow {
        id,
        at,
        product: people.api,
        account,
        person: None,
        machine: None,
        quantity: Quantity(tenths * ONE_UNIT / 10),
    }
}
