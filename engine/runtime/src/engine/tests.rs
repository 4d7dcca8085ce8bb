//! Facts in, positions out: the whole path on a few lines.

use super::Engine;
use crate::clock::ManualClock;
use crate::measures::stages::{Depths, Stage};
use crate::settings::{Horizon, Settings};
use std::sync::Arc;
use trueup_model::calendar::Period;
use trueup_model::contract::{Basis, EntitlementLine};
use trueup_model::fact::{Action, Body, Fact, FactId, Provenance};
use trueup_model::id::TenantId;
use trueup_model::metric::{Duplicates, Metric};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::reject::RejectReason;
use trueup_model::time::{SECOND_US, Timestamp};
use trueup_model::usage::{SessionEvent, SessionKind, SessionReason};

fn fact(id: u128, body: Body<&str>) -> Fact<&str> {
    Fact {
        id: FactId(id),
        revision: 0,
        arrived_at: Timestamp::RECORDED.plus_us(1_000_000 * SECOND_US),
        provenance: Provenance { document: "test", position: 1 },
        document: None,
        action: Action::Assert(body),
    }
}

fn line(second: i64, kind: SessionKind, device: &str) -> Body<&str> {
    Body::Session(SessionEvent {
        at: Timestamp::RECORDED.plus_us(second * SECOND_US),
        rank: 0,
        kind,
        reason: SessionReason::None,
        server: "serverd@lic1",
        product: "APP",
        user: "ada",
        device,
        display: None,
        vendor_data: None,
        project: None,
        version: None,
        handle: None,
        count: 1,
        until: None,
    })
}

fn check(workers: usize, duplicates: &str, expected: &str) {
    let settings = Settings { workers, horizon: Horizon::Evidence, ..Settings::default() };
    let clock = Arc::new(ManualClock::at(Timestamp::RECORDED.plus_us(1_000_000 * SECOND_US)));
    let engine = Engine::start(settings, clock).unwrap();
    let tenant = TenantId::named("t");
    let mut right = EntitlementLine::base(
        "INCREMENT APP",
        "APP",
        Metric::Concurrent,
        Capacity::Limited(Quantity::units(2)),
        Basis::LicenseFile,
    );
    right.server = Some("serverd@lic1");
    right.duplicates = Duplicates::parse(duplicates);
    let facts = [
        fact(1, line(100, SessionKind::Open, "ws1")),
        fact(2, line(200, SessionKind::Open, "ws1")),
        fact(3, line(250, SessionKind::Open, "ws2")),
        fact(4, line(300, SessionKind::Close, "ws1")),
        fact(5, line(400, SessionKind::Close, "ws2")),
        fact(6, line(500, SessionKind::Close, "ws1")),
        fact(7, Body::Line(right)),
    ];
    let intake = engine.intake();
    let named = facts.map(|fact| (tenant, intake.name(tenant, fact).unwrap()));
    drop(intake);
    engine.submit(named.to_vec()).unwrap();
    engine.settle(None).unwrap();
    let views = engine.views();
    let names = engine.names();
    let shown: Vec<String> = views
        .positions
        .values()
        .filter(|position| position.key.period == Period::ALL)
        .map(|position| {
            format!(
                "{} peak {} seconds {} short {} {}",
                names.shown(position.key.product.into()),
                position.peak,
                position.demand_unit_us / 1_000_000 / 1_000_000,
                position.shortfall,
                position.state.name()
            )
        })
        .collect();
    assert_eq!(shown, [expected]);
    assert_eq!(views.sessions.len(), 3);
}

#[test]
fn duplicate_groups_decide_what_a_log_costs() {
    for workers in [1, 2] {
        check(workers, "UH", "APP peak 2 seconds 550 short 0 near");
        check(workers, "NONE", "APP peak 3 seconds 650 short 1 over");
        check(workers, "U", "APP peak 1 seconds 400 short 0 covered");
    }
}

#[test]
fn an_event_with_the_zero_of_a_clock_is_set_aside_and_says_why() {
    let clock = Arc::new(ManualClock::at(Timestamp::RECORDED.plus_us(1_000_000 * SECOND_US)));
    let engine = Engine::start(Settings::default(), clock).unwrap();
    let tenant = TenantId::named("t");
    let Body::Session(event) = line(0, SessionKind::Open, "ws1") else { panic!("a session") };
    let zero = Body::Session(SessionEvent { at: Timestamp(0), ..event });
    let named = engine.intake().name(tenant, fact(1, zero)).unwrap();
    engine.submit(vec![(tenant, named)]).unwrap();
    engine.settle(None).unwrap();
    let (views, names) = (engine.views(), engine.names());
    assert_eq!(views.sessions.len(), 0);
    let rejects = views.shown.iter().filter_map(|(known, _)| {
        let Body::Reject(reject) = &known.body else { return None };
        Some((reject.reason, names.shown(reject.detail.unwrap())))
    });
    let why = "dated before 1990: the zero of a clock, or a date that was never set".to_owned();
    assert_eq!(rejects.collect::<Vec<_>>(), [(RejectReason::OutOfRange, why)]);
}

#[test]
fn each_stage_of_an_epoch_is_measured_by_the_engines_clock() {
    let begin = Timestamp::RECORDED.plus_us(1_000_000 * SECOND_US);
    let clock = Arc::new(ManualClock::at(begin));
    let settings = Settings { horizon: Horizon::Evidence, ..Settings::default() };
    let engine = Engine::start(settings, Arc::<ManualClock>::clone(&clock)).unwrap();
    let tenant = TenantId::named("t");
    let opened = line(100, SessionKind::Open, "ws1");
    let named = engine.intake().name(tenant, fact(1, opened)).unwrap();
    engine.submit(vec![(tenant, named)]).unwrap();
    // Not old enough to be closed: it is closed when someone waits for it.
    clock.set(begin.plus_us(5_000));
    engine.settle(None).unwrap();
    let times = engine.measures().stages().times();
    let sum = |stage| {
        let one = times.iter().find(|one| one.stage == stage).unwrap();
        (one.recent.count(), one.recent.sum_us())
    };
    assert_eq!(sum(Stage::Whole), (1, 5_000));
    // It was taken before the clock moved, or after.
    assert_eq!(sum(Stage::Queue).1 + sum(Stage::Gather).1, 5_000);
    for stage in [Stage::Journal, Stage::Enter, Stage::Compute, Stage::Publish] {
        assert_eq!(sum(stage), (1, 0), "{stage:?}");
    }
    assert_eq!(engine.measures().stages().depths(), Depths::default());
    assert_eq!(engine.waiting_work(), 0);
    assert!(engine.measures().costs().contains_key("Dedupe"));
}

#[test]
fn operators_are_not_measured_where_the_settings_say_so() {
    let settings = Settings { measure_operators: false, ..Settings::default() };
    let engine = Engine::start(settings, Arc::new(ManualClock::default())).unwrap();
    engine.settle(None).unwrap();
    assert!(engine.measures().costs().is_empty());
    assert_eq!(engine.measures().stages().times()[2].recent.count(), 1, "epochs are");
}
