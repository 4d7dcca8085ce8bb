//! The commands: output, files, exit codes, an engine that is killed and goes on.

use crate::support::{Engine, LOG, PURCHASES, ends, folder, rows};
use serde_json::Value;
use trueup_connectors::load::File;
use trueup_datasets::demo;

#[test]
fn the_demonstration_shows_what_its_page_promises() {
    let folder = folder();
    let (out, _) = ends(folder.path(), 0, &["demo"]);
    for finding in [
        "over use",
        "expired in use",
        "shelfware",
        "unmapped device",
        "unlicensed use",
        "near limit",
        "contract says 8",
        "as of 2026-03-08T23:00:00Z",
    ] {
        assert!(out.contains(finding), "no {finding} in\n{out}");
    }
    let (json, _) = ends(folder.path(), 0, &["demo", "--json"]);
    let answer: Value = serde_json::from_str(&json).unwrap();
    assert!(json.contains("as_of"), "{answer}");
}

#[test]
fn a_month_whose_log_ends_early_is_provisional_and_degraded_once_its_daemon_is_silent() {
    let folder = folder();
    ends(folder.path(), 0, &["demo", "--extract", "set"]);
    let set = folder.path().join("set");
    std::fs::write(set.join("p.toml"), "[anomalies]\nsilence_seconds = 864000\n").unwrap();
    let files: Vec<&str> = demo().iter().map(|(name, _)| *name).collect();
    let confidence = |more: &[&str]| {
        let mut arguments = vec!["reconcile", "--exit-zero", "--json", "--period", "2026-03"];
        arguments.extend(["--time-zone", "Europe/Berlin"]);
        arguments.extend(more);
        arguments.extend(&files);
        let (out, _) = ends(&set, 0, &arguments);
        let answer: Value = serde_json::from_str(&out).unwrap();
        let rows = answer["positions"].as_array().unwrap().iter();
        let of = |product: &str| {
            let mut rows = rows.clone().filter(|row| row["product"] == product);
            rows.next().map(|row| row["confidence"].as_str().unwrap().to_owned()).unwrap()
        };
        (of("Meridian Studio"), of("Borealis Docs"))
    };
    let both = |studio: &str, docs: &str| (studio.to_owned(), docs.to_owned());
    // The set ends within March; no daemon serves seats.
    assert_eq!(confidence(&[]), both("provisional", "provisional"));
    let april = ["--as-of", "2026-04-02T00:00:00Z"];
    assert_eq!(confidence(&april), both("provisional", "complete"));
    let strict = ["--as-of", "2026-04-02T00:00:00Z", "--policy", "p.toml"];
    assert_eq!(confidence(&strict), both("degraded", "complete"));
}

#[test]
fn reconcile_writes_every_view_and_says_by_its_code_what_it_found() {
    let folder = folder();
    ends(folder.path(), 0, &["demo", "--extract", "set"]);
    let set = folder.path().join("set");
    let mut files: Vec<String> = demo().iter().map(|(name, _)| (*name).to_owned()).collect();
    for name in &mut files {
        if name == "meridvd-2.lic" {
            *name += "@2026-03-03T05:30:00Z";
        }
    }
    let mut arguments = vec!["reconcile", "--time-zone", "Europe/Berlin", "--out", "result"];
    arguments.extend(files.iter().map(String::as_str));
    let (out, _) = ends(&set, 10, &arguments);
    assert!(out.contains("Meridian Flow"), "{out}");
    let written = std::fs::read_to_string(set.join("result/positions.json")).unwrap();
    let positions: Value = serde_json::from_str(&written).unwrap();
    assert!(written.contains("as_of") && written.contains("Helios UK Ltd"), "{positions}");
    let table = std::fs::read_to_string(set.join("result/positions.csv")).unwrap();
    assert!(table.lines().count() > 10, "{table}");
    arguments.insert(1, "--exit-zero");
    ends(&set, 0, &arguments);
}

#[test]
fn exit_codes_tell_kinds_apart_and_errors_have_a_hint() {
    let folder = folder();
    let path = folder.path();
    std::fs::write(path.join("noise.bin"), [0_u8, 159, 146, 150, 0, 1, 2, 3]).unwrap();
    std::fs::write(path.join("bad.toml"), "[engine]\nwokers = 2\n").unwrap();
    std::fs::write(path.join("policy.toml"), "[[rule]]\nproduct = 1\n").unwrap();
    std::fs::write(path.join("a.csv"), "account,parent,start,end\nNorth,,,\n").unwrap();
    for (code, arguments) in [
        (0, vec!["reconcile", "a.csv"]),
        (2, vec!["reconcil"]),
        (2, vec!["reconcile", "a.csv", "--time-zone", "Europe/Nowhere"]),
        (65, vec!["reconcile", "noise.bin"]),
        (66, vec!["reconcile", "missing.log"]),
        (69, vec!["positions", "--api", "127.0.0.1:9"]),
        (74, vec!["reconcile", "a.csv", "--out", "a.csv/result"]),
        (78, vec!["serve", "--config", "bad.toml"]),
        (78, vec!["launch", "--config", "bad.toml"]),
        (78, vec!["reconcile", "a.csv", "--policy", "policy.toml"]),
    ] {
        let (out, err) = ends(path, code, &arguments);
        assert!(code == 0 || code == 65 || !err.is_empty(), "{arguments:?} says nothing\n{out}");
        assert!(!err.contains("panicked"), "{err}");
    }
}

