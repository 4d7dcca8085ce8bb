use super::*;
use crate::formats::Collected;
use crate::formats::flexnet::testing::{
    Case, assert_entitled, at, bodies, context, entitled, granted, identities, rejects,
};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;
use trueup_model::fact::{Action, FactKind};
use trueup_model::metric::Duplicates;

const FROM: &str = "2022-05-01T00:00:00Z";

fn options() -> LicenseOptions {
    LicenseOptions::new(DocumentOptions::observed_at("acme.lic", at(FROM)))
}

fn read_with(
    context: &Context,
    options: &LicenseOptions,
    text: &[u8],
) -> (Collected, DocumentSummary) {
    let mut collected = Collected::default();
    let summary = read(context, options, text, &mut collected);
    (collected, summary)
}

fn read_text(text: &str) -> Collected {
    read_with(&context("UTC"), &options(), text.as_bytes()).0
}

/// The case's license file, read.
fn of_case(case: &Case, file: &str) -> Collected {
    let (collected, summary) = read_with(&case.context(), &options(), &case.file(file));
    assert!(summary.taken);
    assert_eq!(rejects(&collected), [], "{file}");
    collected
}

fn names(collected: &Collected) -> Vec<&str> {
    granted(collected).into_iter().map(|line| line.line.as_str()).collect()
}

#[test]
fn superseded_lines_grant_nothing_and_lines_of_one_date_add_up() {
    let Some(case) = Case::open("c22-lic-supersede") else { return };
    assert_entitled(&of_case(&case, "a.lic"), case.expect("/entitled"));
}

#[test]
fn continuations_quotes_case_and_uncounted_lines_are_read() {
    let Some(case) = Case::open("c23-lic-syntax") else { return };
    let collected = of_case(&case, "a.lic");
    assert_entitled(&collected, case.expect("/entitled"));
    assert_eq!(*case.expect("/diagnostics"), rejects(&collected).len());
    for (feature, notice) in case.expect("/notice").as_object().expect("by feature") {
        let first = granted(&collected).into_iter().find(|line| line.product == *feature);
        assert_eq!(first.expect("a line").notice.as_deref(), notice.as_str());
    }
    let expected = [
        "FEATURE alpha 1.0 31-dec-2040 10",
        "INCREMENT alpha 1.0 31-dec-2040 5",
        "INCREMENT beta 2.5 permanent uncounted",
        "INCREMENT gamma 1.0 1-jan-0 0",
        "INCREMENT delta 1.0 01-jan-0000 7",
    ];
    assert_eq!(names(&collected), expected);
    assert!(granted(&collected).iter().all(|line| {
        line.server.as_deref() == Some("ptcvd@lic4.example.org")
            && line.basis == Basis::LicenseFile
            && line.metric == Metric::Concurrent
    }));
    let void = "another FEATURE line of the name came first: this one is void";
    assert_eq!(collected.notes, [(8, void.to_owned())]);
}

#[test]
fn overdraft_is_no_right() {
    let Some(case) = Case::open("c24-lic-overdraft") else { return };
    let collected = of_case(&case, "a.lic");
    for position in case.expect("/position").as_array().expect("a list") {
        let instant = at(position["at"].as_str().expect("an instant"));
        assert_eq!(position["entitled"].as_i64(), entitled(&collected, "lib", instant));
        let overdraft = granted(&collected)[0].overdraft.to_string();
        assert_eq!(position["overdraft"].to_string(), overdraft);
    }
    assert_eq!(granted(&collected)[0].notice.as_deref(), Some("A small notice"));
}

#[test]
fn duplicate_groups_are_read_as_written() {
    let Some(case) = Case::open("c06-fn-dup-group") else { return };
    for (file, group) in [("uh.lic", "UH"), ("none.lic", "NONE"), ("u.lic", "U")] {
        let collected = of_case(&case, file);
        assert_eq!(granted(&collected)[0].duplicates, Duplicates::parse(group), "{file}");
        assert_eq!(granted(&collected)[0].server.as_deref(), Some("serverd@lic1"));
    }
}

