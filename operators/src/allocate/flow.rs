//! A greatest flow from supplies to demands that uses each supply as much as it can, in their order.

use std::collections::{BTreeMap, VecDeque};

/// How much of each supply serves which demand.
pub(super) type Flow = Vec<BTreeMap<usize, i128>>;

/// Finds a flow; `supply` has for each supply its capacity and the demands that it may serve.
///
/// Supplies are taken one after another; a later one may only move what an earlier one serves, and
/// never lessens it. So the first ones together serve as much as they can, for each number of them.
pub(super) fn greatest_flow(supply: &[(i128, Vec<usize>)], demand: &[i128]) -> Flow {
    let mut flow: Flow = vec![BTreeMap::new(); supply.len()];
    let mut open: Vec<i128> = demand.to_vec();
    for (index, (capacity, _)) in supply.iter().enumerate() {
        let mut left = *capacity;
        while left > 0 {
            let Some(path) = augmenting(index, supply, &flow, &open) else { break };
            left -= augment(&path, left, &mut flow, &mut open);
        }
    }
    flow
}

/// The steps of a path: a supply, and the demand that it serves next.
type Path = Vec<(usize, usize)>;

/// A shortest path from a supply to a demand that is open, over demands that can be served otherwise.
fn augmenting(
    from: usize,
    supply: &[(i128, Vec<usize>)],
    flow: &Flow,
    open: &[i128],
) -> Option<Path> {
    // For each demand, the supply from which it was reached, and for each supply the demand.
    let mut reached: BTreeMap<usize, usize> = BTreeMap::new();
    let mut through: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        for demand in &supply.get(at)?.1 {
            if reached.contains_key(demand) {
                continue;
            }
            reached.insert(*demand, at);
            if open.get(*demand).is_some_and(|open| *open > 0) {
                return Some(path(from, *demand, &reached, &through));
            }
            for (other, served) in flow.iter().enumerate() {
                let movable = served.get(demand).is_some_and(|amount| *amount > 0);
                if movable && other != from && !through.contains_key(&other) {
                    through.insert(other, *demand);
                    queue.push_back(other);
                }
            }
        }
    }
    None
}

fn path(
    from: usize,
    to: usize,
    reached: &BTreeMap<usize, usize>,
    through: &BTreeMap<usize, usize>,
) -> Path {
    let mut path = Vec::new();
    let mut demand = Some(to);
    while let Some(at) = demand {
        let Some(supply) = reached.get(&at) else { break };
        path.push((*supply, at));
        demand = through.get(supply).copied().filter(|_| *supply != from);
    }
    path.reverse();
    path
}

/// Moves as much as the path allows; gives how much.
fn augment(path: &Path, left: i128, flow: &mut Flow, open: &mut [i128]) -> i128 {
    let Some((_, last)) = path.last().copied() else { return left };
    let mut amount = left.min(open.get(last).copied().unwrap_or_default());
    for pair in path.windows(2) {
        let (demand, next) = (pair[0].1, pair[1].0);
        amount = amount.min(flow[next].get(&demand).copied().unwrap_or_default());
    }
    for (supply, demand) in path {
        *flow[*supply].entry(*demand).or_default() += amount;
    }
    for pair in path.windows(2) {
        let (demand, next) = (pair[0].1, pair[1].0);
        *flow[next].entry(demand).or_default() -= amount;
    }
    if let Some(open) = open.get_mut(last) {
        *open -= amount;
    }
    amount
}
