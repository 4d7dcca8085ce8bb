//! Debug logs as FlexNet license servers write them, from true sessions, with every trap of the
//! real ones.
//!
//! Only the time of day stands on a line. Dates come with the start banner, with a `TIMESTAMP` that
//! the server writes every six hours and each daemon every six hours and five minutes of elapsed
//! time, and in summaries. Lines of one second may be out of order by a few seconds, files rotate in
//! the middle of a day, and a crash is not written down at all.
//!
//! Four steps: `events` writes what people did, `background` what the server says of itself,
//! `disorder` shifts lines, `files` turns the sequence into bytes. Where real servers write prose,
//! these write words of our own.

mod background;
mod disorder;
mod events;
mod files;
mod summaries;

use crate::population::Population;
use crate::random::Random;
use crate::server::{IncidentKind, Server};
use crate::sessions::{End, History};
use crate::traps::{Trap, Traps};
use crate::wall::{clock_change, is_summer_time};
use std::collections::BTreeMap;
use trueup_model::calendar::Zone;
use trueup_model::time::Timestamp;

/// How a server writes its log.
#[derive(Clone, Debug)]
pub struct Style {
    /// The name that files begin with.
    pub file_stem: String,
    /// What the operating system calls winter and summer time.
    pub zone_names: (String, String),
    /// The verbose form of 11.19, with handles.
    pub verbose: bool,
    /// A byte order mark at the beginning of the first file.
    pub byte_order_mark: bool,
    /// Carriage return and line feed.
    pub crlf: bool,
    /// After how many hours each daemon writes a summary.
    pub summary_hours: i64,
    /// About how many of a hundred lines are summaries.
    pub summary_percent: u64,
    /// How many of a thousand close pairs of lines stand out of order.
    pub backsteps_per_mille: u64,
    /// When the log goes on in another file.
    pub rotations: Vec<Timestamp>,
    /// How many lines of the file before the last file repeats.
    pub overlap_lines: usize,
    /// Whether the last line is cut.
    pub torn: bool,
    /// Whether a rejected license line is echoed at each start.
    pub echoes: bool,
    /// Whether a daemon writes its start line again after a reread, as some do.
    pub reread_lists_features: bool,
    /// Licenses set aside: the daemon's place, the feature, how many, for which group.
    pub reservations: Vec<(usize, String, u32, String)>,
}

impl Style {
    /// A plain log in one file.
    pub fn plain(file_stem: &str) -> Self {
        Self {
            file_stem: file_stem.to_owned(),
            zone_names: ("CET".to_owned(), "CEST".to_owned()),
            verbose: false,
            byte_order_mark: false,
            crlf: false,
            summary_hours: 4,
            summary_percent: 30,
            backsteps_per_mille: 0,
            rotations: Vec::new(),
            overlap_lines: 0,
            torn: false,
            echoes: false,
            reread_lists_features: false,
            reservations: Vec::new(),
        }
    }

    /// What the operating system calls the time that is in force.
    fn zone_name(&self, zone: &Zone, at: Timestamp) -> &str {
        let (winter, summer) = &self.zone_names;
        if is_summer_time(zone, at) { summer } else { winter }
    }
}

/// Who writes a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Writer {
    /// The license server manager.
    Manager,
    /// A vendor daemon, by its place.
    Daemon(usize),
    /// A forked child of a vendor daemon.
    Child(usize),
    /// Nobody: a line without time and name.
    Nobody,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A checkout or return.
    Use,
    /// A refusal or wait.
    Refusal,
    /// A line with a date.
    Date,
    /// A line of a summary.
    Summary,
    /// Anything else.
    Other,
}

/// A line before it is written.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) writer: Writer,
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

impl Entry {
    pub(crate) fn new(at: Timestamp, writer: Writer, kind: Kind, text: impl Into<String>) -> Self {
        Self { at, writer, kind, text: text.into() }
    }
}

