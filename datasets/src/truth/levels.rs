//! How many licenses are charged at each instant.
//!
//! usage(t) = Σ over groups of the largest count of an open checkout of the group; what begins and
//! ends at one instant is taken together.

use std::collections::BTreeMap;
use trueup_model::time::{Span, Timestamp};

/// A checkout as it is charged: checkouts of one group share licenses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The number of its group; a group of its own if it shares with none.
    pub group: usize,
    /// When.
    pub span: Span,
    /// How many licenses.
    pub count: u32,
}

/// Numbers for groups: one for each different key.
#[derive(Debug, Default)]
pub struct Groups(BTreeMap<Vec<usize>, usize>);

impl Groups {
    /// The number of the group of this key.
    pub fn number(&mut self, key: Vec<usize>) -> usize {
        let next = self.0.len();
        *self.0.entry(key).or_insert(next)
    }
}

/// The level from an instant on, until the next.
pub type Level = (Timestamp, u64);

/// The levels that charges come to, at each instant at which something begins or ends.
pub fn levels(charges: &[Charge]) -> Vec<Level> {
    let mut turns: BTreeMap<Timestamp, Vec<(usize, bool)>> = BTreeMap::new();
    for (index, charge) in charges.iter().enumerate().filter(|(_, one)| !one.span.is_empty()) {
        turns.entry(charge.span.start).or_default().push((index, true));
        turns.entry(charge.span.end).or_default().push((index, false));
    }
    let largest = |counts: &[u32]| u64::from(counts.iter().copied().max().unwrap_or(0));
    let mut open: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    let mut level = 0;
    let mut found = Vec::new();
    for (at, changes) in turns {
        for (index, begins) in changes {
            let charge = &charges[index];
            let counts = open.entry(charge.group).or_default();
            let before = largest(counts);
            if begins {
                counts.push(charge.count);
            } else if let Some(place) = counts.iter().position(|count| *count == charge.count) {
                counts.remove(place);
            }
            level = level + largest(counts) - before;
        }
        found.push((at, level));
    }
    found
}

/// What levels come to in a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The greatest level.
    pub peak: u64,
    /// The first instant of it within the span; `None` if the level is always 0.
    pub peak_at: Option<Timestamp>,
    /// Licenses times seconds.
    pub license_seconds: u64,
}

/// The peak and integral of levels within a span.
pub fn figures(levels: &[Level], span: Span) -> Figures {
    let mut figures = Figures::default();
    for (index, (at, level)) in levels.iter().enumerate() {
        let until = levels.get(index + 1).map_or(Timestamp::MAX, |(next, _)| *next);
        let Some(inside) = Span::new(*at, until).overlap(span) else { continue };
        if *level > figures.peak {
            (figures.peak, figures.peak_at) = (*level, Some(inside.start));
        }
        figures.license_seconds += level * crate::wall::seconds_between(inside.start, inside.end);
    }
    figures
}

/// The level at an instant.
pub fn level_at(levels: &[Level], at: Timestamp) -> u64 {
    levels.iter().rev().find(|(from, _)| *from <= at).map_or(0, |(_, level)| *level)
}
