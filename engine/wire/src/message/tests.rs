//! Every message through its frame and back, with limits and golden bytes.

use super::{
    Ack, BatchFrame, Credit, ErrorCode, ErrorReport, Hello, Message, Token, Welcome, write_bye,
    write_definitions, write_heartbeat, write_sealed,
};
use crate::codec::{Columns, encode_batch};
use crate::error::MessageError;
use crate::frame::{FrameKind, FrameReader, FrameWriter};
use crate::limits::{
    COLUMNS_BYTES_MAX, ERROR_MESSAGE_BYTES_MAX, FRAME_BODY_BYTES_MAX, NAME_BYTES_MAX,
    POSITION_BYTES_MAX, TOKEN_BYTES_MAX,
};
use crate::testing::{CODES, Noise};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use trueup_model::fact::FactKind;
use trueup_model::id::NameKind;

fn with_message<T>(bytes: &[u8], check: impl FnOnce(Result<Message<'_>, MessageError>) -> T) -> T {
    let mut reader = FrameReader::new();
    let mut input = bytes;
    let frame = reader.next(&mut input).unwrap().unwrap();
    assert!(input.is_empty());
    check(Message::decode(&frame))
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

fn hello() -> Hello<'static> {
    let (tenant, source) = ("campus", "license-server-1");
    Hello { version: 1, tenant, source, generation: 17, token: Token(b"secret") }
}

#[test]
fn every_message_comes_back_as_it_went() {
    let back = |bytes: &[u8], expected: Message<'_>| {
        with_message(bytes, |message| assert_eq!(message, Ok(expected)));
    };
    back(&written(|out| hello().encode(out).unwrap()), Message::Hello(hello()));
    let credit = Credit { records: 1, bytes: u64::MAX };
    let welcome = Welcome { resume: u64::MAX, position: b"line 7", credit };
    back(&written(|out| welcome.encode(out).unwrap()), Message::Welcome(welcome));
    back(&written(|out| credit.encode(out)), Message::Credit(credit));
    let ack = Ack { sequence: 5, epoch: 9 };
    back(&written(|out| ack.encode(out)), Message::Ack(ack));
    back(&written(|out| write_sealed(4, out)), Message::Sealed { sequence: 4 });
    back(&written(|out| write_heartbeat(3, out)), Message::Heartbeat { number: 3 });
    back(&written(write_bye), Message::Bye);
    for code in ErrorCode::ALL {
        let report = ErrorReport { code, sequence: 6, message: "so it is", fatal: true };
        back(&written(|out| report.encode(out)), Message::Error(report));
    }
}

#[test]
fn the_bytes_of_a_hello_are_these() {
    let bytes = written(|out| hello().encode(out).unwrap());
    let body = b"\x01\0\x06\0campus\x10\0license-server-1\x06\0secret";
    assert_eq!(&bytes[32..], body);
    assert_eq!(bytes[8..16], 17_u64.to_le_bytes());
}

