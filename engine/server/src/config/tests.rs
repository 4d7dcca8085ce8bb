//! Precedence, completeness, and how mistakes are told.

use super::{KEYS, Values, defaults};
use crate::exit::Exit;

fn none(_: &str) -> Option<String> {
    None
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn the_printed_defaults_are_the_defaults() {
    let written = file(&defaults());
    let read = Values::read(Some(written.path()), none).unwrap();
    let config = read.check().unwrap();
    let plain = Values::read(None, none).unwrap().check().unwrap();
    assert_eq!(config.settings.workers, plain.settings.workers);
    assert_eq!(config.settings.epoch_us_max, plain.settings.epoch_us_max);
    assert_eq!(config.api, plain.api);
    assert!(KEYS.iter().all(|key| key.meaning.ends_with('.')));
}

#[test]
fn the_later_origin_wins_and_is_named() {
    let written = file("[engine]\nworkers = 2\nepoch_milliseconds = 20\n");
    let environment = |name: &str| (name == "TRUEUP__ENGINE__WORKERS").then(|| "3".to_owned());
    let mut values = Values::read(Some(written.path()), environment).unwrap();
    assert_eq!(values.check().unwrap().settings.workers, 3);
    assert!(values.shown().contains("workers = 3  # TRUEUP__ENGINE__WORKERS"));
    assert!(values.shown().contains("epoch_milliseconds = 20  # file"));
    values.switch("engine", "workers", "4".to_owned());
    assert_eq!(values.check().unwrap().settings.workers, 4);
    assert!(values.shown().contains("names_max = 4000000  # default"));
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let written = file("[engine]\nwokers = 2\n\n[colors]\nred = 1\n");
    let failure = Values::read(Some(written.path()), none).unwrap_err();
    assert_eq!(failure.exit, Exit::Config);
    assert!(failure.message.contains("line 2: `engine.wokers` is not a key"));
    assert!(failure.message.contains("line 5: `colors.red` is not a key"));
    let wrong = file("[engine]\nworkers = 0\n[api]\nlisten = \"nowhere\"\n");
    let refused = Values::read(Some(wrong.path()), none).unwrap().check().unwrap_err();
    assert!(refused.message.contains("engine.workers is 0"));
    assert!(refused.message.contains("api.listen is `nowhere`"));
}
