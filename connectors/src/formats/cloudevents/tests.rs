//! Streams of events: the cases, identities, damage, and pieces of every size.

use super::{EVENT_BYTES_MAX, Reader, ReaderError, path};
use crate::formats::Collected;
use crate::formats::mapping::tests::{context, shown};
use crate::formats::mapping::{Format, Kind, Mapping, Snapshot, Summary};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use trueup_model::calendar::{Calendar, PeriodUnit, Zone};
use trueup_model::fact::{Action, Body, Fact};
use trueup_model::quantity::Quantity;
use trueup_model::reject::RejectReason;
use trueup_model::time::Timestamp;
use trueup_model::usage::UsageEvent;

const RECEIVED_AT: &str = "2023-01-01T00:02:00Z";

fn parsed(text: &str) -> Mapping {
    Mapping::parse("test.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn in_pieces(bytes: &[u8], mapping: &Mapping, piece: usize, limit: usize) -> (Collected, Summary) {
    let context = context("events.jsonl", RECEIVED_AT);
    let snapshot = Snapshot::observed_at(context.received_at);
    let mut reader = Reader::new(mapping, &snapshot, context, limit).unwrap();
    let mut collected = Collected::default();
    for part in bytes.chunks(piece) {
        reader.push(part, &mut collected);
    }
    let summary = reader.finish(&mut collected);
    (collected, summary)
}

fn facts(bytes: &[u8], mapping: &Mapping) -> Collected {
    in_pieces(bytes, mapping, bytes.len().max(1), EVENT_BYTES_MAX).0
}

fn check(text: &str, mapping: &Mapping, expected: &Expect) {
    expected.assert_eq(&shown(&facts(text.as_bytes(), mapping)));
}

fn usage_of(fact: &Fact<String>) -> Option<&UsageEvent<String>> {
    match &fact.action {
        Action::Assert(Body::Usage(usage)) => Some(usage),
        Action::Assert(_) | Action::Retract(_) => None,
    }
}

fn rejects(collected: &Collected) -> Vec<(u64, RejectReason)> {
    let reason = |fact: &Fact<String>| match &fact.action {
        Action::Assert(Body::Reject(reject)) => Some((fact.provenance.position, reject.reason)),
        Action::Assert(_) | Action::Retract(_) => None,
    };
    collected.facts.iter().filter_map(reason).collect()
}

/// The events by identity, the first of each: what the engine counts; and how many were repeated.
fn counted(collected: &Collected) -> (Vec<&Fact<String>>, usize) {
    let mut seen = BTreeSet::new();
    let events: Vec<_> = collected.facts.iter().filter(|fact| usage_of(fact).is_some()).collect();
    let all = events.len();
    let first: Vec<_> = events.into_iter().filter(|fact| seen.insert(fact.id)).collect();
    let repeated = all - first.len();
    (first, repeated)
}

/// Sums by account and the start of the period.
fn sums(
    events: &[&Fact<String>],
    unit: PeriodUnit,
    zone: impl Fn(&str) -> Zone,
) -> BTreeMap<(String, Timestamp), String> {
    let mut sums: BTreeMap<(String, Timestamp), i64> = BTreeMap::new();
    for usage in events.iter().filter_map(|fact| usage_of(fact)) {
        let account = usage.account.clone().unwrap();
        let start = Calendar::natural(zone(&account)).period(unit, usage.at).span.start;
        *sums.entry((account, start)).or_default() += usage.quantity.0;
    }
    sums.into_iter().map(|(key, sum)| (key, Quantity(sum).to_string())).collect()
}

fn expected(rows: &[(&str, &str, &str)]) -> BTreeMap<(String, Timestamp), String> {
    let row = |(account, start, sum): &(&str, &str, &str)| {
        (((*account).to_owned(), start.parse().unwrap()), (*sum).to_owned())
    };
    rows.iter().map(row).collect()
}

/// A file of a case, or `None` with a printed reason.
fn case(path: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases").join(path);
    let found = std::fs::read(&path);
    if found.is_err() {
        println!("skipped: there is no {}", path.display());
    }
    found.ok()
}

fn duration() -> Mapping {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("mappings/cloudevents-duration.toml");
    parsed(&std::fs::read_to_string(path).unwrap())
}

const NUMBERS: &str =
    "kind = \"usage\"\nformat = \"cloudevents\"\n[columns]\nquantity = \"/data/n\"\n";

fn numbers() -> Mapping {
    parsed(NUMBERS)
}

// The cases.

#[test]
fn cloudevents_are_unique_by_id_and_source() {
    let Some(bytes) = case("c35-ce-dedupe/events.jsonl") else { return };
    let collected = facts(&bytes, &duration());
    let (events, repeated) = counted(&collected);
    assert_eq!((events.len(), repeated), (5, 1));
    assert_eq!(rejects(&collected), [(7, RejectReason::MissingValue), (8, RejectReason::Torn)]);
    assert_eq!(
        sums(&events, PeriodUnit::All, |_| Zone::utc()).into_values().collect::<Vec<_>>(),
        ["42", "10"]
    );
    assert_eq!(
        sums(&events, PeriodUnit::Minute, |_| Zone::utc()),
        expected(&[
            ("customer-1", "2023-01-01T00:00:00Z", "35"),
            ("customer-1", "2023-01-01T00:02:00Z", "7"),
            ("customer-2", "2022-12-31T23:59:00Z", "10"),
        ])
    );
    // Equal ids of two sources are two events; the repeated event is the same fact throughout.
    assert_eq!(collected.facts[0].id, collected.facts[2].id);
    assert_eq!(collected.facts[0].action, collected.facts[2].action);
    assert_ne!(collected.facts[0].id, collected.facts[3].id);
}

#[test]
fn a_month_in_the_zone_of_the_customer() {
    let Some(bytes) = case("c36-month-in-zone/events.jsonl") else { return };
    let collected = facts(&bytes, &numbers());
    assert_eq!(rejects(&collected), []);
    let (events, repeated) = counted(&collected);
    assert_eq!((events.len(), repeated), (6, 0));
    let zone = |account: &str| match account {
        "bud" => Zone::named("Europe/Budapest").unwrap(),
        _ => Zone::named("Pacific/Kiritimati").unwrap(),
    };
    assert_eq!(
        sums(&events, PeriodUnit::Month, zone),
        expected(&[
            ("bud", "2024-11-30T23:00:00Z", "1"),
            ("bud", "2024-12-31T23:00:00Z", "10"),
            ("bud", "2025-02-28T23:00:00Z", "100"),
            ("bud", "2025-03-31T22:00:00Z", "1000"),
            ("kir", "2024-12-31T10:00:00Z", "1"),
            ("kir", "2025-01-31T10:00:00Z", "10"),
        ])
    );
}

#[test]
fn a_wrapper_says_when_an_event_was_received() {
    let Some(bytes) = case("c37-late-arrival/events.jsonl") else { return };
    let mapping =
        parsed(&format!("{NUMBERS}[events]\nevent = \"/event\"\nreceived_at = \"/received_at\"\n"));
    let collected = facts(&bytes, &mapping);
    assert_eq!(rejects(&collected), []);
    let arrived: Vec<_> = collected.facts.iter().map(|fact| fact.arrived_at.to_string()).collect();
    assert_eq!(
        arrived,
        [
            "2025-06-30T23:10:00Z",
            "2025-07-01T01:00:00Z",
            "2025-07-05T08:00:00Z",
            "2025-07-05T09:00:00Z"
        ]
    );
    let (events, repeated) = counted(&collected);
    assert_eq!((events.len(), repeated), (3, 1));
    let june = |known: &[&Fact<String>]| {
        let sums = sums(known, PeriodUnit::Month, |_| Zone::utc());
        sums[&("acme".to_owned(), "2025-06-01T00:00:00Z".parse().unwrap())].clone()
    };
    let close: Timestamp = "2025-07-01T06:00:00Z".parse().unwrap();
    let at_close: Vec<_> = events.iter().copied().filter(|fact| fact.arrived_at < close).collect();
    assert_eq!(june(&at_close), "5");
    assert_eq!(june(&events), "9");
}

// What is taken, and as what.

fn event(data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","type":"t","id":"1","source":"s","subject":"c","time":"2025-01-01T00:00:00Z","data":{data}}}"#
    )
}

