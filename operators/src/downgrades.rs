//! Downgrades: which products' rights may cover use of which lower products.
//!
//! ways = { (h, l, d, span) : a path of d statements that all hold leads from h to l, and no shorter one }
//!
//! Products that any statements connect are one family: what is free of one may help all of it. Statements
//! may form a circle; then each product of it may cover the others. A family has at most [`ROWS_MAX`]
//! statements; those beyond say nothing and are a conflict.
//!
//! Work per change: the statements of the tenant.

use crate::Facts;
use crate::dedupe::Known;
use crate::keyed::{Keyed as _, Rows as _};
use crate::reconcile::plain;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::discrepancy::{Discrepancy, DiscrepancyKind};
use trueup_model::fact::Body;
use trueup_model::id::{NameKind, ProductId, TenantId};
use trueup_model::time::{Span, Timestamp};

/// Rights of one product that may cover use of another, while they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Way {
    /// The first product of the family.
    pub family: ProductId,
    /// Whose rights.
    pub higher: ProductId,
    /// Whose use.
    pub lower: ProductId,
    /// How many statements lie between them, at least 1.
    pub distance: u32,
    /// When.
    pub span: Span,
}

/// A statement that holds for a time.
type Stated = (ProductId, ProductId, Span);

/// How many statements one family may have; those beyond, in order, are a conflict and say nothing.
pub(crate) const ROWS_MAX: usize = 200;

/// What statements of downgrades come to.
pub(crate) struct Downgrades<'s> {
    /// Which rights may cover which use.
    pub(crate) ways: Facts<'s, Way>,
    /// Statements that are too many.
    pub(crate) problems: Facts<'s, Discrepancy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Found {
    Way(Way),
    Beyond(Stated),
}

