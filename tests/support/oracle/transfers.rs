//! Lines that take a right from another line, and what is left to either (2.26).

use super::Line;
use super::discrepancies::plain;
use super::rights::quantity;
use super::spans::{bounds, joined, pieces};
use std::collections::BTreeSet;
use trueup_model::contract::LineKind;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::{Id, NameKind, TenantId};
use trueup_model::metric::Metric;
use trueup_model::quantity::Capacity;
use trueup_model::time::{Span, Timestamp};
use trueup_policy::rules::TransferExpiry;

/// How many transfers may lie between a right and its purchase.
const DEPTH_MAX: usize = 8;

/// More than anyone has.
const ANY: i128 = 1 << 90;

/// What is held under one name.
type Title = (Id, Id, Metric);

fn title(line: &Line) -> Title {
    (line.line.line, line.line.product, line.line.metric)
}

fn amount(line: &Line) -> i128 {
    match line.line.quantity {
        Capacity::Limited(limit) => i128::from(limit.0).max(0),
        Capacity::Unlimited => ANY,
        Capacity::Unknown => 0,
    }
}

/// The lines of one tenant that grant, in order.
struct Register<'l> {
    lines: Vec<&'l Line>,
    expiry: TransferExpiry,
    /// Every instant at which something begins, in order.
    instants: Vec<Timestamp>,
}

impl Register<'_> {
    fn rows(&self, of: Title) -> impl Iterator<Item = &Line> {
        self.lines.iter().copied().filter(move |line| title(line) == of)
    }

    fn stated(&self, of: Title, at: Timestamp) -> i128 {
        self.rows(of).filter(|line| line.span.contains(at)).map(amount).sum()
    }

    /// The name that a transfer takes from, whether or not it is known; `None` for a purchase.
    fn origin(&self, of: Title) -> Option<Option<Title>> {
        let first = self.rows(of).find(|line| line.line.kind == LineKind::Transfer)?;
        Some(first.line.base.map(|base| (base, of.1, of.2)))
    }

    fn start(&self, of: Title) -> Timestamp {
        self.rows(of).map(|line| line.span.start).min().unwrap_or(Timestamp::MIN)
    }

    fn moved(&self, of: Title, at: Timestamp) -> i128 {
        let until = self.instants.iter().filter(|instant| **instant <= at);
        until.map(|instant| self.stated(of, *instant)).max().unwrap_or(0)
    }

    fn taking_from(&self, origin: Title) -> BTreeSet<Title> {
        let titles: BTreeSet<Title> = self.lines.iter().map(|line| title(line)).collect();
        titles.into_iter().filter(|one| self.origin(*one) == Some(Some(origin))).collect()
    }

    /// What the origin of a transfer has for it; nothing if more than so many steps lie before it.
    fn room(&self, of: Title, at: Timestamp, depth: usize) -> i128 {
        let Some(Some(origin)) = self.origin(of) else { return 0 };
        if depth > DEPTH_MAX {
            return 0;
        }
        let before = self.taking_from(origin).into_iter();
        let before = before.filter(|one| (self.start(*one), *one) < (self.start(of), of));
        let gone: i128 = before.map(|one| self.moved(one, at)).sum();
        (self.held(origin, at, depth) - gone).max(0)
    }

    fn held(&self, of: Title, at: Timestamp, depth: usize) -> i128 {
        let stated = self.stated(of, at);
        if self.origin(of).is_none() {
            return stated;
        }
        let first = self.room(of, self.start(of), depth + 1);
        match self.expiry {
            TransferExpiry::Keep => stated.min(first).min(self.room(of, at, depth + 1)),
            TransferExpiry::Reset => stated.min(first),
        }
    }

    /// What a line still grants at an instant at which it is in force.
    fn left(&self, index: usize, at: Timestamp) -> Option<Capacity> {
        let line = self.lines[index];
        let of = title(line);
        let gone: i128 = self.taking_from(of).into_iter().map(|one| self.moved(one, at)).sum();
        let lost = self.stated(of, at) - self.held(of, at, 0) + gone;
        let before = self.lines[..index].iter().filter(|other| title(other) == of);
        let before: i128 =
            before.filter(|other| other.span.contains(at)).map(|other| amount(other)).sum();
        let own_loss = (lost - before).clamp(0, amount(line));
        match amount(line) - own_loss {
            _ if own_loss == 0 => Some(line.line.quantity),
            0 => None,
            left if left > ANY / 2 => Some(Capacity::Unlimited),
            left => Some(Capacity::Limited(quantity(left))),
        }
    }

    /// What a transfer states at an instant and its origin never had.
    fn gap(&self, of: Title, at: Timestamp) -> i128 {
        (self.stated(of, at) - self.room(of, self.start(of), 1)).max(0)
    }
}

/// The lines with what is left of them, and transfers without a title.
pub(super) fn transfers(lines: &[Line], expiry: TransferExpiry) -> (Vec<Line>, Vec<Discrepancy>) {
    let is_granting = |line: &&Line| matches!(line.line.kind, LineKind::Base | LineKind::Transfer);
    let mut left: Vec<Line> = lines.iter().filter(|line| !is_granting(line)).cloned().collect();
    let mut problems = Vec::new();
    let tenants: BTreeSet<TenantId> = lines.iter().map(|line| line.tenant).collect();
    for tenant in tenants {
        let mut own: Vec<&Line> =
            lines.iter().filter(is_granting).filter(|line| line.tenant == tenant).collect();
        own.sort();
        if own.iter().all(|line| line.line.kind != LineKind::Transfer) {
            left.extend(own.into_iter().cloned());
            continue;
        }
        let cuts = pieces(bounds(own.iter().map(|line| line.span)));
        let instants = cuts.iter().map(|piece| piece.start).collect();
        let register = Register { lines: own, expiry, instants };
        for (index, line) in register.lines.iter().enumerate() {
            let states = cuts.iter().map(|piece| {
                let in_force = line.span.contains(piece.start);
                (*piece, in_force.then(|| register.left(index, piece.start)).flatten())
            });
            for (span, quantity) in joined(states) {
                let Some(quantity) = quantity else { continue };
                let mut part = (*line).clone();
                (part.span, part.line.quantity, part.line.kind) = (span, quantity, LineKind::Base);
                left.push(part);
            }
        }
        let titles: BTreeSet<Title> = register.lines.iter().map(|line| title(line)).collect();
        for of in titles.into_iter().filter(|of| register.origin(*of).is_some()) {
            let gaps = cuts.iter().map(|piece| (*piece, register.gap(of, piece.start)));
            problems.extend(joined(gaps).into_iter().filter(|(_, gap)| *gap > 0).map(
                |(span, gap): (Span, i128)| Discrepancy {
                    product: Some(of.1.into()),
                    metric: Some(of.2),
                    subject: Some((NameKind::Line, of.0)),
                    magnitude: quantity(gap),
                    first_at: span.start,
                    last_at: span.end,
                    ..plain(DiscrepancyKind::ProvenanceGap, tenant)
                },
            ));
        }
    }
    (left, problems)
}
