//! Both ends of a conversation: the order of things, and what survives a hostile connection.

use super::{Admission, ConnectorEvent, ConnectorSession, EngineEvent, EngineSession};
use crate::codec::{Columns, encode_batch};
use crate::error::SessionError;
use crate::frame::{FrameKind, FrameWriter};
use crate::limits::{DICTIONARY_CODES_MAX, WINDOW_BYTES_MIN, WINDOW_RECORDS_MIN};
use crate::message::{Ack, BatchFrame, Credit, ErrorCode, Hello, Token, write_definitions};
use crate::testing::Noise;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use trueup_model::id::NameKind;

const WINDOW: Credit = Credit { records: 0, bytes: 0 };

fn hello(generation: u64) -> Hello<'static> {
    let (tenant, source) = ("campus", "server-1");
    Hello { version: 1, tenant, source, generation, token: Token(b"secret") }
}

fn batch(sequence: u64) -> BatchFrame {
    let facts = [Noise(sequence).plain_session(sequence)];
    let columns = encode_batch(&facts).unwrap().remove(0);
    BatchFrame::encode(sequence, &sequence.to_le_bytes(), &columns).unwrap()
}

/// The engine's events, as words.
fn engine_hears(engine: &mut EngineSession, bytes: &[u8], out: &mut Vec<u8>) -> Vec<String> {
    let mut input = bytes;
    let mut heard = Vec::new();
    loop {
        let words = match engine.receive(&mut input, out) {
            Ok(None) => return heard,
            Ok(Some(event)) => match event {
                EngineEvent::Hello(hello) => format!("hello {}", hello.generation),
                EngineEvent::Dictionary(names) => format!("names {}+{}", names.first, names.count),
                EngineEvent::Batch(batch) => format!("batch {}", batch.sequence),
                EngineEvent::Duplicate { sequence } => format!("duplicate {sequence}"),
                EngineEvent::Gap { expected, found } => format!("gap {expected}..{found}"),
                EngineEvent::Heartbeat => "heartbeat".to_owned(),
                EngineEvent::Bye => "bye".to_owned(),
            },
            Err(error) => {
                heard.push(format!("error: {error}"));
                return heard;
            }
        };
        heard.push(words);
    }
}

/// The connector's events, as words.
fn connector_hears(connector: &mut ConnectorSession, bytes: &[u8]) -> Vec<String> {
    let mut input = bytes;
    let mut heard = Vec::new();
    loop {
        let words = match connector.receive(&mut input) {
            Ok(None) => return heard,
            Ok(Some(event)) => match event {
                ConnectorEvent::Welcome(welcome) => {
                    format!("welcome {} at {:?}", welcome.resume, welcome.position)
                }
                ConnectorEvent::Credit => "credit".to_owned(),
                ConnectorEvent::Ack(ack) => format!("ack {} in {}", ack.sequence, ack.epoch),
                ConnectorEvent::Sealed(sequence) => format!("sealed {sequence}"),
                ConnectorEvent::Error(report) => {
                    let code = report.code;
                    format!(
                        "error {code:?} {} {}: {}",
                        report.sequence, report.fatal, report.message
                    )
                }
                ConnectorEvent::Heartbeat(number) => format!("heartbeat {number}"),
                ConnectorEvent::Bye => "bye".to_owned(),
            },
            Err(error) => {
                heard.push(format!("error: {error}"));
                return heard;
            }
        };
        heard.push(words);
    }
}

/// Checks what the engine hears of these bytes.
fn check_engine(engine: &mut EngineSession, bytes: &[u8], out: &mut Vec<u8>, expected: &[&str]) {
    assert_eq!(engine_hears(engine, bytes, out), expected);
}

