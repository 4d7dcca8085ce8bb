//! Trees of accounts and products: at each instant every node stands under exactly one other, up to
//! the root.
//!
//! place(n, t) = p       if exactly one statement puts n under p at t
//!             = root    if no statement ever places n
//!             = nowhere if none does at t, if several do, or if n stands above itself
//!
//! Whatever is wrong with a statement is a row of `problems`, and the subtree keeps its use: it counts
//! under the tree's `nowhere` until the statement is corrected. The result has no circle, so every
//! walk upwards ends.
//!
//! Work per change: the statements of the node, and the nodes whose connection to the root it changes
//! (none, when a subtree moves).

use crate::Facts;
use crate::keyed::{Keyed as _, Rows as _};
use crate::segments::{Said, outside, said};
use differential_dataflow::operators::Iterate as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::id::{AccountId, ProductId, TenantId};
use trueup_model::time::{Span, Timestamp};

/// Which tree, and where its ends are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeKind {
    /// Accounts; what has no place counts as unattributed.
    Accounts,
    /// Products; what has no place stands directly under the root.
    Products,
}

impl TreeKind {
    /// The node above all others.
    pub fn root(self, tenant: TenantId) -> u64 {
        match self {
            Self::Accounts => AccountId::root(tenant).0,
            Self::Products => ProductId::root(tenant).0,
        }
    }

    /// The node under which nodes without a place stand.
    pub fn nowhere(self, tenant: TenantId) -> u64 {
        match self {
            Self::Accounts => AccountId::unattributed(tenant).0,
            Self::Products => ProductId::root(tenant).0,
        }
    }
}

/// A statement that a node stands under another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Placement {
    /// Whose it is.
    pub tenant: TenantId,
    /// The node.
    pub node: u64,
    /// The node above.
    pub parent: u64,
    /// When it stands there.
    pub span: Span,
}

/// What is wrong with a node's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Misplaced {
    /// Whose it is.
    pub tenant: TenantId,
    /// The node.
    pub node: u64,
    /// A circle, a gap or several parents.
    pub kind: DiscrepancyKind,
    /// When.
    pub span: Span,
}

/// The validated tree.
pub struct Hierarchy<'s> {
    /// One parent for each node and instant; the root has none.
    pub edges: Facts<'s, Placement>,
    /// What was wrong with the statements.
    pub problems: Facts<'s, Misplaced>,
}

/// What is heard of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Mentioned,
    Under(u64, Span),
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Found {
    Edge(u64, Span),
    Problem(DiscrepancyKind, Span),
}

/// A node of a tenant.
type Key = (TenantId, u64);

/// Validates the statements about a tree.
///
/// `placements` are the statements, `mentioned` every node that is named anywhere.
pub fn hierarchy<'s>(
    kind: TreeKind,
    placements: Facts<'s, Placement>,
    mentioned: Facts<'s, Key>,
) -> Hierarchy<'s> {
    let stated =
        placements.clone().map(|row| ((row.tenant, row.node), Heard::Under(row.parent, row.span)));
    let parents = placements.map(|row| (row.tenant, row.parent));
    let tenants = mentioned.clone().concat(parents.clone()).map(|(tenant, _)| tenant);
    let nowhere = tenants.map(move |tenant| (tenant, kind.nowhere(tenant)));
    let named = mentioned
        .concatenate([parents, nowhere])
        .filter(move |(tenant, node)| *node != kind.root(*tenant))
        .once()
        .map(|key| (key, Heard::Mentioned));
    let placed =
        stated.concat(named).grouped("Hierarchy: places", move |(tenant, node), heard, found| {
            let heard = heard.iter().map(|(heard, _)| **heard);
            found.extend(places(kind, *tenant, *node, heard).into_iter().map(|row| (row, 1)));
        });
    let edges = placed.clone().flat_map(|(key, found)| match found {
        Found::Edge(parent, span) => Some((key, (parent, span))),
        Found::Problem(..) => None,
    });
    let problems = placed.flat_map(|((tenant, node), found)| match found {
        Found::Problem(wrong, span) => Some(Misplaced { tenant, node, kind: wrong, span }),
        Found::Edge(..) => None,
    });
    let (kept, circles) = without_circles(kind, edges);
    Hierarchy { edges: kept, problems: problems.concat(circles) }
}

/// The places of one node, by what is heard of it.
fn places(
    kind: TreeKind,
    tenant: TenantId,
    node: u64,
    heard: impl Iterator<Item = Heard>,
) -> Vec<Found> {
    let mut statements = Vec::new();
    // To stand under itself says nothing of where a node stands.
    let mut absurd = Vec::new();
    for one in heard {
        match one {
            Heard::Mentioned => {}
            Heard::Under(parent, span) if parent == node => absurd.push(span),
            Heard::Under(parent, span) => statements.push((span, parent)),
        }
    }
    if statements.is_empty() && absurd.is_empty() {
        return vec![Found::Edge(kind.root(tenant), Span::ALWAYS)];
    }
    let nowhere = kind.nowhere(tenant);
    let circle = |span| Found::Problem(DiscrepancyKind::HierarchyCycle, span);
    let mut found: Vec<Found> = unite(absurd.iter().copied()).map(circle).collect();
    for (span, said) in said(statements) {
        match said {
            Said::One(parent) => found.push(Found::Edge(parent, span)),
            Said::Several => {
                found.push(Found::Edge(nowhere, span));
                found.push(Found::Problem(DiscrepancyKind::MultipleParents, span));
            }
            Said::Nothing => {
                found.push(Found::Edge(nowhere, span));
                // Before a node exists and after it ended there is nothing to repair.
                for gap in outside(span, absurd.iter().copied()) {
                    if gap.start != Timestamp::MIN && gap.end != Timestamp::MAX {
                        found.push(Found::Problem(DiscrepancyKind::HierarchyGap, gap));
                    }
                }
            }
        }
    }
    found
}

