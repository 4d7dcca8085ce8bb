//! What is installed on machines, and the suites that it makes up (A 2.2, 2.15).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn several_versions_on_one_machine_count_once_and_a_snapshot_replaces_the_one_before() {
    check(
        "
        [doc=ws1@1] install APP ws1
        [doc=ws1@1] install APP ws1 by ada
        version ws1 1 from 2025-03-01
        [doc=ws2@1] install APP ws2
        version ws2 1 from 2025-03-01
        settle 2025-03-02
        [doc=ws2@2] install OTHER ws2
        version ws2 2 from 2025-03-03
        settle 2025-03-04
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position everyone APP device 2025-03: unlicensed entitled 0 demand 2 peak 2 at 2025-03-01 short 2 2025-03-01..open
            + problem unlicensed_use everyone APP 2025-03 2 2025-03-01..open
            settle 2025-03-04T00:00:00Z
            + position everyone APP device 2025-03: unlicensed entitled 0 demand 1 peak 2 at 2025-03-01 short 2 2025-03-01..open
            - position everyone APP device 2025-03: unlicensed entitled 0 demand 2 peak 2 at 2025-03-01 short 2 2025-03-01..open
            + position everyone OTHER device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-03 short 1 2025-03-03..open
            + problem unlicensed_use everyone OTHER 2025-03 1 2025-03-03..open
        "#]],
    );
}

