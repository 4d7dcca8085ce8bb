//! What a change costs, in rows that come and go and not in seconds: what it touches, and no more.
//!
//! Each case is told at two sizes; what is the same change must change as many rows in both.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use trueup_model::time::Timestamp;
use trueup_policy::Policy;
use trueup_runtime::changes::Changes;
use trueup_tests::bench::Bench;
use trueup_tests::script::Script;

/// The epochs of a script one after the other; what the last one changed.
fn last_changes(script: &str) -> Changes {
    let policy = Policy::default();
    let script = Script::read(script).unwrap_or_else(|error| panic!("{error}"));
    let mut bench = Bench::start(1, &policy);
    let mut last = Changes::default();
    for telling in &script.tellings {
        bench.tell(telling);
        last = bench.next_changes();
    }
    last
}

/// An instant so many minutes into 2025, as a script says it.
fn minute(of_year: usize) -> String {
    let start: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
    start
        .plus_us(i64::try_from(of_year).unwrap() * 60_000_000)
        .to_string()
        .trim_end_matches('Z')
        .to_owned()
}

/// A department under a division under a company, and so many sessions over the year.
fn a_year_of_sessions(count: usize) -> String {
    let mut script = "
        account company
        account division under company
        account department under division
        line APP 3 name one account department
        line APP 5 name two account company
    "
    .to_owned();
    for user in 0..10 {
        writeln!(script, "member user u{user} in department").unwrap();
    }
    let step = 365 * 24 * 60 / count;
    for index in 0..count {
        let (from, to) = (minute(index * step), minute(index * step + step / 2));
        let user = index % 10;
        writeln!(script, "{from} out APP u{user}@ws{user}").unwrap();
        writeln!(script, "{to} in APP u{user}@ws{user}").unwrap();
    }
    script + "settle 2026-01-15\n"
}

#[test]
fn a_late_session_changes_its_day_and_the_way_up_however_many_others_there_are() {
    let changed = |count: usize| {
        // At both sizes someone else has a session out then.
        let late = "[arrived=2026-01-15] 2025-06-15T10:23:30 out APP u3@ws3 handle 7\n\
            [arrived=2026-01-15] 2025-06-15T10:25:30 in APP u3@ws3 handle 7\nsettle";
        last_changes(&(a_year_of_sessions(count) + late))
    };
    let (few, many) = (changed(100), changed(2000));
    // Its month and all of time at each of four accounts and two products; one position; two steps.
    assert_eq!(few.peaks.len(), 2 * 2 * 4 * 2, "a row goes and one comes for each total");
    assert_eq!(few.sessions.len(), 1);
    assert!(few.steps.len() <= 2, "{} steps", few.steps.len());
    assert!(few.positions.len() <= 4, "{} positions", few.positions.len());
    assert_eq!(few.len(), many.len(), "rows that changed among 100 sessions, and among 2,000");
}

/// So many accounts with a line and a session in each month.
fn accounts_with_lines(count: usize) -> String {
    let mut script = String::new();
    for index in 0..count {
        writeln!(script, "account a{index} under company").unwrap();
        writeln!(script, "member user u{index} in a{index}").unwrap();
        writeln!(script, "[id=l{index}] line APP 1 name l{index} account a{index}").unwrap();
        for month in 1..=6 {
            writeln!(script, "2025-{month:02}-10T10:00 out APP u{index}@ws x2").unwrap();
            writeln!(script, "2025-{month:02}-10T11:00 in APP u{index}@ws x2").unwrap();
        }
    }
    script + "settle 2025-06-20\n"
}

