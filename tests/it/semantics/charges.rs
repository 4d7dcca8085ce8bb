//! What metered use costs by bands of prices (2.11), and what late events change of it (C8).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn graduated_prices_apply_to_each_part_of_a_quantity() {
    check(
        "
        show charges
        price A graduated up_to 5 flat 100 from 2025-03-01
        price A graduated up_to 10 flat 50 from 2025-03-01
        price A graduated up_to 15 unit 10 from 2025-03-01
        price A graduated unit 5 from 2025-03-01
        settle 09:00
        10:00 use A 3
        settle 10:00
        11:00 use A 2
        settle 11:00
        12:00 use A 0.001
        settle 12:00
        13:00 use A 1.999
        settle 13:00
        14:00 use A 5
        settle 14:00
        15:00 use A 10
        settle 15:00
        ",
        &expect![[r#"
            settle 2025-03-03T09:00:00Z
            + charge everyone A 2025-03: 0 graduated 100.00 EUR
            settle 2025-03-03T10:00:00Z
            - charge everyone A 2025-03: 0 graduated 100.00 EUR
            + charge everyone A 2025-03: 3 graduated 100.00 EUR
            + position everyone A volume 2025-03: unlicensed entitled 0 demand 3 peak 3 at 2025-03-01 short 3 2025-03-01..open
            + problem unlicensed_use everyone A 2025-03 3 2025-03-01..open
            settle 2025-03-03T11:00:00Z
            - charge everyone A 2025-03: 3 graduated 100.00 EUR
            + charge everyone A 2025-03: 5 graduated 100.00 EUR
            - position everyone A volume 2025-03: unlicensed entitled 0 demand 3 peak 3 at 2025-03-01 short 3 2025-03-01..open
            + position everyone A volume 2025-03: unlicensed entitled 0 demand 5 peak 5 at 2025-03-01 short 5 2025-03-01..open
            - problem unlicensed_use everyone A 2025-03 3 2025-03-01..open
            + problem unlicensed_use everyone A 2025-03 5 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            - charge everyone A 2025-03: 5 graduated 100.00 EUR
            + charge everyone A 2025-03: 5.001 graduated 150.00 EUR
            - position everyone A volume 2025-03: unlicensed entitled 0 demand 5 peak 5 at 2025-03-01 short 5 2025-03-01..open
            + position everyone A volume 2025-03: unlicensed entitled 0 demand 5.001 peak 5.001 at 2025-03-01 short 5.001 2025-03-01..open
            - problem unlicensed_use everyone A 2025-03 5 2025-03-01..open
            + problem unlicensed_use everyone A 2025-03 5.001 2025-03-01..open
            settle 2025-03-03T13:00:00Z
            - charge everyone A 2025-03: 5.001 graduated 150.00 EUR
            + charge everyone A 2025-03: 7 graduated 150.00 EUR
            - position everyone A volume 2025-03: unlicensed entitled 0 demand 5.001 peak 5.001 at 2025-03-01 short 5.001 2025-03-01..open
            + position everyone A volume 2025-03: unlicensed entitled 0 demand 7 peak 7 at 2025-03-01 short 7 2025-03-01..open
            - problem unlicensed_use everyone A 2025-03 5.001 2025-03-01..open
            + problem unlicensed_use everyone A 2025-03 7 2025-03-01..open
            settle 2025-03-03T14:00:00Z
            + charge everyone A 2025-03: 12 graduated 170.00 EUR
            - charge everyone A 2025-03: 7 graduated 150.00 EUR
            + position everyone A volume 2025-03: unlicensed entitled 0 demand 12 peak 12 at 2025-03-01 short 12 2025-03-01..open
            - position everyone A volume 2025-03: unlicensed entitled 0 demand 7 peak 7 at 2025-03-01 short 7 2025-03-01..open
            + problem unlicensed_use everyone A 2025-03 12 2025-03-01..open
            - problem unlicensed_use everyone A 2025-03 7 2025-03-01..open
            settle 2025-03-03T15:00:00Z
            - charge everyone A 2025-03: 12 graduated 170.00 EUR
            + charge everyone A 2025-03: 22 graduated 235.00 EUR
            - position everyone A volume 2025-03: unlicensed entitled 0 demand 12 peak 12 at 2025-03-01 short 12 2025-03-01..open
            + position everyone A volume 2025-03: unlicensed entitled 0 demand 22 peak 22 at 2025-03-01 short 22 2025-03-01..open
            - problem unlicensed_use everyone A 2025-03 12 2025-03-01..open
            + problem unlicensed_use everyone A 2025-03 22 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_volume_price_falls_when_a_late_unit_enters_a_cheaper_band() {
    check(
        "
        show charges
        price A volume up_to 5 flat 100 from 2025-01-01
        price A volume up_to 10 flat 150 from 2025-01-01
        price A volume up_to 15 unit 10 from 2025-01-01
        price A volume unit 5 from 2025-01-01
        2025-01-10 use A 15
        2025-02-10 use A 5
        settle 2025-02-15
        [arrived=2025-02-16] 2025-01-11 use A 1
        settle 2025-02-16
        ",
        &expect![[r#"
            settle 2025-02-15T00:00:00Z
            + charge everyone A 2025-01: 15 volume 150.00 EUR
            + charge everyone A 2025-02: 5 volume 100.00 EUR
            + position everyone A volume 2025-01: unlicensed entitled 0 demand 15 peak 15 at 2025-01-01 short 15 2025-01-01..2025-02-01
            + position everyone A volume 2025-02: unlicensed entitled 0 demand 5 peak 5 at 2025-02-01 short 5 2025-02-01..open
            + problem unlicensed_use everyone A 2025-01 15 2025-01-01..2025-02-01
            + problem unlicensed_use everyone A 2025-02 5 2025-02-01..open
            settle 2025-02-16T00:00:00Z
            - charge everyone A 2025-01: 15 volume 150.00 EUR
            + charge everyone A 2025-01: 16 volume 80.00 EUR
            - position everyone A volume 2025-01: unlicensed entitled 0 demand 15 peak 15 at 2025-01-01 short 15 2025-01-01..2025-02-01
            + position everyone A volume 2025-01: unlicensed entitled 0 demand 16 peak 16 at 2025-01-01 short 16 2025-01-01..2025-02-01
            - problem unlicensed_use everyone A 2025-01 15 2025-01-01..2025-02-01
            + problem unlicensed_use everyone A 2025-01 16 2025-01-01..2025-02-01
        "#]],
    );
}

#[test]
fn a_correction_changes_the_charge_of_its_own_period_only() {
    check(
        "
        show charges
        price A graduated unit 10
        [id=e1] 2025-01-10 use A 5
        settle 2025-01-31
        [id=e1 rev=1 arrived=2025-02-10] 2025-01-10 use A 7
        2025-02-10 use A 3
        settle 2025-02-10
        ",
        &expect![[r#"
            settle 2025-01-31T00:00:00Z
            + charge everyone A 2025-01: 5 graduated 50.00 EUR
            + position everyone A volume 2025-01: unlicensed entitled 0 demand 5 peak 5 at 2025-01-01 short 5 2025-01-01..open
            + problem unlicensed_use everyone A 2025-01 5 2025-01-01..open
            settle 2025-02-10T00:00:00Z
            - charge everyone A 2025-01: 5 graduated 50.00 EUR
            + charge everyone A 2025-01: 7 graduated 70.00 EUR
            + charge everyone A 2025-02: 3 graduated 30.00 EUR
            - position everyone A volume 2025-01: unlicensed entitled 0 demand 5 peak 5 at 2025-01-01 short 5 2025-01-01..open
            + position everyone A volume 2025-01: unlicensed entitled 0 demand 7 peak 7 at 2025-01-01 short 7 2025-01-01..2025-02-01
            + position everyone A volume 2025-02: unlicensed entitled 0 demand 3 peak 3 at 2025-02-01 short 3 2025-02-01..open
            - problem unlicensed_use everyone A 2025-01 5 2025-01-01..open
            + problem unlicensed_use everyone A 2025-01 7 2025-01-01..2025-02-01
            + problem unlicensed_use everyone A 2025-02 3 2025-02-01..open
        "#]],
    );
}

#[test]
fn begun_packages_cost_whole_ones_beyond_the_free_units() {
    check(
        "
        show charges
        price A package up_to 100 unit 5 block 100
        10:00 use A 201
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + charge everyone A 2025-03: 201 package 10.00 EUR
            + position everyone A volume 2025-03: unlicensed entitled 0 demand 201 peak 201 at 2025-03-01 short 201 2025-03-01..open
            + problem unlicensed_use everyone A 2025-03 201 2025-03-01..open
        "#]],
    );
}

#[test]
fn blocks_cost_by_their_own_band_or_all_by_the_highest() {
    check(
        "
        show charges
        price MIN graduated up_to 1000 unit 1 block 10
        price MIN graduated unit 0.5 block 10
        price MB graduated up_to 1024 unit 0.5
        price MB graduated unit 0.1
        price TOPMIN top_tier up_to 1000 unit 1 block 10
        price TOPMIN top_tier unit 0.5 block 10
        price TOPMB top_tier up_to 1024 unit 0.5
        price TOPMB top_tier unit 0.1
        10:00 use MIN 1500
        10:00 use MB 2048
        10:00 use TOPMIN 1500
        10:00 use TOPMB 2048
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + charge everyone MB 2025-03: 2048 graduated 614.40 EUR
            + charge everyone MIN 2025-03: 1500 graduated 125.00 EUR
            + charge everyone TOPMB 2025-03: 2048 top_tier 204.80 EUR
            + charge everyone TOPMIN 2025-03: 1500 top_tier 75.00 EUR
            + position everyone MB volume 2025-03: unlicensed entitled 0 demand 2048 peak 2048 at 2025-03-01 short 2048 2025-03-01..open
            + position everyone MIN volume 2025-03: unlicensed entitled 0 demand 1500 peak 1500 at 2025-03-01 short 1500 2025-03-01..open
            + position everyone TOPMB volume 2025-03: unlicensed entitled 0 demand 2048 peak 2048 at 2025-03-01 short 2048 2025-03-01..open
            + position everyone TOPMIN volume 2025-03: unlicensed entitled 0 demand 1500 peak 1500 at 2025-03-01 short 1500 2025-03-01..open
            + problem unlicensed_use everyone MB 2025-03 2048 2025-03-01..open
            + problem unlicensed_use everyone MIN 2025-03 1500 2025-03-01..open
            + problem unlicensed_use everyone TOPMB 2025-03 2048 2025-03-01..open
            + problem unlicensed_use everyone TOPMIN 2025-03 1500 2025-03-01..open
        "#]],
    );
}

#[test]
fn events_of_one_second_cost_the_same_in_any_order() {
    check(
        "
        show charges
        price A graduated up_to 2 unit 0
        price A graduated unit 200
        [id=e1] 10:00 use A 1
        [id=e2] 10:00 use A 1
        [id=e3] 10:00 use A 1
        settle 12:00
        retract e1
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + charge everyone A 2025-03: 3 graduated 200.00 EUR
            + position everyone A volume 2025-03: unlicensed entitled 0 demand 3 peak 3 at 2025-03-01 short 3 2025-03-01..open
            + problem unlicensed_use everyone A 2025-03 3 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            + charge everyone A 2025-03: 2 graduated 0.00 EUR
            - charge everyone A 2025-03: 3 graduated 200.00 EUR
            + position everyone A volume 2025-03: unlicensed entitled 0 demand 2 peak 2 at 2025-03-01 short 2 2025-03-01..open
            - position everyone A volume 2025-03: unlicensed entitled 0 demand 3 peak 3 at 2025-03-01 short 3 2025-03-01..open
            + problem unlicensed_use everyone A 2025-03 2 2025-03-01..open
            - problem unlicensed_use everyone A 2025-03 3 2025-03-01..open
        "#]],
    );
}

#[test]
fn an_account_with_prices_of_its_own_pays_for_what_is_below_it() {
    check(
        "
        show charges
        account group
        account emea under group
        account london under emea
        price A volume unit 1
        price A volume unit 2 account emea
        10:00 use A 3 for group
        10:00 use A 5 for emea
        10:00 use A 7 for london
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + charge emea A 2025-03: 12 volume 24.00 EUR
            + charge everyone A 2025-03: 3 volume 3.00 EUR
            + position emea A volume 2025-03: unlicensed entitled 0 demand 5 peak 5 at 2025-03-01 short 5 2025-03-01..open
            + position group A volume 2025-03: unlicensed entitled 0 demand 3 peak 3 at 2025-03-01 short 3 2025-03-01..open
            + position london A volume 2025-03: unlicensed entitled 0 demand 7 peak 7 at 2025-03-01 short 7 2025-03-01..open
            + problem unlicensed_use emea A 2025-03 5 2025-03-01..open
            + problem unlicensed_use group A 2025-03 3 2025-03-01..open
            + problem unlicensed_use london A 2025-03 7 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_new_price_within_a_period_cuts_it_and_counts_from_the_first_band() {
    check(
        "
        show charges
        price A graduated up_to 5 unit 10 from 2025-03-01 to 2025-03-16
        price A graduated unit 1 from 2025-03-01 to 2025-03-16
        price A graduated up_to 5 unit 20 from 2025-03-16
        price A graduated unit 2 from 2025-03-16
        2025-03-10 use A 6
        2025-03-16 use A 6
        settle 2025-03-20
        ",
        &expect![[r#"
            settle 2025-03-20T00:00:00Z
            + charge everyone A 2025-03 2025-03-01..2025-03-16: 6 graduated 51.00 EUR
            + charge everyone A 2025-03 2025-03-16..2025-04-01: 6 graduated 102.00 EUR
            + position everyone A volume 2025-03: unlicensed entitled 0 demand 12 peak 12 at 2025-03-01 short 12 2025-03-01..open
            + problem unlicensed_use everyone A 2025-03 12 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_flat_price_is_due_for_periods_without_use() {
    check(
        "
        show charges
        price A graduated unit 1 flat 100 from 2025-01-15 to 2025-03-01
        settle 2025-02-01
        settle 2025-03-20
        ",
        &expect![[r#"
            settle 2025-02-01T00:00:00Z
            + charge everyone A 2025-01 2025-01-15..2025-02-01: 0 graduated 100.00 EUR
            + charge everyone A 2025-02: 0 graduated 100.00 EUR
            settle 2025-03-20T00:00:00Z
        "#]],
    );
}

#[test]
fn a_flat_price_is_due_for_every_year_since_it_holds_however_long_ago() {
    check_by(
        "position_period = \"year\"\nfurther_periods = []",
        "
        show charges
        price A graduated unit 1 flat 100 from 2012-07-01
        settle 2025-02-01
        settle 2026-02-01
        ",
        &expect![[r#"
            settle 2025-02-01T00:00:00Z
            + charge everyone A 2012 2012-07-01..2013-01-01: 0 graduated 100.00 EUR
            + charge everyone A 2013: 0 graduated 100.00 EUR
            + charge everyone A 2014: 0 graduated 100.00 EUR
            + charge everyone A 2015: 0 graduated 100.00 EUR
            + charge everyone A 2016: 0 graduated 100.00 EUR
            + charge everyone A 2017: 0 graduated 100.00 EUR
            + charge everyone A 2018: 0 graduated 100.00 EUR
            + charge everyone A 2019: 0 graduated 100.00 EUR
            + charge everyone A 2020: 0 graduated 100.00 EUR
            + charge everyone A 2021: 0 graduated 100.00 EUR
            + charge everyone A 2022: 0 graduated 100.00 EUR
            + charge everyone A 2023: 0 graduated 100.00 EUR
            + charge everyone A 2024: 0 graduated 100.00 EUR
            + charge everyone A 2025: 0 graduated 100.00 EUR
            settle 2026-02-01T00:00:00Z
            + charge everyone A 2026: 0 graduated 100.00 EUR
        "#]],
    );
}

#[test]
fn a_flat_price_without_a_beginning_is_due_from_the_first_use_on() {
    check(
        "
        show charges
        price A graduated unit 1 flat 100 to 2025-04-10
        settle 2025-02-05
        2025-02-20 use A 3
        settle 2025-03-05
        settle 2025-04-20
        ",
        &expect![[r#"
            settle 2025-02-05T00:00:00Z
            settle 2025-03-05T00:00:00Z
            + charge everyone A 2025-02: 3 graduated 103.00 EUR
            + charge everyone A 2025-03: 0 graduated 100.00 EUR
            + position everyone A volume 2025-02: unlicensed entitled 0 demand 3 peak 3 at 2025-02-01 short 3 2025-02-01..2025-03-01
            + problem unlicensed_use everyone A 2025-02 3 2025-02-01..2025-03-01
            settle 2025-04-20T00:00:00Z
            + charge everyone A 2025-04 2025-04-01..2025-04-10: 0 graduated 100.00 EUR
        "#]],
    );
}

#[test]
fn bands_that_contradict_each_other_give_no_price() {
    check(
        "
        show charges
        price A graduated up_to 5 unit 1
        [id=p] price A graduated up_to 5 unit 2
        10:00 use A 3
        settle 12:00
        retract p
        settle 12:00
        10:00 use A 3
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + charge everyone A 2025-03: 3 contradictory no price
            + position everyone A volume 2025-03: unlicensed entitled 0 demand 3 peak 3 at 2025-03-01 short 3 2025-03-01..open
            + problem unlicensed_use everyone A 2025-03 3 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            - charge everyone A 2025-03: 3 contradictory no price
            + charge everyone A 2025-03: 3 graduated 3.00 EUR
            settle 2025-03-03T12:00:00Z
            - charge everyone A 2025-03: 3 graduated 3.00 EUR
            + charge everyone A 2025-03: 6 graduated no price
            - position everyone A volume 2025-03: unlicensed entitled 0 demand 3 peak 3 at 2025-03-01 short 3 2025-03-01..open
            + position everyone A volume 2025-03: unlicensed entitled 0 demand 6 peak 6 at 2025-03-01 short 6 2025-03-01..open
            - problem unlicensed_use everyone A 2025-03 3 2025-03-01..open
            + problem unlicensed_use everyone A 2025-03 6 2025-03-01..open
        "#]],
    );
}

#[test]
fn months_of_a_charge_are_local_to_who_pays() {
    check(
        "
        show charges
        account tokyo zone Asia/Tokyo
        price A volume unit 1 account tokyo
        2025-02-28T14:59 use A 1 for tokyo
        2025-02-28T15:00 use A 2 for tokyo
        settle 2025-03-31
        ",
        &expect![[r#"
            settle 2025-03-31T00:00:00Z
            + charge tokyo A 2025-01-31: 1 volume 1.00 EUR
            + charge tokyo A 2025-02-28: 2 volume 2.00 EUR
            + position tokyo A volume 2025-01-31: unlicensed entitled 0 demand 1 peak 1 at 2025-01-31T15:00 short 1 2025-01-31T15:00..2025-02-28T15:00
            + position tokyo A volume 2025-02-28: unlicensed entitled 0 demand 2 peak 2 at 2025-02-28T15:00 short 2 2025-02-28T15:00..open
            + problem unlicensed_use tokyo A 2025-01-31 1 2025-01-31T15:00..2025-02-28T15:00
            + problem unlicensed_use tokyo A 2025-02-28 2 2025-02-28T15:00..open
        "#]],
    );
}
