//! Algebra of intervals: what effective-dated statements say at each instant, and what is left of an
//! interval when others are taken away.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use trueup_model::time::{Span, Timestamp};

/// What the statements in force say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Said<T> {
    /// No statement is in force.
    Nothing,
    /// All statements in force say this.
    One(T),
    /// The statements in force say different things.
    Several,
}

/// Cuts all of time into the longest segments in which the statements say one thing.
///
/// The segments are in order, touch each other, and begin and end with time itself. Work: the number
/// of statements times its logarithm.
pub(crate) fn said<T: Ord + Copy>(
    statements: impl IntoIterator<Item = (Span, T)>,
) -> Vec<(Span, Said<T>)> {
    let mut turns: Vec<(Timestamp, T, i64)> = Vec::new();
    for (span, value) in statements {
        if !span.is_empty() {
            turns.push((span.start, value, 1));
            turns.push((span.end, value, -1));
        }
    }
    turns.sort_unstable();
    let mut segments: Vec<(Span, Said<T>)> = Vec::new();
    let mut in_force: BTreeMap<T, i64> = BTreeMap::new();
    let mut since = Timestamp::MIN;
    for (at, value, change) in turns {
        if at > since {
            append(&mut segments, Span::new(since, at), &in_force);
            since = at;
        }
        let count = in_force.entry(value).or_default();
        *count += change;
        if *count == 0 {
            in_force.remove(&value);
        }
    }
    append(&mut segments, Span::new(since, Timestamp::MAX), &in_force);
    segments
}

/// Appends what is said in a span that follows the segments; joins it to the last if they agree.
fn append<T: Ord + Copy>(
    segments: &mut Vec<(Span, Said<T>)>,
    span: Span,
    in_force: &BTreeMap<T, i64>,
) {
    if span.is_empty() {
        return;
    }
    let now = match (in_force.len(), in_force.first_key_value()) {
        (1, Some((value, _))) => Said::One(*value),
        (0, _) | (_, None) => Said::Nothing,
        _ => Said::Several,
    };
    match segments.last_mut() {
        Some((last, before)) if *before == now => last.end = span.end,
        _ => segments.push((span, now)),
    }
}

/// The greatest of the statements in force at each instant, in the longest segments; none where there is
/// no statement. The segments are those of [`said`].
pub(crate) fn greatest<T: Ord + Copy>(
    statements: &[(Span, T)],
    compare: impl Fn(&T, &T) -> Ordering,
) -> Vec<(Span, Option<T>)> {
    let mut cuts: Vec<Timestamp> =
        statements.iter().flat_map(|(span, _)| [span.start, span.end]).collect();
    cuts.extend([Timestamp::MIN, Timestamp::MAX]);
    cuts.sort_unstable();
    cuts.dedup();
    let mut segments: Vec<(Span, Option<T>)> = Vec::new();
    for (since, until) in cuts.iter().zip(cuts.iter().skip(1)) {
        let held = statements.iter().filter(|(span, _)| span.contains(*since));
        let now = held.map(|(_, value)| *value).max_by(&compare);
        match segments.last_mut() {
            Some((last, before)) if *before == now => last.end = *until,
            _ => segments.push((Span::new(*since, *until), now)),
        }
    }
    segments
}

/// How many rows hold at each instant, in the longest intervals of one count; none where it is zero.
pub(crate) fn counted(rows: impl IntoIterator<Item = (Span, isize)>) -> Vec<(Span, isize)> {
    let mut turns: BTreeMap<Timestamp, isize> = BTreeMap::new();
    for (span, count) in rows.into_iter().filter(|(span, _)| !span.is_empty()) {
        *turns.entry(span.start).or_default() += count;
        *turns.entry(span.end).or_default() -= count;
    }
    let mut found = Vec::new();
    let (mut since, mut level) = (Timestamp::MIN, 0);
    for (at, change) in turns.into_iter().filter(|(_, change)| *change != 0) {
        if level != 0 {
            found.push((Span::new(since, at), level));
        }
        (since, level) = (at, level + change);
    }
    found
}

/// What is left of `whole` outside of all `parts`, in order.
pub(crate) fn outside(whole: Span, parts: impl IntoIterator<Item = Span>) -> Vec<Span> {
    let mut taken: Vec<Span> = parts.into_iter().filter_map(|part| part.overlap(whole)).collect();
    taken.sort_unstable();
    let mut left = Vec::new();
    let mut from = whole.start;
    for part in taken {
        left.extend(Span::new(from, part.start).overlap(whole));
        from = from.max(part.end);
    }
    left.extend(Span::new(from, whole.end).overlap(whole));
    left
}

/// The instants that lie in an interval of both, each of which are apart and in order.
pub(crate) fn common(ones: &[Span], others: &[Span]) -> Vec<Span> {
    let mut found = Vec::new();
    let (mut one, mut other) = (0, 0);
    while let (Some(left), Some(right)) = (ones.get(one), others.get(other)) {
        found.extend(left.overlap(*right));
        if left.end <= right.end {
            one += 1;
        } else {
            other += 1;
        }
    }
    found
}

