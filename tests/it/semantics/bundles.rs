//! Machines that have a part of a suite only, and who holds a suite and its component at once (2.15).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn components_that_nobody_bought_are_too_few_for_a_suite_that_somebody_did() {
    // On ws1 the mandatory ACCESS is missing; ws2 has it and enough of the rest; on ws3 WORD is there
    // alone, and somebody bought WORD.
    check(
        "
        line OFFICE 5 name suite metric device from 2025-01-01
        line WORD 5 name word metric device from 2025-01-01
        suite_rule OFFICE has ACCESS mandatory 50
        suite_rule OFFICE has WORD 50
        suite_rule OFFICE has EXCEL 50
        install EXCEL ws1 from 2025-03-01
        install WORD ws1 from 2025-03-01
        install ACCESS ws2 from 2025-03-01
        install EXCEL ws2 from 2025-03-01
        install WORD ws3 from 2025-03-01
        settle 2025-03-03
        install ACCESS ws1 from 2025-03-04
        settle 2025-03-05
        ",
        &expect![[r#"
            settle 2025-03-03T00:00:00Z
            + position everyone EXCEL device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone OFFICE device 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-01
            + position everyone WORD device 2025-03: covered entitled 5 demand 2 peak 2 at 2025-03-01
            + problem bundle_incomplete OFFICE ws1 1 2025-03-01..open
            + problem shelfware everyone OFFICE 2025-03 4 2025-03-01..open
            + problem shelfware everyone WORD 2025-03 3 2025-03-01..open
            + problem unlicensed_use everyone EXCEL 2025-03 1 2025-03-01..open
            settle 2025-03-05T00:00:00Z
            + position everyone EXCEL device 2025-03: unlicensed entitled 0 demand 0 peak 1 at 2025-03-01 short 1 2025-03-01..2025-03-04
            - position everyone EXCEL device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            - position everyone OFFICE device 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-01
            + position everyone OFFICE device 2025-03: covered entitled 5 demand 2 peak 2 at 2025-03-04
            + position everyone WORD device 2025-03: covered entitled 5 demand 1 peak 2 at 2025-03-01
            - position everyone WORD device 2025-03: covered entitled 5 demand 2 peak 2 at 2025-03-01
            + problem bundle_incomplete OFFICE ws1 1 2025-03-01..2025-03-04
            - problem bundle_incomplete OFFICE ws1 1 2025-03-01..open
            + problem shelfware everyone OFFICE 2025-03 3 2025-03-01..open
            - problem shelfware everyone OFFICE 2025-03 4 2025-03-01..open
            + problem unlicensed_use everyone EXCEL 2025-03 1 2025-03-01..2025-03-04
            - problem unlicensed_use everyone EXCEL 2025-03 1 2025-03-01..open
        "#]],
    );
}

#[test]
fn components_of_a_suite_that_nobody_bought_are_unlicensed_and_no_more() {
    check(
        "
        line OFFICE 5 name suite metric device from 2025-03-10
        suite_rule OFFICE has ACCESS mandatory 50
        suite_rule OFFICE has EXCEL 50
        install EXCEL ws1 from 2025-03-01
        settle 2025-03-03
        settle 2025-03-11
        line EXCEL 1 name excel metric device from 2025-03-12
        settle 2025-03-12
        ",
        &expect![[r#"
            settle 2025-03-03T00:00:00Z
            + position everyone EXCEL device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + problem unlicensed_use everyone EXCEL 2025-03 1 2025-03-01..open
            settle 2025-03-11T00:00:00Z
            - position everyone EXCEL device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone EXCEL device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone OFFICE device 2025-03: covered entitled 5 demand 0 peak 0
            + problem bundle_incomplete OFFICE ws1 1 2025-03-10..open
            + problem shelfware everyone OFFICE 2025-03 5 2025-03-01..open
            settle 2025-03-12T00:00:00Z
            - position everyone EXCEL device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone EXCEL device 2025-03: unlicensed entitled 1 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..2025-03-12
            + problem bundle_incomplete OFFICE ws1 1 2025-03-10..2025-03-12
            - problem bundle_incomplete OFFICE ws1 1 2025-03-10..open
            + problem unlicensed_use everyone EXCEL 2025-03 1 2025-03-01..2025-03-12
            - problem unlicensed_use everyone EXCEL 2025-03 1 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_person_with_a_seat_of_a_suite_needs_no_right_of_its_component() {
    check(
        "
        line OFFICE 5 name suite metric named_user from 2025-01-01
        line WORD 5 name word metric named_user from 2025-01-01
        line EXCEL 5 name excel from 2025-01-01
        suite_rule OFFICE has WORD 50
        suite_rule OFFICE has EXCEL 50 to 2025-03-03T11:00
        seat OFFICE ada from 2025-02-01
        seat WORD ada from 2025-03-01 to 2025-03-20
        seat WORD bob from 2025-03-01
        10:00 out EXCEL ada@ws1
        10:00 out EXCEL bob@ws2
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone EXCEL concurrent 2025-03: covered entitled 5 demand 2 peak 2 at 2025-03-03T10:00
            + position everyone OFFICE named_user 2025-02: covered entitled 5 demand 1 peak 1 at 2025-02-01
            + position everyone OFFICE named_user 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-01
            + position everyone WORD named_user 2025-03: covered entitled 5 demand 2 peak 2 at 2025-03-01
            + problem shelfware everyone EXCEL 2025-03 3 2025-03-01..open
            + problem shelfware everyone OFFICE 2025-03 4 2025-03-01..open
            + problem shelfware everyone WORD 2025-03 3 2025-03-01..open
            + problem suite_component_double_use EXCEL ada 1 2025-03-03T10:00..2025-03-03T11:00
            + problem suite_component_double_use WORD ada 1 2025-03-01..2025-03-20
        "#]],
    );
}

#[test]
fn a_machine_with_a_suite_that_checks_out_its_component_uses_two_rights() {
    // On ws2 another person has it out than the one who has the suite on ws1.
    check(
        "
        line OFFICE 5 name suite metric device from 2025-01-01
        line WORD 5 name word from 2025-01-01
        suite_rule OFFICE has WORD 50
        install OFFICE ws1 from 2025-03-01
        10:00 out WORD ada@ws1
        10:00 out WORD bob@ws2
        11:00 in WORD ada@ws1
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone OFFICE device 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-01
            + position everyone WORD concurrent 2025-03: covered entitled 5 demand 1 peak 2 at 2025-03-03T10:00
            + problem shelfware everyone OFFICE 2025-03 4 2025-03-01..open
            + problem shelfware everyone WORD 2025-03 3 2025-03-01..open
            + problem suite_component_double_use WORD ws1 1 2025-03-03T10:00..2025-03-03T11:00
        "#]],
    );
}

#[test]
fn checkouts_of_one_person_on_two_machines_are_two_uses_and_no_double_one() {
    check(
        "
        line OFFICE 5 name suite from 2025-01-01
        line WORD 5 name word from 2025-01-01
        suite_rule OFFICE has WORD 50
        10:00 out OFFICE ada@ws1
        10:00 out WORD ada@ws2
        settle 11:00
        11:00 out WORD ada@ws1
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone OFFICE concurrent 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-03T10:00
            + position everyone WORD concurrent 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-03T10:00
            + problem shelfware everyone OFFICE 2025-03 4 2025-03-01..open
            + problem shelfware everyone WORD 2025-03 4 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            - position everyone OFFICE concurrent 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-03T10:00
            + position everyone OFFICE concurrent 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-03T10:00
            - position everyone WORD concurrent 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-03T10:00
            + position everyone WORD concurrent 2025-03: covered entitled 5 demand 2 peak 2 at 2025-03-03T11:00
            + problem shelfware everyone WORD 2025-03 3 2025-03-01..open
            - problem shelfware everyone WORD 2025-03 4 2025-03-01..open
            + problem suite_component_double_use WORD ws1 1 2025-03-03T11:00..open
        "#]],
    );
}

#[test]
fn components_that_were_bought_may_come_before_the_suite_that_they_make_up() {
    // On ws1 both components were bought by themselves, until the line of EXCEL ends; on ws2 nobody bought
    // VISIO, so the suite covers all; on ws3 the suite itself is installed.
    check_by(
        r#"
        [[rule]]
        products = ["OFFICE"]
        suite_order = "component_first"
        "#,
        "
        line OFFICE 5 name suite metric device from 2025-01-01
        line WORD 5 name word metric device from 2025-01-01
        line EXCEL 5 name excel metric device from 2025-01-01 to 2025-03-10
        suite_rule OFFICE has WORD 60
        suite_rule OFFICE has EXCEL 60
        suite_rule OFFICE has VISIO 60
        install WORD ws1 from 2025-03-01
        install EXCEL ws1 from 2025-03-01
        install WORD ws2 from 2025-03-01
        install EXCEL ws2 from 2025-03-01
        install VISIO ws2 from 2025-03-01
        install OFFICE ws3 from 2025-03-01
        install WORD ws3 from 2025-03-01
        settle 2025-03-03
        settle 2025-03-11
        ",
        &expect![[r#"
            settle 2025-03-03T00:00:00Z
            + position everyone EXCEL device 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-01
            + position everyone OFFICE device 2025-03: covered entitled 5 demand 2 peak 2 at 2025-03-01
            + position everyone WORD device 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-01
            + problem shelfware everyone EXCEL 2025-03 4 2025-03-01..open
            + problem shelfware everyone OFFICE 2025-03 3 2025-03-01..open
            + problem shelfware everyone WORD 2025-03 4 2025-03-01..open
            settle 2025-03-11T00:00:00Z
            + position everyone EXCEL device 2025-03: covered entitled 0 demand 0 peak 1 at 2025-03-01
            - position everyone EXCEL device 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-01
            - position everyone OFFICE device 2025-03: covered entitled 5 demand 2 peak 2 at 2025-03-01
            + position everyone OFFICE device 2025-03: covered entitled 5 demand 3 peak 3 at 2025-03-10
            + position everyone WORD device 2025-03: covered entitled 5 demand 0 peak 1 at 2025-03-01
            - position everyone WORD device 2025-03: covered entitled 5 demand 1 peak 1 at 2025-03-01
            - problem shelfware everyone EXCEL 2025-03 4 2025-03-01..open
            - problem shelfware everyone OFFICE 2025-03 3 2025-03-01..open
        "#]],
    );
}
