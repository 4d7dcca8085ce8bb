//! Allocation: which lines cover which demand, and what is left.
//!
//! demand(a, t)    = Σ_g units(g, t) of the groups that count at account a
//! inflow(n, t)    = Σ { demand(a, t) : n is the nearest node with lines at or above a }
//!                 + Σ { uncovered(m, t) : n is the nearest node with lines above m }
//! uncovered(n, t) = max(0, inflow(n, t) − entitled(n, t)), none while a line has no limit
//! shortfall(n, t) = uncovered(n, t) where no account above n has lines, else it is passed up
//!
//! So the most specific scope is used first, and a shortfall is counted once, at the highest account
//! that could have covered it. Scopes are subtrees of the account tree, nested or apart, for which
//! this covers as much as can be covered. A position is what a node's levels come to in a period, up
//! to the horizon. Where rules or tables convert use, demand is what `convert.rs` makes of it; where a
//! rule names a statistic, what is compared is `statistics.rs`.
//!
//! Work per change: the days that the change spans at each node on its way up; a change of who has
//! lines, or of the tree, rebuilds the products that it concerns.

mod component;
mod convert;
mod figures;
mod flow;
mod grace;
mod grants;
mod lend;
mod node;
mod periodic;
mod routes;
mod statistics;
mod territory;
mod uses;

use crate::attribute::{Rule, Use};
use crate::entitle::Right;
use crate::epochs::{Came, Sent, Streams, Updates, by_key, each_epoch_sorted, everywhere};
use crate::hierarchy::Placement;
use crate::machines::FactorRow;
use crate::rows::add;
use crate::territory::Reach;
use crate::tree::Tree;
use crate::zones::{AccountZone, Calendars};
use crate::{Diff, Epoch, Facts};
use component::Component;
use convert::Conversion;
use differential_dataflow::AsCollection as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use timely::dataflow::StreamVec;
use timely::dataflow::operators::Concat as _;
use trueup_model::bands::Band;
use trueup_model::calendar::Period;
use trueup_model::discrepancy::DiscrepancyKind;
use trueup_model::factor::FactorKind;
use trueup_model::hash::{IdMap, IdSet, mix};
use trueup_model::id::{AccountId, ProductId, TenantId};
use trueup_model::metric::Metric;
use trueup_model::position::{AllocationLine, BasisGap, LicensePosition, PositionKey, Step};
use trueup_model::processors::Weight;
use trueup_model::quantity::Quantity;
use trueup_model::time::{Span, Timestamp};
use trueup_policy::Policy;
use trueup_policy::rules::Statistic;

pub use lend::lend;
pub use periodic::allocate_periods;
pub use territory::allocate_territories;

/// A product under a metric: what is allocated by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) tenant: TenantId,
    pub(crate) product: ProductId,
    pub(crate) metric: Metric,
}

impl Key {
    fn place(&self) -> u64 {
        mix(&[self.product.0, u64::from(self.metric.code())])
    }

    fn of_use(one: &Use) -> Self {
        Self { tenant: one.tenant, product: one.product, metric: one.metric }
    }

    fn of_right(right: &Right) -> Self {
        Self { tenant: right.tenant, product: right.product, metric: right.metric }
    }
}

/// Positions and how they came about.
pub struct Allocation<'s> {
    /// One for each node with lines or uncovered demand, product, metric and period.
    pub positions: Facts<'s, LicensePosition>,
    /// Which lines serve each position.
    pub lines: Facts<'s, AllocationLine>,
    /// The levels of each position over time.
    pub steps: Facts<'s, Step>,
    /// Claims about one right that differ.
    pub gaps: Facts<'s, BasisGap>,
    /// What happens at positions besides.
    pub remarks: Facts<'s, Remark>,
}

/// What arrives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Heard {
    Use(Box<Use>),
    Right(Box<Right>),
    Edge(Placement),
    Zone(AccountZone),
    Horizon(Timestamp),
    Rule(ProductId, Rule),
    Band(ProductId, Span, Band),
    Reach(Reach),
}

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Found {
    Position(LicensePosition),
    Line(AllocationLine),
    Step(Step),
    Gap(BasisGap),
    Remark(Remark),
}

/// Something that happens at a position besides what is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Remark {
    /// Which position.
    pub key: PositionKey,
    /// What.
    pub kind: DiscrepancyKind,
    /// How much of it at most.
    pub magnitude: Quantity,
    /// The first instant.
    pub first_at: Timestamp,
    /// The end of the last interval; `MAX` if it lasts.
    pub last_at: Timestamp,
}

