//! Two processes on two hosts, and a network between them that fails.
//!
//! The second host is a network namespace, which takes the rights of a superuser; without them the test says
//! so and does nothing.

use crate::support::{Engine, LOG, PURCHASES, folder, rows};
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use trueup_connectors::load::File;

/// A host beside this one, on a wire of its own.
struct Host {
    name: String,
    near: String,
    far: String,
}

/// Runs a command of the system; whether it did what it should.
fn run(command: &str) -> bool {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap();
    let status = Command::new(program).args(words).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

impl Host {
    /// Adds a host; `None` without the right to.
    fn add(number: u8) -> Option<Self> {
        let name = format!("trueup{number}");
        let (near, far) = (format!("10.77.{number}.1"), format!("10.77.{number}.2"));
        run(&format!("ip netns del {name}"));
        run(&format!("ip netns add {name}")).then_some(())?;
        let host = Self { name: name.clone(), near, far };
        let wires = [
            format!("ip link add {name}n type veth peer name {name}f netns {name}"),
            format!("ip addr add {}/24 dev {name}n", host.near),
            format!("ip link set {name}n up"),
            format!("ip -n {name} addr add {}/24 dev {name}f", host.far),
            format!("ip -n {name} link set {name}f up"),
            format!("ip -n {name} link set lo up"),
        ];
        wires.iter().all(|wire| run(wire)).then_some(host)
    }

    /// Pulls the plug, or puts it back.
    fn plug(&self, is_in: bool) {
        let state = if is_in { "up" } else { "down" };
        assert!(run(&format!("ip link set {}n {state}", self.name)), "{state}");
    }

    /// Lets little through, with a queue in which things wait; whether this system has such a queue.
    fn narrow(&self) -> bool {
        let shape = "root tbf rate 2mbit burst 32kbit latency 400ms";
        run(&format!("tc qdisc add dev {}n {shape}", self.name))
    }

    fn serve(&self, folder: &Path) -> Child {
        let program = env!("CARGO_BIN_EXE_trueup");
        Command::new("ip")
            .args(["netns", "exec", &self.name, program, "serve", "--config", "second.toml"])
            .current_dir(folder)
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        run(&format!("ip netns del {}", self.name));
        run(&format!("ip link del {}n", self.name));
    }
}

fn ended(child: &mut Child) -> Option<i32> {
    for _ in 0..300 {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    child.kill().unwrap();
    panic!("it did not end");
}

#[test]
fn a_cluster_ends_when_the_network_parts_it_and_goes_on_where_it_was() {
    let Some(host) = Host::add(1) else {
        println!("skipped: it takes the right to add a network namespace");
        return;
    };
    let folder = folder();
    let path = folder.path();
    let cluster = |process: u8| {
        let hosts = format!("{}:7451, {}:7451", host.near, host.far);
        format!(
            "[api]\nlisten = \"127.0.0.1:0\"\n[connectors]\nlisten = \"127.0.0.1:0\"\n\
             [journal]\nfolder = \"journal\"\n[cluster]\nhosts = \"{hosts}\"\n\
             process = {process}\nsecret_file = \"secret\"\n"
        )
    };
    std::fs::write(path.join("secret"), "of this test").unwrap();
    std::fs::write(path.join("second.toml"), cluster(1)).unwrap();
    let start = || {
        let second = host.serve(path);
        (Engine::start_with(path, &["serve"], &cluster(0)), second)
    };
    let ask = |engine: &Engine, epoch: u64| -> Vec<Value> {
        let wait = epoch.to_string();
        let question = ["positions", "--period", "2025-01", "--wait-for", &wait];
        rows(&engine.ask(path, &question))
    };
    let files = [File::new("debug.log", LOG), File::new("purchases.csv", PURCHASES)];
    let (mut engine, mut second) = start();
    let epoch = engine.feed("lic1", &files);
    let before = ask(&engine, epoch);
    assert_eq!(before.len(), 1, "{before:?}");
    assert_eq!((&before[0]["state"], &before[0]["peak"]), (&"over".into(), &"2".into()));
    host.plug(false);
    engine.hear("lost a process of the cluster");
    assert_eq!(ended(&mut engine.child), Some(75), "the first");
    assert_eq!(ended(&mut second), Some(75), "the second");
    host.plug(true);
    // A wire that is slow and full is no wire that is cut.
    if !host.narrow() {
        println!("not narrowed: this system has no such queue");
    }
    let (again, mut other) = start();
    assert_eq!(ask(&again, epoch), before, "after the network came back");
    let once_more = again.feed("lic1", &files);
    assert_eq!(ask(&again, once_more), before, "the same files once more");
    again.kill();
    assert_eq!(ended(&mut other), Some(75), "the second, when the first is killed");
}
