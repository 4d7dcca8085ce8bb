//! Local days and months, periods from an anchor, and what lies exactly at an edge (C2, C3, C4).
//!
//! Periods are named in UTC, like every instant of a script.

use expect_test::expect;
use std::fmt::Write as _;
use trueup_tests::check::{check, check_by};

/// A line that covers everything, so that only the figures of periods are to be read.
const UNLIMITED: &str = "line API unlimited metric volume";

/// One event of one unit in each hour, from an hour of a day on.
fn hourly(day: &str, first_hour: usize, hours: usize) -> String {
    let mut script = String::new();
    let (month, day) = day.rsplit_once('-').unwrap();
    for hour in first_hour..first_hour + hours {
        let day = day.parse::<usize>().unwrap() + hour / 24;
        writeln!(script, "{month}-{day:02}T{:02}:00 use API 1", hour % 24).unwrap();
    }
    script
}

#[test]
fn a_month_of_budapest_begins_an_hour_before_that_of_utc() {
    check_by(
        "time_zone = \"Europe/Budapest\"",
        &format!(
            "
            {UNLIMITED}
            2024-12-31T22:59:59 use API 1
            2024-12-31T23:00 use API 2
            settle 2025-01-15
            "
        ),
        &expect![[r#"
            settle 2025-01-15T00:00:00Z
            + position everyone API volume 2024-11-30: covered entitled unlimited demand 1 peak 1 at 2024-11-30T23:00
            + position everyone API volume 2024-12-31: covered entitled unlimited demand 2 peak 2 at 2024-12-31T23:00
        "#]],
    );
}

#[test]
fn a_day_of_los_angeles_in_which_summer_time_begins_has_23_hours() {
    let hours = hourly("2025-03-08", 8, 24 + 23 + 24);
    check_by(
        "time_zone = \"America/Los_Angeles\"\nposition_period = \"day\"\nfurther_periods = []",
        &format!("{UNLIMITED} per day\n{hours}\nsettle 2025-03-12"),
        &expect![[r#"
            settle 2025-03-12T00:00:00Z
            + position everyone API volume 2025-03-08: covered entitled unlimited demand 24 peak 24 at 2025-03-08T08:00
            + position everyone API volume 2025-03-09: covered entitled unlimited demand 23 peak 23 at 2025-03-09T08:00
            + position everyone API volume 2025-03-10: covered entitled unlimited demand 24 peak 24 at 2025-03-10T07:00
            + position everyone API volume 2025-03-11: covered entitled unlimited demand 0 peak 0
        "#]],
    );
}

#[test]
fn a_day_of_los_angeles_in_which_summer_time_ends_has_25_hours() {
    let hours = hourly("2025-11-01", 7, 24 + 25 + 24);
    check_by(
        "time_zone = \"America/Los_Angeles\"\nposition_period = \"day\"\nfurther_periods = []",
        &format!("{UNLIMITED} per day\n{hours}\nsettle 2025-11-05"),
        &expect![[r#"
            settle 2025-11-05T00:00:00Z
            + position everyone API volume 2025-11-01: covered entitled unlimited demand 24 peak 24 at 2025-11-01T07:00
            + position everyone API volume 2025-11-02: covered entitled unlimited demand 25 peak 25 at 2025-11-02T07:00
            + position everyone API volume 2025-11-03: covered entitled unlimited demand 24 peak 24 at 2025-11-03T08:00
            + position everyone API volume 2025-11-04: covered entitled unlimited demand 0 peak 0
        "#]],
    );
}

#[test]
fn an_evening_of_vienna_belongs_to_its_local_day_by_the_offset_of_that_day() {
    check_by(
        "time_zone = \"Europe/Vienna\"\nposition_period = \"day\"\nfurther_periods = []",
        &format!(
            "
            {UNLIMITED} per day
            2026-01-31T22:30 use API 1
            2026-01-31T23:00 use API 2
            settle 2026-07-01
            "
        ),
        &expect![[r#"
            settle 2026-07-01T00:00:00Z
            + position everyone API volume 2026-01-30: covered entitled unlimited demand 1 peak 1 at 2026-01-30T23:00
            + position everyone API volume 2026-01-31: covered entitled unlimited demand 2 peak 2 at 2026-01-31T23:00
            + position everyone API volume 2026-06-30: covered entitled unlimited demand 0 peak 0
        "#]],
    );
}

#[test]
fn months_from_the_31st_count_from_their_original_anchor() {
    let days = ["02-28", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31"];
    let events: String = days
        .iter()
        .map(|day| {
            format!(
                "2025-{day} use API 1 for acme\n[id={day}] {} use API 10 for acme\n",
                before(day)
            )
        })
        .collect();
    check(
        &format!(
            "{UNLIMITED} account acme\naccount acme anchor 2025-01-31\n{events}settle 2025-11-15"
        ),
        &expect![[r#"
            settle 2025-11-15T00:00:00Z
            + position acme API volume 2025-01-31: covered entitled unlimited demand 10 peak 10 at 2025-01-31
            + position acme API volume 2025-02-28: covered entitled unlimited demand 11 peak 11 at 2025-02-28
            + position acme API volume 2025-03-31: covered entitled unlimited demand 11 peak 11 at 2025-03-31
            + position acme API volume 2025-04-30: covered entitled unlimited demand 11 peak 11 at 2025-04-30
            + position acme API volume 2025-05-31: covered entitled unlimited demand 11 peak 11 at 2025-05-31
            + position acme API volume 2025-06-30: covered entitled unlimited demand 11 peak 11 at 2025-06-30
            + position acme API volume 2025-07-31: covered entitled unlimited demand 11 peak 11 at 2025-07-31
            + position acme API volume 2025-08-31: covered entitled unlimited demand 11 peak 11 at 2025-08-31
            + position acme API volume 2025-09-30: covered entitled unlimited demand 11 peak 11 at 2025-09-30
            + position acme API volume 2025-10-31: covered entitled unlimited demand 1 peak 1 at 2025-10-31
        "#]],
    );
}

/// The last microsecond before a day of 2025.
fn before(day: &str) -> String {
    let (month, day) = day.split_once('-').unwrap();
    let day = day.parse::<usize>().unwrap() - 1;
    format!("2025-{month}-{day:02}T23:59:59.999999")
}

#[test]
fn years_from_a_29th_of_february_turn_on_the_28th_until_the_next_leap_year() {
    check_by(
        "position_period = \"year\"\nfurther_periods = []",
        &format!(
            "
            {UNLIMITED} per year account acme
            account acme anchor 2024-02-29
            2025-02-27T23:59:59.999999 use API 1 for acme
            2025-02-28 use API 2 for acme
            2026-02-28 use API 3 for acme
            2027-02-28 use API 4 for acme
            2028-02-28T23:59:59.999999 use API 10 for acme
            2028-02-29 use API 5 for acme
            settle 2028-06-01
            "
        ),
        &expect![[r#"
            settle 2028-06-01T00:00:00Z
            + position acme API volume 2024-02-29: covered entitled unlimited demand 1 peak 1 at 2024-02-29
            + position acme API volume 2025-02-28: covered entitled unlimited demand 2 peak 2 at 2025-02-28
            + position acme API volume 2026-02-28: covered entitled unlimited demand 3 peak 3 at 2026-02-28
            + position acme API volume 2027-02-28: covered entitled unlimited demand 14 peak 14 at 2027-02-28
            + position acme API volume 2028-02-29: covered entitled unlimited demand 5 peak 5 at 2028-02-29
        "#]],
    );
}

#[test]
fn a_13th_of_february_lies_in_the_period_that_began_on_the_30th_of_january() {
    check(
        &format!(
            "
            {UNLIMITED} account acme
            account acme anchor 2025-01-30
            2025-01-29T23:59:59.999999 use API 1 for acme
            2025-01-30 use API 2 for acme
            2025-02-13 use API 3 for acme
            2025-02-28 use API 10 for acme
            settle 2025-03-05
            "
        ),
        &expect![[r#"
            settle 2025-03-05T00:00:00Z
            + position acme API volume 2024-12-30: covered entitled unlimited demand 1 peak 1 at 2024-12-30
            + position acme API volume 2025-01-30: covered entitled unlimited demand 5 peak 5 at 2025-01-30
            + position acme API volume 2025-02-28: covered entitled unlimited demand 10 peak 10 at 2025-02-28
        "#]],
    );
}

#[test]
fn an_anchor_is_a_local_day_and_moves_checkouts_seats_and_totals_alike() {
    check(
        "
        show rollups
        account acme zone Asia/Tokyo anchor 2025-01-14T15:00   # the 15th in Tokyo
        member user ada in acme
        line APP 1 account acme
        seat SIM ada from 2025-01-20 to 2025-02-10 for acme
        2025-02-14T14:00 out APP ada@ws1
        2025-02-14T16:00 in APP ada@ws1
        settle 2025-02-20
        ",
        &expect![[r#"
            settle 2025-02-20T00:00:00Z
            + position acme APP concurrent 2025-01-14: near entitled 1 demand 1 peak 1 at 2025-02-14T14:00
            + position acme APP concurrent 2025-02-14: near entitled 1 demand 0 peak 1 at 2025-02-14T15:00
            + position acme SIM named_user 2025-01-14: unlicensed entitled 0 demand 0 peak 1 at 2025-01-20 short 1 2025-01-20..2025-02-10
            + problem near_limit acme APP 2025-01-14 1 2025-02-14T14:00..2025-02-14T15:00
            + problem near_limit acme APP 2025-02-14 1 2025-02-14T15:00..open
            + problem unlicensed_use acme SIM 2025-01-14 1 2025-01-20..2025-02-10
            + total acme APP concurrent 2025-01-14: 1 users 1 devices 1
            + total acme APP concurrent 2025-02-14: 1 users 1 devices 1
            + total acme SIM named_user 2025-01-14: 1 users 1 devices 0
            + total acme everything concurrent 2025-01-14: 1 users 1 devices 1
            + total acme everything concurrent 2025-02-14: 1 users 1 devices 1
            + total acme everything named_user 2025-01-14: 1 users 1 devices 0
            + total everyone APP concurrent 2025-02: 1 users 1 devices 1
            + total everyone SIM named_user 2025-01: 1 users 1 devices 0
            + total everyone SIM named_user 2025-02: 1 users 1 devices 0
            + total everyone everything concurrent 2025-02: 1 users 1 devices 1
            + total everyone everything named_user 2025-01: 1 users 1 devices 0
            + total everyone everything named_user 2025-02: 1 users 1 devices 0
        "#]],
    );
}

#[test]
fn a_calendar_that_is_stated_later_cuts_all_periods_anew_and_is_taken_back_likewise() {
    check(
        "
        line APP unlimited account acme
        line API unlimited metric volume account acme
        [id=a] account acme
        member user ada in acme
        2025-01-20 use API 1 for acme
        2025-02-10 use API 2 for acme
        2025-01-20 out APP ada@ws1
        2025-01-21 in APP ada@ws1
        settle 2025-02-20
        [id=a rev=1] account acme anchor 2025-01-15
        settle
        [id=a rev=2] account acme
        settle
        ",
        &expect![[r#"
            settle 2025-02-20T00:00:00Z
            + position acme API volume 2025-01: covered entitled unlimited demand 1 peak 1 at 2025-01-01
            + position acme API volume 2025-02: covered entitled unlimited demand 2 peak 2 at 2025-02-01
            + position acme APP concurrent 2025-01: covered entitled unlimited demand 0 peak 1 at 2025-01-20
            + position acme APP concurrent 2025-02: covered entitled unlimited demand 0 peak 0
            settle
            + position acme API volume 2025-01-15: covered entitled unlimited demand 3 peak 3 at 2025-01-15
            - position acme API volume 2025-01: covered entitled unlimited demand 1 peak 1 at 2025-01-01
            + position acme API volume 2025-02-15: covered entitled unlimited demand 0 peak 0
            - position acme API volume 2025-02: covered entitled unlimited demand 2 peak 2 at 2025-02-01
            + position acme APP concurrent 2025-01-15: covered entitled unlimited demand 0 peak 1 at 2025-01-20
            - position acme APP concurrent 2025-01: covered entitled unlimited demand 0 peak 1 at 2025-01-20
            + position acme APP concurrent 2025-02-15: covered entitled unlimited demand 0 peak 0
            - position acme APP concurrent 2025-02: covered entitled unlimited demand 0 peak 0
            settle
            - position acme API volume 2025-01-15: covered entitled unlimited demand 3 peak 3 at 2025-01-15
            + position acme API volume 2025-01: covered entitled unlimited demand 1 peak 1 at 2025-01-01
            - position acme API volume 2025-02-15: covered entitled unlimited demand 0 peak 0
            + position acme API volume 2025-02: covered entitled unlimited demand 2 peak 2 at 2025-02-01
            - position acme APP concurrent 2025-01-15: covered entitled unlimited demand 0 peak 1 at 2025-01-20
            + position acme APP concurrent 2025-01: covered entitled unlimited demand 0 peak 1 at 2025-01-20
            - position acme APP concurrent 2025-02-15: covered entitled unlimited demand 0 peak 0
            + position acme APP concurrent 2025-02: covered entitled unlimited demand 0 peak 0
        "#]],
    );
}

#[test]
fn of_several_anchors_the_earliest_counts_for_all_of_time() {
    check(
        "
        line API unlimited metric volume account acme
        account acme under emea to 2025-02-01 anchor 2025-01-20
        [id=b] account acme under apac from 2025-02-01 anchor 2025-01-10
        2025-01-19 use API 1 for acme
        2025-02-09 use API 2 for acme
        2025-02-12 use API 5 for acme
        settle 2025-03-01
        retract b
        settle
        ",
        &expect![[r#"
            settle 2025-03-01T00:00:00Z
            + position acme API volume 2025-01-10: covered entitled unlimited demand 3 peak 3 at 2025-01-10
            + position acme API volume 2025-02-10: covered entitled unlimited demand 5 peak 5 at 2025-02-10
            settle
            + position acme API volume 2024-12-20: covered entitled unlimited demand 1 peak 1 at 2024-12-20
            - position acme API volume 2025-01-10: covered entitled unlimited demand 3 peak 3 at 2025-01-10
            + position acme API volume 2025-01-20: covered entitled unlimited demand 7 peak 7 at 2025-01-20
            - position acme API volume 2025-02-10: covered entitled unlimited demand 5 peak 5 at 2025-02-10
            + position acme API volume 2025-02-20: covered entitled unlimited demand 0 peak 0
        "#]],
    );
}

#[test]
fn an_account_that_moves_keeps_its_calendar() {
    check(
        "
        line API unlimited metric volume account acme
        account acme under emea anchor 2025-01-10
        2025-02-09 use API 1 for acme
        2025-02-12 use API 2 for acme
        settle 2025-03-01
        move acme under apac from 2025-02-11
        settle
        ",
        &expect![[r#"
            settle 2025-03-01T00:00:00Z
            + position acme API volume 2025-01-10: covered entitled unlimited demand 1 peak 1 at 2025-01-10
            + position acme API volume 2025-02-10: covered entitled unlimited demand 2 peak 2 at 2025-02-10
            settle
        "#]],
    );
}

#[test]
fn a_line_covers_from_its_first_instant_on() {
    check(
        "
        line APP 1 from 2025-03-03T10:00
        10:00 out APP bob@ws2
        12:00 in APP bob@ws2
        settle 13:00
        09:59:59.999999 out APP ada@ws1
        10:00 in APP ada@ws1
        settle 13:00
        ",
        &expect![[r#"
            settle 2025-03-03T13:00:00Z
            + position everyone APP concurrent 2025-03: near entitled 1 demand 0 peak 1 at 2025-03-03T10:00
            + problem near_limit everyone APP 2025-03 1 2025-03-03T10:00..open
            settle 2025-03-03T13:00:00Z
            - position everyone APP concurrent 2025-03: near entitled 1 demand 0 peak 1 at 2025-03-03T10:00
            + position everyone APP concurrent 2025-03: unlicensed entitled 1 demand 0 peak 1 at 2025-03-03T09:59:59.999999 short 1 2025-03-03T09:59:59.999999..2025-03-03T10:00
            - problem near_limit everyone APP 2025-03 1 2025-03-03T10:00..open
            + problem unlicensed_use everyone APP 2025-03 1 2025-03-03T09:59:59.999999..2025-03-03T10:00
        "#]],
    );
}

#[test]
fn a_line_covers_no_more_at_the_instant_of_its_end() {
    check(
        "
        line APP 1 from 2025-03-03T10:00 to 2025-03-03T12:00
        10:00 out APP bob@ws2
        12:00 in APP bob@ws2
        settle 13:00
        12:00 out APP cyd@ws3
        12:30 in APP cyd@ws3
        settle 13:00
        ",
        &expect![[r#"
            settle 2025-03-03T13:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled 0 demand 0 peak 1 at 2025-03-03T10:00
            settle 2025-03-03T13:00:00Z
            - position everyone APP concurrent 2025-03: covered entitled 0 demand 0 peak 1 at 2025-03-03T10:00
            + position everyone APP concurrent 2025-03: expired entitled 0 demand 0 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..2025-03-03T12:30
            + problem expired_in_use everyone APP 2025-03 1 2025-03-03T12:00..2025-03-03T12:30
        "#]],
    );
}

#[test]
fn the_last_microsecond_of_a_month_is_inside() {
    check(
        &format!(
            "
            {UNLIMITED}
            2025-03-31T23:59:59.999999 use API 1
            2025-04-01 use API 2
            settle 2025-04-02
            "
        ),
        &expect![[r#"
            settle 2025-04-02T00:00:00Z
            + position everyone API volume 2025-03: covered entitled unlimited demand 1 peak 1 at 2025-03-01
            + position everyone API volume 2025-04: covered entitled unlimited demand 2 peak 2 at 2025-04-01
        "#]],
    );
}

#[test]
fn a_date_that_was_never_set_is_no_date() {
    check_by(
        "position_period = \"day\"",
        "
        seat APP ada from 0001-01-01
        seat APP bob from 1970-01-01
        1970-01-01T00:00 out APP cyd@ws1 x1 on lic1
        0001-01-01T00:00 use SIM 1.5
        2025-03-02T10:00 out APP cyd@ws1 x1 on lic1
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone APP concurrent 2025-03-02: unlicensed entitled 0 demand 1 peak 1 at 2025-03-02T10:00 short 1 2025-03-02T10:00..2025-03-03
            + position everyone APP concurrent 2025-03-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03 short 1 2025-03-03..open
            + position everyone APP named_user 2025-03-03: unlicensed entitled 0 demand 2 peak 2 at 2025-03-03 short 2 2025-03-03..open
            + problem unlicensed_use everyone APP 2025-03-02 1 2025-03-02T10:00..2025-03-03
            + problem unlicensed_use everyone APP 2025-03-03 1 2025-03-03..open
            + problem unlicensed_use everyone APP 2025-03-03 2 2025-03-03..open
        "#]],
    );
}

#[test]
fn an_event_that_is_corrected_while_it_waits_counts_once_wherever_time_is_cut_later() {
    check(
        "
        show rollups
        account london under emea
        [id=a arrived=2025-03-01T08:00] 2025-03-01T08:00 use API 4.5 for london
        settle
        [id=a rev=1 arrived=2025-03-01T08:00] 2025-03-01T08:00 use API 6.5 for london
        settle 2025-03-31
        account emea under london to 2025-03-01T08:00 anchor 2025-03-30T23:00
        settle
        ",
        &expect![[r#"
            settle
            settle 2025-03-31T00:00:00Z
            + position london API volume 2025-03: unlicensed entitled 0 demand 6.5 peak 6.5 at 2025-03-01 short 6.5 2025-03-01..open
            + problem unlicensed_use london API 2025-03 6.5 2025-03-01..open
            + total emea API volume 2025-03: 6.5 users 0 devices 0
            + total emea everything volume 2025-03: 6.5 users 0 devices 0
            + total everyone API volume 2025-03: 6.5 users 0 devices 0
            + total everyone everything volume 2025-03: 6.5 users 0 devices 0
            + total london API volume 2025-03: 6.5 users 0 devices 0
            + total london everything volume 2025-03: 6.5 users 0 devices 0
            settle
            + problem hierarchy_cycle emea 1 always..2025-03-01T08:00
            + problem hierarchy_cycle london 1 always..2025-03-01T08:00
            + total emea API volume 2025-02-28: 6.5 users 0 devices 0
            - total emea API volume 2025-03: 6.5 users 0 devices 0
            + total emea everything volume 2025-02-28: 6.5 users 0 devices 0
            - total emea everything volume 2025-03: 6.5 users 0 devices 0
            + total unattributed API volume 2025-03: 6.5 users 0 devices 0
            + total unattributed everything volume 2025-03: 6.5 users 0 devices 0
        "#]],
    );
}
