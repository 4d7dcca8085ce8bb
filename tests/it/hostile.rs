//! Input that is broken, foreign or too much: nothing fails, nothing else is lost, and what could not be
//! read is in quarantine by source and position.

use std::collections::BTreeMap;
use trueup_connectors::load::File;
use trueup_model::fact::Body;
use trueup_model::reject::RejectReason;
use trueup_policy::Policy;
use trueup_runtime::settings::{Horizon, Settings};
use trueup_tests::local::Local;

/// The quarantine: reasons by file and position.
fn quarantine(local: &Local) -> BTreeMap<(String, u64), RejectReason> {
    let views = local.engine.views();
    let names = local.engine.names();
    let rejects = views.shown.iter().filter_map(|(row, _)| match &row.body {
        Body::Reject(reject) => {
            Some(((names.shown(row.provenance.document), row.provenance.position), reject.reason))
        }
        _ => None,
    });
    rejects.collect()
}

/// Bytes without any meaning, the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next).flatten().take(length).collect()
}

const START: &str = " 8:00:00 (lmgrd) TIMESTAMP 1/7/2025\n 8:00:01 (simd) OUT: \"A\" ada@pc1  \n";

#[test]
fn a_line_of_64_mebibytes_loses_only_itself() {
    let mut log = START.as_bytes().to_vec();
    log.resize(log.len() + (64 << 20), b'x');
    log.extend_from_slice(b"\n 9:00:01 (simd) IN: \"A\" ada@pc1  \n");
    let mut local = Local::start(1, &Policy::default());
    local.load(&[File::new("long.log", log)]);
    let found = quarantine(&local);
    assert_eq!(found, BTreeMap::from([(("long.log".to_owned(), 3), RejectReason::TooLong)]));
    let views = local.engine.views();
    let spans: Vec<_> = views.sessions.iter().map(|session| session.span).collect();
    assert_eq!(spans.len(), 1);
    assert_eq!((spans[0].end.0 - spans[0].start.0) / 1_000_000, 3600);
}

#[test]
fn noise_foreign_files_and_cut_characters_are_set_aside_by_file_and_position() {
    let mut local = Local::start(1, &Policy::default());
    let purchases = "line,product,metric,quantity,start,account\n\
                     P1,Mésh,concurrent,1,2025-01-01,North\nP2,M";
    let cut = [purchases.as_bytes(), b"\xc3"].concat();
    let mut torn_log = START.to_owned();
    for minute in 1..40 {
        torn_log += &format!(" 8:{minute:02}:00 (simd) OUT: \"B\" bob@pc2  \n");
        torn_log += &format!(" 8:{minute:02}:30 (simd) IN: \"B\" bob@pc2  \n");
    }
    let end: &[u8] = b"\n 9:00:01 (simd) IN: \"A\" ada@pc1  \n";
    let torn_log = [torn_log.as_bytes(), &noise(1 << 20), end].concat();
    let reports = local.load(&[
        File::new("noise.bin", noise(4 << 20)),
        File::new("cut.csv", cut),
        File::new("torn.log", torn_log),
        File::new("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()),
        File::new("empty.csv", Vec::new()),
    ]);
    assert!(local.engine.failure().is_none());
    let found = quarantine(&local);
    for file in ["noise.bin", "picture.png"] {
        let reason = found.get(&(file.to_owned(), 0));
        assert_eq!(reason, Some(&RejectReason::UnknownFormat), "{file} in {found:?}");
    }
    let in_file = |file: &str| found.keys().filter(|(name, _)| name == file).count();
    assert!(in_file("cut.csv") > 0, "{found:?}");
    assert!((1..=1_001).contains(&in_file("torn.log")), "{} rejects", in_file("torn.log"));
    assert_eq!(reports[2].format, "flexnet_log", "{}", reports[2].reason);
    assert_eq!(local.engine.views().sessions.len(), 40, "what stands around the noise is read");
    let ends = local.engine.views().sessions.iter().map(|session| session.span.end).max();
    assert_eq!(ends.unwrap().to_string(), "2025-01-07T09:00:01Z");
    assert_eq!(reports.len(), 5);
}

#[test]
fn more_products_than_the_engine_keeps_are_set_aside_one_by_one() {
    let settings = Settings {
        policy: Policy::default(),
        horizon: Horizon::Evidence,
        products_max: 300,
        ..Settings::default()
    };
    let mut local = Local::with(settings);
    let mut log = START.to_owned();
    for feature in 0..2_000 {
        let (minute, second) = (1 + feature / 60, feature % 60);
        log += &format!(" 8:{minute:02}:{second:02} (simd) OUT: \"F{feature}\" bob@pc2  \n");
    }
    local.load(&[File::new("features.log", log.into_bytes())]);
    let found = quarantine(&local);
    let views = local.engine.views();
    assert!(views.sessions.len() <= 300, "{} products have checkouts", views.sessions.len());
    assert!(views.sessions.len() > 250, "{} products have checkouts", views.sessions.len());
    // Each checkout is counted or set aside, none is lost.
    assert_eq!(views.sessions.len() + found.len(), 2_001);
    assert!(found.values().all(|reason| *reason == RejectReason::TooManyNames), "{found:?}");
    assert!(found.contains_key(&("features.log".to_owned(), 2_002)));
}
