//! Sublicenses: lines that pass on a part of another line.
//!
//! effective(c, t) = c in force at t, and its parent effective at t; a line without a parent is
//!                   effective while it is in force
//! passed(p, t)    = Σ { quantity(c) : c effective at t, parent(c) = p }
//! available(p, t) = max(0, quantity(p) − passed(p, t))
//!
//! So a sublicense ends with the line that it is a part of, and what is passed on is not used twice.
//! More passed on than held, and a term beyond the parent's, are discrepancies. Lines that stand above
//! each other in a circle, or more than [`DEPTH_MAX`] deep, grant nothing and are a conflict.
//!
//! Where several rows of one name are in force, what is passed on is taken from them in their order.
//!
//! Work per change: the sublicenses of the tenant, and the lines that they name.

use crate::Facts;
use crate::entitle::LineInForce;
use crate::reckon::{Found, Reckoned, reckon};
use crate::segments::outside;
use std::collections::BTreeMap;
use trueup_model::calendar::Period;
use trueup_model::contract::LineKind;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::{Id, NameKind};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};

/// How many sublicenses may stand below each other.
pub const DEPTH_MAX: usize = 8;

/// Takes what lines pass on from them, and ends sublicenses with their parents.
pub fn sublicense(lines: Facts<'_, LineInForce>) -> Reckoned<'_> {
    let is_part = |row: &LineInForce| row.line.parent.is_some();
    reckon("Sublicense", lines, is_part, |row| row.line.parent, |rows| Family::of(rows).evaluate())
}

/// The lines of a tenant that have to do with sublicenses.
struct Family {
    rows: Vec<LineInForce>,
    by_name: BTreeMap<Id, Vec<usize>>,
    /// The lines that pass on a part of a name.
    parts: BTreeMap<Id, Vec<usize>>,
    /// For each line the times in which it is effective, apart and in order.
    effective: Vec<Vec<Span>>,
    /// Which lines stand in a circle, or too deep.
    endless: Vec<bool>,
}

impl Family {
    fn of(rows: Vec<LineInForce>) -> Self {
        let mut by_name: BTreeMap<Id, Vec<usize>> = BTreeMap::new();
        let mut parts: BTreeMap<Id, Vec<usize>> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            // What grants nothing can pass on nothing.
            if row.line.kind == LineKind::Base {
                by_name.entry(row.line.line).or_default().push(index);
                if let Some(parent) = row.line.parent {
                    parts.entry(parent).or_default().push(index);
                }
            }
        }
        let mut family = Self { rows, by_name, parts, effective: Vec::new(), endless: Vec::new() };
        // Without a line above, a line with a parent is never effective, and stands too deep.
        let all = 0..family.rows.len();
        family.endless = all.clone().map(|index| family.above(index).is_some()).collect();
        family.effective = all
            .clone()
            .map(|index| match family.endless[index] {
                true => Vec::new(),
                false => vec![family.rows[index].span],
            })
            .collect();
        for _ in 0..DEPTH_MAX {
            let effective = all.clone().map(|index| family.below(index)).collect();
            let deep = |index: usize| {
                family
                    .above(index)
                    .is_some_and(|above| above.iter().any(|one| family.endless[*one]))
            };
            let endless = all.clone().map(deep).collect();
            (family.effective, family.endless) = (effective, endless);
        }
        family
    }

    /// The lines of which a line is a part; `None` if it is a line of its own, or grants nothing.
    fn above(&self, index: usize) -> Option<&[usize]> {
        let line = &self.rows[index].line;
        let parent = line.parent.filter(|_| line.kind == LineKind::Base)?;
        Some(self.by_name.get(&parent).map(Vec::as_slice).unwrap_or_default())
    }

    /// When a line is effective, given when those above it are.
    fn below(&self, index: usize) -> Vec<Span> {
        let own = self.rows[index].span;
        let Some(parents) = self.above(index) else { return vec![own] };
        let held = parents.iter().flat_map(|parent| self.effective[*parent].iter().copied());
        outside(own, outside(own, held))
    }

    fn evaluate(&self) -> Vec<Found> {
        let mut found = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            if row.line.kind != LineKind::Base {
                found.push(Found::Line(row.clone()));
                continue;
            }
            if self.above(index).is_some() {
                let effective = self.effective[index].iter().copied();
                let beyond = outside(row.span, effective);
                found.extend(beyond.into_iter().map(|span| {
                    self.problem(
                        DiscrepancyKind::SublicenceOutsideParent,
                        index,
                        span,
                        Quantity::ONE,
                    )
                }));
            }
            for (span, left) in self.left(index) {
                let mut line = row.clone();
                line.span = span;
                line.line.quantity = left;
                found.push(Found::Line(line));
            }
        }
        for names in self.by_name.values() {
            found.extend(self.oversold(names));
        }
        for (index, row) in self.rows.iter().enumerate().filter(|(index, _)| self.endless[*index]) {
            let conflict = DiscrepancyKind::ContractConflict;
            found.push(self.problem(conflict, index, row.span, Quantity::ONE));
        }
        found
    }

    fn problem(
        &self,
        kind: DiscrepancyKind,
        index: usize,
        span: Span,
        magnitude: Quantity,
    ) -> Found {
        let row = &self.rows[index];
        Found::Problem(Discrepancy {
            severity: kind.severity(),
            kind,
            tenant: row.tenant,
            account: None,
            product: Some(row.line.product.into()),
            metric: Some(row.line.metric),
            subject: Some((NameKind::Line, row.line.line)),
            disagreement: None,
            period: Period::ALL,
            magnitude,
            first_at: span.start,
            last_at: span.end,
            money: None,
        })
    }

    /// The instants at which what is passed on of a name may change.
    fn cuts(&self, name: Id) -> Vec<Timestamp> {
        let parts = self.parts(name).flat_map(|index| self.effective[index].iter());
        let rows = self.by_name.get(&name).into_iter().flatten();
        let spans = parts.chain(rows.flat_map(|index| self.effective[*index].iter()));
        let mut cuts: Vec<Timestamp> = spans.flat_map(|span| [span.start, span.end]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }

    /// The lines that pass on a part of a name.
    fn parts(&self, name: Id) -> impl Iterator<Item = usize> {
        self.parts.get(&name).into_iter().flatten().copied()
    }

    fn is_effective(&self, index: usize, at: Timestamp) -> bool {
        self.effective[index].iter().any(|span| span.contains(at))
    }

    /// What is passed on of a name at an instant; `None` if there is no limit to it.
    fn passed(&self, name: Id, at: Timestamp) -> Option<i128> {
        let mut sum = 0;
        for index in self.parts(name).filter(|index| self.is_effective(*index, at)) {
            match self.rows[index].line.quantity {
                Capacity::Limited(part) => sum += i128::from(part.0.max(0)),
                Capacity::Unlimited => return None,
                Capacity::Unknown => {}
            }
        }
        Some(sum)
    }

    /// What is left of a line, in the longest pieces of time in which it stays.
    fn left(&self, index: usize) -> Vec<(Span, Capacity)> {
        let row = &self.rows[index];
        let name = row.line.line;
        let mut found: Vec<(Span, Capacity)> = Vec::new();
        let cuts = self.cuts(name);
        for whole in &self.effective[index] {
            let inside = cuts.iter().copied().filter(|at| *at > whole.start && *at < whole.end);
            let mut since = whole.start;
            for at in inside.chain([whole.end]) {
                let left = self.left_at(index, since);
                match found.last_mut() {
                    Some((last, same)) if last.end == since && *same == left => last.end = at,
                    _ => found.push((Span::new(since, at), left)),
                }
                since = at;
            }
        }
        found
    }

    fn left_at(&self, index: usize, at: Timestamp) -> Capacity {
        let Capacity::Limited(own) = self.rows[index].line.quantity else {
            return self.rows[index].line.quantity;
        };
        let name = self.rows[index].line.line;
        let Some(mut passed) = self.passed(name, at) else {
            return Capacity::Limited(own.min(Quantity::ZERO));
        };
        // The rows of this name that are asked before this one.
        for before in self.by_name.get(&name).into_iter().flatten() {
            if *before == index {
                break;
            }
            if let Capacity::Limited(limit) = self.rows[*before].line.quantity
                && self.is_effective(*before, at)
            {
                passed -= i128::from(limit.0.max(0)).min(passed);
            }
        }
        let taken = passed.min(i128::from(own.0.max(0)));
        Capacity::Limited(Quantity(own.0 - i64::try_from(taken).unwrap_or(0)))
    }

    /// Where more is passed on of a name than its lines hold: one row, with the most of it.
    fn oversold(&self, rows: &[usize]) -> Option<Found> {
        let name = self.rows[*rows.first()?].line.line;
        let cuts = self.cuts(name);
        let (mut most, mut first, mut last) = (0, None, Timestamp::MIN);
        for pair in cuts.windows(2) {
            let over = self.over(name, rows, pair[0]);
            if over > 0 {
                most = most.max(over);
                first = first.or(Some(pair[0]));
                last = pair[1];
            }
        }
        let magnitude = crate::timeline::clamped(most);
        let span = Span::new(first?, last);
        let lead = rows.first()?;
        Some(self.problem(DiscrepancyKind::SublicenceOversold, *lead, span, magnitude))
    }

    fn over(&self, name: Id, rows: &[usize], at: Timestamp) -> i128 {
        let mut held = 0;
        for index in rows.iter().filter(|index| self.is_effective(**index, at)) {
            match self.rows[*index].line.quantity {
                Capacity::Limited(limit) => held += i128::from(limit.0.max(0)),
                Capacity::Unlimited | Capacity::Unknown => return 0,
            }
        }
        match self.passed(name, at) {
            Some(passed) => passed - held,
            // Without a limit, of something that has one: by one unit at least.
            None => i128::from(Quantity::ONE.0),
        }
    }
}
