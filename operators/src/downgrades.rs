//! Downgrades: which products' rights may cover use of which lower products.
//!
//! ways = { (h, l, d, span) : a path of d statements that all hold leads from h to l, and no shorter one }
//!
//! Products that any statements connect are one family: what is free of one may help all of it. Statements
//! may form a circle; then each product of it may cover the others.
//!
//! Work per change: the statements of the tenant.

use crate::Facts;
use crate::dedupe::Known;
use crate::keyed::{Keyed as _, Rows as _};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::fact::Body;
use trueup_model::id::{ProductId, TenantId};
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

/// The ways that the statements in force come to.
pub(crate) fn ways(in_force: Facts<'_, (Known, Span)>) -> Facts<'_, Way> {
    let stated = in_force.flat_map(|(known, span)| {
        let Body::Downgrade(row) = known.body else { return None };
        let stated: Stated = (row.higher.into(), row.lower.into(), row.span.overlap(span)?);
        (row.higher != row.lower).then_some((known.tenant, stated))
    });
    stated
        .grouped("Downgrades: ways", |_tenant: &TenantId, rows, found| {
            let of_tenant: BTreeSet<Stated> = rows.iter().map(|(row, _)| **row).collect();
            for (family, of_family) in families(&of_tenant) {
                found.extend(ways_of(family, &of_family).into_iter().map(|way| (way, 1)));
            }
        })
        .map(|(_, way)| way)
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
    use super::{Stated, Way, families, ways_of};
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
