//! An engine's end in the same thread, which does its work when it is spoken to or listened for, and
//! a connection to it that breaks where the script says.

use crate::client::Resume;
use crate::client::clock::Clock;
use crate::client::transport::{Dial, Received, Transport};
use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Duration;
use trueup_model::fact::Fact;
use trueup_wire::message::{Ack, ErrorCode, Token};
use trueup_wire::session::EngineEvent;
use trueup_wire::{CodeTable, Credit, EngineSession};

/// How a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// What was being said is not heard at all.
    Before,
    /// A part of it is heard.
    Amid,
    /// It is heard and done, and the speaker does not know.
    After,
    /// The engine restarts: what was not durable is gone.
    Restart,
}

impl Moment {
    pub(super) const ALL: [Self; 4] = [Self::Before, Self::Amid, Self::After, Self::Restart];
}

/// A batch that the engine has.
#[derive(Debug)]
struct Kept {
    sequence: u64,
    position: Vec<u8>,
    facts: Vec<Fact<String>>,
    cost: Credit,
    /// The connection that it came on.
    connection: u64,
}

#[derive(Debug, Default)]
struct State {
    now: Duration,
    noise: u64,
    moments: u64,
    break_at: Option<(u64, Moment)>,
    /// Break at one moment of so many.
    break_one_in: Option<u64>,
    connections: u64,
    /// The oldest connection that is not broken.
    oldest: u64,
    generation: Option<u64>,
    durable: Vec<Kept>,
    /// How many of the durable batches are sealed.
    sealed: usize,
    pending: Vec<Kept>,
    epoch: u64,
    refusals: Option<(ErrorCode, &'static str, u32)>,
    silent: bool,
    work_every: u64,
    seal_every: u64,
    grant_every: u64,
    listened: u64,
    /// Credit that is held back.
    owed: Credit,
    heartbeats: u64,
    bye: bool,
}

/// The engine, its disk, the network and the time.
#[derive(Clone, Debug)]
pub(super) struct World(Rc<RefCell<State>>);

/// The fact with names of its own.
pub(super) fn owned(fact: Fact<&str>) -> Fact<String> {
    let Ok(owned) = fact.try_map(&mut |_, name: &str| Ok::<_, Infallible>(name.to_owned()));
    owned
}

impl World {
    pub(super) fn new() -> Self {
        let state = State { work_every: 1, seal_every: 1, grant_every: 1, ..State::default() };
        Self(Rc::new(RefCell::new(state)))
    }

    pub(super) fn dial(&self) -> ScriptDial {
        ScriptDial(self.clone())
    }

    pub(super) fn clock(&self) -> ScriptClock {
        ScriptClock(self.clone())
    }

    pub(super) fn clock_now(&self) -> Duration {
        self.0.borrow().now
    }

    pub(super) fn pass(&self, duration: Duration) {
        self.0.borrow_mut().now += duration;
    }

    /// How many moments there were at which a connection could break.
    pub(super) fn moments(&self) -> u64 {
        self.0.borrow().moments
    }

    pub(super) fn break_at(&self, moment: u64, how: Moment) {
        self.0.borrow_mut().break_at = Some((moment, how));
    }

    pub(super) fn break_often(&self, seed: u64, one_in: u64) {
        let mut state = self.0.borrow_mut();
        state.noise = seed;
        state.break_one_in = Some(one_in);
    }

    pub(super) fn break_connections(&self) {
        self.0.borrow_mut().break_connections();
    }

    pub(super) fn refuse(&self, code: ErrorCode, words: &'static str, times: u32) {
        self.0.borrow_mut().refusals = Some((code, words, times));
    }

    pub(super) fn fall_silent_after_welcome(&self) {
        self.0.borrow_mut().silent = true;
    }

    /// Make batches durable only at every so many times that the engine is listened to.
    pub(super) fn work_every(&self, times: u64) {
        self.0.borrow_mut().work_every = times;
    }

