//! The pairing of checkouts and returns: one ledger for each holder and feature.

use super::{Life, Line, Outcome};
use crate::Diff;
use crate::epochs::Updates;
use crate::few::FewMap;
use serde::{Deserialize, Serialize};
use std::ops::Bound::{Excluded, Unbounded};
use trueup_model::derived::{OrphanClose, Session, Subject};
use trueup_model::fact::FactId;
use trueup_model::time::{Span, Timestamp};
use trueup_model::usage::{SessionKind, SessionReason};
use trueup_policy::rules::SessionLifetime;

/// Where an event stands among the events of its server: time, then the source's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) at: Timestamp,
    pub(crate) rank: u32,
    pub(crate) fact: FactId,
}

/// By what the lines of a ledger are read.
pub(super) struct Rule<'l> {
    /// Who holds what where.
    pub(super) subject: Subject,
    /// The life of the daemon.
    pub(super) life: &'l Life,
    /// When checkouts end that nothing returns.
    pub(super) lifetime: SessionLifetime,
}

/// A checkout that is open, with its last sign of life.
#[derive(Clone, Copy, Debug)]
struct Open {
    line: Line,
    seen: Timestamp,
}

impl Open {
    fn of(line: &Line) -> Self {
        Self { line: *line, seen: line.event.at }
    }

    /// When it ends by itself, and until when a sign of life may still keep it.
    fn deadline(&self, lifetime: &SessionLifetime) -> Option<(Timestamp, Timestamp)> {
        if let Some(until) = self.line.event.until {
            let end = until.max(self.line.event.at);
            return Some((end, end));
        }
        let longest = lifetime.longest_us.map(|after| self.line.event.at.plus_us(after));
        let silent = lifetime.silent_us.map(|after| self.seen.plus_us(after));
        let kept = silent.map(|end| end.plus_us(lifetime.drift_us));
        let end = longest.into_iter().chain(silent).min()?;
        Some((end, longest.into_iter().chain(kept).min()?))
    }

    /// Why it ended by itself.
    fn reason(&self) -> SessionReason {
        match self.line.event.until {
            Some(_) => SessionReason::None,
            None => SessionReason::Inactive,
        }
    }
}

/// Lines between two moments at which nothing was open.
#[derive(Clone, Debug)]
struct Chapter {
    /// The place of the last line; lines after it begin another chapter.
    last: Place,
    /// When the last of its sessions ended, as far as later lines may change that: `MAX` if one is
    /// open.
    until: Timestamp,
    /// What its lines come to.
    outcomes: Vec<Outcome>,
}

/// The lines of one holder and feature, and what they come to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    lines: FewMap<Place, (Line, Diff)>,
    chapters: FewMap<Place, Chapter>,
}

impl Ledger {
    pub(super) fn put(&mut self, line: Line, diff: Diff) {
        let place = line.place();
        let entry = self.lines.or_insert_with(place, || (line, 0));
        // Of a line that is replaced the new content stays, whichever update comes first.
        if diff > 0 {
            entry.0 = line;
        }
        entry.1 += diff;
        if entry.1 == 0 {
            self.lines.remove(&place);
        }
    }