/// Two ends after the handshake.
fn opened(resume: u64, window: Credit) -> (ConnectorSession, EngineSession) {
    let (mut connector, mut engine) = (ConnectorSession::new(), EngineSession::new());
    let (mut up, mut down) = (Vec::new(), Vec::new());
    connector.hello(&hello(1), &mut up).unwrap();
    assert_eq!(engine_hears(&mut engine, &up, &mut down), ["hello 1"]);
    assert_eq!(engine.admit(None, &mut down), Ok(Admission::Raised));
    engine.welcome(resume, b"", window, &mut down).unwrap();
    assert_eq!(connector_hears(&mut connector, &down), [format!("welcome {resume} at []")]);
    (connector, engine)
}

/// Defines 300 names, which the batches of these tests use.
fn define(connector: &mut ConnectorSession, out: &mut Vec<u8>) {
    let names = std::iter::repeat_n((NameKind::Text, "name"), 300);
    assert_eq!(connector.define(connector.codes_defined(), names, out), Ok(300));
}

fn send(connector: &mut ConnectorSession, batch: &BatchFrame, out: &mut Vec<u8>) {
    connector.batch(batch).unwrap();
    out.extend_from_slice(batch.bytes());
}

#[test]
fn a_conversation_in_good_order() {
    let (mut connector, mut engine) = opened(4, WINDOW);
    let (mut up, mut down) = (Vec::new(), Vec::new());
    define(&mut connector, &mut up);
    send(&mut connector, &batch(5), &mut up);
    send(&mut connector, &batch(6), &mut up);
    connector.heartbeat(77, &mut up).unwrap();
    check_engine(&mut engine, &up, &mut down, &["names 0+300", "batch 5", "batch 6", "heartbeat"]);
    engine.acknowledge(Ack { sequence: 6, epoch: 12 }, &mut down).unwrap();
    engine.seal(5, &mut down).unwrap();
    engine.grant(batch(5).cost(), &mut down).unwrap();
    let heard = connector_hears(&mut connector, &down);
    assert_eq!(heard, ["heartbeat 77", "ack 6 in 12", "sealed 5", "credit"]);
    up.clear();
    connector.bye(&mut up).unwrap();
    assert_eq!(engine_hears(&mut engine, &up, &mut down), ["bye"]);
    assert_eq!(connector.bye(&mut up), Err(SessionError::Closed));
    assert!(!engine.is_open() && !connector.is_open());
}

#[test]
fn a_batch_carries_facts_that_the_dictionary_explains() {
    let (mut connector, mut engine) = opened(0, WINDOW);
    let (mut up, mut down) = (Vec::new(), Vec::new());
    define(&mut connector, &mut up);
    send(&mut connector, &batch(1), &mut up);
    let mut input = up.as_slice();
    engine.receive(&mut input, &mut down).unwrap();
    let codes_defined = engine.codes_defined();
    let Ok(Some(EngineEvent::Batch(received))) = engine.receive(&mut input, &mut down) else {
        panic!("no batch")
    };
    let facts: Vec<_> = received.facts(codes_defined).unwrap().collect();
    assert_eq!(facts, [Noise(1).plain_session(1)]);
    assert!(received.facts(codes_defined - 299).is_err());
}

#[test]
fn a_batch_that_was_had_before_is_acknowledged_again_and_not_taken() {
    let (_, mut engine) = opened(4, WINDOW);
    let mut down = Vec::new();
    // Durable before this conversation.
    assert_eq!(engine_hears(&mut engine, batch(4).bytes(), &mut down), ["duplicate 4"]);
    let (mut other, _) = opened(4, WINDOW);
    assert_eq!(connector_hears(&mut other, &down), ["credit", "ack 4 in 0"]);
    // Received and not durable yet: no acknowledgement.
    down.clear();
    let twice = [batch(5).bytes(), batch(5).bytes()].concat();
    assert_eq!(engine_hears(&mut engine, &twice, &mut down), ["batch 5", "duplicate 5"]);
    assert_eq!(connector_hears(&mut other, &down), ["credit"]);
    assert_eq!(engine.received(), 5);
}

