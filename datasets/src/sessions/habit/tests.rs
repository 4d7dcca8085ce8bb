use super::{Habit, OFFICE_HOURS, SHORT_WORK, batch};
use crate::population::{MachineIndex, PersonIndex};
use crate::random::Random;
use crate::server::FeatureIndex;
use crate::wall::{is_weekend, later};
use trueup_model::calendar::Zone;
use trueup_model::time::{Span, Timestamp};

const HOLDER: (PersonIndex, MachineIndex) = (PersonIndex(0), MachineIndex(0));

fn habit() -> Habit {
    Habit {
        staff: vec![HOLDER],
        wants: vec![(FeatureIndex(0), 1)],
        starts_percent: 350,
        weekend_per_mille: 0,
        hours: OFFICE_HOURS,
        lengths: SHORT_WORK.to_vec(),
        alone: false,
    }
}

fn span(from: &str, until: &str) -> Span {
    Span::new(from.parse().unwrap(), until.parse().unwrap())
}

#[test]
fn people_start_as_often_as_is_their_habit_and_not_at_weekends() {
    let year = span("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    let plans = habit().plans(&Zone::utc(), year, &mut Random::new(1));
    // 261 working days, three and a half times each.
    assert!((880..950).contains(&plans.len()), "{}", plans.len());
    assert!(plans.iter().all(|plan| !is_weekend(Zone::utc().local(plan.at).date())));
    assert!(plans.iter().all(|plan| year.contains(plan.at) && plan.hold_seconds >= 1));
}

#[test]
fn nights_on_which_the_clock_is_turned_are_left_free() {
    let zone = Zone::named("Europe/Madrid").unwrap();
    let night = span("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
    let restless =
        Habit { hours: [1; 24], weekend_per_mille: 1000, starts_percent: 20_000, ..habit() };
    let plans = restless.plans(&zone, night, &mut Random::new(2));
    assert!(plans.len() > 100);
    assert!(plans.iter().all(|plan| zone.local(plan.at).hour() >= 4));
}

#[test]
fn who_works_alone_starts_nothing_before_the_end() {
    let month = span("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
    let alone = Habit { alone: true, starts_percent: 900, ..habit() };
    let plans = alone.plans(&Zone::utc(), month, &mut Random::new(3));
    let mut free_from = Timestamp::MIN;
    for plan in plans {
        assert!(plan.at >= free_from);
        free_from = later(plan.at, i64::try_from(plan.hold_seconds).unwrap());
    }
}

#[test]
fn a_batch_job_is_so_many_equal_wishes_of_one_second() {
    let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let plans = batch(at, HOLDER, (FeatureIndex(1), 2), 5, &SHORT_WORK, &mut Random::new(4));
    assert_eq!(plans.len(), 5);
    assert!(plans.iter().all(|plan| plan.at == at && plan.wants == [(FeatureIndex(1), 2)]));
}
