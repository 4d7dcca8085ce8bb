//! Behaviors that a license manager relies on, as scripts and what the engine says to them.
//!
//! Each script runs on one, two and four workers; every epoch is compared with the oracle as well.

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn two_checkouts_of_one_user_and_host_share_a_license_under_mask_uh() {
    check(
        "
        line APP 2 basis license_file server lic dup UH
        10:00 out APP ada@ws1
        10:05 out APP ada@ws1
        10:10 out APP ada@ws2
        11:00 in APP ada@ws1
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone APP concurrent 2025-03: near entitled 2 demand 2 peak 2 at 2025-03-03T10:10
            + problem near_limit everyone APP 2025-03 2 2025-03-03T10:10..open
        "#]],
    );
}

#[test]
fn a_line_that_ends_while_it_is_used_is_reported_at_that_instant_without_any_event() {
    check(
        "
        line APP 2 from 2025-01-01 to 2025-03-03T12:00 cost 100
        10:00 out APP ada@ws1
        settle 11:59:59.999999
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:59:59.999999Z
            + position everyone APP concurrent 2025-03: covered entitled 2 demand 1 peak 1 at 2025-03-03T10:00
            + problem shelfware everyone APP 2025-03 1 2025-03-01..open 50.00 EUR
            settle 2025-03-03T12:00:00Z
            - position everyone APP concurrent 2025-03: covered entitled 2 demand 1 peak 1 at 2025-03-03T10:00
            + position everyone APP concurrent 2025-03: expired entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..open
            + problem expired_in_use everyone APP 2025-03 1 2025-03-03T12:00..open 50.00 EUR
            - problem shelfware everyone APP 2025-03 1 2025-03-01..open 50.00 EUR
        "#]],
    );
}

