//! Use that is counted in other units: pools of tokens, ratios, value units by bands (A 2.4, 2.7).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn features_draw_tokens_by_their_weights_and_a_new_weight_counts_at_once() {
    check(
        "
        line TOKENS 8 metric token
        weight CAD = TOKENS 3
        weight CAM = TOKENS 2 to 2025-03-03T11:00
        weight CAM = TOKENS 4 from 2025-03-03T11:00
        10:00 out CAD ada@ws1
        10:00 out CAM bob@ws2 x2
        settle 10:30
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T10:30:00Z
            + position everyone TOKENS token 2025-03: covered entitled 8 demand 7 peak 7 at 2025-03-03T10:00
            settle 2025-03-03T11:00:00Z
            - position everyone TOKENS token 2025-03: covered entitled 8 demand 7 peak 7 at 2025-03-03T10:00
            + position everyone TOKENS token 2025-03: over entitled 8 demand 11 peak 11 at 2025-03-03T11:00 short 3 2025-03-03T11:00..open
            + problem over_use everyone TOKENS 2025-03 3 2025-03-03T11:00..open
        "#]],
    );
}

#[test]
fn documents_count_by_their_weights() {
    check_by(
        r#"
        [[rule]]
        products = ["DOCUMENTS"]
        statistic = "peak"
        "#,
        "
        weight INVOICE = DOCUMENTS 0.2
        weight ORDER = DOCUMENTS 1
        10:00 set INVOICE 10
        10:00 set ORDER 10
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone DOCUMENTS level 2025-03: unlicensed entitled 0 demand 12 peak 12 at 2025-03-03T10:00 short 12 2025-03-03T10:00..open
            + problem unlicensed_use everyone DOCUMENTS 2025-03 12 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn users_of_three_kinds_make_full_use_equivalents_exactly() {
    check_by(
        r#"
        [[rule]]
        products = ["FUE"]
        statistic = "peak"
        "#,
        "
        line FUE 64 metric level
        weight ADVANCED = FUE 1
        weight CORE_USE = FUE 1 per 5
        weight SELF_SERVICE = FUE 1 per 30
        2025-03-01T00:00 set ADVANCED 40
        2025-03-01T00:00 set CORE_USE 75
        2025-03-01T00:00 set SELF_SERVICE 270
        settle 2025-03-02
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position everyone FUE level 2025-03: near entitled 64 demand 64 peak 64 at 2025-03-01
            + problem near_limit everyone FUE 2025-03 64 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_pool_that_two_parts_divide_is_exact_where_each_alone_is_not() {
    check_by(
        r#"
        [[rule]]
        products = ["POOL"]
        statistic = "peak"
        "#,
        "
        weight A = POOL 1 per 3
        weight B = POOL 2 per 3
        10:00 set A 1
        10:00 set B 1
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone POOL level 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03T10:00 short 1 2025-03-03T10:00..open
            + problem unlicensed_use everyone POOL 2025-03 1 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn components_of_a_pak_count_by_their_ratios() {
    check_by(
        r#"
        [[rule]]
        products = ["PAK"]
        statistic = "peak"
        "#,
        "
        weight MQ = PAK 1 per 2
        weight APPC = PAK 3
        weight ACE = PAK 1
        weight DP = PAK 1
        2025-03-01T00:00 set MQ 40
        2025-03-01T00:00 set APPC 20
        2025-03-01T00:00 set ACE 10
        2025-03-01T00:00 set DP 10
        settle 2025-03-02
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position everyone PAK level 2025-03: unlicensed entitled 0 demand 100 peak 100 at 2025-03-01 short 100 2025-03-01..open
            + problem unlicensed_use everyone PAK 2025-03 100 2025-03-01..open
        "#]],
    );
}

#[test]
fn contributions_are_rounded_up_one_by_one_where_the_rule_says_so() {
    check_by(
        r#"
        [[rule]]
        products = ["PAK"]
        statistic = "peak"
        round = "up"
        round_parts = true
        "#,
        "
        weight MQ_NONPROD = PAK 1 per 8
        weight MQ_ADVANCED = PAK 1 per 2
        weight MQ_ADV_NONPROD = PAK 1 per 4
        2025-03-01T00:00 set MQ_NONPROD 2
        2025-03-01T00:00 set MQ_ADVANCED 9
        2025-03-01T00:00 set MQ_ADV_NONPROD 3
        settle 2025-03-02
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position everyone PAK level 2025-03: unlicensed entitled 0 demand 7 peak 7 at 2025-03-01 short 7 2025-03-01..open
            + problem unlicensed_use everyone PAK 2025-03 7 2025-03-01..open
        "#]],
    );
}

#[test]
fn sockets_in_pairs_may_be_rounded_once_for_all_hosts() {
    check_by(
        r#"
        [[rule]]
        products = ["TOTAL"]
        statistic = "peak"
        round = "up"
        "#,
        "
        weight SOCKET = TOTAL 1 per 2
        2025-03-01T00:00 set SOCKET 1 at h1
        2025-03-01T00:00 set SOCKET 1 at h2
        settle 2025-03-02
        2025-03-02T00:00 set SOCKET 10 at h1
        2025-03-02T00:00 set SOCKET 21 at h2
        settle 2025-03-03
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position everyone TOTAL level 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + problem unlicensed_use everyone TOTAL 2025-03 1 2025-03-01..open
            settle 2025-03-03T00:00:00Z
            - position everyone TOTAL level 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone TOTAL level 2025-03: unlicensed entitled 0 demand 16 peak 16 at 2025-03-02 short 16 2025-03-01..open
            - problem unlicensed_use everyone TOTAL 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone TOTAL 2025-03 16 2025-03-01..open
        "#]],
    );
}

#[test]
fn resources_become_value_units_by_bands_rounded_once_at_the_end() {
    check(
        "
        line RVU 70000 metric resource_value
        line AUVU 125 metric resource_value
        band RVU up_to 2500 1
        band RVU up_to 10000 0.8
        band RVU up_to 50000 0.6
        band RVU up_to 150000 0.4
        band RVU 0.2
        band AUVU up_to 20 1
        band AUVU up_to 50 0.83
        band AUVU 0.8
        2025-03-01T00:00 set RVU 150000
        2025-03-01T00:00 set AUVU 150
        settle 2025-03-02
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position everyone AUVU resource_value 2025-03: near entitled 125 demand 125 peak 125 at 2025-03-01
            + position everyone RVU resource_value 2025-03: over entitled 70000 demand 72500 peak 72500 at 2025-03-01 short 2500 2025-03-01..open
            + problem near_limit everyone AUVU 2025-03 125 2025-03-01..open
            + problem over_use everyone RVU 2025-03 2500 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_new_table_of_bands_counts_from_its_instant_on_and_before_the_old_one_does() {
    check(
        "
        line RVU 100 metric resource_value
        band RVU 1 to 2025-03-02
        band RVU 0.5 from 2025-03-02
        2025-03-01T00:00 set RVU 120
        settle 2025-03-01T12:00
        settle 2025-03-02T12:00
        ",
        &expect![[r#"
            settle 2025-03-01T12:00:00Z
            + position everyone RVU resource_value 2025-03: over entitled 100 demand 120 peak 120 at 2025-03-01 short 20 2025-03-01..open
            + problem over_use everyone RVU 2025-03 20 2025-03-01..open
            settle 2025-03-02T12:00:00Z
            - position everyone RVU resource_value 2025-03: over entitled 100 demand 120 peak 120 at 2025-03-01 short 20 2025-03-01..open
            + position everyone RVU resource_value 2025-03: over entitled 100 demand 60 peak 120 at 2025-03-01 short 20 2025-03-01..2025-03-02
            + problem over_use everyone RVU 2025-03 20 2025-03-01..2025-03-02
            - problem over_use everyone RVU 2025-03 20 2025-03-01..open
        "#]],
    );
}

#[test]
fn bands_apply_to_all_accounts_below_the_line_together() {
    check(
        "
        account north under group
        account south under group
        line RVU 3 metric resource_value account group
        band RVU up_to 2 1
        band RVU 0.5
        2025-03-01T00:00 set RVU 2 for north
        2025-03-01T00:00 set RVU 2 for south
        settle 2025-03-02
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position group RVU resource_value 2025-03: near entitled 3 demand 3 peak 3 at 2025-03-01
            + problem near_limit group RVU 2025-03 3 2025-03-01..open
        "#]],
    );
}

#[test]
fn virtual_machines_come_in_packs_of_two_and_half_a_one_in_a_cloud() {
    check_by(
        r#"
        [[rule]]
        products = ["PACK", "CLOUD"]
        statistic = "peak"
        round = "up"
        "#,
        "
        weight VM = PACK 1 per 2
        weight CLOUD_VM = CLOUD 0.5
        2025-03-01T00:00 set VM 6
        2025-03-01T00:00 set CLOUD_VM 4
        settle 2025-03-02
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position everyone CLOUD level 2025-03: unlicensed entitled 0 demand 2 peak 2 at 2025-03-01 short 2 2025-03-01..open
            + position everyone PACK level 2025-03: unlicensed entitled 0 demand 3 peak 3 at 2025-03-01 short 3 2025-03-01..open
            + problem unlicensed_use everyone CLOUD 2025-03 2 2025-03-01..open
            + problem unlicensed_use everyone PACK 2025-03 3 2025-03-01..open
        "#]],
    );
}

#[test]
fn of_two_rules_of_one_feature_the_one_that_charges_more_holds_while_it_is_in_force() {
    check(
        "
        line APP 10 name A server lic dup U
        line APP 10 name B server lic dup UH from 2025-03-03T11:00 to 2025-03-03T13:00
        line APP 10 name C server lic dup NONE from 2025-03-03T12:00 to 2025-03-03T14:00
        10:00 out APP ada@ws1
        10:00 out APP ada@ws2
        10:00 out APP ada@ws2
        settle 10:30
        settle 11:30
        settle 12:30
        settle 13:30
        settle 14:30
        ",
        &expect![[r#"
            settle 2025-03-03T10:30:00Z
            + position everyone APP concurrent 2025-03: covered entitled 10 demand 1 peak 1 at 2025-03-03T10:00
            + problem shelfware everyone APP 2025-03 9 2025-03-01..open
            settle 2025-03-03T11:30:00Z
            - position everyone APP concurrent 2025-03: covered entitled 10 demand 1 peak 1 at 2025-03-03T10:00
            + position everyone APP concurrent 2025-03: covered entitled 20 demand 2 peak 2 at 2025-03-03T11:00
            + problem shelfware everyone APP 2025-03 18 2025-03-01..open
            - problem shelfware everyone APP 2025-03 9 2025-03-01..open
            settle 2025-03-03T12:30:00Z
            - position everyone APP concurrent 2025-03: covered entitled 20 demand 2 peak 2 at 2025-03-03T11:00
            + position everyone APP concurrent 2025-03: covered entitled 30 demand 3 peak 3 at 2025-03-03T12:00
            - problem shelfware everyone APP 2025-03 18 2025-03-01..open
            + problem shelfware everyone APP 2025-03 27 2025-03-01..open
            settle 2025-03-03T13:30:00Z
            + position everyone APP concurrent 2025-03: covered entitled 20 demand 3 peak 3 at 2025-03-03T12:00
            - position everyone APP concurrent 2025-03: covered entitled 30 demand 3 peak 3 at 2025-03-03T12:00
            + problem shelfware everyone APP 2025-03 17 2025-03-01..open
            - problem shelfware everyone APP 2025-03 27 2025-03-01..open
            settle 2025-03-03T14:30:00Z
            + position everyone APP concurrent 2025-03: covered entitled 10 demand 1 peak 3 at 2025-03-03T12:00
            - position everyone APP concurrent 2025-03: covered entitled 20 demand 3 peak 3 at 2025-03-03T12:00
            - problem shelfware everyone APP 2025-03 17 2025-03-01..open
            + problem shelfware everyone APP 2025-03 7 2025-03-01..open
        "#]],
    );
}

#[test]
fn of_weights_that_overlap_in_turn_the_heaviest_of_each_instant_counts() {
    check(
        "
        line TOKENS 100 metric token
        weight CAD = TOKENS 2 to 2025-03-03T12:00
        weight CAD = TOKENS 3 from 2025-03-03T11:00 to 2025-03-03T13:00
        weight CAD = TOKENS 5 from 2025-03-03T12:00
        10:00 out CAD ada@ws1
        settle 10:30
        settle 11:30
        settle 12:30
        settle 13:30
        ",
        &expect![[r#"
            settle 2025-03-03T10:30:00Z
            + position everyone TOKENS token 2025-03: covered entitled 100 demand 2 peak 2 at 2025-03-03T10:00
            + problem shelfware everyone TOKENS 2025-03 98 2025-03-01..open
            settle 2025-03-03T11:30:00Z
            - position everyone TOKENS token 2025-03: covered entitled 100 demand 2 peak 2 at 2025-03-03T10:00
            + position everyone TOKENS token 2025-03: covered entitled 100 demand 3 peak 3 at 2025-03-03T11:00
            + problem shelfware everyone TOKENS 2025-03 97 2025-03-01..open
            - problem shelfware everyone TOKENS 2025-03 98 2025-03-01..open
            settle 2025-03-03T12:30:00Z
            - position everyone TOKENS token 2025-03: covered entitled 100 demand 3 peak 3 at 2025-03-03T11:00
            + position everyone TOKENS token 2025-03: covered entitled 100 demand 5 peak 5 at 2025-03-03T12:00
            + problem shelfware everyone TOKENS 2025-03 95 2025-03-01..open
            - problem shelfware everyone TOKENS 2025-03 97 2025-03-01..open
            settle 2025-03-03T13:30:00Z
            - position everyone TOKENS token 2025-03: covered entitled 100 demand 5 peak 5 at 2025-03-03T12:00
            + position everyone TOKENS token 2025-03: covered entitled 100 demand 5 peak 5 at 2025-03-03T12:00
        "#]],
    );
}
