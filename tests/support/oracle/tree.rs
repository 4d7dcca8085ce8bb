//! The account tree and the product tree at an instant (C11).

use super::known::{Stated, stated};
use super::spans::{bounds, joined, pieces};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::fact::Body;
use trueup_model::id::{AccountId, ProductId, TenantId};
use trueup_model::time::{Span, Timestamp};
use trueup_operators::dedupe::Known;

/// A tree of one tenant: what was stated, and where its ends are.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    root: u64,
    nowhere: u64,
    statements: BTreeMap<u64, Vec<(Span, u64)>>,
    /// Every node that anything names.
    /// When nodes are stated to stand under themselves.
    absurd: BTreeMap<u64, Vec<Span>>,
    pub(super) nodes: BTreeSet<u64>,
}

impl Tree {
    /// The tree of accounts; use without a place counts as unattributed.
    pub(super) fn of_accounts(tenant: TenantId, in_force: &[(Known, Span)]) -> Self {
        let (root, nowhere) = (AccountId::root(tenant).0, AccountId::unattributed(tenant).0);
        let mut tree = Self::new(root, nowhere);
        for (row, span) in in_force.iter().filter(|(row, _)| row.tenant == tenant) {
            if let Body::Account(account) = &row.body {
                let parent = account.parent.map_or(root, |parent| parent.0);
                tree.state(account.account.0, parent, account.span.intersect(*span));
            }
            if let Body::Membership(member) = &row.body {
                tree.nodes.insert(member.account.0);
            }
        }
        tree
    }

    /// The tree of publishers, families and products; what has no place stands under the root.
    pub(super) fn of_products(tenant: TenantId, in_force: &[(Known, Span)]) -> Self {
        let root = ProductId::root(tenant).0;
        let mut tree = Self::new(root, root);
        for (row, span) in in_force.iter().filter(|(row, _)| row.tenant == tenant) {
            let Body::Product(product) = &row.body else { continue };
            let publisher = product.publisher.map_or(root, |publisher| publisher.0);
            let family = product.family.map_or(publisher, |family| family.0);
            tree.state(product.product.0, family, *span);
            if family != publisher {
                tree.state(family, publisher, *span);
            }
            if publisher != root {
                tree.state(publisher, root, *span);
            }
        }
        tree
    }

    fn new(root: u64, nowhere: u64) -> Self {
        let nodes = BTreeSet::new();
        Self { root, nowhere, statements: BTreeMap::new(), absurd: BTreeMap::new(), nodes }
    }

    fn state(&mut self, node: u64, parent: u64, span: Span) {
        if span.is_empty() {
            return;
        }
        self.nodes.extend([node, parent]);
        if parent == node {
            self.absurd.entry(node).or_default().push(span);
            self.statements.entry(node).or_default();
        } else {
            self.statements.entry(node).or_default().push((span, parent));
        }
    }

    /// The tree as if it had always stood as it stands at an instant.
    pub(super) fn as_always(&self, at: Timestamp) -> Self {
        let mut tree = Self::new(self.root, self.nowhere);
        for node in &self.nodes {
            if let Some(parent) = self.parent(*node, at) {
                tree.state(*node, parent, Span::ALWAYS);
            }
        }
        tree
    }

    /// The instants at which a place changes.
    pub(super) fn bounds(&self) -> Vec<Timestamp> {
        let stated = self.statements.values().flatten().map(|(span, _)| *span);
        bounds(stated.chain(self.absurd.values().flatten().copied()))
    }

    /// What is stated of a node at an instant; `None` if nothing ever is.
    fn stated(&self, node: u64, at: Timestamp) -> Option<Stated<u64>> {
        self.statements.get(&node).map(|rows| stated(rows, at))
    }

    /// Whether the statements put a node above itself at an instant.
    fn circles(&self, node: u64, at: Timestamp) -> bool {
        let mut above = node;
        for _ in 0..=self.nodes.len() {
            let Some(Stated::One(parent)) = self.stated(above, at) else { return false };
            if parent == node {
                return true;
            }
            above = parent;
        }
        // It runs into a circle further up, of which it is no part.
        false
    }

    /// The node above at an instant; `None` for the root.
    pub(super) fn parent(&self, node: u64, at: Timestamp) -> Option<u64> {
        if node == self.root {
            return None;
        }
        match self.stated(node, at) {
            None => Some(self.root),
            Some(Stated::One(parent)) if !self.circles(node, at) => Some(parent),
            Some(_) => Some(self.nowhere),
        }
    }

    /// A node and every node above it at an instant, the node first and the root last.
    pub(super) fn way_up(&self, node: u64, at: Timestamp) -> Vec<u64> {
        let mut way = vec![node];
        let mut top = node;
        while let Some(parent) = self.parent(top, at) {
            assert!(!way.contains(&parent), "the validated tree has a circle at {parent}");
            way.push(parent);
            top = parent;
        }
        way
    }

    /// The node above each node, for the longest spans in which it stays.
    pub(super) fn places(&self) -> Vec<(u64, u64, Span)> {
        let mut places = Vec::new();
        let pieces = pieces(self.bounds());
        for node in self.nodes.iter().filter(|node| **node != self.root) {
            let parents = pieces.iter().map(|piece| (*piece, self.parent(*node, piece.start)));
            for (span, parent) in joined(parents) {
                places.extend(parent.map(|parent| (*node, parent, span)));
            }
        }
        places
    }

    /// What is wrong with the statements: a circle, several parents, or a gap between two places.
    pub(super) fn problems(&self) -> Vec<(u64, DiscrepancyKind, Span)> {
        let mut problems = Vec::new();
        let pieces = pieces(self.bounds());
        for node in self.statements.keys() {
            let wrong = pieces.iter().map(|piece| (*piece, self.wrong(*node, piece.start)));
            for (span, kind) in joined(wrong) {
                // Before a node is stated first and after it is stated last there is no gap.
                let inside = span.start != Timestamp::MIN && span.end != Timestamp::MAX;
                let kind = kind.filter(|kind| inside || *kind != DiscrepancyKind::HierarchyGap);
                problems.extend(kind.map(|kind| (*node, kind, span)));
            }
            let absurd = pieces.iter().map(|piece| (*piece, self.is_absurd(*node, piece.start)));
            let absurd = joined(absurd).into_iter().filter(|(_, absurd)| *absurd);
            problems.extend(absurd.map(|(span, _)| (*node, DiscrepancyKind::HierarchyCycle, span)));
        }
        problems
    }

    /// Whether a node is stated to stand under itself: that says nothing of where it stands.
    fn is_absurd(&self, node: u64, at: Timestamp) -> bool {
        self.absurd.get(&node).is_some_and(|spans| spans.iter().any(|span| span.contains(at)))
    }

    fn wrong(&self, node: u64, at: Timestamp) -> Option<DiscrepancyKind> {
        match self.stated(node, at)? {
            Stated::Nothing if self.is_absurd(node, at) => None,
            Stated::Nothing => Some(DiscrepancyKind::HierarchyGap),
            Stated::Several => Some(DiscrepancyKind::MultipleParents),
            Stated::One(_) => self.circles(node, at).then_some(DiscrepancyKind::HierarchyCycle),
        }
    }
}
