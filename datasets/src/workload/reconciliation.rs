//! Workload R: a whole reconciliation, small enough to say that other engines can be given the same rows.
//!
//! Rows of use name an alias of an account and a SKU; accounts stand in a tree of five levels, SKUs mean
//! products of families. One row in a hundred comes twice; one in a hundred is taken back later and
//! said anew with another quantity, and sometimes of another SKU. A change set moves an account with all
//! below it and says some lines anew. A line counts for the account that it names and all below; of one
//! product, lines name accounts of one level only, so that what is needed of it is compared in one place.
//!
//! What is asked, for January and February apart: how much each account used of each product; how much
//! was used, by how many people and on how many machines, at and below each account and for each product
//! and family; and where lines do not suffice.

mod answers;
mod files;
mod world;

pub use answers::{Answers, Checksum, Key, plain};
pub use files::write;
pub use world::{Line, Scale, Tables};

use crate::random::Random;
use crate::workload::fact;
use crate::workload::zipf::Zipf;
use trueup_model::catalog::{Alias, AliasKind, Product};
use trueup_model::contract::{Basis, EntitlementLine};
use trueup_model::fact::{Action, Body, Fact};
use trueup_model::metric::Metric;
use trueup_model::org::Account;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{DAY_US, SECOND_US, Span, Timestamp};
use trueup_model::usage::{UsageEvent, UsageOp};

/// When the rows begin: 10 January 2026.
const BEGIN: Timestamp = Timestamp(1_768_003_200_000_000);
/// When February begins.
pub const FEBRUARY: Timestamp = Timestamp(1_769_904_000_000_000);
/// Over how many days they are spread.
const DAYS: i64 = 31;
/// How late the latest rows are, in seconds.
const LATE_SECONDS: u64 = 36 * 3600;
/// How many rows ago a row was said that is taken back, at least, in shares of all rows.
const CORRECTED_AFTER: usize = 100;
/// The numbers of facts that are no rows, by what they are.
const TABLES: u64 = 1 << 60;

/// One row, as an engine without facts would be given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row {
    /// Which fact.
    pub id: u64,
    /// How often it was said anew.
    pub revision: u32,
    /// When.
    pub at: Timestamp,
    /// By which account, under one of its names.
    pub alias: u32,
    /// Of what.
    pub sku: u32,
    /// By whom.
    pub user: u32,
    /// On which machine.
    pub device: u32,
    /// How many units.
    pub quantity: u32,
    /// Whether it takes the same row back.
    pub is_taken_back: bool,
}

impl Row {
    /// The month: 0 for January, 1 for February.
    pub fn month(&self) -> u8 {
        u8::from(self.at >= FEBRUARY)
    }
}

/// What changes beside rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSet {
    /// The account that moves, and the one that it stands under from now on.
    pub moved: (u32, u32),
    /// Lines as they are from now on.
    pub lines: Vec<(u32, Line)>,
}

/// The stream of workload R.
#[derive(Clone, Debug)]
pub struct Reconciliation {
    scale: Scale,
    random: Random,
    busiest: Zipf,
    tables: Tables,
    /// How often each account and line was said anew.
    revisions: [Vec<u32>; 2],
    rows: Vec<Row>,
    /// Rows that came twice or were said anew: neither happens to them again.
    busy: Vec<bool>,
    sent: u64,
}

impl Reconciliation {
    /// The stream of this seed.
    pub fn new(scale: Scale, seed: u64) -> Self {
        let random = Random::new(seed);
        let tables = Tables::draw(scale, &mut random.fork("tables"));
        let revisions = [vec![0; tables.parents.len()], vec![0; tables.lines.len()]];
        Self {
            busiest: Zipf::over(scale.accounts),
            random: random.fork("rows"),
            tables,
            revisions,
            rows: Vec::new(),
            busy: Vec::new(),
            sent: 0,
            scale,
        }
    }

