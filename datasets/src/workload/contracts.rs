//! Workload C: very many lines, and what happens to contracts when everything is already counted.
//!
//! Accounts stand in a tree of ten below each. A line grants a volume a month to an account on any level
//! but the last, and half of all accounts used something in each of the months from January to March 2026.
//! Then come the changes, each of a kind of its own: an amendment that is back-dated into January, which
//! has long been closed; a purchase; a line that is withdrawn; an account that moves with all below it;
//! use that is heard of two months late.

use crate::random::Random;
use crate::workload::fact;
use trueup_model::catalog::Product;
use trueup_model::contract::{Basis, EntitlementLine};
use trueup_model::fact::{Action, Body, Fact, FactKind};
use trueup_model::metric::Metric;
use trueup_model::org::Account;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{DAY_US, Span, Timestamp};
use trueup_model::usage::{UsageEvent, UsageOp};

/// Accounts below each account.
const FAN_OUT: u32 = 10;
/// Products of one family.
const PRODUCTS_OF_A_FAMILY: u32 = 20;
/// When use begins: 1 January 2026.
const JANUARY: Timestamp = Timestamp(1_767_225_600_000_000);
/// Over how many days it is spread.
const DAYS: u64 = 80;
/// From when amendments count: the middle of January.
const AMENDED_FROM: Timestamp = Timestamp(JANUARY.0 + 14 * DAY_US);
/// When everything is said: 25 March 2026.
const SAID: Timestamp = Timestamp(JANUARY.0 + 83 * DAY_US);
/// The numbers of facts by what they are.
const PART: u64 = 1 << 60;

/// How large the world of workload C is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Lines.
    pub lines: u32,
    /// Accounts.
    pub accounts: u32,
    /// Products.
    pub products: u32,
}

impl Scale {
    /// As many accounts and products for the lines as with a million of them: 100,000 and 1,000.
    pub fn of(lines: u32) -> Self {
        let (accounts, products) = ((lines / 10).max(111), (lines / 1000).clamp(20, 1000));
        Self { lines, accounts, products }
    }
}

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A line says another quantity, from a day in January on.
    Amendment,
    /// A line is bought.
    Purchase,
    /// A line is withdrawn.
    Withdrawal,
    /// An account moves, with a tenth of all accounts at and below it.
    Move,
    /// Use of January is heard of.
    LateUse,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Amendment, Self::Purchase, Self::Withdrawal, Self::Move, Self::LateUse];

    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amendment => "amendment",
            Self::Purchase => "purchase",
            Self::Withdrawal => "withdrawal",
            Self::Move => "move",
            Self::LateUse => "late use",
        }
    }
}

/// The stream of workload C.
#[derive(Clone, Debug)]
pub struct Contracts {
    scale: Scale,
    random: Random,
    /// The fact of each line that is in force.
    lines: Vec<Fact<u32>>,
    /// How often each account was moved.
    moves: Vec<u32>,
    /// Facts of each part said so far.
    said: [u64; 2],
}

impl Contracts {
    /// The stream of this seed.
    pub fn new(scale: Scale, seed: u64) -> Self {
        let random = Random::new(seed);
        let moves = vec![0; scale.accounts as usize];
        let mut stream = Self { scale, random, lines: Vec::new(), moves, said: [0; 2] };
        stream.lines = (0..scale.lines).map(|_| stream.purchase()).collect();
        stream
    }

    /// The trees, the lines and the use that come before the changes.
    pub fn contracts(&self) -> Vec<Fact<u32>> {
        let Scale { accounts, products, .. } = self.scale;
        let rows = (0..products).map(|product| {
            let family = Some(products + product / PRODUCTS_OF_A_FAMILY);
            Body::Product(Product { product, family, publisher: None })
        });
        let rows = (PART..).zip(rows);
        let rows = rows.map(|(number, body)| fact(number, JANUARY, Action::Assert(body)));
        let places = (0..accounts).map(|account| self.place(account, above(account)));
        rows.chain(places).chain(self.lines.iter().cloned()).collect()
    }

