//! Every kind of fact through its columns and back, and columns that are wrong.

use super::{ColumnInfo, Columns, Head, Schema, Visitor, decode_batch, encode_batch};
use crate::bytes::Cursor;
use crate::code::Code;
use crate::column::lane::write_lanes;
use crate::error::{ColumnName, DecodeError, EncodeError};
use crate::limits::{BATCH_RECORDS_MAX, COLUMNS_BYTES_MAX, NAME_BYTES_MAX};
use crate::testing::{CODES, Noise};
use expect_test::expect;
use proptest::prelude::*;
use trueup_model::fact::{Action, Body, Fact, FactKind};
use trueup_model::org::Account;
use trueup_model::time::Span;
use trueup_model::usage::{SessionEvent, UsageEvent, UsageOp};

fn decode(columns: &Columns) -> Result<Vec<Fact<Code>>, DecodeError> {
    let facts = decode_batch(columns.schema.code(), columns.count, &columns.bytes, CODES)?;
    assert_eq!(facts.len(), columns.count as usize);
    assert_eq!(facts.kind(), columns.schema.kind);
    Ok(facts.collect())
}

/// The facts in the order in which batches carry them.
fn in_batch_order(facts: &[Fact<Code>]) -> Vec<Fact<Code>> {
    let mut sorted = facts.to_vec();
    sorted.sort_by_key(|fact| (fact.kind() == FactKind::Document, fact.kind().code()));
    sorted
}

/// That a visitor takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Enough;

/// Takes so many facts.
struct Visited {
    facts: Vec<Fact<Code>>,
    most: usize,
}

impl Visitor for Visited {
    type Error = Enough;

    fn usage(&mut self, head: Head, event: UsageEvent<Code>) -> Result<(), Enough> {
        self.other(head.fact(Body::Usage(event)))
    }

    fn session(&mut self, head: Head, event: SessionEvent<Code>) -> Result<(), Enough> {
        self.other(head.fact(Body::Session(event)))
    }

    fn other(&mut self, fact: Fact<Code>) -> Result<(), Enough> {
        if self.facts.len() == self.most {
            return Err(Enough);
        }
        self.facts.push(fact);
        Ok(())
    }
}

