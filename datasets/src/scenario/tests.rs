use super::{Generated, SCENARIOS, ScenarioError, Settings, generate};
use crate::expected::{FileKind, RangeAnswer, UseAnswer};
use crate::traps::Trap;
use std::collections::BTreeSet;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::Timestamp;

fn make(name: &str, seed: u64) -> Generated {
    generate(name, &Settings { seed, days: None, scale: None }).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_tiny_world_has_the_figures_that_were_computed_by_hand() {
    let tiny = make("tiny", 1);
    let daemon = &tiny.expected.daemons[0];
    let feature = &daemon.features[0];
    assert_eq!(daemon.daemon, "exampled@lic1");
    assert_eq!((feature.checkouts, feature.left_open, feature.estimated_ends), (4, 0, 1));
    assert_eq!((daemon.lines.out, daemon.lines.r#in, daemon.lines.denied), (4, 3, 0));
    let figures = |rule: &str| -> UseAnswer {
        feature.rules.iter().find(|one| one.rule == rule).unwrap().whole
    };
    // 60 + 60 + 5 minutes, and Cleo's: none if the server died right after her line, 30 if she
    // worked until it was back.
    let each = figures("NONE");
    assert_eq!((each.peak, each.peak_at), (3, Some(at("2026-02-16T09:45:00Z"))));
    assert_eq!(each.license_seconds, RangeAnswer { least: 7_500, most: 9_300 });
    // Ada's two checkouts are one license for 90 minutes.
    for rule in ["UH", "U", "H", "UHV", "UV", "HV"] {
        let grouped = figures(rule);
        assert_eq!((grouped.peak, grouped.peak_at), (2, Some(at("2026-02-16T09:45:00Z"))));
        assert_eq!(grouped.license_seconds, RangeAnswer { least: 5_700, most: 7_500 }, "{rule}");
    }
    for rule in ["SITE", "V"] {
        assert_eq!((figures(rule).peak, figures(rule).at_end), (1, 0));
        assert_eq!(figures(rule).license_seconds, RangeAnswer { least: 5_400, most: 7_200 });
    }
}

#[test]
fn the_tiny_position_is_over_for_five_minutes() {
    let tiny = make("tiny", 1);
    let february = tiny.expected.positions.iter().find(|one| one.period == "2026-02").unwrap();
    assert_eq!(february.entitled, Capacity::Limited(Quantity::ONE));
    assert_eq!((february.peak, february.shortfall), (Quantity::units(2), Quantity::ONE));
    assert_eq!(february.shortfall_first, at("2026-02-16T09:45:00Z"));
    assert_eq!(february.shortfall_last, at("2026-02-16T09:50:00Z"));
    assert_eq!(february.state, "over");
    let kinds: Vec<&str> =
        tiny.expected.discrepancies.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["over_use", "source_disagreement"]);
    let over = &tiny.expected.discrepancies[0];
    assert_eq!(over.money.unwrap().to_string(), "900.00 EUR");
    let claims = &tiny.expected.discrepancies[1].claims;
    assert_eq!(claims[0], ("contract".to_owned(), "1".to_owned()));
    assert_eq!(claims[1], ("license_file".to_owned(), "2".to_owned()));
}

#[test]
fn a_world_that_cannot_be_is_refused_in_words() {
    let settings = Settings { seed: 1, days: None, scale: None };
    let unknown = generate("nowhere", &settings).unwrap_err();
    assert!(unknown.to_string().starts_with("there is no scenario `nowhere`; there are `"));
    let sized = generate("tiny", &Settings { days: Some(3), ..settings }).unwrap_err();
    assert_eq!(sized, ScenarioError::FixedSize { name: "tiny".to_owned() });
}

#[test]
fn a_world_that_would_not_fit_into_memory_is_refused() {
    let sized = |days, scale| generate("campus", &Settings { seed: 1, days, scale }).err();
    let refused = |what, value, most| Some(ScenarioError::OutOfRange { what, value, most });
    assert_eq!(sized(Some(0), None), refused("days", 0, 1_500));
    assert_eq!(sized(Some(1_501), None), refused("days", 1_501, 1_500));
    assert_eq!(sized(None, Some(51)), refused("scale", 51, 50));
    assert_eq!(sized(Some(301), Some(5)), refused("days times scale", 1_505, 1_500));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_does_not() {
    for scenario in SCENARIOS {
        let days = scenario.is_sizable.then_some(4);
        let make = |seed| generate(scenario.name, &Settings { seed, days, scale: None }).unwrap();
        let (one, again, other) = (make(5), make(5), make(6));
        assert!(one.files == again.files, "{} differs between two runs", scenario.name);
        assert_eq!(one.expected.to_json(), again.expected.to_json());
        assert!(one.files != other.files, "{} does not depend on its seed", scenario.name);
    }
}

#[test]
fn every_trap_is_in_the_campus_whatever_the_seed() {
    for seed in [1, 7, 23] {
        let settings = Settings { seed, days: Some(30), scale: None };
        let campus = generate("campus", &settings).unwrap();
        for trap in Trap::ALL {
            let count = campus.expected.traps.count(*trap);
            assert!(count > 0, "seed {seed} has no {}: {}", trap.name(), trap.meaning());
        }
    }
}

#[test]
fn summaries_are_between_a_quarter_and_most_of_a_log() {
    let campus = generate("campus", &Settings { seed: 1, days: None, scale: None }).unwrap();
    for daemon in &campus.expected.daemons {
        let share = daemon.log.summary_lines * 100 / daemon.log.lines;
        assert!((25..=88).contains(&share), "{}: {share} %", daemon.daemon);
    }
}

#[test]
fn a_world_of_a_day_and_one_of_many_people_can_be_made() {
    for (days, scale) in [(1, 1), (2, 3), (5, 2)] {
        let settings = Settings { seed: 3, days: Some(days), scale: Some(scale) };
        let made = generate("campus", &settings).unwrap();
        assert!(!made.expected.positions.is_empty());
    }
}

#[test]
fn figures_of_a_world_agree_with_each_other() {
    let campus = generate("campus", &Settings { seed: 2, days: Some(20), scale: None }).unwrap();
    for daemon in &campus.expected.daemons {
        let checkouts: u64 = daemon.features.iter().map(|feature| feature.checkouts).sum();
        assert_eq!(daemon.lines.out, checkouts);
        assert!(daemon.lines.denied == daemon.denials.raw_lines);
        assert!(daemon.denials.unmet <= daemon.denials.attempts);
        for rule in daemon.features.iter().flat_map(|feature| &feature.rules) {
            let months: u64 = rule.months.iter().map(|(_, month)| month.license_seconds.most).sum();
            assert_eq!(months, rule.whole.license_seconds.most, "{}", daemon.daemon);
            let peak = rule.months.iter().map(|(_, month)| month.peak).max().unwrap_or(0);
            assert_eq!(peak, rule.whole.peak);
            assert!(rule.whole.license_seconds.least <= rule.whole.license_seconds.most);
        }
        for feature in &daemon.features {
            let peak =
                |rule: &str| feature.rules.iter().find(|one| one.rule == rule).unwrap().whole.peak;
            assert!(peak("SITE") <= peak("U") && peak("U") <= peak("UH"));
            assert!(peak("UH") <= peak("UHV") && peak("UHV") <= peak("NONE"));
            assert_eq!(feature.rules.iter().filter(|one| one.charged).count(), 1);
        }
    }
}

#[test]
fn a_daemon_never_has_more_out_than_its_file_allows() {
    let campus = generate("campus", &Settings { seed: 4, days: Some(20), scale: None }).unwrap();
    for feature in campus.expected.daemons.iter().flat_map(|daemon| &daemon.features) {
        let most = feature.granted.iter().filter_map(|granted| match granted.capacity {
            Capacity::Limited(limit) => {
                Some(limit.0 / trueup_model::quantity::ONE_UNIT + i64::from(granted.overdraft))
            }
            Capacity::Unlimited | Capacity::Unknown => None,
        });
        let Some(most) = most.max() else { continue };
        let charged = feature.rules.iter().find(|rule| rule.charged).unwrap();
        assert!(i64::try_from(charged.whole.peak).unwrap() <= most, "{}", feature.feature);
    }
}

#[test]
fn the_files_of_a_world_are_named_once_and_each_is_listed() {
    for scenario in SCENARIOS {
        let made = make(scenario.name, 1);
        let names: BTreeSet<&str> = made.files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.len(), made.files.len());
        let listed: Vec<&str> =
            made.expected.given.files.iter().map(|file| file.name.as_str()).collect();
        assert!(made.files.iter().map(|(name, _)| name.as_str()).eq(listed));
        let logs = made.expected.given.files.iter();
        let logs = logs.filter(|file| file.kind == FileKind::FlexnetLog);
        assert!(logs.clone().all(|file| file.log.is_some()));
        let json: serde_json::Value = serde_json::from_slice(&made.expected.to_json()).unwrap();
        assert_eq!(json["scenario"], scenario.name);
    }
}

#[test]
fn the_demo_has_the_findings_that_its_story_tells() {
    let demo = make("demo", 1);
    let told: Vec<(String, String, String)> = demo
        .expected
        .discrepancies
        .iter()
        .map(|one| {
            let about = one.product.clone().or(one.subject.clone()).unwrap_or_default();
            (one.kind.clone(), about, one.magnitude.to_string())
        })
        .collect();
    let found = |kind: &str, about: &str, magnitude: &str| {
        (kind.to_owned(), about.to_owned(), magnitude.to_owned())
    };
    assert_eq!(
        told,
        [
            found("expired_in_use", "Aurora CFD", "3"),
            found("near_limit", "Borealis Docs", "18"),
            found("over_use", "Meridian Flow", "2"),
            found("shelfware", "Aurora Render", "46"),
            found("source_disagreement", "Meridian Studio", "2"),
            found("unlicensed_use", "Meridian Mesh", "1"),
            found("unmapped_device", "hel-lab-09", "1"),
        ]
    );
    let over = &demo.expected.discrepancies[2];
    assert_eq!(over.account.as_deref(), Some("Helios UK Ltd"));
    assert_eq!(
        (over.first_at, over.last_at),
        (at("2026-03-05T13:20:00Z"), at("2026-03-05T14:20:00Z"))
    );
    let expired = &demo.expected.discrepancies[0];
    assert_eq!(expired.first_at, at("2026-02-28T23:00:00Z"));
}

#[test]
fn the_demos_story_holds_for_any_seed() {
    for seed in 2..12 {
        let demo = make("demo", seed);
        assert_eq!(demo.expected.discrepancies.len(), 7, "seed {seed}");
        let story = demo.readme.unwrap();
        let part = "Helios UK Ltd needed 2 more licenses of Meridian Flow than it bought";
        assert!(story.contains(part), "seed {seed}");
    }
}
