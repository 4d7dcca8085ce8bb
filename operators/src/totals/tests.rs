use super::leaves::Leaves;
use super::people::{Heads, People};
use super::{Spot, Table};
use crate::Diff;
use crate::hierarchy::Placement;
use crate::tally::Tally;
use crate::volume::Cell;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::calendar::{Calendar, Period, PeriodUnit};
use trueup_model::id::{AccountId, ProductId, TenantId, UserId};
use trueup_model::time::{DAY_US, Span, Timestamp};
use trueup_policy::Policy;

/// The first of January 2026, UTC.
const NEW_YEAR: Timestamp = Timestamp(1_767_225_600_000_000);
const TENANT: TenantId = TenantId(1);
/// Edges of two trees over nodes 1 to 4, which form no circle: from greater to smaller.
const EDGES: [(u64, u64); 4] = [(4, 3), (4, 2), (3, 1), (2, 1)];

/// A change of an epoch.
#[derive(Clone, Debug)]
enum Change {
    /// So many events more, or less, of an account, a product and a person on a day.
    Use(u64, u64, u64, i64, i128),
    /// The edge of this number comes or goes: of accounts or of products.
    Turn(bool, usize),
}

fn day(number: i64) -> Span {
    let start = NEW_YEAR.plus_us(number * 20 * DAY_US);
    Span::new(start, start.plus_us(DAY_US))
}

fn cell(account: u64, product: u64, user: u64, number: i64) -> Cell {
    let calendar = Calendar::natural(Policy::default().zone);
    Cell {
        tenant: TENANT,
        product: ProductId(product),
        account: AccountId(account),
        user: Some(UserId(user)),
        device: None,
        span: day(number),
        period: calendar.period(PeriodUnit::Month, day(number).start),
        closes_at: None,
        late: false,
    }
}

fn edge(number: usize) -> Placement {
    let (node, parent) = EDGES[number];
    Placement { tenant: TENANT, node, parent, span: Span::ALWAYS }
}

/// The node and those above, by the edges that are there.
fn way(node: u64, edges: &[usize]) -> Vec<u64> {
    let mut way = vec![node];
    while let Some(number) =
        edges.iter().find(|number| Some(&EDGES[**number].0) == way.last()).copied()
    {
        way.push(EDGES[number].1);
    }
    way
}

fn changes() -> impl Strategy<Value = Vec<Vec<Change>>> {
    let used = (1..5_u64, 1..5_u64, 1..4_u64, 0..3_i64, 0..4_i128).prop_map(
        |(account, product, user, day, times)| Change::Use(account, product, user, day, times),
    );
    let turned = (any::<bool>(), 0..EDGES.len())
        .prop_map(|(accounts, number)| Change::Turn(accounts, number));
    let change = prop_oneof![4 => used, 1 => turned];
    prop::collection::vec(prop::collection::vec(change, 0..8), 1..12)
}

/// What is told, added up.
#[derive(Default, Debug, PartialEq)]
struct Told {
    sums: BTreeMap<(Spot, Period), Tally>,
    heads: BTreeMap<(Spot, Period), Diff>,
}

impl Told {
    fn add(&mut self, spot: Spot, period: Period, tally: Tally) {
        let sum = self.sums.entry((spot, period)).or_default();
        sum.events += tally.events;
        sum.quantity += tally.quantity;
    }

    fn settled(mut self) -> Self {
        self.sums.retain(|_, tally| *tally != Tally::default());
        self.heads.retain(|_, heads| *heads != 0);
        self
    }
}

proptest! {
    /// Whatever comes, goes and moves, what was told adds up to what is there now.
    #[test]
    fn what_is_told_adds_up(
        epochs in changes(),
        lazy in any::<bool>(),
        backwards in any::<bool>(),
    ) {
        let policy = Policy::default();
        let mut leaves = Leaves::new(&policy, 3);
        let mut people = People::default();
        let mut cells: BTreeMap<Cell, i128> = BTreeMap::new();
        let mut trees: [Vec<usize>; 2] = [Vec::new(), Vec::new()];
        let mut told = Told::default();
        let last = epochs.len() - 1;
        for (number, epoch) in epochs.into_iter().enumerate() {
            let tick = !lazy || number % 3 == 0 || number == last;
            let mut heard = Vec::new();
            let mut tables: Vec<(Table, Diff)> = Vec::new();
            for change in epoch {
                match change {
                    // A cell has this many events from now on, so that none has fewer than none.
                    Change::Use(account, product, user, day, times) => {
                        let cell = cell(account, product, user, day);
                        let before = cells.insert(cell, times).unwrap_or(0);
                        let events = times - before;
                        heard.push((cell, Tally { events, quantity: events * 10 }));
                    }
                    Change::Turn(accounts, edges) if tick => {
                        let tree = &mut trees[usize::from(accounts)];
                        let table = |edge| match accounts {
                            true => Table::Account(edge),
                            false => Table::Product(edge),
                        };
                        // A node has one parent: the edge of the other parent goes.
                        let node = EDGES[edges].0;
                        for old in tree.extract_if(.., |one| EDGES[*one].0 == node) {
                            tables.push((table(edge(old)), -1));
                        }
                        tree.push(edges);
                        tables.push((table(edge(edges)), 1));
                    }
                    Change::Turn(..) => {}
                }
            }
            if tick {
                tables.push((Table::Tick, 1));
            }
            let mut lists = (Vec::new(), Vec::new());
            leaves.step(heard, tables, &mut lists);
            for ((spot, period), tally) in lists.0 {
                told.add(spot, period, tally);
            }
            if backwards {
                lists.1.reverse();
            }
            let mut heads: Vec<((Spot, Period), Heads)> = Vec::new();
            people.step(lists.1, &mut heads);
            for (node, Heads { users, .. }) in heads {
                *told.heads.entry(node).or_default() += users;
            }
        }
        let calendar = Calendar::natural(policy.zone.clone());
        let mut now = Told::default();
        let mut there: BTreeSet<(Spot, Period, UserId)> = BTreeSet::new();
        for (cell, times) in &cells {
            for account in way(cell.account.0, &trees[1]) {
                for product in way(cell.product.0, &trees[0]) {
                    let spot = Spot {
                        tenant: TENANT,
                        account: AccountId(account),
                        product: ProductId(product),
                    };
                    for unit in policy.periods() {
                        let period = calendar.period(unit, cell.span.start);
                        now.add(spot, period, Tally { events: *times, quantity: times * 10 });
                        let user = cell.user.filter(|_| *times != 0);
                        there.extend(user.map(|user| (spot, period, user)));
                    }
                }
            }
        }
        for (spot, period, _) in there {
            *now.heads.entry((spot, period)).or_default() += 1;
        }
        prop_assert_eq!(told.settled(), now.settled());
        let gone = cells.into_iter().map(|(cell, times)| {
            (cell, Tally { events: -times, quantity: times * -10 })
        });
        let mut lists = (Vec::new(), Vec::new());
        leaves.step(gone, vec![(Table::Tick, 1)], &mut lists);
        people.step(lists.1, &mut Vec::new());
        prop_assert!(people.is_empty(), "nothing is kept of those who are gone");
    }
}