    /// Seal only at every so many times that the engine is listened to.
    pub(super) fn seal_every(&self, times: u64) {
        self.0.borrow_mut().seal_every = times;
    }

    /// Grant only at every so many times that the engine is listened to.
    pub(super) fn grant_every(&self, times: u64) {
        self.0.borrow_mut().grant_every = times;
    }

    pub(super) fn lose_everything(&self) {
        let mut state = self.0.borrow_mut();
        state.break_connections();
        state.durable.clear();
        state.sealed = 0;
    }

    /// Loses what is durable and not sealed; says how much that was.
    pub(super) fn lose_unsealed(&self) -> usize {
        let mut state = self.0.borrow_mut();
        state.break_connections();
        let sealed = state.sealed;
        state.durable.split_off(sealed).len()
    }

    pub(super) fn number(&self, below: u64) -> u64 {
        self.0.borrow_mut().word() % below
    }

    pub(super) fn connections(&self) -> u64 {
        self.0.borrow().connections
    }

    pub(super) fn heartbeats(&self) -> u64 {
        self.0.borrow().heartbeats
    }

    pub(super) fn heard_bye(&self) -> bool {
        self.0.borrow().bye
    }

    pub(super) fn epoch(&self) -> u64 {
        self.0.borrow().epoch
    }

    /// What the next connection would be welcomed with.
    pub(super) fn resume(&self) -> Resume {
        self.0.borrow().resume()
    }

    /// The identities of all durable facts, each of which is shown to `check`.
    pub(super) fn durable_facts(&self, mut check: impl FnMut(u64, &Fact<String>)) -> Vec<u64> {
        let state = self.0.borrow();
        let facts = state.durable.iter().flat_map(|kept| &kept.facts);
        facts
            .map(|fact| {
                let index = u64::try_from(fact.id.0).unwrap();
                check(index, fact);
                index
            })
            .collect()
    }

    /// The kinds of all durable facts.
    pub(super) fn kinds(&self) -> Vec<String> {
        let state = self.0.borrow();
        let facts = state.durable.iter().flat_map(|kept| &kept.facts);
        facts.map(|fact| format!("{:?}", fact.kind())).collect()
    }