proptest! {
    #[test]
    fn any_facts_come_back_as_they_went(seed in any::<u64>()) {
        let facts = Noise(seed).facts(120);
        let batches = encode_batch(&facts).unwrap();
        let mut back = Vec::new();
        for batch in &batches {
            back.extend(decode(batch).unwrap());
        }
        prop_assert_eq!(back, in_batch_order(&facts));
    }

    #[test]
    fn a_visitor_is_given_what_an_iterator_gives(seed in any::<u64>()) {
        for batch in encode_batch(&Noise(seed).facts(120)).unwrap() {
            let schema = batch.schema.code();
            let all = decode_batch(schema, batch.count, &batch.bytes, CODES).unwrap();
            let mut visited = Visited { facts: Vec::new(), most: usize::MAX };
            prop_assert_eq!(all.visit(&mut visited), Ok(()));
            prop_assert_eq!(&visited.facts, &decode(&batch).unwrap());
            let some = decode_batch(schema, batch.count, &batch.bytes, CODES).unwrap();
            let mut stopped = Visited { facts: Vec::new(), most: visited.facts.len() / 2 };
            prop_assert_eq!(some.visit(&mut stopped), Err(Enough));
            prop_assert_eq!(&stopped.facts, &visited.facts[..stopped.most]);
        }
    }

    #[test]
    fn a_changed_byte_gives_other_facts_or_an_error_and_never_a_panic(
        seed in any::<u64>(),
        changes in proptest::collection::vec((any::<u64>(), any::<u8>()), 1..4),
    ) {
        let facts = Noise(seed).facts(40);
        for mut batch in encode_batch(&facts).unwrap() {
            for (place, value) in &changes {
                let index = usize::try_from(place % batch.bytes.len() as u64).unwrap();
                batch.bytes[index] = *value;
            }
            if let Ok(read) = decode(&batch) {
                prop_assert_eq!(read.len(), batch.count as usize);
            }
        }
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(
        kind in 0_u8..29,
        count in prop_oneof![0_u32..4, any::<u32>()],
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let schema = Schema::current(FactKind::from_code(kind).unwrap());
        let _ = decode_batch(schema.code(), count, &bytes, CODES);
    }
}

#[test]
fn every_kind_comes_back_and_every_cut_is_refused() {
    for kind in FactKind::ALL {
        let mut noise = Noise(u64::from(kind.code()));
        let facts: Vec<_> = (0..50).map(|_| noise.fact(kind)).collect();
        let batches = encode_batch(&facts).unwrap();
        let [batch] = batches.as_slice() else { panic!("{kind:?} took {} batches", batches.len()) };
        assert_eq!(decode(batch).unwrap(), facts);
        for cut in 0..batch.bytes.len() {
            let columns = Columns { bytes: batch.bytes[..cut].to_vec(), ..batch.clone() };
            assert!(decode(&columns).is_err(), "{kind:?} cut at byte {cut}");
        }
        let mut longer = batch.clone();
        longer.bytes.push(0);
        assert_eq!(decode(&longer), Err(DecodeError::Trailing { count: 1 }));
    }
}

#[test]
fn documents_come_last_and_kinds_are_not_mixed() {
    let mut noise = Noise(7);
    let kinds = [FactKind::Document, FactKind::Reject, FactKind::Line, FactKind::Document];
    let facts: Vec<_> = kinds.into_iter().map(|kind| noise.fact(kind)).collect();
    let batches = encode_batch(&facts).unwrap();
    let counts: Vec<_> = batches.iter().map(|batch| (batch.schema.kind, batch.count)).collect();
    assert_eq!(counts, [(FactKind::Line, 1), (FactKind::Reject, 1), (FactKind::Document, 2)]);
}

#[test]
fn no_facts_take_no_batch_and_an_empty_batch_has_no_columns() {
    assert_eq!(encode_batch(&[]).unwrap(), []);
    let empty = Columns::empty();
    assert_eq!(decode(&empty).unwrap(), []);
    let longer = Columns { bytes: vec![0], ..empty };
    assert_eq!(decode(&longer), Err(DecodeError::Trailing { count: 1 }));
}

#[test]
fn a_retraction_has_no_body_and_names_its_table() {
    let mut noise = Noise(3);
    let mut facts: Vec<_> = (0..9).map(|index| noise.plain_session(index)).collect();
    for index in [0, 4, 8] {
        facts[index].action = Action::Retract(FactKind::Session);
    }
    let through = |sent: &[Fact<Code>]| decode(&encode_batch(sent).unwrap()[0]).unwrap();
    assert_eq!(through(&facts), facts);
    for fact in &mut facts {
        fact.action = Action::Retract(FactKind::Session);
    }
    assert_eq!(through(&facts), facts);
}

#[test]
fn a_batch_holds_as_many_facts_as_the_limit_and_one_more_takes_another() {
    let mut noise = Noise(5);
    let facts: Vec<_> = (0..=BATCH_RECORDS_MAX as u64).map(|i| noise.plain_session(i)).collect();
    let full = encode_batch(&facts[..BATCH_RECORDS_MAX]).unwrap();
    assert_eq!(full.iter().map(|batch| batch.count).collect::<Vec<_>>(), [65_536]);
    assert_eq!(decode(&full[0]).unwrap(), facts[..BATCH_RECORDS_MAX]);
    let more = encode_batch(&facts).unwrap();
    assert_eq!(more.iter().map(|batch| batch.count).collect::<Vec<_>>(), [65_536, 1]);
    assert_eq!(
        decode_batch(full[0].schema.code(), 65_537, &full[0].bytes, CODES).err(),
        Some(DecodeError::TooManyRecords { claimed: 65_537 })
    );
}

#[test]
fn facts_that_are_too_long_for_a_frame_are_halved_until_they_fit() {
    let mut noise = Noise(11);
    let facts: Vec<_> = (0..40_000).map(|_| noise.fact(FactKind::Line)).collect();
    let batches = encode_batch(&facts).unwrap();
    assert!(batches.len() > 1);
    let mut back = Vec::new();
    for batch in &batches {
        assert!(batch.bytes.len() <= COLUMNS_BYTES_MAX);
        back.extend(decode(batch).unwrap());
    }
    assert_eq!(back, facts);
}

#[test]
fn an_inline_text_has_a_limit() {
    let account = |length: usize| {
        let mut fact = Noise(1).plain_session(0);
        let zone = Some("a".repeat(length));
        let body =
            Account { account: Code(0), parent: None, span: Span::ALWAYS, zone, anchor: None };
        fact.action = Action::Assert(Body::Account(body));
        fact
    };
    let fits = [account(NAME_BYTES_MAX)];
    assert_eq!(decode(&encode_batch(&fits).unwrap()[0]).unwrap(), fits);
    let column = ColumnName { field: "zone", part: "" };
    assert_eq!(
        encode_batch(&[account(NAME_BYTES_MAX + 1)]),
        Err(EncodeError::TextTooLong { column, row: 0, found: NAME_BYTES_MAX + 1 })
    );
}

#[test]
fn a_name_code_is_defined_before_it_is_used() {
    let facts = [Noise(1).plain_session(0)];
    let batch = &encode_batch(&facts).unwrap()[0];
    let error = decode_batch(batch.schema.code(), batch.count, &batch.bytes, 1).unwrap_err();
    expect!["row 0 of `document` is 1, which is no value of it"].assert_eq(&error.to_string());
}

/// Where the payload of a column begins, in the bytes of a batch.
fn payload_of(batch: &Columns, code: u8) -> usize {
    let mut cursor = Cursor::new(&batch.bytes);
    loop {
        let found = cursor.u8().unwrap();
        cursor.u8().unwrap();
        let length = cursor.u32().unwrap();
        if found == code {
            return cursor.offset();
        }
        cursor.take(length as usize).unwrap();
    }
}

#[test]
fn an_unknown_code_is_an_error_that_names_column_and_row() {
    let mut noise = Noise(2);
    // Kinds that alternate stand plainly, one byte each.
    let facts: Vec<_> = (0..40).map(|_| noise.fact(FactKind::Session)).collect();
    let mut batch = encode_batch(&facts).unwrap().remove(0);
    let start = payload_of(&batch, 18);
    batch.bytes[start + 3] = 200;
    let error = decode(&batch).unwrap_err();
    expect!["row 3 of `kind` is 200, which is no value of it"].assert_eq(&error.to_string());
}

#[test]
fn an_unknown_schema_is_refused_by_name() {
    let check = |schema: u32, expected: expect_test::Expect| {
        expected.assert_eq(&decode_batch(schema, 1, &[], 0).unwrap_err().to_string());
    };
    check(0x00C8_0001, expect!["schema 0x00c80001 names no kind of fact"]);
    check(0x0100_0001, expect!["schema 0x01000001 names no kind of fact"]);
    check(
        0x0001_0004,
        expect!["version 4 of the columns of Usage is unknown; upgrade the older side"],
    );
}

#[test]
fn common_telemetry_is_narrow() {
    let mut noise = Noise(9);
    let facts: Vec<_> = (0..8192).map(|index| noise.plain_session(index)).collect();
    let batch = &encode_batch(&facts).unwrap()[0];
    let bytes_per_fact = batch.bytes.len() / facts.len();
    // Sixteen of them are the fact's identity.
    assert!((28..=36).contains(&bytes_per_fact), "{bytes_per_fact} bytes a fact");
}

#[test]
fn columns_of_a_kind_have_rising_codes_that_no_other_field_takes() {
    for kind in FactKind::ALL {
        let codes: Vec<u8> =
            Schema::current(kind).columns().iter().map(|column| column.code).collect();
        assert!(codes.is_sorted_by(|left, right| left < right), "{kind:?}: {codes:?}");
    }
}

/// The part of `FORMAT.md` under a heading that ends like this.
fn section<'a>(format: &'a str, heading: &str) -> &'a str {
    let mut sections = format.split("\n### ").filter(|section| {
        section.lines().next().is_some_and(|line| line.trim_end().ends_with(heading))
    });
    let found = sections.next().unwrap_or_else(|| panic!("FORMAT.md has no section `{heading}`"));
    assert!(sections.next().is_none(), "FORMAT.md has two sections `{heading}`");
    found
}

