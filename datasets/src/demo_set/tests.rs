use super::{DEMO_EXPECTED, DEMO_README, demo};
use crate::scenario::{Settings, generate};
use trueup_model::hash::hash64;

/// How to make the committed files again.
const REMEDY: &str = "run `cargo run -p trueup-datasets --bin trueup-generate -- --scenario demo \
                      --seed 1 --out datasets/files/demo`, and list its files in demo_set.rs";

#[test]
fn the_committed_demo_set_is_what_the_generator_writes() {
    let settings = Settings { seed: 1, days: None, scale: None };
    let made = generate("demo", &settings).unwrap();
    let names: Vec<&str> = made.files.iter().map(|(name, _)| name.as_str()).collect();
    let committed: Vec<&str> = demo().iter().map(|(name, _)| *name).collect();
    assert_eq!(names, committed, "{REMEDY}");
    for ((name, now), (_, old)) in made.files.iter().zip(demo()) {
        assert!(now == old, "{name} is not what the generator writes: {REMEDY}");
    }
    assert!(made.expected.to_json() == DEMO_EXPECTED, "expected.json is old: {REMEDY}");
    assert_eq!(made.readme.as_deref(), Some(DEMO_README), "{REMEDY}");
}

#[test]
fn the_demo_set_is_small_and_a_person_can_read_it() {
    let bytes: usize = demo().iter().map(|(_, content)| content.len()).sum();
    assert!(bytes + DEMO_EXPECTED.len() + DEMO_README.len() < 1 << 20);
    for (name, content) in demo() {
        let text = std::str::from_utf8(content).unwrap_or_else(|_| panic!("{name} is no text"));
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(widest < 180, "{name} has a line of {widest} characters");
    }
}

#[test]
fn the_answers_list_the_files_in_their_order() {
    let answers: serde_json::Value = serde_json::from_slice(DEMO_EXPECTED).unwrap();
    let listed = answers["given"]["files"].as_array().unwrap();
    let listed: Vec<&str> = listed.iter().map(|file| file["name"].as_str().unwrap()).collect();
    let committed: Vec<&str> = demo().iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, committed);
}

/// The checksum of a set as the README writes it.
fn checksum<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let parts: Vec<&[u8]> = files.flat_map(|(name, content)| [name.as_bytes(), content]).collect();
    format!("`{:016x}`", hash64(&parts))
}

#[test]
fn the_checksums_in_the_readme_are_those_of_the_sets() {
    let readme = include_str!("../../README.md");
    let sum = checksum(demo().iter().copied());
    assert!(readme.contains(&sum), "the demo set's checksum is now {sum}");
    for (name, days) in [("tiny", None), ("campus", Some(30))] {
        let made = generate(name, &Settings { seed: 1, days, scale: None }).unwrap();
        let now =
            checksum(made.files.iter().map(|(file, bytes)| (file.as_str(), bytes.as_slice())));
        assert!(readme.contains(&now), "the checksum of `{name}` is now {now}");
    }
}
