//! Checkouts, refusals and waits from the lines of license servers, read in order (2.3).

use std::collections::{BTreeMap, BTreeSet};
use trueup_model::derived::{Attempt, EventCount, OrphanClose, Session, Subject, Wait};
use trueup_model::fact::{Body, FactId, Provenance};
use trueup_model::id::{DeviceId, Id, ProductId, ServerId, TenantId, UserId};
use trueup_model::time::{SECOND_US, Span, Timestamp};
use trueup_model::usage::{ServerEventKind, SessionEvent, SessionKind, SessionReason};
use trueup_operators::dedupe::Known;
use trueup_policy::rules::{ProductSettings, SessionLifetime};

/// What the lines come to.
#[derive(Default)]
pub(super) struct Logs {
    pub(super) sessions: Vec<Session>,
    pub(super) orphans: Vec<OrphanClose>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) waits: Vec<Wait>,
    pub(super) counts: Vec<EventCount>,
    /// From the first to the last event of each daemon's life, both included.
    pub(super) covered: BTreeMap<ServerId, (Timestamp, Timestamp)>,
}

/// Where a line stands in its log.
type Place = (Timestamp, u32, FactId);
/// Who, where, of which daemon.
type Holder = (TenantId, ServerId, UserId, DeviceId);

/// A line of a log.
#[derive(Clone, Copy)]
struct Line {
    place: Place,
    tenant: TenantId,
    provenance: Provenance<Id>,
    event: SessionEvent<Id>,
}

impl Line {
    fn holder(&self) -> Holder {
        let event = &self.event;
        (self.tenant, event.server.into(), event.user.into(), event.device.into())
    }

    fn subject(&self) -> Subject {
        Subject {
            tenant: self.tenant,
            server: Some(self.event.server.into()),
            feature: self.event.product.into(),
            user: Some(self.event.user.into()),
            device: Some(self.event.device.into()),
            account: None,
        }
    }

    fn feature(&self) -> ProductId {
        self.event.product.into()
    }
}

/// What is known of the lives of daemons.
#[derive(Default)]
struct Lives {
    starts: BTreeMap<ServerId, BTreeSet<Place>>,
    alive: BTreeMap<ServerId, BTreeSet<Timestamp>>,
}

/// Reads all logs.
pub(super) fn logs(
    known: &[Known],
    settings: &BTreeMap<ProductId, ProductSettings>,
    attempt_window_us: i64,
) -> Logs {
    let mut logs = Logs::default();
    let mut lives = Lives::default();
    let mut lines: Vec<Line> = Vec::new();
    let mut counts: BTreeMap<(ServerId, SessionKind, SessionReason), u64> = BTreeMap::new();
    for row in known {
        if let Body::Session(event) = &row.body {
            let place = (event.at, event.rank, row.id);
            let (tenant, provenance) = (row.tenant, row.provenance);
            lines.push(Line { place, tenant, provenance, event: *event });
            *counts.entry((event.server.into(), event.kind, event.reason)).or_default() += 1;
        }
        if let Body::Server(event) = &row.body {
            let server = ServerId::from(event.server);
            let seen = logs.covered.entry(server).or_insert((event.at, event.at));
            *seen = (seen.0.min(event.at), seen.1.max(event.at));
            match event.kind {
                ServerEventKind::Started => {
                    let place = (event.at, event.rank, row.id);
                    lives.starts.entry(server).or_default().insert(place);
                }
                ServerEventKind::Alive => {
                    lives.alive.entry(server).or_default().insert(event.at);
                }
                ServerEventKind::Reread | ServerEventKind::FeatureExpired => {}
            }
        }
    }
    lines.sort_by_key(|line| line.place);
    logs.counts = counts
        .into_iter()
        .map(|((server, kind, reason), count)| EventCount { server, kind, reason, count })
        .collect();
    pair(&lines, &lives, settings, &mut logs);
    refuse(&lines, attempt_window_us, &mut logs);
    wait(&lines, &lives, &mut logs);
    logs
}

/// A checkout that is open, and when its client was last heard of.
#[derive(Clone, Copy)]
struct Held {
    line: Line,
    heard: Timestamp,
}

