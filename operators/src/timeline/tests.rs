//! Against plain sums over a list of intervals, after every change.

use super::{Levels, Summary, Timeline};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::time::{DAY_US, Span, Timestamp};

type Row = (Span, Levels);

fn changes(rows: &[(Row, bool)]) -> BTreeMap<Timestamp, Levels> {
    let mut sums: BTreeMap<Timestamp, Levels> = BTreeMap::new();
    for ((span, levels), add) in rows {
        let signed = if *add { *levels } else { levels.negated() };
        sums.entry(span.start).or_default().add(&signed);
        sums.entry(span.end).or_default().add(&signed.negated());
    }
    sums
}

fn plain_at(rows: &[Row], at: Timestamp) -> Levels {
    let mut levels = Levels::default();
    for (span, row) in rows.iter().filter(|(span, _)| span.contains(at)) {
        assert!(!span.is_empty());
        levels.add(row);
    }
    levels
}

/// The summary by its definition: each piece between two turns, in order.
fn plain_summary(rows: &[Row], window: Span, touch_end: bool) -> Summary {
    let mut turns: BTreeSet<Timestamp> =
        rows.iter().flat_map(|(span, _)| [span.start, span.end]).collect();
    turns.insert(window.start);
    turns.insert(window.end);
    let inside: Vec<Timestamp> =
        turns.into_iter().filter(|at| (window.start..=window.end).contains(at)).collect();
    let mut summary = Summary::default();
    for pair in inside.windows(2) {
        summary.take(Span::new(pair[0], pair[1]), &plain_at(rows, pair[0]));
    }
    if touch_end {
        summary.take(Span::new(window.end, window.end), &plain_at(rows, window.end));
    }
    summary
}

fn row() -> impl Strategy<Value = Row> {
    let start = prop_oneof![
        8 => (0_i64..40).prop_map(|step| Timestamp(step * DAY_US / 4)),
        1 => Just(Timestamp::MIN),
    ];
    let end = prop_oneof![
        8 => (1_i64..30).prop_map(Some),
        1 => Just(None),
    ];
    let demand = (0_i128..4, 0_i128..3).prop_map(|(demand, entitled)| Levels {
        demand,
        entitled,
        overdraft: i128::from(demand == 3),
        unlimited: i64::from(demand == 0 && entitled == 2),
        lines: i64::from(entitled > 0),
        ..Levels::default()
    });
    (start, end, demand).prop_map(|(start, steps, levels)| {
        let from = if start == Timestamp::MIN { 0 } else { start.0 };
        let until = steps.map_or(Timestamp::MAX, |steps| Timestamp(from + steps * DAY_US / 4));
        (Span::new(start, until), levels)
    })
}

proptest! {
    #[test]
    fn levels_and_summaries_are_those_of_the_intervals(
        steps in prop::collection::vec(prop::collection::vec((row(), any::<u8>()), 1..5), 1..10),
        window in (0_i64..45, 0_i64..45),
        touch_end in any::<bool>(),
    ) {
        let mut timeline = Timeline::default();
        let mut rows: Vec<Row> = Vec::new();
        for step in steps {
            let mut batch = Vec::new();
            for (row, pick) in step {
                if pick % 3 == 0 && !rows.is_empty() {
                    let gone = rows.swap_remove(usize::from(pick) % rows.len());
                    batch.push((gone, false));
                } else {
                    rows.push(row);
                    batch.push((row, true));
                }
            }
            timeline.apply(&changes(&batch));
            for quarter in -1..45 {
                let at = Timestamp(quarter * DAY_US / 4 + quarter % 2);
                prop_assert_eq!(timeline.at(at), plain_at(&rows, at), "at quarter {}", quarter);
            }
            let (start, end) = (window.0.min(window.1), window.0.max(window.1));
            let span = Span::new(
                Timestamp(start * DAY_US / 4 + 7),
                Timestamp(end * DAY_US / 4 + 7),
            );
            let expected = plain_summary(&rows, span, touch_end);
            prop_assert_eq!(timeline.summary(span, touch_end), expected);
            let mut uncovered = plain_at(&rows, Timestamp(-1)).uncovered();
            for (at, change) in timeline.uncovered_changes(Timestamp(0), Timestamp(DAY_US * 30)) {
                uncovered += change;
                prop_assert_eq!(uncovered, plain_at(&rows, at).uncovered(), "at {}", at);
            }
        }
    }
}

#[test]
fn a_peak_that_lasts_no_time_before_the_horizon_counts() {
    let mut timeline = Timeline::default();
    let last = Timestamp(5 * DAY_US);
    let levels = Levels { demand: 3, ..Levels::default() };
    timeline.apply(&changes(&[((Span::from(last), levels), true)]));
    let window = Span::new(Timestamp(0), last);
    assert_eq!(timeline.summary(window, false).peak, 0);
    let summary = timeline.summary(window, true);
    assert_eq!((summary.peak, summary.peak_at, summary.demand_us), (3, last, 0));
}
