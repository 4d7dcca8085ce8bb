use super::*;
use jiff::civil::date;

/// The instants of clocks such as `22:30:00`; `=2017-12-31` behind one says that it carries the date.
fn instants(zone: &str, lines: &str) -> Vec<String> {
    let mut dating = Dating::new(Zone::named(zone).expect("a zone"));
    let mut marks = Vec::new();
    let mut found = Vec::new();
    for line in lines.split_whitespace() {
        let (clock, told) = line.split_once('=').map_or((line, None), |(a, b)| (a, Some(b)));
        let parts: Vec<u32> = clock.split(':').map(|part| part.parse().expect("digits")).collect();
        let mark = dating.advance(parts[0] * 3_600 + parts[1] * 60 + parts[2]);
        if let Some(told) = told {
            dating.anchor(mark, told.parse().expect("a date"));
        }
        marks.push(mark);
        if dating.is_anchored() {
            found.extend(marks.drain(..).filter_map(|known| dating.instant(known)));
        }
    }
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_day_begins_when_the_clock_falls_by_more_than_half_a_day() {
    let found = instants("UTC", "23:59:59=2020-02-28 11:59:58 23:59:00 11:59:01");
    let expected = [
        "2020-02-28T23:59:59Z",
        "2020-02-29T11:59:58Z",
        "2020-02-29T23:59:00Z",
        "2020-02-29T11:59:01Z",
    ];
    assert_eq!(found, expected);
    let exactly_half = instants("UTC", "23:00:00=2020-02-28 11:00:00");
    assert_eq!(exactly_half[1], "2020-02-28T11:00:00Z");
}

#[test]
fn lines_before_the_first_date_are_dated_backwards() {
    let found = instants("Europe/Paris", "22:30:00 0:30:00 3:00:00=2018-01-02");
    assert_eq!(found, ["2018-01-01T21:30:00Z", "2018-01-01T23:30:00Z", "2018-01-02T02:00:00Z"]);
}

#[test]
fn a_line_that_is_seconds_late_after_midnight_belongs_to_the_day_before() {
    let found = instants("UTC", "23:59:58=2023-05-02 0:00:01 23:59:59 0:00:02 0:00:03");
    let expected = [
        "2023-05-02T23:59:58Z",
        "2023-05-03T00:00:01Z",
        "2023-05-02T23:59:59Z",
        "2023-05-03T00:00:02Z",
        "2023-05-03T00:00:03Z",
    ];
    assert_eq!(found, expected);
    // One second more than a late line may be, and it is a quiet day.
    let quiet = instants("UTC", "0:01:00=2023-05-02 23:59:59");
    assert_eq!(quiet[1], "2023-05-02T23:59:59Z");
}

#[test]
fn the_hour_that_comes_twice_is_told_by_the_order_of_lines() {
    // Clocks in New York went from 2:00 back to 1:00 on 5 November 2017.
    let found =
        instants("America/New_York", "0:30:00=2017-11-05 1:50:00 1:49:30 1:10:00 1:20:00 2:05:00");
    let expected = [
        "2017-11-05T04:30:00Z",
        "2017-11-05T05:50:00Z",
        // Half a minute back is a line out of order, not the second pass.
        "2017-11-05T05:49:30Z",
        "2017-11-05T06:10:00Z",
        "2017-11-05T06:20:00Z",
        "2017-11-05T07:05:00Z",
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_hour_that_is_skipped_means_its_end() {
    let found = instants("America/Detroit", "1:30:00=2017-03-12 2:30:00 3:30:00");
    assert_eq!(found, ["2017-03-12T06:30:00Z", "2017-03-12T07:00:00Z", "2017-03-12T07:30:00Z"]);
}

#[test]
fn a_date_that_disagrees_wins_from_its_line_on_and_is_told() {
    let mut dating = Dating::new(Zone::utc());
    let first = dating.advance(36_000);
    assert_eq!(dating.anchor(first, date(2020, 1, 1)), Anchor::First);
    let second = dating.advance(40_000);
    assert_eq!(dating.anchor(second, date(2020, 1, 1)), Anchor::Agrees);
    let third = dating.advance(50_000);
    let moved = Anchor::Moved { counted: date(2020, 1, 1) };
    assert_eq!(dating.anchor(third, date(2020, 1, 5)), moved);
    assert_eq!(dating.instant(third).expect("a date").to_string(), "2020-01-05T13:53:20Z");
    let next = dating.advance(10);
    assert_eq!(dating.instant(next).expect("a date").to_string(), "2020-01-06T00:00:10Z");
}

#[test]
fn a_spelled_out_date_counts_only_near_the_clock_of_its_line() {
    let told = date(2017, 1, 8).at(23, 59, 50, 0);
    assert_eq!(carried(23 * 3_600 + 59 * 60 + 55, told), Some(date(2017, 1, 8)));
    assert_eq!(carried(5, told), Some(date(2017, 1, 9)));
    assert_eq!(carried(12 * 3_600, told), None);
    let after = date(2017, 1, 9).at(0, 0, 10, 0);
    assert_eq!(carried(DAY_SECONDS - 5, after), Some(date(2017, 1, 8)));
}

#[test]
fn the_last_line_is_anchored_to_the_time_of_the_file() {
    let day_of = |clock: u32, hint: &str| {
        let mut dating = Dating::new(Zone::named("Europe/Paris").expect("a zone"));
        let mark = dating.advance(clock);
        dating.anchor_last(hint.parse().expect("an instant"));
        dating.date(mark).expect("a date").to_string()
    };
    assert_eq!(day_of(36_000, "2020-06-01T08:00:00Z"), "2020-06-01");
    assert_eq!(day_of(36_001, "2020-06-01T08:00:00Z"), "2020-06-01");
    assert_eq!(day_of(36_000 + 120, "2020-06-01T08:00:00Z"), "2020-05-31");
}

#[test]
fn days_beyond_the_calendar_have_no_instant() {
    let mut dating = Dating::new(Zone::utc());
    let first = dating.advance(0);
    dating.anchor(first, date(9999, 12, 31));
    let mut last = first;
    for _ in 0..3 {
        dating.advance(80_000);
        last = dating.advance(0);
    }
    assert_eq!(dating.instant(last), None);
}