#[test]
fn the_bytes_of_a_small_batch_are_these() {
    let facts = [Noise(1).plain_session(41)];
    let columns = encode_batch(&facts).unwrap().remove(0);
    let batch = BatchFrame::encode(9, b"p", &columns).unwrap();
    let shown: Vec<String> = batch.bytes().chunks(16).map(|row| format!("{row:02x?}")).collect();
    expect![[r#"
        [54, 52, 55, 50, 01, 00, 04, 00, 09, 00, 00, 00, 00, 00, 00, 00]
        [01, 00, 00, 00, 03, 00, 00, 00, e8, 00, 00, 00, 67, 75, 5d, bd]
        [01, 00, 70, 00, 00, 10, 00, 00, 00, 35, 71, 4a, 86, a7, 1c, f9]
        [83, f7, b6, 77, c1, 7d, 40, 43, 0c, 01, 00, 04, 00, 00, 00, 00]
        [00, 00, 00, 02, 00, 08, 00, 00, 00, 00, 04, ef, 76, 9e, 37, 06]
        [00, 03, 00, 04, 00, 00, 00, 01, 00, 00, 00, 04, 00, 08, 00, 00]
        [00, 2a, 00, 00, 00, 00, 00, 00, 00, 05, 20, 00, 00, 00, 00, 06]
        [00, 08, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 07, 00, 01]
        [00, 00, 00, 00, 10, 00, 08, 00, 00, 00, 40, bd, 21, a1, 9d, 37]
        [06, 00, 11, 00, 04, 00, 00, 00, 02, 00, 00, 00, 12, 00, 01, 00]
        [00, 00, 01, 13, 00, 01, 00, 00, 00, 00, 14, 00, 04, 00, 00, 00]
        [00, 00, 00, 00, 15, 00, 04, 00, 00, 00, 2d, 00, 00, 00, 16, 00]
        [04, 00, 00, 00, 21, 00, 00, 00, 17, 00, 04, 00, 00, 00, 78, 00]
        [00, 00, 18, 20, 00, 00, 00, 00, 19, 20, 00, 00, 00, 00, 1a, 20]
        [00, 00, 00, 00, 1b, 20, 00, 00, 00, 00, 1c, 20, 00, 00, 00, 00]
        [1d, 00, 04, 00, 00, 00, 01, 00, 00, 00, 1e, 00, 08, 00, 00, 00]
        [ac, d1, 00, 00, 00, 00, 00, 00]"#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn a_batch_carries_its_facts_and_its_frame() {
    let facts: Vec<_> = (0..100).map(|index| Noise(index).fact(FactKind::Line)).collect();
    let columns = encode_batch(&facts).unwrap().remove(0);
    let frame = BatchFrame::encode(3, b"position", &columns).unwrap();
    with_message(frame.bytes(), |message| {
        let Ok(Message::Batch(batch)) = message else { panic!("{message:?}") };
        assert_eq!((batch.sequence, batch.position, batch.count), (3, b"position".as_slice(), 100));
        assert_eq!(batch.frame, frame.bytes());
        assert_eq!(batch.cost(), frame.cost());
        assert_eq!(batch.facts(CODES).unwrap().collect::<Vec<_>>(), facts);
    });
    let empty = BatchFrame::encode(4, b"further", &Columns::empty()).unwrap();
    with_message(empty.bytes(), |message| {
        let Ok(Message::Batch(batch)) = message else { panic!("{message:?}") };
        assert_eq!(batch.facts(0).unwrap().count(), 0);
    });
}

#[test]
fn a_batch_at_every_limit_fits_a_frame_and_beyond_it_is_refused() {
    let columns = |bytes: usize| Columns { bytes: vec![0; bytes], ..Columns::empty() };
    let longest = BatchFrame::encode(1, &[1; POSITION_BYTES_MAX], &columns(COLUMNS_BYTES_MAX));
    assert_eq!(longest.unwrap().bytes().len(), 32 + FRAME_BODY_BYTES_MAX);
    let refused = |position: &[u8], bytes: usize| {
        BatchFrame::encode(1, position, &columns(bytes)).unwrap_err().to_string()
    };
    expect!["`columns` of the Batch has 4190207 bytes, and 4190206 are allowed"]
        .assert_eq(&refused(b"", COLUMNS_BYTES_MAX + 1));
    expect!["`position` of the Batch has 4097 bytes, and 4096 are allowed"]
        .assert_eq(&refused(&[1; POSITION_BYTES_MAX + 1], 0));
}

#[test]
fn a_hello_has_limits() {
    let long = "n".repeat(NAME_BYTES_MAX + 1);
    let fits = Hello { tenant: &long[1..], source: &long[1..], ..hello() };
    with_message(&written(|out| fits.encode(out).unwrap()), |message| {
        assert_eq!(message, Ok(Message::Hello(fits)));
    });
    let refused = |hello: Hello<'_>| hello.encode(&mut Vec::new()).unwrap_err().to_string();
    expect!["`tenant` of the Hello has 1025 bytes, and 1024 are allowed"]
        .assert_eq(&refused(Hello { tenant: &long, ..hello() }));
    expect!["`source` of the Hello has 1025 bytes, and 1024 are allowed"]
        .assert_eq(&refused(Hello { source: &long, ..hello() }));
    let token = Token(&[0; TOKEN_BYTES_MAX + 1]);
    expect!["`token` of the Hello has 4097 bytes, and 4096 are allowed"]
        .assert_eq(&refused(Hello { token, ..hello() }));
}

#[test]
fn a_token_is_compared_whole_and_never_shown() {
    assert!(Token(b"secret").matches(b"secret"));
    for other in [b"secreT".as_slice(), b"Secret", b"secre", b"secrets", b""] {
        assert!(!Token(b"secret").matches(other));
    }
    assert!(!format!("{:?}", hello()).contains("secret"));
}

#[test]
fn a_long_error_message_is_cut_at_a_character() {
    let message = "é".repeat(ERROR_MESSAGE_BYTES_MAX);
    let message = format!("x{message}");
    let report =
        ErrorReport { code: ErrorCode::Busy, sequence: 0, message: &message, fatal: false };
    with_message(&written(|out| report.encode(out)), |decoded| {
        let Ok(Message::Error(back)) = decoded else { panic!("{decoded:?}") };
        assert_eq!(back.message, &message[..ERROR_MESSAGE_BYTES_MAX - 1]);
    });
}

#[test]
fn names_come_back_with_their_kinds() {
    let names: Vec<(NameKind, String)> =
        (0..1000).map(|i| (NameKind::ALL[i % 10], format!("name {i} ü"))).collect();
    let entries = names.iter().map(|(kind, name)| (*kind, name.as_str()));
    let mut out = Vec::new();
    assert_eq!(write_definitions(7, entries, &mut out), Ok(1000));
    with_message(&out, |message| {
        let Ok(Message::Dictionary(definitions)) = message else { panic!("{message:?}") };
        assert_eq!((definitions.first, definitions.count), (7, 1000));
        let back: Vec<_> =
            definitions.entries().map(|(kind, name)| (kind, name.to_owned())).collect();
        assert_eq!(back, names);
    });
}

#[test]
fn names_fill_a_frame_and_the_rest_waits_for_the_next() {
    let name = "n".repeat(NAME_BYTES_MAX);
    let names = std::iter::repeat_n((NameKind::Text, name.as_str()), 5000);
    let mut out = Vec::new();
    assert_eq!(write_definitions(0, names, &mut out), Ok(4084));
    assert!(out.len() <= 32 + FRAME_BODY_BYTES_MAX);
    out.clear();
    assert_eq!(write_definitions(0, std::iter::empty(), &mut out), Ok(0));
    let long = format!("{name}n");
    let with_long = [(NameKind::Text, "short"), (NameKind::Text, long.as_str())].into_iter();
    assert!(write_definitions(0, with_long, &mut out).is_err());
    assert_eq!(out, [] as [u8; 0]);
}

/// The frame of a kind with any header fields and body.
fn raw(kind: FrameKind, sequence: u64, count: u32, schema: u32, body: &[u8]) -> Vec<u8> {
    written(|out| {
        let mut frame = FrameWriter::begin(out, kind, sequence, count, schema);
        frame.body().extend_from_slice(body);
        frame.finish();
    })
}

#[test]
fn what_is_no_message_is_refused_by_field() {
    let check = |bytes: Vec<u8>, expected: Expect| {
        with_message(&bytes, |message| expected.assert_eq(&message.unwrap_err().to_string()));
    };
    check(
        raw(FrameKind::Hello, 1, 0, 0, b"\x01\0\x05\0camp"),
        expect!["the Hello ends at byte 4 of its body, inside `tenant`"],
    );
    check(
        raw(FrameKind::Hello, 1, 0, 0, b"\x01\0\x01\0\xff\0\0\0\0"),
        expect!["`tenant` of the Hello is not UTF-8"],
    );
    check(
        raw(FrameKind::Hello, 1, 0, 0, b"\x01\0\x01\x04"),
        expect!["`tenant` of the Hello has 1025 bytes, and 1024 are allowed"],
    );
    check(
        raw(FrameKind::Ack, 1, 0, 0, &[0; 9]),
        expect!["the Ack has 1 bytes after its last field"],
    );
    check(
        raw(FrameKind::Bye, 1, 0, 0, b""),
        expect!["`sequence` of the Bye is 1, which means nothing there"],
    );
    check(
        raw(FrameKind::Sealed, 1, 2, 0, b""),
        expect!["`count` of the Sealed is 2, which means nothing there"],
    );
    check(
        raw(FrameKind::Sealed, 1, 0, 3, b""),
        expect!["`schema` of the Sealed is 3, which means nothing there"],
    );
    check(
        raw(FrameKind::Batch, 0, 0, 1, b"\0\0"),
        expect!["`sequence` of the Batch is 0, which means nothing there"],
    );
    check(
        raw(FrameKind::Dictionary, 0, 0, 0, b""),
        expect!["`count` of the Dictionary is 0, which means nothing there"],
    );
    check(
        raw(FrameKind::Dictionary, 1 << 32, 1, 0, b"\0\0\0"),
        expect!["`first code` of the Dictionary is 4294967296, which means nothing there"],
    );
    check(
        raw(FrameKind::Dictionary, 0, 1, 0, b"\x0a\0\0"),
        expect!["`kind` of the Dictionary is 10, which means nothing there"],
    );
    check(
        raw(FrameKind::Dictionary, 0, 2, 0, b"\0\0\0"),
        expect!["the Dictionary ends at byte 3 of its body, inside `kind`"],
    );
    check(
        raw(FrameKind::Error, 0, 0, 0, b"\0\0\0\0\0"),
        expect!["`code` of the Error is 0, which means nothing there"],
    );
    check(
        raw(FrameKind::Error, 0, 0, 0, b"\x01\0\x02\0\0"),
        expect!["`fatal` of the Error is 2, which means nothing there"],
    );
}

#[test]
fn the_format_document_names_every_message_and_error() {
    let format = include_str!("../../FORMAT.md");
    for kind in FrameKind::ALL {
        let row = format!("| {} | {kind:?} |", kind.code());
        assert!(format.contains(&row), "FORMAT.md lacks: {row}");
    }
    for code in ErrorCode::ALL {
        assert_eq!(ErrorCode::from_code(code.code()), Some(code));
        let helps = if code.retry_may_help() { "yes" } else { "no" };
        let row = format!("| {} | `{code:?}` | {helps}", code.code());
        assert!(format.contains(&row), "FORMAT.md lacks: {row}");
    }
}

proptest! {
    #[test]
    fn any_body_is_a_message_or_refused(
        kind in 1_u8..11,
        sequence in prop_oneof![Just(0), any::<u64>()],
        count in prop_oneof![Just(0), 0_u32..4, any::<u32>()],
        body in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let bytes = raw(FrameKind::from_code(kind).unwrap(), sequence, count, 0, &body);
        with_message(&bytes, |message| {
            if let Ok(Message::Dictionary(definitions)) = message {
                assert_eq!(definitions.entries().count(), count as usize);
            }
        });
    }
}
