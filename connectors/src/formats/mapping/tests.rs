//! Mapping files and their mistakes, values and their traps, and what is detected of a file.

mod shown;

use super::cell::{Cell, Fault};
use super::moment::Moment;
use super::number::{Locale, millionths};
use super::reading::Reading;
use super::{DETECT_BYTES_MAX, Field, Format, Kind, Mapping, detect};
use crate::formats::Context;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::path::PathBuf;
use trueup_model::calendar::Zone;
use trueup_model::quantity::Quantity;
use trueup_model::time::Timestamp;

pub(crate) use shown::shown;

/// A context whose bytes arrived at this instant.
pub(crate) fn context(document: &str, received_at: &str) -> Context {
    Context {
        tenant: "acme".to_owned(),
        source: "lists".to_owned(),
        document: document.to_owned(),
        zone: Zone::utc(),
        received_at: received_at.parse().unwrap(),
    }
}

const GERMAN: Locale = Locale { decimal: ',', thousands: Some('.') };

/// The number as a quantity, or why it is none.
fn number(text: &str, locale: Locale) -> String {
    match millionths(Cell::text(text), locale) {
        Ok(read) => Quantity(read).to_string(),
        Err(fault) => format!("{}: {}", fault.reason.name(), fault.detail),
    }
}

#[test]
fn a_thousands_point_is_not_a_decimal_point() {
    assert_eq!(number("1.000", GERMAN), "1000");
    assert_eq!(number("1.000", Locale::PLAIN), "1");
    assert_eq!(number("1.234,50", GERMAN), "1234.5");
    assert_eq!(number("1.234.567", GERMAN), "1234567");
    assert_eq!(number("0,1", GERMAN), "0.1");
    assert_eq!(number(",5", GERMAN), "0.5");
    assert_eq!(number("1234,5", GERMAN), "1234.5");
}

#[test]
fn signs_out_of_place_make_a_number_unreadable() {
    for text in ["1.50", "1.00", "12.34", "1.0000", "1,5,0", "1,234.50", ".500", "1..000", "1.,5"] {
        assert!(number(text, GERMAN).starts_with("bad_value"), "{text}");
    }
    for text in ["1,000", "1'000", "1 000", "ten", "0x10", "1e", "--1", "", "1_000", "٣", "NaN"] {
        assert!(number(text, Locale::PLAIN).starts_with("bad_value"), "{text}");
    }
    assert_eq!(
        number("1.50", GERMAN),
        "bad_value: `1.50` is no number: its thousands signs do not stand before three digits each"
    );
    assert_eq!(
        number("1,5", Locale::PLAIN),
        "bad_value: `1,5` is no number: the decimal sign is `.` and there is no thousands sign"
    );
}

#[test]
fn minus_signs_and_blanks_come_in_many_forms() {
    for text in ["-20", "\u{2212}20", "20-", "(20)", " - 20 ", "-20,0"] {
        assert_eq!(number(text, GERMAN), "-20", "{text}");
    }
    assert_eq!(number("+20", GERMAN), "20");
    let french = Locale { decimal: ',', thousands: Some(' ') };
    for text in ["12 345,5", "12\u{a0}345,5", "12\u{202f}345,5"] {
        assert_eq!(number(text, french), "12345.5", "{text}");
    }
    let swiss = Locale { decimal: '.', thousands: Some('\'') };
    assert_eq!(number("12\u{2019}345.5", swiss), "12345.5");
}

#[test]
fn numbers_are_exact_up_to_six_places_and_refused_beyond() {
    assert_eq!(number("0.000001", Locale::PLAIN), "0.000001");
    assert!(number("0.0000001", Locale::PLAIN).starts_with("bad_value"));
    assert_eq!(number("0.1000000000", Locale::PLAIN), "0.1");
    assert_eq!(number("1e1", Locale::PLAIN), "10");
    assert_eq!(number("1E+06", Locale::PLAIN), "1000000");
    assert_eq!(number("9223372036854.775807", Locale::PLAIN), "9223372036854.775807");
    assert!(number("9223372036854.775808", Locale::PLAIN).starts_with("out_of_range"));
}

