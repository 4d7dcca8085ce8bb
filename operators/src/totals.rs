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
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::operators::Concat as _;
use trueup_model::calendar::Period;
use trueup_model::hash::IdMap;
use trueup_model::id::{AccountId, DeviceId, ProductId, TenantId, UserId};
use trueup_model::metric::Metric;
use trueup_model::position::Rollup;
use trueup_model::time::Span;
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
    let mut state = State::new(policy);
    each_epoch(parts.concat(zones), "Totals", move |updates, changes| {
        state.step(updates, changes);
    })
    .as_collection()
}

/// What adds up in one period of a node.
#[derive(Default)]
struct Sum {
    tally: Tally,
    users: BTreeMap<UserId, i128>,
    devices: BTreeMap<DeviceId, i128>,
    given: Option<Rollup>,
}

/// One node of both trees.
#[derive(Default)]
struct Node {
    parts: BTreeMap<Part, Tally>,
    periods: BTreeMap<Period, Sum>,
}

struct State {
    policy: Policy,
    calendars: Calendars,
    nodes: IdMap<NodeKey, Node>,
}

impl State {
    fn new(policy: Policy) -> Self {
        let calendars = Calendars::new(policy.zone.clone());
        Self { policy, calendars, nodes: IdMap::default() }
    }

    fn step(&mut self, updates: Updates<Heard, Tally>, changes: &mut Updates<Rollup>) {
        let mut news: BTreeMap<NodeKey, Vec<(Part, Tally)>> = BTreeMap::new();
        let mut zones: BTreeSet<AccountId> = BTreeSet::new();
        for (heard, tally) in updates {
            match heard {
                Heard::Part(key, part) => news.entry(key).or_default().push((part, tally)),
                Heard::Zone(zone) => {
                    let account = zone.account;
                    let count = isize::try_from(tally.events).unwrap_or(0);
                    if self.calendars.hear(zone, count) {
                        zones.insert(account);
                    }
                }
            }
        }
        if !zones.is_empty() {
            let moved = self.nodes.keys().filter(|key| zones.contains(&key.account));
            for key in moved.copied().collect::<Vec<_>>() {
                news.entry(key).or_default();
            }
        }
        for (key, parts) in news {
            let node = self.nodes.entry(key).or_default();
            let mut dirty: BTreeSet<Period> = BTreeSet::new();
            let calendar = self.calendars.of(key.account);
            let periods = |part: &Part| -> Vec<Period> {
                let units = self.policy.periods();
                units.map(|unit| calendar.period(unit, part.span.start)).collect()
            };
            if zones.contains(&key.account) {
                node.recount(periods, &mut dirty);
            }
            for (part, tally) in parts {
                let sum = node.parts.entry(part).or_default();
                add(sum, tally);
                if *sum == Tally::default() {
                    node.parts.remove(&part);
                }
                for period in periods(&part) {
                    node.count(period, &part, tally);
                    dirty.insert(period);
                }
            }
            for period in dirty {
                node.give(key, period, changes);
            }
            if node.parts.is_empty() && node.periods.is_empty() {
                self.nodes.remove(&key);
            }
        }
    }
}

fn add(sum: &mut Tally, tally: Tally) {
    sum.events += tally.events;
    sum.quantity += tally.quantity;
}

impl Node {
    fn count(&mut self, period: Period, part: &Part, tally: Tally) {
        let sum = self.periods.entry(period).or_default();
        add(&mut sum.tally, tally);
        if let Some(user) = part.user {
            count(&mut sum.users, user, tally.events);
        }
        if let Some(device) = part.device {
            count(&mut sum.devices, device, tally.events);
        }
    }

    /// Adds everything up anew, by the account's new calendar.
    fn recount(&mut self, periods: impl Fn(&Part) -> Vec<Period>, dirty: &mut BTreeSet<Period>) {
        for (period, sum) in &mut self.periods {
            dirty.insert(*period);
            *sum = Sum { given: sum.given, ..Sum::default() };
        }
        for (part, tally) in self.parts.clone() {
            for period in periods(&part) {
                self.count(period, &part, tally);
                dirty.insert(period);
            }
        }
    }

    fn give(&mut self, key: NodeKey, period: Period, changes: &mut Updates<Rollup>) {
        let Some(sum) = self.periods.get_mut(&period) else { return };
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let now = (sum.tally.events > 0).then(|| Rollup {
            tenant: key.tenant,
            account: key.account,
            product: key.product,
            metric: key.metric,
            period,
            value: clamped(sum.tally.quantity),
            value_at: period.span.start,
            unit_us: 0,
            users: number(sum.users.len()),
            devices: number(sum.devices.len()),
        });
        if sum.given != now {
            changes.extend(sum.given.map(|old| (old, -1)));
            changes.extend(now.map(|new| (new, 1)));
            sum.given = now;
        }
        if sum.tally == Tally::default() {
            self.periods.remove(&period);
        }
    }
}

fn count<K: Ord + Copy>(counts: &mut BTreeMap<K, i128>, key: K, events: i128) {
    let sum = counts.entry(key).or_default();
    *sum += events;
    if *sum == 0 {
        counts.remove(&key);
    }
}
