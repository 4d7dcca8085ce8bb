//! The committed demonstration set and a generated campus: the engine's answers against those that the
//! generator computed from what happened.

use serde_json::Value;
use std::collections::BTreeMap;
use trueup_connectors::load::File;
use trueup_datasets::scenario::{Settings as Choice, generate};
use trueup_datasets::{DEMO_EXPECTED, demo};
use trueup_model::calendar::{Calendar, Period, Zone};
use trueup_model::id::AccountId;
use trueup_model::position::LicensePosition;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::Timestamp;
use trueup_policy::Policy;
use trueup_runtime::settings::{Horizon, Settings};
use trueup_tests::local::Local;

/// Loads a set as its answers say that it is to be read.
fn load(expected: &Value, files: &[(String, Vec<u8>)], workers: usize) -> Local {
    let given = &expected["given"];
    let zone = |key: &str| Zone::named(given[key].as_str().unwrap()).unwrap();
    let horizon: Timestamp = given["horizon"].as_str().unwrap().parse().unwrap();
    let policy = Policy {
        zone: zone("zone"),
        further_periods: vec![trueup_model::calendar::PeriodUnit::All],
        ..Policy::default()
    };
    let settings =
        Settings { workers, policy, horizon: Horizon::Fixed(horizon), ..Settings::default() };
    let mut local = Local::with(settings);
    (local.zone, local.received_at) = (zone("table_zone"), horizon);
    let mut read = Vec::new();
    for (name, bytes) in files {
        let mut file = File::new(name.clone(), bytes.clone());
        let facts = given["files"].as_array().unwrap().iter().find(|one| one["name"] == **name);
        if let Some(facts) = facts {
            file.zone = Some(Zone::named(facts["zone"].as_str().unwrap()).unwrap());
            file.holds_from = facts["effective_from"].as_str().map(|at| at.parse().unwrap());
        }
        read.push(file);
    }
    local.load(&read);
    local
}

/// Compares all positions and discrepancies.
fn compare(expected: &Value, local: &Local, what: &str) {
    let views = local.engine.views();
    let names = local.engine.names();
    let name = |id: u64| names.shown(trueup_model::id::Id(id));
    let zone = Zone::named(expected["given"]["zone"].as_str().unwrap()).unwrap();
    let zones = |account: AccountId| {
        let stated = views.shown.iter().find_map(|(row, _)| match &row.body {
            trueup_model::fact::Body::Account(one) if one.account.0 == account.0 => {
                one.zone.clone()
            }
            _ => None,
        });
        Calendar::natural(stated.map_or_else(|| zone.clone(), |name| Zone::named(&name).unwrap()))
    };
    let label = |account: AccountId, period: Period| zones(account).label(period);
    let mut found: BTreeMap<String, &LicensePosition> = BTreeMap::new();
    for position in views.positions.values() {
        let key = position.key;
        let period = label(key.account, key.period);
        let (account, product) = (name(key.account.0), name(key.product.0));
        found.insert(format!("{account} {product} {} {period}", key.metric.name()), position);
    }
    for row in expected["positions"].as_array().unwrap() {
        let field = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let key = format!(
            "{} {} {} {}",
            field("account"),
            field("product"),
            field("metric"),
            field("period")
        );
        let position = found.remove(&key).unwrap_or_else(|| panic!("{what}: no position {key}"));
        for (asked, is) in [
            ("entitled", capacity(position.entitled)),
            ("demand", position.demand.to_string()),
            ("peak", position.peak.to_string()),
            ("shortfall", position.shortfall.to_string()),
            ("passed_up", position.passed_up.to_string()),
            ("surplus", position.surplus.to_string()),
            ("state", position.state.name().to_owned()),
        ] {
            assert_eq!(Value::from(is), row[asked], "{what}: {asked} of {key}");
        }
        if position.peak != Quantity::ZERO {
            let at = position.peak_at.to_string();
            assert_eq!(Value::from(at), row["peak_at"], "{what}: peak_at of {key}");
        }
        let seconds = position.demand_unit_us / 1_000_000_000_000;
        if let Some(most) = row["license_seconds"]["most"].as_i64() {
            assert_eq!(seconds, i128::from(most), "{what}: license-seconds of {key}");
        }
    }
    let more: Vec<&String> = found.keys().collect();
    assert!(more.is_empty(), "{what}: positions that nobody expected: {more:?}");
    compare_discrepancies(expected, local, what);
}

/// Compares all discrepancies.
fn compare_discrepancies(expected: &Value, local: &Local, what: &str) {
    let views = local.engine.views();
    let names = local.engine.names();
    let name = |id: u64| names.shown(trueup_model::id::Id(id));
    let mut kinds: BTreeMap<(String, String, String, String), i64> = BTreeMap::new();
    for row in views.discrepancies.iter() {
        let key = (
            row.kind.name().to_owned(),
            row.account.map_or_else(String::new, |id| name(id.0)),
            row.product.map_or_else(String::new, |id| name(id.0)),
            row.magnitude.to_string(),
        );
        *kinds.entry(key).or_default() += 1;
    }
    for row in expected["discrepancies"].as_array().unwrap() {
        let field = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let key = (field("kind"), field("account"), field("product"), field("magnitude"));
        assert!(kinds.contains_key(&key), "{what}: no {key:?}: {kinds:?}");
        *kinds.entry(key).or_default() -= 1;
    }
    kinds.retain(|_, count| *count != 0);
    assert!(kinds.is_empty(), "{what}: discrepancies that nobody expected: {kinds:?}");
}

fn capacity(capacity: Capacity) -> String {
    match capacity {
        Capacity::Limited(limit) => limit.to_string(),
        Capacity::Unlimited => "unlimited".to_owned(),
        Capacity::Unknown => "unknown".to_owned(),
    }
}

#[test]
fn the_demonstration_set() {
    let expected: Value = serde_json::from_slice(DEMO_EXPECTED).unwrap();
    let files: Vec<(String, Vec<u8>)> =
        demo().iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
    for workers in [1, 2] {
        let local = load(&expected, &files, workers);
        compare(&expected, &local, &format!("demo, {workers} workers"));
    }
}

#[test]
fn generated_campuses() {
    for seed in [1, 2, 3] {
        let made = generate("campus", &Choice { seed, days: None, scale: None }).unwrap();
        let expected: Value = serde_json::from_slice(&made.expected.to_json()).unwrap();
        let local = load(&expected, &made.files, 2);
        compare(&expected, &local, &format!("campus of seed {seed}"));
    }
}
