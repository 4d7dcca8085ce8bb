//! The tables of workload R: who stands under whom, which names mean what, and what was bought.

use crate::random::Random;
use crate::workload::reconciliation::FEBRUARY;
use trueup_model::time::Span;

/// Of a hundred thousand accounts, how many stand on each level but the last.
const LEVELS: [u32; 4] = [20, 200, 2_000, 18_000];
/// How much lines grant: thousandths of all lines, and units.
const QUANTITIES: [(u32, u64); 5] =
    [(0, 30), (250, 250), (500, 1_800), (750, 13_000), (1000, 100_000)];

/// How large workload R is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Rows.
    pub rows: u32,
    /// Accounts.
    pub accounts: u32,
    /// Names of accounts.
    pub aliases: u32,
    /// People.
    pub users: u32,
    /// Machines.
    pub devices: u32,
    /// SKUs.
    pub skus: u32,
    /// Products.
    pub products: u32,
    /// Families.
    pub families: u32,
    /// Lines.
    pub lines: u32,
}

impl Scale {
    /// A world that is as large for its rows as the full one, which has 100,000 accounts for ten million, but
    /// has all products if it has rows for them, and eleven lines for two places in which they are compared.
    pub fn of(rows: u32) -> Self {
        let accounts = (rows / 100).max(200);
        let products = (rows / 1000).clamp(10, 500);
        let scale = Self {
            rows,
            accounts,
            aliases: accounts + accounts / 2,
            users: accounts * 10,
            devices: accounts * 5,
            skus: products * 4,
            products,
            families: products / 10,
            lines: 0,
        };
        // Of half of all products on the first level, of the others on the second.
        let places = scale.levels()[2] * (products / 2);
        Self { lines: places * 11 / 2, ..scale }
    }

    /// The number of the name of a SKU: those of products and families come before.
    pub fn sku_name(self, sku: u32) -> u32 {
        self.products + self.families + sku
    }

    /// The number of the name of an alias: those of accounts come before.
    pub fn alias_name(self, alias: u32) -> u32 {
        self.accounts + alias
    }

    /// The first account of each level, and where the last one ends.
    fn levels(self) -> [u32; 6] {
        let share = |many: u32| {
            let share = u64::from(many) * u64::from(self.accounts) / 100_000;
            u32::try_from(share).unwrap_or(0).max(2)
        };
        let mut begins = [0; 6];
        for (level, many) in LEVELS.into_iter().enumerate() {
            begins[level + 1] = begins[level] + share(many);
        }
        begins[5] = self.accounts;
        begins
    }
}

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// For which account and all below.
    pub account: u32,
    /// Of which product.
    pub product: u32,
    /// How many units a month.
    pub quantity: u32,
    /// Whether it grants them in January, and in February.
    pub months: [bool; 2],
}

impl Line {
    /// When it is in force.
    pub fn span(self) -> Span {
        match self.months {
            [true, false] => Span { start: Span::ALWAYS.start, end: FEBRUARY },
            [false, true] => Span { start: FEBRUARY, end: Span::ALWAYS.end },
            [true, true] | [false, false] => Span::ALWAYS,
        }
    }
}

/// Trees, names and lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    /// The account above each.
    pub parents: Vec<Option<u32>>,
    /// Which account each alias means.
    pub aliases: Vec<u32>,
    /// The aliases of each account: one at least.
    pub names: Vec<Vec<u32>>,
    /// The accounts, the busiest first.
    pub ranks: Vec<u32>,
    /// Which product each SKU means.
    pub products: Vec<u32>,
    /// The family of each product.
    pub families: Vec<u32>,
    /// The lines.
    pub lines: Vec<Line>,
    levels: [u32; 6],
}

fn below(random: &mut Random, bound: u32) -> u32 {
    u32::try_from(random.below(u64::from(bound))).unwrap_or(0)
}

impl Tables {
    /// The tables before any change.
    pub(super) fn draw(scale: Scale, random: &mut Random) -> Self {
        let levels = scale.levels();
        let mut ranks: Vec<u32> = (0..scale.accounts).collect();
        random.shuffle(&mut ranks);
        // Each account has an alias, and some have more.
        let mut aliases: Vec<u32> = (0..scale.accounts).collect();
        random.shuffle(&mut aliases);
        let more = scale.accounts..scale.aliases;
        aliases.extend(more.map(|_| below(random, scale.accounts)));
        let mut names = vec![Vec::new(); scale.accounts as usize];
        for (alias, account) in (0..).zip(&aliases) {
            names[*account as usize].push(alias);
        }
        // Each product has a SKU, and some have more.
        let own = 0..scale.products;
        let products =
            own.chain((scale.products..scale.skus).map(|_| below(random, scale.products)));
        let products = products.collect();
        let families = (0..scale.products).map(|_| below(random, scale.families)).collect();
        let mut tables = Self {
            parents: Vec::new(),
            aliases,
            names,
            ranks,
            products,
            families,
            lines: Vec::new(),
            levels,
        };
        tables.parents =
            (0..scale.accounts).map(|account| tables.some_parent(account, random)).collect();
        tables.lines = (0..scale.lines).map(|_| tables.some_line(scale, random)).collect();
        tables
    }

    fn level(&self, account: u32) -> usize {
        self.levels.partition_point(|begin| *begin <= account).saturating_sub(1)
    }

    fn some_of(&self, level: usize, random: &mut Random) -> u32 {
        let [begin, end] = [self.levels[level], self.levels[level + 1]];
        begin + below(random, end - begin)
    }

    fn some_parent(&self, account: u32, random: &mut Random) -> Option<u32> {
        let level = self.level(account).checked_sub(1)?;
        Some(self.some_of(level, random))
    }

    /// Lines of one product name accounts of one level: the first or the second.
    fn some_line(&self, scale: Scale, random: &mut Random) -> Line {
        let product = below(random, scale.products);
        let account = self.some_of((product % 2) as usize, random);
        let quantity = u32::try_from(random.quantile(&QUANTITIES)).unwrap_or(0);
        let months = match random.below(3) {
            0 => [true, false],
            1 => [false, true],
            _ => [true, true],
        };
        Line { account, product, quantity, months }
    }

    /// Moves an account of a middle level under another of the level above.
    pub(super) fn change_parent(&mut self, random: &mut Random) -> (u32, u32) {
        let level = random.index(3) + 1;
        let account = self.some_of(level, random);
        let parent = self.some_of(level - 1, random);
        self.parents[account as usize] = Some(parent);
        (account, parent)
    }
}
