//! The program among things that fail: disks, processes, the network. Its answers are those of a quiet run.
//!
//! Each fault a few times in the ordinary tests; in more rounds with
//! `TRUEUP_FAULTS=20 cargo test -p trueup-server --test faults -- --nocapture`. Where a tool or a right is
//! missing, a test says so and does nothing.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../kill/load.rs"]
mod load;
#[expect(dead_code, reason = "some of it is for other tests")]
#[path = "../it/host.rs"]
mod host;
#[expect(dead_code, reason = "some of it is for other tests")]
#[path = "../it/support.rs"]
mod support;
mod disk;
mod hosts;
mod silence;
mod wire;

use crossbeam_channel::{Receiver, bounded};
use host::run;
use load::{answers, compare, config, deliver, free_port};
use serde_json::Value;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;
use support::{Engine, ends, folder};

/// How many rounds there are if nothing else is said.
const ROUNDS: usize = 2;
/// How many logs are delivered in a round, and after the last one.
const LOGS_PER_ROUND: usize = 48;

fn rounds() -> usize {
    let asked = std::env::var_os("TRUEUP_FAULTS").and_then(|text| text.into_string().ok());
    asked.and_then(|text| text.parse().ok()).unwrap_or(ROUNDS)
}

/// How many logs a test delivers.
fn days() -> usize {
    (rounds() + 1) * LOGS_PER_ROUND
}

/// What an engine answers that nothing happened to.
fn undisturbed() -> &'static [Vec<Value>; 2] {
    static QUIET: OnceLock<[Vec<Value>; 2]> = OnceLock::new();
    QUIET.get_or_init(|| {
        let folder = folder();
        let (path, port) = (folder.path(), free_port());
        let engine = Engine::start_with(path, &["serve"], &config(port));
        let (done, _heard) = bounded(days());
        let epoch = deliver(port, days(), &done);
        answers(&engine, path, epoch)
    })
}

/// The logs of a test, delivered as fast as it listens.
struct Load<'l> {
    heard: &'l Receiver<usize>,
}

impl Load<'_> {
    /// Waits until so many more are delivered; they may be on their way still.
    fn pass(&self, logs: usize) {
        for _ in 0..logs {
            let patience = Duration::from_secs(120);
            assert!(self.heard.recv_timeout(patience).is_ok(), "the connector ended, or is stuck");
        }
    }

    /// Lets one more pass if it comes soon; whether it came.
    fn pass_soon(&self) -> bool {
        self.heard.recv_timeout(Duration::from_millis(10)).is_ok()
    }
}

/// Delivers all logs to a port while something else happens; gives what that gave, and the epoch that has them.
fn loaded<T>(port: u16, act: impl FnOnce(&Load<'_>) -> T) -> (T, u64) {
    let (done, heard) = bounded(0);
    // What is heard goes with the act, so that nobody waits for one that failed.
    std::thread::scope(move |scope| {
        let fed = scope.spawn(move || deliver(port, days(), &done));
        let acted = act(&Load { heard: &heard });
        // From now on nobody listens, and the rest is delivered at once.
        drop(heard);
        (acted, fed.join().unwrap())
    })
}

/// Compares an engine with a quiet one, ends it, and looks at what it leaves.
fn check(mut engine: Engine, path: &Path, epoch: u64, what: &str) {
    compare(&answers(&engine, path, epoch), undisturbed(), what);
    assert!(support::signal(Some(rustix::process::Signal::TERM), &engine.child.id().to_string()));
    assert_eq!(engine.child.wait().unwrap().code(), Some(0), "{what}: told to stop");
    ends(path, 0, &["verify", "journal", "--json"]);
}

/// How many incidents were written down.
fn incidents(path: &Path) -> usize {
    let names = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with("journal.incident-")).count()
}
