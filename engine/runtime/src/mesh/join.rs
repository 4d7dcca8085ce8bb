//! Joining a cluster: opening, accepting, greeting.

use super::refused::Refused;
use super::timed::Timed;
use super::{GREETING_PATIENCE, Line, Member, Mesh};
use crate::clock::{Clock, SystemClock};
use crate::error::RuntimeError;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use trueup_tls::{Secured, TlsError};
use trueup_wire::mesh::{
    GREETING_BYTES, Greeting, Kind, MAGIC, MeshError, PROOF_BYTES, Side, is_proven, proof,
};

/// How long to wait before a connection is tried again.
const RETRY: Duration = Duration::from_millis(100);
/// The most connections that greet at a time; further ones are turned away.
const GREETING_MAX: usize = 64;
/// How TLS says that it was not understood: a fatal alert, before anything is encrypted.
const TLS_ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 10];
/// With what TLS begins: an alert, or a handshake.
const TLS_BEGINS: [[u8; 2]; 2] = [[21, 3], [22, 3]];

/// Why a connection came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    Broken(#[from] io::Error),
    #[error("{0}")]
    Misfit(#[from] MeshError),
    #[error("{0}")]
    Unsecured(#[from] TlsError),
    #[error(
        "the other process speaks TLS there, and this one has no certificate; give all processes a \
         certificate, a key and the authority"
    )]
    Secured,
    #[error("{0}")]
    Other(#[from] RuntimeError),
}

impl Refusal {
    /// Whether it says something of the other process that is still so when it is asked again.
    fn is_lasting(&self) -> bool {
        match self {
            Self::Misfit(_) | Self::Secured => true,
            Self::Unsecured(error) => error.is_lasting(),
            Self::Broken(error) => TlsError::of(error).is_some_and(TlsError::is_lasting),
            Self::Other(_) => false,
        }
    }
}

/// A connection that greeted.
type Greeted = (Greeting, Line);

/// Everything that was joined so far.
#[derive(Default)]
struct Joined(BTreeMap<(usize, Kind), Line>);

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
        door.admit(member, &mut joined, &left, clock)?;
    }
    let mut data: Vec<Option<Line>> = Vec::with_capacity(member.hosts.len());
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
    let mut lasting: Option<String> = None;
    loop {
        let refusal = match attempt(member, other, kind, generation) {
            Ok((theirs, _)) if theirs.process as usize != other => {
                let problem = format!("process {} answers there", theirs.process);
                Refusal::Other(RuntimeError::Mesh { problem })
            }
            Ok(greeted) => return Ok(greeted),
            Err(refusal) => refusal,
        };
        if refusal.is_lasting() {
            lasting = Some(refusal.to_string());
        }
        if left().is_zero() {
            let why = lasting.unwrap_or_else(|| refusal.to_string());
            let problem = format!("process {other} at {host} did not let this one in: {why}");
            return Err(RuntimeError::Mesh { problem });
        }
        std::thread::park_timeout(RETRY);
    }
}

fn attempt(member: &Member, other: usize, kind: Kind, generation: u64) -> Result<Greeted, Refusal> {
    let host = member.hosts.get(other).cloned().unwrap_or_default();
    let addresses: Vec<SocketAddr> = host.to_socket_addrs()?.collect();
    let none = || io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    let address = addresses.first().ok_or_else(none)?;
    let left = patience();
    let stream = TcpStream::connect_timeout(address, GREETING_PATIENCE)?;
    let mut line = match &member.certificates {
        None => Line::plain(stream),
        Some(certificates) => {
            let name = certificates.names.get(other).map_or("", String::as_str);
            let session = certificates.identity.connect(&stream, name, &left)?;
            Line::secured(Secured::new(session, stream))
        }
    };
    let mut timed = Timed::new(&mut line, &left);
    let ours = member.greeting(kind, generation)?;
    let opener = ours.encode();
    timed.write_all(&opener)?;
    let acceptor = hear(&mut timed)?;
    let theirs = Greeting::decode(&acceptor)?;
    ours.fits(&theirs)?;
    timed.write_all(&proof(&member.secret, Side::Opener, &opener, &acceptor))?;
    let mut proven = [0; PROOF_BYTES];
    let unproven = MeshError::Proof { process: theirs.process };
    timed.read_exact(&mut proven).map_err(|_| unproven.clone())?;
    if !is_proven(&proven, &member.secret, Side::Acceptor, &opener, &acceptor) {
        return Err(unproven.into());
    }
    keep(line, theirs)
}