fn quantity(value: &str) -> String {
    let collected = facts(event(&format!("{{\"n\":{value}}}")).as_bytes(), &numbers());
    match &collected.facts[0].action {
        Action::Assert(Body::Usage(usage)) => usage.quantity.to_string(),
        Action::Assert(Body::Reject(reject)) => {
            format!("{}: {}", reject.reason.name(), reject.detail.as_deref().unwrap_or(""))
        }
        Action::Assert(_) | Action::Retract(_) => panic!("{:?}", collected.facts[0]),
    }
}

#[test]
fn quantities_are_taken_digit_for_digit() {
    for (written, read) in [
        ("10", "10"),
        ("\"10\"", "10"),
        ("1e1", "10"),
        ("\"1e1\"", "10"),
        ("0.1", "0.1"),
        ("0.100000", "0.1"),
        ("-3", "-3"),
        ("9223372036854.775807", "9223372036854.775807"),
        ("\" 5 \"", "5"),
        ("\"\\u0035\"", "5"),
    ] {
        assert_eq!(quantity(written), read, "{written}");
    }
    for (written, reason) in [
        ("0.1000001", "bad_value"),
        ("1e400", "out_of_range"),
        ("\"\"", "missing_value"),
        ("null", "missing_value"),
        ("true", "bad_value"),
        ("{}", "bad_value"),
        ("[1]", "bad_value"),
        ("\"1,5\"", "bad_value"),
        ("\"\\ud800\"", "bad_value"),
        ("\"ten\"", "bad_value"),
    ] {
        assert!(quantity(written).starts_with(reason), "{written}: {}", quantity(written));
    }
}