    /// Trees, names and lines, as they are now.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// How large it is.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// The next rows: one, or two where one is said anew.
    pub fn draw(&mut self) -> Vec<Row> {
        let lot = self.random.below(1000);
        let back = self.scale.rows as usize / CORRECTED_AFTER;
        let drawn = if lot < 10 {
            self.repeated()
        } else if lot < 20 && self.rows.len() > back {
            self.corrected(back)
        } else {
            None
        };
        drawn.unwrap_or_else(|| {
            let row = self.new_row();
            self.rows.push(row);
            self.busy.push(false);
            vec![row]
        })
    }

    /// A row that came before and is not busy yet, from the first `until`.
    fn earlier(&mut self, until: usize) -> Option<usize> {
        let place = self.random.index(until);
        let is_free = self.busy.get(place).is_some_and(|busy| !busy);
        is_free.then(|| {
            self.busy[place] = true;
            place
        })
    }

    fn repeated(&mut self) -> Option<Vec<Row>> {
        let place = self.earlier(self.rows.len())?;
        Some(vec![self.rows[place]])
    }

    fn corrected(&mut self, back: usize) -> Option<Vec<Row>> {
        let place = self.earlier(self.rows.len() - back)?;
        let old = self.rows[place];
        let mut new = Row { revision: 1, quantity: self.quantity(), ..old };
        if self.random.below(5) == 0 {
            new.sku = self.sku(old.alias);
        }
        Some(vec![Row { is_taken_back: true, ..old }, new])
    }

    fn quantity(&mut self) -> u32 {
        u32::try_from(1 + self.random.below(1000)).unwrap_or(1)
    }

    /// One of the SKUs that an account uses, the first of them most.
    fn sku(&mut self, alias: u32) -> u32 {
        let account = self.tables.aliases[alias as usize];
        let nth = self.random.below(64).min(self.random.below(64));
        let spread = u64::from(account).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        u32::try_from((spread + nth * 7) % u64::from(self.scale.skus)).unwrap_or(0)
    }

    fn new_row(&mut self) -> Row {
        let rank = self.busiest.draw(&mut self.random);
        let account = self.tables.ranks[rank as usize];
        let names = &self.tables.names[account as usize];
        let alias = names[self.random.index(names.len())];
        let one_of = |random: &mut Random, all: u32| {
            // Some of all, close together: those of the account.
            let own = u64::from(all / self.scale.accounts).max(1) * 4;
            let first = u64::from(account) * u64::from(all) / u64::from(self.scale.accounts);
            u32::try_from((first + random.below(own)) % u64::from(all)).unwrap_or(0)
        };
        let user = one_of(&mut self.random, self.scale.users);
        let device = one_of(&mut self.random, self.scale.devices);
        let late = self.random.below(20) == 0;
        let late = if late { self.random.below(LATE_SECONDS) } else { self.random.below(30) };
        let late_us = i64::try_from(late).unwrap_or(0) * SECOND_US;
        let at = Timestamp(self.now().0 - late_us).max(BEGIN);
        self.sent += 1;
        let (sku, quantity) = (self.sku(alias), self.quantity());
        let id = self.sent;
        Row { id, revision: 0, at, alias, sku, user, device, quantity, is_taken_back: false }
    }

    /// When the next row is said.
    pub fn now(&self) -> Timestamp {
        let share = i128::from(self.sent) * i128::from(DAYS * DAY_US);
        let us = share / i128::from(self.scale.rows.max(1));
        BEGIN.plus_us(i64::try_from(us).unwrap_or(0).min(DAYS * DAY_US))
    }

    /// Moves an account, and says lines anew.
    pub fn change(&mut self) -> ChangeSet {
        let moved = self.tables.change_parent(&mut self.random);
        let many = (self.tables.lines.len() / 300).max(1);
        let lines = (0..many).map(|_| {
            let place = self.random.index(self.tables.lines.len());
            let old = self.tables.lines[place];
            let new = Line { quantity: 1 + old.quantity * 3 / 5, ..old };
            self.tables.lines[place] = new;
            (u32::try_from(place).unwrap_or(0), new)
        });
        let lines = lines.collect();
        ChangeSet { moved, lines }
    }

