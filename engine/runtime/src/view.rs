//! Maintained outputs, readable at the last published epoch.
//!
//! A view holds the rows of each output after all differences up to `as_of.epoch`. Readers see whole
//! epochs only: differences are applied under the lock, and the epoch is part of what they read.

mod cells;
mod rollups;

pub use cells::Cells;
pub use rollups::Rollups;

use crate::chain::Link;
use crate::changes::Changes;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use trueup_model::calendar::Period;
use trueup_model::derived::{Attempt, EventCount, PoolState, Resolution, Session, Subject, Wait};
use trueup_model::discrepancy::Discrepancy;
use trueup_model::id::{AccountId, ProductId, TenantId};
use trueup_model::ledger::{BillDue, Charge, CreditBalance, FeeDue, Overage, TrueUp};
use trueup_model::metric::Metric;
use trueup_model::position::{
    Adjustment, AllocatedUse, AllocationLine, IssuedPosition, LicensePosition, PositionKey,
    Statement, Step,
};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_operators::attribute::Use;
use trueup_operators::dedupe::{Known, Repeated};
use trueup_operators::entitle::{LineInForce, Right};
use trueup_operators::hierarchy::Placement;
use trueup_operators::inclusion::Included;
use trueup_operators::{Diff, Epoch};

/// Up to what an answer speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// The last epoch that is in it: everything that was known then.
    pub epoch: Epoch,
    /// The instant of event time up to which figures are evaluated.
    pub horizon: Timestamp,
    /// The wall clock when the epoch was published.
    pub published_at: Timestamp,
    /// The policy under which it was computed.
    pub policy: String,
}

/// Rows with how often each is there; a row that is there no times is not kept.
#[derive(Clone, Debug)]
pub struct Table<R> {
    rows: BTreeMap<R, Diff>,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self { rows: BTreeMap::new() }
    }
}

impl<R: Ord + Clone> Table<R> {
    fn apply(&mut self, changes: &[(R, Diff)]) {
        for (row, diff) in changes {
            let count = self.rows.entry(row.clone()).or_default();
            *count += diff;
            if *count == 0 {
                self.rows.remove(row);
            }
        }
    }

    /// The rows in order, each as often as it is there.
    pub fn iter(&self) -> impl Iterator<Item = &R> {
        self.rows.iter().flat_map(|(row, count)| {
            let times = usize::try_from(*count).unwrap_or(0);
            std::iter::repeat_n(row, times)
        })
    }

    /// The rows in order, with how often each is there.
    pub fn counted(&self) -> impl Iterator<Item = (&R, Diff)> {
        self.rows.iter().map(|(row, count)| (row, *count))
    }

    /// The rows from a bound on, in order.
    pub fn from(&self, first: &R) -> impl Iterator<Item = &R> {
        self.rows.range(first..).map(|(row, _)| row)
    }

    /// How many different rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Rows that are there less than once: a broken invariant.
    pub fn negative(&self) -> impl Iterator<Item = &R> {
        self.rows.iter().filter(|(_, count)| **count < 0).map(|(row, _)| row)
    }
}

/// A node of positions: an account, a product and a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// Whose it is.
    pub tenant: TenantId,
    /// The account.
    pub account: AccountId,
    /// The product.
    pub product: ProductId,
    /// The metric.
    pub metric: Metric,
}

/// Demand and rights at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelsAt {
    /// Needed.
    pub demand: Quantity,
    /// May be used.
    pub entitled: Capacity,
    /// Tolerated above.
    pub overdraft: Quantity,
}