fn reading(dates: &[&str]) -> Reading {
    Reading { dates: dates.iter().map(|date| (*date).to_owned()).collect(), ..Reading::default() }
}

fn start(text: &str, dates: &[&str], zone: &str) -> String {
    let zone = Zone::named(zone).unwrap();
    said(reading(dates).instant(Cell::text(text), &zone))
}

fn end(text: &str, dates: &[&str], zone: &str) -> String {
    let zone = Zone::named(zone).unwrap();
    said(reading(dates).end(Cell::text(text), &zone))
}

fn said(read: Result<Timestamp, Fault>) -> String {
    match read {
        Ok(at) => at.to_string(),
        Err(fault) => format!("{}: {}", fault.reason.name(), fault.detail),
    }
}

#[test]
fn a_date_is_read_by_the_stated_pattern_only() {
    assert_eq!(start("03/04/2023", &["%d/%m/%Y"], "UTC"), "2023-04-03T00:00:00Z");
    assert_eq!(start("03/04/2023", &["%m/%d/%Y"], "UTC"), "2023-03-04T00:00:00Z");
    assert_eq!(
        start("03/04/2023", &[], "UTC"),
        "bad_value: `03/04/2023` is no date such as 2025-06-30 or 2025-06-30T22:00:00Z"
    );
    assert_eq!(
        start("13/13/2023", &["%d/%m/%Y"], "UTC"),
        "bad_value: `13/13/2023` is no date by `%d/%m/%Y`"
    );
    assert!(start("31/02/2023", &["%d/%m/%Y"], "UTC").starts_with("bad_value"));
    assert!(start("03/04/2023 extra", &["%d/%m/%Y"], "UTC").starts_with("bad_value"));
    // The first pattern that fits counts.
    assert_eq!(start("3.4.2023", &["%d/%m/%Y", "%d.%m.%Y"], "UTC"), "2023-04-03T00:00:00Z");
    assert_eq!(start("2023-04-03", &["%d/%m/%Y"], "UTC"), "2023-04-03T00:00:00Z");
}

#[test]
fn a_short_year_needs_its_own_pattern() {
    assert_eq!(start("03/04/23", &["%d/%m/%y"], "UTC"), "2023-04-03T00:00:00Z");
    assert_eq!(
        start("03/04/23", &["%d/%m/%Y"], "UTC"),
        "out_of_range: the year 23 is not between 1900 and 8999"
    );
}

#[test]
fn a_last_day_ends_when_the_next_local_day_begins() {
    assert_eq!(end("2025-11-30", &[], "Europe/Berlin"), "2025-11-30T23:00:00Z");
    // Days of 23 and 25 hours.
    assert_eq!(start("2025-03-09", &[], "America/Los_Angeles"), "2025-03-09T08:00:00Z");
    assert_eq!(end("2025-03-09", &[], "America/Los_Angeles"), "2025-03-10T07:00:00Z");
    assert_eq!(end("2025-11-02", &[], "America/Los_Angeles"), "2025-11-03T08:00:00Z");
    // A day whose midnight does not exist begins after the gap.
    assert_eq!(start("2018-11-04", &[], "America/Sao_Paulo"), "2018-11-04T03:00:00Z");
    assert_eq!(end("2018-11-03", &[], "America/Sao_Paulo"), "2018-11-04T03:00:00Z");
}

