//! The connector's end of a conversation.

use crate::error::SessionError;
use crate::frame::{Frame, FrameReader, VERSION};
use crate::limits::DICTIONARY_CODES_MAX;
use crate::message::{
    Ack, BatchFrame, Credit, ErrorReport, Hello, Message, Welcome, write_bye, write_definitions,
    write_heartbeat,
};
use trueup_model::id::NameKind;

/// What the engine said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectorEvent<'a> {
    /// The connector is admitted; batches may be sent from `resume + 1` on.
    Welcome(Welcome<'a>),
    /// More may be sent.
    Credit,
    /// Everything up to this is durable.
    Ack(Ack),
    /// Everything up to this sequence may be forgotten.
    Sealed(u64),
    /// Something is wrong; if it is fatal, the conversation is over.
    Error(ErrorReport<'a>),
    /// The answer to a heartbeat.
    Heartbeat(u64),
    /// The engine ends the conversation in good order.
    Bye,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was said.
    Fresh,
    /// Hello was said.
    Greeting,
    /// Welcome was heard.
    Open,
    /// It is over.
    Closed,
}

impl State {
    fn words(self) -> &'static str {
        match self {
            Self::Fresh => "before Hello",
            Self::Greeting => "between Hello and Welcome",
            Self::Open => "after Welcome",
            Self::Closed => "over",
        }
    }
}

/// The connector's end.
#[derive(Debug)]
pub struct ConnectorSession {
    reader: FrameReader,
    core: Core,
}

/// All but the reader, which an event may borrow from.
#[derive(Debug)]
struct Core {
    state: State,
    /// The last sequence sent, or that the engine has.
    sent: u64,
    granted: Credit,
    used: Credit,
    /// The codes that were defined in this conversation.
    codes: u32,
}

impl Default for ConnectorSession {
    fn default() -> Self {
        let (granted, used) = (Credit::default(), Credit::default());
        let core = Core { state: State::Fresh, sent: 0, granted, used, codes: 0 };
        Self { reader: FrameReader::new(), core }
    }
}

impl ConnectorSession {
    /// A conversation in which nothing was said.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says Hello. The version is this build's, whatever `hello` says.
    ///
    /// # Errors
    /// If Hello was said before, or a field is longer than is allowed.
    pub fn hello(&mut self, hello: &Hello<'_>, out: &mut Vec<u8>) -> Result<(), SessionError> {
        self.core.expect("hello", State::Fresh)?;
        Hello { version: VERSION, ..*hello }.encode(out)?;
        self.core.state = State::Greeting;
        Ok(())
    }

    /// Defines names with the codes from `first` on, in one frame; gives how many had room in it.
    ///
    /// `first` is the next code, or 0 to start the dictionary anew.
    ///
    /// # Errors
    /// If the codes have a gap or are too many, a name is longer than is allowed, or there is no
    /// credit for the frame; nothing is appended then.
    pub fn define<'n>(
        &mut self,
        first: u32,
        names: impl Iterator<Item = (NameKind, &'n str)> + Clone,
        out: &mut Vec<u8>,
    ) -> Result<u32, SessionError> {
        self.core.expect("define", State::Open)?;
        if first != self.core.codes && first != 0 {
            let (expected, found) = (self.core.codes, u64::from(first));
            return Err(SessionError::DictionaryGap { expected, found });
        }
        let start = out.len();
        let count = write_definitions(first, names, out)?;
        let codes = first.checked_add(count).filter(|codes| *codes <= DICTIONARY_CODES_MAX);
        let cost = Credit { records: 0, bytes: (out.len() - start) as u64 };
        let charged = match codes {
            Some(_) => self.core.charge(cost),
            None => Err(SessionError::DictionaryFull),
        };
        if let Err(error) = charged {
            out.truncate(start);
            return Err(error);
        }
        self.core.codes = first + count;
        Ok(count)
    }