    /// What half of all accounts used, once in each month.
    pub fn used(&mut self) -> Vec<Fact<u32>> {
        let months = self.scale.accounts / 2 * 3;
        (0..months).map(|_| self.use_of(DAYS)).collect()
    }

    /// How many lines are in force.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// What the lines in force grant now, in units.
    pub fn granted(&self) -> i128 {
        let units = self.lines.iter().filter_map(|line| match &line.action {
            Action::Assert(Body::Line(row)) => match row.quantity {
                Capacity::Limited(quantity) => Some(i128::from(quantity.0)),
                Capacity::Unlimited | Capacity::Unknown => None,
            },
            Action::Assert(_) | Action::Retract(_) => None,
        });
        units.sum::<i128>() / i128::from(Quantity::ONE.0)
    }

    /// The next change of a kind.
    pub fn draw(&mut self, kind: Kind) -> Vec<Fact<u32>> {
        match kind {
            Kind::Amendment => self.amendment(),
            Kind::Purchase => {
                let line = self.purchase();
                self.lines.push(line.clone());
                vec![line]
            }
            Kind::Withdrawal => self.withdrawal().into_iter().collect(),
            Kind::Move => vec![self.moved()],
            Kind::LateUse => vec![self.use_of(30)],
        }
    }

    fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.random.below(u64::from(bound))).unwrap_or(0)
    }

    /// A line of an account that has others below it.
    fn purchase(&mut self) -> Fact<u32> {
        let account = self.below(self.scale.accounts / FAN_OUT);
        let product = self.below(self.scale.products);
        let units = i64::from(1 + self.below(500));
        self.line(account, product, units, Span::ALWAYS)
    }

    fn line(&mut self, account: u32, product: u32, units: i64, span: Span) -> Fact<u32> {
        self.said[0] += 1;
        let name = u32::try_from(self.said[0]).unwrap_or(u32::MAX);
        let quantity = Capacity::Limited(Quantity::units(units));
        let mut row =
            EntitlementLine::base(name, product, Metric::Volume, quantity, Basis::Contract);
        row.account = Some(account);
        row.span = span;
        fact(PART * 3 + self.said[0], SAID, Action::Assert(Body::Line(row)))
    }

    /// The line ends where the amendment begins, and another goes on from there.
    fn amendment(&mut self) -> Vec<Fact<u32>> {
        let place = self.random.index(self.lines.len());
        let units = i64::from(1 + self.below(500));
        let Some(old) = self.lines.get(place).cloned() else { return Vec::new() };
        let Action::Assert(Body::Line(row)) = old.action.clone() else { return Vec::new() };
        let (before, after) = (Span::new(row.span.start, AMENDED_FROM), Span::from(AMENDED_FROM));
        // What was amended before changes its quantity.
        let begins = row.span.start >= AMENDED_FROM;
        let mut new = self.line(row.account.unwrap_or(0), row.product, units, after);
        if begins {
            new.id = old.id;
            new.revision = old.revision + 1;
            if let Action::Assert(Body::Line(now)) = &mut new.action {
                now.line = row.line;
            }
            self.lines[place] = new.clone();
            return vec![new];
        }
        let ended = Action::Assert(Body::Line(EntitlementLine { span: before, ..row }));
        let ended = Fact { revision: old.revision + 1, action: ended, ..old };
        self.lines[place] = new.clone();
        vec![ended, new]
    }

    fn withdrawal(&mut self) -> Option<Fact<u32>> {
        if self.lines.is_empty() {
            return None;
        }
        let place = self.random.index(self.lines.len());
        let line = self.lines.swap_remove(place);
        Some(Fact { action: Action::Retract(FactKind::Line), ..line })
    }

    /// The last account just below the first goes under the first or one of its others.
    fn moved(&mut self) -> Fact<u32> {
        let (account, parent) = (FAN_OUT, self.below(FAN_OUT));
        self.moves[account as usize] += 1;
        self.place(account, Some(parent))
    }

    fn place(&self, account: u32, parent: Option<u32>) -> Fact<u32> {
        let row = Account { account, parent, span: Span::ALWAYS, zone: None, anchor: None };
        let number = PART * 2 + u64::from(account);
        let placed = fact(number, SAID, Action::Assert(Body::Account(row)));
        Fact { revision: self.moves[account as usize], ..placed }
    }

    fn use_of(&mut self, days: u64) -> Fact<u32> {
        self.said[1] += 1;
        let at = JANUARY.plus_us(i64::try_from(self.random.below(days)).unwrap_or(0) * DAY_US);
        let account = self.below(self.scale.accounts);
        let event = UsageEvent {
            at,
            product: self.below(self.scale.products),
            account: Some(account),
            user: None,
            device: None,
            quantity: Quantity::units(i64::from(1 + self.below(100))),
            op: UsageOp::Add,
        };
        fact(PART * 4 + self.said[1], SAID, Action::Assert(Body::Usage(event)))
    }
}

