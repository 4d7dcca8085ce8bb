//! Sending facts to an engine, whatever the network and the engine do meanwhile.
//!
//! A [`Client`] takes facts with names, gathers them into batches, and holds each batch until the
//! engine has sealed it. When a connection fails it makes another, hears from the engine what is
//! durable, and sends the rest again, with the same sequences, so that the engine takes each batch
//! once. When the engine is slow or away, the caller waits: what is held never grows beyond its limit.
//! The connector's own position, an opaque token, travels with the batches and comes back when the
//! next process of the source begins.
//!
//! An error is final for a client; what another attempt may help against is tried again inside, as long
//! as the settings say and nobody asked it to stop. Then one last attempt is made, without a pause.
//!
//! There is no thread behind a client: things happen while it is called. A connector that waits for
//! its source calls [`Client::poll`] every few seconds.

pub mod error;
pub mod clock;
pub mod settings;
pub mod stop;
pub mod retry;
pub mod metrics;
pub mod dictionary;
pub mod batch;
pub mod transport;
pub mod connection;
mod held;
pub mod sink;

use batch::{CannotAdd, Gathered, Origin, reshape};
use clock::Clock;
use connection::{Connection, News};
use dictionary::Dictionary;
use held::Held;
use retry::Retry;
use std::time::Duration;
use transport::Dial;
use trueup_model::fact::Fact;
use trueup_wire::Columns;
use trueup_wire::limits::POSITION_BYTES_MAX;
use trueup_wire::message::Ack;

pub use connection::Resume;
pub use error::ClientError;
pub use metrics::Metrics;
pub use settings::{Secret, Settings};
pub use sink::ClientSink;
pub use stop::Stop;

/// How long a pause lasts before the client looks whether it is to stop.
const PAUSE_SLICE: Duration = Duration::from_millis(200);

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// Everything that is held was sent on this connection.
    Sent,
    /// What is held is within its limit, and all of it was sent.
    Room,
    /// Everything is sealed.
    Sealed,
}

/// Sends the facts of one source to one engine.
#[derive(Debug)]
pub struct Client<D: Dial, C> {
    settings: Settings,
    dial: D,
    clock: C,
    retry: Retry,
    connection: Option<Connection<D::Transport>>,
    /// When to connect again.
    connect_at: Duration,
    /// Since when every attempt failed.
    failing_since: Option<Duration>,
    dictionary: Dictionary,
    gathered: Gathered,
    /// The position up to which everything was given.
    position: Vec<u8>,
    /// Whether no batch carries it yet.
    position_is_new: bool,
    held: Held,
    /// The last acknowledgement.
    ack: Ack,
    metrics: Metrics,
}

impl<D: Dial, C: Clock> Client<D, C> {
    /// Connects; gives the client and where the engine resumes.
    ///
    /// # Errors
    /// If the engine refuses, or every attempt that the settings allow failed.
    pub fn connect(settings: Settings, dial: D, clock: C) -> Result<(Self, Resume), ClientError> {
        let retry = Retry::new(settings.retry, settings.retry_seed);
        let (codes, bytes) = (settings.dictionary_codes_max, settings.dictionary_bytes_max);
        let mut client = Self {
            gathered: Gathered::new(settings.batch),
            dictionary: Dictionary::with_limits(codes, bytes),
            settings,
            dial,
            clock,
            retry,
            connection: None,
            connect_at: Duration::ZERO,
            failing_since: None,
            position: Vec::new(),
            position_is_new: false,
            held: Held::default(),
            ack: Ack::default(),
            metrics: Metrics::default(),
        };
        loop {
            if let Some(resume) = client.settle_connect()? {
                let sequence = resume.sequence;
                client.ack.sequence = sequence;
                client.metrics.durable_sequence = sequence;
                client.position.clone_from(&resume.position);
                return Ok((client, resume));
            }
            client.pause();
        }
    }

    /// Takes a fact; sends a batch when there are enough, and waits when too much is held.
    ///
    /// # Errors
    /// If the engine refuses, or every attempt that the settings allow failed. That is final: the
    /// next process of the source reads on from the position that the engine has.
    pub fn accept(&mut self, fact: Fact<&str>) -> Result<(), ClientError> {
        self.metrics.facts_total += 1;
        match self.gathered.add(fact.clone(), &mut self.dictionary) {
            Ok(()) => {}
            Err(CannotAdd::Full) => self.add_to_new_dictionary(fact)?,
            Err(CannotAdd::TooLong) => self.add_reshaped(fact)?,
        }
        if self.gathered.is_full() {
            self.cut()?;
            self.advance(Until::Room)?;
        }
        Ok(())
    }

    /// Says that everything up to this position of the source was given.
    ///
    /// The position reaches the engine with the next batch, and comes back in a [`Resume`] once that
    /// batch is durable.
    ///
    /// # Errors
    /// If the position is longer than the wire allows.
    pub fn mark(&mut self, position: &[u8]) -> Result<(), ClientError> {
        if position.len() > POSITION_BYTES_MAX {
            let (found, limit) = (position.len(), POSITION_BYTES_MAX);
            return Err(ClientError::PositionTooLong { found, limit });
        }
        if self.position != position {
            self.position = position.to_vec();
            self.position_is_new = true;
        }
        Ok(())
    }

