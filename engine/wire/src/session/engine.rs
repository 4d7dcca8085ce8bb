//! The engine's end of a conversation.

use crate::error::SessionError;
use crate::frame::{Frame, FrameReader, VERSION};
use crate::limits::{DICTIONARY_CODES_MAX, WINDOW_BYTES_MIN, WINDOW_RECORDS_MIN};
use crate::message::{
    Ack, Batch, Credit, Definitions, ErrorCode, ErrorReport, Hello, Message, Welcome, write_bye,
    write_heartbeat, write_sealed,
};

/// What the connector said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineEvent<'a> {
    /// A connector introduces itself. The owner looks at its token, then admits it or refuses.
    Hello(Hello<'a>),
    /// Names get codes. If the first is 0, all earlier codes are void.
    Dictionary(Definitions<'a>),
    /// The next batch.
    Batch(Batch<'a>),
    /// A batch that was had before; it was acknowledged again if it is durable.
    Duplicate {
        /// Its sequence.
        sequence: u64,
    },
    /// A batch that does not follow the one before it; it was refused.
    Gap {
        /// The sequence that is expected.
        expected: u64,
        /// The sequence that came.
        found: u64,
    },
    /// A sign of life; it was answered.
    Heartbeat,
    /// The connector ends the conversation in good order.
    Bye,
}

/// How a connector's generation stands to the last one that its owner knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The same process connects again; an older connection of it is dead and to be dropped.
    Same,
    /// A newer process. The owner makes its generation durable before it says Welcome, so that the
    /// older one stays fenced whatever happens.
    Raised,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was heard.
    Fresh,
    /// Hello was heard.
    Greeted,
    /// The generation was found good.
    Admitted,
    /// Welcome was said.
    Open,
    /// It is over.
    Closed,
}

impl State {
    fn words(self) -> &'static str {
        match self {
            Self::Fresh => "before Hello",
            Self::Greeted | Self::Admitted => "between Hello and Welcome",
            Self::Open => "after Welcome",
            Self::Closed => "over",
        }
    }
}

/// The engine's end.
#[derive(Debug)]
pub struct EngineSession {
    reader: FrameReader,
    core: Core,
}

/// All but the reader, which an event may borrow from.
#[derive(Debug)]
struct Core {
    state: State,
    generation: u64,
    /// The last sequence delivered, or durable before.
    received: u64,
    acked: Ack,
    sealed: u64,
    granted: Credit,
    used: Credit,
    /// The codes that the dictionary defines.
    codes: u32,
    /// Whether the gap that is open now was reported.
    gap_reported: bool,
}

impl Default for EngineSession {
    fn default() -> Self {
        let core = Core {
            state: State::Fresh,
            generation: 0,
            received: 0,
            acked: Ack::default(),
            sealed: 0,
            granted: Credit::default(),
            used: Credit::default(),
            codes: 0,
            gap_reported: false,
        };
        Self { reader: FrameReader::new(), core }
    }
}

