//! Why a position is what it is: the sessions, lines and accounts behind it at one instant.
//!
//! Everything is read from the views of one epoch; nothing is computed that was not published, except
//! the sums that are shown, so that a reader can check them against the position.

use crate::view::{LevelsAt, Node, Views};
use std::collections::{BTreeMap, BTreeSet};
use trueup_model::contract::{Basis, EntitlementLine, LineKind};
use trueup_model::derived::Session;
use trueup_model::fact::FactId;
use trueup_model::id::{AccountId, DocumentId, Id, LineId, ProductId, ServerId, TenantId};
use trueup_model::metric::{Duplicates, Metric};
use trueup_model::position::{Adjustment, AllocationLine, LicensePosition, Statement};
use trueup_model::quantity::{Capacity, Quantity};
use trueup_model::time::{Span, Timestamp};
use trueup_operators::attribute::Use;
use trueup_operators::entitle::{LineInForce, Right};
use trueup_operators::hierarchy::Placement;
use trueup_operators::tally::Tally;
use trueup_operators::transfers::DEPTH_MAX;
use trueup_operators::volume::Cell;

/// Someone who holds licenses at the instant.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The use.
    pub one: Use,
    /// How many licenses it costs: 0 if it shares another's.
    pub charged: Quantity,
    /// The checkout, if it is one.
    pub session: Option<Session>,
}

/// A right, and how it serves.
#[derive(Clone, Debug)]
pub struct ExplainedLine {
    /// The right.
    pub right: Right,
    /// Whether it is in force at the instant.
    pub in_force: bool,
    /// Whether it counts: it has the best basis that the product has.
    pub counts: bool,
    /// How much of it serves the position at its peak.
    pub allocation: Option<AllocationLine>,
    /// What the line says.
    pub line: Option<LineInForce>,
    /// The lines that a transferred right was taken from, one after the other, back to the purchase.
    pub title: Vec<EntitlementLine<Id>>,
}

/// The line that a transfer takes from.
fn origin(line: &LineInForce) -> Option<Id> {
    line.line.base.filter(|_| line.line.kind == LineKind::Transfer)
}

/// What a position comes from.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The position.
    pub position: LicensePosition,
    /// The instant that is explained.
    pub at: Timestamp,
    /// Demand and rights at the instant.
    pub levels: LevelsAt,
    /// How each daemon charges the features that make the product.
    pub duplicates: Vec<(ServerId, ProductId, Duplicates)>,
    /// The lines of the position's account.
    pub lines: Vec<ExplainedLine>,
    /// Who holds licenses at the instant, those who are charged first.
    pub holders: Vec<Holder>,
    /// How much each account adds.
    pub by_account: Vec<(AccountId, Quantity)>,
    /// What accounts below could not cover themselves.
    pub passed_up: Vec<(AccountId, Quantity)>,
    /// Metered use in the period, by cell.
    pub cells: Vec<(Cell, Tally)>,
    /// The closed statement of the period, if there is one.
    pub statement: Option<Statement>,
    /// Late facts of the period.
    pub adjustments: Vec<Adjustment>,
}

/// Explains a position at an instant; at its shortfall, else at its peak, else at its end, if
/// none is named.
pub fn explain(views: &Views, position: &LicensePosition, at: Option<Timestamp>) -> Explanation {
    let key = position.key;
    let last = Timestamp(key.period.span.end.0.saturating_sub(1)).min(views.as_of.horizon);
    let worst = match (position.shortfall == Quantity::ZERO, position.peak == Quantity::ZERO) {
        (false, _) => position.shortfall_at,
        (true, false) => position.peak_at,
        (true, true) => last,
    };
    let at = at.unwrap_or(worst);
    let scope = Scope::new(views, key.tenant, key.product, key.metric, at);
    let node =
        Node { tenant: key.tenant, account: key.account, product: key.product, metric: key.metric };
    let (holders, by_account) = scope.holders(key.account);
    let passed_up = scope.passed_up(key.account);
    let statements = views.statements.iter().filter(|row| row.key == key);
    Explanation {
        position: *position,
        at,
        levels: views.levels_at(&node, at),
        duplicates: scope.duplicates(),
        lines: scope.lines(position),
        holders,
        by_account,
        passed_up,
        cells: cells(views, position, &scope),
        statement: statements.copied().next(),
        adjustments: views.adjustments.iter().filter(|row| row.key == key).copied().collect(),
    }
}