    /// The first and the last line.
    pub(super) fn bounds(&self) -> Option<(Place, Place)> {
        let (first, _) = self.lines.first_key_value()?;
        let (last, _) = self.lines.last_key_value()?;
        Some((*first, *last))
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
        rule: &Rule<'_>,
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
            if start > last && self.chapters.get(&start).is_some() {
                break;
            }
            let chapter = self.chapter(rule, start);
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
    fn chapter(&self, rule: &Rule<'_>, start: Place) -> Chapter {
        let mut open: Vec<Open> = Vec::new();
        let mut outcomes = Vec::new();
        let mut last = start;
        for (place, (line, _)) in self.lines.range(start..) {
            if !open.is_empty() {
                end_alone(rule, last, Some(*place), &mut open, &mut outcomes);
                if open.is_empty() {
                    return rule.finished(last, outcomes);
                }
            }
            last = *place;
            match line.event.kind {
                SessionKind::Open => open.push(Open::of(line)),
                SessionKind::Heartbeat if open.is_empty() => outcomes.push(rule.orphan(line)),
                SessionKind::Heartbeat => open.iter_mut().for_each(|one| one.seen = place.at),
                SessionKind::Close
                | SessionKind::Deny
                | SessionKind::Unsupported
                | SessionKind::Queue
                | SessionKind::Dequeue => rule.close(line, &mut open, &mut outcomes),
            }
            if open.is_empty() {
                return rule.finished(last, outcomes);
            }
        }
        end_alone(rule, last, None, &mut open, &mut outcomes);
        let lasting = open.into_iter().map(|open| {
            let line = open.line;
            Outcome::Session(session(rule.subject, &line, Timestamp::MAX, SessionReason::None))
        });
        outcomes.extend(lasting);
        rule.finished(last, outcomes)
    }
}

/// Ends what ends between two lines without a line of its own: by its lifetime, or by a start of the
/// daemon, whichever is first.
fn end_alone(
    rule: &Rule<'_>,
    after: Place,
    before: Option<Place>,
    open: &mut Vec<Open>,
    outcomes: &mut Vec<Outcome>,
) {
    let mut starts = rule.life.starts.range((Excluded(after), Unbounded));
    let start = starts.next().map(|(start, _)| *start);
    let start = start.filter(|start| before.is_none_or(|before| *start < before));
    let limit = start.or(before).map(|place| place.at);
    open.retain(|one| {
        let Some((end, kept)) = one.deadline(&rule.lifetime) else { return true };
        if limit.is_some_and(|limit| kept >= limit) {
            return true;
        }
        outcomes.push(Outcome::Session(session(rule.subject, &one.line, end, one.reason())));
        false
    });
    let Some(start) = start else { return };
    let alive = rule.life.alive_before(start.at);
    for one in open.drain(..) {
        // One whose end was only not certain yet has ended by then.
        let by_itself = one.deadline(&rule.lifetime).map(|(end, _)| end);
        if let Some(end) = by_itself.filter(|end| *end < start.at) {
            outcomes.push(Outcome::Session(session(rule.subject, &one.line, end, one.reason())));
            continue;
        }
        let mut ended = session(rule.subject, &one.line, start.at, SessionReason::None);
        ended.ended_after = Some(alive.unwrap_or(after.at).max(after.at).min(start.at));
        outcomes.push(Outcome::Session(ended));
    }
}

impl Rule<'_> {
    fn finished(&self, last: Place, outcomes: Vec<Outcome>) -> Chapter {
        let until = outcomes
            .iter()
            .map(|outcome| match outcome {
                Outcome::Session(session) => session.span.end.plus_us(self.lifetime.drift_us),
                Outcome::Orphan(orphan) => orphan.at,
                Outcome::Attempt(_) | Outcome::Wait(_) => Timestamp::MIN,
            })
            .max();
        Chapter { last, until: until.unwrap_or(last.at), outcomes }
    }

    /// A line about something that is not out.
    fn orphan(&self, line: &Line) -> Outcome {
        Outcome::Orphan(OrphanClose {
            subject: self.subject,
            sign: line.event.kind == SessionKind::Heartbeat,
            at: line.event.at,
            count: line.event.count,
            fact: line.fact,
            provenance: line.provenance,
        })
    }

    /// Returns what a line returns.
    fn close(&self, line: &Line, open: &mut Vec<Open>, outcomes: &mut Vec<Outcome>) {
        let (at, reason) = (line.event.at, line.event.reason);
        let end = at.plus_us(self.lifetime.linger_us);
        if open.is_empty() {
            outcomes.push(self.orphan(line));
            return;
        }
        let returned = |one: &Open| Outcome::Session(session(self.subject, &one.line, end, reason));
        if reason == SessionReason::Shutdown {
            outcomes.extend(open.drain(..).map(|one| returned(&one)));
            return;
        }
        let same = open.iter().position(|one| one.line.event.count == line.event.count);
        let closed = open.remove(same.unwrap_or(0));
        outcomes.push(returned(&closed));
    }
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
