//! Invented logs: names, lives, identities, and what becomes of damage.

use crate::formats::Collected;
use crate::formats::flexnet::log::{LogOptions, LogReader, host_in};
use crate::formats::flexnet::testing::{
    at, bodies, body, context, identities, lives, of_kind, read, read_with, rejects, sessions,
};
use expect_test::{Expect, expect};
use trueup_model::fact::Body;
use trueup_model::reject::RejectReason;
use trueup_model::usage::{ServerEventKind, SessionKind};

/// One line for each fact and remark.
fn check(zone: &str, log: &str, expected: Expect) {
    let (collected, _) = read(context(zone), log.as_bytes());
    expected.assert_eq(&shown(&collected));
}

fn said(body: &Body<String>) -> String {
    if let Body::Session(e) = body {
        let holder = format!("{}@{} x{}", e.user, e.device, e.count);
        let kind = e.kind.name();
        return format!("{} #{} {kind} {} {holder} {}", e.at, e.rank, e.product, e.server);
    }
    if let Body::Server(e) = body {
        let feature = e.product.as_deref().unwrap_or_default();
        return format!("{} #{} {:?} {} {feature}", e.at, e.rank, e.kind, e.server);
    }
    if let Body::Reservation(r) = body {
        return format!("reserve {} {} {} {}", r.count, r.product, r.holder, r.server);
    }
    if let Body::Reject(r) = body {
        let detail = r.detail.as_deref().unwrap_or_default();
        return format!("{} `{}` {detail}", r.reason.name(), r.excerpt);
    }
    format!("{body:?}")
}

fn shown(collected: &Collected) -> String {
    let mut text = String::new();
    for fact in &collected.facts {
        let line = fact.provenance.position;
        let said = said(body(fact));
        text += &format!("{line}: {}\n", said.trim_end());
    }
    for (line, words) in &collected.notes {
        text += &format!("{line}! {words}\n");
    }
    text
}

