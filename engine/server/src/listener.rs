//! Where connectors knock: one thread accepts, each connection has its own.
//!
//! No connection can hold up another: each has deadlines for saying Hello, for silence and for
//! reading, and there are only so many at a time. Further ones are told that the engine is busy; where
//! connections are secured they are closed, before any work is done for them.

mod secured;

use crate::exit::{Exit, Failure};
use secured::secured;
use std::io::Write as _;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use trueup_runtime::conversation::{ConversationError, Gate, Reception};
use trueup_wire::message::Hello;
use trueup_wire::{EngineSession, ErrorCode};

/// How often a silent connection is looked at.
const READ_SLICE: Duration = Duration::from_secs(1);
/// How long a connector may take to read what it is told.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);

pub(crate) use secured::{Certificates, NamePattern};

/// Admits connectors that show one secret.
pub(crate) struct TokenGate(pub(crate) Vec<u8>);

impl Gate for TokenGate {
    fn admit(&self, hello: &Hello<'_>) -> Result<(), String> {
        if hello.token.matches(&self.0) {
            return Ok(());
        }
        Err("the token is not the one of connectors.token_file".to_owned())
    }
}

/// What the threads share.
struct Shared {
    reception: Reception,
    certificates: Option<Certificates>,
    stopping: AtomicBool,
    connections: AtomicUsize,
    connections_max: usize,
}

/// A running listener.
pub(crate) struct Listener {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    thread: std::thread::JoinHandle<()>,
}

impl Listener {
    /// Listens on an address until it is stopped.
    pub(crate) fn start(
        listen: SocketAddr,
        reception: Reception,
        certificates: Option<Certificates>,
        connections_max: usize,
    ) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(
                Exit::Unavailable,
                format!("could not listen for connectors on {listen}: {error}"),
                "choose another address with --connectors, or stop the program that uses it",
            )
        };
        let listener = TcpListener::bind(listen).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            reception,
            certificates,
            stopping: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            connections_max,
        });
        let accepting = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("trueup-listener".to_owned())
            .spawn(move || accept(&listener, &accepting))
            .map_err(failed)?;
        Ok(Self { address, shared, thread })
    }

    /// Takes no more connections, asks those that are there to end, and waits for it.
    pub(crate) fn stop(self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.reception.close();
        // The thread waits for a connection; this is one.
        let woken = TcpStream::connect_timeout(&reachable(self.address), READ_SLICE);
        if woken.is_ok() && self.thread.join().is_err() {
            tracing::error!("the listener failed while stopping");
        }
    }
}

/// The address at which a listener on this machine is reached from it.
fn reachable(address: SocketAddr) -> SocketAddr {
    let local = match address {
        SocketAddr::V4(_) => std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        SocketAddr::V6(_) => std::net::IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
    };
    if address.ip().is_unspecified() { SocketAddr::new(local, address.port()) } else { address }
}

/// Accepts connections until told to stop; then waits for those that are there.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads: Vec<std::thread::JoinHandle<()>> = Vec::new();
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        let stream = match stream {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                continue;
            }
        };
        if shared.connections.load(Ordering::SeqCst) >= shared.connections_max {
            if shared.certificates.is_none() {
                turn_away(&stream);
            }
            continue;
        }
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let own = Arc::clone(shared);
        let spawned = std::thread::Builder::new()
            .name("trueup-connection".to_owned())
            .spawn(move || talk(&own, &stream));
        match spawned {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                shared.connections.fetch_sub(1, Ordering::SeqCst);
                tracing::error!(%error, "no thread for a connection");
            }
        }
    }
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a connection failed while stopping");
        }
    }
}

fn talk(shared: &Shared, stream: &TcpStream) {
    let peer =
        stream.peer_addr().map_or_else(|_| "a connector".to_owned(), |peer| peer.to_string());
    tracing::info!(peer, "connected");
    match converse(shared, stream) {
        Ok(()) => tracing::info!(peer, "left"),
        Err(error) => {
            tracing::warn!(peer, %error, cause = causes(&error), "connection ended");
        }
    }
    // It may be closed already.
    let _ = stream.shutdown(Shutdown::Both);
    shared.connections.fetch_sub(1, Ordering::SeqCst);
}

/// What an error comes from, down to the first cause.
fn causes(error: &ConversationError) -> Option<String> {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(known) = cause {
        causes.push(known.to_string());
        cause = known.source();
    }
    (!causes.is_empty()).then(|| causes.join(": "))
}

fn converse(shared: &Shared, stream: &TcpStream) -> Result<(), ConversationError> {
    stream.set_nodelay(true)?;
    let secured = secured(shared.certificates.as_ref(), stream)?;
    stream.set_read_timeout(Some(READ_SLICE))?;
    stream.set_write_timeout(Some(WRITE_PATIENCE))?;
    let Some(secured) = secured else {
        return shared.reception.converse(stream, stream);
    };
    let gate = secured.gate(shared.reception.gate());
    let heard = shared.reception.with_gate(gate).converse(&secured.stream, &secured.stream);
    // It may be closed already.
    let _ = secured.stream.shutdown(Shutdown::Write);
    heard
}

/// Tells a connector to come back later.
fn turn_away(stream: &TcpStream) {
    say(stream, ErrorCode::Busy, "the engine has all the connectors it may");
}

/// Tells a connector in the open why it is not let in.
fn say(mut stream: &TcpStream, code: ErrorCode, words: &str) {
    let mut out = Vec::new();
    EngineSession::new().refuse(code, 0, words, &mut out);
    // Whether it hears this does not matter.
    let _ = stream.set_write_timeout(Some(READ_SLICE));
    let _ = stream.write_all(&out);
    let _ = stream.shutdown(Shutdown::Write);
}
