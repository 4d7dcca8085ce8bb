//! How a connector sends: who it is, how much it gathers and holds, how long it waits.

use super::batch::BatchLimits;
use super::dictionary::DICTIONARY_BYTES_MAX;
use super::retry::RetryPolicy;
use super::stop::Stop;
use std::fmt;
use std::time::Duration;
use trueup_wire::limits::DICTIONARY_CODES_MAX;

/// How a connector sends.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose facts they are.
    pub tenant: String,
    /// The source: the name that the engine keeps the connector's position under.
    pub source: String,
    /// Greater for every new process of this source, such as the time when it began.
    pub generation: u64,
    /// What proves to the engine that the connector may send.
    pub token: Secret,
    /// When a batch is large enough.
    pub batch: BatchLimits,
    /// How many bytes of batches are held that are not sealed; with more, the caller waits.
    pub held_bytes_max: usize,
    /// How many names the dictionary holds before it starts anew.
    pub dictionary_codes_max: usize,
    /// How many bytes of text it holds before that.
    pub dictionary_bytes_max: usize,
    /// How to go on after a failure.
    pub retry: RetryPolicy,
    /// After how long without an engine that answers to give up; `None` for never.
    pub patience: Option<Duration>,
    /// Set by whoever wants the client to wait no longer.
    pub stop: Stop,
    /// What the pauses between attempts are drawn from; different for each process.
    pub retry_seed: u64,
    /// After what silence the engine is asked for a sign of life.
    pub heartbeat_after: Duration,
    /// After what silence the connection is given up.
    pub silence_max: Duration,
}

impl Settings {
    /// The usual settings of a source: 8,192 facts a batch, 64 MiB held, 10 s and 30 s of silence,
    /// and attempts for ever.
    pub fn new(
        tenant: impl Into<String>,
        source: impl Into<String>,
        generation: u64,
        token: Secret,
    ) -> Self {
        Self {
            tenant: tenant.into(),
            source: source.into(),
            generation,
            token,
            batch: BatchLimits::default(),
            held_bytes_max: 64 * 1024 * 1024,
            dictionary_codes_max: DICTIONARY_CODES_MAX as usize,
            dictionary_bytes_max: DICTIONARY_BYTES_MAX,
            retry: RetryPolicy::default(),
            patience: None,
            stop: Stop::default(),
            retry_seed: generation,
            heartbeat_after: Duration::from_secs(10),
            silence_max: Duration::from_secs(30),
        }
    }
}

/// Bytes that are never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}
