//! A connector's process: the product's client, a source to read, and a will of its own.

use super::network::{Phone, Watch};
use super::storage::Noise;
use super::truth::{self, NAMES, TENANT};
use super::world::Shared;
use std::time::Duration;
use trueup_connectors::client::batch::BatchLimits;
use trueup_connectors::client::retry::RetryPolicy;
use trueup_connectors::client::{Client, ClientError, Secret, Settings};

/// A process that sends the facts of a source.
pub(crate) struct Process {
    world: Shared,
    pub(crate) source: usize,
    generation: u64,
    client: Client<Phone, Watch>,
    /// How many facts it has given, with those of the processes before it.
    next: u64,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It gave up, or was told to.
    Ended,
    /// Another process had taken its place.
    Fenced,
}

/// What a process may do, and whether it goes on.
pub(crate) type Done = Result<(), Exit>;

impl Process {
    /// Starts a process, which asks the engine where to begin.
    pub(crate) fn start(
        world: &Shared,
        source: usize,
        generation: u64,
        noise: &mut Noise,
    ) -> Result<Self, Exit> {
        let mut settings = Settings::new(TENANT, NAMES[source], generation, Secret::default());
        settings.batch = BatchLimits { records_max: 1000, bytes_max: 1 << 20 };
        settings.held_bytes_max = 200 + noise.below(2_000);
        settings.dictionary_codes_max = 7 + noise.below(8);
        settings.heartbeat_after = Duration::from_millis(400);
        settings.silence_max = Duration::from_millis(1_500);
        settings.retry_seed = noise.word();
        settings.retry = RetryPolicy {
            first: Duration::from_millis(2),
            longest: Duration::from_millis(200),
            attempts_max: None,
        };
        world.0.borrow_mut().outcome.processes += 1;
        match Client::connect(settings, Phone(world.clone()), Watch(world.clone())) {
            Ok((client, resume)) => {
                let next = truth::count(&resume.position);
                Ok(Self { world: world.clone(), source, generation, client, next })
            }
            Err(error) => Err(judge(world, source, generation, &error)),
        }
    }

    /// How many facts were given.
    pub(crate) fn given(&self) -> u64 {
        self.next
    }

    /// Reads so many facts, and sends them.
    pub(crate) fn give(&mut self, count: u64) -> Done {
        for _ in 0..count {
            self.mark()?;
            let fact = truth::fact(self.source, self.next, self.generation);
            let accepted = self.client.accept(fact);
            self.judged(accepted)?;
            self.next += 1;
            self.note();
        }
        self.mark()?;
        let flushed = self.client.flush();
        self.judged(flushed)
    }

    /// Notes what the next batch is, before it is made.
    fn note(&self) {
        let batch = (self.generation, self.client.metrics().last_sequence + 1);
        self.world.0.borrow_mut().truth.give(self.source, batch, self.next);
    }

    fn mark(&mut self) -> Done {
        let marked = self.client.mark(&truth::position(self.next));
        self.judged(marked)
    }

    /// Hears what the engine says.
    pub(crate) fn poll(&mut self) -> Done {
        let polled = self.client.poll();
        self.judged(polled)
    }

    /// Waits until everything is sealed.
    pub(crate) fn wait(&mut self) -> Done {
        let waited = self.client.flush_and_wait().map(|_| ());
        self.judged(waited)
    }

    /// Waits until everything is sealed, and ends.
    pub(crate) fn close(mut self) -> Done {
        self.wait()?;
        let Self { world, source, generation, client, .. } = self;
        count(&world, &client);
        let closed = client.close().map(|_| ());
        closed.map_err(|error| judge(&world, source, generation, &error))
    }

    /// The process is killed.
    pub(crate) fn kill(self) {
        count(&self.world, &self.client);
    }

    fn judged(&self, done: Result<(), ClientError>) -> Done {
        done.map_err(|error| {
            count(&self.world, &self.client);
            judge(&self.world, self.source, self.generation, &error)
        })
    }
}

/// Adds up what a process did.
fn count(world: &Shared, client: &Client<Phone, Watch>) {
    let outcome = &mut world.0.borrow_mut().outcome;
    let metrics = client.metrics();
    outcome.resent += metrics.resent_batches_total;
    outcome.dictionaries += metrics.dictionary_restarts_total;
}

/// Whether a process may end like this.
fn judge(world: &Shared, source: usize, generation: u64, error: &ClientError) -> Exit {
    let mut world = world.0.borrow_mut();
    let newest = world.truth.sources[source].welcomed;
    let is_wrong = match error {
        ClientError::Fenced { .. } => {
            world.outcome.fenced += 1;
            if generation < newest {
                return Exit::Fenced;
            }
            true
        }
        ClientError::Connect { .. } => world.over.is_none(),
        ClientError::Version { .. }
        | ClientError::Refused { .. }
        | ClientError::Broken { .. }
        | ClientError::Ended { .. }
        | ClientError::Silent { .. }
        | ClientError::Session(_)
        | ClientError::Stopped { .. }
        | ClientError::GaveUp { .. }
        | ClientError::Unauthorized { .. }
        | ClientError::EngineForgot { .. }
        | ClientError::ForeignBatches { .. }
        | ClientError::PositionTooLong { .. }
        | ClientError::DictionaryTooSmall
        | ClientError::Encode(_)
        | ClientError::Untrusted { .. } => true,
        _ => true,
    };
    if is_wrong {
        let name = NAMES[source];
        world.wrong(format!("generation {generation} of {name} ended: {error}: {error:?}"));
    }
    Exit::Ended
}
