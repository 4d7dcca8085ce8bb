//! The trees of accounts and products, and what is added up over them.

use crate::{BATCH, Sample};
use criterion::Criterion;
use std::collections::BTreeMap;
use trueup_benches::cpu_time::CpuTime;
use trueup_operators::Diff;
use trueup_operators::climb::{AtNode, climb};
use trueup_operators::hierarchy::{Placement, TreeKind, hierarchy};
use trueup_operators::paced::paced;
use trueup_operators::rollup::rollup;
use trueup_operators::totals::totals;

pub(crate) fn measure(criterion: &mut Criterion<CpuTime>, sample: &Sample) {
    places(criterion, sample);
    sums(criterion, sample);
}

fn places(criterion: &mut Criterion<CpuTime>, sample: &Sample) {
    let chain = &sample.metered;
    sample.turns(criterion, "hierarchy", |scope, ends| {
        let placements = ends.turning(scope, &chain.accounts.rows(), BATCH);
        let mentioned = ends.still(scope, &chain.mentioned.rows());
        let tree = hierarchy(TreeKind::Accounts, placements, mentioned);
        ends.watch(tree.edges);
        ends.watch(tree.problems);
    });
    for (name, rows, edges) in [("climb, rows", BATCH, 0), ("climb, a tenth of the tree", 0, 1)] {
        sample.turns(criterion, name, |scope, ends| {
            let cells = ends.turning(scope, &chain.cells.rows(), rows);
            let cells = cells.map(|cell| AtNode {
                node: cell.account.0,
                span: cell.span,
                row: cell.product.0,
            });
            let accounts = ends.turning(scope, &division_first(chain.accounts.rows()), edges);
            ends.watch(climb("Climb", cells, accounts));
        });
    }
}

/// The edges, the first of them that of an account with about a tenth of all others below it.
fn division_first(mut edges: Vec<(Placement, Diff)>) -> Vec<(Placement, Diff)> {
    let above: BTreeMap<u64, u64> =
        edges.iter().map(|(edge, _)| (edge.node, edge.parent)).collect();
    let mut below: BTreeMap<u64, usize> = BTreeMap::new();
    for (edge, _) in &edges {
        let mut node = edge.node;
        while let Some(parent) = above.get(&node) {
            node = *parent;
            *below.entry(node).or_default() += 1;
        }
    }
    let tenth = edges.len() / 10;
    let distance =
        |edge: &Placement| below.get(&edge.node).map_or(tenth, |many| many.abs_diff(tenth));
    edges.sort_by_key(|(edge, _)| distance(edge));
    edges
}

fn sums(criterion: &mut Criterion<CpuTime>, sample: &Sample) {
    let chain = &sample.metered;
    let mut tick = 0;
    sample.turns(criterion, "paced", |scope, ends| {
        let cells = ends.turning(scope, &chain.cells.rows(), BATCH);
        let ticks = ends.flowing(scope, &[(0, 1)], move || {
            tick += 1;
            vec![(tick, 1)]
        });
        ends.watch(paced("Paced", cells, ticks));
    });
    let mut totals_tick = 0;
    sample.turns(criterion, "totals", |scope, ends| {
        let sums = totals(
            ends.turning(scope, &chain.cells.rows(), BATCH),
            ends.still(scope, &chain.accounts.rows()),
            ends.still(scope, &chain.products.rows()),
            ends.still::<_, Diff>(scope, &[]),
            ends.flowing(scope, &[(0, 1)], move || {
                totals_tick += 1;
                vec![(totals_tick, 1)]
            }),
            sample.world.policy(),
        );
        ends.watch(sums);
    });
    let served = &sample.served;
    sample.turns(criterion, "rollup", |scope, ends| {
        let peaks = rollup(
            ends.turning(scope, &served.uses.rows(), BATCH),
            ends.still(scope, &served.accounts.rows()),
            ends.still(scope, &served.products.rows()),
            ends.still::<_, Diff>(scope, &[]),
            ends.still(scope, &served.horizon),
            sample.served_world.policy().clone(),
        );
        ends.watch(peaks);
    });
}
