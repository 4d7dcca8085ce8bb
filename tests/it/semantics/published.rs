//! Situations that vendors' own reports show, told as facts: what their figures mean, whatever their
//! files look like.

use expect_test::expect;
use trueup_tests::check::{check, check_by};

/// RLM counts tokens: a checkout takes many, and the log also says how many are out in all. Of the 56 at
/// the peak 42 belong to nobody that the log names; 14 are held for 600 seconds.
#[test]
fn tokens_that_nobody_is_named_for_are_in_use_as_well() {
    check(
        "
        show sessions
        line ANALYTICS 400
        2014-01-07T00:00 out ANALYTICS others@unknown x42
        2014-01-07T10:15:12 out ANALYTICS barret@win8desktop x14
        2014-01-07T10:25:12 in ANALYTICS barret@win8desktop x14
        settle 2014-01-07T10:30
        ",
        &expect![[r#"
            settle 2014-01-07T10:30:00Z
            + position everyone ANALYTICS concurrent 2014-01: covered entitled 400 demand 42 peak 56 at 2014-01-07T10:15:12
            + problem shelfware everyone ANALYTICS 2014-01 344 2014-01-01..open
            + session ANALYTICS barret@win8desktop on lic x14 2014-01-07T10:15:12..2014-01-07T10:25:12
            + session ANALYTICS others@unknown on lic x42 2014-01-07..open
        "#]],
    );
}

/// RLM hands out more than the pool holds: 11 of 10, for 351 seconds.
#[test]
fn more_may_be_in_use_than_a_pool_holds() {
    check(
        "
        line SIMULATOR 10
        2012-09-12T11:03 out SIMULATOR others@linux x9
        2012-09-12T21:27:33 out SIMULATOR jack@jack-laptop
        2012-09-13T15:46:50 out SIMULATOR maria@osxlion
        2012-09-13T15:52:41 in SIMULATOR maria@osxlion
        settle 2012-09-14
        ",
        &expect![[r#"
            settle 2012-09-14T00:00:00Z
            + position everyone SIMULATOR concurrent 2012-09: over entitled 10 demand 10 peak 11 at 2012-09-13T15:46:50 short 1 2012-09-13T15:46:50..2012-09-13T15:52:41
            + problem over_use everyone SIMULATOR 2012-09 1 2012-09-13T15:46:50..2012-09-13T15:52:41
        "#]],
    );
}

/// ILMT lists a row for each instance; what counts is each virtualization layer once, by what its
/// machines were assigned and not by what the server could give.
#[test]
fn sub_capacity_counts_each_layer_once_and_not_each_row() {
    check_by(
        r#"
        [[rule]]
        products = ["DBX*"]
        metrics = ["processor_value"]
        "#,
        "
        factor value xeon 70
        machine layer51 processors 1 cores 4 model xeon
        machine layer38 processors 1 cores 1 model xeon
        machine layer82 processors 1 cores 8 model xeon
        machine srv11 vcores 4 on layer51
        machine srv6 vcores 1 on layer38
        machine srv87 vcores 2 on layer82
        line DBX_SERVER 280 metric processor_value
        line DBX_OPTION 70 metric processor_value
        line DBX_MONITOR 350 metric processor_value
        line DBX_MERGE 140 metric processor_value
        install DBX_SERVER srv11 from 2021-05-04
        install DBX_OPTION srv6 from 2021-05-04
        install DBX_OPTION srv6 from 2021-05-04
        install DBX_OPTION srv6 from 2021-05-04
        install DBX_MONITOR srv11 from 2021-05-04
        install DBX_MONITOR srv11 from 2021-05-04
        install DBX_MONITOR srv6 from 2021-05-04
        install DBX_MERGE srv87 from 2021-05-04
        settle 2021-05-05
        ",
        &expect![[r#"
            settle 2021-05-05T00:00:00Z
            + position everyone DBX_MERGE processor_value 2021-05: near entitled 140 demand 140 peak 140 at 2021-05-04
            + position everyone DBX_MONITOR processor_value 2021-05: near entitled 350 demand 350 peak 350 at 2021-05-04
            + position everyone DBX_OPTION processor_value 2021-05: near entitled 70 demand 70 peak 70 at 2021-05-04
            + position everyone DBX_SERVER processor_value 2021-05: near entitled 280 demand 280 peak 280 at 2021-05-04
            + problem near_limit everyone DBX_MERGE 2021-05 140 2021-05-04..open
            + problem near_limit everyone DBX_MONITOR 2021-05 350 2021-05-04..open
            + problem near_limit everyone DBX_OPTION 2021-05 70 2021-05-04..open
            + problem near_limit everyone DBX_SERVER 2021-05 280 2021-05-04..open
        "#]],
    );
}

/// IBM's License Service reports each cluster by the day; the peak is the greatest of the daily sums, 12
/// on the second day, and not the sum of each cluster's own greatest, 20.
#[test]
fn the_peak_over_clusters_is_the_greatest_of_the_daily_sums() {
    check_by(
        r#"
        [[rule]]
        products = ["QMX"]
        statistic = "peak"
        "#,
        "
        line QMX 12 metric level
        2021-06-01T00:00 set QMX 8 at cluster-a
        2021-06-02T00:00 set QMX 3 at cluster-a
        2021-06-03T00:00 set QMX 5 at cluster-a
        2021-06-04T00:00 set QMX 0 at cluster-a
        2021-06-01T00:00 set QMX 2 at cluster-b
        2021-06-02T00:00 set QMX 9 at cluster-b
        2021-06-03T00:00 set QMX 5 at cluster-b
        2021-06-04T00:00 set QMX 12 at cluster-b
        2021-06-05T00:00 set QMX 0 at cluster-b
        settle 2021-06-06
        ",
        &expect![[r#"
            settle 2021-06-06T00:00:00Z
            + position everyone QMX level 2021-06: near entitled 12 demand 0 peak 12 at 2021-06-02
            + problem near_limit everyone QMX 2021-06 12 2021-06-02..open
        "#]],
    );
}

/// Cloud Paks: each product's share is rounded up by itself: 1 + 5 + 1 and 3 + 1.
#[test]
fn a_pak_is_the_sum_of_contributions_that_are_rounded_up() {
    check_by(
        r#"
        [[rule]]
        products = ["PAK_*"]
        statistic = "peak"
        round = "up"
        round_parts = true
        "#,
        "
        weight MQX_NONPROD = PAK_INTEGRATION 1 per 8
        weight MQX_ADVANCED = PAK_INTEGRATION 1 per 2
        weight MQX_ADV_NONPROD = PAK_INTEGRATION 1 per 4
        weight WASX_NETWORK = PAK_APPLICATIONS 1
        weight WASX_BASE = PAK_APPLICATIONS 1 per 4
        line PAK_INTEGRATION 7 metric level
        line PAK_APPLICATIONS 4 metric level
        2021-05-19T00:00 set MQX_NONPROD 1
        2021-05-19T00:00 set MQX_ADVANCED 9
        2021-05-19T00:00 set MQX_ADV_NONPROD 1
        2021-05-19T00:00 set WASX_NETWORK 3
        2021-05-19T00:00 set WASX_BASE 4
        settle 2021-05-20
        ",
        &expect![[r#"
            settle 2021-05-20T00:00:00Z
            + position everyone PAK_APPLICATIONS level 2021-05: near entitled 4 demand 4 peak 4 at 2021-05-19
            + position everyone PAK_INTEGRATION level 2021-05: near entitled 7 demand 7 peak 7 at 2021-05-19
            + problem near_limit everyone PAK_APPLICATIONS 2021-05 4 2021-05-19..open
            + problem near_limit everyone PAK_INTEGRATION 2021-05 7 2021-05-19..open
        "#]],
    );
}

/// Red Hat's metering sends an hour again when it knows better: the last one counts, and an equal one
/// changes nothing. One of two tags of one event may stay while the other is corrected.
#[test]
fn a_second_report_of_one_hour_replaces_the_first() {
    check_by(
        r#"
        conflict = "last"
        "#,
        "
        [id=cl1-19-T1 arrived=2021-10-18T21:00] 2021-10-18T19:00 use T1 20
        [id=cl1-20-T1 arrived=2021-10-18T21:00] 2021-10-18T20:00 use T1 8.5
        settle 2021-10-18T22:00
        [id=cl1-19-T1 arrived=2021-10-18T22:00] 2021-10-18T19:00 use T1 20
        [id=cl1-19-T1 arrived=2021-10-18T22:30] 2021-10-18T19:00 use T1 10
        [id=cl2-19-T1 arrived=2021-10-18T22:30] 2021-10-18T19:00 use T1 6
        [id=cl2-19-T2 arrived=2021-10-18T22:30] 2021-10-18T19:00 use T2 6
        [id=cl2-19-T2 arrived=2021-10-18T23:00] 2021-10-18T19:00 use T2 6
        settle 2021-10-18T23:30
        ",
        &expect![[r#"
            settle 2021-10-18T22:00:00Z
            + position everyone T1 volume 2021-10: unlicensed entitled 0 demand 28.5 peak 28.5 at 2021-10-01 short 28.5 2021-10-01..open
            + problem unlicensed_use everyone T1 2021-10 28.5 2021-10-01..open
            settle 2021-10-18T23:30:00Z
            + position everyone T1 volume 2021-10: unlicensed entitled 0 demand 24.5 peak 24.5 at 2021-10-01 short 24.5 2021-10-01..open
            - position everyone T1 volume 2021-10: unlicensed entitled 0 demand 28.5 peak 28.5 at 2021-10-01 short 28.5 2021-10-01..open
            + position everyone T2 volume 2021-10: unlicensed entitled 0 demand 6 peak 6 at 2021-10-01 short 6 2021-10-01..open
            + problem conflicting_duplicate script 1
            + problem unlicensed_use everyone T1 2021-10 24.5 2021-10-01..open
            - problem unlicensed_use everyone T1 2021-10 28.5 2021-10-01..open
            + problem unlicensed_use everyone T2 2021-10 6 2021-10-01..open
        "#]],
    );
}

/// GitHub lists a seat for each organization that gives it; a person is one seat. One of three is
/// cancelled at the end of August.
#[test]
fn a_person_with_access_through_two_organizations_is_one_seat() {
    check(
        "
        line COPILOT 2 metric named_user from 2026-08-01
        seat COPILOT ana from 2026-01-15T10:30 for org-a
        seat COPILOT ana from 2026-02-15T10:30 for org-b
        seat COPILOT ben from 2026-01-15T10:30 to 2026-09-01
        seat COPILOT cleo from 2026-07-15T10:30
        account org-a under group
        account org-b under group
        settle 2026-08-15
        settle 2026-09-01
        ",
        &expect![[r#"
            settle 2026-08-15T00:00:00Z
            + position everyone COPILOT named_user 2026-01: unlicensed entitled 0 demand 2 peak 2 at 2026-01-15T10:30 short 2 2026-01-15T10:30..2026-02-01
            + position everyone COPILOT named_user 2026-02: unlicensed entitled 0 demand 2 peak 2 at 2026-02-01 short 2 2026-02-01..2026-03-01
            + position everyone COPILOT named_user 2026-03: unlicensed entitled 0 demand 2 peak 2 at 2026-03-01 short 2 2026-03-01..2026-04-01
            + position everyone COPILOT named_user 2026-04: unlicensed entitled 0 demand 2 peak 2 at 2026-04-01 short 2 2026-04-01..2026-05-01
            + position everyone COPILOT named_user 2026-05: unlicensed entitled 0 demand 2 peak 2 at 2026-05-01 short 2 2026-05-01..2026-06-01
            + position everyone COPILOT named_user 2026-06: unlicensed entitled 0 demand 2 peak 2 at 2026-06-01 short 2 2026-06-01..2026-07-01
            + position everyone COPILOT named_user 2026-07: unlicensed entitled 0 demand 3 peak 3 at 2026-07-15T10:30 short 3 2026-07-01..2026-08-01
            + position everyone COPILOT named_user 2026-08: over entitled 2 demand 3 peak 3 at 2026-08-01 short 1 2026-08-01..open
            + problem over_use everyone COPILOT 2026-08 1 2026-08-01..open
            + problem unlicensed_use everyone COPILOT 2026-01 2 2026-01-15T10:30..2026-02-01
            + problem unlicensed_use everyone COPILOT 2026-02 2 2026-02-01..2026-03-01
            + problem unlicensed_use everyone COPILOT 2026-03 2 2026-03-01..2026-04-01
            + problem unlicensed_use everyone COPILOT 2026-04 2 2026-04-01..2026-05-01
            + problem unlicensed_use everyone COPILOT 2026-05 2 2026-05-01..2026-06-01
            + problem unlicensed_use everyone COPILOT 2026-06 2 2026-06-01..2026-07-01
            + problem unlicensed_use everyone COPILOT 2026-07 3 2026-07-01..2026-08-01
            + problem unmapped_user ben 1
            + problem unmapped_user cleo 1
            settle 2026-09-01T00:00:00Z
            + position everyone COPILOT named_user 2026-08: over entitled 2 demand 3 peak 3 at 2026-08-01 short 1 2026-08-01..2026-09-01
            - position everyone COPILOT named_user 2026-08: over entitled 2 demand 3 peak 3 at 2026-08-01 short 1 2026-08-01..open
            + position everyone COPILOT named_user 2026-09: near entitled 2 demand 2 peak 2 at 2026-09-01
            + problem near_limit everyone COPILOT 2026-09 2 2026-09-01..open
            + problem over_use everyone COPILOT 2026-08 1 2026-08-01..2026-09-01
            - problem over_use everyone COPILOT 2026-08 1 2026-08-01..open
        "#]],
    );
}

/// Microsoft's units in warning are tolerated and are no rights: 28 of 25 is over by 3, within the 5.
/// Suspended units are no rights any more.
#[test]
fn units_in_grace_are_tolerated_and_suspended_ones_are_gone() {
    check_by(
        r#"
        [[rule]]
        products = ["*"]
        statistic = "peak"
        "#,
        "
        line ENTERPRISEPACK 25 overdraft 5 metric level
        line VISIOCLIENT 10 metric level to 2026-07-01
        line ADDON_STORAGE 1 metric level
        2026-08-01T00:00 set ENTERPRISEPACK 28
        2026-08-01T00:00 set VISIOCLIENT 4
        settle 2026-08-15
        ",
        &expect![[r#"
            settle 2026-08-15T00:00:00Z
            + position everyone ADDON_STORAGE level 2026-08: covered entitled 1 demand 0 peak 0
            + position everyone ENTERPRISEPACK level 2026-08: within_overdraft entitled 25 demand 28 peak 28 at 2026-08-01 short 3 2026-08-01..open
            + position everyone VISIOCLIENT level 2026-08: expired entitled 0 demand 4 peak 4 at 2026-08-01 short 4 2026-08-01..open
            + problem expired_in_use everyone VISIOCLIENT 2026-08 4 2026-08-01..open
            + problem over_in_margin everyone ENTERPRISEPACK 2026-08 3 2026-08-01..open
            + problem shelfware everyone ADDON_STORAGE 2026-08 1 2026-08-01..open
        "#]],
    );
}

/// LS-DYNA's programs share one group: 440 of 500, whichever program the processors run.
#[test]
fn all_programs_of_a_group_draw_from_one_pool() {
    check(
        "
        line LSTC 500 metric token
        weight MPPDYNA = LSTC 1
        weight MPPDYNA_971 = LSTC 1
        weight LS-DYNA = LSTC 1
        10:00 out MPPDYNA dvds3g@c13 x80
        10:00 out MPPDYNA ssss1d@c52 x80
        10:00 out MPPDYNA_971 ssss1d@c15 x80
        10:00 out MPPDYNA ywap0o@c53 x80
        10:00 out LS-DYNA ywap0o@c51 x80
        10:00 out MPPDYNA ndha1a@c55 x40
        settle 11:00
        ",
        &expect![[r#"
            settle 2025-03-03T11:00:00Z
            + position everyone LSTC token 2025-03: covered entitled 500 demand 440 peak 440 at 2025-03-03T10:00
        "#]],
    );
}

/// AWS Marketplace: what was used and can no longer be metered is what is still to be billed.
#[test]
fn what_a_marketplace_took_too_late_is_still_to_be_billed() {
    check_by(
        r#"
        further_periods = []
        [[rule]]
        products = ["*"]
        billing_unit = 1
        "#,
        "
        show bills
        [id=r1] 2026-03-10T09:40 use SEATS 3
        [id=r1] 2026-03-10T09:40 use SEATS 3
        2026-03-10T09:59 use GB 8
        2026-03-10T10:00 use GB 9
        2026-03-31T23:10 use GB 4
        2026-03-31T23:20 use SEATS 5
        2026-03-10T10:05 bill SEATS 3
        2026-03-11T09:30 bill GB 8
        2026-03-31T23:10 bill GB 4
        settle 2026-04-02
        ",
        &expect![[r#"
            settle 2026-04-02T00:00:00Z
            + bill everyone GB 2026-03: 21 is 21, billed 12, due 9
            + bill everyone SEATS 2026-03: 8 is 8, billed 3, due 5
            + position everyone GB volume 2026-03: unlicensed entitled 0 demand 21 peak 21 at 2026-03-01 short 21 2026-03-01..2026-04-01
            + position everyone SEATS volume 2026-03: unlicensed entitled 0 demand 8 peak 8 at 2026-03-01 short 8 2026-03-01..2026-04-01
            + problem unlicensed_use everyone GB 2026-03 21 2026-03-01..2026-04-01
            + problem unlicensed_use everyone SEATS 2026-03 8 2026-03-01..2026-04-01
        "#]],
    );
}

/// Stripe: an event that is cancelled counts no more, one that is said twice counts once, and values may be
/// decimals.
#[test]
fn a_meter_event_that_is_cancelled_leaves_what_others_say() {
    check_by(
        "further_periods = []",
        "
        [id=i1] 2024-06-01T12:00 use ai 25 for cus_1
        [id=i1] 2024-06-01T12:00 use ai 25 for cus_1
        [id=i3] 2024-06-02T13:04 use ai 1.5 for cus_1
        settle 2024-06-02T14:00
        retract i1
        settle 2024-06-04T13:00
        ",
        &expect![[r#"
            settle 2024-06-02T14:00:00Z
            + position cus_1 ai volume 2024-06: unlicensed entitled 0 demand 26.5 peak 26.5 at 2024-06-01 short 26.5 2024-06-01..open
            + problem unlicensed_use cus_1 ai 2024-06 26.5 2024-06-01..open
            settle 2024-06-04T13:00:00Z
            + position cus_1 ai volume 2024-06: unlicensed entitled 0 demand 1.5 peak 1.5 at 2024-06-01 short 1.5 2024-06-01..open
            - position cus_1 ai volume 2024-06: unlicensed entitled 0 demand 26.5 peak 26.5 at 2024-06-01 short 26.5 2024-06-01..open
            + problem unlicensed_use cus_1 ai 2024-06 1.5 2024-06-01..open
            - problem unlicensed_use cus_1 ai 2024-06 26.5 2024-06-01..open
        "#]],
    );
}

/// Slurm: the jobs of a cluster and other users draw from one pool, and each license counts once.
#[test]
fn a_cluster_and_others_draw_from_one_pool_and_each_license_counts_once() {
    check_by(
        "further_periods = []",
        "
        show rollups
        member device n1 in cluster
        member device n2 in cluster
        member device d7 in outside
        line mesh 1000 from 2026-10-01
        2026-10-29T08:09 out mesh ann@n1 x29
        2026-10-29T08:09 out mesh bob@n2 x27
        2026-10-29T08:09 out mesh cid@d7 x37
        settle 2026-10-29T09:00
        ",
        &expect![[r#"
            settle 2026-10-29T09:00:00Z
            + position everyone mesh concurrent 2026-10: covered entitled 1000 demand 93 peak 93 at 2026-10-29T08:09
            + problem shelfware everyone mesh 2026-10 907 2026-10-01..open
            + total cluster everything concurrent 2026-10: 56 users 2 devices 2
            + total cluster mesh concurrent 2026-10: 56 users 2 devices 2
            + total everyone everything concurrent 2026-10: 93 users 3 devices 3
            + total everyone mesh concurrent 2026-10: 93 users 3 devices 3
            + total outside everything concurrent 2026-10: 37 users 1 devices 1
            + total outside mesh concurrent 2026-10: 37 users 1 devices 1
        "#]],
    );
}
