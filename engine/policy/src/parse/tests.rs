//! Policies as people write them, right and wrong.

use crate::Policy;
use crate::pattern::Pattern;
use crate::rules::{ConflictRule, NamedUsers, SuiteOrder, TransferExpiry};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use trueup_model::calendar::{Calendar, PeriodUnit};
use trueup_model::metric::Metric;

/// Reads a policy that must be refused, and compares what is said about it.
fn refused(text: &str, expected: &Expect) {
    let errors = Policy::from_toml(text).expect_err("the policy should be refused");
    expected.assert_eq(&errors.to_string());
}

#[test]
fn an_empty_policy_is_the_default() {
    assert_eq!(Policy::from_toml(""), Ok(Policy::default()));
}

#[test]
fn the_first_matching_rule_decides() {
    let policy = Policy::from_toml(
        r#"
        [[rule]]
        products = ["*_Toolbox"]
        duplicates = "NONE"
        metrics = ["named_user", "concurrent"]
        named_users = "active"
        suite_order = "component_first"
        [[rule]]
        products = ["*"]
        duplicates = "UH"
        "#,
    )
    .unwrap();
    let toolbox = policy.product("Signal_Toolbox");
    assert_eq!(toolbox.duplicates.unwrap().to_string(), "NONE");
    assert_eq!(toolbox.named_users, NamedUsers::Active);
    assert_eq!(toolbox.suite_order, SuiteOrder::ComponentFirst);
    assert_eq!(policy.product("MATLAB").suite_order, SuiteOrder::SuiteFirst);
    assert_eq!(toolbox.metrics.iter().collect::<Vec<_>>(), [Metric::Concurrent, Metric::NamedUser]);
    assert_eq!(policy.product("MATLAB").duplicates.unwrap().to_string(), "UH");
}

#[test]
fn the_position_period_is_not_kept_twice() {
    let policy = Policy::from_toml(
        r#"
        position_period = "day"
        further_periods = ["all", "day", "month", "all"]
        conflict = "last"
        transfer_expiry = "reset"
        "#,
    )
    .unwrap();
    assert_eq!(
        policy.periods().collect::<Vec<_>>(),
        [PeriodUnit::Day, PeriodUnit::Month, PeriodUnit::All]
    );
    assert_eq!(policy.conflict, ConflictRule::Last);
    assert_eq!(policy.transfer_expiry, TransferExpiry::Reset);
}

#[test]
fn a_period_closes_at_its_own_instant_or_some_time_after_its_end() {
    let policy = Policy::from_toml(
        r#"
        [closing]
        after_seconds = 3600
        periods = { "2025-06" = "2025-07-01T06:00:00Z" }
        "#,
    )
    .unwrap();
    let calendar = Calendar::natural(policy.zone.clone());
    let closes = |text: &str| {
        let period = calendar.period(PeriodUnit::Month, text.parse().unwrap());
        policy.closing.of(&calendar, period).unwrap().to_string()
    };
    assert_eq!(closes("2025-06-15T00:00:00Z"), "2025-07-01T06:00:00Z");
    assert_eq!(closes("2025-07-15T00:00:00Z"), "2025-08-01T01:00:00Z");
    let all = trueup_model::calendar::Period::ALL;
    assert_eq!(policy.closing.of(&calendar, all), None);
}

#[test]
fn all_problems_are_reported_at_once_with_their_places() {
    refused(
        r#"name = 3
time_zone = "Middle/Earth"
position_period = "fortnight"
colour = "red"
[[rule]]
duplicates = "UX"
near_percent = 101
[closing]
periods = { "2025-06" = "soon" }
"#,
        &expect![[r#"
            line 1, column 8: expected a text in quotes, found integer
            line 2, column 13: `Middle/Earth` is not a time zone of the IANA database, such as Europe/Madrid or UTC
            line 3, column 19: `fortnight` is none of minute, hour, day, month, quarter, year, all
            line 4, column 1: `colour` is not a key here; known are name, time_zone, position_period, further_periods, current_totals, conflict, retention_days, transfer_expiry, attempt_window_seconds, standby_days, identity, closing, anomalies, rule
            line 5, column 1: a rule needs `products`, such as ["*"]
            line 6, column 14: expected NONE, SITE or letters of UHDV
            line 7, column 16: expected a whole number from 0 to 100, found integer
            line 9, column 25: `soon` is not an RFC 3339 instant with an offset, such as 2025-06-30T22:00:00Z"#]],
    );
}

#[test]
fn text_that_is_no_toml_says_where() {
    refused(
        "name = \"a\nrules = [",
        &expect![[r#"
        line 1, column 10: invalid basic string, expected `"`
        line 2, column 10: unclosed array, expected `]`"#]],
    );
}

#[test]
fn patterns_match_whole_names_without_regard_to_case() {
    let rows = [
        ("*", "anything", true),
        ("MATLAB", "matlab", true),
        ("MATLAB", "MATLAB Coder", false),
        ("MATLAB*", "MATLAB Coder", true),
        ("*Toolbox", "Signal_Toolbox", true),
        ("a*b*c", "aXXbYYc", true),
        ("a*b*c", "aXXcYYb", false),
        ("ab*ba", "aba", false),
        ("", "", true),
        ("", "x", false),
    ];
    for (pattern, name, matches) in rows {
        assert_eq!(Pattern::new(pattern).matches(name), matches, "{pattern} on {name}");
    }
}

proptest! {
    #[test]
    fn reading_never_panics(text in "\\PC*", pattern in "[*a]{0,12}", name in "[ab]{0,12}") {
        let _ = Policy::from_toml(&text);
        let _ = Pattern::new(&pattern).matches(&name);
    }
}

#[test]
fn a_hold_that_counts_for_both_says_for_how_long() {
    refused(
        "[[rule]]\nproducts = [\"APP\"]\nseat_hold_counts = true\n",
        &expect!["line 1, column 1: `seat_hold_counts` needs `seat_hold_seconds` above 0"],
    );
    let policy =
        "[[rule]]\nproducts = [\"APP\"]\nseat_hold_counts = true\nseat_hold_seconds = 60\n";
    let hold = Policy::from_toml(policy).unwrap().product("APP").seat_hold.unwrap();
    assert_eq!((hold.least_us, hold.counts), (60_000_000, true));
}