#[test]
fn a_restart_ends_all_daemons_and_the_start_of_one_only_its_own() {
    check(
        "UTC",
        "\
10:00:00 (lmgrd) FlexNet Licensing (v11.1) started on lic1 (linux) (1/2/2020)
10:00:01 (avd) OUT: \"a\" u@h  
10:00:02 (bvd) OUT: \"b\" u@h  
10:05:00 (lmgrd) Started avd (internet tcp_port 1 pid 2)
10:05:01 (avd) FlexNet Licensing version v11.1
10:05:02 (avd) Server started on lic1 for:\ta
12:00:00 (lmgrd) -----
12:00:05 (lmgrd) FlexNet Licensing (v11.1) started on lic1 (linux) (1/2/2020)
12:00:06 (bvd) Server started on lic1 for:\tb
",
        expect![[r#"
            2: 2020-01-02T10:00:01Z #0 open a u@h x1 avd@lic1
            3: 2020-01-02T10:00:02Z #0 open b u@h x1 bvd@lic1
            2: 2020-01-02T10:00:01Z #1 Alive avd@lic1
            6: 2020-01-02T10:05:02Z #0 Started avd@lic1
            6: 2020-01-02T10:05:02Z #1 Alive avd@lic1
            8: 2020-01-02T12:00:05Z #0 Started avd@lic1
            3: 2020-01-02T10:00:02Z #1 Alive bvd@lic1
            8: 2020-01-02T12:00:05Z #0 Started bvd@lic1
            8: 2020-01-02T12:00:05Z #1 Alive bvd@lic1
            9: 2020-01-02T12:00:06Z #0 Started bvd@lic1
            8: 2020-01-02T12:00:05Z #1 Alive avd@lic1
            9: 2020-01-02T12:00:06Z #1 Alive bvd@lic1
        "#]],
    );
}

#[test]
fn a_time_stamp_of_the_manager_is_a_sign_of_life_of_all_its_daemons() {
    check(
        "UTC",
        "\
10:00:00 (lmgrd) TIMESTAMP 1/2/2020
10:00:01 (avd) OUT: \"a\" u@h  
10:00:02 (bvd) TIMESTAMP 1/2/2020
16:00:00 (lmgrd) TIMESTAMP 1/2/2020
16:05:00 (avd) TIMESTAMP 1/2/2020
17:00:00 (bvd) (@bvd-SLOG@) ====
",
        expect![[r#"
            2: 2020-01-02T10:00:01Z #0 open a u@h x1 avd@unknown
            3: 2020-01-02T10:00:02Z #0 Alive bvd@unknown
            4: 2020-01-02T16:00:00Z #0 Alive avd@unknown
            4: 2020-01-02T16:00:00Z #0 Alive bvd@unknown
            5: 2020-01-02T16:05:00Z #0 Alive avd@unknown
            6: 2020-01-02T17:00:00Z #0 Alive bvd@unknown
        "#]],
    );
}

#[test]
fn a_reread_is_told_once_for_each_daemon() {
    check(
        "UTC",
        "\
10:00:00 (lmgrd) TIMESTAMP 1/2/2020
10:00:01 (avd) OUT: \"a\" u@h  
10:00:01 (bvd) OUT: \"b\" u@h  
11:00:00 (lmgrd) Rereading license file... Requested from adm@lic1
11:00:01 (avd) ...Finished rereading
11:00:02 (lmgrd) ...Finished rereading
11:00:03 (lmgrd) Done rereading
",
        expect![[r#"
            2: 2020-01-02T10:00:01Z #0 open a u@h x1 avd@unknown
            3: 2020-01-02T10:00:01Z #0 open b u@h x1 bvd@unknown
            5: 2020-01-02T11:00:01Z #0 Reread avd@unknown
            6: 2020-01-02T11:00:02Z #0 Reread bvd@unknown
            5: 2020-01-02T11:00:01Z #1 Alive avd@unknown
            3: 2020-01-02T10:00:01Z #1 Alive bvd@unknown
        "#]],
    );
}

#[test]
fn a_daemon_that_says_again_that_it_serves_after_a_reread_did_not_start() {
    check(
        "UTC",
        "\
10:00:00 (lmgrd) TIMESTAMP 1/2/2020
10:00:01 (avd) Server started on lic1 for:	a
10:00:02 (avd) OUT: \"a\" u@h  
11:00:00 (lmgrd) Rereading license file... Requested from adm@lic1
11:00:00 (avd) Rereading license file...
11:00:00 (lmgrd) Done rereading
11:00:01 (avd) Server started on lic1 for:	a
12:00:00 (avd) Server started on lic1 for:	a
",
        expect![[r#"
            2: 2020-01-02T10:00:01Z #0 Started avd@lic1
            3: 2020-01-02T10:00:02Z #0 open a u@h x1 avd@lic1
            6: 2020-01-02T11:00:00Z #0 Reread avd@lic1
            7: 2020-01-02T11:00:01Z #0 Alive avd@lic1
            8: 2020-01-02T12:00:00Z #0 Started avd@lic1
            8: 2020-01-02T12:00:00Z #1 Alive avd@lic1
        "#]],
    );
}

#[test]
fn damage_is_set_aside_with_its_line_and_loses_nothing_else() {
    check(
        "UTC",
        "\
10:00:00 (lmgrd) TIMESTAMP 1/2/2020
10:00:01 (vd) OUT: \"f\" a@h  
10:00:02 (vd) OUT: \"f\" b@
(vd) OUT: \"f\" c@h  
10:00:03 (vd) Upd10:00:03 (vd) IN: \"f\" a@h  
\u{1}\u{2}\u{3}
\u{4}
 some continued chatter
10:00:04 (vd) OUT: \"f\" d@h  
10:00:05 (vd) OUT: \"f",
        expect![[r#"
            2: 2020-01-02T10:00:01Z #0 open f a@h x1 vd@unknown
            3: malformed `10:00:02 (vd) OUT: "f" b@` no user@host, or an unknown tail behind it
            4: malformed `(vd) OUT: "f" c@h  ` an event without its time and daemon
            5: malformed `10:00:03 (vd) Upd10:00:03 (vd) IN: "f" a@h  ` an event begins in the middle of the line
            6: not_text `���` 2 such lines
            9: 2020-01-02T10:00:04Z #0 open f d@h x1 vd@unknown
            10: torn `10:00:05 (vd) OUT: "f`
            9: 2020-01-02T10:00:04Z #1 Alive vd@unknown
        "#]],
    );
}

#[test]
fn only_a_last_line_that_can_have_been_cut_is_torn() {
    let whole = "10:00:00 (lmgrd) TIMESTAMP 1/2/2020\n10:00:01 (vd) OUT: \"f\" a@h  \n";
    for (end, torn, events) in [
        ("10:00:02 (vd) IN: \"f\" a@h  ", 0, 2),
        ("10:00:02 (vd) IN: \"f\" a@h  (SHUTDOWN)", 0, 2),
        ("10:00:02 (vd) IN: \"f\" a@h", 1, 1),
        ("10:00:02 (vd) IN: \"f\" a@h  (SHUT", 1, 1),
        ("10:00:02 (vd) I", 1, 1),
        ("10:00:02 (vd) TIMEST", 1, 1),
        ("10:00:02 (lmgrd) TIMESTAMP 1/2/202", 1, 1),
        ("10:00:02 (lmgrd) TIMESTAMP 1/2/2020", 0, 1),
        ("10:00", 1, 1),
        ("10:00:02 (vd) ...Finished rereading", 0, 1),
        (" MATHVD  oldvd", 0, 1),
        ("   ", 0, 1),
    ] {
        let log = format!("{whole}{end}");
        let (collected, summary) = read(context("UTC"), log.as_bytes());
        let found = rejects(&collected);
        assert_eq!(found.len(), torn, "{end}");
        assert!(
            found.iter().all(|(line, reject)| *line == 3 && reject.reason == RejectReason::Torn)
        );
        assert_eq!(summary.events, events, "{end}");
    }
}

#[test]
fn the_host_is_given_or_named_in_time_or_fallen_back_to() {
    let banner = "10:00:00 (lmgrd) FlexNet Licensing (v11) started on lic1 (linux) (1/2/2020)\n";
    let stamp = "10:00:00 (lmgrd) TIMESTAMP 1/2/2020\n";
    let out = "10:00:01 (vd) OUT: \"f\" a@h  \n";
    let named = |host: Option<&str>, fallback: Option<&str>, log: &str| {
        let options = LogOptions {
            host: host.map(str::to_owned),
            fallback_host: fallback.map(str::to_owned),
            date_hint: None,
        };
        let (collected, _) = read_with(context("UTC"), options, log.as_bytes());
        (sessions(&collected)[0].server.clone(), collected.notes.len())
    };
    let both = format!("{banner}{out}");
    assert_eq!(named(None, Some("fb"), &both), ("vd@lic1".to_owned(), 0));
    assert_eq!(named(Some("given"), Some("fb"), &both), ("vd@given".to_owned(), 0));
    assert_eq!(named(None, Some("fb"), &format!("{stamp}{out}")), ("vd@fb".to_owned(), 0));
    assert_eq!(named(None, None, &format!("{stamp}{out}")), ("vd@unknown".to_owned(), 0));
    let late = format!("{stamp}{out}{}", banner.replace("10:", "11:"));
    assert_eq!(named(None, None, &late), ("vd@unknown".to_owned(), 1), "told, and not changed");
    assert_eq!(host_in(late.as_bytes()), Some("lic1".to_owned()));
    assert_eq!(host_in(out.as_bytes()), None);
    // A start without a date names the host as long as nothing could be told.
    let waiting = format!("9:00:00 (vd) Server started on lic9 for:\tf\n{stamp}{out}");
    assert_eq!(named(None, Some("fb"), &waiting), ("vd@lic9".to_owned(), 0));
}

#[test]
fn a_log_without_a_date_is_dated_by_its_file_or_set_aside() {
    let log = "\
23:00:00 (vd) OUT: \"f\" a@h  
 1:00:00 (vd) IN: \"f\" a@h  
 1:00:00 (vd) IN: \"f\" a@
 1:00:01 (vd) RESERVING 2 f licenses for USER ada
";
    let (without, summary) = read(context("Europe/Paris"), log.as_bytes());
    let found: Vec<_> =
        rejects(&without).iter().map(|(line, reject)| (*line, reject.reason)).collect();
    let undated = RejectReason::Undated;
    assert_eq!(found, [(1, undated), (2, undated), (3, RejectReason::Malformed)]);
    assert_eq!((summary.events, summary.span), (0, None));
    let reserved = bodies(&without).filter(|body| matches!(body, Body::Reservation(_))).count();
    assert_eq!(reserved, 1, "a reservation needs no date");
    let hint = Some(at("2020-06-02T00:30:00Z"));
    let options = LogOptions { date_hint: hint, ..LogOptions::default() };
    let (dated, with_hint) = read_with(context("Europe/Paris"), options, log.as_bytes());
    let instants: Vec<_> = sessions(&dated).iter().map(|event| event.at.to_string()).collect();
    assert_eq!(instants, ["2020-06-01T21:00:00Z", "2020-06-01T23:00:00Z"]);
    assert_eq!((with_hint.events, with_hint.rejects), (2, 1));
}

#[test]
fn a_carrier_that_disagrees_is_remarked_and_wins() {
    check(
        "UTC",
        "\
10:00:00 (lmgrd) TIMESTAMP 1/2/2020
11:00:00 (vd) OUT: \"f\" a@h  
12:00:00 (lmgrd) TIMESTAMP 1/9/2020
13:00:00 (vd) IN: \"f\" a@h  
",
        expect![[r#"
            2: 2020-01-02T11:00:00Z #0 open f a@h x1 vd@unknown
            3: 2020-01-09T12:00:00Z #0 Alive vd@unknown
            4: 2020-01-09T13:00:00Z #0 close f a@h x1 vd@unknown
            4: 2020-01-09T13:00:00Z #1 Alive vd@unknown
            3! the line says 2020-01-09 where 2020-01-02 was counted: the server was down, or lines are missing before it
        "#]],
    );
}

#[test]
fn order_inside_a_second_and_ordinals_survive_lines_out_of_order() {
    let log = "\
10:00:00 (lmgrd) TIMESTAMP 1/2/2020
10:00:05 (vd) OUT: \"f\" a@h  
10:00:03 (vd_1) OUT: \"f\" b@h  
10:00:04 (vd) OUT: \"f\" c@h  
10:00:05 (vd_1) OUT: \"f\" a@h  
10:00:03 (vd) OUT: \"f\" d@h  
";
    let (collected, _) = read(context("UTC"), log.as_bytes());
    let ranks: Vec<u32> = sessions(&collected).iter().map(|event| event.rank).collect();
    assert_eq!(ranks, [0, 0, 0, 1, 1]);
    assert_eq!(identities(&collected).len(), collected.facts.len());
}

#[test]
fn a_growing_file_gives_the_same_identities_whenever_it_is_read() {
    let log = "\
10:00:00 (lmgrd) TIMESTAMP 1/2/2020
10:00:05 (vd) OUT: \"f\" a@h  
10:00:05 (vd) OUT: \"f\" a@h  
10:00:06 (vd) IN: \"f\" a@h  
10:00:09 (vd) IN: \"f\" a@h  
";
    let (whole, _) = read(context("UTC"), log.as_bytes());
    let mut grown = Collected::default();
    let mut reader = LogReader::new(context("UTC"), LogOptions::default());
    for byte in log.as_bytes() {
        reader.push(&[*byte], &mut grown);
        reader.idle(&mut grown);
    }
    reader.finish(&mut grown);
    let events = |collected: &Collected| {
        let events = collected.facts.iter().filter(|fact| matches!(body(fact), Body::Session(_)));
        events.cloned().collect::<Vec<_>>()
    };
    assert_eq!(events(&whole), events(&grown));
    assert!(identities(&whole).is_subset(&identities(&grown)));
    let told = lives(&grown);
    let alive = told.iter().filter(|event| event.kind == ServerEventKind::Alive).count();
    assert_eq!(alive, 3, "one for each second in which bytes paused");
}

#[test]
fn spelling_of_the_host_does_not_change_identities() {
    let log = "10:00:00 (lmgrd) TIMESTAMP 1/2/2020\n10:00:05 (vd) OUT: \"f\" a@h  \n";
    let named = |host: &str| {
        let options = LogOptions { host: Some(host.to_owned()), ..LogOptions::default() };
        identities(&read_with(context("UTC"), options, log.as_bytes()).0)
    };
    assert_eq!(named("LIC1"), named("lic1"));
    assert_ne!(named("lic1"), named("lic2"));
}

#[test]
fn opens_of_several_daemons_are_ranked_for_themselves() {
    let log = "\
10:00:00 (lmgrd) TIMESTAMP 1/2/2020
10:00:05 (avd) OUT: \"f\" a@h  
10:00:05 (bvd) OUT: \"f\" a@h  
10:00:05 (avd) OUT: \"f\" b@h  
";
    let (collected, _) = read(context("UTC"), log.as_bytes());
    let ranked: Vec<_> = of_kind(&collected, SessionKind::Open)
        .iter()
        .map(|event| (event.server.as_str(), event.rank))
        .collect();
    assert_eq!(ranked, [("avd@unknown", 0), ("bvd@unknown", 0), ("avd@unknown", 1)]);
}

#[test]
fn a_reservation_is_one_fact_however_often_a_start_repeats_it() {
    let start = "\
(vd) Server started on lic1 for:\tf
(vd) RESERVING 1 f/145D 7797 905A 1252  licenses for USER ada
(vd) RESERVING 1 f/145D 7797 905A 1252  licenses for USER ada
(vd) RESERVING 2 f/145D 7797 905A 1252  licenses for HOST pc1
";
    let at_clock = |clock: &str| start.replace("(vd)", &format!("{clock} (vd)"));
    let stamp = "10:00:00 (lmgrd) TIMESTAMP 1/2/2020\n";
    let log = format!("{stamp}{}{}", at_clock("10:00:01"), at_clock("12:00:01"));
    let (collected, _) = read(context("UTC"), log.as_bytes());
    let reserved: Vec<_> = collected
        .facts
        .iter()
        .filter(|fact| matches!(body(fact), Body::Reservation(_)))
        .map(|fact| fact.id)
        .collect();
    assert_eq!(reserved.len(), 6);
    assert_eq!(reserved[..3], reserved[3..], "the second start says the same");
    assert!(reserved[0] != reserved[1] && reserved[1] != reserved[2], "equal lines add up");
}
