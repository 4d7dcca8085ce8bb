//! Lines that pass on a part of another line, and what is left of it (2.22).

use super::Line;
use super::discrepancies::plain;
use super::rights::quantity;
use super::spans::{bounds, joined, pieces};
use std::collections::BTreeSet;
use trueup_model::contract::LineKind;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::{Id, NameKind, TenantId};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};

/// How many lines may stand above each other.
const DEPTH_MAX: usize = 8;

/// The base lines of one tenant, in order.
struct Lines<'l>(Vec<&'l Line>);

impl Lines<'_> {
    fn named(&self, name: Id) -> impl Iterator<Item = usize> {
        (0..self.0.len()).filter(move |index| self.0[*index].line.line == name)
    }

    fn parts(&self, name: Id) -> impl Iterator<Item = usize> {
        (0..self.0.len()).filter(move |index| self.0[*index].line.parent == Some(name))
    }

    /// The lines that are in force at an instant together with every line above them.
    fn active(&self, at: Timestamp) -> BTreeSet<usize> {
        let own: BTreeSet<usize> =
            (0..self.0.len()).filter(|index| self.0[*index].span.contains(at)).collect();
        let mut active: BTreeSet<usize> =
            own.iter().copied().filter(|index| self.0[*index].line.parent.is_none()).collect();
        for _ in 0..DEPTH_MAX {
            let holds = |index: &usize| match self.0[*index].line.parent {
                None => true,
                Some(parent) => self.named(parent).any(|above| active.contains(&above)),
            };
            active = own.iter().copied().filter(holds).collect();
        }
        active
    }

    /// Whether more lines stand above a line than may.
    fn is_endless(&self, index: usize) -> bool {
        let mut level = BTreeSet::from([index]);
        for _ in 0..DEPTH_MAX {
            let parents: BTreeSet<Id> =
                level.iter().filter_map(|one| self.0[*one].line.parent).collect();
            level = parents.into_iter().flat_map(|parent| self.named(parent)).collect();
        }
        level.iter().any(|one| self.0[*one].line.parent.is_some())
    }

    /// What is passed on of a name; `None` without a limit.
    fn passed(&self, name: Id, active: &BTreeSet<usize>) -> Option<i128> {
        let parts = self.parts(name).filter(|index| active.contains(index));
        let mut sum = 0;
        for part in parts {
            match self.0[part].line.quantity {
                Capacity::Limited(part) => sum += i128::from(part.0).max(0),
                Capacity::Unlimited => return None,
                Capacity::Unknown => {}
            }
        }
        Some(sum)
    }

    fn held(&self, index: usize) -> i128 {
        match self.0[index].line.quantity {
            Capacity::Limited(limit) => i128::from(limit.0).max(0),
            Capacity::Unlimited | Capacity::Unknown => 0,
        }
    }

    /// What is left of a line at an instant.
    fn left(&self, index: usize, active: &BTreeSet<usize>) -> Capacity {
        let line = &self.0[index].line;
        let Capacity::Limited(own) = line.quantity else { return line.quantity };
        let before = self.named(line.line).filter(|other| *other < index && active.contains(other));
        let asked_before: i128 = before.map(|other| self.held(other)).sum();
        let taken = match self.passed(line.line, active) {
            None => self.held(index),
            Some(passed) => (passed - asked_before).clamp(0, self.held(index)),
        };
        Capacity::Limited(quantity(i128::from(own.0) - taken))
    }

    /// By how much more is passed on of a name than is held.
    fn oversold(&self, name: Id, active: &BTreeSet<usize>) -> i128 {
        let holders: Vec<usize> = self.named(name).filter(|index| active.contains(index)).collect();
        let limited = |index: &usize| matches!(self.0[*index].line.quantity, Capacity::Limited(_));
        if !holders.iter().all(limited) {
            return 0;
        }
        let held: i128 = holders.iter().map(|index| self.held(*index)).sum();
        match self.passed(name, active) {
            Some(passed) => (passed - held).max(0),
            None => i128::from(Quantity::ONE.0),
        }
    }
}

fn problem(line: &Line, kind: DiscrepancyKind, span: Span, magnitude: Quantity) -> Discrepancy {
    Discrepancy {
        product: Some(line.line.product.into()),
        metric: Some(line.line.metric),
        subject: Some((NameKind::Line, line.line.line)),
        magnitude,
        first_at: span.start,
        last_at: span.end,
        ..plain(kind, line.tenant)
    }
}

