//! Nodes and lists of nodes by number: each is kept once, however many people take part there.

use super::Spot;
use std::rc::Rc;
use trueup_model::calendar::Period;
use trueup_model::hash::IdMap;

/// A node in a period.
pub(super) type Node = (Spot, Period);

/// Nodes by number, as long as a list has them.
#[derive(Default)]
struct Nodes {
    numbers: IdMap<Node, u32>,
    /// Each node, and how many lists have it.
    rows: Vec<(Node, usize)>,
    free: Vec<u32>,
}

impl Nodes {
    fn number(&mut self, node: Node) -> u32 {
        let Self { numbers, rows, free } = self;
        *numbers.entry(node).or_insert_with(|| match free.pop() {
            Some(number) => {
                rows[number as usize] = (node, 0);
                number
            }
            None => {
                rows.push((node, 0));
                next(rows.len())
            }
        })
    }

    fn release(&mut self, number: u32) {
        let (node, lists) = &mut self.rows[number as usize];
        *lists -= 1;
        if *lists == 0 {
            self.numbers.remove(node);
            self.free.push(number);
        }
    }
}

/// The number of the last of so many.
fn next(length: usize) -> u32 {
    u32::try_from(length - 1).expect("memory holds fewer than four thousand million")
}

/// A list of nodes, in the order of their numbers, and for how much that takes part it is kept.
struct List {
    nodes: Rc<[u32]>,
    held: i64,
}

/// Lists of nodes by number, as long as someone takes part there.
#[derive(Default)]
pub(super) struct Paths {
    nodes: Nodes,
    numbers: IdMap<Rc<[u32]>, u32>,
    lists: Vec<List>,
    free: Vec<u32>,
    /// Room for the list that is looked for.
    wanted: Vec<u32>,
}

impl Paths {
    /// The number of a list of nodes, which is kept until it is held by nobody when it is tidied.
    pub(super) fn number(&mut self, nodes: &[Node]) -> u32 {
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.clear();
        wanted.extend(nodes.iter().map(|node| self.nodes.number(*node)));
        wanted.sort_unstable();
        wanted.dedup();
        let known = self.numbers.get(wanted.as_slice()).copied();
        let number = known.unwrap_or_else(|| self.keep(&wanted));
        self.wanted = wanted;
        number
    }

    fn keep(&mut self, wanted: &[u32]) -> u32 {
        for node in wanted {
            self.nodes.rows[*node as usize].1 += 1;
        }
        let nodes: Rc<[u32]> = Rc::from(wanted);
        let list = List { nodes: Rc::clone(&nodes), held: 0 };
        let number = match self.free.pop() {
            Some(number) => {
                self.lists[number as usize] = list;
                number
            }
            None => {
                self.lists.push(list);
                next(self.lists.len())
            }
        };
        self.numbers.insert(nodes, number);
        number
    }

    /// The numbers of a list's nodes, in order.
    pub(super) fn nodes(&self, path: u32) -> &[u32] {
        &self.lists[path as usize].nodes
    }

    /// Notes that a list is held so many times more.
    pub(super) fn hold(&mut self, path: u32, times: i64) {
        self.lists[path as usize].held += times;
    }

    /// Forgets those of some lists that nobody holds.
    pub(super) fn tidy(&mut self, mut paths: Vec<u32>) {
        paths.sort_unstable();
        paths.dedup();
        for path in paths {
            let list = &mut self.lists[path as usize];
            if list.held == 0 {
                let nodes = std::mem::replace(&mut list.nodes, Rc::from([]));
                self.numbers.remove(&nodes);
                nodes.iter().for_each(|node| self.nodes.release(*node));
                self.free.push(path);
            }
        }
    }

    /// The node of a number.
    pub(super) fn node(&self, number: u32) -> Node {
        self.nodes.rows[number as usize].0
    }

    /// How many numbers nodes have been given at most at a time.
    pub(super) fn len(&self) -> usize {
        self.nodes.rows.len()
    }

    /// Whether nothing is kept.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.nodes.numbers.is_empty()
    }
}
