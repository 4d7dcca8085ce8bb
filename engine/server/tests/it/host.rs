//! A host beside this one: a network namespace on a wire of its own, whose network can fail.
//!
//! It takes the rights of a superuser and the tools `ip` and, to lose or refuse packets, `nft`.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A host beside this one.
pub(crate) struct Host {
    name: String,
    /// The address of this host on the wire.
    pub(crate) near: String,
    /// The address of the other.
    pub(crate) far: String,
}

/// Runs a command of the system; whether it did what it should.
pub(crate) fn run(command: &str) -> bool {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap();
    let quiet = || Stdio::null();
    let status = Command::new(program).args(words).stdout(quiet()).stderr(quiet()).status();
    status.is_ok_and(|status| status.success())
}

impl Host {
    /// Adds a host; `None` without the right to.
    pub(crate) fn add(number: u8) -> Option<Self> {
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
    pub(crate) fn plug(&self, is_in: bool) {
        let state = if is_in { "up" } else { "down" };
        assert!(run(&format!("ip link set {}n {state}", self.name)), "{state}");
    }

    /// Lets little through, with a queue in which things wait; whether this system has such a queue.
    pub(crate) fn narrow(&self) -> bool {
        let shape = "root tbf rate 2mbit burst 32kbit latency 400ms";
        run(&format!("tc qdisc add dev {}n {shape}", self.name))
    }

    /// Lets everything through again.
    pub(crate) fn widen(&self) {
        assert!(run(&format!("tc qdisc del dev {}n root", self.name)));
    }

    /// Has it lose or refuse packets from now on; whether this system can.
    pub(crate) fn filter(&self, rules: &[String]) -> bool {
        let inside = |command: &str| run(&format!("ip netns exec {} nft {command}", self.name));
        let chain =
            |hook| format!("add chain inet f {hook} {{ type filter hook {hook} priority 0 ; }}");
        inside("add table inet f")
            && ["input", "output"].iter().all(|hook| inside(&chain(hook)))
            && rules.iter().all(|rule| inside(&format!("add rule inet f {rule}")))
    }

    /// Has it lose nothing any more.
    pub(crate) fn heal(&self) {
        assert!(run(&format!("ip netns exec {} nft flush ruleset", self.name)));
    }

    /// The ports from which it has connections to a port elsewhere.
    pub(crate) fn connected_from(&self, port: u16) -> Vec<u16> {
        let there = format!("dport = :{port}");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, "ss", "-Htn", "state", "established"]);
        let listed = String::from_utf8(command.arg(there).output().unwrap().stdout).unwrap();
        let here = |line: &str| line.split_whitespace().nth(2)?.rsplit_once(':')?.1.parse().ok();
        listed.lines().filter_map(here).collect()
    }

    /// Runs an engine there, with a configuration of a folder.
    pub(crate) fn serve(&self, folder: &Path) -> Child {
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

/// Waits until a process has ended; gives its code.
pub(crate) fn ended(child: &mut Child) -> Option<i32> {
    for _ in 0..300 {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    child.kill().unwrap();
    panic!("it did not end");
}
