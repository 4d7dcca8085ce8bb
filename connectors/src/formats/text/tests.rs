//! Encodings: what decides, what survives, and what is marked as damage.

use super::{Decoded, Encoding, UNDECODABLE, decode};
use proptest::prelude::*;
use std::borrow::Cow;

fn named(label: &str) -> Encoding {
    Encoding::named(label).unwrap()
}

fn text(bytes: &[u8], declared: Option<&str>) -> String {
    let decoded = decode(bytes, declared.map(named));
    String::from_utf8(decoded.bytes.into_owned()).unwrap()
}

fn utf_16(text: &str, little: bool) -> Vec<u8> {
    let mark = if little { [0xff, 0xfe] } else { [0xfe, 0xff] };
    let units = text.encode_utf16();
    let bytes = units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() });
    mark.into_iter().chain(bytes).collect()
}

#[test]
fn utf_8_is_borrowed_and_loses_its_mark() {
    assert_eq!(text("Müller €".as_bytes(), None), "Müller €");
    let marked = decode(b"\xef\xbb\xbfPO Number", None);
    assert_eq!(marked, Decoded { bytes: Cow::Borrowed(b"PO Number"), encoding: Encoding::UTF_8 });
    assert!(matches!(marked.bytes, Cow::Borrowed(_)));
}

#[test]
fn a_mark_outweighs_what_was_declared() {
    assert_eq!(text(b"\xef\xbb\xbfM\xc3\xbcller", Some("windows-1252")), "Müller");
    assert_eq!(text(&utf_16("Müller €", true), Some("windows-1252")), "Müller €");
    assert_eq!(text(&utf_16("Müller €", false), None), "Müller €");
}

#[test]
fn windows_1252_and_latin_1_are_read_where_they_are_named() {
    assert_eq!(text(b"M\xfcller \x80 \x96", Some("windows-1252")), "Müller € –");
    assert_eq!(text(b"M\xfcller \x80", Some("iso-8859-1")), "Müller €");
    assert_eq!(text(b"M\xfcller", Some("latin1")), "Müller");
    assert_eq!(text(b"\xb3\xf3d\xbc", Some("iso-8859-2")), "łódź");
    assert_eq!(named("ISO-8859-1").name(), "windows-1252");
}

#[test]
fn unmarked_utf_16_is_read_where_it_is_named() {
    let unmarked = |little| utf_16("a;b\n", little)[2..].to_vec();
    assert_eq!(text(&unmarked(true), Some("utf-16le")), "a;b\n");
    assert_eq!(text(&unmarked(false), Some("utf-16be")), "a;b\n");
}

#[test]
fn what_cannot_be_decoded_is_marked_and_the_rest_survives() {
    let mut torn = utf_16("a\u{1F600}b", true);
    torn.drain(4..6); // half of the pair
    torn.push(b'x'); // half a unit
    assert_eq!(decode(&torn, None).bytes.as_ref(), [b'a', UNDECODABLE, b'b', UNDECODABLE]);
    let hole = decode(b"a\x81b\xfc", Some(named("windows-1252")));
    assert_eq!(hole.bytes.as_ref(), [b'a', UNDECODABLE, b'b', 0xc3, 0xbc]);
    // UTF-8 with damage is passed on as it is; its reader sees it row by row.
    assert_eq!(decode(b"a\xfcb", None).bytes.as_ref(), b"a\xfcb");
}

#[test]
fn names_that_are_no_encoding_are_refused() {
    for name in ["", "utf-9", "replacement", "x-user-defined", "iso-2022-cn"] {
        assert_eq!(Encoding::named(name), None, "{name}");
    }
}

proptest! {
    #[test]
    fn any_bytes_in_any_encoding_grow_to_at_most_three_times(
        bytes in prop::collection::vec(any::<u8>(), 0..512),
        label in prop::sample::select(vec![
            "utf-8", "utf-16le", "utf-16be", "windows-1252", "shift_jis", "gb18030", "iso-2022-jp",
        ]),
    ) {
        let decoded = decode(&bytes, Some(named(label)));
        prop_assert!(decoded.bytes.len() <= bytes.len() * 3 + 1);
    }

    #[test]
    fn utf_16_is_read_as_it_was_written(text_in in "\\PC{0,200}", little: bool) {
        let bytes = utf_16(&text_in, little);
        let decoded = decode(&bytes, None);
        prop_assert_eq!(decoded.bytes.as_ref(), text_in.as_bytes());
    }
}

#[test]
fn large_texts_are_decoded_in_steps() {
    for count in super::STEP_BYTES / 2 - 2..super::STEP_BYTES / 2 + 2 {
        let long = "ü€".repeat(count);
        let bytes = utf_16(&long, true);
        assert_eq!(decode(&bytes, None).bytes.as_ref(), long.as_bytes());
    }
}
