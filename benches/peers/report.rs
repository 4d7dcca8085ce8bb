//! What an engine says that it took: a few lines of text between processes, and a table for people.

use std::fmt::{self, Display, Formatter};
use trueup_datasets::workload::reconciliation::{Answers, Checksum};

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Rows that were measured together.
    pub(crate) rows: u64,
    /// How long they took.
    pub(crate) wall_us: u64,
    /// How long the process ran for them.
    pub(crate) ran_us: u64,
    /// The most memory that it had.
    pub(crate) peak_mib: u64,
    /// How long a small batch takes at full state: the median and the 99th of a hundred.
    pub(crate) small_us: Option<[u64; 2]>,
    /// How long a change set takes: the median.
    pub(crate) change_us: Option<u64>,
    /// What it answers.
    pub(crate) answers: Answers,
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "rows {}", self.rows)?;
        writeln!(f, "measured {} {} {}", self.wall_us, self.ran_us, self.peak_mib)?;
        if let Some([p50, p99]) = self.small_us {
            writeln!(f, "small {p50} {p99}")?;
        }
        if let Some(change) = self.change_us {
            writeln!(f, "change {change}")?;
        }
        for (name, Checksum { rows, sum, mixed }) in self.answers.each() {
            writeln!(f, "answer {name} {rows} {sum} {mixed}")?;
        }
        Ok(())
    }
}

/// Reads what an engine says; `None` if it says something else.
pub(crate) fn read(said: &str) -> Option<Report> {
    let mut report = Report::default();
    for line in said.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |place: usize| words.get(place)?.parse::<u64>().ok();
        let Some(first) = words.first() else { continue };
        match *first {
            "rows" => report.rows = number(1)?,
            "measured" => {
                (report.wall_us, report.ran_us) = (number(1)?, number(2)?);
                report.peak_mib = number(3)?;
            }
            "small" => report.small_us = Some([number(1)?, number(2)?]),
            "change" => report.change_us = Some(number(1)?),
            "answer" => {
                let sum = |place: usize| words.get(place)?.parse::<i64>().ok();
                let found = Checksum { rows: sum(2)?, sum: sum(3)?, mixed: sum(4)? };
                *place(&mut report.answers, words.get(1)?)? = found;
            }
            "version" => {}
            _ => return None,
        }
    }
    Some(report)
}

fn place<'a>(answers: &'a mut Answers, name: &str) -> Option<&'a mut Checksum> {
    match name {
        "used" => Some(&mut answers.used),
        "totals" => Some(&mut answers.totals),
        "users" => Some(&mut answers.users),
        "devices" => Some(&mut answers.devices),
        "short" => Some(&mut answers.short),
        _ => None,
    }
}

/// Prints the table; gives how many checksums are wrong.
pub(crate) fn print(reports: &[(&'static str, Report)], right: Answers) -> usize {
    println!(
        "{:<10}{:>14}{:>8}{:>8}{:>12}{:>12}{:>12}{:>8}",
        "engine", "M rows/cpu-s", "ratio", "wall s", "batch p50", "p99 ms", "change ms", "MiB"
    );
    let rate = |report: &Report| report.rows as f64 / report.ran_us.max(1) as f64;
    let first = reports.first().map_or(1.0, |(_, report)| rate(report));
    let ms =
        |us: Option<u64>| us.map_or_else(|| "-".to_owned(), |us| format!("{:.2}", us as f64 / 1e3));
    let mut wrong = 0;
    for (name, report) in reports {
        let [p50, p99] = report.small_us.map_or([None; 2], |[p50, p99]| [Some(p50), Some(p99)]);
        println!(
            "{name:<10}{:>14.3}{:>8.3}{:>8.2}{:>12}{:>12}{:>12}{:>8}",
            rate(report),
            rate(report) / first,
            report.wall_us as f64 / 1e6,
            ms(p50),
            ms(p99),
            ms(report.change_us),
            report.peak_mib,
        );
        for ((kind, found), (_, wanted)) in report.answers.each().into_iter().zip(right.each()) {
            if found != wanted {
                println!("  {kind} is wrong: {found:?}, by plain loops {wanted:?}");
                wrong += 1;
            }
        }
    }
    if wrong == 0 {
        let checksums = right.each().map(|(kind, sum)| format!("{kind} {}", sum.rows)).join(", ");
        println!("all answer alike: {checksums}");
    }
    wrong
}
