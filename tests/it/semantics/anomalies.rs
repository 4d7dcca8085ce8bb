//! What is out of the ordinary by the policy's measure, and when that passes (B 3.6, C14).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn a_daemon_that_is_silent_for_longer_than_it_may_is_named_when_the_horizon_passes_the_limit() {
    // With no event at 11:00 and a microsecond; what arrives late fills the gap.
    check_by(
        "[anomalies]\nsilence_seconds = 3600",
        "
        line APP unlimited
        10:00 alive
        settle 11:00
        settle 11:00:00.000001
        [id=late] 10:30 alive
        settle 11:30
        settle 12:00
        11:45 out APP ada@ws1
        settle 12:00
        retract late
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled unlimited demand 0 peak 0
            settle 2025-03-03T11:00:00.000001Z
            + problem telemetry_gap lic 1 2025-03-03T10:00..open
            settle 2025-03-03T11:30:00Z
            - problem telemetry_gap lic 1 2025-03-03T10:00..open
            settle 2025-03-03T12:00:00Z
            + problem telemetry_gap lic 1 2025-03-03T10:30..open
            settle 2025-03-03T12:00:00Z
            - position everyone APP concurrent 2025-03: covered entitled unlimited demand 0 peak 0
            + position everyone APP concurrent 2025-03: covered entitled unlimited demand 1 peak 1 at 2025-03-03T11:45
            + problem telemetry_gap lic 1 2025-03-03T10:30..2025-03-03T11:45
            - problem telemetry_gap lic 1 2025-03-03T10:30..open
            settle 2025-03-03T12:00:00Z
            + problem telemetry_gap lic 1 2025-03-03T10:00..2025-03-03T11:45
            - problem telemetry_gap lic 1 2025-03-03T10:30..2025-03-03T11:45
        "#]],
    );
}

