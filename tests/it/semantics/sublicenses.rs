//! What is passed on to others is taken from the line that it is a part of (2.22).

use expect_test::expect;
use trueup_tests::check::check;

#[test]
fn what_is_passed_on_is_not_there_any_more_and_passing_on_more_than_is_held_is_reported() {
    check(
        "
        account north under group
        account south under group
        line APP 10 name main account group from 2025-01-01
        line APP 6 name first account north parent main from 2025-01-01
        settle 12:00
        line APP 5 name second account south parent main from 2025-03-02
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position group APP concurrent 2025-03: covered entitled 4 demand 0 peak 0
            + position north APP concurrent 2025-03: covered entitled 6 demand 0 peak 0
            + problem shelfware group APP 2025-03 4 2025-03-01..open
            + problem shelfware north APP 2025-03 6 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            - position group APP concurrent 2025-03: covered entitled 4 demand 0 peak 0
            + position south APP concurrent 2025-03: covered entitled 5 demand 0 peak 0
            - problem shelfware group APP 2025-03 4 2025-03-01..open
            + problem shelfware south APP 2025-03 5 2025-03-01..open
            + problem sublicence_oversold APP main 1 2025-03-02..open
        "#]],
    );
}

#[test]
fn a_derived_pool_shrinks_with_what_distributors_take_and_cuts_its_own_use() {
    check(
        "
        account west under group
        account east under group
        member user ada in group
        line VM 100 name derived account group from 2025-01-01
        10:00 out VM ada@ws1 x20
        settle 11:00
        line VM 70 name seven account west parent derived from 2025-01-01
        settle 11:00
        line VM 20 name two account east parent derived from 2025-01-01
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position group VM concurrent 2025-03: covered entitled 100 demand 20 peak 20 at 2025-03-03T10:00
            + problem shelfware group VM 2025-03 80 2025-03-01..open
            settle 2025-03-03T11:00:00Z
            - position group VM concurrent 2025-03: covered entitled 100 demand 20 peak 20 at 2025-03-03T10:00
            + position group VM concurrent 2025-03: covered entitled 30 demand 20 peak 20 at 2025-03-03T10:00
            + position west VM concurrent 2025-03: covered entitled 70 demand 0 peak 0
            - problem shelfware group VM 2025-03 80 2025-03-01..open
            + problem shelfware west VM 2025-03 70 2025-03-01..open
            settle 2025-03-03T11:00:00Z
            + position east VM concurrent 2025-03: covered entitled 20 demand 0 peak 0
            - position group VM concurrent 2025-03: covered entitled 30 demand 20 peak 20 at 2025-03-03T10:00
            + position group VM concurrent 2025-03: over entitled 10 demand 20 peak 20 at 2025-03-03T10:00 short 10 2025-03-03T10:00..open
            + problem over_use group VM 2025-03 10 2025-03-03T10:00..open
            + problem shelfware east VM 2025-03 20 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_sublicense_ends_with_its_parent_and_may_not_outlast_it() {
    check(
        "
        account north under group
        member user ada in north
        line APP 10 name main account group from 2025-01-01 to 2025-03-03T12:00
        line APP 6 name first account north parent main from 2025-01-01
        10:00 out APP ada@ws1
        settle 11:00
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position group APP concurrent 2025-03: covered entitled 4 demand 0 peak 0
            + position north APP concurrent 2025-03: covered entitled 6 demand 1 peak 1 at 2025-03-03T10:00
            + problem shelfware group APP 2025-03 4 2025-03-01..open
            + problem shelfware north APP 2025-03 5 2025-03-01..open
            + problem sublicence_outside_parent APP first 1 2025-03-03T12:00..open
            settle 2025-03-03T12:00:00Z
            - position group APP concurrent 2025-03: covered entitled 4 demand 0 peak 0
            + position group APP concurrent 2025-03: expired entitled 0 demand 1 peak 1 at 2025-03-03T12:00 short 1 2025-03-03T12:00..open
            - position north APP concurrent 2025-03: covered entitled 6 demand 1 peak 1 at 2025-03-03T10:00
            + position north APP concurrent 2025-03: passed_up entitled 0 demand 1 peak 1 at 2025-03-03T10:00 passed up 1
            + problem expired_in_use group APP 2025-03 1 2025-03-03T12:00..open
            - problem shelfware group APP 2025-03 4 2025-03-01..open
            - problem shelfware north APP 2025-03 5 2025-03-01..open
        "#]],
    );
}

#[test]
fn sublicenses_in_a_circle_grant_nothing_and_are_a_conflict() {
    check(
        "
        line APP 10 name one parent two from 2025-01-01
        line APP 6 name two parent one from 2025-01-01
        10:00 out APP ada@ws1
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone APP concurrent 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem contract_conflict APP one 1 2025-01-01..open
            + problem contract_conflict APP two 1 2025-01-01..open
            + problem sublicence_outside_parent APP one 1 2025-01-01..open
            + problem sublicence_outside_parent APP two 1 2025-01-01..open
            + problem unlicensed_use everyone APP 2025-03 1 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn maintenance_is_no_sublicense_whatever_it_says_to_be_a_part_of() {
    check(
        "
        line APP 10 name one parent one from 2025-01-01
        line APP 6 name care parent one maintenance base one from 2025-01-01
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + problem contract_conflict APP one 1 2025-01-01..open
            + problem sublicence_outside_parent APP one 1 2025-01-01..open
        "#]],
    );
}
