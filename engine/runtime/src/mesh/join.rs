//! Joining a cluster: opening, accepting, greeting.

use super::{GREETING_PATIENCE, Member, Mesh};
use crate::clock::Clock;
use crate::error::RuntimeError;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use trueup_wire::mesh::{
    GREETING_BYTES, Greeting, Kind, MeshError, PROOF_BYTES, Side, is_proven, proof,
};

/// How long to wait before a connection is tried again.
const RETRY: Duration = Duration::from_millis(100);
/// The most connections that greet at a time; further ones are turned away.
const GREETING_MAX: usize = 64;

/// Why a connection came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    Broken(#[from] io::Error),
    #[error("{0}")]
    Misfit(#[from] MeshError),
    #[error("{0}")]
    Other(#[from] RuntimeError),
}

/// A connection that greeted.
type Greeted = (Greeting, TcpStream);

/// Everything that was joined so far.
#[derive(Default)]
struct Joined(BTreeMap<(usize, Kind), TcpStream>);

pub(super) fn join(member: &Member, clock: &dyn Clock) -> Result<Mesh, RuntimeError> {
    let patience_us = u64::try_from(member.patience.as_micros()).unwrap_or(u64::MAX);
    let until_us = clock.monotonic_us().saturating_add(patience_us);
    let left = || Duration::from_micros(until_us.saturating_sub(clock.monotonic_us()));
    let door = match member.process + 1 < member.hosts.len() {
        true => Some(listen(member)?),
        false => None,
    };
    let mut joined = Joined::default();
    let first = u64::try_from(clock.now().0).unwrap_or(1).max(1);
    let mut generation = if member.process == 0 { first } else { 0 };
    for other in 0..member.process {
        for kind in Kind::ALL {
            let (theirs, stream) = open(member, other, kind, generation, &left)?;
            if other == 0 {
                generation = theirs.generation;
            }
            joined.0.insert((other, kind), stream);
        }
    }
    if let Some(door) = door {
        let door = Door::open(door, member.clone(), generation)?;
        door.admit(member, &mut joined, &left)?;
    }
    let mut data: Vec<Option<TcpStream>> = Vec::with_capacity(member.hosts.len());
    let mut pulses = Vec::new();
    for other in 0..member.hosts.len() {
        data.push(joined.0.remove(&(other, Kind::Data)));
        pulses.extend(joined.0.remove(&(other, Kind::Pulse)).map(|pulse| (other, pulse)));
    }
    Ok(Mesh { process: member.process, workers: member.workers, data, pulses, generation })
}

fn listen(member: &Member) -> Result<TcpListener, RuntimeError> {
    let host = member.hosts.get(member.process).cloned().unwrap_or_default();
    TcpListener::bind(&host).map_err(|source| RuntimeError::Mesh {
        problem: format!("could not listen at {host} for other processes: {source}"),
    })
}

/// Opens a connection, as often as it takes.
fn open(
    member: &Member,
    other: usize,
    kind: Kind,
    generation: u64,
    left: &impl Fn() -> Duration,
) -> Result<Greeted, RuntimeError> {
    let host = member.hosts.get(other).cloned().unwrap_or_default();
    // What an answer said is worth more than that there was none after it.
    let mut misfit: Option<MeshError> = None;
    loop {
        let refusal = match attempt(member, &host, kind, generation) {
            Ok((theirs, _)) if theirs.process as usize != other => {
                let problem = format!("process {} answers there", theirs.process);
                Refusal::Other(RuntimeError::Mesh { problem })
            }
            Ok(greeted) => return Ok(greeted),
            Err(Refusal::Misfit(error)) => {
                misfit = Some(error.clone());
                Refusal::Misfit(error)
            }
            Err(refusal) => refusal,
        };
        if left().is_zero() {
            let why = misfit.map_or_else(|| refusal.to_string(), |misfit| misfit.to_string());
            let problem = format!("process {other} at {host} did not let this one in: {why}");
            return Err(RuntimeError::Mesh { problem });
        }
        std::thread::park_timeout(RETRY);
    }
}

fn attempt(member: &Member, host: &str, kind: Kind, generation: u64) -> Result<Greeted, Refusal> {
    let addresses: Vec<SocketAddr> = host.to_socket_addrs()?.collect();
    let none = || io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    let address = addresses.first().ok_or_else(none)?;
    let mut stream = TcpStream::connect_timeout(address, GREETING_PATIENCE)?;
    limit(&stream, Some(GREETING_PATIENCE))?;
    let ours = member.greeting(kind, generation)?;
    let opener = ours.encode();
    stream.write_all(&opener)?;
    let mut acceptor = [0; GREETING_BYTES];
    stream.read_exact(&mut acceptor)?;
    let theirs = Greeting::decode(&acceptor)?;
    ours.fits(&theirs)?;
    stream.write_all(&proof(&member.secret, Side::Opener, &opener, &acceptor))?;
    let mut proven = [0; PROOF_BYTES];
    let unproven = MeshError::Proof { process: theirs.process };
    stream.read_exact(&mut proven).map_err(|_| unproven.clone())?;
    if !is_proven(&proven, &member.secret, Side::Acceptor, &opener, &acceptor) {
        return Err(unproven.into());
    }
    limit(&stream, None)?;
    Ok((theirs, stream))
}

/// Answers a connection that was opened by another.
fn answer(member: &Member, generation: u64, mut stream: TcpStream) -> Result<Greeted, Refusal> {
    limit(&stream, Some(GREETING_PATIENCE))?;
    let mut opener = [0; GREETING_BYTES];
    stream.read_exact(&mut opener)?;
    let theirs = Greeting::decode(&opener)?;
    let ours = member.greeting(theirs.kind, generation)?;
    let acceptor = ours.encode();
    stream.write_all(&acceptor)?;
    ours.fits(&theirs)?;
    let mut proven = [0; PROOF_BYTES];
    stream.read_exact(&mut proven)?;
    if !is_proven(&proven, &member.secret, Side::Opener, &opener, &acceptor) {
        return Err(MeshError::Proof { process: theirs.process }.into());
    }
    stream.write_all(&proof(&member.secret, Side::Acceptor, &opener, &acceptor))?;
    limit(&stream, None)?;
    Ok((theirs, stream))
}

fn limit(stream: &TcpStream, patience: Option<Duration>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(patience)?;
    stream.set_write_timeout(patience)
}

/// Where other processes come in, until all have come.
struct Door {
    address: SocketAddr,
    closed: Arc<AtomicBool>,
    greeted: Receiver<Result<Greeted, Refusal>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Door {
    fn open(listener: TcpListener, member: Member, generation: u64) -> Result<Self, RuntimeError> {
        let problem = |source: io::Error| RuntimeError::Mesh { problem: source.to_string() };
        let address = listener.local_addr().map_err(problem)?;
        let closed = Arc::new(AtomicBool::new(false));
        let (sender, greeted) = bounded(GREETING_MAX);
        let is_closed = Arc::clone(&closed);
        let thread = std::thread::Builder::new()
            .name("trueup-door".to_owned())
            .spawn(move || accept(&listener, &Arc::new(member), generation, &is_closed, &sender))
            .map_err(|source| RuntimeError::Thread { what: "door", source })?;
        Ok(Self { address, closed, greeted, thread: Some(thread) })
    }

    /// Waits until every process after this one has come with both connections.
    fn admit(
        &self,
        member: &Member,
        joined: &mut Joined,
        left: &impl Fn() -> Duration,
    ) -> Result<(), RuntimeError> {
        let after = member.process + 1..member.hosts.len();
        let expected = || after.clone().flat_map(|other| Kind::ALL.map(|kind| (other, kind)));
        let mut last: Option<Refusal> = None;
        loop {
            let missing = expected().find(|place| !joined.0.contains_key(place));
            let Some((missing, _)) = missing else { return Ok(()) };
            match self.greeted.recv_timeout(left()) {
                Ok(Ok((theirs, stream))) => {
                    let other = theirs.process as usize;
                    if after.contains(&other) {
                        joined.0.insert((other, theirs.kind), stream);
                    }
                }
                Ok(Err(refusal)) => {
                    tracing::warn!(%refusal, "a connection to the cluster was refused");
                    last = Some(refusal);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let why = last.map(|last| format!("; the last that was refused: {last}"));
                    return Err(RuntimeError::Mesh {
                        problem: format!(
                            "process {missing} did not come{}",
                            why.unwrap_or_default()
                        ),
                    });
                }
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // The listener is waiting for a connection; this is it.
        drop(TcpStream::connect_timeout(&self.address, GREETING_PATIENCE));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Answers each connection by itself, so that one that is silent holds up no other.
fn accept(
    listener: &TcpListener,
    member: &Arc<Member>,
    generation: u64,
    closed: &AtomicBool,
    greeted: &Sender<Result<Greeted, Refusal>>,
) {
    let greeting = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        if closed.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        if greeting.fetch_add(1, Ordering::SeqCst) >= GREETING_MAX {
            greeting.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let (member, greeted) = (Arc::clone(member), greeted.clone());
        let counted = Arc::clone(&greeting);
        let talk = move || {
            let result = answer(&member, generation, stream);
            counted.fetch_sub(1, Ordering::SeqCst);
            // Nobody waits for those that come when all have come.
            let _ = greeted.try_send(result);
        };
        if std::thread::Builder::new().name("trueup-greeting".to_owned()).spawn(talk).is_err() {
            greeting.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
