//! An engine with a journal, on any storage, fed by a connector for each tenant, over and over again.

use crate::said::{Said, Telling};
use crossbeam_channel::bounded;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use trueup_connectors::client::clock::SystemClock as ClientClock;
use trueup_connectors::client::transport::{Pair, PairDial};
use trueup_connectors::client::{Client, Secret, Settings as ClientSettings};
use trueup_journal::{Storage, Writer};
use trueup_runtime::clock::SystemClock;
use trueup_runtime::conversation::{Allowance, OpenGate, Reception};
use trueup_runtime::engine::Engine;
use trueup_runtime::error::RuntimeError;
use trueup_runtime::settings::Settings;

/// The most chunks of bytes that wait between connector and engine.
const CHUNKS_MAX: usize = 16;

/// How long a connector looks for an engine that has stopped.
const PATIENCE: Duration = Duration::from_millis(50);

type Feed = Client<PairDial, ClientClock>;

/// A running engine with a journal, and its connectors.
pub struct Kept {
    /// The engine.
    pub engine: Arc<Engine>,
    reception: Option<Reception>,
    clients: BTreeMap<String, Feed>,
    hosts: Vec<std::thread::JoinHandle<()>>,
    generation: u64,
}

impl Kept {
    /// Starts an engine on a storage; `generation` is that of its connectors.
    ///
    /// # Errors
    /// Why it did not start.
    pub fn start<S>(settings: Settings, storage: S, generation: u64) -> Result<Self, RuntimeError>
    where
        S: Storage + Clone + std::fmt::Debug + Send + 'static,
        S::File: Send,
        Writer<S>: Send,
    {
        let clock = Arc::new(SystemClock::default());
        let engine = Engine::start_on(None, settings, clock, Some(storage))?;
        let reception = engine.reception(Arc::new(OpenGate), Allowance::default())?;
        let (clients, hosts) = (BTreeMap::new(), Vec::new());
        Ok(Self {
            engine: Arc::new(engine),
            reception: Some(reception),
            clients,
            hosts,
            generation,
        })
    }

    /// Tells the engine what an epoch brings, and waits until it is acknowledged and published.
    ///
    /// # Panics
    /// If the engine stopped.
    pub fn tell(&mut self, telling: &Telling) {
        assert!(self.try_to_tell(telling), "the engine stopped");
    }

    /// The same; false if the engine stopped before all of it was acknowledged and published.
    pub fn try_to_tell(&mut self, telling: &Telling) -> bool {
        self.send(&telling.facts) && self.engine.settle(telling.horizon).is_ok()
    }

    /// Sends facts and waits until they are sealed; false if the engine stopped before.
    pub fn send(&mut self, facts: &[Said]) -> bool {
        self.give(facts) && self.clients.values_mut().all(|client| client.flush_and_wait().is_ok())
    }

    /// The last batch of a tenant of which it is known that it is durable.
    pub fn acknowledged(&mut self, tenant: &str) -> u64 {
        let Some(client) = self.clients.get_mut(tenant) else { return 0 };
        // A connection that failed has nothing to say.
        let _ = client.poll();
        client.acknowledged().sequence
    }

    /// Sends facts; false if the engine stopped before.
    pub fn give(&mut self, facts: &[Said]) -> bool {
        for said in facts {
            let Some(client) = self.client(&said.tenant) else { return false };
            let fact = said.fact.clone();
            // Names are lent from the fact that is told.
            let mut names: Vec<String> = Vec::new();
            let Ok(_) = fact.clone().try_map(&mut |_, name: String| {
                names.push(name);
                Ok::<(), Infallible>(())
            });
            let mut lent = names.iter();
            let lending = fact.try_map(&mut |_, _| {
                Ok::<&str, Infallible>(lent.next().map_or("", String::as_str))
            });
            let Ok(lending) = lending;
            if client.accept(lending).is_err() {
                return false;
            }
        }
        self.clients.values_mut().all(|client| client.flush().is_ok())
    }

    /// The connector of a tenant; connects it if it is not yet.
    fn client(&mut self, tenant: &str) -> Option<&mut Feed> {
        if !self.clients.contains_key(tenant) {
            let (knock, knocks) = bounded::<Pair>(1);
            let reception = self.reception.clone()?;
            self.hosts.push(std::thread::spawn(move || {
                while let Ok(pair) = knocks.recv() {
                    let (input, output) = pair.split();
                    // Whoever sends notices.
                    let _ = reception.converse(input, output);
                }
            }));
            let settings = ClientSettings {
                patience: Some(PATIENCE),
                ..ClientSettings::new(tenant, "told", self.generation, Secret::default())
            };
            let dial = PairDial::new(knock, CHUNKS_MAX);
            let (client, _) = Client::connect(settings, dial, ClientClock::start()).ok()?;
            self.clients.insert(tenant.to_owned(), client);
        }
        self.clients.get_mut(tenant)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(reception) = self.reception.take() {
            reception.close();
        }
        self.clients.clear();
        for host in self.hosts.drain(..) {
            // A conversation that failed has told its connector.
            let _ = host.join();
        }
    }
}
