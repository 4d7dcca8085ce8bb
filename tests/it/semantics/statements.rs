//! What is said of a month after it was over: amendments that reach back, and quantities that come late
//! (C8, 2.24).
//!
//! Closed periods are kept for volumes. A position of any other metric is simply right.

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn an_amendment_that_reaches_back_withdraws_what_was_said_of_the_months_since() {
    check(
        "
        line APP 5 name base from 2025-01-01
        2025-02-10T10:00 out APP ada@ws1 x5
        2025-02-10T11:00 in APP ada@ws1 x5
        2025-03-10T10:00 out APP ada@ws1 x10
        2025-03-10T11:00 in APP ada@ws1 x10
        settle 2025-04-10
        [arrived=2025-04-10] line APP 5 name amendment from 2025-03-01
        settle 2025-04-10
        ",
        &expect![[r#"
            settle 2025-04-10T00:00:00Z
            + position everyone APP concurrent 2025-02: near entitled 5 demand 0 peak 5 at 2025-02-10T10:00
            + position everyone APP concurrent 2025-03: over entitled 5 demand 0 peak 10 at 2025-03-10T10:00 short 5 2025-03-10T10:00..2025-03-10T11:00
            + position everyone APP concurrent 2025-04: covered entitled 5 demand 0 peak 0
            + problem near_limit everyone APP 2025-02 5 2025-02-10T10:00..2025-03-01
            + problem over_use everyone APP 2025-03 5 2025-03-10T10:00..2025-03-10T11:00
            + problem shelfware everyone APP 2025-04 5 2025-04-01..open
            settle 2025-04-10T00:00:00Z
            + position everyone APP concurrent 2025-03: near entitled 10 demand 0 peak 10 at 2025-03-10T10:00
            - position everyone APP concurrent 2025-03: over entitled 5 demand 0 peak 10 at 2025-03-10T10:00 short 5 2025-03-10T10:00..2025-03-10T11:00
            + position everyone APP concurrent 2025-04: covered entitled 10 demand 0 peak 0
            - position everyone APP concurrent 2025-04: covered entitled 5 demand 0 peak 0
            + problem near_limit everyone APP 2025-03 10 2025-03-10T10:00..2025-04-01
            - problem over_use everyone APP 2025-03 5 2025-03-10T10:00..2025-03-10T11:00
            + problem shelfware everyone APP 2025-04 10 2025-04-01..open
            - problem shelfware everyone APP 2025-04 5 2025-04-01..open
        "#]],
    );
}

#[test]
fn what_comes_after_the_close_is_an_adjustment_of_the_statement_and_the_position_is_right() {
    check_by(
        "[closing]\nafter_seconds = 86400",
        "
        line API unlimited metric volume
        [arrived=2025-03-10] 2025-03-10 use API 4
        settle 2025-04-01
        settle 2025-04-02
        [id=late arrived=2025-04-02] 2025-03-31 use API 8
        [id=intime arrived=2025-04-01T23:59:59.999999] 2025-03-31 use API 1
        settle 2025-04-02
        retract late
        settle 2025-04-02
        ",
        &expect![[r#"
            settle 2025-04-01T00:00:00Z
            + position everyone API volume 2025-03: covered entitled unlimited demand 4 peak 4 at 2025-03-01
            + position everyone API volume 2025-04: covered entitled unlimited demand 0 peak 0
            settle 2025-04-02T00:00:00Z
            + statement everyone API volume 2025-03: issued 4 restated 4
            settle 2025-04-02T00:00:00Z
            + adjustment everyone API volume 2025-03: 8 arrived 2025-04-02
            + position everyone API volume 2025-03: covered entitled unlimited demand 13 peak 13 at 2025-03-01
            - position everyone API volume 2025-03: covered entitled unlimited demand 4 peak 4 at 2025-03-01
            + problem late_after_close everyone API 2025-03 8 2025-04-02..open
            - statement everyone API volume 2025-03: issued 4 restated 4
            + statement everyone API volume 2025-03: issued 5 restated 13
            settle 2025-04-02T00:00:00Z
            - adjustment everyone API volume 2025-03: 8 arrived 2025-04-02
            - position everyone API volume 2025-03: covered entitled unlimited demand 13 peak 13 at 2025-03-01
            + position everyone API volume 2025-03: covered entitled unlimited demand 5 peak 5 at 2025-03-01
            - problem late_after_close everyone API 2025-03 8 2025-04-02..open
            - statement everyone API volume 2025-03: issued 5 restated 13
            + statement everyone API volume 2025-03: issued 5 restated 5
        "#]],
    );
}

#[test]
fn a_period_from_an_anchor_closes_so_long_after_its_own_end() {
    check_by(
        "[closing]\nafter_seconds = 86400",
        "
        line API unlimited metric volume account acme
        account acme anchor 2025-01-31
        2025-02-10 use API 4 for acme
        settle 2025-02-28T23:59:59
        settle 2025-03-01
        [id=late arrived=2025-03-01] 2025-02-27 use API 1 for acme
        settle 2025-03-01
        ",
        &expect![[r#"
            settle 2025-02-28T23:59:59Z
            + position acme API volume 2025-01-31: covered entitled unlimited demand 4 peak 4 at 2025-01-31
            + position acme API volume 2025-02-28: covered entitled unlimited demand 0 peak 0
            settle 2025-03-01T00:00:00Z
            + statement acme API volume 2025-01-31: issued 4 restated 4
            settle 2025-03-01T00:00:00Z
            + adjustment acme API volume 2025-01-31: 1 arrived 2025-03-01
            - position acme API volume 2025-01-31: covered entitled unlimited demand 4 peak 4 at 2025-01-31
            + position acme API volume 2025-01-31: covered entitled unlimited demand 5 peak 5 at 2025-01-31
            + problem late_after_close acme API 2025-01-31 1 2025-03-01..open
            - statement acme API volume 2025-01-31: issued 4 restated 4
            + statement acme API volume 2025-01-31: issued 4 restated 5
        "#]],
    );
}