#[test]
fn an_end_with_a_time_of_day_is_that_instant_and_midnight_is_the_day() {
    assert_eq!(end("2025-06-30T12:00", &[], "Europe/Berlin"), "2025-06-30T10:00:00Z");
    assert_eq!(end("2025-06-30T12:00:00+01:00", &[], "Europe/Berlin"), "2025-06-30T11:00:00Z");
    assert_eq!(end("2025-06-30 00:00:00", &[], "UTC"), "2025-07-01T00:00:00Z");
    assert_eq!(end("30/06/2025 00:00", &["%d/%m/%Y %H:%M"], "UTC"), "2025-07-01T00:00:00Z");
    let exclusive = Reading { end_day_included: false, ..Reading::default() };
    let read = exclusive.end(Cell::text("2025-06-30"), &Zone::utc());
    assert_eq!(said(read), "2025-06-30T00:00:00Z");
}

#[test]
fn an_end_beyond_the_calendar_is_open() {
    assert_eq!(end("9999-12-31", &[], "UTC"), "open");
    assert_eq!(end("31.12.9999", &["%d.%m.%Y"], "UTC"), "open");
    assert_eq!(end("Perpetual", &[], "UTC"), "open");
    assert_eq!(end("8998-12-31", &[], "UTC"), "8999-01-01T00:00:00Z");
    assert!(start("9999-12-31", &[], "UTC").starts_with("out_of_range"));
}

#[test]
fn instants_may_be_seconds_of_the_epoch_and_are_floored_to_microseconds() {
    assert_eq!(start("1690000000", &["%s"], "Europe/Berlin"), "2023-07-22T04:26:40Z");
    assert_eq!(start("2023-01-01T00:59:59.999+01:00", &[], "UTC"), "2022-12-31T23:59:59.999Z");
    let fine = "2023-01-01T00:00:00.0000019Z";
    assert_eq!(start(fine, &[], "UTC"), "2023-01-01T00:00:00.000001Z");
}

fn money(text: &str, currency: Option<&[u8; 3]>) -> String {
    let reading = Reading { locale: GERMAN, ..Reading::default() };
    match reading.money(Cell::text(text), currency.copied()) {
        Ok(money) => money.to_string(),
        Err(fault) => format!("{}: {}", fault.reason.name(), fault.detail),
    }
}

#[test]
fn money_may_carry_its_currency_and_never_guesses_one() {
    assert_eq!(money("1.234,50", None), "1234.50");
    assert_eq!(money("1.234,50", Some(b"EUR")), "1234.50 EUR");
    assert_eq!(money("1.234,50 €", None), "1234.50 EUR");
    assert_eq!(money("EUR 1.234,50", None), "1234.50 EUR");
    assert_eq!(money("-$24,70", Some(b"USD")), "-24.70 USD");
    assert_eq!(money("$24,70", None), "bad_value: `$` names no one currency; map `currency`");
    assert_eq!(money("24,70 USD", Some(b"EUR")), "bad_value: `24,70 USD` is not in EUR");
    assert_eq!(
        money("AB 5", Some(b"EUR")),
        "bad_value: `AB` names no one currency; map `currency`"
    );
    assert_eq!(money("1E3", None), "1000.00");
    assert!(money("gratis", None).starts_with("bad_value"));
}

fn problems(text: &str, expected: &Expect) {
    let errors = Mapping::parse("purchases.toml", text).unwrap_err();
    expected.assert_eq(&errors.to_string());
}

/// One mistake of every kind.
const MISTAKES: &str = r#"kind = "purchases"
format = "csv"
time_zone = "Europe/Berln"
expiry_day_included = "yes"
require = ["account", "cost center"]
colour = "blue"

[table]
delimeter = ";"
quote = "''"
encoding = "utf-9"
skip_rows = -1
sheet = "One"

[locale]
decimal = ","
thousands = ","
dates = ["%d/%m", "%q"]

[columns]
line = "PO Number"
produkt = "Product"
metric = "Metric"
quantity = 5
cost = ""

[constants]
metric = "concurrent"
start = "03/04/2023"

[values.kind]
"Wartung" = "maintenence"

[values.metric]
"CCU" = "concurrent"
"ccu" = "device"

[skip]
"Status" = "Deleted"

[events]
event = "/event"
"#;

