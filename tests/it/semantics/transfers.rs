//! A right that changes hands is held once, and has a chain of title (2.26).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn a_right_that_is_transferred_leaves_one_account_when_it_enters_the_other() {
    check(
        "
        account north under group
        account south under group
        line APP 10 name bought account north from 2025-01-01
        line APP 4 name taken account south from 2025-03-16 transfer base bought
        settle 2025-03-20
        ",
        &expect![[r#"
            settle 2025-03-20T00:00:00Z
            + position north APP concurrent 2025-03: covered entitled 6 demand 0 peak 0
            + position south APP concurrent 2025-03: covered entitled 4 demand 0 peak 0
            + problem shelfware north APP 2025-03 6 2025-03-01..open
            + problem shelfware south APP 2025-03 4 2025-03-01..open
        "#]],
    );
}

#[test]
fn what_was_transferred_does_not_come_back_when_the_transferred_right_ends() {
    check(
        "
        account north under group
        account south under group
        line APP 10 name bought account north from 2025-01-01
        line APP 4 name taken account south from 2025-01-01 to 2025-02-01 transfer base bought
        settle 2025-03-03
        ",
        &expect![[r#"
            settle 2025-03-03T00:00:00Z
            + position north APP concurrent 2025-03: covered entitled 6 demand 0 peak 0
            + problem shelfware north APP 2025-03 6 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_transferred_right_ends_with_the_one_it_was_taken_from_where_the_expiry_is_kept() {
    let script = "
        line APP 10 name bought account north from 2025-01-01 to 2025-03-01
        line APP 10 name taken account south from 2025-02-01 transfer base bought
        settle 2025-03-03
        ";
    check(
        script,
        &expect![[r#"
        settle 2025-03-03T00:00:00Z
    "#]],
    );
    check_by(
        "transfer_expiry = \"reset\"",
        script,
        &expect![[r#"
        settle 2025-03-03T00:00:00Z
        + position south APP concurrent 2025-03: covered entitled 10 demand 0 peak 0
        + problem shelfware south APP 2025-03 10 2025-03-01..open
    "#]],
    );
}

#[test]
fn a_right_can_be_transferred_further_and_no_more_of_it_than_there_is() {
    check(
        "
        line APP 10 name bought account a from 2025-01-01
        line APP 6 name second account b from 2025-03-01 transfer base bought
        line APP 6 name third account c from 2025-03-02 transfer base second
        settle 2025-03-03
        line APP 5 name fourth account d from 2025-03-02 transfer base bought
        settle 2025-03-03
        ",
        &expect![[r#"
            settle 2025-03-03T00:00:00Z
            + position a APP concurrent 2025-03: covered entitled 4 demand 0 peak 0
            + position c APP concurrent 2025-03: covered entitled 6 demand 0 peak 0
            + problem shelfware a APP 2025-03 4 2025-03-01..open
            + problem shelfware c APP 2025-03 6 2025-03-01..open
            settle 2025-03-03T00:00:00Z
            - position a APP concurrent 2025-03: covered entitled 4 demand 0 peak 0
            + position d APP concurrent 2025-03: covered entitled 4 demand 0 peak 0
            + problem provenance_gap APP fourth 1 2025-03-02..open
            - problem shelfware a APP 2025-03 4 2025-03-01..open
            + problem shelfware d APP 2025-03 4 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_transfer_of_what_nobody_bought_grants_nothing_until_the_purchase_is_known() {
    check(
        "
        member user ada in south
        10:00 out APP ada@ws1 until 11:00
        line APP 2 name taken account south from 2025-03-01 transfer base bought
        settle 12:00
        line APP 5 name bought account north from 2025-01-01
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position south APP concurrent 2025-03: unlicensed entitled 0 demand 0 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..2025-03-03T11:00
            + problem provenance_gap APP taken 2 2025-03-01..open
            + problem unlicensed_use south APP 2025-03 1 2025-03-03T10:00..2025-03-03T11:00
            settle 2025-03-03T12:00:00Z
            + position north APP concurrent 2025-03: covered entitled 3 demand 0 peak 0
            + position south APP concurrent 2025-03: covered entitled 2 demand 0 peak 1 at 2025-03-03T10:00
            - position south APP concurrent 2025-03: unlicensed entitled 0 demand 0 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..2025-03-03T11:00
            - problem provenance_gap APP taken 2 2025-03-01..open
            + problem shelfware north APP 2025-03 3 2025-03-01..open
            + problem shelfware south APP 2025-03 1 2025-03-01..open
            - problem unlicensed_use south APP 2025-03 1 2025-03-03T10:00..2025-03-03T11:00
        "#]],
    );
}

#[test]
fn maintenance_of_what_was_transferred_away_has_no_right_that_it_belongs_to() {
    check(
        "
        line APP 5 name bought account north from 2025-01-01
        line APP 5 name care account north from 2025-01-01 maintenance base bought
        line APP 5 name taken account south from 2025-03-02 transfer base bought
        settle 2025-03-03
        ",
        &expect![[r#"
            settle 2025-03-03T00:00:00Z
            + position south APP concurrent 2025-03: covered entitled 5 demand 0 peak 0
            + problem base_licence_missing APP care 1 2025-03-02..open
            + problem shelfware south APP 2025-03 5 2025-03-01..open
        "#]],
    );
}

#[test]
fn transfers_in_a_circle_grant_nothing() {
    check(
        "
        line APP 5 name one account north from 2025-03-01 transfer base two
        line APP 5 name two account south from 2025-03-01 transfer base one
        settle 2025-03-03
        ",
        &expect![[r#"
            settle 2025-03-03T00:00:00Z
            + problem provenance_gap APP one 5 2025-03-01..open
            + problem provenance_gap APP two 5 2025-03-01..open
        "#]],
    );
}

/// Where one name is said to be bought and to be taken, what is bought under it has no title either:
/// nobody can tell which of it is which.
#[test]
fn a_name_that_is_bought_and_taken_has_the_title_of_what_is_taken() {
    check(
        "
        line CAD 0 name both transfer base nobody
        line CAD 1 name both
        settle 2025-03-03
        ",
        &expect![[r#"
            settle 2025-03-03T00:00:00Z
            + problem provenance_gap CAD both 1
        "#]],
    );
}