    /// Accounts for a batch, whose bytes the caller sends next, as they are.
    ///
    /// # Errors
    /// If it is not the next batch, or there is no credit for it.
    pub fn batch(&mut self, batch: &BatchFrame) -> Result<(), SessionError> {
        self.core.expect("batch", State::Open)?;
        let (expected, found) = (self.core.sent.saturating_add(1), batch.sequence());
        if found != expected {
            return Err(SessionError::Sequence { expected, found });
        }
        self.core.charge(batch.cost())?;
        self.core.sent = found;
        Ok(())
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// If the conversation is not open.
    pub fn heartbeat(&mut self, number: u64, out: &mut Vec<u8>) -> Result<(), SessionError> {
        self.core.expect("heartbeat", State::Open)?;
        write_heartbeat(number, out);
        Ok(())
    }

    /// Ends the conversation in good order.
    ///
    /// # Errors
    /// If it is not open.
    pub fn bye(&mut self, out: &mut Vec<u8>) -> Result<(), SessionError> {
        self.core.expect("bye", State::Open)?;
        write_bye(out);
        self.core.state = State::Closed;
        Ok(())
    }

    /// Takes bytes from the front of `input` and gives the next event, or `None` when `input` is
    /// used up. Call it until it gives `None`.
    ///
    /// # Errors
    /// If the engine said something that has no place here. The conversation is over then.
    pub fn receive<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<ConnectorEvent<'a>>, SessionError> {
        if self.core.state == State::Closed {
            return if input.is_empty() { Ok(None) } else { Err(SessionError::Closed) };
        }
        let handled = match self.reader.next(input) {
            Ok(None) => return Ok(None),
            Ok(Some(frame)) => self.core.handle(&frame),
            Err(error) => Err(error.into()),
        };
        match handled {
            Ok(event) => Ok(Some(event)),
            Err(error) => {
                self.core.state = State::Closed;
                Err(error)
            }
        }
    }

    /// Whether there is credit for this much.
    pub fn has_credit(&self, cost: Credit) -> bool {
        self.core.granted.covers(self.core.used.plus(cost))
    }

    /// How many codes the dictionary of the conversation has.
    pub fn codes_defined(&self) -> u32 {
        self.core.codes
    }

    /// Whether the engine admitted the connector and neither side ended the conversation.
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

    fn charge(&mut self, cost: Credit) -> Result<(), SessionError> {
        let used = self.used.plus(cost);
        if !self.granted.covers(used) {
            let Credit { records, bytes } = cost;
            return Err(SessionError::NoCredit { records, bytes });
        }
        self.used = used;
        Ok(())
    }

    fn handle<'a>(&mut self, frame: &Frame<'a>) -> Result<ConnectorEvent<'a>, SessionError> {
        let message = Message::decode(frame)?;
        match (self.state, message) {
            (State::Greeting, Message::Welcome(welcome)) => {
                self.sent = welcome.resume;
                self.granted = welcome.credit;
                self.state = State::Open;
                Ok(ConnectorEvent::Welcome(welcome))
            }
            (State::Open, Message::Credit(credit)) => {
                // Totals only grow; an older Credit says nothing new.
                self.granted.records = self.granted.records.max(credit.records);
                self.granted.bytes = self.granted.bytes.max(credit.bytes);
                Ok(ConnectorEvent::Credit)
            }
            (State::Open, Message::Ack(ack)) => {
                self.check_sent(ack.sequence)?;
                Ok(ConnectorEvent::Ack(ack))
            }
            (State::Open, Message::Sealed { sequence }) => {
                self.check_sent(sequence)?;
                Ok(ConnectorEvent::Sealed(sequence))
            }
            (State::Open, Message::Heartbeat { number }) => Ok(ConnectorEvent::Heartbeat(number)),
            (State::Greeting | State::Open, Message::Error(report)) => {
                if report.fatal {
                    self.state = State::Closed;
                }
                Ok(ConnectorEvent::Error(report))
            }
            (State::Greeting | State::Open, Message::Bye) => {
                self.state = State::Closed;
                Ok(ConnectorEvent::Bye)
            }
            (state, other) => {
                Err(SessionError::OutOfOrder { message: other.name(), state: state.words() })
            }
        }
    }

    fn check_sent(&self, found: u64) -> Result<(), SessionError> {
        if found > self.sent {
            return Err(SessionError::NeverSent { found, sent: self.sent });
        }
        Ok(())
    }
}