impl Held {
    /// The instant at which it ends by itself, if it does, given that nothing more is heard of it.
    fn end(&self, lifetime: &SessionLifetime) -> Timestamp {
        if let Some(until) = self.line.event.until {
            return until.max(self.line.event.at);
        }
        let begun = self.line.event.at;
        let longest = lifetime.longest_us.map_or(Timestamp::MAX, |after| begun.plus_us(after));
        let silent = lifetime.silent_us.map_or(Timestamp::MAX, |after| self.heard.plus_us(after));
        longest.min(silent)
    }

    /// Whether a line at this instant finds it open: a sign of life may be late by the drift.
    fn is_open_at(&self, at: Timestamp, lifetime: &SessionLifetime) -> bool {
        if self.line.event.until.is_some() {
            return at <= self.end(lifetime);
        }
        let longest = lifetime.longest_us.map(|after| self.line.event.at.plus_us(after));
        let silent = lifetime.silent_us.map(|after| self.heard.plus_us(after));
        let silent = silent.map(|end| end.plus_us(lifetime.drift_us));
        longest.is_none_or(|end| at <= end) && silent.is_none_or(|end| at <= end)
    }

    fn ended(&self, subject: Subject, lifetime: &SessionLifetime) -> Session {
        let borrowed = self.line.event.until.is_some();
        let end = self.end(lifetime);
        let by_itself = end != Timestamp::MAX && !borrowed;
        let reason = if by_itself { SessionReason::Inactive } else { SessionReason::None };
        session(subject, &self.line, end, reason)
    }
}

/// Joins each return with its checkout.
fn pair(
    lines: &[Line],
    lives: &Lives,
    settings: &BTreeMap<ProductId, ProductSettings>,
    logs: &mut Logs,
) {
    let mut ledgers: BTreeMap<(Subject, Option<u64>), Vec<Line>> = BTreeMap::new();
    for line in lines {
        let counts = [SessionKind::Open, SessionKind::Close, SessionKind::Heartbeat];
        if counts.contains(&line.event.kind) {
            ledgers.entry((line.subject(), line.event.handle)).or_default().push(*line);
        }
    }
    for ((subject, _), ledger) in ledgers {
        let lifetime = settings.get(&subject.feature).map(|one| one.lifetime).unwrap_or_default();
        let mut open: Vec<Held> = Vec::new();
        let mut before: Option<Line> = None;
        for line in &ledger {
            end_by_start(subject, lives, before, Some(line.place), &lifetime, &mut open, logs);
            let gone = |one: &Held| !one.is_open_at(line.event.at, &lifetime);
            logs.sessions.extend(
                open.iter().filter(|one| gone(one)).map(|one| one.ended(subject, &lifetime)),
            );
            open.retain(|one| !gone(one));
            before = Some(*line);
            let (at, reason) = (line.event.at, line.event.reason);
            let end = at.plus_us(lifetime.linger_us);
            match line.event.kind {
                SessionKind::Open => open.push(Held { line: *line, heard: at }),
                SessionKind::Heartbeat if !open.is_empty() => {
                    open.iter_mut().for_each(|one| one.heard = at);
                }
                _ if open.is_empty() => logs.orphans.push(OrphanClose {
                    subject,
                    sign: line.event.kind == SessionKind::Heartbeat,
                    at,
                    count: line.event.count,
                    fact: line.place.2,
                    provenance: line.provenance,
                }),
                _ if reason == SessionReason::Shutdown => {
                    let all = open.drain(..).map(|one| session(subject, &one.line, end, reason));
                    logs.sessions.extend(all);
                }
                _ => {
                    let same = |one: &Held| one.line.event.count == line.event.count;
                    let closed = open.remove(open.iter().position(same).unwrap_or(0));
                    logs.sessions.push(session(subject, &closed.line, end, reason));
                }
            }
        }
        end_by_start(subject, lives, before, None, &lifetime, &mut open, logs);
        logs.sessions.extend(open.iter().map(|one| one.ended(subject, &lifetime)));
    }
}

