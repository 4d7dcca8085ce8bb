//! An engine whose journal is encrypted: what it has survives, and nothing of it is told without the keys.

use crate::support::{Engine, ends, folder, rows};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use trueup_connectors::load::File;

/// Snapshots as often as can be.
const CONFIG: &str = "[api]\nlisten = \"127.0.0.1:0\"\n[connectors]\nlisten = \"127.0.0.1:0\"\n\
    [journal]\nfolder = \"journal\"\nkey_file = \"keys\"\n\
    [snapshots]\njournal_bytes = 65536\ninterval_seconds = 1\n";

/// Writes a key file of these bytes that only its owner can read.
fn write_keys(path: &Path, bytes: &[u8]) {
    let lines = bytes.iter().map(|byte| format!("key {}\n", format!("{byte:02x}").repeat(32)));
    fs::write(path, format!("trueup keys 1\n{}", lines.collect::<String>())).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Feeds some days' logs; gives the last epoch.
fn feed(engine: &Engine, days: std::ops::Range<usize>) -> u64 {
    let mut epoch = 0;
    for day in days {
        let log = format!(
            " 8:00:00 (lmgrd) TIMESTAMP 1/{}/2025\n 8:00:00 (simd) Server started on lic1 for:\tMESH\n \
             9:00:00 (simd) OUT: \"MESH\" somebody{day}@machine1  \n\
             10:00:00 (simd) IN: \"MESH\" somebody{day}@machine1  \n",
            1 + day % 28
        );
        let name = format!("{day}.log");
        epoch = engine.feed(&format!("lic{day}"), &[File::new(&name, log.as_bytes())]);
    }
    epoch
}

fn sessions(engine: &Engine, folder: &Path, epoch: u64) -> Vec<Value> {
    rows(&engine.ask(folder, &["sessions", "--wait-for", &epoch.to_string()]))
}

/// Whether a file of a folder has a text.
fn holds(folder: &Path, text: &str) -> bool {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let mut files = files.filter(|bytes| !bytes.is_empty());
    files.any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
}

fn has_snapshot(folder: &Path) -> bool {
    let mut names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.any(|name| name.to_string_lossy().ends_with(".manifest"))
}

#[test]
fn an_encrypted_journal_survives_a_kill_and_tells_nothing_without_its_keys() {
    let folder = folder();
    let path = folder.path();
    let journal = path.join("journal");
    write_keys(&path.join("keys"), &[1]);
    write_keys(&path.join("both"), &[1, 2]);
    write_keys(&path.join("others"), &[3]);
    let first = Engine::start_with(path, &["serve"], CONFIG);
    feed(&first, 0..4);
    for _ in 0..10_000 {
        if has_snapshot(&journal) {
            break;
        }
        first.get("/v1/health");
    }
    assert!(has_snapshot(&journal), "no snapshot was taken");
    let epoch = feed(&first, 4..6);
    let expected = sessions(&first, path, epoch);
    first.kill();
    for text in ["somebody", "machine1", "MESH", "acme", "lic1"] {
        assert!(!holds(&journal, text), "{text} stands in the folder");
    }

    // A new key is for what is new, and the old one goes on reading.
    let config = CONFIG.replace("\"keys\"", "\"both\"");
    let again = Engine::start_with(path, &["serve"], &config);
    assert_eq!(sessions(&again, path, 1), expected);
    let last = feed(&again, 6..7);
    let after = sessions(&again, path, last);
    assert!(after.len() > expected.len());
    // A backup needs no keys, and says what it did not look into.
    let (taken, _) = ends(path, 0, &["backup", "copy", "--journal", "journal"]);
    assert!(taken.contains("encrypted with keys that were not named"), "{taken}");
    again.kill();

    for (keys, problem) in
        [("", "no key was given"), ("keys", "the keys given are"), ("others", "")]
    {
        fs::write(path.join("trueup.toml"), config.replace("\"both\"", &format!("\"{keys}\"")))
            .unwrap();
        let (_, err) = ends(path, 78, &["serve", "--config", "trueup.toml"]);
        assert!(err.contains("is encrypted at byte") && err.contains(problem), "{err}");
        assert!(err.contains("journal.key_file"), "{err}");
    }
    let (locked, _) = ends(path, 0, &["verify", "journal"]);
    assert!(locked.contains("only their checksums") && locked.contains("good"), "{locked}");
    let (said, _) = ends(path, 0, &["verify", "journal", "--key-file", "both"]);
    assert!(!said.contains("checksums") && said.contains("the journal is good"), "{said}");
    let replay = ["replay", "copy", "sessions", "--json"];
    let (_, refused) = ends(path, 78, &replay);
    assert!(refused.contains("is encrypted at byte"), "{refused}");
    let (json, _) = ends(path, 0, &[&replay[..], &["--key-file", "both"]].concat());
    let answer: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(rows(&answer["sessions"]), after);
    // Others must not be able to read the keys.
    fs::set_permissions(path.join("both"), fs::Permissions::from_mode(0o644)).unwrap();
    let (_, err) = ends(path, 78, &["verify", "journal", "--key-file", "both"]);
    assert!(err.contains("chmod 600"), "{err}");
}