/// Small tables that every worker holds.
#[derive(Clone)]
pub struct Surroundings<'s> {
    /// The validated account tree.
    pub edges: Facts<'s, Placement>,
    /// The zones of accounts.
    pub zones: Facts<'s, AccountZone>,
    /// The instant up to which figures are evaluated: one row.
    pub horizon: Facts<'s, Timestamp>,
    /// How each product is counted.
    pub rules: Facts<'s, (ProductId, Rule)>,
    /// The factor tables in force.
    pub factors: Facts<'s, FactorRow>,
}

/// Covers the demand of metrics that count at an instant.
pub fn allocate<'s>(
    demand: Facts<'s, Use>,
    rights: Facts<'s, Right>,
    around: Surroundings<'s>,
    policy: Policy,
) -> Allocation<'s> {
    let demand = demand.map(|one| Heard::Use(Box::new(one)));
    let rights = rights.map(|right| Heard::Right(Box::new(right)));
    let mut state = State::new(policy);
    let rows = gather(demand.concat(rights), around, None);
    each_epoch_parted(rows, "Allocate", move |updates, changes| state.step(updates, changes))
}

/// Brings rows to the worker of their product, and the surroundings to every worker.
fn gather<'s>(
    rows: Facts<'s, Heard>,
    around: Surroundings<'s>,
    reaches: Option<Facts<'s, Heard>>,
) -> StreamVec<'s, Epoch, (Heard, Epoch, Diff)> {
    let rows = by_key(rows, |heard| match heard {
        Heard::Use(one) => Key::of_use(one).place(),
        Heard::Right(right) => Key::of_right(right).place(),
        Heard::Edge(_)
        | Heard::Zone(_)
        | Heard::Horizon(_)
        | Heard::Rule(..)
        | Heard::Band(..)
        | Heard::Reach(_) => 0,
    });
    rows.concat(everywhere(tables(around, reaches)))
}

/// The surroundings, for every worker.
fn tables<'s>(around: Surroundings<'s>, reaches: Option<Facts<'s, Heard>>) -> Facts<'s, Heard> {
    let tables = [
        around.zones.map(Heard::Zone),
        around.rules.map(|(product, rule)| Heard::Rule(product, rule)),
        around.factors.flat_map(|row| band(&row)),
        around.horizon.map(Heard::Horizon),
    ];
    around.edges.map(Heard::Edge).concatenate(tables.into_iter().chain(reaches))
}

/// The band that a row of a factor table states, if it does.
fn band(row: &FactorRow) -> Option<Heard> {
    let factor = row.factor;
    if factor.kind != FactorKind::Band {
        return None;
    }
    let weight = Weight::new(factor.value, factor.per)?;
    let band = Band { up_to: factor.up_to, weight };
    Some(Heard::Band(factor.product?.into(), row.span, band))
}

/// What leaves, a list for each kind.
type Told = (Sent<LicensePosition>, Sent<AllocationLine>, Sent<Step>, Sent<BasisGap>, Sent<Remark>);

/// Applies `step` to each epoch, and parts what it finds by what it is.
fn each_epoch_parted<'s, D: Clone + 'static, R: Clone + 'static>(
    stream: StreamVec<'s, Epoch, (D, Epoch, R)>,
    name: &str,
    step: impl FnMut(Came<D, R>, &mut Updates<Found>) + 'static,
) -> Allocation<'s> {
    Allocation::of(each_epoch_sorted(stream, name, step, sort))
}

impl<'s> Allocation<'s> {
    /// The streams of what leaves.
    fn of((positions, lines, steps, gaps, remarks): <Told as Streams<'s>>::Streams) -> Self {
        Self {
            positions: positions.as_collection(),
            lines: lines.as_collection(),
            steps: steps.as_collection(),
            gaps: gaps.as_collection(),
            remarks: remarks.as_collection(),
        }
    }
}

fn sort(found: Found, diff: Diff, told: &mut Told) {
    match found {
        Found::Position(row) => told.0.push((row, diff)),
        Found::Line(row) => told.1.push((row, diff)),
        Found::Step(row) => told.2.push((row, diff)),
        Found::Gap(row) => told.3.push((row, diff)),
        Found::Remark(row) => told.4.push((row, diff)),
    }
}

