//! The program as others use it: commands that end, engines that run.

use crossbeam_channel::Receiver;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use trueup_connectors::client::clock::SystemClock;
use trueup_connectors::client::transport::{TcpDial, TcpTimeouts};
use trueup_connectors::client::{Client, Secret, Settings};
use trueup_connectors::load::{File, Options, load};
use trueup_model::calendar::Zone;
use trueup_model::time::Timestamp;

pub(crate) fn trueup(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
    command.env_remove("TRUEUP_API").env_remove("TRUEUP_CA");
    command.current_dir(folder).args(arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs a command that must end with this code; gives what it printed.
pub(crate) fn ends(folder: &Path, code: i32, arguments: &[&str]) -> (String, String) {
    let ended = trueup(folder, arguments);
    let (out, err) = (text(&ended.stdout), text(&ended.stderr));
    assert_eq!(ended.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    (out, err)
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A running engine.
pub(crate) struct Engine {
    pub(crate) child: Child,
    said: Receiver<String>,
    /// Where it answers.
    pub(crate) api: String,
    connectors: String,
}

/// The value of a field of a line of the log.
pub(crate) fn field(line: &str, name: &str) -> String {
    let rest = line.split_once(name).unwrap_or_else(|| panic!("no {name} in {line}")).1;
    rest.split_whitespace().next().unwrap().to_owned()
}

impl Engine {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_by(folder, &["serve"])
    }

    pub(crate) fn start_by(folder: &Path, command: &[&str]) -> Self {
        let config = "[api]\nlisten = \"127.0.0.1:0\"\n[connectors]\nlisten = \"127.0.0.1:0\"\n\
                      [journal]\nfolder = \"journal\"\n";
        Self::start_with(folder, command, config)
    }

    /// Starts it with this configuration.
    pub(crate) fn start_with(folder: &Path, command: &[&str], config: &str) -> Self {
        std::fs::write(folder.join("trueup.toml"), config).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_trueup"))
            .current_dir(folder)
            .args(command)
            .args(["--config", "trueup.toml"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (told, said) = crossbeam_channel::bounded(1024);
        // It must not wait for a reader.
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| drop(told.try_send(line)));
        });
        let mut engine = Self { child, said, api: String::new(), connectors: String::new() };
        engine.become_ready();
        engine
    }

    /// Waits for a line of the log.
    pub(crate) fn hear(&self, what: &str) -> String {
        let patience = Duration::from_secs(120);
        let mut lines = std::iter::from_fn(|| self.said.recv_timeout(patience).ok());
        lines.find(|line| line.contains(what)).unwrap_or_else(|| panic!("it never said {what}"))
    }

    /// Where connectors deliver.
    pub(crate) fn connectors(&self) -> &str {
        &self.connectors
    }

    pub(crate) fn become_ready(&mut self) {
        let ready = self.hear(" ready ");
        (self.api, self.connectors) = (field(&ready, "questions="), field(&ready, "connectors="));
    }

    /// Delivers files as a connector does, and waits until they are vouched for; gives their epoch.
    pub(crate) fn feed(&self, source: &str, files: &[File<'_>]) -> u64 {
        let settings = Settings::new("acme", source, 1, Secret::default());
        deliver(&self.connectors, settings, files)
    }

    /// What it says at a path of its API.
    pub(crate) fn get(&self, path: &str) -> String {
        let url = format!("http://{}{path}", self.api);
        ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap()
    }

    pub(crate) fn ask(&self, folder: &Path, question: &[&str]) -> Value {
        let arguments = [question, &["--json", "--api", &self.api]].concat();
        let (out, _) = ends(folder, 0, &arguments);
        serde_json::from_str(&out).unwrap()
    }

    /// Asks until something is there: an answer may be of an epoch before what was just delivered.
    pub(crate) fn ask_until(
        &self,
        folder: &Path,
        question: &[&str],
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        for _ in 0..600 {
            let answer = self.ask(folder, question);
            if is(&answer) {
                return answer;
            }
        }
        panic!("{question:?} never came");
    }

    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // One that has ended needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The rows of an answer.
pub(crate) fn rows(answer: &Value) -> Vec<Value> {
    assert!(answer["as_of"].is_object() || answer["as_of"].is_string(), "{answer}");
    let list = answer.as_object().unwrap().values().find_map(Value::as_array);
    list.cloned().unwrap_or_default()
}

pub(crate) const LOG: &[u8] =
    b" 8:00:00 (lmgrd) TIMESTAMP 1/7/2025\n 8:00:00 (simd) Server started on lic1 for:\tMESH\n \
    9:00:00 (simd) OUT: \"MESH\" ada@pc1  \n 9:30:00 (simd) OUT: \"MESH\" bob@pc2  \n\
    10:00:00 (simd) IN: \"MESH\" ada@pc1  \n10:30:00 (simd) IN: \"MESH\" bob@pc2  \n";
pub(crate) const PURCHASES: &[u8] =
    b"line,product,metric,quantity,start,end\nP1,MESH,concurrent,1,2025-01-01,\n";

/// Sends a signal to a process, or only looks whether it is there; whether it is.
pub(crate) fn signal(signal: Option<Signal>, pid: &str) -> bool {
    let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
    match signal {
        Some(signal) => kill_process(pid, signal).is_ok(),
        None => test_kill_process(pid).is_ok(),
    }
}

/// The processes that a process started, in their order.
pub(crate) fn children(pid: u32) -> Vec<String> {
    let listed = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    listed.split_whitespace().map(str::to_owned).collect()
}

/// Delivers files as a connector with these settings does, and waits until they are vouched for; gives their
/// epoch.
pub(crate) fn deliver(address: &str, settings: Settings, files: &[File<'_>]) -> u64 {
    let dial = TcpDial::new(address, TcpTimeouts::default());
    let options = Options {
        tenant: "acme".to_owned(),
        source: settings.source.clone(),
        zone: Zone::utc(),
        host: None,
        received_at: "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
    };
    let (mut client, _) = Client::connect(settings, dial, SystemClock::start()).unwrap();
    let mut sink = client.sink();
    load(files, &options, &mut sink, &mut |_| {});
    sink.finish().unwrap();
    client.flush_and_wait().unwrap().epoch
}
