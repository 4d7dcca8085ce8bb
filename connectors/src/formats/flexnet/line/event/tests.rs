//! The quick way to read an event says what the thorough one says, or nothing.

use super::{Event, find};
use proptest::prelude::*;
use trueup_model::usage::SessionKind;

/// Pieces that events and what is like them are made of.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just(" "),
        3 => Just("\""),
        3 => Just("@"),
        4 => prop_oneof![Just("mesh"), Just("u1"), Just("n1.example.org"), Just("é"), Just("7")],
        2 => prop_oneof![Just("(3 licenses)"), Just("(1 license)"), Just("(0 licenses)"), Just("(")],
        1 => prop_oneof![Just("^^^"), Just("^"), Just("\t"), Just(")"), Just("["), Just("]")],
        1 => prop_oneof![Just("(SHUTDOWN)"), Just("(+2 licenses)"), Just("by"), Just("to"), Just(".")],
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Usual events with something odd at one place.
fn events() -> impl Strategy<Value = String> {
    (pieces(), pieces(), pieces(), pieces(), any::<u8>()).prop_map(|(a, b, c, d, which)| {
        let part = |index: u8, odd: String, usual: &str| {
            if which & (1 << index) == 0 { usual.to_owned() } else { odd }
        };
        let feature = part(0, a, "mesh_5");
        let user = part(1, b, "ada");
        let host = part(2, c, "n1.example.org");
        let tail = part(3, d, " (12 licenses)");
        format!(" \"{feature}\" {user}@{host}{tail}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_quick_way_agrees_with_the_thorough_one(text in prop_oneof![events(), pieces()]) {
        if let Some(quick) = Event::read_usual(SessionKind::Open, &text) {
            prop_assert_eq!(Event::read_any(SessionKind::Open, &text), Ok(quick));
        }
    }

    #[test]
    fn the_first_of_some_bytes_is_found(text in "[ab@ ^é]{0,30}") {
        let plain = text.bytes().position(|byte| b"@^".contains(&byte));
        prop_assert_eq!(find(&text, [b'@', b'^']), plain);
    }
}

#[test]
fn usual_events_are_read_the_quick_way() {
    for text in [
        r#" "mesh" ada@n1.example.org"#,
        r#" "mesh" ada@n1 (3 licenses)"#,
        r#" "SIM/145D 7797" ada de souza@pc-2 (1 license)"#,
    ] {
        assert!(Event::read_usual(SessionKind::Close, text).is_some(), "{text}");
    }
}

#[test]
fn a_verbose_part_may_have_any_number_of_words() {
    for words in [1, 16, 17, 18, 19, 20, 21, 22, 60] {
        let project = vec!["blue"; words].join(" ");
        let text = format!(
            r#" "SIM" ada@n1 (2) ^^^ 26.0 ada 10.0.1.98 9207 0x077A 3 24 {project} 11 19 9-18-2026 15:38:26 NO ^^^"#
        );
        let event = Event::read(SessionKind::Open, &text).unwrap();
        let verbose = event.verbose.unwrap();
        assert_eq!((event.user, event.count, verbose.handle), ("ada", 2, Some(0x077A)));
        assert_eq!(verbose.project, Some(project.as_str()));
    }
}
