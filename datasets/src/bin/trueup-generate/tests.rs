use super::{Arguments, GenerateError, list, run};
use clap::Parser as _;

fn arguments(words: &[&str]) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from([&["trueup-generate"], words].concat())
}

#[test]
fn a_world_is_written_into_a_folder_that_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new").join("deep");
    let out_text = out.to_str().unwrap();
    let asked = arguments(&["--scenario", "tiny", "--out", out_text]).unwrap();
    let mut said = Vec::new();
    run(&asked, &mut said).unwrap();
    assert!(out.join("expected.json").is_file());
    assert!(out.join("purchases.csv").is_file());
    assert!(String::from_utf8(said).unwrap().contains(" files, "));
}

#[test]
fn what_cannot_be_made_or_written_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap().to_owned();
    let asked = arguments(&["--scenario", "nowhere", "--out", &out]).unwrap();
    let unknown = run(&asked, &mut Vec::new()).unwrap_err();
    assert!(matches!(unknown, GenerateError::Request(_)));
    let file = folder.path().join("taken");
    std::fs::write(&file, b"").unwrap();
    let taken = file.to_str().unwrap();
    let writing = arguments(&["--scenario", "tiny", "--out", taken]).unwrap();
    let refused = run(&writing, &mut Vec::new()).unwrap_err();
    assert!(refused.to_string().starts_with("could not write "), "{refused}");
}

#[test]
fn a_folder_is_needed_unless_scenarios_are_listed() {
    assert!(arguments(&["--scenario", "tiny"]).is_err());
    assert!(arguments(&["--list"]).unwrap().list);
    let mut said = Vec::new();
    list(&mut said).unwrap();
    assert!(String::from_utf8(said).unwrap().starts_with("demo "));
}