/// What a worker knows besides the rows of its products.
pub(crate) struct World {
    pub(crate) policy: Policy,
    pub(crate) tree: Tree,
    pub(crate) calendars: Calendars,
    pub(crate) horizon: Timestamp,
    rules: IdMap<ProductId, Rule>,
    bands: BTreeMap<ProductId, BTreeMap<(Span, Band), Diff>>,
    /// Which countries territories have.
    pub(crate) reaches: BTreeMap<Reach, Diff>,
}

/// What of the surroundings changed in an epoch.
#[derive(Default)]
pub(crate) struct Turn {
    /// Whether the tree changed.
    pub(crate) tree: bool,
    /// The accounts whose way up may have changed with it.
    pub(crate) moved: IdSet<AccountId>,
    /// Accounts whose calendar changed.
    pub(crate) zones: BTreeSet<AccountId>,
    /// Products that are counted by other rules or tables than before.
    pub(crate) ruled: BTreeSet<ProductId>,
    /// Whether a territory changed.
    pub(crate) territories: bool,
    /// The horizon before, if it moved.
    pub(crate) horizon_before: Option<Timestamp>,
}

impl Turn {
    /// The horizon before, if its move concerns what changes by itself at an instant: for the first
    /// time, or because it has passed that.
    pub(crate) fn due(&self, at: Option<Timestamp>, horizon: Timestamp) -> Option<Timestamp> {
        let passed = at.is_some_and(|at| at <= horizon);
        self.horizon_before.filter(|before| *before == Timestamp::MIN || passed)
    }
}

impl World {
    pub(crate) fn new(policy: Policy) -> Self {
        let calendars = Calendars::new(policy.zone.clone());
        Self {
            policy,
            tree: Tree::default(),
            calendars,
            horizon: Timestamp::MIN,
            rules: IdMap::default(),
            bands: BTreeMap::new(),
            reaches: BTreeMap::new(),
        }
    }

    /// Whether use of a natural metric makes demand under it.
    pub(crate) fn demands(&self, product: ProductId, natural: Metric) -> bool {
        self.rules.get(&product).is_some_and(|rule| rule.demands(natural))
    }

    /// What of a product's levels is compared with its rights.
    pub(crate) fn statistic(&self, key: Key) -> Statistic {
        let stated = self.rules.get(&key.product).map(|rule| rule.settings.statistic);
        match (stated.unwrap_or_default(), key.metric) {
            (Statistic::Usual, Metric::Level) => Statistic::Mean,
            (Statistic::Usual, _) => Statistic::Peak,
            (stated, _) => stated,
        }
    }

    /// How a product's use is converted.
    fn conversion(&self, key: Key) -> Conversion {
        let round = self.rules.get(&key.product).and_then(|rule| rule.settings.round);
        let converts = key.metric == Metric::ResourceValue;
        let bands = self.bands.get(&key.product).filter(|_| converts);
        Conversion { bands: bands.into_iter().flat_map(BTreeMap::keys).copied().collect(), round }
    }

    /// Whether a period is one of an account's calendar.
    pub(crate) fn is_period_of(&self, account: AccountId, period: Period) -> bool {
        let start = period.span.start;
        self.calendars.period(account, period.unit, start) == period
    }

    /// Takes in what concerns everyone; gives back the rest.
    pub(crate) fn hear(
        &mut self,
        updates: impl IntoIterator<Item = (Heard, Diff)>,
        turn: &mut Turn,
    ) -> Updates<Heard> {
        let mut rest = Vec::new();
        let mut edges: BTreeMap<Placement, Diff> = BTreeMap::new();
        let mut horizon = None;
        let mut rules = Vec::new();
        for (heard, diff) in updates {
            match heard {
                Heard::Edge(edge) => *edges.entry(edge).or_default() += diff,
                Heard::Zone(zone) => {
                    let account = zone.account;
                    if self.calendars.hear(zone, diff) {
                        turn.zones.insert(account);
                    }
                }
                Heard::Horizon(at) if diff > 0 => horizon = horizon.max(Some(at)),
                Heard::Horizon(_) => {}
                Heard::Rule(product, rule) => rules.push((product, rule, diff)),
                Heard::Band(product, span, band) => {
                    add(self.bands.entry(product).or_default(), (span, band), diff);
                    turn.ruled.insert(product);
                }
                Heard::Reach(reach) => {
                    *self.reaches.entry(reach).or_default() += diff;
                    turn.territories = true;
                }
                Heard::Use(_) | Heard::Right(_) => rest.push((heard, diff)),
            }
        }
        for (product, rule, diff) in rules {
            turn.ruled.insert(product);
            if diff > 0 {
                self.rules.insert(product, rule);
            } else if self.rules.get(&product) == Some(&rule) {
                self.rules.remove(&product);
            }
        }
        self.reaches.retain(|_, count| *count != 0);
        edges.retain(|_, count| *count != 0);
        turn.tree = !edges.is_empty();
        self.note_moved(&edges, turn);
        for (edge, count) in &edges {
            self.tree.change(edge.node, edge.parent, edge.span, *count > 0);
        }
        self.note_moved(&edges, turn);
        if let Some(at) = horizon.filter(|at| *at != self.horizon) {
            turn.horizon_before = Some(self.horizon);
            self.horizon = at;
        }
        rest
    }

