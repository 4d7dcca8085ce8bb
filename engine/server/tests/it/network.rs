//! Two processes on two hosts, and a network between them that fails.
//!
//! The second host is a network namespace, which takes the rights of a superuser; without them the test says
//! so and does nothing.

use crate::host::{Host, ended};
use crate::support::{Engine, LOG, PURCHASES, folder, rows};
use serde_json::Value;
use trueup_connectors::load::File;

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
