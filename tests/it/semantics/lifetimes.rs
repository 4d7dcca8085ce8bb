//! When checkouts end that nothing returns (A 2.3).

use expect_test::expect;
use trueup_tests::check::check_by;

const TEN_MINUTES: &str = r#"
    [[rule]]
    products = ["APP"]
    session_silent_seconds = 600
    session_drift_seconds = 30
"#;

#[test]
fn a_checkout_ends_so_long_after_its_last_sign_of_life_without_an_event() {
    check_by(
        TEN_MINUTES,
        "
        show sessions
        00:00:00 out APP ada@ws1
        00:05:00 beat APP ada@ws1
        settle 00:14:59
        settle 00:15:00
        ",
        &expect![[r#"
            settle 2025-03-03T00:14:59Z
            + position everyone APP concurrent 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03 short 1 2025-03-03..open
            + problem unlicensed_use everyone APP 2025-03 1 2025-03-03..open
            + session APP ada@ws1 on lic x1 2025-03-03..2025-03-03T00:15
            settle 2025-03-03T00:15:00Z
            + position everyone APP concurrent 2025-03: unlicensed entitled 0 demand 0 peak 1 at 2025-03-03 short 1 2025-03-03..2025-03-03T00:15
            - position everyone APP concurrent 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03 short 1 2025-03-03..open
            + problem unlicensed_use everyone APP 2025-03 1 2025-03-03..2025-03-03T00:15
            - problem unlicensed_use everyone APP 2025-03 1 2025-03-03..open
        "#]],
    );
}

#[test]
fn a_sign_of_life_that_is_late_by_the_drift_keeps_the_checkout() {
    check_by(
        TEN_MINUTES,
        "
        show sessions
        00:00:00 out APP ada@ws1
        00:10:30 beat APP ada@ws1
        00:12:00 in APP ada@ws1
        00:20:00 out APP bob@ws2
        00:30:31 beat APP bob@ws2
        settle 01:00
        ",
        &expect![[r#"
            settle 2025-03-03T01:00:00Z
            + position everyone APP concurrent 2025-03: unlicensed entitled 0 demand 0 peak 1 at 2025-03-03 short 1 2025-03-03..2025-03-03T00:30
            + problem heartbeat_after_close lic 1
            + problem unlicensed_use everyone APP 2025-03 1 2025-03-03..2025-03-03T00:30
            + session APP ada@ws1 on lic x1 2025-03-03..2025-03-03T00:12
            + session APP bob@ws2 on lic x1 2025-03-03T00:20..2025-03-03T00:30
        "#]],
    );
}

#[test]
fn a_borrowed_license_is_back_when_the_loan_ends_or_when_it_is_returned() {
    check_by(
        TEN_MINUTES,
        "
        show sessions
        08:00 out APP ada@ws1 until 18:00
        08:00 out APP bob@ws2 until 18:00
        09:00 in APP bob@ws2
        settle 20:00
        ",
        &expect![[r#"
            settle 2025-03-03T20:00:00Z
            + position everyone APP concurrent 2025-03: unlicensed entitled 0 demand 0 peak 2 at 2025-03-03T08:00 short 2 2025-03-03T08:00..2025-03-03T18:00
            + problem unlicensed_use everyone APP 2025-03 2 2025-03-03T08:00..2025-03-03T18:00
            + session APP ada@ws1 on lic x1 2025-03-03T08:00..2025-03-03T18:00
            + session APP bob@ws2 on lic x1 2025-03-03T08:00..2025-03-03T09:00
        "#]],
    );
}

#[test]
fn a_returned_license_lingers_and_a_long_checkout_is_cut() {
    check_by(
        r#"
        [[rule]]
        products = ["APP"]
        linger_seconds = 300
        session_longest_seconds = 3600
        "#,
        "
        show sessions
        08:00 out APP ada@ws1
        08:30 in APP ada@ws1
        10:00 out APP bob@ws2
        12:00 in APP bob@ws2
        settle 20:00
        ",
        &expect![[r#"
            settle 2025-03-03T20:00:00Z
            + position everyone APP concurrent 2025-03: unlicensed entitled 0 demand 0 peak 1 at 2025-03-03T08:00 short 1 2025-03-03T08:00..2025-03-03T11:00
            + problem orphan_close lic 1
            + problem unlicensed_use everyone APP 2025-03 1 2025-03-03T08:00..2025-03-03T11:00
            + session APP ada@ws1 on lic x1 2025-03-03T08:00..2025-03-03T08:35
            + session APP bob@ws2 on lic x1 2025-03-03T10:00..2025-03-03T11:00
        "#]],
    );
}
