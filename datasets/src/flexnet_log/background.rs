//! What a server says of itself: starts, dates, rereads, what it will not serve.

use super::{Entry, Kind, Style, Writer};
use crate::random::Random;
use crate::server::{Daemon, FeatureIndex, IncidentKind, Server};
use crate::traps::{Trap, Traps};
use crate::wall::{HOUR_SECONDS, later, long_date, stamp_date};
use std::collections::BTreeSet;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};

/// After how long the server manager writes the date again, in seconds.
const MANAGER_STAMP_SECONDS: i64 = 6 * HOUR_SECONDS;
/// After how long a vendor daemon does.
const DAEMON_STAMP_SECONDS: i64 = 6 * HOUR_SECONDS + 300;

/// Everything that stands before what people did in the same second.
pub(super) fn before_events(
    server: &Server,
    style: &Style,
    random: &mut Random,
    traps: &mut Traps,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for span in manager_uptimes(server) {
        start(server, span.start, style, random, traps, &mut entries);
        stamps(server, span, Writer::Manager, MANAGER_STAMP_SECONDS, &mut entries);
    }
    for (index, daemon) in server.daemons.iter().enumerate() {
        for span in daemon_uptimes(server, index) {
            stamps(server, span, Writer::Daemon(index), DAEMON_STAMP_SECONDS, &mut entries);
        }
        expiries(server, index, daemon, traps, &mut entries);
    }
    for incident in &server.incidents {
        match &incident.kind {
            IncidentKind::Crash => {
                traps.add(Trap::ServerRestart, 1);
            }
            IncidentKind::Shutdown => {
                let text = format!("SHUTDOWN request from admin at node {}", server.host);
                entries.push(Entry::new(incident.at, Writer::Manager, Kind::Other, text));
            }
            IncidentKind::DaemonCrash { daemon } => {
                traps.add(Trap::DaemonRestart, 1);
                let name = &server.daemons[*daemon].name;
                let (died, back) = (later(incident.at, 1), incident.back);
                let end = format!("{name} exited with status 11 (unexpected); starting it again");
                entries.push(Entry::new(died, Writer::Manager, Kind::Other, end));
                let pid = random.between(1_000, 30_000);
                let start = format!("REStarted {name} (internet tcp_port 2080 pid {pid})");
                entries.push(Entry::new(back, Writer::Manager, Kind::Other, start));
                serving(server, *daemon, back, style, traps, &mut entries);
            }
            IncidentKind::Reread { by } => {
                reread(server, incident.at, by, style, traps, &mut entries);
            }
        }
    }
    entries
}

/// What stands after it.
pub(super) fn after_events(server: &Server) -> Vec<Entry> {
    let shutdowns = server.incidents.iter().filter(|one| one.kind == IncidentKind::Shutdown);
    shutdowns
        .flat_map(|incident| {
            let daemons = server.daemons.iter().enumerate().map(|(index, _)| {
                let text = "daemon shutdown requested - shutting down";
                Entry::new(incident.at, Writer::Daemon(index), Kind::Other, text)
            });
            let manager =
                Entry::new(incident.at, Writer::Manager, Kind::Other, "EXITING, all done");
            daemons.chain([manager]).collect::<Vec<_>>()
        })
        .collect()
}

/// From when to when the server manager ran.
fn manager_uptimes(server: &Server) -> Vec<Span> {
    let stops = |kind: &IncidentKind| matches!(kind, IncidentKind::Crash | IncidentKind::Shutdown);
    uptimes(
        server,
        server.incidents.iter().filter(|one| stops(&one.kind)).map(|one| (one.at, one.back)),
    )
}

/// From when to when a daemon ran.
pub(super) fn daemon_uptimes(server: &Server, daemon: usize) -> Vec<Span> {
    let stops = server.incidents.iter().filter(|one| one.stops(daemon));
    uptimes(server, stops.map(|one| (one.at, one.back)))
}

