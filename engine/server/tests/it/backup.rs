//! Backups of a running engine, put back and looked into; and what is refused.

use crate::support::{Engine, ends, folder, rows};
use serde_json::Value;
use std::path::Path;
use trueup_connectors::load::File;

/// Snapshots as often as can be.
const CONFIG: &str = "[engine]\nepoch_milliseconds = 2\n[api]\nlisten = \"127.0.0.1:0\"\n\
    [connectors]\nlisten = \"127.0.0.1:0\"\n[journal]\nfolder = \"journal\"\n\
    [snapshots]\njournal_bytes = 65536\ninterval_seconds = 1\n";

/// A day's log.
fn log(day: usize) -> String {
    format!(
        " 8:00:00 (lmgrd) TIMESTAMP 1/{}/2025\n 8:00:00 (simd) Server started on lic1 for:\tMESH\n \
         9:00:00 (simd) OUT: \"MESH\" u{day}@pc1  \n 9:30:00 (simd) OUT: \"MESH\" v{day}@pc2  \n\
         10:00:00 (simd) IN: \"MESH\" u{day}@pc1  \n10:30:00 (simd) IN: \"MESH\" v{day}@pc2  \n",
        1 + day % 28
    )
}

/// Feeds the logs of some days, one after the other, each a source; gives the last epoch.
fn feed(engine: &Engine, days: usize) -> u64 {
    let mut epoch = 0;
    for day in 0..days {
        let (name, text) = (format!("{day}.log"), log(day));
        epoch = engine.feed(&format!("lic{day}"), &[File::new(&name, text.as_bytes())]);
    }
    epoch
}

fn ask(engine: &Engine, folder: &Path, epoch: u64) -> [Vec<Value>; 2] {
    let wait = epoch.to_string();
    let positions = ["positions", "--period", "2025-01", "--wait-for", &wait];
    [&positions[..], &["sessions"]].map(|question| rows(&engine.ask(folder, question)))
}

/// Runs a command that succeeds and answers in JSON.
fn json(folder: &Path, arguments: &[&str]) -> Value {
    let (out, _) = ends(folder, 0, &[arguments, &["--json"]].concat());
    serde_json::from_str(&out).unwrap()
}

/// What a folder says as of an epoch.
fn replay(path: &Path, of: &str, epoch: &str) -> [Vec<Value>; 2] {
    let period = ["--period", "2025-01", "--through", epoch];
    let answer = json(path, &[&["replay", of, "positions", "sessions"], &period[..]].concat());
    assert_eq!(answer["positions"]["as_of"]["epoch"].to_string(), epoch);
    ["positions", "sessions"].map(|view| rows(&answer[view]))
}

#[test]
fn a_backup_that_is_taken_under_load_says_what_was_said_and_an_engine_goes_on_with_it() {
    let folder = folder();
    let path = folder.path();
    let engine = Engine::start_with(path, &["serve"], CONFIG);
    let days = 24;
    feed(&engine, 2);
    let (taken, epoch) = std::thread::scope(|scope| {
        let fed = scope.spawn(|| feed(&engine, days));
        let taken: Vec<Value> = (0..4)
            .map(|count| {
                let to = format!("backup-{count}");
                json(path, &["backup", &to, "--journal", "journal"])
            })
            .collect();
        (taken, fed.join().unwrap())
    });
    let expected = ask(&engine, path, epoch);
    assert_eq!(expected[1].len(), days * 2, "{expected:?}");
    engine.kill();
    for (count, backup) in taken.iter().enumerate() {
        let (of, through) = (format!("backup-{count}"), backup["epoch"].to_string());
        let was = replay(path, "journal", &through);
        assert!(!was[1].is_empty(), "{backup}");
        assert_eq!(replay(path, &of, &through), was, "{of} as of epoch {through}");
    }
    let put_back = json(path, &["restore", "backup-3", "--journal", "restored"]);
    assert_eq!(put_back["record"], taken[3]["record"]);
    let again =
        Engine::start_with(path, &["serve"], &CONFIG.replace("\"journal\"", "\"restored\""));
    let fed_again = feed(&again, days);
    assert_eq!(ask(&again, path, fed_again), expected, "what is delivered again counts once");
    again.kill();
    ends(path, 0, &["verify", "restored"]);
}

#[test]
fn a_damaged_backup_and_a_full_folder_are_refused_with_file_and_place() {
    let folder = folder();
    let path = folder.path();
    let engine = Engine::start_with(path, &["serve"], CONFIG);
    feed(&engine, 2);
    let (table, _) = ends(path, 0, &["backup", "kept", "--config", "trueup.toml"]);
    assert!(table.starts_with("copied to kept: last closed epoch "), "{table}");
    engine.kill();
    let (_, full) = ends(path, 66, &["backup", "kept", "--journal", "journal"]);
    assert!(full.contains("is not empty"), "{full}");
    let (_, none) = ends(path, 66, &["backup", "other", "--journal", "nowhere"]);
    assert!(none.contains("nowhere is not there") && !path.join("other").exists(), "{none}");
    let (_, used) = ends(path, 66, &["restore", "kept", "--journal", "journal"]);
    assert!(used.contains("is not empty"), "{used}");
    let (_, ahead) = ends(path, 2, &["replay", "kept", "--through", "1000000"]);
    assert!(ahead.contains("is not closed yet"), "{ahead}");
    let (_, view) = ends(path, 2, &["replay", "kept", "opinions"]);
    assert!(view.contains("no view is called `opinions`"), "{view}");
    let (shown, _) = ends(path, 0, &["replay", "kept", "--period", "2025-01"]);
    assert!(shown.contains("MESH") && shown.contains("discrepancies"), "{shown}");

    let file = path.join("kept/segment-0000000001.journal");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[5000] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    for arguments in [&["restore", "kept", "--journal", "new"][..], &["replay", "kept"]] {
        let (_, damaged) = ends(path, 76, arguments);
        let place = "`segment-0000000001.journal` of the backup is damaged at byte 0";
        assert!(damaged.contains(place), "{damaged}");
    }
    assert!(!path.join("new").exists() && !path.join("new.restoring").exists());
    std::fs::remove_file(path.join("kept/backup.manifest")).unwrap();
    let (_, no_backup) = ends(path, 76, &["restore", "kept", "--journal", "new"]);
    assert!(no_backup.contains("backup.manifest"), "{no_backup}");
}
