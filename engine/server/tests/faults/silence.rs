//! A process of a cluster that stands still for longer than the others wait for it.

use crate::load::{Random, config, free_port};
use crate::support::{Engine, children, folder, signal};
use crate::{check, loaded, rounds};
use rustix::process::Signal;

#[test]
fn a_cluster_of_which_a_process_stands_still_starts_anew_and_answers_the_same() {
    let folder = folder();
    let (path, port) = (folder.path(), free_port());
    let launch = ["launch", "--processes", "2", "--failures", "1000000"];
    let mut engine = Engine::start_with(path, &launch, &config(port));
    let mut random = Random(0x5709);
    let first = random.below(2);
    let (engine, epoch) = loaded(port, |load| {
        for round in 0..rounds() {
            load.pass(4 + random.below(8));
            let pids = children(engine.child.id());
            assert_eq!(pids.len(), 2, "{pids:?}");
            let victim = (first + round) % 2;
            assert!(signal(Some(Signal::STOP), &pids[victim]));
            engine.become_ready();
            assert!(pids.iter().all(|pid| !signal(None, pid)), "some are left");
            eprintln!("round {round}: process {victim} stood still");
        }
        engine
    });
    check(engine, path, epoch, "after processes that stood still");
}
