//! Who stands above whom, and who is the same person: each as of the fact (C10, C11).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn who_works_for_two_departments_counts_once_in_each_and_once_above_both() {
    check(
        "
        show rollups
        account a under both
        account b under both
        line APP 5 metric named_user account both
        seat APP ada from 2025-01-10 to 2025-01-20 for a
        [id=s2] seat APP ada from 2025-01-12 to 2025-01-25 for b
        settle 2025-01-31
        ",
        &expect![[r#"
            settle 2025-01-31T00:00:00Z
            + position both APP named_user 2025-01: covered entitled 5 demand 0 peak 1 at 2025-01-10
            + problem shelfware both APP 2025-01 4 2025-01-01..open
            + total a APP named_user 2025-01: 1 users 1 devices 0
            + total a everything named_user 2025-01: 1 users 1 devices 0
            + total b APP named_user 2025-01: 1 users 1 devices 0
            + total b everything named_user 2025-01: 1 users 1 devices 0
            + total both APP named_user 2025-01: 1 users 1 devices 0
            + total both everything named_user 2025-01: 1 users 1 devices 0
            + total everyone APP named_user 2025-01: 1 users 1 devices 0
            + total everyone everything named_user 2025-01: 1 users 1 devices 0
        "#]],
    );
}

#[test]
fn two_accounts_of_one_person_count_once_when_an_alias_says_so_for_the_past() {
    check_by(
        "[[rule]]\nproducts = [\"APP\"]\nnamed_users = \"active\"\nmetrics = [\"named_user\"]",
        "
        show rollups
        account acme
        line APP 5 metric named_user account acme
        member user u1 in acme
        member user u2 in acme
        2025-01-10T10:00 out APP u1@ws1
        2025-01-10T11:00 in APP u1@ws1
        2025-01-11T10:00 out APP u2@ws1
        2025-01-11T11:00 in APP u2@ws1
        settle 2025-02-10
        alias user u2 = u1 from 2025-01-01
        settle 2025-02-10
        ",
        &expect![[r#"
            settle 2025-02-10T00:00:00Z
            + position acme APP named_user 2025-01: covered entitled 5 demand 2 peak 2 at 2025-01-01
            + position acme APP named_user 2025-02: covered entitled 5 demand 0 peak 0
            + problem shelfware acme APP 2025-02 5 2025-02-01..open
            + total acme APP concurrent 2025-01: 1 users 2 devices 1
            + total acme everything concurrent 2025-01: 1 users 2 devices 1
            + total everyone APP concurrent 2025-01: 1 users 2 devices 1
            + total everyone everything concurrent 2025-01: 1 users 2 devices 1
            settle 2025-02-10T00:00:00Z
            + position acme APP named_user 2025-01: covered entitled 5 demand 1 peak 1 at 2025-01-01
            - position acme APP named_user 2025-01: covered entitled 5 demand 2 peak 2 at 2025-01-01
            + total acme APP concurrent 2025-01: 1 users 1 devices 1
            - total acme APP concurrent 2025-01: 1 users 2 devices 1
            + total acme everything concurrent 2025-01: 1 users 1 devices 1
            - total acme everything concurrent 2025-01: 1 users 2 devices 1
            + total everyone APP concurrent 2025-01: 1 users 1 devices 1
            - total everyone APP concurrent 2025-01: 1 users 2 devices 1
            + total everyone everything concurrent 2025-01: 1 users 1 devices 1
            - total everyone everything concurrent 2025-01: 1 users 2 devices 1
        "#]],
    );
}

#[test]
fn use_before_a_move_stays_with_the_parent_of_then() {
    check_by(
        "further_periods = []\ncurrent_totals = true",
        "
        show rollups current
        account c under p1
        2025-01-10T10:00 use API 3 for c
        2025-03-10T10:00 use API 4 for c
        settle 2025-03-31
        move c under p2 from 2025-02-01
        settle 2025-03-31
        ",
        &expect![[r#"
            settle 2025-03-31T00:00:00Z
            + current total c API volume 2025-01: 3 users 0 devices 0
            + current total c API volume 2025-03: 4 users 0 devices 0
            + current total c everything volume 2025-01: 3 users 0 devices 0
            + current total c everything volume 2025-03: 4 users 0 devices 0
            + current total everyone API volume 2025-01: 3 users 0 devices 0
            + current total everyone API volume 2025-03: 4 users 0 devices 0
            + current total everyone everything volume 2025-01: 3 users 0 devices 0
            + current total everyone everything volume 2025-03: 4 users 0 devices 0
            + current total p1 API volume 2025-01: 3 users 0 devices 0
            + current total p1 API volume 2025-03: 4 users 0 devices 0
            + current total p1 everything volume 2025-01: 3 users 0 devices 0
            + current total p1 everything volume 2025-03: 4 users 0 devices 0
            + position c API volume 2025-01: unlicensed entitled 0 demand 3 peak 3 at 2025-01-01 short 3 2025-01-01..2025-02-01
            + position c API volume 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            + problem unlicensed_use c API 2025-01 3 2025-01-01..2025-02-01
            + problem unlicensed_use c API 2025-03 4 2025-03-01..open
            + total c API volume 2025-01: 3 users 0 devices 0
            + total c API volume 2025-03: 4 users 0 devices 0
            + total c everything volume 2025-01: 3 users 0 devices 0
            + total c everything volume 2025-03: 4 users 0 devices 0
            + total everyone API volume 2025-01: 3 users 0 devices 0
            + total everyone API volume 2025-03: 4 users 0 devices 0
            + total everyone everything volume 2025-01: 3 users 0 devices 0
            + total everyone everything volume 2025-03: 4 users 0 devices 0
            + total p1 API volume 2025-01: 3 users 0 devices 0
            + total p1 API volume 2025-03: 4 users 0 devices 0
            + total p1 everything volume 2025-01: 3 users 0 devices 0
            + total p1 everything volume 2025-03: 4 users 0 devices 0
            settle 2025-03-31T00:00:00Z
            - current total p1 API volume 2025-01: 3 users 0 devices 0
            - current total p1 API volume 2025-03: 4 users 0 devices 0
            - current total p1 everything volume 2025-01: 3 users 0 devices 0
            - current total p1 everything volume 2025-03: 4 users 0 devices 0
            + current total p2 API volume 2025-01: 3 users 0 devices 0
            + current total p2 API volume 2025-03: 4 users 0 devices 0
            + current total p2 everything volume 2025-01: 3 users 0 devices 0
            + current total p2 everything volume 2025-03: 4 users 0 devices 0
            - total p1 API volume 2025-03: 4 users 0 devices 0
            - total p1 everything volume 2025-03: 4 users 0 devices 0
            + total p2 API volume 2025-03: 4 users 0 devices 0
            + total p2 everything volume 2025-03: 4 users 0 devices 0
        "#]],
    );
}

#[test]
fn totals_by_todays_tree_move_when_the_horizon_reaches_a_move() {
    check_by(
        "further_periods = []\ncurrent_totals = true",
        "
        show current
        account c under p1
        member user ada in c
        2025-01-10T10:00 out APP ada@ws1
        2025-01-10T11:00 in APP ada@ws1
        settle 2025-01-15
        move c under p2 from 2025-02-01
        settle 2025-01-31T23:59:59.999999
        settle 2025-02-01
        ",
        &expect![[r#"
            settle 2025-01-15T00:00:00Z
            + current total c APP concurrent 2025-01: 1 users 1 devices 1
            + current total c everything concurrent 2025-01: 1 users 1 devices 1
            + current total everyone APP concurrent 2025-01: 1 users 1 devices 1
            + current total everyone everything concurrent 2025-01: 1 users 1 devices 1
            + current total p1 APP concurrent 2025-01: 1 users 1 devices 1
            + current total p1 everything concurrent 2025-01: 1 users 1 devices 1
            + position c APP concurrent 2025-01: unlicensed entitled 0 demand 0 peak 1 at 2025-01-10T10:00 short 1 2025-01-10T10:00..2025-01-10T11:00
            + problem unlicensed_use c APP 2025-01 1 2025-01-10T10:00..2025-01-10T11:00
            settle 2025-01-31T23:59:59.999999Z
            settle 2025-02-01T00:00:00Z
            - current total p1 APP concurrent 2025-01: 1 users 1 devices 1
            - current total p1 everything concurrent 2025-01: 1 users 1 devices 1
            + current total p2 APP concurrent 2025-01: 1 users 1 devices 1
            + current total p2 everything concurrent 2025-01: 1 users 1 devices 1
            - position c APP concurrent 2025-01: unlicensed entitled 0 demand 0 peak 1 at 2025-01-10T10:00 short 1 2025-01-10T10:00..2025-01-10T11:00
            + position c APP concurrent 2025-01: unlicensed entitled 0 demand 0 peak 1 at 2025-01-10T10:00 short 1 2025-01-10T10:00..2025-01-10T11:00
        "#]],
    );
}

#[test]
fn a_quantity_counts_once_on_the_day_on_which_its_product_gets_a_family() {
    check(
        "
        show rollups
        version catalog 1 from 2025-02-28T08:00
        [doc=catalog@1] product APP family tools
        2025-02-28T07:00 use APP 0.5
        2025-02-28T09:00 use APP 2
        settle 2025-02-28T10:00
        ",
        &expect![[r#"
            settle 2025-02-28T10:00:00Z
            + position everyone APP volume 2025-02: unlicensed entitled 0 demand 2.5 peak 2.5 at 2025-02-01 short 2.5 2025-02-01..open
            + problem unlicensed_use everyone APP 2025-02 2.5 2025-02-01..open
            + total everyone APP volume 2025-02: 2.5 users 0 devices 0
            + total everyone everything volume 2025-02: 2.5 users 0 devices 0
            + total everyone tools volume 2025-02: 2 users 0 devices 0
        "#]],
    );
}
