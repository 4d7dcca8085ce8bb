//! License servers as rows: pools, sessions, denials.

use super::{Words, capacity, instant};
use crate::filter::Filter;
use serde::{Deserialize, Serialize};
use trueup_model::derived::{Attempt, PoolState, Session};

/// One feature of one daemon: what log, license file and server say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PoolRow {
    /// The daemon.
    pub(crate) server: String,
    /// The feature.
    pub(crate) feature: String,
    /// The instant.
    pub(crate) at: String,
    /// Charged by the log.
    pub(crate) logged: Option<String>,
    /// Entitled by the license file.
    pub(crate) licensed: Option<String>,
    /// Issued by the server's report.
    pub(crate) issued: Option<String>,
    /// Checked out by the server's report.
    pub(crate) checked_out: Option<u32>,
    /// Set aside and idle.
    pub(crate) reserved_idle: u32,
    /// Waiting.
    pub(crate) queued: u32,
    /// Borrowed or lingering.
    pub(crate) lingering: u32,
    /// "In use" as the server reports it.
    pub(crate) reported_in_use: Option<u32>,
    /// Distinct users of the report.
    pub(crate) users: u32,
    /// How checkouts are charged.
    pub(crate) duplicates: String,
}

/// A checkout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionRow {
    /// The daemon.
    pub(crate) server: String,
    /// The feature.
    pub(crate) feature: String,
    /// Who.
    pub(crate) user: String,
    /// On which machine.
    pub(crate) device: String,
    /// When it was opened.
    pub(crate) start: String,
    /// When it was closed; absent while it lasts.
    pub(crate) end: Option<String>,
    /// If the end is estimated: the earliest instant at which it can have ended.
    pub(crate) ended_after: Option<String>,
    /// How many licenses.
    pub(crate) count: u32,
    /// Why it ended.
    pub(crate) reason: String,
    /// The project.
    pub(crate) project: Option<String>,
    /// The source's number of the checkout.
    pub(crate) handle: Option<String>,
    /// Where the checkout was read.
    pub(crate) source: String,
    /// The line, from 1.
    pub(crate) position: u64,
}

/// A refused attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DenialRow {
    /// The daemon.
    pub(crate) server: String,
    /// When.
    pub(crate) at: String,
    /// Who.
    pub(crate) user: String,
    /// On which machine.
    pub(crate) device: String,
    /// The feature.
    pub(crate) feature: String,
    /// A denial, or a feature that the server does not serve.
    pub(crate) kind: String,
    /// Why.
    pub(crate) reason: String,
    /// How many lines say so.
    pub(crate) lines: u32,
    /// Whether no checkout followed in time.
    pub(crate) unmet: bool,
}

/// The newest states of the pools that a filter asks for.
pub(crate) fn pools(words: &Words<'_>, filter: &Filter) -> Vec<PoolRow> {
    let latest = words.views.pools.iter().filter(|state| state.latest);
    let rows = latest.map(|state| pool_row(words, state));
    let mut found: Vec<PoolRow> =
        rows.filter(|row| Filter::matches(filter.product.as_deref(), &row.feature)).collect();
    found.sort_by(|one, other| {
        (&one.server, &one.feature, &one.at).cmp(&(&other.server, &other.feature, &other.at))
    });
    found
}

fn pool_row(words: &Words<'_>, state: &PoolState) -> PoolRow {
    PoolRow {
        server: words.name(state.server),
        feature: words.name(state.feature),
        at: state.at.to_string(),
        logged: state.logged.map(|logged| logged.to_string()),
        licensed: state.licensed.map(capacity),
        issued: state.issued.map(capacity),
        checked_out: state.checked_out,
        reserved_idle: state.reserved_idle,
        queued: state.queued,
        lingering: state.lingering,
        reported_in_use: state.reported_in_use,
        users: state.users,
        duplicates: state.duplicates.to_string(),
    }
}

/// The checkouts that a filter asks for, by start.
pub(crate) fn sessions(words: &Words<'_>, filter: &Filter) -> Vec<SessionRow> {
    let mut found: Vec<&Session> = words.views.sessions.iter().collect();
    found.sort_by_key(|session| (session.span, session.opened_by));
    let rows = found.into_iter().map(|session| session_row(words, session));
    rows.filter(|row| Filter::matches(filter.product.as_deref(), &row.feature)).collect()
}

/// A checkout in words.
pub(crate) fn session_row(words: &Words<'_>, session: &Session) -> SessionRow {
    let subject = &session.subject;
    SessionRow {
        server: subject.server.map(|server| words.name(server)).unwrap_or_default(),
        feature: words.name(subject.feature),
        user: subject.user.map(|user| words.name(user)).unwrap_or_default(),
        device: subject.device.map(|device| words.name(device)).unwrap_or_default(),
        start: session.span.start.to_string(),
        end: instant(session.span.end),
        ended_after: session.ended_after.map(|at| at.to_string()),
        count: session.count,
        reason: session.reason.name().to_owned(),
        project: session.project.map(|project| words.name(project)),
        handle: session.handle.map(|handle| format!("{handle:#x}")),
        source: words.name(session.provenance.document),
        position: session.provenance.position,
    }
}

/// The refused attempts that a filter asks for, the unmet ones first.
pub(crate) fn denials(words: &Words<'_>, filter: &Filter) -> Vec<DenialRow> {
    let mut found: Vec<&Attempt> = words.views.attempts.iter().collect();
    found.sort_by_key(|attempt| (!attempt.unmet, attempt.at, attempt.user));
    let rows = found.into_iter().map(|attempt| DenialRow {
        server: words.name(attempt.server),
        at: attempt.at.to_string(),
        user: words.name(attempt.user),
        device: words.name(attempt.device),
        feature: words.name(attempt.feature),
        kind: attempt.kind.name().to_owned(),
        reason: attempt.reason.name().to_owned(),
        lines: attempt.lines,
        unmet: attempt.unmet,
    });
    rows.filter(|row| Filter::matches(filter.product.as_deref(), &row.feature)).collect()
}
