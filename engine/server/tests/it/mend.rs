//! A fact that stops the engine: found, left out for good, and all others count.

use crate::support::{Engine, LOG, deliver, ends, folder, rows};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use trueup_connectors::client::{Secret, Settings};
use trueup_connectors::load::File;

/// Checkouts of three people; that of the second stops the program that the tests run.
const DEADLY: &[u8] =
    b" 8:00:00 (lmgrd) TIMESTAMP 1/8/2025\n 8:00:00 (simd) Server started on lic1 for:\tMESH\n \
    9:00:00 (simd) OUT: \"MESH\" eve@pc3  \n 9:10:00 (simd) OUT: \"MESH\" mal@pc4  (66666666 licenses) \n \
    9:20:00 (simd) OUT: \"MESH\" dan@pc5  \n10:00:00 (simd) IN: \"MESH\" eve@pc3  \n\
    10:20:00 (simd) IN: \"MESH\" dan@pc5  \n";

fn config(connectors: u16, folder: &str) -> String {
    format!(
        "[engine]\nepoch_milliseconds = 2\n[api]\nlisten = \"127.0.0.1:0\"\n\
         [connectors]\nlisten = \"127.0.0.1:{connectors}\"\n[journal]\nfolder = \"{folder}\"\n"
    )
}

/// Delivers the deadly log, however often the engine is started anew meanwhile; gives its epoch.
fn deliver_deadly(address: &str, source: &str) -> u64 {
    deliver_log(address, source, DEADLY)
}

fn deliver_log(address: &str, source: &str, log: &[u8]) -> u64 {
    let settings = Settings {
        patience: Some(Duration::from_secs(240)),
        ..Settings::new("acme", source, 1, Secret::default())
    };
    deliver(address, settings, &[File::new("deadly.log", log)])
}

/// The log with another count: what that does is said in `engine/runtime/src/poison.rs`.
fn deadly_by(count: &str) -> Vec<u8> {
    String::from_utf8(DEADLY.to_vec()).unwrap().replace("66666666", count).into_bytes()
}

/// The users of all checkouts, and what was set aside.
fn answers(engine: &Engine, path: &Path, epoch: u64) -> (Vec<String>, Vec<Value>) {
    let wait = epoch.to_string();
    let found = rows(&engine.ask(path, &["sessions", "--wait-for", &wait]));
    let mut users: Vec<String> =
        found.iter().map(|row| row["user"].as_str().unwrap().to_owned()).collect();
    users.sort();
    (users, rows(&engine.ask(path, &["quarantine"])))
}

fn check(found: &(Vec<String>, Vec<Value>), when: &str) {
    let (users, set_aside) = found;
    assert_eq!(*users, ["ada", "bob", "dan", "eve"], "{when}");
    assert_eq!(set_aside.len(), 1, "{when}: {set_aside:?}");
    let row = &set_aside[0];
    assert_eq!((&row["source"], &row["position"]), (&"deadly.log".into(), &4.into()), "{when}");
    let detail = row["detail"].as_str().unwrap();
    assert!(detail.contains("stopped the engine"), "{when}: {row}");
    assert!(row["remedy"].as_str().unwrap().contains("report it"), "{when}: {row}");
}

fn incidents(path: &Path, ending: &str) -> usize {
    let names = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
    let is = |name: &str| name.contains(".incident-") && name.ends_with(ending);
    names.filter(|name| is(&name.to_string_lossy())).count()
}

#[test]
fn a_fact_that_stops_the_engine_is_found_left_out_and_set_aside_and_all_others_count() {
    let folder = folder();
    let path = folder.path();
    let mut engine = Engine::start_with(path, &["serve"], &config(0, "journal"));
    let connectors = engine.connectors().to_owned();
    let port: u16 = connectors.rsplit_once(':').unwrap().1.parse().unwrap();
    engine.feed("lic1", &[File::new("debug.log", LOG)]);
    let epoch = std::thread::scope(|scope| {
        let fed = scope.spawn(|| deliver_deadly(&connectors, "lic2"));
        assert!(!engine.child.wait().unwrap().success(), "it stops");
        assert_eq!(incidents(path, ".json"), 1);
        engine = Engine::start_with(path, &["serve"], &config(port, "journal"));
        fed.join().unwrap()
    });
    check(&answers(&engine, path, epoch), "after it was left out");
    assert_eq!((incidents(path, ".json"), incidents(path, ".mended")), (0, 1));
    // The same once more, under another source's position: it is the same fact.
    let again = deliver_deadly(&connectors, "lic2b");
    check(&answers(&engine, path, again), "delivered once more");
    engine.kill();
    let restarted = Engine::start_with(path, &["serve"], &config(0, "journal"));
    check(&answers(&restarted, path, epoch), "after one more start");
    restarted.kill();
    ends(path, 0, &["backup", "copy", "--journal", "journal"]);
    ends(path, 0, &["restore", "copy", "--journal", "restored"]);
    let restored = Engine::start_with(path, &["serve"], &config(0, "restored"));
    check(&answers(&restored, path, epoch), "from a backup");
    restored.kill();
}

