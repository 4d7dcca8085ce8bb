//! Refused attempts and waits of one holder.

use super::{Holder, Life, Line, Outcome};
use crate::Diff;
use crate::epochs::Updates;
use crate::rows::add;
use std::collections::BTreeMap;
use trueup_model::derived::{Attempt, Subject, Wait};
use trueup_model::fact::FactId;
use trueup_model::id::ProductId;
use trueup_model::time::{SECOND_US, Span, Timestamp};
use trueup_model::usage::{SessionKind, SessionReason};

/// The refusals of one second and kind.
#[derive(Clone, Debug, Default)]
struct Refused {
    lines: BTreeMap<(FactId, ProductId, SessionReason), Diff>,
    given: Option<Attempt>,
}

/// The waits for one feature: when each began or ended.
#[derive(Clone, Debug, Default)]
struct Queue {
    turns: BTreeMap<(Timestamp, u32, FactId, SessionKind), Diff>,
    /// Several lines of one instant are several waits.
    given: BTreeMap<Wait, Diff>,
}

/// What one holder was refused and waited for.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals {
    refused: BTreeMap<(Timestamp, SessionKind), Refused>,
    queues: BTreeMap<ProductId, Queue>,
}

fn second(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(SECOND_US) * SECOND_US)
}

impl Refusals {
    pub(super) fn is_empty(&self) -> bool {
        self.refused.is_empty() && self.queues.is_empty()
    }

    /// Takes in a refusal, or takes it out; gives its second.
    pub(super) fn refuse(&mut self, line: Line, diff: Diff) -> Timestamp {
        let at = second(line.event.at);
        let refused = self.refused.entry((at, line.event.kind)).or_default();
        let row = (line.fact, line.event.product.into(), line.event.reason);
        let count = refused.lines.entry(row).or_default();
        *count += diff;
        if *count == 0 {
            refused.lines.remove(&row);
        }
        at
    }

    /// Takes in the begin or end of a wait, or takes it out.
    pub(super) fn queue(&mut self, line: Line, diff: Diff) {
        let queue = self.queues.entry(line.event.product.into()).or_default();
        let turn = (line.event.at, line.event.rank, line.fact, line.event.kind);
        let count = queue.turns.entry(turn).or_default();
        *count += diff;
        if *count == 0 {
            queue.turns.remove(&turn);
        }
    }

    /// The features that someone waited for.
    pub(super) fn queued(&self) -> impl Iterator<Item = ProductId> {
        self.queues.keys().copied()
    }

    /// The seconds whose refusals a checkout at this instant may meet.
    pub(super) fn near(&self, opened: Timestamp, window_us: i64) -> Vec<Timestamp> {
        let from = second(opened.plus_us(-window_us));
        let range = (from, SessionKind::Open)..;
        let near = self.refused.range(range).map(|((at, _), _)| *at);
        near.take_while(|at| *at <= opened).collect()
    }

    /// Decides anew whether the attempts of a second were met.
    pub(super) fn settle(
        &mut self,
        holder: Holder,
        at: Timestamp,
        window_us: i64,
        opened: impl Fn(ProductId, Timestamp, Timestamp) -> Option<Timestamp>,
        changes: &mut Updates<Outcome>,
    ) {
        for kind in [SessionKind::Deny, SessionKind::Unsupported] {
            let Some(refused) = self.refused.get_mut(&(at, kind)) else { continue };
            let until = at.plus_us(window_us);
            let met = |(_, feature, _): &(FactId, ProductId, SessionReason)| {
                opened(*feature, at, until).is_some()
            };
            let unmet = !refused.lines.keys().any(met);
            let first = refused.lines.keys().map(|(_, feature, reason)| (*feature, *reason)).min();
            let now = first.map(|(feature, reason)| Attempt {
                tenant: holder.tenant,
                server: holder.server,
                user: holder.user,
                device: holder.device,
                at,
                kind,
                feature,
                reason,
                lines: u32::try_from(refused.lines.len()).unwrap_or(u32::MAX),
                unmet,
            });
            if refused.given != now {
                changes.extend(refused.given.map(|old| (Outcome::Attempt(old), -1)));
                changes.extend(now.map(|new| (Outcome::Attempt(new), 1)));
                refused.given = now;
            }
            if now.is_none() {
                self.refused.remove(&(at, kind));
            }
        }
    }

    /// Pairs anew the waits for one feature: a wait ends when it is said to, when the feature is
    /// checked out, or when the daemon starts.
    pub(super) fn settle_waits(
        &mut self,
        subject: Subject,
        life: &Life,
        opened: impl Fn(ProductId, Timestamp, Timestamp) -> Option<Timestamp>,
        changes: &mut Updates<Outcome>,
    ) {
        let Some(queue) = self.queues.get_mut(&subject.feature) else { return };
        let mut ends: Vec<Timestamp> = Vec::new();
        let mut begins: Vec<Timestamp> = Vec::new();
        for (at, _, _, kind) in queue.turns.keys() {
            let turns = if *kind == SessionKind::Queue { &mut begins } else { &mut ends };
            turns.push(*at);
        }
        let mut ends = ends.into_iter().peekable();
        let mut now = BTreeMap::new();
        for begin in begins {
            while ends.next_if(|end| *end < begin).is_some() {}
            let started = life.starts.keys().map(|start| start.at).find(|start| *start >= begin);
            let served = opened(subject.feature, begin, Timestamp::MAX);
            let other = started.into_iter().chain(served).min();
            let end = match (ends.peek().copied(), other) {
                (Some(end), Some(other)) if other < end => other,
                (Some(end), _) => {
                    ends.next();
                    end
                }
                (None, other) => other.unwrap_or(Timestamp::MAX),
            };
            add(&mut now, Wait { subject, span: Span::new(begin, end) }, 1);
        }
        let mut difference = now.clone();
        for (wait, count) in std::mem::replace(&mut queue.given, now) {
            add(&mut difference, wait, -count);
        }
        changes.extend(difference.into_iter().map(|(wait, count)| (Outcome::Wait(wait), count)));
        if queue.turns.is_empty() {
            self.queues.remove(&subject.feature);
        }
    }
}
