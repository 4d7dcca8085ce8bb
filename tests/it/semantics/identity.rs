//! Which facts are one fact, and which of them counts (C6, C7).

use expect_test::expect;
use trueup_tests::check::check;

#[test]
fn an_event_that_is_sent_again_counts_once() {
    check(
        "
        [id=e1] 10:00 use API 5
        [id=e1] 10:00 use API 5
        [id=e1] 10:00 use API 5
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 5 peak 5 at 2025-03-01 short 5 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 5 2025-03-01..open
        "#]],
    );
}

#[test]
fn one_identity_of_two_tenants_is_two_events() {
    check(
        "
        [id=e1] 10:00 use API 5
        [id=e1 tenant=u] 10:00 use API 7
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 5 peak 5 at 2025-03-01 short 5 2025-03-01..open
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 7 peak 7 at 2025-03-01 short 7 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 5 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 7 2025-03-01..open
        "#]],
    );
}

#[test]
fn of_two_contents_of_one_identity_the_first_counts_until_a_revision_says_otherwise() {
    check(
        "
        [id=e1] 10:00 use API 5
        [id=e1] 10:00 use API 8
        settle 12:00
        [id=e1 rev=2] 10:00 use API 8
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 5 peak 5 at 2025-03-01 short 5 2025-03-01..open
            + problem conflicting_duplicate script 1
            + problem unlicensed_use everyone API 2025-03 5 2025-03-01..open
            settle 2025-03-03T12:00:00Z
            - position everyone API volume 2025-03: unlicensed entitled 0 demand 5 peak 5 at 2025-03-01 short 5 2025-03-01..open
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 8 peak 8 at 2025-03-01 short 8 2025-03-01..open
            - problem conflicting_duplicate script 1
            - problem unlicensed_use everyone API 2025-03 5 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 8 2025-03-01..open
        "#]],
    );
}

#[test]
fn an_identity_at_two_instants_counts_once_and_is_a_contradiction() {
    check(
        "
        [id=e1] 10:00 use API 5
        [id=e1] 10:01 use API 5
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 5 peak 5 at 2025-03-01 short 5 2025-03-01..open
            + problem conflicting_duplicate script 1
            + problem unlicensed_use everyone API 2025-03 5 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_batch_with_repetitions_counts_each_event_once() {
    check(
        "
        [id=e1] 10:00 use API 1
        [id=e1] 10:00 use API 1
        [id=e2] 10:00 use API 1
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T12:00:00Z
            + position everyone API volume 2025-03: unlicensed entitled 0 demand 2 peak 2 at 2025-03-01 short 2 2025-03-01..open
            + problem unlicensed_use everyone API 2025-03 2 2025-03-01..open
        "#]],
    );
}

#[test]
fn a_retraction_that_comes_first_takes_its_event_with_it() {
    check(
        "
        retract e1
        settle 09:00
        [id=e1] 10:00 use API 5
        settle 12:00
        ",
        &expect![[r#"
            settle 2025-03-03T09:00:00Z
            settle 2025-03-03T12:00:00Z
        "#]],
    );
}