impl EngineSession {
    /// A conversation in which nothing was heard.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes from the front of `input` and gives the next event, or `None` when `input` is
    /// used up. Call it until it gives `None`; then send what was appended to `out`.
    ///
    /// # Errors
    /// If the connector said something that has no place here. It is told so in `out`, and the
    /// conversation is over.
    pub fn receive<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<EngineEvent<'a>>, SessionError> {
        if self.core.state == State::Closed {
            return if input.is_empty() { Ok(None) } else { Err(SessionError::Closed) };
        }
        let handled = match self.reader.next(input) {
            Ok(None) => return Ok(None),
            Ok(Some(frame)) => self.core.handle(&frame, out),
            Err(error) => Err(error.into()),
        };
        handled.map(Some).map_err(|error| self.core.fail(error, out))
    }

    /// Compares the connector's generation with the last one that the owner knows for its source.
    ///
    /// # Errors
    /// If it is older. The connector is told so in `out`, and the conversation is over.
    pub fn admit(
        &mut self,
        last_generation: Option<u64>,
        out: &mut Vec<u8>,
    ) -> Result<Admission, SessionError> {
        self.core.expect("admit", State::Greeted)?;
        let found = self.core.generation;
        let last = last_generation.unwrap_or(0);
        if found < last {
            return Err(self.core.fail(SessionError::Fenced { found, last }, out));
        }
        self.core.state = State::Admitted;
        let same = last_generation == Some(found);
        Ok(if same { Admission::Same } else { Admission::Raised })
    }

    /// Says Welcome: everything up to `resume` is durable, at the connector's `position`.
    ///
    /// The owner says next, by [`EngineSession::seal`], how much of it is sealed, and later what becomes
    /// so: a Sealed that an earlier connection was to carry may not have arrived, and a connector that
    /// is never told waits for ever.
    ///
    /// The window is how much may be under way at a time; less than [`WINDOW_RECORDS_MIN`] and
    /// [`WINDOW_BYTES_MIN`] is raised to those, so that every legal frame can be sent.
    ///
    /// # Errors
    /// If the connector was not admitted, or the position is longer than is allowed.
    pub fn welcome(
        &mut self,
        resume: u64,
        position: &[u8],
        window: Credit,
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        self.core.expect("welcome", State::Admitted)?;
        let credit = Credit {
            records: window.records.max(WINDOW_RECORDS_MIN),
            bytes: window.bytes.max(WINDOW_BYTES_MIN),
        };
        Welcome { resume, position, credit }.encode(out)?;
        self.core.received = resume;
        self.core.acked = Ack { sequence: resume, epoch: 0 };
        self.core.granted = credit;
        self.core.state = State::Open;
        Ok(())
    }

    /// Gives room back: that much of what was delivered is held no longer.
    ///
    /// # Errors
    /// If the conversation is not open.
    pub fn grant(&mut self, freed: Credit, out: &mut Vec<u8>) -> Result<(), SessionError> {
        self.core.expect("grant", State::Open)?;
        self.core.grant(freed, out);
        Ok(())
    }

    /// Says that everything up to a sequence is durable, in this epoch.
    ///
    /// # Errors
    /// If that sequence was not delivered, or one after it is durable already.
    pub fn acknowledge(&mut self, ack: Ack, out: &mut Vec<u8>) -> Result<(), SessionError> {
        self.core.expect("acknowledge", State::Open)?;
        self.core.check_order(ack.sequence, self.core.acked.sequence, self.core.received)?;
        ack.encode(out);
        self.core.acked = ack;
        Ok(())
    }

    /// Says that everything up to a sequence is vouched for and may be forgotten.
    ///
    /// # Errors
    /// If that sequence is not durable, or one after it is sealed already.
    pub fn seal(&mut self, sequence: u64, out: &mut Vec<u8>) -> Result<(), SessionError> {
        self.core.expect("seal", State::Open)?;
        self.core.check_order(sequence, self.core.sealed, self.core.acked.sequence)?;
        write_sealed(sequence, out);
        self.core.sealed = sequence;
        Ok(())
    }

    /// Says that the engine lives, although it takes nothing for a while.
    pub fn heartbeat(&mut self, out: &mut Vec<u8>) {
        if self.core.state == State::Open {
            write_heartbeat(0, out);
        }
    }

    /// Ends the conversation with an error, in whatever state it is.
    pub fn refuse(&mut self, code: ErrorCode, sequence: u64, message: &str, out: &mut Vec<u8>) {
        if self.core.state != State::Closed {
            ErrorReport { code, sequence, message, fatal: true }.encode(out);
            self.core.state = State::Closed;
        }
    }

    /// Ends the conversation in good order, as an engine does that stops.
    pub fn bye(&mut self, out: &mut Vec<u8>) {
        if self.core.state != State::Closed {
            write_bye(out);
            self.core.state = State::Closed;
        }
    }

    /// The generation that the connector named.
    pub fn generation(&self) -> u64 {
        self.core.generation
    }

    /// How many codes the dictionary defines: what [`Batch::facts`] needs.
    pub fn codes_defined(&self) -> u32 {
        self.core.codes
    }

    /// The last sequence that was delivered, or was durable before.
    pub fn received(&self) -> u64 {
        self.core.received
    }

    /// Whether Welcome was said and neither side ended the conversation.
    pub fn is_open(&self) -> bool {
        self.core.state == State::Open
    }
}

impl Core {
    fn expect(&self, command: &'static str, state: State) -> Result<(), SessionError> {
        if self.state == State::Closed {
            return Err(SessionError::Closed);
        }
        if self.state != state {
            return Err(SessionError::Misplaced { command, state: self.state.words() });
        }
        Ok(())
    }

