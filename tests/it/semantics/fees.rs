//! What lines cost by parts of periods, and what is billed of use beyond them (A 2.8, 2.17, 2.20).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

/// 54 proration, LAGO-up: 14 and 17 days of 31; the day of the change is the new plan's.
#[test]
fn an_upgrade_within_a_month_costs_the_days_of_both_plans() {
    check(
        "
        show fees
        line PLAN 1 name OLD from 2025-01-01 to 2025-01-15
        line PLAN 1 name NEW from 2025-01-15
        fee OLD 100 per month
        fee NEW 200 per month
        settle 2025-01-10
        settle 2025-01-20
        settle 2025-02-01
        ",
        &expect![[r#"
            settle 2025-01-10T00:00:00Z
            + fee everyone PLAN OLD 2025-01 2025-01-01..2025-01-15: 100.00 EUR for 14 of 31 is 45.16 EUR
            + position everyone PLAN concurrent 2025-01: covered entitled 1 demand 0 peak 0
            + problem shelfware everyone PLAN 2025-01 1 2025-01-01..open
            settle 2025-01-20T00:00:00Z
            + fee everyone PLAN NEW 2025-01 2025-01-15..2025-02-01: 200.00 EUR for 17 of 31 is 109.68 EUR
            settle 2025-02-01T00:00:00Z
            + fee everyone PLAN NEW 2025-02: 200.00 EUR for 28 of 28 is 200.00 EUR
            - position everyone PLAN concurrent 2025-01: covered entitled 1 demand 0 peak 0
            + position everyone PLAN concurrent 2025-02: covered entitled 1 demand 0 peak 0
            - problem shelfware everyone PLAN 2025-01 1 2025-01-01..open
            + problem shelfware everyone PLAN 2025-02 1 2025-02-01..open
        "#]],
    );
}

/// The same where the price of one line changes, and where the change is told late.
#[test]
fn a_price_that_is_told_to_have_changed_splits_the_months_since_then() {
    check(
        "
        show fees
        line PLAN 10 name P from 2025-01-01
        [id=old] fee P 100 per month
        settle 2025-02-10
        [id=old rev=1] fee P 100 per month to 2025-01-15
        fee P 200 per month from 2025-01-15
        settle 2025-02-10
        ",
        &expect![[r#"
            settle 2025-02-10T00:00:00Z
            + fee everyone PLAN P 2025-01: 100.00 EUR for 31 of 31 is 100.00 EUR
            + fee everyone PLAN P 2025-02: 100.00 EUR for 28 of 28 is 100.00 EUR
            + position everyone PLAN concurrent 2025-02: covered entitled 10 demand 0 peak 0
            + problem shelfware everyone PLAN 2025-02 10 2025-02-01..open
            settle 2025-02-10T00:00:00Z
            + fee everyone PLAN P 2025-01 2025-01-01..2025-01-15: 100.00 EUR for 14 of 31 is 45.16 EUR
            + fee everyone PLAN P 2025-01 2025-01-15..2025-02-01: 200.00 EUR for 17 of 31 is 109.68 EUR
            - fee everyone PLAN P 2025-01: 100.00 EUR for 31 of 31 is 100.00 EUR
            - fee everyone PLAN P 2025-02: 100.00 EUR for 28 of 28 is 100.00 EUR
            + fee everyone PLAN P 2025-02: 200.00 EUR for 28 of 28 is 200.00 EUR
        "#]],
    );
}

/// 56 denominator, LAGO-denom: from 20 May to the end of June are 42 of the 91 days of the quarter.
#[test]
fn a_line_that_begins_within_a_quarter_costs_its_days_of_the_whole_quarter() {
    check(
        "
        show fees
        line PLAN 1 name P from 2024-05-20
        fee P 91 per quarter
        settle 2024-06-01
        settle 2024-07-01
        ",
        &expect![[r#"
            settle 2024-06-01T00:00:00Z
            + fee everyone PLAN P 2024-Q2 2024-05-20..2024-07-01: 91.00 EUR for 42 of 91 is 42.00 EUR
            + position everyone PLAN concurrent 2024-06: covered entitled 1 demand 0 peak 0
            + problem shelfware everyone PLAN 2024-06 1 2024-06-01..open
            settle 2024-07-01T00:00:00Z
            + fee everyone PLAN P 2024-Q3: 91.00 EUR for 92 of 92 is 91.00 EUR
            - position everyone PLAN concurrent 2024-06: covered entitled 1 demand 0 peak 0
            + position everyone PLAN concurrent 2024-07: covered entitled 1 demand 0 peak 0
            - problem shelfware everyone PLAN 2024-06 1 2024-06-01..open
            + problem shelfware everyone PLAN 2024-07 1 2024-07-01..open
        "#]],
    );
}

/// 71 trial-proration, LAGO-trial, KB-trial.
#[test]
fn the_days_of_a_trial_are_free_and_an_addition_has_the_trial_of_its_base() {
    check(
        "
        show fees
        line SHORT 1 from 2025-01-01 to 2025-02-01 name S
        fee S 100 per month trial 3
        line LONG 1 from 2025-01-01 to 2025-03-01 name L
        fee L 100 per month trial 45
        line BASE 1 from 2015-08-01 to 2015-09-01 name B
        fee B 31 per month trial 14
        line MORE 1 from 2015-08-06 to 2015-09-01 name M
        fee M 31 per month trial 14 base B
        settle 2025-03-01
        ",
        &expect![[r#"
            settle 2025-03-01T00:00:00Z
            + fee everyone BASE B 2015-08 2015-08-15..2015-09-01: 31.00 EUR for 17 of 31 is 17.00 EUR
            + fee everyone LONG L 2025-01 2025-02-01..2025-02-01: 100.00 EUR for 0 of 31 is 0.00 EUR
            + fee everyone LONG L 2025-02 2025-02-15..2025-03-01: 100.00 EUR for 14 of 28 is 50.00 EUR
            + fee everyone MORE M 2015-08 2015-08-15..2015-09-01: 31.00 EUR for 17 of 31 is 17.00 EUR
            + fee everyone SHORT S 2025-01 2025-01-04..2025-02-01: 100.00 EUR for 28 of 31 is 90.32 EUR
        "#]],
    );
}

/// LAGO-seat, GHAE: 22 of 31 days of July; 25 of 31 days for each of three users.
#[test]
fn a_fee_for_each_unit_is_multiplied_by_what_the_line_grants() {
    check(
        "
        show fees
        line SEAT 1 name S metric named_user from 2025-07-10
        fee S 10 per month each
        line GHAE 3 name G metric named_user from 2025-07-07
        fee G 39 per month each
        line ALL unlimited name U from 2025-07-01
        fee U 5 per month each
        settle 2025-07-31
        ",
        &expect![[r#"
            settle 2025-07-31T00:00:00Z
            + fee everyone ALL U 2025-07: 5.00 EUR each of unlimited for 31 of 31 cannot be said
            + fee everyone GHAE G 2025-07 2025-07-07..2025-08-01: 39.00 EUR each of 3 for 25 of 31 is 94.35 EUR
            + fee everyone SEAT S 2025-07 2025-07-10..2025-08-01: 10.00 EUR each of 1 for 22 of 31 is 7.10 EUR
            + position everyone ALL concurrent 2025-07: covered entitled unlimited demand 0 peak 0
            + position everyone GHAE named_user 2025-07: covered entitled 3 demand 0 peak 0
            + position everyone SEAT named_user 2025-07: covered entitled 1 demand 0 peak 0
            + problem shelfware everyone GHAE 2025-07 3 2025-07-01..open
            + problem shelfware everyone SEAT 2025-07 1 2025-07-01..open
        "#]],
    );
}

/// 55 coterm, IBM-coterm: 6000 for 181 days, 10 percent more, for 306 days.
#[test]
fn a_line_that_is_brought_to_the_end_of_another_costs_its_own_days_of_the_price() {
    check(
        "
        show fees
        line SUPPORT 1 name OLD from 2025-01-01 to 2025-07-01
        fee OLD 6000 per all
        line SUPPORT 1 name NEW from 2025-07-01 to 2026-05-03
        fee NEW 6000 per all uplift 1.1 base OLD
        settle 2025-07-01
        ",
        &expect![[r#"
            settle 2025-07-01T00:00:00Z
            + fee everyone SUPPORT NEW term 2025-07-01..2026-05-03: 6000.00 EUR for 306 of 181 is 11158.01 EUR
            + fee everyone SUPPORT OLD term 2025-01-01..2025-07-01: 6000.00 EUR for 181 of 181 is 6000.00 EUR
            + position everyone SUPPORT concurrent 2025-07: covered entitled 1 demand 0 peak 0
            + problem shelfware everyone SUPPORT 2025-07 1 2025-07-01..open
        "#]],
    );
}

/// SOCOTRA, STRIPE-up.
#[test]
fn half_a_year_is_six_months_or_181_days_of_365_and_half_a_month_counts_by_the_second() {
    check(
        "
        show fees
        line MONTHS 1 name M from 2025-01-01 to 2025-07-01
        fee M 1000 per year count months_12
        line DAYS 1 name D from 2025-01-01 to 2025-07-01
        fee D 1000 per year count actual_365
        line OLD 1 name O from 2025-04-01 to 2025-04-16
        fee O 10 per month count seconds
        line NEW 1 name N from 2025-04-16 to 2025-05-01
        fee N 20 per month count seconds
        settle 2025-12-31
        ",
        &expect![[r#"
            settle 2025-12-31T00:00:00Z
            + fee everyone DAYS D 2025 2025-01-01..2025-07-01: 1000.00 EUR for 181 of 365 is 495.89 EUR
            + fee everyone MONTHS M 2025 2025-01-01..2025-07-01: 1000.00 EUR for 6 of 12 is 500.00 EUR
            + fee everyone NEW N 2025-04 2025-04-16..2025-05-01: 20.00 EUR for 1296000000000 of 2592000000000 is 10.00 EUR
            + fee everyone OLD O 2025-04 2025-04-01..2025-04-16: 10.00 EUR for 1296000000000 of 2592000000000 is 5.00 EUR
        "#]],
    );
}

/// What cannot be said is not said: a term without an end by the days of another, an unknown base.
#[test]
fn a_term_without_an_end_costs_its_price_and_no_share_of_another_term() {
    check(
        "
        show fees
        line FOREVER 1 name F from 2025-01-01
        fee F 500 per all
        line OPEN 1 name O from 2025-01-01
        fee O 500 per all base TERM
        line LOST 1 name L from 2025-01-01 to 2025-02-01
        fee L 500 per all base NOWHERE
        line TERM 1 name TERM from 2025-01-01 to 2026-01-01
        settle 2025-01-15
        ",
        &expect![[r#"
            settle 2025-01-15T00:00:00Z
            + fee everyone FOREVER F term 2025-01-01..open: 500.00 EUR for 1 of 1 is 500.00 EUR
            + fee everyone LOST L term 2025-01-01..2025-02-01: 500.00 EUR cannot be said
            + fee everyone OPEN O term 2025-01-01..open: 500.00 EUR cannot be said
            + position everyone FOREVER concurrent 2025-01: covered entitled 1 demand 0 peak 0
            + position everyone LOST concurrent 2025-01: covered entitled 1 demand 0 peak 0
            + position everyone OPEN concurrent 2025-01: covered entitled 1 demand 0 peak 0
            + position everyone TERM concurrent 2025-01: covered entitled 1 demand 0 peak 0
            + problem shelfware everyone FOREVER 2025-01 1 2025-01-01..open
            + problem shelfware everyone LOST 2025-01 1 2025-01-01..open
            + problem shelfware everyone OPEN 2025-01 1 2025-01-01..open
            + problem shelfware everyone TERM 2025-01 1 2025-01-01..open
        "#]],
    );
}

/// 49 swatch-rm: 6 billing units of 4 are covered; 76 and 176 cores are 19 and 44 units.
#[test]
fn what_a_contract_covers_is_not_billed_and_what_was_billed_is_not_billed_again() {
    check_by(
        r#"
        [[rule]]
        products = ["CORES"]
        billing_unit = 4
        [[rule]]
        products = ["HOURS"]
        billing_unit = 1
        "#,
        "
        show bills
        line CORES 24 metric volume from 2025-01-01
        line HOURS 6 metric volume from 2025-01-01
        2025-01-05 use CORES 100
        2025-01-05 use HOURS 100
        settle 2025-01-06
        2025-01-06 bill CORES 19
        2025-01-06 bill HOURS 94
        2025-01-07 use CORES 100
        2025-01-07 use HOURS 100
        settle 2025-01-08
        2025-01-08 bill CORES 25
        2025-01-08 bill HOURS 100
        settle 2025-01-08
        ",
        &expect![[r#"
            settle 2025-01-06T00:00:00Z
            + bill everyone CORES 2025-01: 76 is 19, billed 0, due 19
            + bill everyone HOURS 2025-01: 94 is 94, billed 0, due 94
            + position everyone CORES volume 2025-01: over entitled 24 demand 100 peak 100 at 2025-01-01 short 76 2025-01-01..open
            + position everyone HOURS volume 2025-01: over entitled 6 demand 100 peak 100 at 2025-01-01 short 94 2025-01-01..open
            + problem over_use everyone CORES 2025-01 76 2025-01-01..open
            + problem over_use everyone HOURS 2025-01 94 2025-01-01..open
            settle 2025-01-08T00:00:00Z
            + bill everyone CORES 2025-01: 176 is 44, billed 19, due 25
            - bill everyone CORES 2025-01: 76 is 19, billed 0, due 19
            + bill everyone HOURS 2025-01: 194 is 194, billed 94, due 100
            - bill everyone HOURS 2025-01: 94 is 94, billed 0, due 94
            - position everyone CORES volume 2025-01: over entitled 24 demand 100 peak 100 at 2025-01-01 short 76 2025-01-01..open
            + position everyone CORES volume 2025-01: over entitled 24 demand 200 peak 200 at 2025-01-01 short 176 2025-01-01..open
            - position everyone HOURS volume 2025-01: over entitled 6 demand 100 peak 100 at 2025-01-01 short 94 2025-01-01..open
            + position everyone HOURS volume 2025-01: over entitled 6 demand 200 peak 200 at 2025-01-01 short 194 2025-01-01..open
            + problem over_use everyone CORES 2025-01 176 2025-01-01..open
            - problem over_use everyone CORES 2025-01 76 2025-01-01..open
            + problem over_use everyone HOURS 2025-01 194 2025-01-01..open
            - problem over_use everyone HOURS 2025-01 94 2025-01-01..open
            settle 2025-01-08T00:00:00Z
            - bill everyone CORES 2025-01: 176 is 44, billed 19, due 25
            + bill everyone CORES 2025-01: 176 is 44, billed 44, due 0
            + bill everyone HOURS 2025-01: 194 is 194, billed 194, due 0
            - bill everyone HOURS 2025-01: 194 is 194, billed 94, due 100
        "#]],
    );
}

/// 49 swatch-add: 40 covered of 100 are 60; of 501, 440 covered, 61 are 16 units, 64.
#[test]
fn a_contract_that_grows_covers_what_comes_later_and_gives_nothing_back() {
    check_by(
        r#"
        [[rule]]
        products = ["CORES"]
        billing_unit = 4
        "#,
        "
        show bills
        line CORES 40 metric volume from 2025-01-01
        2025-01-05 use CORES 100
        settle 2025-01-06
        2025-01-06 bill CORES 15
        line CORES 400 name MORE metric volume from 2025-01-01
        settle 2025-01-07
        2025-01-08 use CORES 100
        settle 2025-01-09
        2025-01-10 use CORES 301
        settle 2025-01-11
        ",
        &expect![[r#"
            settle 2025-01-06T00:00:00Z
            + bill everyone CORES 2025-01: 60 is 15, billed 0, due 15
            + position everyone CORES volume 2025-01: over entitled 40 demand 100 peak 100 at 2025-01-01 short 60 2025-01-01..open
            + problem over_use everyone CORES 2025-01 60 2025-01-01..open
            settle 2025-01-07T00:00:00Z
            + bill everyone CORES 2025-01: 0 is 0, billed 15, due 0
            - bill everyone CORES 2025-01: 60 is 15, billed 0, due 15
            + position everyone CORES volume 2025-01: covered entitled 440 demand 100 peak 100 at 2025-01-01
            - position everyone CORES volume 2025-01: over entitled 40 demand 100 peak 100 at 2025-01-01 short 60 2025-01-01..open
            - problem over_use everyone CORES 2025-01 60 2025-01-01..open
            + problem shelfware everyone CORES 2025-01 340 2025-01-01..open
            settle 2025-01-09T00:00:00Z
            - position everyone CORES volume 2025-01: covered entitled 440 demand 100 peak 100 at 2025-01-01
            + position everyone CORES volume 2025-01: covered entitled 440 demand 200 peak 200 at 2025-01-01
            + problem shelfware everyone CORES 2025-01 240 2025-01-01..open
            - problem shelfware everyone CORES 2025-01 340 2025-01-01..open
            settle 2025-01-11T00:00:00Z
            - bill everyone CORES 2025-01: 0 is 0, billed 15, due 0
            + bill everyone CORES 2025-01: 61 is 16, billed 15, due 1
            - position everyone CORES volume 2025-01: covered entitled 440 demand 200 peak 200 at 2025-01-01
            + position everyone CORES volume 2025-01: over entitled 440 demand 501 peak 501 at 2025-01-01 short 61 2025-01-01..open
            + problem over_use everyone CORES 2025-01 61 2025-01-01..open
            - problem shelfware everyone CORES 2025-01 240 2025-01-01..open
        "#]],
    );
}

/// 50 swatch-int: 0.2 in March is 1; 0.12, 0.3 more and 1.5 more in April are 1, 0 and 1 more.
#[test]
fn a_begun_unit_is_due_once_in_its_month() {
    check_by(
        r#"
        [[rule]]
        products = ["API"]
        billing_unit = 1
        "#,
        "
        show bills
        2025-03-05 use API 0.2
        settle 2025-03-06
        2025-03-06 bill API 1
        2025-04-05 use API 0.12
        settle 2025-04-06
        2025-04-06 bill API 1
        2025-04-07 use API 0.3
        settle 2025-04-08
        2025-04-08 use API 1.5
        settle 2025-04-09
        ",
        &expect![[r#"
            settle 2025-03-06T00:00:00Z
            + bill everyone API 2025-03: 0.2 is 1, billed 0, due 1
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 0.2 peak 0.2 at 2025-03-01 short 0.2 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 0.2 2025-03-01..open
            settle 2025-04-06T00:00:00Z
            - bill everyone API 2025-03: 0.2 is 1, billed 0, due 1
            + bill everyone API 2025-03: 0.2 is 1, billed 1, due 0
            + bill everyone API 2025-04: 0.12 is 1, billed 0, due 1
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 0.2 peak 0.2 at 2025-03-01 short 0.2 2025-03-01..2025-04-01
            - position everyone API volume 2025-03: unlicensed entitled 0 demand 0.2 peak 0.2 at 2025-03-01 short 0.2 2025-03-01..open
            + position everyone API volume 2025-04: unlicensed entitled 0 demand 0.12 peak 0.12 at 2025-04-01 short 0.12 2025-04-01..open
            + problem unlicensed_use everyone API 2025-03 0.2 2025-03-01..2025-04-01
            - problem unlicensed_use everyone API 2025-03 0.2 2025-03-01..open
            + problem unlicensed_use everyone API 2025-04 0.12 2025-04-01..open
            settle 2025-04-08T00:00:00Z
            - bill everyone API 2025-04: 0.12 is 1, billed 0, due 1
            + bill everyone API 2025-04: 0.42 is 1, billed 1, due 0
            - position everyone API volume 2025-04: unlicensed entitled 0 demand 0.12 peak 0.12 at 2025-04-01 short 0.12 2025-04-01..open
            + position everyone API volume 2025-04: unlicensed entitled 0 demand 0.42 peak 0.42 at 2025-04-01 short 0.42 2025-04-01..open
            - problem unlicensed_use everyone API 2025-04 0.12 2025-04-01..open
            + problem unlicensed_use everyone API 2025-04 0.42 2025-04-01..open
            settle 2025-04-09T00:00:00Z
            - bill everyone API 2025-04: 0.42 is 1, billed 1, due 0
            + bill everyone API 2025-04: 1.92 is 2, billed 1, due 1
            - position everyone API volume 2025-04: unlicensed entitled 0 demand 0.42 peak 0.42 at 2025-04-01 short 0.42 2025-04-01..open
            + position everyone API volume 2025-04: unlicensed entitled 0 demand 1.92 peak 1.92 at 2025-04-01 short 1.92 2025-04-01..open
            - problem unlicensed_use everyone API 2025-04 0.42 2025-04-01..open
            + problem unlicensed_use everyone API 2025-04 1.92 2025-04-01..open
        "#]],
    );
}

/// 8 amend: 4 corrected to 8 is due by 4 more; corrected to 3 it is given back where the terms say so.
#[test]
fn use_that_is_corrected_after_it_was_billed_is_due_by_the_difference() {
    check_by(
        r#"
        [[rule]]
        products = ["API"]
        billing_unit = 1
        [[rule]]
        products = ["FAIR"]
        billing_unit = 1
        billing_credits = true
        "#,
        "
        show bills
        [id=a] 2025-03-05 use API 4
        [id=f] 2025-03-05 use FAIR 4
        settle 2025-03-06
        2025-03-06 bill API 4
        2025-03-06 bill FAIR 4
        settle 2025-03-06
        [id=a rev=1] 2025-03-05 use API 8
        [id=f rev=1] 2025-03-05 use FAIR 8
        settle 2025-03-07
        [id=a rev=2] 2025-03-05 use API 3
        [id=f rev=2] 2025-03-05 use FAIR 3
        settle 2025-03-08
        ",
        &expect![[r#"
            settle 2025-03-06T00:00:00Z
            + bill everyone API 2025-03: 4 is 4, billed 0, due 4
            + bill everyone FAIR 2025-03: 4 is 4, billed 0, due 4
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            + position everyone FAIR volume 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 4 2025-03-01..open
            + problem unlicensed_use everyone FAIR 2025-03 4 2025-03-01..open
            settle 2025-03-06T00:00:00Z
            - bill everyone API 2025-03: 4 is 4, billed 0, due 4
            + bill everyone API 2025-03: 4 is 4, billed 4, due 0
            - bill everyone FAIR 2025-03: 4 is 4, billed 0, due 4
            + bill everyone FAIR 2025-03: 4 is 4, billed 4, due 0
            settle 2025-03-07T00:00:00Z
            - bill everyone API 2025-03: 4 is 4, billed 4, due 0
            + bill everyone API 2025-03: 8 is 8, billed 4, due 4
            - bill everyone FAIR 2025-03: 4 is 4, billed 4, due 0
            + bill everyone FAIR 2025-03: 8 is 8, billed 4, due 4
            - position everyone API volume 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 8 peak 8 at 2025-03-01 short 8 2025-03-01..open
            - position everyone FAIR volume 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..open
            + position everyone FAIR volume 2025-03: unlicensed entitled 0 demand 8 peak 8 at 2025-03-01 short 8 2025-03-01..open
            - problem unlicensed_use everyone API 2025-03 4 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 8 2025-03-01..open
            - problem unlicensed_use everyone FAIR 2025-03 4 2025-03-01..open
            + problem unlicensed_use everyone FAIR 2025-03 8 2025-03-01..open
            settle 2025-03-08T00:00:00Z
            + bill everyone API 2025-03: 3 is 3, billed 4, due 0
            - bill everyone API 2025-03: 8 is 8, billed 4, due 4
            + bill everyone FAIR 2025-03: 3 is 3, billed 4, due -1
            - bill everyone FAIR 2025-03: 8 is 8, billed 4, due 4
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 3 peak 3 at 2025-03-01 short 3 2025-03-01..open
            - position everyone API volume 2025-03: unlicensed entitled 0 demand 8 peak 8 at 2025-03-01 short 8 2025-03-01..open
            + position everyone FAIR volume 2025-03: unlicensed entitled 0 demand 3 peak 3 at 2025-03-01 short 3 2025-03-01..open
            - position everyone FAIR volume 2025-03: unlicensed entitled 0 demand 8 peak 8 at 2025-03-01 short 8 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 3 2025-03-01..open
            - problem unlicensed_use everyone API 2025-03 8 2025-03-01..open
            + problem unlicensed_use everyone FAIR 2025-03 3 2025-03-01..open
            - problem unlicensed_use everyone FAIR 2025-03 8 2025-03-01..open
        "#]],
    );
}

/// Who pays is who lacks: a bill for an account counts for it, whatever name it is billed by.
#[test]
fn a_bill_counts_for_the_account_and_the_month_that_it_is_for() {
    check_by(
        r#"
        [[rule]]
        products = ["API"]
        billing_unit = 1
        "#,
        "
        show bills
        account emea
        alias account EMEA-Ltd = emea
        2025-03-05 use API 4 for emea
        2025-03-31T23:00 bill API 3 for EMEA-Ltd
        [id=late] 2025-03-31T23:00 bill API 1
        settle 2025-04-02
        account emea zone Asia/Tokyo
        settle 2025-04-02
        retract late
        settle 2025-04-02
        ",
        &expect![[r#"
            settle 2025-04-02T00:00:00Z
            + bill emea API 2025-03: 4 is 4, billed 3, due 1
            + bill everyone API 2025-03: 0 is 0, billed 1, due 0
            + position emea API volume 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..2025-04-01
            + problem unlicensed_use emea API 2025-03 4 2025-03-01..2025-04-01
            settle 2025-04-02T00:00:00Z
            + bill emea API 2025-02-28: 4 is 4, billed 0, due 4
            + bill emea API 2025-03-31: 0 is 0, billed 3, due 0
            - bill emea API 2025-03: 4 is 4, billed 3, due 1
            + position emea API volume 2025-02-28: unlicensed entitled 0 demand 4 peak 4 at 2025-02-28T15:00 short 4 2025-02-28T15:00..2025-03-31T15:00
            - position emea API volume 2025-03: unlicensed entitled 0 demand 4 peak 4 at 2025-03-01 short 4 2025-03-01..2025-04-01
            + problem unlicensed_use emea API 2025-02-28 4 2025-02-28T15:00..2025-03-31T15:00
            - problem unlicensed_use emea API 2025-03 4 2025-03-01..2025-04-01
            settle 2025-04-02T00:00:00Z
            - bill everyone API 2025-03: 0 is 0, billed 1, due 0
        "#]],
    );
}

/// Rows are kept for each period since a line began, so no fee is due more often than daily.
#[test]
fn a_fee_of_every_hour_is_refused_and_one_of_every_day_goes_on_with_the_days() {
    check(
        "
        show fees
        line HOURLY 1 name H from 2025-01-01
        fee H 1 per hour
        line DAILY 1 name D from 2025-01-30
        fee D 2 per day
        settle 2025-01-31
        settle 2025-01-31T23:00
        settle 2025-02-02
        ",
        &expect![[r#"
            settle 2025-01-31T00:00:00Z
            + fee everyone DAILY D 2025-01-30: 2.00 EUR for 1 of 1 is 2.00 EUR
            + fee everyone DAILY D 2025-01-31: 2.00 EUR for 1 of 1 is 2.00 EUR
            + position everyone DAILY concurrent 2025-01: covered entitled 1 demand 0 peak 0
            + position everyone HOURLY concurrent 2025-01: covered entitled 1 demand 0 peak 0
            + problem shelfware everyone DAILY 2025-01 1 2025-01-01..open
            + problem shelfware everyone HOURLY 2025-01 1 2025-01-01..open
            settle 2025-01-31T23:00:00Z
            settle 2025-02-02T00:00:00Z
            + fee everyone DAILY D 2025-02-01: 2.00 EUR for 1 of 1 is 2.00 EUR
            + fee everyone DAILY D 2025-02-02: 2.00 EUR for 1 of 1 is 2.00 EUR
            - position everyone DAILY concurrent 2025-01: covered entitled 1 demand 0 peak 0
            + position everyone DAILY concurrent 2025-02: covered entitled 1 demand 0 peak 0
            - position everyone HOURLY concurrent 2025-01: covered entitled 1 demand 0 peak 0
            + position everyone HOURLY concurrent 2025-02: covered entitled 1 demand 0 peak 0
            - problem shelfware everyone DAILY 2025-01 1 2025-01-01..open
            + problem shelfware everyone DAILY 2025-02 1 2025-02-01..open
            - problem shelfware everyone HOURLY 2025-01 1 2025-01-01..open
            + problem shelfware everyone HOURLY 2025-02 1 2025-02-01..open
        "#]],
    );
}
