//! What no reviewer should have to look for: who uses whom, headers, licenses, leftovers.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each of our packages, its folder, and which others of ours it may use in what it ships.
const MAY_USE: [(&str, &str, &[&str]); 12] = [
    ("trueup-model", "engine/model", &[]),
    ("trueup-policy", "engine/policy", &["model"]),
    ("trueup-wire", "engine/wire", &["model"]),
    ("trueup-journal", "engine/journal", &[]),
    ("trueup-tls", "engine/tls", &[]),
    ("trueup-operators", "operators", &["model", "policy"]),
    (
        "trueup-runtime",
        "engine/runtime",
        &["model", "policy", "wire", "journal", "tls", "operators"],
    ),
    (
        "trueup-server",
        "engine/server",
        &["model", "policy", "wire", "tls", "runtime", "connectors", "datasets"],
    ),
    ("trueup-connectors", "connectors", &["model", "wire", "tls"]),
    ("trueup-datasets", "datasets", &["model"]),
    (
        "trueup-benches",
        "benches",
        &["model", "policy", "wire", "journal", "operators", "runtime", "connectors", "datasets"],
    ),
    (
        "trueup-tests",
        "tests",
        &["model", "policy", "wire", "journal", "operators", "runtime", "connectors", "datasets"],
    ),
];

/// Who may name the dataflow libraries.
const MAY_NAME_DATAFLOW: [&str; 3] = ["trueup-operators", "trueup-runtime", "trueup-benches"];

/// The license terms that a dependency may offer; one of its alternatives must be made of these.
const LICENSES: [&str; 10] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

/// The longest file that is committed, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?} failed: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What cargo knows of the workspace and of everything that it uses on this machine.
fn metadata() -> Value {
    let compiler = output("rustc", &["-vV"]);
    let host = compiler.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", host];
    serde_json::from_str(&output(env!("CARGO"), &arguments)).unwrap()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// Our packages by name.
fn ours(metadata: &Value) -> BTreeMap<String, &Value> {
    let packages = metadata["packages"].as_array().unwrap().iter();
    let own = packages.filter(|package| package["source"].is_null());
    own.map(|package| (text(package, "name").to_owned(), package)).collect()
}

/// Every file of the project; not what is built, and not the history.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && name != ".git" {
                folders.push(path);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(PathBuf, String)> {
    let rust = files().into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs"));
    rust.map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn crates_use_only_the_crates_that_they_may() {
    let metadata = metadata();
    let packages = ours(&metadata);
    let known: BTreeSet<&str> = MAY_USE.iter().map(|(name, ..)| *name).collect();
    let found: BTreeSet<&str> = packages.keys().map(String::as_str).collect();
    assert_eq!(found, known, "a crate is missing from the table in tidy.rs, or from the workspace");
    for (name, folder, may_use) in MAY_USE {
        let package = packages[name];
        let manifest = root().join(folder).join("Cargo.toml");
        assert_eq!(Path::new(text(package, "manifest_path")), manifest);
        for dependency in package["dependencies"].as_array().unwrap() {
            if text(dependency, "kind") == "dev" {
                continue;
            }
            let used = text(dependency, "name");
            if let Some(short) = used.strip_prefix("trueup-") {
                assert!(may_use.contains(&short), "{name} may not depend on {used}");
            }
            let dataflow = used == "timely" || used == "differential-dataflow";
            assert!(!dataflow || MAY_NAME_DATAFLOW.contains(&name), "{name} may not use {used}");
        }
    }
}

#[test]
fn the_map_names_every_crate_and_every_folder_that_it_names_exists() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (name, folder, _) in MAY_USE {
        assert!(map.contains(&format!("| `{folder}` | `{name}`")), "the map lacks {folder}");
    }
    for line in map.lines().filter_map(|line| line.strip_prefix("| `")) {
        let named = line.split('`').next().unwrap();
        if named.contains('/') || root().join(named).is_dir() {
            assert!(
                root().join(named).exists(),
                "ARCHITECTURE.md names {named}, which is not there"
            );
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, source) in sources() {
        let named_by_parent = path.ends_with("tests.rs") || path.ends_with("lib/mod.rs");
        assert!(
            named_by_parent || source.starts_with("//!"),
            "{} does not begin with //! and what it is for",
            path.display()
        );
    }
}

#[test]
fn nothing_is_left_over() {
    let marks = [["FIX", "ME"].concat(), ["XX", "X:"].concat(), ["dbg", "!("].concat()];
    for (path, source) in sources() {
        for mark in &marks {
            assert!(!source.contains(mark.as_str()), "{} holds {mark}", path.display());
        }
        let ignored = ["#[", "ignore"].concat();
        assert!(!source.contains(&ignored), "{} has an ignored test", path.display());
    }
}

#[test]
fn no_file_is_large() {
    for path in files() {
        let length = fs::metadata(&path).unwrap().len();
        assert!(length <= FILE_BYTES_MAX, "{} has {length} bytes", path.display());
    }
}

#[test]
fn every_dependency_comes_from_the_registry_with_terms_that_we_accept() {
    let metadata = metadata();
    for package in metadata["packages"].as_array().unwrap() {
        let (name, source) = (text(package, "name"), &package["source"]);
        let from_registry = source.as_str().is_some_and(|from| from.starts_with("registry+"));
        assert!(source.is_null() || from_registry, "{name} comes from {source}");
        let terms = text(package, "license").replace('/', " OR ").replace(['(', ')'], "");
        let accepted = terms
            .split(" OR ")
            .any(|choice| choice.split(" AND ").all(|term| LICENSES.contains(&term.trim())));
        assert!(accepted, "{name} has the license terms `{terms}`");
    }
}

#[test]
fn every_version_stands_in_the_workspace_table() {
    for (name, folder, _) in MAY_USE {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let sections = manifest.split("\n[").filter(|section| {
            section.starts_with("dependencies]") || section.starts_with("dev-dependencies]")
        });
        for line in sections.flat_map(|section| section.lines().skip(1)) {
            let is_entry = line.contains('=') && !line.starts_with('#');
            let inherited = line.contains("workspace = true");
            assert!(!is_entry || inherited, "{name} states a version of its own: {line}");
        }
    }
}

/// The table of what every number means names tests that exist, and leaves out none of its small inputs.
#[test]
fn the_table_of_semantics_names_tests_that_exist() {
    let table = fs::read_to_string(root().join("tests/SEMANTICS.md")).unwrap();
    let sources: String = sources().into_iter().map(|(_, source)| source).collect();
    let mut rules = BTreeSet::new();
    for line in table.lines().filter(|line| line.starts_with("| ")) {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let number = columns[1].split_whitespace().next().unwrap_or_default();
        rules.extend(number.parse::<u32>().ok());
        for name in columns[2].split('`').skip(1).step_by(2) {
            let is_test = sources.contains(&format!("fn {name}("));
            assert!(is_test, "{}: there is no test `{name}`", columns[1]);
        }
    }
    assert_eq!(rules, (1..=74).collect(), "the small inputs");
}