    /// Tells the connector what is wrong and closes.
    fn fail(&mut self, error: SessionError, out: &mut Vec<u8>) -> SessionError {
        self.state = State::Closed;
        let mut message = error.to_string();
        if let Some(cause) = std::error::Error::source(&error) {
            message = format!("{message}: {cause}");
        }
        let sequence = self.received;
        ErrorReport { code: error.code(), sequence, message: &message, fatal: true }.encode(out);
        error
    }

    fn check_order(&self, sequence: u64, least: u64, greatest: u64) -> Result<(), SessionError> {
        if sequence < least {
            return Err(SessionError::Sequence { expected: least, found: sequence });
        }
        if sequence > greatest {
            return Err(SessionError::Sequence { expected: greatest, found: sequence });
        }
        Ok(())
    }

    fn grant(&mut self, freed: Credit, out: &mut Vec<u8>) {
        self.granted = self.granted.plus(freed);
        self.granted.encode(out);
    }

    fn charge(&mut self, cost: Credit) -> Result<(), SessionError> {
        let used = self.used.plus(cost);
        if !self.granted.covers(used) {
            let Credit { records, bytes } = self.granted;
            return Err(SessionError::CreditExceeded { records, bytes });
        }
        self.used = used;
        Ok(())
    }

    fn handle<'a>(
        &mut self,
        frame: &Frame<'a>,
        out: &mut Vec<u8>,
    ) -> Result<EngineEvent<'a>, SessionError> {
        let message = Message::decode(frame)?;
        match (self.state, message) {
            (State::Fresh, Message::Hello(hello)) => {
                if hello.version != VERSION {
                    let (found, supported) = (hello.version, VERSION);
                    return Err(SessionError::Version { found, supported });
                }
                self.generation = hello.generation;
                self.state = State::Greeted;
                Ok(EngineEvent::Hello(hello))
            }
            (State::Open, Message::Dictionary(definitions)) => self.define(definitions),
            (State::Open, Message::Batch(batch)) => self.take(batch, out),
            (State::Open, Message::Heartbeat { number }) => {
                write_heartbeat(number, out);
                Ok(EngineEvent::Heartbeat)
            }
            (State::Greeted | State::Admitted | State::Open, Message::Bye) => {
                self.state = State::Closed;
                Ok(EngineEvent::Bye)
            }
            (state, other) => {
                Err(SessionError::OutOfOrder { message: other.name(), state: state.words() })
            }
        }
    }

    fn define<'a>(&mut self, names: Definitions<'a>) -> Result<EngineEvent<'a>, SessionError> {
        if names.first != self.codes && names.first != 0 {
            let (expected, found) = (self.codes, u64::from(names.first));
            return Err(SessionError::DictionaryGap { expected, found });
        }
        let codes = names.first.checked_add(names.count);
        let codes = codes.filter(|codes| *codes <= DICTIONARY_CODES_MAX);
        let codes = codes.ok_or(SessionError::DictionaryFull)?;
        self.charge(Credit { records: 0, bytes: names.frame.len() as u64 })?;
        self.codes = codes;
        Ok(EngineEvent::Dictionary(names))
    }

    fn take<'a>(
        &mut self,
        batch: Batch<'a>,
        out: &mut Vec<u8>,
    ) -> Result<EngineEvent<'a>, SessionError> {
        self.charge(batch.cost())?;
        let expected = self.received.saturating_add(1);
        let found = batch.sequence;
        if found == expected {
            self.received = found;
            self.gap_reported = false;
            return Ok(EngineEvent::Batch(batch));
        }
        // It goes no further, so its credit is free at once.
        self.grant(batch.cost(), out);
        if found < expected {
            if found <= self.acked.sequence {
                self.acked.encode(out);
            }
            return Ok(EngineEvent::Duplicate { sequence: found });
        }
        if !self.gap_reported {
            self.gap_reported = true;
            let message = format!("batch {found} came where batch {expected} is expected");
            let code = ErrorCode::Gap;
            ErrorReport { code, sequence: expected, message: &message, fatal: false }.encode(out);
        }
        Ok(EngineEvent::Gap { expected, found })
    }
}
