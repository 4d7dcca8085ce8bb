//! `trueup-files`: tables with and without mappings, once and whenever they change.

use crate::engine::Engine;
use crate::run::{FILES, Folder};
use trueup_model::fact::{Action, Body};
use trueup_model::time::Timestamp;

const ACCOUNTS: &str = "account,parent\nroot,\nlab,root\n";
const PURCHASES: &str = "Order;Product;Count\n1;Mesh;10\n2;Solver;5\n";
const MAPPING: &str = "\
kind = \"purchases\"
format = \"csv\"
[columns]
line = \"Order\"
product = \"Product\"
quantity = \"Count\"
[constants]
metric = \"concurrent\"
account = \"root\"
start = \"2026-01-01\"
";

fn arguments(engine: &Engine, rest: &str) -> String {
    format!("--source purchasing --engine {} {rest}", engine.address)
}

/// The products of the purchased lines, in order.
fn products(engine: &Engine) -> Vec<String> {
    let state = engine.state();
    let lines = state.facts.iter().filter_map(|fact| match &fact.action {
        Action::Assert(Body::Line(line)) => Some(line.product.clone()),
        Action::Assert(_) | Action::Retract(_) => None,
    });
    lines.collect()
}

#[test]
fn tables_are_delivered_with_their_mappings_and_once() {
    let (engine, folder) = (Engine::start(), Folder::new());
    folder.write("purchases.csv", PURCHASES);
    folder.write("purchases.toml", MAPPING);
    folder.write("accounts.csv", ACCOUNTS);
    let once = arguments(&engine, "purchases.csv=purchases.toml accounts.csv --json");
    let ended = folder.run(FILES, &once);
    assert_eq!(ended.code(), 0, "{}", ended.err());
    let report = ended.json();
    assert_eq!(report["files"][0]["format"], "purchases (csv)");
    assert_eq!(products(&engine), ["Mesh", "Solver"]);
    let sequence = engine.state().sequence;
    let again = folder.run(FILES, &once).json();
    assert_eq!((&again["facts"], &again["epoch"]), (&0.into(), &serde_json::Value::Null));
    assert_eq!(engine.state().sequence, sequence);
    // A mapping among the files is for the table whose columns it names.
    let other = Engine::start();
    let loose = folder.run(FILES, &arguments(&other, "purchases.toml purchases.csv"));
    assert!(loose.out().contains("purchases (csv)"), "{}", loose.out());
    assert_eq!(products(&other), ["Mesh", "Solver"]);
}

#[test]
fn a_table_or_mapping_that_changes_is_a_new_version() {
    let (engine, folder) = (Engine::start(), Folder::new());
    folder.write("purchases.csv", PURCHASES);
    folder.write("purchases.toml", MAPPING);
    let watch = arguments(&engine, "purchases.csv=purchases.toml --watch --poll 20ms");
    let running = folder.start(FILES, &watch);
    engine.wait("the table came", |state| state.versions().len() == 1);
    folder.write("purchases.csv", PURCHASES.replace("Mesh", "Mesh Pro"));
    engine.wait("the changed table came", |state| state.versions().len() == 2);
    // A mapping that is wrong leaves things as they are.
    folder.write("purchases.toml", "kind = 7\n");
    folder.write("purchases.toml", MAPPING.replace("concurrent", "named_user"));
    engine.wait("it came with the changed mapping", |state| state.versions().len() == 3);
    let ended = running.stop();
    assert_eq!(ended.code(), 0, "{}", ended.err());
    assert_eq!(products(&engine), ["Mesh", "Solver", "Mesh Pro", "Solver", "Mesh Pro", "Solver"]);
    let state = engine.state();
    let versions = state.versions();
    assert!(versions.is_sorted_by_key(|version| version.version));
    assert!(versions.iter().all(|version| version.effective_from == Timestamp::MIN));
}

#[test]
fn what_is_wrong_is_said_with_a_way_out() {
    let (engine, folder) = (Engine::start(), Folder::new());
    folder.write("wrong.toml", "kind = \"purchases\"\nformat = \"cvs\"\n");
    folder.write("accounts.csv", ACCOUNTS);
    folder.write("good.toml", MAPPING);
    folder.write("list.csv", "a,b\n1,2\n");
    folder.write(
        "license.dat",
        "SERVER lic1 ANY\nVENDOR simd\nFEATURE a simd 1.0 permanent 1 SIGN=0\n",
    );
    let check = |rest: &str, code, words: &str| {
        folder.run(FILES, &arguments(&engine, rest)).check(code, words);
    };
    check("", 2, "FILE[=MAPPING]");
    check("good.toml", 2, "all of the files are mappings");
    check("accounts.csv=wrong.toml", 78, "mapping wrong.toml is wrong");
    check("accounts.csv=none.toml", 66, "could not read none.toml");
    check("none.csv", 66, "could not read none.csv");
    check("license.dat", 2, "hint: trueup-flexnet delivers those");
    check("list.csv", 65, "");
    check("accounts.csv", 0, "");
}
