//! One connection: a transport, the conversation on it, and what the engine said last.
//!
//! Begins with Hello and Welcome. Everything that the engine says becomes an event for the client;
//! everything that goes wrong becomes an error that says whether another connection may help.

use super::clock::Clock;
use super::dictionary::Dictionary;
use super::error::ClientError;
use super::settings::Settings;
use super::transport::{Dial, Received, Transport};
use std::time::Duration;
use trueup_wire::message::{Ack, BatchFrame, ErrorReport, Hello, Token};
use trueup_wire::session::ConnectorEvent;
use trueup_wire::{ConnectorSession, ErrorCode, SessionError};

/// Where the engine resumes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// The last batch that is durable.
    pub sequence: u64,
    /// The connector's own position, as it came with that batch or an earlier one; empty for none.
    pub position: Vec<u8>,
}

/// What the engine said, as far as it concerns what is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// The greatest acknowledgement.
    pub(super) ack: Option<Ack>,
    /// The greatest sequence that is sealed.
    pub(super) sealed: Option<u64>,
    /// Whether it answered a heartbeat.
    pub(super) alive: bool,
}

impl News {
    fn take(&mut self, event: ConnectorEvent<'_>) {
        match event {
            ConnectorEvent::Ack(ack) => self.ack = Some(ack),
            ConnectorEvent::Sealed(sequence) => self.sealed = Some(sequence),
            ConnectorEvent::Heartbeat(_) => self.alive = true,
            ConnectorEvent::Welcome(_)
            | ConnectorEvent::Credit
            | ConnectorEvent::Error(_)
            | ConnectorEvent::Bye => {}
        }
    }
}

/// A connection on which the engine said Welcome.
#[derive(Debug)]
pub(super) struct Connection<T> {
    transport: T,
    address: String,
    session: ConnectorSession,
    out: Vec<u8>,
    /// How many codes of the dictionary were defined on it.
    pub(super) defined: u32,
    /// When the engine was heard last.
    heard_at: Duration,
    /// When it was asked for a sign of life since then.
    asked: bool,
}

impl<T: Transport> Connection<T> {
    /// Connects, says Hello and waits for Welcome; gives what the engine said with it.
    pub(super) fn open<D: Dial<Transport = T>>(
        dial: &mut D,
        settings: &Settings,
        clock: &impl Clock,
    ) -> Result<(Self, Resume, News), ClientError> {
        let address = dial.address();
        let transport = dial.dial();
        let transport =
            transport.map_err(|source| ClientError::unconnected(address.clone(), source))?;
        let session = ConnectorSession::new();
        let heard_at = clock.now();
        let mut connection = Self {
            transport,
            address,
            session,
            out: Vec::new(),
            defined: 0,
            heard_at,
            asked: false,
        };
        let hello = Hello {
            version: 0,
            tenant: &settings.tenant,
            source: &settings.source,
            generation: settings.generation,
            token: Token(&settings.token.0),
        };
        connection.session.hello(&hello, &mut connection.out)?;
        connection.send_out()?;
        let (mut resume, mut news) = (None, News::default());
        loop {
            let wait = connection.time_left(settings.silence_max, clock);
            // More may come with the Welcome, and counts.
            connection.hear(wait, clock, settings, &mut |event| {
                if let ConnectorEvent::Welcome(welcome) = event {
                    let position = welcome.position.to_vec();
                    resume = Some(Resume { sequence: welcome.resume, position });
                }
                news.take(event);
            })?;
            if let Some(resume) = resume.take() {
                return Ok((connection, resume, news));
            }
            connection.check_silence(settings.silence_max, clock)?;
        }
    }

    /// Takes what the engine said, waiting that long for the first of it.
    pub(super) fn news(
        &mut self,
        wait: Duration,
        clock: &impl Clock,
        settings: &Settings,
    ) -> Result<News, ClientError> {
        let mut news = News::default();
        self.hear(wait, clock, settings, &mut |event| news.take(event))?;
        Ok(news)
    }

    /// Asks for a sign of life after some silence; gives up after more of it.
    pub(super) fn keep_alive(
        &mut self,
        clock: &impl Clock,
        settings: &Settings,
    ) -> Result<(), ClientError> {
        self.check_silence(settings.silence_max, clock)?;
        let silence = clock.now().saturating_sub(self.heard_at);
        if silence >= settings.heartbeat_after && !self.asked {
            self.asked = true;
            self.session.heartbeat(0, &mut self.out)?;
            self.send_out()?;
        }
        Ok(())
    }

