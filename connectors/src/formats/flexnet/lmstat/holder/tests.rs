use super::*;

fn shown(line: &str) -> String {
    let Some(read) = HolderLine::read(line) else { return "none".to_owned() };
    let HolderLine { names, server, handle, start, count, queued, linger_seconds, process } = read;
    format!("{names}|{server}|{handle:?}|{start:?}|{count}|{queued}|{linger_seconds:?}|{process:?}")
}

#[test]
fn holders_are_read_from_their_anchors() {
    let cases = [
        (
            "    ada n1 /dev/tty (v61.9) (lic4.example.org/27002 18856), start Fri 10/20 14:12, 6 licenses",
            r#"ada n1 /dev/tty|lic4.example.org|Some(18856)|Some("Fri 10/20 14:12")|6|false|None|None"#,
        ),
        (
            "ann pc (v1) (lic/port 7), start Mon 9/17 15:04",
            r#"ann pc|lic|Some(7)|Some("Mon 9/17 15:04")|1|false|None|None"#,
        ),
        (
            "a b c (v1) (lic/1 2), start Mon 9/24 5:34 (linger: 239100)",
            r#"a b c|lic|Some(2)|Some("Mon 9/24 5:34")|1|false|Some(239100)|None"#,
        ),
        (
            "a b c (v1) (lic/1 2), start Mon 9/17 7:25, 50 licenses (linger: 2597880)",
            r#"a b c|lic|Some(2)|Some("Mon 9/17 7:25")|50|false|Some(2597880)|None"#,
        ),
        (
            "a b c (v1) (lic/1 2), start Fri 9/21 12:46  (linger: 0 / 86400)",
            r#"a b c|lic|Some(2)|Some("Fri 9/21 12:46")|1|false|Some(86400)|None"#,
        ),
        (
            "a b c (v36) (lic/1 2), start Mon 9/24 0:10, PID: 10088 ",
            r#"a b c|lic|Some(2)|Some("Mon 9/24 0:10")|1|false|None|Some(10088)"#,
        ),
        (
            "a b c (v36) (lic/1 2), start Mon 9/24 0:10, 2 licenses, PID: 10088",
            r#"a b c|lic|Some(2)|Some("Mon 9/24 0:10")|2|false|None|Some(10088)"#,
        ),
        (
            "a b c 2017.06 (v2) (lic/1 2) queued for 3 licenses",
            "a b c 2017.06|lic|Some(2)|None|3|true|None|None",
        ),
        (
            "a b (v1) x (v2) (q/1 3) (v3) (lic/1 2), start Mon 9/24 0:10",
            r#"a b (v1) x (v2) (q/1 3)|lic|Some(2)|Some("Mon 9/24 0:10")|1|false|None|None"#,
        ),
        ("a b c (v1) (lic/1 2), start Mon 9/24 0:10, 0 licenses", "none"),
        ("a b c (v1) (lic/1 2)", "none"),
        ("a b c (v1), start Mon 9/24 0:10", "none"),
        ("(v1) (lic/1 2), start Mon 9/24 0:10", "none"),
        ("floating license", "none"),
    ];
    for (line, expected) in cases {
        assert_eq!(shown(line), expected, "{line}");
    }
}

/// `user|host|display`, with a question mark if it is not certain.
fn split(hosts: &Hosts, names: &str) -> String {
    let Some(Names { user, host, display, certain }) = hosts.split(names) else {
        return "none".to_owned();
    };
    let mark = if certain { "" } else { "?" };
    format!("{user}|{host}|{}{mark}", display.unwrap_or_default())
}

#[test]
fn names_are_told_apart_by_the_first_rule_that_applies() {
    let mut hosts = Hosts::default();
    for (names, expected) in [
        ("ada n1", "ada|n1|"),
        ("ada n1 /dev/tty", "ada|n1|/dev/tty"),
        ("Lab FAE4 LAPTOP-Q6 laptop-q6", "Lab FAE4|LAPTOP-Q6|laptop-q6"),
        ("kay pc-4 pc-4 Placeholder One", "kay|pc-4|pc-4 Placeholder One"),
        ("us p.com /dev/tty feature=x", "us|p.com|/dev/tty feature=x"),
        ("Jane Doe n7 /dev/pts/3", "Jane Doe|n7|/dev/pts/3"),
        ("cid srv fj209fj0 2017.06", "cid|srv|fj209fj0 2017.06?"),
        ("Jane Doe n1 x!y z", "Jane|Doe|n1 x!y z?"),
        ("ada", "none"),
        ("", "none"),
    ] {
        assert_eq!(split(&hosts, names), expected, "{names}");
    }
    hosts.learn("ada n1 /dev/tty");
    assert_eq!(
        split(&hosts, "Jane Doe N1 x!y z"),
        "Jane Doe|N1|x!y z",
        "another line showed the host"
    );
    hosts.learn("cid srv fj209fj0 2017.06");
    assert_eq!(
        split(&hosts, "Bo Li srv q w"),
        "Bo|Li|srv q w?",
        "what is not certain teaches nothing"
    );
}

#[test]
fn known_hosts_decide_before_everything_else() {
    let hosts = Hosts::new(&["PC-2", "lab west 3", "  "].map(str::to_owned).into());
    for (names, expected) in [
        ("Jane Doe Jr. pc-2 icc&f3 7|<R", "Jane Doe Jr.|pc-2|icc&f3 7|<R"),
        ("Jane Doe pc-2", "Jane Doe|pc-2|"),
        ("Bo Li lab west 3 /dev/tty", "Bo Li|lab west 3|/dev/tty"),
        ("pc-2 pc-2 pc-2", "pc-2|pc-2|pc-2"),
        ("ada pc-22 x", "ada|pc-22|x"),
    ] {
        assert_eq!(split(&hosts, names), expected, "{names}");
    }
}