/// The lines with what is left of them, and what is wrong with what they pass on.
pub(super) fn sublicenses(lines: &[Line]) -> (Vec<Line>, Vec<Discrepancy>) {
    let is_base = |line: &&Line| line.line.kind == LineKind::Base;
    let mut left: Vec<Line> = lines.iter().filter(|line| !is_base(line)).cloned().collect();
    let mut problems = Vec::new();
    let tenants: BTreeSet<TenantId> = lines.iter().map(|line| line.tenant).collect();
    for tenant in tenants {
        let mut own: Vec<&Line> =
            lines.iter().filter(is_base).filter(|line| line.tenant == tenant).collect();
        own.sort();
        let cuts = pieces(bounds(own.iter().map(|line| line.span)));
        let family = Lines(own);
        let active: Vec<(Span, BTreeSet<usize>)> =
            cuts.into_iter().map(|piece| (piece, family.active(piece.start))).collect();
        for (index, line) in family.0.iter().enumerate() {
            let states = active.iter().map(|(piece, active)| {
                let state = active.contains(&index).then(|| family.left(index, active));
                (*piece, (state, line.span.contains(piece.start)))
            });
            for (span, (state, in_force)) in joined(states) {
                if let Some(quantity) = state {
                    let mut part = (*line).clone();
                    (part.span, part.line.quantity) = (span, quantity);
                    left.push(part);
                } else if in_force {
                    let outside = DiscrepancyKind::SublicenceOutsideParent;
                    problems.push(problem(line, outside, span, Quantity::ONE));
                }
            }
            if family.is_endless(index) {
                let conflict = DiscrepancyKind::ContractConflict;
                problems.push(problem(line, conflict, line.span, Quantity::ONE));
            }
        }
        let names: BTreeSet<Id> = family.0.iter().map(|line| line.line.line).collect();
        for name in names {
            let over: Vec<(Span, i128)> = active
                .iter()
                .map(|(piece, active)| (*piece, family.oversold(name, active)))
                .collect();
            let short: Vec<&(Span, i128)> = over.iter().filter(|(_, over)| *over > 0).collect();
            let (Some(first), Some(last)) = (short.first(), short.last()) else { continue };
            let most = short.iter().map(|(_, over)| *over).max().unwrap_or_default();
            let span = Span::new(first.0.start, last.0.end);
            let lead = family.named(name).next().map(|index| family.0[index]);
            let oversold = DiscrepancyKind::SublicenceOversold;
            problems.extend(lead.map(|line| problem(line, oversold, span, quantity(most))));
        }
    }
    (left, problems)
}

/// Maintenance and upgrades that are in force while the line is not to which they belong (2.26).
pub(super) fn without_base(lines: &[Line]) -> Vec<Discrepancy> {
    let mut found = Vec::new();
    let keys: BTreeSet<(TenantId, Id, Id, Id)> = lines
        .iter()
        .filter(|line| line.line.kind != LineKind::Base)
        .filter_map(|line| Some((line.tenant, line.line.base?, line.line.line, line.line.product)))
        .collect();
    for (tenant, base, name, product) in keys {
        let cuts = pieces(bounds(lines.iter().map(|line| line.span)));
        let missing = cuts.into_iter().map(|piece| {
            let in_force = || {
                let of_tenant = lines.iter().filter(|line| line.tenant == tenant);
                of_tenant.filter(|line| line.span.contains(piece.start)).map(|line| &line.line)
            };
            let kept = in_force().any(|line| {
                let place = (line.base, line.line, line.product);
                line.kind != LineKind::Base && place == (Some(base), name, product)
            });
            let held = in_force().any(|line| line.kind == LineKind::Base && line.line == base);
            (piece, kept && !held)
        });
        for (span, _) in joined(missing).into_iter().filter(|(_, missing)| *missing) {
            found.push(Discrepancy {
                product: Some(product.into()),
                subject: Some((NameKind::Line, name)),
                first_at: span.start,
                last_at: span.end,
                ..plain(DiscrepancyKind::BaseLicenceMissing, tenant)
            });
        }
    }
    found
}
