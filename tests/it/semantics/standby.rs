//! Machines that stand by for others (2.16).

use expect_test::expect;
use trueup_tests::check::check;

#[test]
fn a_standby_may_work_on_two_times_five_days_of_a_year() {
    check(
        "
        line DB 1 from 2025-01-01
        2025-01-01T00:00 role db2 passive
        2025-01-01T00:00 out DB app@db2
        2025-02-03T09:00 role db2 failover
        2025-02-07T20:00 role db2 passive
        2025-05-05T09:00 role db2 active
        2025-05-09T20:00 role db2 passive
        settle 2025-06-01T00:00
        ",
        &expect![[r#"
            settle 2025-06-01T00:00:00Z
            + position everyone DB concurrent 2025-06: covered entitled 1 demand 0 peak 0
            + problem shelfware everyone DB 2025-06 1 2025-06-01..open
        "#]],
    );
}

#[test]
fn from_the_eleventh_day_on_which_a_standby_works_its_use_counts() {
    check(
        "
        2025-01-01T00:00 role db2 passive
        2025-01-01T00:00 out DB app@db2
        2025-02-03T09:00 role db2 failover
        2025-02-08T20:00 role db2 passive
        2025-05-05T09:00 role db2 active
        settle 2025-05-09T00:00
        settle 2025-05-10T00:00
        2025-05-10T20:00 role db2 passive
        settle 2026-01-02T00:00
        ",
        &expect![[r#"
            settle 2025-05-09T00:00:00Z
            + position everyone DB concurrent 2025-05: unlicensed entitled 0 demand 1 peak 1 at 2025-05-09 short 1 2025-05-09..open
            + problem dr_budget_exceeded db2 2025 1 2025-05-09..2026-01-01
            + problem unlicensed_use everyone DB 2025-05 1 2025-05-09..open
            settle 2025-05-10T00:00:00Z
            - position everyone DB concurrent 2025-05: unlicensed entitled 0 demand 1 peak 1 at 2025-05-09 short 1 2025-05-09..open
            + position everyone DB concurrent 2025-05: unlicensed entitled 0 demand 1 peak 1 at 2025-05-09 short 1 2025-05-09..open
            settle 2026-01-02T00:00:00Z
            + position everyone DB concurrent 2025-05: unlicensed entitled 0 demand 1 peak 1 at 2025-05-09 short 1 2025-05-09..2025-06-01
            - position everyone DB concurrent 2025-05: unlicensed entitled 0 demand 1 peak 1 at 2025-05-09 short 1 2025-05-09..open
            + position everyone DB concurrent 2025-06: unlicensed entitled 0 demand 1 peak 1 at 2025-06-01 short 1 2025-06-01..2025-07-01
            + position everyone DB concurrent 2025-07: unlicensed entitled 0 demand 1 peak 1 at 2025-07-01 short 1 2025-07-01..2025-08-01
            + position everyone DB concurrent 2025-08: unlicensed entitled 0 demand 1 peak 1 at 2025-08-01 short 1 2025-08-01..2025-09-01
            + position everyone DB concurrent 2025-09: unlicensed entitled 0 demand 1 peak 1 at 2025-09-01 short 1 2025-09-01..2025-10-01
            + position everyone DB concurrent 2025-10: unlicensed entitled 0 demand 1 peak 1 at 2025-10-01 short 1 2025-10-01..2025-11-01
            + position everyone DB concurrent 2025-11: unlicensed entitled 0 demand 1 peak 1 at 2025-11-01 short 1 2025-11-01..2025-12-01
            + position everyone DB concurrent 2025-12: unlicensed entitled 0 demand 1 peak 1 at 2025-12-01 short 1 2025-12-01..2026-01-01
            + problem unlicensed_use everyone DB 2025-05 1 2025-05-09..2025-06-01
            - problem unlicensed_use everyone DB 2025-05 1 2025-05-09..open
            + problem unlicensed_use everyone DB 2025-06 1 2025-06-01..2025-07-01
            + problem unlicensed_use everyone DB 2025-07 1 2025-07-01..2025-08-01
            + problem unlicensed_use everyone DB 2025-08 1 2025-08-01..2025-09-01
            + problem unlicensed_use everyone DB 2025-09 1 2025-09-01..2025-10-01
            + problem unlicensed_use everyone DB 2025-10 1 2025-10-01..2025-11-01
            + problem unlicensed_use everyone DB 2025-11 1 2025-11-01..2025-12-01
            + problem unlicensed_use everyone DB 2025-12 1 2025-12-01..2026-01-01
        "#]],
    );
}

#[test]
fn any_part_of_a_local_day_is_a_day() {
    // Half past eleven at night in London is the next day in Madrid, so the first day there is 2
    // February, and the eleventh begins at eleven at night of 11 February in London.
    check(
        "
        account spain under group zone Europe/Madrid
        member device db2 in spain
        2025-01-01T00:00 role db2 passive
        2025-01-01T00:00 out DB app@db2
        2025-02-01T23:30 role db2 failover
        2025-02-12T20:00 role db2 passive
        settle 2025-02-11T22:59:59
        settle 2025-02-11T23:00
        ",
        &expect![[r#"
            settle 2025-02-11T22:59:59Z
            settle 2025-02-11T23:00:00Z
            + position spain DB concurrent 2025-01-31: unlicensed entitled 0 demand 1 peak 1 at 2025-02-11T23:00 short 1 2025-02-11T23:00..open
            + problem dr_budget_exceeded db2 2024-12-31 1 2025-02-11T23:00..2025-12-31T23:00
            + problem unlicensed_use spain DB 2025-01-31 1 2025-02-11T23:00..open
        "#]],
    );
}

#[test]
fn a_standby_that_worked_before_its_role_was_known_lacks_evidence() {
    check(
        "
        09:00 out DB app@db2
        10:00 role db2 passive
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone DB concurrent 2025-03: unlicensed entitled 0 demand 0 peak 1 at 2025-03-03T09:00 short 1 2025-03-03T09:00..2025-03-03T10:00
            + problem dr_evidence_gap db2 1 2025-03-03T09:00..2025-03-03T10:00
            + problem unlicensed_use everyone DB 2025-03 1 2025-03-03T09:00..2025-03-03T10:00
        "#]],
    );
}
