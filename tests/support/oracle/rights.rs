//! Lines in force, and what they grant to whom (C13, 2.21).

use super::known::counted;
use super::names::Names;
use super::{Line, Right};
use trueup_model::contract::{LineClass, LineKind};
use trueup_model::derived::Subject;
use trueup_model::fact::Body;
use trueup_model::id::{AccountId, LineId};
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

/// What base lines for production grant, in canonical names.
pub(super) fn rights(lines: &[Line], names: &Names) -> Vec<Right> {
    let mut rows: Vec<(Span, Right)> = Vec::new();
    for line in lines {
        let body = &line.line;
        if body.kind != LineKind::Base || body.class != LineClass::Production {
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
                span: Span::ALWAYS,
                priority: body.priority,
                document: line.document,
                line: LineId::from(body.line),
                capacity: body.quantity,
                per: body.per,
                overdraft: body.overdraft,
                cost: body.cost,
            };
            rows.push((span, right));
        }
    }
    // A line that stands unchanged in one version after another is one right.
    counted(&rows).into_iter().map(|(span, right)| Right { span, ..right }).collect()
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
