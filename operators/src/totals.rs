//! Volumes over the trees: sums at and below every account and every product node.
//!
//! value(a, p, P) = Σ { quantity of cells below a and p in P }
//!
//! Sums add up, so the cells are carried up with their weights and folded at each node. The people and
//! machines that they name are counted once at each node, like everywhere.
//!
//! Work per change: at each node on the way up, the changed cells.

use crate::Facts;
use crate::climb::{AtNode, climb};
use crate::epochs::{Updates, by_key, each_epoch, everywhere};
use crate::hierarchy::Placement;
use crate::rollup::NodeKey;
use crate::tally::Tally;
use crate::timeline::clamped;
use crate::volume::Cell;
use crate::zones::{AccountZone, Calendars};
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::hash::Hash;
use timely::dataflow::operators::Concat as _;
use trueup_model::calendar::{Calendar, Period, PeriodUnit};
use trueup_model::hash::IdMap;
use trueup_model::id::{AccountId, DeviceId, ProductId, TenantId, UserId};
use trueup_model::metric::Metric;
use trueup_model::position::Rollup;
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;

/// What of a cell matters above its own node, besides the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Lifted {
    tenant: TenantId,
    /// The node of the other tree: the product while accounts are climbed, then the account.
    other: u64,
    user: Option<UserId>,
    device: Option<DeviceId>,
}

/// Who used something in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Part {
    span: Span,
    user: Option<UserId>,
    device: Option<DeviceId>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Heard {
    Part(NodeKey, Part),
    Zone(AccountZone),
}

/// Adds volumes up both trees.
pub fn totals<'s>(
    cells: Facts<'s, Cell, Tally>,
    accounts: Facts<'s, Placement>,
    products: Facts<'s, Placement>,
    zones: Facts<'s, AccountZone>,
    policy: Policy,
) -> Facts<'s, Rollup> {
    let leaves = cells.map(|cell| AtNode {
        node: cell.account.0,
        span: cell.span,
        row: Lifted {
            tenant: cell.tenant,
            other: cell.product.0,
            user: cell.user,
            device: cell.device,
        },
    });
    // Each row now names its account and stands at its product.
    let above = climb("Totals: accounts", leaves, accounts).map(|at| AtNode {
        node: at.row.other,
        span: at.span,
        row: Lifted { other: at.node, ..at.row },
    });
    let parts = climb("Totals: products", above, products).map(|at| {
        let key = NodeKey {
            tenant: at.row.tenant,
            account: AccountId(at.row.other),
            product: ProductId(at.node),
            metric: Metric::Volume,
        };
        Heard::Part(key, Part { span: at.span, user: at.row.user, device: at.row.device })
    });
    let parts = by_key(parts, |heard| match heard {
        Heard::Part(key, _) => key.place(),
        Heard::Zone(_) => 0,
    });
    let unit = Tally { events: 1, quantity: 0 };
    let zones = everywhere(zones.map(Heard::Zone).explode(move |row| Some((row, unit))));
    let mut state = State::new(&policy);
    each_epoch(parts.concat(zones), "Totals", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

/// What adds up in one period of a node.
#[derive(Default)]
struct Sum {
    tally: Tally,
    users: IdMap<UserId, i128>,
    devices: IdMap<DeviceId, i128>,
    given: Option<Given>,
    /// Whether it changed in this epoch.
    dirty: bool,
}

/// What was given of a period: how much, by how many people, on how many machines.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Given {
    value: Quantity,
    users: u64,
    devices: u64,
}

/// One node of both trees.
#[derive(Default)]
struct Node {
    /// Parts that name nobody, in order: one for each piece of time.
    plain: Vec<(Part, Tally)>,
    /// Parts that name people or machines.
    named: IdMap<Part, Tally>,
    /// In order.
    periods: Vec<(Period, Sum)>,
    /// Whether something changed in this epoch.
    touched: bool,
}

struct State {
    units: Vec<PeriodUnit>,
    calendars: Calendars,
    nodes: IdMap<NodeKey, Node>,
    /// The periods of everyone's calendar by the start of the pieces of time that lie in them.
    periods: IdMap<Timestamp, Vec<Period>>,
}

/// The most pieces of time whose periods are remembered.
const PIECES_MAX: usize = 4096;

impl State {
    fn new(policy: &Policy) -> Self {
        let calendars = Calendars::new(policy.zone.clone());
        let (nodes, periods) = (IdMap::default(), IdMap::default());
        Self { units: policy.periods().collect(), calendars, nodes, periods }
    }

