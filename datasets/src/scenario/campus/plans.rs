//! What people of the university do: habits, and what makes sure that every trap is there.

use super::people::{People, Seat};
use super::servers::{
    ALGEBRA, CAD_S, COLL_S, CORE, CORE_AU, ENGINE, HPC, LIBRARY, MODEL_2025, MODEL_2026, POST,
    SIGNAL, SIM, SIM_COUNT, STATISTICS, VIEW_2026,
};
use super::{Place, one_of};
use crate::random::{Quantile, Random};
use crate::server::FeatureIndex;
use crate::sessions::Plan;
use crate::sessions::habit::{BATCH_HOURS, Habit, LONG_WORK, OFFICE_HOURS, SHORT_WORK, batch};
use crate::wall::later;

fn habit(
    staff: &[Seat],
    feature: FeatureIndex,
    starts_percent: u64,
    lengths: &[Quantile],
) -> Habit {
    Habit {
        staff: staff.to_vec(),
        wants: one_of(feature),
        starts_percent,
        weekend_per_mille: 150,
        hours: OFFICE_HOURS,
        lengths: lengths.to_vec(),
        alone: false,
    }
}

/// Computer algebra: people with several windows, toolboxes, a library for everyone.
pub(super) fn matrix(people: &People, place: &Place, random: &mut Random) -> Vec<Plan> {
    let (zone, window) = (&place.zone, place.window);
    let mut plans = Vec::new();
    let habits = [
        habit(&people.staff, CORE, 150, &LONG_WORK),
        habit(&people.staff, SIGNAL, 70, &SHORT_WORK),
        habit(&people.members, ALGEBRA, 80, &LONG_WORK),
        habit(&people.members, LIBRARY, 60, &SHORT_WORK),
        habit(&people.staff, STATISTICS, 30, &SHORT_WORK),
    ];
    for one in habits {
        plans.extend(one.plans(zone, window, random));
    }
    for plan in &mut plans {
        plan.idle = random.chance(60);
        if random.chance(300) {
            plan.retries_seconds = vec![random.between(15, 50), random.between(15, 50)];
        }
    }
    // Held while the clock is turned back, from the last minute before to the tenth after.
    let night = people.members[0];
    plans.push(Plan::one(later(place.center, -20), night, CORE, 620));
    // Held over the reread.
    plans.push(Plan::one(place.at(35, 9, 30, 0), people.members[1], CORE, 10_800));
    // Two who start within seconds.
    plans.push(Plan::one(place.at(50, 10, 0, 3), people.staff[2], CORE, 900));
    plans.push(Plan::one(place.at(50, 10, 0, 5), people.staff[3], CORE, 960));
    plans
}

/// Drawing: suites with components, refused and served by another suite, idle clients.
pub(super) fn drafting(people: &People, place: &Place, random: &mut Random) -> Vec<Plan> {
    let (zone, window) = (&place.zone, place.window);
    let mut lessons = habit(&people.room, CAD_S, 180, &SHORT_WORK);
    lessons.wants = vec![(CAD_S, 1), (MODEL_2026, 1)];
    lessons.alone = true;
    let mut plans = lessons.plans(zone, window, random);
    let mut offices = habit(&people.staff, CAD_S, 40, &LONG_WORK);
    offices.wants = vec![(CAD_S, 1), (MODEL_2025, 1)];
    offices.alone = true;
    plans.extend(offices.plans(zone, window, random));
    let mut viewers = habit(&people.staff[..people.staff.len() / 4], COLL_S, 20, &SHORT_WORK);
    viewers.wants = vec![(COLL_S, 1), (VIEW_2026, 1)];
    viewers.alone = true;
    plans.extend(viewers.plans(zone, window, random));
    for plan in &mut plans {
        plan.idle = random.chance(130);
        if random.chance(400) && plan.wants[0].0 == CAD_S {
            plan.otherwise = Some(COLL_S);
        } else if random.chance(200) {
            plan.retries_seconds = vec![random.between(10, 55)];
        }
        if random.chance(20) {
            // A version that nobody serves, or one that this server serves after all.
            let unknown = random.chance(500) || plan.wants[1].0 != MODEL_2026;
            let name = if unknown { "87999MODEL_2027_0F" } else { "87545MODEL_2026_0F" };
            plan.unsupported = Some(name.to_owned());
        }
    }
    // Held when the daemon dies; not served at first, and three seconds later served.
    let crash = place.at(65, 11, 48, 31);
    for seat in &people.room[..3] {
        let wants = vec![(CAD_S, 1), (MODEL_2026, 1)];
        plans.push(Plan { wants, ..Plan::one(later(crash, -2_400), *seat, CAD_S, 7_200) });
    }
    plans.push(Plan {
        wants: vec![(CAD_S, 1), (MODEL_2026, 1)],
        unsupported: Some("87545MODEL_2026_0F".to_owned()),
        ..Plan::one(place.at(45, 8, 42, 42), people.room[4], CAD_S, 900)
    });
    plans
}

