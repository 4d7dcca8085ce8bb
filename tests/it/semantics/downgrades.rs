//! What is free of a product covers use of the lower products that it may be downgraded to (2.15).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn what_is_free_of_a_higher_product_covers_use_of_a_lower_one_after_its_own_rights() {
    check(
        "
        line V2 5 name new from 2025-01-01
        line V1 2 name old from 2025-01-01
        09:00 out V2 ada@ws1
        10:00 out V1 bob@ws2 x4
        settle 11:00
        downgrade V2 to V1 from 2025-03-01
        settle 11:00
        11:00 out V2 cyd@ws3 x3
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone V1 concurrent 2025-03: over entitled 2 demand 4 peak 4 at 2025-03-03T10:00 short 2 2025-03-03T10:00..open
            + position everyone V2 concurrent 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-03T09:00
            + problem over_use everyone V1 2025-03 2 2025-03-03T10:00..open
            + problem shelfware everyone V2 2025-03 4 2025-03-01..open
            settle 2025-03-03T11:00:00Z
            + position everyone V1 concurrent 2025-03: covered entitled 4 demand 4 peak 4 lent 2 at 2025-03-03T10:00
            - position everyone V1 concurrent 2025-03: over entitled 2 demand 4 peak 4 at 2025-03-03T10:00 short 2 2025-03-03T10:00..open
            + position everyone V2 concurrent 2025-03: covered entitled 3 demand 1 peak 1 lent -2 at 2025-03-03T09:00
            - position everyone V2 concurrent 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-03T09:00
            - problem over_use everyone V1 2025-03 2 2025-03-03T10:00..open
            + problem shelfware everyone V2 2025-03 2 2025-03-01..open
            - problem shelfware everyone V2 2025-03 4 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            - position everyone V1 concurrent 2025-03: covered entitled 4 demand 4 peak 4 lent 2 at 2025-03-03T10:00
            + position everyone V1 concurrent 2025-03: over entitled 3 demand 4 peak 4 lent 1 at 2025-03-03T10:00 short 1 2025-03-03T11:00..open
            - position everyone V2 concurrent 2025-03: covered entitled 3 demand 1 peak 1 lent -2 at 2025-03-03T09:00
            + position everyone V2 concurrent 2025-03: near entitled 4 demand 4 peak 4 lent -1 at 2025-03-03T11:00
            + problem near_limit everyone V2 2025-03 4 2025-03-03T11:00..open
            + problem over_use everyone V1 2025-03 1 2025-03-03T11:00..open
            - problem shelfware everyone V2 2025-03 2 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_product_that_nobody_bought_is_counted_as_what_covers_it_and_loses_it_when_the_right_ends() {
    check(
        "
        line V2 6 name new metric device from 2025-01-01 to 2025-03-10
        downgrade V2 to V1
        install V1 ws1 from 2025-02-01
        install V1 ws2 from 2025-02-01
        install V2 ws3 from 2025-02-01
        10:00 out V1 ada@ws1
        settle 2025-03-03
        settle 2025-03-12
        ",
        &expect![[r#"
            settle 2025-03-03T00:00:00Z
            + position everyone V1 device 2025-02: covered entitled 2 demand 2 peak 2 lent 2 at 2025-02-01
            + position everyone V1 device 2025-03: covered entitled 2 demand 2 peak 2 lent 2 at 2025-03-01
            + position everyone V2 device 2025-02: covered entitled 4 demand 1 peak 1 lent -2 at 2025-02-01
            + position everyone V2 device 2025-03: covered entitled 4 demand 1 peak 1 lent -2 at 2025-03-01
            + problem shelfware everyone V2 2025-03 3 2025-03-01..open
            settle 2025-03-12T00:00:00Z
            - position everyone V1 device 2025-03: covered entitled 2 demand 2 peak 2 lent 2 at 2025-03-01
            + position everyone V1 device 2025-03: expired entitled 0 demand 2 peak 2 at 2025-03-01 short 2 2025-03-10..open
            - position everyone V2 device 2025-03: covered entitled 4 demand 1 peak 1 lent -2 at 2025-03-01
            + position everyone V2 device 2025-03: expired entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-10..open
            + problem expired_in_use everyone V1 2025-03 2 2025-03-10..open
            + problem expired_in_use everyone V2 2025-03 1 2025-03-10..open
            - problem shelfware everyone V2 2025-03 3 2025-03-01..open
        "#]],
    );
}

#[test]
fn rights_lead_down_several_editions_while_each_statement_holds_and_never_up() {
    check(
        "
        line ENTERPRISE 3 name ent from 2025-01-01
        line EXPRESS 9 name exp from 2025-01-01
        downgrade ULTRA to ENTERPRISE
        downgrade ENTERPRISE to STANDARD
        downgrade STANDARD to EXPRESS to 2025-03-20
        09:00 out STANDARD ada@ws1
        10:00 out EXPRESS bob@ws2 x11
        10:00 out ENTERPRISE cyd@ws3
        10:00 out ULTRA dan@ws4
        settle 11:00
        settle 2025-03-21
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone ENTERPRISE concurrent 2025-03: near entitled 1 demand 1 peak 1 lent -2 at 2025-03-03T10:00
            + position everyone EXPRESS concurrent 2025-03: over entitled 10 demand 11 peak 11 lent 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + position everyone STANDARD concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T09:00
            + position everyone ULTRA concurrent 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem near_limit everyone ENTERPRISE 2025-03 1 2025-03-03T10:00..open
            + problem over_use everyone EXPRESS 2025-03 1 2025-03-03T10:00..open
            + problem unlicensed_use everyone ULTRA 2025-03 1 2025-03-03T10:00..open
            settle 2025-03-21T00:00:00Z
            + position everyone ENTERPRISE concurrent 2025-03: covered entitled 2 demand 1 peak 1 lent -1 at 2025-03-03T10:00
            - position everyone ENTERPRISE concurrent 2025-03: near entitled 1 demand 1 peak 1 lent -2 at 2025-03-03T10:00
            - position everyone EXPRESS concurrent 2025-03: over entitled 10 demand 11 peak 11 lent 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + position everyone EXPRESS concurrent 2025-03: over entitled 9 demand 11 peak 11 at 2025-03-03T10:00 short 2 2025-03-03T10:00..open
            - position everyone STANDARD concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T09:00
            + position everyone STANDARD concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T09:00
            - position everyone ULTRA concurrent 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + position everyone ULTRA concurrent 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            - problem near_limit everyone ENTERPRISE 2025-03 1 2025-03-03T10:00..open
            - problem over_use everyone EXPRESS 2025-03 1 2025-03-03T10:00..open
            + problem over_use everyone EXPRESS 2025-03 2 2025-03-03T10:00..open
            + problem shelfware everyone ENTERPRISE 2025-03 1 2025-03-01..open
        "#]],
    );
}

#[test]
fn the_rights_of_the_nearest_account_are_lent_before_those_above_and_nothing_covers_twice() {
    check(
        "
        account london under group
        account paris under group
        member user ada in london
        member user bob in paris
        line V2 2 name l account london from 2025-01-01
        line V2 3 name g account group from 2025-01-01
        line V1 1 name o account group from 2025-01-01
        downgrade V2 to V1
        10:00 out V1 ada@ws1 x4
        11:00 out V1 bob@ws2 x3
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position group V1 concurrent 2025-03: over entitled 4 demand 5 peak 5 lent 3 at 2025-03-03T11:00 short 1 2025-03-03T11:00..open
            + position group V2 concurrent 2025-03: covered entitled 0 demand 0 peak 0 lent -3
            + position london V1 concurrent 2025-03: passed_up entitled 2 demand 4 peak 4 lent 2 at 2025-03-03T10:00 passed up 2
            + position london V2 concurrent 2025-03: covered entitled 0 demand 0 peak 0 lent -2
            + problem over_use group V1 2025-03 1 2025-03-03T11:00..open
        "#]],
    );
}

#[test]
fn of_two_lenders_the_one_that_can_serve_fewer_products_serves_first() {
    check(
        "
        line SUITE 1 name s from 2025-01-01
        line PLUS 1 name p from 2025-01-01
        downgrade SUITE to BASIC
        downgrade SUITE to PLAIN
        downgrade PLUS to BASIC
        10:00 out BASIC ada@ws1
        10:00 out PLAIN bob@ws2
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone BASIC concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T10:00
            + position everyone PLAIN concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T10:00
            + position everyone PLUS concurrent 2025-03: covered entitled 0 demand 0 peak 0 lent -1
            + position everyone SUITE concurrent 2025-03: covered entitled 0 demand 0 peak 0 lent -1
        "#]],
    );
}

#[test]
fn a_right_without_a_limit_covers_lower_products_and_one_that_does_not_say_leaves_them_unknown() {
    check(
        "
        line V2 unlimited name new from 2025-01-01
        line W2 unknown name odd from 2025-01-01
        downgrade V2 to V1
        downgrade W2 to W1
        10:00 out V1 ada@ws1 x7
        10:00 out W1 bob@ws2 x7
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone V1 concurrent 2025-03: covered entitled unlimited demand 7 peak 7 at 2025-03-03T10:00
            + position everyone V2 concurrent 2025-03: covered entitled unlimited demand 0 peak 0
            + position everyone W1 concurrent 2025-03: capacity_unknown entitled unknown demand 7 peak 7 at 2025-03-03T10:00
            + position everyone W2 concurrent 2025-03: covered entitled unknown demand 0 peak 0
            + problem capacity_unknown everyone W1 2025-03 7 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn trials_lend_nothing_and_statistics_are_not_lent_for() {
    check_by(
        r#"
        [[rule]]
        products = ["MEAN"]
        statistic = "mean"
        "#,
        "
        line V2 5 name try trial from 2025-01-01
        line V3 5 name buy from 2025-01-01
        downgrade V2 to V1
        downgrade V3 to MEAN
        10:00 out V1 ada@ws1
        10:00 out MEAN bob@ws2
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone MEAN concurrent 2025-03: unlicensed entitled 0 demand 1 peak 0.001344 at 2025-03-01 short 0.001344 2025-03-01..open
            + position everyone V1 concurrent 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + position everyone V2 concurrent 2025-03: covered entitled 5 demand 0 peak 0
            + position everyone V3 concurrent 2025-03: covered entitled 5 demand 0 peak 0
            + problem shelfware everyone V2 2025-03 5 2025-03-01..open
            + problem shelfware everyone V3 2025-03 5 2025-03-01..open
            + problem unlicensed_use everyone MEAN 2025-03 0.001344 2025-03-01..open
            + problem unlicensed_use everyone V1 2025-03 1 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn a_statement_that_is_taken_back_takes_back_what_was_covered_by_it() {
    check(
        "
        line V2 5 name new from 2025-01-01
        [id=d1] downgrade V2 to V1
        10:00 out V1 bob@ws2 x4
        settle 11:00
        retract d1 rev 0
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone V1 concurrent 2025-03: covered entitled 4 demand 4 peak 4 lent 4 at 2025-03-03T10:00
            + position everyone V2 concurrent 2025-03: covered entitled 1 demand 0 peak 0 lent -4
            + problem shelfware everyone V2 2025-03 1 2025-03-01..open
            settle 2025-03-03T11:00:00Z
            - position everyone V1 concurrent 2025-03: covered entitled 4 demand 4 peak 4 lent 4 at 2025-03-03T10:00
            + position everyone V1 concurrent 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-03T10:00 short 4 2025-03-03T10:00..open
            - position everyone V2 concurrent 2025-03: covered entitled 1 demand 0 peak 0 lent -4
            + position everyone V2 concurrent 2025-03: covered entitled 5 demand 0 peak 0
            - problem shelfware everyone V2 2025-03 1 2025-03-01..open
            + problem shelfware everyone V2 2025-03 5 2025-03-01..open
            + problem unlicensed_use everyone V1 2025-03 4 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn what_is_lent_stands_among_the_lines_of_both_products() {
    check(
        "
        show allocations
        line V2 5 name new from 2025-01-01
        line V1 2 name old from 2025-01-01
        downgrade V2 to V1
        09:00 out V2 ada@ws1
        09:00 out V1 bob@ws2 x4
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + line everyone V1 concurrent 2025-03 #0 old: 2 used 2 priority
            + line everyone V1 concurrent 2025-03 #1 V2: 2 used 2 last
            + line everyone V2 concurrent 2025-03 #0 new: 5 used 1 priority
            + line everyone V2 concurrent 2025-03 #1 V1: -2 used 0 last
            + position everyone V1 concurrent 2025-03: covered entitled 4 demand 4 peak 4 lent 2 at 2025-03-03T09:00
            + position everyone V2 concurrent 2025-03: covered entitled 3 demand 1 peak 1 lent -2 at 2025-03-03T09:00
            + problem shelfware everyone V2 2025-03 2 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_product_with_rights_of_its_own_is_not_counted_as_others_are() {
    check(
        "
        line V2 9 name new metric core from 2025-01-01
        line V1 1 name old metric device from 2025-01-01
        downgrade V2 to V1
        machine ws1 processors 1 cores 4
        install V1 ws1 from 2025-03-01
        settle 2025-03-03
        ",
        &expect![[r#"
            settle 2025-03-03T00:00:00Z
            + position everyone V1 device 2025-03: near entitled 1 demand 1 peak 1 at 2025-03-01
            + position everyone V2 core 2025-03: covered entitled 9 demand 0 peak 0
            + problem near_limit everyone V1 2025-03 1 2025-03-01..open
            + problem shelfware everyone V2 2025-03 9 2025-03-01..open
        "#]],
    );
}

#[test]
fn what_is_lent_to_one_product_instead_of_another_is_shown_though_as_much_is_left() {
    // When V2 is used in london, its right there serves no more of V1; group's then serves that instead of
    // the use of V0. What group has left of V2 is nothing before and after.
    check(
        "
        show allocations
        account london under group
        member user ada in london
        member user bob in group
        line V2 1 name l account london from 2025-01-01
        line V2 2 name g account group from 2025-01-01
        downgrade V2 to V1
        downgrade V1 to V0
        09:00 out V1 ada@ws1 x2
        09:00 out V0 bob@ws2
        settle 10:00
        08:00 out V2 ada@ws1
        settle 10:00
        ",
        &expect![[r#"
            settle 2025-03-03T10:00:00Z
            + line group V0 concurrent 2025-03 #0 V2: 1 used 1 only_line
            + line group V1 concurrent 2025-03 #0 V2: 1 used 1 only_line
            + line group V2 concurrent 2025-03 #0 g: 2 used 0 priority
            + line group V2 concurrent 2025-03 #1 V0: -1 used 0 name
            + line group V2 concurrent 2025-03 #2 V1: -1 used 0 last
            + line london V1 concurrent 2025-03 #0 V2: 1 used 1 only_line
            + line london V2 concurrent 2025-03 #0 l: 1 used 0 priority
            + line london V2 concurrent 2025-03 #1 V1: -1 used 0 last
            + position group V0 concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T09:00
            + position group V1 concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T09:00
            + position group V2 concurrent 2025-03: covered entitled 0 demand 0 peak 0 lent -2
            + position london V1 concurrent 2025-03: passed_up entitled 1 demand 2 peak 2 lent 1 at 2025-03-03T09:00 passed up 1
            + position london V2 concurrent 2025-03: covered entitled 0 demand 0 peak 0 lent -1
            settle 2025-03-03T10:00:00Z
            + line group V0 concurrent 2025-03 #0 V2: 0 used 0 only_line
            - line group V0 concurrent 2025-03 #0 V2: 1 used 1 only_line
            - line group V1 concurrent 2025-03 #0 V2: 1 used 1 only_line
            + line group V1 concurrent 2025-03 #0 V2: 2 used 2 only_line
            - line group V2 concurrent 2025-03 #1 V0: -1 used 0 name
            + line group V2 concurrent 2025-03 #1 V1: -2 used 0 last
            - line group V2 concurrent 2025-03 #2 V1: -1 used 0 last
            + line london V1 concurrent 2025-03 #0 V2: 0 used 0 only_line
            - line london V1 concurrent 2025-03 #0 V2: 1 used 1 only_line
            - line london V2 concurrent 2025-03 #0 l: 1 used 0 priority
            + line london V2 concurrent 2025-03 #0 l: 1 used 1 only_line
            - line london V2 concurrent 2025-03 #1 V1: -1 used 0 last
            - position group V0 concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T09:00
            + position group V0 concurrent 2025-03: over entitled 0 demand 1 peak 1 at 2025-03-03T09:00 short 1 2025-03-03T09:00..open
            - position group V1 concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T09:00
            + position group V1 concurrent 2025-03: covered entitled 2 demand 2 peak 2 lent 2 at 2025-03-03T09:00
            + position london V1 concurrent 2025-03: passed_up entitled 0 demand 2 peak 2 at 2025-03-03T09:00 passed up 2
            - position london V1 concurrent 2025-03: passed_up entitled 1 demand 2 peak 2 lent 1 at 2025-03-03T09:00 passed up 1
            - position london V2 concurrent 2025-03: covered entitled 0 demand 0 peak 0 lent -1
            + position london V2 concurrent 2025-03: near entitled 1 demand 1 peak 1 at 2025-03-03T08:00
            + problem near_limit london V2 2025-03 1 2025-03-03T08:00..open
            + problem over_use group V0 2025-03 1 2025-03-03T09:00..open
        "#]],
    );
}

#[test]
fn where_rights_cross_what_a_flow_would_cover_besides_is_called_suboptimal() {
    // Y may serve A and B, X may serve A and C, and of equals the first of their identifiers serves: Y serves
    // A. Then two of B are short, and one of them need not be: X could have served A, and Y then B. Once A
    // is used no more Y serves B, and the past stays.
    check(
        "
        line X 1 name x from 2025-01-01
        line Y 1 name y from 2025-01-01
        downgrade X to A
        downgrade X to C
        downgrade Y to A
        downgrade Y to B
        09:00 out A ada@ws1
        settle 10:00
        10:00 out B bob@ws2 x2
        settle 11:00
        12:00 in A ada@ws1
        settle 13:00
        ",
        &expect![[r#"
            settle 2025-03-03T10:00:00Z
            + position everyone A concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T09:00
            + position everyone X concurrent 2025-03: covered entitled 1 demand 0 peak 0
            + position everyone Y concurrent 2025-03: covered entitled 0 demand 0 peak 0 lent -1
            + problem shelfware everyone X 2025-03 1 2025-03-01..open
            settle 2025-03-03T11:00:00Z
            - position everyone A concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T09:00
            + position everyone A concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T09:00
            + position everyone B concurrent 2025-03: over entitled 0 demand 2 peak 2 at 2025-03-03T10:00 short 2 2025-03-03T10:00..open
            + problem allocation_suboptimal everyone B 1 2025-03-03T10:00..open
            + problem over_use everyone B 2025-03 2 2025-03-03T10:00..open
            settle 2025-03-03T13:00:00Z
            + position everyone A concurrent 2025-03: covered entitled 0 demand 0 peak 1 at 2025-03-03T09:00
            - position everyone A concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T09:00
            - position everyone B concurrent 2025-03: over entitled 0 demand 2 peak 2 at 2025-03-03T10:00 short 2 2025-03-03T10:00..open
            + position everyone B concurrent 2025-03: over entitled 1 demand 2 peak 2 lent 1 at 2025-03-03T10:00 short 2 2025-03-03T10:00..open
            + problem allocation_suboptimal everyone B 1 2025-03-03T10:00..2025-03-03T12:00
            - problem allocation_suboptimal everyone B 1 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn a_right_far_up_that_could_have_freed_one_near_by_is_told_of_as_suboptimal() {
    // London's V2 serves the V1 that is used there, which is nearer to it than V0. Then V0 finds nothing,
    // for group's W1 may serve V1 only; a flow would let W1 serve V1, and V2 serve V0.
    check(
        "
        account london under group
        member user ada in london
        member user bob in london
        line V2 1 name l account london from 2025-01-01
        line W1 1 name g account group from 2025-01-01
        downgrade V2 to V1
        downgrade V2 to PLAIN
        downgrade PLAIN to V0
        downgrade W1 to V1
        09:00 out V1 ada@ws1
        settle 10:00
        10:00 out V0 bob@ws2
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T10:00:00Z
            + position group W1 concurrent 2025-03: covered entitled 1 demand 0 peak 0
            + position london V1 concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T09:00
            + position london V2 concurrent 2025-03: covered entitled 0 demand 0 peak 0 lent -1
            + problem shelfware group W1 2025-03 1 2025-03-01..open
            settle 2025-03-03T11:00:00Z
            + position london V0 concurrent 2025-03: over entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            - position london V1 concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T09:00
            + position london V1 concurrent 2025-03: covered entitled 1 demand 1 peak 1 lent 1 at 2025-03-03T09:00
            + problem allocation_suboptimal london V0 1 2025-03-03T10:00..open
            + problem over_use london V0 2025-03 1 2025-03-03T10:00..open
        "#]],
    );
}