/// Ends what is open if the daemon started after one line and before the next.
fn end_by_start(
    subject: Subject,
    lives: &Lives,
    before: Option<Line>,
    next: Option<Place>,
    lifetime: &SessionLifetime,
    open: &mut Vec<Held>,
    logs: &mut Logs,
) {
    let (Some(before), Some(server)) = (before, subject.server) else { return };
    let mut starts = lives.starts.get(&server).into_iter().flatten();
    let Some(start) = starts.find(|start| **start > before.place) else { return };
    if next.is_some_and(|next| *start > next) {
        return;
    }
    let alive = lives.alive.get(&server).into_iter().flatten().filter(|at| **at < start.0).max();
    let last_seen = alive.map_or(before.event.at, |alive| before.event.at.max(*alive));
    for one in open.drain(..) {
        if one.end(lifetime) < start.0 {
            logs.sessions.push(one.ended(subject, lifetime));
            continue;
        }
        let ended = session(subject, &one.line, start.0, SessionReason::None);
        logs.sessions.push(Session { ended_after: Some(last_seen), ..ended });
    }
}

fn session(subject: Subject, open: &Line, end: Timestamp, reason: SessionReason) -> Session {
    Session {
        subject,
        span: Span::new(open.event.at, end),
        ended_after: None,
        count: open.event.count,
        reason,
        display: open.event.display.map(Into::into),
        vendor_data: open.event.vendor_data.map(Into::into),
        project: open.event.project.map(Into::into),
        handle: open.event.handle,
        opened_by: open.place.2,
        provenance: open.provenance,
    }
}

/// Gathers refusals into attempts: what one holder was refused in one second.
fn refuse(lines: &[Line], window_us: i64, logs: &mut Logs) {
    let second = |at: Timestamp| Timestamp(at.0.div_euclid(SECOND_US) * SECOND_US);
    let mut refused: BTreeMap<(Holder, Timestamp, SessionKind), Vec<Line>> = BTreeMap::new();
    for line in lines {
        if matches!(line.event.kind, SessionKind::Deny | SessionKind::Unsupported) {
            let key = (line.holder(), second(line.event.at), line.event.kind);
            refused.entry(key).or_default().push(*line);
        }
    }
    for ((holder, at, kind), refusals) in refused {
        let until = at.plus_us(window_us);
        let meets = |open: &Line| {
            open.event.kind == SessionKind::Open
                && open.holder() == holder
                && (at..=until).contains(&open.event.at)
                && refusals.iter().any(|line| line.feature() == open.feature())
        };
        let first = refusals.iter().map(|line| (line.feature(), line.event.reason)).min();
        let Some((feature, reason)) = first else { continue };
        logs.attempts.push(Attempt {
            tenant: holder.0,
            server: holder.1,
            user: holder.2,
            device: holder.3,
            at,
            kind,
            feature,
            reason,
            lines: u32::try_from(refusals.len()).unwrap_or(u32::MAX),
            unmet: !lines.iter().any(meets),
        });
    }
}

/// Follows who waits: until told that it is over, served, or the daemon starts anew.
fn wait(lines: &[Line], lives: &Lives, logs: &mut Logs) {
    let waiters: BTreeSet<Subject> = lines
        .iter()
        .filter(|line| line.event.kind == SessionKind::Queue)
        .map(Line::subject)
        .collect();
    for subject in waiters {
        let starts = lives.starts.get(&subject.server.unwrap_or_default());
        let mut turns: Vec<(Place, Option<SessionKind>)> = lines
            .iter()
            .filter(|line| line.subject() == subject)
            .map(|line| (line.place, Some(line.event.kind)))
            .collect();
        turns.extend(starts.into_iter().flatten().map(|place| (*place, None)));
        turns.sort_unstable_by_key(|(place, _)| *place);
        let mut waiting: Vec<Timestamp> = Vec::new();
        let mut ended: Vec<Span> = Vec::new();
        for ((at, ..), kind) in turns {
            match kind {
                Some(SessionKind::Queue) => waiting.push(at),
                Some(SessionKind::Dequeue) if !waiting.is_empty() => {
                    ended.push(Span::new(waiting.remove(0), at));
                }
                Some(SessionKind::Open) | None => {
                    ended.extend(waiting.drain(..).map(|begin| Span::new(begin, at)));
                }
                Some(
                    SessionKind::Dequeue
                    | SessionKind::Close
                    | SessionKind::Deny
                    | SessionKind::Unsupported
                    | SessionKind::Heartbeat,
                ) => {}
            }
        }
        ended.extend(waiting.into_iter().map(Span::from));
        logs.waits.extend(ended.into_iter().map(|span| Wait { subject, span }));
    }
}