#[test]
fn damage_is_set_aside_with_its_line_and_the_next_line_goes_on() {
    let text = [
        "",
        &event("{\"n\":1}"),
        "not json",
        "{\"specversion\":\"1.0\"",
        "[1,{}]",
        &event("{\"n\":1}").replace("\"id\":\"1\",", ""),
        &event("{\"n\":1}").replace("\"id\":\"1\"", "\"id\":\"\""),
        &event("{\"n\":1}").replace("2025-01-01T00:00:00Z", "2025-01-01T00:00:00"),
        &event("{\"n\":1}").replace("2025-01-01T00:00:00Z", "yesterday"),
        &event("{\"n\":1,\"n\":2}"),
        &event("{}"),
        &event("5"),
        &format!("{} {{}}", event("{\"n\":1}")),
        "  ",
        &event("{\"n\":2}").replace("\"id\":\"1\"", "\"id\":2"),
    ];
    check(
        &text.join("\r\n"),
        &numbers(),
        &expect![[r#"
            2 usage 2025-01-01T00:00:00Z t 1 account c
            3 reject malformed: it is not a JSON object <not json>
            4 reject torn: it is no whole JSON object: EOF while parsing an object at line 1 column 20 <{"specversion":"1.0">
            5 reject malformed: it is not a JSON object <1>
            6 reject malformed: it is no CloudEvent: it has no specversion <{}>
            7 reject malformed: it is no CloudEvent: it has no id <{"specversion":"1.0","type":"t","source":"s","subject":"c","time":"2025-01-01T00:00:00Z","data":{"n":1}}>
            8 reject malformed: it is no CloudEvent: it has no id <{"specversion":"1.0","type":"t","id":"","source":"s","subject":"c","time":"2025-01-01T00:00:00Z","data":{"n":1}}>
            9 usage 2025-01-01T00:00:00Z t 1 account c
            10 reject bad_value: field `time`: `yesterday` is no date such as 2025-06-30 or 2025-06-30T22:00:00Z <{"specversion":"1.0","type":"t","id":"1","source":"s","subject":"c","time":"yesterday","data":{"n":1}}>
            11 reject malformed: it is no whole JSON object: a key stands twice in one object at line 1 column 118 <{"specversion":"1.0","type":"t","id":"1","source":"s","subject":"c","time":"2025-01-01T00:00:00Z","data":{"n":1,"n":2}}>
            12 reject missing_value: field `/data/n`: no value <{"specversion":"1.0","type":"t","id":"1","source":"s","subject":"c","time":"2025-01-01T00:00:00Z","data":{}}>
            13 reject missing_value: field `/data/n`: no value <{"specversion":"1.0","type":"t","id":"1","source":"s","subject":"c","time":"2025-01-01T00:00:00Z","data":5}>
            14 reject malformed: it is no whole JSON object: trailing characters at line 1 column 115 <{"specversion":"1.0","type":"t","id":"1","source":"s","subject":"c","time":"2025-01-01T00:00:00Z","data":{"n":1}} {}>
            16 usage 2025-01-01T00:00:00Z t 2 account c
        "#]],
    );
    let mut bytes = event("{\"n\":1}").into_bytes();
    bytes.extend_from_slice(b"\n{\"id\":\"\xff\"}\n");
    assert_eq!(rejects(&facts(&bytes, &numbers())), [(2, RejectReason::NotText)]);
}

#[test]
fn a_last_line_counts_if_it_is_whole_and_is_torn_if_not() {
    let whole = event("{\"n\":1}");
    assert_eq!(facts(whole.as_bytes(), &numbers()).facts.len(), 1);
    for cut in 1..whole.len() {
        let collected = facts(&whole.as_bytes()[..cut], &numbers());
        assert_eq!(rejects(&collected), [(1, RejectReason::Torn)], "{}", &whole[..cut]);
    }
}

#[test]
fn batches_in_brackets_are_taken_too() {
    let one = event("{\"n\":1,\"a\":[1,{\"]\":\"}\\\"\"}]}");
    let two = event("{\"n\":2}").replace("\"id\":\"1\"", "\"id\":\"2\"");
    let batch = format!(" [\n {one}\n,{two}, {{\"x\"}} ]\n[{one}]\n{two}\n[]\n");
    check(
        &batch,
        &numbers(),
        &expect![[r#"
            1 usage 2025-01-01T00:00:00Z t 1 account c
            2 usage 2025-01-01T00:00:00Z t 2 account c
            3 reject malformed: it is no whole JSON object: expected `:` at line 1 column 5 <{"x"}>
            4 usage 2025-01-01T00:00:00Z t 1 account c
            5 usage 2025-01-01T00:00:00Z t 2 account c
        "#]],
    );
    let torn = format!("[{one},{two}");
    assert_eq!(rejects(&facts(torn.as_bytes(), &numbers())), [(2, RejectReason::Torn)]);
    let open = format!("[{one},");
    assert_eq!(rejects(&facts(open.as_bytes(), &numbers())), [(2, RejectReason::Torn)]);
}

#[test]
fn other_types_are_passed_over_and_counted() {
    let mapping = parsed(&format!("{NUMBERS}[events]\ntypes = [\"t\", \"u\"]\n"));
    let lines = format!(
        "{}\n{}\n",
        event("{\"n\":1}"),
        event("{\"m\":\"x\"}").replace("\"type\":\"t\"", "\"type\":\"login\"")
    );
    let (collected, summary) = in_pieces(lines.as_bytes(), &mapping, 7, EVENT_BYTES_MAX);
    assert_eq!((summary.facts, summary.rejects, summary.skipped), (1, 0, 1));
    expect![[r#"
        1 usage 2025-01-01T00:00:00Z t 1 account c
        0 note: events of types that were not asked for: 1
    "#]]
    .assert_eq(&shown(&collected));
}

#[test]
fn the_subject_can_be_a_person_and_the_type_can_be_translated() {
    let mapping = parsed(
        "kind = \"usage\"\nformat = \"cloudevents\"\n[columns]\nuser = \"subject\"\n\
         device = \"data.host.0\"\n[constants]\nquantity = \"1\"\n[values.product]\n\"t\" = \"API\"\n",
    );
    check(
        &event("{\"host\":[\"a\",\"b\"]}"),
        &mapping,
        &expect![[r#"
        1 usage 2025-01-01T00:00:00Z API 1 user c device a
    "#]],
    );
}

#[test]
fn lines_of_any_shape_are_usage_by_their_mapping() {
    let mapping = parsed(
        "kind = \"usage\"\nformat = \"ndjson\"\n[locale]\ndates = [\"%s\"]\n[columns]\n\
         id = \"transaction_id\"\nat = \"timestamp\"\nproduct = \"code\"\nuser = \"who/login\"\n\
         quantity = \"/properties/a~1b\"\n",
    );
    check(
        "{\"transaction_id\":\"x\",\"timestamp\":1690000000,\"code\":\"api\",\"who/login\":\"ana\",\
         \"properties\":{\"a/b\":\"0.5\"}}\n{\"transaction_id\":\"y\",\"timestamp\":\"1690000000\",\
         \"code\":\"api\",\"properties\":{\"a/b\":2}}\n{\"transaction_id\":\"z\",\"code\":\"api\"}\n",
        &mapping,
        &expect![[r#"
            1 usage 2023-07-22T04:26:40Z api 0.5 user ana
            2 usage 2023-07-22T04:26:40Z api 2
            3 reject missing_value: field `timestamp`: no value <{"transaction_id":"z","code":"api"}>
        "#]],
    );
    check(
        "{\"id\":1,\"at\":\"2025-01-01T00:00:00Z\",\"product\":\"api\",\"quantity\":1}\n",
        &Mapping::builtin(Kind::Usage, Format::Ndjson),
        &expect![[r#"
            1 usage 2025-01-01T00:00:00Z api 1
        "#]],
    );
}

#[test]
fn lines_can_be_the_rows_of_a_document() {
    let mapping = parsed(
        "kind = \"seats\"\nformat = \"ndjson\"\ndocument = \"copilot\"\n[columns]\n\
         user = \"assignee.login\"\nlast_active = \"last_activity_at\"\n[constants]\n\
         product = \"Copilot\"\n",
    );
    check(
        "{\"assignee\":{\"login\":\"ana\"},\"last_activity_at\":null}\n{\"assignee\":null}\n",
        &mapping,
        &expect![[r#"
            1 seat Copilot ana Full always
            2 reject missing_value: field `assignee.login`: no value <{"assignee":null}>
            0 document copilot with 1 rows from 2023-01-01T00:02:00Z
        "#]],
    );
}

#[test]
fn a_stream_that_breaks_off_declares_no_version() {
    let mapping =
        parsed("kind = \"products\"\nformat = \"ndjson\"\n[columns]\nproduct = \"name\"\n");
    let last = |text: &str| {
        let (collected, summary) = in_pieces(text.as_bytes(), &mapping, 5, EVENT_BYTES_MAX);
        (shown(&collected).lines().last().unwrap_or("").to_owned(), summary.complete)
    };
    let whole = "{\"name\":\"Mesh\"}\n{\"name\":\n{\"name\":\"Solver\"}";
    assert_eq!(last(whole), ("0 document events.jsonl with 2 rows from always".to_owned(), true));
    assert!(!last(&whole[..whole.len() - 1]).1);
    assert!(!last("[{\"name\":\"Mesh\"}").1);
    assert!(last("[{\"name\":\"Mesh\"}]").1);
}

#[test]
fn a_mapping_of_tables_is_refused() {
    let mapping = Mapping::builtin(Kind::Usage, Format::Csv);
    let context = context("x", RECEIVED_AT);
    let snapshot = Snapshot::observed_at(context.received_at);
    let refused = Reader::new(&mapping, &snapshot, context, EVENT_BYTES_MAX).unwrap_err();
    let name = "built-in usage".to_owned();
    assert_eq!(refused, ReaderError::NotEvents { name, format: "csv" });
}

#[test]
fn paths_are_pointers_or_names_with_dots() {
    assert_eq!(path::parse("data.n"), Ok(vec!["data".to_owned(), "n".to_owned()]));
    assert_eq!(
        path::parse("/a~1b/c~0d/0"),
        Ok(vec!["a/b".to_owned(), "c~d".to_owned(), "0".to_owned()])
    );
    for wrong in ["", "/", "a..b", ".", "/a//b"] {
        assert!(path::parse(wrong).is_err(), "{wrong}");
    }
    let long = ["x"; path::PATH_STEPS_MAX].join(".");
    assert!(path::parse(&long).is_ok());
    assert!(path::parse(&format!("{long}.x")).is_err());
}

#[test]
fn the_time_of_receipt_moves_with_the_stream() {
    let mapping = numbers();
    let context = context("events.jsonl", RECEIVED_AT);
    let snapshot = Snapshot::observed_at(context.received_at);
    let mut reader = Reader::new(&mapping, &snapshot, context, EVENT_BYTES_MAX).unwrap();
    let mut collected = Collected::default();
    let timeless = event("{\"n\":1}").replace("\"time\":\"2025-01-01T00:00:00Z\",", "") + "\n";
    reader.push(timeless.as_bytes(), &mut collected);
    reader.received_at("2023-02-01T00:00:00Z".parse().unwrap());
    reader.push(timeless.as_bytes(), &mut collected);
    reader.finish(&mut collected);
    let at: Vec<_> = collected.facts.iter().map(|f| usage_of(f).unwrap().at.to_string()).collect();
    assert_eq!(at, ["2023-01-01T00:02:00Z", "2023-02-01T00:00:00Z"]);
}

// Limits and harm.

#[test]
fn an_event_may_be_as_long_as_the_limit_and_no_longer() {
    let long = event("{\"n\":1}");
    for lines in
        [format!("{long}\n{long}\n"), format!("[{long},{long}]"), format!("{long}\n{long}")]
    {
        for piece in [1, 7, 1000] {
            let (taken, _) = in_pieces(lines.as_bytes(), &numbers(), piece, long.len());
            assert_eq!(rejects(&taken), []);
            let (collected, _) = in_pieces(lines.as_bytes(), &numbers(), piece, long.len() - 1);
            assert_eq!(
                rejects(&collected),
                [(1, RejectReason::TooLong), (2, RejectReason::TooLong)]
            );
        }
    }
}

#[test]
fn nesting_is_limited_and_costs_no_stack() {
    let nested = |depth: usize| {
        // The event and its data are two levels.
        event(&format!("{{\"n\":1,\"x\":{}{}}}", "[".repeat(depth - 2), "]".repeat(depth - 2)))
    };
    assert_eq!(rejects(&facts(nested(64).as_bytes(), &numbers())), []);
    let deep = facts(nested(65).as_bytes(), &numbers());
    assert_eq!(rejects(&deep), [(1, RejectReason::Malformed)]);
    for bracket in ["[", "{\"a\":"] {
        let hostile = format!("{{\"data\":{}\n", bracket.repeat(100_000));
        assert_eq!(facts(hostile.as_bytes(), &numbers()).facts.len(), 1);
    }
    let batch = "[".repeat(500_000);
    assert_eq!(facts(batch.as_bytes(), &numbers()).facts.len(), 1);
}

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let whole = (0..50_u32, prop::sample::select(vec!["1", "\"2\"", "0.5", "\"\"", "[]", "1e1"]))
        .prop_map(|(id, n)| {
            let id = format!("\"id\":\"{id}\"");
            event(&format!("{{\"n\":{n}}}")).replace("\"id\":\"1\"", &id).into_bytes()
        });
    prop_oneof![
        4 => whole.clone(),
        1 => (whole.clone(), 0_usize..200).prop_map(|(mut line, cut)| {
            line.truncate(cut);
            line
        }),
        1 => (whole.clone(), whole).prop_map(|(one, two)| {
            [b"[".as_slice(), &one, b",\n ", &two, b"]"].concat()
        }),
        1 => prop::collection::vec(any::<u8>(), 0..60),
        1 => Just(b"\xef\xbb\xbf".to_vec()),
        1 => Just(b" \r".to_vec()),
    ]
}

proptest! {
    #[test]
    fn pieces_of_any_size_give_what_the_whole_gives(
        lines in prop::collection::vec(any_line(), 0..20),
        piece in 1_usize..64,
        limit in 60_usize..400,
    ) {
        let bytes = lines.join(&b'\n');
        let mapping = numbers();
        let whole = in_pieces(&bytes, &mapping, bytes.len().max(1), limit);
        let pieces = in_pieces(&bytes, &mapping, piece, limit);
        prop_assert_eq!(whole.0.facts, pieces.0.facts);
        prop_assert_eq!(whole.1, pieces.1);
    }

    #[test]
    fn no_bytes_make_a_stream_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = facts(&bytes, &numbers());
        let _ = facts(&[b"[".as_slice(), &bytes].concat(), &numbers());
        let _ = facts(&[b"{".as_slice(), &bytes, b"}\n"].concat(), &numbers());
    }

    #[test]
    fn no_damage_to_an_event_makes_a_stream_panic(place in 0_usize..140, junk in "[\\[\\]{}\",:\\\\a0-9.eE+-]{0,6}") {
        let mut text = event("{\"n\":1}");
        text.insert_str(place.min(text.len()), &junk);
        let (_, summary) = in_pieces(text.as_bytes(), &numbers(), 16, EVENT_BYTES_MAX);
        prop_assert!(summary.facts + summary.rejects >= 1);
    }
}
