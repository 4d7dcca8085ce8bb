//! What was published is known by its chain, and an engine that computes something else does not start.

use crate::support::{Engine, LOG, PURCHASES, ends, folder, rows};
use serde_json::Value;
use std::path::Path;
use trueup_connectors::load::File;
use trueup_journal::writer::NewRecord;
use trueup_journal::{Directory, Options, RecordKind, Records, open};

/// The kind of a record that says what was published, and where in it the sum of the views begins, as
/// `engine/runtime/FORMAT.md` has them.
const PUBLISHED: u8 = 6;
const VIEWS: usize = 56;

fn health(engine: &Engine) -> Value {
    serde_json::from_str(&engine.get("/v1/health")).unwrap()
}

/// Has a journal say of the last epoch that it has a link of what is not so; gives the epoch.
fn plant(journal: &Path) -> u64 {
    let directory = Directory::open(journal).unwrap();
    let mut records = Records::open(directory.clone()).unwrap();
    let mut link = Vec::new();
    while let Some(record) = records.next().unwrap() {
        if record.kind == RecordKind::Data(PUBLISHED) {
            link = record.content.to_vec();
        }
    }
    link[VIEWS] ^= 1;
    let mut writer = open(directory, Options::new(0)).unwrap().writer;
    let next = writer.closed_epoch().unwrap() + 1;
    let epoch = writer.open_epoch().map_or(next, |(open, _)| open);
    writer.append(NewRecord { kind: PUBLISHED, epoch, parts: &[&link] }).unwrap();
    writer.seal().unwrap();
    u64::from_le_bytes(link[..8].try_into().unwrap())
}

fn incidents(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = entries.filter(|path| path.to_string_lossy().contains(".incident-"));
    named.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn what_was_published_is_shown_compared_after_a_restart_and_a_difference_stops_the_engine() {
    let folder = folder();
    let path = folder.path();
    let files = [File::new("debug.log", LOG), File::new("purchases.csv", PURCHASES)];
    let first = Engine::start(path);
    for source in ["lic1", "lic2", "lic3"] {
        let epoch = first.feed(source, &files).to_string();
        // With totals, so that the next close has a link to write.
        first.ask(path, &["rollups", "--wait-for", &epoch]);
    }
    let chain = health(&first)["chain"].clone();
    assert_eq!(chain["hash"].as_str().map(str::len), Some(32), "{chain}");
    first.kill();
    let through = chain["epoch"].to_string();
    let replayed = ["replay", "journal", "sessions", "--through", &through];
    let (json, _) = ends(path, 0, &[&replayed[..], &["--json"]].concat());
    let answer: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["chain"], chain);
    let (table, _) = ends(path, 0, &replayed);
    assert!(table.contains(&format!("chain {}", chain["hash"].as_str().unwrap())), "{table}");

    let again = Engine::start_by(path, &["serve", "--workers", "2"]);
    let same = health(&again);
    assert!(same["same_epochs"].as_u64() > Some(0) && same["other_epochs"] == 0, "{same}");
    let sessions = rows(&again.ask(path, &["sessions"]));
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    again.kill();

    let planted = plant(&path.join("journal"));
    let serve = ["serve", "--config", "trueup.toml"];
    let launch = ["launch", "--processes", "2", "--config", "trueup.toml"];
    let replay = ["replay", "journal", "--config", "trueup.toml"];
    let said = format!("epoch {planted} differs from what was published");
    for (count, command) in [&serve[..], &launch, &replay].into_iter().enumerate() {
        let (_, err) = ends(path, 79, command);
        assert!(err.contains(&said) && err.contains("--accept-differences"), "{command:?}: {err}");
        let found = incidents(path);
        assert_eq!(
            found.len(),
            (count + 1).min(2),
            "{command:?}: who only looks back writes nothing"
        );
        for words in ["\"published\"", &said] {
            assert!(found.iter().all(|text| text.contains(words)), "{words}: {found:?}");
        }
    }
    ends(path, 0, &["verify", "journal"]);
    let accepted = Engine::start_by(path, &["serve", "--accept-differences"]);
    assert_eq!(health(&accepted)["other_epochs"], 1);
    assert_eq!(rows(&accepted.ask(path, &["sessions"])), sessions);
    accepted.kill();
    let later = Engine::start(path);
    assert_eq!(health(&later)["other_epochs"], 0);
    assert_eq!(rows(&later.ask(path, &["sessions"])), sessions);
    later.kill();
}
