//! The sequence of lines as bytes, in one file or several.

use super::{Entry, Kind, Style, Writer, Written};
use crate::server::Server;
use crate::traps::{Trap, Traps};
use crate::wall::line_time;

/// Writes the lines into files.
pub(super) fn write(
    server: &Server,
    entries: &[Entry],
    style: &Style,
    written: &mut Written,
    traps: &mut Traps,
) {
    let cuts = cuts(entries, style);
    let last = cuts.len() - 1;
    for (number, from) in cuts.iter().enumerate() {
        let until = cuts.get(number + 1).copied().unwrap_or(entries.len());
        let begin = match number == last && number > 0 {
            true => from.saturating_sub(style.overlap_lines).max(cuts[number - 1]),
            false => *from,
        };
        traps.add(Trap::OverlappingLine, (from - begin) as u64);
        traps.add(Trap::RotatedFile, u64::from(number > 0));
        let mut text = String::new();
        if style.byte_order_mark && number == 0 {
            text.push('\u{feff}');
            traps.add(Trap::ByteOrderMark, 1);
        }
        for entry in &entries[begin..until] {
            text.push_str(&line(server, entry));
            text.push('\n');
            written.lines += 1;
            written.summary_lines += u64::from(entry.kind == Kind::Summary);
        }
        if style.torn && number == last {
            text.push_str(&cut_line(server, entries));
            written.lines += 1;
            written.torn_lines += 1;
            traps.add(Trap::TornLine, 1);
        }
        if style.crlf {
            text = text.replace('\n', "\r\n");
            traps.add(Trap::CarriageReturn, 1);
        }
        let name = name(server, entries.get(*from), style, written);
        written.files.push((name, text.into_bytes()));
    }
}

/// Where the files begin.
fn cuts(entries: &[Entry], style: &Style) -> Vec<usize> {
    let mut cuts = vec![0];
    for at in &style.rotations {
        // A line that stands after its time stays with the line before it.
        let place = entries.iter().position(|entry| entry.at >= *at).unwrap_or(entries.len());
        let last = cuts.last().copied().unwrap_or(0);
        if place > last && place < entries.len() {
            cuts.push(place);
        }
    }
    cuts
}

/// `meridvd-2026-02-16.log`: by the day on which the file begins.
fn name(server: &Server, first: Option<&Entry>, style: &Style, written: &Written) -> String {
    let stem = &style.file_stem;
    let Some(first) = first else { return format!("{stem}.log") };
    let day = server.zone.local(first.at).date();
    let same_day = written.files.iter().filter(|(name, _)| name.contains(&day.to_string())).count();
    match same_day {
        0 => format!("{stem}-{day}.log"),
        others => format!("{stem}-{day}-{}.log", others + 1),
    }
}

fn line(server: &Server, entry: &Entry) -> String {
    let writer = match entry.writer {
        Writer::Manager => "lmgrd".to_owned(),
        Writer::Daemon(index) => server.daemons[index].name.clone(),
        Writer::Child(index) => format!("{}_1", server.daemons[index].name),
        Writer::Nobody => return entry.text.clone(),
    };
    let time = line_time(server.zone.local(entry.at));
    format!("{time} ({writer}) {}", entry.text)
}

/// A line that the copy of the file caught half written: a checkout that no figure counts.
fn cut_line(server: &Server, entries: &[Entry]) -> String {
    let last = entries.iter().rev().find(|entry| entry.text.starts_with("OUT:"));
    let Some(at) = entries.iter().map(|entry| entry.at).max() else { return String::new() };
    let Some(last) = last else {
        return format!("{} (lmgrd) TIMESTA", line_time(server.zone.local(at)));
    };
    let whole = line(server, &Entry { at, ..last.clone() });
    // The cut falls into the feature's name, so that nothing is left to guess from.
    let quote = whole.find('"').map_or(whole.len(), |place| place + 3);
    whole.chars().take(quote).collect()
}
