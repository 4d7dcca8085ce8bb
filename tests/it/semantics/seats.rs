//! Seats: who holds one, and for how long one must (2.1).

use expect_test::expect;
use trueup_tests::check::check_by;

const HOLD: &str = r#"
    [[rule]]
    products = ["APP"]
    seat_hold_seconds = 7776000
"#;

const HOLD_FOR_BOTH: &str = r#"
    [[rule]]
    products = ["APP"]
    seat_hold_seconds = 7776000
    seat_hold_counts = true
"#;

/// Ada holds her seat for 60 days, and Bob gets one five days after that.
const SIXTY_DAYS: &str = "
    line APP 1 metric named_user from 2025-01-01
    seat APP ada from 2025-01-01 to 2025-03-02
    seat APP bob from 2025-03-07
    settle 2025-03-05
    settle 2025-03-07
    settle 2025-04-02
";

#[test]
fn a_seat_that_goes_to_someone_else_before_its_least_time_is_reported_when_it_does() {
    check_by(
        HOLD,
        SIXTY_DAYS,
        &expect![[r#"
        settle 2025-03-05T00:00:00Z
        + position everyone APP named_user 2025-01: near entitled 1 demand 1 peak 1 at 2025-01-01
        + position everyone APP named_user 2025-02: near entitled 1 demand 1 peak 1 at 2025-02-01
        + position everyone APP named_user 2025-03: near entitled 1 demand 0 peak 1 at 2025-03-01
        + problem near_limit everyone APP 2025-01 1 2025-01-01..2025-02-01
        + problem near_limit everyone APP 2025-02 1 2025-02-01..2025-03-01
        + problem near_limit everyone APP 2025-03 1 2025-03-01..open
        settle 2025-03-07T00:00:00Z
        - position everyone APP named_user 2025-03: near entitled 1 demand 0 peak 1 at 2025-03-01
        + position everyone APP named_user 2025-03: near entitled 1 demand 1 peak 1 at 2025-03-01
        + problem reassigned_too_soon everyone APP ada 1 2025-03-07..2025-04-01
        settle 2025-04-02T00:00:00Z
        - position everyone APP named_user 2025-03: near entitled 1 demand 1 peak 1 at 2025-03-01
        + position everyone APP named_user 2025-03: near entitled 1 demand 1 peak 1 at 2025-03-01
        + position everyone APP named_user 2025-04: near entitled 1 demand 1 peak 1 at 2025-04-01
        + problem near_limit everyone APP 2025-03 1 2025-03-01..2025-04-01
        - problem near_limit everyone APP 2025-03 1 2025-03-01..open
        + problem near_limit everyone APP 2025-04 1 2025-04-01..open
    "#]],
    );
}

#[test]
fn a_seat_that_goes_to_someone_else_too_soon_counts_for_both_where_the_terms_say_so() {
    check_by(
        HOLD_FOR_BOTH,
        SIXTY_DAYS,
        &expect![[r#"
        settle 2025-03-05T00:00:00Z
        + position everyone APP named_user 2025-01: near entitled 1 demand 1 peak 1 at 2025-01-01
        + position everyone APP named_user 2025-02: near entitled 1 demand 1 peak 1 at 2025-02-01
        + position everyone APP named_user 2025-03: near entitled 1 demand 0 peak 1 at 2025-03-01
        + problem near_limit everyone APP 2025-01 1 2025-01-01..2025-02-01
        + problem near_limit everyone APP 2025-02 1 2025-02-01..2025-03-01
        + problem near_limit everyone APP 2025-03 1 2025-03-01..open
        settle 2025-03-07T00:00:00Z
        - position everyone APP named_user 2025-03: near entitled 1 demand 0 peak 1 at 2025-03-01
        + position everyone APP named_user 2025-03: over entitled 1 demand 2 peak 2 at 2025-03-07 short 1 2025-03-07..open
        - problem near_limit everyone APP 2025-03 1 2025-03-01..open
        + problem over_use everyone APP 2025-03 1 2025-03-07..open
        + problem reassigned_too_soon everyone APP ada 1 2025-03-07..2025-04-01
        settle 2025-04-02T00:00:00Z
        + position everyone APP named_user 2025-03: over entitled 1 demand 2 peak 2 at 2025-03-07 short 1 2025-03-07..2025-04-01
        - position everyone APP named_user 2025-03: over entitled 1 demand 2 peak 2 at 2025-03-07 short 1 2025-03-07..open
        + position everyone APP named_user 2025-04: near entitled 1 demand 1 peak 1 at 2025-04-01
        + problem near_limit everyone APP 2025-04 1 2025-04-01..open
        + problem over_use everyone APP 2025-03 1 2025-03-07..2025-04-01
        - problem over_use everyone APP 2025-03 1 2025-03-07..open
    "#]],
    );
}

#[test]
fn a_seat_that_comes_back_or_waits_out_its_least_time_was_not_given_away() {
    check_by(
        HOLD_FOR_BOTH,
        "
        line APP 2 metric named_user from 2025-01-01
        seat APP ada from 2025-01-01 to 2025-01-20
        seat APP ada from 2025-01-25
        seat APP bob from 2025-01-01 to 2025-01-10
        seat APP cyd from 2025-04-01
        settle 2025-04-02
        ",
        &expect![[r#"
            settle 2025-04-02T00:00:00Z
            + position everyone APP named_user 2025-01: near entitled 2 demand 1 peak 2 at 2025-01-01
            + position everyone APP named_user 2025-02: covered entitled 2 demand 1 peak 1 at 2025-02-01
            + position everyone APP named_user 2025-03: covered entitled 2 demand 1 peak 1 at 2025-03-01
            + position everyone APP named_user 2025-04: near entitled 2 demand 2 peak 2 at 2025-04-01
            + problem near_limit everyone APP 2025-01 2 2025-01-01..2025-02-01
            + problem near_limit everyone APP 2025-04 2 2025-04-01..open
        "#]],
    );
}

#[test]
fn a_correction_that_moves_the_other_seat_takes_the_report_back() {
    check_by(
        HOLD,
        "
        line APP 1 metric named_user from 2025-01-01
        seat APP ada from 2025-01-01 to 2025-03-02
        [id=bob] seat APP bob from 2025-03-07
        settle 2025-04-10
        [id=bob rev=1] seat APP bob from 2025-04-02
        settle
        ",
        &expect![[r#"
            settle 2025-04-10T00:00:00Z
            + position everyone APP named_user 2025-01: near entitled 1 demand 1 peak 1 at 2025-01-01
            + position everyone APP named_user 2025-02: near entitled 1 demand 1 peak 1 at 2025-02-01
            + position everyone APP named_user 2025-03: near entitled 1 demand 1 peak 1 at 2025-03-01
            + position everyone APP named_user 2025-04: near entitled 1 demand 1 peak 1 at 2025-04-01
            + problem near_limit everyone APP 2025-01 1 2025-01-01..2025-02-01
            + problem near_limit everyone APP 2025-02 1 2025-02-01..2025-03-01
            + problem near_limit everyone APP 2025-03 1 2025-03-01..2025-04-01
            + problem near_limit everyone APP 2025-04 1 2025-04-01..open
            + problem reassigned_too_soon everyone APP ada 1 2025-03-07..2025-04-01
            settle
            + position everyone APP named_user 2025-03: near entitled 1 demand 0 peak 1 at 2025-03-01
            - position everyone APP named_user 2025-03: near entitled 1 demand 1 peak 1 at 2025-03-01
            - position everyone APP named_user 2025-04: near entitled 1 demand 1 peak 1 at 2025-04-01
            + position everyone APP named_user 2025-04: near entitled 1 demand 1 peak 1 at 2025-04-02
            - problem near_limit everyone APP 2025-04 1 2025-04-01..open
            + problem near_limit everyone APP 2025-04 1 2025-04-02..open
            - problem reassigned_too_soon everyone APP ada 1 2025-03-07..2025-04-01
        "#]],
    );
}

const IDLE: &str = r#"
    [[rule]]
    products = ["APP"]
    seat_idle_seconds = 2592000
"#;

#[test]
fn a_seat_without_a_sign_of_use_for_thirty_days_can_be_taken_back_until_there_is_one() {
    check_by(
        IDLE,
        "
        line APP 5 metric named_user from 2025-01-01
        seat APP ada from 2025-01-01 active 2025-01-20
        seat APP bob from 2025-01-10
        seat APP cyd
        seat APP dan guest active 2025-01-01
        settle 2025-02-10
        settle 2025-02-20
        seat APP ada from 2025-02-20 active 2025-02-25
        settle 2025-03-01
        ",
        &expect![[r#"
            settle 2025-02-10T00:00:00Z
            + position everyone APP named_user 2025-01: covered entitled 5 demand 3 peak 3 at 2025-01-10
            + position everyone APP named_user 2025-02: covered entitled 5 demand 3 peak 3 at 2025-02-01
            + problem allocated_not_used everyone APP bob 1 2025-02-09..open
            settle 2025-02-20T00:00:00Z
            - position everyone APP named_user 2025-02: covered entitled 5 demand 3 peak 3 at 2025-02-01
            + position everyone APP named_user 2025-02: covered entitled 5 demand 3 peak 3 at 2025-02-01
            + problem allocated_not_used everyone APP ada 1 2025-02-19..open
            settle 2025-03-01T00:00:00Z
            - position everyone APP named_user 2025-02: covered entitled 5 demand 3 peak 3 at 2025-02-01
            + position everyone APP named_user 2025-02: covered entitled 5 demand 3 peak 3 at 2025-02-01
            + position everyone APP named_user 2025-03: covered entitled 5 demand 3 peak 3 at 2025-03-01
            + problem allocated_not_used everyone APP ada 1 2025-02-19..2025-02-25
            - problem allocated_not_used everyone APP ada 1 2025-02-19..open
        "#]],
    );
}

#[test]
fn a_snapshot_that_is_taken_later_says_when_an_idle_seat_was_used() {
    check_by(
        IDLE,
        "
        [doc=seats@1] seat APP ada active 2024-11-01
        version seats 1 from 2025-01-01
        settle 2025-01-20
        [doc=seats@2] seat APP ada active 2025-01-15
        version seats 2 from 2025-02-01
        settle 2025-02-20
        ",
        &expect![[r#"
            settle 2025-01-20T00:00:00Z
            + position everyone APP named_user 2025-01: unlicensed entitled 0 demand 1 peak 1 at 2025-01-01 short 1 2025-01-01..open
            + problem allocated_not_used everyone APP ada 1 2025-01-01..open
            + problem unlicensed_use everyone APP 2025-01 1 2025-01-01..open
            settle 2025-02-20T00:00:00Z
            + position everyone APP named_user 2025-01: unlicensed entitled 0 demand 1 peak 1 at 2025-01-01 short 1 2025-01-01..2025-02-01
            - position everyone APP named_user 2025-01: unlicensed entitled 0 demand 1 peak 1 at 2025-01-01 short 1 2025-01-01..open
            + position everyone APP named_user 2025-02: unlicensed entitled 0 demand 1 peak 1 at 2025-02-01 short 1 2025-02-01..open
            + problem allocated_not_used everyone APP ada 1 2025-01-01..2025-01-15
            - problem allocated_not_used everyone APP ada 1 2025-01-01..open
            + problem allocated_not_used everyone APP ada 1 2025-02-14..open
            + problem unlicensed_use everyone APP 2025-01 1 2025-01-01..2025-02-01
            - problem unlicensed_use everyone APP 2025-01 1 2025-01-01..open
            + problem unlicensed_use everyone APP 2025-02 1 2025-02-01..open
        "#]],
    );
}