    /// Everything that is sent before the rows.
    pub fn contracts(&self) -> Vec<Fact<u32>> {
        let mut bodies = Vec::new();
        for (product, family) in (0..).zip(&self.tables.families) {
            let family = Some(self.scale.products + family);
            bodies.push(Body::Product(Product { product, family, publisher: None }));
        }
        for (sku, product) in (0..).zip(&self.tables.products) {
            bodies.push(Body::Alias(Alias {
                kind: AliasKind::Product,
                raw: self.scale.sku_name(sku),
                canonical: *product,
                span: Span::ALWAYS,
            }));
        }
        for (alias, account) in (0..).zip(&self.tables.aliases) {
            bodies.push(Body::Alias(Alias {
                kind: AliasKind::Account,
                raw: self.scale.alias_name(alias),
                canonical: *account,
                span: Span::ALWAYS,
            }));
        }
        let tables = (TABLES * 2..).zip(bodies);
        let tables = tables.map(|(number, body)| fact(number, BEGIN, Action::Assert(body)));
        let accounts = (0..self.scale.accounts).map(|account| self.account(account));
        let lines = (0..).zip(&self.tables.lines).map(|(number, line)| self.line(number, *line));
        tables.chain(accounts).chain(lines).collect()
    }

    /// Takes over a change that another stream of the same seed drew.
    pub fn apply(&mut self, change: &ChangeSet) {
        let (account, parent) = change.moved;
        self.tables.parents[account as usize] = Some(parent);
        for (number, line) in &change.lines {
            self.tables.lines[*number as usize] = *line;
        }
    }

    /// The facts of a change set; each says something anew.
    pub fn facts_of(&mut self, change: &ChangeSet) -> Vec<Fact<u32>> {
        let (account, _) = change.moved;
        self.revisions[0][account as usize] += 1;
        let mut facts = vec![self.account(account)];
        // A line that is changed twice is as it was changed last.
        for (number, line) in &change.lines {
            self.revisions[1][*number as usize] += 1;
            facts.push(self.line(*number, *line));
        }
        facts
    }

    /// The fact of a row; what takes a row back is part of what says it anew.
    pub fn fact_of(&self, row: &Row) -> Option<Fact<u32>> {
        let event = UsageEvent {
            at: row.at,
            product: self.scale.sku_name(row.sku),
            account: Some(self.scale.alias_name(row.alias)),
            user: Some(row.user),
            device: Some(row.device),
            quantity: Quantity::units(i64::from(row.quantity)),
            op: UsageOp::Add,
        };
        let said = fact(row.id, row.at, Action::Assert(Body::Usage(event)));
        (!row.is_taken_back).then_some(Fact { revision: row.revision, ..said })
    }

    fn account(&self, account: u32) -> Fact<u32> {
        let parent = self.tables.parents[account as usize];
        let row = Account { account, parent, span: Span::ALWAYS, zone: None, anchor: None };
        let said = fact(TABLES * 3 + u64::from(account), BEGIN, Action::Assert(Body::Account(row)));
        Fact { revision: self.revisions[0][account as usize], ..said }
    }

    fn line(&self, number: u32, line: Line) -> Fact<u32> {
        let quantity = Capacity::Limited(Quantity::units(i64::from(line.quantity)));
        let basis = Basis::Contract;
        let mut row = EntitlementLine::base(number, line.product, Metric::Volume, quantity, basis);
        row.account = Some(line.account);
        row.span = line.span();
        let said = fact(TABLES * 4 + u64::from(number), BEGIN, Action::Assert(Body::Line(row)));
        Fact { revision: self.revisions[1][number as usize], ..said }
    }
}

#[cfg(test)]
mod tests;
