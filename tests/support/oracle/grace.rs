//! For how long use may stay above, or go on after the end of a line (2.18, 2.25).

use super::Right;
use super::levels::{Level, is_credit};
use super::spans::{joined, pieces};
use trueup_model::time::{Span, Timestamp};

/// The levels of a node, with whether grace is running, cut where that changes.
pub(super) fn with_grace(levels: &[(Span, Level)], own: &[Right]) -> Vec<(Span, Level)> {
    let mut cuts: Vec<Timestamp> = Vec::new();
    for (span, _) in levels {
        cuts.push(span.start);
        cuts.extend(own.iter().map(|right| span.start.plus_us(right.grace_us)));
    }
    for right in own {
        cuts.push(right.span.end.plus_us(right.grace_us));
    }
    let at = |at: Timestamp| levels.iter().find(|(span, _)| span.contains(at));
    let graced = pieces(cuts).into_iter().filter_map(|piece| {
        let (_, level) = at(piece.start)?;
        Some((piece, Level { graced: is_graced(levels, own, piece.start), ..*level }))
    });
    joined(graced)
}

fn is_graced(levels: &[(Span, Level)], own: &[Right], at: Timestamp) -> bool {
    let Some(index) = levels.iter().position(|(span, _)| span.contains(at)) else { return false };
    let (_, now) = levels[index];
    if !now.in_force {
        // What is used after the end of every line.
        let tolerates = |right: &Right| {
            let end = right.span.end;
            !is_credit(right) && end <= at && at < end.plus_us(right.grace_us)
        };
        return now.shortfall() > 0 && own.iter().any(tolerates);
    }
    let over = |level: &Level| level.in_force && level.shortfall() > level.overdraft;
    if !over(&now) {
        return false;
    }
    let before = levels[..=index].iter().rev().take_while(|(_, level)| over(level));
    let Some(since) = before.map(|(span, _)| span.start).last() else { return false };
    let tolerant = own.iter().filter(|right| right.span.contains(since));
    let grace_us = tolerant.map(|right| right.grace_us).max().unwrap_or_default();
    since != Timestamp::MIN && grace_us > 0 && at < since.plus_us(grace_us)
}