#[test]
fn a_batch_after_a_gap_is_refused_with_the_one_that_is_expected() {
    let (mut connector, mut engine) = opened(0, WINDOW);
    let mut down = Vec::new();
    let gap_at_two = [batch(1).bytes(), batch(3).bytes(), batch(4).bytes()].concat();
    check_engine(&mut engine, &gap_at_two, &mut down, &["batch 1", "gap 2..3", "gap 2..4"]);
    // It is said once, and the credit of both is given back.
    let expected =
        ["credit", "error Gap 2 false: batch 3 came where batch 2 is expected", "credit"];
    assert_eq!(connector_hears(&mut connector, &down), expected);
    let gap_at_four = [batch(2).bytes(), batch(3).bytes(), batch(5).bytes()].concat();
    check_engine(&mut engine, &gap_at_four, &mut down, &["batch 2", "batch 3", "gap 4..5"]);
}

#[test]
fn credit_is_kept_on_both_ends() {
    let (mut connector, mut engine) = opened(0, WINDOW);
    let (mut up, mut down) = (Vec::new(), Vec::new());
    let columns = Columns { bytes: vec![0; 4_000_000], ..Columns::empty() };
    let large = |sequence| BatchFrame::encode(sequence, b"", &columns).unwrap();
    send(&mut connector, &large(1), &mut up);
    send(&mut connector, &large(2), &mut up);
    assert!(!connector.has_credit(large(3).cost()));
    let (records, bytes) = (0, large(3).bytes().len() as u64);
    assert_eq!(connector.batch(&large(3)), Err(SessionError::NoCredit { records, bytes }));
    // A connector that sends all the same is cut off.
    up.extend_from_slice(large(3).bytes());
    let words = format!(
        "error: the connector sent beyond its credit of {WINDOW_RECORDS_MIN} records and \
         {WINDOW_BYTES_MIN} bytes"
    );
    check_engine(&mut engine, &up, &mut down, &["batch 1", "batch 2", &words]);
    let heard = connector_hears(&mut connector, &down);
    assert!(heard[0].starts_with("error Credit 2 true"), "{heard:?}");
    assert_eq!(connector.batch(&large(3)), Err(SessionError::Closed));
}

#[test]
fn granted_credit_lets_the_connector_go_on_and_comes_twice_without_harm() {
    let (mut connector, mut engine) = opened(0, WINDOW);
    let mut down = Vec::new();
    let columns = Columns { count: 65_536, ..Columns::empty() };
    let full = |sequence| BatchFrame::encode(sequence, b"", &columns).unwrap();
    connector.batch(&full(1)).unwrap();
    assert!(matches!(connector.batch(&full(2)), Err(SessionError::NoCredit { .. })));
    engine.grant(full(1).cost(), &mut down).unwrap();
    connector_hears(&mut connector, &down);
    connector_hears(&mut connector, &down);
    connector.batch(&full(2)).unwrap();
    assert!(matches!(connector.batch(&full(3)), Err(SessionError::NoCredit { .. })));
}

#[test]
fn an_older_generation_is_fenced_and_a_newer_one_raised() {
    let greeted = |generation: u64| {
        let (mut connector, mut engine) = (ConnectorSession::new(), EngineSession::new());
        let (mut up, mut down) = (Vec::new(), Vec::new());
        connector.hello(&hello(generation), &mut up).unwrap();
        engine_hears(&mut engine, &up, &mut down);
        (connector, engine)
    };
    let mut down = Vec::new();
    assert_eq!(greeted(7).1.admit(Some(7), &mut down), Ok(Admission::Same));
    assert_eq!(greeted(8).1.admit(Some(7), &mut down), Ok(Admission::Raised));
    assert_eq!(greeted(0).1.admit(None, &mut down), Ok(Admission::Raised));
    assert_eq!(down, [] as [u8; 0]);
    let (mut connector, mut engine) = greeted(6);
    let fenced = SessionError::Fenced { found: 6, last: 7 };
    assert_eq!(engine.admit(Some(7), &mut down), Err(fenced));
    let heard = connector_hears(&mut connector, &down);
    expect![[
        "error Fenced 0 true: generation 6 of the connector is fenced by generation 7; stop this \
         process, another one has taken over"
    ]]
    .assert_eq(&heard[0]);
}

