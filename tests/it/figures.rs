//! Real logs of universities and firms: the engine's figures against counts made by other means.
//!
//! `figures.json` holds, for each log and for both ways of counting a user's further checkouts on one
//! host, what an independent program found: events, peaks, license-seconds, returns without a
//! checkout, checkouts that nobody returned.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use trueup_connectors::load::File;
use trueup_model::calendar::Zone;
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::metric::Metric;
use trueup_model::usage::{SessionKind, SessionReason};
use trueup_policy::Policy;
use trueup_runtime::view::Views;
use trueup_tests::local::{Local, shared};

const EVERY_CHECKOUT: &str = "position_period = \"all\"\n";
const BY_USER_AND_HOST: &str =
    "position_period = \"all\"\n[[rule]]\nproducts = [\"*\"]\nduplicates = \"UH\"\n";

fn check(log: &str) {
    let Some(folder) = shared("data/flexnet") else { return };
    let figures = fs::read_to_string(folder.join("figures.json")).unwrap();
    let figures: Value = serde_json::from_str(&figures).unwrap();
    let expected = &figures[log];
    let bytes = fs::read(folder.join(log)).unwrap();
    for workers in [1, 2] {
        for (grouping, policy) in [("NONE", EVERY_CHECKOUT), ("UH", BY_USER_AND_HOST)] {
            let mut policy = Policy::from_toml(policy).unwrap_or_else(|errors| panic!("{errors}"));
            policy.zone = Zone::named(expected["timezone"].as_str().unwrap()).unwrap();
            let mut local = Local::start(workers, &policy);
            let reports = local.load(&[File::new(log, bytes.clone())]);
            assert_eq!(reports[0].format, "flexnet_log");
            let views = local.engine.views();
            let what = format!("{log}, {grouping}, {workers} workers");
            check_events(&views, expected, &what);
            check_use(&local, &views, &expected[grouping], &what);
            assert!(expected["first"].as_str().unwrap().len() == 20 && !views.positions.is_empty());
        }
    }
}

/// How often each kind of line was there.
fn check_events(views: &Views, expected: &Value, what: &str) {
    for (word, count) in expected["events"].as_object().unwrap() {
        let kind = match word.as_str() {
            "OUT" => SessionKind::Open,
            "IN" => SessionKind::Close,
            "DENIED" => SessionKind::Deny,
            "UNSUPPORTED" => SessionKind::Unsupported,
            "QUEUED" => SessionKind::Queue,
            "DEQUEUED" => SessionKind::Dequeue,
            _ => panic!("nobody knows the line {word}"),
        };
        let own = views.counts.iter().filter(|row| row.kind == kind);
        assert_eq!(Value::from(own.map(|row| row.count).sum::<u64>()), *count, "{what}: {word}");
    }
    for (word, count) in expected["in_reasons"].as_object().unwrap() {
        let reason = match word.as_str() {
            "INACTIVE" => SessionReason::Inactive,
            "SHUTDOWN" => SessionReason::Shutdown,
            _ => panic!("nobody knows the reason {word}"),
        };
        let own = views
            .counts
            .iter()
            .filter(|row| row.kind == SessionKind::Close && row.reason == reason);
        assert_eq!(Value::from(own.map(|row| row.count).sum::<u64>()), *count, "{what}: {word}");
    }
}

/// Peaks and license-seconds, and what did not pair.
fn check_use(local: &Local, views: &Views, expected: &Value, what: &str) {
    let names = local.engine.names();
    let name = |id: u64| names.shown(trueup_model::id::Id(id));
    let mut all_us = 0_i128;
    let mut by_feature: BTreeMap<String, (i64, i128)> = BTreeMap::new();
    for (key, position) in &views.positions {
        assert_eq!(key.metric, Metric::Concurrent, "{what}");
        all_us += position.demand_unit_us;
        let before = by_feature.insert(
            name(key.product.0),
            (position.peak.0 / 1_000_000, position.demand_unit_us / 1_000_000_000_000),
        );
        assert_eq!(before, None, "{what}: {} twice", name(key.product.0));
    }
    let total = expected["licence_seconds_all_features"].as_i64().unwrap();
    assert_eq!(all_us / 1_000_000_000_000, i128::from(total), "{what}");
    for (feature, figures) in expected["top"].as_object().unwrap() {
        let (peak, seconds) = by_feature[feature];
        assert_eq!(Value::from(peak), figures["peak"], "{what}: peak of {feature}");
        let wanted = i128::from(figures["licence_seconds"].as_i64().unwrap());
        assert_eq!(seconds, wanted, "{what}: license-seconds of {feature}");
    }
    let orphans = views.discrepancies.iter().filter(|row| row.kind == DiscrepancyKind::OrphanClose);
    let orphans: i64 = orphans.map(|row| row.magnitude.0 / 1_000_000).sum();
    assert_eq!(Value::from(orphans), expected["orphan_ins"], "{what}: returns without a checkout");
    let mut open: BTreeMap<String, i64> = BTreeMap::new();
    for node in views.steps.keys() {
        let held = views.levels_at(node, views.as_of.horizon).demand.0 / 1_000_000;
        if held != 0 {
            open.insert(name(node.product.0), held);
        }
    }
    let left: BTreeMap<String, i64> =
        serde_json::from_value(expected["left_open_licences"].clone()).unwrap();
    assert_eq!(open, left, "{what}: never returned");
}

/// Declares a test for each log.
macro_rules! logs {
    ($($test:ident $name:literal;)*) => {
        $(#[test] fn $test() { check($name); })*
    };
}

logs! {
    ansys_of_january_2017 "ansys-2017-01.log";
    ansys_of_february_2017 "ansys-2017-02.log";
    ansys_of_june_2017 "ansys-2017-06.log";
    autodesk_of_2016 "autodesk-2016.log";
    autodesk_of_2022 "autodesk-2022.log";
    maple_of_2022 "maple-2022.log";
    matlab_of_2022 "matlab-2022.log";
}