#[test]
fn a_suite_is_granted_as_itself_and_its_components_are_facts() {
    let Some(case) = Case::open("c07-fn-package-suite") else { return };
    let collected = of_case(&case, "cad.lic");
    let [line] = granted(&collected)[..] else { panic!("one line") };
    assert_eq!(*case.expect("/charged_features/0"), *line.product);
    assert_eq!(
        (line.duplicates, line.suite_duplicates),
        (Duplicates::parse("UH"), Duplicates::parse("UHV"))
    );
    let position = case.expect("/position/0");
    let instant = at(position["at"].as_str().expect("an instant"));
    assert_eq!(position["entitled"].as_i64(), entitled(&collected, &line.product, instant));
    let parts: BTreeSet<&str> = bodies(&collected)
        .filter_map(|body| if let Body::Component(part) = body { Some(part) } else { None })
        .map(|part| {
            assert!(part.suite && part.package == line.product);
            assert_eq!(part.server, "cadvd@lic2.example.org");
            part.component.as_str()
        })
        .collect();
    let expected = case.expect("/included_features").as_array().expect("a list");
    assert_eq!(parts, expected.iter().filter_map(Value::as_str).collect());
}

#[test]
fn a_line_keeps_its_name_in_the_next_version_and_a_new_one_gets_its_own() {
    let Some(case) = Case::open("c16-fn-reread-capacity") else { return };
    let (before, after) = (of_case(&case, "before.lic"), of_case(&case, "after.lic"));
    assert_eq!(names(&before), ["INCREMENT mesh 5.0 31-dec-2030 3"]);
    let both = ["INCREMENT mesh 5.0 31-dec-2030 3", "INCREMENT mesh 5.0 31-dec-2030 2"];
    assert_eq!(names(&after), both);
    for (file, position) in [(&before, "/position/0"), (&after, "/position/1")] {
        let expected = case.expect(position);
        let instant = at(expected["at"].as_str().expect("an instant"));
        assert_eq!(expected["entitled"].as_i64(), entitled(file, "mesh", instant));
    }
    let twice = read_text(
        "VENDOR v\nINCREMENT f v 1.0 permanent 2 SN=1\nINCREMENT f v 1.0 permanent 2 SN=2\n",
    );
    assert_eq!(names(&twice), ["INCREMENT f 1.0 permanent 2", "INCREMENT f 1.0 permanent 2 (2)"]);
}

#[test]
fn rows_belong_to_a_version_that_is_declared_after_them() {
    let collected =
        read_text("VENDOR v\nINCREMENT f v 1.0 permanent 2\nINCREMENT f v 1.0 oops 2\n");
    let version = u64::try_from(at(FROM).0).expect("after 1970");
    let rows = collected.facts.iter().filter(|fact| fact.document.is_some());
    for row in rows.clone() {
        let document = row.document.as_ref().expect("a row");
        assert_eq!((document.document.as_str(), document.version), ("acme.lic", version));
    }
    assert_eq!(rows.count(), 2, "the line, and the reject that the next version takes back");
    let [declared, cleared] = &collected.facts[2..] else { panic!("two more facts") };
    let Action::Assert(Body::Document(document)) = &declared.action else { panic!("a version") };
    assert_eq!((document.rows, document.effective_from), (1, at(FROM)));
    assert_eq!((declared.document.clone(), cleared.document.clone()), (None, None));
    assert_eq!(cleared.action, Action::Retract(FactKind::Reject));
}

#[test]
fn identities_follow_the_version_and_the_line_and_not_the_reading() {
    let text = "VENDOR v\nINCREMENT f v 1.0 permanent 2\nINCREMENT f v 1.0 permanent 2\n";
    assert_eq!(identities(&read_text(text)), identities(&read_text(text)));
    assert_eq!(identities(&read_text(text)).len(), 4);
    let mut later = options();
    later.document.version += 1;
    let (next, _) = read_with(&context("UTC"), &later, text.as_bytes());
    let shared: Vec<_> =
        identities(&next).intersection(&identities(&read_text(text))).copied().collect();
    assert_eq!(shared.len(), 1, "only what says that no version was refused");
}

#[test]
fn an_upgrade_moves_licenses_to_the_new_version() {
    let collected = read_text(
        "VENDOR v\n\
         INCREMENT f v 1.000 permanent 5\n\
         INCREMENT f v 1.500 permanent 1\n\
         UPGRADE f v 1.000 2.000 permanent 2\n\
         INCREMENT g v 1.0 permanent 1\n\
         UPGRADE g v 1.0 2.0 permanent 4\n",
    );
    let left: Vec<(&str, Option<&str>, String)> = granted(&collected)
        .into_iter()
        .map(|line| {
            let Capacity::Limited(units) = line.quantity else { panic!("counted") };
            (line.product.as_str(), line.version.as_deref(), units.to_string())
        })
        .collect();
    let expected = [
        ("f", Some("1.000"), "4".to_owned()),
        ("f", Some("2.000"), "2".to_owned()),
        ("g", Some("2.0"), "1".to_owned()),
    ];
    assert_eq!(left, expected, "from the closest line before it, then from the next");
    let short = "there are not as many licenses to upgrade before the line";
    assert_eq!(collected.notes, [(6, short.to_owned())]);
}