#[test]
fn a_dictionary_is_dense_and_may_start_anew() {
    let (mut connector, mut engine) = opened(0, WINDOW);
    let (mut up, mut down) = (Vec::new(), Vec::new());
    define(&mut connector, &mut up);
    define(&mut connector, &mut up);
    assert_eq!(connector.codes_defined(), 600);
    let names = || std::iter::repeat_n((NameKind::User, "ana"), 2);
    let gap = SessionError::DictionaryGap { expected: 600, found: 601 };
    assert_eq!(connector.define(601, names(), &mut up), Err(gap));
    assert_eq!(connector.define(0, names(), &mut up), Ok(2));
    let expected = ["names 0+300", "names 300+300", "names 0+2"];
    check_engine(&mut engine, &up, &mut down, &expected);
    assert_eq!(engine.codes_defined(), 2);
    up.clear();
    write_definitions(3, names(), &mut up).unwrap();
    check_engine(
        &mut engine,
        &up,
        &mut down,
        &["error: a dictionary frame begins with code 3, and code 2 is the next"],
    );
}

#[test]
fn a_dictionary_holds_as_many_codes_as_the_limit_and_not_one_more() {
    let window = Credit { records: 0, bytes: u64::MAX };
    let (mut connector, mut engine) = opened(0, window);
    let (mut up, mut down) = (Vec::new(), Vec::new());
    let names = |count| std::iter::repeat_n((NameKind::Text, ""), count);
    let most = DICTIONARY_CODES_MAX as usize;
    assert_eq!(connector.define(0, names(most - 1), &mut up), Ok(DICTIONARY_CODES_MAX - 1));
    let end = up.len();
    let full = Err(SessionError::DictionaryFull);
    assert_eq!(connector.define(DICTIONARY_CODES_MAX - 1, names(2), &mut up), full);
    assert_eq!(up.len(), end);
    assert_eq!(connector.define(DICTIONARY_CODES_MAX - 1, names(1), &mut up), Ok(1));
    check_engine(&mut engine, &up, &mut down, &["names 0+1048575", "names 1048575+1"]);
    up.clear();
    write_definitions(DICTIONARY_CODES_MAX, names(1), &mut up).unwrap();
    check_engine(
        &mut engine,
        &up,
        &mut down,
        &["error: the dictionary of a connection has at most 1048576 codes"],
    );
}