/// Simulation: jobs that wait in line, and one afternoon when everyone wants one.
pub(super) fn simulation(
    people: &People,
    place: &Place,
    crowded: trueup_model::time::Timestamp,
    scale: u32,
    random: &mut Random,
) -> Vec<Plan> {
    let (zone, window) = (&place.zone, place.window);
    let jobs = Habit { hours: BATCH_HOURS, ..habit(&people.australians, SIM, 60, &SHORT_WORK) };
    let mut plans = jobs.plans(zone, window, random);
    for plan in &mut plans {
        plan.wants[0].1 = u32::try_from(random.between(1, 3)).unwrap_or(1);
        plan.project = Some(format!("job {} north", random.between(1, 40)));
        if random.chance(500) {
            plan.patience_seconds = Some(random.between(60, 7_200));
        }
    }
    plans.extend(habit(&people.australians, POST, 90, &SHORT_WORK).plans(zone, window, random));
    plans.extend(habit(&people.australians, CORE_AU, 80, &LONG_WORK).plans(zone, window, random));
    // Held over the hour that the clock skips.
    plans.push(Plan::one(later(place.center, -1_800), people.australians[0], CORE_AU, 7_200));
    // As many as there are licenses, one second after the other, each for two hours or waiting.
    let seats = people.australians.iter().cycle().copied();
    let count = usize::try_from(SIM_COUNT * scale).unwrap_or(0);
    for (number, seat) in (0_i64..).zip(seats.clone().take(count)) {
        let patience_seconds = Some(7_000);
        let at = later(crowded, number % 60);
        plans.push(Plan { patience_seconds, ..Plan::one(at, seat, SIM, 7_200) });
    }
    // One who waits and is served, one who gives up, one who will not wait.
    let mut late = people.australians.iter().rev().copied();
    for (seconds, patience_seconds) in [(300, Some(10_000)), (330, Some(120)), (400, None)] {
        let Some(seat) = late.next() else { continue };
        let at = later(crowded, seconds);
        plans.push(Plan { patience_seconds, ..Plan::one(at, seat, SIM, 600) });
    }
    plans
}

/// Computation: many licenses at once, equal lines in one second, a job over New Year.
pub(super) fn computation(people: &People, place: &Place, random: &mut Random) -> Vec<Plan> {
    let (zone, window) = (&place.zone, place.window);
    let jobs = Habit {
        hours: BATCH_HOURS,
        weekend_per_mille: 700,
        ..habit(&people.americans, HPC, 120, &LONG_WORK)
    };
    let mut plans = jobs.plans(zone, window, random);
    for plan in &mut plans {
        plan.wants[0].1 = *random.pick(&[1, 2, 4, 7, 8, 16]);
    }
    // Bursts of the engine: up to thirty-two equal lines in a second.
    let starts =
        Habit { hours: BATCH_HOURS, ..habit(&people.americans[..4], ENGINE, 40, &SHORT_WORK) };
    for start in starts.plans(zone, window, random) {
        let times = *random.pick(&[2, 4, 8, 16, 32]);
        let holder = (start.person, start.machine);
        plans.extend(batch(start.at, holder, (ENGINE, 1), times, &SHORT_WORK, random));
    }
    let holder = people.americans[0];
    // Seven and then eight by one user; the eight come back first.
    let from = place.at(40, 10, 0, 10);
    plans.push(Plan { wants: vec![(HPC, 7)], ..Plan::one(from, holder, HPC, 1_200) });
    plans.push(Plan { wants: vec![(HPC, 8)], ..Plan::one(later(from, 300), holder, HPC, 300) });
    // Three equal lines, held when the server dies; a job over New Year; one after the end.
    let crash = place.at(25, 10, 41, 53);
    let lengths = [(0, 20_000), (1000, 30_000)];
    let at = later(crash, -6_000);
    plans.extend(batch(at, people.americans[1], (ENGINE, 1), 3, &lengths, random));
    let eve = later(place.center, -7_200);
    plans.push(Plan { wants: vec![(HPC, 4)], ..Plan::one(eve, people.americans[2], HPC, 14_400) });
    let ended = place.at(90, 12, 0, 0);
    plans.push(Plan::one(ended, people.americans[3], ENGINE, 600));
    plans.push(Plan::one(place.at(60, 20, 0, 0), people.americans[3], ENGINE, 30_000));
    plans
}
