//! Who is served by which line: reservations, scopes, lines without a limit (2.21).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn rights_that_are_reserved_for_one_account_do_not_help_another() {
    check(
        "
        account hr under company
        account others under company
        member user ada in hr
        member user bob in others
        line APP 50 name reserved account hr from 2025-01-01
        line APP 50 name shared account company from 2025-01-01
        10:00 out APP ada@ws1 x30
        10:00 out APP bob@ws2 x60
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position company APP concurrent 2025-03: over entitled 50 demand 60 peak 60 at 2025-03-03T10:00 short 10 2025-03-03T10:00..open
            + position hr APP concurrent 2025-03: covered entitled 50 demand 30 peak 30 at 2025-03-03T10:00
            + problem over_use company APP 2025-03 10 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn without_a_reservation_everyone_draws_from_all_rights() {
    check(
        "
        account hr under company
        account others under company
        member user ada in hr
        member user bob in others
        line APP 100 account company from 2025-01-01
        10:00 out APP ada@ws1 x30
        10:00 out APP bob@ws2 x60
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position company APP concurrent 2025-03: near entitled 100 demand 90 peak 90 at 2025-03-03T10:00
            + problem near_limit company APP 2025-03 90 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn the_rights_of_the_narrower_scope_are_used_first_so_nothing_is_short() {
    check(
        "
        account x under both
        account y under both
        member user ada in x
        member user bob in y
        line APP 5 name a account both from 2025-01-01
        line APP 5 name b account x from 2025-01-01
        10:00 out APP ada@ws1 x5
        10:00 out APP bob@ws2 x5
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position both APP concurrent 2025-03: near entitled 5 demand 5 peak 5 at 2025-03-03T10:00
            + position x APP concurrent 2025-03: near entitled 5 demand 5 peak 5 at 2025-03-03T10:00
            + problem near_limit both APP 2025-03 5 2025-03-03T10:00..open
            + problem near_limit x APP 2025-03 5 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn five_rights_cover_five_of_two_demands_of_three_and_four() {
    check(
        "
        line APP 5 from 2025-01-01
        10:00 out APP ada@db1 x3
        10:00 out APP bob@db2 x4
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 5 demand 7 peak 7 at 2025-03-03T10:00 short 2 2025-03-03T10:00..open
            + problem over_use everyone APP 2025-03 2 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn a_line_without_a_limit_covers_everything_and_one_that_does_not_say_is_reported() {
    check(
        "
        line APP unlimited metric volume from 2025-01-01
        line CAD unknown metric volume from 2025-01-01
        10:00 use APP 1000000000000
        10:00 use CAD 1000000000000
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone APP volume 2025-03: covered entitled unlimited demand 1000000000000 peak 1000000000000 at 2025-03-01
            + position everyone CAD volume 2025-03: capacity_unknown entitled unknown demand 1000000000000 peak 1000000000000 at 2025-03-01
            + problem capacity_unknown everyone CAD 2025-03 1000000000000 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_name_means_one_product_and_the_first_rule_that_matches_it_decides() {
    // A use counts for one product only: the one that its name means then. Where several rules of the
    // policy match that product, the first of them decides, so the narrower one stands before.
    check_by(
        "
        [[rule]]
        products = [\"CAD_PRO*\"]
        near_percent = 10
        [[rule]]
        products = [\"CAD*\"]
        near_percent = 100
        ",
        "
        alias product 4711 = CAD_PRO
        line CAD 10 from 2025-01-01
        line CAD_PRO 10 from 2025-01-01
        10:00 out 4711 ada@ws1 x6
        10:00 out CAD bob@ws2 x6
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone CAD concurrent 2025-03: covered entitled 10 demand 6 peak 6 at 2025-03-03T10:00
            + position everyone CAD_PRO concurrent 2025-03: near entitled 10 demand 6 peak 6 at 2025-03-03T10:00
            + problem near_limit everyone CAD_PRO 2025-03 6 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn what_is_passed_up_for_ever_counts_in_what_others_pass_up_later() {
    check(
        "
        account division under group
        account london under division
        account paris under division
        member user ada in london
        member user bob in paris
        line APP 1 account london
        line APP 2 account division
        line APP 3 account group
        10:00 out APP ada@ws1
        settle 10:30
        10:00 out APP ada@ws2
        10:00 out APP bob@ws3 x2
        11:00 in APP bob@ws3 x2
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T10:30:00Z
            + position division APP concurrent 2025-03: covered entitled 2 demand 0 peak 0
            + position group APP concurrent 2025-03: covered entitled 3 demand 0 peak 0
            + position london APP concurrent 2025-03: near entitled 1 demand 1 peak 1 at 2025-03-03T10:00
            + problem near_limit london APP 2025-03 1 2025-03-03T10:00..open
            + problem shelfware division APP 2025-03 2 2025-03-01..open
            + problem shelfware group APP 2025-03 3 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            - position division APP concurrent 2025-03: covered entitled 2 demand 0 peak 0
            + position division APP concurrent 2025-03: passed_up entitled 2 demand 1 peak 3 at 2025-03-03T10:00 passed up 1
            - position group APP concurrent 2025-03: covered entitled 3 demand 0 peak 0
            + position group APP concurrent 2025-03: covered entitled 3 demand 0 peak 1 at 2025-03-03T10:00
            - position london APP concurrent 2025-03: near entitled 1 demand 1 peak 1 at 2025-03-03T10:00
            + position london APP concurrent 2025-03: passed_up entitled 1 demand 2 peak 2 at 2025-03-03T10:00 passed up 1
            - problem near_limit london APP 2025-03 1 2025-03-03T10:00..open
            - problem shelfware division APP 2025-03 2 2025-03-01..open
            + problem shelfware group APP 2025-03 2 2025-03-01..open
            - problem shelfware group APP 2025-03 3 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_line_that_is_called_otherwise_serves_under_its_new_name() {
    check(
        "
        show allocations
        [id=l1] line APP 5 name old from 2025-01-01
        10:00 out APP ada@ws1
        settle 11:00
        [id=l1 rev=1] line APP 5 name new from 2025-01-01
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + line everyone APP concurrent 2025-03 #0 old: 5 used 1 only_line
            + position everyone APP concurrent 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-03T10:00
            + problem shelfware everyone APP 2025-03 4 2025-03-01..open
            settle 2025-03-03T11:00:00Z
            + line everyone APP concurrent 2025-03 #0 new: 5 used 1 only_line
            - line everyone APP concurrent 2025-03 #0 old: 5 used 1 only_line
        "#]],
    );
}