/// Every output, after all differences up to an epoch.
#[derive(Clone, Debug)]
pub struct Views {
    /// Up to what they speak.
    pub as_of: AsOf,
    /// Up to what the totals over the trees speak, which are brought up to date less often.
    pub totals_as_of: AsOf,
    /// What stands for all that was published up to then.
    pub link: Link,
    /// Positions by key.
    pub positions: BTreeMap<PositionKey, LicensePosition>,
    /// Which lines serve each position.
    pub allocations: Table<AllocationLine>,
    /// The changes of levels, by node and instant.
    pub steps: BTreeMap<Node, BTreeMap<Timestamp, Step>>,
    /// Totals over both trees.
    pub rollups: Rollups,
    /// The same by the account tree of the horizon, if the policy asks for them.
    pub rollups_current: Rollups,
    /// Discrepancies.
    pub discrepancies: Table<Discrepancy>,
    /// Closed periods.
    pub statements: Table<Statement>,
    /// What positions said when their periods closed.
    pub issued: BTreeMap<PositionKey, IssuedPosition>,
    /// Late facts of closed periods.
    pub adjustments: Table<Adjustment>,
    /// What is left of credits.
    pub credits: Table<CreditBalance>,
    /// What no credit covers.
    pub overages: Table<Overage>,
    /// What use costs.
    pub charges: Table<Charge>,
    /// How much of what is allocated is in use.
    pub allocated: Table<AllocatedUse>,
    /// What is owed.
    pub true_ups: Table<TrueUp>,
    /// What lines cost.
    pub fees: Table<FeeDue>,
    /// What is still to be billed.
    pub bills: Table<BillDue>,
    /// Checkouts.
    pub sessions: Table<Session>,
    /// Uses as they count.
    pub uses: Table<Use>,
    /// Metered use, by cell.
    pub cells: Cells,
    /// What suites include.
    pub included: Table<Included>,
    /// Refused attempts.
    pub attempts: Table<Attempt>,
    /// Waits in queues.
    pub waits: Table<Wait>,
    /// What sources say of each pool.
    pub pools: Table<PoolState>,
    /// How often each thing was said.
    pub counts: Table<EventCount>,
    /// Lines in force.
    pub lines: Table<LineInForce>,
    /// What lines grant.
    pub rights: Table<Right>,
    /// What subjects mean.
    pub resolutions: Table<(Subject, Resolution)>,
    /// Facts that are shown as they are.
    pub shown: Table<(Known, Span)>,
    /// Repetitions.
    pub repeated: Table<Repeated>,
    /// The account tree.
    pub accounts: Table<Placement>,
}

impl Views {
    /// Views of nothing.
    pub(crate) fn new(policy: String) -> Self {
        let as_of =
            AsOf { epoch: 0, horizon: Timestamp::MIN, published_at: Timestamp::MIN, policy };
        Self {
            totals_as_of: as_of.clone(),
            as_of,
            link: Link::default(),
            positions: BTreeMap::new(),
            allocations: Table::default(),
            steps: BTreeMap::new(),
            rollups: Rollups::default(),
            rollups_current: Rollups::default(),
            discrepancies: Table::default(),
            statements: Table::default(),
            issued: BTreeMap::new(),
            adjustments: Table::default(),
            credits: Table::default(),
            overages: Table::default(),
            charges: Table::default(),
            allocated: Table::default(),
            true_ups: Table::default(),
            fees: Table::default(),
            bills: Table::default(),
            sessions: Table::default(),
            uses: Table::default(),
            cells: Cells::default(),
            included: Table::default(),
            attempts: Table::default(),
            waits: Table::default(),
            pools: Table::default(),
            counts: Table::default(),
            lines: Table::default(),
            rights: Table::default(),
            resolutions: Table::default(),
            shown: Table::default(),
            repeated: Table::default(),
            accounts: Table::default(),
        }
    }

