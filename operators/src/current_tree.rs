//! The account tree as it stands at the horizon, as if it had always stood so.
//!
//! current = { (node, parent, all of time) : (node, parent, span) ∈ edges, horizon ∈ span }
//!
//! Totals over it say what today's accounts would have used (`as_current`), beside those that leave use
//! with the account above it at the time (`as_occurred`).
//!
//! Work per change: the changed edges; when the horizon moves, the edges that it passes an end of.

use crate::epochs::{Came, Updates, each_epoch, everywhere};
use crate::hierarchy::Placement;
use crate::{Diff, Facts};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use timely::dataflow::operators::Concat as _;
use trueup_model::time::{Span, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Edge(Placement),
    Horizon(Timestamp),
}

/// Gives the edges that hold at the horizon, for all of time.
pub fn current_tree<'s>(
    edges: Facts<'s, Placement>,
    horizon: Facts<'s, Timestamp>,
) -> Facts<'s, Placement> {
    let edges = edges.map(Heard::Edge).inner;
    let horizon = everywhere(horizon.map(Heard::Horizon));
    let mut state = State { horizon: Timestamp::MIN, turns: BTreeMap::new() };
    each_epoch(edges.concat(horizon), "Current tree", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

struct State {
    horizon: Timestamp,
    /// The edges that begin or end at each instant, and how often each is there.
    turns: BTreeMap<Timestamp, BTreeMap<Placement, Diff>>,
}

impl State {
    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<Placement>) {
        let updates = updates.gathered();
        let mut sums: BTreeMap<Placement, Diff> = BTreeMap::new();
        let mut add = |edge: Placement, diff: Diff| {
            *sums.entry(Placement { span: Span::ALWAYS, ..edge }).or_default() += diff;
        };
        let mut now = self.horizon;
        for (heard, _) in updates.iter().filter(|(_, diff)| *diff > 0) {
            if let Heard::Horizon(at) = heard {
                now = now.max(*at);
            }
        }
        let before = std::mem::replace(&mut self.horizon, now);
        if now != before {
            // An edge that both begins and ends in between is met twice, and counts once.
            let passed = self.turns.range(before.plus_us(1)..=now).flat_map(|(_, all)| all);
            for (edge, count) in passed.collect::<BTreeMap<_, _>>() {
                let held = Diff::from(edge.span.contains(before));
                add(*edge, (Diff::from(edge.span.contains(now)) - held) * count);
            }
        }
        for (heard, diff) in updates {
            let Heard::Edge(edge) = heard else { continue };
            if edge.span.contains(now) {
                add(edge, diff);
            }
            for at in [edge.span.start, edge.span.end] {
                let turning = self.turns.entry(at).or_default();
                let count = turning.entry(edge).or_default();
                *count += diff;
                if *count == 0 {
                    turning.remove(&edge);
                }
                if turning.is_empty() {
                    self.turns.remove(&at);
                }
            }
        }
        changes.extend(sums.into_iter().filter(|(_, count)| *count != 0));
    }
}
