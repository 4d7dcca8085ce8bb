//! Engines over several processes: they say what one says, and outlive the loss of any.

use crate::support::{Engine, LOG, PURCHASES, children, folder, rows, signal};
use rustix::process::Signal;
use serde_json::Value;
use std::path::Path;
use trueup_connectors::load::File;

#[test]
fn two_processes_say_what_one_says_and_outlive_the_loss_of_either() {
    let (alone, folder) = (folder(), folder());
    let files = [File::new("debug.log", LOG), File::new("purchases.csv", PURCHASES)];
    let at = "2025-01-07T09:45:00Z";
    let questions: [&[&str]; 4] = [
        &["positions", "--period", "2025-01"],
        &["discrepancies", "--period", "2025-01"],
        &["sessions"],
        &["levels", "--at", at],
    ];
    let all = |engine: &Engine, path: &Path, epoch: u64| -> Vec<Value> {
        let wait = ["--wait-for", &epoch.to_string()];
        questions
            .iter()
            .flat_map(|ask| rows(&engine.ask(path, &[ask, &wait[..]].concat())))
            .collect()
    };
    let single = Engine::start(alone.path());
    let fed = single.feed("lic1", &files);
    let expected = all(&single, alone.path(), fed);
    assert!(expected.len() > 4, "{expected:?}");
    single.kill();

    let path = folder.path();
    let mut engine = Engine::start_by(path, &["launch", "--processes", "2", "--workers", "2"]);
    let epoch = engine.feed("lic1", &files);
    assert_eq!(all(&engine, path, epoch), expected);
    // One is killed, one is silent, and then the first is killed: each time all start anew.
    let mut pids = Vec::new();
    for (what, process) in [(Signal::KILL, 1), (Signal::STOP, 1), (Signal::KILL, 0)] {
        pids = children(engine.child.id());
        assert!(signal(Some(what), &pids[process]), "{what:?} {process}");
        engine.become_ready();
        assert_eq!(all(&engine, path, epoch), expected, "{what:?} {process}");
        let again = engine.feed("lic1", &files);
        let once_more = all(&engine, path, again);
        assert_eq!(once_more, expected, "{what:?} {process}, the same files once more");
        assert!(pids.iter().all(|pid| !signal(None, pid)), "{what:?} {process}: some are left");
    }
    pids = [pids, children(engine.child.id())].concat();
    assert!(signal(Some(Signal::TERM), &engine.child.id().to_string()));
    assert_eq!(engine.child.wait().unwrap().code(), Some(0), "told to stop");
    assert!(pids.iter().all(|pid| !signal(None, pid)), "some are left");
}
