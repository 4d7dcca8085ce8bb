//! What people at Helios do with their licenses: habits, and the days that the story is about.

use super::people::{People, Seat};
use super::{CFD, Clock, FLOW, MESH, MODELER_2025, MODELER_2026, RENDER, STUDIO};
use crate::random::{Quantile, Random};
use crate::server::FeatureIndex;
use crate::sessions::Plan;
use crate::sessions::habit::{Habit, OFFICE_HOURS, batch};
use crate::wall::later;
use trueup_model::time::{Span, Timestamp};

/// Work of an hour and a half, in seconds; nothing goes on over the night.
const WORK: [Quantile; 4] = [(0, 600), (500, 5_400), (900, 14_000), (1000, 24_000)];

fn habit(staff: &[Seat], wants: &[FeatureIndex], starts_percent: u64) -> Habit {
    Habit {
        staff: staff.to_vec(),
        wants: wants.iter().map(|feature| (*feature, 1)).collect(),
        starts_percent,
        weekend_per_mille: 60,
        hours: OFFICE_HOURS,
        lengths: WORK.to_vec(),
        alone: true,
    }
}

fn one(at: Timestamp, seat: Seat, feature: FeatureIndex, minutes: u64) -> Plan {
    Plan::one(at, seat, feature, minutes * 60)
}

/// Whether a plan would hold something during a span.
fn touches(plan: &Plan, span: Span) -> bool {
    let held = i64::try_from(plan.hold_seconds).unwrap_or(i64::MAX);
    Span::new(plan.at, later(plan.at, held)).overlaps(span)
}

/// What is asked of the first server.
pub(super) fn first(
    people: &People,
    clock: &Clock,
    window: Span,
    random: &mut Random,
) -> Vec<Plan> {
    let mut plans = mesh(people, clock, window, random);
    plans.extend(studio(people, clock, window, random));
    plans.extend(flow(people, clock, window, random));
    plans
}

/// Meshing: eight people, some with two windows open, and jobs of the night.
fn mesh(people: &People, clock: &Clock, window: Span, random: &mut Random) -> Vec<Plan> {
    let staff = [
        people.german[0],
        people.german[1],
        people.british[0],
        people.british[1],
        people.spanish[0],
        people.spanish[1],
        people.spanish[2],
        people.seconded,
    ];
    let twice = Habit { alone: false, ..habit(&staff, &[MESH], 130) };
    let mut plans = twice.plans(&clock.0, window, random);
    // The release of 3 March: everyone is at it, in two windows each.
    for (minute, seat) in (0_i8..).zip(staff) {
        plans.push(one(clock.at(3, 3, 10, minute, 12), seat, MESH, 95));
        plans.push(one(clock.at(3, 3, 10, minute + 20, 40), seat, MESH, 60));
    }
    // Two who start within seconds of each other, which the daemon's child writes late.
    plans.push(one(clock.at(2, 23, 9, 0, 3), people.german[0], MESH, 45));
    plans.push(one(clock.at(2, 23, 9, 0, 5), people.british[0], MESH, 50));
    // Jobs of the night: three equal lines in one second, an end shortly after midnight, one that
    // runs while the license file is read again, one that lasts.
    let lengths = [(0, 5_400), (1000, 9_000)];
    let three = clock.at(2, 24, 22, 30, 0);
    plans.extend(batch(three, people.batch, (MESH, 1), 3, &lengths, random));
    plans.push(one(clock.at(2, 18, 22, 5, 0), people.batch, MESH, 135));
    plans.push(one(clock.at(2, 26, 21, 50, 0), people.batch, MESH, 145));
    plans.push(one(clock.at(3, 3, 4, 40, 0), people.batch, MESH, 160));
    plans.push(one(clock.at(3, 8, 15, 0, 0), people.batch, MESH, 6_000));
    // The visitor, whose machine is on no list.
    plans.push(one(clock.at(3, 3, 14, 10, 8), people.visitor, MESH, 150));
    plans.push(one(clock.at(3, 4, 9, 15, 31), people.visitor, MESH, 105));
    plans
}

/// Design: six people, each use a suite and its component.
fn studio(people: &People, clock: &Clock, window: Span, random: &mut Random) -> Vec<Plan> {
    let modern = [people.german[2], people.german[3], people.british[2], people.british[3]];
    let old = [people.spanish[3], people.german[4]];
    let mut plans = habit(&modern, &[STUDIO, MODELER_2026], 80).plans(&clock.0, window, random);
    plans.extend(habit(&old, &[STUDIO, MODELER_2025], 80).plans(&clock.0, window, random));
    let pair = |at, seat, component: FeatureIndex, minutes| Plan {
        wants: vec![(STUDIO, 1), (component, 1)],
        ..one(at, seat, STUDIO, minutes)
    };
    // Design reviews, at which all six have it open.
    for (month, day) in [(2, 18), (3, 4)] {
        let seats = modern.iter().chain(&old);
        for (number, seat) in (0_i8..).zip(seats) {
            let component = if number < 4 { MODELER_2026 } else { MODELER_2025 };
            let at = clock.at(month, day, 14, number, 20);
            plans.retain(|plan| {
                (plan.person, plan.machine) != *seat
                    || !touches(plan, Span::new(at, later(at, 5_400)))
            });
            plans.push(pair(at, *seat, component, 90));
        }
    }
    // Not served at first, and three seconds later, from the suite, served.
    plans.push(Plan {
        unsupported: Some("MODELER_2026".to_owned()),
        ..pair(clock.at(2, 20, 9, 41, 10), people.german[2], MODELER_2026, 40)
    });
    plans
}

