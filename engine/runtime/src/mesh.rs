//! Processes that work together: how they find each other, and how they notice that one is gone.
//!
//! A process opens two connections to each process before it and accepts two from each after it: one for
//! the dataflow, one for signs of life. Both sides show that they know the cluster's secret and that they
//! are of one build, one policy and one generation, within [`GREETING_PATIENCE`] (`join.rs`); only then is
//! the connection handed to the dataflow, which trusts what it reads. The first process gives the
//! generation; the others take it over, so that nobody who was left behind by a restart can join.
//!
//! Processes share one fate. Who hears nothing of another for [`SILENCE_MAX`], or whose connection ends
//! without a farewell (`pulse.rs`), ends itself, and whoever watches over it starts all of them again.

mod join;
mod pulse;

use crate::clock::Clock;
use crate::error::RuntimeError;
use std::net::TcpStream;
use std::time::Duration;
use trueup_policy::Policy;
use trueup_wire::mesh::{Greeting, Kind, fingerprint};

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
    /// How long to wait for the others.
    pub patience: Duration,
}

/// A process that has joined: its connections to the others.
#[derive(Debug)]
pub struct Mesh {
    pub(crate) process: usize,
    pub(crate) workers: usize,
    /// For the dataflow, by process; `None` for itself.
    pub(crate) data: Vec<Option<TcpStream>>,
    pulses: Vec<(usize, TcpStream)>,
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
        Pulse::start(std::mem::take(&mut self.pulses), lost)
    }
}

#[cfg(test)]
mod tests;
