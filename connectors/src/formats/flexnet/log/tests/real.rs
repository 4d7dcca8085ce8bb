//! Seven real logs, against figures that were counted by other means.

use crate::formats::flexnet::testing::{context, lives, of_kind, read, rejects, sessions, shared};
use serde_json::Value;
use std::collections::BTreeSet;
use trueup_model::usage::{SessionKind, SessionReason};

#[test]
fn real_logs_give_the_events_instants_and_names_that_were_counted() {
    let Some(figures) = shared("data/flexnet/figures.json") else { return };
    let figures: Value = serde_json::from_slice(&figures).expect("figures.json is JSON");
    for (file, expected) in figures.as_object().expect("one entry a file") {
        let Some(bytes) = shared(&format!("data/flexnet/{file}")) else { return };
        let zone = expected["timezone"].as_str().expect("a zone");
        let (collected, summary) = read(context(zone), &bytes);
        let count = |kind| of_kind(&collected, kind).len() as u64;
        let events = &expected["events"];
        let kinds = [
            ("OUT", SessionKind::Open),
            ("IN", SessionKind::Close),
            ("DENIED", SessionKind::Deny),
            ("UNSUPPORTED", SessionKind::Unsupported),
            ("QUEUED", SessionKind::Queue),
        ];
        for (name, kind) in kinds {
            assert_eq!(count(kind), events[name].as_u64().unwrap_or(0), "{file}: {name}");
        }
        let closes = of_kind(&collected, SessionKind::Close);
        for (name, reason) in
            [("SHUTDOWN", SessionReason::Shutdown), ("INACTIVE", SessionReason::Inactive)]
        {
            let found = closes.iter().filter(|event| event.reason == reason).count() as u64;
            assert_eq!(found, expected["in_reasons"][name].as_u64().unwrap_or(0), "{file}: {name}");
        }
        let span = summary.span.expect("a dated log");
        assert_eq!(span.start.to_string(), expected["first"], "{file}: first line");
        assert_eq!(span.end.to_string(), expected["last"], "{file}: last line");
        let distinct = |name: fn(&str) -> String, of: fn(&_) -> &str| {
            let names = sessions(&collected)
                .into_iter()
                .filter(|event| matches!(event.kind, SessionKind::Open | SessionKind::Close));
            names.map(|event| name(of(event))).collect::<BTreeSet<_>>().len() as u64
        };
        type Event = trueup_model::usage::SessionEvent<String>;
        let features = distinct(str::to_owned, |event: &Event| &event.product);
        let users = distinct(str::to_owned, |event: &Event| &event.user);
        let users_ci = distinct(str::to_lowercase, |event: &Event| &event.user);
        let hosts_ci = distinct(str::to_lowercase, |event: &Event| &event.device);
        assert_eq!(features, expected["features"], "{file}: features");
        assert_eq!(users, expected["users_exact"], "{file}: users");
        assert_eq!(users_ci, expected["users_ci"], "{file}: users whatever their case");
        assert_eq!(hosts_ci, expected["hosts_ci"], "{file}: hosts");
        assert_eq!(rejects(&collected), [], "{file}");
        assert_eq!(summary.lines, expected["lines"], "{file}: lines");
        let of_sessions = sessions(&collected).into_iter().map(|event| &event.server);
        let servers: BTreeSet<&String> =
            of_sessions.chain(lives(&collected).into_iter().map(|event| &event.server)).collect();
        assert_eq!(servers.len(), 1, "{file}: {servers:?}");
        assert_eq!(collected.notes, [], "{file}");
    }
}