    /// Sends what was gathered, with the position.
    ///
    /// # Errors
    /// As [`Client::accept`].
    pub fn flush(&mut self) -> Result<(), ClientError> {
        self.cut()?;
        self.advance(Until::Room)
    }

    /// Sends what was gathered, and waits until everything is sealed.
    ///
    /// Gives the last acknowledgement: the epoch in which a reader sees all of it.
    ///
    /// # Errors
    /// As [`Client::accept`].
    pub fn flush_and_wait(&mut self) -> Result<Ack, ClientError> {
        self.cut()?;
        self.advance(Until::Sealed)?;
        Ok(self.ack)
    }

    /// Hears what the engine said, sends what is still to be sent, keeps the connection alive; does not
    /// wait for it. A connection that failed is made again when it is time.
    ///
    /// # Errors
    /// As [`Client::accept`].
    pub fn poll(&mut self) -> Result<(), ClientError> {
        if self.connection.is_none() {
            if self.clock.now() < self.connect_at {
                return Ok(());
            }
            self.settle_connect()?;
        }
        let stepped = self.step(Duration::ZERO, Until::Sent);
        self.settle(stepped).map(|_| ())
    }

    /// Waits until everything is sealed, and ends the conversation in good order.
    ///
    /// # Errors
    /// As [`Client::accept`].
    pub fn close(mut self) -> Result<Metrics, ClientError> {
        self.flush_and_wait()?;
        if let Some(connection) = &mut self.connection {
            // Everything is safe with the engine; whether it hears this does not matter.
            let _ = connection.bye();
        }
        Ok(self.metrics())
    }

    /// The last acknowledgement: up to which sequence everything is durable, and in which epoch.
    pub fn acknowledged(&self) -> Ack {
        self.ack
    }

