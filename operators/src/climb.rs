//! Rows carried up a tree: each row at its own node and at every node above.
//!
//! climbed = { (above, row, span ∩ edge spans) : (node, row, span) ∈ rows, above ∈ {node} ∪ up(node) }
//!
//! A row counts at a node for as long as the edges between them hold, so use before a move stays with
//! the old parent. Differences are carried along: sums add up, and rows that must not be added
//! (sessions, people) arrive as themselves.
//!
//! Work per change: the way up; for a moved node the rows below it.

use crate::Facts;
use crate::epochs::{Came, Updates, by_key, each_epoch, everywhere};
use crate::hierarchy::Placement;
use crate::tree::{Above, Tree};
use differential_dataflow::difference::Abelian;
use differential_dataflow::{AsCollection as _, ExchangeData};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::hash::Hash;
use timely::dataflow::operators::Concat as _;
use timely::dataflow::operators::vec::Map as _;
use trueup_model::hash::{IdMap, IdSet, mix};
use trueup_model::time::Span;

/// A row at a node, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AtNode<P> {
    /// The node.
    pub node: u64,
    /// When the row counts there.
    pub span: Span,
    /// What it says.
    pub row: P,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard<P> {
    Row(AtNode<P>),
    Edge(Placement),
}

/// What comes with an update: a row's difference, or a count of edges.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Weight<R> {
    Row(R),
    Edge(isize),
}

/// Carries rows up the tree that the edges form.
pub fn climb<'s, P, R>(
    name: &'static str,
    rows: Facts<'s, AtNode<P>, R>,
    edges: Facts<'s, Placement>,
) -> Facts<'s, AtNode<P>, R>
where
    P: ExchangeData + Hash + Copy,
    R: ExchangeData + Abelian,
{
    let rows = by_key(rows, |row| mix(&[row.node]))
        .map(|(row, epoch, weight)| (Heard::Row(row), epoch, Weight::Row(weight)));
    let edges = everywhere(edges)
        .map(|(edge, epoch, count)| (Heard::Edge(edge), epoch, Weight::Edge(count)));
    let mut state = State { tree: Tree::default(), rows: IdMap::default() };
    each_epoch(rows.concat(edges), name, move |updates, changes| state.step(updates, changes))
        .as_collection()
}

struct State<P, R> {
    tree: Tree,
    rows: IdMap<u64, IdMap<(Span, P), R>>,
}

impl<P: Eq + Hash + Copy, R: Abelian> State<P, R> {
    fn step(&mut self, updates: Came<Heard<P>, Weight<R>>, changes: &mut Updates<AtNode<P>, R>) {
        let mut edges: BTreeMap<Placement, isize> = BTreeMap::new();
        let mut rows: Vec<(AtNode<P>, R)> = Vec::new();
        for update in updates {
            match update {
                (Heard::Row(row), Weight::Row(weight)) => rows.push((row, weight)),
                (Heard::Edge(edge), Weight::Edge(count)) => {
                    *edges.entry(edge).or_default() += count;
                }
                (Heard::Row(_), Weight::Edge(_)) | (Heard::Edge(_), Weight::Row(_)) => {}
            }
        }
        edges.retain(|_, count| *count != 0);
        let mut sums: IdMap<AtNode<P>, R> = IdMap::default();
        if !edges.is_empty() {
            self.regrow(&edges, &mut sums);
        }
        // Many rows go one way: those of a product, of a piece of time.
        let mut ways: IdMap<(u64, Span), Vec<Above>> = IdMap::default();
        for (row, weight) in rows {
            let way = ways.entry((row.node, row.span));
            let way = way.or_insert_with(|| self.tree.above(row.node, row.span));
            lift(way, &row, &weight, &mut sums);
            let kept = self.rows.entry(row.node).or_default();
            let key = (row.span, row.row);
            match kept.get_mut(&key) {
                Some(sum) => sum.plus_equals(&weight),
                None => {
                    kept.insert(key, weight);
                }
            }
            if kept.get(&key).is_some_and(R::is_zero) {
                kept.remove(&key);
            }
            if kept.is_empty() {
                self.rows.remove(&row.node);
            }
        }
        changes.extend(sums.into_iter().filter(|(_, weight)| !weight.is_zero()));
    }

    /// Changes the tree, and moves the rows below the changed nodes.
    fn regrow(&mut self, edges: &BTreeMap<Placement, isize>, sums: &mut IdMap<AtNode<P>, R>) {
        // A way up that changes goes through the lower end of a changed edge, before and after.
        let moved: IdSet<u64> = edges.keys().flat_map(|edge| self.tree.below(edge.node)).collect();
        let mut old: IdMap<AtNode<P>, R> = IdMap::default();
        self.lift_all(&moved, &mut old);
        for (edge, count) in edges {
            self.tree.change(edge.node, edge.parent, edge.span, *count > 0);
        }
        self.lift_all(&moved, sums);
        for (row, weight) in old {
            let mut gone = weight;
            gone.negate();
            match sums.get_mut(&row) {
                Some(sum) => sum.plus_equals(&gone),
                None => {
                    sums.insert(row, gone);
                }
            }
        }
    }

    fn lift_all(&self, nodes: &IdSet<u64>, sums: &mut IdMap<AtNode<P>, R>) {
        for node in nodes {
            for ((span, row), weight) in self.rows.get(node).into_iter().flatten() {
                let row = AtNode { node: *node, span: *span, row: *row };
                lift(&self.tree.above(*node, *span), &row, weight, sums);
            }
        }
    }
}

/// Adds a row at its node and all nodes above.
fn lift<P, R>(way: &[Above], row: &AtNode<P>, weight: &R, sums: &mut IdMap<AtNode<P>, R>)
where
    P: Eq + Hash + Copy,
    R: Abelian,
{
    for above in way {
        let lifted = AtNode { node: above.node, span: above.span, row: row.row };
        match sums.get_mut(&lifted) {
            Some(sum) => sum.plus_equals(weight),
            None => {
                sums.insert(lifted, weight.clone());
            }
        }
    }
}
