//! What contracts say besides how much: margins, grace, terms, trials, sublicenses (2.17–2.26).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn a_margin_of_25_percent_on_16_tolerates_20_and_not_21() {
    check(
        "
        line APP 16 margin 25 from 2025-01-01
        line CAD 16 margin 50 from 2025-01-01
        line SIM 16 margin 100 from 2025-01-01
        10:00 out APP ada@ws1 x20
        10:00 out CAD ada@ws1 x24
        10:00 out SIM ada@ws1 x32
        settle 11:00
        12:00 out APP bob@ws2
        12:00 out CAD bob@ws2
        12:00 out SIM bob@ws2
        settle 13:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone APP concurrent 2025-03: within_overdraft entitled 16 demand 20 peak 20 at 2025-03-03T10:00 short 4 2025-03-03T10:00..open
            + position everyone CAD concurrent 2025-03: within_overdraft entitled 16 demand 24 peak 24 at 2025-03-03T10:00 short 8 2025-03-03T10:00..open
            + position everyone SIM concurrent 2025-03: within_overdraft entitled 16 demand 32 peak 32 at 2025-03-03T10:00 short 16 2025-03-03T10:00..open
            + problem over_in_margin everyone APP 2025-03 4 2025-03-03T10:00..open
            + problem over_in_margin everyone CAD 2025-03 8 2025-03-03T10:00..open
            + problem over_in_margin everyone SIM 2025-03 16 2025-03-03T10:00..open
            settle 2025-03-03T13:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 16 demand 21 peak 21 at 2025-03-03T12:00 short 5 2025-03-03T10:00..open
            - position everyone APP concurrent 2025-03: within_overdraft entitled 16 demand 20 peak 20 at 2025-03-03T10:00 short 4 2025-03-03T10:00..open
            + position everyone CAD concurrent 2025-03: over entitled 16 demand 25 peak 25 at 2025-03-03T12:00 short 9 2025-03-03T10:00..open
            - position everyone CAD concurrent 2025-03: within_overdraft entitled 16 demand 24 peak 24 at 2025-03-03T10:00 short 8 2025-03-03T10:00..open
            + position everyone SIM concurrent 2025-03: over entitled 16 demand 33 peak 33 at 2025-03-03T12:00 short 17 2025-03-03T10:00..open
            - position everyone SIM concurrent 2025-03: within_overdraft entitled 16 demand 32 peak 32 at 2025-03-03T10:00 short 16 2025-03-03T10:00..open
            - problem over_in_margin everyone APP 2025-03 4 2025-03-03T10:00..open
            - problem over_in_margin everyone CAD 2025-03 8 2025-03-03T10:00..open
            - problem over_in_margin everyone SIM 2025-03 16 2025-03-03T10:00..open
            + problem over_use everyone APP 2025-03 5 2025-03-03T10:00..open
            + problem over_use everyone CAD 2025-03 9 2025-03-03T10:00..open
            + problem over_use everyone SIM 2025-03 17 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn a_margin_is_rounded_down() {
    check(
        "
        line APP 3 margin 50 from 2025-01-01
        10:00 out APP ada@ws1 x4
        settle 11:00
        12:00 out APP bob@ws2
        settle 13:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone APP concurrent 2025-03: within_overdraft entitled 3 demand 4 peak 4 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem over_in_margin everyone APP 2025-03 1 2025-03-03T10:00..open
            settle 2025-03-03T13:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 3 demand 5 peak 5 at 2025-03-03T12:00 short 2 2025-03-03T10:00..open
            - position everyone APP concurrent 2025-03: within_overdraft entitled 3 demand 4 peak 4 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            - problem over_in_margin everyone APP 2025-03 1 2025-03-03T10:00..open
            + problem over_use everyone APP 2025-03 2 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn use_above_is_in_grace_until_it_has_lasted_too_long_without_any_event() {
    check(
        "
        line APP 2 from 2025-01-01 grace 3600
        10:00 out APP ada@ws1 x3
        settle 10:59:59.999999
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T10:59:59.999999Z
            + position everyone APP concurrent 2025-03: in_grace entitled 2 demand 3 peak 3 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem in_grace everyone APP 2025-03 1 2025-03-03T10:00..open
            settle 2025-03-03T11:00:00Z
            - position everyone APP concurrent 2025-03: in_grace entitled 2 demand 3 peak 3 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + position everyone APP concurrent 2025-03: over entitled 2 demand 3 peak 3 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            - problem in_grace everyone APP 2025-03 1 2025-03-03T10:00..open
            + problem over_use everyone APP 2025-03 1 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn grace_begins_anew_when_use_has_been_back_under() {
    check(
        "
        line APP 2 from 2025-01-01 grace 3600
        10:00 out APP ada@ws1 x2
        10:00 out APP bob@ws2
        10:40 in APP bob@ws2
        10:50 out APP bob@ws2
        settle 11:30
        settle 11:50
        ",
        &expect![[r#"
            settle 2025-03-03T11:30:00Z
            + position everyone APP concurrent 2025-03: in_grace entitled 2 demand 3 peak 3 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem in_grace everyone APP 2025-03 1 2025-03-03T10:00..open
            settle 2025-03-03T11:50:00Z
            - position everyone APP concurrent 2025-03: in_grace entitled 2 demand 3 peak 3 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + position everyone APP concurrent 2025-03: over entitled 2 demand 3 peak 3 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            - problem in_grace everyone APP 2025-03 1 2025-03-03T10:00..open
            + problem over_use everyone APP 2025-03 1 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn a_line_that_ends_while_it_is_used_has_expired_at_that_instant_without_any_event() {
    check(
        "
        line APP 2 from 2025-01-01 to 2025-03-03T12:00
        10:00 out APP ada@ws1
        settle 11:59:59.999999
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:59:59.999999Z
            + position everyone APP concurrent 2025-03: covered entitled 2 demand 1 peak 1 at 2025-03-03T10:00
            + problem shelfware everyone APP 2025-03 1 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            - position everyone APP concurrent 2025-03: covered entitled 2 demand 1 peak 1 at 2025-03-03T10:00
            + position everyone APP concurrent 2025-03: expired entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..open
            + problem expired_in_use everyone APP 2025-03 1 2025-03-03T12:00..open
            - problem shelfware everyone APP 2025-03 1 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_renewal_that_begins_where_the_line_ends_leaves_no_gap() {
    check(
        "
        line APP 2 name l1 from 2025-01-01 to 2025-03-03T12:00
        line APP 2 name l2 from 2025-03-03T12:00 to 2026-03-03T12:00
        10:00 out APP ada@ws1 x2
        settle 13:00
        ",
        &expect![[r#"
            settle 2025-03-03T13:00:00Z
            + position everyone APP concurrent 2025-03: near entitled 2 demand 2 peak 2 at 2025-03-03T10:00
            + problem near_limit everyone APP 2025-03 2 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn a_gap_before_a_renewal_is_in_grace_and_then_expired() {
    check(
        "
        line APP 2 name l1 from 2025-01-01 to 2025-03-03T12:00 grace 3600
        10:00 out APP ada@ws1
        settle 12:59:59.999999
        settle 13:00
        [id=renewal] line APP 2 name l2 from 2025-03-03T14:00
        settle 15:00
        [id=renewal rev=1] line APP 2 name l2 from 2025-03-03T12:00
        settle 15:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:59:59.999999Z
            + position everyone APP concurrent 2025-03: in_grace entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..open
            + problem in_grace everyone APP 2025-03 1 2025-03-03T12:00..open
            settle 2025-03-03T13:00:00Z
            + position everyone APP concurrent 2025-03: expired entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..open
            - position everyone APP concurrent 2025-03: in_grace entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..open
            + problem expired_in_use everyone APP 2025-03 1 2025-03-03T13:00..open
            - problem in_grace everyone APP 2025-03 1 2025-03-03T12:00..open
            settle 2025-03-03T15:00:00Z
            - position everyone APP concurrent 2025-03: expired entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..open
            + position everyone APP concurrent 2025-03: expired entitled 2 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..2025-03-03T14:00
            + problem expired_in_use everyone APP 2025-03 1 2025-03-03T13:00..2025-03-03T14:00
            - problem expired_in_use everyone APP 2025-03 1 2025-03-03T13:00..open
            + problem shelfware everyone APP 2025-03 1 2025-03-01..open
            settle 2025-03-03T15:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled 2 demand 1 peak 1 at 2025-03-03T10:00
            - position everyone APP concurrent 2025-03: expired entitled 2 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..2025-03-03T14:00
            - problem expired_in_use everyone APP 2025-03 1 2025-03-03T13:00..2025-03-03T14:00
        "#]],
    );
}

#[test]
fn an_amendment_that_is_told_late_restates_the_months_since_it_applies() {
    check(
        "
        [id=order] line APP 10 from 2025-01-01
        10:00 out APP ada@ws1 x15
        17:00 in APP ada@ws1 x15
        settle 2025-04-09T00:00
        [id=order rev=1 arrived=2025-04-10] line APP 10 from 2025-01-01 to 2025-03-01
        [id=added arrived=2025-04-10] line APP 15 name added from 2025-03-01
        settle 2025-04-10T00:00
        ",
        &expect![[r#"
            settle 2025-04-09T00:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 10 demand 0 peak 15 at 2025-03-03T10:00 short 5 2025-03-03T10:00..2025-03-03T17:00
            + position everyone APP concurrent 2025-04: covered entitled 10 demand 0 peak 0
            + problem over_use everyone APP 2025-03 5 2025-03-03T10:00..2025-03-03T17:00
            + problem shelfware everyone APP 2025-04 10 2025-04-01..open
            settle 2025-04-10T00:00:00Z
            + position everyone APP concurrent 2025-03: near entitled 15 demand 0 peak 15 at 2025-03-03T10:00
            - position everyone APP concurrent 2025-03: over entitled 10 demand 0 peak 15 at 2025-03-03T10:00 short 5 2025-03-03T10:00..2025-03-03T17:00
            - position everyone APP concurrent 2025-04: covered entitled 10 demand 0 peak 0
            + position everyone APP concurrent 2025-04: covered entitled 15 demand 0 peak 0
            + problem near_limit everyone APP 2025-03 15 2025-03-03T10:00..2025-04-01
            - problem over_use everyone APP 2025-03 5 2025-03-03T10:00..2025-03-03T17:00
            - problem shelfware everyone APP 2025-04 10 2025-04-01..open
            + problem shelfware everyone APP 2025-04 15 2025-04-01..open
        "#]],
    );
}

#[test]
fn a_trial_serves_while_nobody_has_bought_and_its_end_is_reported_without_any_event() {
    check(
        "
        line APP 2 trial from 2025-02-20 to 2025-03-04
        10:00 out APP ada@ws1 x2
        settle 2025-03-03T12:00
        settle 2025-03-04T00:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone APP concurrent 2025-03: near entitled 2 demand 2 peak 2 at 2025-03-03T10:00
            + problem near_limit everyone APP 2025-03 2 2025-03-03T10:00..open
            settle 2025-03-04T00:00:00Z
            - position everyone APP concurrent 2025-03: near entitled 2 demand 2 peak 2 at 2025-03-03T10:00
            + position everyone APP concurrent 2025-03: trial_ended entitled 0 demand 2 peak 2 at 2025-03-03T10:00 short 2 2025-03-04..open
            - problem near_limit everyone APP 2025-03 2 2025-03-03T10:00..open
            + problem trial_ended_in_use everyone APP 2025-03 2 2025-03-04..open
        "#]],
    );
}

#[test]
fn a_trial_never_adds_to_what_was_bought() {
    check(
        "
        line APP 2 from 2025-01-01
        line APP 2 name try trial from 2025-02-20 to 2025-04-01
        10:00 out APP ada@ws1 x3
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 2 demand 3 peak 3 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem over_use everyone APP 2025-03 1 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn a_second_trial_of_one_account_is_reported_and_one_that_is_prolonged_is_not() {
    check(
        "
        line APP 2 name first trial from 2025-01-01 to 2025-02-01
        line APP 2 name longer trial from 2025-02-01 to 2025-02-15
        line APP 2 name again trial from 2025-03-01 to 2025-04-01
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled 2 demand 0 peak 0
            + problem shelfware everyone APP 2025-03 2 2025-03-01..open
            + problem trial_repeat everyone APP again 1 2025-03-01..2025-04-01
        "#]],
    );
}

#[test]
fn a_beta_that_serves_where_nobody_has_bought_is_reported() {
    check(
        "
        line APP 5 beta from 2025-01-01
        10:00 out APP ada@ws1 x3
        11:00 in APP ada@ws1 x3
        settle 12:00
        line APP 5 name bought from 2025-01-01
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled 5 demand 0 peak 3 at 2025-03-03T10:00
            + problem beta_in_production everyone APP 2025-03 3 2025-03-03T10:00..2025-03-03T11:00
            settle 2025-03-03T12:00:00Z
            - problem beta_in_production everyone APP 2025-03 3 2025-03-03T10:00..2025-03-03T11:00
        "#]],
    );
}

#[test]
fn a_free_allowance_covers_the_first_units_of_each_period() {
    check(
        "
        line API 100 freemium metric volume per month
        2025-02-10T00:00 use API 90
        10:00 use API 130
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone API volume 2025-02: near entitled 100 demand 90 peak 90 at 2025-02-01
            + position everyone API volume 2025-03: over entitled 100 demand 130 peak 130 at 2025-03-01 short 30 2025-03-01..open
            + problem near_limit everyone API 2025-02 90 2025-02-01..2025-03-01
            + problem over_use everyone API 2025-03 30 2025-03-01..open
        "#]],
    );
}

#[test]
fn maintenance_without_the_right_that_it_belongs_to_is_reported() {
    check(
        "
        line APP 5 name base to 2025-03-01
        line APP 5 name care maintenance base base
        settle 12:00
        line APP 5 name base from 2025-03-01
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + problem base_licence_missing APP care 1 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled 5 demand 0 peak 0
            - problem base_licence_missing APP care 1 2025-03-01..open
            + problem shelfware everyone APP 2025-03 5 2025-03-01..open
        "#]],
    );
}

#[test]
fn what_is_passed_on_is_not_there_any_more_and_passing_on_more_than_is_held_is_reported() {
    check(
        "
        account north under group
        account south under group
        line APP 10 name main account group from 2025-01-01
        line APP 6 name first account north parent main from 2025-01-01
        settle 12:00
        line APP 5 name second account south parent main from 2025-03-02
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position group APP concurrent 2025-03: covered entitled 4 demand 0 peak 0
            + position north APP concurrent 2025-03: covered entitled 6 demand 0 peak 0
            + problem shelfware group APP 2025-03 4 2025-03-01..open
            + problem shelfware north APP 2025-03 6 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            - position group APP concurrent 2025-03: covered entitled 4 demand 0 peak 0
            + position south APP concurrent 2025-03: covered entitled 5 demand 0 peak 0
            - problem shelfware group APP 2025-03 4 2025-03-01..open
            + problem shelfware south APP 2025-03 5 2025-03-01..open
            + problem sublicence_oversold APP main 1 2025-03-02..open
        "#]],
    );
}

#[test]
fn a_derived_pool_shrinks_with_what_distributors_take_and_cuts_its_own_use() {
    check(
        "
        account west under group
        account east under group
        member user ada in group
        line VM 100 name derived account group from 2025-01-01
        10:00 out VM ada@ws1 x20
        settle 11:00
        line VM 70 name seven account west parent derived from 2025-01-01
        settle 11:00
        line VM 20 name two account east parent derived from 2025-01-01
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position group VM concurrent 2025-03: covered entitled 100 demand 20 peak 20 at 2025-03-03T10:00
            + problem shelfware group VM 2025-03 80 2025-03-01..open
            settle 2025-03-03T11:00:00Z
            - position group VM concurrent 2025-03: covered entitled 100 demand 20 peak 20 at 2025-03-03T10:00
            + position group VM concurrent 2025-03: covered entitled 30 demand 20 peak 20 at 2025-03-03T10:00
            + position west VM concurrent 2025-03: covered entitled 70 demand 0 peak 0
            - problem shelfware group VM 2025-03 80 2025-03-01..open
            + problem shelfware west VM 2025-03 70 2025-03-01..open
            settle 2025-03-03T11:00:00Z
            + position east VM concurrent 2025-03: covered entitled 20 demand 0 peak 0
            - position group VM concurrent 2025-03: covered entitled 30 demand 20 peak 20 at 2025-03-03T10:00
            + position group VM concurrent 2025-03: over entitled 10 demand 20 peak 20 at 2025-03-03T10:00 short 10 2025-03-03T10:00..open
            + problem over_use group VM 2025-03 10 2025-03-03T10:00..open
            + problem shelfware east VM 2025-03 20 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_sublicense_ends_with_its_parent_and_may_not_outlast_it() {
    check(
        "
        account north under group
        member user ada in north
        line APP 10 name main account group from 2025-01-01 to 2025-03-03T12:00
        line APP 6 name first account north parent main from 2025-01-01
        10:00 out APP ada@ws1
        settle 11:00
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position group APP concurrent 2025-03: covered entitled 4 demand 0 peak 0
            + position north APP concurrent 2025-03: covered entitled 6 demand 1 peak 1 at 2025-03-03T10:00
            + problem shelfware group APP 2025-03 4 2025-03-01..open
            + problem shelfware north APP 2025-03 5 2025-03-01..open
            + problem sublicence_outside_parent APP first 1 2025-03-03T12:00..open
            settle 2025-03-03T12:00:00Z
            - position group APP concurrent 2025-03: covered entitled 4 demand 0 peak 0
            + position group APP concurrent 2025-03: expired entitled 0 demand 1 peak 1 at 2025-03-03T12:00 short 1 2025-03-03T12:00..open
            - position north APP concurrent 2025-03: covered entitled 6 demand 1 peak 1 at 2025-03-03T10:00
            + position north APP concurrent 2025-03: passed_up entitled 0 demand 1 peak 1 at 2025-03-03T10:00 passed up 1
            + problem expired_in_use group APP 2025-03 1 2025-03-03T12:00..open
            - problem shelfware group APP 2025-03 4 2025-03-01..open
            - problem shelfware north APP 2025-03 5 2025-03-01..open
        "#]],
    );
}

#[test]
fn sublicenses_in_a_circle_grant_nothing_and_are_a_conflict() {
    check(
        "
        line APP 10 name one parent two from 2025-01-01
        line APP 6 name two parent one from 2025-01-01
        10:00 out APP ada@ws1
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone APP concurrent 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem contract_conflict APP one 1 2025-01-01..open
            + problem contract_conflict APP two 1 2025-01-01..open
            + problem sublicence_outside_parent APP one 1 2025-01-01..open
            + problem sublicence_outside_parent APP two 1 2025-01-01..open
            + problem unlicensed_use everyone APP 2025-03 1 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn of_three_features_that_are_used_the_one_without_a_right_is_missing() {
    check_by(
        "[[rule]]\nproducts = [\"FEATURE_*\"]\nmetrics = [\"feature\"]\n",
        "
        line FEATURE_A 1 metric feature from 2025-01-01
        line FEATURE_B unlimited metric feature from 2025-01-01
        line FEATURE_C 1 name old metric concurrent to 2024-01-01
        10:00 out FEATURE_A ada@ws1
        10:00 out FEATURE_B ada@ws1
        10:00 out FEATURE_B bob@ws2
        10:00 out FEATURE_C ada@ws1
        10:00 out FEATURE_C bob@ws2
        settle 12:00
        [id=c] line FEATURE_C 1 metric feature from 2025-01-01
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone FEATURE_A feature 2025-03: covered entitled unlimited demand 1 peak 1 at 2025-03-03T10:00
            + position everyone FEATURE_B feature 2025-03: covered entitled unlimited demand 1 peak 1 at 2025-03-03T10:00
            + position everyone FEATURE_C concurrent 2025-03: expired entitled 0 demand 2 peak 2 at 2025-03-03T10:00 short 2 2025-03-03T10:00..open
            + position everyone FEATURE_C feature 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem expired_in_use everyone FEATURE_C 2025-03 2 2025-03-03T10:00..open
            + problem unlicensed_feature_use everyone FEATURE_C 2025-03 1 2025-03-03T10:00..open
            settle 2025-03-03T12:00:00Z
            + position everyone FEATURE_C feature 2025-03: covered entitled unlimited demand 1 peak 1 at 2025-03-03T10:00
            - position everyone FEATURE_C feature 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            - problem unlicensed_feature_use everyone FEATURE_C 2025-03 1 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn rights_that_are_reserved_for_one_account_do_not_help_another() {
    check(
        "
        account hr under company
        account others under company
        member user ada in hr
        member user bob in others
        line APP 50 name reserved account hr from 2025-01-01
        line APP 50 name shared account company from 2025-01-01
        10:00 out APP ada@ws1 x30
        10:00 out APP bob@ws2 x60
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position company APP concurrent 2025-03: over entitled 50 demand 60 peak 60 at 2025-03-03T10:00 short 10 2025-03-03T10:00..open
            + position hr APP concurrent 2025-03: covered entitled 50 demand 30 peak 30 at 2025-03-03T10:00
            + problem over_use company APP 2025-03 10 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn without_a_reservation_everyone_draws_from_all_rights() {
    check(
        "
        account hr under company
        account others under company
        member user ada in hr
        member user bob in others
        line APP 100 account company from 2025-01-01
        10:00 out APP ada@ws1 x30
        10:00 out APP bob@ws2 x60
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position company APP concurrent 2025-03: near entitled 100 demand 90 peak 90 at 2025-03-03T10:00
            + problem near_limit company APP 2025-03 90 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn the_rights_of_the_narrower_scope_are_used_first_so_nothing_is_short() {
    check(
        "
        account x under both
        account y under both
        member user ada in x
        member user bob in y
        line APP 5 name a account both from 2025-01-01
        line APP 5 name b account x from 2025-01-01
        10:00 out APP ada@ws1 x5
        10:00 out APP bob@ws2 x5
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position both APP concurrent 2025-03: near entitled 5 demand 5 peak 5 at 2025-03-03T10:00
            + position x APP concurrent 2025-03: near entitled 5 demand 5 peak 5 at 2025-03-03T10:00
            + problem near_limit both APP 2025-03 5 2025-03-03T10:00..open
            + problem near_limit x APP 2025-03 5 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn five_rights_cover_five_of_two_demands_of_three_and_four() {
    check(
        "
        line APP 5 from 2025-01-01
        10:00 out APP ada@db1 x3
        10:00 out APP bob@db2 x4
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 5 demand 7 peak 7 at 2025-03-03T10:00 short 2 2025-03-03T10:00..open
            + problem over_use everyone APP 2025-03 2 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn a_line_without_a_limit_covers_everything_and_one_that_does_not_say_is_reported() {
    check(
        "
        line APP unlimited metric volume from 2025-01-01
        line CAD unknown metric volume from 2025-01-01
        10:00 use APP 1000000000000
        10:00 use CAD 1000000000000
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone APP volume 2025-03: covered entitled unlimited demand 1000000000000 peak 1000000000000 at 2025-03-01
            + position everyone CAD volume 2025-03: capacity_unknown entitled unknown demand 1000000000000 peak 1000000000000 at 2025-03-01
            + problem capacity_unknown everyone CAD 2025-03 1000000000000 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_name_means_one_product_and_the_first_rule_that_matches_it_decides() {
    // A use counts for one product only: the one that its name means then. Where several rules of the
    // policy match that product, the first of them decides, so the narrower one stands before.
    check_by(
        "
        [[rule]]
        products = [\"CAD_PRO*\"]
        near_percent = 10
        [[rule]]
        products = [\"CAD*\"]
        near_percent = 100
        ",
        "
        alias product 4711 = CAD_PRO
        line CAD 10 from 2025-01-01
        line CAD_PRO 10 from 2025-01-01
        10:00 out 4711 ada@ws1 x6
        10:00 out CAD bob@ws2 x6
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone CAD concurrent 2025-03: covered entitled 10 demand 6 peak 6 at 2025-03-03T10:00
            + position everyone CAD_PRO concurrent 2025-03: near entitled 10 demand 6 peak 6 at 2025-03-03T10:00
            + problem near_limit everyone CAD_PRO 2025-03 6 2025-03-03T10:00..open
        "#]],
    );
}
