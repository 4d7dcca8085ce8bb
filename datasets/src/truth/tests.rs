use super::levels::{Charge, figures, level_at, levels};
use super::positions::{Position, positions};
use super::refusals::{attempts, waits};
use super::rights::{Node, rights};
use super::usage::{Range, under_rule};
use super::uses::{Suites, uses};
use super::volumes::{events, volumes};
use crate::flexnet_log::Style;
use crate::license_file::Package;
use crate::population::{AccountIndex, MachineIndex, PersonIndex, Population, ProductIndex};
use crate::random::Random;
use crate::server::{FeatureIndex, Incident, IncidentKind, Server};
use crate::sessions::{Plan, simulate};
use crate::testing::{FEATURE, plan, start, world as small};
use crate::traps::Traps;
use crate::wall::later;
use crate::world::{Purchase, SeatRow, Site, UsageRow, World};
use jiff::civil::date;
use trueup_model::calendar::Zone;
use trueup_model::contract::LineKind;
use trueup_model::metric::{Duplicates, Metric};
use trueup_model::position::PositionState;
use trueup_model::quantity::{Capacity, ONE_UNIT, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::{SeatClass, SessionKind};

fn at(seconds: i64) -> Timestamp {
    later(start(), seconds)
}

fn charge(group: usize, from: i64, until: i64, count: u32) -> Charge {
    Charge { group, span: Span::new(at(from), at(until)), count }
}

/// A world of one server whose people want this, with one product that nobody bought.
fn world(server: Server, mut population: Population, plans: &[Plan]) -> World {
    population.product("Mesh", "Simulation", "Example Software");
    let (mut random, mut traps) = (Random::new(1), Traps::default());
    let histories = vec![simulate(&server, 0, plans, &population, &mut random, &mut traps)];
    let style = Style::plain("a");
    let written = crate::flexnet_log::write(
        &server,
        &histories,
        &population,
        &style,
        &mut random,
        &mut traps,
    );
    let horizon = server.window.end;
    let site = Site { server, histories, style, written, reports: Vec::new() };
    World {
        zone: Zone::utc(),
        table_zone: Zone::utc(),
        horizon,
        population,
        sites: vec![site],
        purchases: Vec::new(),
        seats: Vec::new(),
        usage: Vec::new(),
    }
}

/// A line of so many licenses for an account by its place.
fn bought(account: usize, quantity: i64) -> Purchase {
    Purchase {
        line: format!("PO-{account}-{quantity}"),
        contract: "C-1".to_owned(),
        product: ProductIndex(0),
        metric: Metric::Concurrent,
        quantity: Quantity::units(quantity),
        start: Some(date(2025, 1, 1)),
        end: None,
        account: AccountIndex(account),
        cost: None,
        kind: LineKind::Base,
    }
}

#[test]
fn a_group_costs_its_largest_count_and_touching_spans_do_not_overlap() {
    let found = levels(&[
        charge(0, 0, 100, 7),
        charge(0, 50, 80, 8),
        charge(1, 100, 200, 1),
        charge(2, 60, 60, 9),
    ]);
    let told: Vec<(i64, u64)> = found
        .iter()
        .map(|(when, level)| (i64::try_from(when.since_us(start()) / 1_000_000).unwrap(), *level))
        .collect();
    assert_eq!(told, [(0, 7), (50, 8), (80, 7), (100, 1), (200, 0)]);
    let whole = figures(&found, Span::new(at(0), at(300)));
    assert_eq!((whole.peak, whole.peak_at), (8, Some(at(50))));
    assert_eq!(whole.license_seconds, 7 * 70 + 8 * 30 + 100);
    let later_part = figures(&found, Span::new(at(90), at(150)));
    assert_eq!((later_part.peak, later_part.peak_at), (7, Some(at(90))));
    assert_eq!(later_part.license_seconds, 70 + 50);
    assert_eq!((level_at(&found, at(79)), level_at(&found, at(200))), (8, 0));
}

#[test]
fn a_crash_gives_a_range_from_the_last_line_to_the_next_start() {
    let (mut server, population) = small(9, "NONE");
    server.incidents.push(Incident { kind: IncidentKind::Crash, at: at(2_000), back: at(2_600) });
    // Bob's checkout is the daemon's last line before it dies.
    let plans = [plan(1_000, 0, 50_000), plan(1_500, 1, 50_000)];
    let world = world(server, population, &plans);
    let found = under_rule(&world, &world.sites[0], 0, FEATURE, "NONE");
    assert_eq!(found.whole.peak, 2);
    assert_eq!(found.whole.license_seconds, Range { least: 500, most: 1_600 + 1_100 });
    assert_eq!(found.whole.at_end, 0);
}

#[test]
fn a_month_is_counted_in_the_servers_zone_and_a_clock_change_lasts_as_it_lasts() {
    let (mut server, population) = small(9, "NONE");
    server.zone = Zone::named("Europe/Madrid").unwrap();
    server.window =
        Span::new("2026-10-24T20:00:00Z".parse().unwrap(), "2026-11-01T20:00:00Z".parse().unwrap());
    // Over the repeated hour: 2:30 to 2:30 on the wall is an hour.
    let night = Plan { at: "2026-10-25T00:30:00Z".parse().unwrap(), ..plan(0, 0, 3_600) };
    // Over the turn of the month, which is at 23:00 by universal time: an hour and half an hour.
    let turn = Plan { at: "2026-10-31T22:00:00Z".parse().unwrap(), ..plan(0, 1, 5_400) };
    let world = world(server, population, &[night, turn]);
    let found = under_rule(&world, &world.sites[0], 0, FEATURE, "NONE");
    let months: Vec<(&str, u64)> = found
        .months
        .iter()
        .map(|(label, month)| (label.as_str(), month.license_seconds.most))
        .collect();
    assert_eq!(months, [("2026-10", 3_600 + 3_600), ("2026-11", 1_800)]);
}

#[test]
fn spring_takes_an_hour_from_the_wall_and_none_from_the_license() {
    let (mut server, population) = small(9, "NONE");
    server.zone = Zone::named("Europe/Madrid").unwrap();
    server.window =
        Span::new("2026-03-28T20:00:00Z".parse().unwrap(), "2026-03-29T20:00:00Z".parse().unwrap());
    let night = Plan { at: "2026-03-29T00:30:00Z".parse().unwrap(), ..plan(0, 0, 3_600) };
    let world = world(server, population, &[night]);
    let found = under_rule(&world, &world.sites[0], 0, FEATURE, "UH");
    assert_eq!(found.whole.license_seconds, Range { least: 3_600, most: 3_600 });
}

#[test]
fn lines_of_one_second_are_one_attempt_and_a_minute_meets_it() {
    let (server, population) = small(1, "NONE");
    let eager = |seconds, pause| Plan { retries_seconds: vec![pause], ..plan(seconds, 1, 10) };
    let plans = [plan(10, 0, 90), eager(50, 60), eager(300, 5), plan(250, 0, 600)];
    let world = world(server, population, &plans);
    let found = attempts(&world.sites[0], 0, SessionKind::Deny);
    // Denied at 50 and served at 110, sixty seconds later; denied at 300 and 305, never served.
    assert_eq!((found.raw_lines, found.attempts, found.unmet, found.people_unmet), (3, 3, 2, 1));
}

#[test]
fn waits_end_with_a_checkout_or_without() {
    let (server, population) = small(1, "NONE");
    let patient = |seconds, who, patience| Plan {
        patience_seconds: Some(patience),
        ..plan(seconds, who, 60)
    };
    let plans = [plan(10, 0, 100), patient(20, 1, 500), patient(30, 2, 50)];
    let world = world(server, population, &plans);
    let found = waits(&world.sites[0].histories[0], world.horizon);
    assert_eq!((found.waits, found.served, found.wait_seconds), (2, 1, 90 + 50));
}

/// The small world with a second feature that is the first one's component.
fn suite_world(plans: &[Plan]) -> World {
    let (mut server, population) = small(5, "UH");
    let daemon = &mut server.daemons[0];
    let mut part = daemon.features[0].clone();
    part.name = "part".to_owned();
    part.duplicates = Duplicates::Each;
    daemon.features.push(part);
    daemon.files[0].file.packages.push(Package {
        name: "mesh".to_owned(),
        version: "1.0".to_owned(),
        components: vec!["part".to_owned()],
    });
    world(server, population, plans)
}

#[test]
fn a_component_is_charged_only_while_its_holder_has_no_suite() {
    let part = FeatureIndex(1);
    let alone = |seconds, who, held| Plan { wants: vec![(part, 1)], ..plan(seconds, who, held) };
    let pair = Plan { wants: vec![(FEATURE, 1), (part, 1)], ..plan(100, 0, 50) };
    let world = suite_world(&[pair, alone(80, 0, 100), alone(100, 1, 50)]);
    let suites = Suites::of(&world.sites[0], 0, true);
    let history = &world.sites[0].histories[0];
    let spans: Vec<Vec<Span>> = (0..history.checkouts.len())
        .filter(|index| history.checkouts[*index].feature == part)
        .map(|index| suites.charged(index))
        .collect();
    let span = |from, until| Span::new(at(from), at(until));
    assert_eq!(spans[0], [span(80, 100), span(150, 180)]);
    assert_eq!(spans[1], []);
    assert_eq!(spans[2], [span(100, 150)]);
}

#[test]
fn what_an_affiliate_does_not_cover_goes_to_the_group_and_no_further() {
    let (server, mut population) = small(50, "NONE");
    let group = population.account("Group", None, "UTC");
    let affiliate = population.account("Affiliate", Some(group), "UTC");
    population.machines[0].account = Some(affiliate);
    population.machines[1].account = Some(affiliate);
    population.machines[2].account = Some(group);
    let wants =
        |seconds, who, count| Plan { wants: vec![(FEATURE, count)], ..plan(seconds, who, 100) };
    let mut world =
        world(server, population, &[wants(100, 0, 3), wants(150, 1, 2), wants(160, 2, 2)]);
    world.purchases = vec![bought(1, 4), bought(0, 2)];
    let found = positions(&world);
    let february =
        |node| found.iter().find(|one| one.node == node && one.label == "2026-02").unwrap();
    let below = february(Node::Account(affiliate));
    assert_eq!((below.peak, below.passed_up), (Quantity::units(5), Quantity::ONE));
    assert_eq!((below.shortfall, below.state), (Quantity::ZERO, PositionState::PassedUp));
    let above = february(Node::Account(group));
    // Two of its own and one from below, of two.
    assert_eq!((above.peak, above.shortfall), (Quantity::units(3), Quantity::ONE));
    assert_eq!((above.shortfall_first, above.shortfall_last), (at(160), at(200)));
    assert_eq!(above.state, PositionState::Over);
}

#[test]
fn nobodys_use_is_unlicensed_and_ended_lines_are_told_from_none() {
    let (server, mut population) = small(50, "NONE");
    let company = population.account("Company", None, "UTC");
    population.machines[0].account = Some(company);
    let mut world = world(server, population, &[plan(100, 0, 100), plan(100, 1, 100)]);
    let ended = Purchase { end: Some(date(2026, 2, 15)), ..bought(0, 5) };
    world.purchases = vec![ended];
    let found = positions(&world);
    let states: Vec<(Node, PositionState)> = found
        .iter()
        .filter(|one| one.label == "2026-02")
        .map(|one| (one.node, one.state))
        .collect();
    assert_eq!(
        states,
        [
            (Node::Account(company), PositionState::Expired),
            (Node::Unattributed, PositionState::Unlicensed)
        ]
    );
}

#[test]
fn without_purchases_the_license_file_is_what_counts() {
    let (server, population) = small(2, "NONE");
    let world = world(server, population, &[plan(100, 0, 100)]);
    assert_eq!(rights(&world).len(), 1);
    let found = positions(&world);
    let whole = found.iter().find(|one| one.label == "all").unwrap();
    assert_eq!((whole.node, whole.entitled), (Node::Root, Capacity::Limited(Quantity::units(2))));
    assert_eq!(whole.state, PositionState::Covered);
}

#[test]
fn a_person_with_two_seats_counts_once_and_a_guest_not_at_all() {
    let (server, mut population) = small(2, "NONE");
    let company = population.account("Company", None, "UTC");
    let other = population.account("Other", Some(company), "UTC");
    let mut world = world(server, population, &[]);
    let seat = |person, class, account| SeatRow {
        product: ProductIndex(0),
        person: PersonIndex(person),
        class,
        start: Some(date(2026, 2, 1)),
        end: None,
        account,
    };
    world.seats = vec![
        seat(0, SeatClass::Full, company),
        SeatRow { start: Some(date(2026, 2, 3)), ..seat(0, SeatClass::Full, other) },
        seat(1, SeatClass::Full, other),
        seat(2, SeatClass::Guest, other),
    ];
    let named = Metric::NamedUser;
    world.purchases = vec![Purchase { metric: named, ..bought(0, 2) }];
    assert_eq!(uses(&world, true).iter().filter(|one| one.metric == named).count(), 3);
    let found = positions(&world);
    let february = |one: &&Position| one.label == "2026-02" && one.metric == named;
    let february = found.iter().find(february).unwrap();
    assert_eq!((february.peak, february.state), (Quantity::units(2), PositionState::Near));
}

#[test]
fn an_event_counts_once_in_the_month_of_the_node_that_takes_it() {
    let (server, mut population) = small(2, "NONE");
    let group = population.account("Group", None, "Europe/Berlin");
    let london = population.account("London", Some(group), "Europe/London");
    let mut world = world(server, population, &[]);
    world.horizon = "2026-03-02T00:00:00Z".parse().unwrap();
    let row = |id: &str, at: &str, tenths: i64| UsageRow {
        id: id.to_owned(),
        at: at.parse().unwrap(),
        product: ProductIndex(0),
        account: london,
        person: None,
        machine: Some(MachineIndex(0)),
        quantity: Quantity(tenths * ONE_UNIT / 10),
    };
    let late = row("b", "2026-02-28T23:30:00Z", 25);
    world.usage = vec![row("a", "2026-02-28T22:30:00Z", 10), late.clone(), late];
    let volume = Metric::Volume;
    world.purchases = vec![Purchase { metric: volume, ..bought(0, 1) }];
    assert_eq!(events(&world, ProductIndex(0)).len(), 2);
    let told: Vec<(String, Quantity, PositionState)> =
        volumes(&world).into_iter().map(|one| (one.label, one.demand, one.state)).collect();
    assert_eq!(
        told,
        [
            ("2026-02".to_owned(), Quantity::ONE, PositionState::Near),
            ("2026-03".to_owned(), "2.5".parse().unwrap(), PositionState::Over),
        ]
    );
}