#[test]
fn what_is_said_out_of_order_ends_the_conversation() {
    let heard_first = |bytes: &[u8], expected: Expect| {
        let mut down = Vec::new();
        let heard = engine_hears(&mut EngineSession::new(), bytes, &mut down);
        expected.assert_eq(&heard.join("\n"));
    };
    heard_first(batch(1).bytes(), expect!["error: the peer sent a Batch before Hello"]);
    let mut twice = Vec::new();
    hello(1).encode(&mut twice).unwrap();
    twice.extend_from_slice(batch(1).bytes());
    heard_first(
        &twice,
        expect![[r#"
            hello 1
            error: the peer sent a Batch between Hello and Welcome"#]],
    );
    heard_first(
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n....",
        expect!["error: the peer sent bytes that are no frame"],
    );
    let mut newer = Vec::new();
    Hello { version: 2, ..hello(1) }.encode(&mut newer).unwrap();
    heard_first(
        &newer,
        expect!["error: the connector speaks version 2, and this engine 1; upgrade the older"],
    );
}

#[test]
fn the_connector_is_told_why_in_words() {
    let (mut connector, mut engine) = opened(0, WINDOW);
    let mut down = Vec::new();
    let mut bytes = batch(1).bytes().to_vec();
    bytes[40] ^= 1;
    engine_hears(&mut engine, &bytes, &mut down);
    let heard = connector_hears(&mut connector, &down);
    let words = "error Malformed 0 true: the peer sent bytes that are no frame: the frame at byte";
    assert!(heard[0].starts_with(words), "{heard:?}");
    assert!(heard[0].contains("is damaged"), "{heard:?}");
    // Nothing is heard any more.
    check_engine(
        &mut engine,
        batch(1).bytes(),
        &mut down,
        &["error: the conversation is over; open a new connection"],
    );
}

#[test]
fn commands_out_of_place_are_refused() {
    let mut out = Vec::new();
    let mut engine = EngineSession::new();
    expect!["`welcome` has no place in a conversation that is before Hello"]
        .assert_eq(&engine.welcome(0, b"", WINDOW, &mut out).unwrap_err().to_string());
    let mut connector = ConnectorSession::new();
    expect!["`batch` has no place in a conversation that is before Hello"]
        .assert_eq(&connector.batch(&batch(1)).unwrap_err().to_string());
    connector.hello(&hello(1), &mut out).unwrap();
    assert!(connector.hello(&hello(1), &mut out).is_err());
}

#[test]
fn commands_that_the_conversation_does_not_bear_out_are_refused() {
    let mut out = Vec::new();
    let (mut connector, mut engine) = opened(4, WINDOW);
    expect!["batch 7 was given where batch 5 belongs"]
        .assert_eq(&connector.batch(&batch(7)).unwrap_err().to_string());
    // What was not delivered cannot be durable, and what is not durable cannot be sealed.
    assert!(engine.acknowledge(Ack { sequence: 5, epoch: 0 }, &mut out).is_err());
    assert!(engine.acknowledge(Ack { sequence: 3, epoch: 0 }, &mut out).is_err());
    assert!(engine.seal(5, &mut out).is_err());
    assert!(engine.seal(4, &mut out).is_ok());
    assert!(engine.seal(3, &mut out).is_err());
}

#[test]
fn an_engine_that_reports_what_was_never_sent_is_left() {
    let (mut connector, _) = opened(4, WINDOW);
    let mut down = Vec::new();
    Ack { sequence: 5, epoch: 0 }.encode(&mut down);
    let heard = connector_hears(&mut connector, &down);
    assert_eq!(heard, ["error: the engine reports sequence 5, and only 4 were sent"]);
}

#[test]
fn an_engine_refuses_once_and_with_a_reason() {
    let (mut connector, mut engine) = opened(0, WINDOW);
    let mut down = Vec::new();
    engine.refuse(ErrorCode::Unavailable, 0, "the journal failed", &mut down);
    engine.refuse(ErrorCode::Busy, 0, "once is enough", &mut down);
    engine.bye(&mut down);
    let heard = connector_hears(&mut connector, &down);
    assert_eq!(heard, ["error Unavailable 0 true: the journal failed"]);
}

#[test]
fn an_engine_stops_in_good_order() {
    let (mut connector, mut engine) = opened(0, WINDOW);
    let mut down = Vec::new();
    engine.bye(&mut down);
    assert_eq!(connector_hears(&mut connector, &down), ["bye"]);
}

/// What a bad connection does to one frame.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Deliver,
    Twice,
    Drop,
    SwapWithNext,
    Corrupt(usize, u8),
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::Deliver),
        2 => Just(Fault::Twice),
        1 => Just(Fault::Drop),
        1 => Just(Fault::SwapWithNext),
        1 => (any::<usize>(), 1_u8..).prop_map(|(place, flip)| Fault::Corrupt(place, flip)),
    ]
}

