//! An engine in this process, fed through the same frames as any other.

use crate::exit::{Exit, Failure};
use crossbeam_channel::{Receiver, bounded};
use std::sync::Arc;
use trueup_connectors::client::clock::SystemClock as ClientClock;
use trueup_connectors::client::transport::{Pair, PairDial};
use trueup_connectors::client::{
    Client, ClientError, ClientSink, Secret, Settings as ClientSettings,
};
use trueup_runtime::clock::SystemClock;
use trueup_runtime::conversation::{Allowance, OpenGate, Reception};
use trueup_runtime::engine::Engine;
use trueup_runtime::settings::Settings;

/// The most chunks of bytes that wait between connector and engine.
const CHUNKS_MAX: usize = 16;

/// Takes the facts of a source, for an engine in this process.
pub(crate) type LocalSink<'c> = ClientSink<'c, PairDial, ClientClock>;

/// Starts an engine, feeds it, and gives it with everything published.
pub(crate) fn run<T>(
    settings: Settings,
    tenant: &str,
    source: &str,
    feed: impl FnOnce(&mut LocalSink<'_>) -> T,
) -> Result<(Arc<Engine>, T), Failure> {
    let engine = Engine::start(settings, Arc::new(SystemClock::default())).map_err(broken)?;
    let reception = engine.reception(Arc::new(OpenGate), Allowance::default()).map_err(broken)?;
    let (knock, knocks) = bounded(1);
    let host = std::thread::Builder::new()
        .name("trueup-local".to_owned())
        .spawn(move || receive(&reception, &knocks))
        .map_err(broken)?;
    let client = ClientSettings::new(tenant, source, 1, Secret::default());
    let fed = deliver(client, PairDial::new(knock, CHUNKS_MAX), feed);
    // The host ends when nobody can knock any more.
    if host.join().is_err() {
        tracing::error!("the thread of the conversation failed");
    }
    let result = fed.map_err(broken)?;
    engine.settle(None).map_err(broken)?;
    Ok((Arc::new(engine), result))
}

/// Talks with each connection of this process, one after the other.
fn receive(reception: &Reception, knocks: &Receiver<Pair>) {
    while let Ok(pair) = knocks.recv() {
        let (input, output) = pair.split();
        if let Err(error) = reception.converse(input, output) {
            tracing::error!(%error, "the conversation inside the process ended");
        }
    }
}

/// Feeds a client, and waits until the engine has everything.
fn deliver<T>(
    settings: ClientSettings,
    dial: PairDial,
    feed: impl FnOnce(&mut LocalSink<'_>) -> T,
) -> Result<T, ClientError> {
    let (mut client, _) = Client::connect(settings, dial, ClientClock::start())?;
    let mut sink = client.sink();
    let result = feed(&mut sink);
    sink.finish()?;
    client.close()?;
    Ok(result)
}

/// A failure of the engine itself.
fn broken(error: impl std::error::Error) -> Failure {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let hint = "this should not happen; the message and the input are what a report needs";
    Failure::new(Exit::Internal, format!("the engine failed: {error}{cause}"), hint)
}