/// Answers a connection that was opened by another.
fn answer(member: &Member, generation: u64, stream: TcpStream) -> Result<Greeted, Refusal> {
    let left = patience();
    let mut line = admit_line(member, stream, &left)?;
    let mut timed = Timed::new(&mut line, &left);
    let opener = hear(&mut timed)?;
    let theirs = Greeting::decode(&opener)?;
    let ours = member.greeting(theirs.kind, generation)?;
    let acceptor = ours.encode();
    timed.write_all(&acceptor)?;
    ours.fits(&theirs)?;
    let mut proven = [0; PROOF_BYTES];
    timed.read_exact(&mut proven)?;
    if !is_proven(&proven, &member.secret, Side::Opener, &opener, &acceptor) {
        return Err(MeshError::Proof { process: theirs.process }.into());
    }
    if let (Some(secured), Some(certificates)) = (line.as_secured(), &member.certificates) {
        let name = certificates.names.get(theirs.process as usize);
        secured.check_name(name.map_or("", String::as_str))?;
    }
    let own = proof(&member.secret, Side::Acceptor, &opener, &acceptor);
    Timed::new(&mut line, &left).write_all(&own)?;
    keep(line, theirs)
}

/// Secures a connection that was opened by another, if this cluster's are.
fn admit_line(
    member: &Member,
    mut stream: TcpStream,
    left: &dyn Fn() -> Duration,
) -> Result<Line, Refusal> {
    let Some(certificates) = &member.certificates else { return Ok(Line::plain(stream)) };
    match certificates.identity.accept(&stream, left) {
        Ok(session) => Ok(Line::secured(Secured::new(session, stream))),
        Err(error) => {
            if matches!(error, TlsError::Plain { .. }) {
                // It is told so in the words of TLS, which it knows when it hears them.
                let _ = stream.write_all(&TLS_ALERT);
            }
            Err(error.into())
        }
    }
}

/// Hears a greeting; whoever speaks TLS where none is spoken hears that.
fn hear(line: &mut Timed<'_>) -> Result<[u8; GREETING_BYTES], Refusal> {
    let mut greeting = [0; GREETING_BYTES];
    let mut heard = 0;
    while heard < GREETING_BYTES {
        match line.read(&mut greeting[heard..]) {
            Ok(0) => break,
            Ok(count) => heard += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if heard >= TLS_ALERT.len() => break,
            Err(error) => return Err(error.into()),
        }
    }
    if !line.is_secured() && TLS_BEGINS.iter().any(|begin| greeting.starts_with(begin)) {
        let _ = line.write_all(&MAGIC);
        return Err(Refusal::Secured);
    }
    if heard < GREETING_BYTES {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(greeting)
}

/// How much of a greeting's time is left, from now on.
fn patience() -> impl Fn() -> Duration {
    let clock = SystemClock::default();
    move || GREETING_PATIENCE.saturating_sub(Duration::from_micros(clock.monotonic_us()))
}

/// A connection that greeted, without a greeting's deadlines.
fn keep(line: Line, theirs: Greeting) -> Result<Greeted, Refusal> {
    line.limit(None)?;
    line.notice_silence()?;
    Ok((theirs, line))
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
        clock: &dyn Clock,
    ) -> Result<(), RuntimeError> {
        let after = member.process + 1..member.hosts.len();
        let expected = || after.clone().flat_map(|other| Kind::ALL.map(|kind| (other, kind)));
        let (mut last, mut refused) = (None::<Refusal>, Refused::default());
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
                    if let Some(count) = refused.note(clock.monotonic_us()) {
                        tracing::warn!(%refusal, count, "connections to the cluster were refused");
                    }
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
