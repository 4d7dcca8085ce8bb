//! Workload R in the library's own operators, as its documentation would write it: `distinct`, `join_map`,
//! `count`, and the ways up the tree as a collection of pairs.
//!
//! Everything is maintained at every change, as in the engine; one worker in this thread.

use crate::Peer;
use differential_dataflow::VecCollection;
use differential_dataflow::input::InputSession;
use differential_dataflow::operators::count::CountTotal as _;
use differential_dataflow::operators::threshold::ThresholdTotal as _;
use std::cell::RefCell;
use std::rc::Rc;
use timely::WorkerConfig;
use timely::communication::Allocator;
use timely::communication::allocator::thread::Thread;
use timely::dataflow::ProbeHandle;
use timely::worker::Worker;
use trueup_datasets::workload::reconciliation::{
    Answers, ChangeSet, Checksum, Key, Line, Reconciliation, Row,
};

type Epoch = u64;
/// A row without what makes it another fact: id, revision, month, alias, SKU, user, device, quantity.
type Said = (u64, u32, u8, u32, u32, u32, u32, u32);
/// A use as it counts: account, (product, month), user, device, quantity.
type Use = (u32, ((u32, u8), u32, u32, u32));
type Rows<'s, D> = VecCollection<'s, Epoch, D, isize>;

/// The levels of the account tree.
const LEVELS: usize = 5;

/// The program.
pub(crate) struct Textbook {
    worker: Worker,
    epoch: Epoch,
    rows: InputSession<Epoch, Said, isize>,
    parents: InputSession<Epoch, (u32, Option<u32>), isize>,
    lines: InputSession<Epoch, (Key, u32), isize>,
    above: Vec<Option<u32>>,
    bought: Vec<Line>,
    probe: ProbeHandle<Epoch>,
    answers: Rc<RefCell<Answers>>,
}

/// What the dataflow is made of.
struct Inputs<'s> {
    rows: Rows<'s, Said>,
    parents: Rows<'s, (u32, Option<u32>)>,
    lines: Rows<'s, (Key, u32)>,
    aliases: Rows<'s, (u32, u32)>,
    skus: Rows<'s, (u32, u32)>,
    families: Rows<'s, (u32, u32)>,
}

impl Textbook {
    pub(crate) fn new(begin: &Reconciliation) -> Self {
        let (tables, scale) = (begin.tables(), begin.scale());
        let mut worker =
            Worker::new(WorkerConfig::default(), Allocator::Thread(Thread::default()), None);
        let answers: Rc<RefCell<Answers>> = Rc::default();
        let mut program = Self {
            rows: InputSession::new(),
            parents: InputSession::new(),
            lines: InputSession::new(),
            above: tables.parents.clone(),
            bought: tables.lines.clone(),
            probe: ProbeHandle::new(),
            epoch: 0,
            answers: Rc::clone(&answers),
            worker: worker.clone(),
        };
        let [mut aliases, mut skus, mut families] =
            [InputSession::new(), InputSession::new(), InputSession::new()];
        worker.dataflow(|scope| {
            let inputs = Inputs {
                rows: program.rows.to_collection(scope),
                parents: program.parents.to_collection(scope),
                lines: program.lines.to_collection(scope),
                aliases: aliases.to_collection(scope),
                skus: skus.to_collection(scope),
                families: families.to_collection(scope),
            };
            build(inputs, &answers, &program.probe);
        });
        enter(aliases, &tables.aliases, 0);
        enter(skus, &tables.products, 0);
        enter(families, &tables.families, scale.products);
        for (account, parent) in (0..).zip(&tables.parents) {
            program.parents.update((account, *parent), 1);
        }
        for line in &tables.lines {
            program.line(*line, 1);
        }
        program.close();
        program
    }

    fn line(&mut self, line: Line, times: isize) {
        for month in [0, 1].into_iter().filter(|month| line.months[usize::from(*month)]) {
            self.lines.update(((line.account, line.product, month), line.quantity), times);
        }
    }

    fn close(&mut self) {
        self.epoch += 1;
        self.rows.advance_to(self.epoch);
        self.rows.flush();
        self.parents.advance_to(self.epoch);
        self.parents.flush();
        self.lines.advance_to(self.epoch);
        self.lines.flush();
        while self.probe.less_than(&self.epoch) {
            self.worker.step();
        }
    }
}

/// Enters a table of two columns, the second from `first` on, that never changes.
fn enter(mut input: InputSession<Epoch, (u32, u32), isize>, column: &[u32], first: u32) {
    for (number, meaning) in (0..).zip(column) {
        input.update((number, meaning + first), 1);
    }
}

