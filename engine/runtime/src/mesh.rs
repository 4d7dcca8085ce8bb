//! Processes that work together: how they find each other, and how they notice that one is gone.
//!
//! A process opens two connections to each process before it and accepts two from each after it: one for
//! the dataflow, one for signs of life. Both sides show that they know the cluster's secret and that they
//! are of one build, one policy and one generation, within [`GREETING_PATIENCE`] (`join.rs`); only then is
//! the connection handed to the dataflow, which trusts what it reads. The first process gives the
//! generation; the others take it over, so that nobody who was left behind by a restart can join.
//!
//! With certificates ([`Certificates`]) all of that, and all that follows, is said over TLS (`line.rs`), to
//! those only whose certificate is for the name that the cluster gives them.
//!
//! Processes share one fate. Who hears nothing of another for [`SILENCE_MAX`], or whose connection ends
//! without a farewell (`pulse.rs`), ends itself, and whoever watches over it starts all of them again.

mod join;
mod line;
mod timed;
mod refused;
mod pulse;

use crate::clock::Clock;
use crate::error::RuntimeError;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use trueup_policy::Policy;
use trueup_tls::Identity;
use trueup_wire::mesh::{Greeting, Kind, fingerprint};

pub(crate) use line::Line;
pub use pulse::{Lost, Pulse};

/// How long a greeting may take.
pub const GREETING_PATIENCE: Duration = Duration::from_secs(5);
/// How often a process gives a sign of life.
pub const BEAT_EVERY: Duration = Duration::from_millis(500);
/// After how long a silence a process is lost.
pub const SILENCE_MAX: Duration = Duration::from_secs(3);

/// A process of a cluster, before it has joined.
#[derive(Clone, Debug)]
pub struct Member {
    /// Which process it is, from 0.
    pub process: usize,
    /// Where each process listens for those after it, in order: `host:port`.
    pub hosts: Vec<String>,
    /// How many workers each process has.
    pub workers: usize,
    /// What all of them know and nobody else.
    pub secret: Vec<u8>,
    /// A hash of the program.
    pub build: [u8; 32],
    /// A hash of what the workers are told.
    pub rules: [u8; 32],
    /// What the processes show each other; without, what they say is not encrypted.
    pub certificates: Option<Certificates>,
    /// How long to wait for the others.
    pub patience: Duration,
}

/// What processes show each other.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// What this process shows, and whom it believes.
    pub identity: Identity,
    /// For which name the certificate of each process must be, in order.
    pub names: Vec<String>,
}

/// Who is told of a loss, until processes leave in order.
#[derive(Clone)]
pub(crate) struct Telling {
    leaving: Arc<AtomicBool>,
    lost: Arc<dyn Fn(Lost) + Send + Sync>,
}

impl Telling {
    fn tell(&self, lost: Lost) {
        if !self.leaving.load(Ordering::SeqCst) {
            (self.lost)(lost);
        }
    }

    fn leave(&self) {
        self.leaving.store(true, Ordering::SeqCst);
    }
}

impl fmt::Debug for Telling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telling").field("leaving", &self.leaving).finish_non_exhaustive()
    }
}

/// A process that has joined: its connections to the others.
#[derive(Debug)]
pub struct Mesh {
    pub(crate) process: usize,
    pub(crate) workers: usize,
    /// For the dataflow, by process; `None` for itself.
    pub(crate) data: Vec<Option<Line>>,
    pulses: Vec<(usize, Line)>,
    generation: u64,
}

/// Something that nobody can guess.
///
/// # Errors
/// If the system has no chance to give.
pub fn secret() -> Result<[u8; 32], RuntimeError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| RuntimeError::Chance(error.to_string()))?;
    Ok(bytes)
}

/// A hash of what the workers of a policy are told.
pub fn rules_of(policy: &Policy) -> [u8; 32] {
    fingerprint(format!("{policy:?}").as_bytes())
}

impl Member {
    /// Finds the other processes, and waits until there is a connection of each kind to each of them.
    ///
    /// # Errors
    /// If a process does not come in time, or what it says does not fit.
    pub fn join(&self, clock: &dyn Clock) -> Result<Mesh, RuntimeError> {
        join::join(self, clock)
    }

    /// What it says of itself.
    fn greeting(&self, kind: Kind, generation: u64) -> Result<Greeting, RuntimeError> {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Greeting {
            kind,
            process: number(self.process),
            processes: number(self.hosts.len()),
            workers: number(self.workers),
            generation,
            build: self.build,
            rules: self.rules,
            nonce: secret()?,
        })
    }
}

impl Mesh {
    /// How many processes there are.
    pub fn processes(&self) -> usize {
        self.data.len()
    }

    /// The incarnation of the cluster.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Watches over the other processes from now on; `lost` is told of the first that is gone.
    ///
    /// # Errors
    /// If the system gives no threads.
    pub fn watch(
        &mut self,
        lost: impl Fn(Lost) + Send + Sync + 'static,
    ) -> Result<Pulse, RuntimeError> {
        let telling = Telling { leaving: Arc::default(), lost: Arc::new(lost) };
        for (process, line) in self.data.iter().enumerate() {
            if let Some(line) = line {
                line.watch(process, telling.clone());
            }
        }
        Pulse::start(std::mem::take(&mut self.pulses), telling)
    }
}

#[cfg(test)]
mod tests;
