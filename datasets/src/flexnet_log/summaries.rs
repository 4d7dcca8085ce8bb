//! Summaries: lines that servers write by the hour, of use to no one but their makers.

use super::{Entry, Kind, Style, Writer, background};
use crate::population::Population;
use crate::random::Random;
use crate::server::Server;
use crate::traps::{Trap, Traps};
use crate::wall::{HOUR_SECONDS, later, long_date};
use trueup_model::time::Timestamp;

/// The fewest and most lines of a summary.
const LINES_MIN: u64 = 9;
const LINES_MAX: u64 = 4_000;

/// The summaries of every daemon, as long as it takes for their share of the log.
pub(super) fn entries(
    server: &Server,
    others: &[Entry],
    population: &Population,
    style: &Style,
    random: &mut Random,
    traps: &mut Traps,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for index in 0..server.daemons.len() {
        for span in background::daemon_uptimes(server, index) {
            let mut since = span.start;
            let mut at = later(since, style.summary_hours * HOUR_SECONDS);
            while at < span.end {
                let recent = others.partition_point(|entry| entry.at < at)
                    - others.partition_point(|entry| entry.at < since);
                // Daemons of one server share its lines.
                let share = recent as u64 / server.daemons.len().max(1) as u64;
                let percent = style.summary_percent.min(95);
                let lines = (share * percent).div_ceil(100 - percent).clamp(LINES_MIN, LINES_MAX);
                let one = Summary { server, index, at, since, lines, style, population };
                one.write(random, &mut entries);
                since = at;
                at = later(at, style.summary_hours * HOUR_SECONDS);
            }
        }
    }
    traps.add(Trap::SummaryLine, entries.len() as u64);
    entries
}

struct Summary<'a> {
    server: &'a Server,
    index: usize,
    at: Timestamp,
    since: Timestamp,
    lines: u64,
    style: &'a Style,
    population: &'a Population,
}

impl Summary<'_> {
    fn write(&self, random: &mut Random, entries: &mut Vec<Entry>) {
        let tag = format!("(@{}-SLOG@)", self.server.daemons[self.index].name);
        let rule = "=".repeat(47);
        let time = self.date(self.at);
        let head = [rule.clone(), "=== Requests of late ===".to_owned(), format!("Time: {time}")];
        let foot =
            ["=== Connections ===".to_owned(), format!("Most at once #{}", self.lines), rule];
        let body = self.lines.saturating_sub((head.len() + foot.len()) as u64);
        let body = (0..body).map(|_| self.request(random)).collect::<Vec<_>>();
        for text in head.into_iter().chain(body).chain(foot) {
            let text = format!("{tag} {text}");
            entries.push(Entry::new(self.at, Writer::Daemon(self.index), Kind::Summary, text));
        }
    }

    /// A request that the daemon handled earlier; its date is not the line's.
    fn request(&self, random: &mut Random) -> String {
        let age = random.below(crate::wall::seconds_between(self.since, self.at).max(1));
        let when = later(self.at, -i64::try_from(age).unwrap_or(0));
        let person = random.pick(&self.population.people);
        let machine = random.pick(&self.population.machines);
        format!(
            "{:08} ms at {},#{},({}K),({},{},{})",
            random.below(40),
            self.date(when),
            random.between(1, 30),
            random.between(5_000, 7_000),
            person.spellings[0],
            machine.spellings[0],
            random.between(500, 2_000),
        )
    }

    fn date(&self, at: Timestamp) -> String {
        let clock = self.server.zone.local(at);
        long_date(clock, self.style.zone_name(&self.server.zone, at))
    }
}
