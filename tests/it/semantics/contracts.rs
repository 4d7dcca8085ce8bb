//! What contracts say besides how much: margins, grace, terms, amendments, upkeep, features (2.14–2.26).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn a_margin_of_25_percent_on_16_tolerates_20_and_not_21() {
    check(
        "
        line APP 16 margin 25 from 2025-01-01
        line CAD 16 margin 50 from 2025-01-01
        line SIM 16 margin 100 from 2025-01-01
        10:00 out APP ada@ws1 x20
        10:00 out CAD ada@ws1 x24
        10:00 out SIM ada@ws1 x32
        settle 11:00
        12:00 out APP bob@ws2
        12:00 out CAD bob@ws2
        12:00 out SIM bob@ws2
        settle 13:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone APP concurrent 2025-03: within_overdraft entitled 16 demand 20 peak 20 at 2025-03-03T10:00 short 4 2025-03-03T10:00..open
            + position everyone CAD concurrent 2025-03: within_overdraft entitled 16 demand 24 peak 24 at 2025-03-03T10:00 short 8 2025-03-03T10:00..open
            + position everyone SIM concurrent 2025-03: within_overdraft entitled 16 demand 32 peak 32 at 2025-03-03T10:00 short 16 2025-03-03T10:00..open
            + problem over_in_margin everyone APP 2025-03 4 2025-03-03T10:00..open
            + problem over_in_margin everyone CAD 2025-03 8 2025-03-03T10:00..open
            + problem over_in_margin everyone SIM 2025-03 16 2025-03-03T10:00..open
            settle 2025-03-03T13:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 16 demand 21 peak 21 at 2025-03-03T12:00 short 5 2025-03-03T10:00..open
            - position everyone APP concurrent 2025-03: within_overdraft entitled 16 demand 20 peak 20 at 2025-03-03T10:00 short 4 2025-03-03T10:00..open
            + position everyone CAD concurrent 2025-03: over entitled 16 demand 25 peak 25 at 2025-03-03T12:00 short 9 2025-03-03T10:00..open
            - position everyone CAD concurrent 2025-03: within_overdraft entitled 16 demand 24 peak 24 at 2025-03-03T10:00 short 8 2025-03-03T10:00..open
            + position everyone SIM concurrent 2025-03: over entitled 16 demand 33 peak 33 at 2025-03-03T12:00 short 17 2025-03-03T10:00..open
            - position everyone SIM concurrent 2025-03: within_overdraft entitled 16 demand 32 peak 32 at 2025-03-03T10:00 short 16 2025-03-03T10:00..open
            - problem over_in_margin everyone APP 2025-03 4 2025-03-03T10:00..open
            - problem over_in_margin everyone CAD 2025-03 8 2025-03-03T10:00..open
            - problem over_in_margin everyone SIM 2025-03 16 2025-03-03T10:00..open
            + problem over_use everyone APP 2025-03 5 2025-03-03T10:00..open
            + problem over_use everyone CAD 2025-03 9 2025-03-03T10:00..open
            + problem over_use everyone SIM 2025-03 17 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn a_margin_is_rounded_down() {
    check(
        "
        line APP 3 margin 50 from 2025-01-01
        10:00 out APP ada@ws1 x4
        settle 11:00
        12:00 out APP bob@ws2
        settle 13:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone APP concurrent 2025-03: within_overdraft entitled 3 demand 4 peak 4 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem over_in_margin everyone APP 2025-03 1 2025-03-03T10:00..open
            settle 2025-03-03T13:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 3 demand 5 peak 5 at 2025-03-03T12:00 short 2 2025-03-03T10:00..open
            - position everyone APP concurrent 2025-03: within_overdraft entitled 3 demand 4 peak 4 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            - problem over_in_margin everyone APP 2025-03 1 2025-03-03T10:00..open
            + problem over_use everyone APP 2025-03 2 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn use_above_is_in_grace_until_it_has_lasted_too_long_without_any_event() {
    check(
        "
        line APP 2 from 2025-01-01 grace 3600
        10:00 out APP ada@ws1 x3
        settle 10:59:59.999999
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T10:59:59.999999Z
            + position everyone APP concurrent 2025-03: in_grace entitled 2 demand 3 peak 3 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem in_grace everyone APP 2025-03 1 2025-03-03T10:00..open
            settle 2025-03-03T11:00:00Z
            - position everyone APP concurrent 2025-03: in_grace entitled 2 demand 3 peak 3 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + position everyone APP concurrent 2025-03: over entitled 2 demand 3 peak 3 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            - problem in_grace everyone APP 2025-03 1 2025-03-03T10:00..open
            + problem over_use everyone APP 2025-03 1 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn grace_begins_anew_when_use_has_been_back_under() {
    check(
        "
        line APP 2 from 2025-01-01 grace 3600
        10:00 out APP ada@ws1 x2
        10:00 out APP bob@ws2
        10:40 in APP bob@ws2
        10:50 out APP bob@ws2
        settle 11:30
        settle 11:50
        ",
        &expect![[r#"
            settle 2025-03-03T11:30:00Z
            + position everyone APP concurrent 2025-03: in_grace entitled 2 demand 3 peak 3 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem in_grace everyone APP 2025-03 1 2025-03-03T10:00..open
            settle 2025-03-03T11:50:00Z
            - position everyone APP concurrent 2025-03: in_grace entitled 2 demand 3 peak 3 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + position everyone APP concurrent 2025-03: over entitled 2 demand 3 peak 3 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            - problem in_grace everyone APP 2025-03 1 2025-03-03T10:00..open
            + problem over_use everyone APP 2025-03 1 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn a_line_that_ends_while_it_is_used_has_expired_at_that_instant_without_any_event() {
    check(
        "
        line APP 2 from 2025-01-01 to 2025-03-03T12:00
        10:00 out APP ada@ws1
        settle 11:59:59.999999
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:59:59.999999Z
            + position everyone APP concurrent 2025-03: covered entitled 2 demand 1 peak 1 at 2025-03-03T10:00
            + problem shelfware everyone APP 2025-03 1 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            - position everyone APP concurrent 2025-03: covered entitled 2 demand 1 peak 1 at 2025-03-03T10:00
            + position everyone APP concurrent 2025-03: expired entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..open
            + problem expired_in_use everyone APP 2025-03 1 2025-03-03T12:00..open
            - problem shelfware everyone APP 2025-03 1 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_renewal_that_begins_where_the_line_ends_leaves_no_gap() {
    check(
        "
        line APP 2 name l1 from 2025-01-01 to 2025-03-03T12:00
        line APP 2 name l2 from 2025-03-03T12:00 to 2026-03-03T12:00
        10:00 out APP ada@ws1 x2
        settle 13:00
        ",
        &expect![[r#"
            settle 2025-03-03T13:00:00Z
            + position everyone APP concurrent 2025-03: near entitled 2 demand 2 peak 2 at 2025-03-03T10:00
            + problem near_limit everyone APP 2025-03 2 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn a_gap_before_a_renewal_is_in_grace_and_then_expired() {
    check(
        "
        line APP 2 name l1 from 2025-01-01 to 2025-03-03T12:00 grace 3600
        10:00 out APP ada@ws1
        settle 12:59:59.999999
        settle 13:00
        [id=renewal] line APP 2 name l2 from 2025-03-03T14:00
        settle 15:00
        [id=renewal rev=1] line APP 2 name l2 from 2025-03-03T12:00
        settle 15:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:59:59.999999Z
            + position everyone APP concurrent 2025-03: in_grace entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..open
            + problem in_grace everyone APP 2025-03 1 2025-03-03T12:00..open
            settle 2025-03-03T13:00:00Z
            + position everyone APP concurrent 2025-03: expired entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..open
            - position everyone APP concurrent 2025-03: in_grace entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..open
            + problem expired_in_use everyone APP 2025-03 1 2025-03-03T13:00..open
            - problem in_grace everyone APP 2025-03 1 2025-03-03T12:00..open
            settle 2025-03-03T15:00:00Z
            - position everyone APP concurrent 2025-03: expired entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..open
            + position everyone APP concurrent 2025-03: expired entitled 2 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..2025-03-03T14:00
            + problem expired_in_use everyone APP 2025-03 1 2025-03-03T13:00..2025-03-03T14:00
            - problem expired_in_use everyone APP 2025-03 1 2025-03-03T13:00..open
            + problem shelfware everyone APP 2025-03 1 2025-03-01..open
            settle 2025-03-03T15:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled 2 demand 1 peak 1 at 2025-03-03T10:00
            - position everyone APP concurrent 2025-03: expired entitled 2 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T12:00..2025-03-03T14:00
            - problem expired_in_use everyone APP 2025-03 1 2025-03-03T13:00..2025-03-03T14:00
        "#]],
    );
}

#[test]
fn an_amendment_that_is_told_late_restates_the_months_since_it_applies() {
    check(
        "
        [id=order] line APP 10 from 2025-01-01
        10:00 out APP ada@ws1 x15
        17:00 in APP ada@ws1 x15
        settle 2025-04-09T00:00
        [id=order rev=1 arrived=2025-04-10] line APP 10 from 2025-01-01 to 2025-03-01
        [id=added arrived=2025-04-10] line APP 15 name added from 2025-03-01
        settle 2025-04-10T00:00
        ",
        &expect![[r#"
            settle 2025-04-09T00:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 10 demand 0 peak 15 at 2025-03-03T10:00 short 5 2025-03-03T10:00..2025-03-03T17:00
            + position everyone APP concurrent 2025-04: covered entitled 10 demand 0 peak 0
            + problem over_use everyone APP 2025-03 5 2025-03-03T10:00..2025-03-03T17:00
            + problem shelfware everyone APP 2025-04 10 2025-04-01..open
            settle 2025-04-10T00:00:00Z
            + position everyone APP concurrent 2025-03: near entitled 15 demand 0 peak 15 at 2025-03-03T10:00
            - position everyone APP concurrent 2025-03: over entitled 10 demand 0 peak 15 at 2025-03-03T10:00 short 5 2025-03-03T10:00..2025-03-03T17:00
            - position everyone APP concurrent 2025-04: covered entitled 10 demand 0 peak 0
            + position everyone APP concurrent 2025-04: covered entitled 15 demand 0 peak 0
            + problem near_limit everyone APP 2025-03 15 2025-03-03T10:00..2025-04-01
            - problem over_use everyone APP 2025-03 5 2025-03-03T10:00..2025-03-03T17:00
            - problem shelfware everyone APP 2025-04 10 2025-04-01..open
            + problem shelfware everyone APP 2025-04 15 2025-04-01..open
        "#]],
    );
}

#[test]
fn maintenance_without_the_right_that_it_belongs_to_is_reported() {
    check(
        "
        line APP 5 name base to 2025-03-01
        line APP 5 name care maintenance base base
        settle 12:00
        line APP 5 name base from 2025-03-01
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + problem base_licence_missing APP care 1 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled 5 demand 0 peak 0
            - problem base_licence_missing APP care 1 2025-03-01..open
            + problem shelfware everyone APP 2025-03 5 2025-03-01..open
        "#]],
    );
}

#[test]
fn of_three_features_that_are_used_the_one_without_a_right_is_missing() {
    check_by(
        "[[rule]]\nproducts = [\"FEATURE_*\"]\nmetrics = [\"feature\"]\n",
        "
        line FEATURE_A 1 metric feature from 2025-01-01
        line FEATURE_B unlimited metric feature from 2025-01-01
        line FEATURE_C 1 name old metric concurrent to 2024-01-01
        10:00 out FEATURE_A ada@ws1
        10:00 out FEATURE_B ada@ws1
        10:00 out FEATURE_B bob@ws2
        10:00 out FEATURE_C ada@ws1
        10:00 out FEATURE_C bob@ws2
        settle 12:00
        [id=c] line FEATURE_C 1 metric feature from 2025-01-01
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone FEATURE_A feature 2025-03: covered entitled unlimited demand 1 peak 1 at 2025-03-03T10:00
            + position everyone FEATURE_B feature 2025-03: covered entitled unlimited demand 1 peak 1 at 2025-03-03T10:00
            + position everyone FEATURE_C concurrent 2025-03: expired entitled 0 demand 2 peak 2 at 2025-03-03T10:00 short 2 2025-03-03T10:00..open
            + position everyone FEATURE_C feature 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem expired_in_use everyone FEATURE_C 2025-03 2 2025-03-03T10:00..open
            + problem unlicensed_feature_use everyone FEATURE_C 2025-03 1 2025-03-03T10:00..open
            settle 2025-03-03T12:00:00Z
            + position everyone FEATURE_C feature 2025-03: covered entitled unlimited demand 1 peak 1 at 2025-03-03T10:00
            - position everyone FEATURE_C feature 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            - problem unlicensed_feature_use everyone FEATURE_C 2025-03 1 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn what_a_line_cost_prices_what_comes_after_it_as_well() {
    check(
        "
        line APP 1 name now from 2025-01-01
        2025-03-30T10:00 out APP ada@ws1
        2025-03-30T10:00 out APP bob@ws2
        settle 2025-04-02
        line APP 4 name once from 2025-01-01 to 2025-02-01 cost 200
        settle
        ",
        &expect![[r#"
            settle 2025-04-02T00:00:00Z
            + position everyone APP concurrent 2025-03: over entitled 1 demand 2 peak 2 at 2025-03-30T10:00 short 1 2025-03-30T10:00..2025-04-01
            + position everyone APP concurrent 2025-04: over entitled 1 demand 2 peak 2 at 2025-04-01 short 1 2025-04-01..open
            + problem over_use everyone APP 2025-03 1 2025-03-30T10:00..2025-04-01
            + problem over_use everyone APP 2025-04 1 2025-04-01..open
            settle
            - position everyone APP concurrent 2025-03: over entitled 1 demand 2 peak 2 at 2025-03-30T10:00 short 1 2025-03-30T10:00..2025-04-01
            + position everyone APP concurrent 2025-03: over entitled 1 demand 2 peak 2 at 2025-03-30T10:00 short 1 2025-03-30T10:00..2025-04-01
            - position everyone APP concurrent 2025-04: over entitled 1 demand 2 peak 2 at 2025-04-01 short 1 2025-04-01..open
            + position everyone APP concurrent 2025-04: over entitled 1 demand 2 peak 2 at 2025-04-01 short 1 2025-04-01..open
            - problem over_use everyone APP 2025-03 1 2025-03-30T10:00..2025-04-01
            + problem over_use everyone APP 2025-03 1 2025-03-30T10:00..2025-04-01 50.00 EUR
            - problem over_use everyone APP 2025-04 1 2025-04-01..open
            + problem over_use everyone APP 2025-04 1 2025-04-01..open 50.00 EUR
        "#]],
    );
}

#[test]
fn a_right_that_lapses_before_its_renewal_is_reported_and_a_longer_pause_is_not() {
    check_by(
        r#"
        [[rule]]
        products = ["APP"]
        renewal_gap_seconds = 2592000
        "#,
        "
        line APP 5 name old account north from 2024-01-01 to 2025-01-01
        line APP 5 name new account north from 2025-01-11
        line APP 5 name early account south from 2024-01-01 to 2024-07-01
        line APP 5 name late account south from 2025-01-01
        settle 2025-01-05
        line APP 5 name between account north from 2025-01-01 to 2025-02-01
        settle 2025-01-05
        ",
        &expect![[r#"
            settle 2025-01-05T00:00:00Z
            + position south APP concurrent 2025-01: covered entitled 5 demand 0 peak 0
            + problem contract_gap north APP 1 2025-01-01..2025-01-11
            + problem shelfware south APP 2025-01 5 2025-01-01..open
            settle 2025-01-05T00:00:00Z
            + position north APP concurrent 2025-01: covered entitled 5 demand 0 peak 0
            - problem contract_gap north APP 1 2025-01-01..2025-01-11
            + problem shelfware north APP 2025-01 5 2025-01-01..open
        "#]],
    );
}
