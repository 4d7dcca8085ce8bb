//! Workload R by hand: one program for these five answers and nothing else, on hash tables.
//!
//! What could be gained by giving up everything that an engine is for. It keeps how often each row stands,
//! what each account used by itself, and the totals of every node; a row is added on the way up, a
//! moved account takes what stands below it from the old way up to the new one.

use crate::Peer;
use trueup_datasets::workload::reconciliation::{
    Answers, ChangeSet, Key, Line, Reconciliation, Row,
};
use trueup_model::hash::{IdMap, IdSet};

/// How much, by whom and on what; each with the number of rows that say so.
#[derive(Default)]
struct Sum {
    rows: i64,
    quantity: i64,
    users: IdMap<u32, i64>,
    devices: IdMap<u32, i64>,
}

impl Sum {
    fn add(&mut self, user: u32, device: u32, quantity: i64, times: i64) {
        self.rows += times;
        self.quantity += quantity * times;
        count(&mut self.users, user, times);
        count(&mut self.devices, device, times);
    }

    fn add_all(&mut self, other: &Self, times: i64) {
        self.rows += other.rows * times;
        self.quantity += other.quantity * times;
        for (user, rows) in &other.users {
            count(&mut self.users, *user, rows * times);
        }
        for (device, rows) in &other.devices {
            count(&mut self.devices, *device, rows * times);
        }
    }
}

fn count(counts: &mut IdMap<u32, i64>, key: u32, times: i64) {
    let sum = counts.entry(key).or_default();
    *sum += times;
    if *sum == 0 {
        counts.remove(&key);
    }
}

/// What of a row says that it is the same.
type Said = (u64, u32);

/// The program.
pub(crate) struct ByHand {
    parents: Vec<Option<u32>>,
    children: Vec<IdSet<u32>>,
    aliases: Vec<u32>,
    products: Vec<u32>,
    families: Vec<u32>,
    lines: Vec<Line>,
    first_family: u32,
    standing: IdMap<Said, i64>,
    own: Vec<IdMap<(u32, u8), Sum>>,
    totals: IdMap<Key, Sum>,
    granted: IdMap<Key, i64>,
    short: IdMap<Key, i64>,
}

impl ByHand {
    pub(crate) fn new(begin: &Reconciliation) -> Self {
        let (tables, scale) = (begin.tables(), begin.scale());
        let mut children = vec![IdSet::default(); tables.parents.len()];
        for (account, parent) in (0..).zip(&tables.parents) {
            if let Some(parent) = parent {
                children[*parent as usize].insert(account);
            }
        }
        let mut program = Self {
            parents: tables.parents.clone(),
            children,
            aliases: tables.aliases.clone(),
            products: tables.products.clone(),
            families: tables.families.clone(),
            lines: tables.lines.clone(),
            first_family: scale.products,
            standing: IdMap::default(),
            own: (0..tables.parents.len()).map(|_| IdMap::default()).collect(),
            totals: IdMap::default(),
            granted: IdMap::default(),
            short: IdMap::default(),
        };
        for line in &tables.lines {
            program.grant(*line, 1);
        }
        program
    }

    fn grant(&mut self, line: Line, times: i64) {
        for month in [0, 1].into_iter().filter(|month| line.months[usize::from(*month)]) {
            let key = (line.account, line.product, month);
            *self.granted.entry(key).or_default() += i64::from(line.quantity) * times;
            self.compare(key);
        }
    }

    /// Sets what is needed against what is granted.
    fn compare(&mut self, key: Key) {
        let Some(granted) = self.granted.get(&key) else { return };
        let short = self.totals.get(&key).map_or(0, |total| total.quantity) - granted;
        if short > 0 && *granted > 0 {
            self.short.insert(key, short);
        } else {
            self.short.remove(&key);
        }
    }

    fn row(&mut self, row: &Row) {
        let times = if row.is_taken_back { -1 } else { 1 };
        let standing = self.standing.entry((row.id, row.revision)).or_default();
        let before = *standing > 0;
        *standing += times;
        let change = i64::from(*standing > 0) - i64::from(before);
        if change == 0 {
            return;
        }
        let account = self.aliases[row.alias as usize];
        let product = self.products[row.sku as usize];
        let (month, quantity) = (row.month(), i64::from(row.quantity));
        let own = self.own[account as usize].entry((product, month)).or_default();
        own.add(row.user, row.device, quantity, change);
        let family = self.first_family + self.families[product as usize];
        let mut above = Some(account);
        while let Some(node) = above {
            for of in [product, family] {
                let total = self.totals.entry((node, of, month)).or_default();
                total.add(row.user, row.device, quantity, change);
            }
            self.compare((node, product, month));
            above = self.parents[node as usize];
        }
    }

    fn move_account(&mut self, account: u32, parent: u32) {
        let mut below = vec![account];
        let mut place = 0;
        while let Some(node) = below.get(place) {
            below.extend(self.children[*node as usize].iter().copied());
            place += 1;
        }
        self.lift(account, &below, -1);
        if let Some(old) = self.parents[account as usize].replace(parent) {
            self.children[old as usize].remove(&account);
        }
        self.children[parent as usize].insert(account);
        self.lift(account, &below, 1);
    }

    /// Adds what stands at some nodes to everything above an account.
    fn lift(&mut self, account: u32, below: &[u32], times: i64) {
        let mut above = self.parents[account as usize];
        while let Some(node) = above {
            let mut touched: IdSet<Key> = IdSet::default();
            for own in below.iter().map(|lower| &self.own[*lower as usize]) {
                for ((product, month), sum) in own {
                    let family = self.first_family + self.families[*product as usize];
                    for of in [*product, family] {
                        self.totals.entry((node, of, *month)).or_default().add_all(sum, times);
                    }
                    touched.insert((node, *product, *month));
                }
            }
            for key in touched {
                self.compare(key);
            }
            above = self.parents[node as usize];
        }
    }
}

impl Peer for ByHand {
    fn rows(&mut self, rows: &[Row]) {
        for row in rows {
            self.row(row);
        }
    }

    fn change(&mut self, change: &ChangeSet) {
        let (account, parent) = change.moved;
        self.move_account(account, parent);
        for (number, line) in &change.lines {
            let old = std::mem::replace(&mut self.lines[*number as usize], *line);
            self.grant(old, -1);
            self.grant(*line, 1);
        }
    }

    fn answers(&mut self) -> Answers {
        let mut answers = Answers::default();
        for (account, own) in (0..).zip(&self.own) {
            for ((product, month), sum) in own.iter().filter(|(_, sum)| sum.rows > 0) {
                answers.used.add((account, *product, *month), sum.quantity, 1);
            }
        }
        for (key, sum) in self.totals.iter().filter(|(_, sum)| sum.rows > 0) {
            let number = |many: usize| i64::try_from(many).unwrap_or(i64::MAX);
            answers.totals.add(*key, sum.quantity, 1);
            answers.users.add(*key, number(sum.users.len()), 1);
            answers.devices.add(*key, number(sum.devices.len()), 1);
        }
        for (key, short) in &self.short {
            answers.short.add(*key, *short, 1);
        }
        answers
    }
}
