//! The problem inputs, as far as a log alone can answer them.
//!
//! Pairing opens with closes is the engine's work; here the lines themselves must be right: their
//! instants, names, counts and reasons, and the sum of times that does not depend on the pairing.

use crate::formats::Collected;
use crate::formats::flexnet::log::LogOptions;
use crate::formats::flexnet::merge::{self, LogFile};
use crate::formats::flexnet::testing::{
    Case, at, bodies, lives, of_kind, read_with, rejects, sessions,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::fact::Body;
use trueup_model::observation::ReservedFor;
use trueup_model::time::{SECOND_US, Timestamp};
use trueup_model::usage::{ServerEventKind, SessionEvent, SessionKind, SessionReason};

/// License-seconds of a feature whose checkouts all came back, whichever return belongs to which.
fn unit_seconds(collected: &Collected, feature: &str) -> i64 {
    let turns = sessions(collected).into_iter().filter(|event| event.product == feature);
    let weighted = turns.map(|event| {
        let seconds = event.at.0 / SECOND_US * i64::from(event.count);
        match event.kind {
            SessionKind::Open => -seconds,
            SessionKind::Close => seconds,
            SessionKind::Deny
            | SessionKind::Unsupported
            | SessionKind::Queue
            | SessionKind::Dequeue
            | SessionKind::Heartbeat => 0,
        }
    });
    weighted.sum()
}

/// Licenses of a feature that are out at an instant.
fn in_use(collected: &Collected, feature: &str, instant: Timestamp) -> i64 {
    let until = |event: &&SessionEvent<String>| event.product == feature && event.at <= instant;
    let signed = sessions(collected).into_iter().filter(until).map(|event| match event.kind {
        SessionKind::Open => i64::from(event.count),
        SessionKind::Close => -i64::from(event.count),
        SessionKind::Deny
        | SessionKind::Unsupported
        | SessionKind::Queue
        | SessionKind::Dequeue
        | SessionKind::Heartbeat => 0,
    });
    signed.sum()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

#[test]
fn sums_of_times_are_right_across_midnights_years_and_clock_changes() {
    for name in [
        "c01-fn-midnight-unstamped",
        "c02-fn-year-rollover",
        "c03-fn-dst-spring",
        "c04-fn-small-backstep",
        "c10-fn-counts-out-of-order",
        "c12-fn-checkin-failed",
        "c13-fn-identical-lines",
        "c15-fn-queue",
        "c17-fn-noise",
    ] {
        let Some(case) = Case::open(name) else { return };
        let collected = case.log("debug.log");
        assert_eq!(rejects(&collected), [], "{name}");
        let expected = case.expect("/unit_seconds").as_object().expect("one entry a feature");
        for (feature, seconds) in expected {
            assert_eq!(unit_seconds(&collected, feature), *seconds, "{name}: {feature}");
        }
    }
    let Some(case) = Case::open("c06-fn-dup-group") else { return };
    let collected = case.log("debug.log");
    let expected = case.expect("/none.lic/unit_seconds/APP");
    assert_eq!(unit_seconds(&collected, "APP"), *expected, "each checkout counts");
}

#[test]
fn opens_and_closes_have_the_instants_of_the_sessions() {
    for name in ["c01-fn-midnight-unstamped", "c02-fn-year-rollover", "c03-fn-dst-spring"] {
        let Some(case) = Case::open(name) else { return };
        let collected = case.log("debug.log");
        for session in list(case.expect("/sessions")) {
            let has = |kind, instant: &Value| {
                let found = of_kind(&collected, kind).into_iter().any(|event| {
                    event.at == at(text(instant))
                        && event.user == text(&session["user"])
                        && event.product == text(&session["feature"])
                        && session["count"] == event.count
                });
                assert!(found, "{name}: {kind:?} of {session}");
            };
            has(SessionKind::Open, &session["out"]);
            has(SessionKind::Close, &session["in"]);
        }
    }
}

#[test]
fn lines_seconds_out_of_order_stay_on_their_day_and_in_their_order() {
    let Some(case) = Case::open("c04-fn-small-backstep") else { return };
    let collected = case.log("debug.log");
    let zone = case.context().zone;
    let dates: BTreeSet<String> =
        sessions(&collected).iter().map(|event| zone.local(event.at).date().to_string()).collect();
    let expected: BTreeSet<&str> = list(case.expect("/all_dates")).iter().map(text).collect();
    assert_eq!(dates.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected);
    let servers: BTreeSet<&str> =
        sessions(&collected).iter().map(|event| event.server.as_str()).collect();
    assert_eq!(servers, BTreeSet::from(["simvd@unknown"]), "the child writes for its parent");
}

#[test]
fn a_restart_is_told_with_the_last_sign_of_life_before_it() {
    let Some(case) = Case::open("c05-fn-restart-implicit-return") else { return };
    let names = ["a-2017-06-08.log", "b-2017-06-08.log"];
    let bytes = names.map(|name| case.file(name));
    let files = [0, 1].map(|n| LogFile { name: names[n], bytes: &bytes[n] });
    let mut collected = Collected::default();
    merge::read(case.context(), LogOptions::default(), &files, &mut collected);
    let told: Vec<(String, ServerEventKind, &str)> = lives(&collected)
        .into_iter()
        .map(|event| (event.at.to_string(), event.kind, event.server.as_str()))
        .collect();
    let server = "cfdlmd@lic1.example.org";
    let expected = [
        ("2017-06-08T11:31:02Z", ServerEventKind::Alive),
        ("2017-06-08T13:49:41Z", ServerEventKind::Started),
        ("2017-06-08T13:49:41Z", ServerEventKind::Alive),
        ("2017-06-08T13:49:42Z", ServerEventKind::Started),
        ("2017-06-08T14:50:14Z", ServerEventKind::Alive),
    ];
    assert_eq!(told, expected.map(|(at, kind)| (at.to_owned(), kind, server)));
    for state in list(case.expect("/in_use")).iter().take(2) {
        let found = in_use(&collected, text(&state["feature"]), at(text(&state["at"])));
        assert_eq!(state["value"], found, "{state}");
    }
    let open = of_kind(&collected, SessionKind::Open).len() as u64;
    let closed = of_kind(&collected, SessionKind::Close).len() as u64;
    assert_eq!(*case.expect("/estimated_ends"), open - closed);
    // What is unknown of an end lies between the sign of life and the start: inside the range.
    for (feature, range) in case.expect("/unit_seconds_range").as_object().expect("ranges") {
        let whole = |end: &str| {
            let ends = of_kind(&collected, SessionKind::Open);
            let lost = ends.iter().filter(|event| event.product == *feature);
            let lost = lost.filter(|event| event.at < at("2017-06-08T13:49:41Z"));
            let lost = lost.map(|e| (at(end).0 - e.at.0) / SECOND_US * i64::from(e.count));
            lost.sum::<i64>()
        };
        let after = if feature == "solve" { 3_600 } else { 0 };
        assert_eq!(range[0], whole("2017-06-08T11:31:02Z") + after, "{feature}: shortest");
        assert!(range[1].as_i64() >= Some(whole("2017-06-08T13:49:41Z") + after), "{feature}");
    }
}

#[test]
fn the_first_file_alone_ends_with_a_sign_of_life() {
    let Some(case) = Case::open("c05-fn-restart-implicit-return") else { return };
    let collected = case.log("a-2017-06-08.log");
    let last = *lives(&collected).last().expect("a sign of life");
    assert_eq!((last.kind, last.at), (ServerEventKind::Alive, at("2017-06-08T11:31:02Z")));
}

#[test]
fn denials_are_counted_by_line_and_by_attempt() {
    let Some(case) = Case::open("c08-fn-denied-then-served") else { return };
    let collected = case.log("debug.log");
    let denials = of_kind(&collected, SessionKind::Deny);
    assert_eq!(*case.expect("/denials/raw_lines"), denials.len());
    assert!(denials.iter().all(|event| event.reason == SessionReason::AllInUse));
    let attempts: BTreeSet<_> =
        denials.iter().map(|event| (event.at, &event.user, &event.device)).collect();
    assert_eq!(*case.expect("/denials/attempts"), attempts.len());
}

#[test]
fn unsupported_is_not_a_denial_and_keeps_its_user() {
    let Some(case) = Case::open("c09-fn-unsupported-then-out") else { return };
    let collected = case.log("debug.log");
    let unsupported = of_kind(&collected, SessionKind::Unsupported);
    assert_eq!(*case.expect("/unsupported/raw_lines"), unsupported.len());
    assert!(unsupported.iter().all(|event| event.reason == SessionReason::NoSuchFeature));
    assert_eq!(*case.expect("/denials/raw_lines"), of_kind(&collected, SessionKind::Deny).len());
    let users: BTreeSet<&str> = unsupported.iter().map(|event| event.user.as_str()).collect();
    assert_eq!(users, list(case.expect("/users")).iter().map(text).collect());
    assert_eq!(*case.expect("/checkouts"), of_kind(&collected, SessionKind::Open).len());
}

#[test]
fn use_at_an_instant_follows_the_counts() {
    let Some(case) = Case::open("c10-fn-counts-out-of-order") else { return };
    let collected = case.log("debug.log");
    for state in list(case.expect("/in_use")) {
        let found = in_use(&collected, text(&state["feature"]), at(text(&state["at"])));
        assert_eq!(state["value"], found, "{state}");
    }
    let counts: Vec<u32> =
        of_kind(&collected, SessionKind::Close).iter().map(|event| event.count).collect();
    assert_eq!(counts, [8, 7]);
}

#[test]
fn names_with_blanks_and_accents_survive_byte_order_mark_and_carriage_returns() {
    let Some(case) = Case::open("c11-fn-names-bom-crlf") else { return };
    let collected = case.log("debug.log");
    let users: BTreeSet<String> =
        sessions(&collected).iter().map(|event| event.user.to_lowercase()).collect();
    let expected: BTreeSet<String> =
        list(case.expect("/users")).iter().map(|user| text(user).to_lowercase()).collect();
    assert_eq!(users, expected);
    assert_eq!(*case.expect("/checkouts"), of_kind(&collected, SessionKind::Open).len());
    assert_eq!(*case.expect("/checkins"), of_kind(&collected, SessionKind::Close).len());
    let zone = case.context().zone;
    let first = sessions(&collected)[0];
    assert_eq!(*case.expect("/first_line_date"), zone.local(first.at).date().to_string());
    assert!(first.server.ends_with("@lic1"), "the banner has the byte order mark");
    assert_eq!(rejects(&collected), []);
}

#[test]
fn a_failed_check_in_is_no_event() {
    let Some(case) = Case::open("c12-fn-checkin-failed") else { return };
    let collected = case.log("debug.log");
    let closes = of_kind(&collected, SessionKind::Close);
    assert_eq!(*case.expect("/checkins"), closes.len());
    let inactive = closes.iter().filter(|event| event.reason == SessionReason::Inactive).count();
    assert_eq!(*case.expect("/in_reasons/INACTIVE"), inactive);
}

#[test]
fn equal_lines_of_one_second_are_separate_checkouts() {
    let Some(case) = Case::open("c13-fn-identical-lines") else { return };
    let collected = case.log("debug.log");
    let opens = of_kind(&collected, SessionKind::Open);
    assert_eq!(*case.expect("/checkouts"), opens.len());
    assert_eq!(opens.iter().map(|event| event.rank).collect::<Vec<_>>(), [0, 1, 2]);
    let ids: BTreeSet<_> = collected.facts.iter().map(|fact| fact.id).collect();
    assert_eq!(ids.len(), collected.facts.len(), "no two facts share an identity");
}

#[test]
fn verbose_lines_give_users_projects_versions_and_handles() {
    let Some(case) = Case::open("c14-fn-verbose") else { return };
    let collected = case.log("debug.log");
    let users: BTreeSet<&str> =
        sessions(&collected).iter().map(|event| event.user.as_str()).collect();
    assert_eq!(users, list(case.expect("/users")).iter().map(text).collect());
    for (user, project) in case.expect("/projects").as_object().expect("by user") {
        let of_user = sessions(&collected).into_iter().filter(|event| event.user == *user);
        assert!(of_user.into_iter().all(|event| event.project.as_deref() == project.as_str()));
    }
    let mut spans: BTreeMap<u64, i64> = BTreeMap::new();
    for event in sessions(&collected) {
        let Some(handle) = event.handle else { continue };
        let sign = if event.kind == SessionKind::Open { -1 } else { 1 };
        *spans.entry(handle).or_default() += sign * event.at.0 / SECOND_US;
    }
    for session in list(case.expect("/sessions")) {
        let digits = text(&session["handle"]).trim_start_matches("0x");
        let handle = u64::from_str_radix(digits, 16).expect("hexadecimal");
        assert_eq!(session["seconds"], spans[&handle], "{session}");
    }
    assert_eq!(*case.expect("/denials/raw_lines"), of_kind(&collected, SessionKind::Deny).len());
    assert!(sessions(&collected).iter().all(|event| event.version.as_deref() == Some("1.0")));
}

#[test]
fn waits_in_a_queue_are_told_apart_from_use() {
    let Some(case) = Case::open("c15-fn-queue") else { return };
    let collected = case.log("debug.log");
    let queued = of_kind(&collected, SessionKind::Queue);
    let dequeued = of_kind(&collected, SessionKind::Dequeue);
    assert_eq!(*case.expect("/queue/waits"), queued.len());
    let waited = (dequeued[0].at.0 - queued[0].at.0) / SECOND_US;
    assert_eq!(*case.expect("/queue/wait_seconds"), waited);
    let denials = of_kind(&collected, SessionKind::Deny);
    assert_eq!(*case.expect("/denials/raw_lines"), denials.len());
    let because = denials.iter().filter(|event| event.reason == SessionReason::UsersQueued).count();
    assert_eq!(*case.expect("/denials/because_queue"), because);
}

#[test]
fn a_reread_is_told_and_use_goes_on() {
    let Some(case) = Case::open("c16-fn-reread-capacity") else { return };
    let collected = case.log("debug.log");
    let rereads: Vec<Timestamp> = lives(&collected)
        .into_iter()
        .filter(|event| event.kind == ServerEventKind::Reread)
        .map(|event| event.at)
        .collect();
    assert_eq!(rereads, [at("2022-05-05T08:42:28Z")], "once, when the daemon was done");
    for state in list(case.expect("/position")) {
        let found = in_use(&collected, "mesh", at(text(&state["at"])));
        assert_eq!(state["used"], found, "{state}");
    }
}

#[test]
fn chatter_that_looks_like_licenses_or_events_is_chatter() {
    let Some(case) = Case::open("c17-fn-noise") else { return };
    let collected = case.log("debug.log");
    assert_eq!(*case.expect("/checkouts"), of_kind(&collected, SessionKind::Open).len());
    assert_eq!(*case.expect("/checkins"), of_kind(&collected, SessionKind::Close).len());
    let features: BTreeSet<&str> =
        sessions(&collected).iter().map(|event| event.product.as_str()).collect();
    assert_eq!(features, list(case.expect("/features_used")).iter().map(text).collect());
    let lines = bodies(&collected).filter(|body| matches!(body, Body::Line(_))).count();
    assert_eq!(*case.expect("/entitlements_from_log"), lines);
    let reserved: Vec<_> = bodies(&collected)
        .filter_map(|body| if let Body::Reservation(row) = body { Some(row) } else { None })
        .collect();
    let expected = list(case.expect("/reservations"));
    assert_eq!(reserved.len(), expected.len());
    for (row, wanted) in reserved.iter().zip(expected) {
        assert_eq!(wanted["feature"], *row.product);
        assert_eq!(wanted["count"], row.count);
        assert_eq!(wanted["group"], *row.holder);
        assert_eq!((row.holder_kind, row.at), (ReservedFor::UserGroup, None));
        assert_eq!(row.server, "MATHVD@lic1");
    }
    let expired: Vec<Option<&str>> = lives(&collected)
        .into_iter()
        .filter(|event| event.kind == ServerEventKind::FeatureExpired)
        .map(|event| event.product.as_deref())
        .collect();
    let all: Vec<Option<&str>> =
        list(case.expect("/expired_features")).iter().map(Value::as_str).collect();
    assert_eq!(expired, all);
}

#[test]
fn use_over_the_overdraft_is_read_as_it_is() {
    let Some(case) = Case::open("c24-lic-overdraft") else { return };
    let options = LogOptions { host: Some("lic1".to_owned()), ..LogOptions::default() };
    let (collected, _) = read_with(case.context(), options, &case.file("debug.log"));
    for position in list(case.expect("/position")) {
        let found = in_use(&collected, "lib", at(text(&position["at"])));
        assert_eq!(position["used"], found, "{position}");
    }
    assert!(sessions(&collected).iter().all(|event| event.server == "prime@lic1"));
}
