//! A connector in the same process, over a pipe: what it sends counts, stays, and comes once.

use super::{Allowance, ConversationError, Gate, OpenGate, Reception};
use crate::clock::SystemClock;
use crate::engine::Engine;
use crate::settings::{Horizon, Settings};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use trueup_journal::Directory;
use trueup_journal::inspect::{Report, inspect};
use trueup_model::fact::{Action, Body, Fact, FactId, Provenance};
use trueup_model::id::NameKind;
use trueup_model::time::{SECOND_US, Timestamp};
use trueup_model::usage::{SessionEvent, SessionKind, SessionReason};
use trueup_policy::Policy;
use trueup_wire::message::{BatchFrame, Hello, Token};
use trueup_wire::session::ConnectorEvent;
use trueup_wire::{Code, ConnectorSession, encode_batch};

/// One end of a pair of pipes.
struct Pipe {
    send: Sender<Vec<u8>>,
    receive: Receiver<Vec<u8>>,
    pending: VecDeque<u8>,
}

fn pipes() -> (Pipe, Pipe) {
    let ((left_send, right_receive), (right_send, left_receive)) = (bounded(1024), bounded(1024));
    let left = Pipe { send: left_send, receive: left_receive, pending: VecDeque::new() };
    let right = Pipe { send: right_send, receive: right_receive, pending: VecDeque::new() };
    (left, right)
}

struct Input(Receiver<Vec<u8>>, VecDeque<u8>);

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.1.is_empty() {
            // The end of the pipe is the end of the input.
            self.1.extend(self.0.recv().unwrap_or_default());
        }
        self.1.read(buffer)
    }
}

