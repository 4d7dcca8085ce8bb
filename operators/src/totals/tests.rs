use super::leaves::{Leaves, Told};
use super::people::People;
use super::{SumKey, Table, Total, totals};
use crate::epochs::Left;
use crate::hierarchy::Placement;
use crate::tally::Tally;
use crate::testing::run;
use crate::tree::Tree;
use crate::volume::Cell;
use crate::zones::{AccountZone, Calendars};
use crate::{Diff, Epoch};
use differential_dataflow::AsCollection as _;
use differential_dataflow::difference::{IsZero as _, Semigroup as _};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::vec::Map as _;
use trueup_model::calendar::{Calendar, Period, PeriodUnit};
use trueup_model::id::{AccountId, ProductId, TenantId, UserId};
use trueup_model::time::{DAY_US, Span, Timestamp};
use trueup_policy::Policy;

/// The first of January 2026, UTC.
const NEW_YEAR: Timestamp = Timestamp(1_767_225_600_000_000);
const TENANT: TenantId = TenantId(1);
/// Nodes of each tree are 1 to this; a parent is always the smaller one, so that they form no circle.
const NODES: u64 = 6;
/// What accounts may state of their calendars.
const ZONES: [&str; 3] = ["Pacific/Auckland", "America/New_York", "Asia/Kolkata"];

/// A change of an epoch.
#[derive(Clone, Debug)]
enum Change {
    /// A person has so many events of an account and a product on a day.
    Use { account: u64, product: u64, user: u64, day: i64, events: i128 },
    /// A node stands under another from now on, always or in a part of time: of accounts or of products.
    Move { accounts: bool, node: u64, parent: u64, part: usize },
    /// A node stands nowhere in a part of time.
    Leave { accounts: bool, node: u64, part: usize },
    /// An account states a zone, or none.
    State { account: u64, zone: Option<usize> },
}