fn uptimes(server: &Server, stops: impl Iterator<Item = (Timestamp, Timestamp)>) -> Vec<Span> {
    let mut from = server.window.start;
    let mut found = Vec::new();
    for (at, back) in stops {
        found.push(Span::new(from, at));
        from = back;
    }
    found.push(Span::new(from, server.window.end));
    found
}

/// The date, again and again, by elapsed time.
fn stamps(server: &Server, span: Span, writer: Writer, seconds: i64, entries: &mut Vec<Entry>) {
    let mut at = later(span.start, seconds);
    while at < span.end {
        let text = format!("TIMESTAMP {}", stamp_date(server.zone.local(at).date()));
        entries.push(Entry::new(at, writer, Kind::Date, text));
        at = later(at, seconds);
    }
}

/// The start of a server: its banner and those of its daemons.
fn start(
    server: &Server,
    at: Timestamp,
    style: &Style,
    random: &mut Random,
    traps: &mut Traps,
    entries: &mut Vec<Entry>,
) {
    let clock = server.zone.local(at);
    let mut say = |kind, text: String| {
        entries.push(Entry::new(at, Writer::Manager, kind, text));
    };
    let rule = "-".repeat(47);
    say(Kind::Other, rule.clone());
    say(Kind::Other, "  A record of what this server did, for those who look".to_owned());
    say(Kind::Other, "  for a fault. It is not a record of use.".to_owned());
    say(Kind::Other, rule);
    say(Kind::Other, String::new());
    let date = long_date(clock, style.zone_name(&server.zone, at));
    say(Kind::Date, format!("Server's System Date and Time: {date}"));
    let (host, day) = (&server.host, stamp_date(clock.date()));
    let version = "v11.19.0.0 build 230000 x64_lsb";
    say(Kind::Date, format!("FlexNet Licensing ({version}) started on {host} (linux) ({day})"));
    say(Kind::Other, format!("License file(s): /srv/licenses/{}.lic", style.file_stem));
    say(Kind::Other, format!("lmgrd tcp-port {}", server.port));
    for daemon in &server.daemons {
        let pid = random.between(1_000, 30_000);
        say(Kind::Other, format!("Started {} (internet tcp_port 2080 pid {pid})", daemon.name));
    }
    for (index, daemon) in server.daemons.iter().enumerate() {
        let text = format!("FlexNet Licensing version {version}");
        entries.push(Entry::new(at, Writer::Daemon(index), Kind::Other, text));
        if style.echoes {
            echo(at, index, daemon, random, traps, entries);
        }
        serving(server, index, later(at, 1), style, traps, entries);
    }
}

/// A license line that the daemon rejects and repeats.
fn echo(
    at: Timestamp,
    index: usize,
    daemon: &Daemon,
    random: &mut Random,
    traps: &mut Traps,
    entries: &mut Vec<Entry>,
) {
    let feature = &daemon.features[random.index(daemon.features.len())];
    let echoed = format!(
        "    ==>INCREMENT {} {} {} 01-jan-0000 {}  00{:02X}      VENDOR_STRING=vi=0      \
         DUP_GROUP=UH ISSUED=02-Mar-2021      NOTICE=product={} SN=0",
        feature.name,
        daemon.name,
        feature.version,
        random.between(10, 99),
        random.below(256),
        feature.name,
    );
    let first = "Invalid license key (inconsistent authentication code)";
    entries.push(Entry::new(at, Writer::Daemon(index), Kind::Other, first));
    entries.push(Entry::new(at, Writer::Daemon(index), Kind::Other, echoed));
    traps.add(Trap::Echo, 1);
}

