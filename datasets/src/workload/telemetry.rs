//! Workload P: metered use of many accounts, and the lines that it is compared with.
//!
//! Accounts stand in a tree of ten below each; their use is distributed by Zipf's law. Every product has
//! lines for the accounts just below the first, and some for those below them. Each account uses five products of a thousand; of every five products, three count volumes, one people and one the
//! greatest quantity of a month. One event in ten is up to two months late, one in fifty is sent twice,
//! one in two hundred is withdrawn.

use crate::random::Random;
use crate::workload::zipf::Zipf;
use crate::workload::{BEGIN, fact};
use trueup_model::catalog::Product;
use trueup_model::contract::{Basis, EntitlementLine};
use trueup_model::fact::{Action, Body, Fact, FactKind};
use trueup_model::metric::Metric;
use trueup_model::org::Account;
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{SECOND_US, Span, Timestamp};
use trueup_model::usage::{UsageEvent, UsageOp};

/// Accounts below each account.
const FAN_OUT: u32 = 10;
/// Products that one account uses.
pub(super) const PRODUCTS_OF_AN_ACCOUNT: u32 = 5;
/// Products of one family.
const PRODUCTS_OF_A_FAMILY: u32 = 20;
/// Users of one account.
pub(super) const USERS_OF_AN_ACCOUNT: u32 = 10;
/// Recent events that may be sent again or withdrawn.
const RECENT: usize = 4096;
/// Events in an hour of event time.
const EVENTS_OF_AN_HOUR: u64 = 1_000_000;
/// How late the latest events are.
const LATE_HOURS: u64 = 60 * 24;

/// How large the world of a workload is.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Accounts.
    pub accounts: u32,
    /// Products.
    pub products: u32,
}

impl Default for Scale {
    fn default() -> Self {
        Self { accounts: 100_000, products: 1000 }
    }
}

/// The stream of workload P.
#[derive(Clone, Debug)]
pub struct Telemetry {
    scale: Scale,
    zipf: Zipf,
    random: Random,
    sent: u64,
    recent: Vec<Fact<u32>>,
}

impl Telemetry {
    /// The stream of this seed.
    pub fn new(scale: Scale, seed: u64) -> Self {
        let random = Random::new(seed);
        Self { scale, zipf: Zipf::over(scale.accounts), random, sent: 0, recent: Vec::new() }
    }

    /// The accounts, products and lines: what is sent before the events.
    pub fn contracts(&self) -> Vec<Fact<u32>> {
        let mut bodies = Vec::new();
        for product in 0..self.scale.products {
            let family = self.scale.products + product / PRODUCTS_OF_A_FAMILY;
            let row = Product { product, family: Some(family), publisher: None };
            bodies.push(Body::Product(row));
        }
        for account in 0..self.scale.accounts {
            let parent = (account > 0).then(|| above(account));
            let row = Account { account, parent, span: Span::ALWAYS, zone: None, anchor: None };
            bodies.push(Body::Account(row));
        }
        for line in 0..self.lines() {
            bodies.push(Body::Line(self.line(line)));
        }
        let facts = bodies.into_iter().zip(0..);
        facts.map(|(body, number)| fact(1 << 63 | number, BEGIN, Action::Assert(body))).collect()
    }

    /// How many lines there are.
    pub fn lines(&self) -> u32 {
        FAN_OUT * self.scale.products + self.scale.accounts / 7
    }

    /// A line for what is used below an account: one of each product for each account just below the
    /// first, and further ones a level below.
    pub fn line(&self, line: u32) -> EntitlementLine<u32> {
        let (division, rest) = (line % FAN_OUT, line / FAN_OUT);
        let product = rest % self.scale.products;
        let near = rest >= self.scale.products;
        let team = (line * 7) % FAN_OUT;
        let account = if near { FAN_OUT * (division + 1) + team + 1 } else { division + 1 };
        let units = 1000 + i64::from(line % 997) * 1000;
        let quantity = Capacity::Limited(Quantity::units(units));
        let mut row =
            EntitlementLine::base(line, product, metric(product), quantity, Basis::Contract);
        row.account = Some(account);
        row
    }

    /// The k-th product of an account.
    pub(super) fn product(&self, account: u32, k: u32) -> u32 {
        (account.wrapping_mul(31) + k * 197) % self.scale.products
    }