/// The account above another; nothing is above the first.
fn above(account: u32) -> Option<u32> {
    account.checked_sub(1).map(|rest| rest / FAN_OUT)
}

#[cfg(test)]
mod tests {
    use super::{AMENDED_FROM, Contracts, Kind, Scale};
    use trueup_model::fact::{Action, Body, Fact};
    use trueup_model::time::Span;

    fn stream() -> Contracts {
        Contracts::new(Scale::of(2000), 7)
    }

    fn span(fact: &Fact<u32>) -> Span {
        let Action::Assert(Body::Line(row)) = &fact.action else { panic!("{fact:?} is no line") };
        row.span
    }

    #[test]
    fn an_amendment_ends_a_line_in_january_and_goes_on_with_another() {
        let mut stream = stream();
        let before = stream.lines();
        let [ended, new] = &stream.draw(Kind::Amendment)[..] else { panic!("two facts") };
        assert_eq!((ended.revision, span(ended).end), (1, AMENDED_FROM));
        assert_eq!((new.revision, span(new)), (0, Span::from(AMENDED_FROM)));
        assert_eq!(stream.lines(), before);
    }

    #[test]
    fn a_line_that_was_amended_is_amended_in_place() {
        let mut stream = Contracts::new(Scale { lines: 1, accounts: 111, products: 20 }, 7);
        let first = stream.draw(Kind::Amendment);
        let again = stream.draw(Kind::Amendment);
        assert_eq!(again.len(), 1);
        assert_eq!((again[0].id, again[0].revision), (first[1].id, 1));
    }

    #[test]
    fn what_is_granted_follows_purchases_and_withdrawals() {
        let mut stream = stream();
        let (before, lines) = (stream.granted(), stream.lines());
        let bought = stream.draw(Kind::Purchase);
        let Action::Assert(Body::Line(row)) = &bought[0].action else { panic!("a line") };
        assert!(stream.granted() > before && row.account.is_some());
        let gone = stream.draw(Kind::Withdrawal);
        assert!(matches!(gone[0].action, Action::Retract(_)));
        assert_eq!(stream.lines(), lines);
    }

    #[test]
    fn a_move_says_anew_where_an_account_stands() {
        let mut stream = stream();
        let placed = stream.contracts();
        let moved = stream.draw(Kind::Move).remove(0);
        let old = placed.iter().find(|fact| fact.id == moved.id).expect("it stood somewhere");
        assert_eq!((old.revision, moved.revision), (0, 1));
    }

    #[test]
    fn every_name_that_is_used_was_said() {
        let mut stream = stream();
        for fact in stream.used() {
            let Action::Assert(Body::Usage(event)) = fact.action else { panic!("use") };
            assert!(event.account.is_some_and(|account| account < 200) && event.product < 20);
        }
    }
}
