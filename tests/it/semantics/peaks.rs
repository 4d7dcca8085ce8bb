//! Checkouts at one instant: their peaks, what is one use, and what was only set aside (2.3).

use expect_test::expect;
use trueup_tests::check::{check, check_by};

#[test]
fn a_return_and_a_checkout_at_one_instant_do_not_overlap() {
    check(
        "
        line APP 5
        10:00 out APP ada@ws1
        11:00 in APP ada@ws1
        11:00 out APP bob@ws2
        12:00 in APP bob@ws2
        settle 13:00
        ",
        &expect![[r#"
            settle 2025-03-03T13:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled 5 demand 0 peak 1 at 2025-03-03T10:00
            + problem shelfware everyone APP 2025-03 4 2025-03-01..open
        "#]],
    );
}

#[test]
fn two_checkouts_of_one_user_on_one_host_are_one_use_where_the_line_says_so() {
    check(
        "
        line APP 5 name by-user-and-host server lic dup UH
        line CAD 5 name each server lic
        10:00 out APP ada@ws1 handle 1
        10:00 out CAD ada@ws1 handle 2
        10:05 out APP ada@ws1 handle 3
        10:05 out CAD ada@ws1 handle 4
        10:10 in APP ada@ws1 handle 1
        10:10 in CAD ada@ws1 handle 2
        10:15 in APP ada@ws1 handle 3
        10:15 in CAD ada@ws1 handle 4
        settle 13:00
        ",
        &expect![[r#"
            settle 2025-03-03T13:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled 5 demand 0 peak 1 at 2025-03-03T10:00
            + position everyone CAD concurrent 2025-03: covered entitled 5 demand 0 peak 2 at 2025-03-03T10:05
            + problem shelfware everyone APP 2025-03 4 2025-03-01..open
            + problem shelfware everyone CAD 2025-03 3 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_checkout_that_is_heard_of_late_raises_the_peak_and_takes_it_back() {
    check(
        "
        line APP 2 from 2025-01-01 to 2025-04-01
        10:00 out APP ada@ws1
        10:02 out APP bob@ws2
        10:08 in APP bob@ws2
        10:10 in APP ada@ws1
        settle 2025-04-15
        [id=late arrived=2025-04-15] 10:03 out APP cyd@ws3
        [id=back arrived=2025-04-15] 10:06 in APP cyd@ws3
        settle 2025-04-15
        retract late
        retract back
        settle 2025-04-15
        ",
        &expect![[r#"
            settle 2025-04-15T00:00:00Z
            + position everyone APP concurrent 2025-03: near entitled 2 demand 0 peak 2 at 2025-03-03T10:02
            + problem near_limit everyone APP 2025-03 2 2025-03-03T10:02..2025-04-01
            settle 2025-04-15T00:00:00Z
            - position everyone APP concurrent 2025-03: near entitled 2 demand 0 peak 2 at 2025-03-03T10:02
            + position everyone APP concurrent 2025-03: over entitled 2 demand 0 peak 3 at 2025-03-03T10:03 short 1 2025-03-03T10:03..2025-03-03T10:06
            - problem near_limit everyone APP 2025-03 2 2025-03-03T10:02..2025-04-01
            + problem over_use everyone APP 2025-03 1 2025-03-03T10:03..2025-03-03T10:06
            settle 2025-04-15T00:00:00Z
            + position everyone APP concurrent 2025-03: near entitled 2 demand 0 peak 2 at 2025-03-03T10:02
            - position everyone APP concurrent 2025-03: over entitled 2 demand 0 peak 3 at 2025-03-03T10:03 short 1 2025-03-03T10:03..2025-03-03T10:06
            + problem near_limit everyone APP 2025-03 2 2025-03-03T10:02..2025-04-01
            - problem over_use everyone APP 2025-03 1 2025-03-03T10:03..2025-03-03T10:06
        "#]],
    );
}

#[test]
fn one_feature_of_two_servers_is_one_product_and_two_pools() {
    check(
        "
        show pools
        line APP 5 name one server lic1 basis license_file
        line APP 5 name two server lic2 basis license_file
        10:00 out APP ada@ws1 x5 on lic1
        10:00 out APP bob@ws2 x5 on lic2
        11:00 report lic1 APP issued 5 in_use 5
        11:00 report lic2 APP issued 5 in_use 5
        11:00 holder lic1 APP ada@ws1 x5
        11:00 holder lic2 APP bob@ws2 x5
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + pool APP on lic1 at 2025-03-03T11:00: log - file 5 issued 5 out 5 queued 0, newest
            + pool APP on lic1 at 2025-03-03T12:00: log - file 5 issued - out - queued 0, newest
            + pool APP on lic2 at 2025-03-03T11:00: log - file 5 issued 5 out 5 queued 0, newest
            + pool APP on lic2 at 2025-03-03T12:00: log - file 5 issued - out - queued 0, newest
            + position everyone APP concurrent 2025-03: near entitled 10 demand 10 peak 10 at 2025-03-03T10:00
            + problem near_limit everyone APP 2025-03 10 2025-03-03T10:00..open
        "#]],
    );
}

#[test]
fn what_is_reserved_and_idle_is_not_used() {
    // Of 10 rights 2 are used and 3 are set aside, so that 5 are left for others; the server's own
    // "5 in use" counts both.
    check(
        "
        show pools
        line APP 10 name one server lic basis license_file
        10:00 alive
        10:00 out APP ada@ws1
        10:00 out APP bob@ws2
        11:00 report lic APP issued 10 in_use 5
        11:00 holder lic APP ada@ws1
        11:00 holder lic APP bob@ws2
        11:00 reserved lic APP 3 for staff
        12:00 alive
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + pool APP on lic at 2025-03-03T11:00: log 2 file 10 issued 10 out 2 reserved 3 queued 0, newest
            + pool APP on lic at 2025-03-03T12:00: log 2 file 10 issued - out - queued 0, newest
            + position everyone APP concurrent 2025-03: covered entitled 10 demand 2 peak 2 at 2025-03-03T10:00
            + problem shelfware everyone APP 2025-03 8 2025-03-01..open
        "#]],
    );
}

#[test]
fn the_high_water_mark_is_the_greatest_of_the_weekly_totals() {
    check(
        "
        line APP 2000
        2025-03-03T10:00 out APP ada@ws1 x800
        2025-03-04T10:00 in APP ada@ws1 x800
        2025-03-10T10:00 out APP ada@ws1 x400
        2025-03-11T10:00 in APP ada@ws1 x400
        2025-03-17T10:00 out APP ada@ws1 x1200
        2025-03-18T10:00 in APP ada@ws1 x1200
        2025-03-24T10:00 out APP ada@ws1 x800
        2025-03-25T10:00 in APP ada@ws1 x800
        settle 2025-03-31
        ",
        &expect![[r#"
            settle 2025-03-31T00:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled 2000 demand 0 peak 1200 at 2025-03-17T10:00
        "#]],
    );
}

#[test]
fn of_several_machines_the_sums_have_the_peak_and_not_the_greatest_single_one() {
    check(
        "
        line APP 2000
        2025-03-03T10:00 out APP ada@vm1 x400
        2025-03-03T10:00 out APP ada@vm2 x300
        2025-03-04T10:00 in APP ada@vm1 x400
        2025-03-04T10:00 in APP ada@vm2 x300
        2025-03-10T10:00 out APP ada@vm1 x500
        2025-03-10T10:00 out APP ada@vm2 x400
        2025-03-10T10:00 out APP ada@vm3 x400
        2025-03-10T10:00 out APP ada@vm4 x200
        2025-03-11T10:00 in APP ada@vm1 x500
        2025-03-11T10:00 in APP ada@vm2 x400
        2025-03-11T10:00 in APP ada@vm3 x400
        2025-03-11T10:00 in APP ada@vm4 x200
        2025-03-17T10:00 out APP ada@vm1 x1200
        2025-03-18T10:00 in APP ada@vm1 x1200
        settle 2025-03-31
        ",
        &expect![[r#"
            settle 2025-03-31T00:00:00Z
            + position everyone APP concurrent 2025-03: covered entitled 2000 demand 0 peak 1500 at 2025-03-10T10:00
        "#]],
    );
}

#[test]
fn the_peaks_of_products_may_lie_in_different_hours() {
    // Two partitions: CICS and Db2 run in one, MQ and IMS in the other, z/OS in both.
    check_by(
        "position_period = \"day\"\nfurther_periods = []",
        "
        line ZOS unlimited name zos
        line CICS unlimited name cics
        line DB2 unlimited name db2
        line MQ unlimited name mq
        line IMS unlimited name ims
        01:00 out ZOS sys@lpar1 x70
        01:00 out CICS sys@lpar1 x70
        01:00 out DB2 sys@lpar1 x70
        01:00 out ZOS sys@lpar2 x60
        01:00 out MQ sys@lpar2 x60
        01:00 out IMS sys@lpar2 x60
        02:00 in ZOS sys@lpar1 x70
        02:00 in CICS sys@lpar1 x70
        02:00 in DB2 sys@lpar1 x70
        02:00 in ZOS sys@lpar2 x60
        02:00 in MQ sys@lpar2 x60
        02:00 in IMS sys@lpar2 x60
        02:00 out ZOS sys@lpar1 x80
        02:00 out CICS sys@lpar1 x80
        02:00 out DB2 sys@lpar1 x80
        02:00 out ZOS sys@lpar2 x55
        02:00 out MQ sys@lpar2 x55
        02:00 out IMS sys@lpar2 x55
        03:00 in ZOS sys@lpar1 x80
        03:00 in CICS sys@lpar1 x80
        03:00 in DB2 sys@lpar1 x80
        03:00 in ZOS sys@lpar2 x55
        03:00 in MQ sys@lpar2 x55
        03:00 in IMS sys@lpar2 x55
        settle 2025-03-03T12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone CICS concurrent 2025-03-03: covered entitled unlimited demand 0 peak 80 at 2025-03-03T02:00
            + position everyone DB2 concurrent 2025-03-03: covered entitled unlimited demand 0 peak 80 at 2025-03-03T02:00
            + position everyone IMS concurrent 2025-03-03: covered entitled unlimited demand 0 peak 60 at 2025-03-03T01:00
            + position everyone MQ concurrent 2025-03-03: covered entitled unlimited demand 0 peak 60 at 2025-03-03T01:00
            + position everyone ZOS concurrent 2025-03-03: covered entitled unlimited demand 0 peak 135 at 2025-03-03T02:00
        "#]],
    );
}

#[test]
fn a_license_file_that_ended_before_a_report_still_says_that_there_are_none_left() {
    check(
        "
        show pools
        2025-03-02T23:00 report lic1 SIM issued 0
        settle
        line SIM 1 metric concurrent basis license_file to 2025-01-30 server lic1
        settle
        ",
        &expect![[r#"
            settle
            + pool SIM on lic1 at 2025-03-02T23:00: log - file - issued 0 out 0 queued 0
            settle
            - pool SIM on lic1 at 2025-03-02T23:00: log - file - issued 0 out 0 queued 0
            + pool SIM on lic1 at 2025-03-02T23:00: log - file 0 issued 0 out 0 queued 0
        "#]],
    );
}

#[test]
fn a_checkout_whose_holder_has_another_name_from_noon_on_is_one_on_that_day() {
    check_by(
        r#"
        [[rule]]
        products = ["SIM"]
        statistic = "days"
        "#,
        "
        alias user ada = bob from 2025-03-02T12:00
        2025-03-01T08:00 out SIM ada@ws1
        settle 2025-03-04
        ",
        &expect![[r#"
            settle 2025-03-04T00:00:00Z
            + position everyone SIM concurrent 2025-03: unlicensed entitled 0 demand 1 peak 0.129032 at 2025-03-01 short 0.129032 2025-03-01..open
            + problem unlicensed_use everyone SIM 2025-03 0.129032 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_checkout_that_ends_when_it_begins_says_nothing_of_its_pool() {
    check_by(
        r#"
        [[rule]]
        products = ["APP"]
        duplicates = "U"
        "#,
        "
        show pools
        10:00 out APP ada@ws1 on lic1 until 10:00
        10:00 report lic1 APP issued 0
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + pool APP on lic1 at 2025-03-03T10:00: log - file - issued 0 out 0 queued 0, newest
        "#]],
    );
}