    /// Defines what is still to be defined of the first `needed` codes; false if credit is lacking.
    pub(super) fn define(
        &mut self,
        dictionary: &Dictionary,
        needed: u32,
    ) -> Result<bool, ClientError> {
        while self.defined < needed {
            let names = dictionary.names(self.defined, needed);
            match self.session.define(self.defined, names, &mut self.out) {
                Ok(count) => self.defined += count,
                Err(SessionError::NoCredit { .. }) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
            self.send_out()?;
        }
        Ok(true)
    }

    /// Sends a batch; false if credit is lacking.
    pub(super) fn send(&mut self, batch: &BatchFrame) -> Result<bool, ClientError> {
        match self.session.batch(batch) {
            Ok(()) => {}
            Err(SessionError::NoCredit { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let sent = self.transport.send(batch.bytes());
        sent.map_err(|source| self.broken(source))?;
        Ok(true)
    }

    /// Ends the conversation in good order.
    pub(super) fn bye(&mut self) -> Result<(), ClientError> {
        self.session.bye(&mut self.out)?;
        self.send_out()
    }

    fn broken(&self, source: std::io::Error) -> ClientError {
        ClientError::broken(self.address.clone(), source)
    }

    fn send_out(&mut self) -> Result<(), ClientError> {
        let sent = self.transport.send(&self.out);
        self.out.clear();
        sent.map_err(|source| self.broken(source))
    }

    fn time_left(&self, limit: Duration, clock: &impl Clock) -> Duration {
        (self.heard_at + limit).saturating_sub(clock.now())
    }

    fn check_silence(&self, silence: Duration, clock: &impl Clock) -> Result<(), ClientError> {
        if self.time_left(silence, clock).is_zero() {
            return Err(ClientError::Silent { address: self.address.clone(), silence });
        }
        Ok(())
    }

    /// Gives each event to `each`, as many as are there; waits that long for the first.
    fn hear(
        &mut self,
        wait: Duration,
        clock: &impl Clock,
        settings: &Settings,
        each: &mut dyn FnMut(ConnectorEvent<'_>),
    ) -> Result<(), ClientError> {
        let mut wait = wait;
        loop {
            let mut input = match self.transport.receive(wait) {
                Ok(Received::Bytes(bytes)) => bytes,
                Ok(Received::Nothing) => return Ok(()),
                Ok(Received::Ended) => {
                    return Err(ClientError::Ended { address: self.address.clone() });
                }
                Err(source) => {
                    return Err(ClientError::broken(self.address.clone(), source));
                }
            };
            (self.heard_at, self.asked) = (clock.now(), false);
            while let Some(event) = self.session.receive(&mut input)? {
                match event {
                    ConnectorEvent::Error(report) => return Err(refusal(&report, settings)),
                    ConnectorEvent::Bye => {
                        return Err(ClientError::Ended { address: self.address.clone() });
                    }
                    ConnectorEvent::Welcome(_)
                    | ConnectorEvent::Credit
                    | ConnectorEvent::Ack(_)
                    | ConnectorEvent::Sealed(_)
                    | ConnectorEvent::Heartbeat(_) => each(event),
                }
            }
            wait = Duration::ZERO;
        }
    }
}

/// What the engine's error means for the connector.
fn refusal(report: &ErrorReport<'_>, settings: &Settings) -> ClientError {
    let words = report.message.to_owned();
    let source_name = settings.source.clone();
    match report.code {
        ErrorCode::Unauthorized => {
            ClientError::Unauthorized { tenant: settings.tenant.clone(), source_name, words }
        }
        ErrorCode::Fenced => ClientError::Fenced { source_name, words },
        ErrorCode::Version => ClientError::Version { words },
        code @ (ErrorCode::Malformed
        | ErrorCode::OutOfOrder
        | ErrorCode::Gap
        | ErrorCode::Credit
        | ErrorCode::Dictionary
        | ErrorCode::BadBatch
        | ErrorCode::Busy
        | ErrorCode::Unavailable) => ClientError::Refused { code, words },
    }
}
