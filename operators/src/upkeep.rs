//! Maintenance and upgrades: whether the right that they belong to is in force.
//!
//! missing(m) = { t : m in force at t, and no base line of the name that m states is }
//!
//! Maintenance that does not say to which right it belongs is not judged.
//!
//! Work per change: the maintenance of the changed base line.

use crate::Facts;
use crate::entitle::LineInForce;
use crate::keyed::{Keyed as _, Rows as _};
use crate::reconcile::plain;
use crate::segments::{outside, union};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::contract::LineKind;
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::id::{Id, NameKind};
use trueup_model::time::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Row {
    /// The base line is in force.
    Base(Span),
    /// A line of a product belongs to it.
    Upkeep { line: Id, product: Id, span: Span },
}

/// Where maintenance or an upgrade is in force and its base line is not.
pub fn upkeep(lines: Facts<'_, LineInForce>) -> Facts<'_, Discrepancy> {
    let upkeep = lines.clone().flat_map(|row| {
        let base = row.line.base.filter(|_| row.line.kind != LineKind::Base)?;
        let (line, product) = (row.line.line, row.line.product);
        Some(((row.tenant, base), Row::Upkeep { line, product, span: row.span }))
    });
    let named = upkeep.clone().map(|(base, _)| base).once();
    let bases = lines
        .filter(|row| row.line.kind == LineKind::Base)
        .map(|row| ((row.tenant, row.line.line), Row::Base(row.span)))
        .kept_by(named);
    upkeep
        .concat(bases)
        .grouped("Upkeep", |_base, rows, missing| {
            let mut held: Vec<Span> = Vec::new();
            let mut wanted: BTreeMap<(Id, Id), Vec<Span>> = BTreeMap::new();
            for (row, _) in rows {
                match row {
                    Row::Base(span) => held.push(*span),
                    Row::Upkeep { line, product, span } => {
                        wanted.entry((*line, *product)).or_default().push(*span);
                    }
                }
            }
            for ((line, product), spans) in wanted {
                let alone = union(spans).into_iter().flat_map(|span| outside(span, held.clone()));
                missing.extend(alone.map(|span| ((line, product, span), 1)));
            }
        })
        .map(|((tenant, _), (line, product, span))| Discrepancy {
            product: Some(product.into()),
            subject: Some((NameKind::Line, line)),
            first_at: span.start,
            last_at: span.end,
            ..plain(DiscrepancyKind::BaseLicenceMissing, tenant)
        })
}
