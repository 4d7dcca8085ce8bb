//! A forest whose edges hold for a time: who stands above whom, at each instant.
//!
//! The edges come validated: at each instant a node has at most one parent and no circle exists
//! (`hierarchy.rs`), so every walk upwards ends.

use std::collections::BTreeSet;
use trueup_model::hash::{IdMap, IdSet};
use trueup_model::time::Span;

/// A node above another, while it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Above {
    /// When it is above.
    pub(crate) span: Span,
    /// The node.
    pub(crate) node: u64,
    /// How many edges lie between; 0 for the node itself.
    pub(crate) distance: u32,
}

/// Edges between nodes, both ways.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    parents: IdMap<u64, BTreeSet<(Span, u64)>>,
    children: IdMap<u64, BTreeSet<(u64, Span)>>,
}

impl Tree {
    /// Adds or removes an edge.
    pub(crate) fn change(&mut self, child: u64, parent: u64, span: Span, add: bool) {
        let parents = self.parents.entry(child).or_default();
        let children = self.children.entry(parent).or_default();
        if add {
            parents.insert((span, parent));
            children.insert((child, span));
            return;
        }
        parents.remove(&(span, parent));
        children.remove(&(child, span));
        if parents.is_empty() {
            self.parents.remove(&child);
        }
        if self.children.get(&parent).is_some_and(BTreeSet::is_empty) {
            self.children.remove(&parent);
        }
    }

    /// The nodes directly above, with when each is.
    pub(crate) fn parents(&self, node: u64) -> impl Iterator<Item = &(Span, u64)> {
        self.parents.get(&node).into_iter().flatten()
    }

    /// The node itself and every node above it, with the part of `span` in which each is.
    ///
    /// Work: the edges on the way up.
    pub(crate) fn above(&self, node: u64, span: Span) -> Vec<Above> {
        let mut found = vec![Above { span, node, distance: 0 }];
        let mut next = 0;
        while let Some(below) = found.get(next).copied() {
            next += 1;
            for (edge, parent) in self.parents(below.node) {
                if let Some(both) = edge.overlap(below.span) {
                    let distance = below.distance + 1;
                    found.push(Above { span: both, node: *parent, distance });
                }
            }
        }
        found
    }

    /// The node itself and every node that is ever below it.
    pub(crate) fn below(&self, node: u64) -> Vec<u64> {
        let mut seen: IdSet<u64> = IdSet::default();
        let mut found = vec![node];
        seen.insert(node);
        let mut next = 0;
        while let Some(above) = found.get(next).copied() {
            next += 1;
            for (child, _) in self.children.get(&above).into_iter().flatten() {
                if seen.insert(*child) {
                    found.push(*child);
                }
            }
        }
        found
    }
}