/// How much was used at each node.
fn sums(rows: Rows<'_, Use>) -> Rows<'_, Key> {
    rows.explode(|(node, ((of, month), _, _, quantity))| {
        Some(((node, of, month), isize::try_from(quantity).unwrap_or(0)))
    })
}

/// The pairs of an account and each that it stands under, itself among them.
fn ways_up<'s>(parents: Rows<'s, (u32, Option<u32>)>) -> Rows<'s, (u32, u32)> {
    let under = parents.clone().flat_map(|(account, parent)| Some((account, parent?)));
    let mut all = parents.map(|(account, _)| (account, account));
    let mut level = all.clone();
    for _ in 1..LEVELS {
        let ends = level.map(|(account, node)| (node, account));
        level = ends.join_map(under.clone(), |_node, account, above| (*account, *above));
        all = all.concat(level.clone());
    }
    all
}

fn build(inputs: Inputs<'_>, answers: &Rc<RefCell<Answers>>, probe: &ProbeHandle<Epoch>) {
    let named = inputs
        .rows
        .distinct_total()
        .map(|row| (row.3, row))
        .join_map(inputs.aliases, |_alias, row, account| (row.4, (*account, *row)));
    let uses = named.join_map(inputs.skus, |_sku, (account, row), product| -> Use {
        let (_, _, month, _, _, user, device, quantity) = *row;
        (*account, ((*product, month), user, device, quantity))
    });
    let own = uses.clone().explode(|(account, ((product, month), _, _, quantity))| {
        Some(((account, product, month), isize::try_from(quantity).unwrap_or(0)))
    });
    watch(own.count_total(), answers, probe, |answers| &mut answers.used);
    let lifted = uses.join_map(ways_up(inputs.parents), |_account, one, node| (*node, *one));
    let of_families = lifted
        .clone()
        .map(|(node, ((product, month), user, device, quantity))| {
            (product, (node, month, user, device, quantity))
        })
        .join_map(inputs.families, |_product, (node, month, user, device, quantity), family| {
            (*node, ((*family, *month), *user, *device, *quantity))
        });
    let at_nodes = lifted.clone().concat(of_families);
    watch(sums(at_nodes.clone()).count_total(), answers, probe, |answers| &mut answers.totals);
    let users = at_nodes.clone().map(|(node, ((of, month), user, ..))| ((node, of, month), user));
    let users = users.distinct_total().map(|(key, _)| key).count_total();
    watch(users, answers, probe, |answers| &mut answers.users);
    let devices = at_nodes.map(|(node, ((of, month), _, device, _))| ((node, of, month), device));
    let devices = devices.distinct_total().map(|(key, _)| key).count_total();
    watch(devices, answers, probe, |answers| &mut answers.devices);
    let granted = inputs
        .lines
        .explode(|(key, quantity)| Some((key, isize::try_from(quantity).unwrap_or(0))))
        .count_total();
    let short = sums(lifted)
        .count_total()
        .join_map(granted, |key, needed, granted| (*key, needed - granted))
        .filter(|(_, short)| *short > 0);
    watch(short, answers, probe, |answers| &mut answers.short);
}

/// Keeps the checksum of a collection of answers.
fn watch(
    rows: Rows<'_, (Key, isize)>,
    answers: &Rc<RefCell<Answers>>,
    probe: &ProbeHandle<Epoch>,
    of: fn(&mut Answers) -> &mut Checksum,
) {
    let answers = Rc::clone(answers);
    rows.inspect(move |((key, value), _epoch, times)| {
        let (value, times) = (i64::try_from(*value).unwrap_or(0), i64::try_from(*times));
        of(&mut answers.borrow_mut()).add(*key, value, times.unwrap_or(0));
    })
    .probe_with(probe);
}

impl Peer for Textbook {
    fn rows(&mut self, rows: &[Row]) {
        for row in rows {
            let Row { id, revision, alias, sku, user, device, quantity, .. } = *row;
            let said = (id, revision, row.month(), alias, sku, user, device, quantity);
            self.rows.update(said, if row.is_taken_back { -1 } else { 1 });
        }
        self.close();
    }

    fn change(&mut self, change: &ChangeSet) {
        let (account, parent) = change.moved;
        let old = self.above[account as usize].replace(parent);
        self.parents.update((account, old), -1);
        self.parents.update((account, Some(parent)), 1);
        for (number, line) in &change.lines {
            let before = std::mem::replace(&mut self.bought[*number as usize], *line);
            self.line(before, -1);
            self.line(*line, 1);
        }
        self.close();
    }

    fn answers(&mut self) -> Answers {
        *self.answers.borrow()
    }
}