    /// A sink for formats that gives its facts to this client.
    pub fn sink(&mut self) -> ClientSink<'_, D, C> {
        ClientSink::new(self)
    }

    /// The counters.
    pub fn metrics(&self) -> Metrics {
        let (held_batches, held_bytes) = (self.held.len() as u64, self.held.bytes() as u64);
        let last_sequence = self.held.last_sequence();
        Metrics { held_batches, held_bytes, last_sequence, ..self.metrics }
    }

    /// Counts a remark that is no fact.
    fn count_note(&mut self) {
        self.metrics.notes_total += 1;
    }

    /// Starts the dictionary anew, once nothing that is held needs it, and adds the fact.
    fn add_to_new_dictionary(&mut self, fact: Fact<&str>) -> Result<(), ClientError> {
        self.cut()?;
        self.advance(Until::Sealed)?;
        self.dictionary.clear();
        self.metrics.dictionary_restarts_total += 1;
        if let Some(connection) = &mut self.connection {
            connection.defined = 0;
        }
        match self.gathered.add(fact.clone(), &mut self.dictionary) {
            Ok(()) => Ok(()),
            Err(CannotAdd::TooLong) => self.add_reshaped(fact),
            // A dictionary that has no room for one fact is a mistake of the settings.
            Err(CannotAdd::Full) => Err(ClientError::DictionaryTooSmall),
        }
    }

    /// Adds a fact with too long a name, in a form that the wire allows.
    fn add_reshaped(&mut self, fact: Fact<&str>) -> Result<(), ClientError> {
        let Settings { tenant, source, .. } = &self.settings;
        let (tenant, source) = (tenant.clone(), source.clone());
        let origin = Origin { tenant: &tenant, source: &source };
        let (taken, added) = reshape(fact, origin, |shaped| {
            match self.gathered.add(shaped.clone(), &mut self.dictionary) {
                Ok(()) => Ok(()),
                Err(CannotAdd::Full) => self.add_to_new_dictionary(shaped),
                Err(CannotAdd::TooLong) => unreachable!("a reshaped fact has no long names"),
            }
        });
        self.metrics.shortened_total += taken.shortened;
        self.metrics.rejected_total += u64::from(taken.rejected);
        added
    }

    /// Makes batches of what was gathered; the last one carries the position.
    fn cut(&mut self) -> Result<(), ClientError> {
        if self.gathered.is_empty() && !self.position_is_new {
            return Ok(());
        }
        let mut batches = self.gathered.cut()?;
        if batches.is_empty() {
            batches.push(Columns::empty());
        }
        let last = batches.len() - 1;
        for (index, columns) in batches.iter().enumerate() {
            let moves = self.position_is_new && index == last;
            let position = if moves { self.position.as_slice() } else { &[] };
            self.held.make(position, columns, self.dictionary.len())?;
            self.metrics.batches_total += 1;
        }
        self.position_is_new = false;
        Ok(())
    }

    /// Connects, hears and sends until what is waited for is so.
    fn advance(&mut self, until: Until) -> Result<(), ClientError> {
        let mut wait = Duration::ZERO;
        loop {
            if self.connection.is_none() {
                self.pause();
                if self.settle_connect()?.is_none() {
                    continue;
                }
                wait = Duration::ZERO;
            }
            let stepped = self.step(wait, until);
            if self.settle(stepped)? == Some(true) {
                return Ok(());
            }
            wait = self.settings.heartbeat_after;
        }
    }

    /// Hears, waiting that long, and sends as much as it may; true if what is waited for is so.
    fn step(&mut self, wait: Duration, until: Until) -> Result<bool, ClientError> {
        self.hear(wait)?;
        while let Some(held) = self.held.next() {
            let Some(connection) = &mut self.connection else { return Ok(false) };
            if !connection.define(&self.dictionary, held.codes)? {
                break;
            }
            let sent = connection.send(&held.frame);
            if let Ok(false) = sent {
                break;
            }
            // Of what failed on the way, a part may have arrived.
            self.metrics.resent_batches_total += u64::from(held.sent);
            held.sent = true;
            sent?;
            self.metrics.sent_bytes_total += held.frame.bytes().len() as u64;
            self.held.pass();
            // Hearing between batches keeps the two sides from waiting for each other.
            self.hear(Duration::ZERO)?;
        }
        if let Some(connection) = &mut self.connection {
            connection.keep_alive(&self.clock, &self.settings)?;
        }
        let sent = self.held.all_passed();
        Ok(match until {
            Until::Sent => sent,
            Until::Room => sent && self.held.bytes() <= self.settings.held_bytes_max,
            Until::Sealed => self.held.len() == 0,
        })
    }

    /// Takes what the engine said, waiting that long for it.
    fn hear(&mut self, wait: Duration) -> Result<(), ClientError> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let news = connection.news(wait, &self.clock, &self.settings)?;
        self.note(news);
        Ok(())
    }

    /// Notes what the engine said.
    fn note(&mut self, news: News) {
        let News { ack, sealed, alive } = news;
        // A Welcome alone is no success: an engine that says it and fails is not to be hurried.
        if ack.is_some() || sealed.is_some() || alive {
            self.retry.succeeded();
            self.failing_since = None;
        }
        if let Some(ack) = ack.filter(|ack| ack.sequence >= self.ack.sequence) {
            self.ack = ack;
            self.metrics.durable_sequence = ack.sequence;
        }
        if let Some(sealed) = sealed {
            self.held.forget_up_to(sealed);
            self.metrics.sealed_sequence = self.metrics.sealed_sequence.max(sealed);
        }
    }

    /// Makes a connection; `None` if that failed and is to be tried again later.
    fn settle_connect(&mut self) -> Result<Option<Resume>, ClientError> {
        let opened = Connection::open(&mut self.dial, &self.settings, &self.clock);
        let opened = opened.and_then(|(connection, resume, news)| {
            if self.metrics.connections_total == 0 {
                self.held.begin_after(resume.sequence);
            }
            self.held.resume_after(resume.sequence)?;
            self.connection = Some(connection);
            self.metrics.connections_total += 1;
            if self.metrics.connections_total > 1 {
                let sequence = resume.sequence;
                tracing::info!(engine = self.dial.address(), sequence, "connected again");
            }
            self.note(news);
            Ok(resume)
        });
        self.settle(opened)
    }

    /// Sorts out how something went: an error that another connection may help against drops this one.
    fn settle<T>(&mut self, done: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
        let error = match done {
            Ok(done) => return Ok(Some(done)),
            Err(error) => error,
        };
        self.connection = None;
        self.metrics.failures_total += 1;
        if !error.retry_may_help() {
            return Err(error);
        }
        if self.settings.stop.is_set() && self.retry.failures() > 0 {
            let held_batches = self.held.len();
            return Err(ClientError::Stopped { held_batches, source: Box::new(error) });
        }
        match self.next_pause() {
            Some(pause) => {
                tracing::warn!(error = %error, pause_ms = pause.as_millis(), "connection failed");
                self.connect_at = self.clock.now() + pause;
                Ok(None)
            }
            None => {
                let attempts = self.retry.failures();
                Err(ClientError::GaveUp { attempts, source: Box::new(error) })
            }
        }
    }

    /// The pause before the next attempt; `None` if it is time to give up.
    fn next_pause(&mut self) -> Option<Duration> {
        let now = self.clock.now();
        let since = *self.failing_since.get_or_insert(now);
        let pause = self.retry.failed()?;
        let Some(patience) = self.settings.patience else { return Some(pause) };
        let left = (since + patience).saturating_sub(now);
        (!left.is_zero()).then(|| pause.min(left))
    }

    /// Waits until it is time to connect, or to stop.
    fn pause(&self) {
        while !self.settings.stop.is_set() {
            let left = self.connect_at.saturating_sub(self.clock.now());
            if left.is_zero() {
                return;
            }
            self.clock.pause(left.min(PAUSE_SLICE));
        }
    }
}

#[cfg(test)]
mod tests;