/// The instants of all parts together, in the longest intervals and in order.
pub(crate) fn union(parts: impl IntoIterator<Item = Span>) -> Vec<Span> {
    let mut parts: Vec<Span> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.sort_unstable();
    let mut union: Vec<Span> = Vec::new();
    for part in parts {
        match union.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ => union.push(part),
        }
    }
    union
}

#[cfg(test)]
mod tests {
    //! Both against the meaning, instant by instant.

    use super::{Said, common, counted, greatest, outside, said, union};
    use proptest::prelude::*;
    use trueup_model::time::{Span, Timestamp};

    fn span(start: i64, end: i64) -> Span {
        Span::new(Timestamp(start), Timestamp(end))
    }

    #[test]
    fn statements_that_touch_leave_no_gap_and_those_that_agree_are_one() {
        let found = said([(span(0, 5), 'a'), (span(5, 9), 'a'), (span(7, 12), 'b')]);
        assert_eq!(
            found,
            [
                (Span::new(Timestamp::MIN, Timestamp(0)), Said::Nothing),
                (span(0, 7), Said::One('a')),
                (span(7, 9), Said::Several),
                (span(9, 12), Said::One('b')),
                (Span::from(Timestamp(12)), Said::Nothing),
            ]
        );
        assert_eq!(said::<u8>([]), [(Span::ALWAYS, Said::Nothing)]);
        assert_eq!(said([(Span::ALWAYS, 1)]), [(Span::ALWAYS, Said::One(1))]);
    }

    proptest! {
        #[test]
        fn each_instant_is_in_the_segment_that_says_what_is_in_force(
            statements in prop::collection::vec((0_i64..12, 0_i64..12, 0_u8..3), 0..8),
        ) {
            let rows: Vec<_> = statements.iter().map(|(a, b, v)| (span(*a, *b), *v)).collect();
            let segments = said(rows.iter().copied());
            prop_assert_eq!(segments[0].0.start, Timestamp::MIN);
            prop_assert_eq!(segments[segments.len() - 1].0.end, Timestamp::MAX);
            for pair in segments.windows(2) {
                prop_assert_eq!(pair[0].0.end, pair[1].0.start);
                prop_assert!(pair[0].1 != pair[1].1);
            }
            for instant in -1..13 {
                let at = Timestamp(instant);
                let mut values: Vec<u8> =
                    rows.iter().filter(|(span, _)| span.contains(at)).map(|row| row.1).collect();
                values.sort_unstable();
                values.dedup();
                let expected = match values.as_slice() {
                    [] => Said::Nothing,
                    [one] => Said::One(*one),
                    _ => Said::Several,
                };
                let found: Vec<_> =
                    segments.iter().filter(|(span, _)| span.contains(at)).collect();
                prop_assert_eq!(found.len(), 1);
                prop_assert_eq!(found[0].1, expected);
                let last = greatest(&rows, Ord::cmp).into_iter().find(|(span, _)| span.contains(at));
                prop_assert_eq!(last.and_then(|(_, value)| value), values.last().copied());
            }
        }

        #[test]
        fn the_counts_are_those_of_each_instant(
            rows in prop::collection::vec((0_i64..12, 0_i64..12, 1_isize..3), 0..8),
        ) {
            let rows: Vec<_> = rows.iter().map(|(a, b, n)| (span(*a, *b), *n)).collect();
            let found = counted(rows.iter().copied());
            for pair in found.windows(2) {
                prop_assert!(pair[0].0.end <= pair[1].0.start);
                prop_assert!(pair[0].0.end < pair[1].0.start || pair[0].1 != pair[1].1);
            }
            for instant in -1..13 {
                let at = Timestamp(instant);
                let sum = |all: &[(Span, isize)]| -> isize {
                    all.iter().filter(|(span, _)| span.contains(at)).map(|row| row.1).sum()
                };
                prop_assert_eq!(sum(&found), sum(&rows));
            }
        }

        #[test]
        fn what_is_common_is_in_an_interval_of_both(
            ones in prop::collection::vec((0_i64..12, 0_i64..12), 0..6),
            others in prop::collection::vec((0_i64..12, 0_i64..12), 0..6),
        ) {
            let spans = |rows: &[(i64, i64)]| union(rows.iter().map(|(a, b)| span(*a, *b)));
            let (ones, others) = (spans(&ones), spans(&others));
            let found = common(&ones, &others);
            for instant in -1..13 {
                let inside = |all: &[Span]| {
                    all.iter().filter(|span| span.contains(Timestamp(instant))).count()
                };
                prop_assert_eq!(inside(&found), inside(&ones) * inside(&others));
            }
        }

        #[test]
        fn what_is_left_is_in_the_whole_and_in_no_part(
            whole in (0_i64..12, 0_i64..12),
            parts in prop::collection::vec((0_i64..12, 0_i64..12), 0..6),
        ) {
            let whole = span(whole.0, whole.1);
            let parts: Vec<_> = parts.iter().map(|(a, b)| span(*a, *b)).collect();
            let left = outside(whole, parts.iter().copied());
            for instant in -1..13 {
                let at = Timestamp(instant);
                let expected = whole.contains(at) && !parts.iter().any(|part| part.contains(at));
                let found = left.iter().filter(|span| span.contains(at)).count();
                prop_assert_eq!(found, usize::from(expected));
            }
        }
    }
}
