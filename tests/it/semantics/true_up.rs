//! What is owed for use above what was entitled (2.19).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn seats_above_those_paid_are_owed_once_for_the_quarters_that_are_left() {
    check_by(
        "position_period = \"quarter\"\nfurther_periods = []",
        "
        show true_ups
        line APP 100 metric concurrent from 2025-01-01 to 2026-01-01 cost 10000
        2025-02-01 out APP all@ws1 x110
        settle 2025-03-31
        settle 2025-06-30
        2025-07-15 out APP more@ws2 x10
        settle 2025-09-30
        settle 2025-12-31
        ",
        &expect![[r#"
            settle 2025-03-31T00:00:00Z
            + position everyone APP concurrent 2025-Q1: over entitled 100 demand 110 peak 110 at 2025-02-01 short 10 2025-02-01..open
            + problem over_use everyone APP 2025-Q1 10 2025-02-01..open 1000.00 EUR
            + true-up everyone APP concurrent 2025-Q1: owed 10 of 10 for 1000.00 EUR, 750.00 EUR for the rest of the year
            settle 2025-06-30T00:00:00Z
            + position everyone APP concurrent 2025-Q1: over entitled 100 demand 110 peak 110 at 2025-02-01 short 10 2025-02-01..2025-04-01
            - position everyone APP concurrent 2025-Q1: over entitled 100 demand 110 peak 110 at 2025-02-01 short 10 2025-02-01..open
            + position everyone APP concurrent 2025-Q2: over entitled 100 demand 110 peak 110 at 2025-04-01 short 10 2025-04-01..open
            + problem over_use everyone APP 2025-Q1 10 2025-02-01..2025-04-01 1000.00 EUR
            - problem over_use everyone APP 2025-Q1 10 2025-02-01..open 1000.00 EUR
            + problem over_use everyone APP 2025-Q2 10 2025-04-01..open 1000.00 EUR
            - true-up everyone APP concurrent 2025-Q1: owed 10 of 10 for 1000.00 EUR, 750.00 EUR for the rest of the year
            + true-up everyone APP concurrent 2025-Q1: owed 10 of 10 for 1000.00 EUR, 750.00 EUR for the rest of the year
            + true-up everyone APP concurrent 2025-Q2: owed 0 of 10 for 0.00 EUR, 0.00 EUR for the rest of the year
            settle 2025-09-30T00:00:00Z
            + position everyone APP concurrent 2025-Q2: over entitled 100 demand 110 peak 110 at 2025-04-01 short 10 2025-04-01..2025-07-01
            - position everyone APP concurrent 2025-Q2: over entitled 100 demand 110 peak 110 at 2025-04-01 short 10 2025-04-01..open
            + position everyone APP concurrent 2025-Q3: over entitled 100 demand 120 peak 120 at 2025-07-15 short 20 2025-07-01..open
            + problem over_use everyone APP 2025-Q2 10 2025-04-01..2025-07-01 1000.00 EUR
            - problem over_use everyone APP 2025-Q2 10 2025-04-01..open 1000.00 EUR
            + problem over_use everyone APP 2025-Q3 20 2025-07-01..open 2000.00 EUR
            - true-up everyone APP concurrent 2025-Q2: owed 0 of 10 for 0.00 EUR, 0.00 EUR for the rest of the year
            + true-up everyone APP concurrent 2025-Q2: owed 0 of 10 for 0.00 EUR, 0.00 EUR for the rest of the year
            + true-up everyone APP concurrent 2025-Q3: owed 10 of 20 for 1000.00 EUR, 250.00 EUR for the rest of the year
            settle 2025-12-31T00:00:00Z
            + position everyone APP concurrent 2025-Q3: over entitled 100 demand 120 peak 120 at 2025-07-15 short 20 2025-07-01..2025-10-01
            - position everyone APP concurrent 2025-Q3: over entitled 100 demand 120 peak 120 at 2025-07-15 short 20 2025-07-01..open
            + position everyone APP concurrent 2025-Q4: over entitled 100 demand 120 peak 120 at 2025-10-01 short 20 2025-10-01..open
            + problem over_use everyone APP 2025-Q3 20 2025-07-01..2025-10-01 2000.00 EUR
            - problem over_use everyone APP 2025-Q3 20 2025-07-01..open 2000.00 EUR
            + problem over_use everyone APP 2025-Q4 20 2025-10-01..open 2000.00 EUR
            - true-up everyone APP concurrent 2025-Q3: owed 10 of 20 for 1000.00 EUR, 250.00 EUR for the rest of the year
            + true-up everyone APP concurrent 2025-Q3: owed 10 of 20 for 1000.00 EUR, 250.00 EUR for the rest of the year
            + true-up everyone APP concurrent 2025-Q4: owed 0 of 20 for 0.00 EUR, 0.00 EUR for the rest of the year
        "#]],
    );
}

#[test]
fn a_right_that_is_bought_later_excuses_nothing_before_it() {
    check(
        "
        show true_ups
        line APP 10 metric concurrent basis contract from 2025-01-01 to 2025-03-10
        line APP 20 metric concurrent basis contract from 2025-03-10
        09:00 out APP ada@ws1 x15
        2025-03-11 out APP bob@ws2 x3
        settle 2025-03-20
        ",
        &expect![[r#"
            settle 2025-03-20T00:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 20 demand 18 peak 18 at 2025-03-11 short 5 2025-03-03T09:00..2025-03-10
            + problem over_use everyone APP 2025-03 5 2025-03-03T09:00..2025-03-10
            + true-up everyone APP concurrent 2025-03: owed 5 of 5
        "#]],
    );
}

#[test]
fn the_greatest_use_counts_from_the_beginning_of_the_term() {
    check(
        "
        show true_ups
        line APP 140 metric concurrent basis contract from 2025-01-01 to 2025-02-01
        line APP 120 metric concurrent basis contract from 2025-02-01
        2025-01-10 out APP before@ws1 x134
        2025-01-20 in APP before@ws1 x134
        2025-02-05 out APP within@ws2 x118
        settle 2025-02-20
        ",
        &expect![[r#"
            settle 2025-02-20T00:00:00Z
            + position everyone APP concurrent 2025-01: near entitled 140 demand 0 peak 134 at 2025-01-10
            + position everyone APP concurrent 2025-02: near entitled 120 demand 118 peak 118 at 2025-02-05
            + problem near_limit everyone APP 2025-01 134 2025-01-10..2025-02-01
            + problem near_limit everyone APP 2025-02 118 2025-02-05..open
        "#]],
    );
}

#[test]
fn a_new_year_owes_anew() {
    check(
        "
        show true_ups
        line APP 1 metric concurrent basis contract
        2025-11-20 out APP ada@ws1 x3
        settle 2025-11-30
        settle 2025-12-31
        settle 2026-01-01
        ",
        &expect![[r#"
            settle 2025-11-30T00:00:00Z
            + position everyone APP concurrent 2025-11: over entitled 1 demand 3 peak 3 at 2025-11-20 short 2 2025-11-20..open
            + problem over_use everyone APP 2025-11 2 2025-11-20..open
            + true-up everyone APP concurrent 2025-11: owed 2 of 2
            settle 2025-12-31T00:00:00Z
            + position everyone APP concurrent 2025-11: over entitled 1 demand 3 peak 3 at 2025-11-20 short 2 2025-11-20..2025-12-01
            - position everyone APP concurrent 2025-11: over entitled 1 demand 3 peak 3 at 2025-11-20 short 2 2025-11-20..open
            + position everyone APP concurrent 2025-12: over entitled 1 demand 3 peak 3 at 2025-12-01 short 2 2025-12-01..open
            + problem over_use everyone APP 2025-11 2 2025-11-20..2025-12-01
            - problem over_use everyone APP 2025-11 2 2025-11-20..open
            + problem over_use everyone APP 2025-12 2 2025-12-01..open
            - true-up everyone APP concurrent 2025-11: owed 2 of 2
            + true-up everyone APP concurrent 2025-11: owed 2 of 2
            + true-up everyone APP concurrent 2025-12: owed 0 of 2
            settle 2026-01-01T00:00:00Z
            + position everyone APP concurrent 2025-12: over entitled 1 demand 3 peak 3 at 2025-12-01 short 2 2025-12-01..2026-01-01
            - position everyone APP concurrent 2025-12: over entitled 1 demand 3 peak 3 at 2025-12-01 short 2 2025-12-01..open
            + position everyone APP concurrent 2026-01: over entitled 1 demand 3 peak 3 at 2026-01-01 short 2 2026-01-01..open
            + problem over_use everyone APP 2025-12 2 2025-12-01..2026-01-01
            - problem over_use everyone APP 2025-12 2 2025-12-01..open
            + problem over_use everyone APP 2026-01 2 2026-01-01..open
            - true-up everyone APP concurrent 2025-12: owed 0 of 2
            + true-up everyone APP concurrent 2025-12: owed 0 of 2
            + true-up everyone APP concurrent 2026-01: owed 2 of 2
        "#]],
    );
}

#[test]
fn a_late_session_in_an_earlier_month_takes_over_what_a_later_one_owed() {
    check(
        "
        show true_ups
        line APP 1 metric concurrent basis contract
        2025-03-10 out APP ada@ws1 x3
        2025-03-11 in APP ada@ws1 x3
        settle 2025-03-20
        [arrived=2025-03-20] 2025-02-10 out APP bob@ws2 x2
        [arrived=2025-03-20] 2025-02-11 in APP bob@ws2 x2
        settle 2025-03-21
        ",
        &expect![[r#"
            settle 2025-03-20T00:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 1 demand 0 peak 3 at 2025-03-10 short 2 2025-03-10..2025-03-11
            + problem over_use everyone APP 2025-03 2 2025-03-10..2025-03-11
            + true-up everyone APP concurrent 2025-03: owed 2 of 2
            settle 2025-03-21T00:00:00Z
            + position everyone APP concurrent 2025-02: over entitled 1 demand 0 peak 2 at 2025-02-10 short 1 2025-02-10..2025-02-11
            + problem over_use everyone APP 2025-02 1 2025-02-10..2025-02-11
            + true-up everyone APP concurrent 2025-02: owed 1 of 1
            + true-up everyone APP concurrent 2025-03: owed 1 of 2
            - true-up everyone APP concurrent 2025-03: owed 2 of 2
        "#]],
    );
}

#[test]
fn the_year_of_an_account_that_states_an_anchor_begins_there() {
    check(
        "
        show true_ups
        account paris anchor 2025-02-28
        member user bob in paris
        2025-01-30T00:00 out SIM bob@ws1
        settle 2025-03-01T08:00
        ",
        &expect![[r#"
            settle 2025-03-01T08:00:00Z
            + position paris SIM concurrent 2025-01-28: unlicensed entitled 0 demand 1 peak 1 at 2025-01-30 short 1 2025-01-30..2025-02-28
            + position paris SIM concurrent 2025-02-28: unlicensed entitled 0 demand 1 peak 1 at 2025-02-28 short 1 2025-02-28..open
            + problem unlicensed_use paris SIM 2025-01-28 1 2025-01-30..2025-02-28
            + problem unlicensed_use paris SIM 2025-02-28 1 2025-02-28..open
            + true-up paris SIM concurrent 2025-01-28: owed 1 of 1
            + true-up paris SIM concurrent 2025-02-28: owed 1 of 1
        "#]],
    );
}
