//! The client of a connector program: connected as the arguments say, with the position that it marks.

use super::args::DeliveryArguments;
use super::exit::{Exit, Failure};
use super::position::Position;
use crate::client::clock::{Clock as _, SystemClock, wall_now};
use crate::client::transport::{Certificate, EngineDial, TcpTimeouts};
use crate::client::{Client, ClientSink, Metrics, Secret, Settings, Stop};
use std::time::Duration;
use trueup_tls::{Files, Identity, Role, TlsError};
use trueup_wire::limits::TOKEN_BYTES_MAX;

/// How long a pause lasts before it is looked whether the program is to end.
const PAUSE_SLICE: Duration = Duration::from_millis(100);

/// Delivers facts.
#[derive(Debug)]
pub(super) struct Delivery {
    client: Client<EngineDial, SystemClock>,
    /// Time since the program began.
    pub(super) clock: SystemClock,
    /// How far the source was read.
    pub(super) position: Position,
    /// Set when the program is to end.
    pub(super) stop: Stop,
}

/// What came of a delivery.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivered {
    /// The epoch in which a reader sees all of it; 0 if nothing was to be told.
    pub(super) epoch: u64,
    /// The counters of the client.
    pub(super) metrics: Metrics,
}

impl Delivery {
    /// Connects, and hears how far the source was read.
    pub(super) fn connect(
        arguments: &DeliveryArguments,
        patience: Option<Duration>,
        stop: Stop,
    ) -> Result<Self, Failure> {
        let now = wall_now();
        let started = u64::try_from(now.0).unwrap_or(0);
        let generation = arguments.generation.unwrap_or(started);
        let DeliveryArguments { tenant, source, engine, .. } = arguments;
        let settings = Settings {
            patience,
            stop: stop.clone(),
            retry_seed: started ^ u64::from(std::process::id()),
            ..Settings::new(tenant, source, generation, token(arguments)?)
        };
        let clock = SystemClock::start();
        let dial = EngineDial::new(engine, TcpTimeouts::default(), certificate(arguments)?);
        let (client, resume) = Client::connect(settings, dial, clock)?;
        let position = Position::read(&resume.position);
        tracing::info!(engine, source, sequence = resume.sequence, "connected");
        Ok(Self { client, clock, position, stop })
    }

    /// Gives facts to the client.
    pub(super) fn give<T>(
        &mut self,
        fill: impl FnOnce(&mut ClientSink<'_, EngineDial, SystemClock>) -> T,
    ) -> Result<T, Failure> {
        let mut sink = self.client.sink();
        let filled = fill(&mut sink);
        sink.finish()?;
        Ok(filled)
    }

    /// Marks the position up to which everything was given.
    pub(super) fn mark(&mut self) -> Result<(), Failure> {
        Ok(self.client.mark(&self.position.token())?)
    }

    /// Marks the position, and sends what was gathered.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.mark()?;
        Ok(self.client.flush()?)
    }

    /// Hears the engine, and keeps the connection alive.
    pub(super) fn poll(&mut self) -> Result<(), Failure> {
        Ok(self.client.poll()?)
    }

    /// Waits until it is time to look again, or to end.
    pub(super) fn rest(&self, pause: Duration) {
        let until = self.clock.now() + pause;
        while !self.stop.is_set() {
            let left = until.saturating_sub(self.clock.now());
            if left.is_zero() {
                return;
            }
            self.clock.pause(left.min(PAUSE_SLICE));
        }
    }

    /// Marks the position, waits until the engine has everything, and ends in good order.
    pub(super) fn close(mut self) -> Result<Delivered, Failure> {
        self.mark()?;
        let epoch = self.client.flush_and_wait()?.epoch;
        let metrics = self.client.close()?;
        Ok(Delivered { epoch, metrics })
    }
}

/// What the connector shows, and whom it believes, if it is told that.
fn certificate(arguments: &DeliveryArguments) -> Result<Option<Certificate>, Failure> {
    let DeliveryArguments { authority, certificate, key, engine, engine_name, .. } = arguments;
    let (Some(authority), Some(certificate), Some(key)) = (authority, certificate, key) else {
        return Ok(None);
    };
    let host = engine.rsplit_once(':').map_or(engine.as_str(), |(host, _)| host);
    let engine_name = engine_name.clone().unwrap_or_else(|| host.to_owned());
    let files =
        Files { certificate: certificate.clone(), key: key.clone(), authority: authority.clone() };
    let failed = |error: TlsError| {
        let is_unreadable = matches!(error, TlsError::File { .. });
        let exit = if is_unreadable { Exit::NoInput } else { Exit::Config };
        Failure::new(exit, error.to_string(), "certificates and keys are files in PEM form")
    };
    let identity = Identity::read(Role::Connector, files).map_err(failed)?;
    identity.check_name(&engine_name).map_err(failed)?;
    Ok(Some(Certificate { identity, engine_name }))
}

fn token(arguments: &DeliveryArguments) -> Result<Secret, Failure> {
    let Some(path) = &arguments.token_file else { return Ok(Secret::default()) };
    let text = std::fs::read(path).map_err(|error| {
        let message = format!("could not read the token file {}: {error}", path.display());
        Failure::new(Exit::NoInput, message, "look at the name and at who may read it")
    })?;
    let token = text.trim_ascii();
    if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
        let message = format!("the token file {} has {} bytes", path.display(), token.len());
        let hint = format!("a token has 1 to {TOKEN_BYTES_MAX} bytes");
        return Err(Failure::new(Exit::Config, message, hint));
    }
    Ok(Secret(token.to_vec()))
}
