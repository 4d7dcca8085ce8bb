//! What counts of what was said, and when the rows of documents are in force.

use super::spans::{bounds, joined, pieces};
use super::{Case, Conflict};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::fact::{Action, Body, DocumentRef, Fact, FactId, FactKind, Provenance};
use trueup_model::id::{Id, TenantId};
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::{Known, Repeated};
use trueup_policy::rules::ConflictRule;

/// What is known of everything that was said.
pub(super) struct Said {
    pub(super) known: Vec<Known>,
    pub(super) conflicts: Vec<Conflict>,
    pub(super) repeated: Vec<Repeated>,
}

/// What one identity was said to mean, without the place among equals, which is no content.
type Content = (Option<DocumentRef<Id>>, Body<Id>);

/// One content of an identity: when and where it first arrived, and its place among equals.
struct Heard {
    arrival: (Timestamp, Provenance<Id>),
    rank: u32,
    times: usize,
}

/// Decides for each identity what counts (C6, C7).
pub(super) fn known(case: &Case<'_>) -> Said {
    let mut said = Said { known: Vec::new(), conflicts: Vec::new(), repeated: Vec::new() };
    let mut identities: BTreeMap<(TenantId, FactId), Vec<&Fact<Id>>> = BTreeMap::new();
    for (tenant, fact) in case.facts {
        identities.entry((*tenant, fact.id)).or_default().push(fact);
    }
    for ((tenant, id), facts) in identities {
        let taken_back = facts.iter().filter(|fact| matches!(fact.action, Action::Retract(_)));
        let taken_back = taken_back.map(|fact| fact.revision).max();
        let mut contents: BTreeMap<(u32, Content), Heard> = BTreeMap::new();
        for fact in facts {
            let Action::Assert(body) = &fact.action else { continue };
            let mut body = body.clone();
            let rank = rank_of(&mut body).map_or(0, std::mem::take);
            let arrival = (fact.arrived_at, fact.provenance);
            let heard = contents.entry((fact.revision, (fact.document, body))).or_insert(Heard {
                arrival,
                rank,
                times: 0,
            });
            heard.arrival = heard.arrival.min(arrival);
            heard.rank = heard.rank.max(rank);
            heard.times += 1;
        }
        let Some(top) = contents.keys().map(|(revision, _)| *revision).max() else { continue };
        if taken_back.is_some_and(|revision| revision >= top) {
            continue;
        }
        let repetitions: usize = contents.values().map(|heard| heard.times - 1).sum();
        let mut claims: Vec<_> =
            contents.into_iter().filter(|((revision, _), _)| *revision == top).collect();
        claims.sort_by(|((_, one), first), ((_, other), second)| {
            (first.arrival, one).cmp(&(second.arrival, other))
        });
        let contradicts = claims.len() > 1;
        let chosen = match case.policy.conflict {
            ConflictRule::First => 0,
            ConflictRule::Last => claims.len() - 1,
        };
        let ((_, (document, mut body)), heard) = claims.swap_remove(chosen);
        if let Some(rank) = rank_of(&mut body) {
            *rank = heard.rank;
        }
        let (arrived_at, provenance) = heard.arrival;
        if contradicts {
            said.conflicts.push(Conflict { tenant, document: provenance.document });
        }
        let kind = body.kind();
        let event = matches!(kind, FactKind::Session | FactKind::Usage | FactKind::Server);
        let place = provenance.document;
        let row = Repeated { tenant, document: place, kind, id: (!event).then_some(id) };
        said.repeated.extend(std::iter::repeat_n(row, repetitions));
        said.known.push(Known { tenant, id, arrived_at, provenance, document, body });
    }
    said
}

/// The place among the events of one instant, of bodies that have one.
fn rank_of(body: &mut Body<Id>) -> Option<&mut u32> {
    if let Body::Session(event) = body {
        return Some(&mut event.rank);
    }
    if let Body::Server(event) = body {
        return Some(&mut event.rank);
    }
    None
}

/// Gives each fact the time in which it speaks: rows while their version does, others always.
pub(super) fn in_force(known: &[Known]) -> Vec<(Known, Span)> {
    let mut versions: BTreeMap<Id, BTreeMap<u64, Timestamp>> = BTreeMap::new();
    for row in known {
        let Body::Document(version) = &row.body else { continue };
        let from = versions.entry(version.document).or_default().entry(version.version);
        // Of two statements about one version, the one that claims less.
        let from = from.or_insert(version.effective_from);
        *from = (*from).max(version.effective_from);
    }
    let mut found = Vec::new();
    for row in known.iter().filter(|row| !matches!(row.body, Body::Document(_))) {
        let Some(place) = row.document else {
            found.push((row.clone(), Span::ALWAYS));
            continue;
        };
        let Some(document) = versions.get(&place.document) else { continue };
        let Some(from) = document.get(&place.version) else { continue };
        let later = document.iter().filter(|(version, _)| **version > place.version);
        let until = later.map(|(_, from)| *from).min().unwrap_or(Timestamp::MAX);
        let span = Span::new(*from, until);
        if !span.is_empty() {
            found.push((row.clone(), span));
        }
    }
    found
}

/// What dated statements about one thing say at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stated<T> {
    /// Nothing.
    Nothing,
    /// One thing, however often.
    One(T),
    /// Different things.
    Several,
}

/// What statements say at an instant.
pub(super) fn stated<T: Ord + Copy>(rows: &[(Span, T)], at: Timestamp) -> Stated<T> {
    let values: BTreeSet<T> =
        rows.iter().filter(|(span, _)| span.contains(at)).map(|(_, value)| *value).collect();
    match (values.len(), values.first()) {
        (0, _) | (_, None) => Stated::Nothing,
        (1, Some(one)) => Stated::One(*one),
        _ => Stated::Several,
    }
}

/// For each value, how often it holds at each instant, in the longest spans of one count.
pub(super) fn counted<T: Ord + Clone>(rows: &[(Span, T)]) -> Vec<(Span, T)> {
    let mut found = Vec::new();
    let values: BTreeSet<&T> = rows.iter().map(|(_, value)| value).collect();
    for value in values {
        let spans: Vec<Span> =
            rows.iter().filter(|(_, other)| other == value).map(|(span, _)| *span).collect();
        let pieces = pieces(bounds(spans.iter().copied()));
        let counts = pieces
            .into_iter()
            .map(|piece| (piece, spans.iter().filter(|span| span.contains(piece.start)).count()));
        for (span, times) in joined(counts) {
            found.extend(std::iter::repeat_n((span, value.clone()), times));
        }
    }
    found
}
