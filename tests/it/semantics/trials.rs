//! Trials, betas and free allowances: what serves without adding to what was bought (2.17).

use expect_test::expect;
use trueup_tests::check::check;

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
