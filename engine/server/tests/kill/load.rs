//! The load: a connector that delivers a log a day, and holds as much as a crash may cost it.

use super::support::{Engine, rows};
use crossbeam_channel::Sender;
use serde_json::Value;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use trueup_connectors::client::clock::SystemClock;
use trueup_connectors::client::transport::{TcpDial, TcpTimeouts};
use trueup_connectors::client::{Client, Secret, Settings};
use trueup_connectors::load::{File, Options, load};
use trueup_model::calendar::Zone;
use trueup_model::time::Timestamp;

/// How many people a log is of: few, so that an engine that was often killed is soon ready again.
const USERS: usize = 4;
/// How many batches are on their way at most. Fewer than there are logs between two kills (8), so that each
/// engine answers before it is killed, and the connector's pauses do not grow from kill to kill.
const HELD_MAX: u64 = 4;
/// How long the connector looks for an engine before the test has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// Numbers that are the same in each run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % count as u64).unwrap()
    }
}

/// A day's log, of checkouts that overlap.
fn log(day: usize) -> String {
    let mut text = format!(
        " 8:00:00 (lmgrd) TIMESTAMP {}/{}/2025\n 8:00:00 (simd) Server started on lic1 for:\tMESH\n",
        1 + day / 28 % 12,
        1 + day % 28
    );
    for user in 0..USERS {
        let _ = writeln!(text, " 9:{user:02}:00 (simd) OUT: \"MESH\" u{user}@pc{day}  ");
    }
    for user in 0..USERS {
        let _ = writeln!(text, "11:{user:02}:00 (simd) IN: \"MESH\" u{user}@pc{day}  ");
    }
    text
}

/// How an engine is told to run where the connector looks for it.
pub(crate) fn config(port: u16) -> String {
    format!(
        "[engine]\nepoch_milliseconds = 2\n[api]\nlisten = \"127.0.0.1:0\"\n\
         [connectors]\nlisten = \"127.0.0.1:{port}\"\n[journal]\nfolder = \"journal\"\n\
         [snapshots]\njournal_bytes = 65536\ninterval_seconds = 1\n"
    )
}

/// What an engine answers as of an epoch: all positions, and all checkouts.
pub(crate) fn answers(engine: &Engine, folder: &Path, epoch: u64) -> [Vec<Value>; 2] {
    let epoch = epoch.to_string();
    let wait = ["--wait-for", &epoch];
    [&["positions", "--period", "every"][..], &["sessions"]]
        .map(|question| rows(&engine.ask(folder, &[question, &wait].concat())))
}

/// Compares what was answered with what an engine answers that nothing happened to.
pub(crate) fn compare(found: &[Vec<Value>; 2], undisturbed: &[Vec<Value>; 2], what: &str) {
    assert!(!undisturbed.iter().any(Vec::is_empty));
    for (rows, expected) in found.iter().zip(undisturbed) {
        assert_eq!(rows.len(), expected.len(), "{what}");
        let differing = rows.iter().zip(expected).find(|(one, other)| one != other);
        assert_eq!(differing, None, "{what}");
    }
}

/// Delivers the logs of some days; gives the epoch that has all of them.
pub(crate) fn deliver(port: u16, days: usize, done: &Sender<usize>) -> u64 {
    let settings = Settings {
        patience: Some(PATIENCE),
        ..Settings::new("acme", "lic1", 1, Secret::default())
    };
    let dial = TcpDial::new(format!("127.0.0.1:{port}"), TcpTimeouts::default());
    let (mut client, _) = Client::connect(settings, dial, SystemClock::start()).unwrap();
    let options = Options {
        tenant: "acme".to_owned(),
        source: "lic1".to_owned(),
        zone: Zone::utc(),
        host: None,
        received_at: "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
    };
    for day in 0..days {
        let (name, text) = (format!("{day}.log"), log(day));
        let mut sink = client.sink();
        load(&[File::new(&name, text.as_bytes())], &options, &mut sink, &mut |_| {});
        sink.finish().unwrap();
        client.flush().unwrap();
        while client.metrics().held_batches > HELD_MAX {
            client.poll().unwrap();
            std::thread::park_timeout(Duration::from_millis(1));
        }
        // Whoever has killed often enough does not listen any more.
        let _ = done.send(day);
    }
    client.flush_and_wait().unwrap().epoch
}

/// A port that nobody listens on, and that the system gives to nobody who connects: while the engine is
/// away, a connection from such a port, the connector's own even, would keep it from its place.
pub(crate) fn free_port() -> u16 {
    /// Tests of this process that run beside each other ask for different ones.
    static ASKED: AtomicU16 = AtomicU16::new(0);
    let process = u16::try_from(std::process::id() % 10_000).unwrap();
    let mut asked = std::iter::from_fn(|| Some(ASKED.fetch_add(1, Ordering::SeqCst)));
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    asked.find_map(|count| Some(10_000 + process + count).filter(is_free)).unwrap()
}
