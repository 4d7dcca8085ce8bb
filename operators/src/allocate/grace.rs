//! Grace: for how long use may stay above, or go on after the end of a line, before it is a breach.
//!
//! over(t)   = lines in force at t, and uncovered(t) > overdraft(t)
//! run(t)    = the longest interval of over that holds t
//! graced(t) = over(t) and t < start(run(t)) + the most grace of the lines in force at its start
//!           or no line in force at t, and a line has ended within its own grace before t
//!
//! What has been over since always has been so for longer than any grace. The end of a grace is a
//! change of levels as any other, so the horizon's passing it changes the position without an event.
//!
//! Work per change: the levels of the node, where its lines have grace; else nothing.

use super::figures::Rights;
use crate::entitle::Right;
use crate::timeline::Timeline;
use trueup_model::time::{Span, Timestamp};

/// The times in which grace is running at a node, in order and apart.
pub(super) fn graces(timeline: &Timeline, own: &Rights<'_>) -> Vec<Span> {
    let own: Vec<&Right> =
        own.iter().map(|(right, _)| *right).filter(|right| right.grace_us > 0).collect();
    let mut found = Vec::new();
    if own.is_empty() {
        return found;
    }
    // Until when the grace of the present run lasts.
    let mut until = None;
    for (piece, levels) in timeline.pieces() {
        let uncovered = if levels.above > 0 { 0 } else { levels.uncovered() };
        let over = levels.lines > 0 && uncovered > levels.overdraft;
        until = over.then(|| until.unwrap_or_else(|| grace_from(&own, piece.start)));
        if let Some(until) = until {
            add(&mut found, piece.intersect(Span::new(Timestamp::MIN, until)));
        }
        if levels.lines <= 0 && uncovered > 0 {
            let mut tails: Vec<Span> = own.iter().filter_map(|right| tail(right)).collect();
            tails.sort_unstable();
            for tail in tails {
                add(&mut found, piece.intersect(tail));
            }
        }
    }
    found
}

/// Until when the lines in force at an instant tolerate that use is above from then on.
fn grace_from(own: &[&Right], at: Timestamp) -> Timestamp {
    let in_force = own.iter().filter(|right| right.span.contains(at) && at != Timestamp::MIN);
    let longest = in_force.map(|right| right.grace_us).max();
    longest.map_or(Timestamp::MIN, |grace_us| at.plus_us(grace_us))
}

/// The time after its end in which a line still tolerates use; a credit tolerates nothing.
pub(super) fn tail(right: &Right) -> Option<Span> {
    let end = right.span.end;
    let tolerates = right.grace_us > 0 && end != Timestamp::MAX && !right.is_credit();
    tolerates.then(|| Span::new(end, end.plus_us(right.grace_us)))
}

/// Adds a span that begins no earlier than the last one.
fn add(found: &mut Vec<Span>, span: Span) {
    if span.is_empty() {
        return;
    }
    match found.last_mut() {
        Some(last) if last.end >= span.start => last.end = last.end.max(span.end),
        _ => found.push(span),
    }
}
