//! Mapping files and their mistakes.

use super::*;
use crate::formats::mapping::MAPPING_BYTES_MAX;

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
                hint: there are line, contract, product, metric, quantity, per, start, end, account, server, kind, class, base, parent, territory, duplicates, suite_duplicates, overdraft, margin_percent, grace_days, priority, maintenance_until, cost, currency, version, notice, restricted
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
                hint: did you mean `product`? There are line, contract, product, metric, quantity, per, start, end, account, server, kind, class, base, parent, territory, duplicates, suite_duplicates, overdraft, margin_percent, grace_days, priority, maintenance_until, cost, currency, version, notice, restricted
              line 24, column 12: `quantity` is a TOML integer
                hint: it must be text in quotes: quantity = "…"
              line 25, column 8: a column must have a name
              line 28, column 10: `metric` stands under [columns] already
                hint: say it in one of the two sections
              line 29, column 9: `start`: `03/04/2023` is no date such as 2025-06-30 or 2025-06-30T22:00:00Z
                hint: in a mapping file numbers have a decimal point and dates are 2025-06-30
              line 32, column 13: `kind`: `maintenence` is none of base, maintenance, upgrade, transfer
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
                hint: did you mean `product`? There are line, contract, product, metric, quantity, per, start, end, account, server, kind, class, base, parent, territory, duplicates, suite_duplicates, overdraft, margin_percent, grace_days, priority, maintenance_until, cost, currency, version, notice, restricted
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
                hint: write kind = "…" with one of purchases, seats, accounts, aliases, memberships, products, allocations, fees, bills, usage"#]],
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
    let text = "#".repeat(MAPPING_BYTES_MAX + 1);
    problems(
        &text,
        &expect![[r#"
        mapping purchases.toml has 1 problem
          line 1, column 1: it is longer than 1048576 bytes
            hint: a mapping is a page of text; is this the right file?"#]],
    );
    assert!(Mapping::parse("long", &"#".repeat(MAPPING_BYTES_MAX)).is_err());
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
    let source = include_str!("../../mapping.rs");
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
