//! The program, killed again and again while a connector delivers: its answers are those of an undisturbed run.
//!
//! A few times in the ordinary tests; as often as one likes with
//! `TRUEUP_KILLS=200 cargo test -p trueup-server --test kill`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crossbeam_channel::{Sender, bounded};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use trueup_connectors::client::clock::SystemClock;
use trueup_connectors::client::transport::{TcpDial, TcpTimeouts};
use trueup_connectors::client::{Client, Secret, Settings};
use trueup_connectors::load::{File, Options, load};
use trueup_model::calendar::Zone;
use trueup_model::time::Timestamp;

/// How often the engine is killed if nothing else is said.
const KILLS: usize = 3;
/// How many logs are delivered between two kills.
const LOGS_PER_KILL: usize = 8;

/// A running engine; killed at the end.
struct Engine {
    child: Child,
    api: String,
}

impl Engine {
    fn start(folder: &Path, connectors: u16) -> Self {
        let config = format!(
            "[engine]\nepoch_milliseconds = 2\n[api]\nlisten = \"127.0.0.1:0\"\n\
             [connectors]\nlisten = \"127.0.0.1:{connectors}\"\n[journal]\nfolder = \"journal\"\n\
             [snapshots]\njournal_bytes = 65536\ninterval_seconds = 1\n"
        );
        std::fs::write(folder.join("trueup.toml"), config).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_trueup"))
            .current_dir(folder)
            .args(["serve", "--config", "trueup.toml"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut before = String::new();
        let ready = said.find_map(|line| {
            let line = line.unwrap();
            let _ = writeln!(before, "{line}");
            line.contains("ready").then_some(line)
        });
        let ready = ready.unwrap_or_else(|| panic!("the engine did not become ready:\n{before}"));
        let api = ready.split_once("questions=").unwrap().1.split_whitespace().next().unwrap();
        let api = api.to_owned();
        // What it says later is of no interest, but it must not wait for a reader.
        std::thread::spawn(move || said.for_each(drop));
        Self { child, api }
    }

    /// The rows of a view at an epoch or later.
    fn rows(&self, folder: &Path, view: &str, epoch: u64) -> Vec<Value> {
        let epoch = epoch.to_string();
        let mut arguments = vec![view, "--json", "--api", &self.api, "--wait-for", &epoch];
        if view == "positions" {
            arguments.extend(["--period", "every"]);
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
        let output = command.current_dir(folder).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let rows = answer.as_object().unwrap().values().find_map(Value::as_array).cloned();
        rows.unwrap_or_default()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A day's log, of checkouts that overlap.
fn log(day: usize) -> String {
    let mut text = format!(
        " 8:00:00 (lmgrd) TIMESTAMP {}/{}/2025\n 8:00:00 (simd) Server started on lic1 for:\tMESH\n",
        1 + day / 28 % 12,
        1 + day % 28
    );
    for user in 0..20 {
        let _ = writeln!(text, " 9:{user:02}:00 (simd) OUT: \"MESH\" u{user}@pc{day}  ");
    }
    for user in 0..20 {
        let _ = writeln!(text, "11:{user:02}:00 (simd) IN: \"MESH\" u{user}@pc{day}  ");
    }
    text
}

/// Delivers the logs of some days; gives the epoch that has all of them.
fn deliver(connectors: u16, days: usize, done: &Sender<usize>) -> u64 {
    let settings = Settings::new("acme", "lic1", 1, Secret::default());
    let dial = TcpDial::new(format!("127.0.0.1:{connectors}"), TcpTimeouts::default());
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
        // Whoever has killed often enough does not listen any more.
        let _ = done.send(day);
    }
    client.flush_and_wait().unwrap().epoch
}

/// A port that nobody listens on.
fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What an engine answers after it was killed so often while it was fed.
fn answers(kills: usize, days: usize) -> [Vec<Value>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let (path, port) = (folder.path(), port());
    let (done, heard) = bounded(days);
    let mut engine = Engine::start(path, port);
    let (engine, epoch) = std::thread::scope(|scope| {
        let fed = scope.spawn(move || deliver(port, days, &done));
        for kill in 0..kills {
            let _ = heard.iter().find(|day| *day + 1 >= (kill + 1) * LOGS_PER_KILL);
            engine.kill();
            engine = Engine::start(path, port);
        }
        (engine, fed.join().unwrap())
    });
    let found = ["positions", "sessions"].map(|view| engine.rows(path, view, epoch));
    engine.kill();
    let verified = Command::new(env!("CARGO_BIN_EXE_trueup"))
        .current_dir(path)
        .args(["verify", "journal", "--json"])
        .output()
        .unwrap();
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
    found
}

#[test]
fn an_engine_that_is_killed_under_load_answers_as_one_that_never_was() {
    let asked = std::env::var_os("TRUEUP_KILLS").and_then(|text| text.into_string().ok());
    let kills = asked.and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let days = (kills + 1) * LOGS_PER_KILL;
    let undisturbed = answers(0, days);
    assert!(!undisturbed.iter().any(Vec::is_empty));
    assert_eq!(answers(kills, days), undisturbed);
}
