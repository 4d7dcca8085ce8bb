//! An engine that has too little memory says so, answers, and stops when it is told to.

use crate::support::{Engine, LOG, PURCHASES, folder, rows, signal};
use rustix::process::Signal;
use trueup_connectors::load::File;

fn config(mebibytes: u32) -> String {
    format!(
        "[engine]\nmemory_mebibytes = {mebibytes}\n[api]\nlisten = \"127.0.0.1:0\"\n\
         [connectors]\nlisten = \"127.0.0.1:0\"\n[journal]\nfolder = \"journal\"\n"
    )
}

#[test]
fn an_engine_with_too_little_memory_holds_input_back_and_says_what_to_do() {
    let folder = folder();
    let path = folder.path();
    let engine = Engine::start_with(path, &["serve"], &config(100_000));
    let files = [File::new("debug.log", LOG), File::new("purchases.csv", PURCHASES)];
    let epoch = engine.feed("lic1", &files).to_string();
    let question = ["sessions", "--wait-for", &epoch];
    let expected = rows(&engine.ask(path, &question));
    assert_eq!(expected.len(), 2, "{expected:?}");
    assert!(engine.get("/v1/health").contains("\"state\":\"taking input\""));
    assert!(engine.get("/metrics").contains("trueup_memory_limit_bytes 104857600000\n"));
    let metrics = engine.get("/metrics");
    assert!(metrics.contains("trueup_epoch_stage_seconds_count{stage=\"whole\"} "));
    engine.kill();

    // Any process has more than a mebibyte.
    let mut poor = Engine::start_with(path, &["serve"], &config(1));
    let mut looks = std::iter::repeat_with(|| poor.get("/v1/health")).take(600);
    let health = looks.find(|health| health.contains("held back")).unwrap();
    for words in ["held back: memory is full", "engine.memory_mebibytes", "\"since\":\"20"] {
        assert!(health.contains(words), "no {words} in {health}");
    }
    assert!(poor.get("/metrics").contains("trueup_memory_full 1\n"));
    assert_eq!(rows(&poor.ask(path, &["sessions"])), expected, "it answers");
    assert!(signal(Some(Signal::TERM), &poor.child.id().to_string()));
    assert_eq!(poor.child.wait().unwrap().code(), Some(0), "told to stop");

    let again = Engine::start_with(path, &["serve"], &config(100_000));
    let fed_again = again.feed("lic1", &files).to_string();
    assert_eq!(rows(&again.ask(path, &["sessions", "--wait-for", &fed_again])), expected);
    again.kill();
}