#[test]
fn a_back_dated_amendment_of_a_line_changes_its_account_from_then_on() {
    let changed = |count: usize| {
        let amended = "[id=l3 rev=1] line APP 1 name l3 account a3 to 2025-03-01\n\
            [id=more] line APP 2 name l3 account a3 from 2025-03-01\nsettle";
        last_changes(&(accounts_with_lines(count) + amended))
    };
    let (few, many) = (changed(10), changed(200));
    // March to June at the one account, and all of time.
    let months = few.positions.iter().filter(|(row, diff)| {
        *diff > 0 && row.key.period.span.start >= "2025-03-01T00:00:00Z".parse().unwrap()
    });
    assert_eq!(months.count(), 4);
    let accounts: BTreeSet<_> = few.positions.iter().map(|(row, _)| row.key.account).collect();
    assert_eq!(accounts.len(), 1, "only the amended account's positions change");
    assert!(few.peaks.is_empty() && few.sums.is_empty(), "what is used does not change");
    assert_eq!(few.len(), many.len(), "rows that changed among 10 accounts, and among 200");
}

/// So many accounts below one node, each with a metered quantity and a session.
fn a_wide_subtree(count: usize) -> String {
    let mut script = "account node under one\naccount other under two\n".to_owned();
    for index in 0..count {
        writeln!(script, "account a{index} under node").unwrap();
        writeln!(script, "member user u{index} in a{index}").unwrap();
        writeln!(script, "2025-03-03T10:00 use API 1 by u{index}").unwrap();
        writeln!(script, "2025-03-03T10:00 out APP u{index}@ws").unwrap();
        writeln!(script, "2025-03-03T11:00 in APP u{index}@ws").unwrap();
    }
    script + "settle 2025-03-20\nmove node under two from 2025-02-01\nsettle"
}

#[test]
fn a_subtree_that_moves_changes_the_two_ways_up_and_nothing_below_it() {
    let (few, many) = (last_changes(&a_wide_subtree(50)), last_changes(&a_wide_subtree(10_000)));
    // A product and everything, each in a month and all of time: they leave one parent for another.
    let each = 2 * 2;
    assert_eq!(few.peaks.len(), 2 * each, "peaks leave one parent and come to the other");
    let volumes: BTreeSet<_> = few.sums.iter().map(|(key, _)| key).collect();
    assert_eq!(volumes.len(), 2 * each, "volumes leave one parent and come to the other");
    assert!(few.positions.is_empty(), "who is short does not change");
    assert_eq!(few.len(), many.len(), "rows that changed with 50 accounts below, and with 10,000");
}

/// So many people to whom a right is allocated and who work every week.
fn allocated_people(count: usize) -> String {
    let mut script = format!("line APP {count} name L1 restricted\n");
    for user in 0..count {
        writeln!(script, "allocate L1 to user u{user} from 2025-01-01").unwrap();
        for week in 0..4 {
            let from = week * 7 * 24 * 60 + 480;
            writeln!(script, "{} out APP u{user}@ws{user}", minute(from)).unwrap();
            writeln!(script, "{} in APP u{user}@ws{user}", minute(from + 60)).unwrap();
        }
    }
    script + "settle 2025-03-01\n"
}

#[test]
fn use_of_what_is_allocated_changes_its_own_figures_however_many_others_hold_some() {
    let changed = |count: usize, last: &str| last_changes(&(allocated_people(count) + last));
    let listed = "2025-03-01T10:00 out APP u3@ws3\nsettle 2025-03-01T11:00";
    let (few, many) = (changed(10, listed), changed(400, listed));
    assert_eq!(few.allocated.len(), 2, "one row goes and one comes");
    assert_eq!(few.discrepancies.len(), many.discrepancies.len());
    assert_eq!(few.len(), many.len(), "rows that changed among 10 holders, and among 400");
    let unlisted = "2025-03-01T10:00 out APP someone@ws999\nsettle 2025-03-01T11:00";
    let (few, many) = (changed(10, unlisted), changed(400, unlisted));
    assert_eq!(few.allocated.len(), 2, "one row goes and one comes");
    assert_eq!(few.len(), many.len(), "rows that changed among 10 holders, and among 400");
}
