//! What is said of a month after it was over: amendments that reach back, and quantities that come late
//! (C8, 2.24).
//!
//! A position is simply right, and beside it stands what it said when its period closed. Of volumes each
//! late quantity is an adjustment by itself.

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

/// 65 backdated-amend: +5 from 1 March, told on 10 April.
#[test]
fn an_amendment_that_reaches_back_adjusts_the_statement_of_each_month_since() {
    check_by(
        "further_periods = []\n[closing]\nafter_seconds = 432000",
        "
        show issued
        line APP 5 name base from 2025-01-01
        2025-02-10T10:00 out APP ada@ws1 x6
        2025-02-10T11:00 in APP ada@ws1 x6
        2025-03-10T10:00 out APP ada@ws1 x10
        2025-03-10T11:00 in APP ada@ws1 x10
        settle 2025-04-05
        settle 2025-04-06
        [id=amendment arrived=2025-04-10] line APP 5 name amendment from 2025-03-01
        settle 2025-04-10
        retract amendment
        settle 2025-04-10
        ",
        &expect![[r#"
            settle 2025-04-05T00:00:00Z
            + issued everyone APP concurrent 2025-02: over entitled 5 peak 6 short 1
            + position everyone APP concurrent 2025-02: over entitled 5 demand 0 peak 6 at 2025-02-10T10:00 short 1 2025-02-10T10:00..2025-02-10T11:00
            + position everyone APP concurrent 2025-03: over entitled 5 demand 0 peak 10 at 2025-03-10T10:00 short 5 2025-03-10T10:00..2025-03-10T11:00
            + position everyone APP concurrent 2025-04: covered entitled 5 demand 0 peak 0
            + problem over_use everyone APP 2025-02 1 2025-02-10T10:00..2025-02-10T11:00
            + problem over_use everyone APP 2025-03 5 2025-03-10T10:00..2025-03-10T11:00
            + problem shelfware everyone APP 2025-04 5 2025-04-01..open
            settle 2025-04-06T00:00:00Z
            + issued everyone APP concurrent 2025-03: over entitled 5 peak 10 short 5
            settle 2025-04-10T00:00:00Z
            - issued everyone APP concurrent 2025-03: over entitled 5 peak 10 short 5
            + issued everyone APP concurrent 2025-03: over entitled 5 peak 10 short 5, restated near entitled 10 peak 10 short 0, adjustment peak 0 short -5
            + position everyone APP concurrent 2025-03: near entitled 10 demand 0 peak 10 at 2025-03-10T10:00
            - position everyone APP concurrent 2025-03: over entitled 5 demand 0 peak 10 at 2025-03-10T10:00 short 5 2025-03-10T10:00..2025-03-10T11:00
            + position everyone APP concurrent 2025-04: covered entitled 10 demand 0 peak 0
            - position everyone APP concurrent 2025-04: covered entitled 5 demand 0 peak 0
            + problem near_limit everyone APP 2025-03 10 2025-03-10T10:00..2025-04-01
            - problem over_use everyone APP 2025-03 5 2025-03-10T10:00..2025-03-10T11:00
            + problem shelfware everyone APP 2025-04 10 2025-04-01..open
            - problem shelfware everyone APP 2025-04 5 2025-04-01..open
            + problem statement_drift everyone APP 2025-03 5 2025-04-06..open
            settle 2025-04-10T00:00:00Z
            + issued everyone APP concurrent 2025-03: over entitled 5 peak 10 short 5
            - issued everyone APP concurrent 2025-03: over entitled 5 peak 10 short 5, restated near entitled 10 peak 10 short 0, adjustment peak 0 short -5
            - position everyone APP concurrent 2025-03: near entitled 10 demand 0 peak 10 at 2025-03-10T10:00
            + position everyone APP concurrent 2025-03: over entitled 5 demand 0 peak 10 at 2025-03-10T10:00 short 5 2025-03-10T10:00..2025-03-10T11:00
            - position everyone APP concurrent 2025-04: covered entitled 10 demand 0 peak 0
            + position everyone APP concurrent 2025-04: covered entitled 5 demand 0 peak 0
            - problem near_limit everyone APP 2025-03 10 2025-03-10T10:00..2025-04-01
            + problem over_use everyone APP 2025-03 5 2025-03-10T10:00..2025-03-10T11:00
            - problem shelfware everyone APP 2025-04 10 2025-04-01..open
            + problem shelfware everyone APP 2025-04 5 2025-04-01..open
            - problem statement_drift everyone APP 2025-03 5 2025-04-06..open
        "#]],
    );
}

/// 43 alias-merge: two people of January are one from a later alias on, in the past too.
#[test]
fn an_alias_of_the_past_adjusts_the_statement_of_the_month_by_one_person() {
    check_by(
        r#"
        further_periods = []
        [closing]
        after_seconds = 0
        [[rule]]
        products = ["APP"]
        metrics = ["unique"]
        "#,
        "
        show issued
        2025-01-10 use APP 1 by u1
        2025-01-11 use APP 1 by u2
        settle 2025-02-01
        alias user u2 = u1 from 2025-01-01
        settle 2025-02-02
        ",
        &expect![[r#"
            settle 2025-02-01T00:00:00Z
            + issued everyone APP unique 2025-01: unlicensed entitled 0 peak 2 short 2
            + issued everyone APP volume 2025-01: unlicensed entitled 0 peak 2 short 2
            + position everyone APP unique 2025-01: unlicensed entitled 0 demand 2 peak 2 at 2025-01-01 short 2 2025-01-01..2025-02-01
            + position everyone APP volume 2025-01: unlicensed entitled 0 demand 2 peak 2 at 2025-01-01 short 2 2025-01-01..2025-02-01
            + problem unlicensed_use everyone APP 2025-01 2 2025-01-01..2025-02-01
            + problem unlicensed_use everyone APP 2025-01 2 2025-01-01..2025-02-01
            + statement everyone APP volume 2025-01: issued 2 restated 2
            settle 2025-02-02T00:00:00Z
            - issued everyone APP unique 2025-01: unlicensed entitled 0 peak 2 short 2
            + issued everyone APP unique 2025-01: unlicensed entitled 0 peak 2 short 2, restated unlicensed entitled 0 peak 1 short 1, adjustment peak -1 short -1
            + position everyone APP unique 2025-01: unlicensed entitled 0 demand 1 peak 1 at 2025-01-01 short 1 2025-01-01..2025-02-01
            - position everyone APP unique 2025-01: unlicensed entitled 0 demand 2 peak 2 at 2025-01-01 short 2 2025-01-01..2025-02-01
            + problem statement_drift everyone APP 2025-01 1 2025-02-01..open
            + problem unlicensed_use everyone APP 2025-01 1 2025-01-01..2025-02-01
            - problem unlicensed_use everyone APP 2025-01 2 2025-01-01..2025-02-01
        "#]],
    );
}

/// 19 late-session: the shortfall of a closed month is found late, and withdrawn when the past is corrected.
#[test]
fn a_checkout_of_a_closed_month_that_is_heard_of_late_adjusts_its_statement() {
    check_by(
        "further_periods = []\n[closing]\nafter_seconds = 86400",
        "
        show issued
        line APP 2 from 2025-01-01
        2025-03-10T01:00 out APP ada@ws1
        2025-03-10T02:00 out APP bob@ws2
        2025-03-10T06:00 in APP ada@ws1
        2025-03-10T07:00 in APP bob@ws2
        settle 2025-04-02
        [id=late arrived=2025-04-03] 2025-03-10T03:00 out APP cyd@ws3
        [id=gone arrived=2025-04-03] 2025-03-10T06:00 in APP cyd@ws3
        settle 2025-04-03
        retract late
        retract gone
        settle 2025-04-04
        ",
        &expect![[r#"
            settle 2025-04-02T00:00:00Z
            + issued everyone APP concurrent 2025-03: near entitled 2 peak 2 short 0
            + position everyone APP concurrent 2025-03: near entitled 2 demand 0 peak 2 at 2025-03-10T02:00
            + position everyone APP concurrent 2025-04: covered entitled 2 demand 0 peak 0
            + problem near_limit everyone APP 2025-03 2 2025-03-10T02:00..2025-04-01
            + problem shelfware everyone APP 2025-04 2 2025-04-01..open
            settle 2025-04-03T00:00:00Z
            - issued everyone APP concurrent 2025-03: near entitled 2 peak 2 short 0
            + issued everyone APP concurrent 2025-03: near entitled 2 peak 2 short 0, restated over entitled 2 peak 3 short 1, adjustment peak 1 short 1
            - position everyone APP concurrent 2025-03: near entitled 2 demand 0 peak 2 at 2025-03-10T02:00
            + position everyone APP concurrent 2025-03: over entitled 2 demand 0 peak 3 at 2025-03-10T03:00 short 1 2025-03-10T03:00..2025-03-10T06:00
            - problem near_limit everyone APP 2025-03 2 2025-03-10T02:00..2025-04-01
            + problem over_use everyone APP 2025-03 1 2025-03-10T03:00..2025-03-10T06:00
            + problem statement_drift everyone APP 2025-03 1 2025-04-02..open
            settle 2025-04-04T00:00:00Z
            + issued everyone APP concurrent 2025-03: near entitled 2 peak 2 short 0
            - issued everyone APP concurrent 2025-03: near entitled 2 peak 2 short 0, restated over entitled 2 peak 3 short 1, adjustment peak 1 short 1
            + position everyone APP concurrent 2025-03: near entitled 2 demand 0 peak 2 at 2025-03-10T02:00
            - position everyone APP concurrent 2025-03: over entitled 2 demand 0 peak 3 at 2025-03-10T03:00 short 1 2025-03-10T03:00..2025-03-10T06:00
            + problem near_limit everyone APP 2025-03 2 2025-03-10T02:00..2025-04-01
            - problem over_use everyone APP 2025-03 1 2025-03-10T03:00..2025-03-10T06:00
            - problem statement_drift everyone APP 2025-03 1 2025-04-02..open
        "#]],
    );
}

/// What is first heard of after its month closed was not issued at all.
#[test]
fn a_statement_of_nothing_is_issued_where_nothing_was_known() {
    check_by(
        "further_periods = []\n[closing]\nafter_seconds = 0",
        "
        show issued
        settle 2025-04-01
        2025-03-10T01:00 out APP ada@ws1
        2025-03-10T02:00 in APP ada@ws1
        settle 2025-04-02
        2025-04-10T01:00 out APP ada@ws1
        settle 2025-05-01
        ",
        &expect![[r#"
            settle 2025-04-01T00:00:00Z
            settle 2025-04-02T00:00:00Z
            + issued everyone APP concurrent 2025-03: covered entitled 0 peak 0 short 0, restated unlicensed entitled 0 peak 1 short 1, adjustment peak 1 short 1
            + position everyone APP concurrent 2025-03: unlicensed entitled 0 demand 0 peak 1 at 2025-03-10T01:00 short 1 2025-03-10T01:00..2025-03-10T02:00
            + problem statement_drift everyone APP 2025-03 1 2025-04-01..open
            + problem unlicensed_use everyone APP 2025-03 1 2025-03-10T01:00..2025-03-10T02:00
            settle 2025-05-01T00:00:00Z
            + issued everyone APP concurrent 2025-04: unlicensed entitled 0 peak 1 short 1
            + position everyone APP concurrent 2025-04: unlicensed entitled 0 demand 1 peak 1 at 2025-04-10T01:00 short 1 2025-04-10T01:00..2025-05-01
            + position everyone APP concurrent 2025-05: unlicensed entitled 0 demand 1 peak 1 at 2025-05-01 short 1 2025-05-01..open
            + problem unlicensed_use everyone APP 2025-04 1 2025-04-10T01:00..2025-05-01
            + problem unlicensed_use everyone APP 2025-05 1 2025-05-01..open
        "#]],
    );
}
