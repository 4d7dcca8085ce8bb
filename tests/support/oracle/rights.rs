//! Lines in force, and what they grant to whom (C13, 2.21).

use super::known::counted;
use super::names::Names;
use super::{Line, Right};
use trueup_model::contract::{EntitlementLine, LineClass, LineKind};
use trueup_model::derived::Subject;
use trueup_model::fact::Body;
use trueup_model::id::{AccountId, Id, LineId};
use trueup_model::metric::Metric;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::Span;
use trueup_operators::dedupe::Known;

/// The lines of the documents in force, for as long as both are.
pub(super) fn lines(in_force: &[(Known, Span)]) -> Vec<Line> {
    let lines = in_force.iter().filter_map(|(row, span)| {
        let Body::Line(line) = &row.body else { return None };
        let document = row.document.map_or(row.provenance.document, |place| place.document);
        let span = line.span.overlap(*span)?;
        Some(Line { tenant: row.tenant, document, line: line.clone(), span })
    });
    lines.collect()
}

/// Whose meaning says what a line's names mean.
pub(super) fn subject(line: &Line) -> Subject {
    Subject {
        tenant: line.tenant,
        server: line.line.server.map(Into::into),
        feature: line.line.product.into(),
        user: None,
        device: None,
        account: line.line.account.map(Into::into),
    }
}

/// What base lines grant, in canonical names; those for standbys and benchmarks grant nothing.
pub(super) fn rights(lines: &[Line], names: &Names) -> Vec<Right> {
    let mut rows: Vec<(Span, Right)> = Vec::new();
    for line in lines {
        let body = &line.line;
        let purposes = [LineClass::Recovery, LineClass::Benchmark];
        if body.kind != LineKind::Base || purposes.contains(&body.class) {
            continue;
        }
        for means in names.resolve(&subject(line)).0 {
            let Some(span) = means.span.overlap(line.span) else { continue };
            let everyone = AccountId::root(line.tenant);
            let right = Right {
                tenant: line.tenant,
                product: means.product,
                metric: body.metric,
                account: body.account.map_or(everyone, |_| means.account),
                basis: body.basis,
                class: body.class,
                span: Span::ALWAYS,
                priority: body.priority,
                document: line.document,
                line: LineId::from(body.line),
                capacity: granted(body),
                per: body.per,
                overdraft: tolerated(body),
                grace_us: i64::from(body.grace_seconds) * 1_000_000,
                territory: body.territory.map(Into::into),
                cost: body.cost,
                restricted: body.restricted,
                lent: false,
            };
            rows.push((span, right));
        }
    }
    // A line that stands unchanged in one version after another is one right.
    counted(&rows).into_iter().map(|(span, right)| Right { span, ..right }).collect()
}

/// What a line grants: a feature as a whole or not at all (2.14).
fn granted(line: &EntitlementLine<Id>) -> Capacity {
    match (line.metric, line.quantity) {
        (Metric::Feature, Capacity::Limited(limit)) if limit > Quantity::ZERO => {
            Capacity::Unlimited
        }
        (Metric::Feature, Capacity::Limited(_)) => Capacity::Limited(Quantity::ZERO),
        (_, quantity) => quantity,
    }
}

/// What a line tolerates above its quantity: its overdraft, and so many hundredths of the quantity
/// as its margin says, rounded down (2.18).
fn tolerated(line: &EntitlementLine<Id>) -> Quantity {
    let Capacity::Limited(limit) = line.quantity else { return line.overdraft };
    let hundredths = i128::from(limit.0) * i128::from(line.margin_percent);
    let margin = if hundredths > 0 { hundredths.div_euclid(100) } else { 0 };
    quantity(i128::from(line.overdraft.0) + margin)
}

/// What rights grant together; `None` if there are none.
pub(super) fn together<'r>(rights: impl IntoIterator<Item = &'r Right>) -> Option<Capacity> {
    let mut sum = 0_i128;
    let mut found = None;
    for right in rights {
        found = Some(match (found, right.capacity) {
            (Some(Capacity::Unlimited), _) | (_, Capacity::Unlimited) => Capacity::Unlimited,
            (Some(Capacity::Unknown), _) | (_, Capacity::Unknown) => Capacity::Unknown,
            (_, Capacity::Limited(quantity)) => {
                sum += i128::from(quantity.0);
                Capacity::Limited(Quantity::ZERO)
            }
        });
    }
    match found {
        Some(Capacity::Limited(_)) => Some(Capacity::Limited(quantity(sum.max(0)))),
        other => other,
    }
}

/// A sum as a quantity.
pub(super) fn quantity(millionths: i128) -> Quantity {
    Quantity::from_sum(millionths).unwrap_or(match millionths < 0 {
        true => Quantity(i64::MIN),
        false => Quantity::MAX,
    })
}