/// Cuts the edges of nodes that stand above themselves.
fn without_circles<'s>(
    kind: TreeKind,
    edges: Facts<'s, (Key, (u64, Span))>,
) -> (Facts<'s, Placement>, Facts<'s, Misplaced>) {
    let lost = edges.clone().concat(reached(kind, edges.clone()).negate()).once();
    let circles = members(lost.clone());
    let cut = circles.clone().map(|((tenant, node), span)| Misplaced {
        tenant,
        node,
        kind: DiscrepancyKind::HierarchyCycle,
        span,
    });
    let tagged = edges.map(|(key, (parent, span))| (key, (Some(parent), span)));
    let kept = tagged
        .concat(circles.map(|(key, span)| (key, (None, span))))
        .grouped("Hierarchy: cut", move |(tenant, node), rows, kept| {
            let cuts: Vec<Span> =
                rows.iter().filter(|(row, _)| row.0.is_none()).map(|(row, _)| row.1).collect();
            let mut places: BTreeMap<u64, Vec<Span>> = BTreeMap::new();
            for ((parent, span), _) in rows {
                let Some(parent) = parent else { continue };
                let left = outside(*span, cuts.iter().copied());
                places.entry(*parent).or_default().extend(left);
            }
            places.entry(kind.nowhere(*tenant)).or_default().extend(&cuts);
            for (parent, spans) in places {
                let place = |span| Placement { tenant: *tenant, node: *node, parent, span };
                kept.extend(unite(spans.into_iter()).map(|span| (place(span), 1)));
            }
        })
        .map(|(_, placement)| placement);
    (kept, cut)
}

/// The edges, or parts of edges, from which a walk upwards reaches the root.
fn reached<'s>(
    kind: TreeKind,
    edges: Facts<'s, (Key, (u64, Span))>,
) -> Facts<'s, (Key, (u64, Span))> {
    let roots = edges
        .clone()
        .map(move |((tenant, _), _)| ((tenant, kind.root(tenant)), Span::ALWAYS))
        .once();
    let downwards =
        edges.clone().map(|((tenant, child), (parent, span))| ((tenant, parent), (child, span)));
    let connected = roots.clone().iterate(|scope, connected| {
        connected
            .join_map(downwards.enter(scope), |(tenant, _), above, (child, span)| {
                ((*tenant, *child), above.intersect(*span))
            })
            .filter(|(_, span)| !span.is_empty())
            .concat(roots.enter(scope))
            .reduce_named("Hierarchy: connected", |_, spans, union| {
                union.extend(unite(spans.iter().map(|(span, _)| **span)).map(|span| (span, 1)));
            })
    });
    // A part of an edge is connected where its child is, for the child has no other place then.
    edges
        .joined(connected, |key, (parent, span), reached| {
            (*key, (*parent, *span, span.intersect(*reached)))
        })
        .filter(|(_, (_, whole, part))| whole == part)
        .map(|(key, (parent, whole, _))| (key, (parent, whole)))
}

/// The longest spans that cover the same instants.
fn unite(spans: impl Iterator<Item = Span>) -> impl Iterator<Item = Span> {
    said(spans.map(|span| (span, ())))
        .into_iter()
        .filter(|(_, said)| matches!(said, Said::One(())))
        .map(|(span, _)| span)
}

/// Of edges that do not reach the root, the nodes that stand above themselves, and when.
fn members<'s>(lost: Facts<'s, (Key, (u64, Span))>) -> Facts<'s, (Key, Span)> {
    let pairs =
        lost.clone().map(|((tenant, child), (parent, span))| ((tenant, parent), (child, span)));
    let above = pairs.iterate(|scope, pairs| {
        let lost = lost.enter(scope);
        let further = pairs.clone().filter(|((_, above), (child, _))| above != child).join_map(
            lost,
            |(tenant, _), (child, span), (parent, edge)| {
                ((*tenant, *parent), (*child, span.intersect(*edge)))
            },
        );
        pairs.concat(further.filter(|(_, (_, span))| !span.is_empty())).distinct()
    });
    above
        .filter(|((_, above), (child, _))| above == child)
        .map(|((tenant, node), (_, span))| ((tenant, node), span))
        .grouped("Hierarchy: circles", |_, spans, union| {
            union.extend(unite(spans.iter().map(|(span, _)| **span)).map(|span| (span, 1)));
        })
}