/// The line with which a daemon begins to serve: a list of features, wrapped over lines, and a few
/// lines after it, one of them without time and name.
fn serving(
    server: &Server,
    index: usize,
    at: Timestamp,
    style: &Style,
    traps: &mut Traps,
    entries: &mut Vec<Entry>,
) {
    let daemon = &server.daemons[index];
    let mut say =
        |text: String| entries.push(Entry::new(at, Writer::Daemon(index), Kind::Other, text));
    say(format!("Server started on {} for:\t", server.host));
    for line in feature_list(daemon, at, traps) {
        say(line);
    }
    for (_, feature, count, group) in style.reservations.iter().filter(|one| one.0 == index) {
        say(format!("RESERVING {count} {feature}/2F1C 90AB  licenses for USER_GROUP {group}"));
        traps.add(Trap::Reservation, 1);
    }
    say("ALL FEATURES: INACTIVITY TIMEOUT set to 7200 seconds".to_owned());
    say("Serving features for the following vendor names:".to_owned());
    let names = format!(" {}  ", daemon.name);
    entries.push(Entry::new(at, Writer::Nobody, Kind::Other, names));
    traps.add(Trap::BareLine, 1);
}

/// The features of a daemon, several to a line; packages with what they consist of.
fn feature_list(daemon: &Daemon, at: Timestamp, traps: &mut Traps) -> Vec<String> {
    let file = daemon.file_at(at);
    let mut words: Vec<String> = Vec::new();
    let inside = |name: &String| file.packages.iter().any(|one| one.components.contains(name));
    for feature in daemon.features.iter().filter(|feature| !inside(&feature.name)) {
        match file.packages.iter().find(|package| package.name == feature.name) {
            Some(package) => {
                words.push(format!("{} (consisting of:\t", package.name));
                let last = package.components.len().saturating_sub(1);
                let parts = package.components.iter().enumerate();
                words.extend(parts.map(|(part, name)| match part == last {
                    true => format!("{name})"),
                    false => name.clone(),
                }));
            }
            None => words.push(feature.name.clone()),
        }
    }
    let lines: Vec<String> = words.chunks(3).map(|words| words.join("\t")).collect();
    traps.add(Trap::WrappedBanner, u64::from(lines.len() > 1));
    lines
}

/// The last day of a license has passed, and nothing took its place.
fn expiries(
    server: &Server,
    index: usize,
    daemon: &Daemon,
    traps: &mut Traps,
    entries: &mut Vec<Entry>,
) {
    for (place, feature) in daemon.features.iter().enumerate() {
        let lines = daemon.files.iter().flat_map(|version| &version.file.lines);
        let own = lines.filter(|line| line.feature == feature.name);
        let ends: BTreeSet<Timestamp> =
            own.filter_map(|line| line.expiry).map(|day| server.zone.day_end(day)).collect();
        for at in ends.into_iter().filter(|at| server.window.contains(*at)) {
            let left = daemon.granted(FeatureIndex(place), at, &server.zone);
            if left.is_some_and(|left| left.capacity == Capacity::Limited(Quantity::ZERO)) {
                let text = format!("EXPIRED: {}", feature.name);
                entries.push(Entry::new(later(at, 2), Writer::Daemon(index), Kind::Other, text));
                traps.add(Trap::ExpiredFeature, 1);
            }
        }
    }
}

fn reread(
    server: &Server,
    at: Timestamp,
    by: &str,
    style: &Style,
    traps: &mut Traps,
    entries: &mut Vec<Entry>,
) {
    traps.add(Trap::Reread, 1);
    let asked = format!("Rereading license file... Requested from {by}");
    entries.push(Entry::new(at, Writer::Manager, Kind::Other, asked));
    for (index, daemon) in server.daemons.iter().enumerate() {
        let writer = Writer::Daemon(index);
        entries.push(Entry::new(at, writer, Kind::Other, "Rereading license file..."));
        let file = daemon.file_at(at);
        for line in &file.lines {
            let text = format!("Updating feature {}", line.feature);
            entries.push(Entry::new(later(at, 1), writer, Kind::Other, text));
        }
        if style.reread_lists_features {
            traps.add(Trap::RereadListsFeatures, 1);
            serving(server, index, later(at, 1), style, traps, entries);
        }
        entries.push(Entry::new(later(at, 1), writer, Kind::Other, "...Finished rereading"));
    }
    let done = later(at, 3);
    entries.push(Entry::new(done, Writer::Manager, Kind::Other, "...Finished rereading"));
}