/// A written log.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The files in order, with their names.
    pub files: Vec<(String, Vec<u8>)>,
    /// The last line of each daemon before each incident: the daemon's place, the incident's, when.
    pub last_lines: BTreeMap<(usize, usize), Timestamp>,
    /// The instant of the last whole line.
    pub last_line: Timestamp,
    /// How many lines are cut.
    pub torn_lines: u64,
    /// How many lines all files have, repeated ones included.
    pub lines: u64,
    /// How many of them are summaries.
    pub summary_lines: u64,
}

/// Writes the log of a server whose daemons have these histories.
pub fn write(
    server: &Server,
    histories: &[History],
    population: &Population,
    style: &Style,
    random: &mut Random,
    traps: &mut Traps,
) -> Written {
    let mut entries = background::before_events(server, style, random, traps);
    for (index, history) in histories.iter().enumerate() {
        let said = events::entries(server, index, history, population, style, random, traps);
        entries.extend(said);
    }
    entries.extend(background::after_events(server));
    entries.retain(|entry| server.window.contains(entry.at) && !is_silent(server, entry));
    entries.sort_by_key(|entry| entry.at);
    let summaries = summaries::entries(server, &entries, population, style, random, traps);
    entries.extend(summaries);
    entries.sort_by_key(|entry| entry.at);
    let mut written = Written { last_lines: last_lines(server, &entries), ..Written::default() };
    written.last_line = entries.last().map_or(server.window.start, |entry| entry.at);
    count_calendar_traps(server, histories, &entries, traps);
    disorder::backsteps(server, &mut entries, style, random, traps);
    files::write(server, &entries, style, &mut written, traps);
    written
}

/// Whether whoever would write a line is down.
fn is_silent(server: &Server, entry: &Entry) -> bool {
    server.incidents.iter().any(|incident| {
        let stopped = match entry.writer {
            Writer::Daemon(daemon) | Writer::Child(daemon) => incident.stops(daemon),
            Writer::Manager | Writer::Nobody => {
                matches!(incident.kind, IncidentKind::Crash | IncidentKind::Shutdown)
            }
        };
        stopped && incident.at < entry.at && entry.at < incident.back
    })
}

/// When each daemon last wrote before each incident that stopped it.
fn last_lines(server: &Server, entries: &[Entry]) -> BTreeMap<(usize, usize), Timestamp> {
    let mut found = BTreeMap::new();
    for daemon in 0..server.daemons.len() {
        for (number, incident) in server.incidents.iter().enumerate() {
            let before = entries
                .iter()
                .filter(|entry| entry.writer == Writer::Daemon(daemon) && entry.at <= incident.at);
            if let Some(last) =
                before.map(|entry| entry.at).max().filter(|_| incident.stops(daemon))
            {
                found.insert((daemon, number), last);
            }
        }
    }
    found
}

/// Counts what the calendar does to the log.
fn count_calendar_traps(
    server: &Server,
    histories: &[History],
    entries: &[Entry],
    traps: &mut Traps,
) {
    let mut day = None;
    for entry in entries.iter().filter(|entry| matches!(entry.kind, Kind::Use | Kind::Date)) {
        let now = server.zone.local(entry.at).date();
        let turned = day.is_some_and(|before| before != now);
        traps.add(Trap::UnstampedMidnight, u64::from(turned && entry.kind == Kind::Use));
        day = Some(now);
    }
    let days = i64::try_from(server.window.length_us() / 86_400_000_000).unwrap_or(0) + 1;
    let change = clock_change(&server.zone, server.window.start, days);
    for checkout in histories.iter().flat_map(|history| &history.checkouts) {
        let End::Returned { at: closed, .. } = checkout.end else { continue };
        let year = |at| server.zone.local(at).year();
        traps.add(Trap::YearTurn, u64::from(year(checkout.opened) != year(closed)));
        if let Some((at, seconds)) = change
            && checkout.opened < at
            && at <= closed
        {
            let spring = seconds > 0;
            let inside = |instant: Timestamp| {
                instant.since_us(at).unsigned_abs()
                    <= i128::from(seconds).unsigned_abs() * 1_000_000
            };
            let overlap = !spring && inside(checkout.opened) && inside(closed);
            traps.add(Trap::SpringGap, u64::from(spring));
            traps.add(Trap::AutumnOverlap, u64::from(overlap));
        }
    }
}

#[cfg(test)]
mod tests;