/// All of time, and parts of it; the second turn is within a day that is used.
fn part(number: usize) -> Span {
    let [first, second] = [25, 60].map(|days| NEW_YEAR.plus_us(days * DAY_US + DAY_US / 2));
    let [before, between] = [Span { end: first, ..Span::ALWAYS }, Span::new(first, second)];
    [Span::ALWAYS, before, between, Span::from(second)][number]
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

fn changes() -> impl Strategy<Value = Vec<Vec<Change>>> {
    let used = (1..=NODES, 1..=NODES, 1..4_u64, 0..5_i64, 0..4_i128).prop_map(
        |(account, product, user, day, events)| Change::Use { account, product, user, day, events },
    );
    let moved = (any::<bool>(), 2..=NODES, 0..NODES, 0..4_usize).prop_map(
        |(accounts, node, parent, part)| {
            let parent = 1 + parent % (node - 1);
            Change::Move { accounts, node, parent, part }
        },
    );
    let left = (any::<bool>(), 2..=NODES, 0..4_usize)
        .prop_map(|(accounts, node, part)| Change::Leave { accounts, node, part });
    let stated = (1..=NODES, prop::option::of(0..ZONES.len()))
        .prop_map(|(account, zone)| Change::State { account, zone });
    let change = prop_oneof![8 => used, 3 => moved, 1 => left, 1 => stated];
    prop::collection::vec(prop::collection::vec(change, 0..10), 1..12)
}

/// What is there, as it was said.
#[derive(Default)]
struct Truth {
    cells: BTreeMap<Cell, i128>,
    /// Of products, and of accounts.
    edges: [BTreeSet<Placement>; 2],
    zones: BTreeMap<u64, AccountZone>,
}

impl Truth {
    /// Takes in a change; says by which tables it is told, if it is not a use.
    fn change(&mut self, change: Change, used: &mut Vec<(Cell, Tally)>) -> Vec<(Table, Diff)> {
        match change {
            Change::Use { account, product, user, day, events } => {
                let cell = cell(account, product, user, day);
                let more = events - self.cells.insert(cell, events).unwrap_or(0);
                used.push((cell, Tally { events: more, quantity: more * 10 }));
                Vec::new()
            }
            Change::Move { accounts, node, parent, part: number } => {
                let mut tables = self.leave(accounts, node, part(number));
                let edge = Placement { tenant: TENANT, node, parent, span: part(number) };
                self.edges[usize::from(accounts)].insert(edge);
                tables.push((table(accounts, edge), 1));
                tables
            }
            Change::Leave { accounts, node, part: number } => {
                self.leave(accounts, node, part(number))
            }
            Change::State { account, zone } => {
                let now = zone.map(|zone| AccountZone {
                    account: AccountId(account),
                    zone: Some(ZONES[zone].to_owned()),
                    anchor: None,
                });
                let before = match &now {
                    Some(row) => self.zones.insert(account, row.clone()),
                    None => self.zones.remove(&account),
                };
                let before = before.map(|row| (Table::Zone(row), -1));
                before.into_iter().chain(now.map(|row| (Table::Zone(row), 1))).collect()
            }
        }
    }

    /// Takes a node from where it stands in a part of time; what is left of its edges stays.
    fn leave(&mut self, accounts: bool, node: u64, span: Span) -> Vec<(Table, Diff)> {
        let edges = &mut self.edges[usize::from(accounts)];
        let mut tables = Vec::new();
        let goes = |edge: &Placement| edge.node == node && edge.span.overlaps(span);
        let gone: Vec<Placement> = edges.extract_if(.., goes).collect();
        for edge in gone {
            tables.push((table(accounts, edge), -1));
            let before = Span { start: edge.span.start, end: span.start.min(edge.span.end) };
            let after = Span { start: span.end.max(edge.span.start), end: edge.span.end };
            for rest in [before, after].into_iter().filter(|rest| !rest.is_empty()) {
                let rest = Placement { span: rest, ..edge };
                edges.insert(rest);
                tables.push((table(accounts, rest), 1));
            }
        }
        tables
    }

    /// The totals, each counted by itself.
    fn totals(&self, policy: &Policy) -> BTreeMap<SumKey, Total> {
        let trees = self.edges.each_ref().map(|edges| {
            let mut tree = Tree::default();
            edges.iter().for_each(|edge| tree.change(edge.node, edge.parent, edge.span, true));
            tree
        });
        let mut calendars = Calendars::new(policy.zone.clone());
        self.zones.values().for_each(|row| {
            calendars.hear(row.clone(), 1);
        });
        let mut sums: BTreeMap<(u64, u64, Period), (i128, BTreeSet<UserId>)> = BTreeMap::new();
        for (cell, events) in self.cells.iter().filter(|(_, events)| **events != 0) {
            for account in trees[1].above(cell.account.0, cell.span) {
                for product in trees[0].above(cell.product.0, account.span) {
                    let at = product.span.start;
                    for unit in policy.periods() {
                        let period = calendars.of(AccountId(account.node)).period(unit, at);
                        let sum = sums.entry((account.node, product.node, period)).or_default();
                        sum.0 += events;
                        sum.1.extend(cell.user);
                    }
                }
            }
        }
        let total =
            |((account, product, period), (events, users)): ((u64, u64, Period), (_, _))| {
                let users: BTreeSet<UserId> = users;
                let key = SumKey {
                    tenant: TENANT,
                    account: AccountId(account),
                    product: ProductId(product),
                    period,
                };
                let tally = Tally { events, quantity: events * 10 };
                let users = i64::try_from(users.len()).expect("a few people");
                (key, Total { tally, users, devices: 0 })
            };
        sums.into_iter().map(total).collect()
    }
}

/// Adds what was told.
fn add(totals: &mut BTreeMap<SumKey, Total>, told: impl IntoIterator<Item = (SumKey, Total)>) {
    for (key, more) in told {
        totals.entry(key).or_default().plus_equals(&more);
    }
    totals.retain(|_, total| !total.is_zero());
}

fn table(accounts: bool, edge: Placement) -> Table {
    if accounts { Table::Account(edge) } else { Table::Product(edge) }
}

/// Both operators one behind the other, with what they told so far.
struct Chain {
    /// Of two workers.
    leaves: [Leaves; 2],
    told: [Told; 2],
    people: People,
    totals: BTreeMap<SumKey, Total>,
}

impl Chain {
    fn new(policy: &Policy) -> Self {
        Self {
            leaves: [0, 1].map(|_| Leaves::new(policy, 2)),
            told: [0, 1].map(|_| Told::default()),
            people: People::default(),
            totals: BTreeMap::new(),
        }
    }

    fn step(
        &mut self,
        used: Vec<(Cell, Tally)>,
        tables: &[(Table, Diff)],
        (backwards, part): (bool, usize),
    ) {
        let (mut more, mut coming) = (Vec::new(), Vec::new());
        for (worker, (leaves, told)) in (0..).zip(self.leaves.iter_mut().zip(&mut self.told)) {
            let is_here = |cell: &Cell| (cell.account.0 + cell.product.0) % 2 == worker;
            let here = used.iter().filter(|(cell, _)| is_here(cell));
            let here: Vec<_> = here.map(|(cell, tally)| (*cell, 0, *tally)).collect();
            leaves.hear(here.chunks(3).map(<[_]>::to_vec), tables.iter().cloned());
            while leaves.go_on(part, told) == Left::Something {}
            more.append(&mut told.0);
            coming.append(&mut told.1);
        }
        if backwards {
            coming.reverse();
        }
        self.people.hear(coming);
        while self.people.go_on(part, &mut more) == Left::Something {}
        add(&mut self.totals, more);
    }
}

proptest! {
    /// Whatever comes, goes and moves, what was told adds up to what is there at each tick, and nothing is kept
    /// of what has gone.
    #[test]
    fn what_is_told_adds_up(
        epochs in changes(),
        lazy in any::<bool>(),
        way in (any::<bool>(), prop_oneof![1..9_usize, Just(8192)]),
    ) {
        let policy = Policy::default();
        let mut chain = Chain::new(&policy);
        let mut truth = Truth::default();
        let last = epochs.len() - 1;
        for (number, epoch) in epochs.into_iter().enumerate() {
            let tick = !lazy || number % 3 == 0 || number == last;
            let (mut used, mut tables) = (Vec::new(), Vec::new());
            for change in epoch {
                // Trees and calendars change at ticks only.
                if tick || matches!(change, Change::Use { .. }) {
                    tables.append(&mut truth.change(change, &mut used));
                }
            }
            if tick {
                tables.push((Table::Tick, 1));
            }
            chain.step(used, &tables, way);
            if tick {
                prop_assert_eq!(&chain.totals, &truth.totals(&policy));
            }
        }
        let gone = truth.cells.into_iter().map(|(cell, events)| {
            (cell, Tally { events: -events, quantity: events * -10 })
        });
        chain.step(gone.collect(), &[(Table::Tick, 1)], way);
        prop_assert!(chain.totals.is_empty(), "nothing is told of those who are gone");
        prop_assert!(chain.people.is_empty(), "nobody is kept who is gone");
        for leaves in &chain.leaves {
            prop_assert!(leaves.is_empty(), "nothing is kept where nothing is used");
        }
    }
}

/// What enters the dataflow; of a cell, as many events as it is there times.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Entering {
    Cell(Cell),
    Table(Table),
}

