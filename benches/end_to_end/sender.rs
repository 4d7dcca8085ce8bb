//! A connector in a process of its own: it sends facts at a fixed rate, whatever the engine does meanwhile, and
//! says in the end which of them were in which epoch.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use trueup_benches::names::Names;
use trueup_connectors::client::clock::{Clock as _, SystemClock, wall_now};
use trueup_connectors::client::transport::{TcpDial, TcpTimeouts};
use trueup_connectors::client::{Client, Secret, Settings};
use trueup_datasets::workload;
use trueup_model::fact::Fact;
use trueup_model::time::Timestamp;
use trueup_runtime::conversation::{Allowance, OpenGate};
use trueup_runtime::engine::Engine;

/// The most events that are sent at once.
const BATCH: u64 = 8192;

/// One batch as the sender saw it: when its first event was due, in which epoch it is, how many
/// events it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) due: Timestamp,
    pub(crate) epoch: u64,
    pub(crate) events: u64,
}

/// Starts the sender, takes what it sends, and gives what it says in the end; it is told where to send by
/// `--send-to`.
pub(crate) fn receive(engine: &Engine, sender: &mut Command) -> Vec<Sent> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let sender = sender.args(["--send-to", &address.to_string()]);
    let sender = sender.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut started = sender.spawn().expect("this program runs twice");
    let reception = engine.reception(Arc::new(OpenGate), Allowance::default());
    let reception = reception.expect("the engine runs");
    let (stream, _) = listener.accept().expect("the sender connects");
    stream.set_nodelay(true).expect("a socket may send at once");
    let (to, from) = (started.stdin.take(), started.stdout.take());
    let (to, from) = to.zip(from).expect("they are pipes");
    let said = std::thread::scope(|scope| {
        let listening = scope.spawn(|| listen(engine, to, BufReader::new(from)));
        let ended = reception.converse(Reading(&stream), Reading(&stream));
        ended.expect("the sender keeps to the rules");
        listening.join().expect("the sender says what was when")
    });
    started.wait().expect("the sender ends");
    read(&said)
}

/// Tells the sender when all that it began with is published; gives what it says in the end.
fn listen(engine: &Engine, mut to: ChildStdin, mut from: BufReader<ChildStdout>) -> String {
    let mut said = String::new();
    from.read_line(&mut said).expect("the sender says that it has begun");
    engine.settle(None).expect("the engine runs");
    to.write_all(b"\n").expect("the sender waits");
    said.clear();
    from.read_to_string(&mut said).expect("the sender says what was when");
    said
}

/// A socket, read and written through references.
struct Reading<'s>(&'s TcpStream);

impl std::io::Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        (&mut &*self.0).read(buffer)
    }
}

impl std::io::Write for Reading<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        (&mut &*self.0).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        (&mut &*self.0).flush()
    }
}

fn read(said: &str) -> Vec<Sent> {
    let rows = said.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let due = Timestamp(words.next()?.parse().ok()?);
        let epoch = words.next()?.parse().ok()?;
        Some(Sent { due, epoch, events: words.next()?.parse().ok()? })
    });
    rows.collect()
}

/// A connector that sends facts of a workload.
pub(crate) struct Sender {
    client: Client<TcpDial, SystemClock>,
    clock: SystemClock,
    names: Names,
    /// Events that are not yet in an epoch, by the sequence of their last batch.
    open: Vec<(u64, Sent)>,
    sent: Vec<Sent>,
}

impl Sender {
    /// Connects to an engine.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let dial = TcpDial::new(address.to_string(), TcpTimeouts::default());
        let settings = Settings::new(workload::TENANT, "load", 1, Secret::default());
        let clock = SystemClock::start();
        let (client, _) = Client::connect(settings, dial, clock).expect("the engine listens");
        Self { client, clock, names: Names::default(), open: Vec::new(), sent: Vec::new() }
    }

    /// Sends facts that are not measured, and waits until they are published.
    pub(crate) fn begin<'f>(&mut self, facts: impl Iterator<Item = &'f Fact<u32>>) {
        for fact in facts {
            self.client.accept(self.names.named(fact)).expect("the engine takes facts");
        }
        self.client.flush_and_wait().expect("the engine takes facts");
        println!("begun");
        std::io::stdin().read_line(&mut String::new()).expect("the other process answers");
    }

    /// Sends so many events, so many a second (as fast as it goes for 0), as they are due in steps of this
    /// length.
    pub(crate) fn send(
        &mut self,
        events: u64,
        rate: u64,
        step: Duration,
        mut next: impl FnMut() -> Fact<u32>,
    ) {
        let began = wall_now();
        let mut done = 0;
        while done < events {
            let (due, ready) = match rate {
                0 => (wall_now(), done + BATCH),
                rate => {
                    let due_us = i64::try_from(done * 1_000_000 / rate).unwrap_or(0);
                    let passed = u64::try_from(wall_now().since_us(began)).unwrap_or(0);
                    (began.plus_us(due_us), passed * rate / 1_000_000)
                }
            };
            let until = ready.min(events).min(done + BATCH);
            if until > done {
                for _ in done..until {
                    let fact = next();
                    self.client.accept(self.names.named(&fact)).expect("the engine takes facts");
                }
                self.client.flush().expect("the engine takes facts");
                let sent = Sent { due, epoch: 0, events: until - done };
                self.open.push((self.client.metrics().last_sequence, sent));
                done = until;
            } else {
                self.clock.pause(step);
            }
            self.client.poll().expect("the engine listens");
            self.hear();
        }
    }

    /// Notes the epochs of what is durable by now.
    fn hear(&mut self) {
        let ack = self.client.acknowledged();
        let sent = &mut self.sent;
        self.open.retain(|(sequence, batch)| {
            let durable = *sequence <= ack.sequence;
            if durable {
                sent.push(Sent { epoch: ack.epoch, ..*batch });
            }
            !durable
        });
    }

    /// Waits until everything is durable, and says what was in which epoch.
    pub(crate) fn finish(mut self) {
        let ack = self.client.flush_and_wait().expect("the engine takes facts");
        let rest = self.open.into_iter().map(|(_, batch)| Sent { epoch: ack.epoch, ..batch });
        self.sent.extend(rest);
        self.client.close().expect("the engine takes facts");
        for Sent { due, epoch, events } in self.sent {
            println!("{} {epoch} {events}", due.0);
        }
    }
}