    /// Notes what is below edges in the tree as it stands.
    fn note_moved(&self, edges: &BTreeMap<Placement, Diff>, turn: &mut Turn) {
        let nodes: IdSet<u64> = edges.keys().map(|edge| edge.node).collect();
        let below = nodes.into_iter().flat_map(|node| self.tree.below(node));
        turn.moved.extend(below.map(AccountId));
    }
}

struct State {
    world: World,
    components: IdMap<Key, Component>,
    /// Products that something happens to when the horizon passes an instant.
    schedule: BTreeMap<Timestamp, BTreeSet<Key>>,
    /// Products with demand that lasts.
    active: BTreeSet<Key>,
}

impl State {
    fn new(policy: Policy) -> Self {
        Self {
            world: World::new(policy),
            components: IdMap::default(),
            schedule: BTreeMap::new(),
            active: BTreeSet::new(),
        }
    }

    fn step(&mut self, updates: Came<Heard>, changes: &mut Updates<Found>) {
        let mut turn = Turn::default();
        let rows = self.world.hear(updates, &mut turn);
        let mut news: BTreeMap<Key, component::News> = BTreeMap::new();
        for (heard, diff) in rows {
            match heard {
                Heard::Use(one) => {
                    let key = Key { tenant: one.tenant, product: one.product, metric: one.metric };
                    news.entry(key).or_default().uses.push((*one, diff));
                }
                Heard::Right(right) => {
                    news.entry(Key::of_right(&right)).or_default().rights.push((*right, diff));
                }
                Heard::Edge(_)
                | Heard::Zone(_)
                | Heard::Horizon(_)
                | Heard::Rule(..)
                | Heard::Band(..)
                | Heard::Reach(_) => {}
            }
        }
        if turn.tree || !turn.zones.is_empty() || !turn.ruled.is_empty() {
            let all = turn.tree || !turn.zones.is_empty();
            for key in self.components.keys() {
                if all || turn.ruled.contains(&key.product) {
                    news.entry(*key).or_default();
                }
            }
        }
        for key in self.due(&turn) {
            news.entry(key).or_default();
        }
        for (key, brought) in news {
            let component = self.components.entry(key).or_insert_with(|| Component::new(key));
            let planned = component.turn();
            component.step(brought, &turn, &self.world, changes);
            self.plan(key, planned);
        }
    }

    /// The products that the horizon's move concerns.
    fn due(&mut self, turn: &Turn) -> BTreeSet<Key> {
        let Some(before) = turn.horizon_before else { return BTreeSet::new() };
        if before == Timestamp::MIN {
            return self.components.keys().copied().collect();
        }
        let mut due = self.active.clone();
        let later = self.schedule.split_off(&self.world.horizon.plus_us(1));
        due.extend(std::mem::replace(&mut self.schedule, later).into_values().flatten());
        due
    }

    /// Notes when the horizon will concern a product next; forgets one of which nothing is left.
    fn plan(&mut self, key: Key, planned: Option<Timestamp>) {
        let Some(component) = self.components.get_mut(&key) else { return };
        if component.is_empty() {
            self.components.remove(&key);
            self.active.remove(&key);
            return;
        }
        if component.is_active() {
            self.active.insert(key);
        } else {
            self.active.remove(&key);
        }
        if let Some(at) = component.turn().filter(|at| Some(*at) != planned) {
            self.schedule.entry(at).or_default().insert(key);
        }
    }
}
