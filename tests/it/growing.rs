//! A log is what it says, however it comes: as a whole, twice, in overlapping copies, rotated, growing.

use std::collections::BTreeMap;
use std::fs;
use trueup_connectors::formats::Context;
use trueup_connectors::formats::flexnet::log::{LogOptions, LogReader};
use trueup_connectors::load::File;
use trueup_datasets::demo;
use trueup_model::calendar::Zone;
use trueup_policy::Policy;
use trueup_runtime::view::Views;
use trueup_tests::bench::content;
use trueup_tests::local::{Local, TENANT, shared};

/// The outputs that name no file and no line; what was read twice is known to have been.
const FIGURES: [&str; 13] = [
    "positions",
    "allocations",
    "steps",
    "rollups",
    "volume quantities",
    "volume users",
    "discrepancies",
    "uses",
    "waits",
    "counts",
    "pools",
    "included",
    "resolutions",
];

/// A log, the zone of its clock, and how it is cut.
struct Log {
    name: String,
    bytes: Vec<u8>,
    zone: Zone,
}

impl Log {
    fn start(&self) -> Local {
        let policy = Policy { zone: self.zone.clone(), ..Policy::default() };
        Local::start(1, &policy)
    }

    /// The place of a line's beginning near a share of the whole.
    fn cut(&self, percent: usize) -> usize {
        let near = self.bytes.len() * percent / 100;
        let rest = self.bytes[near..].iter().position(|byte| *byte == b'\n');
        rest.map_or(self.bytes.len(), |at| near + at + 1)
    }

    /// A part of the log as a file.
    fn file(&self, name: &str, from: usize, until: usize) -> File<'static> {
        File::new(name, self.bytes[from..until].to_vec())
    }

    fn whole(&self, name: &str) -> File<'static> {
        self.file(name, 0, self.bytes.len())
    }
}

/// Every figure, and how many checkouts there are.
fn figures(views: &Views) -> BTreeMap<(&'static str, String), i128> {
    let mut all = content(views);
    all.retain(|(output, _), _| FIGURES.contains(output));
    all.insert(("sessions", String::new()), views.sessions.iter().count() as i128);
    all.insert(("attempts", String::new()), views.attempts.iter().count() as i128);
    all
}

/// Compares every way in which a log can come with the log as a whole.
fn check(log: &Log) {
    let mut whole = log.start();
    whole.load(&[log.whole("debug.log")]);
    let expected = figures(&whole.engine.views());
    assert!(whole.engine.views().sessions.len() > 10, "{} has no checkouts", log.name);
    let same = |how: &str, local: &Local| {
        let found = figures(&local.engine.views());
        for (row, count) in &expected {
            assert_eq!(found.get(row), Some(count), "{}, {how}: {row:?}", log.name);
        }
        assert_eq!(
            found.len(),
            expected.len(),
            "{}, {how}: there is more than there was",
            log.name
        );
    };

    let mut twice = log.start();
    twice.load(&[log.whole("debug.log")]);
    twice.load(&[log.whole("debug.log")]);
    same("loaded twice", &twice);
    let mut copies = log.start();
    copies.load(&[log.whole("debug.log"), log.whole("copy of debug.log")]);
    same("two copies together", &copies);

    let end = log.bytes.len();
    let mut overlapping = log.start();
    let (first, second) = (log.cut(40), log.cut(60));
    overlapping.load(&[log.file("one.log", 0, second), log.file("two.log", first, end)]);
    same("two overlapping copies", &overlapping);
    let mut rotated = log.start();
    let parts = [log.file("debug.log.2", 0, first), log.file("debug.log.1", first, second)];
    let parts = [&parts[..], &[log.file("debug.log", second, end)]].concat();
    rotated.load(&parts);
    same("rotated", &rotated);
    let mut backwards = log.start();
    backwards.load(&parts.iter().rev().cloned().collect::<Vec<_>>());
    same("rotated, the newest file first", &backwards);

    let mut grown = log.start();
    for percent in [10, 35, 36, 80, 100] {
        grown.load(&[log.file("debug.log", 0, log.cut(percent).min(end))]);
    }
    same("read from the start each time that it had grown", &grown);
    let mut followed = log.start();
    line_by_line(log, &mut followed);
    same("line by line", &followed);
}

/// Feeds a log as a connector that follows it does: a line at a time, with a look at the figures now
/// and then.
fn line_by_line(log: &Log, local: &mut Local) {
    let context = Context {
        tenant: TENANT.to_owned(),
        source: "files".to_owned(),
        document: "debug.log".to_owned(),
        zone: log.zone.clone(),
        received_at: local.received_at,
    };
    let mut reader = LogReader::new(context, LogOptions::default());
    let lines: Vec<&[u8]> = log.bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let looks = 20;
    for some in lines.chunks(lines.len() / looks + 1) {
        local.feed(|sink| {
            for line in some {
                let (head, tail) = line.split_at(line.len() / 2);
                reader.push(head, sink);
                reader.push(tail, sink);
            }
            reader.idle(sink);
        });
        assert!(local.engine.failure().is_none());
    }
    local.feed(|sink| reader.finish(sink));
}

fn real(name: &str, zone: &str) {
    let Some(folder) = shared("data/flexnet") else { return };
    let bytes = fs::read(folder.join(name)).unwrap();
    check(&Log { name: name.to_owned(), bytes, zone: Zone::named(zone).unwrap() });
}

#[test]
fn ansys_of_june_2017() {
    real("ansys-2017-06.log", "America/Detroit");
}

#[test]
fn autodesk_of_2016() {
    real("autodesk-2016.log", "America/Detroit");
}

#[test]
fn maple_of_2022() {
    real("maple-2022.log", "Europe/Madrid");
}

#[test]
fn the_demonstration() {
    let file = |name: &str| demo().iter().find(|(file, _)| *file == name).unwrap().1.to_vec();
    let zone = Zone::named("Europe/Madrid").unwrap();
    let name = "aurovd-2026-02-16.log";
    // The copy that the set has is cut in its last line.
    let mut bytes = file(name);
    let end = bytes.iter().rposition(|byte| *byte == b'\n').unwrap();
    bytes.truncate(end + 1);
    check(&Log { name: name.to_owned(), bytes, zone });
}