#[test]
fn a_package_that_is_no_suite_grants_its_components() {
    let collected = read_text(
        "VENDOR v\n\
         PACKAGE kit v 1.0 COMPONENTS=\"a b:2.0 c:3.0:4\"\n\
         INCREMENT kit v 1.00 permanent 5 OVERDRAFT=1\n\
         INCREMENT kit v 9.0 permanent 1\n",
    );
    let lines: Vec<(&str, &str, Option<&str>, Capacity)> = granted(&collected)
        .into_iter()
        .map(|l| (l.line.as_str(), l.product.as_str(), l.version.as_deref(), l.quantity))
        .collect();
    let units = |n| Capacity::Limited(Quantity::units(n));
    let expected = [
        ("INCREMENT kit 1.00 permanent 5 component a", "a", Some("1.00"), units(5)),
        ("INCREMENT kit 1.00 permanent 5 component b", "b", Some("2.0"), units(5)),
        ("INCREMENT kit 1.00 permanent 5 component c", "c", Some("3.0"), units(20)),
        ("INCREMENT kit 9.0 permanent 1", "kit", Some("9.0"), units(1)),
    ];
    assert_eq!(lines, expected, "a right of another version does not enable the package");
}

#[test]
fn dates_of_validity_follow_the_zone_and_the_setting() {
    let text = b"VENDOR v\nINCREMENT f v 1.0 30-jun-2023 1 START=1-mar-2023\n";
    let zone = context("Europe/Madrid");
    let span = |included: bool| {
        let options = LicenseOptions { expiry_day_included: included, ..options() };
        granted(&read_with(&zone, &options, text).0)[0].span.to_string()
    };
    assert_eq!(span(true), "[2023-02-28T23:00:00Z, 2023-06-30T22:00:00Z)");
    assert_eq!(span(false), "[2023-02-28T23:00:00Z, 2023-06-29T22:00:00Z)");
}

#[test]
fn the_host_is_given_named_or_fallen_back_to() {
    let server = |host: Option<&str>, fallback: Option<&str>, first: &str| {
        let options = LicenseOptions {
            host: host.map(str::to_owned),
            fallback_host: fallback.map(str::to_owned),
            ..options()
        };
        let text = format!("{first}VENDOR v\nINCREMENT f v 1.0 permanent 1\n");
        let (collected, _) = read_with(&context("UTC"), &options, text.as_bytes());
        granted(&collected)[0].server.clone().expect("a server")
    };
    let named = "SERVER lic1 ANY 27000\nSERVER lic2 ANY 27000\n";
    assert_eq!(server(None, Some("fb"), named), "v@lic1");
    assert_eq!(server(Some("given"), Some("fb"), named), "v@given");
    assert_eq!(server(None, Some("fb"), "SERVER this_host ANY\n"), "v@fb");
    assert_eq!(server(None, None, ""), "v@unknown");
}

#[test]
fn lines_that_are_not_understood_are_told_and_lose_nothing_else() {
    let collected = read_text(
        "SERVER lic1 ANY 27000\r\n\
         VENDOR v\r\n\
         FEATURESET v 0123\r\n\
         v-f-00737-55296-1825\r\n\
         INCREMENT f v 1.0 permanent many\r\n\
         INCREMENT f v 1.0 31-dek-2030 1\r\n\
         INCREMENT f v 1.0\r\n\
         PACKAGE p v 1.0\r\n\
         INCREMENT f v 1.0 permanent 1 DUP_GROUP=XYZ SUPERSEDE ISSUED=soon\r\n\
         INCREMENT\tf\tv\t1.0\tpermanent\t2\tVENDOR_STRING=\"a \\\r\nb\"SN=1 \\\r\n",
    );
    let reasons: Vec<_> = rejects(&collected)
        .iter()
        .map(|(line, reject)| (*line, reject.reason, reject.detail.as_deref().unwrap_or_default()))
        .collect();
    let expected = [
        (5, RejectReason::BadValue, "`many` is not a count"),
        (6, RejectReason::BadValue, "`31-dek-2030` is not an expiry date"),
        (7, RejectReason::MissingValue, "INCREMENT without an expiry date"),
        (8, RejectReason::MissingValue, "PACKAGE without COMPONENTS"),
    ];
    assert_eq!(reasons, expected);
    assert_eq!(entitled(&collected, "f", at(FROM)), Some(3));
    let notes: Vec<_> = collected.notes.iter().map(|(line, words)| (*line, &words[..18])).collect();
    let remarked = [
        (3, "unknown directive "),
        (4, "a license in decim"),
        (9, "ISSUED=soon is unc"),
        (9, "DUP_GROUP=XYZ is u"),
        (9, "SUPERSEDE without "),
        (0, "the file ends insi"),
    ];
    assert_eq!(notes, remarked);
}