    /// The next fact of the stream.
    pub fn draw(&mut self) -> Fact<u32> {
        self.sent += 1;
        let lot = self.random.below(1000);
        if !self.recent.is_empty() && lot < 25 {
            let place = self.random.index(self.recent.len());
            let again = self.recent[place].clone();
            if lot < 20 {
                return again;
            }
            return Fact { action: Action::Retract(FactKind::Usage), ..again };
        }
        let event = self.event();
        let now = self.now();
        let drawn = fact(self.sent, now, Action::Assert(Body::Usage(event)));
        if self.recent.len() < RECENT {
            self.recent.push(drawn.clone());
        } else {
            let place = self.sent % RECENT as u64;
            self.recent[usize::try_from(place).unwrap_or(0)] = drawn.clone();
        }
        drawn
    }

    /// When the next event is sent.
    pub fn now(&self) -> Timestamp {
        let us = self.sent * 3600 * SECOND_US.unsigned_abs() / EVENTS_OF_AN_HOUR;
        BEGIN.plus_us(i64::try_from(us).unwrap_or(i64::MAX))
    }

    fn event(&mut self) -> UsageEvent<u32> {
        let rank = self.zipf.draw(&mut self.random);
        // The busiest accounts stand anywhere in the tree.
        let account = u64::from(rank) * 7_919 % u64::from(self.scale.accounts);
        let account = u32::try_from(account).unwrap_or(0);
        let of_account = self.random.below(u64::from(PRODUCTS_OF_AN_ACCOUNT));
        let product = self.product(account, u32::try_from(of_account).unwrap_or(0));
        let late = if self.random.below(10) == 0 { self.random.below(LATE_HOURS) } else { 0 };
        let late_us = i64::try_from(late).unwrap_or(0) * 3600 * SECOND_US;
        let user = (metric(product) == Metric::Unique).then(|| {
            let person = self.random.below(u64::from(USERS_OF_AN_ACCOUNT));
            account * USERS_OF_AN_ACCOUNT + u32::try_from(person).unwrap_or(0)
        });
        UsageEvent {
            at: Timestamp(self.now().0 - late_us),
            product,
            account: Some(account),
            user,
            device: None,
            quantity: Quantity::units(i64::try_from(1 + self.random.below(100)).unwrap_or(1)),
            op: UsageOp::Add,
        }
    }
}

/// The account above another; the first is above itself.
fn above(account: u32) -> u32 {
    account.saturating_sub(1) / FAN_OUT
}

/// How a product is counted.
pub(super) fn metric(product: u32) -> Metric {
    match product % 5 {
        3 => Metric::Unique,
        4 => Metric::Maximum,
        _ => Metric::Volume,
    }
}

#[cfg(test)]
mod tests {
    use super::{Scale, Telemetry};
    use std::collections::BTreeSet;
    use trueup_model::fact::{Action, Body, Fact, FactId};

    const SCALE: Scale = Scale { accounts: 1000, products: 40 };

    fn drawn(seed: u64, many: usize) -> Vec<Fact<u32>> {
        let mut stream = Telemetry::new(SCALE, seed);
        (0..many).map(|_| stream.draw()).collect()
    }

    #[test]
    fn a_seed_gives_the_same_facts_and_another_seed_others() {
        assert_eq!(drawn(7, 500), drawn(7, 500));
        assert_ne!(drawn(7, 500), drawn(8, 500));
    }

    #[test]
    fn facts_are_repeated_late_and_taken_back_in_known_shares() {
        let facts = drawn(7, 100_000);
        let ids: BTreeSet<FactId> = facts.iter().map(|fact| fact.id).collect();
        let again = facts.len() - ids.len();
        assert!((2200..2800).contains(&again), "2.5 % name an event that came before: {again}");
        let taken = facts.iter().filter(|fact| matches!(fact.action, Action::Retract(_))).count();
        assert!((400..600).contains(&taken), "0.5 % take one back: {taken}");
        let late = facts.iter().filter(|fact| {
            let Action::Assert(Body::Usage(event)) = &fact.action else { return false };
            event.at < fact.arrived_at
        });
        let late = late.count();
        assert!((9_000..10_500).contains(&late), "a tenth is late: {late}");
    }

    #[test]
    fn the_busiest_account_has_a_share_by_the_law() {
        let mut counts = vec![0_u32; 1000];
        for fact in drawn(7, 100_000) {
            if let Action::Assert(Body::Usage(event)) = fact.action {
                counts[event.account.unwrap_or(0) as usize] += 1;
            }
        }
        // One of the thousandth harmonic number, 7.485.
        let busiest = counts.iter().max().copied().unwrap_or(0);
        assert!((12_500..14_000).contains(&busiest), "{busiest}");
    }

    #[test]
    fn every_line_names_an_account_and_a_product_that_exist() {
        let stream = Telemetry::new(SCALE, 7);
        for number in 0..stream.lines() {
            let line = stream.line(number);
            assert!(line.account.is_some_and(|account| account < SCALE.accounts), "{number}");
            assert!(line.product < SCALE.products, "{number}");
        }
    }
}
