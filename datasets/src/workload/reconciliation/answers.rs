//! The answers of workload R, by plain loops over the rows that stand, and one checksum for each kind.

use crate::workload::reconciliation::{Reconciliation, Row};
use std::collections::{BTreeMap, BTreeSet};

/// What an answer is about: an account, a product or family, and a month.
pub type Key = (u32, u32, u8);

/// How many answers of one kind there are, and what they come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checksum {
    /// Answers.
    pub rows: i64,
    /// The sum of their values.
    pub sum: i64,
    /// The same, each weighed by what it is about.
    pub mixed: i64,
}

impl Checksum {
    /// Adds an answer, or takes `times` of it.
    pub fn add(&mut self, (account, product, month): Key, value: i64, times: i64) {
        let weight = i64::from(account) * 31 + i64::from(product) * 7 + i64::from(month) * 3;
        self.rows += times;
        self.sum += value * times;
        self.mixed += value * times * (weight % 1009);
    }
}

/// All kinds of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// What each account used of each product, in units.
    pub used: Checksum,
    /// What was used at and below each account of each product and family.
    pub totals: Checksum,
    /// By how many people.
    pub users: Checksum,
    /// On how many machines.
    pub devices: Checksum,
    /// By how much lines do not suffice.
    pub short: Checksum,
}

impl Answers {
    /// Each kind with its name.
    pub fn each(&self) -> [(&'static str, Checksum); 5] {
        [
            ("used", self.used),
            ("totals", self.totals),
            ("users", self.users),
            ("devices", self.devices),
            ("short", self.short),
        ]
    }
}

/// The answers by plain loops: nothing is kept from one time to the next.
pub fn plain(stream: &Reconciliation, rows: &[Row]) -> Answers {
    let (tables, scale) = (stream.tables(), stream.scale());
    let mut times: BTreeMap<Row, i64> = BTreeMap::new();
    for row in rows {
        let said = Row { is_taken_back: false, ..*row };
        *times.entry(said).or_default() += if row.is_taken_back { -1 } else { 1 };
    }
    let mut used: BTreeMap<Key, i64> = BTreeMap::new();
    let mut total: BTreeMap<Key, (i64, BTreeSet<u32>, BTreeSet<u32>)> = BTreeMap::new();
    for row in times.into_iter().filter(|(_, times)| *times > 0).map(|(row, _)| row) {
        let account = tables.aliases[row.alias as usize];
        let product = tables.products[row.sku as usize];
        let family = scale.products + tables.families[product as usize];
        let quantity = i64::from(row.quantity);
        *used.entry((account, product, row.month())).or_default() += quantity;
        let mut above = Some(account);
        while let Some(node) = above {
            for of in [product, family] {
                let sum = total.entry((node, of, row.month())).or_default();
                sum.0 += quantity;
                sum.1.insert(row.user);
                sum.2.insert(row.device);
            }
            above = tables.parents[node as usize];
        }
    }
    let mut granted: BTreeMap<Key, i64> = BTreeMap::new();
    for line in &tables.lines {
        for month in [0, 1].into_iter().filter(|month| line.months[usize::from(*month)]) {
            let key = (line.account, line.product, month);
            *granted.entry(key).or_default() += i64::from(line.quantity);
        }
    }
    let mut answers = Answers::default();
    for (key, value) in used {
        answers.used.add(key, value, 1);
    }
    for (key, (sum, users, devices)) in &total {
        answers.totals.add(*key, *sum, 1);
        let count = |set: &BTreeSet<u32>| i64::try_from(set.len()).unwrap_or(i64::MAX);
        answers.users.add(*key, count(users), 1);
        answers.devices.add(*key, count(devices), 1);
    }
    for (key, enough) in granted {
        let needed = total.get(&key).map_or(0, |total| total.0);
        if needed > enough {
            answers.short.add(key, needed - enough, 1);
        }
    }
    answers
}