#[test]
fn the_format_document_names_every_kind_and_every_column() {
    let format = include_str!("../../FORMAT.md");
    let common = section(format, "Columns of every fact");
    for kind in FactKind::ALL {
        let section = section(format, &format!("{} {kind:?}", kind.code()));
        let columns = Schema::current(kind).columns();
        for ColumnInfo { code, name, value, optional } in &columns {
            let presence = if *optional { "optional" } else { "always" };
            let row = format!("| {code} | `{name}` | {value} | {presence} |");
            let place = if *code < 16 { common } else { section };
            assert!(place.contains(&row), "FORMAT.md lacks, for {kind:?}: {row}");
        }
        let own = columns.iter().filter(|column| column.code >= 16).count();
        assert_eq!(section.matches("\n| ").count() - 1, own, "rows of {kind:?} in FORMAT.md");
    }
}

#[test]
fn a_batch_of_the_version_before_is_read_and_what_it_does_not_say_is_the_usual() {
    let mut noise = Noise(11);
    let mut facts: Vec<Fact<Code>> = (0..20).map(|_| noise.fact(FactKind::Usage)).collect();
    for fact in &mut facts {
        if let Action::Assert(Body::Usage(event)) = &mut fact.action {
            event.op = UsageOp::Add;
        }
    }
    let columns = encode_batch(&facts).unwrap().remove(0);
    let asserted = facts.iter().filter(|fact| matches!(fact.action, Action::Assert(_))).count();
    let mut last = Vec::new();
    write_lanes(&vec![0_u8; asserted], 22, 0, &[], &mut last);
    let bytes = columns.bytes.strip_suffix(last.as_slice()).expect("the newest column is the last");
    let schema = u32::from(FactKind::Usage.code()) << 16 | 1;
    let read: Vec<_> = decode_batch(schema, columns.count, bytes, CODES).unwrap().collect();
    assert_eq!(read, facts);
}

#[test]
fn a_line_of_the_version_before_is_not_restricted() {
    let mut noise = Noise(12);
    let mut facts: Vec<Fact<Code>> = (0..20).map(|_| noise.fact(FactKind::Line)).collect();
    for fact in &mut facts {
        if let Action::Assert(Body::Line(line)) = &mut fact.action {
            line.restricted = false;
        }
    }
    let columns = encode_batch(&facts).unwrap().remove(0);
    let asserted = facts.iter().filter(|fact| matches!(fact.action, Action::Assert(_))).count();
    let mut last = Vec::new();
    write_lanes(&vec![0_u8; asserted], 44, 0, &[], &mut last);
    let bytes = columns.bytes.strip_suffix(last.as_slice()).expect("the newest column is the last");
    let schema = u32::from(FactKind::Line.code()) << 16 | 2;
    let read: Vec<_> = decode_batch(schema, columns.count, bytes, CODES).unwrap().collect();
    assert_eq!(read, facts);
}
