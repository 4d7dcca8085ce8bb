//! An engine's end on a port of this machine: keeps what it hears, and breaks off where it is told to.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io::Write as _;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use trueup_connectors::client::clock::{Clock as _, SystemClock};
use trueup_connectors::client::transport::{Received, Tcp, Transport as _};
use trueup_model::fact::{Action, Body, DocumentVersion, Fact, FactId};
use trueup_model::usage::ServerEventKind;
use trueup_wire::message::{Ack, Batch, ErrorCode, Token};
use trueup_wire::session::EngineEvent;
use trueup_wire::{CodeTable, Credit, EngineSession};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait before looking again.
const LOOK: Duration = Duration::from_millis(10);

/// What the engine has, and what it is told to do.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) facts: Vec<Fact<String>>,
    pub(crate) sequence: u64,
    pub(crate) position: Vec<u8>,
    pub(crate) connections: u64,
    pub(crate) byes: u64,
    generation: Option<u64>,
    token: Vec<u8>,
    /// Whether it breaks off before it says anything.
    pub(crate) is_away: bool,
    /// After how many more batches to break off without keeping the last one.
    breaks_after: Option<u64>,
}

/// The engine.
pub(crate) struct Engine {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
}

impl Engine {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream.unwrap(), &shared));
            }
        });
        Self { address, state }
    }

    /// What it has. One look a statement: a second one would wait for the first.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How many sessions it was told of, each time that it was told.
    pub(crate) fn sessions(&self) -> usize {
        self.state().sessions()
    }

    /// Break off after so many batches, and forget the last of them.
    pub(crate) fn break_after(&self, batches: u64) {
        self.state().breaks_after = Some(batches);
    }

    /// Ask for a token.
    pub(crate) fn ask_for(&self, token: &[u8]) {
        self.state().token = token.to_vec();
    }

    /// Waits until something is so.
    pub(crate) fn wait(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        let clock = SystemClock::start();
        while !is_so(&self.state()) {
            assert!(clock.now() < PATIENCE, "waited in vain until {what}");
            clock.pause(LOOK);
        }
    }
}

/// The identities of facts, without the signs of life that pauses give.
pub(crate) fn identities(facts: &[Fact<String>]) -> BTreeSet<FactId> {
    facts.iter().filter(|fact| !is_sign_of_life(fact)).map(|fact| fact.id).collect()
}

fn is_sign_of_life(fact: &Fact<String>) -> bool {
    let Action::Assert(Body::Server(event)) = &fact.action else { return false };
    event.kind == ServerEventKind::Alive
}

impl State {
    /// The sessions that it was told of, each time that it was told.
    pub(crate) fn sessions(&self) -> usize {
        let is_session =
            |fact: &&Fact<String>| matches!(fact.action, Action::Assert(Body::Session(_)));
        self.facts.iter().filter(is_session).count()
    }

    /// The versions of documents that were declared.
    pub(crate) fn versions(&self) -> Vec<&DocumentVersion<String>> {
        let declared = self.facts.iter().filter_map(|fact| match &fact.action {
            Action::Assert(Body::Document(version)) => Some(version),
            Action::Assert(_) | Action::Retract(_) => None,
        });
        declared.collect()
    }
}

/// Talks with a connector until one side ends it.
fn serve(stream: TcpStream, shared: &Mutex<State>) {
    let mut stream_out = stream.try_clone().unwrap();
    let mut transport = Tcp::new(stream, PATIENCE).unwrap();
    let mut talk = Talk::default();
    {
        let mut state = shared.lock().unwrap();
        state.connections += 1;
        if state.is_away {
            return;
        }
    }
    while let Ok(Received::Bytes(bytes)) = transport.receive(PATIENCE) {
        let mut state = shared.lock().unwrap();
        let heard = talk.hear(bytes, &mut state);
        drop(state);
        if !heard || stream_out.write_all(&talk.out).is_err() {
            // Whether it is open still does not matter.
            let _ = stream_out.shutdown(Shutdown::Both);
            return;
        }
        talk.out.clear();
    }
}

/// A conversation with a connector.
#[derive(Default)]
struct Talk {
    session: EngineSession,
    codes: CodeTable<String>,
    out: Vec<u8>,
}

impl Talk {
    /// Takes bytes, and answers; false if it breaks off.
    fn hear(&mut self, bytes: &[u8], state: &mut State) -> bool {
        let Self { session, codes, out } = self;
        let mut input = bytes;
        let mut freed = Credit::default();
        let mut greeting = None;
        while let Some(event) = session.receive(&mut input, out).unwrap() {
            match event {
                EngineEvent::Hello(hello) => {
                    greeting = Some(Token(&state.token).matches(hello.token.0));
                }
                EngineEvent::Dictionary(names) => {
                    freed.bytes += names.frame.len() as u64;
                    for (kind, name) in names.entries() {
                        codes.define(kind, name.to_owned()).unwrap();
                    }
                }
                EngineEvent::Batch(batch) => {
                    if state.breaks() {
                        return false;
                    }
                    state.take(&batch, codes);
                    freed = freed.plus(batch.cost());
                }
                EngineEvent::Bye => state.byes += 1,
                EngineEvent::Heartbeat => {}
                EngineEvent::Duplicate { .. } | EngineEvent::Gap { .. } => {
                    panic!("the connector sent {event:?}")
                }
            }
        }
        match greeting {
            Some(true) => {
                session.admit(state.generation, out).unwrap();
                state.generation = Some(session.generation());
                session.welcome(state.sequence, &state.position, Credit::default(), out).unwrap();
                session.seal(state.sequence, out).unwrap();
            }
            Some(false) => session.refuse(ErrorCode::Unauthorized, 0, "the token is wrong", out),
            None if session.is_open() && freed != Credit::default() => {
                let sequence = state.sequence;
                session.acknowledge(Ack { sequence, epoch: sequence }, out).unwrap();
                session.seal(sequence, out).unwrap();
                session.grant(freed, out).unwrap();
            }
            None => {}
        }
        true
    }
}

impl State {
    /// Whether it is to break off at this batch.
    fn breaks(&mut self) -> bool {
        let Some(left) = &mut self.breaks_after else { return false };
        *left -= 1;
        let is_now = *left == 0;
        if is_now {
            self.breaks_after = None;
        }
        is_now
    }

    fn take(&mut self, batch: &Batch<'_>, codes: &CodeTable<String>) {
        let defined = u32::try_from(codes.len()).unwrap();
        let facts = batch.facts(defined).unwrap().map(|fact| {
            let mut name = |kind, code| Ok::<_, Infallible>(codes.get(kind, code).unwrap().clone());
            fact.try_map(&mut name).unwrap()
        });
        self.facts.extend(facts);
        self.sequence = batch.sequence;
        if !batch.position.is_empty() {
            self.position = batch.position.to_vec();
        }
    }
}