/// Flow: five in Germany with six licenses, three in the United Kingdom with four; on 5 March the
/// British are six.
fn flow(people: &People, clock: &Clock, window: Span, random: &mut Random) -> Vec<Plan> {
    let german = &people.german[..5];
    let mut plans = habit(german, &[FLOW], 70).plans(&clock.0, window, random);
    plans.extend(habit(&people.british[..3], &[FLOW], 90).plans(&clock.0, window, random));
    let afternoon = Span::new(clock.at(3, 5, 12, 0, 0), clock.at(3, 5, 18, 0, 0));
    plans.retain(|plan| !touches(plan, afternoon));
    let at = |hour, minute, second| clock.at(3, 5, hour, minute, second);
    for (minute, seat) in (30_i8..).zip(&german[..4]) {
        plans.push(one(at(13, minute, 14), *seat, FLOW, 150));
    }
    for (minute, seat) in (40_i8..).zip(&people.british[..4]) {
        plans.push(one(at(13, minute, 33), *seat, FLOW, 140));
    }
    // The fifth from 14:20 to 15:20, the sixth from 14:32 to 15:05: by the server's clock.
    plans.push(one(at(14, 20, 0), people.british[4], FLOW, 60));
    plans.push(one(at(14, 32, 0), people.british[5], FLOW, 33));
    // Ten are out: one gives up, one asks again and is served.
    plans.push(one(at(14, 40, 10), people.german[4], FLOW, 30));
    let again =
        Plan { retries_seconds: vec![40], ..one(at(15, 4, 30), people.german[5], FLOW, 25) };
    plans.push(again);
    plans
}

/// What is asked of the second server.
pub(super) fn second(
    people: &People,
    clock: &Clock,
    window: Span,
    random: &mut Random,
) -> Vec<Plan> {
    let mut plans = cfd(people, clock, window, random);
    let staff = [people.german[0], people.german[3], people.british[4], people.spanish[2]];
    let mut rendering = habit(&staff, &[RENDER], 50).plans(&clock.0, window, random);
    for plan in &mut rendering {
        plan.idle = random.chance(200);
    }
    plans.extend(rendering);
    for (month, day, hour) in [(2, 19, 15), (3, 6, 10)] {
        for (minute, seat) in (0_i8..).zip(staff) {
            let at = clock.at(month, day, hour, minute, 45);
            let while_open = Span::new(at, later(at, 3_000));
            let own =
                |plan: &Plan| plan.wants[0].0 == RENDER && (plan.person, plan.machine) == seat;
            plans.retain(|plan| !(own(plan) && touches(plan, while_open)));
            plans.push(one(at, seat, RENDER, 50));
        }
    }
    // Open when the server dies on 25 February.
    let morning = Span::new(clock.at(2, 25, 9, 0, 0), clock.at(2, 25, 13, 0, 0));
    plans.retain(|plan| !touches(plan, morning));
    plans.push(one(clock.at(2, 25, 10, 12, 9), staff[0], RENDER, 300));
    plans.push(one(clock.at(2, 25, 11, 3, 51), staff[3], RENDER, 300));
    plans.push(one(clock.at(2, 25, 10, 40, 27), people.spanish[0], CFD, 300));
    plans
}

/// Computation: until the contract ends, and two jobs of three licenses that do not.
fn cfd(people: &People, clock: &Clock, window: Span, random: &mut Random) -> Vec<Plan> {
    let staff = [people.spanish[0], people.spanish[1], people.spanish[3], people.german[5]];
    let until = Span::new(window.start, clock.at(2, 26, 9, 0, 0));
    let mut plans = habit(&staff, &[CFD], 75).plans(&clock.0, until, random);
    plans.retain(|plan| !touches(plan, Span::new(until.end, window.end)));
    let jobs = [
        (clock.at(2, 26, 18, 10, 0), clock.at(3, 4, 11, 25, 0), people.spanish[1], 2),
        (clock.at(2, 27, 16, 45, 0), clock.at(3, 2, 9, 10, 0), people.spanish[3], 1),
    ];
    for (from, end, seat, count) in jobs {
        let held = crate::wall::seconds_between(from, end);
        plans.push(Plan { wants: vec![(CFD, count)], ..Plan::one(from, seat, CFD, held) });
    }
    // Monday after: the license has ended.
    plans.push(one(clock.at(3, 2, 9, 31, 40), people.german[5], CFD, 60));
    plans
}