#[test]
fn totals_are_the_same_on_any_number_of_workers() {
    let used =
        |account, product, user, day, events| Change::Use { account, product, user, day, events };
    let moved = |accounts, node, parent, part| Change::Move { accounts, node, parent, part };
    let all: Vec<Change> = (1..=NODES)
        .flat_map(|account| {
            (1..=NODES).map(move |product| used(account, product, account % 3, 1, 2))
        })
        .chain(
            (2..=NODES).flat_map(|node| [true, false].map(|tree| moved(tree, node, node / 2, 0))),
        )
        .collect();
    let none = (1..=NODES).flat_map(|account| {
        (1..=NODES).map(move |product| used(account, product, account % 3, 1, 0))
    });
    let epochs = [
        (all, true),
        (vec![used(6, 5, 1, 3, 3), used(4, 4, 2, 0, 1)], false),
        (vec![used(6, 5, 1, 3, 1), moved(true, 3, 2, 0), moved(false, 5, 1, 2)], true),
        (none.chain([used(6, 5, 1, 3, 0), used(4, 4, 2, 0, 0)]).collect(), true),
    ];
    let policy = Policy::default();
    let (mut truth, mut script, mut expected) = (Truth::default(), Vec::new(), Vec::new());
    for (number, (changes, tick)) in (0..).zip(epochs) {
        let (mut cells, mut tables) = (Vec::new(), Vec::new());
        for change in changes {
            tables.append(&mut truth.change(change, &mut cells));
        }
        tables.extend(tick.then_some((Table::Tick, 1)));
        let cells = cells.into_iter().map(|(cell, tally)| {
            (Entering::Cell(cell), Diff::try_from(tally.events).expect("a few events"))
        });
        let tables = tables.into_iter().map(|(table, diff)| (Entering::Table(table), diff));
        script.push(cells.chain(tables).collect::<Vec<_>>());
        expected.push((number, tick.then(|| truth.totals(&policy))));
    }
    for workers in 1..=3 {
        let told = run(workers, script.clone(), by_workers);
        let mut totals: BTreeMap<SumKey, Total> = BTreeMap::new();
        for ((number, there), rows) in expected.iter().zip(told) {
            add(&mut totals, rows);
            if let Some(there) = there {
                assert_eq!(&totals, there, "in epoch {number} on {workers} workers");
            }
        }
        assert!(totals.is_empty(), "everything has gone");
    }
}

/// The operator, by what enters.
fn by_workers(entering: crate::Facts<'_, Entering>) -> crate::Facts<'_, SumKey, Total> {
    let cells = entering.clone().inner.flat_map(|(one, epoch, diff)| match one {
        Entering::Cell(cell) => {
            let events = diff as i128;
            Some((cell, epoch, Tally { events, quantity: events * 10 }))
        }
        Entering::Table(_) => None,
    });
    let tables = entering.flat_map(|one| match one {
        Entering::Table(table) => Some(table),
        Entering::Cell(_) => None,
    });
    let edges = |accounts: bool| {
        tables.clone().flat_map(move |table| match table {
            Table::Account(edge) => accounts.then_some(edge),
            Table::Product(edge) => (!accounts).then_some(edge),
            Table::Zone(_) | Table::Tick => None,
        })
    };
    let ticks = tables.clone().flat_map(|table| match table {
        Table::Tick => Some(Epoch::MAX),
        Table::Account(_) | Table::Product(_) | Table::Zone(_) => None,
    });
    let zones = tables.clone().flat_map(|table| match table {
        Table::Zone(zone) => Some(zone),
        Table::Account(_) | Table::Product(_) | Table::Tick => None,
    });
    totals(cells.as_collection(), edges(true), edges(false), zones, ticks, &Policy::default())
}
