use super::{clock_change, file_date, later, line_time, long_date, seconds_between, stamp_date};
use jiff::civil::date;
use trueup_model::calendar::Zone;
use trueup_model::time::Timestamp;

#[test]
fn a_single_digit_hour_has_a_blank_before_it() {
    assert_eq!(line_time(date(2026, 3, 9).at(9, 5, 7, 0)), " 9:05:07");
    assert_eq!(line_time(date(2026, 3, 9).at(0, 0, 0, 0)), " 0:00:00");
    assert_eq!(line_time(date(2026, 3, 9).at(23, 59, 59, 0)), "23:59:59");
}

#[test]
fn dates_are_written_in_three_ways() {
    let day = date(2026, 3, 9);
    assert_eq!(stamp_date(day), "3/9/2026");
    assert_eq!(file_date(day), "9-mar-2026");
    assert_eq!(long_date(day.at(4, 0, 1, 0), "CET"), "Mon Mar 09 2026 04:00:01 CET");
}

#[test]
fn clocks_are_turned_when_the_zone_says() {
    let madrid = Zone::named("Europe/Madrid").unwrap();
    let from: Timestamp = "2026-10-01T00:00:00Z".parse().unwrap();
    let turned =
        |zone: &Zone| clock_change(zone, from, 60).map(|(at, change)| (at.to_string(), change));
    assert_eq!(turned(&madrid), Some(("2026-10-25T01:00:00Z".to_owned(), -3600)));
    let sydney = Zone::named("Australia/Sydney").unwrap();
    assert_eq!(turned(&sydney), Some(("2026-10-03T16:00:00Z".to_owned(), 3600)));
    assert_eq!(clock_change(&Zone::utc(), from, 400), None);
}

#[test]
fn elapsed_seconds_do_not_follow_the_wall_clock() {
    let from: Timestamp = "2026-10-25T00:30:00Z".parse().unwrap();
    assert_eq!(seconds_between(from, later(from, 7200)), 7200);
    assert_eq!(seconds_between(later(from, 1), from), 0);
}
