use super::{End, History, Plan, Said, Why, simulate};
use crate::population::Population;
use crate::random::Random;
use crate::server::{Incident, IncidentKind, Server};
use crate::testing::{plan, start, world};
use crate::traps::Traps;
use crate::wall::later;
use trueup_model::usage::SessionReason;

fn run(server: &Server, population: &Population, plans: &[Plan]) -> History {
    simulate(server, 0, plans, population, &mut Random::new(1), &mut Traps::default())
}

fn said(history: &History) -> Vec<Said> {
    history.said.iter().map(|(_, said)| *said).collect()
}

#[test]
fn a_daemon_never_gives_more_than_its_file_allows() {
    let (server, population) = world(2, "NONE");
    let plans = [plan(10, 0, 600), plan(20, 1, 600), plan(30, 2, 600), plan(700, 2, 5)];
    let history = run(&server, &population, &plans);
    assert_eq!(history.checkouts.len(), 3);
    assert_eq!(history.refusals.len(), 1);
    assert_eq!(history.refusals[0].why, Why::AllInUse);
    assert_eq!(history.refusals[0].at, later(start(), 30));
}

#[test]
fn checkouts_of_one_group_cost_one_license() {
    let (server, population) = world(1, "UH");
    let plans = [plan(10, 0, 600), plan(20, 0, 600), plan(30, 1, 600)];
    let history = run(&server, &population, &plans);
    assert_eq!((history.checkouts.len(), history.refusals.len()), (2, 1));
}

#[test]
fn a_return_makes_room_for_who_asks_in_the_same_second() {
    let (server, population) = world(1, "NONE");
    let history = run(&server, &population, &[plan(10, 0, 100), plan(110, 1, 5)]);
    assert_eq!(said(&history), [Said::Out(0), Said::In(0), Said::Out(1), Said::In(1)]);
}

#[test]
fn who_waits_is_served_in_order_or_gives_up() {
    let (server, population) = world(1, "NONE");
    let patient = |seconds, who, patience| Plan {
        patience_seconds: Some(patience),
        ..plan(seconds, who, 60)
    };
    let plans = [plan(10, 0, 100), patient(20, 1, 500), patient(30, 2, 50)];
    let history = run(&server, &population, &plans);
    let waits: Vec<_> = history.waits.iter().map(|wait| (wait.until, wait.served)).collect();
    let at = |seconds| Some(later(start(), seconds));
    assert_eq!(waits, [(at(110), true), (at(80), false)]);
    assert_eq!(
        said(&history)[1..6],
        [Said::Queued(0), Said::Queued(1), Said::Dequeued(1), Said::In(0), Said::Dequeued(0)]
    );
}

#[test]
fn a_crash_loses_what_is_open_and_nobody_is_served_until_the_start() {
    let (mut server, population) = world(5, "NONE");
    let (down, back) = (later(start(), 500), later(start(), 900));
    server.incidents.push(Incident { kind: IncidentKind::Crash, at: down, back });
    let plans = [plan(10, 0, 3600), plan(600, 1, 60), plan(1000, 2, 60)];
    let history = run(&server, &population, &plans);
    assert_eq!(history.checkouts.len(), 2);
    assert_eq!(history.checkouts[0].end, End::Lost { at: down, back });
    assert_eq!(said(&history), [Said::Out(0), Said::Out(1), Said::In(1)]);
}

#[test]
fn a_shutdown_returns_everything_of_a_holder_with_one_line() {
    let (mut server, population) = world(5, "NONE");
    let down = later(start(), 500);
    let back = later(start(), 900);
    server.incidents.push(Incident { kind: IncidentKind::Shutdown, at: down, back });
    let history = run(&server, &population, &[plan(10, 0, 3600), plan(20, 0, 3600)]);
    let returned = End::Returned { at: down, reason: SessionReason::Shutdown };
    assert!(history.checkouts.iter().all(|checkout| checkout.end == returned));
    assert_eq!(said(&history), [Said::Out(0), Said::Out(1), Said::ShutdownIn(0)]);
}

#[test]
fn who_is_refused_asks_again_as_often_as_planned() {
    let (server, population) = world(1, "NONE");
    let eager = Plan { retries_seconds: vec![20, 30], ..plan(60, 1, 60) };
    let history = run(&server, &population, &[plan(10, 0, 90), eager]);
    assert_eq!(history.refusals.len(), 2);
    assert_eq!(history.checkouts[1].opened, later(start(), 110));
}

#[test]
fn an_ended_license_is_refused_and_what_is_open_stays() {
    let (mut server, population) = world(3, "NONE");
    server.daemons[0].files[0].file.lines[0].expiry = Some(jiff::civil::date(2026, 2, 16));
    server.window.end = later(start(), 3 * 86_400);
    let history = run(&server, &population, &[plan(10, 0, 100_000), plan(60_000, 1, 60)]);
    assert_eq!(history.refusals[0].why, Why::Expired);
    let end = End::Returned { at: later(start(), 100_010), reason: SessionReason::None };
    assert_eq!(history.checkouts[0].end, end);
}
