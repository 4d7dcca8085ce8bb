//! What a file is found out to be.

use super::*;

fn header(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

#[test]
fn built_in_headers_are_recognized_in_any_order_and_case() {
    for kind in Kind::ALL {
        let mut all: Vec<String> = kind.fields().iter().map(|f| f.name().to_uppercase()).collect();
        assert_eq!(Mapping::fit(&all), Ok(kind));
        all.reverse();
        assert_eq!(Mapping::fit(&all), Ok(kind));
        let needed: Vec<String> = kind.needs().iter().map(|f| f.name().to_owned()).collect();
        assert_eq!(Mapping::fit(&needed), Ok(kind));
    }
    assert_eq!(Mapping::fit(&header("\u{feff}Parent,  Account ,start")), Ok(Kind::Accounts));
}

#[test]
fn a_header_with_a_strange_column_fits_no_built_in() {
    let why = Mapping::fit(&header("line,product,metric,organization")).unwrap_err();
    assert_eq!(why, "it looks like purchases but `organization` is no field of them");
    let none = Mapping::fit(&header("PO,Artikel")).unwrap_err();
    assert_eq!(none, "no built-in mapping knows the columns `PO`, `Artikel`");
}

fn detected(name: &str, bytes: &[u8]) -> String {
    let found = detect(name, bytes);
    let format = found.format.map_or("nothing", Format::name);
    let kind = found.kind.map_or("no kind", Kind::name);
    assert_eq!(found.mapping().is_some(), found.format.is_some() && found.kind.is_some());
    format!("{format}, {kind}: {}", found.reason)
}

fn check_detected(name: &str, bytes: &[u8], expected: Expect) {
    expected.assert_eq(&detected(name, bytes));
}

#[test]
fn seats_that_say_themselves_from_when_to_when_hold_for_all_of_time() {
    let holds = |text: &[u8]| detect("seats.csv", text).mapping().map(|mapping| mapping.holds);
    assert_eq!(holds(b"product,user,start,end\nIDE,ana,2025-01-01,\n"), Some(Holds::Always));
    assert_eq!(holds(b"product,user,start\nIDE,ana,2025-01-01\n"), Some(Holds::FromTaken));
    assert_eq!(holds(b"product,user\nIDE,ana\n"), Some(Holds::FromTaken));
}

#[test]
fn a_table_is_detected_with_the_reason_in_words() {
    check_detected(
        "p.csv",
        b"line;product;metric\n1;Mesh;device\n",
        expect![
            "csv, purchases: it is text and `;` cuts every row into 3 cells; its columns are those of purchases"
        ],
    );
    check_detected(
        "p.csv",
        b"\xef\xbb\xbfproduct\tuser\nMesh\tana\n",
        expect![
            "csv, seats: it is text and `tab` cuts every row into 2 cells; its columns are those of seats"
        ],
    );
    check_detected(
        "p.csv",
        b"PO Number;Cost\n4711;1.234,50\n",
        expect![
            "csv, no kind: it is text and `;` cuts every row into 2 cells; no built-in mapping knows the columns `PO Number`, `Cost`; it needs a mapping"
        ],
    );
    check_detected(
        "p.csv",
        b"account,parent\n\"a;b\",\"c;d\"\n\"e;f\",g\n",
        expect![
            "csv, accounts: it is text and `,` cuts every row into 2 cells; its columns are those of accounts"
        ],
    );
    check_detected(
        "p.txt",
        b"sep=|\nproduct|family\n",
        expect![
            "csv, products: it is text and the delimiter is stated; its columns are those of products"
        ],
    );
    check_detected(
        "notes",
        b"Dear Ana\nsee you\n",
        expect!["nothing, no kind: it is text, but `Dear Ana` is no header"],
    );
}

#[test]
fn a_stream_of_events_is_detected_by_its_first_event() {
    check_detected(
        "u",
        b"{\"id\":1,\"at\":\"x\",\"product\":\"p\",\"quantity\":1}\n",
        expect!["ndjson, usage: its lines are JSON objects; its columns are those of usage"],
    );
    check_detected(
        "u",
        b"{\"specversion\":\"1.0\",\"id\":1,\"source\":\"x\",\"type\":\"p\"}\n{",
        expect![
            "cloudevents, no kind: its events are CloudEvents; a mapping must say where the quantity stands"
        ],
    );
    check_detected(
        "u",
        b"[{\"a\":1},",
        expect![
            "ndjson, no kind: its lines are JSON objects; no built-in mapping knows the columns `a`; it needs a mapping"
        ],
    );
    check_detected(
        "u",
        b"{\"a\":",
        expect!["nothing, no kind: it begins like JSON but its first event cannot be read"],
    );
    check_detected("u", b"", expect!["nothing, no kind: it is empty"]);
}

#[test]
fn what_cannot_be_read_is_detected_with_a_remedy() {
    check_detected(
        "p.csv",
        b"l\0i\0n\0e\0,\0p\0",
        expect![[
            r#"nothing, no kind: it looks like UTF-16; a mapping must say encoding = "utf-16le""#
        ]],
    );
    check_detected(
        "p.bin",
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0",
        expect!["nothing, no kind: it is not text"],
    );
    check_detected(
        "p.csv",
        b"Gr\xfc\xdfe;b\n",
        expect!["nothing, no kind: its first row is not UTF-8; a mapping must say its encoding"],
    );
    check_detected(
        "p.xls",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        expect![
            "nothing, no kind: it is a password-protected or old Office file or a PDF; save it as .xlsx or .csv"
        ],
    );
    check_detected(
        "p.zip",
        b"PK\x03\x04nothing",
        expect![
            "nothing, no kind: it is an archive that cannot be read as a workbook: it is no workbook: invalid Zip archive: Could not find EOCD"
        ],
    );
}

#[test]
fn detection_looks_at_the_beginning_only() {
    let mut long = b"product,family\n".to_vec();
    while long.len() < DETECT_BYTES_MAX + 100 {
        long.extend_from_slice(b"Mesh,\"Simulation\"\n");
    }
    long.extend_from_slice(&[0; 100]);
    assert_eq!(detect("p.csv", &long).kind, Some(Kind::Products));
}

proptest! {
    #[test]
    fn no_text_makes_a_mapping_panic(text in "\\PC{0,300}") {
        let _ = Mapping::parse("any", &text);
    }

    #[test]
    fn no_damage_to_a_mapping_makes_it_panic(cut in 0_usize..2000, junk in "\\PC{0,8}") {
        for file in ["purchases-german", "cloudevents-duration", "seats-export"] {
            let path = mappings_folder().join(format!("{file}.toml"));
            let mut text = std::fs::read_to_string(path).unwrap();
            let at = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            text.insert_str(at, &junk);
            if let Err(errors) = Mapping::parse("any", &text) {
                prop_assert!(!errors.problems.is_empty());
            }
        }
    }

    #[test]
    fn no_bytes_make_detection_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = detect("any.csv", &bytes);
        let marked = [b"PK\x03\x04".as_slice(), &bytes].concat();
        let _ = detect("any.xlsx", &marked);
    }

    #[test]
    fn no_cell_makes_a_reader_panic(text in "\\PC{0,40}") {
        let _ = millionths(Cell::text(&text), GERMAN);
        let _ = Moment::read(Cell::text(&text), &["%d/%m/%Y".to_owned(), "%s".to_owned()]);
        let _ = Reading::default().money(Cell::text(&text), Some(*b"EUR"));
    }

    #[test]
    fn a_number_is_read_as_it_was_written(whole in -999_999_999_i64..999_999_999, places in 0_u32..7) {
        let quantity = Quantity(whole * 10_i64.pow(6 - places.min(6)));
        let plain = quantity.to_string();
        let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
        let (units, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut grouped = String::new();
        for (index, digit) in units.chars().enumerate() {
            if index > 0 && (units.len() - index).is_multiple_of(3) {
                grouped.push('.');
            }
            grouped.push(digit);
        }
        let comma = if fraction.is_empty() { "" } else { "," };
        let german = format!("{sign}{grouped}{comma}{fraction}");
        prop_assert_eq!(number(&german, GERMAN), plain);
    }
}