#[test]
fn an_engine_that_is_killed_goes_on_where_it_was_and_counts_nothing_twice() {
    let folder = folder();
    let path = folder.path();
    let files = [File::new("debug.log", LOG), File::new("purchases.csv", PURCHASES)];
    let engine = Engine::start(path);
    engine.feed("lic1", &files);
    let question = ["positions", "--period", "2025-01"];
    let over = |answer: &Value| !rows(answer).is_empty();
    let before = rows(&engine.ask_until(path, &question, over));
    assert_eq!(before.len(), 1, "{before:?}");
    assert_eq!(
        [&before[0]["state"], &before[0]["entitled"], &before[0]["peak"]],
        ["over", "1", "2"].map(Value::from).each_ref(),
        "{before:?}"
    );
    let id = before[0]["id"].as_str().unwrap().to_owned();
    let why = engine.ask(path, &["explain", &id]).to_string();
    for word in ["ada", "bob", "P1"] {
        assert!(why.contains(word), "{word} is missing in {why}");
    }
    engine.kill();

    let again = Engine::start(path);
    assert_eq!(rows(&again.ask_until(path, &question, over)), before, "after it was killed");
    again.feed("lic1", &files);
    let sessions = rows(&again.ask(path, &["sessions"]));
    assert_eq!(sessions.len(), 2, "the same files once more: {sessions:?}");
    assert_eq!(rows(&again.ask(path, &question)), before);
    again.kill();
}

#[test]
fn whoever_waits_for_an_epoch_gets_totals_of_it_and_operators_say_what_they_cost() {
    let folder = folder();
    let path = folder.path();
    let engine = Engine::start(path);
    for (count, name) in ["first", "second", "third"].into_iter().enumerate() {
        let table = format!("line,product,metric,quantity,start,end\n{name},MESH,concurrent,1,,\n");
        let log = String::from_utf8_lossy(LOG).replace("MESH", name);
        let log_name = format!("{name}.log");
        let files =
            [File::new(&log_name, log.as_bytes()), File::new("purchases.csv", table.as_bytes())];
        let epoch = engine.feed(name, &files);
        let question = ["rollups", "--period", "2025-01", "--wait-for", &epoch.to_string()];
        let answer = engine.ask(path, &question);
        assert!(answer["as_of"]["epoch"].as_u64().unwrap() >= epoch, "{count}: {answer}");
        assert!(answer.to_string().contains(name), "{name} is not in {answer}");
    }
    let costs = engine.ask(path, &["top", "--limit", "1000"]);
    let of = |name: &str| {
        let rows = rows(&costs);
        let row = rows.iter().find(|row| row["operator"] == name);
        row.unwrap_or_else(|| panic!("no {name} in {costs}"))["rows"].as_u64().unwrap()
    };
    assert!(of("Dedupe") > 0 && of("Sessions") > 0, "{costs}");
    let stages = &costs["stages"];
    let names: Vec<&str> = stages["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["stage"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["queue", "gather", "journal", "enter", "compute", "publish", "whole"]);
    let whole = &stages["rows"][6];
    assert!(whole["epochs"].as_u64() >= Some(3), "{stages}");
    assert!(whole["p99_us"].as_u64() > Some(0), "{stages}");
    assert_eq!(stages["queues"]["epochs_to_disk"], 0, "all is published: {stages}");
    let (table, _) = ends(path, 0, &["top", "--limit", "3", "--api", &engine.api]);
    assert!(table.contains("P99 MS") && table.contains("waiting: 0 pieces of work"), "{table}");
    engine.kill();
}

#[test]
fn a_journal_is_looked_at_and_what_is_wrong_has_a_code_a_place_and_a_remedy() {
    let folder = folder();
    let path = folder.path();
    let engine = Engine::start(path);
    engine.feed("lic1", &[File::new("debug.log", LOG), File::new("purchases.csv", PURCHASES)]);
    let (_, used) = ends(path, 69, &["verify", "journal"]);
    assert!(used.contains("in use by another process"), "{used}");
    engine.kill();
    let (table, _) = ends(path, 0, &["verify", "journal"]);
    assert!(table.contains("segment-0000000001.journal"), "{table}");
    assert!(table.contains("the journal is good"), "{table}");
    let (json, _) = ends(path, 0, &["verify", "journal", "--json"]);
    let answer: Value = serde_json::from_str(&json).unwrap();
    assert!(answer["sealed_record"].as_u64() > Some(3), "{answer}");
    ends(path, 66, &["verify", "nowhere"]);
    let (nothing, _) = ends(path, 0, &["repair", "journal"]);
    assert!(nothing.contains("nothing is to be repaired"), "{nothing}");

    // The first frame was vouched for long ago.
    let file = path.join("journal/segment-0000000001.journal");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4096 + 70] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let (damaged, _) = ends(path, 76, &["verify", "journal"]);
    assert!(damaged.contains("is damaged at byte 4096"), "{damaged}");
    let (_, refused) = ends(path, 76, &["repair", "journal", "--lose-unsealed"]);
    assert!(refused.contains("acknowledged for good"), "{refused}");
    assert_eq!(std::fs::read(&file).unwrap(), bytes, "nothing is changed");
    let (_, stopped) = ends(path, 76, &["serve", "--config", "trueup.toml"]);
    assert!(stopped.contains("is damaged at byte 4096"), "{stopped}");
    let incidents = std::fs::read_dir(path).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.starts_with("journal.incident-").then_some(name)
    });
    assert_eq!(incidents.count(), 1, "what happened is written down");
}
