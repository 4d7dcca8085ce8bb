use super::*;
use proptest::prelude::*;
use trueup_model::usage::SessionReason;

/// What a line says, in short.
fn said(line: &str) -> String {
    let Some(prefixed) = split(line.as_bytes()) else { return "no prefix".to_owned() };
    let mut scratch = String::new();
    match prefixed.message(&mut scratch) {
        Message::Event(event) => shown(&event),
        Message::Unreadable(why) => format!("unreadable: {why}"),
        Message::Dated(told) => format!("dated {told}"),
        Message::Life(life) => format!("{life:?}"),
        Message::Reserving(Reserving { count, feature, holder_kind, holder }) => {
            format!("reserving {count} {feature} {holder_kind:?} {holder}")
        }
        Message::Chatter => "chatter".to_owned(),
    }
}

fn shown(event: &Event<'_>) -> String {
    let mut text = format!(
        "{} {}|{}|{} x{}",
        event.kind.name(),
        event.feature,
        event.user,
        event.host,
        event.count
    );
    if event.reason != SessionReason::None {
        text += &format!(" {}", event.reason.name());
    }
    if let Some(data) = event.vendor_data {
        text += &format!(" [{data}]");
    }
    if let Some(Verbose { version, project, handle, duplicate }) = event.verbose {
        text += &format!(" v{version}");
        if let Some(project) = project {
            text += &format!(" project {project}");
        }
        if let Some(handle) = handle {
            text += &format!(" {handle:#x}");
        }
        if duplicate {
            text += " duplicate";
        }
    }
    text
}

