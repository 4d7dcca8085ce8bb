//! The pairing of checkouts and returns: one ledger for each holder and feature.

use super::{Life, Line, Outcome};
use crate::Diff;
use crate::epochs::Updates;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use trueup_model::derived::{OrphanClose, Session, Subject};
use trueup_model::fact::FactId;
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::{SessionKind, SessionReason};

/// Where an event stands among the events of its server: time, then the source's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) at: Timestamp,
    pub(crate) rank: u32,
    pub(crate) fact: FactId,
}

/// Lines between two moments at which nothing was open.
#[derive(Clone, Debug)]
struct Chapter {
    /// The place of the last line; lines after it begin another chapter.
    last: Place,
    /// When the last of its sessions ended: `MAX` if one is open.
    until: Timestamp,
    /// What its lines come to.
    outcomes: Vec<Outcome>,
}

/// The lines of one holder and feature, and what they come to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    lines: BTreeMap<Place, (Line, Diff)>,
    chapters: BTreeMap<Place, Chapter>,
}

impl Ledger {
    pub(super) fn put(&mut self, line: Line, diff: Diff) {
        let place = line.place();
        let entry = self.lines.entry(place).or_insert((line, 0));
        // Of a line that is replaced the new content stays, whichever update comes first.
        if diff > 0 {
            entry.0 = line;
        }
        entry.1 += diff;
        if entry.1 == 0 {
            self.lines.remove(&place);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.chapters.is_empty()
    }

    /// Whether something was open at a place.
    pub(super) fn open_at(&self, place: Place) -> bool {
        let chapter = self.chapters.range(..=place).next_back();
        chapter.is_some_and(|(_, chapter)| chapter.until >= place.at)
    }

    /// The first checkout in a closed interval of time.
    pub(super) fn first_open(&self, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let first = Place { at: from, rank: 0, fact: FactId(0) };
        self.lines
            .range(first..)
            .take_while(|(place, _)| place.at <= until)
            .find(|(_, (line, _))| line.event.kind == SessionKind::Open)
            .map(|(place, _)| place.at)
    }

    /// Pairs anew from the chapter of the first changed place on, until the chapters agree again.
    pub(super) fn settle(
        &mut self,
        subject: Subject,
        life: &Life,
        first: Place,
        last: Place,
        changes: &mut Updates<Outcome>,
    ) {
        let before = self.chapters.range(..=first).next_back();
        let begin = match before {
            Some((start, chapter)) if chapter.last >= first || chapter.until >= first.at => *start,
            _ => first,
        };
        let mut old: Vec<Outcome> = Vec::new();
        let mut new: Vec<Outcome> = Vec::new();
        let mut next = self.lines.range(begin..).next().map(|(place, _)| *place);
        self.forget(begin, last.max(begin), &mut old);
        while let Some(start) = next {
            if start > last && self.chapters.contains_key(&start) {
                break;
            }
            let chapter = self.chapter(subject, life, start);
            next = self.lines.range((Excluded(chapter.last), Unbounded)).next().map(|row| *row.0);
            self.forget(start, chapter.last, &mut old);
            new.extend_from_slice(&chapter.outcomes);
            self.chapters.insert(start, chapter);
        }
        old.sort_unstable();
        new.sort_unstable();
        changes.extend(old.into_iter().map(|outcome| (outcome, -1)));
        changes.extend(new.into_iter().map(|outcome| (outcome, 1)));
    }

    /// Takes out the chapters that begin in a closed range.
    fn forget(&mut self, first: Place, last: Place, old: &mut Vec<Outcome>) {
        while let Some((start, _)) = self.chapters.range(first..=last).next() {
            let start = *start;
            if let Some(chapter) = self.chapters.remove(&start) {
                old.extend(chapter.outcomes);
            }
        }
    }

    /// Pairs the lines from `start` on until nothing is open.
    fn chapter(&self, subject: Subject, life: &Life, start: Place) -> Chapter {
        let mut open: Vec<Line> = Vec::new();
        let mut outcomes = Vec::new();
        let mut last = start;
        for (place, (line, _)) in self.lines.range(start..) {
            if !open.is_empty() {
                end_by_start(subject, life, last, Some(*place), &mut open, &mut outcomes);
                if open.is_empty() {
                    return finished(last, outcomes);
                }
            }
            last = *place;
            if line.event.kind == SessionKind::Open {
                open.push(*line);
                continue;
            }
            close(subject, line, &mut open, &mut outcomes);
            if open.is_empty() {
                return finished(last, outcomes);
            }
        }
        end_by_start(subject, life, last, None, &mut open, &mut outcomes);
        let lasting = open.into_iter().map(|open| {
            Outcome::Session(session(subject, &open, Timestamp::MAX, SessionReason::None))
        });
        outcomes.extend(lasting);
        finished(last, outcomes)
    }
}

fn finished(last: Place, outcomes: Vec<Outcome>) -> Chapter {
    let until = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Session(session) => session.span.end,
            Outcome::Orphan(orphan) => orphan.at,
            Outcome::Attempt(_) | Outcome::Wait(_) => Timestamp::MIN,
        })
        .max();
    Chapter { last, until: until.unwrap_or(last.at), outcomes }
}

/// Ends everything that is open if the daemon started between two lines.
fn end_by_start(
    subject: Subject,
    life: &Life,
    after: Place,
    before: Option<Place>,
    open: &mut Vec<Line>,
    outcomes: &mut Vec<Outcome>,
) {
    let mut starts = life.starts.range((Excluded(after), Unbounded));
    let Some((start, _)) = starts.next() else { return };
    if before.is_some_and(|before| *start >= before) {
        return;
    }
    let alive = life.alive_before(start.at);
    for line in open.drain(..) {
        let mut ended = session(subject, &line, start.at, SessionReason::None);
        ended.ended_after = Some(alive.unwrap_or(after.at).max(after.at).min(start.at));
        outcomes.push(Outcome::Session(ended));
    }
}

/// Returns what a line returns.
fn close(subject: Subject, line: &Line, open: &mut Vec<Line>, outcomes: &mut Vec<Outcome>) {
    let (at, reason) = (line.event.at, line.event.reason);
    if open.is_empty() {
        outcomes.push(Outcome::Orphan(OrphanClose {
            subject,
            at,
            count: line.event.count,
            fact: line.fact,
            provenance: line.provenance,
        }));
        return;
    }
    if reason == SessionReason::Shutdown {
        let all = open.drain(..).map(|open| Outcome::Session(session(subject, &open, at, reason)));
        outcomes.extend(all);
        return;
    }
    let same = open.iter().position(|open| open.event.count == line.event.count);
    let closed = open.remove(same.unwrap_or(0));
    outcomes.push(Outcome::Session(session(subject, &closed, at, reason)));
}

fn session(subject: Subject, line: &Line, end: Timestamp, reason: SessionReason) -> Session {
    Session {
        subject,
        span: Span::new(line.event.at, end),
        ended_after: None,
        count: line.event.count,
        reason,
        display: line.event.display.map(Into::into),
        vendor_data: line.event.vendor_data.map(Into::into),
        project: line.event.project.map(Into::into),
        handle: line.event.handle,
        opened_by: line.fact,
        provenance: line.provenance,
    }
}