    /// That sequences follow each other, and positions never go back.
    pub(super) fn check_order(&self, story: &str) {
        let state = self.0.borrow();
        let mut last = 0;
        for (kept, sequence) in state.durable.iter().zip(1..) {
            assert_eq!(kept.sequence, sequence, "{story}");
            if let Ok(position) = kept.position.as_slice().try_into().map(u64::from_le_bytes) {
                assert!(position >= last, "{story}: position {position} after {last}");
                last = position;
            }
        }
    }
}

impl State {
    fn word(&mut self) -> u64 {
        self.noise = self.noise.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.noise ^ (self.noise >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn resume(&self) -> Resume {
        let sequence = self.durable.last().map_or(0, |kept| kept.sequence);
        let position = self.durable.iter().rev().find(|kept| !kept.position.is_empty());
        let position = position.map_or_else(Vec::new, |kept| kept.position.clone());
        Resume { sequence, position }
    }

    fn break_connections(&mut self) {
        self.oldest = self.connections + 1;
        self.pending.clear();
    }

    /// Counts a moment; says how the connection breaks at it, if it does.
    fn moment(&mut self) -> Option<Moment> {
        let moment = self.moments;
        self.moments += 1;
        if let Some((_, how)) = self.break_at.filter(|(at, _)| *at == moment) {
            return Some(how);
        }
        let one_in = self.break_one_in?;
        if !self.word().is_multiple_of(one_in) {
            return None;
        }
        let index = usize::try_from(self.word() % 4).unwrap();
        Some(Moment::ALL[index])
    }
}

/// The time of the script; it passes when someone waits.
#[derive(Debug)]
pub(super) struct ScriptClock(World);

impl Clock for ScriptClock {
    fn now(&self) -> Duration {
        self.0.clock_now()
    }

    fn pause(&self, duration: Duration) {
        self.0.pass(duration);
    }
}

/// Connects to the engine of the script.
#[derive(Debug)]
pub(super) struct ScriptDial(World);

impl Dial for ScriptDial {
    type Transport = ScriptTransport;

    fn dial(&mut self) -> io::Result<ScriptTransport> {
        let mut state = self.0.0.borrow_mut();
        state.connections += 1;
        let number = state.connections;
        Ok(ScriptTransport {
            world: self.0.clone(),
            number,
            session: EngineSession::new(),
            told_sealed: 0,
            codes: CodeTable::new(),
            reply: Vec::new(),
            given: Vec::new(),
        })
    }

    fn address(&self) -> String {
        "the script".to_owned()
    }
}

/// A connection to the engine of the script, and the engine's end of it.
pub(super) struct ScriptTransport {
    world: World,
    number: u64,
    session: EngineSession,
    /// The last Sealed that this connection carried.
    told_sealed: u64,
    codes: CodeTable<String>,
    /// What the engine said and nobody heard yet.
    reply: Vec<u8>,
    given: Vec<u8>,
}

impl fmt::Debug for ScriptTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScriptTransport({})", self.number)
    }
}

impl Transport for ScriptTransport {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let broken = || Err(io::ErrorKind::ConnectionReset.into());
        if self.is_broken() {
            return broken();
        }
        let moment = self.world.0.borrow_mut().moment();
        match moment {
            None => {
                self.engine_hears(bytes);
                return Ok(());
            }
            Some(Moment::Before) => {}
            Some(Moment::Amid) => {
                let part = self.world.number(bytes.len() as u64);
                self.engine_hears(&bytes[..usize::try_from(part).unwrap()]);
            }
            Some(Moment::After) => {
                self.engine_hears(bytes);
                self.engine_works();
            }
            Some(Moment::Restart) => {
                self.engine_hears(bytes);
                self.world.break_connections();
            }
        }
        self.break_this();
        broken()
    }

    fn receive(&mut self, wait: Duration) -> io::Result<Received<'_>> {
        if self.is_broken() {
            return Ok(Received::Ended);
        }
        self.engine_works();
        if self.reply.is_empty() {
            self.world.pass(wait);
            return Ok(Received::Nothing);
        }
        let moment = self.world.0.borrow_mut().moment();
        match moment {
            None => {}
            Some(Moment::Before) => {
                self.break_this();
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            Some(Moment::Amid) => {
                let part = self.world.number(self.reply.len() as u64);
                self.reply.truncate(usize::try_from(part).unwrap().max(1));
                self.break_this();
            }
            Some(Moment::After) => self.break_this(),
            Some(Moment::Restart) => {
                self.world.break_connections();
                return Ok(Received::Ended);
            }
        }
        self.given = std::mem::take(&mut self.reply);
        Ok(Received::Bytes(&self.given))
    }
}

impl ScriptTransport {
    fn is_broken(&self) -> bool {
        self.number < self.world.0.borrow().oldest
    }

    /// Breaks this connection; the engine goes on with what it heard on it.
    fn break_this(&self) {
        self.engine_makes_durable();
        let mut state = self.world.0.borrow_mut();
        state.oldest = state.oldest.max(self.number + 1);
    }

