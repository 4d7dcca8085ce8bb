//! Workbooks: typed cells as they are shown, and archives that mean harm.

use super::value::{column_index, moment, shown_number};
use crate::formats::Collected;
use crate::formats::mapping::tests::{context, shown};
use crate::formats::mapping::{Format, Kind, Mapping, Snapshot, detect};
use crate::formats::table::{Limits, read};
use calamine::{Data, Reader as _};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format as Style, Formula, Workbook as Writer, Worksheet};
use std::io::{Cursor, Write as _};
use trueup_model::fact::{Action, Body};
use trueup_model::reject::RejectReason;
use zip::write::SimpleFileOptions;

fn facts_within(bytes: &[u8], mapping: &Mapping, limits: &Limits) -> Collected {
    let context = context("list.xlsx", "2026-01-15T08:00:00Z");
    let mut collected = Collected::default();
    let snapshot = Snapshot::observed_at(context.received_at);
    read(bytes, mapping, &snapshot, limits, &context, &mut collected);
    collected
}

fn facts(bytes: &[u8], mapping: &Mapping) -> Collected {
    facts_within(bytes, mapping, &Limits::default())
}

fn check(bytes: &[u8], mapping: &Mapping, expected: &Expect) {
    expected.assert_eq(&shown(&facts(bytes, mapping)));
}