#[test]
fn all_mistakes_of_a_mapping_are_reported_at_once() {
    problems(
        MISTAKES,
        &expect![[r#"
            mapping purchases.toml has 22 problems
              line 1, column 8: a row of purchases needs `product`
                hint: write product = "name of its column" under [columns], or product = "value" under [constants]
              line 3, column 13: `Europe/Berln` is not a time zone of the IANA database, such as Europe/Madrid or UTC
              line 4, column 23: `expiry_day_included` is a TOML string
                hint: it must be true or false, without quotes
              line 5, column 23: `cost center` in [require] is no field of purchases
                hint: there are line, contract, product, metric, quantity, per, start, end, account, server, kind, class, duplicates, overdraft, priority, maintenance_until, cost, currency, version, notice
              line 6, column 1: `colour` is not a key of a mapping
                hint: there are kind, format, document, holds, time_zone, expiry_day_included, require, optional, table, locale, words, columns, joins, constants, defaults, values, key, skip, events
              line 9, column 1: `delimeter` is not a key of [table]
                hint: did you mean `delimiter`? There are encoding, delimiter, quote, sheet, skip_rows, header
              line 10, column 9: `''` is not one sign
                hint: such as ";" or "," or "tab"
              line 11, column 12: `utf-9` is no encoding
                hint: such as utf-8, windows-1252 or utf-16le
              line 12, column 13: `skip_rows` is not between 0 and 10000
              line 13, column 9: csv has no sheet
                hint: leave it out
              line 17, column 13: decimal and thousands sign are both `,`
                hint: the decimal sign is `.` unless `decimal` says otherwise
              line 18, column 10: `%d/%m` does not name a day, a month and a year
                hint: such as %d/%m/%Y for 03/04/2023, the third of April; %y is a short year
              line 18, column 19: `%q` does not name a day, a month and a year
                hint: such as %d/%m/%Y for 03/04/2023, the third of April; %y is a short year
              line 22, column 1: `produkt` in [columns] is no field of purchases
                hint: did you mean `product`? There are line, contract, product, metric, quantity, per, start, end, account, server, kind, class, duplicates, overdraft, priority, maintenance_until, cost, currency, version, notice
              line 24, column 12: `quantity` is a TOML integer
                hint: it must be text in quotes: quantity = "…"
              line 25, column 8: a column must have a name
              line 28, column 10: `metric` stands under [columns] already
                hint: say it in one of the two sections
              line 29, column 9: `start`: `03/04/2023` is no date such as 2025-06-30 or 2025-06-30T22:00:00Z
                hint: in a mapping file numbers have a decimal point and dates are 2025-06-30
              line 32, column 13: `kind`: `maintenence` is none of base, maintenance, upgrade
                hint: in a mapping file numbers have a decimal point and dates are 2025-06-30
              line 36, column 1: `ccu` is translated twice; case does not count
              line 39, column 12: `Status` is a TOML string
                hint: it must be a list: Status = ["…", "…"]
              line 42, column 9: csv has no event
                hint: leave it out"#]],
    );
}

#[test]
fn a_mapping_that_is_not_toml_says_where_and_still_checks_the_rest() {
    problems(
        "kind = \"purchases\"\nformat = csv\n[columns]\nprodukt = \"Product\"\n[locale\n",
        &expect![[r#"
            mapping purchases.toml has 3 problems
              line 2, column 10: string values must be quoted, expected literal string
                hint: text stands in quotes, lists in [brackets], sections begin with [name]
              line 4, column 1: `produkt` in [columns] is no field of purchases
                hint: did you mean `product`? There are line, contract, product, metric, quantity, per, start, end, account, server, kind, class, duplicates, overdraft, priority, maintenance_until, cost, currency, version, notice
              line 5, column 8: unclosed table, expected `]`
                hint: text stands in quotes, lists in [brackets], sections begin with [name]"#]],
    );
}

#[test]
fn a_mapping_says_what_it_lacks() {
    problems(
        "",
        &expect![[r#"
        mapping purchases.toml has 2 problems
          line 1, column 1: `format` is missing
            hint: write format = "…" with one of csv, xlsx, ndjson, cloudevents
          line 1, column 1: `kind` is missing
            hint: write kind = "…" with one of purchases, seats, accounts, aliases, memberships, products, usage"#]],
    );
    problems(
        "kind = \"usage\"\nformat = \"csv\"\n[columns]\nproduct = \"Product\"\n",
        &expect![[r#"
            mapping purchases.toml has 3 problems
              line 1, column 8: a row of usage needs `at`
                hint: write at = "name of its column" under [columns], or at = "value" under [constants]
              line 1, column 8: a row of usage needs `quantity`
                hint: write quantity = "name of its column" under [columns], or quantity = "value" under [constants]
              line 1, column 8: usage needs an identity
                hint: map `id`, or name the columns that make a row itself under [key]; row_number = true takes every row of a file for an event of its own"#]],
    );
    problems(
        "kind = \"seats\"\nformat = \"cloudevents\"\n",
        &expect![[r#"
            mapping purchases.toml has 2 problems
              line 1, column 8: a row of seats needs `user`
                hint: write user = "name of its column" under [columns], or user = "value" under [constants]
              line 2, column 10: cloudevents cannot be seats
                hint: write kind = "usage""#]],
    );
}

#[test]
fn a_mapping_as_long_as_a_book_is_refused() {
    let text = "#".repeat(super::MAPPING_BYTES_MAX + 1);
    problems(
        &text,
        &expect![[r#"
        mapping purchases.toml has 1 problem
          line 1, column 1: it is longer than 1048576 bytes
            hint: a mapping is a page of text; is this the right file?"#]],
    );
    assert!(Mapping::parse("long", &"#".repeat(super::MAPPING_BYTES_MAX)).is_err());
}

fn mappings_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("mappings")
}

#[test]
fn every_shipped_mapping_loads() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(mappings_folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        if let Err(errors) = Mapping::parse(&name, &text) {
            panic!("{errors}");
        }
        assert!(text.starts_with('#'), "{name} does not say what it is for");
        names.push(name);
    }
    names.sort();
    let expected = ["cloudevents-duration.toml", "purchases-german.toml", "seats-export.toml"];
    assert_eq!(names, expected);
}

#[test]
fn the_example_in_the_documentation_loads() {
    let source = include_str!("../mapping.rs");
    let start = source.find("//! ```toml").unwrap();
    let block = source[start..].lines().skip(1).take_while(|line| *line != "//! ```");
    let lines: Vec<&str> =
        block.map(|line| line.trim_start_matches("//!").trim_start_matches(' ')).collect();
    let text = lines.join("\n");
    // The example shows every section; no one format has them all.
    let (table, events) = text.split_once("[events]").unwrap();
    let sheet = "sheet = \"Purchases\"";
    Mapping::parse("csv", &table.replace(sheet, "")).unwrap();
    for gone in ["encoding = ", "delimiter = ", "quote = "] {
        assert!(table.contains(gone));
    }
    let events = format!(
        "kind = \"usage\"\nformat = \"cloudevents\"\n[columns]\nquantity = \"data.n\"\n[events]{events}"
    );
    Mapping::parse("events", &events).unwrap();
}

#[test]
fn a_constant_given_by_the_caller_is_checked() {
    let mapping = Mapping::builtin(Kind::Usage, Format::Csv);
    assert!(mapping.clone().with_constant(Field::At, "2025-01-01T00:00:00Z").is_ok());
    let problem = mapping.clone().with_constant(Field::At, "yesterday").unwrap_err();
    assert!(problem.contains("`yesterday` is no date"), "{problem}");
    let refused = mapping.with_constant(Field::Metric, "device").unwrap_err();
    assert_eq!(refused, "usage has no metric");
}

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