    fn engine_hears(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        let mut state = self.world.0.borrow_mut();
        let mut hello = None;
        while let Ok(Some(event)) = self.session.receive(&mut input, &mut self.reply) {
            match event {
                EngineEvent::Hello(said) => {
                    hello = Some(Token(b"secret").matches(said.token.0));
                }
                EngineEvent::Dictionary(names) => {
                    if names.first == 0 {
                        self.codes.clear();
                    }
                    for (kind, name) in names.entries() {
                        self.codes.define(kind, name.to_owned()).unwrap();
                    }
                }
                EngineEvent::Batch(batch) => {
                    let defined = u32::try_from(self.codes.len()).unwrap();
                    let facts = batch.facts(defined).unwrap();
                    let facts = facts.map(|fact| {
                        let mut name = |kind, code| self.codes.get(kind, code).cloned();
                        fact.try_map(&mut name).unwrap()
                    });
                    state.pending.push(Kept {
                        sequence: batch.sequence,
                        position: batch.position.to_vec(),
                        facts: facts.collect(),
                        cost: batch.cost(),
                        connection: self.number,
                    });
                }
                EngineEvent::Heartbeat => {
                    state.heartbeats += 1;
                    if state.silent {
                        self.reply.clear();
                    }
                }
                EngineEvent::Bye => state.bye = true,
                EngineEvent::Duplicate { sequence } => panic!("batch {sequence} came twice"),
                EngineEvent::Gap { expected, found } => panic!("{found} instead of {expected}"),
            }
        }
        drop(state);
        if let Some(token_is_good) = hello {
            self.engine_welcomes(token_is_good);
        }
    }

    fn engine_welcomes(&mut self, token_is_good: bool) {
        let mut state = self.world.0.borrow_mut();
        if !token_is_good {
            let words = "the token is not known";
            return self.session.refuse(ErrorCode::Unauthorized, 0, words, &mut self.reply);
        }
        if let Some((code, words, times)) = state.refusals
            && times > 0
        {
            state.refusals = Some((code, words, times - 1));
            return self.session.refuse(code, 0, words, &mut self.reply);
        }
        if self.session.admit(state.generation, &mut self.reply).is_err() {
            return;
        }
        // What an older connection sent is dealt with before a newer one is welcomed.
        let pending = std::mem::take(&mut state.pending);
        state.durable.extend(pending);
        state.generation = Some(self.session.generation());
        let Resume { sequence, position } = state.resume();
        let window = Credit::default();
        self.session.welcome(sequence, &position, window, &mut self.reply).unwrap();
    }

    fn engine_makes_durable(&self) -> Credit {
        let mut state = self.world.0.borrow_mut();
        let pending = std::mem::take(&mut state.pending);
        let ours = pending.iter().filter(|kept| kept.connection == self.number);
        let freed = ours.fold(Credit::default(), |sum, kept| sum.plus(kept.cost));
        if !pending.is_empty() {
            state.epoch += 1;
        }
        state.durable.extend(pending);
        freed
    }

    /// What an engine does by and by: makes batches durable, acknowledges, seals, grants.
    fn engine_works(&mut self) {
        if !self.session.is_open() || self.world.0.borrow().silent {
            return;
        }
        let works = {
            let mut state = self.world.0.borrow_mut();
            state.listened += 1;
            state.listened.is_multiple_of(state.work_every)
        };
        let freed = if works { self.engine_makes_durable() } else { Credit::default() };
        let mut state = self.world.0.borrow_mut();
        let (durable, epoch) = (state.resume().sequence, state.epoch);
        let received = self.session.received();
        if freed != Credit::default() {
            let ack = Ack { sequence: durable.min(received), epoch };
            self.session.acknowledge(ack, &mut self.reply).unwrap();
        }
        if state.listened.is_multiple_of(state.seal_every) {
            state.sealed = state.durable.len();
        }
        let sealed = state.sealed.checked_sub(1).map_or(0, |last| state.durable[last].sequence);
        if sealed > self.told_sealed {
            self.told_sealed = sealed;
            self.session.seal(sealed.min(received), &mut self.reply).unwrap();
        }
        // Credit is given back at times, with what was held back before.
        state.owed = state.owed.plus(freed);
        if state.listened.is_multiple_of(state.grant_every) && state.owed != Credit::default() {
            let owed = std::mem::take(&mut state.owed);
            self.session.grant(owed, &mut self.reply).unwrap();
        }
    }
}