#[test]
fn a_cluster_that_a_fact_stops_leaves_it_out_and_goes_on_by_itself() {
    let folder = folder();
    let path = folder.path();
    // The cluster starts anew by itself, where the connector looks for it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let launch = ["launch", "--processes", "2", "--workers", "2"];
    let mut engine = Engine::start_with(path, &launch, &config(port, "journal"));
    let connectors = engine.connectors().to_owned();
    engine.feed("lic1", &[File::new("debug.log", LOG)]);
    let epoch = deliver_deadly(&connectors, "lic2");
    engine.become_ready();
    check(&answers(&engine, path, epoch), "started anew");
    assert_eq!((incidents(path, ".json"), incidents(path, ".mended")), (0, 1));
    engine.kill();
}

#[test]
fn a_fact_that_stops_the_engine_only_when_time_has_passed_is_found_too() {
    let folder = folder();
    let path = folder.path();
    let mut engine = Engine::start_with(path, &["serve"], &config_of_seconds(0));
    let connectors = engine.connectors().to_owned();
    let port: u16 = connectors.rsplit_once(':').unwrap().1.parse().unwrap();
    engine.feed("lic1", &[File::new("debug.log", LOG)]);
    // It is computed, and the next epoch that has nothing but the time ends the engine.
    let late = deadly_by("66666667");
    let epoch = std::thread::scope(|scope| {
        let fed = scope.spawn(|| deliver_log(&connectors, "lic2", &late));
        assert!(!engine.child.wait().unwrap().success(), "it stops");
        engine = Engine::start_with(path, &["serve"], &config_of_seconds(port));
        fed.join().unwrap()
    });
    check(&answers(&engine, path, epoch), "after it was left out");
    assert_eq!((incidents(path, ".json"), incidents(path, ".mended")), (0, 1));
    engine.kill();
}

/// The same with an epoch each second.
fn config_of_seconds(connectors: u16) -> String {
    let seconds = "[engine]\nhorizon_step_seconds = 1\n";
    config(connectors, "journal").replace("[engine]\n", seconds)
}

/// The same with a snapshot as soon as something was written.
fn config_with_snapshots(connectors: u16) -> String {
    config_of_seconds(connectors) + "[snapshots]\ninterval_seconds = 1\n"
}

/// The epochs of the snapshots that are whole.
fn snapshots(path: &Path) -> Vec<u64> {
    let names = std::fs::read_dir(path.join("journal")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let epoch = |name: String| {
        name.strip_prefix("snapshot-")?.strip_suffix(".manifest")?.parse::<u64>().ok()
    };
    names.filter_map(epoch).collect()
}

#[test]
fn a_fact_that_stops_the_engine_only_out_of_a_snapshot_is_found_too() {
    let folder = folder();
    let path = folder.path();
    let launch = ["launch", "--processes", "2"];
    let mut engine = Engine::start_with(path, &launch, &config_with_snapshots(0));
    engine.feed("lic1", &[File::new("debug.log", LOG)]);
    let epoch = deliver_log(engine.connectors(), "lic2", &deadly_by("66666668"));
    // One that was begun before may be the first that is heard of.
    while !snapshots(path).iter().any(|kept| *kept >= epoch) {
        engine.hear(" snapshot ");
    }
    engine.kill();
    // The first attempt ends, and the next one is made without the fact.
    engine = Engine::start_with(path, &launch, &config_with_snapshots(0));
    check(&answers(&engine, path, epoch), "restored");
    assert_eq!((incidents(path, ".json"), incidents(path, ".mended")), (0, 1));
    engine.kill();
}

#[test]
fn an_engine_that_taking_a_snapshot_stops_goes_on_without_snapshots() {
    let folder = folder();
    let path = folder.path();
    let mut engine = Engine::start_with(path, &["serve"], &config_with_snapshots(0));
    let connectors = engine.connectors().to_owned();
    let port: u16 = connectors.rsplit_once(':').unwrap().1.parse().unwrap();
    let log = deadly_by("66666669");
    let epoch = std::thread::scope(|scope| {
        let fed = scope.spawn(|| deliver_log(&connectors, "lic2", &log));
        assert!(!engine.child.wait().unwrap().success(), "it stops");
        assert_eq!(incidents(path, ".json"), 1);
        engine = Engine::start_with(path, &["serve"], &config_with_snapshots(port));
        fed.join().unwrap()
    });
    // With an epoch a second, a snapshot would be due by then.
    let wait = (epoch + 4).to_string();
    assert_eq!(rows(&engine.ask(path, &["sessions", "--wait-for", &wait])).len(), 3);
    assert!(engine.child.try_wait().unwrap().is_none(), "it goes on");
    assert!(snapshots(path).iter().all(|kept| *kept < epoch), "{:?}", snapshots(path));
    assert_eq!((incidents(path, ".json"), incidents(path, ".mended")), (1, 0));
    engine.kill();
}