fn damaged(frames: &[Vec<u8>], faults: &[Fault]) -> Vec<u8> {
    let mut frames = frames.to_vec();
    for (index, fault) in faults.iter().enumerate().take(frames.len()) {
        match *fault {
            Fault::Deliver => {}
            Fault::Twice => frames[index] = frames[index].repeat(2),
            Fault::Drop => frames[index].clear(),
            Fault::SwapWithNext if index + 1 < frames.len() => frames.swap(index, index + 1),
            Fault::SwapWithNext => {}
            Fault::Corrupt(place, flip) => {
                let length = frames[index].len();
                if length > 0 {
                    frames[index][place % length] ^= flip;
                }
            }
        }
    }
    frames.concat()
}

proptest! {
    #[test]
    fn no_fault_delivers_a_batch_twice_or_out_of_order(
        resume in 0_u64..3,
        faults in proptest::collection::vec(fault(), 12),
        size in 1_usize..400,
    ) {
        let (mut connector, mut engine) = opened(resume, WINDOW);
        let mut names = Vec::new();
        define(&mut connector, &mut names);
        let mut frames = vec![names];
        frames.extend((resume + 1..resume + 12).map(|sequence| batch(sequence).bytes().to_vec()));
        let stream = damaged(&frames, &faults);
        let (mut down, mut delivered) = (Vec::new(), Vec::new());
        'stream: for mut input in stream.chunks(size) {
            loop {
                let codes_defined = engine.codes_defined();
                match engine.receive(&mut input, &mut down) {
                    Ok(Some(EngineEvent::Batch(batch))) => {
                        // Each batch that is delivered is the one that was sent, whole.
                        let sequence = batch.sequence;
                        if codes_defined == 300 {
                            let facts: Vec<_> = batch.facts(codes_defined).unwrap().collect();
                            prop_assert_eq!(facts, [Noise(sequence).plain_session(sequence)]);
                        }
                        delivered.push(sequence);
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(_) => break 'stream,
                }
            }
        }
        let count = delivered.len() as u64;
        prop_assert_eq!(delivered, (resume + 1..resume + 1 + count).collect::<Vec<_>>());
    }

    #[test]
    fn no_fault_of_the_engines_frames_confuses_a_connector(
        faults in proptest::collection::vec(fault(), 12),
        size in 1_usize..100,
    ) {
        let (mut connector, mut engine) = opened(0, WINDOW);
        let mut frames = Vec::new();
        let mut up = Vec::new();
        for sequence in 1..=5 {
            send(&mut connector, &batch(sequence), &mut up);
        }
        engine_hears(&mut engine, &up, &mut Vec::new());
        for sequence in 1..=4 {
            let mut down = Vec::new();
            engine.acknowledge(Ack { sequence, epoch: sequence }, &mut down).unwrap();
            frames.push(std::mem::take(&mut down));
            engine.seal(sequence, &mut down).unwrap();
            frames.push(std::mem::take(&mut down));
            engine.grant(Credit { records: 1, bytes: 10 }, &mut down).unwrap();
            frames.push(down);
        }
        for chunk in damaged(&frames, &faults).chunks(size) {
            let heard = connector_hears(&mut connector, chunk);
            // What is sealed was sealed by the engine: no fault makes a batch forgotten too early.
            prop_assert!(!heard.contains(&"sealed 5".to_owned()));
        }
    }

    #[test]
    fn random_bytes_end_a_conversation_and_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        kind in 1_u8..11,
        sequence in prop_oneof![0_u64..5, any::<u64>()],
        body in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        // A frame whose checksum holds, then noise.
        let mut stream = Vec::new();
        let kind = FrameKind::from_code(kind).unwrap();
        let mut frame = FrameWriter::begin(&mut stream, kind, sequence, 0, 0);
        frame.body().extend_from_slice(&body);
        frame.finish();
        stream.extend(bytes);
        let (mut connector, mut engine) = opened(2, WINDOW);
        engine_hears(&mut engine, &stream, &mut Vec::new());
        connector_hears(&mut connector, &stream);
        engine_hears(&mut EngineSession::new(), &stream, &mut Vec::new());
        connector_hears(&mut ConnectorSession::new(), &stream);
    }
}
