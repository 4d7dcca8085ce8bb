//! An engine in this process that connectors feed: files go the whole way that they go in production.
//!
//! Formats read the bytes, the client makes frames of the facts, the engine's end of the conversation
//! takes them. Only the network between the two is a pair of queues.

use crossbeam_channel::bounded;
use std::path::PathBuf;
use std::sync::Arc;
use trueup_connectors::client::clock::SystemClock as ClientClock;
use trueup_connectors::client::transport::{Pair, PairDial};
use trueup_connectors::client::{Client, ClientSink, Secret, Settings as ClientSettings};
use trueup_connectors::load::{File, FileReport, Options, load};
use trueup_model::calendar::Zone;
use trueup_model::time::Timestamp;
use trueup_policy::Policy;
use trueup_runtime::clock::SystemClock;
use trueup_runtime::conversation::{Allowance, OpenGate, Reception};
use trueup_runtime::engine::Engine;
use trueup_runtime::settings::{Horizon, Settings};

/// Whose facts they are.
pub const TENANT: &str = "t";
/// What the client calls the source.
const SOURCE: &str = "files";
/// The most chunks of bytes that wait between connector and engine.
const CHUNKS_MAX: usize = 16;

/// What takes the facts of a format.
pub type LocalSink<'c> = ClientSink<'c, PairDial, ClientClock>;

/// A running engine and a connector that is connected to it.
pub struct Local {
    client: Option<Client<PairDial, ClientClock>>,
    host: Option<std::thread::JoinHandle<()>>,
    /// The engine.
    pub engine: Engine,
    /// The zone of local times in files.
    pub zone: Zone,
    /// When files are received.
    pub received_at: Timestamp,
}

impl Local {
    /// Starts an engine whose horizon follows the evidence.
    pub fn start(workers: usize, policy: &Policy) -> Self {
        let settings = Settings {
            workers,
            policy: policy.clone(),
            horizon: Horizon::Evidence,
            ..Settings::default()
        };
        Self::with(settings)
    }

    /// Starts an engine with these settings.
    ///
    /// # Panics
    /// If it does not start.
    pub fn with(settings: Settings) -> Self {
        let received_at = Timestamp::from_seconds(1_800_000_000);
        let zone = settings.policy.zone.clone();
        let engine = Engine::start(settings, Arc::new(SystemClock::default()))
            .expect("the settings are allowed");
        let reception = engine
            .reception(Arc::new(OpenGate), Allowance::default())
            .expect("the engine was just started");
        let (knock, knocks) = bounded(1);
        let host = std::thread::spawn(move || receive(&reception, &knocks));
        let settings = ClientSettings::new(TENANT, SOURCE, 1, Secret::default());
        let dial = PairDial::new(knock, CHUNKS_MAX);
        let (client, _) = Client::connect(settings, dial, ClientClock::start())
            .expect("the engine takes everyone in its process");
        Self { client: Some(client), host: Some(host), engine, zone, received_at }
    }

    /// What holds for the files that are loaded next.
    pub fn options(&self) -> Options {
        Options {
            tenant: TENANT.to_owned(),
            source: SOURCE.to_owned(),
            zone: self.zone.clone(),
            host: None,
            received_at: self.received_at,
        }
    }

    /// Loads files, and waits until what they say is published.
    ///
    /// # Panics
    /// If the engine stopped.
    pub fn load(&mut self, files: &[File<'_>]) -> Vec<FileReport> {
        let options = self.options();
        self.feed(|sink| load(files, &options, sink, &mut |_| {}))
    }

    /// Feeds facts, and waits until what they say is published.
    ///
    /// # Panics
    /// If the engine stopped.
    pub fn feed<T>(&mut self, feed: impl FnOnce(&mut LocalSink<'_>) -> T) -> T {
        let client = self.client.as_mut().expect("the client is there until the end");
        let mut sink = client.sink();
        let result = feed(&mut sink);
        sink.finish().expect("the engine takes facts");
        client.flush_and_wait().expect("the engine takes facts");
        self.settle(None);
        result
    }

    /// Moves the horizon if told to, and waits until everything so far is published.
    ///
    /// # Panics
    /// If the engine stopped.
    pub fn settle(&self, horizon: Option<Timestamp>) {
        self.engine.settle(horizon).expect("the engine runs");
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // Without a client nobody knocks any more, so the host ends and gives the engine up.
        self.client = None;
        if let Some(host) = self.host.take() {
            let ended = host.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the conversation failed");
        }
    }
}

fn receive(reception: &Reception, knocks: &crossbeam_channel::Receiver<Pair>) {
    while let Ok(pair) = knocks.recv() {
        let (input, output) = pair.split();
        if let Err(error) = reception.converse(input, output) {
            assert!(std::thread::panicking(), "the conversation ended: {error}");
        }
    }
}

/// The folder with real files and hard cases; `None`, with a printed reason, where it is absent.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared"));
    let path = root.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: the folder {folder} beside the checkout is absent", folder = path.display());
    None
}
