//! A cluster over two hosts, and a network between them that loses, refuses and lets little through.

use crate::host::{Host, ended};
use crate::load::{config, free_port};
use crate::support::{Engine, folder};
use crate::{Load, check, loaded, rounds};
use std::path::Path;
use std::process::Child;
use trueup_runtime::clock::{Clock as _, SystemClock};
use trueup_tls::testing::{Authority, Holds};

/// Where the first process meets the second.
const PORT: u16 = 7452;
/// How long both processes may take to end when they are parted: three seconds of silence, one more until a
/// connection is asked whether it still stands, and what a busy machine takes.
const PARTED_US_MAX: u64 = 15_000_000;
/// What a process ends with when another one is gone.
const LOST: Option<i32> = Some(75);

/// What the network does.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The second host hears nothing of the first, which hears it still.
    Deaf,
    /// The second host says nothing to the first, and hears it still.
    Mute,
    /// One of the two connections carries nothing to the second host; the other one does.
    Half(usize),
    /// All that the second host hears is refused, and so is what it says.
    Reset,
    /// Little goes through, with a queue in which it waits: nobody is lost by that.
    Narrow,
}

const FAULTS: [Fault; 6] =
    [Fault::Deaf, Fault::Mute, Fault::Half(0), Fault::Half(1), Fault::Reset, Fault::Narrow];

impl Fault {
    /// Begins; whether this system can.
    fn begin(self, host: &Host) -> bool {
        let hears = format!("input tcp sport {PORT}");
        let says = format!("output tcp dport {PORT}");
        match self {
            Self::Deaf => host.filter(&[format!("{hears} drop")]),
            Self::Mute => host.filter(&[format!("{says} drop")]),
            Self::Half(which) => {
                let connections = host.connected_from(PORT);
                assert_eq!(connections.len(), 2, "one for the dataflow, one for signs of life");
                host.filter(&[format!("{hears} tcp dport {} drop", connections[which])])
            }
            Self::Reset => host.filter(&[
                format!("{hears} reject with tcp reset"),
                format!("{says} reject with tcp reset"),
            ]),
            Self::Narrow => host.narrow(),
        }
    }
}

/// The two processes.
struct Pair<'p> {
    host: &'p Host,
    path: &'p Path,
    config: &'p str,
    first: Engine,
    second: Child,
}

impl<'p> Pair<'p> {
    fn start(host: &'p Host, path: &'p Path, config: &'p str) -> Self {
        let second = host.serve(path);
        Self { host, path, config, first: Engine::start_with(path, &["serve"], config), second }
    }

    /// Lets the network fail while facts come; gives processes that run, and what became of them.
    fn meet(mut self, fault: Fault, load: &Load<'_>) -> (Self, String) {
        load.pass(3);
        if !fault.begin(self.host) {
            return (self, "skipped, this system cannot".to_owned());
        }
        if matches!(fault, Fault::Narrow) {
            load.pass(3);
            self.host.widen();
            assert!(self.second.try_wait().unwrap().is_none(), "{fault:?}: nobody is lost");
            return (self, "both went on".to_owned());
        }
        let clock = SystemClock::default();
        let ends = [ended(&mut self.first.child), ended(&mut self.second)];
        let took_us = clock.monotonic_us();
        assert_eq!(ends, [LOST, LOST], "{fault:?}");
        assert!(took_us < PARTED_US_MAX, "{fault:?}: both ended after {took_us} microseconds");
        self.host.heal();
        let became = format!("both ended after {} ms", took_us / 1000);
        (Self::start(self.host, self.path, self.config), became)
    }
}

#[test]
fn a_cluster_whose_network_fails_ends_in_time_and_answers_the_same_afterwards() {
    let Some(host) = Host::add(2) else {
        eprintln!("skipped: it takes the right to add a network namespace");
        return;
    };
    if !host.filter(&[]) {
        eprintln!("skipped: it takes nft, which loses and refuses packets");
        return;
    }
    host.heal();
    let folder = folder();
    let (path, port) = (folder.path(), free_port());
    let authority = Authority::new(path, "ours");
    let shown = authority.issue(&[&host.near, &host.far], Holds::Now);
    let cluster = |process: usize| {
        format!(
            "[cluster]\nhosts = \"{}:{PORT}, {}:{PORT}\"\nprocess = {process}\nsecret_file = \
             \"secret\"\ncertificate_file = \"{}\"\nkey_file = \"{}\"\nauthority_file = \"{}\"\n",
            host.near,
            host.far,
            shown.certificate.display(),
            shown.key.display(),
            shown.authority.display()
        )
    };
    std::fs::write(path.join("secret"), "of this test").unwrap();
    std::fs::write(path.join("second.toml"), config(port) + &cluster(1)).unwrap();
    let first = config(port) + &cluster(0);
    let (Pair { first, mut second, .. }, epoch) = loaded(port, |load| {
        let mut pair = Pair::start(&host, path, &first);
        for _ in 0..rounds().div_ceil(2) {
            for fault in FAULTS {
                let (again, became) = pair.meet(fault, load);
                eprintln!("{fault:?}: {became}");
                pair = again;
            }
        }
        pair
    });
    check(first, path, epoch, "after a network that failed");
    assert_eq!(ended(&mut second), Some(0), "the second ends with the first");
}