struct Output(Sender<Vec<u8>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(|_| std::io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a connector heard.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    Welcome(u64, Vec<u8>),
    Ack(u64),
    Sealed(u64),
    Error(String),
    End,
}

/// A connector that says what a test tells it.
struct Speaker {
    pipe: Pipe,
    session: ConnectorSession,
    /// Whether the last error that was heard is one that another connection may help against.
    may_come_again: Option<bool>,
    engine: Option<std::thread::JoinHandle<Result<(), ConversationError>>>,
}

const NAMES: [(NameKind, &str); 5] = [
    (NameKind::Document, "debug.log"),
    (NameKind::Server, "appd@lic1"),
    (NameKind::Product, "APP"),
    (NameKind::User, "ada"),
    (NameKind::Device, "ws1"),
];

impl Speaker {
    fn connect(reception: &Reception, generation: u64, token: &str) -> Self {
        let (ours, theirs) = pipes();
        let reception = reception.clone();
        let engine = std::thread::spawn(move || {
            let Pipe { send, receive, pending } = theirs;
            reception.converse(Input(receive, pending), Output(send))
        });
        let mut session = ConnectorSession::new();
        let mut out = Vec::new();
        let hello = Hello {
            version: 1,
            tenant: "t",
            source: "logs",
            generation,
            token: Token(token.as_bytes()),
        };
        session.hello(&hello, &mut out).unwrap();
        ours.send.send(out).unwrap();
        Self { pipe: ours, session, may_come_again: None, engine: Some(engine) }
    }

    fn hear(&mut self) -> Heard {
        loop {
            let bytes: Vec<u8> = self.pipe.pending.drain(..).collect();
            let mut input = bytes.as_slice();
            let heard = match self.session.receive(&mut input).unwrap() {
                Some(ConnectorEvent::Welcome(welcome)) => {
                    Some(Heard::Welcome(welcome.resume, welcome.position.to_vec()))
                }
                Some(ConnectorEvent::Ack(ack)) => Some(Heard::Ack(ack.sequence)),
                Some(ConnectorEvent::Sealed(sequence)) => Some(Heard::Sealed(sequence)),
                Some(ConnectorEvent::Error(error)) => {
                    self.may_come_again = Some(error.code.retry_may_help());
                    Some(Heard::Error(error.message.to_owned()))
                }
                Some(
                    ConnectorEvent::Credit | ConnectorEvent::Heartbeat(_) | ConnectorEvent::Bye,
                ) => None,
                None => match self.pipe.receive.recv() {
                    Ok(more) => {
                        self.pipe.pending.extend(more);
                        continue;
                    }
                    Err(_) => Some(Heard::End),
                },
            };
            self.pipe.pending.extend(input);
            if let Some(heard) = heard {
                return heard;
            }
        }
    }

    fn define(&mut self) {
        let mut out = Vec::new();
        self.session.define(0, NAMES.into_iter(), &mut out).unwrap();
        self.pipe.send.send(out).unwrap();
    }

    fn send(&mut self, sequence: u64, facts: &[Fact<Code>]) {
        let columns = encode_batch(facts).unwrap().remove(0);
        let position = format!("line {sequence}");
        let batch = BatchFrame::encode(sequence, position.as_bytes(), &columns).unwrap();
        self.session.batch(&batch).unwrap();
        self.pipe.send.send(batch.bytes().to_vec()).unwrap();
    }

    fn leave(mut self) -> Result<(), ConversationError> {
        let engine = self.engine.take().unwrap();
        drop(self);
        engine.join().unwrap()
    }
}

fn event(id: u128, second: i64, kind: SessionKind, product: u32) -> Fact<Code> {
    let body = SessionEvent {
        at: Timestamp::RECORDED.plus_us(second * SECOND_US),
        rank: 0,
        kind,
        reason: SessionReason::None,
        server: Code(1),
        product: Code(product),
        user: Code(3),
        device: Code(4),
        display: None,
        vendor_data: None,
        project: None,
        version: None,
        handle: None,
        count: 1,
        until: None,
    };
    Fact {
        id: FactId(id),
        revision: 0,
        arrived_at: Timestamp::RECORDED.plus_us(1_000_000 * SECOND_US),
        provenance: Provenance { document: Code(0), position: 1 },
        document: None,
        action: Action::Assert(Body::Session(body)),
    }
}

fn start(journal: Option<&Path>) -> Engine {
    start_by(Policy::default(), journal)
}

fn start_by(policy: Policy, journal: Option<&Path>) -> Engine {
    let journal = journal.map(Path::to_owned);
    let settings = Settings { policy, horizon: Horizon::Evidence, journal, ..Settings::default() };
    Engine::start(settings, Arc::new(SystemClock::default())).unwrap()
}

fn open(engine: &Engine) -> Reception {
    engine.reception(Arc::new(OpenGate), Allowance::default()).unwrap()
}

fn sessions(engine: &Engine) -> usize {
    engine.settle(None).unwrap();
    engine.views().sessions.len()
}

fn hear_until(speaker: &mut Speaker, wanted: &Heard) {
    while speaker.hear() != *wanted {}
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart_and_is_had_once() {
    let directory = tempfile::tempdir().unwrap();
    let engine = start(Some(directory.path()));
    let reception = open(&engine);
    let mut speaker = Speaker::connect(&reception, 5, "");
    assert_eq!(speaker.hear(), Heard::Welcome(0, Vec::new()));
    speaker.define();
    speaker.send(1, &[event(1, 100, SessionKind::Open, 2), event(2, 200, SessionKind::Close, 2)]);
    speaker.send(2, &[event(3, 300, SessionKind::Open, 2)]);
    hear_until(&mut speaker, &Heard::Ack(2));
    hear_until(&mut speaker, &Heard::Sealed(2));
    speaker.leave().unwrap();
    assert_eq!(sessions(&engine), 2);
    let as_of = engine.views().as_of.clone();
    drop(reception);
    drop(engine);

    let again = start(Some(directory.path()));
    assert_eq!(again.views().sessions.len(), 2);
    assert_eq!(again.views().as_of.horizon, as_of.horizon);
    let reopened = open(&again);
    let mut returned = Speaker::connect(&reopened, 6, "");
    assert_eq!(returned.hear(), Heard::Welcome(2, b"line 2".to_vec()));
    // That it may be forgotten was once said on the connection on which a batch came only. Who lost that
    // connection before, and had nothing more to send, waited for ever.
    assert_eq!(returned.hear(), Heard::Sealed(2));
    returned.define();
    returned.send(3, &[event(1, 100, SessionKind::Open, 2), event(4, 400, SessionKind::Close, 2)]);
    hear_until(&mut returned, &Heard::Ack(3));
    returned.leave().unwrap();
    assert_eq!(sessions(&again), 2);
    let mut stale = Speaker::connect(&reopened, 5, "");
    assert!(matches!(stale.hear(), Heard::Error(words) if words.contains("generation")));
    assert!(stale.leave().is_err());
}

#[test]
fn what_was_issued_when_a_period_closed_is_issued_again_after_a_restart() {
    let policy = "position_period = \"day\"\nfurther_periods = []\n[closing]\nafter_seconds = 0\n";
    let policy = Policy::from_toml(policy).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let engine = start_by(policy.clone(), Some(directory.path()));
    let reception = open(&engine);
    let mut speaker = Speaker::connect(&reception, 1, "");
    assert_eq!(speaker.hear(), Heard::Welcome(0, Vec::new()));
    speaker.define();
    speaker.send(1, &[event(1, 100, SessionKind::Open, 2), event(2, 200, SessionKind::Close, 2)]);
    hear_until(&mut speaker, &Heard::Ack(1));
    // Early on the next day the first one closes.
    speaker.send(2, &[event(3, 90_000, SessionKind::Open, 2)]);
    hear_until(&mut speaker, &Heard::Ack(2));
    assert_eq!(sessions(&engine), 2);
    // Two that overlap the one of yesterday are told late.
    let late = [(4, 110), (5, 120)].map(|(id, at)| event(id, at, SessionKind::Open, 2));
    let ends = [(6, 130), (7, 140)].map(|(id, at)| event(id, at, SessionKind::Close, 2));
    speaker.send(3, &[late, ends].concat());
    hear_until(&mut speaker, &Heard::Ack(3));
    assert_eq!(sessions(&engine), 4);
    speaker.leave().unwrap();
    let issued = engine.views().issued.clone();
    let peaks: Vec<(i64, i64)> = issued
        .values()
        .map(|row| (row.issued.peak.0 / 1_000_000, row.restated.peak.0 / 1_000_000))
        .collect();
    assert_eq!(peaks, [(1, 3)]);
    drop(reception);
    drop(engine);
    let again = start_by(policy, Some(directory.path()));
    assert_eq!(again.views().issued, issued);
}

#[test]
fn a_newer_connection_takes_the_place_of_an_older_one() {
    let engine = start(None);
    let reception = open(&engine);
    let mut older = Speaker::connect(&reception, 1, "");
    assert_eq!(older.hear(), Heard::Welcome(0, Vec::new()));
    older.define();
    older.send(1, &[event(1, 100, SessionKind::Open, 2)]);
    hear_until(&mut older, &Heard::Ack(1));
    let mut newer = Speaker::connect(&reception, 2, "");
    assert_eq!(newer.hear(), Heard::Welcome(1, b"line 1".to_vec()));
    assert_eq!(newer.hear(), Heard::Sealed(1));
    older.send(2, &[event(2, 200, SessionKind::Open, 2)]);
    let words = "a newer connection of the same source took this one's place";
    hear_until(&mut older, &Heard::Error(words.to_owned()));
    newer.define();
    newer.send(2, &[event(3, 300, SessionKind::Open, 2)]);
    hear_until(&mut newer, &Heard::Ack(2));
    assert_eq!(sessions(&engine), 2);
    assert!(matches!(newer.leave(), Ok(())));
    let _ = older.leave();
    let mut again = Speaker::connect(&reception, 1, "");
    assert!(matches!(again.hear(), Heard::Error(_)));
    assert_eq!(again.may_come_again, Some(false), "a process of an older generation is fenced");
}

/// A new process was welcomed once it was durable. Damage of the last frame took its welcome back, and what it began
/// after: a process of an older generation was welcomed again, and what the new one had made was taken for had.
#[test]
fn a_new_process_is_welcomed_when_something_vouches_for_that_and_for_what_it_begins_after() {
    // What the older one sends may be heard after the newer one was welcomed; then it begins after nothing.
    let mut tries = std::iter::repeat_with(welcomed_after_another).take(200);
    let had = tries.find_map(|had| had).expect("one is heard before the other");
    assert!(had.last > 3, "{had:?}");
    assert_eq!(had.sealed, had.last);
}

/// What a journal has when a new process is welcomed that begins after what an older one sent; `None` if it begins after
/// nothing.
fn welcomed_after_another() -> Option<Report> {
    let directory = tempfile::tempdir().unwrap();
    let journal = Some(directory.path().to_owned());
    // Nothing closes an epoch, and so vouches for what came before, but a greeting.
    let settings = Settings {
        horizon: Horizon::Evidence,
        epoch_us_max: u64::MAX / 2,
        journal,
        ..Settings::default()
    };
    let engine = Engine::start(settings, Arc::new(SystemClock::default())).unwrap();
    let reception = open(&engine);
    let report = || inspect(&Directory::looked_at(directory.path()), |_| {}).unwrap();
    let mut older = Speaker::connect(&reception, 2, "");
    assert_eq!(older.hear(), Heard::Welcome(0, Vec::new()));
    assert_eq!((report().last, report().sealed), (1, 1));
    older.define();
    older.send(1, &[event(1, 100, SessionKind::Open, 2)]);
    std::thread::yield_now();
    let mut newer = Speaker::connect(&reception, 4, "");
    let welcome = newer.hear();
    let had = report();
    let _ = (older.leave(), newer.leave());
    if matches!(welcome, Heard::Welcome(0, _)) {
        return None;
    }
    assert_eq!(welcome, Heard::Welcome(1, b"line 1".to_vec()));
    Some(had)
}

/// An engine that took nothing for a while heard the Hello of a connection that its connector had given up
/// after that of the next one. The connector ended then: it was told that another process had come.
#[test]
fn a_connector_whose_own_late_connection_took_its_place_may_come_again() {
    let engine = start(None);
    let reception = open(&engine);
    let mut newer = Speaker::connect(&reception, 1, "");
    assert_eq!(newer.hear(), Heard::Welcome(0, Vec::new()));
    let mut late = Speaker::connect(&reception, 1, "");
    assert_eq!(late.hear(), Heard::Welcome(0, Vec::new()));
    newer.define();
    newer.send(1, &[event(1, 100, SessionKind::Open, 2)]);
    let words = "a newer connection of the same source took this one's place";
    hear_until(&mut newer, &Heard::Error(words.to_owned()));
    assert_eq!(newer.may_come_again, Some(true));
    let mut again = Speaker::connect(&reception, 1, "");
    assert_eq!(again.hear(), Heard::Welcome(0, Vec::new()));
    let _ = (newer.leave(), late.leave());
    again.leave().unwrap();
}

/// Admits one token.
struct OneToken;

impl Gate for OneToken {
    fn admit(&self, hello: &Hello<'_>) -> Result<(), String> {
        let known = hello.token.matches(b"secret");
        if known { Ok(()) } else { Err("the token is not known here".to_owned()) }
    }
}

#[test]
fn who_may_not_send_is_told_so_and_heard_no_further() {
    let engine = start(None);
    let reception = engine.reception(Arc::new(OneToken), Allowance::default()).unwrap();
    let mut wrong = Speaker::connect(&reception, 1, "guess");
    assert_eq!(wrong.hear(), Heard::Error("the token is not known here".to_owned()));
    assert!(matches!(wrong.leave(), Err(ConversationError::Refused(_))));
    let mut right = Speaker::connect(&reception, 1, "secret");
    assert_eq!(right.hear(), Heard::Welcome(0, Vec::new()));
    right.leave().unwrap();
}

#[test]
fn a_code_of_another_kind_ends_the_conversation_and_nothing_else() {
    let engine = start(None);
    let reception = open(&engine);
    let mut speaker = Speaker::connect(&reception, 1, "");
    speaker.hear();
    speaker.define();
    speaker.send(1, &[event(1, 100, SessionKind::Open, 3)]);
    let Heard::Error(words) = speaker.hear() else { panic!("the batch was taken") };
    assert!(words.contains("defined as User and used as Product"), "{words}");
    assert!(matches!(speaker.leave(), Err(ConversationError::Unreadable(_))));
    assert_eq!(sessions(&engine), 0);
}