fn parsed(text: &str) -> Mapping {
    Mapping::parse("test.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn rejects(collected: &Collected) -> Vec<(u64, RejectReason)> {
    let found = collected.facts.iter().filter_map(|fact| match &fact.action {
        Action::Assert(Body::Reject(reject)) => Some((fact.provenance.position, reject.reason)),
        Action::Assert(_) | Action::Retract(_) => None,
    });
    found.collect()
}

/// A workbook with one sheet, as a spreadsheet program writes it.
fn written(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut writer = Writer::new();
    fill(writer.add_worksheet());
    writer.save_to_buffer().unwrap()
}

/// An archive of these parts.
fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const TOP: (&str, &str) = (
    "_rels/.rels",
    "<Relationships><Relationship Id='1' Type='x/officeDocument' Target='xl/workbook.xml'/></Relationships>",
);
const BOOK: (&str, &str) =
    ("xl/workbook.xml", "<workbook><sheets><sheet name='List' r:id='r1'/></sheets></workbook>");
const RELATIONS: (&str, &str) = (
    "xl/_rels/workbook.xml.rels",
    "<Relationships><Relationship Id='r1' Type='x/worksheet' Target='worksheets/one.xml'/>\
     <Relationship Id='r2' Type='x/sharedStrings' Target='sharedStrings.xml'/>\
     <Relationship Id='r3' Type='x/styles' Target='/xl/styles.xml'/></Relationships>",
);
const SHEET: &str = "xl/worksheets/one.xml";
const STRINGS: &str = "xl/sharedStrings.xml";
const STYLES: &str = "xl/styles.xml";

/// A workbook by hand, with this content of its one sheet.
fn by_hand(sheet: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let sheet = format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>");
    archive(&[&[TOP, BOOK, RELATIONS, (SHEET, &sheet)], more].concat())
}

/// A row of text cells by hand.
fn row(cells: &[&str]) -> String {
    let cells: Vec<String> =
        cells.iter().map(|cell| format!("<c t='str'><v>{cell}</v></c>")).collect();
    format!("<row>{}</row>", cells.concat())
}

fn products() -> Mapping {
    Mapping::builtin(Kind::Products, Format::Xlsx)
}

const PURCHASES: &str = r#"
kind = "purchases"
format = "xlsx"
time_zone = "Europe/Berlin"
[table]
skip_rows = 2
[locale]
decimal = ","
thousands = "."
dates = ["%d.%m.%Y"]
[columns]
line = "PO"
product = "Product"
quantity = "Quantity"
start = "Start"
end = "End"
cost = "Cost"
[constants]
metric = "device"
"#;

#[test]
fn typed_cells_are_what_the_sheet_shows() {
    let date = Style::new().set_num_format("dd.mm.yyyy");
    let bytes = written(|sheet| {
        sheet.write(0, 0, "Purchases of 2025").unwrap();
        for (column, name) in
            ["PO", "Product", "Quantity", "Start", "End", "Cost"].into_iter().enumerate()
        {
            sheet.write(3, u16::try_from(column).unwrap(), name).unwrap();
        }
        let day = |text: &str| ExcelDateTime::parse_from_str(text).unwrap();
        // Numbers and dates by type: the locale of the mapping does not touch them.
        sheet.write(4, 0, 4711).unwrap().write(4, 1, "Mesh").unwrap().write(4, 2, 0.1).unwrap();
        sheet.write_with_format(4, 3, day("2025-03-30"), &date).unwrap();
        sheet.write_with_format(4, 4, day("2025-10-26"), &date).unwrap();
        sheet.write(4, 5, 1234.5).unwrap();
        // Numbers and dates as text: these follow it.
        sheet.write(5, 0, "4712").unwrap().write(5, 1, " M\u{fc}ller \n AG ").unwrap();
        sheet.write(5, 2, "1.000").unwrap().write(5, 3, "03.04.2023").unwrap();
        sheet.write(5, 5, "1.234,50 \u{20ac}").unwrap();
        // A blank row, a formula, an error, a date where a number should be, a truth value.
        sheet.write(7, 0, 4713.0).unwrap().write(7, 1, "Mesh").unwrap();
        sheet.write(7, 2, Formula::new("0.1+0.2").set_result("0.30000000000000004")).unwrap();
        sheet.write(8, 0, 4714).unwrap().write(8, 1, "Mesh").unwrap();
        sheet.write(8, 2, Formula::new("1/0").set_result("#DIV/0!")).unwrap();
        sheet.write(9, 0, 4715).unwrap().write(9, 1, "Mesh").unwrap();
        sheet.write_with_format(9, 2, day("2025-01-01"), &date).unwrap();
        sheet.write(10, 0, 4716).unwrap().write(10, 1, true).unwrap();
        sheet.write(11, 0, 4717).unwrap().write(11, 1, "Mesh").unwrap();
        sheet.write(11, 3, 45_000).unwrap();
        sheet.write(12, 0, 4718).unwrap().write(12, 1, "Mesh").unwrap();
        sheet.write(12, 9, "a remark beyond the header").unwrap();
    });
    check(
        &bytes,
        &parsed(PURCHASES),
        &expect![[r#"
            5 line 4711 Mesh device 0.1 base [2025-03-29T23:00:00Z, 2025-10-26T23:00:00Z) cost 1234.50
            6 line 4712 Müller \n AG device 1000 base [2023-04-02T22:00:00Z, open) cost 1234.50 EUR
            8 line 4713 Mesh device 0.3 base always
            9 reject bad_value: column `Quantity`: it holds #DIV/0! <4714;Mesh;#DIV/0!>
            10 reject bad_value: column `Quantity`: `2025-01-01` is a date <4715;Mesh;2025-01-01>
            11 line 4716 TRUE device unknown base always
            12 reject bad_value: column `Start`: `45000` is no date by `%d.%m.%Y` <4717;Mesh;;45000>
            13 line 4718 Mesh device unknown base always
            0 document list.xlsx with 5 rows from always
        "#]],
    );
}

#[test]
fn the_stated_sheet_is_read_else_the_first_visible_one() {
    let mut writer = Writer::new();
    for (name, product) in [("Old", "A"), ("Products", "B"), ("Other", "C")] {
        let sheet = writer.add_worksheet();
        sheet.set_name(name).unwrap().write(0, 0, "product").unwrap().write(1, 0, product).unwrap();
        sheet.set_hidden(name == "Old");
    }
    writer.worksheet_from_index(1).unwrap().set_active(true);
    let bytes = writer.save_to_buffer().unwrap();
    check(
        &bytes,
        &products(),
        &expect![[r#"
        2 product B
        0 document list.xlsx with 1 rows from always
    "#]],
    );
    let stated = |sheet: &str| {
        parsed(&format!(
            "kind = \"products\"\nformat = \"xlsx\"\n[table]\nsheet = \"{sheet}\"\n[columns]\nproduct = \"product\"\n"
        ))
    };
    check(
        &bytes,
        &stated("other"),
        &expect![[r#"
        2 product C
        0 document list.xlsx with 1 rows from always
    "#]],
    );
    check(
        &bytes,
        &stated("Missing"),
        &expect![[r#"
        0 reject missing_value: there is no sheet `Missing` among `Old`, `Products`, `Other` <>
    "#]],
    );
}

#[test]
fn a_workbook_is_detected_by_its_header() {
    let bytes = written(|sheet| {
        sheet.write(0, 0, "Product").unwrap().write(0, 1, "Family").unwrap();
    });
    let found = detect("products.xlsx", &bytes);
    assert_eq!((found.format, found.kind), (Some(Format::Xlsx), Some(Kind::Products)));
    let cut = detect("products.xlsx", &bytes[..bytes.len() / 2]);
    assert_eq!(cut.kind, None);
}

#[test]
fn days_count_from_1900_or_1904_and_the_false_leap_day_is_none() {
    let day = |number: &str| moment(number, false).map(|local| local.to_string());
    assert_eq!(day("1").unwrap(), "1900-01-01T00:00:00");
    assert_eq!(day("59").unwrap(), "1900-02-28T00:00:00");
    assert_eq!(day("60"), None);
    assert_eq!(day("61").unwrap(), "1900-03-01T00:00:00");
    assert_eq!(day("45019").unwrap(), "2023-04-03T00:00:00");
    assert_eq!(day("45019.5").unwrap(), "2023-04-03T12:00:00");
    // A third of a day, and the last millisecond that rounds up.
    assert_eq!(day("45019.3333333333").unwrap(), "2023-04-03T08:00:00");
    assert_eq!(day("45019.9999999999").unwrap(), "2023-04-04T00:00:00");
    assert_eq!(day("2958465").unwrap(), "9999-12-31T00:00:00");
    for none in ["0", "0.5", "2958466", "-1", "1e300", "", "x"] {
        assert_eq!(day(none), None, "{none}");
    }
    let mac = |number: &str| moment(number, true).map(|local| local.to_string());
    assert_eq!(mac("0").unwrap(), "1904-01-01T00:00:00");
    assert_eq!(mac("43557").unwrap(), "2023-04-03T00:00:00");
}

#[test]
fn numbers_have_the_digits_that_a_spreadsheet_shows() {
    for (stored, shown) in [
        ("0.1", "0.1"),
        ("4.5999999999999996", "4.6"),
        ("0.30000000000000004", "0.3"),
        ("3.3000000000000003", "3.3"),
        ("1E-3", "0.001"),
        ("1E+15", "1000000000000000"),
        ("4711", "4711"),
        ("4711.0", "4711"),
        ("-20", "-20"),
        ("123456789012345678", "123456789012345680"),
        ("0.123456789012345", "0.123456789012345"),
    ] {
        assert_eq!(shown_number(stored).as_deref(), Some(shown), "{stored}");
    }
    for none in ["", "x", "NaN", "inf", "1e999", "1,5"] {
        assert_eq!(shown_number(none), None, "{none}");
    }
}

#[test]
fn shared_rich_and_escaped_texts_are_read() {
    let strings = "<sst><si><t>product</t></si><si><r><t>M&amp;</t></r><r><t xml:space='preserve'> &#x4E;</t></r>\
        <rPh><t>aid</t></rPh></si><si><t>a_x0009_b_x005F_c_xZZ_</t></si><si/></sst>";
    let sheet = "<row r='1'><c r='A1' t='s'><v>0</v></c></row><row r='3'><c r='A3' t='s'><v>1</v></c></row>\
        <row r='4'><c r='A4' t='s'><v>2</v></c></row><row r='5'><c r='A5' t='s'><v>3</v></c></row>\
        <row r='6'><c r='A6' t='s'><v>99</v></c></row>\
        <row r='7'><c r='A7' t='inlineStr'><is><r><t>in</t></r><r><t>line</t></r></is></c></row>\
        <row r='8'><c r='A8' t='str'><f>X()</f><v><![CDATA[<raw>]]>&unknown;</v></c></row>\
        <row r='9'><c r='A9' t='e'><v>#SPILL!</v></c></row><row r='10'><c r='A10' t='weird'><v>5</v></c></row>";
    check(
        &by_hand(sheet, &[(STRINGS, strings)]),
        &products(),
        &expect![[r#"
        3 product M& N
        4 product a	b_c_xZZ_
        6 reject bad_value: column `product`: it holds a text that the workbook does not have <a text that the workbook does not have>
        7 product inline
        8 product <raw>&unknown;
        9 reject bad_value: column `product`: it holds #SPILL! <#SPILL!>
        10 product 5
        0 document list.xlsx with 5 rows from always
    "#]],
    );
}

#[test]
fn dates_by_style_by_the_1904_system_and_by_iso_text() {
    let styles = "<styleSheet><numFmts><numFmt numFmtId='200' formatCode='yyyy&quot;d&quot;'/></numFmts>\
        <cellStyleXfs><xf numFmtId='14'/></cellStyleXfs>\
        <cellXfs><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='200'/></cellXfs></styleSheet>";
    let head = row(&["account", "start", "end"]);
    let sheet = format!(
        "{head}<row><c t='str'><v>A</v></c><c s='1'><v>45019</v></c><c s='2'><v>45020.75</v></c></row>\
         <row><c t='str'><v>B</v></c><c t='d'><v>2023-04-03</v></c></row>\
         <row><c t='str'><v>C</v></c><c s='1'><v>-5</v></c></row>\
         <row><c t='str'><v>D</v></c><c s='0'><v>45019</v></c></row>"
    );
    let accounts = Mapping::builtin(Kind::Accounts, Format::Xlsx);
    check(
        &by_hand(&sheet, &[(STYLES, styles)]),
        &accounts,
        &expect![[r#"
        2 account A [2023-04-03T00:00:00Z, 2023-04-04T18:00:00Z)
        3 account B [2023-04-03T00:00:00Z, open)
        4 reject bad_value: column `start`: `-5` is no date such as 2025-06-30 or 2025-06-30T22:00:00Z <C;-5>
        5 reject bad_value: column `start`: `45019` is no date such as 2025-06-30 or 2025-06-30T22:00:00Z <D;45019>
        0 document list.xlsx with 2 rows from always
    "#]],
    );
    let book = (
        "xl/workbook.xml",
        "<workbook><workbookPr date1904='1'/><sheets><sheet name='List' r:id='r1'/></sheets></workbook>",
    );
    let sheet = format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>");
    let mac = archive(&[TOP, book, RELATIONS, (SHEET, &sheet), (STYLES, styles)]);
    assert!(shown(&facts(&mac, &accounts)).contains("account A [2027-04-04T00:00:00Z"));
}

#[test]
fn an_independent_reader_sees_the_same_cells() {
    let bytes = written(|sheet| {
        sheet.write(0, 0, "product").unwrap().write(0, 1, "family").unwrap();
        for number in 1..200_u32 {
            sheet.write(number, 0, f64::from(number) / 10.0).unwrap();
            sheet.write(number, 1, format!("family <{number}> & \"more\" \u{1F600}")).unwrap();
        }
    });
    let mut theirs = calamine::Xlsx::new(Cursor::new(bytes.as_slice())).unwrap();
    let range = theirs.worksheet_range("Sheet1").unwrap();
    let their_cells: Vec<(String, String)> = range
        .rows()
        .skip(1)
        .map(|row| match row {
            [Data::Float(number), Data::String(text)] => (number.to_string(), text.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    let ours: Vec<(String, String)> = facts(&bytes, &products())
        .facts
        .into_iter()
        .filter_map(|fact| match fact.action {
            Action::Assert(Body::Product(product)) => Some((product.product, product.family?)),
            Action::Assert(_) | Action::Retract(_) => None,
        })
        .collect();
    assert_eq!(ours, their_cells);
}

// Archives that mean harm, each of which an unguarded reader pays for with its life.

#[test]
fn what_is_no_workbook_says_so() {
    let said = |bytes: &[u8]| shown(&facts(bytes, &products()));
    expect![[r#"
        0 reject unknown_format: it is no workbook: invalid Zip archive: Could not find EOCD <>
    "#]]
    .assert_eq(&said(b"product\nMesh\n"));
    expect![[r#"
        0 reject unknown_format: it has a password or is an old .xls file; save it as .xlsx without one <>
    "#]].assert_eq(&said(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest"));
    expect![[r#"
        0 reject unknown_format: the archive holds no workbook <>
    "#]]
    .assert_eq(&said(&archive(&[("readme.txt", "hello")])));
    expect![[r#"
        0 reject malformed: the sheet `List` is not in the archive <>
    "#]]
    .assert_eq(&said(&archive(&[TOP, BOOK, RELATIONS])));
    expect![[r#"
        1 reject torn: the sheet ends in the middle <>
    "#]]
    .assert_eq(&said(&by_hand("<row><c><v>1</v>", &[])));
    let whole = by_hand(&row(&["product"]), &[]);
    assert_eq!(rejects(&facts(&whole[..whole.len() - 30], &products())).len(), 1);
}

#[test]
fn a_workbook_that_breaks_off_declares_no_version() {
    let sheet = format!("<worksheet><sheetData>{}{}<row><c>", row(&["product"]), row(&["Mesh"]));
    let bytes = archive(&[TOP, BOOK, RELATIONS, (SHEET, &sheet)]);
    check(
        &bytes,
        &products(),
        &expect![[r#"
        2 product Mesh
        3 reject torn: the sheet ends in the middle <>
    "#]],
    );
}

#[test]
fn a_bomb_is_defused_at_the_limit() {
    let limits = Limits { sheet_bytes_max: 100_000, part_bytes_max: 50_000, ..Limits::default() };
    let within = |bytes: &[u8]| rejects(&facts_within(bytes, &products(), &limits));
    let head = row(&["product"]);
    let rows = |count: usize| by_hand(&(head.clone() + &row(&["Mesh"]).repeat(count)), &[]);
    assert_eq!(within(&rows(1000)), []);
    assert!(rows(1_000_000).len() < 200_000, "a small archive");
    let bomb = within(&rows(1_000_000));
    assert_eq!(bomb.len(), 1);
    assert_eq!(bomb[0].1, RejectReason::TooLong);
    let few_cells = Limits { cells_max: 3, ..Limits::default() };
    let cells = |count| rejects(&facts_within(&rows(count), &products(), &few_cells));
    assert_eq!(cells(2), []);
    assert_eq!(cells(3), [(4, RejectReason::TooLong)]);
    // A list of texts beyond its limit, and one text that many cells share.
    let strings = format!("<sst>{}</sst>", "<si><t/></si>".repeat(100_000));
    assert_eq!(within(&by_hand(&head, &[(STRINGS, &strings)])), [(0, RejectReason::TooLong)]);
    let one_text = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(40_000));
    let sharing = head.clone() + &"<row><c t='s'><v>0</v></c></row>".repeat(3);
    let shared = within(&by_hand(&sharing, &[(STRINGS, &one_text)]));
    let too_long = RejectReason::TooLong;
    assert_eq!(shared, [(2, too_long), (3, too_long), (4, too_long)]);
}

#[test]
fn claims_of_size_are_not_believed() {
    // These three made a common reader abort, take gigabytes, and read past its own counters.
    let strings = "<sst uniqueCount='18446744073709551615'><si><t>product</t></si></sst>";
    let sheet = "<row><c t='s'><v>0</v></c></row>".to_owned() + &row(&["Mesh"]);
    assert_eq!(rejects(&facts(&by_hand(&sheet, &[(STRINGS, strings)]), &products())), []);
    let styles = format!(
        "<styleSheet><fonts><font><name val='{}'/></font></fonts><cellXfs>{}</cellXfs></styleSheet>",
        "x".repeat(100_000),
        "<xf fontId='0'/>".repeat(20_000)
    );
    let plain = row(&["product"]) + &row(&["Mesh"]);
    assert_eq!(rejects(&facts(&by_hand(&plain, &[(STYLES, &styles)]), &products())), []);
    let far = row(&["product"])
        + "<row r='99999999999'><c r='ZZZZZZZZZZZZZZZZZZZZ99999999999'><v>1</v></c></row>"
        + "<row r='2'><c r='XFE2'><v>1</v></c></row>";
    assert_eq!(
        rejects(&facts(&by_hand(&far, &[]), &products())),
        [(2, RejectReason::TooLong), (2, RejectReason::TooLong)]
    );
    assert_eq!(column_index("XFD1048576"), Some(16_383));
    assert_eq!(column_index("1"), None);
}

#[test]
fn lists_in_a_workbook_are_limited() {
    let sheet = row(&["product"]);
    let many = format!("<styleSheet><cellXfs>{}</cellXfs></styleSheet>", "<xf/>".repeat(100_001));
    assert_eq!(
        rejects(&facts(&by_hand(&sheet, &[(STYLES, &many)]), &products())),
        [(0, RejectReason::TooLong)]
    );
    let text = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(2 * 1024 * 1024));
    assert_eq!(
        rejects(&facts(&by_hand(&sheet, &[(STRINGS, &text)]), &products())),
        [(0, RejectReason::TooLong)]
    );
    let mut parts = vec![TOP, BOOK, RELATIONS];
    let names: Vec<String> = (0..10_000).map(|number| format!("n{number}")).collect();
    parts.extend(names.iter().map(|name| (name.as_str(), "")));
    assert_eq!(rejects(&facts(&archive(&parts), &products())), [(0, RejectReason::TooLong)]);
    // An archive that only claims to hold that many.
    let mut claims = by_hand(&sheet, &[]);
    claims.extend_from_slice(b"PK\x06\x06");
    claims.extend_from_slice(&[0xff; 60]);
    assert_eq!(rejects(&facts(&claims, &products())), [(0, RejectReason::TooLong)]);
}

#[test]
fn entities_are_never_expanded() {
    let bomb = "<!DOCTYPE w [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>";
    let sheet = format!(
        "{bomb}<worksheet><sheetData>{}<row><c t='str'><v>&b;</v></c></row></sheetData></worksheet>",
        row(&["product"])
    );
    check(
        &archive(&[TOP, BOOK, RELATIONS, (SHEET, &sheet)]),
        &products(),
        &expect![[r#"
        2 product &b;
        0 document list.xlsx with 1 rows from always
    "#]],
    );
}

proptest! {
    #[test]
    fn no_bytes_make_a_workbook_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = facts(&[b"PK\x03\x04".as_slice(), &bytes].concat(), &products());
    }

    #[test]
    fn no_flipped_byte_of_an_archive_makes_it_panic(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = by_hand(&(row(&["product"]) + &row(&["Mesh"])), &[(STRINGS, "<sst/>")]);
        for (place, byte) in places {
            let length = bytes.len();
            bytes[place.index(length)] = byte;
        }
        let _ = facts(&bytes, &products());
    }

    #[test]
    fn no_damage_to_a_part_makes_it_panic(
        part in 0_usize..6,
        place in any::<prop::sample::Index>(),
        junk in "(<[/a-z!?]{0,3}|>|&[#a-z0-9]{0,4};?|'|\"|=|[0-9A-Z]{0,12}|\\PC{0,4}|</row>|<c r='A1'>|<v>){0,4}",
    ) {
        let sheet = format!("<worksheet><sheetData>{}<row r='2'><c r='A2' s='1' t='n'><v>4.5</v></c><c r='B2' t='s'><v>0</v></c></row></sheetData></worksheet>", row(&["product", "family"]));
        let strings = "<sst uniqueCount='1'><si><t>one</t></si></sst>";
        let styles = "<styleSheet><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/></cellXfs></styleSheet>";
        let mut parts: Vec<(&str, String)> = [TOP, BOOK, RELATIONS, (SHEET, sheet.as_str()), (STRINGS, strings), (STYLES, styles)]
            .into_iter().map(|(name, text)| (name, text.to_owned())).collect();
        let at = place.index(parts[part].1.len());
        parts[part].1.insert_str(at, &junk);
        let parts: Vec<(&str, &str)> = parts.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let _ = facts(&archive(&parts), &products());
    }
}