#[test]
fn a_machine_that_is_silent_leaves_demand_at_the_deadline_without_an_event() {
    check_by(
        r#"
        [[rule]]
        products = ["APP"]
        stale_after_seconds = 172800
        "#,
        "
        line APP 1 metric device
        [doc=ws1@1] install APP ws1
        version ws1 1 from 2025-03-01
        settle 2025-03-02T23:59
        settle 2025-03-03
        [doc=ws1@2] install APP ws1
        version ws1 2 from 2025-03-04
        settle 2025-03-04T12:00
        ",
        &expect![[r#"
            settle 2025-03-02T23:59:00Z
            + position everyone APP device 2025-03: near entitled 1 demand 1 peak 1 at 2025-03-01
            + problem near_limit everyone APP 2025-03 1 2025-03-01..open
            settle 2025-03-03T00:00:00Z
            + position everyone APP device 2025-03: near entitled 1 demand 0 peak 1 at 2025-03-01
            - position everyone APP device 2025-03: near entitled 1 demand 1 peak 1 at 2025-03-01
            + problem stale_device APP ws1 1 2025-03-03..open
            settle 2025-03-04T12:00:00Z
            - position everyone APP device 2025-03: near entitled 1 demand 0 peak 1 at 2025-03-01
            + position everyone APP device 2025-03: near entitled 1 demand 1 peak 1 at 2025-03-01
            + problem stale_device APP ws1 1 2025-03-03..2025-03-04
            - problem stale_device APP ws1 1 2025-03-03..open
        "#]],
    );
}

#[test]
fn a_machine_of_two_names_counts_once_after_the_alias_and_before() {
    check(
        "
        install APP ws1 from 2025-03-01
        install APP ws1.corp from 2025-03-01
        settle 2025-03-02
        alias device ws1.corp = ws1
        settle
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position everyone APP device 2025-03: unlicensed entitled 0 demand 2 peak 2 at 2025-03-01 short 2 2025-03-01..open
            + problem unlicensed_use everyone APP 2025-03 2 2025-03-01..open
            settle
            + position everyone APP device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            - position everyone APP device 2025-03: unlicensed entitled 0 demand 2 peak 2 at 2025-03-01 short 2 2025-03-01..open
            + problem unlicensed_use everyone APP 2025-03 1 2025-03-01..open
            - problem unlicensed_use everyone APP 2025-03 2 2025-03-01..open
        "#]],
    );
}

#[test]
fn enough_components_make_up_a_suite_and_count_no_more_by_themselves() {
    check(
        "
        suite_rule OFFICE has ACCESS mandatory 75
        suite_rule OFFICE has WORD 75
        suite_rule OFFICE has EXCEL 75
        suite_rule OFFICE has POWERPOINT 75
        suite_rule OFFICE has OUTLOOK 75
        install ACCESS ws1 from 2025-03-01
        install WORD ws1 from 2025-03-01
        install EXCEL ws1 from 2025-03-01
        settle 2025-03-02
        install POWERPOINT ws1 from 2025-03-01
        settle
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position everyone ACCESS device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone EXCEL device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone WORD device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + problem unlicensed_use everyone ACCESS 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone EXCEL 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone WORD 2025-03 1 2025-03-01..open
            settle
            - position everyone ACCESS device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            - position everyone EXCEL device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone OFFICE device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            - position everyone WORD device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            - problem unlicensed_use everyone ACCESS 2025-03 1 2025-03-01..open
            - problem unlicensed_use everyone EXCEL 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone OFFICE 2025-03 1 2025-03-01..open
            - problem unlicensed_use everyone WORD 2025-03 1 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_suite_that_is_installed_takes_its_components_of_the_same_machine_only() {
    check(
        "
        suite_rule OFFICE has WORD 100
        suite_rule OFFICE has EXCEL 100
        install OFFICE ws1 from 2025-03-01
        install WORD ws1 from 2025-03-01
        install WORD ws2 from 2025-03-01
        settle 2025-03-02
        ",
        &expect![[r#"
            settle 2025-03-02T00:00:00Z
            + position everyone OFFICE device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + position everyone WORD device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + problem unlicensed_use everyone OFFICE 2025-03 1 2025-03-01..open
            + problem unlicensed_use everyone WORD 2025-03 1 2025-03-01..open
        "#]],
    );
}

#[test]
fn what_an_old_inventory_expects_for_later_was_silent_from_its_own_beginning_on() {
    check_by(
        r#"
        [[rule]]
        products = ["APP"]
        metrics = ["core", "device"]
        stale_after_seconds = 200000
        "#,
        "
        version hosts 1 from 2025-01-30
        [doc=hosts@1] install APP ws1 from 2025-02-02T08:00
        settle 2025-02-01T08:00
        settle 2025-02-02T08:00
        ",
        &expect![[r#"
            settle 2025-02-01T08:00:00Z
            settle 2025-02-02T08:00:00Z
            + problem stale_device APP ws1 1 2025-02-02T08:00..open
        "#]],
    );
}

#[test]
fn what_is_not_known_of_a_machine_is_not_known_whoever_has_it() {
    check_by(
        r#"
        [[rule]]
        products = ["APP"]
        metrics = ["core"]
        "#,
        "
        install APP ws2
        member device ws2 in group to 2025-04-01
        settle 2025-03-04
        ",
        &expect![[r#"
            settle 2025-03-04T00:00:00Z
            + position group APP device 2025-03: unlicensed entitled 0 demand 1 peak 1 at 2025-03-01 short 1 2025-03-01..open
            + problem unknown_cpu_model APP ws2 1
            + problem unlicensed_use group APP 2025-03 1 2025-03-01..open
        "#]],
    );
}

#[test]
fn of_two_inventories_the_one_that_listed_a_machine_first_says_whose_it_is() {
    check(
        "
        install CAD ws2 from 2025-01-30
        settle 2025-02-10
        install CAD ws2 from 2025-01-20 for paris
        settle
        ",
        &expect![[r#"
            settle 2025-02-10T00:00:00Z
            + position everyone CAD device 2025-01: unlicensed entitled 0 demand 1 peak 1 at 2025-01-30 short 1 2025-01-30..2025-02-01
            + position everyone CAD device 2025-02: unlicensed entitled 0 demand 1 peak 1 at 2025-02-01 short 1 2025-02-01..open
            + problem unlicensed_use everyone CAD 2025-01 1 2025-01-30..2025-02-01
            + problem unlicensed_use everyone CAD 2025-02 1 2025-02-01..open
            settle
            - position everyone CAD device 2025-01: unlicensed entitled 0 demand 1 peak 1 at 2025-01-30 short 1 2025-01-30..2025-02-01
            - position everyone CAD device 2025-02: unlicensed entitled 0 demand 1 peak 1 at 2025-02-01 short 1 2025-02-01..open
            + position paris CAD device 2025-01: unlicensed entitled 0 demand 1 peak 1 at 2025-01-20 short 1 2025-01-20..2025-02-01
            + position paris CAD device 2025-02: unlicensed entitled 0 demand 1 peak 1 at 2025-02-01 short 1 2025-02-01..open
            - problem unlicensed_use everyone CAD 2025-01 1 2025-01-30..2025-02-01
            - problem unlicensed_use everyone CAD 2025-02 1 2025-02-01..open
            + problem unlicensed_use paris CAD 2025-01 1 2025-01-20..2025-02-01
            + problem unlicensed_use paris CAD 2025-02 1 2025-02-01..open
        "#]],
    );
}

#[test]
fn a_further_component_of_a_suite_asks_more_of_machines_that_do_not_have_it() {
    check_by(
        "[[rule]]\nproducts = [\"*\"]\nmetrics = [\"device\"]",
        "
        suite_rule OFFICE has ACCESS 100
        install ACCESS ws1 from 2025-01-01
        settle 2025-01-10
        suite_rule OFFICE has WRITER 100 from 2025-01-05
        settle 2025-01-10
        ",
        &expect![[r#"
            settle 2025-01-10T00:00:00Z
            + position everyone OFFICE device 2025-01: unlicensed entitled 0 demand 1 peak 1 at 2025-01-01 short 1 2025-01-01..open
            + problem unlicensed_use everyone OFFICE 2025-01 1 2025-01-01..open
            settle 2025-01-10T00:00:00Z
            + position everyone ACCESS device 2025-01: unlicensed entitled 0 demand 1 peak 1 at 2025-01-05 short 1 2025-01-05..open
            + position everyone OFFICE device 2025-01: unlicensed entitled 0 demand 0 peak 1 at 2025-01-01 short 1 2025-01-01..2025-01-05
            - position everyone OFFICE device 2025-01: unlicensed entitled 0 demand 1 peak 1 at 2025-01-01 short 1 2025-01-01..open
            + problem unlicensed_use everyone ACCESS 2025-01 1 2025-01-05..open
            + problem unlicensed_use everyone OFFICE 2025-01 1 2025-01-01..2025-01-05
            - problem unlicensed_use everyone OFFICE 2025-01 1 2025-01-01..open
        "#]],
    );
}
