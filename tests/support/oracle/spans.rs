//! Time cut into pieces in which nothing changes.

use std::collections::BTreeSet;
use trueup_model::time::{Span, Timestamp};

/// Cuts all of time at the given instants.
pub(super) fn pieces(bounds: impl IntoIterator<Item = Timestamp>) -> Vec<Span> {
    let mut cuts: BTreeSet<Timestamp> = bounds.into_iter().collect();
    cuts.extend([Timestamp::MIN, Timestamp::MAX]);
    let cuts: Vec<Timestamp> = cuts.into_iter().collect();
    cuts.windows(2).map(|pair| Span::new(pair[0], pair[1])).collect()
}

/// Both ends of each span.
pub(super) fn bounds(spans: impl IntoIterator<Item = Span>) -> Vec<Timestamp> {
    spans.into_iter().flat_map(|span| [span.start, span.end]).collect()
}

/// Joins neighbors that touch and say the same.
pub(super) fn joined<T: PartialEq>(rows: impl IntoIterator<Item = (Span, T)>) -> Vec<(Span, T)> {
    let mut joined: Vec<(Span, T)> = Vec::new();
    for (span, value) in rows {
        match joined.last_mut() {
            Some((last, before)) if last.end == span.start && *before == value => {
                last.end = span.end;
            }
            _ => joined.push((span, value)),
        }
    }
    joined
}

/// All instants that lie in any of the spans, in the longest spans.
pub(super) fn together(spans: Vec<Span>) -> Vec<Span> {
    let inside = |piece: &Span| spans.iter().any(|span| span.contains(piece.start));
    let cuts = pieces(bounds(spans.iter().copied()));
    let held = cuts.into_iter().filter(inside).map(|piece| (piece, ()));
    joined(held).into_iter().map(|(span, ())| span).collect()
}