    /// Applies the differences of the next epoch.
    ///
    /// # Panics
    /// If a position or a step would be there twice: readers would get one of two answers.
    pub(crate) fn apply(&mut self, changes: &Changes) {
        replace(&mut self.positions, &changes.positions, |position| position.key, Clone::clone);
        for steps in changes.steps.chunk_by(|(one, _), (other, _)| node_of(one) == node_of(other)) {
            let Some((first, _)) = steps.first() else { continue };
            let node = node_of(first);
            let kept = self.steps.entry(node).or_default();
            replace(kept, steps, |step| step.at, Clone::clone);
            if kept.is_empty() {
                self.steps.remove(&node);
            }
        }
        self.allocations.apply(&changes.allocations);
        self.rollups.apply(&changes.peaks, &changes.sums);
        self.rollups_current.apply(&changes.peaks_current, &changes.sums_current);
        self.discrepancies.apply(&changes.discrepancies);
        self.statements.apply(&changes.statements);
        replace(&mut self.issued, &changes.issued, |row| row.key, Clone::clone);
        self.adjustments.apply(&changes.adjustments);
        self.credits.apply(&changes.credits);
        self.overages.apply(&changes.overages);
        self.charges.apply(&changes.charges);
        self.allocated.apply(&changes.allocated);
        self.true_ups.apply(&changes.true_ups);
        self.fees.apply(&changes.fees);
        self.bills.apply(&changes.bills);
        self.sessions.apply(&changes.sessions);
        self.uses.apply(&changes.uses);
        self.cells.apply(&changes.cells);
        self.included.apply(&changes.included);
        self.attempts.apply(&changes.attempts);
        self.waits.apply(&changes.waits);
        self.pools.apply(&changes.pools);
        self.counts.apply(&changes.counts);
        self.lines.apply(&changes.lines);
        self.rights.apply(&changes.rights);
        self.resolutions.apply(&changes.resolutions);
        self.shown.apply(&changes.shown);
        self.repeated.apply(&changes.repeated);
        self.accounts.apply(&changes.accounts);
    }

    /// Demand and rights of a node after all changes up to and including an instant.
    ///
    /// Work: the node's changes before the instant.
    pub fn levels_at(&self, node: &Node, at: Timestamp) -> LevelsAt {
        let mut sum = Step {
            tenant: node.tenant,
            account: node.account,
            product: node.product,
            metric: node.metric,
            at,
            demand: 0,
            entitled: 0,
            overdraft: 0,
            unlimited: 0,
            unknown: 0,
        };
        for step in self.steps.get(node).into_iter().flat_map(|steps| steps.range(..=at)) {
            sum.demand += step.1.demand;
            sum.entitled += step.1.entitled;
            sum.overdraft += step.1.overdraft;
            sum.unlimited += step.1.unlimited;
            sum.unknown += step.1.unknown;
        }
        let quantity = |of: i128| Quantity::from_sum(of).unwrap_or(Quantity::MAX);
        let entitled = if sum.unlimited > 0 {
            Capacity::Unlimited
        } else if sum.unknown > 0 {
            Capacity::Unknown
        } else {
            Capacity::Limited(quantity(sum.entitled.max(0)))
        };
        LevelsAt { demand: quantity(sum.demand), entitled, overdraft: quantity(sum.overdraft) }
    }

    /// The position of a node in a period.
    pub fn position(&self, node: &Node, period: Period) -> Option<&LicensePosition> {
        self.positions.get(&PositionKey {
            tenant: node.tenant,
            account: node.account,
            product: node.product,
            metric: node.metric,
            period,
        })
    }
}

/// The node of a step.
fn node_of(step: &Step) -> Node {
    let Step { tenant, account, product, metric, .. } = *step;
    Node { tenant, account, product, metric }
}

/// Replaces rows by key: of one key one row goes, one comes, or both. Changes are in the order of rows, which is that
/// of their keys first.
fn replace<K: Ord + std::fmt::Debug, R, V>(
    rows: &mut BTreeMap<K, V>,
    changes: &[(R, Diff)],
    key: impl Fn(&R) -> K,
    value: impl Fn(&R) -> V,
) {
    for of_key in changes.chunk_by(|(one, _), (other, _)| key(one) == key(other)) {
        let goes = of_key.iter().any(|(_, diff)| *diff < 0);
        let mut come = of_key.iter().filter(|(_, diff)| *diff > 0);
        let Some((first, _)) = of_key.first() else { continue };
        match (rows.entry(key(first)), come.next()) {
            (Entry::Occupied(kept), None) => {
                kept.remove();
            }
            (Entry::Vacant(_), None) => {}
            (Entry::Occupied(mut kept), Some((row, _))) => {
                assert!(goes, "two rows of {:?}", kept.key());
                kept.insert(value(row));
            }
            (Entry::Vacant(place), Some((row, _))) => {
                place.insert(value(row));
            }
        }
        assert!(come.next().is_none(), "two rows of {:?}", key(first));
    }
}