/// The ways that the statements in force come to.
pub(crate) fn downgrades(in_force: Facts<'_, (Known, Span)>) -> Downgrades<'_> {
    let stated = in_force.flat_map(|(known, span)| {
        let Body::Downgrade(row) = known.body else { return None };
        let stated: Stated = (row.higher.into(), row.lower.into(), row.span.overlap(span)?);
        (row.higher != row.lower).then_some((known.tenant, stated))
    });
    let found = stated.grouped("Downgrades: ways", |_tenant: &TenantId, rows, found| {
        let of_tenant: BTreeSet<Stated> = rows.iter().map(|(row, _)| **row).collect();
        for (family, of_family) in families(&of_tenant) {
            let (counting, beyond) = bounded(of_family);
            let ways = ways_of(family, &counting).into_iter().map(Found::Way);
            found.extend(ways.chain(beyond.into_iter().map(Found::Beyond)).map(|row| (row, 1)));
        }
    });
    let ways = found.clone().flat_map(|(_, found)| match found {
        Found::Way(way) => Some(way),
        Found::Beyond(_) => None,
    });
    let problems = found.flat_map(|(tenant, found)| match found {
        Found::Way(_) => None,
        Found::Beyond((higher, lower, span)) => Some(Discrepancy {
            product: Some(lower),
            subject: Some((NameKind::Product, higher.into())),
            first_at: span.start,
            last_at: span.end,
            ..plain(DiscrepancyKind::ContractConflict, tenant)
        }),
    });
    Downgrades { ways, problems }
}

/// The statements of a family that count, and those that are too many.
fn bounded(of_family: BTreeSet<Stated>) -> (BTreeSet<Stated>, Vec<Stated>) {
    let mut rows: Vec<Stated> = of_family.into_iter().collect();
    let beyond = rows.split_off(rows.len().min(ROWS_MAX));
    (rows.into_iter().collect(), beyond)
}

/// Which family each product of a way belongs to.
pub(crate) fn members(ways: Facts<'_, Way>) -> Facts<'_, (ProductId, ProductId)> {
    ways.flat_map(|way| [(way.higher, way.family), (way.lower, way.family)]).once()
}

/// The statements by family; a family is called as the first of its products.
fn families(stated: &BTreeSet<Stated>) -> BTreeMap<ProductId, BTreeSet<Stated>> {
    let mut beside: BTreeMap<ProductId, BTreeSet<ProductId>> = BTreeMap::new();
    for (higher, lower, _) in stated {
        beside.entry(*higher).or_default().insert(*lower);
        beside.entry(*lower).or_default().insert(*higher);
    }
    let mut family_of: BTreeMap<ProductId, ProductId> = BTreeMap::new();
    for family in beside.keys() {
        let mut open = vec![*family];
        while let Some(product) = open.pop() {
            if family_of.contains_key(&product) {
                continue;
            }
            family_of.insert(product, *family);
            open.extend(beside.get(&product).into_iter().flatten());
        }
    }
    let mut found: BTreeMap<ProductId, BTreeSet<Stated>> = BTreeMap::new();
    for row in stated {
        if let Some(family) = family_of.get(&row.0) {
            found.entry(*family).or_default().insert(*row);
        }
    }
    found
}

/// The ways of one family, each for the longest spans in which it stays.
fn ways_of(family: ProductId, stated: &BTreeSet<Stated>) -> Vec<Way> {
    let mut cuts: BTreeSet<Timestamp> = [Timestamp::MIN, Timestamp::MAX].into();
    cuts.extend(stated.iter().flat_map(|(.., span)| [span.start, span.end]));
    let cuts: Vec<Timestamp> = cuts.into_iter().collect();
    let mut spans: BTreeMap<(ProductId, ProductId, u32), Vec<Span>> = BTreeMap::new();
    for pair in cuts.windows(2) {
        let piece = Span::new(pair[0], pair[1]);
        let mut below: BTreeMap<ProductId, BTreeSet<ProductId>> = BTreeMap::new();
        for (higher, lower, _) in stated.iter().filter(|row| row.2.contains(piece.start)) {
            below.entry(*higher).or_default().insert(*lower);
        }
        for higher in below.keys() {
            for (lower, distance) in reached(*higher, &below) {
                let pieces = spans.entry((*higher, lower, distance)).or_default();
                match pieces.last_mut() {
                    Some(last) if last.end == piece.start => last.end = piece.end,
                    _ => pieces.push(piece),
                }
            }
        }
    }
    let way = |((higher, lower, distance), held): (_, Vec<Span>)| {
        held.into_iter().map(move |span| Way { family, higher, lower, distance, span })
    };
    spans.into_iter().flat_map(way).collect()
}

/// What is reached from a product, and how far it is.
fn reached(
    from: ProductId,
    below: &BTreeMap<ProductId, BTreeSet<ProductId>>,
) -> BTreeMap<ProductId, u32> {
    let mut found: BTreeMap<ProductId, u32> = [(from, 0)].into();
    let mut open = vec![from];
    let mut distance = 0;
    while !open.is_empty() {
        distance += 1;
        let next: BTreeSet<ProductId> =
            open.iter().filter_map(|one| below.get(one)).flatten().copied().collect();
        open = next.into_iter().filter(|one| !found.contains_key(one)).collect();
        found.extend(open.iter().map(|one| (*one, distance)));
    }
    found.remove(&from);
    found
}

#[cfg(test)]
mod tests {
    use super::{ROWS_MAX, Stated, Way, bounded, families, ways_of};
    use trueup_model::id::ProductId;
    use trueup_model::time::{Span, Timestamp};

    fn span(from: i64, to: i64) -> Span {
        Span::new(Timestamp(from), Timestamp(to))
    }

    fn stated(higher: u64, lower: u64, span: Span) -> Stated {
        (ProductId(higher), ProductId(lower), span)
    }

    fn way(higher: u64, lower: u64, distance: u32, span: Span) -> Way {
        let family = ProductId(1);
        Way { family, higher: ProductId(higher), lower: ProductId(lower), distance, span }
    }

    #[test]
    fn a_way_holds_while_all_of_its_statements_do_and_the_shortest_one_counts() {
        let rows = [stated(1, 2, span(0, 9)), stated(2, 3, span(4, 12)), stated(1, 3, span(6, 7))];
        let found = ways_of(ProductId(1), &rows.into());
        let expected = [
            way(1, 2, 1, span(0, 9)),
            way(1, 3, 1, span(6, 7)),
            way(1, 3, 2, span(4, 6)),
            way(1, 3, 2, span(7, 9)),
            way(2, 3, 1, span(4, 12)),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_family_has_a_bound_and_what_is_beyond_is_told() {
        let rows = (0..300).map(|at| stated(at, at + 1, span(0, 9)));
        let (counting, beyond) = bounded(rows.collect());
        assert_eq!((counting.len(), beyond.len()), (ROWS_MAX, 100));
        assert_eq!(beyond[0], stated(200, 201, span(0, 9)));
        // A chain of the greatest length, whose ways are all pairs of it.
        assert_eq!(ways_of(ProductId(0), &counting).len(), ROWS_MAX * (ROWS_MAX + 1) / 2);
    }

    #[test]
    fn products_in_a_circle_cover_each_other_and_are_one_family() {
        let always = Span::ALWAYS;
        let rows = [stated(2, 1, always), stated(1, 2, always), stated(5, 4, always)];
        let found = families(&rows.into());
        let names: Vec<u64> = found.keys().map(|family| family.0).collect();
        assert_eq!(names, [1, 4]);
        let circle = ways_of(ProductId(1), &found[&ProductId(1)]);
        assert_eq!(circle, [way(1, 2, 1, always), way(2, 1, 1, always)]);
    }
}