#[test]
fn a_line_without_dates_counts_in_the_period_of_a_horizon_that_stands() {
    check(
        "
settle 2025-02-28T23:00
[id=d0] line APP 1 name l0 metric concurrent basis contract
settle
",
        &expect![[r#"
            settle 2025-02-28T23:00:00Z
            settle
            + position everyone APP concurrent 2025-02: covered entitled 1 demand 0 peak 0
            + problem shelfware everyone APP 2025-02 1 2025-02-01..open
        "#]],
    );
}

#[test]
fn a_quantity_beyond_the_horizon_waits_for_it() {
    check(
        "
[id=d0 arrived=2025-02-01T00:00] 2025-02-01T00:00 use APP 0.5
[id=d1 arrived=2025-02-01T00:00] 2025-02-03T00:00 use APP 2
settle 2025-02-02T00:00
settle 2025-02-04T00:00
",
        &expect![[r#"
            settle 2025-02-02T00:00:00Z
            + position everyone APP volume 2025-02: unlicensed entitled 0 demand 0.5 peak 0.5 at 2025-02-01 short 0.5 2025-02-01..open
            + problem unlicensed_use everyone APP 2025-02 0.5 2025-02-01..open
            settle 2025-02-04T00:00:00Z
        "#]],
    );
}

#[test]
fn a_seat_without_dates_counts_in_the_period_of_the_horizon() {
    check(
        "
[id=d0] seat APP ada
settle 2025-01-30T00:00
settle 2025-02-02T00:00
[id=d1] 2024-12-03T00:00 out APP ada@ws1
[id=d2] 2024-12-04T00:00 in APP ada@ws1
settle
",
        &expect![[r#"
            settle 2025-01-30T00:00:00Z
            + position everyone APP named_user 2025-01: unlicensed entitled 0 demand 1 peak 1 at 2025-01-01 short 1 2025-01-01..open
            + problem unlicensed_use everyone APP 2025-01 1 2025-01-01..open
            settle 2025-02-02T00:00:00Z
            - position everyone APP named_user 2025-01: unlicensed entitled 0 demand 1 peak 1 at 2025-01-01 short 1 2025-01-01..open
            + position everyone APP named_user 2025-02: unlicensed entitled 0 demand 1 peak 1 at 2025-02-01 short 1 2025-02-01..open
            - problem unlicensed_use everyone APP 2025-01 1 2025-01-01..open
            + problem unlicensed_use everyone APP 2025-02 1 2025-02-01..open
            settle
            + position everyone APP concurrent 2024-12: unlicensed entitled 0 demand 0 peak 1 at 2024-12-03 short 1 2024-12-03..2024-12-04
            + problem unlicensed_use everyone APP 2024-12 1 2024-12-03..2024-12-04
        "#]],
    );
}

#[test]
fn a_product_is_counted_as_its_lines_say() {
    check(
        "
[id=d0] line APP 1 name l0 metric concurrent basis contract
[id=d1 arrived=2025-01-30T00:00] 2025-01-30T00:00 use APP 0.5
settle 2025-01-30T00:00
",
        &expect![[r#"
            settle 2025-01-30T00:00:00Z
            + position everyone APP concurrent 2025-01: covered entitled 1 demand 0 peak 0
            + problem shelfware everyone APP 2025-01 1 2025-01-01..open
        "#]],
    );
}

#[test]
fn where_whoever_is_active_counts_lines_of_named_users_cover_them_and_seats_do_not_count() {
    check_by(
        "[[rule]]\nproducts = [\"APP\"]\nnamed_users = \"active\"\n",
        "
[id=d0] line APP 1 name l0 metric named_user basis contract
[id=d1] seat APP bob
[id=d2] 2025-01-03T00:00 out APP ada@ws1
[id=d3] 2025-01-04T00:00 in APP ada@ws1
settle 2025-01-30T00:00
",
        &expect![[r#"
            settle 2025-01-30T00:00:00Z
            + position everyone APP named_user 2025-01: near entitled 1 demand 1 peak 1 at 2025-01-01
            + problem near_limit everyone APP 2025-01 1 2025-01-01..open
        "#]],
    );
}

#[test]
fn of_contradictions_that_arrive_together_the_first_in_the_file_counts() {
    check(
        "
show sessions
[id=d0] 2025-01-30T00:00 out APP ada@ws1 x2
[id=d0] 2025-01-30T00:00 out APP ada@ws1 x1
settle 2025-01-30T08:00
",
        &expect![[r#"
            settle 2025-01-30T08:00:00Z
            + position everyone APP concurrent 2025-01: unlicensed entitled 0 demand 2 peak 2 at 2025-01-30 short 2 2025-01-30..open
            + problem conflicting_duplicate script 1
            + problem unlicensed_use everyone APP 2025-01 2 2025-01-30..open
            + session APP ada@ws1 on lic x2 2025-01-30..open
        "#]],
    );
}

#[test]
fn what_is_passed_up_is_taken_back_when_it_is_needed_no_more() {
    check(
        "
[id=a1] account north under group
[id=m1] member user ada in north
[id=l1] line APP 1 name l1 metric concurrent basis contract account north
[id=l2] line APP 2 name l2 metric concurrent basis contract account group
[id=al] alias user bob = ada
[id=d0] 2025-01-30T00:00 out APP bob@ws1
[id=d1] 2025-01-30T00:01 out APP ada@ws1
[id=d2] 2025-01-30T01:00 in APP bob@ws1
[id=d3] 2025-01-30T01:01 in APP ada@ws1
settle 2025-02-20T00:00
retract al
settle
",
        &expect![[r#"
            settle 2025-02-20T00:00:00Z
            + position group APP concurrent 2025-01: covered entitled 2 demand 0 peak 1 at 2025-01-30T00:01
            + position group APP concurrent 2025-02: covered entitled 2 demand 0 peak 0
            + position north APP concurrent 2025-01: passed_up entitled 1 demand 0 peak 2 at 2025-01-30T00:01 passed up 1
            + position north APP concurrent 2025-02: covered entitled 1 demand 0 peak 0
            + problem shelfware group APP 2025-02 2 2025-02-01..open
            + problem shelfware north APP 2025-02 1 2025-02-01..open
            settle
            - position group APP concurrent 2025-01: covered entitled 2 demand 0 peak 1 at 2025-01-30T00:01
            + position north APP concurrent 2025-01: near entitled 1 demand 0 peak 1 at 2025-01-30T00:01
            - position north APP concurrent 2025-01: passed_up entitled 1 demand 0 peak 2 at 2025-01-30T00:01 passed up 1
            + position unattributed APP concurrent 2025-01: unlicensed entitled 0 demand 0 peak 1 at 2025-01-30 short 1 2025-01-30..2025-01-30T01:00
            + problem near_limit north APP 2025-01 1 2025-01-30T00:01..2025-02-01
            + problem unlicensed_use unattributed APP 2025-01 1 2025-01-30..2025-01-30T01:00
            + problem unmapped_device ws1 1
        "#]],
    );
}

#[test]
fn what_is_not_covered_goes_where_the_account_stands_then() {
    check(
        "
[id=a1] account emea under group to 2025-02-01
[id=a2] account emea under holding from 2025-02-01
[id=l1] line APP 1 name l1 metric concurrent basis contract account emea
[id=l2] line APP 5 name l2 metric concurrent basis contract account group
[id=l3] line APP 5 name l3 metric concurrent basis contract account holding
[id=m1] member user ada in emea
settle 2025-02-20T00:00
[id=d0] 2025-02-03T00:00 out APP ada@ws1 x2
settle
[id=d1] 2025-01-30T00:00 out APP ada@ws2 x2
[id=d2] 2025-02-05T00:00 in APP ada@ws2 x2
settle
",
        &expect![[r#"
            settle 2025-02-20T00:00:00Z
            + position emea APP concurrent 2025-02: covered entitled 1 demand 0 peak 0
            + position group APP concurrent 2025-02: covered entitled 5 demand 0 peak 0
            + position holding APP concurrent 2025-02: covered entitled 5 demand 0 peak 0
            + problem shelfware emea APP 2025-02 1 2025-02-01..open
            + problem shelfware group APP 2025-02 5 2025-02-01..open
            + problem shelfware holding APP 2025-02 5 2025-02-01..open
            settle
            - position emea APP concurrent 2025-02: covered entitled 1 demand 0 peak 0
            + position emea APP concurrent 2025-02: passed_up entitled 1 demand 2 peak 2 at 2025-02-03 passed up 1
            - position holding APP concurrent 2025-02: covered entitled 5 demand 0 peak 0
            + position holding APP concurrent 2025-02: covered entitled 5 demand 1 peak 1 at 2025-02-03
            - problem shelfware emea APP 2025-02 1 2025-02-01..open
            + problem shelfware holding APP 2025-02 4 2025-02-01..open
            - problem shelfware holding APP 2025-02 5 2025-02-01..open
            settle
            + position emea APP concurrent 2025-01: passed_up entitled 1 demand 2 peak 2 at 2025-01-30 passed up 1
            - position emea APP concurrent 2025-02: passed_up entitled 1 demand 2 peak 2 at 2025-02-03 passed up 1
            + position emea APP concurrent 2025-02: passed_up entitled 1 demand 2 peak 4 at 2025-02-03 passed up 3
            + position group APP concurrent 2025-01: covered entitled 5 demand 1 peak 1 at 2025-01-30
            - position holding APP concurrent 2025-02: covered entitled 5 demand 1 peak 1 at 2025-02-03
            + position holding APP concurrent 2025-02: covered entitled 5 demand 1 peak 3 at 2025-02-03
            - problem shelfware holding APP 2025-02 4 2025-02-01..open
        "#]],
    );
}