#[test]
fn an_open_quote_does_not_swallow_the_lines_behind_it() {
    let collected = read_text(
        "VENDOR v\nINCREMENT f v 1.0 permanent 1 NOTICE=\"never closed\nINCREMENT g v 1.0 permanent 2\n",
    );
    assert_eq!(entitled(&collected, "f", at(FROM)), Some(1));
    assert_eq!(entitled(&collected, "g", at(FROM)), Some(2));
}

#[test]
fn a_file_that_is_no_license_file_replaces_nothing() {
    for text in ["", "\n# nothing\n", "10:00:00 (lmgrd) TIMESTAMP 1/2/2020\n", "\u{0}\u{1}\u{2}"] {
        let (collected, summary) = read_with(&context("UTC"), &options(), text.as_bytes());
        assert!(!summary.taken);
        let [(0, reject)] = rejects(&collected)[..] else { panic!("one reject for {text:?}") };
        assert_eq!(reject.reason, RejectReason::UnknownFormat);
        assert!(bodies(&collected).all(|body| matches!(body, Body::Reject(_))));
        assert!(collected.facts.iter().all(|fact| fact.document.is_none()));
    }
}

#[test]
fn a_line_beyond_the_limit_is_set_aside_alone() {
    let long = "x".repeat(LINE_BYTES_MAX);
    let text = format!(
        "VENDOR v\nINCREMENT f v 1.0 permanent 1 SIGN=\"{long}\"\nINCREMENT g v 1.0 permanent 2\n"
    );
    let collected = read_text(&text);
    let [(2, reject)] = rejects(&collected)[..] else { panic!("one reject") };
    assert_eq!(reject.reason, RejectReason::TooLong);
    assert_eq!(entitled(&collected, "g", at(FROM)), Some(2));
    let (huge, summary) =
        read_with(&context("UTC"), &options(), &vec![b' '; DOCUMENT_BYTES_MAX + 1]);
    assert!(!summary.taken && rejects(&huge)[0].1.reason == RejectReason::TooLong);
}

#[test]
fn versions_compare_as_decimal_numbers() {
    let of = grant::Version::of;
    assert!(of("1.5") > of("1.10") && of("1.5") == of("1.500") && of("10.0") > of("9.9"));
    assert!(of("2018.1210") > of("2018.0930") && of("v2.0") == of("2"));
}

#[test]
fn fifty_thousand_lines_that_supersede_each_other_are_read() {
    let mut text = "VENDOR v\n".to_owned();
    for line in 0..50_000 {
        text += &format!(
            "INCREMENT f{} v 1.0 permanent 1 SUPERSEDE ISSUED=1-jan-{}\n",
            line % 100,
            1990 + line % 7
        );
    }
    let collected = read_text(&text);
    assert_eq!(rejects(&collected), []);
    assert!(granted(&collected).len() < 50_000);
}

/// Pieces of license files, as vendors write them and as nobody does.
const PIECES: [&str; 20] = [
    "INCREMENT ",
    "FEATURE f v ",
    "UPGRADE f v 1.0 ",
    "PACKAGE p v ",
    "COMPONENTS=\"a b:1:2\" ",
    "1.0 ",
    "permanent ",
    "31-dec-2030 ",
    "uncounted ",
    "5 ",
    "SUPERSEDE ",
    "SUPERSEDE=\"f g\" ",
    "ISSUED=1-jan-2009 ",
    "NOTICE=\"",
    "\" ",
    "\\\n",
    "\n",
    "=",
    "#",
    "é ",
];

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        read_with(&context("UTC"), &options(), &bytes);
    }

    #[test]
    fn no_mixture_of_real_pieces_panics(places in proptest::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = places.into_iter().map(|place| PIECES[place]).collect();
        read_text(&text);
        first_line(text.as_bytes());
    }
}