    fn step(&mut self, updates: Updates<Heard, Tally>, changes: &mut Updates<Rollup>) {
        let mut parts: Vec<(NodeKey, Part, Tally)> = Vec::with_capacity(updates.len());
        let mut zones: BTreeSet<AccountId> = BTreeSet::new();
        for (heard, tally) in updates {
            match heard {
                Heard::Part(key, part) => parts.push((key, part, tally)),
                Heard::Zone(zone) => {
                    let account = zone.account;
                    let count = isize::try_from(tally.events).unwrap_or(0);
                    if self.calendars.hear(zone, count) {
                        zones.insert(account);
                    }
                }
            }
        }
        let mut touched: Vec<NodeKey> = Vec::new();
        if !zones.is_empty() {
            self.recount(&zones, &mut touched);
        }
        let Self { units, calendars, nodes, periods: remembered } = self;
        if remembered.len() >= PIECES_MAX {
            remembered.clear();
        }
        for (key, part, tally) in parts {
            let node = nodes.entry(key).or_default();
            node.touch(key, &mut touched);
            node.keep(part, tally);
            let at = part.span.start;
            let periods = |calendar: &Calendar| -> Vec<Period> {
                units.iter().map(|unit| calendar.period(*unit, at)).collect()
            };
            let mut count = |period: &Period| node.count(*period, &part, tally);
            match calendars.own(key.account) {
                Some(calendar) => periods(calendar).iter().for_each(&mut count),
                None => {
                    let everyone = || periods(calendars.of(key.account));
                    remembered.entry(at).or_insert_with(everyone).iter().for_each(&mut count);
                }
            }
        }
        for key in touched {
            let Some(node) = nodes.get_mut(&key) else { continue };
            node.give(key, changes);
            if node.is_empty() {
                nodes.remove(&key);
            }
        }
    }

    /// Adds up anew the nodes of accounts whose calendars changed.
    fn recount(&mut self, zones: &BTreeSet<AccountId>, touched: &mut Vec<NodeKey>) {
        let Self { units, calendars, nodes, .. } = self;
        for (key, node) in nodes.iter_mut().filter(|(key, _)| zones.contains(&key.account)) {
            let calendar = calendars.of(key.account);
            node.touch(*key, touched);
            node.recount(|part| {
                units.iter().map(|unit| calendar.period(*unit, part.span.start)).collect()
            });
        }
    }
}

/// Makes room for one more: most nodes have a few, and there are many nodes.
fn grow<T>(rows: &mut Vec<T>) {
    if rows.len() < FEW {
        rows.reserve_exact(1);
    }
}

/// Up to how many rows a list takes no more room than it needs.
const FEW: usize = 8;

fn add(sum: &mut Tally, tally: Tally) {
    sum.events += tally.events;
    sum.quantity += tally.quantity;
}

impl Node {
    /// Notes that something changes, once in each epoch.
    fn touch(&mut self, key: NodeKey, touched: &mut Vec<NodeKey>) {
        if !std::mem::replace(&mut self.touched, true) {
            touched.push(key);
        }
    }

    fn keep(&mut self, part: Part, tally: Tally) {
        if part.user.is_some() || part.device.is_some() {
            let sum = self.named.entry(part).or_default();
            add(sum, tally);
            if *sum == Tally::default() {
                self.named.remove(&part);
            }
            return;
        }
        match self.plain.binary_search_by_key(&part, |(one, _)| *one) {
            Ok(place) => {
                add(&mut self.plain[place].1, tally);
                if self.plain[place].1 == Tally::default() {
                    self.plain.remove(place);
                }
            }
            Err(place) => {
                grow(&mut self.plain);
                self.plain.insert(place, (part, tally));
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.named.is_empty() && self.periods.is_empty()
    }

    fn count(&mut self, period: Period, part: &Part, tally: Tally) {
        let place = self.periods.binary_search_by_key(&period, |(one, _)| *one);
        let place = place.unwrap_or_else(|place| {
            grow(&mut self.periods);
            self.periods.insert(place, (period, Sum::default()));
            place
        });
        let sum = &mut self.periods[place].1;
        sum.dirty = true;
        add(&mut sum.tally, tally);
        if let Some(user) = part.user {
            count(&mut sum.users, user, tally.events);
        }
        if let Some(device) = part.device {
            count(&mut sum.devices, device, tally.events);
        }
    }

    /// Adds everything up anew, by the account's new calendar.
    fn recount(&mut self, periods: impl Fn(&Part) -> Vec<Period>) {
        for (_, sum) in &mut self.periods {
            *sum = Sum { given: sum.given, dirty: true, ..Sum::default() };
        }
        let named = self.named.iter().map(|(part, tally)| (*part, *tally));
        let parts: Vec<(Part, Tally)> = named.chain(self.plain.iter().copied()).collect();
        for (part, tally) in parts {
            for period in periods(&part) {
                self.count(period, &part, tally);
            }
        }
    }

    /// Gives what changed.
    fn give(&mut self, key: NodeKey, changes: &mut Updates<Rollup>) {
        self.touched = false;
        for (period, sum) in &mut self.periods {
            if std::mem::take(&mut sum.dirty) {
                sum.give(key, *period, changes);
            }
        }
        self.periods.retain(|(_, sum)| sum.tally != Tally::default());
    }
}

impl Sum {
    fn give(&mut self, key: NodeKey, period: Period, changes: &mut Updates<Rollup>) {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let now = (self.tally.events > 0).then(|| Given {
            value: clamped(self.tally.quantity),
            users: number(self.users.len()),
            devices: number(self.devices.len()),
        });
        let row = |given: Given| Rollup {
            tenant: key.tenant,
            account: key.account,
            product: key.product,
            metric: key.metric,
            period,
            value: given.value,
            value_at: period.span.start,
            unit_us: 0,
            users: given.users,
            devices: given.devices,
        };
        if self.given != now {
            changes.extend(self.given.map(|old| (row(old), -1)));
            changes.extend(now.map(|new| (row(new), 1)));
            self.given = now;
        }
    }
}

fn count<K: Eq + Hash + Copy>(counts: &mut IdMap<K, i128>, key: K, events: i128) {
    let sum = counts.entry(key).or_default();
    *sum += events;
    if *sum == 0 {
        counts.remove(&key);
    }
}
