//! Levels over time, people and single quantities in periods, and the statistics of peaks (A 2.1, 2.3,
//! 2.9, 2.10).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn a_level_counts_by_its_time_over_the_true_length_of_the_period() {
    check(
        "
        line DISK 15 metric level
        2025-03-16T00:00 set DISK 20
        2025-03-17T00:00 set DISK 30
        settle 2025-04-01
        ",
        &expect![[r#"
            settle 2025-04-01T00:00:00Z
            + position everyone DISK level 2025-03: over entitled 15 demand 30 peak 15.16129 at 2025-03-01 short 0.16129 2025-03-01..2025-04-01
            + position everyone DISK level 2025-04: covered entitled 15 demand 30 peak 0
            + problem over_use everyone DISK 2025-03 0.16129 2025-03-01..2025-04-01
            + problem shelfware everyone DISK 2025-04 15 2025-04-01..open
        "#]],
    );
}

#[test]
fn a_level_that_was_set_in_the_period_before_is_carried_over() {
    check(
        "
        2025-02-10T00:00 set DISK 10
        settle 2025-04-01
        ",
        &expect![[r#"
            settle 2025-04-01T00:00:00Z
            + position everyone DISK level 2025-02: unlicensed entitled 0 demand 10 peak 6.785714 at 2025-02-01 short 6.785714 2025-02-01..2025-03-01
            + position everyone DISK level 2025-03: unlicensed entitled 0 demand 10 peak 10 at 2025-03-01 short 10 2025-03-01..2025-04-01
            + position everyone DISK level 2025-04: covered entitled 0 demand 10 peak 0
            + problem unlicensed_use everyone DISK 2025-02 6.785714 2025-02-01..2025-03-01
            + problem unlicensed_use everyone DISK 2025-03 10 2025-03-01..2025-04-01
        "#]],
    );
}

#[test]
fn the_newest_quantity_counts_and_falls_back_when_it_is_taken_back() {
    check(
        "
        line GAUGE 6 metric latest
        [id=e1] 2025-03-01T01:00 use GAUGE 5
        [id=e2] 2025-03-01T02:00 use GAUGE 9
        settle 2025-03-02
        [id=e0] 2025-03-01T00:30 use GAUGE 100
        settle 2025-03-02
        retract e2
        settle 2025-03-02
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position everyone GAUGE latest 2025-03: over entitled 6 demand 9 peak 9 at 2025-03-01 short 3 2025-03-01..open
            + problem over_use everyone GAUGE 2025-03 3 2025-03-01..open
            settle 2025-03-02T00:00:00Z
            settle 2025-03-02T00:00:00Z
            + position everyone GAUGE latest 2025-03: covered entitled 6 demand 5 peak 5 at 2025-03-01
            - position everyone GAUGE latest 2025-03: over entitled 6 demand 9 peak 9 at 2025-03-01 short 3 2025-03-01..open
            - problem over_use everyone GAUGE 2025-03 3 2025-03-01..open
        "#]],
    );
}

#[test]
fn maxima_do_not_add_up_and_each_node_is_judged_by_its_own_events() {
    check(
        "
        account c1 under group
        account c2 under group
        line M 100 name l1 metric maximum account c1
        line M 5 name l2 metric maximum account c2
        line POOLED 100 name l3 metric maximum account group
        2025-03-01T01:00 use M 100 for c1
        2025-03-01T02:00 use M 10 for c2
        2025-03-01T01:00 use POOLED 100 for c1
        2025-03-01T02:00 use POOLED 10 for c2
        settle 2025-03-02
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position c1 M maximum 2025-03: near entitled 100 demand 100 peak 100 at 2025-03-01
            + position c2 M maximum 2025-03: over entitled 5 demand 10 peak 10 at 2025-03-01 short 5 2025-03-01..open
            + position group POOLED maximum 2025-03: near entitled 100 demand 100 peak 100 at 2025-03-01
            + problem near_limit c1 M 2025-03 100 2025-03-01..open
            + problem near_limit group POOLED 2025-03 100 2025-03-01..open
            + problem over_use c2 M 2025-03 5 2025-03-01..open
        "#]],
    );
}

#[test]
fn three_ones_are_three_as_a_sum_and_one_as_a_maximum() {
    check(
        "
        line S 3 metric volume
        line M 1 metric maximum
        2025-03-01T01:00 use S 1
        2025-03-02T01:00 use S 1
        2025-03-03T01:00 use S 1
        2025-03-01T01:00 use M 1
        2025-03-02T01:00 use M 1
        2025-03-03T01:00 use M 1
        settle 2025-03-04
        ",
        &expect![[r#"
            settle 2025-03-04T00:00:00Z
            + position everyone M maximum 2025-03: near entitled 1 demand 1 peak 1 at 2025-03-01
            + position everyone S volume 2025-03: near entitled 3 demand 3 peak 3 at 2025-03-01
            + problem near_limit everyone M 2025-03 1 2025-03-01..open
            + problem near_limit everyone S 2025-03 3 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_person_counts_once_in_each_period_and_once_above_two_affiliates() {
    check(
        "
        show rollups
        account a under group
        account b under group
        line U 1 metric unique account group
        2025-03-01T01:00 use U 1 by ada for a
        2025-03-01T02:00 use U 1 by ada for b
        2025-03-01T02:00 use U 1 by ada for b
        settle 2025-03-02
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position group U unique 2025-03: near entitled 1 demand 1 peak 1 at 2025-03-01
            + problem near_limit group U 2025-03 1 2025-03-01..open
            + total a U volume 2025-03: 1 users 1 devices 0
            + total a everything volume 2025-03: 1 users 1 devices 0
            + total b U volume 2025-03: 2 users 1 devices 0
            + total b everything volume 2025-03: 2 users 1 devices 0
            + total everyone U volume 2025-03: 3 users 1 devices 0
            + total everyone everything volume 2025-03: 3 users 1 devices 0
            + total group U volume 2025-03: 3 users 1 devices 0
            + total group everything volume 2025-03: 3 users 1 devices 0
        "#]],
    );
}

#[test]
fn an_alias_of_the_past_makes_two_people_one_in_past_periods() {
    check_by(
        r#"
        [[rule]]
        products = ["U"]
        metrics = ["unique"]
        "#,
        "
        2025-01-10T01:00 use U 1 by u1
        2025-01-11T01:00 use U 1 by u2
        settle 2025-02-02
        alias user u2 = u1 from 2025-01-01
        settle
        ",
        &expect![[r#"
            settle 2025-02-02T00:00:00Z
            + position everyone U unique 2025-01: unlicensed entitled 0 demand 2 peak 2 at 2025-01-01 short 2 2025-01-01..2025-02-01
            + position everyone U volume 2025-01: unlicensed entitled 0 demand 2 peak 2 at 2025-01-01 short 2 2025-01-01..2025-02-01
            + problem unlicensed_use everyone U 2025-01 2 2025-01-01..2025-02-01
            + problem unlicensed_use everyone U 2025-01 2 2025-01-01..2025-02-01
            settle
            + position everyone U unique 2025-01: unlicensed entitled 0 demand 1 peak 1 at 2025-01-01 short 1 2025-01-01..2025-02-01
            - position everyone U unique 2025-01: unlicensed entitled 0 demand 2 peak 2 at 2025-01-01 short 2 2025-01-01..2025-02-01
            + problem unlicensed_use everyone U 2025-01 1 2025-01-01..2025-02-01
            - problem unlicensed_use everyone U 2025-01 2 2025-01-01..2025-02-01
        "#]],
    );
}

#[test]
fn people_count_by_the_days_on_which_they_took_part() {
    check_by(
        r#"
        [[rule]]
        products = ["*"]
        statistic = "days"
        "#,
        "
        line A 1 metric named_user
        line D 1 metric named_user
        seat A ada
        2025-03-11T09:00 enter A by bob
        2025-03-16T12:00 enter D by cyd
        2025-03-20T10:00 enter D by dan
        2025-03-20T15:00 leave D by dan
        2025-03-20T16:00 enter D by dan
        2025-03-20T17:00 leave D by dan
        settle 2025-04-01
        ",
        &expect![[r#"
            settle 2025-04-01T00:00:00Z
            + position everyone A named_user 2025-03: over entitled 1 demand 2 peak 1.677419 at 2025-03-01 short 0.677419 2025-03-01..2025-04-01
            + position everyone A named_user 2025-04: covered entitled 1 demand 2 peak 0.066667 at 2025-04-01
            + position everyone D named_user 2025-03: covered entitled 1 demand 1 peak 0.548387 at 2025-03-01
            + position everyone D named_user 2025-04: covered entitled 1 demand 1 peak 0.033333 at 2025-04-01
            + problem over_use everyone A 2025-03 0.677419 2025-03-01..2025-04-01
            + problem shelfware everyone A 2025-04 0.933333 2025-04-01..open
            + problem shelfware everyone D 2025-04 0.966667 2025-04-01..open
        "#]],
    );
}

#[test]
fn the_hours_of_the_highest_hundredth_are_left_out() {
    check_by(
        r#"
        [[rule]]
        products = ["APP"]
        statistic = "p99"
        "#,
        "
        line APP 2
        2025-04-01T10:00 out APP ada@ws1 x9
        2025-04-01T17:59:59 in APP ada@ws1 x9
        2025-04-02T10:00 out APP bob@ws2 x3
        2025-04-02T10:30 in APP bob@ws2 x3
        settle 2025-05-01
        ",
        &expect![[r#"
            settle 2025-05-01T00:00:00Z
            + position everyone APP concurrent 2025-04: over entitled 2 demand 0 peak 3 at 2025-04-01 short 1 2025-04-01..2025-05-01
            + position everyone APP concurrent 2025-05: covered entitled 2 demand 0 peak 0
            + problem over_use everyone APP 2025-04 1 2025-04-01..2025-05-01
            + problem shelfware everyone APP 2025-05 2 2025-05-01..open
        "#]],
    );
}

#[test]
fn the_level_at_the_end_counts_where_the_rule_says_so() {
    check_by(
        r#"
        [[rule]]
        products = ["APP"]
        statistic = "end"
        "#,
        "
        line APP 1
        2025-03-01T10:00 out APP ada@ws1 x5
        2025-03-20T10:00 in APP ada@ws1 x5
        2025-03-21T10:00 out APP bob@ws2 x2
        settle 2025-04-01
        ",
        &expect![[r#"
            settle 2025-04-01T00:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 1 demand 2 peak 2 at 2025-03-01 short 1 2025-03-01..2025-04-01
            + position everyone APP concurrent 2025-04: over entitled 1 demand 2 peak 2 at 2025-04-01 short 1 2025-04-01..open
            + problem over_use everyone APP 2025-03 1 2025-03-01..2025-04-01
            + problem over_use everyone APP 2025-04 1 2025-04-01..open
        "#]],
    );
}

#[test]
fn what_needs_no_license_is_there_with_nothing_from_the_beginning_of_the_period_on() {
    check_by(
        r#"
        [[rule]]
        products = ["APP"]
        metrics = ["core"]
        processors = "oracle_processor"
        "#,
        "
        show rollups
        machine ws1 threads 1 vcores 0
        install APP ws1
        settle 2025-01-30
        ",
        &expect![[r#"
            settle 2025-01-30T00:00:00Z
            + position everyone APP device 2025-01: unlicensed entitled 0 demand 1 peak 1 at 2025-01-01 short 1 2025-01-01..open
            + problem missing_core_factor APP ws1 1
            + problem unlicensed_use everyone APP 2025-01 1 2025-01-01..open
            + total everyone APP core 2025-01: 0 users 0 devices 1
            + total everyone APP device 2025-01: 1 users 0 devices 1
            + total everyone everything core 2025-01: 0 users 0 devices 1
            + total everyone everything device 2025-01: 1 users 0 devices 1
        "#]],
    );
}

#[test]
fn what_needs_no_license_and_is_gone_is_in_no_total_of_later_days() {
    check_by(
        r#"
        position_period = "day"
        [[rule]]
        products = ["APP"]
        metrics = ["core"]
        processors = "oracle_processor"
        "#,
        "
        show rollups
        machine ws1 threads 1 vcores 0
        install APP ws1 to 2025-03-01T08:00
        settle 2025-03-01T08:00
        settle 2025-03-02T08:00
        ",
        &expect![[r#"
            settle 2025-03-01T08:00:00Z
            + position everyone APP device 2025-03-01: unlicensed entitled 0 demand 0 peak 1 at 2025-03-01 short 1 2025-03-01..2025-03-01T08:00
            + problem missing_core_factor APP ws1 1 always..2025-03-01T08:00
            + problem unlicensed_use everyone APP 2025-03-01 1 2025-03-01..2025-03-01T08:00
            + total everyone APP core 2025-03-01: 0 users 0 devices 1
            + total everyone APP device 2025-03-01: 1 users 0 devices 1
            + total everyone everything core 2025-03-01: 0 users 0 devices 1
            + total everyone everything device 2025-03-01: 1 users 0 devices 1
            settle 2025-03-02T08:00:00Z
            - position everyone APP device 2025-03-01: unlicensed entitled 0 demand 0 peak 1 at 2025-03-01 short 1 2025-03-01..2025-03-01T08:00
            + position everyone APP device 2025-03-01: unlicensed entitled 0 demand 0 peak 1 at 2025-03-01 short 1 2025-03-01..2025-03-01T08:00
            - total everyone APP core 2025-03-01: 0 users 0 devices 1
            - total everyone everything core 2025-03-01: 0 users 0 devices 1
        "#]],
    );
}

#[test]
fn on_a_day_on_which_its_weight_changes_use_costs_what_the_heavier_one_says() {
    check_by(
        r#"
        [[rule]]
        products = ["SIM", "CUT"]
        statistic = "days"
        "#,
        "
        2025-02-27T00:00 set SIM 0.25
        weight SIM = SIM 3 per 1 from 2025-02-28T08:00
        2025-02-27T00:00 set CUT 0.25
        weight CUT = CUT 2 per 3 from 2025-02-28T08:00 to 2025-03-01T12:00
        weight CUT = CUT 1 per 3 from 2025-03-01T12:00
        settle 2025-02-28T23:00
        settle 2025-03-01T23:00
        settle 2025-03-02T23:00
        ",
        &expect![[r#"
            settle 2025-02-28T23:00:00Z
            + position everyone CUT level 2025-02: unlicensed entitled 0 demand 0.25 peak 0.017857 at 2025-02-01 short 0.017857 2025-02-01..open
            + position everyone SIM level 2025-02: unlicensed entitled 0 demand 0.75 peak 0.035714 at 2025-02-01 short 0.035714 2025-02-01..open
            + problem unlicensed_use everyone CUT 2025-02 0.017857 2025-02-01..open
            + problem unlicensed_use everyone SIM 2025-02 0.035714 2025-02-01..open
            settle 2025-03-01T23:00:00Z
            + position everyone CUT level 2025-02: unlicensed entitled 0 demand 0.25 peak 0.017857 at 2025-02-01 short 0.017857 2025-02-01..2025-03-01
            - position everyone CUT level 2025-02: unlicensed entitled 0 demand 0.25 peak 0.017857 at 2025-02-01 short 0.017857 2025-02-01..open
            + position everyone CUT level 2025-03: unlicensed entitled 0 demand 0.166667 peak 0.005376 at 2025-03-01 short 0.005376 2025-03-01..open
            + position everyone SIM level 2025-02: unlicensed entitled 0 demand 0.75 peak 0.035714 at 2025-02-01 short 0.035714 2025-02-01..2025-03-01
            - position everyone SIM level 2025-02: unlicensed entitled 0 demand 0.75 peak 0.035714 at 2025-02-01 short 0.035714 2025-02-01..open
            + position everyone SIM level 2025-03: unlicensed entitled 0 demand 0.75 peak 0.024194 at 2025-03-01 short 0.024194 2025-03-01..open
            + problem unlicensed_use everyone CUT 2025-02 0.017857 2025-02-01..2025-03-01
            - problem unlicensed_use everyone CUT 2025-02 0.017857 2025-02-01..open
            + problem unlicensed_use everyone CUT 2025-03 0.005376 2025-03-01..open
            + problem unlicensed_use everyone SIM 2025-02 0.035714 2025-02-01..2025-03-01
            - problem unlicensed_use everyone SIM 2025-02 0.035714 2025-02-01..open
            + problem unlicensed_use everyone SIM 2025-03 0.024194 2025-03-01..open
            settle 2025-03-02T23:00:00Z
            + position everyone CUT level 2025-03: unlicensed entitled 0 demand 0.083333 peak 0.008065 at 2025-03-01 short 0.008065 2025-03-01..open
            - position everyone CUT level 2025-03: unlicensed entitled 0 demand 0.166667 peak 0.005376 at 2025-03-01 short 0.005376 2025-03-01..open
            - position everyone SIM level 2025-03: unlicensed entitled 0 demand 0.75 peak 0.024194 at 2025-03-01 short 0.024194 2025-03-01..open
            + position everyone SIM level 2025-03: unlicensed entitled 0 demand 0.75 peak 0.048387 at 2025-03-01 short 0.048387 2025-03-01..open
            - problem unlicensed_use everyone CUT 2025-03 0.005376 2025-03-01..open
            + problem unlicensed_use everyone CUT 2025-03 0.008065 2025-03-01..open
            - problem unlicensed_use everyone SIM 2025-03 0.024194 2025-03-01..open
            + problem unlicensed_use everyone SIM 2025-03 0.048387 2025-03-01..open
        "#]],
    );
}

#[test]
fn who_leaves_without_having_entered_is_counted_until_the_entry_is_heard_of() {
    check_by(
        "further_periods = []",
        "
        10:00 leave APP by ada
        11:00 enter APP by ada
        12:00 leave APP by ada
        12:30 leave APP by ada
        10:00 leave APP by bob
        settle 13:00
        [id=before] 09:00 enter APP by ada
        09:00 enter APP by bob
        settle 13:00
        retract before
        settle 13:00
        ",
        &expect![[r#"
            settle 2025-03-03T13:00:00Z
            + position everyone APP named_user 2025-03: unlicensed entitled 0 demand 0 peak 1 at 2025-03-03T11:00 short 1 2025-03-03T11:00..2025-03-03T12:00
            + problem orphan_close APP 3
            + problem unlicensed_use everyone APP 2025-03 1 2025-03-03T11:00..2025-03-03T12:00
            settle 2025-03-03T13:00:00Z
            - position everyone APP named_user 2025-03: unlicensed entitled 0 demand 0 peak 1 at 2025-03-03T11:00 short 1 2025-03-03T11:00..2025-03-03T12:00
            + position everyone APP named_user 2025-03: unlicensed entitled 0 demand 0 peak 2 at 2025-03-03T09:00 short 2 2025-03-03T09:00..2025-03-03T12:00
            + problem orphan_close APP 1
            - problem orphan_close APP 3
            - problem unlicensed_use everyone APP 2025-03 1 2025-03-03T11:00..2025-03-03T12:00
            + problem unlicensed_use everyone APP 2025-03 2 2025-03-03T09:00..2025-03-03T12:00
            settle 2025-03-03T13:00:00Z
            + position everyone APP named_user 2025-03: unlicensed entitled 0 demand 0 peak 1 at 2025-03-03T09:00 short 1 2025-03-03T09:00..2025-03-03T12:00
            - position everyone APP named_user 2025-03: unlicensed entitled 0 demand 0 peak 2 at 2025-03-03T09:00 short 2 2025-03-03T09:00..2025-03-03T12:00
            - problem orphan_close APP 1
            + problem orphan_close APP 2
            + problem unlicensed_use everyone APP 2025-03 1 2025-03-03T09:00..2025-03-03T12:00
            - problem unlicensed_use everyone APP 2025-03 2 2025-03-03T09:00..2025-03-03T12:00
        "#]],
    );
}
