use super::*;
use crate::formats::Collected;
use crate::formats::flexnet::testing::{
    Case, assert_entitled, at, context, entitled, granted, identities, rejects, shared,
};
use proptest::prelude::*;

fn options(document: &str) -> ExpiryOptions {
    ExpiryOptions::new(DocumentOptions::observed_at(document, at("2018-01-01T00:00:00Z")))
}

fn read_into(collected: &mut Collected, document: &str, text: &[u8]) -> DocumentSummary {
    read(&context("UTC"), &options(document), text, collected)
}

#[test]
fn rows_add_up_and_never_is_read_in_all_its_spellings() {
    let Some(case) = Case::open("c21-lm-expiry-table") else { return };
    let mut collected = Collected::default();
    for file in ["a.txt", "b.txt"] {
        let summary = read_into(&mut collected, file, &case.file(file));
        assert!(summary.taken && summary.rejects == 0);
    }
    assert_entitled(&collected, case.expect("/entitled"));
    let lines = granted(&collected);
    assert!(lines.iter().all(|line| line.basis == Basis::ServerReport));
    let names: Vec<&str> = lines.iter().map(|line| line.line.as_str()).collect();
    assert_eq!(names[0], "mesh 2018.12 31-dec-2018 50");
    assert_eq!(names[5], "geo_9 15.0 permanent 8");
    assert_eq!(lines[4].server.as_deref(), Some("GEOVD@unknown"));
}

#[test]
fn real_tables_are_read_whole() {
    for (file, rows, total) in [("lmstat_i_app1.txt", 17, 1_015), ("lmstat_i_app2.txt", 9, 11)] {
        let Some(bytes) = shared(&format!("data/lmstat/{file}")) else { return };
        let mut collected = Collected::default();
        let summary = read_into(&mut collected, file, &bytes);
        assert_eq!((summary.rows, summary.rejects), (rows, 0), "{file}");
        let instant = at("2018-09-01T00:00:00Z");
        let sum: Option<i64> = granted(&collected)
            .iter()
            .map(|line| line.product.as_str())
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .map(|product| entitled(&collected, product, instant))
            .sum();
        assert_eq!(sum, Some(total), "{file}");
        assert_eq!(identities(&collected).len(), collected.facts.len());
    }
}

#[test]
fn odd_rows_are_read_or_told() {
    let text = "\
Feature   Version   #licenses   Expires   Vendor
f         1.0       4           30-Apr-20202   vd
f         1.0       4           30-Apr-2020   vd
g         1.0       uncounted   permanent(no expiration date)   vd
h         1.0       many        1-jan-0   vd
h         1.0       4           vd
h         1.0
h         1.0       4           1-jan-0
";
    let mut collected = Collected::default();
    let summary = read_into(&mut collected, "x", text.as_bytes());
    assert_eq!((summary.rows, summary.rejects, summary.taken), (3, 4, true));
    assert_eq!(entitled(&collected, "f", at("2020-04-30T12:00:00Z")), Some(8));
    assert_eq!(entitled(&collected, "g", at("2020-04-30T12:00:00Z")), None);
    let found: Vec<_> = rejects(&collected)
        .iter()
        .map(|(line, reject)| (*line, reject.detail.as_deref().unwrap_or_default()))
        .collect();
    let expected = [
        (5, "the count is not a number"),
        (6, "the expiry is not a date"),
        (7, "a row without a count"),
        (8, "a row without a vendor"),
    ];
    assert_eq!(found, expected);
    let names: Vec<&str> = granted(&collected).iter().map(|line| line.line.as_str()).collect();
    assert_eq!(names[1], "f 1.0 30-Apr-2020 4");
}

#[test]
fn the_expiry_day_is_a_setting() {
    let text = "Feature Version #licenses Vendor Expires\nf 1.0 4 vd 30-apr-2020\n";
    for (included, expected) in [(true, Some(4)), (false, Some(0))] {
        let options = ExpiryOptions { expiry_day_included: included, ..options("x") };
        let mut collected = Collected::default();
        read(&context("UTC"), &options, text.as_bytes(), &mut collected);
        assert_eq!(entitled(&collected, "f", at("2020-04-30T12:00:00Z")), expected);
    }
}

#[test]
fn an_answer_without_a_table_replaces_nothing() {
    for text in ["", "Error getting status", "INCREMENT f v 1.0 permanent 1"] {
        let mut collected = Collected::default();
        assert!(!read_into(&mut collected, "x", text.as_bytes()).taken);
        assert_eq!(rejects(&collected)[0].1.reason, RejectReason::UnknownFormat);
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut text = b"Feature Version #licenses Expires Vendor\n".to_vec();
        text.extend(bytes);
        read_into(&mut Collected::default(), "x", &text);
    }
}