/// The metered use that a position counts.
fn cells(views: &Views, position: &LicensePosition, scope: &Scope<'_>) -> Vec<(Cell, Tally)> {
    let key = position.key;
    if key.metric != Metric::Volume {
        return Vec::new();
    }
    let within = |cell: &Cell| {
        key.period.span.contains(cell.span.start) && scope.taker(cell.account) == key.account
    };
    let cells = views.cells.of_product(key.tenant, key.product);
    let cells = cells.filter(|(cell, _)| within(cell)).map(|(cell, tally)| (*cell, *tally));
    let mut cells: Vec<(Cell, Tally)> = cells.collect();
    cells.sort_unstable_by_key(|(cell, _)| *cell);
    cells
}

/// One product under one metric at one instant.
struct Scope<'v> {
    views: &'v Views,
    tenant: TenantId,
    product: ProductId,
    metric: Metric,
    at: Timestamp,
    rights: Vec<Right>,
    basis: Option<Basis>,
    /// The accounts that have lines which count.
    pools: BTreeSet<AccountId>,
}

impl<'v> Scope<'v> {
    fn new(
        views: &'v Views,
        tenant: TenantId,
        product: ProductId,
        metric: Metric,
        at: Timestamp,
    ) -> Self {
        let own = |right: &Right| {
            right.tenant == tenant && right.product == product && right.metric == metric
        };
        let rights: Vec<Right> = views.rights.iter().filter(|right| own(right)).copied().collect();
        let basis = rights.iter().map(|right| right.basis).min();
        let counting = rights.iter().filter(|right| Some(right.basis) == basis);
        let pools = counting.map(|right| right.account).collect();
        Self { views, tenant, product, metric, at, rights, basis, pools }
    }

    /// The account above, at the instant.
    fn parent(&self, account: AccountId) -> Option<AccountId> {
        let first = Placement {
            tenant: self.tenant,
            node: account.0,
            parent: 0,
            span: Span::new(Timestamp::MIN, Timestamp::MIN),
        };
        self.views
            .accounts
            .from(&first)
            .take_while(|edge| edge.tenant == self.tenant && edge.node == account.0)
            .find(|edge| edge.span.contains(self.at))
            .map(|edge| AccountId(edge.parent))
    }

    /// The nearest account at or above that has lines; the account itself where none has.
    fn taker(&self, account: AccountId) -> AccountId {
        std::iter::successors(Some(account), |one| self.parent(*one))
            .find(|one| self.pools.contains(one))
            .unwrap_or(account)
    }

    /// Who holds licenses that count for an account, and how much each account adds.
    fn holders(&self, node: AccountId) -> (Vec<Holder>, Vec<(AccountId, Quantity)>) {
        let open: Vec<&Use> = self
            .views
            .uses
            .iter()
            .filter(|one| {
                one.tenant == self.tenant
                    && one.product == self.product
                    && one.metric == self.metric
                    && one.span.contains(self.at)
            })
            .collect();
        // Of each group the largest open count pays, of the earliest start, at the smallest account.
        let mut payers: BTreeMap<u64, &Use> = BTreeMap::new();
        let order = |one: &Use| (std::cmp::Reverse(one.units), one.span.start, one.account);
        for one in &open {
            let Some(group) = one.group else { continue };
            let payer = payers.entry(group).or_insert(one);
            if order(one) < order(payer) {
                *payer = one;
            }
        }
        let sessions = self.sessions(&open);
        let mut paid: BTreeSet<u64> = BTreeSet::new();
        let mut sums: BTreeMap<AccountId, i64> = BTreeMap::new();
        let mut holders = Vec::new();
        for one in open {
            let pays = one.group.is_none_or(|group| {
                payers.get(&group).is_some_and(|payer| *payer == one) && paid.insert(group)
            });
            let counts_at = one
                .group
                .and_then(|group| payers.get(&group))
                .map_or(one.account, |payer| payer.account);
            if self.taker(counts_at) != node {
                continue;
            }
            if pays {
                *sums.entry(one.account).or_default() += one.units.0;
            }
            let charged = if pays { one.units } else { Quantity::ZERO };
            let session = sessions.get(&one.session).copied();
            holders.push(Holder { one: *one, charged, session });
        }
        holders.sort_by_key(|holder| std::cmp::Reverse(holder.charged));
        let by_account = sums.into_iter().map(|(at, units)| (at, Quantity(units)));
        (holders, by_account.collect())
    }

