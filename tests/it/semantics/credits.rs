//! What metered use takes of which grant, and what is carried over (2.12, 2.13).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn of_two_grants_the_one_with_the_smaller_priority_is_used_first() {
    check(
        "
        show credits
        grant second API 100 priority 2 from 2025-01-01 to 2026-01-01
        grant first API 100 priority 1 from 2025-01-01 to 2026-01-01
        10:00 use API 120
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + credit everyone API first 2025-01-01..2026-01-01: running granted 100 used 100 left 0
            + credit everyone API second 2025-01-01..2026-01-01: running granted 100 used 20 left 80
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 120 peak 120 at 2025-03-01 short 120 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 120 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_turn_carries_over_what_is_left_up_to_its_most() {
    check(
        "
        show credits
        grant plan API 100 every month carry 0 50 from 2025-03-01
        10:00 use API 10
        settle 12:00
        settle 2025-04-01
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + credit everyone API plan 2025-03-01..2025-04-01: running granted 100 used 10 left 90
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 10 peak 10 at 2025-03-01 short 10 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 10 2025-03-01..open
            settle 2025-04-01T00:00:00Z
            - credit everyone API plan 2025-03-01..2025-04-01: running granted 100 used 10 left 90
            + credit everyone API plan 2025-03-01..2025-04-01: turned granted 100 used 10 lapsed 40 left 90
            + credit everyone API plan 2025-04-01..2025-05-01: running granted 100 carried 50 left 150
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 10 peak 10 at 2025-03-01 short 10 2025-03-01..2025-04-01
            - position everyone API volume 2025-03: unlicensed entitled 0 demand 10 peak 10 at 2025-03-01 short 10 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 10 2025-03-01..2025-04-01
            - problem unlicensed_use everyone API 2025-03 10 2025-03-01..open
        "#]],
    );
}

#[test]
fn overage_that_is_kept_is_taken_from_the_next_amount() {
    check(
        "
        show credits
        grant plan API 100 every month carry 50 50 carry_overage from 2025-03-01
        10:00 use API 110
        settle 12:00
        settle 2025-04-01
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + credit everyone API plan 2025-03-01..2025-04-01: running granted 100 used 100 overdrawn 10 left 0
            + overage everyone API 2025-03: 10
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 110 peak 110 at 2025-03-01 short 110 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 110 2025-03-01..open
            settle 2025-04-01T00:00:00Z
            - credit everyone API plan 2025-03-01..2025-04-01: running granted 100 used 100 overdrawn 10 left 0
            + credit everyone API plan 2025-03-01..2025-04-01: turned granted 100 used 100 overdrawn 10 left 0
            + credit everyone API plan 2025-04-01..2025-05-01: running granted 100 carried 40 left 140
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 110 peak 110 at 2025-03-01 short 110 2025-03-01..2025-04-01
            - position everyone API volume 2025-03: unlicensed entitled 0 demand 110 peak 110 at 2025-03-01 short 110 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 110 2025-03-01..2025-04-01
            - problem unlicensed_use everyone API 2025-03 110 2025-03-01..open
        "#]],
    );
}

#[test]
fn two_statements_of_one_turn_grant_once() {
    check(
        "
        show credits
        version plans 1 always
        version prices 1 always
        [doc=plans@1] grant plan API 100 every month from 2025-03-01
        [doc=prices@1] grant plan API 100 every month from 2025-03-01
        2025-04-01 use API 30
        settle 2025-04-01
        ",
        &expect![[r#"
            settle 2025-04-01T00:00:00Z
            + credit everyone API plan 2025-04-01..2025-05-01: running granted 100 used 30 left 70
            + position everyone API volume 2025-04: unlicensed entitled 0 demand 30 peak 30 at 2025-04-01 short 30 2025-04-01..open
            + problem unlicensed_use everyone API 2025-04 30 2025-04-01..open
        "#]],
    );
}

#[test]
fn an_amount_that_comes_anew_is_used_by_what_follows_it() {
    check(
        "
        show credits
        grant plan API 100 every month from 2025-02-03T09:00
        2025-02-10 use API 80
        09:00 use API 30
        10:00 use API 20
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + credit everyone API plan 2025-02-03T09:00..2025-03-03T09:00: turned granted 100 used 80 lapsed 20 left 20
            + credit everyone API plan 2025-03-03T09:00..2025-04-03T09:00: running granted 100 used 50 left 50
            + position everyone API volume 2025-02: unlicensed entitled 0 demand 80 peak 80 at 2025-02-01 short 80 2025-02-01..2025-03-01
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 50 peak 50 at 2025-03-01 short 50 2025-03-01..open
            + problem unlicensed_use everyone API 2025-02 80 2025-02-01..2025-03-01
            + problem unlicensed_use everyone API 2025-03 50 2025-03-01..open
        "#]],
    );
}

#[test]
fn use_is_overage_unless_a_grant_is_active_at_its_time() {
    check(
        "
        show credits
        grant once API 10 from 2025-03-03T10:00 to 2025-03-03T11:00
        09:59 use API 1
        10:00 use API 2
        11:00 use API 4
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + credit everyone API once 2025-03-03T10:00..2025-03-03T11:00: expired granted 10 used 2 lapsed 8 left 8
            + overage everyone API 2025-03: 5
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 7 peak 7 at 2025-03-01 short 7 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 7 2025-03-01..open
        "#]],
    );
}

#[test]
fn late_use_takes_from_the_grant_of_its_time_and_frees_what_was_taken_instead() {
    check(
        "
        show credits
        grant old API 10 from 2025-01-01 to 2025-02-01
        grant new API 10 from 2025-01-15 to 2025-04-01
        2025-01-20 use API 8
        2025-01-21 use API 5
        settle 2025-03-01
        [arrived=2025-03-02] 2025-01-10 use API 6
        settle 2025-03-03
        ",
        &expect![[r#"
            settle 2025-03-01T00:00:00Z
            + credit everyone API new 2025-01-15..2025-04-01: running granted 10 used 3 left 7
            + credit everyone API old 2025-01-01..2025-02-01: expired granted 10 used 10 left 0
            + position everyone API volume 2025-01: unlicensed entitled 0 demand 13 peak 13 at 2025-01-01 short 13 2025-01-01..2025-02-01
            + problem unlicensed_use everyone API 2025-01 13 2025-01-01..2025-02-01
            settle 2025-03-03T00:00:00Z
            - credit everyone API new 2025-01-15..2025-04-01: running granted 10 used 3 left 7
            + credit everyone API new 2025-01-15..2025-04-01: running granted 10 used 9 left 1
            - position everyone API volume 2025-01: unlicensed entitled 0 demand 13 peak 13 at 2025-01-01 short 13 2025-01-01..2025-02-01
            + position everyone API volume 2025-01: unlicensed entitled 0 demand 19 peak 19 at 2025-01-01 short 19 2025-01-01..2025-02-01
            - problem unlicensed_use everyone API 2025-01 13 2025-01-01..2025-02-01
            + problem unlicensed_use everyone API 2025-01 19 2025-01-01..2025-02-01
        "#]],
    );
}

#[test]
fn of_equal_priorities_the_earliest_expiry_goes_first_then_the_earliest_beginning() {
    check(
        "
        show credits
        grant a API 10 from 2025-01-02 to 2025-12-01
        grant b API 10 from 2025-01-01 to 2025-12-01
        grant c API 10 from 2025-01-03 to 2025-11-01
        10:00 use API 15
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + credit everyone API a 2025-01-02..2025-12-01: running granted 10 left 10
            + credit everyone API b 2025-01-01..2025-12-01: running granted 10 used 5 left 5
            + credit everyone API c 2025-01-03..2025-11-01: running granted 10 used 10 left 0
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 15 peak 15 at 2025-03-01 short 15 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 15 2025-03-01..open
        "#]],
    );
}

#[test]
fn what_is_left_of_a_void_grant_is_lost_from_then_on() {
    check(
        "
        show credits
        grant once API 10 from 2025-03-01 to 2025-06-01 void 2025-03-03T11:00
        10:00 use API 4
        11:00 use API 3
        settle 10:30
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T10:30:00Z
            + credit everyone API once 2025-03-01..2025-03-03T11:00: running granted 10 used 4 left 6
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 4 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            - credit everyone API once 2025-03-01..2025-03-03T11:00: running granted 10 used 4 left 6
            + credit everyone API once 2025-03-01..2025-03-03T11:00: voided granted 10 used 4 lapsed 6 left 6
            + overage everyone API 2025-03: 3
            - position everyone API volume 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 7 peak 7 at 2025-03-01 short 7 2025-03-01..open
            - problem unlicensed_use everyone API 2025-03 4 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 7 2025-03-01..open
        "#]],
    );
}

#[test]
fn an_accounts_own_grant_goes_before_one_for_everyone() {
    check(
        "
        show credits
        account group
        account london under group
        grant all API 10 priority 1
        grant own API 3 priority 2 account london
        10:00 use API 4 for london
        10:00 use API 5 for group
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + credit everyone API all always..open: running granted 10 used 6 left 4
            + credit london API own always..open: running granted 3 used 3 left 0
            + position group API volume 2025-03: unlicensed entitled 0 demand 5 peak 5 at 2025-03-01 short 5 2025-03-01..open
            + position london API volume 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            + problem unlicensed_use group API 2025-03 5 2025-03-01..open
            + problem unlicensed_use london API 2025-03 4 2025-03-01..open
        "#]],
    );
}

#[test]
fn an_event_that_is_taken_back_gives_its_credit_back() {
    check(
        "
        show credits
        grant first API 5 priority 1
        grant second API 5 priority 2
        [id=e1] 10:00 use API 4
        [id=e2] 10:01 use API 4
        settle 12:00
        retract e1
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + credit everyone API first always..open: running granted 5 used 5 left 0
            + credit everyone API second always..open: running granted 5 used 3 left 2
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 8 peak 8 at 2025-03-01 short 8 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 8 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            + credit everyone API first always..open: running granted 5 used 4 left 1
            - credit everyone API first always..open: running granted 5 used 5 left 0
            + credit everyone API second always..open: running granted 5 left 5
            - credit everyone API second always..open: running granted 5 used 3 left 2
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            - position everyone API volume 2025-03: unlicensed entitled 0 demand 8 peak 8 at 2025-03-01 short 8 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 4 2025-03-01..open
            - problem unlicensed_use everyone API 2025-03 8 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_negative_quantity_gives_overage_back_first() {
    check(
        "
        show credits
        grant once API 100
        10:00 use API 120
        settle 10:30
        11:00 use API -30
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T10:30:00Z
            + credit everyone API once always..open: running granted 100 used 100 left 0
            + overage everyone API 2025-03: 20
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 120 peak 120 at 2025-03-01 short 120 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 120 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            - credit everyone API once always..open: running granted 100 used 100 left 0
            + credit everyone API once always..open: running granted 100 used 90 left 10
            - overage everyone API 2025-03: 20
            - position everyone API volume 2025-03: unlicensed entitled 0 demand 120 peak 120 at 2025-03-01 short 120 2025-03-01..open
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 90 peak 90 at 2025-03-01 short 90 2025-03-01..open
            - problem unlicensed_use everyone API 2025-03 120 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 90 2025-03-01..open
        "#]],
    );
}

#[test]
fn months_turn_by_the_day_of_the_beginning_in_the_accounts_zone() {
    check(
        "
        show credits
        account tokyo zone Asia/Tokyo
        grant plan API 10 every month carry 0 10 account tokyo from 2025-01-30T15:00
        2025-02-01 use API 1 for tokyo
        2025-02-27T14:59 use API 2 for tokyo
        2025-02-27T15:00 use API 4 for tokyo
        2025-03-30T15:00 use API 8 for tokyo
        settle 2025-03-31
        ",
        &expect![[r#"
            settle 2025-03-31T00:00:00Z
            + credit tokyo API plan 2025-01-30T15:00..2025-02-27T15:00: turned granted 10 used 3 left 7
            + credit tokyo API plan 2025-02-27T15:00..2025-03-30T15:00: turned granted 10 carried 7 used 4 lapsed 3 left 13
            + credit tokyo API plan 2025-03-30T15:00..2025-04-29T15:00: running granted 10 carried 10 used 8 left 12
            + position tokyo API volume 2025-01-31: unlicensed entitled 0 demand 7 peak 7 at 2025-01-31T15:00 short 7 2025-01-31T15:00..2025-02-28T15:00
            + position tokyo API volume 2025-02-28: unlicensed entitled 0 demand 8 peak 8 at 2025-02-28T15:00 short 8 2025-02-28T15:00..open
            + problem unlicensed_use tokyo API 2025-01-31 7 2025-01-31T15:00..2025-02-28T15:00
            + problem unlicensed_use tokyo API 2025-02-28 8 2025-02-28T15:00..open
        "#]],
    );
}

#[test]
fn a_correction_that_arrives_together_with_the_first_grant_is_what_counts() {
    check_by(
        "[[rule]]\nproducts = [\"API\"]\nmetrics = [\"maximum\"]",
        "
        show credits charges
        [id=a] 10:00 use API 4 for london
        [id=b] 10:01 use API 4 for london
        [id=c] 10:02 use API 4 for london
        [id=d] 10:03 use API 4 for london
        settle 11:00
        [id=a rev=1] 10:00 use API 6 for london
        [id=b rev=1] 10:01 use API 3 for london
        [id=c rev=1] 10:02 use API 6 for london
        [id=d rev=1] 10:03 use API 3 for london
        grant g1 API 100 from 2025-01-01
        settle 11:00
        10:30 use API 1 for london
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position london API maximum 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            + position london API volume 2025-03: unlicensed entitled 0 demand 16 peak 16 at 2025-03-01 short 16 2025-03-01..open
            + problem unlicensed_use london API 2025-03 16 2025-03-01..open
            + problem unlicensed_use london API 2025-03 4 2025-03-01..open
            settle 2025-03-03T11:00:00Z
            + credit everyone API g1 2025-01-01..open: running granted 100 used 18 left 82
            - position london API maximum 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            + position london API maximum 2025-03: unlicensed entitled 0 demand 6 peak 6 at 2025-03-01 short 6 2025-03-01..open
            - position london API volume 2025-03: unlicensed entitled 0 demand 16 peak 16 at 2025-03-01 short 16 2025-03-01..open
            + position london API volume 2025-03: unlicensed entitled 0 demand 18 peak 18 at 2025-03-01 short 18 2025-03-01..open
            - problem unlicensed_use london API 2025-03 16 2025-03-01..open
            + problem unlicensed_use london API 2025-03 18 2025-03-01..open
            - problem unlicensed_use london API 2025-03 4 2025-03-01..open
            + problem unlicensed_use london API 2025-03 6 2025-03-01..open
            settle 2025-03-03T11:00:00Z
            - credit everyone API g1 2025-01-01..open: running granted 100 used 18 left 82
            + credit everyone API g1 2025-01-01..open: running granted 100 used 19 left 81
            - position london API volume 2025-03: unlicensed entitled 0 demand 18 peak 18 at 2025-03-01 short 18 2025-03-01..open
            + position london API volume 2025-03: unlicensed entitled 0 demand 19 peak 19 at 2025-03-01 short 19 2025-03-01..open
            - problem unlicensed_use london API 2025-03 18 2025-03-01..open
            + problem unlicensed_use london API 2025-03 19 2025-03-01..open
        "#]],
    );
}
