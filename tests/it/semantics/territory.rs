//! Lines that may be used in some countries only (2.23).

use expect_test::expect;
use trueup_tests::check::check;

#[test]
fn a_line_for_two_countries_covers_use_in_them_and_use_elsewhere_is_a_breach() {
    check(
        "
        line APP 5 territory DACH from 2025-01-01
        territory DACH has DE
        territory DACH has FR
        place device berlin in DE
        place device boston in US
        10:00 out APP ada@berlin x3
        10:00 out APP bob@boston x2
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 5 demand 5 peak 5 at 2025-03-03T10:00 short 2 2025-03-03T10:00..open
            + problem over_use everyone APP 2025-03 2 2025-03-03T10:00..open
            + problem territory_breach everyone APP 2025-03 2 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn a_machine_is_where_it_is_stated_else_where_its_account_is_else_anywhere() {
    check(
        "
        account emea under group
        account berlin under emea
        member user ada in berlin
        member user bob in group
        place account emea in DE
        place device laptop in US from 2025-03-03T11:00 to 2025-03-03T12:00
        line APP 5 account group territory DE from 2025-01-01
        10:00 out APP ada@laptop
        10:00 out APP bob@ws2
        settle 10:30
        settle 11:30
        settle 12:30
        ",
        &expect![[r#"
            settle 2025-03-03T10:30:00Z
            + position group APP concurrent 2025-03: covered entitled 5 demand 2 peak 2 at 2025-03-03T10:00
            + problem shelfware group APP 2025-03 3 2025-03-01..open
            settle 2025-03-03T11:30:00Z
            - position group APP concurrent 2025-03: covered entitled 5 demand 2 peak 2 at 2025-03-03T10:00
            + position group APP concurrent 2025-03: over entitled 5 demand 2 peak 2 at 2025-03-03T10:00 short 1 2025-03-03T11:00..open
            + problem over_use group APP 2025-03 1 2025-03-03T11:00..open
            + problem territory_breach group APP 2025-03 1 2025-03-03T11:00..open
            settle 2025-03-03T12:30:00Z
            + position group APP concurrent 2025-03: over entitled 5 demand 2 peak 2 at 2025-03-03T10:00 short 1 2025-03-03T11:00..2025-03-03T12:00
            - position group APP concurrent 2025-03: over entitled 5 demand 2 peak 2 at 2025-03-03T10:00 short 1 2025-03-03T11:00..open
            + problem over_use group APP 2025-03 1 2025-03-03T11:00..2025-03-03T12:00
            - problem over_use group APP 2025-03 1 2025-03-03T11:00..open
            + problem territory_breach group APP 2025-03 1 2025-03-03T11:00..2025-03-03T12:00
            - problem territory_breach group APP 2025-03 1 2025-03-03T11:00..open
        "#]],
    );
}

#[test]
fn a_country_that_joins_a_territory_is_covered_from_then_on() {
    check(
        "
        line APP 5 territory EU from 2025-01-01
        territory EU has HR from 2025-03-03T12:00
        place device zagreb in HR
        10:00 out APP ada@zagreb
        settle 11:00
        settle 13:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 5 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem over_use everyone APP 2025-03 1 2025-03-03T10:00..open
            + problem shelfware everyone APP 2025-03 4 2025-03-01..open
            + problem territory_breach everyone APP 2025-03 1 2025-03-03T10:00..open
            settle 2025-03-03T13:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 5 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..2025-03-03T12:00
            - position everyone APP concurrent 2025-03: over entitled 5 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem over_use everyone APP 2025-03 1 2025-03-03T10:00..2025-03-03T12:00
            - problem over_use everyone APP 2025-03 1 2025-03-03T10:00..open
            + problem territory_breach everyone APP 2025-03 1 2025-03-03T10:00..2025-03-03T12:00
            - problem territory_breach everyone APP 2025-03 1 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn lines_of_crossing_scopes_cover_as_much_as_can_be_covered() {
    // The narrow line could serve either; what the wide one may serve is left to it.
    check(
        "
        account north under group
        member user ada in north
        member user bob in north
        place device berlin in DE
        place device boston in US
        line APP 5 name narrow account north from 2025-01-01
        line APP 5 name wide account group territory DE from 2025-01-01
        10:00 out APP ada@berlin x5
        10:00 out APP bob@boston x5
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position group APP concurrent 2025-03: near entitled 5 demand 5 peak 5 at 2025-03-03T10:00
            + position north APP concurrent 2025-03: passed_up entitled 5 demand 10 peak 10 at 2025-03-03T10:00 passed up 5
            + problem near_limit group APP 2025-03 5 2025-03-03T10:00..open
        "#]],
    );
}