    fn sessions(&self, open: &[&Use]) -> BTreeMap<FactId, Session> {
        let wanted: BTreeSet<FactId> = open.iter().map(|one| one.session).collect();
        let found = self.views.sessions.iter().filter(|row| wanted.contains(&row.opened_by));
        found.map(|session| (session.opened_by, *session)).collect()
    }

    /// What the nearest accounts with lines below leave to a node.
    fn passed_up(&self, node: AccountId) -> Vec<(AccountId, Quantity)> {
        let below = self.pools.iter().filter(|pool| {
            let above = self.parent(**pool);
            **pool != node && above.is_some_and(|above| self.taker(above) == node)
        });
        let left = |pool: &AccountId| {
            let key = Node {
                tenant: self.tenant,
                account: *pool,
                product: self.product,
                metric: self.metric,
            };
            let levels = self.views.levels_at(&key, self.at);
            let Capacity::Limited(limit) = levels.entitled else {
                return Quantity::ZERO;
            };
            Quantity((levels.demand.0 - limit.0).max(0))
        };
        below.map(|pool| (*pool, left(pool))).filter(|(_, left)| *left != Quantity::ZERO).collect()
    }

    /// The lines of the position's account.
    fn lines(&self, position: &LicensePosition) -> Vec<ExplainedLine> {
        let allocations: BTreeMap<LineId, AllocationLine> = self
            .views
            .allocations
            .iter()
            .filter(|row| row.key == position.key)
            .map(|row| (row.line, *row))
            .collect();
        let mut texts: BTreeMap<(DocumentId, LineId), LineInForce> = BTreeMap::new();
        for row in self.views.lines.iter().filter(|row| row.tenant == self.tenant) {
            texts.insert((row.document.into(), row.line.line.into()), row.clone());
        }
        // Of what products lend each other, that of the instant: it changes as often as use does.
        let told = |right: &&Right| {
            let nothing = right.capacity == Capacity::Limited(Quantity::ZERO);
            !right.lent || (right.span.contains(self.at) && !nothing)
        };
        let own = self.rights.iter().filter(|right| right.account == position.key.account);
        let own = own.filter(told);
        let explained = own.map(|right| {
            let line = texts.get(&(right.document.into(), right.line)).cloned();
            let title = line.as_ref().map(|line| self.title(line)).unwrap_or_default();
            let counts = Some(right.basis) == self.basis;
            ExplainedLine {
                right: *right,
                in_force: right.span.contains(self.at),
                counts,
                allocation: allocations.get(&right.line).copied().filter(|_| counts),
                line,
                title,
            }
        });
        explained.collect()
    }

    /// The chain of title of a transferred line.
    fn title(&self, line: &LineInForce) -> Vec<EntitlementLine<Id>> {
        let mut chain: Vec<EntitlementLine<Id>> = Vec::new();
        let mut origin = origin(line);
        while let Some(base) = origin.filter(|_| chain.len() < DEPTH_MAX) {
            let same = |row: &&LineInForce| {
                let granted = (row.line.product, row.line.metric);
                let grants = matches!(row.line.kind, LineKind::Base | LineKind::Transfer);
                let named = row.tenant == line.tenant && row.line.line == base;
                named && grants && granted == (line.line.product, line.line.metric)
            };
            let Some(row) = self.views.lines.iter().find(same) else { break };
            origin = self::origin(row);
            chain.push(row.line.clone());
        }
        chain
    }

    /// How daemons charge the features that are this product.
    fn duplicates(&self) -> Vec<(ServerId, ProductId, Duplicates)> {
        let features: BTreeSet<(ServerId, ProductId)> = self
            .views
            .resolutions
            .iter()
            .filter(|(subject, row)| subject.tenant == self.tenant && row.product == self.product)
            .filter_map(|(subject, _)| Some((subject.server?, subject.feature)))
            .collect();
        let pools =
            self.views.pools.iter().filter(|pool| pool.latest && pool.tenant == self.tenant);
        let mut found: Vec<_> = pools
            .filter(|pool| features.contains(&(pool.server, pool.feature)))
            .map(|pool| (pool.server, pool.feature, pool.duplicates))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}