#[test]
fn gaps_of_one_daemon_are_one_row_and_those_of_another_are_another() {
    check_by(
        "[anomalies]\nsilence_seconds = 3600",
        "
        08:00 alive one
        10:00 alive one
        11:00 alive one
        13:00 alive one
        12:00 alive two
        14:30 alive two
        settle 14:00
        settle 14:30
        ",
        &expect![[r#"
            settle 2025-03-03T14:00:00Z
            + problem telemetry_gap one 2 2025-03-03T08:00..2025-03-03T13:00
            + problem telemetry_gap two 1 2025-03-03T12:00..open
            settle 2025-03-03T14:30:00Z
            - problem telemetry_gap one 2 2025-03-03T08:00..2025-03-03T13:00
            + problem telemetry_gap one 3 2025-03-03T08:00..open
            + problem telemetry_gap two 1 2025-03-03T12:00..2025-03-03T14:30
            - problem telemetry_gap two 1 2025-03-03T12:00..open
        "#]],
    );
}

#[test]
fn a_checkout_is_stuck_once_it_is_open_for_longer_than_is_plausible_and_until_it_ends() {
    check_by(
        "[anomalies]\nstuck_after_seconds = 86400",
        "
        line APP unlimited
        2025-03-03T10:00 out APP ada@ws1
        2025-03-03T12:00 out APP bob@ws2
        settle 2025-03-04T10:00
        settle 2025-03-04T10:00:00.000001
        settle 2025-03-05
        [id=end] 2025-03-04T09:00 in APP ada@ws1
        settle 2025-03-05
        retract end
        settle 2025-03-05
        ",
        &expect![[r#"
            settle 2025-03-04T10:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled unlimited demand 2 peak 2 at 2025-03-03T12:00
            settle 2025-03-04T10:00:00.000001Z
            - position everyone APP concurrent 2025-03: covered entitled unlimited demand 2 peak 2 at 2025-03-03T12:00
            + position everyone APP concurrent 2025-03: covered entitled unlimited demand 2 peak 2 at 2025-03-03T12:00
            + problem session_stuck_open APP lic 1 2025-03-03T10:00..open
            settle 2025-03-05T00:00:00Z
            - position everyone APP concurrent 2025-03: covered entitled unlimited demand 2 peak 2 at 2025-03-03T12:00
            + position everyone APP concurrent 2025-03: covered entitled unlimited demand 2 peak 2 at 2025-03-03T12:00
            - problem session_stuck_open APP lic 1 2025-03-03T10:00..open
            + problem session_stuck_open APP lic 2 2025-03-03T10:00..open
            settle 2025-03-05T00:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled unlimited demand 1 peak 2 at 2025-03-03T12:00
            - position everyone APP concurrent 2025-03: covered entitled unlimited demand 2 peak 2 at 2025-03-03T12:00
            + problem session_stuck_open APP lic 1 2025-03-03T12:00..open
            - problem session_stuck_open APP lic 2 2025-03-03T10:00..open
            settle 2025-03-05T00:00:00Z
            - position everyone APP concurrent 2025-03: covered entitled unlimited demand 1 peak 2 at 2025-03-03T12:00
            + position everyone APP concurrent 2025-03: covered entitled unlimited demand 2 peak 2 at 2025-03-03T12:00
            - problem session_stuck_open APP lic 1 2025-03-03T12:00..open
            + problem session_stuck_open APP lic 2 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn a_document_that_repeats_more_than_its_share_is_named_by_how_often() {
    // Of four sayings two are repetition: not more than half; of five, three.
    check_by(
        "[anomalies]\nduplicate_percent = 50",
        "
        line API unlimited metric volume
        [id=e1] 10:00 use API 1
        [id=e1] 10:00 use API 1
        [id=e1] 10:00 use API 1
        settle 12:00
        [id=e1] 10:00 use API 1
        settle 12:00
        [id=e2] 11:00 use API 1
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone API volume 2025-03: covered entitled unlimited demand 1 peak 1 at 2025-03-01
            settle 2025-03-03T12:00:00Z
            + problem duplicate_rate_high script 3
            settle 2025-03-03T12:00:00Z
            - position everyone API volume 2025-03: covered entitled unlimited demand 1 peak 1 at 2025-03-01
            + position everyone API volume 2025-03: covered entitled unlimited demand 2 peak 2 at 2025-03-01
            - problem duplicate_rate_high script 3
        "#]],
    );
}

/// Six months of 10, 11, 10, 12, 10 and 11 units, of which the median is 10.5 and MAD 0.5, so that the
/// spread is a unit.
const HALF_A_YEAR: &str = "
    line API unlimited metric volume
    2025-01-10 use API 10
    2025-02-10 use API 11
    2025-03-10 use API 10
    2025-04-10 use API 12
    2025-05-10 use API 10
    2025-06-10 use API 11
";

#[test]
fn a_month_is_a_spike_only_beyond_so_many_spreads_and_once_it_is_closed() {
    check_by(
        "further_periods = []\n[anomalies]\nspike_deviations = 5",
        &format!(
            "{HALF_A_YEAR}
            2025-07-10 use API 15.5
            settle 2025-08-01
            [id=more] 2025-07-11 use API 0.000001
            settle 2025-08-01
            retract more
            settle 2025-08-01
            "
        ),
        &expect![[r#"
            settle 2025-08-01T00:00:00Z
            + position everyone API volume 2025-01: covered entitled unlimited demand 10 peak 10 at 2025-01-01
            + position everyone API volume 2025-02: covered entitled unlimited demand 11 peak 11 at 2025-02-01
            + position everyone API volume 2025-03: covered entitled unlimited demand 10 peak 10 at 2025-03-01
            + position everyone API volume 2025-04: covered entitled unlimited demand 12 peak 12 at 2025-04-01
            + position everyone API volume 2025-05: covered entitled unlimited demand 10 peak 10 at 2025-05-01
            + position everyone API volume 2025-06: covered entitled unlimited demand 11 peak 11 at 2025-06-01
            + position everyone API volume 2025-07: covered entitled unlimited demand 15.5 peak 15.5 at 2025-07-01
            + position everyone API volume 2025-08: covered entitled unlimited demand 0 peak 0
            settle 2025-08-01T00:00:00Z
            - position everyone API volume 2025-07: covered entitled unlimited demand 15.5 peak 15.5 at 2025-07-01
            + position everyone API volume 2025-07: covered entitled unlimited demand 15.500001 peak 15.500001 at 2025-07-01
            + problem usage_spike everyone API 2025-07 5.000001 2025-07-01..2025-08-01
            settle 2025-08-01T00:00:00Z
            + position everyone API volume 2025-07: covered entitled unlimited demand 15.5 peak 15.5 at 2025-07-01
            - position everyone API volume 2025-07: covered entitled unlimited demand 15.500001 peak 15.500001 at 2025-07-01
            - problem usage_spike everyone API 2025-07 5.000001 2025-07-01..2025-08-01
        "#]],
    );
}

#[test]
fn months_without_use_are_drops_though_the_next_use_is_told_when_they_are_over() {
    // The months from April to August have no position at all; that of September is told with their end.
    check_by(
        "further_periods = []\n[anomalies]\nspike_deviations = 5\nspike_periods = 3",
        "
        line API unlimited metric volume
        2025-01-10 use API 10
        2025-02-10 use API 10
        2025-03-10 use API 10
        settle 2025-04-01
        2025-09-10 use API 10
        settle 2025-10-01
        ",
        &expect![[r#"
            settle 2025-04-01T00:00:00Z
            + position everyone API volume 2025-01: covered entitled unlimited demand 10 peak 10 at 2025-01-01
            + position everyone API volume 2025-02: covered entitled unlimited demand 10 peak 10 at 2025-02-01
            + position everyone API volume 2025-03: covered entitled unlimited demand 10 peak 10 at 2025-03-01
            + position everyone API volume 2025-04: covered entitled unlimited demand 0 peak 0
            settle 2025-10-01T00:00:00Z
            - position everyone API volume 2025-04: covered entitled unlimited demand 0 peak 0
            + position everyone API volume 2025-09: covered entitled unlimited demand 10 peak 10 at 2025-09-01
            + position everyone API volume 2025-10: covered entitled unlimited demand 0 peak 0
            + problem usage_drop everyone API 2025-04 10 2025-04-01..2025-05-01
            + problem usage_drop everyone API 2025-05 10 2025-05-01..2025-06-01
            + problem usage_spike everyone API 2025-09 10 2025-09-01..2025-10-01
        "#]],
    );
}

#[test]
fn a_month_without_use_is_a_drop_from_its_habit_with_no_event_at_all() {
    check_by(
        "further_periods = []\n[anomalies]\nspike_deviations = 5\nspike_periods = 3",
        &format!(
            "{HALF_A_YEAR}
            settle 2025-07-31T23:59:59
            settle 2025-08-01
            settle 2025-10-01
            "
        ),
        &expect![[r#"
            settle 2025-07-31T23:59:59Z
            + position everyone API volume 2025-01: covered entitled unlimited demand 10 peak 10 at 2025-01-01
            + position everyone API volume 2025-02: covered entitled unlimited demand 11 peak 11 at 2025-02-01
            + position everyone API volume 2025-03: covered entitled unlimited demand 10 peak 10 at 2025-03-01
            + position everyone API volume 2025-04: covered entitled unlimited demand 12 peak 12 at 2025-04-01
            + position everyone API volume 2025-05: covered entitled unlimited demand 10 peak 10 at 2025-05-01
            + position everyone API volume 2025-06: covered entitled unlimited demand 11 peak 11 at 2025-06-01
            + position everyone API volume 2025-07: covered entitled unlimited demand 0 peak 0
            settle 2025-08-01T00:00:00Z
            - position everyone API volume 2025-07: covered entitled unlimited demand 0 peak 0
            + position everyone API volume 2025-08: covered entitled unlimited demand 0 peak 0
            + problem usage_drop everyone API 2025-07 11 2025-07-01..2025-08-01
            settle 2025-10-01T00:00:00Z
            - position everyone API volume 2025-08: covered entitled unlimited demand 0 peak 0
            + position everyone API volume 2025-10: covered entitled unlimited demand 0 peak 0
            + problem usage_drop everyone API 2025-08 10 2025-08-01..2025-09-01
        "#]],
    );
}

#[test]
fn a_habit_is_judged_only_once_it_has_as_many_months_as_the_policy_asks_for() {
    check_by(
        "further_periods = []\n[anomalies]\nspike_deviations = 5\nspike_periods = 3",
        "
        line API unlimited metric volume
        2025-01-10 use API 1
        2025-02-10 use API 1
        2025-03-10 use API 100
        settle 2025-04-01
        [id=first] 2024-12-10 use API 1
        settle 2025-04-01
        retract first
        settle 2025-04-01
        ",
        &expect![[r#"
            settle 2025-04-01T00:00:00Z
            + position everyone API volume 2025-01: covered entitled unlimited demand 1 peak 1 at 2025-01-01
            + position everyone API volume 2025-02: covered entitled unlimited demand 1 peak 1 at 2025-02-01
            + position everyone API volume 2025-03: covered entitled unlimited demand 100 peak 100 at 2025-03-01
            + position everyone API volume 2025-04: covered entitled unlimited demand 0 peak 0
            settle 2025-04-01T00:00:00Z
            + position everyone API volume 2024-12: covered entitled unlimited demand 1 peak 1 at 2024-12-01
            + problem usage_spike everyone API 2025-03 99 2025-03-01..2025-04-01
            settle 2025-04-01T00:00:00Z
            - position everyone API volume 2024-12: covered entitled unlimited demand 1 peak 1 at 2024-12-01
            - problem usage_spike everyone API 2025-03 99 2025-03-01..2025-04-01
        "#]],
    );
}

#[test]
fn signs_of_life_of_what_is_not_out_are_counted_until_the_checkout_is_heard_of() {
    check(
        "
        09:00 out APP ada@ws1
        10:00 in APP ada@ws1
        10:05 beat APP ada@ws1
        10:10 beat APP ada@ws1
        settle 11:00
        10:02 out APP ada@ws1
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone APP concurrent 2025-03: unlicensed entitled 0 demand 0 peak 1 at 2025-03-03T09:00 short 1 2025-03-03T09:00..2025-03-03T10:00
            + problem heartbeat_after_close lic 2
            + problem unlicensed_use everyone APP 2025-03 1 2025-03-03T09:00..2025-03-03T10:00
            settle 2025-03-03T11:00:00Z
            - position everyone APP concurrent 2025-03: unlicensed entitled 0 demand 0 peak 1 at 2025-03-03T09:00 short 1 2025-03-03T09:00..2025-03-03T10:00
            + position everyone APP concurrent 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03T09:00 short 1 2025-03-03T09:00..open
            - problem heartbeat_after_close lic 2
            - problem unlicensed_use everyone APP 2025-03 1 2025-03-03T09:00..2025-03-03T10:00
            + problem unlicensed_use everyone APP 2025-03 1 2025-03-03T09:00..open
        "#]],
    );
}

#[test]
fn a_document_whose_events_arrive_before_they_happen_has_a_clock_that_runs_ahead() {
    check_by(
        "[anomalies]\nahead_seconds = 300",
        "
        [arrived=2025-03-03T10:00] 10:05 use API 1 by ada
        [arrived=2025-03-03T10:00] 10:06 use API 1 by ada
        [arrived=2025-03-03T10:00 id=late] 10:30 use API 1 by ada
        settle 10:00
        [arrived=2025-03-03T10:40] retract late
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T10:00:00Z
            + problem future_event script 2 2025-03-03T10:06..2025-03-03T10:30
            settle 2025-03-03T11:00:00Z
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 2 peak 2 at 2025-03-01 short 2 2025-03-01..open
            + problem future_event script 1 2025-03-03T10:06..2025-03-03T10:06
            - problem future_event script 2 2025-03-03T10:06..2025-03-03T10:30
            + problem unlicensed_use everyone API 2025-03 2 2025-03-01..open
        "#]],
    );
}

#[test]
fn what_was_unusual_on_a_day_of_one_zone_is_not_said_of_it_in_another() {
    check_by(
        r#"
        position_period = "day"
        further_periods = []
        [anomalies]
        spike_deviations = 1
        spike_periods = 3
        "#,
        "
        member user ada in group
        2025-01-30T00:00 out SIM ada@ws1 x2
        2025-02-02T08:00 in SIM ada@ws1 x2
        settle 2025-02-05
        account group zone America/New_York
        settle 2025-02-05
        ",
        &expect![[r#"
            settle 2025-02-05T00:00:00Z
            + position group SIM concurrent 2025-01-30: unlicensed entitled 0 demand 2 peak 2 at 2025-01-30 short 2 2025-01-30..2025-01-31
            + position group SIM concurrent 2025-01-31: unlicensed entitled 0 demand 2 peak 2 at 2025-01-31 short 2 2025-01-31..2025-02-01
            + position group SIM concurrent 2025-02-01: unlicensed entitled 0 demand 2 peak 2 at 2025-02-01 short 2 2025-02-01..2025-02-02
            + position group SIM concurrent 2025-02-02: unlicensed entitled 0 demand 0 peak 2 at 2025-02-02 short 2 2025-02-02..2025-02-02T08:00
            + problem unlicensed_use group SIM 2025-01-30 2 2025-01-30..2025-01-31
            + problem unlicensed_use group SIM 2025-01-31 2 2025-01-31..2025-02-01
            + problem unlicensed_use group SIM 2025-02-01 2 2025-02-01..2025-02-02
            + problem unlicensed_use group SIM 2025-02-02 2 2025-02-02..2025-02-02T08:00
            + problem usage_drop group SIM 2025-02-03 2 2025-02-03..2025-02-04
            + problem usage_drop group SIM 2025-02-04 2 2025-02-04..2025-02-05
            settle 2025-02-05T00:00:00Z
            + position group SIM concurrent 2025-01-29: unlicensed entitled 0 demand 2 peak 2 at 2025-01-30 short 2 2025-01-30..2025-01-30T05:00
            - position group SIM concurrent 2025-01-30: unlicensed entitled 0 demand 2 peak 2 at 2025-01-30 short 2 2025-01-30..2025-01-31
            + position group SIM concurrent 2025-01-30: unlicensed entitled 0 demand 2 peak 2 at 2025-01-30T05:00 short 2 2025-01-30T05:00..2025-01-31T05:00
            - position group SIM concurrent 2025-01-31: unlicensed entitled 0 demand 2 peak 2 at 2025-01-31 short 2 2025-01-31..2025-02-01
            + position group SIM concurrent 2025-01-31: unlicensed entitled 0 demand 2 peak 2 at 2025-01-31T05:00 short 2 2025-01-31T05:00..2025-02-01T05:00
            - position group SIM concurrent 2025-02-01: unlicensed entitled 0 demand 2 peak 2 at 2025-02-01 short 2 2025-02-01..2025-02-02
            + position group SIM concurrent 2025-02-01: unlicensed entitled 0 demand 2 peak 2 at 2025-02-01T05:00 short 2 2025-02-01T05:00..2025-02-02T05:00
            - position group SIM concurrent 2025-02-02: unlicensed entitled 0 demand 0 peak 2 at 2025-02-02 short 2 2025-02-02..2025-02-02T08:00
            + position group SIM concurrent 2025-02-02: unlicensed entitled 0 demand 0 peak 2 at 2025-02-02T05:00 short 2 2025-02-02T05:00..2025-02-02T08:00
            + problem unlicensed_use group SIM 2025-01-29 2 2025-01-30..2025-01-30T05:00
            - problem unlicensed_use group SIM 2025-01-30 2 2025-01-30..2025-01-31
            + problem unlicensed_use group SIM 2025-01-30 2 2025-01-30T05:00..2025-01-31T05:00
            - problem unlicensed_use group SIM 2025-01-31 2 2025-01-31..2025-02-01
            + problem unlicensed_use group SIM 2025-01-31 2 2025-01-31T05:00..2025-02-01T05:00
            - problem unlicensed_use group SIM 2025-02-01 2 2025-02-01..2025-02-02
            + problem unlicensed_use group SIM 2025-02-01 2 2025-02-01T05:00..2025-02-02T05:00
            - problem unlicensed_use group SIM 2025-02-02 2 2025-02-02..2025-02-02T08:00
            + problem unlicensed_use group SIM 2025-02-02 2 2025-02-02T05:00..2025-02-02T08:00
            - problem usage_drop group SIM 2025-02-03 2 2025-02-03..2025-02-04
            + problem usage_drop group SIM 2025-02-03 2 2025-02-03T05:00..2025-02-04T05:00
            - problem usage_drop group SIM 2025-02-04 2 2025-02-04..2025-02-05
        "#]],
    );
}

#[test]
fn what_arrives_longer_after_it_happened_than_is_kept_is_set_aside_and_told() {
    // The correction of something that was counted in time is too late as well, its withdrawal is not.
    check_by(
        "retention_days = 60",
        "
        [id=a] 2025-01-01T10:00 use API 5
        [id=b arrived=2025-03-02] 2025-01-01T10:00 use API 7
        [id=c arrived=2025-03-03] 2025-01-01T10:00 use API 9
        settle 12:00
        [id=a rev=1 arrived=2025-03-03] 2025-01-01T10:00 use API 6
        settle 12:00
        [arrived=2025-03-03] retract a
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone API volume 2025-01: unlicensed entitled 0 demand 12 peak 12 at 2025-01-01 short 12 2025-01-01..2025-02-01
            + problem beyond_retention script 1
            + problem unlicensed_use everyone API 2025-01 12 2025-01-01..2025-02-01
            settle 2025-03-03T12:00:00Z
            - problem beyond_retention script 1
            + problem beyond_retention script 2
            settle 2025-03-03T12:00:00Z
            - position everyone API volume 2025-01: unlicensed entitled 0 demand 12 peak 12 at 2025-01-01 short 12 2025-01-01..2025-02-01
            + position everyone API volume 2025-01: unlicensed entitled 0 demand 7 peak 7 at 2025-01-01 short 7 2025-01-01..2025-02-01
            - problem unlicensed_use everyone API 2025-01 12 2025-01-01..2025-02-01
            + problem unlicensed_use everyone API 2025-01 7 2025-01-01..2025-02-01
        "#]],
    );
}