#[test]
fn events_are_read_in_all_the_forms_that_servers_write() {
    let cases = [
        (r#"OUT: "solve" ada@n1.example.org  "#, "open solve|ada|n1.example.org x1"),
        (r#"IN: "solve" ada@n1  (7 licenses) "#, "close solve|ada|n1 x7"),
        (r#"IN: "solve" ada@n1  (1 license)"#, "close solve|ada|n1 x1"),
        (r#"IN: "solve" ada@n1  (SHUTDOWN)"#, "close solve|ada|n1 x1 shutdown"),
        (r#"IN: "solve" ada@n1  (INACTIVE)"#, "close solve|ada|n1 x1 inactive"),
        (r#"IN: "solve" ada@n1  (USER_REMOVED)"#, "close solve|ada|n1 x1 removed"),
        (r#"IN: "solve" ada@n1  (2 licenses) (ODD)"#, "close solve|ada|n1 x2 other"),
        (r#"OUT: "f" Mª Pilar@mpilar  "#, "open f|Mª Pilar|mpilar x1"),
        (r#"OUT: "f" Jane Doe Jr.@PC-1  "#, "open f|Jane Doe Jr.|PC-1 x1"),
        (r#"OUT: "f" ana@example.org@ws1  "#, "open f|ana@example.org|ws1 x1"),
        (r#"OUT: "f" a b@c d@ws1  (2 licenses)"#, "open f|a b@c d|ws1 x2"),
        (r#"OUT: "f" joe (x)@ws1  "#, "open f|joe (x)|ws1 x1"),
        (r#"OUT: "f" joe@x (y)@ws1  "#, "open f|joe@x (y)|ws1 x1"),
        ("OUT: \"f\"\tada@ws1\t(3 licenses)\t", "open f|ada|ws1 x3"),
        (r#"OUT: "f" ada@ws1  [job 7] (3 licenses)"#, "open f|ada|ws1 x3 [job 7]"),
        (r#"OUT: "f" ada@ws1 [a]b@c] "#, "open f|ada|ws1 x1 [a]b@c]"),
        ("OUT: f ada@ws1 [data]", "open f|ada|ws1 x1 [data]"),
        (
            r#"DENIED: "f" u@h  (Licensed number of users already reached. (-4,342))"#,
            "deny f|u|h x1 all_in_use",
        ),
        (
            r#"DENIED: "f" u@h  (Licensed number of users already reached. (-4,342:10054 ""))"#,
            "deny f|u|h x1 all_in_use",
        ),
        (
            r#"DENIED: "f" u@h  (Users are queued for this feature. (-24,332))"#,
            "deny f|u|h x1 users_queued",
        ),
        (
            r#"DENIED: "f" u@h  (User/host on EXCLUDE list for feature. (-38,348))"#,
            "deny f|u|h x1 excluded",
        ),
        (r#"DENIED: "f" u@h  (Checkout exceeds MAX in options file)"#, "deny f|u|h x1 other"),
        (
            "DENIED: DOORS u@h  [telelogic] (No such feature exists. (-5,346))",
            "deny DOORS|u|h x1 no_such_feature [telelogic]",
        ),
        (
            r#"UNSUPPORTED: "f" (00B0 EF6E AFC6 B280 ) LAB@pc2  (No such feature exists. (-5,346))"#,
            "unsupported f|LAB|pc2 x1 no_such_feature",
        ),
        (
            r#"UNSUPPORTED: "f" (BF04C1B183DD400E147F) Ana Gil@pc2  (No such feature. (-5,346))"#,
            "unsupported f|Ana Gil|pc2 x1 no_such_feature",
        ),
        (r#"QUEUED: "f" u@h  "#, "queue f|u|h x1"),
        (r#"DEQUEUED: "f" u@h  (2 licenses)"#, "dequeue f|u|h x2"),
        ("OUT: f by u@h (2 licenses)", "open f|u|h x2"),
        ("OUT: f by ada lin (2 licenses)", "open f|ada lin|unknown x2"),
        ("IN: f by u@h (2 licenses) (used: 0:00:10:00)", "close f|u|h x2"),
        ("IN server died: f by u@h (2 licenses) (used: 0:00:10:00)", "close f|u|h x2"),
        ("DENIED: 2 f to u@h (1/2/98 10:00)", "deny f|u|h x2"),
        (r#"IN: "f" ada (3 licenses)"#, "close f|ada|unknown x3"),
    ];
    for (message, expected) in cases {
        assert_eq!(said(&format!(" 9:05:01 (vd) {message}")), expected, "{message}");
    }
}

#[test]
fn verbose_events_are_read_from_the_handle_outwards() {
    let cases = [
        (
            r#"OUT: "f1" @ws1 (1) ^^^ 1.0 ada 10.0.0.5 29865 0x12CE 1 2 none 11 19 8-8-2023 8:41:56 NO ^^^"#,
            "open f1|ada|ws1 x1 v1.0 0x12ce",
        ),
        (
            r#"OUT: "f1" ada@ws1 ^^^ 1.0 ada 10.0.0.5 30111 0x12D0 1 2 none 11 19 8-8-2023 8:45:02 YES ^^^"#,
            "open f1|ada|ws1 x1 v1.0 0x12d0 duplicate",
        ),
        (
            r#"IN: "f1" @ws2 (3) ^^^ 1.0 Bob Lee 10.0.0.6 411 0x0101 2 2 job 7 north 11 19 8-8-2023 8:50:01 NO ^^^"#,
            "close f1|Bob Lee|ws2 x3 v1.0 project job 7 north 0x101",
        ),
        (
            r#"DENIED: "f1" @ws3 (Licensed number of users already reached. (-4,342)) ^^^ 1.0 cid 10.0.0.7 77 N/A 2 2 none 11 19 8-8-2023 8:55:00 NO ^^^"#,
            "deny f1|cid|ws3 x1 all_in_use v1.0",
        ),
        (
            r#"OUT: "f1" @ws1 (1) ^^^ 1.0 ada 10.0.0.5 29865 0x12CE 1 2 none 11 19 8-8-2023"#,
            "unreadable: the verbose part has no end",
        ),
        (
            r#"OUT: "f1" @ws1 (1) ^^^ 1.0 ada 10.0.0.5 29865 ^^^"#,
            "unreadable: the verbose part does not follow its grammar",
        ),
    ];
    for (message, expected) in cases {
        assert_eq!(said(&format!(" 8:41:54 (demo) {message}")), expected, "{message}");
    }
}

#[test]
fn what_begins_like_an_event_and_is_none_is_unreadable() {
    for message in [
        "OUT:",
        r#"OUT: "f"#,
        r#"OUT: "f" "#,
        r#"OUT: "f" ada"#,
        r#"OUT: "f" @ws1  "#,
        r#"OUT: "f" ada@"#,
        r#"OUT: "" ada@ws1  "#,
        r#"OUT: "f" ada@ws1  (7 lic"#,
        r#"OUT: "f" ada@ws1  (0 licenses)"#,
        r#"DENIED: "f" u@h  (Licensed number of users already"#,
        r#"OUT: "f" ada@ws1 10:00:00 (vd) IN: "f" bob@ws2"#,
        "DENIED: 2 f",
        "TIMESTAMP 13/45/2017",
        "TIMESTAMP ",
        r#"Updating fea10:00:00 (vd) OUT: "f" ada@ws1  "#,
    ] {
        let found = said(&format!("10:00:00 (vd) {message}"));
        assert!(found.starts_with("unreadable"), "{message} gave {found}");
    }
}

#[test]
fn remarks_that_matter_are_told_from_chatter() {
    let cases = [
        ("TIMESTAMP 1/9/2017", "Timestamp(2017-01-09)"),
        (
            "FlexNet Licensing (v11.13.1.2 build 1 x64_lsb) started on lic1.example.org (linux) (1/8/2017)",
            r#"Banner { host: "lic1.example.org", date: 2017-01-08 }"#,
        ),
        (
            "FLEXlm (v8.0d) started on old1 (HP PA-RISC) (12/31/99)",
            r#"Banner { host: "old1", date: 1999-12-31 }"#,
        ),
        ("FlexNet Licensing version v11.13.1.2 build 1 x64_n6", "Version"),
        ("Server started on lic1 for:\tSIM (consisting of:", r#"Started { host: "lic1" }"#),
        ("Started MLM (internet tcp_port 46469 pid 2357)", r#"Launched { daemon: "MLM" }"#),
        ("Started MLM (pid 3)", r#"Launched { daemon: "MLM" }"#),
        (
            "Server's System Date and Time: Thu Jun 08 2017 09:49:41 EDT",
            "dated 2017-06-08T09:49:41",
        ),
        ("(@vd-SLOG@) Time: Sun Mar 12 2017 03:04:47 EDT", "dated 2017-03-12T03:04:47"),
        (
            "(@vd-SLOG@) Start-Date: Thu Jun 09 2022 10:25:31 Hora de verano",
            "dated 2022-06-09T10:25:31",
        ),
        ("(@vd-SLOG@) Peak active connections #4 attempted at Sun Jan 08 2017 20:00:01", "chatter"),
        ("(@vd-SLOG@) 00000000 ms at Wed Mar 02 2011 10:58:00,#9,(LAB,pc1,1392)", "chatter"),
        ("Rereading license file... Requested from adm@lic1", "RereadBegun"),
        ("...Finished rereading", "RereadEnded"),
        ("EXPIRED: PREPOST", r#"Expired { feature: "PREPOST" }"#),
        (
            "RESERVING 10 SIM/145D 7797 905A 1252  licenses for USER_GROUP G1",
            "reserving 10 SIM UserGroup G1",
        ),
        ("RESERVING 1 ARC/INFO licenses for HOST pc 7", "reserving 1 ARC/INFO Host pc 7"),
        ("ALL FEATURES: INACTIVITY TIMEOUT set to 3600 seconds", "chatter"),
        ("Checkin failed feature \"85730\": U11 C11 C11", "chatter"),
        ("\t\" (0,353:10054 \"\")\"", "chatter"),
        ("    ==>INCREMENT CORE MATHVD 24 01-jan-0000 25  00AA", "chatter"),
        ("SIM_2010)\t\"OUT\"_pack\t", "chatter"),
        ("INFO: Plugin not loaded", "chatter"),
        ("  In order to capture accurate license", "chatter"),
        ("", "chatter"),
    ];
    for (message, expected) in cases {
        assert_eq!(said(&format!(" 9:49:41 (vd) {message}")), expected, "{message}");
    }
}

#[test]
fn a_prefix_is_a_clock_and_a_daemon_and_nothing_else() {
    let clock = |line: &str| split(line.as_bytes()).map(|prefixed| prefixed.clock);
    assert_eq!(clock(" 0:00:00 (vd) x"), Some(0));
    assert_eq!(clock("0:00:01 (vd) x"), Some(1));
    assert_eq!(clock("23:59:59 (vd) x"), Some(DAY_SECONDS - 1));
    assert_eq!(clock("\t9:00:00 (vd)"), Some(9 * 3_600));
    for line in [
        "24:00:00 (vd) x",
        "10:60:00 (vd) x",
        "10:00:60 (vd) x",
        "1:2:3 (vd) x",
        "10:00:00 vd x",
        "10:00:00 () x",
        "10:00:00 (vd",
        "10:00:00(vd) x",
        "001:00:00 (vd) x",
        "01/02 10:00 (vd) x",
        "(vd) x",
        "",
    ] {
        assert_eq!(clock(line), None, "{line}");
    }
    let long = format!("10:00:00 ({}) x", "d".repeat(DAEMON_BYTES_MAX + 1));
    assert_eq!(clock(&long), None);
    assert_eq!(clock(&long.replacen('d', "", 1)), Some(36_000));
}

#[test]
fn a_forked_child_writes_for_its_parent() {
    for (daemon, expected) in [
        ("simvd_1", "simvd"),
        ("simvd_12", "simvd"),
        ("simvd", "simvd"),
        ("adskflex_pluggin", "adskflex_pluggin"),
        ("_1", "_1"),
        ("vd1", "vd1"),
    ] {
        assert_eq!(parent(daemon.as_bytes()), expected.as_bytes());
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_replaced_where_they_stand() {
    let line = b"10:00:00 (vd) OUT: \"f\" Jos\xe9 Luis@ws1  ";
    let mut scratch = String::new();
    let message = split(line).expect("a prefix").message(&mut scratch);
    let Message::Event(event) = message else { panic!("an event, not {message:?}") };
    assert_eq!((event.user, event.host), ("Jos\u{fffd} Luis", "ws1"));
}

/// Pieces of lines as servers write them, and of lines that nobody writes.
const PIECES: [&str; 24] = [
    " 9:49:41 (vd) ",
    "10:00:00 (vd_1) ",
    "OUT: ",
    "IN: ",
    "DENIED: ",
    "UNSUPPORTED: ",
    "QUEUED: ",
    "\"f\" ",
    "(00B0 EF6E) ",
    "ada@ws1",
    "@",
    "  ",
    "(7 licenses) ",
    "[",
    "] ",
    "(",
    ")",
    "^^^ ",
    "1.0 ada 10.0.0.5 29865 0x12CE 1 2 none 11 19 8-8-2023 8:41:56 NO ",
    "é",
    "by ",
    "to ",
    "TIMESTAMP 1/9/2017",
    "RESERVING 10 f licenses for USER u",
];

proptest! {
    #[test]
    fn no_line_of_bytes_panics(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut scratch = String::new();
        if let Some(prefixed) = split(&line) {
            prefixed.message(&mut scratch);
        }
        let mut event = b"10:00:00 (vd) OUT: \"f\" ".to_vec();
        event.extend(&line);
        split(&event).expect("a prefix").message(&mut scratch);
        holds_event(&line);
    }

    #[test]
    fn no_mixture_of_real_pieces_panics(places in proptest::collection::vec(0..PIECES.len(), 0..14)) {
        let line: String = places.into_iter().map(|place| PIECES[place]).collect();
        said(&line);
    }
}
